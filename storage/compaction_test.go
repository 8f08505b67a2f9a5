package storage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/compaction"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// gone deletes a partition as of long ago.
func gone(t *schema.Table, p int, ts int64) request.Mutation {
	var b request.Builder
	key := int32Value(p)
	b.Reset(t, key, token.Murmur3{}.Token(key))
	b.DeletePartition(row.Deletion{Timestamp: ts, Local: 1000})
	return b.Mutation()
}

// compacted returns a table with compaction options.
func compacted(name string, options map[string]string) *schema.Table {
	t := kvTable(name)
	t.Options.Compaction = options
	return t
}

// fillForCompaction writes and flushes rows and deletions, and leaves some that are older than a deletion in memory.
func fillForCompaction(t testing.TB, e *Engine, table *schema.Table) {
	for i := range 4 {
		for p := range 40 {
			mustApply(t, e, kv(table, p, i, p, int64(10+i)), kv(table, p, 9, i, int64(10+i)))
		}
		mustFlush(t, e)
	}
	for p := range 10 {
		mustApply(t, e, gone(table, p, 100))
	}
	mustFlush(t, e)
	mustApply(t, e, kv(table, 5, 1, 1, 50), kv(table, 6, 1, 1, 150))
}

// TestCompactionCrashes cuts the power at each operation of the file system that a compaction does: whatever is left, the data
// is the same, also after it is compacted again and started once more.
func TestCompactionCrashes(t *testing.T) {
	ctx := context.Background()
	for _, options := range []map[string]string{
		nil, {"class": "LeveledCompactionStrategy", "sstable_size_in_mb": "1"},
		{"class": "UnifiedCompactionStrategy", "min_sstable_size": "0B", "target_sstable_size": "1MiB"},
	} {
		table := compacted("a", options)
		mem := vfs.NewMem()
		var mu sync.Mutex
		armed := false
		var clones []*vfs.Mem
		r := rand.New(rand.NewPCG(1, 2))
		faulty := &vfs.Faulty{FS: mem, Hook: func(op vfs.Op, _ string) error {
			mu.Lock()
			defer mu.Unlock()
			if armed && op != vfs.OpRead {
				clones = append(clones, mem.CrashClone(r))
			}
			return nil
		}}
		opts := Options{FS: faulty, SegmentSize: minSegment, Sync: SyncBatch, Compaction: CompactionOptions{Paused: true, Throughput: -1}}
		e, _ := mustOpen(t, "/d", opts, table)
		fillForCompaction(t, e, table)
		all := values(t, e, table)
		if !strings.Contains(" "+all+" ", " 6/1=1 ") || strings.Contains(" "+all, " 5/1=") {
			t.Fatal(all)
		}
		mu.Lock()
		armed = true
		mu.Unlock()
		if err := e.Compactions().Major(ctx, table.ID, false); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		armed = false
		clones = append(clones, mem.CrashClone(r))
		mu.Unlock()
		if got := values(t, e, table); got != all {
			t.Fatalf("%v: compacted to %s, was %s", options, got, all)
		}
		e.Close()
		if len(clones) < 20 {
			t.Errorf("%v: only %d cuts", options, len(clones))
		}
		for i, c := range clones {
			opts.FS = c
			for round := range 2 {
				e, _ := mustOpen(t, "/d", opts, table)
				if got := values(t, e, table); got != all {
					t.Fatalf("%v: cut %d, start %d: %s, was %s", options, i, round, got, all)
				}
				if err := e.Compactions().Major(ctx, table.ID, false); err != nil {
					t.Fatalf("%v: cut %d: %v", options, i, err)
				}
				if got := values(t, e, table); got != all {
					t.Fatalf("%v: cut %d, compacted after start %d: %s, was %s", options, i, round, got, all)
				}
				e.Close()
			}
		}
	}
}

// TestPurgedStaysGone holds that what was deleted and purged does not come back from a log segment that another table keeps.
func TestPurgedStaysGone(t *testing.T) {
	table, other := kvTable("a"), kvTable("b")
	fs := vfs.NewMem()
	opts := Options{FS: fs, SegmentSize: 1 << 20, Sync: SyncBatch, Compaction: CompactionOptions{Paused: true}}
	e, _ := mustOpen(t, "/d", opts, table, other)
	mustApply(t, e, kv(other, 1, 1, 1, 1), kv(table, 1, 1, 1, 1))
	mustFlush(t, e, table.ID)
	mustApply(t, e, gone(table, 1, 100))
	mustFlush(t, e, table.ID)
	if err := e.Compactions().Major(context.Background(), table.ID, false); err != nil {
		t.Fatal(err)
	}
	live, err := e.Live(table.ID)
	if err != nil || len(live.Files) != 0 {
		t.Fatalf("%d tables are left, %v", len(live.Files), err)
	}
	live.Release()
	opts.FS = fs.CrashClone(rand.New(rand.NewPCG(1, 1)))
	e.Close()
	e, stats := mustOpen(t, "/d", opts, table, other)
	defer e.Close()
	if got := values(t, e, table) + values(t, e, other); got != "1/1=1" || stats.Truncated == 0 {
		t.Errorf("after the crash %s, %+v", got, stats)
	}
}

// TestReadsDuringCompaction reads a table again and again while it is compacted in all ways: nothing is ever missing.
func TestReadsDuringCompaction(t *testing.T) {
	ctx := context.Background()
	table := kvTable("a")
	opts := Options{FS: vfs.NewMem(), Sync: SyncBatch, Compaction: CompactionOptions{Throughput: -1}}
	e, _ := mustOpen(t, "/d", opts, table)
	defer e.Close()
	fillForCompaction(t, e, table)
	all := values(t, e, table)
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				if got := values(t, e, table); got != all {
					t.Errorf("read %s, want %s", got, all)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	m := e.Compactions()
	for i := range 12 {
		var err error
		switch i % 4 {
		case 0:
			err = m.Major(ctx, table.ID, false)
		case 1:
			err = m.GarbageCollect(ctx, table.ID, compaction.ProvideCell, 0)
		case 2:
			err = m.Upgrade(ctx, table.ID, true, 0)
		case 3:
			mustFlush(t, e)
			mustApply(t, e, gone(table, 50+i, 2), kv(table, 50+i, 1, 1, 1))
		}
		if err != nil {
			t.Error(err)
		}
	}
	close(done)
	readers.Wait()
}

// TestDropDuringCompaction drops and truncates tables that are being compacted, slowly.
func TestDropDuringCompaction(t *testing.T) {
	for _, drop := range []bool{true, false} {
		table, other := kvTable("a"), kvTable("b")
		fs := vfs.NewMem()
		opts := Options{FS: fs, Sync: SyncBatch, Compaction: CompactionOptions{Throughput: 1000}}
		e, _ := mustOpen(t, "/d", opts, table, other)
		fillForCompaction(t, e, table)
		waitFor(t, func() bool { return len(e.Compactions().Running()) > 0 })
		if drop {
			e.SetSchema(snapshotOf(other))
		} else if err := e.Truncate(table.ID); err != nil {
			t.Fatal(err)
		}
		e.Compactions().SetThroughput(0)
		waitFor(t, func() bool { return len(e.Compactions().Running()) == 0 })
		waitFor(t, func() bool {
			names, _ := fs.List(tableDir("/d", table))
			return len(names) == 0
		})
		if !drop && values(t, e, table) != "" {
			t.Error("truncated data is back")
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCompactionStress calls everything at once for a while: nothing hangs, and what was written and not deleted is there.
func TestCompactionStress(t *testing.T) {
	ctx := context.Background()
	table := compacted("a", map[string]string{"class": "LeveledCompactionStrategy", "sstable_size_in_mb": "1"})
	sized := compacted("a", map[string]string{"class": "SizeTieredCompactionStrategy", "min_threshold": "2"})
	other := kvTable("b")
	fs := vfs.NewMem()
	opts := Options{FS: fs, Sync: SyncBatch, Compaction: CompactionOptions{Throughput: -1}}
	e, _ := mustOpen(t, "/d", opts, table, other)
	m := e.Compactions()
	end := time.Now().Add(1500 * time.Millisecond)
	var all sync.WaitGroup
	again := func(f func(r *rand.Rand) error) {
		r := rand.New(rand.NewPCG(rand.Uint64(), 1))
		all.Go(func() {
			for time.Now().Before(end) {
				err := f(r)
				for _, fine := range []error{compaction.ErrStopped, compaction.ErrGone, compaction.ErrUnknownStore, ErrUnknownTable, ErrNotLive} {
					if errors.Is(err, fine) {
						err = nil
					}
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var writes atomic.Int64
	again(func(r *rand.Rand) error {
		n := int(writes.Load())
		mustApply(t, e, kv(table, n, 1, n, 10), kv(table, n%50, 2, n, int64(n+1)))
		writes.Add(1)
		return nil
	})
	again(func(r *rand.Rand) error { return e.Flush(ctx, table.ID) })
	again(func(r *rand.Rand) error { return m.Major(ctx, table.ID, r.IntN(2) == 0) })
	again(func(r *rand.Rand) error {
		switch r.IntN(6) {
		case 0:
			return m.GarbageCollect(ctx, table.ID, compaction.ProvideCell, r.IntN(3))
		case 1:
			return m.Upgrade(ctx, table.ID, true, r.IntN(3))
		case 2:
			_, err := m.Scrub(ctx, table.ID, 0)
			return err
		case 3:
			_, err := m.Verify(ctx, table.ID)
			return err
		case 4:
			return m.Relevel(ctx, table.ID)
		}
		short, cancel := context.WithTimeout(ctx, time.Duration(r.IntN(2000))*time.Microsecond)
		defer cancel()
		if err := m.Major(short, table.ID, false); err != nil && short.Err() == nil {
			return err
		}
		return nil
	})
	again(func(r *rand.Rand) error {
		m.SetAuto(table.ID, r.IntN(3) > 0)
		m.SetConcurrent(1 + r.IntN(3))
		m.SetThroughput(int64(r.IntN(2)) * 1 << 20)
		m.Stop(compaction.Kind(r.IntN(5)))
		m.Pending(table.ID)
		m.Running()
		m.History()
		time.Sleep(time.Millisecond)
		return nil
	})
	again(func(r *rand.Rand) error {
		tables := [][]*schema.Table{{table, other}, {sized, other}, {sized}}[r.IntN(3)]
		e.SetSchema(snapshotOf(tables...))
		mustFlush(t, e)
		if len(tables) == 2 && r.IntN(2) == 0 {
			mustApply(t, e, kv(other, 1, 1, 1, 1))
			return e.Truncate(other.ID)
		}
		return nil
	})
	all.Wait()
	check := func() {
		t.Helper()
		got := map[string]bool{}
		for v := range strings.FieldsSeq(values(t, e, table)) {
			got[v] = true
		}
		for n := range int(writes.Load()) {
			if want := fmt.Sprintf("%d/1=%d", n, n); !got[want] {
				t.Fatalf("%s of %d is missing", want, writes.Load())
			}
		}
	}
	check()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e, _ = mustOpen(t, "/d", opts, table, other)
	check()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}
