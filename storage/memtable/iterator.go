package memtable

import (
	"bytes"
	"context"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/slab"
)

// Sizes of pages: what is noted under one lock. Pages of rows begin with the smallest, which is enough for most reads.
const (
	firstRows = 8
	rowGrowth = 8
	maxRows   = 512
)

// Iterator reads a table: all that is stored, deletions and expired data too, except what the deletions of the partition and
// of ranges hide and the cells of dropped columns. A range tombstone shows as the deletion of the rows that it covers. It
// sees each page of a partition's rows as it was at one moment. It holds no lock between calls.
type Iterator struct {
	ctx    context.Context
	table  *Table
	layout *row.Layout
	read   *request.Read
	tokens token.Partitioner
	err    error

	// The partitions still to come: of a list of keys, the next one; of a range, partsPage. passed says that the position
	// that the read goes on behind is behind us.
	next   int
	parts  partsPage
	passed bool

	// The current partition.
	shard   *shard
	tok     token.Token
	key     []byte
	view    slab.View
	del     row.Deletion
	ranges  *row.Ranges
	static  slab.Ref
	resumed bool
	// Its rows: addresses of a page, the next of them, how many the page may hold, whether another may follow, and behind
	// which row it began; slice is the one, in the order of the read, that the page ended in.
	refs   []slab.Ref
	i      int
	limit  int
	more   bool
	behind [][]byte
	slice  int
	first  [firstRows]slab.Ref

	rows, statics folder
	encoded       row.Reader
}

var everything = []row.Slice{row.All}

// Read returns an iterator over what r asks for. Limits, filters, the index and Distinct are not its business. p gives the
// tokens of r's keys. r is kept.
func (m *Table) Read(ctx context.Context, r *request.Read, p token.Partitioner) *Iterator {
	it := &Iterator{ctx: ctx, table: m, layout: m.layout.Load(), read: r, tokens: p, passed: r.After == nil}
	it.refs = it.first[:0]
	if r.Keys == nil {
		it.startRange()
	}
	return it
}

// Err returns why the iterator ended early: the context's error.
func (it *Iterator) Err() error { return it.err }

// Close implements row.Iterator.
func (it *Iterator) Close() { it.more, it.refs = false, nil }

// Key implements row.Iterator.
func (it *Iterator) Key() []byte { return it.key }

// Token implements row.Iterator.
func (it *Iterator) Token() token.Token { return it.tok }

// PartitionDeletion implements row.Iterator.
func (it *Iterator) PartitionDeletion() row.Deletion { return it.del }

// Resumed reports whether the read goes on in the middle of the current partition: some of its rows were given before.
func (it *Iterator) Resumed() bool { return it.resumed }

// NextPartition implements row.Iterator.
func (it *Iterator) NextPartition() bool {
	it.more, it.refs, it.i = false, it.refs[:0], 0
	if it.failed() {
		return false
	}
	if it.read.Keys != nil {
		return it.nextKey()
	}
	return it.nextInRange()
}

// failed reports whether the iterator has failed or its context is over.
func (it *Iterator) failed() bool {
	if it.err == nil {
		it.err = it.ctx.Err()
	}
	return it.err != nil
}

// nextKey goes to the next of the read's keys that is there.
func (it *Iterator) nextKey() bool {
	for it.next < len(it.read.Keys) {
		key := it.read.Keys[it.next]
		it.next++
		if !it.passed && !bytes.Equal(key, it.read.After.Key) {
			continue
		}
		resume := it.resumeIn(key)
		if resume == nil && it.read.After != nil && bytes.Equal(key, it.read.After.Key) {
			continue
		}
		tok := it.tokens.Token(key)
		s := it.table.shard(tok)
		s.mu.RLock()
		p := s.find(tok, key)
		if p != nil {
			it.loadLocked(s, p, resume)
		}
		s.mu.RUnlock()
		if p != nil {
			return true
		}
	}
	return false
}

// resumeIn returns the clustering behind which the read goes on in a partition, nil for all but the first of a read that
// goes on in the middle of it.
func (it *Iterator) resumeIn(key []byte) [][]byte {
	if it.passed {
		return nil
	}
	it.passed = true
	if bytes.Equal(key, it.read.After.Key) {
		return it.read.After.Clustering
	}
	return nil
}

// loadLocked makes p the current partition and notes its first page of rows.
func (it *Iterator) loadLocked(s *shard, p *partition, resume [][]byte) {
	it.shard = s
	it.tok, it.key = readKey(s.arena.View(), p.key)
	it.behind, it.resumed, it.slice = resume, resume != nil, 0
	it.limit = firstRows
	it.pageLocked(p)
}

// pageLocked notes what of the partition may have changed since the last page, and a page of rows.
func (it *Iterator) pageLocked(p *partition) {
	s := it.shard
	it.view = s.arena.View()
	it.del, it.static = readDeletion(it.view, p.del), p.static
	it.ranges = nil
	if p.ranges != 0 {
		it.ranges = s.ranges[p.ranges-1]
	}
	it.refs, it.i, it.more = it.refs[:0], 0, false
	slices := it.read.Slices
	if slices == nil {
		slices = everything
	}
	for ; it.slice < len(slices); it.slice++ {
		n := it.slice
		if it.read.Reversed {
			n = len(slices) - 1 - n
		}
		if !it.sliceLocked(p, &slices[n]) {
			it.more = true
			return
		}
	}
}

// sliceLocked notes the rows of a slice, as many as the page still takes, and reports whether these were all.
func (it *Iterator) sliceLocked(p *partition, sl *row.Slice) bool {
	s, t := it.shard, it.layout.Table
	start, end := row.StartCut(sl.Start), row.EndCut(sl.End)
	if it.read.Reversed {
		if c := (row.Cut{Values: it.behind}); it.behind != nil && row.CompareCuts(t, c, end) < 0 {
			end = c
		}
		pos := s.pool.Prev(it.seekLocked(p, end))
		for ; pos.Valid(); pos = s.pool.Prev(pos) {
			e := s.pool.Entry(pos)
			if len(start.Values) > 0 && it.compareLocked(start, e.Ref) < 0 {
				return true
			}
			if len(it.refs) == it.limit {
				return false
			}
			it.refs = append(it.refs, slab.Ref(e.Ref))
		}
		return true
	}
	if c := (row.Cut{Values: it.behind, After: true}); it.behind != nil && row.CompareCuts(t, start, c) < 0 {
		start = c
	}
	for pos := it.seekLocked(p, start); pos.Valid(); pos = s.pool.Next(pos) {
		e := s.pool.Entry(pos)
		if len(end.Values) > 0 && it.compareLocked(end, e.Ref) > 0 {
			return true
		}
		if len(it.refs) == it.limit {
			return false
		}
		it.refs = append(it.refs, slab.Ref(e.Ref))
	}
	return true
}

// seekLocked returns the place of the first row behind a cut.
func (it *Iterator) seekLocked(p *partition, c row.Cut) slab.Pos {
	pool := &it.shard.pool
	if len(c.Values) == 0 {
		pos := pool.First(&p.rows)
		if c.After {
			if pos = pool.Last(&p.rows); pos.Valid() {
				pos = pool.Next(pos)
			}
		}
		return pos
	}
	prefix := clusteringPrefix(it.layout.Table, c.Values[0])
	pos, _ := pool.Seek(&p.rows, prefix, func(ref uint32) int { return it.compareLocked(c, ref) })
	return pos
}

// compareLocked orders a row and a cut.
func (it *Iterator) compareLocked(c row.Cut, ref uint32) int {
	it.encoded.B = versionData(it.view.At(slab.Ref(ref)))
	return c.CompareEncodedRow(it.layout.Table, &it.encoded)
}

// Static implements row.Iterator.
func (it *Iterator) Static() *row.Row {
	if it.static == 0 {
		return nil
	}
	r := it.statics.fold(it.layout, it.view, it.static, true)
	it.hide(r, it.del)
	if r.IsEmpty() {
		return nil
	}
	return r
}

// NextRow implements row.Iterator.
func (it *Iterator) NextRow() *row.Row {
	for {
		for it.i < len(it.refs) {
			ref := it.refs[it.i]
			it.i++
			r := it.rows.fold(it.layout, it.view, ref, false)
			d := it.del
			if it.ranges != nil {
				d = d.Max(it.ranges.Covering(r.Clustering))
			}
			if it.hide(r, d); !r.IsEmpty() {
				return r
			}
		}
		if !it.more || !it.nextPage() {
			return nil
		}
	}
}

// hide applies a deletion to a row and drops the cells of dropped columns. The partition's own deletion is not repeated in
// the row.
func (it *Iterator) hide(r *row.Row, d row.Deletion) {
	if !d.IsLive() || !r.Deletion.IsLive() || len(r.Complex) > 0 {
		r.Shadow(d)
		if !r.Deletion.Supersedes(it.del) {
			r.Deletion = row.Live
		}
	}
	if it.layout.Drops {
		it.dropColumns(r)
	}
}

// dropColumns drops what a row has of dropped columns.
func (it *Iterator) dropColumns(r *row.Row) {
	n := 0
	for i := range r.Cells {
		if c := &r.Cells[i]; !it.layout.Hides(c.Column, c.Timestamp) {
			r.Cells[n] = *c
			n++
		}
	}
	r.Cells = r.Cells[:n]
	n = 0
	for _, c := range r.Complex {
		if !it.layout.Hides(c.Column, c.Timestamp) {
			r.Complex[n] = c
			n++
		}
	}
	r.Complex = r.Complex[:n]
}

// nextPage notes the next page of the current partition's rows and reports whether there is one.
func (it *Iterator) nextPage() bool {
	if it.failed() {
		it.more = false
		return false
	}
	last := row.Reader{B: versionData(it.view.At(it.refs[len(it.refs)-1]))}
	it.behind = last.Values(nil, len(it.layout.Table.Clustering))
	it.limit = min(it.limit*rowGrowth, maxRows)
	s := it.shard
	s.mu.RLock()
	defer s.mu.RUnlock()
	it.more = false
	if p := s.find(it.tok, it.key); p != nil {
		it.pageLocked(p)
		return true
	}
	return false
}
