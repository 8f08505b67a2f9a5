package merge

import (
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
)

// Names reads rows of one partition by their whole clustering, from the newest sources alone: what is complete is not looked
// for in older ones. Sources are given from the newest to the oldest, memtables first:
//
//	for each memtable:
//		n.Add(lookup(n.Slices()))
//	for each table, by descending greatest timestamp:
//		if !n.Reduce(greatest timestamp) { break }
//		n.Add(lookup(n.Slices()))
//	n.Partition(reversed)
//
// Lookups are forward. What they return is held until Partition has been read. A read costs a few allocations. It is used by
// one goroutine. Source: org.apache.cassandra.db.SinglePartitionReadCommand.queryMemtableAndSSTablesInTimestampOrder,
// storage.md 5.1 B.
type Names struct {
	l   *row.Layout
	now int64
	// regular and static are the columns wanted; all says that regular are all that the table has.
	regular, static []*schema.Column
	all             bool
	names           []name
	slices          []row.Slice // of those that are not complete
	staticDone      bool

	found      bool
	key        []byte
	tok        token.Token
	deletion   row.Deletion
	staticRow  *row.Row
	staticBufs [2]row.Row
	out        listed
	part       row.Partition

	oneName  [1]name
	oneSlice [1]row.Slice
	oneOut   [3]row.Unfiltered
}

// name is one of the rows.
type name struct {
	clustering [][]byte
	slice      row.Slice
	done       bool
	covered    row.Deletion // by ranges
	row        *row.Row
	bufs       [2]row.Row
}

// NewNames returns a read of the rows that slices select, or nil when it is not one of names: a slice is not a single row, cells
// are counters, or a column that is wanted is multi-cell. columns are the regular and static ones that are wanted, nil for all;
// without a static one the static row may be left out. now is the time, in seconds, at which rows are judged to be there.
func NewNames(l *row.Layout, rows []row.Slice, columns []schema.ColumnID, now int64) *Names {
	t := l.Table
	if l.Counter || len(t.Clustering) > 0 && len(rows) == 0 {
		return nil
	}
	for i := range rows {
		if !isName(t, &rows[i]) {
			return nil
		}
	}
	n := &Names{l: l, now: now, deletion: row.Live, regular: t.Regular, static: t.Static, all: true}
	if columns != nil {
		n.regular, n.static = wanted(t.Regular, columns), wanted(t.Static, columns)
		n.all = len(n.regular) == len(t.Regular)
	}
	for _, list := range [...][]*schema.Column{n.regular, n.static} {
		for _, c := range list {
			if c.Type.IsMultiCell() {
				return nil
			}
		}
	}
	n.staticDone = len(n.static) == 0
	if len(t.Clustering) == 0 {
		rows = all
	}
	n.names, n.slices = n.oneName[:0], append(n.oneSlice[:0], rows...)
	for i := range rows {
		n.names = append(n.names, name{clustering: rows[i].Start.Values, slice: rows[i], covered: row.Live})
	}
	return n
}

// all is the slices of a partition of one row.
var all = []row.Slice{row.All}

// isName reports whether a slice is that of one row.
func isName(t *schema.Table, s *row.Slice) bool {
	n := len(t.Clustering)
	if n == 0 {
		return true
	}
	return len(s.Start.Values) == n && len(s.End.Values) == n && s.Start.Inclusive && s.End.Inclusive &&
		row.CompareClustering(t, s.Start.Values, s.End.Values) == 0
}

// wanted returns the columns of a list whose ids are among some.
func wanted(list []*schema.Column, ids []schema.ColumnID) []*schema.Column {
	for _, c := range list {
		if !slices.Contains(ids, c.ID) {
			out := make([]*schema.Column, 0, len(list))
			for _, c := range list {
				if slices.Contains(ids, c.ID) {
					out = append(out, c)
				}
			}
			return out
		}
	}
	return list
}

// Slices returns the slices that the next source is to be looked up in, never none. They are valid until the next Reduce.
func (n *Names) Slices() []row.Slice { return n.slices }

// Reduce reports whether a source, and all older ones, whose greatest timestamp is given may still change what is seen, and
// takes what they cannot change out of Slices.
func (n *Names) Reduce(newest int64) bool {
	if n.found && !n.deletion.IsLive() && n.deletion.Deletes(newest) {
		return false
	}
	if !n.staticDone && n.staticRow != nil {
		n.staticDone = newer(n.staticRow, n.static, newest)
	}
	n.slices = n.slices[:0]
	for i := range n.names {
		x := &n.names[i]
		if x.done = x.done || n.complete(x, newest); !x.done {
			n.slices = append(n.slices, x.slice)
		}
	}
	if len(n.slices) == 0 && !n.staticDone {
		// The static row comes with any slice.
		n.slices = append(n.slices, n.names[0].slice)
		return true
	}
	return len(n.slices) > 0
}

// complete reports whether what a row has is all younger than a timestamp.
func (n *Names) complete(x *name, newest int64) bool {
	if d := x.covered; !d.IsLive() && d.Deletes(newest) {
		return true
	}
	r := x.row
	if r == nil {
		return false
	}
	if !r.Deletion.IsLive() && r.Deletion.Deletes(newest) {
		return true
	}
	// A marker alone shows that the row is there; one that has expired does not show that it is not, for other columns than
	// those wanted may live.
	if r.Liveness.Timestamp <= newest || !n.all && !r.Liveness.IsLive(n.now) {
		return false
	}
	return newer(r, n.regular, newest)
}

// newer reports whether a row has cells of all columns and all are younger than a timestamp.
func newer(r *row.Row, columns []*schema.Column, newest int64) bool {
	for _, c := range columns {
		if cell := r.Cell(c.ID); cell == nil || cell.Timestamp <= newest {
			return false
		}
	}
	return true
}

// Add adds what a source has in Slices; nil for nothing. The error is that of its rows.
func (n *Names) Add(p *row.Partition) error {
	if p == nil {
		return nil
	}
	if !n.found {
		n.found, n.key, n.tok = true, p.Key, p.Token
	}
	n.deletion = n.deletion.Max(p.Deletion)
	if p.Static != nil {
		n.staticRow = n.join(&n.staticBufs, n.staticRow, p.Static)
	}
	i, open, last := 0, row.Live, n.last()
	for u := p.Rows.Next(); u != nil; u = p.Rows.Next() {
		for i < len(n.names) && n.stands(&n.names[i], u) < 0 {
			n.cover(i, open)
			i++
		}
		if u.Row == nil {
			open = u.Marker.Opened
			continue
		}
		if i == len(n.names) || n.stands(&n.names[i], u) > 0 {
			continue
		}
		x, r := &n.names[i], u.Row
		if i == last {
			// Nothing is read behind the last row, so that it need not be copied.
			n.cover(i, open)
			x.row = n.join(&x.bufs, x.row, r)
			return nil
		}
		if !x.done {
			x.row = n.join(&x.bufs, x.row, r.Clone())
		}
	}
	return p.Rows.Err()
}

// last returns the last row that is not complete, -1 without one.
func (n *Names) last() int {
	i := len(n.names) - 1
	for i >= 0 && n.names[i].done {
		i--
	}
	return i
}

// stands orders a name and a row or marker of a source.
func (n *Names) stands(x *name, u *row.Unfiltered) int {
	if u.Row != nil {
		return row.CompareClustering(n.l.Table, x.clustering, u.Row.Clustering)
	}
	return u.Marker.CompareRow(n.l.Table, x.clustering)
}

// cover notes that a source has a range deletion open over a row.
func (n *Names) cover(i int, open row.Deletion) {
	if x := &n.names[i]; !x.done {
		x.covered = x.covered.Max(open)
	}
}

// join merges a row into one that is nil, of a source, or in one of the buffers.
func (n *Names) join(bufs *[2]row.Row, r, other *row.Row) *row.Row {
	if r == nil {
		return other
	}
	dst := &bufs[0]
	if r == dst {
		dst = &bufs[1]
	}
	row.Merge(dst, r, other, n.l)
	return dst
}

// Partition returns what was read, as Partitions does of the same lookups, but that what is older than something complete may
// be missing; nil when no source had the partition. With reversed rows and markers come backwards.
func (n *Names) Partition(reversed bool) *row.Partition {
	if !n.found {
		return nil
	}
	n.part = row.Partition{Key: n.key, Token: n.tok, Deletion: n.deletion, Rows: &n.out}
	if n.staticRow != nil {
		n.part.Static = n.shadow(&n.staticBufs, n.staticRow, n.deletion)
	}
	list := n.oneOut[:0]
	for i := range n.names {
		x := &n.names[i]
		if reversed {
			x = &n.names[len(n.names)-1-i]
		}
		covered := x.covered
		if !covered.Supersedes(n.deletion) {
			covered = row.Live
		}
		from, to := row.StartCut(x.slice.Start), row.EndCut(x.slice.End)
		if reversed {
			from, to = to, from
		}
		if !covered.IsLive() {
			list = append(list, row.Unfiltered{Marker: row.Marker{Cut: from, Closed: row.Live, Opened: covered}})
		}
		if x.row != nil {
			if r := n.shadow(&x.bufs, x.row, n.deletion.Max(covered)); r != nil {
				list = append(list, row.Unfiltered{Row: r})
			}
		}
		if !covered.IsLive() {
			list = append(list, row.Unfiltered{Marker: row.Marker{Cut: to, Closed: covered, Opened: row.Live}})
		}
	}
	n.out = listed{list: list}
	return &n.part
}

// shadow returns what an enclosing deletion leaves of a row, nil when it is nothing.
func (n *Names) shadow(bufs *[2]row.Row, r *row.Row, active row.Deletion) *row.Row {
	if !active.IsLive() || !r.Deletion.IsLive() || len(r.Complex) > 0 {
		if r != &bufs[0] && r != &bufs[1] {
			copyRow(&bufs[0], r)
			r = &bufs[0]
		}
		shadow(r, active)
	}
	if r.IsEmpty() {
		return nil
	}
	return r
}

// listed gives rows and markers of a list.
type listed struct {
	list []row.Unfiltered
	i    int
}

// Next implements row.Unfiltereds.
func (r *listed) Next() *row.Unfiltered {
	if r.i == len(r.list) {
		return nil
	}
	r.i++
	return &r.list[r.i-1]
}

// Err implements row.Unfiltereds.
func (r *listed) Err() error { return nil }
