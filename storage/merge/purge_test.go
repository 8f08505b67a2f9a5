package merge

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
)

// dead is every shape in which something dead stands in a partition, made of a timestamp and a local time.
var dead = map[string]func(d row.Deletion) *stored{
	"partition deletion": func(d row.Deletion) *stored { return &stored{deletion: d} },
	"row deletion":       func(d row.Deletion) *stored { return ofRow(row.Row{Deletion: d}) },
	"complex deletion": func(d row.Deletion) *stored {
		return ofRow(row.Row{Deletion: row.Live, Complex: []row.ComplexDeletion{{Column: colMap, Deletion: d}}})
	},
	"cell tombstone": func(d row.Deletion) *stored {
		return ofRow(row.Row{Deletion: row.Live, Cells: []row.Cell{{Column: colA, Timestamp: d.Timestamp, Local: d.Local}}})
	},
	"element tombstone": func(d row.Deletion) *stored {
		c := row.Cell{Column: colMap, Path: intValue(1), Timestamp: d.Timestamp, Local: d.Local}
		return ofRow(row.Row{Deletion: row.Live, Cells: []row.Cell{c}})
	},
	"static tombstone": func(d row.Deletion) *stored {
		s := ofRow(row.Row{Deletion: row.Live, Cells: []row.Cell{{Column: colStatic, Timestamp: d.Timestamp, Local: d.Local}}})
		s.static, s.list = s.list[0].Row, nil
		s.static.Clustering = nil
		return s
	},
	"expired marker": func(d row.Deletion) *stored {
		r := row.Row{Deletion: row.Live, Liveness: row.Liveness{Timestamp: d.Timestamp, TTL: 1, Expiry: d.Local}}
		return ofRow(r)
	},
	"expired cell": func(d row.Deletion) *stored {
		c := row.Cell{Column: colA, Value: intValue(1), Timestamp: d.Timestamp, TTL: 10, Local: d.Local}
		return ofRow(row.Row{Deletion: row.Live, Cells: []row.Cell{c}})
	},
	"range": func(d row.Deletion) *stored {
		return &stored{deletion: row.Live, list: []row.Unfiltered{{Marker: row.Marker{Closed: row.Live, Opened: d}},
			{Marker: row.Marker{Cut: row.Cut{After: true}, Closed: d, Opened: row.Live}}}}
	},
}

// ofRow is a partition of one row.
func ofRow(r row.Row) *stored {
	r.Clustering = [][]byte{intValue(1), intValue(1)}
	if r.Liveness == (row.Liveness{}) {
		r.Liveness = row.NoLiveness
	}
	return &stored{deletion: row.Live, list: []row.Unfiltered{{Row: &r}}}
}

// purged returns what p leaves of a partition, nil when it is nothing.
func purged(t testing.TB, l *row.Layout, s *stored, p Purger, reversed bool) *stored {
	t.Helper()
	src := Purge(&oneSource{part: s.partition(reversed)}, p)
	part := src.Next()
	if part == nil {
		if src.Err() != nil {
			t.Fatal(src.Err())
		}
		return nil
	}
	out := collect(t, l, part, reversed)
	if reversed {
		out.list = reverse(out.list)
	}
	if src.Next() != nil {
		t.Fatal("a partition too many")
	}
	return out
}

// oneSource gives one partition.
type oneSource struct{ part *row.Partition }

func (s *oneSource) Next() *row.Partition {
	p := s.part
	s.part = nil
	return p
}
func (s *oneSource) Err() error { return nil }
func (s *oneSource) Close()     {}

// bound makes an Overlap.
func bound(least int64) func(token.Token, []byte) (int64, bool) {
	return func(token.Token, []byte) (int64, bool) { return least, true }
}

// TestPurgeTable is the decision table of storage.md 2: every shape of dead data, at one below, at and above each limit.
func TestPurgeTable(t *testing.T) {
	l := row.NewLayout(testTable(false))
	type test struct {
		name        string
		ts, local   int64
		p           Purger
		drop        bool
		notExpiring bool // does not hold for what expired, which is judged twice
	}
	var tests []test
	for _, gc := range []int64{0, 1, 1000, 0x7FFFFFFE, 0x7FFFFFFF} {
		for d := int64(-1); d <= 1; d++ {
			p := Purger{Now: math.MaxInt64 - 1, GCBefore: gc}
			tests = append(tests, test{fmt.Sprintf("gcBefore %d, no others", gc), 5, gc + d, p, d < 0, true})
		}
	}
	for _, least := range []int64{math.MinInt64 + 2, -1, 0, 1, 77, math.MaxInt64 - 1} {
		for d := int64(-1); d <= 1; d++ {
			p := Purger{Now: 2000, GCBefore: 1000, Overlap: bound(least)}
			tests = append(tests, test{fmt.Sprintf("bound %d", least), least + d, 500, p, d < 0, false})
		}
	}
	none := func(token.Token, []byte) (int64, bool) { return math.MinInt64, false }
	for _, ts := range []int64{math.MinInt64 + 1, -1, 0, math.MaxInt64} {
		tests = append(tests,
			test{"no other source holds the key", ts, 500, Purger{Now: 2000, GCBefore: 1000, Overlap: none}, true, false},
			test{"nobody is asked", ts, 500, Purger{Now: 2000, GCBefore: 1000}, true, false},
			test{"bound MaxInt64", ts, 500, Purger{Now: 2000, GCBefore: 1000, Overlap: bound(math.MaxInt64)}, ts < math.MaxInt64, false})
	}
	for d := int64(-1); d <= 1; d++ {
		p := Purger{Now: 2000, GCBefore: 1000, OnlyRepaired: true, OldestUnrepaired: 500}
		tests = append(tests, test{"oldest unrepaired 500", 5, 500 + d, p, d < 0, true})
	}
	for name, oldest := range map[string]int64{"all repaired": math.MaxInt64, "not all repaired": math.MinInt64} {
		p := Purger{Now: 2000, GCBefore: 1000, OnlyRepaired: true, OldestUnrepaired: oldest}
		tests = append(tests, test{name, 5, 500, p, oldest > 0, false})
	}
	ignore := Purger{Now: 3000, IgnoreGrace: func(key []byte) bool { return string(key) == "mine" }}
	tests = append(tests, test{"grace is ignored", 5, 2500, ignore, true, false})
	ignore.IgnoreGrace = func([]byte) bool { return false }
	tests = append(tests, test{"grace is not ignored here", 5, 2500, ignore, false, false})
	tests = append(tests, test{"never", 5, 0, Purger{Now: 3000, GCBefore: math.MinInt64}, false, false})
	for _, x := range tests {
		for shape, of := range dead {
			if x.notExpiring && shape == "expired cell" {
				continue
			}
			s := of(row.Deletion{Timestamp: x.ts, Local: x.local})
			s.key = []byte("mine")
			for _, reversed := range []bool{false, true} {
				got := purged(t, l, s, x.p, reversed)
				if (got == nil) != x.drop {
					t.Errorf("%s, timestamp %d, local %d, reversed %v: a %s is %v", x.name, x.ts, x.local, reversed, shape, got)
				}
			}
		}
	}
}

// TestPurgeExpiring holds what becomes of what expires: as it is while it lives, a tombstone of the time it was written at when
// it has expired, gone when that or the expiry is old enough.
func TestPurgeExpiring(t *testing.T) {
	l := row.NewLayout(testTable(false))
	const expiry, gc = 10_000, 10_000
	for _, x := range []struct {
		now, gcBefore int64
		ttl           int32
		bound         int64 // the timestamp is 5
		want          string
	}{
		{expiry - 1, gc, 100, 9, "as it is"},
		{expiry - 1, math.MaxInt64, 100, 9, "as it is"},
		{expiry, expiry - 101, 100, 9, "tombstone 9900"},
		{expiry, expiry - 100, 100, 9, "tombstone 9900"}, // written at 9900, which is not below
		{expiry, expiry - 99, 100, 9, "gone"},
		{expiry + 1, expiry, 1, 9, "gone"},
		{expiry + 1, expiry - 1, 1, 9, "tombstone 9999"},
		{expiry + 1, expiry + 1, 1, 9, "gone"},
		{expiry, expiry - 864_000, 864_000 - 1, 9, fmt.Sprint("tombstone ", expiry-863_999)},
		{expiry, expiry - 864_000, 864_000, 9, fmt.Sprint("tombstone ", expiry-864_000)},
		{expiry, expiry - 864_000, 864_001, 9, "gone"},
		{expiry, expiry - 864_000, 630_720_000, 9, "gone"},
		{expiry + 5, expiry + 5, 100, 6, "gone"},
		{expiry + 5, expiry + 5, 100, 5, "tombstone 9900"},
		{expiry + 5, expiry + 5, 100, 4, "tombstone 9900"},
	} {
		c := row.Cell{Column: colA, Value: intValue(1), Timestamp: 5, TTL: x.ttl, Local: expiry}
		s := ofRow(row.Row{Deletion: row.Live, Cells: []row.Cell{c}})
		got := "gone"
		if p := purged(t, l, s, Purger{Now: x.now, GCBefore: x.gcBefore, Overlap: bound(x.bound)}, false); p != nil {
			switch d := p.list[0].Row.Cells[0]; {
			case rowString(p.list[0].Row) == rowString(s.list[0].Row):
				got = "as it is"
			case d.IsTombstone() && d.Value == nil && d.Timestamp == 5:
				got = fmt.Sprint("tombstone ", d.Local)
			default:
				got = rowString(p.list[0].Row)
			}
		}
		if got != x.want {
			t.Errorf("ttl %d, now %d, gcBefore %d, bound %d: %s, want %s", x.ttl, x.now, x.gcBefore, x.bound, got, x.want)
		}
	}
	// A marker that has expired stays what it is until its expiry is old enough.
	s := ofRow(row.Row{Deletion: row.Live, Liveness: row.Liveness{Timestamp: 5, TTL: 100, Expiry: expiry}})
	for gcBefore, gone := range map[int64]bool{expiry - 50: false, expiry: false, expiry + 1: true} {
		p := purged(t, l, s, Purger{Now: expiry + 1, GCBefore: gcBefore}, false)
		if (p == nil) != gone || p != nil && p.list[0].Row.Liveness != s.list[0].Row.Liveness {
			t.Errorf("gcBefore %d: a marker expired at %d is %v", gcBefore, expiry, p)
		}
	}
}

// TestPurgeBoundary holds that each side of a boundary is judged alone, in both directions.
func TestPurgeBoundary(t *testing.T) {
	l := row.NewLayout(testTable(false))
	old, young := row.Deletion{Timestamp: 5, Local: 10}, row.Deletion{Timestamp: 6, Local: 100}
	cut := func(i int) row.Cut { return row.Cut{Values: [][]byte{intValue(i)}} }
	marker := func(i int, closed, opened row.Deletion) row.Unfiltered {
		return row.Unfiltered{Marker: row.Marker{Cut: cut(i), Closed: closed, Opened: opened}}
	}
	older := row.Deletion{Timestamp: 7, Local: 11}
	for _, x := range []struct{ first, second row.Deletion }{{old, young}, {young, old}, {old, older}} {
		s := &stored{key: intValue(1), deletion: row.Live, list: []row.Unfiltered{marker(0, row.Live, x.first),
			marker(1, x.first, x.second), marker(2, x.second, row.Live)}}
		var want []row.Unfiltered
		switch young {
		case x.first:
			want = []row.Unfiltered{marker(0, row.Live, young), marker(1, young, row.Live)}
		case x.second:
			want = []row.Unfiltered{marker(1, row.Live, young), marker(2, young, row.Live)}
		}
		for _, reversed := range []bool{false, true} {
			got := purged(t, l, s, Purger{Now: 200, GCBefore: 50}, reversed)
			if want == nil && got == nil {
				continue
			}
			if got == nil || got.String() != (&stored{key: s.key, deletion: row.Live, list: want}).String() {
				t.Errorf("%v then %v, reversed %v: %v", x.first, x.second, reversed, got)
			}
		}
	}
}

// TestPurgeAsks holds that the bound of a partition is asked once, and not for partitions that have nothing old enough.
func TestPurgeAsks(t *testing.T) {
	asked := map[string]int{}
	p := Purger{Now: 2000, GCBefore: 1000, Overlap: func(_ token.Token, key []byte) (int64, bool) {
		asked[string(key)]++
		return 0, true
	}}
	old, young := row.Deletion{Timestamp: 5, Local: 10}, row.Deletion{Timestamp: 6, Local: 1000}
	tombs := func(d row.Deletion) []row.Cell {
		c := row.Cell{Column: colA, Timestamp: d.Timestamp, Local: d.Local}
		return []row.Cell{c, {Column: colB, Timestamp: d.Timestamp, Local: d.Local}}
	}
	a, b := ofRow(row.Row{Deletion: row.Live, Cells: tombs(old)}), ofRow(row.Row{Deletion: row.Live, Cells: tombs(young)})
	a.key, b.key = []byte("a"), []byte("b")
	src := Purge(&listSource{list: []*stored{a, b}}, p)
	for q := src.Next(); q != nil; q = src.Next() {
		for q.Rows.Next() != nil {
		}
	}
	if len(asked) != 1 || asked["a"] != 1 {
		t.Errorf("asked for %v", asked)
	}
	// Each partition has a bound of its own.
	p.Overlap = func(_ token.Token, key []byte) (int64, bool) {
		return map[string]int64{"a": 5, "b": 6, "c": 0}[string(key)], string(key) != "c"
	}
	var list []*stored
	for _, key := range []string{"a", "b", "a", "c", "a"} {
		s := ofRow(row.Row{Deletion: row.Live, Cells: tombs(old)})
		s.key = []byte(key)
		list = append(list, s)
	}
	left := ""
	src = Purge(&listSource{list: list}, p)
	for q := src.Next(); q != nil; q = src.Next() {
		left += string(q.Key)
	}
	if left != "aaa" {
		t.Errorf("left are %s", left)
	}
}

// TestPurgeHides holds that what a purged deletion hid does not come back, from a source that left it in; of counters too.
func TestPurgeHides(t *testing.T) {
	for _, counter := range []bool{false, true} {
		l := row.NewLayout(testTable(counter))
		d := row.Deletion{Timestamp: 9, Local: 10}
		for shape, of := range dead {
			if counter && (shape == "complex deletion" || shape == "static tombstone") {
				continue
			}
			s := of(d)
			hidden := row.Row{Clustering: [][]byte{intValue(1), intValue(1)}, Liveness: row.NoLiveness, Deletion: row.Live,
				Cells: []row.Cell{{Column: colMap, Path: intValue(1), Value: intValue(1), Timestamp: 8, Local: row.NoLocal}}}
			switch shape {
			case "row deletion", "complex deletion":
				s.list[0].Row.Cells = hidden.Cells
			case "partition deletion":
				s.list = []row.Unfiltered{{Row: &hidden}}
			case "range":
				s.list = []row.Unfiltered{s.list[0], {Row: &hidden}, s.list[1]}
			}
			if got := purged(t, l, s, Purger{Now: 20, GCBefore: 20}, false); got != nil {
				t.Errorf("counter %v: under a %s: %v", counter, shape, got)
			}
		}
	}
}

// liveView is what a client sees of partitions of one key.
func liveView(t testing.TB, l *row.Layout, list []*stored, now int64) string {
	t.Helper()
	var sources []row.Source
	for _, s := range list {
		if s != nil {
			sources = append(sources, &listSource{list: []*stored{s}})
		}
	}
	it := row.LiveFilter(Rows(context.Background(), l, Sources(l, sources)), now)
	out := ""
	for it.NextPartition() {
		seen := func(r *row.Row) {
			x := *r // what hides what is hidden already is no matter
			x.Deletion, x.Complex = row.Live, nil
			out += rowString(&x) + "\n"
		}
		if r := it.Static(); r != nil {
			seen(r)
		}
		for r := it.NextRow(); r != nil; r = it.NextRow() {
			seen(r)
		}
	}
	if it.Err() != nil {
		t.Fatal(it.Err())
	}
	return out
}

// TestPurgeChangesNothing holds that a compaction of some sources with a purge changes nothing that a client sees, whatever the
// sources are that it leaves out, and that purging again purges nothing more.
func TestPurgeChangesNothing(t *testing.T) {
	l := row.NewLayout(testTable(false))
	gone := 0
	for seed := range uint64(3 * rounds) {
		g := gen{Rand: rand.New(rand.NewPCG(seed, 5)), counter: false}
		key := intValue(1)
		var in, out []*stored
		all, least, others := newFacts(), int64(math.MaxInt64), newFacts()
		for range 1 + g.IntN(3) {
			f := g.facts()
			all.add(f)
			in = append(in, f.source(key))
		}
		for range g.IntN(3) {
			g.base = int64(g.IntN(7)) // often younger than what is purged
			f := g.facts()
			out = append(out, f.source(key))
			others.add(f)
		}
		if len(out) > 0 {
			least = statsOf(map[string]*facts{"": others}).MinTimestamp
		}
		p := Purger{Now: []int64{99, 102}[g.IntN(2)], GCBefore: 99 + int64(g.IntN(5))}
		p.Overlap = func(token.Token, []byte) (int64, bool) { return least, len(out) > 0 }
		merged := all.merged(l, key)
		compacted := purged(t, l, merged, p, false)
		back := purged(t, l, merged, p, true)
		if fmt.Sprint(back) != fmt.Sprint(compacted) {
			t.Fatalf("seed %d: purged\n%v\nbackwards\n%v", seed, compacted, back)
		}
		if fmt.Sprint(compacted) != fmt.Sprint(merged) {
			gone++
		}
		// A single source passes a merge as it is, with what its deletions hide.
		alone := newFacts()
		g.base = 0
		alone.add(g.facts())
		raw, tidy := purged(t, l, alone.source(key), p, false), purged(t, l, alone.merged(l, key), p, false)
		if fmt.Sprint(raw) != fmt.Sprint(tidy) {
			t.Fatalf("seed %d: purged\n%v\nmerged first\n%v\nof\n%v", seed, raw, tidy, alone.source(key))
		}
		if compacted != nil {
			if again := purged(t, l, compacted, p, false); fmt.Sprint(again) != fmt.Sprint(compacted) {
				t.Fatalf("seed %d: purged\n%v\nonce more\n%v", seed, compacted, again)
			}
		}
		want := liveView(t, l, append(append([]*stored{}, in...), out...), p.Now)
		if got := liveView(t, l, append(append([]*stored{}, out...), compacted), p.Now); got != want {
			t.Fatalf("seed %d: seen\n%s\nwant\n%s\nin %v\nout %v\npurged %v\n%+v least %d", seed, got, want, in, out, compacted, p, least)
		}
	}
	if gone < rounds {
		t.Errorf("only %d purges of %d did anything", gone, 3*rounds)
	}
}
