package storage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/index"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// found returns how many rows an index read finds.
func found(t testing.TB, e *Engine, table *schema.Table, x *schema.Index, term []byte) int {
	t.Helper()
	r := everythingOf(table)
	r.Index, r.Term = x, term
	return readAll(t, e, r)
}

// TestIndexOnDisk follows an index over its life: made on a table with data, flushed with it, there at once after a restart,
// compacted, emptied by a truncation, and gone with its files when it is dropped.
func TestIndexOnDisk(t *testing.T) {
	plain := kvTable("a")
	x := indexOn(plain, "v", schema.TargetSimple)
	table := withIndexes(plain, x)
	fs := vfs.NewMem()
	opts := Options{FS: fs, Sync: SyncBatch}
	e, _ := mustOpen(t, "/d", opts, plain)
	for i := range 100 {
		mustApply(t, e, kv(plain, i, 1, i%5, 1))
	}
	mustFlush(t, e)
	e.SetSchema(snapshotOf(table))
	if err := e.BuildIndex(context.Background(), table.ID, x.Name); err != nil {
		t.Fatal(err)
	}
	check := func(want ...int) {
		t.Helper()
		var got []int
		for v := range want {
			got = append(got, found(t, e, table, x, int32Value(v)))
		}
		if !slices.Equal(got, want) {
			t.Errorf("found %v, want %v", got, want)
		}
	}
	restart := func() {
		t.Helper()
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e, _ = mustOpen(t, "/d", opts, table)
		if !e.IndexBuilt(table.ID, x.Name) {
			t.Error("the index is not there after a restart")
		}
	}
	check(20, 20, 20, 20, 20)
	restart()
	check(20, 20, 20, 20, 20)
	if n := e.store(table.ID).view.Load().entryStores()[0].view.Load().mem.Partitions(); n != 0 {
		t.Errorf("%d values are in memory", n)
	}
	for i := range 50 {
		mustApply(t, e, kv(table, i, 1, 4, 2))
	}
	check(10, 10, 10, 10, 60) // what is stale is removed
	mustFlush(t, e)
	restart()
	check(10, 10, 10, 10, 60)
	entries := func(v int) int {
		page, err := e.store(table.ID).view.Load().index(x.Name).Page(nil, int32Value(v), index.Entry{}, true, 1000)
		if err != nil {
			t.Fatal(err)
		}
		return len(page)
	}
	if entries(0) != 10 {
		t.Errorf("%d entries are left of a value that 10 rows have", entries(0))
	}
	if err := e.Compactions().Major(context.Background(), indexID(table, x), false); err != nil {
		t.Fatal(err)
	}
	check(10, 10, 10, 10, 60)
	restart()
	check(10, 10, 10, 10, 60)
	if err := e.Truncate(table.ID); err != nil {
		t.Fatal(err)
	}
	mustApply(t, e, kv(table, 1, 1, 3, 9))
	mustFlush(t, e)
	restart()
	if check(0, 0, 0, 1, 0); entries(4) != 0 {
		t.Error("the index holds what was before a truncation")
	}
	dir := tableDir("/d", table) + "/." + x.Name
	if names, _ := fs.List(dir); len(names) == 0 {
		t.Error("the index has no files")
	}
	e.SetSchema(snapshotOf(plain))
	waitFor(t, func() bool { names, _ := fs.List(dir); return len(names) == 0 })
	e.SetSchema(snapshotOf(table))
	if err := e.BuildIndex(context.Background(), table.ID, x.Name); err != nil {
		t.Fatal(err)
	}
	check(0, 0, 0, 1, 0)
	e.SetSchema(snapshotOf())
	waitFor(t, func() bool { _, err := fs.Stat(tableDir("/d", table)); return err != nil })
	e.Close()
}

// TestIndexMemoryBounded writes many times the memory that memtables may take to a table with an index.
func TestIndexMemoryBounded(t *testing.T) {
	plain := kvTable("a")
	x := indexOn(plain, "v", schema.TargetSimple)
	table := withIndexes(plain, x)
	opts := Options{FS: vfs.NewMem(), SegmentSize: 1 << 20, MemtableSpace: 2 << 20, LogSpace: 8 << 20}
	e, _ := mustOpen(t, "/d", opts, table)
	const n = 16_000
	for i := range n {
		mustApply(t, e, kv(table, i, 1, i%1000, 1))
	}
	if s := e.MemoryBytes(); s > 4<<20 {
		t.Errorf("%d bytes in memory", s)
	}
	for range 2 {
		for v := range 5 {
			if got := found(t, e, table, x, int32Value(v)); got != n/1000 {
				t.Errorf("found %d rows", got)
			}
		}
		e.Close()
		e, _ = mustOpen(t, "/d", opts, table)
	}
	e.Close()
}

// TestIndexEntries compares the entries of an index on disk, with random additions, removals, flushes and restarts between them,
// with those of one in memory: pages of any size from any place are the same.
func TestIndexEntries(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 0))
		plain := newTable("t", col{"p", schema.PartitionKey, types.TInt, false}, col{"c", schema.Clustering, types.TInt, true},
			col{"v", schema.Regular, types.TText, false})
		x := indexOn(plain, "v", schema.TargetSimple)
		table := withIndexes(plain, x)
		opts := Options{FS: vfs.NewMem(), Sync: SyncBatch}
		e, _ := mustOpen(t, "/d", opts, table)
		model := index.New(table, x)
		value := func() []byte {
			if n := r.IntN(4); n > 0 {
				return []byte(strings.Repeat("v", n-1))
			}
			return []byte(strings.Repeat("w", maxKeptValue+r.IntN(2)))
		}
		entry := func() index.Entry {
			key := int32Value(r.IntN(5))
			return index.Entry{Token: token.Murmur3{}.Token(key), Key: key, Clustering: row.AppendValues(nil, [][]byte{int32Value(r.IntN(5))})}
		}
		for range 300 {
			here := e.store(table.ID).view.Load().index(x.Name)
			switch n := r.IntN(20); {
			case n < 10:
				v, en := value(), entry()
				model.Add(v, en)
				e.addIndexed(func() { here.Add(v, en) })
			case n < 14:
				v, en := value(), entry()
				model.Remove(v, en)
				e.addIndexed(func() { here.Remove(v, en) })
			case n == 14:
				mustFlush(t, e)
			case n == 15:
				mustFlush(t, e)
				e.Close()
				e, _ = mustOpen(t, "/d", opts, table)
			default:
				v, from, inclusive, limit := value(), entry(), r.IntN(2) == 0, 1+r.IntN(8)
				if r.IntN(3) == 0 {
					from, inclusive = index.Entry{}, true
				}
				want, _ := model.Page(nil, v, from, inclusive, limit)
				got, err := here.Page(nil, v, from, inclusive, limit)
				if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("seed %d: page of %.5q from %v gives\n%v, %v\nwant\n%v", seed, v, from, got, err, want)
				}
			}
		}
		e.Close()
	}
}
