// Package memtable holds the data of one table in memory: partitions in token order, and in each its rows in clustering
// order, in memory that the garbage collector does not walk. Its nouns are Table and Iterator.
//
// A table is split into shards by token, each with a lock. A write copies the encoded rows of its mutation as they are; a
// second write to a row is chained to the first, and a chain that gets long is merged into one version. Bytes of a version
// never change, so a reader takes the lock only to note where the versions of a page of rows are.
//
// Floor: above storage/request and storage/slab. Source: org.apache.cassandra.db.memtable; storage.md 4.
package memtable

import (
	"math/bits"
	"runtime"
	"sync/atomic"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// shardsPerCPU is how many shards a table has for each processor: enough that writers rarely meet.
const shardsPerCPU = 8

// Table is the data of one table. All methods may be called by many goroutines.
type Table struct {
	layout atomic.Pointer[row.Layout]
	shards []shard
	shift  uint // of a token's prefix, to the number of its shard
}

// New returns an empty table.
func New(t *schema.Table) *Table {
	n := bits.Len(uint(shardsPerCPU*runtime.GOMAXPROCS(0) - 1))
	m := &Table{shards: make([]shard, 1<<n), shift: uint(64 - n)}
	for i := range m.shards {
		m.shards[i].stats = row.NoStats
	}
	m.SetSchema(t)
	return m
}

// SetSchema tells the table its new definition. The columns of the key stay what they are.
func (m *Table) SetSchema(t *schema.Table) { m.layout.Store(row.NewLayout(t)) }

// Layout returns the layout of the table's current definition.
func (m *Table) Layout() *row.Layout { return m.layout.Load() }

func (m *Table) shard(tok token.Token) *shard { return &m.shards[tok.Prefix>>m.shift] }

// Apply writes a mutation, whose bytes are copied: readers see all of it or nothing. The mutation must be one that a Builder
// made or DecodeMutations checked.
func (m *Table) Apply(mut *request.Mutation) error {
	s := m.shard(mut.Token)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.apply(m.layout.Load(), mut)
}

// Bytes returns the memory that the table takes.
func (m *Table) Bytes() int64 {
	var n int64
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.RLock()
		n += s.bytes()
		s.mu.RUnlock()
	}
	return n
}

// Partitions returns the number of partitions.
func (m *Table) Partitions() int {
	n := 0
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.RLock()
		n += s.index.Len()
		s.mu.RUnlock()
	}
	return n
}

// Stats returns the stats of all that was written, also of what was replaced since.
func (m *Table) Stats() row.Stats {
	out := row.NoStats
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.RLock()
		out.Add(&s.stats)
		s.mu.RUnlock()
	}
	return out
}

// MinTimestamp returns the least timestamp that was written, MaxInt64 when nothing was.
func (m *Table) MinTimestamp() int64 { return m.Stats().MinTimestamp }

// Operations returns how many changes were written: rows, static rows, and deletions of partitions and ranges.
// Source: org.apache.cassandra.db.partitions.BTreePartitionUpdate.operationCount.
func (m *Table) Operations() int64 {
	var n int64
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.RLock()
		n += s.operations
		s.mu.RUnlock()
	}
	return n
}

// Raw merges the versions of one row, or with static of the static row, into out and reports whether there are any.
// Deletions of the partition and of ranges are not applied, and counters that deletions of the row hide are there: a leader
// of counters goes on from what it once wrote. out's values are the table's.
func (m *Table) Raw(tok token.Token, key []byte, static bool, clustering [][]byte, out *row.Row) bool {
	l := m.layout.Load()
	s := m.shard(tok)
	s.mu.RLock()
	ref, view := s.row(l, tok, key, static, clustering)
	s.mu.RUnlock()
	if ref == 0 {
		return false
	}
	var f folder
	*out = *f.fold(l, view, ref, static)
	return true
}

// View calls f with a row, or with static the static row, as a reader sees it; nil when there is none. Writers of the partition
// wait until f returns; it must not use the table. The row is f's for the call.
func (m *Table) View(tok token.Token, key []byte, static bool, clustering [][]byte, f func(*row.Row)) {
	l := m.layout.Load()
	s := m.shard(tok)
	it := Iterator{table: m, layout: l, shard: s}
	s.mu.RLock()
	defer s.mu.RUnlock()
	ref, view := s.row(l, tok, key, static, clustering)
	if ref == 0 {
		f(nil)
		return
	}
	p := s.find(tok, key)
	it.view, it.del = view, readDeletion(view, p.del)
	r := it.rows.fold(l, view, ref, static)
	d := it.del
	if !static && p.ranges != 0 {
		d = d.Max(s.ranges[p.ranges-1].Covering(r.Clustering))
	}
	it.hide(r, d)
	f(r)
}
