package memtable

import (
	"context"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// Source returns the partitions of a range as they are stored: with the markers of range tombstones, tombstones and expired
// data, but without what deletions hide and without cells of dropped columns; of counters what deletions hide is there, because
// a later increment goes on from it. Empty rows are not given; a partition of which nothing is left is.
//
// It may be read while others write: each page of a partition's rows is as it was at one moment, and what a page finds newly
// deleted is marked as deleted from there on. Of a table that nobody writes to any more it is all that was written.
func (m *Table) Source(r request.KeyRange) row.Source {
	s := &tableSource{}
	s.read.Range = r
	s.rows.it = Iterator{ctx: context.Background(), table: m, layout: m.layout.Load(), read: &s.read, passed: true}
	s.rows.it.refs = s.rows.it.first[:0]
	s.rows.it.startRange()
	return s
}

// Lookup returns what the table has of a partition, as Source does, inside of slices, which are in stored order and disjoint;
// nil slices stand for all of it, and without any there are no rows. It returns nil when the partition is not there. Where a
// range tombstone reaches into a slice a marker opens it where the slice begins, and one closes it where the slice ends. When
// reversed is true rows and markers come backwards.
func (m *Table) Lookup(tok token.Token, key []byte, slices []row.Slice, reversed bool) *row.Partition {
	s := m.shard(tok)
	s.mu.RLock()
	p := s.find(tok, key)
	if p == nil {
		s.mu.RUnlock()
		return nil
	}
	src := &tableSource{}
	src.read.Slices, src.read.Reversed = slices, reversed
	it := &src.rows.it
	it.ctx, it.table, it.layout, it.read = context.Background(), m, m.layout.Load(), &src.read
	it.refs = it.first[:0]
	it.loadLocked(s, p, nil)
	s.mu.RUnlock()
	return src.partition()
}

// Contains reports whether anything was written to a partition.
func (m *Table) Contains(tok token.Token, key []byte) bool {
	s := m.shard(tok)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.find(tok, key) != nil
}

// tableSource gives partitions with their markers.
type tableSource struct {
	read request.Read
	rows partitionRows
	part row.Partition
}

// Next implements row.Source.
func (s *tableSource) Next() *row.Partition {
	if !s.rows.it.NextPartition() {
		return nil
	}
	return s.partition()
}

// Err implements row.Source: memory does not fail.
func (s *tableSource) Err() error { return nil }

// Close implements row.Source.
func (s *tableSource) Close() { s.rows.it.Close() }

// partition makes the iterator's partition that of the source.
func (s *tableSource) partition() *row.Partition {
	r := &s.rows
	it := &r.it
	s.part = row.Partition{Key: it.key, Token: it.tok, Deletion: it.del, Rows: r}
	r.head, r.del, r.ranges = it.del, it.del, it.ranges
	r.open, r.ahead, r.ended = row.Live, nil, false
	r.next, r.markers = 0, r.mark(r.markers, it.ranges)
	if it.static != 0 {
		static := it.statics.fold(it.layout, it.view, it.static, true)
		if r.hide(static, row.Live); !static.IsEmpty() {
			s.part.Static = static
		}
	}
	return &s.part
}

// partitionRows gives the rows and markers of an iterator's partition.
type partitionRows struct {
	it Iterator
	// head is the partition's deletion as it was given; del and ranges are those that markers was made of.
	head, del row.Deletion
	ranges    *row.Ranges
	// markers are in the order of reading; the first next of them were given. open is what the last of these opened.
	markers []row.Marker
	next    int
	open    row.Deletion
	ahead   *row.Row // the next row, before which markers may stand
	ended   bool     // there is no next row
	out     row.Unfiltered
}

// Next implements row.Unfiltereds.
func (r *partitionRows) Next() *row.Unfiltered {
	if r.ahead == nil && !r.ended {
		r.ahead = r.fetch()
		r.ended = r.ahead == nil
	}
	if r.next < len(r.markers) && (r.ended || r.before(&r.markers[r.next])) {
		r.out = row.Unfiltered{Marker: r.markers[r.next]}
		r.open = r.out.Marker.Opened
		r.next++
		return &r.out
	}
	if r.ended {
		return nil
	}
	r.out.Row, r.ahead = r.ahead, nil
	return &r.out
}

// Err implements row.Unfiltereds.
func (r *partitionRows) Err() error { return nil }

// before reports whether a marker is read before the row ahead.
func (r *partitionRows) before(m *row.Marker) bool {
	c := m.CompareRow(r.it.layout.Table, r.ahead.Clustering)
	return c > 0 != r.it.read.Reversed
}

// fetch returns the next row that is not empty.
func (r *partitionRows) fetch() *row.Row {
	it := &r.it
	for {
		for it.i < len(it.refs) {
			ref := it.refs[it.i]
			it.i++
			x := it.rows.fold(it.layout, it.view, ref, false)
			if r.hide(x, it.ranges.Covering(x.Clustering)); !x.IsEmpty() {
				return x
			}
		}
		if !it.more || !it.nextPage() {
			return nil
		}
		if it.ranges != r.ranges || it.del != r.del {
			r.change()
		}
	}
}

// hide applies the deletions that enclose a row without repeating them in it, and drops the cells of dropped columns.
func (r *partitionRows) hide(x *row.Row, d row.Deletion) {
	it := &r.it
	d = d.Max(it.del)
	if own := x.Deletion; !d.IsLive() || !own.IsLive() || len(x.Complex) > 0 {
		if !it.layout.Counter {
			x.Shadow(d)
		}
		if x.Deletion = own; !own.Supersedes(d) {
			x.Deletion = row.Live
		}
	}
	if it.layout.Drops {
		it.dropColumns(x)
	}
}

// mark returns the markers of range tombstones inside the slices that are read, in the order of reading; dst is used again.
// A range that touches the slice before is joined with it.
func (r *partitionRows) mark(dst []row.Marker, ranges *row.Ranges) []row.Marker {
	dst = dst[:0]
	if ranges == nil {
		return dst
	}
	slices := r.it.read.Slices
	if slices == nil {
		slices = everything
	}
	for i := range slices {
		dst = ranges.Markers(dst, row.StartCut(slices[i].Start), row.EndCut(slices[i].End), r.head)
	}
	if r.it.read.Reversed {
		for i, j := 0, len(dst)-1; i <= j; i, j = i+1, j-1 {
			dst[i], dst[j] = backwards(dst[j]), backwards(dst[i])
		}
	}
	return dst
}

// backwards returns a marker as it is when read in the other direction.
func backwards(m row.Marker) row.Marker {
	m.Closed, m.Opened = m.Opened, m.Closed
	return m
}

// change goes on with other deletions behind the last page: markers up to it stand as they were, then one changes what is
// open to what a new deletion has opened. A deletion of the partition that came since shows as one of a range.
func (r *partitionRows) change() {
	it := &r.it
	t := it.layout.Table
	r.ranges, r.del = it.ranges, it.del
	now := it.ranges
	if it.del.Supersedes(r.head) {
		now = now.Add(t, row.RangeTombstone{Slice: row.All, Deletion: it.del})
	}
	here := row.Cut{Values: it.behind, After: !it.read.Reversed}
	passed := func(m *row.Marker) int {
		c := row.CompareCuts(t, m.Cut, here)
		if it.read.Reversed {
			return -c
		}
		return c
	}
	var markers []row.Marker
	open := r.open
	for i := r.next; i < len(r.markers) && passed(&r.markers[i]) < 0; i++ {
		markers = append(markers, r.markers[i])
		open = r.markers[i].Opened
	}
	all, opened := r.mark(nil, now), row.Live
	for len(all) > 0 && passed(&all[0]) <= 0 {
		opened, all = all[0].Opened, all[1:]
	}
	if opened != open {
		markers = append(markers, row.Marker{Cut: here, Closed: open, Opened: opened})
	}
	r.markers, r.next = append(markers, all...), 0
}
