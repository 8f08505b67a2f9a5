package row

import (
	"sort"

	"github.com/helenusdb/helenus/cql/schema"
)

// Cut is a place between rows: before all rows whose clustering starts with Values, or after them. With no values it is the
// start or the end of the partition.
type Cut struct {
	Values [][]byte
	After  bool
}

// StartCut is the place where a slice begins.
func StartCut(b Bound) Cut { return Cut{b.Values, len(b.Values) > 0 && !b.Inclusive} }

// EndCut is the place where a slice ends.
func EndCut(b Bound) Cut { return Cut{b.Values, len(b.Values) == 0 || b.Inclusive} }

// CompareCuts orders two places in a partition of t.
func CompareCuts(t *schema.Table, a, b Cut) int {
	if c := CompareClustering(t, a.Values, b.Values); c != 0 {
		return c
	}
	switch {
	case len(a.Values) == len(b.Values):
		return boolCompare(a.After, b.After)
	case len(a.Values) < len(b.Values):
		return side(a.After)
	}
	return -side(b.After)
}

// CompareRow orders a row of t and the place, which are never equal: negative when the row stands before it.
func (c Cut) CompareRow(t *schema.Table, clustering [][]byte) int {
	if d := CompareClustering(t, clustering, c.Values); d != 0 {
		return d
	}
	return -side(c.After)
}

// CompareEncodedRow is CompareRow for an encoded clustering at the front of r, which it takes.
func (c Cut) CompareEncodedRow(t *schema.Table, r *Reader) int {
	if d := r.CompareEncoded(t, c.Values); d != 0 {
		return d
	}
	return -side(c.After)
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func side(after bool) int {
	if after {
		return 1
	}
	return -1
}

// BeforeStart reports whether clustering stands before the slice.
func (s *Slice) BeforeStart(t *schema.Table, clustering [][]byte) bool {
	return StartCut(s.Start).CompareRow(t, clustering) < 0
}

// AfterEnd reports whether clustering stands behind the slice.
func (s *Slice) AfterEnd(t *schema.Table, clustering [][]byte) bool {
	return EndCut(s.End).CompareRow(t, clustering) > 0
}

// IsEmpty reports whether no row can be inside the slice: it ends where it begins, or before.
func (s *Slice) IsEmpty(t *schema.Table) bool {
	return CompareCuts(t, StartCut(s.Start), EndCut(s.End)) >= 0
}

// Ranges is the range tombstones of a partition, sorted and disjoint. It is immutable; nil has none.
// Source: org.apache.cassandra.db.RangeTombstoneList.
type Ranges struct {
	table *schema.Table
	list  []rangeDeletion
}

// rangeDeletion deletes what stands between two places.
type rangeDeletion struct {
	start, end Cut
	Deletion
}

// Add returns rs with a tombstone added; where it overlaps others the superseding deletion stands. rt's values are kept. An
// empty slice adds nothing. The cost is linear in the number of tombstones.
func (rs *Ranges) Add(t *schema.Table, rt RangeTombstone) *Ranges {
	if rt.IsEmpty(t) {
		return rs
	}
	add := rangeDeletion{StartCut(rt.Start), EndCut(rt.End), rt.Deletion}
	out := &Ranges{table: t}
	if rs == nil {
		out.list = []rangeDeletion{add}
		return out
	}
	cmp := func(a, b Cut) int { return CompareCuts(t, a, b) }
	out.list = make([]rangeDeletion, 0, len(rs.list)+2)
	i := sort.Search(len(rs.list), func(i int) bool { return cmp(rs.list[i].end, add.start) > 0 })
	out.list = append(out.list, rs.list[:i]...)
	at := add.start
	for ; i < len(rs.list) && cmp(rs.list[i].start, add.end) < 0; i++ {
		e := rs.list[i]
		if cmp(e.start, at) < 0 {
			out.push(t, rangeDeletion{e.start, at, e.Deletion})
			e.start = at
		} else if cmp(at, e.start) < 0 {
			out.push(t, rangeDeletion{at, e.start, add.Deletion})
		}
		rest := e
		if cmp(e.end, add.end) > 0 {
			e.end = add.end
		}
		out.push(t, rangeDeletion{e.start, e.end, e.Max(add.Deletion)})
		at = e.end
		if cmp(rest.end, add.end) > 0 {
			out.push(t, rangeDeletion{add.end, rest.end, rest.Deletion})
		}
	}
	if cmp(at, add.end) < 0 {
		out.push(t, rangeDeletion{at, add.end, add.Deletion})
	}
	for ; i < len(rs.list); i++ {
		out.push(t, rs.list[i])
	}
	return out
}

// push appends a range, joined with the last when it continues it under the same deletion.
func (rs *Ranges) push(t *schema.Table, r rangeDeletion) {
	if n := len(rs.list); n > 0 && rs.list[n-1].Deletion == r.Deletion && CompareCuts(t, rs.list[n-1].end, r.start) == 0 {
		rs.list[n-1].end = r.end
		return
	}
	rs.list = append(rs.list, r)
}

// Covering returns the deletion over a row, Live when there is none.
func (rs *Ranges) Covering(clustering [][]byte) Deletion {
	if rs == nil {
		return Live
	}
	i := sort.Search(len(rs.list), func(i int) bool { return rs.list[i].end.CompareRow(rs.table, clustering) < 0 })
	if i < len(rs.list) && rs.list[i].start.CompareRow(rs.table, clustering) > 0 {
		return rs.list[i].Deletion
	}
	return Live
}

// Markers appends the markers of the tombstones between two places, in order, to dst: one opens where the places begin inside a
// tombstone, and one closes where they end in one. Tombstones that under replaces are left out. When dst is not empty its last
// marker stands at start or before; one at start is joined with what begins there. The values are the tombstones'.
func (rs *Ranges) Markers(dst []Marker, start, end Cut, under Deletion) []Marker {
	if rs == nil {
		return dst
	}
	i := sort.Search(len(rs.list), func(i int) bool { return CompareCuts(rs.table, rs.list[i].end, start) > 0 })
	for ; i < len(rs.list) && CompareCuts(rs.table, rs.list[i].start, end) < 0; i++ {
		r := rs.list[i]
		if !r.Supersedes(under) {
			continue
		}
		if CompareCuts(rs.table, r.start, start) < 0 {
			r.start = start
		}
		if CompareCuts(rs.table, r.end, end) > 0 {
			r.end = end
		}
		dst = rs.mark(dst, Marker{Cut: r.start, Closed: Live, Opened: r.Deletion})
		dst = rs.mark(dst, Marker{Cut: r.end, Closed: r.Deletion, Opened: Live})
	}
	return dst
}

// mark appends a marker, joined with the last when both stand at one place.
func (rs *Ranges) mark(dst []Marker, m Marker) []Marker {
	n := len(dst)
	if n == 0 || CompareCuts(rs.table, dst[n-1].Cut, m.Cut) != 0 {
		return append(dst, m)
	}
	if dst[n-1].Opened = m.Opened; dst[n-1].Opened == dst[n-1].Closed {
		return dst[:n-1]
	}
	return dst
}
