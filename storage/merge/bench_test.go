package merge

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/memtable"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// benchValue is the value of the two cells of a row of about 200 bytes.
var benchValue = make([]byte, 96)

// generated is a source of partitions that are made as they are read, at no cost: rows first, first+step, ... of each.
type generated struct {
	partitions, rows, first, step int
	n                             int
	part                          row.Partition
	of                            generatedRows
	key                           [8]byte
}

type generatedRows struct {
	i, end, step int
	u            row.Unfiltered
	row          row.Row
	clustering   [2][4]byte
	values       [2][]byte
	cells        [2]row.Cell
}

func (s *generated) Next() *row.Partition {
	if s.n == s.partitions {
		return nil
	}
	s.n++
	binary.BigEndian.PutUint64(s.key[:], uint64(s.n))
	r := &s.of
	r.i, r.end, r.step = s.first, s.rows, s.step
	r.values = [2][]byte{r.clustering[0][:], r.clustering[1][:]}
	s.part = row.Partition{Key: s.key[:], Token: token.Token{Prefix: uint64(s.n)}, Deletion: row.Live, Rows: r}
	return &s.part
}

func (s *generated) Err() error { return nil }
func (s *generated) Close()     {}

func (r *generatedRows) Next() *row.Unfiltered {
	if r.i >= r.end {
		return nil
	}
	binary.BigEndian.PutUint32(r.clustering[0][:], uint32(r.i))
	r.i += r.step
	r.cells = [2]row.Cell{{Column: colA, Value: benchValue, Timestamp: 5, Local: row.NoLocal},
		{Column: colB, Value: benchValue, Timestamp: 5, Local: row.NoLocal}}
	r.row = row.Row{Clustering: r.values[:], Liveness: row.Liveness{Timestamp: 5, Expiry: row.NoLocal}, Deletion: row.Live,
		Cells: r.cells[:]}
	r.u.Row = &r.row
	return &r.u
}

func (r *generatedRows) Err() error { return nil }

// drain reads a source and returns its rows.
func drain(b testing.TB, src row.Source) int {
	n := 0
	for p := src.Next(); p != nil; p = src.Next() {
		for p.Rows.Next() != nil {
			n++
		}
	}
	if src.Err() != nil {
		b.Fatal(src.Err())
	}
	src.Close()
	return n
}

// BenchmarkMerge merges rows of 200 bytes: an operation is a row that comes out.
func BenchmarkMerge(b *testing.B) {
	l := row.NewLayout(simpleTable())
	const partitions, rows = 10, 1000
	for _, x := range []struct {
		name    string
		sources int
		first   func(i int) int // of the rows of source i; it has every step-th
		step    int
	}{
		{"sources=1", 1, func(int) int { return 0 }, 1},
		{"sources=4/disjoint", 4, func(i int) int { return i }, 4},
		{"sources=4/equal", 4, func(int) int { return 0 }, 1},
		{"sources=32/disjoint", 32, func(i int) int { return i }, 32},
	} {
		for _, purge := range []bool{false, true} {
			name := x.name
			if purge {
				name += "/purge"
			}
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				done := 0
				for b.Loop() {
					if done > 0 { // an operation is a row
						done--
						continue
					}
					var list []row.Source
					for i := range x.sources {
						list = append(list, &generated{partitions: partitions, rows: rows, first: x.first(i), step: x.step})
					}
					src := Sources(l, list)
					if purge {
						src = Purge(src, Purger{Now: 10, GCBefore: 5})
					}
					if done = drain(b, src) - 1; done != partitions*rows-1 {
						b.Fatal(done)
					}
				}
			})
		}
	}
}

// benchTables are memtables of 200-byte rows, each with the same partitions and a share of their rows.
func benchTables(b testing.TB, t *schema.Table, tables, partitions, rows int, same bool) []*memtable.Table {
	var list []*memtable.Table
	var builder request.Builder
	for i := range tables {
		m := memtable.New(t)
		for p := range partitions {
			key := intValue(p)
			builder.Reset(t, key, token.Murmur3{}.Token(key))
			for c := range rows {
				if !same && c%tables != i {
					continue
				}
				builder.Row([][]byte{intValue(c), intValue(0)})
				ts := int64(tables - i)
				builder.Liveness(row.Liveness{Timestamp: ts, Expiry: row.NoLocal})
				builder.Cell(row.Cell{Column: colA, Value: benchValue, Timestamp: ts, Local: row.NoLocal})
				builder.Cell(row.Cell{Column: colB, Value: benchValue, Timestamp: ts, Local: row.NoLocal})
			}
			mut := builder.Mutation()
			if err := m.Apply(&mut); err != nil {
				b.Fatal(err)
			}
		}
		list = append(list, m)
	}
	return list
}

// BenchmarkPoint reads a row that four memtables have: merged from all of them, and as a read of names that finds it
// complete in the first.
func BenchmarkPoint(b *testing.B) {
	table := simpleTable()
	l := row.NewLayout(table)
	const partitions = 10_000
	tables := benchTables(b, table, 4, partitions, 1, true)
	at := row.Bound{Values: [][]byte{intValue(0), intValue(0)}, Inclusive: true}
	slices := []row.Slice{{Start: at, End: at}}
	read := func(b *testing.B, p *row.Partition) {
		it := row.LiveFilter(Rows(context.Background(), l, &oneSource{part: p}), 1)
		if !it.NextPartition() || it.NextRow() == nil || it.NextRow() != nil {
			b.Fatal("no row")
		}
	}
	columns := []schema.ColumnID{colA, colB}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			key := intValue(i % partitions)
			read(b, tables[0].Lookup(token.Murmur3{}.Token(key), key, slices, false))
		}
	})
	b.Run("merged", func(b *testing.B) {
		b.ReportAllocs()
		parts := make([]*row.Partition, len(tables))
		for i := 0; b.Loop(); i++ {
			key := intValue(i % partitions)
			tok := token.Murmur3{}.Token(key)
			for k, m := range tables {
				parts[k] = m.Lookup(tok, key, slices, false)
			}
			read(b, Partitions(l, parts, false))
		}
	})
	b.Run("names", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			key := intValue(i % partitions)
			tok := token.Murmur3{}.Token(key)
			n := NewNames(l, slices, columns, 1)
			for k, m := range tables {
				if !n.Reduce(int64(len(tables) - k)) {
					break
				}
				if err := n.Add(m.Lookup(tok, key, n.Slices(), false)); err != nil {
					b.Fatal(err)
				}
			}
			read(b, n.Partition(false))
		}
	})
}

// BenchmarkMemtableSource scans a memtable as a flush does: an operation is a row of 200 bytes.
func BenchmarkMemtableSource(b *testing.B) {
	for _, x := range []struct {
		name             string
		partitions, rows int
	}{{"narrow", 20_000, 1}, {"wide", 20, 1000}} {
		b.Run(x.name, func(b *testing.B) {
			m := benchTables(b, simpleTable(), 1, x.partitions, x.rows, true)[0]
			open := request.KeyBound{Open: true}
			done := 0
			b.ReportAllocs()
			for b.Loop() {
				if done > 0 {
					done--
					continue
				}
				if done = drain(b, m.Source(request.KeyRange{Start: open, End: open})) - 1; done != x.partitions*x.rows-1 {
					b.Fatal(done)
				}
			}
		})
	}
}
