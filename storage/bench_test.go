package storage

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

func benchTable() *schema.Table {
	return newTable("bench",
		col{"p", schema.PartitionKey, types.TBlob, false}, col{"c", schema.Clustering, types.TBigint, false},
		col{"v1", schema.Regular, types.TBlob, false},
		col{"v2", schema.Regular, types.TBlob, false}, col{"v3", schema.Regular, types.TBlob, false})
}

// writer makes mutations of one row of three cells.
type writer struct {
	b          request.Builder
	t          *schema.Table
	key        [16]byte
	c          [8]byte
	clustering [1][]byte
	value      [33]byte
	ms         [1]request.Mutation
}

func (w *writer) make(key, clustering uint64) []request.Mutation {
	binary.BigEndian.PutUint64(w.key[:], key)
	binary.BigEndian.PutUint64(w.c[:], clustering)
	w.clustering[0] = w.c[:]
	w.b.Reset(w.t, w.key[:], token.Murmur3{}.Token(w.key[:]))
	w.b.Row(w.clustering[:])
	w.b.Liveness(row.Liveness{Timestamp: 1 << 50, Expiry: row.NoLocal})
	for id := schema.ColumnID(3); id <= 5; id++ {
		w.b.Cell(row.Cell{Column: id, Value: w.value[:], Timestamp: 1 << 50, Local: row.NoLocal})
	}
	w.ms[0] = w.b.Mutation()
	return w.ms[:]
}

func benchEngine(b testing.TB, opts Options) (*Engine, *writer) {
	t := benchTable()
	e, err := Open(b.TempDir(), opts)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	if _, err := e.Replay(snapshotOf(t)); err != nil {
		b.Fatal(err)
	}
	return e, &writer{t: t}
}

func BenchmarkApply(b *testing.B) {
	e, w := benchEngine(b, Options{})
	r := rand.New(rand.NewPCG(1, 1))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Apply(w.make(r.Uint64N(1<<20), 1)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkApplyBatch64 is 64 writers that wait for the disk.
func BenchmarkApplyBatch64(b *testing.B) {
	e, w := benchEngine(b, Options{Sync: SyncBatch})
	var n atomic.Uint64
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		w := &writer{t: w.t}
		for pb.Next() {
			c, err := e.Apply(w.make(n.Add(1), 1))
			if err != nil || c.Wait() != nil {
				b.Fatal(err)
			}
		}
	})
}

// fill writes partitions of rows each.
func fill(b testing.TB, e *Engine, w *writer, partitions, rows int) {
	for p := range partitions {
		for c := range rows {
			if _, err := e.Apply(w.make(uint64(p), uint64(c))); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// readAll drains a read and returns its rows.
func readAll(b testing.TB, e *Engine, r *request.Read) int {
	it, err := e.Read(context.Background(), r)
	if err != nil {
		b.Fatal(err)
	}
	live := row.LiveFilter(it, r.Now)
	n := 0
	for live.NextPartition() {
		live.Static()
		for live.NextRow() != nil {
			n++
		}
	}
	if live.Err() != nil {
		b.Fatal(live.Err())
	}
	live.Close()
	return n
}

func BenchmarkPointRead(b *testing.B) {
	e, w := benchEngine(b, Options{})
	fill(b, e, w, 100_000, 1)
	r := rand.New(rand.NewPCG(1, 1))
	var key [16]byte
	keys := [][]byte{key[:]}
	point := row.Bound{Values: [][]byte{make([]byte, 8)}, Inclusive: true}
	rd := request.Read{Table: w.t, Keys: keys, Slices: []row.Slice{{Start: point, End: point}}, Now: 1}
	b.ReportAllocs()
	for b.Loop() {
		binary.BigEndian.PutUint64(key[:], r.Uint64N(100_000))
		if readAll(b, e, &rd) != 1 {
			b.Fatal("row is lost")
		}
	}
}

func BenchmarkSlice100(b *testing.B) {
	e, w := benchEngine(b, Options{})
	fill(b, e, w, 100, 1000)
	key := make([]byte, 16)
	bound := func(v int64) row.Bound { return row.Bound{Values: [][]byte{int64Value(v)}, Inclusive: true} }
	rd := request.Read{Table: w.t, Keys: [][]byte{key}, Slices: []row.Slice{{Start: bound(300), End: bound(399)}}, Now: 1}
	b.ReportAllocs()
	for b.Loop() {
		if readAll(b, e, &rd) != 100 {
			b.Fatal("rows are lost")
		}
	}
}

func BenchmarkScan(b *testing.B) {
	e, w := benchEngine(b, Options{})
	fill(b, e, w, 100_000, 1)
	open := request.KeyBound{Open: true}
	rd := request.Read{Table: w.t, Range: request.KeyRange{Start: open, End: open}, Now: 1}
	b.ReportAllocs()
	for b.Loop() {
		if readAll(b, e, &rd) != 100_000 {
			b.Fatal("rows are lost")
		}
	}
}

// BenchmarkWidePartition is inserts in random order into one partition.
func BenchmarkWidePartition(b *testing.B) {
	e, w := benchEngine(b, Options{})
	r := rand.New(rand.NewPCG(1, 1))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Apply(w.make(1, r.Uint64())); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAllocations holds what the hot paths may allocate.
func TestAllocations(t *testing.T) {
	e, w := benchEngine(t, Options{})
	fill(t, e, w, 1000, 1)
	n := uint64(0)
	apply := testing.AllocsPerRun(2000, func() {
		n++
		if _, err := e.Apply(w.make(n%1000, n)); err != nil {
			t.Fatal(err)
		}
	})
	if apply > 2 {
		t.Errorf("Apply of a one-row insert, with its Builder: %v allocations, at most 2", apply)
	}
	point := row.Bound{Values: [][]byte{make([]byte, 8)}, Inclusive: true}
	rd := request.Read{Table: w.t, Keys: [][]byte{make([]byte, 16)}, Slices: []row.Slice{{Start: point, End: point}}, Now: 1}
	read := testing.AllocsPerRun(1000, func() { readAll(t, e, &rd) })
	if read > 6 {
		t.Errorf("read of one row: %v allocations, at most 6", read)
	}
	t.Logf("apply %v, read %v", apply, read)
}
