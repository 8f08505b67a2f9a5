package merge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
)

// rounds is how many random partitions the property tests make.
const rounds = 1000

// TestPartitions holds that a merge of random sources is what the model says, whatever their order and however they are
// grouped, merged once more with one of them, and backwards.
func TestPartitions(t *testing.T) {
	for _, counter := range []bool{false, true} {
		l := row.NewLayout(testTable(counter))
		for seed := range uint64(rounds) {
			g := gen{Rand: rand.New(rand.NewPCG(seed, 1)), counter: counter}
			all, key := newFacts(), intValue(1)
			list := []*stored{{key: key, deletion: row.Live}} // so that one source is merged too
			for range 1 + g.IntN(6) {
				f := g.facts()
				all.add(f)
				list = append(list, f.source(key))
			}
			want := all.merged(l, key).String()
			merge := func(of []*stored, reversed bool) *stored {
				var parts []*row.Partition
				for _, s := range of {
					parts = append(parts, s.partition(reversed), nil)
				}
				return collect(t, l, Partitions(l, parts, reversed), reversed)
			}
			name := fmt.Sprintf("seed %d counter %v", seed, counter)
			whole := merge(list, false)
			if got := whole.String(); got != want {
				t.Fatalf("%s: merged\n%s\nwant\n%s\nof %v", name, got, want, list)
			}
			g.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			if got := merge(list, false).String(); got != want {
				t.Fatalf("%s: another order gives\n%s\nwant\n%s\nof %v", name, got, want, list)
			}
			cut := g.IntN(len(list) + 1)
			groups := []*stored{{key: key, deletion: row.Live}}
			if cut > 0 {
				groups = append(groups, merge(list[:cut], false))
			}
			if cut < len(list) {
				groups = append(groups, merge(list[cut:], false))
			}
			if got := merge(groups, false).String(); got != want {
				t.Fatalf("%s: in groups\n%s\nwant\n%s\nof %v", name, got, want, list)
			}
			again := []*stored{whole, list[g.IntN(len(list))], whole}
			if got := merge(again, false).String(); got != want {
				t.Fatalf("%s: once more\n%s\nwant\n%s\nof %v", name, got, want, list)
			}
			back := merge(list, true)
			back.list = reverse(back.list)
			if got := back.String(); got != want {
				t.Fatalf("%s: backwards\n%s\nwant\n%s\nof %v", name, got, want, list)
			}
		}
	}
}

// TestPartitionsOfOne holds that a single source passes as it is, and that none is none.
func TestPartitionsOfOne(t *testing.T) {
	l := row.NewLayout(testTable(false))
	p := (&stored{key: intValue(1)}).partition(false)
	if Partitions(l, []*row.Partition{nil, p, nil}, false) != p {
		t.Error("a single partition is not returned as it is")
	}
	if Partitions(l, []*row.Partition{nil, nil}, false) != nil || Partitions(l, nil, false) != nil {
		t.Error("a merge of nothing gives a partition")
	}
}

// storedPartitions makes a source of random partitions and adds what it has to all.
func storedPartitions(g gen, all map[string]*facts) []*stored {
	var list []*stored
	for k := range 5 {
		if key := intValue(k); g.IntN(2) == 0 {
			f := g.facts()
			if all[string(key)] == nil {
				all[string(key)] = newFacts()
			}
			all[string(key)].add(f)
			list = append(list, f.source(key))
		}
	}
	sortStored(list)
	return list
}

func sortStored(list []*stored) {
	slices.SortFunc(list, func(a, b *stored) int {
		if c := (token.Murmur3{}).Token(a.key).Compare(token.Murmur3{}.Token(b.key)); c != 0 {
			return c
		}
		return bytes.Compare(a.key, b.key)
	})
}

// TestSources merges sources of several partitions, and reads some of them only in part.
func TestSources(t *testing.T) {
	l := row.NewLayout(testTable(false))
	for seed := range uint64(rounds / 3) {
		g := gen{Rand: rand.New(rand.NewPCG(seed, 2)), counter: false}
		all, closed := map[string]*facts{}, 0
		var list []row.Source
		for range g.IntN(7) {
			list = append(list, &listSource{list: storedPartitions(g, all), closed: &closed})
		}
		var want []*stored
		for key, f := range all {
			want = append(want, f.merged(l, []byte(key)))
		}
		sortStored(want)
		n := len(list)
		src := Check(l, Sources(l, list))
		i := 0
		for p := src.Next(); p != nil; p = src.Next() {
			if i == len(want) || string(p.Key) != string(want[i].key) {
				t.Fatalf("seed %d: partition %x is not the next", seed, p.Key)
			}
			if g.IntN(4) == 0 {
				for range g.IntN(3) {
					p.Rows.Next()
				}
			} else {
				// A partition of one source passes unmerged.
				empty := &stored{key: p.Key, deletion: row.Live}
				p = Partitions(l, []*row.Partition{p, empty.partition(false)}, false)
				if got := collect(t, l, p, false).String(); got != want[i].String() {
					t.Fatalf("seed %d: merged\n%s\nwant\n%s", seed, got, want[i])
				}
			}
			i++
		}
		if src.Err() != nil || i != len(want) {
			t.Fatalf("seed %d: %d partitions of %d, %v", seed, i, len(want), src.Err())
		}
		if src.Close(); closed != n {
			t.Fatalf("seed %d: %d sources of %d closed", seed, closed, n)
		}
	}
}

// TestErrors holds that the error of any source ends a merge, and that a partition may not end inside a range deletion.
func TestErrors(t *testing.T) {
	l := row.NewLayout(testTable(false))
	broken := errors.New("broken")
	one := func() *stored { return &stored{key: intValue(1), deletion: row.Live} }
	src := Sources(l, []row.Source{&listSource{list: []*stored{one()}}, &listSource{err: broken}})
	if p := src.Next(); p != nil || src.Err() != broken {
		t.Errorf("a broken source: %v, %v", p, src.Err())
	}
	p, q := one().partition(false), one().partition(false)
	q.Rows = &listRows{err: broken}
	m := Partitions(l, []*row.Partition{p, q}, false)
	if u := m.Rows.Next(); u != nil || m.Rows.Err() != broken {
		t.Errorf("broken rows: %v, %v", u, m.Rows.Err())
	}
	s := one()
	s.list = []row.Unfiltered{{Marker: row.Marker{Closed: row.Live, Opened: row.Deletion{Timestamp: 1, Local: 1}}}}
	m = Partitions(l, []*row.Partition{one().partition(false), s.partition(false)}, false)
	for m.Rows.Next() != nil {
	}
	if m.Rows.Err() != ErrOpen {
		t.Errorf("an open range: %v", m.Rows.Err())
	}
}

// TestCheck holds that Check finds each way of breaking the rules.
func TestCheck(t *testing.T) {
	l := row.NewLayout(testTable(false))
	d, e := row.Deletion{Timestamp: 1, Local: 1}, row.Deletion{Timestamp: 2, Local: 1}
	r := func(c int) row.Unfiltered {
		return row.Unfiltered{Row: &row.Row{Clustering: [][]byte{intValue(c), intValue(0)}, Deletion: d}}
	}
	marker := func(c int, closed, opened row.Deletion) row.Unfiltered {
		return row.Unfiltered{Marker: row.Marker{Cut: row.Cut{Values: [][]byte{intValue(c)}}, Closed: closed, Opened: opened}}
	}
	for name, list := range map[string][]row.Unfiltered{
		"rows backwards":      {r(2), r(1)},
		"a row twice":         {r(1), r(1)},
		"a marker late":       {r(1), marker(1, row.Live, d), marker(2, d, row.Live)},
		"a marker twice":      {marker(1, row.Live, d), marker(1, d, row.Live)},
		"nothing closed":      {marker(1, row.Live, d), marker(2, row.Live, d), marker(3, d, row.Live)},
		"another one closed":  {marker(1, row.Live, d), marker(2, e, row.Live)},
		"closed without open": {marker(1, d, row.Live)},
		"never closed":        {marker(1, row.Live, d), r(2)},
		"no change":           {marker(1, row.Live, d), marker(2, d, d), marker(3, d, row.Live)},
	} {
		src := Check(l, &listSource{list: []*stored{{key: intValue(1), list: list}}})
		p := src.Next()
		for p.Rows.Next() != nil {
		}
		if !errors.Is(p.Rows.Err(), ErrOrder) && p.Rows.Err() != ErrOpen || src.Err() == nil {
			t.Errorf("%s: %v, %v", name, p.Rows.Err(), src.Err())
		}
	}
	same := []*stored{{key: intValue(1)}, {key: intValue(1)}}
	if src := Check(l, &listSource{list: same}); src.Next() == nil || src.Next() != nil || !errors.Is(src.Err(), ErrOrder) {
		t.Error("a partition twice is not found")
	}
}

// TestRows holds what a reader sees of a merge: rows with their deletions, under those of ranges, and nothing hidden.
func TestRows(t *testing.T) {
	for _, counter := range []bool{false, true} {
		l := row.NewLayout(testTable(counter))
		plain := row.NewLayout(testTable(false)) // the model hides counters as it does other cells
		for seed := range uint64(rounds) {
			g := gen{Rand: rand.New(rand.NewPCG(seed, 3)), counter: counter}
			var list []row.Source
			all, key := newFacts(), intValue(1)
			for range 1 + g.IntN(4) {
				f := g.facts()
				all.add(f)
				list = append(list, &listSource{list: []*stored{f.source(key)}})
			}
			it := Rows(context.Background(), l, Sources(l, list))
			if !it.NextPartition() || string(it.Key()) != string(key) || it.PartitionDeletion() != all.deletion {
				t.Fatal("not the partition")
			}
			see := func(versions []row.Row, gap row.Deletion) string {
				if len(versions) == 0 {
					return "none"
				}
				merged := versions[0]
				for i := range versions[1:] {
					var next row.Row
					row.Merge(&next, &merged, &versions[i+1], l)
					merged = next
				}
				r := naiveRow(plain, []row.Row{merged}, all.deletion.Max(gap))
				if r == nil {
					return "none"
				}
				if r.Deletion.IsLive() && gap.Supersedes(all.deletion) {
					r.Deletion = gap
				}
				return rowString(r)
			}
			if got, want := rowString(it.Static()), see(all.static, row.Live); got != want {
				t.Fatalf("seed %d: static %s, want %s", seed, got, want)
			}
			for i := range grid {
				if !grid[i].row {
					continue
				}
				want := see(all.rows[i], all.gaps[i])
				if want == "none" {
					continue
				}
				if got := rowString(it.NextRow()); got != want {
					t.Fatalf("seed %d counter %v: %s\nwant %s", seed, counter, got, want)
				}
			}
			if r := it.NextRow(); r != nil || it.NextPartition() || it.Err() != nil {
				t.Fatalf("seed %d: %s and %v at the end", seed, rowString(r), it.Err())
			}
			it.Close()
		}
	}
}

// TestRowsDropped holds that cells of dropped columns, and rows that have no others, are not seen.
func TestRowsDropped(t *testing.T) {
	table := testTable(false)
	table.ByID[colB].DroppedAt = 5
	l := row.NewLayout(table)
	c := func(v int) [][]byte { return [][]byte{intValue(v), intValue(0)} }
	cell := func(id, ts int) row.Cell {
		return row.Cell{Column: schema.ColumnID(id), Timestamp: int64(ts), Local: row.NoLocal, Value: intValue(ts)}
	}
	bare := row.Row{Liveness: row.NoLiveness, Deletion: row.Live}
	mk := func(v int, cells ...row.Cell) row.Unfiltered {
		r := bare
		r.Clustering, r.Cells = c(v), cells
		return row.Unfiltered{Row: &r}
	}
	s := &stored{key: intValue(1), deletion: row.Live, list: []row.Unfiltered{
		mk(0, cell(colA, 1), cell(colB, 5)), mk(1, cell(colB, 4)), mk(2, cell(colB, 6)), mk(3, cell(99, 9)),
	}}
	it := Rows(context.Background(), l, &listSource{list: []*stored{s}})
	it.NextPartition()
	for _, want := range []row.Unfiltered{mk(0, cell(colA, 1)), mk(2, cell(colB, 6))} {
		if got := rowString(it.NextRow()); got != rowString(want.Row) {
			t.Errorf("%s, want %s", got, rowString(want.Row))
		}
	}
	if it.NextRow() != nil || it.Err() != nil {
		t.Errorf("something is left: %v", it.Err())
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if it = Rows(ctx, l, &listSource{list: []*stored{s}}); it.NextPartition() || it.Err() != context.Canceled {
		t.Error("a read goes on when its context is over")
	}
}
