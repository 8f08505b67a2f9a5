package row

import (
	"sort"

	"github.com/helenusdb/helenus/cql/schema"
)

// cut is a place between rows: before all rows that start with the prefix, or after them. An empty prefix is the start or
// the end of the partition.
type cut struct {
	values [][]byte
	after  bool
}

// startCut and endCut are the places where a slice begins and ends.
func startCut(b Bound) cut { return cut{b.Values, len(b.Values) > 0 && !b.Inclusive} }
func endCut(b Bound) cut   { return cut{b.Values, len(b.Values) == 0 || b.Inclusive} }

// compareCuts orders two places.
func compareCuts(t *schema.Table, a, b cut) int {
	if c := CompareClustering(t, a.values, b.values); c != 0 {
		return c
	}
	switch {
	case len(a.values) == len(b.values):
		return boolCompare(a.after, b.after)
	case len(a.values) < len(b.values):
		return side(a.after)
	}
	return -side(b.after)
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

// compareRow orders a row and a place, which are never equal.
func (c cut) compareRow(t *schema.Table, clustering [][]byte) int {
	if d := CompareClustering(t, clustering, c.values); d != 0 {
		return d
	}
	return -side(c.after)
}

// Start and End tell where a row stands: BeforeStart reports whether clustering stands before the slice, AfterEnd whether
// behind it.
func (s *Slice) BeforeStart(t *schema.Table, clustering [][]byte) bool {
	return startCut(s.Start).compareRow(t, clustering) < 0
}

// AfterEnd reports whether clustering stands behind the slice.
func (s *Slice) AfterEnd(t *schema.Table, clustering [][]byte) bool {
	return endCut(s.End).compareRow(t, clustering) > 0
}

// IsEmpty reports whether no row can be inside the slice: it ends where it begins, or before.
func (s *Slice) IsEmpty(t *schema.Table) bool {
	return compareCuts(t, startCut(s.Start), endCut(s.End)) >= 0
}

// Ranges is the range tombstones of a partition, sorted and disjoint. It is immutable; nil has none.
// Source: org.apache.cassandra.db.RangeTombstoneList.
type Ranges struct {
	table *schema.Table
	list  []rangeDeletion
}

// rangeDeletion deletes what stands between two places.
type rangeDeletion struct {
	start, end cut
	Deletion
}

// Add returns rs with a tombstone added; where it overlaps others the superseding deletion stands. rt's values are kept. An
// empty slice adds nothing. The cost is linear in the number of tombstones.
func (rs *Ranges) Add(t *schema.Table, rt RangeTombstone) *Ranges {
	if rt.IsEmpty(t) {
		return rs
	}
	add := rangeDeletion{startCut(rt.Start), endCut(rt.End), rt.Deletion}
	out := &Ranges{table: t}
	if rs == nil {
		out.list = []rangeDeletion{add}
		return out
	}
	cmp := func(a, b cut) int { return compareCuts(t, a, b) }
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
	if n := len(rs.list); n > 0 && rs.list[n-1].Deletion == r.Deletion && compareCuts(t, rs.list[n-1].end, r.start) == 0 {
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
	i := sort.Search(len(rs.list), func(i int) bool { return rs.list[i].end.compareRow(rs.table, clustering) < 0 })
	if i < len(rs.list) && rs.list[i].start.compareRow(rs.table, clustering) > 0 {
		return rs.list[i].Deletion
	}
	return Live
}

// Len returns the number of ranges.
func (rs *Ranges) Len() int {
	if rs == nil {
		return 0
	}
	return len(rs.list)
}

// At returns the i-th range as a tombstone.
func (rs *Ranges) At(i int) RangeTombstone {
	r := &rs.list[i]
	return RangeTombstone{
		Slice:    Slice{Start: Bound{r.start.values, !r.start.after}, End: Bound{r.end.values, r.end.after}},
		Deletion: r.Deletion,
	}
}
