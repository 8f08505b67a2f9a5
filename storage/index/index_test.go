package index

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// column returns a column of the test table, which has one partition key and one clustering column, descending.
func column(kind schema.ColumnKind, t *types.Type) *schema.Column {
	return &schema.Column{ID: 5, Kind: kind, Type: t}
}

func testTable() *schema.Table {
	return &schema.Table{
		PartitionKey: []*schema.Column{{ID: 1, Type: types.TBlob}},
		Clustering:   []*schema.Column{{ID: 2, Kind: schema.Clustering, Type: types.TInt, Desc: true}},
	}
}

func num(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

// TestPage compares pages of every size with a sorted list of all entries, for tokens with and without a rest.
func TestPage(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for _, p := range []token.Partitioner{token.Murmur3{}, token.ByteOrdered{}} {
		x := New(testTable(), &schema.Index{Column: column(schema.Regular, types.TInt)})
		all := map[string][]Entry{}
		less := func(a, b Entry) int { return x.entries.(*tree).compareEntries(a, b) }
		for range 5000 {
			value := fmt.Sprintf("value %d", r.IntN(40))
			key := []byte(fmt.Sprintf("a long common beginning %d", r.IntN(60)))
			e := Entry{Token: p.Token(key), Key: key, Clustering: row.AppendValues(nil, [][]byte{num(r.IntN(20) - 10)})}
			if r.IntN(10) == 0 {
				e.Clustering = nil
			}
			x.Add([]byte(value), e)
			if at, found := slices.BinarySearchFunc(all[value], e, less); !found {
				all[value] = slices.Insert(all[value], at, e)
			}
		}
		same := func(a, b Entry) bool {
			return a.Token == b.Token && bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Clustering, b.Clustering)
		}
		for value, want := range all {
			for _, limit := range []int{1, 3, 1000} {
				var got []Entry
				from, inclusive := Entry{}, true
				for {
					page, _ := x.Page(nil, []byte(value), from, inclusive, limit)
					got = append(got, page...)
					if len(page) < limit {
						break
					}
					from, inclusive = page[limit-1], false
				}
				if !slices.EqualFunc(got, want, same) {
					t.Fatalf("%s in pages of %d: %d entries, want %d", value, limit, len(got), len(want))
				}
			}
			i := r.IntN(len(want))
			if page, _ := x.Page(nil, []byte(value), want[i], true, 1); len(page) != 1 || !same(page[0], want[i]) {
				t.Fatalf("%s from entry %d on: %v", value, i, page)
			}
		}
		if page, _ := x.Page(nil, []byte("never"), Entry{}, true, 5); len(page) != 0 {
			t.Errorf("a value that was never written has %d entries", len(page))
		}
	}
}

// TestTerms holds what each kind of index holds of a row.
func TestTerms(t *testing.T) {
	ints := types.MapOf(types.TInt, types.TInt, false)
	cells := []row.Cell{
		{Column: 5, Path: num(1), Value: num(10), Local: row.NoLocal}, {Column: 5, Path: num(2), Value: num(20), TTL: 1, Local: 3},
		{Column: 5, Path: num(3), Local: 3},
	}
	simple := []row.Cell{{Column: 4, Value: num(1), Local: row.NoLocal}, {Column: 5, Value: num(7), Local: row.NoLocal}}
	for _, v := range []struct {
		name   string
		column *schema.Column
		target schema.IndexTarget
		static bool
		cells  []row.Cell
		want   [][]byte
	}{
		{"regular", column(schema.Regular, types.TInt), schema.TargetSimple, false, simple, [][]byte{num(7)}},
		{"regular of a static row", column(schema.Regular, types.TInt), schema.TargetSimple, true, simple, nil},
		{"static", column(schema.Static, types.TInt), schema.TargetSimple, true, simple, [][]byte{num(7)}},
		{"static of a row", column(schema.Static, types.TInt), schema.TargetSimple, false, simple, nil},
		{"full", column(schema.Regular, ints.Freeze()), schema.TargetFull, false, simple, [][]byte{num(7)}},
		{"map keys", column(schema.Regular, ints), schema.TargetKeys, false, cells, [][]byte{num(1), num(2)}},
		{"map values", column(schema.Regular, ints), schema.TargetValues, false, cells, [][]byte{num(10), num(20)}},
		{"map entries", column(schema.Regular, ints), schema.TargetEntries, false, cells,
			[][]byte{request.IndexTerm(num(1), num(10)), request.IndexTerm(num(2), num(20))}},
		{"set values", column(schema.Regular, types.SetOf(types.TInt, false)), schema.TargetValues, false, cells,
			[][]byte{num(1), num(2)}},
		{"list values", column(schema.Regular, types.ListOf(types.TInt, false)), schema.TargetValues, false, cells,
			[][]byte{num(10), num(20)}},
		{"clustering", &schema.Column{ID: 2, Kind: schema.Clustering, Type: types.TInt}, schema.TargetSimple, false, simple,
			[][]byte{num(-1)}},
		{"partition key", &schema.Column{ID: 1, Kind: schema.PartitionKey, Type: types.TBlob}, schema.TargetSimple, false, simple,
			[][]byte{[]byte("key")}},
	} {
		x := New(testTable(), &schema.Index{Column: v.column, Target: v.target})
		tok := token.Murmur3{}.Token([]byte("key"))
		r := &row.Row{Clustering: [][]byte{num(-1)}, Cells: v.cells}
		x.AddPartition(tok, []byte("key"))
		x.AddRow(tok, []byte("key"), v.static, row.AppendValues(nil, r.Clustering), r)
		found := 0
		for _, term := range [][]byte{num(-1), num(1), num(2), num(3), num(7), num(10), num(20), {}, []byte("key"),
			request.IndexTerm(num(1), num(10)), request.IndexTerm(num(2), num(20)), request.IndexTerm(num(3), nil)} {
			page, _ := x.Page(nil, term, Entry{}, true, 9)
			got := len(page) == 1
			if want := slices.ContainsFunc(v.want, func(w []byte) bool { return bytes.Equal(w, term) }); got != want {
				t.Errorf("%s: %x is there: %v", v.name, term, got)
			}
			if got {
				found++
				if f, ok := x.Filter(term); !ok || f.Column != v.column {
					t.Errorf("%s: %x is no term", v.name, term)
				}
			}
		}
		if found != len(v.want) {
			t.Errorf("%s: %d terms found, want %d", v.name, found, len(v.want))
		}
	}
	entries := New(testTable(), &schema.Index{Column: column(schema.Regular, ints), Target: schema.TargetEntries})
	if _, ok := entries.Filter([]byte("x")); ok {
		t.Error("a malformed term of an index on entries is one")
	}
}

func BenchmarkAdd(b *testing.B) {
	x := New(testTable(), &schema.Index{Column: column(schema.Regular, types.TInt)})
	r := rand.New(rand.NewPCG(1, 1))
	key := []byte(strings.Repeat("k", 16))
	clustering := row.AppendValues(nil, [][]byte{num(1)})
	b.ReportAllocs()
	for b.Loop() {
		binary.BigEndian.PutUint64(key, r.Uint64())
		x.Add(num(r.IntN(1000)), Entry{Token: token.Murmur3{}.Token(key), Key: key, Clustering: clustering})
	}
}
