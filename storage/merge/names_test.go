package merge

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/row"
)

// simpleTable is testTable without its multi-cell columns.
func simpleTable() *schema.Table {
	t := testTable(false)
	t.Static, t.Regular = t.Static[:1], t.Regular[:2]
	return t
}

// inside returns what facts say inside of slices of single rows.
func (f *facts) inside(names []int) *facts {
	in := newFacts()
	in.deletion, in.static, in.rows = f.deletion, f.static, map[int][]row.Row{}
	for _, i := range names {
		in.gaps[i-1], in.gaps[i] = f.gaps[i-1], f.gaps[i]
		if f.rows[i] != nil {
			in.rows[i] = f.rows[i]
		}
	}
	return in
}

// maxTimestamp returns the greatest timestamp of facts.
func (f *facts) maxTimestamp() int64 {
	most := f.deletion.Timestamp
	for _, d := range f.gaps {
		most = max(most, d.Timestamp)
	}
	rows := f.static
	for _, r := range f.rows {
		rows = append(rows[:len(rows):len(rows)], r...)
	}
	for _, r := range rows {
		most = max(most, r.Deletion.Timestamp, r.Liveness.Timestamp)
		for _, c := range r.Cells {
			most = max(most, c.Timestamp)
		}
	}
	return most
}

// project is what a client sees of a partition in some columns: which rows are there, and their live cells.
func project(t testing.TB, l *row.Layout, p *row.Partition, columns []schema.ColumnID, now int64) string {
	t.Helper()
	if p == nil {
		return ""
	}
	it := row.LiveFilter(Rows(context.Background(), l, &oneSource{part: p}), now)
	out := ""
	cells := func(r *row.Row) {
		for _, c := range r.Cells {
			if columns == nil || slices.Contains(columns, c.Column) {
				out += fmt.Sprintf(" %d=%x@%d", c.Column, c.Value, c.Timestamp)
			}
		}
		out += "\n"
	}
	for it.NextPartition() {
		if s := it.Static(); s != nil && (columns == nil || slices.Contains(columns, colStatic)) {
			cells(s)
		}
		for r := it.NextRow(); r != nil; r = it.NextRow() {
			out += fmt.Sprintf("%x", r.Clustering)
			cells(r)
		}
	}
	if it.Err() != nil {
		t.Fatal(it.Err())
	}
	return out
}

// TestNames holds that a read of names sees what a merge of all sources does, and that it reads fewer of them.
func TestNames(t *testing.T) {
	table := simpleTable()
	l := row.NewLayout(table)
	stopped, less := 0, 0
	for seed := range uint64(4 * rounds) {
		g := gen{Rand: rand.New(rand.NewPCG(seed, 6)), simple: true}
		key := intValue(1)
		var names []int
		var rows []row.Slice
		for i := range grid {
			if grid[i].row && g.IntN(6) == 0 {
				names = append(names, i)
				b := row.Bound{Values: grid[i].key, Inclusive: true}
				rows = append(rows, row.Slice{Start: b, End: b})
			}
		}
		if len(names) == 0 {
			continue
		}
		var columns []schema.ColumnID
		if g.IntN(3) > 0 {
			columns = []schema.ColumnID{[]schema.ColumnID{colStatic, colA, colB}[g.IntN(3)]}
		}
		sources := []*facts{}
		for range g.IntN(5) {
			g.base = int64(g.IntN(8))
			sources = append(sources, g.facts())
		}
		slices.SortFunc(sources, func(a, b *facts) int { return int(b.maxTimestamp() - a.maxTimestamp()) })
		now := int64(99 + g.IntN(4))
		n := NewNames(l, rows, columns, now)
		var all []*row.Partition
		whole := newFacts()
		reversed := g.IntN(2) == 0
		memtables, read := g.IntN(2), 0
		for i, f := range sources {
			in := f.inside(names)
			whole.add(in)
			all = append(all, in.source(key).partition(reversed))
			if read < i {
				continue
			}
			if i >= memtables && !n.Reduce(f.maxTimestamp()) {
				stopped++
				continue
			}
			read++
			var asked []int
			for _, s := range n.Slices() {
				asked = append(asked, slices.IndexFunc(grid, func(p gridPlace) bool {
					return p.row && p.key[0][3] == s.Start.Values[0][3] && p.key[1][3] == s.Start.Values[1][3]
				}))
			}
			if len(asked) < len(names) {
				less++
			}
			if err := n.Add(f.inside(asked).source(key).partition(false)); err != nil {
				t.Fatal(err)
			}
		}
		got := n.Partition(reversed)
		if (got == nil) != (len(sources) == 0) {
			t.Fatalf("seed %d: %v of %d sources", seed, got, len(sources))
		}
		done := slices.ContainsFunc(n.names, func(x name) bool { return x.done })
		if got != nil && read == len(sources) && !done {
			s := collect(t, l, got, reversed)
			if reversed {
				s.list = reverse(s.list)
			}
			if want := whole.merged(l, key); s.String() != want.String() {
				t.Fatalf("seed %d: read\n%s\nwant\n%s", seed, s, want)
			}
			got = n.Partition(reversed)
		}
		want := project(t, l, Partitions(l, all, reversed), columns, now)
		if seen := project(t, l, got, columns, now); seen != want {
			t.Fatalf("seed %d: columns %v, now %d: seen\n%s\nwant\n%s", seed, columns, now, seen, want)
		}
	}
	if stopped < rounds/10 || less < rounds/10 {
		t.Errorf("only %d reads stopped early, %d lookups had fewer names", stopped, less)
	}
}

// TestNamesComplete holds at which timestamps of an older source a read goes on.
func TestNamesComplete(t *testing.T) {
	table := simpleTable()
	l := row.NewLayout(table)
	clustering := [][]byte{intValue(1), intValue(1)}
	b := row.Bound{Values: clustering, Inclusive: true}
	live := func(id schema.ColumnID) row.Cell {
		return row.Cell{Column: id, Value: intValue(1), Timestamp: 10, Local: row.NoLocal}
	}
	marker := row.Liveness{Timestamp: 10, Expiry: row.NoLocal}
	expired := row.Liveness{Timestamp: 10, TTL: 5, Expiry: 50}
	d := row.Deletion{Timestamp: 10, Local: 1}
	with := func(l row.Liveness, cells ...row.Cell) stored {
		return *ofRow(row.Row{Deletion: row.Live, Liveness: l, Cells: cells})
	}
	deleted := *ofRow(row.Row{Deletion: d})
	static := stored{deletion: row.Live, list: deleted.list,
		static: &row.Row{Liveness: row.NoLiveness, Deletion: row.Live, Cells: []row.Cell{live(colStatic)}}}
	a, ab := []schema.ColumnID{colA}, []schema.ColumnID{colA, colB}
	for _, x := range []struct {
		name    string
		columns []schema.ColumnID
		p       stored
		goesOn  [3]bool // with an older source of greatest timestamp 9, 10, 11
	}{
		{"nothing", a, stored{deletion: row.Live}, [3]bool{true, true, true}},
		{"all cells", ab, with(marker, live(colA), live(colB)), [3]bool{false, true, true}},
		{"a column is missing", ab, with(marker, live(colA)), [3]bool{true, true, true}},
		{"it is not wanted", a, with(marker, live(colA)), [3]bool{false, true, true}},
		{"no marker", a, with(row.NoLiveness, live(colA)), [3]bool{true, true, true}},
		{"an expired marker", a, with(expired, live(colA)), [3]bool{true, true, true}},
		{"an expired marker and all columns", ab, with(expired, live(colA), live(colB)), [3]bool{false, true, true}},
		{"row deletion, and the static row is wanted", nil, deleted, [3]bool{true, true, true}},
		{"row deletion", a, deleted, [3]bool{false, false, true}},
		{"range deletion", a, stored{deletion: row.Live, list: []row.Unfiltered{
			{Marker: row.Marker{Cut: row.StartCut(b), Closed: row.Live, Opened: d}},
			{Marker: row.Marker{Cut: row.EndCut(b), Closed: d, Opened: row.Live}}}}, [3]bool{false, false, true}},
		{"partition deletion", nil, stored{deletion: d}, [3]bool{false, false, true}},
		{"static", []schema.ColumnID{colStatic, colA}, static, [3]bool{false, true, true}},
	} {
		for i, want := range x.goesOn {
			n := NewNames(l, []row.Slice{{Start: b, End: b}}, x.columns, 60)
			if err := n.Add(x.p.partition(false)); err != nil {
				t.Fatal(err)
			}
			if got := n.Reduce(9 + int64(i)); got != want || got && len(n.Slices()) != 1 {
				t.Errorf("%s, then a source up to %d: %v", x.name, 9+i, got)
			}
		}
	}
}

// TestNewNames holds which reads are of names.
func TestNewNames(t *testing.T) {
	v := func(values ...int) row.Bound {
		b := row.Bound{Inclusive: true}
		for _, x := range values {
			b.Values = append(b.Values, intValue(x))
		}
		return b
	}
	one := []row.Slice{{Start: v(1, 1), End: v(1, 1)}}
	open := v(1, 2)
	open.Inclusive = false
	l := row.NewLayout(testTable(false))
	simple := []schema.ColumnID{colA, colStatic}
	plain := testTable(false)
	plain.Clustering, plain.Static, plain.Regular = nil, nil, plain.Regular[:2]
	for name, x := range map[string]struct {
		l       *row.Layout
		rows    []row.Slice
		columns []schema.ColumnID
		want    bool
	}{
		"one row":            {l, one, simple, true},
		"two rows":           {l, []row.Slice{{Start: v(1, 2), End: v(1, 2)}, {Start: v(1, 1), End: v(1, 1)}}, simple, true},
		"all columns":        {l, one, nil, false},
		"a map":              {l, one, []schema.ColumnID{colMap}, false},
		"a prefix":           {l, []row.Slice{{Start: v(1), End: v(1)}}, simple, false},
		"a range":            {l, []row.Slice{{Start: v(1, 2), End: v(1, 1)}}, simple, false},
		"a row and a range":  {l, append(one[:1:1], row.All), simple, false},
		"without an end":     {l, []row.Slice{{Start: open, End: v(1, 2)}}, simple, false},
		"everything":         {l, nil, simple, false},
		"nothing":            {l, []row.Slice{}, simple, false},
		"counters":           {row.NewLayout(testTable(true)), one, []schema.ColumnID{colA}, false},
		"without clustering": {row.NewLayout(plain), nil, nil, true},
		"the same, sliced":   {row.NewLayout(plain), []row.Slice{row.All}, nil, true},
	} {
		if got := NewNames(x.l, x.rows, x.columns, 1) != nil; got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
