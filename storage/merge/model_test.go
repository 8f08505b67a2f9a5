package merge

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/row"
)

// The columns of testTable.
const (
	colStatic = 4 // int
	colSet    = 5 // static set<int>
	colA      = 6 // int
	colB      = 7 // text
	colMap    = 8 // map<int, text>
)

// testTable is (p int, c1 int, c2 int desc) with static and regular columns of one cell and of several, or counters.
func testTable(counter bool) *schema.Table {
	t := &schema.Table{Keyspace: "ks", Name: "t", ByName: map[string]*schema.Column{}, ByID: map[schema.ColumnID]*schema.Column{},
		Counter: counter}
	add := func(name string, k schema.ColumnKind, typ *types.Type) *schema.Column {
		c := &schema.Column{Keyspace: "ks", Table: "t", Name: name, ID: schema.ColumnID(len(t.ByID) + 1), Kind: k, Type: typ,
			DroppedAt: math.MinInt64}
		t.ByName[name], t.ByID[c.ID] = c, c
		return c
	}
	t.PartitionKey = append(t.PartitionKey, add("p", schema.PartitionKey, types.TInt))
	t.Clustering = append(t.Clustering, add("c1", schema.Clustering, types.TInt), add("c2", schema.Clustering, types.TInt))
	t.Clustering[1].Position, t.Clustering[1].Desc = 1, true
	if counter {
		t.Static = append(t.Static, add("s", schema.Static, types.TCounter))
		add("unused", schema.Regular, types.TInt)
		t.Regular = append(t.Regular, add("a", schema.Regular, types.TCounter), add("b", schema.Regular, types.TCounter))
		return t
	}
	t.Static = append(t.Static, add("s", schema.Static, types.TInt),
		add("ss", schema.Static, &types.Type{Kind: types.Set, Elems: []*types.Type{types.TInt}}))
	t.Regular = append(t.Regular, add("a", schema.Regular, types.TInt), add("b", schema.Regular, types.TText),
		add("m", schema.Regular, &types.Type{Kind: types.Map, Elems: []*types.Type{types.TInt, types.TText}}))
	return t
}

func intValue(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

// side is how many values each clustering column has in these tests.
const side = 3

// grid is every place of a partition in order: cuts, and rows between them.
var grid = makeGrid()

// gridPlace is a row, whose clustering is key, or a cut.
type gridPlace struct {
	row bool
	key [][]byte
	cut row.Cut
}

func makeGrid() []gridPlace {
	g := []gridPlace{{cut: row.Cut{}}}
	for c1 := range side {
		one := [][]byte{intValue(c1)}
		g = append(g, gridPlace{cut: row.Cut{Values: one}})
		for c2 := side - 1; c2 >= 0; c2-- {
			both := [][]byte{intValue(c1), intValue(c2)}
			g = append(g, gridPlace{cut: row.Cut{Values: both}}, gridPlace{row: true, key: both},
				gridPlace{cut: row.Cut{Values: both, After: true}})
		}
		g = append(g, gridPlace{cut: row.Cut{Values: one, After: true}})
	}
	return append(g, gridPlace{cut: row.Cut{After: true}})
}

// facts is what one source, or all of them together, has of a partition: every fact, hidden or not, reconciled with nothing
// but what is at the same place.
type facts struct {
	deletion row.Deletion
	gaps     []row.Deletion // behind each place of the grid
	rows     map[int][]row.Row
	static   []row.Row
	each     []row.Deletion // of partitions and ranges
}

func newFacts() *facts {
	f := &facts{deletion: row.Live, gaps: make([]row.Deletion, len(grid)), rows: map[int][]row.Row{}}
	for i := range f.gaps {
		f.gaps[i] = row.Live
	}
	return f
}

// add adds all of g.
func (f *facts) add(g *facts) {
	f.deletion = f.deletion.Max(g.deletion)
	for i := range f.gaps {
		f.gaps[i] = f.gaps[i].Max(g.gaps[i])
	}
	for i, r := range g.rows {
		f.rows[i] = append(f.rows[i], r...)
	}
	f.static = append(f.static, g.static...)
	f.each = append(append(append(f.each, g.each...), g.deletion), g.gaps...)
}

// gen makes random facts; times are few, so that ties are many.
type gen struct {
	*rand.Rand
	counter bool
	simple  bool  // without multi-cell columns
	base    int64 // the least timestamp
}

func (g gen) timestamp() int64 { return g.base + int64(g.IntN(6)) }

func (g gen) deletion() row.Deletion {
	return row.Deletion{Timestamp: g.timestamp(), Local: 100 + int64(g.IntN(2))}
}

func (g gen) cell(id schema.ColumnID, path []byte) row.Cell {
	c := row.Cell{Column: id, Path: path, Timestamp: g.timestamp(), Local: row.NoLocal}
	switch k := g.IntN(6); {
	case k == 0 || g.counter && k == 1:
		c.Local = 100 + int64(g.IntN(2))
		return c
	case k == 1:
		c.TTL = int32(1 + g.IntN(2))
		c.Local = 100 + int64(g.IntN(2))
	}
	c.Value = intValue(g.IntN(3))
	if g.counter {
		var host schema.UUID
		host[0] = byte(g.IntN(3))
		c.Value = row.AppendCounter(nil, host, int64(g.IntN(5)), int64(g.IntN(5)))
	}
	return c
}

// row makes a row of one source. Its cells are sorted; its deletions may hide some of them.
func (g gen) row(static bool, clustering [][]byte) row.Row {
	r := row.Row{Clustering: clustering, Liveness: row.NoLiveness, Deletion: row.Live}
	simple, complex := []schema.ColumnID{colA, colB}, schema.ColumnID(colMap)
	if static {
		simple, complex = simple[:1], colSet
		simple[0] = colStatic
	}
	if g.counter || g.simple {
		complex = 0
	}
	if !static && g.IntN(4) == 0 {
		r.Deletion = g.deletion()
	}
	if !static && !g.counter && g.IntN(2) == 0 {
		r.Liveness = row.Liveness{Timestamp: g.timestamp(), Expiry: row.NoLocal}
		if g.IntN(3) == 0 {
			r.Liveness.TTL, r.Liveness.Expiry = int32(1+g.IntN(2)), 100+int64(g.IntN(2))
		}
	}
	for _, id := range simple {
		if g.IntN(2) == 0 {
			r.Cells = append(r.Cells, g.cell(id, nil))
		}
	}
	if complex > 0 && g.IntN(2) == 0 {
		if g.IntN(2) == 0 {
			r.Complex = append(r.Complex, row.ComplexDeletion{Column: complex, Deletion: g.deletion()})
		}
		for k := range 3 {
			if g.IntN(2) == 0 {
				r.Cells = append(r.Cells, g.cell(complex, intValue(k)))
			}
		}
	}
	return r
}

// facts makes what one source has.
func (g gen) facts() *facts {
	f := newFacts()
	if g.IntN(4) == 0 {
		f.deletion = g.deletion()
	}
	if g.IntN(3) > 0 {
		if r := g.row(true, nil); !r.IsEmpty() {
			f.static = append(f.static, r)
		}
	}
	for range g.IntN(4) {
		i, j := g.IntN(len(grid)), g.IntN(len(grid))
		for grid[i].row || grid[j].row || i == j {
			i, j = g.IntN(len(grid)), g.IntN(len(grid))
		}
		d := g.deletion()
		for k := min(i, j); k < max(i, j); k++ {
			f.gaps[k] = f.gaps[k].Max(d)
		}
	}
	many := g.IntN(4)
	for i := range grid {
		if grid[i].row && g.IntN(4) < many {
			if r := g.row(false, grid[i].key); !r.IsEmpty() {
				f.rows[i] = append(f.rows[i], r)
			}
		}
	}
	return f
}

// stored is a partition held in memory, every field of it.
type stored struct {
	key      []byte
	deletion row.Deletion
	static   *row.Row
	list     []row.Unfiltered
}

// source writes down facts of one source as it would give them: nothing is shadowed.
func (f *facts) source(key []byte) *stored {
	s := &stored{key: key, deletion: f.deletion}
	if len(f.static) > 0 {
		s.static = &f.static[0]
	}
	open := row.Live
	for i := range grid {
		if grid[i].row {
			for k := range f.rows[i] {
				s.list = append(s.list, row.Unfiltered{Row: &f.rows[i][k]})
			}
		} else if f.gaps[i] != open {
			s.list = append(s.list, row.Unfiltered{Marker: row.Marker{Cut: grid[i].cut, Closed: open, Opened: f.gaps[i]}})
			open = f.gaps[i]
		}
	}
	return s
}

// merged is the model: what a merge of everything in f has to give.
func (f *facts) merged(l *row.Layout, key []byte) *stored {
	s := &stored{key: key, deletion: f.deletion, static: naiveRow(l, f.static, f.deletion)}
	open := row.Live
	for i := range grid {
		gap := f.gaps[i]
		if !gap.Supersedes(f.deletion) {
			gap = row.Live
		}
		if grid[i].row {
			if r := naiveRow(l, f.rows[i], f.deletion.Max(gap)); r != nil {
				s.list = append(s.list, row.Unfiltered{Row: r})
			}
		} else if gap != open {
			s.list = append(s.list, row.Unfiltered{Marker: row.Marker{Cut: grid[i].cut, Closed: open, Opened: gap}})
			open = gap
		}
	}
	return s
}

// naiveRow merges all versions of a row under an enclosing deletion by the rules of storage.md 2, one fact at a time.
func naiveRow(l *row.Layout, versions []row.Row, enclosing row.Deletion) *row.Row {
	if len(versions) == 0 {
		return nil
	}
	out := &row.Row{Clustering: versions[0].Clustering, Liveness: row.NoLiveness, Deletion: row.Live}
	for _, v := range versions {
		out.Deletion = out.Deletion.Max(v.Deletion)
		if v.Liveness.Supersedes(out.Liveness) {
			out.Liveness = v.Liveness
		}
	}
	active := out.Deletion.Max(enclosing)
	if !out.Deletion.Supersedes(enclosing) {
		out.Deletion = row.Live
	}
	if active.Deletes(out.Liveness.Timestamp) {
		out.Liveness = row.NoLiveness
	}
	complex := map[schema.ColumnID]row.Deletion{}
	for _, v := range versions {
		for _, c := range v.Complex {
			d, ok := complex[c.Column]
			if !ok {
				d = row.Live
			}
			complex[c.Column] = d.Max(c.Deletion)
		}
	}
	for id := schema.ColumnID(1); id < 10; id++ {
		under := active
		if d, ok := complex[id]; ok && d.Supersedes(active) {
			out.Complex = append(out.Complex, row.ComplexDeletion{Column: id, Deletion: d})
			under = d
		}
		for path := -1; path < 3; path++ {
			var best *row.Cell
			for v := range versions {
				for i := range versions[v].Cells {
					c := &versions[v].Cells[i]
					if c.Column != id || (path < 0) != (c.Path == nil) || c.Path != nil && string(c.Path) != string(intValue(path)) {
						continue
					}
					switch {
					case best == nil:
						best = c
					case l.Counter:
						x := row.ReconcileCounter(best, c)
						best = &x
					default:
						best = row.Reconcile(best, c)
					}
				}
			}
			if best != nil && (l.Counter || !under.Deletes(best.Timestamp)) {
				out.Cells = append(out.Cells, *best)
			}
		}
	}
	if out.IsEmpty() {
		return nil
	}
	return out
}

// partition gives a stored partition as a source does. With reversed it comes backwards.
func (s *stored) partition(reversed bool) *row.Partition {
	list := s.list
	if reversed {
		list = reverse(list)
	}
	return &row.Partition{Key: s.key, Token: token.Murmur3{}.Token(s.key), Deletion: s.deletion, Static: s.static,
		Rows: &listRows{list: list}}
}

// reverse returns rows and markers backwards.
func reverse(list []row.Unfiltered) []row.Unfiltered {
	var out []row.Unfiltered
	for i := len(list) - 1; i >= 0; i-- {
		u := list[i]
		u.Marker.Closed, u.Marker.Opened = u.Marker.Opened, u.Marker.Closed
		if u.Row != nil {
			u.Marker = row.Marker{}
		}
		out = append(out, u)
	}
	return out
}

// listRows gives a list. What it gave is spoilt by the next call, as that of a decoder is.
type listRows struct {
	list []row.Unfiltered
	u    row.Unfiltered
	row  row.Row
	err  error
}

func (r *listRows) Next() *row.Unfiltered {
	if r.row.Clustering != nil {
		clear(r.row.Clustering)
		clear(r.row.Cells)
	}
	if len(r.list) == 0 {
		return nil
	}
	r.u = r.list[0]
	r.list = r.list[1:]
	if r.u.Row != nil {
		r.row = *r.u.Row.Clone()
		r.u.Row = &r.row
	}
	return &r.u
}

func (r *listRows) Err() error { return r.err }

// collect reads a partition to its end and checks its order.
func collect(t testing.TB, l *row.Layout, p *row.Partition, reversed bool) *stored {
	t.Helper()
	s := &stored{key: append([]byte(nil), p.Key...), deletion: p.Deletion}
	if p.Static != nil {
		s.static = p.Static.Clone()
	}
	var c CheckedRows
	c.Reset(l, p.Rows, reversed)
	for u := c.Next(); u != nil; u = c.Next() {
		k := *u
		if u.Row != nil {
			k.Row, k.Marker = u.Row.Clone(), row.Marker{}
		} else {
			k.Marker.Values = (&row.Row{Clustering: u.Marker.Values}).Clone().Clustering
		}
		s.list = append(s.list, k)
	}
	if c.Err() != nil {
		t.Fatal(c.Err())
	}
	return s
}

// String writes all of a partition, for comparison.
func (s *stored) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%x deletion %s static %s\n", s.key, deletionString(s.deletion), rowString(s.static))
	for _, u := range s.list {
		if u.Row != nil {
			fmt.Fprintf(&b, "  %s\n", rowString(u.Row))
		} else {
			fmt.Fprintf(&b, "  %s %s -> %s\n", place(&u), deletionString(u.Marker.Closed), deletionString(u.Marker.Opened))
		}
	}
	return b.String()
}

func deletionString(d row.Deletion) string {
	if d.IsLive() {
		return "live"
	}
	return fmt.Sprintf("%d@%d", d.Timestamp, d.Local)
}

func rowString(r *row.Row) string {
	if r == nil {
		return "none"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "row %x del %s", r.Clustering, deletionString(r.Deletion))
	if r.Liveness.Timestamp != row.NoTimestamp {
		fmt.Fprintf(&b, " live %+v", r.Liveness)
	}
	for _, c := range r.Complex {
		fmt.Fprintf(&b, " del(%d) %s", c.Column, deletionString(c.Deletion))
	}
	for _, c := range r.Cells {
		fmt.Fprintf(&b, " %d[%x]=%x@%d", c.Column, c.Path, c.Value, c.Timestamp)
		if c.Local != row.NoLocal {
			fmt.Fprintf(&b, "/%d+%d", c.Local, c.TTL)
		}
	}
	return b.String()
}

// listSource gives stored partitions.
type listSource struct {
	list   []*stored
	closed *int
	err    error
}

func (s *listSource) Next() *row.Partition {
	if len(s.list) == 0 {
		return nil
	}
	p := s.list[0].partition(false)
	s.list = s.list[1:]
	return p
}

func (s *listSource) Err() error { return s.err }

func (s *listSource) Close() {
	if s.closed != nil {
		*s.closed++
	}
}
