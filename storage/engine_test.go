package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/index"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

func mustOpen(t testing.TB, dir string, opts Options, tables ...*schema.Table) (*Engine, Stats) {
	t.Helper()
	e, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	stats, err := e.Replay(snapshotOf(tables...))
	if err != nil {
		t.Fatal(err)
	}
	return e, stats
}

// put makes a mutation of one cell of the row (clustering, or static when it is nil) of a partition.
func put(t *schema.Table, key []byte, clustering [][]byte, c row.Cell) request.Mutation {
	var b request.Builder
	b.Reset(t, key, token.Murmur3{}.Token(key))
	if clustering == nil && len(t.Clustering) > 0 {
		b.Static()
	} else {
		b.Row(clustering)
	}
	b.Cell(c)
	return b.Mutation()
}

func mustApply(t testing.TB, e *Engine, ms ...request.Mutation) {
	t.Helper()
	c, err := e.Apply(ms)
	if err == nil {
		err = c.Wait()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// kvTable is p int, c int, v int.
func kvTable(name string) *schema.Table {
	return newTable(name, col{"p", schema.PartitionKey, types.TInt, false}, col{"c", schema.Clustering, types.TInt, false},
		col{"v", schema.Regular, types.TInt, false}, col{"w", schema.Regular, types.TInt, false})
}

// number is a cell of an int.
func number(id schema.ColumnID, v int, ts int64) row.Cell {
	return row.Cell{Column: id, Value: int32Value(v), Timestamp: ts, Local: row.NoLocal}
}

func kv(t *schema.Table, p, c, v int, ts int64) request.Mutation {
	return put(t, int32Value(p), [][]byte{int32Value(c)}, number(3, v, ts))
}

// values returns "p/c=v" of all live rows.
func values(t testing.TB, e *Engine, table *schema.Table) string {
	t.Helper()
	open := request.KeyBound{Open: true}
	r := request.Read{Table: table, Range: request.KeyRange{Start: open, End: open}}
	it, err := e.Read(context.Background(), &r)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	it = row.LiveFilter(it, 0)
	defer it.Close()
	for it.NextPartition() {
		for x := it.NextRow(); x != nil; x = it.NextRow() {
			n := func(b []byte) int32 { return int32(binary.BigEndian.Uint32(b)) }
			out = append(out, fmt.Sprintf("%d/%d=%d", n(it.Key()), n(x.Clustering[0]), n(x.Cells[0].Value)))
		}
	}
	return strings.Join(out, " ")
}

// TestRestart holds what comes back after a restart and what does not: truncated data, data of tables that are gone, and a
// segment that was never written.
func TestRestart(t *testing.T) {
	a, b, gone := kvTable("a"), kvTable("b"), kvTable("gone")
	fs := vfs.NewMem()
	opts := Options{FS: fs, SegmentSize: minSegment}
	e, _ := mustOpen(t, "/d", opts, a, b, gone)
	for i := range 50 {
		mustApply(t, e, kv(a, 1, i%3, i, int64(i)), kv(b, 2, 1, i, int64(i)), kv(gone, 3, 1, i, 1))
	}
	if err := e.Truncate(b.ID); err != nil {
		t.Fatal(err)
	}
	if got := values(t, e, b); got != "" {
		t.Errorf("a truncated table holds %s", got)
	}
	mustApply(t, e, kv(b, 2, 9, 9, 0))
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var stats Stats
		e, stats = mustOpen(t, "/d", opts, a, b)
		if stats.Mutations != 51 || stats.Unknown != 50 || stats.Truncated != 50 || stats.Records != 51 || stats.TornBytes != 0 {
			t.Errorf("replay found %+v", stats)
		}
		if got := values(t, e, a); got != "1/0=48 1/1=49 1/2=47" {
			t.Errorf("a holds %s", got)
		}
		if got := values(t, e, b); got != "2/9=9" {
			t.Errorf("b holds %s", got)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCrash cuts the power while writers wait for the disk: every batch that was acknowledged is there in whole, and nothing
// is there that was not written, nor half a batch.
func TestCrash(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	table := kvTable("a")
	for round := range 25 {
		mode := []SyncMode{SyncBatch, SyncGroup}[round%2]
		fs := vfs.NewMem()
		opts := Options{FS: fs, Sync: mode, GroupWindow: 100 * time.Microsecond, SegmentSize: minSegment}
		e, _ := mustOpen(t, "/d", opts, table)
		var mu sync.Mutex
		acked := map[int]bool{}
		var next atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 30 {
					n := int(next.Add(1))
					// Two partitions of one batch: both or none.
					c, err := e.Apply([]request.Mutation{kv(table, n, 1, n, 1), kv(table, -n, 1, n, 1)})
					if err == nil {
						err = c.Wait()
					}
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					acked[n] = true
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(r.IntN(2000)) * time.Microsecond)
		mu.Lock()
		before := make([]int, 0, len(acked))
		for n := range acked {
			before = append(before, n)
		}
		mu.Unlock()
		clone := fs.CrashClone(r)
		wg.Wait()
		written := int(next.Load())
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		opts.FS = clone
		e, _ = mustOpen(t, "/d", opts, table)
		there := map[string]bool{}
		for _, x := range strings.Fields(values(t, e, table)) {
			there[x] = true
		}
		for _, n := range before {
			if !there[fmt.Sprintf("%d/1=%d", n, n)] {
				t.Fatalf("round %d: batch %d was acknowledged and is gone", round, n)
			}
		}
		for n := 1; n <= written; n++ {
			one, other := fmt.Sprintf("%d/1=%d", n, n), fmt.Sprintf("%d/1=%d", -n, n)
			if there[one] != there[other] {
				t.Fatalf("round %d: half of batch %d is there", round, n)
			}
			delete(there, one)
			delete(there, other)
		}
		if len(there) > 0 {
			t.Fatalf("round %d: invented %v", round, there)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTruncateCrash cuts the power around truncations, in the mode that may lose writes: what a finished truncation covered
// never comes back, and later writes that were synced are there.
func TestTruncateCrash(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 2))
	table := kvTable("a")
	for round := range 60 {
		fs := vfs.NewMem()
		opts := Options{FS: fs, SegmentSize: minSegment}
		e, _ := mustOpen(t, "/d", opts, table)
		generation := 0
		for range 1 + r.IntN(4) {
			for i := range r.IntN(30) {
				mustApply(t, e, kv(table, generation, i, generation, 1))
			}
			if r.IntN(3) > 0 {
				if err := e.Truncate(table.ID); err != nil {
					t.Fatal(err)
				}
				generation++
			}
		}
		mustApply(t, e, kv(table, 99, 99, 99, 1))
		synced := r.IntN(2) == 0
		if synced {
			if err := e.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		clone := fs.CrashClone(r)
		e.Close()
		opts.FS = clone
		for range 2 {
			e, _ = mustOpen(t, "/d", opts, table)
			got := values(t, e, table)
			for g := range generation {
				if strings.Contains(" "+got, fmt.Sprintf(" %d/", g)) {
					t.Fatalf("round %d: truncated generation %d of %d is back: %s", round, g, generation, got)
				}
			}
			if synced && !strings.Contains(got, "99/99=99") {
				t.Fatalf("round %d: a synced write is lost: %s", round, got)
			}
			mustApply(t, e, kv(table, 99, 99, 99, 1))
			synced = true
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestCorrupt holds that a damaged log stops the start with file and offset, and that a record which is intact but no
// mutation does too.
func TestCorrupt(t *testing.T) {
	table := kvTable("a")
	fs := vfs.NewMem()
	opts := Options{FS: fs, SegmentSize: minSegment, Sync: SyncBatch}
	e, _ := mustOpen(t, "/d", opts, table)
	for i := range 100 {
		mustApply(t, e, kv(table, 1, i, i, 1))
	}
	e.Close()
	names, _ := fs.List("/d/commitlog")
	if len(names) < 3 {
		t.Fatalf("segments are %v", names)
	}
	f, _ := fs.Open(path.Join("/d/commitlog", names[1]))
	f.WriteAt([]byte{0xff}, 700)
	e, err := Open("/d", opts)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Replay(snapshotOf(table))
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), names[1]) || !strings.Contains(err.Error(), "offset ") {
		t.Errorf("a damaged segment: %v", err)
	}
	if _, err := e.Apply([]request.Mutation{kv(table, 1, 1, 1, 1)}); !errors.Is(err, ErrNotReplayed) {
		t.Errorf("apply after a failed replay: %v", err)
	}
	e.Close()
	opts.SkipCorrupt = true
	e, stats := mustOpen(t, "/d", opts, table)
	if stats.SkippedBytes == 0 || stats.Records < 50 || stats.Records >= 100 {
		t.Errorf("damage skipped: %+v", stats)
	}
	e.Close()
}

// TestRefused holds what Apply and Read refuse, and that nothing of it is applied.
func TestRefused(t *testing.T) {
	table, other := kvTable("a"), kvTable("b")
	e, _ := mustOpen(t, "", Options{SegmentSize: minSegment}, table)
	big := kv(table, 1, 1, 1, 1)
	big.Data = append(bytes.Clone(big.Data), make([]byte, minSegment/2)...)
	_, err := e.Apply([]request.Mutation{kv(table, 1, 2, 3, 1), big})
	var ce *cql.Error
	if want := "Encountered an oversized mutation (2110/2048) for keyspace: ks. Top keys are: a.1"; !errors.As(err, &ce) ||
		ce.Code != cql.CodeInvalid || ce.Message != want {
		t.Errorf("an oversized mutation: %v, want %s", err, want)
	}
	if _, err := e.Apply([]request.Mutation{kv(table, 1, 2, 3, 1), kv(other, 1, 1, 1, 1)}); !errors.Is(err, ErrUnknownTable) {
		t.Errorf("a table that is not known: %v", err)
	}
	if _, err := e.Read(context.Background(), &request.Read{Table: other}); !errors.Is(err, ErrUnknownTable) {
		t.Errorf("read of a table that is not known: %v", err)
	}
	if err := e.Truncate(other.ID); !errors.Is(err, ErrUnknownTable) {
		t.Errorf("truncation of a table that is not known: %v", err)
	}
	if got := values(t, e, table); got != "" {
		t.Errorf("half of a refused batch is there: %s", got)
	}
	for _, opts := range []Options{{SegmentSize: 10}, {MaxMutation: 1 << 30}, {SegmentSize: 1 << 40}} {
		if _, err := Open("", opts); err == nil {
			t.Errorf("options %+v are accepted", opts)
		}
	}
	fs := vfs.NewMem()
	first, _ := mustOpen(t, "/d", Options{FS: fs}, table)
	if _, err := Open("/d", Options{FS: fs}); err == nil {
		t.Error("a folder is opened twice")
	}
	first.Close()
	again, _ := mustOpen(t, "/d", Options{FS: fs}, table)
	again.Close()
}

// TestFailingDisk holds that after a failed sync writes are refused and reads go on.
func TestFailingDisk(t *testing.T) {
	table := kvTable("a")
	var fail atomic.Bool
	boom := errors.New("boom")
	fs := &vfs.Faulty{FS: vfs.NewMem(), Hook: func(op vfs.Op, _ string) error {
		if fail.Load() && op == vfs.OpSync {
			return boom
		}
		return nil
	}}
	e, _ := mustOpen(t, "/d", Options{FS: fs, Sync: SyncBatch}, table)
	mustApply(t, e, kv(table, 1, 1, 1, 1))
	fail.Store(true)
	c, err := e.Apply([]request.Mutation{kv(table, 1, 2, 2, 1)})
	if err == nil {
		err = c.Wait()
	}
	if !errors.Is(err, boom) {
		t.Errorf("a write whose sync fails: %v", err)
	}
	fail.Store(false)
	if _, err := e.Apply([]request.Mutation{kv(table, 1, 3, 3, 1)}); !errors.Is(err, boom) {
		t.Errorf("a write after it: %v", err)
	}
	if err := e.Truncate(table.ID); !errors.Is(err, boom) {
		t.Errorf("a truncation after it: %v", err)
	}
	if _, err := e.Read(context.Background(), &request.Read{Table: table, Keys: [][]byte{int32Value(1)}}); err != nil {
		t.Errorf("a read after it: %v", err)
	}
	if err := e.Close(); !errors.Is(err, boom) {
		t.Errorf("close: %v", err)
	}
}

// TestCounters holds what Cassandra 5.0.6 answered (asked on 2026-11-25): an increment after the row or the partition was
// deleted goes on from the old count; one after the cell was deleted stays invisible; increments of a batch add up. It all
// survives a restart.
func TestCounters(t *testing.T) {
	table := newTable("counters", col{"k", schema.PartitionKey, types.TInt, false}, col{"c", schema.Clustering, types.TInt, false},
		col{"n", schema.Regular, types.TCounter, false}, col{"m", schema.Regular, types.TCounter, false},
		col{"s", schema.Static, types.TCounter, false})
	fs := vfs.NewMem()
	opts := Options{FS: fs, Sync: SyncBatch}
	e, _ := mustOpen(t, "/d", opts, table)
	host := schema.UUID{7}
	clock := int64(1000)
	var b request.Builder
	add := func(k int, f func()) request.Mutation {
		key := int32Value(k)
		b.Reset(table, key, token.Murmur3{}.Token(key))
		f()
		return b.Mutation()
	}
	inc := func(k, c int, column string, delta int64) request.Mutation {
		return add(k, func() {
			if column == "s" {
				b.Static()
			} else {
				b.Row([][]byte{int32Value(c)})
			}
			b.CounterDelta(table.ByName[column].ID, delta)
		})
	}
	lead := func(ms ...request.Mutation) {
		t.Helper()
		clock++
		c, err := e.ApplyCounter(ms, host, clock)
		if err == nil {
			err = c.Wait()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	deleted := func() row.Deletion { clock++; return row.Deletion{Timestamp: clock, Local: clock / 1000} }
	check := func(k int, want string) {
		t.Helper()
		it, err := e.Read(context.Background(), &request.Read{Table: table, Keys: [][]byte{int32Value(k)}})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		it = row.LiveFilter(it, 0)
		show := func(r *row.Row) {
			for _, c := range r.Cells {
				got += fmt.Sprintf("%s=%d ", table.ByID[c.Column].Name, row.CounterTotal(c.Value))
			}
		}
		for it.NextPartition() {
			if s := it.Static(); s != nil {
				show(s)
			}
			for r := it.NextRow(); r != nil; r = it.NextRow() {
				show(r)
			}
		}
		if got != want {
			t.Errorf("partition %d shows %q, want %q", k, got, want)
		}
	}
	restart := func() {
		e.Close()
		e, _ = mustOpen(t, "/d", opts, table)
	}
	lead(inc(1, 1, "n", 5))
	check(1, "n=5 ")
	mustApply(t, e, add(1, func() { b.Row([][]byte{int32Value(1)}); b.DeleteRow(deleted()) }))
	check(1, "")
	restart()
	lead(inc(1, 1, "n", 3))
	check(1, "n=8 ")
	lead(inc(1, 1, "m", 3))
	check(1, "n=8 m=3 ")
	mustApply(t, e, add(1, func() {
		d := deleted()
		b.Row([][]byte{int32Value(1)})
		b.Cell(row.Cell{Column: table.ByName["m"].ID, Timestamp: d.Timestamp, Local: d.Local})
	}))
	lead(inc(1, 1, "m", 3))
	check(1, "n=8 ")
	mustApply(t, e, add(1, func() { b.DeletePartition(deleted()) }))
	check(1, "")
	lead(add(1, func() {
		b.Row([][]byte{int32Value(1)})
		b.CounterDelta(table.ByName["m"].ID, 3)
		b.CounterDelta(table.ByName["n"].ID, 1)
	}))
	check(1, "n=9 ")
	lead(inc(2, 1, "n", 1), inc(2, 1, "n", 2), inc(2, 1, "m", 2), inc(2, 0, "s", -4), inc(3, 1, "n", 1))
	check(2, "s=-4 n=3 m=2 ")
	restart()
	check(1, "n=9 ")
	check(2, "s=-4 n=3 m=2 ")
	// Many increments by many goroutines: none is lost, whatever the clock says.
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var b request.Builder
			for range 200 {
				key := int32Value(4)
				b.Reset(table, key, token.Murmur3{}.Token(key))
				b.Row([][]byte{int32Value(1)})
				b.CounterDelta(table.ByName["n"].ID, 1)
				if _, err := e.ApplyCounter([]request.Mutation{b.Mutation()}, host, 5); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	check(4, "n=1600 ")
	if err := e.Sync(); err != nil {
		t.Fatal(err)
	}
	restart()
	check(4, "n=1600 ")
	if _, err := e.Apply([]request.Mutation{inc(1, 1, "n", 1)}); err == nil {
		t.Error("a counter mutation is applied without a leader")
	}
	e.Close()
}

// TestLockPartition holds that read-then-write under the lock loses nothing.
func TestLockPartition(t *testing.T) {
	table := kvTable("a")
	e, _ := mustOpen(t, "", Options{}, table)
	defer e.Close()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				unlock := e.LockPartition(table, int32Value(1))
				it, err := e.Read(context.Background(), &request.Read{Table: table, Keys: [][]byte{int32Value(1)}})
				if err != nil {
					t.Error(err)
				}
				n, ts := 0, int64(0)
				if it.NextPartition() {
					c := it.NextRow().Cells[0]
					n, ts = int(binary.BigEndian.Uint32(c.Value)), c.Timestamp
				}
				it.Close()
				if _, err := e.Apply([]request.Mutation{kv(table, 1, 1, n+1, ts+1)}); err != nil {
					t.Error(err)
				}
				unlock()
			}
		})
	}
	wg.Wait()
	if got := values(t, e, table); got != "1/1=800" {
		t.Errorf("after 800 steps: %s", got)
	}
}

// TestConcurrent runs writers, readers, index reads, index builds, schema changes and truncations at once. Each mutation
// writes rows of one partition with one value: a reader must see all of them equal, and no value go back.
func TestConcurrent(t *testing.T) {
	plain := kvTable("a")
	v := indexOn(plain, "v", schema.TargetSimple)
	table, other := withIndexes(plain, v), kvTable("b")
	e, _ := mustOpen(t, t.TempDir(), Options{}, table, other)
	defer e.Close()
	const partitions, rows, steps = 3, 6, 400
	var wg sync.WaitGroup
	var done atomic.Bool
	for p := range partitions {
		wg.Go(func() {
			var b request.Builder
			for n := 1; n <= steps; n++ {
				key := int32Value(p)
				b.Reset(table, key, token.Murmur3{}.Token(key))
				for c := range rows {
					b.Row([][]byte{int32Value(c)})
					b.Cell(row.Cell{Column: 3, Value: int32Value(n), Timestamp: int64(n), Local: row.NoLocal})
				}
				if _, err := e.Apply([]request.Mutation{b.Mutation(), kv(other, p, n, n, 1)}); err != nil {
					t.Error(err)
				}
			}
			done.Store(true)
		})
		wg.Go(func() {
			last := uint32(0)
			for !done.Load() {
				it, err := e.Read(context.Background(), &request.Read{Table: table, Keys: [][]byte{int32Value(p)}})
				if err != nil {
					t.Error(err)
					return
				}
				if it.NextPartition() {
					count, seen := 0, uint32(0)
					for r := it.NextRow(); r != nil; r = it.NextRow() {
						n := binary.BigEndian.Uint32(r.Cells[0].Value)
						if count == 0 {
							seen = n
						}
						if count++; n != seen || n < last {
							t.Errorf("partition %d: row %d has %d, the first %d, before it was %d", p, count, n, seen, last)
						}
					}
					last = seen
					if count != rows {
						t.Errorf("partition %d has %d rows", p, count)
					}
				}
				it.Close()
			}
		})
	}
	wg.Go(func() {
		open := request.KeyBound{Open: true}
		for n := 1; !done.Load(); n++ {
			r := request.Read{Table: table, Index: v, Term: int32Value(n), Range: request.KeyRange{Start: open, End: open}}
			it, err := e.Read(context.Background(), &r)
			if errors.Is(err, ErrIndexNotBuilt) {
				continue
			}
			if err != nil {
				t.Error(err)
				return
			}
			for it.NextPartition() {
				for x := it.NextRow(); x != nil; x = it.NextRow() {
					if got := binary.BigEndian.Uint32(x.Cells[0].Value); got != uint32(n) {
						t.Errorf("the index of %d gives a row of %d", n, got)
					}
				}
			}
			it.Close()
		}
	})
	wg.Go(func() {
		for i := 0; !done.Load(); i++ {
			u := *table
			if i%2 == 0 {
				u.Indexes = nil
			}
			e.SetSchema(snapshotOf(&u, other))
			for _, x := range u.Indexes {
				if err := e.BuildIndex(context.Background(), u.ID, x.Name); err != nil {
					t.Error(err)
				}
			}
			if err := e.Truncate(other.ID); err != nil {
				t.Error(err)
			}
			e.MemoryBytes()
			e.IndexBuilt(table.ID, v.Name)
		}
	})
	wg.Wait()
	// After all is quiet the index finds every row.
	e.SetSchema(snapshotOf(table, other))
	if err := e.BuildIndex(context.Background(), table.ID, v.Name); err != nil {
		t.Fatal(err)
	}
	open := request.KeyBound{Open: true}
	r := request.Read{Table: table, Index: v, Term: int32Value(steps), Range: request.KeyRange{Start: open, End: open}}
	if n := readAll(t, e, &r); n != partitions*rows {
		t.Errorf("the index finds %d rows, want %d", n, partitions*rows)
	}
}

// TestIndexNotBuilt holds that an index of a table with data is not used before it is built.
func TestIndexNotBuilt(t *testing.T) {
	table := kvTable("a")
	e, _ := mustOpen(t, "", Options{}, table)
	defer e.Close()
	mustApply(t, e, kv(table, 1, 1, 5, 1))
	indexed := withIndexes(table, indexOn(table, "v", schema.TargetSimple))
	x := indexed.Indexes[0]
	e.SetSchema(snapshotOf(indexed))
	open := request.KeyBound{Open: true}
	r := request.Read{Table: indexed, Index: x, Term: int32Value(5), Range: request.KeyRange{Start: open, End: open}}
	if _, err := e.Read(context.Background(), &r); !errors.Is(err, ErrIndexNotBuilt) || e.IndexBuilt(indexed.ID, x.Name) {
		t.Errorf("read by an index that is not built: %v", err)
	}
	if err := e.BuildIndex(context.Background(), indexed.ID, x.Name); err != nil {
		t.Fatal(err)
	}
	if n := readAll(t, e, &r); n != 1 || !e.IndexBuilt(indexed.ID, x.Name) {
		t.Errorf("the built index finds %d rows", n)
	}
	// An index of an empty table is built at once, and stays so over a truncation.
	if err := e.Truncate(indexed.ID); err != nil {
		t.Fatal(err)
	}
	if !e.IndexBuilt(indexed.ID, x.Name) {
		t.Error("the index is not built after a truncation")
	}
	e.SetSchema(snapshotOf(table))
	e.SetSchema(snapshotOf(indexed))
	if !e.IndexBuilt(indexed.ID, x.Name) {
		t.Error("an index of an empty table is not built")
	}
	if err := e.BuildIndex(context.Background(), indexed.ID, "none"); err == nil {
		t.Error("an index that is not there is built")
	}
}

// TestIndexClean holds that entries whose values were overwritten or deleted are removed when a read meets them, that none is
// removed whose value comes back meanwhile, and that an expired value keeps its entry, since clients' clocks may differ.
func TestIndexClean(t *testing.T) {
	plain := newTable("a", col{"p", schema.PartitionKey, types.TInt, false}, col{"c", schema.Clustering, types.TInt, false},
		col{"v", schema.Regular, types.TInt, false}, col{"s", schema.Static, types.TInt, false})
	table := withIndexes(plain, indexOn(plain, "v", schema.TargetSimple), indexOn(plain, "s", schema.TargetSimple))
	e, _ := mustOpen(t, "", Options{}, table)
	defer e.Close()
	open := request.KeyBound{Open: true}
	read := func(column string, v int, now int64) int {
		r := request.Read{Table: table, Term: int32Value(v), Now: now, Range: request.KeyRange{Start: open, End: open}}
		r.Index = table.Index(indexOn(plain, column, schema.TargetSimple).Name)
		it, err := e.Read(context.Background(), &r)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := drain(t, it, 1<<30, now)
		n := len(got)
		if column == "v" {
			n = 0
			for _, p := range got {
				n += len(p.rows)
			}
		}
		return n
	}
	entries := func(i, v int) int {
		x := e.store(table.ID).view.Load().indexes[i]
		page, err := x.Page(nil, int32Value(v), index.Entry{}, true, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		return len(page)
	}
	set := func(c, v int, ts int64) {
		mustApply(t, e, kv(table, c%5, c, v, ts), put(table, int32Value(c), nil, number(4, v, ts)))
	}
	const rows = 3000
	for c := range rows {
		set(c, 1, 1)
	}
	for c := range rows - 10 {
		set(c, 2, 2)
	}
	for i, column := range []string{"v", "s"} {
		if n := read(column, 1, 0); n != 10 {
			t.Errorf("%s: value 1 is found %d times", column, n)
		}
		if n := entries(i, 1); n != 10 {
			t.Errorf("%s: value 1 has %d entries", column, n)
		}
		if n := read(column, 2, 0); n != rows-10 {
			t.Errorf("%s: value 2 is found %d times", column, n)
		}
	}
	fading := number(3, 7, 9)
	fading.TTL, fading.Local = 5, 100
	mustApply(t, e, put(table, int32Value(0), [][]byte{int32Value(0)}, fading))
	if n := read("v", 7, 200); n != 0 {
		t.Error("an expired value is found")
	}
	if n := read("v", 7, 50); n != 1 {
		t.Error("a value that has not expired at the time of the read is not found")
	}
	// Writers that toggle values against readers that clean.
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := range 3000 {
				c := i%20*2 + w
				set(c, 3+i/20%2, int64(100+i))
			}
		})
		wg.Go(func() {
			for range 200 {
				read("v", 3+w, 0)
				read("s", 3+w, 0)
			}
		})
	}
	wg.Wait()
	for _, column := range []string{"v", "s"} {
		if n := read(column, 3, 0) + read(column, 4, 0); n != 40 {
			t.Errorf("%s: of 40 values %d are found", column, n)
		}
	}
}
