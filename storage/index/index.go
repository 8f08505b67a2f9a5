// Package index is secondary indexes: for each indexed value, where the rows that had it stand. Its noun is the Index.
//
// An index is a hint, never the truth: an entry is added for every value that is written, behind the value itself, and says
// only where to look. A read checks the row, so overwritten, deleted and expired values do not surface, whatever the order of
// their timestamps; an entry whose value has gone for good is then removed.
//
// Floor: above storage/request and storage/slab. Source: org.apache.cassandra.index.internal; cql.md 1.8, 2.18.
package index

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/slab"
)

// shardBits is the logarithm of the number of shards, over which values are spread.
const shardBits = 4

// hashBits is how much of an entry's prefix is of the value's hash; the rest is of the token.
const hashBits = 24

// Index is one secondary index. All methods may be called by many goroutines.
type Index struct {
	Definition *schema.Index
	table      *schema.Table
	built      atomic.Bool
	entries    Entries
}

// Entries is where an index keeps its entries. Methods may be called by many goroutines; their arguments are copied.
type Entries interface {
	// Add adds an entry, unless it is there; Remove removes one.
	Add(value []byte, e Entry)
	Remove(value []byte, e Entry)
	// Page appends to dst the entries of a value in order, at most limit of them, that stand behind from, or with inclusive at it
	// or behind. Fewer than limit are the last.
	Page(dst []Entry, value []byte, from Entry, inclusive bool, limit int) ([]Entry, error)
	// Bytes returns the memory that the entries take.
	Bytes() int64
}

// tree is Entries in memory.
type tree struct {
	table  *schema.Table
	seed   maphash.Seed
	shards [1 << shardBits]shard
}

// shard holds the entries of some values, sorted by prefix, value, token, key and clustering. Their bytes never change.
type shard struct {
	mu sync.RWMutex
	memory
}

// memory is what a collection replaces. Entries that were removed are marked, and dead counts them.
type memory struct {
	arena slab.Arena
	pool  slab.Pool
	tree  slab.Tree
	dead  int
}

// collectMin is the least number of removed entries that is worth a collection.
const collectMin = 1024

// New returns an empty index of t in memory, which is not built yet.
func New(t *schema.Table, def *schema.Index) *Index {
	return Over(t, def, &tree{table: t, seed: maphash.MakeSeed()})
}

// Over returns an index of t that keeps its entries elsewhere, and is not built yet.
func Over(t *schema.Table, def *schema.Index, entries Entries) *Index {
	return &Index{Definition: def, table: t, entries: entries}
}

// Entries returns where the index keeps its entries.
func (x *Index) Entries() Entries { return x.entries }

// Built reports whether the index holds all that was written before it was made; SetBuilt says so.
func (x *Index) Built() bool { return x.built.Load() }

// SetBuilt says that the index is complete.
func (x *Index) SetBuilt() { x.built.Store(true) }

// Bytes returns the memory that the index takes.
func (x *Index) Bytes() int64 { return x.entries.Bytes() }

// Add adds an entry, unless it is there. Everything is copied.
func (x *Index) Add(value []byte, e Entry) { x.entries.Add(value, e) }

// Remove removes an entry, whose row must not hold the value any more and must not get it before Remove returns.
func (x *Index) Remove(value []byte, e Entry) { x.entries.Remove(value, e) }

// Page appends to dst the entries of a value in order, at most limit of them, that stand behind from, or with inclusive at it
// or behind. Fewer than limit are the last.
func (x *Index) Page(dst []Entry, value []byte, from Entry, inclusive bool, limit int) ([]Entry, error) {
	return x.entries.Page(dst, value, from, inclusive, limit)
}

// Bytes implements Entries.
func (x *tree) Bytes() int64 {
	var n int64
	for i := range x.shards {
		s := &x.shards[i]
		s.mu.RLock()
		n += s.arena.Bytes() + s.pool.Bytes()
		s.mu.RUnlock()
	}
	return n
}

// Entry is where an indexed value was written. Its bytes are the index's.
type Entry struct {
	Token token.Token
	Key   []byte
	// Clustering is encoded (row.AppendValues); empty when the value is of the partition.
	Clustering []byte
}

// An entry in the arena is: lengths of value, key, token's rest and clustering, 4 bytes each; token's prefix, 8; value; key;
// rest; clustering.
const entryHeader = 24

// entrySize returns the bytes of the entry at the front of b.
func entrySize(b []byte) int {
	n := entryHeader
	for i := range 4 {
		n += int(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return n
}

func readEntry(b []byte) (value []byte, e Entry) {
	v, k := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	r, c := binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
	e.Token.Prefix = binary.LittleEndian.Uint64(b[16:])
	b = b[entryHeader:]
	value, b = b[:v:v], b[v:]
	e.Key, b = b[:k:k], b[k:]
	if r > 0 {
		e.Token.Rest = string(b[:r])
	}
	e.Clustering = b[r : r+c : r+c]
	return value, e
}

// place returns a value's shard and the prefix of its entry at a token.
func (x *tree) place(value []byte, tok token.Token) (*shard, uint64) {
	h := maphash.Bytes(x.seed, value)
	return &x.shards[h>>(64-shardBits)], h<<shardBits&^(1<<(64-hashBits)-1) | tok.Prefix>>hashBits
}

// Add implements Entries.
func (x *tree) Add(value []byte, e Entry) {
	s, prefix := x.place(value, e.Token)
	s.mu.Lock()
	defer s.mu.Unlock()
	at, found := s.pool.Insert(&s.tree, prefix, func(ref uint32) int { return x.compare(s, ref, value, e) })
	if found {
		if at.Mark != 0 {
			at.Mark = 0
			s.dead--
		}
		return
	}
	rest := e.Token.Rest
	ref, b := s.arena.Alloc(entryHeader + len(value) + len(e.Key) + len(rest) + len(e.Clustering))
	at.Ref = uint32(ref)
	for i, n := range [4]int{len(value), len(e.Key), len(rest), len(e.Clustering)} {
		binary.LittleEndian.PutUint32(b[4*i:], uint32(n))
	}
	binary.LittleEndian.PutUint64(b[16:], e.Token.Prefix)
	b = b[entryHeader:]
	b = b[copy(b, value):]
	b = b[copy(b, e.Key):]
	b = b[copy(b, rest):]
	copy(b, e.Clustering)
}

// Remove implements Entries.
func (x *tree) Remove(value []byte, e Entry) {
	s, prefix := x.place(value, e.Token)
	s.mu.Lock()
	defer s.mu.Unlock()
	pos, found := s.pool.Seek(&s.tree, prefix, func(ref uint32) int { return x.compare(s, ref, value, e) })
	if !found || s.pool.Entry(pos).Mark != 0 {
		return
	}
	s.pool.Entry(pos).Mark = 1
	if s.dead++; s.dead > collectMin && s.dead > s.tree.Len()/2 {
		s.collect()
	}
}

// collect moves the entries that were not removed to new memory. Readers go on with the old, which stays as long as they do.
func (s *shard) collect() {
	old := s.memory
	s.memory = memory{}
	for pos := old.pool.First(&old.tree); pos.Valid(); pos = old.pool.Next(pos) {
		from := old.pool.Entry(pos)
		if from.Mark != 0 {
			continue
		}
		b := old.arena.At(slab.Ref(from.Ref))
		b = b[:entrySize(b)]
		ref, to := s.arena.Alloc(len(b))
		copy(to, b)
		// Entries come in order and are distinct: each is behind all that are there.
		e, _ := s.pool.Insert(&s.tree, from.Prefix, func(uint32) int { return -1 })
		e.Ref = uint32(ref)
	}
}

// compare orders a stored entry and another of the same prefix.
func (x *tree) compare(s *shard, ref uint32, value []byte, e Entry) int {
	v, f := readEntry(s.arena.At(slab.Ref(ref)))
	if c := bytes.Compare(v, value); c != 0 {
		return c
	}
	return x.compareEntries(f, e)
}

// compareEntries orders two entries of one value: by token, key and clustering; one of a partition stands before its rows.
func (x *tree) compareEntries(a, b Entry) int {
	if a.Token.Prefix != b.Token.Prefix {
		if a.Token.Prefix < b.Token.Prefix {
			return -1
		}
		return 1
	}
	if c := strings.Compare(a.Token.Rest, b.Token.Rest); c != 0 {
		return c
	}
	if c := bytes.Compare(a.Key, b.Key); c != 0 {
		return c
	}
	if len(a.Clustering) == 0 || len(b.Clustering) == 0 {
		return len(a.Clustering) - len(b.Clustering)
	}
	var few [4][]byte
	r := row.Reader{B: b.Clustering}
	values := r.Values(few[:0], len(x.table.Clustering))
	r.B = a.Clustering
	return r.CompareEncoded(x.table, values)
}

// Page implements Entries.
func (x *tree) Page(dst []Entry, value []byte, from Entry, inclusive bool, limit int) ([]Entry, error) {
	s, prefix := x.place(value, from.Token)
	_, end := x.place(value, token.Token{Prefix: 1<<64 - 1})
	s.mu.RLock()
	defer s.mu.RUnlock()
	pos, found := s.pool.Seek(&s.tree, prefix, func(ref uint32) int { return x.compare(s, ref, value, from) })
	if found && !inclusive {
		pos = s.pool.Next(pos)
	}
	for ; pos.Valid() && limit > 0; pos = s.pool.Next(pos) {
		e := s.pool.Entry(pos)
		if e.Prefix > end {
			break
		}
		if e.Mark != 0 {
			continue
		}
		if v, entry := readEntry(s.arena.At(slab.Ref(e.Ref))); bytes.Equal(v, value) {
			dst = append(dst, entry)
			limit--
		}
	}
	return dst, nil
}
