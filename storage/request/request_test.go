package request

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/row"
)

// testTable has one column of every kind and of several structures; ids follow their order.
func testTable() *schema.Table {
	t := &schema.Table{Name: "t", ByID: map[schema.ColumnID]*schema.Column{}, ID: schema.UUID{1, 2, 3}}
	add := func(kind schema.ColumnKind, typ *types.Type, list *[]*schema.Column) {
		c := &schema.Column{ID: schema.ColumnID(len(t.ByID) + 1), Kind: kind, Type: typ, Position: len(*list), DroppedAt: math.MinInt64}
		t.ByID[c.ID] = c
		*list = append(*list, c)
	}
	add(schema.PartitionKey, types.TInt, &t.PartitionKey)
	add(schema.PartitionKey, types.TText, &t.PartitionKey)
	add(schema.Clustering, types.TInt, &t.Clustering)
	add(schema.Static, types.TInt, &t.Static)
	add(schema.Regular, types.TInt, &t.Regular)
	add(schema.Regular, types.TText, &t.Regular)
	add(schema.Regular, types.SetOf(types.TInt, false), &t.Regular)
	add(schema.Regular, types.MapOf(types.TText, types.TInt, false), &t.Regular)
	add(schema.Regular, types.ListOf(types.TInt, true), &t.Regular)
	add(schema.Regular, types.MapOf(types.TText, types.TInt, true), &t.Regular)
	add(schema.Regular, types.ListOf(types.TInt, false), &t.Regular)
	return t
}

func num(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

func cell(id schema.ColumnID, path, value []byte, ts int64) row.Cell {
	return row.Cell{Column: id, Path: path, Value: value, Timestamp: ts, Local: row.NoLocal}
}

// print walks a mutation and prints it.
func print(t testing.TB, m *Mutation) string {
	t.Helper()
	var b bytes.Buffer
	c := m.Changes()
	for c.Next() {
		switch {
		case c.Range:
			s, e := c.Slice.Start, c.Slice.End
			fmt.Fprintf(&b, "range %x/%v %x/%v %v\n", s.Values, s.Inclusive, e.Values, e.Inclusive, c.Deletion)
			continue
		case !c.Row && !c.Static:
			fmt.Fprintf(&b, "partition %v\n", c.Deletion)
			continue
		}
		in := row.Reader{B: c.Encoded}
		var r row.Row
		if c.Row {
			r.Clustering = in.Values(nil, 9)
			fmt.Fprintf(&b, "row %x", r.Clustering)
		} else {
			b.WriteString("static")
		}
		in.Body(&r)
		if in.Bad || len(in.B) > 0 {
			t.Fatal("malformed row")
		}
		if r.Liveness != row.NoLiveness {
			fmt.Fprintf(&b, " marker %d/%d", r.Liveness.Timestamp, r.Liveness.TTL)
		}
		if !r.Deletion.IsLive() {
			fmt.Fprintf(&b, " deleted %v", r.Deletion)
		}
		for _, d := range r.Complex {
			fmt.Fprintf(&b, " complex %d %v", d.Column, d.Deletion)
		}
		for _, x := range r.Cells {
			fmt.Fprintf(&b, " %d[%x]=%x@%d", x.Column, x.Path, x.Value, x.Timestamp)
		}
		b.WriteByte('\n')
	}
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestBuilder holds what a builder makes: cells sorted, duplicates merged, everything copied, and the same again when it is
// used again.
func TestBuilder(t *testing.T) {
	table := testTable()
	var b Builder
	key, value, clustering := []byte("key"), []byte("value"), num(7)
	for range 2 {
		b.Reset(table, key, token.FromInt64(5))
		b.DeletePartition(row.Deletion{Timestamp: 1, Local: 2})
		b.Row([][]byte{clustering})
		b.Liveness(row.Liveness{Timestamp: 9, TTL: 60, Expiry: 1060})
		b.Liveness(row.Liveness{Timestamp: 8, Expiry: row.NoLocal})
		b.Cell(cell(8, []byte("b"), num(1), 9))
		b.Cell(cell(8, []byte("a"), num(2), 9))
		b.Cell(cell(7, num(3), nil, 9))
		b.Cell(cell(7, num(-3), nil, 9))
		b.Cell(cell(6, nil, value, 9))
		b.Cell(cell(5, nil, num(1), 9))
		b.Cell(cell(5, nil, num(-1), 9)) // the same timestamp: the greater bytes
		b.DeleteComplex(8, row.Deletion{Timestamp: 8, Local: 3})
		b.DeleteComplex(7, row.Deletion{Timestamp: 7, Local: 3})
		b.DeleteComplex(8, row.Deletion{Timestamp: 7, Local: 3})
		b.Static()
		b.Cell(row.Cell{Column: 4, Timestamp: 4, Local: 44})
		from := row.Bound{Values: [][]byte{num(1)}}
		b.DeleteRange(row.Slice{Start: from, End: row.Bound{Inclusive: true}}, row.Deletion{Timestamp: 3, Local: 4})
		b.Row([][]byte{num(8)})
		b.DeleteRow(row.Deletion{Timestamp: 6, Local: 7})
		m := b.Mutation()
		value[0], clustering[3], key[0] = 'V', 9, 'K'
		b.Reset(table, []byte("other"), token.Token{})
		b.Row([][]byte{num(1)})
		b.Cell(cell(6, nil, []byte("#######################"), 1))
		b.Mutation()
		want := `partition {1 2}
row [00000007] marker 9/60 complex 7 {7 3} complex 8 {8 3} 5[]=ffffffff@9 6[]=76616c7565@9` +
			` 7[fffffffd]=@9 7[00000003]=@9 8[61]=00000002@9 8[62]=00000001@9
static 4[]=@4
range [00000001]/false []/true {3 4}
row [00000008] deleted {6 7}
`
		if got := print(t, &m); got != want || string(m.Key) != "key" || m.Token != token.FromInt64(5) || m.Counter {
			t.Errorf("key %q:\n%swant\n%s", m.Key, got, want)
		}
		value[0], clustering[3], key[0] = 'v', 7, 'k'
	}
}

// TestView holds that a view is the mutation without a copy, and that a clone of it stays when the builder goes on.
func TestView(t *testing.T) {
	var b Builder
	build := func() {
		b.Reset(testTable(), []byte("key"), token.FromInt64(5))
		b.Row([][]byte{num(1)})
		b.Cell(cell(6, nil, []byte("value"), 9))
	}
	build()
	want := b.Mutation()
	build()
	view := b.View()
	kept := Clone([]Mutation{view})[0]
	if string(view.Data) != string(want.Data) || string(b.Key()) != "key" || &view.Data[0] != &b.out[0] {
		t.Errorf("%x of key %q, want %x", view.Data, b.Key(), want.Data)
	}
	b.Reset(testTable(), []byte("other"), token.Token{})
	b.DeletePartition(row.Deletion{Timestamp: 7, Local: 8})
	b.View()
	if got := print(t, &kept); got != print(t, &want) || string(kept.Key) != "key" || kept.Token != want.Token {
		t.Errorf("the clone became %s of key %q", got, kept.Key)
	}
}

// TestCounterDelta holds that increments add up, wrap, and mark the mutation.
func TestCounterDelta(t *testing.T) {
	table := testTable()
	table.Counter = true
	var b Builder
	b.Reset(table, []byte("k"), token.Token{})
	b.Row([][]byte{num(1)})
	b.CounterDelta(5, 3)
	b.CounterDelta(6, 1)
	b.CounterDelta(5, math.MaxInt64)
	b.CounterDelta(5, -1)
	m := b.Mutation()
	if got := print(t, &m); !m.Counter || got != "row [00000001] 5[]=8000000000000001@0 6[]=0000000000000001@0\n" {
		t.Errorf("counter %v: %s", m.Counter, got)
	}
	if b.Reset(table, []byte("k"), token.Token{}); b.Mutation().Counter {
		t.Error("the next mutation is a counter mutation too")
	}
}

// randomMutation makes a mutation of testTable.
func randomMutation(r *rand.Rand, table *schema.Table) Mutation {
	var b Builder
	key := make([]byte, r.IntN(200))
	b.Reset(table, key, token.Token{Prefix: r.Uint64(), Rest: "rest"[:r.IntN(5)]})
	for range r.IntN(4) {
		d := row.Deletion{Timestamp: r.Int64(), Local: r.Int64N(1 << 40)}
		switch r.IntN(5) {
		case 0:
			b.DeletePartition(d)
		case 1:
			b.DeleteRange(row.All, d)
		case 2:
			b.Static()
			b.Cell(cell(4, nil, num(r.IntN(9)), r.Int64()))
		default:
			b.Row([][]byte{num(r.IntN(9))})
			b.Cell(cell(5, nil, num(r.IntN(9)), r.Int64()))
			b.Cell(cell(7, num(r.IntN(9)), []byte{}, r.Int64()))
		}
	}
	return b.Mutation()
}

// TestRecord holds that records decode to what was encoded, that their size is known before, that tables that are gone are
// told, and that no prefix of a record decodes.
func TestRecord(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	table, gone := testTable(), testTable()
	gone.ID[0] = 99
	lookup := func(id schema.UUID) *schema.Table {
		if id == table.ID {
			return table
		}
		return nil
	}
	for range 300 {
		var ms []Mutation
		for range r.IntN(5) {
			m := randomMutation(r, table)
			if r.IntN(4) == 0 {
				m.Table = gone
			}
			ms = append(ms, m)
		}
		b := EncodeMutations([]byte("x"), ms)[1:]
		if len(b) != EncodedSize(ms) {
			t.Fatalf("%d bytes, announced as %d", len(b), EncodedSize(ms))
		}
		got, err := DecodeMutations(b, lookup)
		if err != nil || len(got) != len(ms) {
			t.Fatalf("%d mutations, %v", len(got), err)
		}
		for i, m := range ms {
			g := got[i]
			if want := m.Table; want == gone && g.Table != nil || want == table && g.Table != table {
				t.Fatalf("mutation %d has the wrong table", i)
			}
			if !bytes.Equal(g.Key, m.Key) || g.Token != m.Token || !bytes.Equal(g.Data, m.Data) || g.Counter != m.Counter {
				t.Fatalf("mutation %d: %+v, want %+v", i, g, m)
			}
			if g.Table != nil && g.Stats != m.Stats {
				t.Fatalf("mutation %d: stats %+v, built with %+v", i, g.Stats, m.Stats)
			}
		}
		for n := range b {
			if _, err := DecodeMutations(b[:n], lookup); err == nil {
				t.Fatalf("a record cut at %d of %d decodes", n, len(b))
			}
		}
	}
}

// TestFilter holds what each operator matches; a missing value matches nothing.
func TestFilter(t *testing.T) {
	table := testTable()
	key := []byte{0, 4, 0, 0, 0, 5, 0, 0, 2, 'a', 'b', 0}
	frozenList := append(num(2), append(append(num(4), num(1)...), append(num(4), num(2)...)...)...)
	frozenMap := append(num(1), append(append(num(1), 'k'), append(num(4), num(6)...)...)...)
	static := &row.Row{Cells: []row.Cell{cell(4, nil, num(4), 1)}}
	r := &row.Row{Clustering: [][]byte{num(-3)}, Cells: []row.Cell{
		cell(5, nil, num(-1), 1), cell(7, num(1), []byte{}, 1), cell(7, num(3), []byte{}, 1), cell(8, []byte("k"), num(6), 1),
		cell(9, nil, frozenList, 1), cell(10, nil, frozenMap, 1), cell(11, make([]byte, 16), num(8), 1),
	}}
	for i, v := range []struct {
		column schema.ColumnID
		op     Op
		key    []byte
		value  []byte
		want   bool
	}{
		{1, OpEQ, nil, num(5), true}, {1, OpEQ, nil, num(6), false},
		{2, OpGT, nil, []byte("aa"), true}, {2, OpLE, nil, []byte("aa"), false},
		{3, OpLT, nil, num(-2), true}, {3, OpGE, nil, num(-3), true}, {3, OpGT, nil, num(-3), false},
		{4, OpNEQ, nil, num(4), false}, {4, OpNEQ, nil, num(5), true},
		{5, OpEQ, nil, num(-1), true}, {5, OpLT, nil, num(0), true}, {6, OpNEQ, nil, []byte("x"), false}, {5, OpEQ, nil, nil, false},
		{7, OpContains, nil, num(3), true}, {7, OpContains, nil, num(2), false}, {7, OpContainsKey, nil, num(3), false},
		{8, OpContains, nil, num(6), true}, {8, OpContainsKey, nil, []byte("k"), true}, {8, OpContainsKey, nil, []byte("l"), false},
		{8, OpMapEntry, []byte("k"), num(6), true}, {8, OpMapEntry, []byte("k"), num(7), false},
		{9, OpContains, nil, num(2), true}, {9, OpContains, nil, num(3), false}, {9, OpEQ, nil, frozenList, true},
		{10, OpContains, nil, num(6), true}, {10, OpContainsKey, nil, []byte("k"), true}, {10, OpMapEntry, []byte("k"), num(6), true},
		{11, OpContains, nil, num(8), true}, {11, OpContains, nil, num(9), false},
	} {
		f := Filter{Column: table.ByID[v.column], Op: v.op, Key: v.key, Value: v.value}
		if got := f.Match(table, key, static, r); got != v.want {
			t.Errorf("%d: column %d, operator %d matches: %v", i, v.column, v.op, got)
		}
		if f.Column.Kind >= schema.Clustering && f.Match(table, key, nil, nil) {
			t.Errorf("%d: matches without a row", i)
		}
	}
	in := Filter{Column: table.ByID[5], Op: OpIN, Values: [][]byte{num(7), nil, num(-1)}}
	if !in.Match(table, key, static, r) {
		t.Error("IN does not match")
	}
	if in.Values = in.Values[:2]; in.Match(table, key, static, r) {
		t.Error("IN matches what is not in it")
	}
}

func TestKeyComponent(t *testing.T) {
	table := testTable()
	key := []byte{0, 4, 0, 0, 0, 5, 0, 0, 2, 'a', 'b', 0}
	if a, b := KeyComponent(table, key, 0), KeyComponent(table, key, 1); !bytes.Equal(a, num(5)) || string(b) != "ab" {
		t.Errorf("components are %x and %q", a, b)
	}
	for n := range key[:11] {
		if v := KeyComponent(table, key[:n], 1); v != nil {
			t.Errorf("a key cut at %d has the second component %x", n, v)
		}
	}
	table.PartitionKey = table.PartitionKey[:1]
	if v := KeyComponent(table, key, 0); !bytes.Equal(v, key) {
		t.Errorf("a single column is %x", v)
	}
}

func TestIndexTerm(t *testing.T) {
	k, v, ok := SplitIndexTerm(IndexTerm([]byte("key"), []byte("value")))
	if !ok || string(k) != "key" || string(v) != "value" {
		t.Errorf("%q %q %v", k, v, ok)
	}
	for _, bad := range [][]byte{nil, {0, 0, 0}, {0, 0, 0, 9, 1}} {
		if _, _, ok := SplitIndexTerm(bad); ok {
			t.Errorf("%x splits", bad)
		}
	}
}

// FuzzMutations decodes records of any bytes: mutations that can be walked to their end, or an error, never a panic.
func FuzzMutations(f *testing.F) {
	r := rand.New(rand.NewPCG(2, 1))
	table := testTable()
	for range 20 {
		f.Add(EncodeMutations(nil, []Mutation{randomMutation(r, table), randomMutation(r, table)}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ms, err := DecodeMutations(b, func(id schema.UUID) *schema.Table {
			if id == table.ID {
				return table
			}
			return nil
		})
		if err != nil {
			return
		}
		for i := range ms {
			if ms[i].Table == nil {
				ms[i].Table = &schema.Table{}
				continue
			}
			print(t, &ms[i])
		}
		if slices.ContainsFunc(ms, func(m Mutation) bool { return m.Table.ID != table.ID }) {
			return
		}
		again, err := DecodeMutations(EncodeMutations(nil, ms), func(schema.UUID) *schema.Table { return table })
		if err != nil || len(again) != len(ms) {
			t.Errorf("%d mutations became %d, %v", len(ms), len(again), err)
		}
	})
}

// BenchmarkBuilder makes a mutation of one row of three cells.
func BenchmarkBuilder(b *testing.B) {
	table := testTable()
	key, clustering, value := []byte("0123456789abcdef"), [][]byte{num(1)}, make([]byte, 33)
	var bd Builder
	b.ReportAllocs()
	for b.Loop() {
		bd.Reset(table, key, token.Token{})
		bd.Row(clustering)
		bd.Liveness(row.Liveness{Timestamp: 1 << 50, Expiry: row.NoLocal})
		bd.Cell(cell(5, nil, value, 1<<50))
		bd.Cell(cell(6, nil, value, 1<<50))
		bd.Cell(cell(9, nil, value, 1<<50))
		bd.Mutation()
	}
}
