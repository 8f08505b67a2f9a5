// Package cache keeps in memory what was read from tables: pages of files, decompressed and checked, and where keys stand. One
// Cache is shared by all tables of a process; its nouns are Cache and Entry.
//
// Pages are on the Go heap, as byte slices: who was given one keeps it as long as he likes, also when the cache has let go of
// it. Nobody changes it. Keys are in memory without pointers, which grows with them.
//
// Floor: ground. Source for pages: Yang and others, "FIFO queues are all you need for cache eviction", SOSP 2023 (S3-FIFO);
// for what keys are to a reader: org.apache.cassandra.cache.KeyCacheKey.
package cache

import (
	"runtime"
	"sync/atomic"
)

// Cache is the pages and keys that fit a budget. It may be used by many goroutines; a nil Cache holds nothing.
type Cache struct {
	budget int64
	files  atomic.Uint64
	shards []shard
	keys   *keyTable
}

const (
	// shardsPerCPU is by how many locks a processor the pages are spread.
	shardsPerCPU = 16
	// minShard is how many bytes a shard has at least, so that a few large pages do not fill it.
	minShard = 1 << 20
	// keyShare is which part of the budget, one in this many, is for keys.
	keyShare = 8
)

// New returns a cache that takes at most budget bytes, the memory that it needs for itself included but for a few percent. A
// budget of zero or less gives nil.
func New(budget int64) *Cache {
	if budget <= 0 {
		return nil
	}
	c := &Cache{budget: budget, keys: newKeyTable(budget / keyShare)}
	pages := budget - budget/keyShare
	n := 1
	for n < shardsPerCPU*runtime.GOMAXPROCS(0) && pages/int64(2*n) >= minShard {
		n *= 2
	}
	c.shards = make([]shard, n)
	for i := range c.shards {
		c.shards[i].init(pages / int64(n))
	}
	return c
}

// NewFile returns a number for a file, which no other file of this cache has had.
func (c *Cache) NewFile() uint64 {
	if c == nil {
		return 0
	}
	return c.files.Add(1)
}

// pageKey names a page.
type pageKey struct{ file, page uint64 }

// hash spreads the bits of k.
func (k pageKey) hash() uint64 {
	h := (k.file*0x9e3779b97f4a7c15 ^ k.page) * 0xd6e8feb86659fd93
	return (h ^ h>>32) * 0xd6e8feb86659fd93
}

func (c *Cache) shard(h uint64) *shard { return &c.shards[h>>32&uint64(len(c.shards)-1)] }

// Page returns a page of a file, nil when it is not there.
func (c *Cache) Page(file uint64, page int64) []byte {
	if c == nil {
		return nil
	}
	k := pageKey{file, uint64(page)}
	return c.shard(k.hash()).get(k)
}

// PutPage keeps a page, which nobody changes any more. What is larger than the cache can hold is not kept.
func (c *Cache) PutPage(file uint64, page int64, b []byte) {
	if c == nil || len(b) == 0 {
		return
	}
	k := pageKey{file, uint64(page)}
	h := k.hash()
	c.shard(h).put(k, uint32(h), b)
}

// Forget lets go of the pages of a file. Those that are put afterwards stay until others need the place.
func (c *Cache) Forget(file uint64) {
	if c == nil {
		return
	}
	for i := range c.shards {
		c.shards[i].forget(func(k pageKey) bool { return k.file == file })
	}
}

// Clear lets go of all pages; ClearKeys of all keys.
func (c *Cache) Clear() {
	if c == nil {
		return
	}
	for i := range c.shards {
		c.shards[i].forget(func(pageKey) bool { return true })
	}
}

// Stats is what a cache holds and how it did since it was made.
type Stats struct {
	// Budget is in bytes, like PageBytes and KeyBytes, which say what is in use.
	Budget, PageBytes, KeyBytes int64
	Pages, Keys                 int64
	PageHits, PageMisses        int64
	KeyHits, KeyMisses          int64
	// Evicted counts the pages that had to make place.
	Evicted int64
}

// Stats returns the present numbers; those of the shards are not of one moment.
func (c *Cache) Stats() Stats {
	if c == nil {
		return Stats{}
	}
	s := Stats{Budget: c.budget}
	c.keys.stats(&s)
	for i := range c.shards {
		c.shards[i].stats(&s)
	}
	return s
}
