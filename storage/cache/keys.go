package cache

import (
	"math/bits"
	"sync"
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

// keyShards is by how many locks the keys are spread.
const keyShards = 256

// keyTable is hash tables without pointers. They grow with what is put, each by itself, up to the budget.
type keyTable struct{ shards [keyShards]keyShard }

// keyShard is a part of the keys.
type keyShard struct {
	mu           sync.Mutex
	sets         []keySet
	limit        int // of len(sets)
	count        int // of keys
	hits, misses int64
}

func newKeyTable(budget int64) *keyTable {
	t := &keyTable{}
	for i := range t.shards {
		t.shards[i].limit = int(max(budget/keyShards/setSize, 1))
	}
	return t
}

// place returns what stands for a key of a file: its tag, never 0, and check.
func place(file uint64, h1, h2 int64) (tag, check uint64) {
	m := file * 0x9e3779b97f4a7c15
	m ^= m >> 29
	return (uint64(h1) ^ m) | 1, uint64(h2) + m
}

// shard returns the shard of a key, and spread bits for its set.
func (t *keyTable) shard(check uint64) (s *keyShard, h uint64) {
	h = check * 0xd6e8feb86659fd93
	return &t.shards[h%keyShards], h
}

// set returns the set that a key belongs to.
func (s *keyShard) set(h uint64) *keySet {
	i, _ := bits.Mul64(h, uint64(len(s.sets)))
	return &s.sets[i]
}

// find returns the place of a key in the set, -1 when it is not there.
func (k *keySet) find(tag, check uint64) int {
	for i := range k.tags {
		if k.tags[i] == tag && k.keys[i].check == check {
			return i
		}
	}
	return -1
}

// put keeps a key that is not there; it reports whether none had to leave.
func (k *keySet) put(tag uint64, e keyEntry) bool {
	at := -1
	for i := range k.tags {
		if k.tags[i] == 0 {
			at = i
			break
		}
	}
	free := at >= 0
	if !free {
		for k.used>>k.hand&1 != 0 {
			k.used &^= 1 << k.hand
			k.hand = (k.hand + 1) % ways
		}
		at = int(k.hand)
		k.hand = (k.hand + 1) % ways
	}
	k.tags[at], k.keys[at] = tag, e
	return free
}

// grow makes room for as many keys again; those that are there move.
func (s *keyShard) grow() {
	old := s.sets
	s.sets, s.count = make([]keySet, min(max(2*len(old), 1), s.limit)), 0
	for i := range old {
		for j, tag := range old[i].tags {
			if tag == 0 {
				continue
			}
			e := old[i].keys[j]
			if s.set(e.check*0xd6e8feb86659fd93).put(tag, e) {
				s.count++
			}
		}
	}
}

// Key returns the entry of a key, whose hash is given in two halves, in a file. Hashes can collide: the reader looks whether
// it is the key that he finds there.
func (c *Cache) Key(file uint64, h1, h2 int64) (Entry, bool) {
	if c == nil {
		return Entry{}, false
	}
	tag, check := place(file, h1, h2)
	s, h := c.keys.shard(check)
	s.mu.Lock()
	if len(s.sets) > 0 {
		k := s.set(h)
		if i := k.find(tag, check); i >= 0 {
			e := k.keys[i].entry
			k.used |= 1 << i
			s.hits++
			s.mu.Unlock()
			return e, true
		}
	}
	s.misses++
	s.mu.Unlock()
	return Entry{}, false
}

// PutKey keeps the entry of a key, in place of one that was there.
func (c *Cache) PutKey(file uint64, h1, h2 int64, e Entry) {
	if c == nil {
		return
	}
	tag, check := place(file, h1, h2)
	s, h := c.keys.shard(check)
	s.mu.Lock()
	defer s.mu.Unlock()
	// At three quarters few sets are full.
	if 4*s.count >= 3*ways*len(s.sets) && len(s.sets) < s.limit {
		s.grow()
	}
	k := s.set(h)
	if i := k.find(tag, check); i >= 0 {
		k.keys[i].entry = e
	} else if k.put(tag, keyEntry{check, e}) {
		s.count++
	}
}

// ClearKeys lets go of all keys.
func (c *Cache) ClearKeys() {
	if c == nil {
		return
	}
	for i := range c.keys.shards {
		s := &c.keys.shards[i]
		s.mu.Lock()
		s.sets, s.count = nil, 0
		s.mu.Unlock()
	}
}

func (t *keyTable) stats(to *Stats) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		to.Keys += int64(s.count)
		to.KeyBytes += int64(len(s.sets)) * setSize
		to.KeyHits += s.hits
		to.KeyMisses += s.misses
		s.mu.Unlock()
	}
}
