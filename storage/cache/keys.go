package cache

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Entry is where a key stands, in numbers whose meaning is the reader's.
type Entry struct{ Position, Index, Size int64 }

// ways is the number of keys that share a set: a key can only be in the set of its hash.
const ways = 8

// keySet is a set of keys: first what tells them apart, on a cache line of its own. A tag of 0 is a free place.
type keySet struct {
	tags [ways]uint64
	keys [ways]keyEntry
	// used has a bit for each place that was asked for since hand passed it (CLOCK).
	used uint8
	hand uint8
}

// keyEntry is a place: the other half of the hash, and the entry.
type keyEntry struct {
	check uint64
	entry Entry
}

// setSize is the size of a keySet.
const setSize = 8*ways + 32*ways + 8

// keyTable is a hash table without pointers, whose memory is taken when the first key is put.
type keyTable struct {
	budget int64
	make   sync.Once
	ready  atomic.Bool
	sets   []keySet
	locks  [256]keyLock
	count  atomic.Int64
	hits   atomic.Int64
	_      [56]byte
	// misses is not on the line of the hits.
	misses atomic.Int64
}

// keyLock is a lock on a cache line of its own.
type keyLock struct {
	sync.Mutex
	_ [56]byte
}

// length is the number of sets that the budget allows.
func (t *keyTable) length() int64 { return max(t.budget/setSize, 1) }

// size returns the bytes that are taken.
func (t *keyTable) size() int64 {
	if !t.ready.Load() {
		return 0
	}
	return t.length() * setSize
}

func (t *keyTable) used() int64 { return t.count.Load() }

// place returns what stands for a key of a file: its tag, never 0, and check.
func place(file uint64, h1, h2 int64) (tag, check uint64) {
	m := file * 0x9e3779b97f4a7c15
	m ^= m >> 29
	return uint64(h1) ^ m | 1, uint64(h2) + m
}

// locked returns the locked set of a key.
func (t *keyTable) locked(check uint64) (*keySet, *sync.Mutex) {
	i, _ := bits.Mul64(check*0xd6e8feb86659fd93, uint64(len(t.sets)))
	l := &t.locks[i&uint64(len(t.locks)-1)].Mutex
	l.Lock()
	return &t.sets[i], l
}

// Key returns the entry of a key, whose hash is given in two halves, in a file. Hashes can collide: the reader looks whether
// it is the key that he finds there.
func (c *Cache) Key(file uint64, h1, h2 int64) (Entry, bool) {
	if c == nil {
		return Entry{}, false
	}
	if !c.keys.ready.Load() {
		c.keys.misses.Add(1)
		return Entry{}, false
	}
	tag, check := place(file, h1, h2)
	s, l := c.keys.locked(check)
	for i := range s.tags {
		if s.tags[i] == tag && s.keys[i].check == check {
			e := s.keys[i].entry
			s.used |= 1 << i
			l.Unlock()
			c.keys.hits.Add(1)
			return e, true
		}
	}
	l.Unlock()
	c.keys.misses.Add(1)
	return Entry{}, false
}

// PutKey keeps the entry of a key, in place of one that was there.
func (c *Cache) PutKey(file uint64, h1, h2 int64, e Entry) {
	if c == nil {
		return
	}
	c.keys.make.Do(func() {
		c.keys.sets = make([]keySet, c.keys.length())
		c.keys.ready.Store(true)
	})
	tag, check := place(file, h1, h2)
	s, l := c.keys.locked(check)
	defer l.Unlock()
	at := -1
	for i := range s.tags {
		if s.tags[i] == tag && s.keys[i].check == check {
			s.keys[i].entry = e
			return
		}
		if s.tags[i] == 0 && at < 0 {
			at = i
		}
	}
	if at >= 0 {
		c.keys.count.Add(1)
	} else {
		for s.used>>s.hand&1 != 0 {
			s.used &^= 1 << s.hand
			s.hand = (s.hand + 1) % ways
		}
		at = int(s.hand)
		s.hand = (s.hand + 1) % ways
	}
	s.tags[at], s.keys[at] = tag, keyEntry{check, e}
}

// ClearKeys lets go of all keys.
func (c *Cache) ClearKeys() {
	if c == nil || !c.keys.ready.Load() {
		return
	}
	for i := range c.keys.sets {
		l := &c.keys.locks[i&(len(c.keys.locks)-1)].Mutex
		l.Lock()
		for _, tag := range c.keys.sets[i].tags {
			if tag != 0 {
				c.keys.count.Add(-1)
			}
		}
		c.keys.sets[i] = keySet{}
		l.Unlock()
	}
}
