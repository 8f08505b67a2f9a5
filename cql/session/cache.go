package session

import (
	"container/list"
	"sync"
	"sync/atomic"
)

// cache holds statements by key up to a number of bytes and forgets those that were not used for longest. It is safe for
// concurrent use. Moving an entry to the front is skipped when another goroutine holds the lock: order is a hint, and readers
// must not queue for it.
type cache[K comparable] struct {
	mu       sync.RWMutex
	entries  map[K]*list.Element
	order    list.List // front: used last
	bytes    int64
	maxBytes int64
	evicted  int64
	epoch    atomic.Uint64 // grows when an entry goes or is replaced, before it does
}

type entry[K comparable] struct {
	key  K
	st   *statement
	size int64
}

const (
	// touchEvery is every how many uses one is noted: on a hot path the write lock costs more than the order is worth.
	touchEvery = 64
	// entryBytes is what a statement takes beside its weight.
	entryBytes = 2048
)

func newCache[K comparable](maxBytes int64) *cache[K] {
	return &cache[K]{entries: map[K]*list.Element{}, maxBytes: maxBytes}
}

// get returns the statement of a key, or nil.
func (c *cache[K]) get(key K) *statement {
	c.mu.RLock()
	e := c.entries[key]
	var st *statement
	if e != nil {
		st = e.Value.(*entry[K]).st
	}
	c.mu.RUnlock()
	return st
}

// getBytes is get for a key that is still bytes, without making it a string.
func getBytes(c *cache[string], key []byte) *statement {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if e := c.entries[string(key)]; e != nil {
		return e.Value.(*entry[string]).st
	}
	return nil
}

// used notes a use of key for the order of forgetting.
func (c *cache[K]) used(key K) {
	if c.mu.TryLock() {
		defer c.mu.Unlock()
		if e := c.entries[key]; e != nil {
			c.order.MoveToFront(e)
		}
	}
}

// put adds or replaces a statement and forgets others as needed; the one just put stays even when it is larger than the whole
// cache, so that a client which prepares and executes it makes progress.
func (c *cache[K]) put(key K, st *statement, weight int) {
	size := int64(weight + entryBytes)
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.entries[key]; old != nil {
		c.removeLocked(old)
	}
	c.entries[key] = c.order.PushFront(&entry[K]{key, st, size})
	c.bytes += size
	for c.bytes > c.maxBytes && c.order.Len() > 1 {
		c.removeLocked(c.order.Back())
		c.evicted++
	}
}

// remove forgets a key.
func (c *cache[K]) remove(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[key]; e != nil {
		c.removeLocked(e)
	}
}

// retain forgets every statement that keep refuses.
func (c *cache[K]) retain(keep func(*statement) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		if !keep(e.Value.(*entry[K]).st) {
			c.removeLocked(e)
		}
	}
}

// all returns the statements, the last used first, and how many were forgotten for lack of room.
func (c *cache[K]) all() (sts []*statement, evicted int64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for e := c.order.Front(); e != nil; e = e.Next() {
		sts = append(sts, e.Value.(*entry[K]).st)
	}
	return sts, c.evicted
}

func (c *cache[K]) removeLocked(e *list.Element) {
	c.epoch.Add(1)
	x := c.order.Remove(e).(*entry[K])
	delete(c.entries, x.key)
	c.bytes -= x.size
}
