package merge

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/memtable"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// These tests hold memtables to the model that merges are held to.

// mutation makes a mutation of all that one source has of a partition.
func mutation(b *request.Builder, t *schema.Table, key []byte, f *facts) request.Mutation {
	b.Reset(t, key, token.Murmur3{}.Token(key))
	if !f.deletion.IsLive() {
		b.DeletePartition(f.deletion)
	}
	for i := 0; i < len(grid); i++ {
		if d := f.gaps[i]; !d.IsLive() {
			from := i
			for f.gaps[i] == d {
				i++
			}
			b.DeleteRange(sliceOf(grid[from].cut, grid[i].cut), d)
			i--
		}
	}
	put := func(r *row.Row) {
		b.Liveness(r.Liveness)
		b.DeleteRow(r.Deletion)
		for _, c := range r.Complex {
			b.DeleteComplex(c.Column, c.Deletion)
		}
		for _, c := range r.Cells {
			b.Cell(c)
		}
	}
	for i := range f.static {
		b.Static()
		put(&f.static[i])
	}
	for _, rows := range f.rows {
		for i := range rows {
			b.Row(rows[i].Clustering)
			put(&rows[i])
		}
	}
	return b.Mutation()
}

// sliceOf returns the slice between two cuts.
func sliceOf(start, end row.Cut) row.Slice {
	return row.Slice{Start: row.Bound{Values: start.Values, Inclusive: !start.After},
		End: row.Bound{Values: end.Values, Inclusive: end.After}}
}

// slices returns slices in order, some of which touch, and what of f is inside.
func (g gen) slices(f *facts) ([]row.Slice, *facts) {
	in := newFacts()
	in.deletion, in.static = f.deletion, f.static
	list := []row.Slice{}
	for i := 0; i < len(grid)-1; i++ {
		if grid[i].row || g.IntN(8) > 0 || grid[i].cut.After && len(grid[i].cut.Values) == 0 {
			continue
		}
		j := i + 1 + g.IntN(len(grid)-i-1)
		for grid[j].row {
			j++
		}
		list = append(list, sliceOf(grid[i].cut, grid[j].cut))
		for k := i; k < j; k++ {
			in.gaps[k] = f.gaps[k]
			if f.rows[k] != nil {
				in.rows[k] = f.rows[k]
			}
		}
		if i = j; g.IntN(3) == 0 {
			i-- // the next may touch
		}
	}
	return list, in
}

// TestMemtable writes random facts in random order and holds that a source of the table, and look-ups in slices of it in both
// directions, are what the model says.
func TestMemtable(t *testing.T) {
	for _, counter := range []bool{false, true} {
		table := testTable(counter)
		l := row.NewLayout(table)
		for seed := range uint64(rounds / 3) {
			g := gen{Rand: rand.New(rand.NewPCG(seed, 4)), counter: counter}
			m := memtable.New(table)
			all := map[string]*facts{}
			var b request.Builder
			for range g.IntN(12) {
				key, f := intValue(g.IntN(4)), g.facts()
				if all[string(key)] == nil {
					all[string(key)] = newFacts()
				}
				all[string(key)].add(f)
				mut := mutation(&b, table, key, f)
				if err := m.Apply(&mut); err != nil {
					t.Fatal(err)
				}
			}
			if got, want := m.Stats(), statsOf(all); got != want || m.MinTimestamp() != want.MinTimestamp {
				t.Fatalf("seed %d: stats %+v, want %+v", seed, got, want)
			}
			var want []*stored
			for key, f := range all {
				want = append(want, f.merged(l, []byte(key)))
			}
			sortStored(want)
			open := request.KeyBound{Open: true}
			src := Check(l, m.Source(request.KeyRange{Start: open, End: open}))
			for _, w := range want {
				p := src.Next()
				if p == nil {
					t.Fatalf("seed %d: partition %x is missing", seed, w.key)
				}
				if got := collect(t, l, p, false).String(); got != w.String() {
					t.Fatalf("seed %d counter %v: source\n%s\nwant\n%s", seed, counter, got, w)
				}
			}
			if p := src.Next(); p != nil || src.Err() != nil {
				t.Fatalf("seed %d: %v, %v at the end", seed, p, src.Err())
			}
			src.Close()
			for k := range 4 {
				key := intValue(k)
				tok, f := token.Murmur3{}.Token(key), all[string(key)]
				if p := m.Lookup(tok, key, nil, false); (p == nil) != (f == nil) || m.Contains(tok, key) != (f != nil) {
					t.Fatalf("seed %d: partition %x is %v", seed, key, p)
				} else if p == nil {
					continue
				}
				slices, in := g.slices(f)
				want := in.merged(l, key).String()
				for _, reversed := range []bool{false, true} {
					got := collect(t, l, m.Lookup(tok, key, slices, reversed), reversed)
					if reversed {
						got.list = reverse(got.list)
					}
					if got.String() != want {
						t.Fatalf("seed %d counter %v reversed %v: slices %v\n%s\nwant\n%s", seed, counter, reversed, slices, got, want)
					}
				}
			}
		}
	}
}

// statsOf makes the stats of facts one by one.
func statsOf(all map[string]*facts) row.Stats {
	s := row.NoStats
	see := func(timestamp, local int64, ttl int32) {
		s.MinTimestamp, s.MinLocal = min(s.MinTimestamp, timestamp), min(s.MinLocal, local)
		if ttl > 0 {
			s.MinTTL = min(s.MinTTL, ttl)
		}
	}
	deleted := func(list ...row.Deletion) {
		for _, d := range list {
			if d != row.Live {
				see(d.Timestamp, d.Local, 0)
			}
		}
	}
	for _, f := range all {
		deleted(f.each...)
		rows := f.static
		for _, r := range f.rows {
			rows = append(rows[:len(rows):len(rows)], r...)
		}
		for _, r := range rows {
			deleted(r.Deletion)
			if r.Liveness != row.NoLiveness {
				see(r.Liveness.Timestamp, r.Liveness.Expiry, r.Liveness.TTL)
			}
			for _, c := range r.Complex {
				deleted(c.Deletion)
				s.Columns |= 1 << c.Column
			}
			for _, c := range r.Cells {
				see(c.Timestamp, c.Local, c.TTL)
				s.Columns |= 1 << c.Column
			}
		}
	}
	return s
}

// TestMemtableRange holds which partitions a source of a range gives.
func TestMemtableRange(t *testing.T) {
	table := testTable(false)
	m := memtable.New(table)
	var b request.Builder
	var list []*stored
	for k := range 300 {
		f := newFacts()
		f.deletion = row.Deletion{Timestamp: 1, Local: 1}
		mut := mutation(&b, table, intValue(k), f)
		if err := m.Apply(&mut); err != nil {
			t.Fatal(err)
		}
		list = append(list, &stored{key: intValue(k)})
	}
	sortStored(list)
	bound := func(i int, inclusive bool) request.KeyBound {
		return request.KeyBound{Token: token.Murmur3{}.Token(list[i].key), Inclusive: inclusive}
	}
	src := m.Source(request.KeyRange{Start: bound(10, false), End: bound(200, true)})
	for i := 11; i <= 200; i++ {
		if p := src.Next(); p == nil || string(p.Key) != string(list[i].key) {
			t.Fatalf("partition %d: %v", i, p)
		}
	}
	if src.Next() != nil {
		t.Error("a partition behind the range")
	}
}

// TestMemtableChanges deletes while a partition is read: what follows on later pages is deleted, and markers say so.
func TestMemtableChanges(t *testing.T) {
	table := testTable(false)
	l := row.NewLayout(table)
	const rows = 40
	old, young := row.Deletion{Timestamp: 1, Local: 1}, row.Deletion{Timestamp: 9, Local: 9}
	c := func(i int) [][]byte { return [][]byte{intValue(i)} }
	cut := func(i int, after bool) row.Cut { return row.Cut{Values: c(i), After: after} }
	full := func(i int) [][]byte { return [][]byte{intValue(i), intValue(0)} }
	youngest := row.Deletion{Timestamp: 20, Local: 20}
	for name, x := range map[string]struct {
		before, after func(b *request.Builder)
		want          string
	}{
		"behind rows that a range has hidden": {
			func(b *request.Builder) { b.DeleteRange(sliceOf(cut(5, false), cut(30, false)), young) },
			func(b *request.Builder) { b.DeleteRange(sliceOf(cut(0, false), cut(20, false)), youngest) },
			"0-4 live>9 9>20 20>9 9>live 30-39"},
		"a range behind the page": {nil, func(b *request.Builder) { b.DeleteRange(sliceOf(cut(20, false), cut(30, false)), young) },
			"0-19 live>9 9>live 30-39"},
		"a range over it": {nil, func(b *request.Builder) { b.DeleteRange(sliceOf(cut(3, false), cut(30, false)), young) },
			"0-7 live>9 9>live 30-39"},
		"the partition": {nil, func(b *request.Builder) { b.DeletePartition(young) }, "0-7 live>9 9>live"},
		"a range that was there": {func(b *request.Builder) { b.DeleteRange(sliceOf(cut(5, false), cut(30, false)), old) },
			func(b *request.Builder) { b.DeleteRange(sliceOf(cut(0, false), cut(20, false)), young) },
			"0-4 live>1 5-7 1>9 9>1 20-29 1>live 30-39"},
		"the rest of a range that was there": {func(b *request.Builder) { b.DeleteRange(sliceOf(cut(5, false), cut(30, false)), old) },
			func(b *request.Builder) { b.DeleteRange(sliceOf(cut(0, false), cut(39, true)), young) },
			"0-4 live>1 5-7 1>9 9>live"},
	} {
		m := memtable.New(table)
		key := intValue(1)
		tok := token.Murmur3{}.Token(key)
		apply := func(f func(b *request.Builder)) {
			var b request.Builder
			b.Reset(table, key, tok)
			f(&b)
			mut := b.Mutation()
			if err := m.Apply(&mut); err != nil {
				t.Fatal(err)
			}
		}
		apply(func(b *request.Builder) {
			for i := range rows {
				b.Row(full(i))
				b.Liveness(row.Liveness{Timestamp: 5, Expiry: row.NoLocal})
			}
			if x.before != nil {
				x.before(b)
			}
		})
		p := m.Lookup(tok, key, nil, false)
		var check CheckedRows
		check.Reset(l, p.Rows, false)
		got, from, last, count := "", -1, -1, 0
		flush := func() {
			if from >= 0 {
				got += fmt.Sprintf(" %d-%d", from, last)
			}
			from = -1
		}
		for u := check.Next(); u != nil; u = check.Next() {
			if u.Row != nil {
				last = int(u.Row.Clustering[0][3])
				if from < 0 {
					from = last
				}
				if count++; count == 5 { // the first page has 8
					apply(x.after)
				}
				continue
			}
			flush()
			short := func(d row.Deletion) string {
				if d.IsLive() {
					return "live"
				}
				return fmt.Sprint(d.Timestamp)
			}
			got += " " + short(u.Marker.Closed) + ">" + short(u.Marker.Opened)
		}
		flush()
		if check.Err() != nil || got != " "+x.want {
			t.Errorf("%s: %s, want %s; %v", name, got, x.want, check.Err())
		}
	}
}
