package storage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/vfs"
)

func mustFlush(t testing.TB, e *Engine, tables ...schema.UUID) {
	t.Helper()
	if err := e.Flush(context.Background(), tables...); err != nil {
		t.Fatal(err)
	}
}

// TestFlush holds that what was flushed is read and comes back after a restart, alone and beneath what memory holds, and that
// the log is released.
func TestFlush(t *testing.T) {
	table, other := kvTable("a"), kvTable("b")
	fs := vfs.NewMem()
	opts := Options{FS: fs, SegmentSize: minSegment, Sync: SyncBatch}
	e, _ := mustOpen(t, "/d", opts, table, other)
	want := func(e *Engine, w string) {
		t.Helper()
		if got := values(t, e, table); got != w {
			t.Fatalf("holds %q, want %q", got, w)
		}
	}
	mustApply(t, e, kv(table, 1, 1, 10, 1), kv(table, 1, 2, 20, 1), kv(other, 5, 5, 5, 5))
	mustFlush(t, e)
	want(e, "1/1=10 1/2=20")
	mustApply(t, e, kv(table, 1, 2, 21, 2), kv(table, 1, 3, 30, 2))
	want(e, "1/1=10 1/2=21 1/3=30")
	mustFlush(t, e, table.ID)
	mustApply(t, e, kv(table, 1, 1, 9, 0), kv(table, 1, 4, 40, 2))
	want(e, "1/1=10 1/2=21 1/3=30 1/4=40")
	for range 3 {
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		var stats Stats
		e, stats = mustOpen(t, "/d", opts, table, other)
		want(e, "1/1=10 1/2=21 1/3=30 1/4=40")
		if stats.Tables != 3 || stats.Mutations != 2 || len(stats.Lost) > 0 {
			t.Errorf("replay found %+v", stats)
		}
	}
	for i := range 200 {
		mustApply(t, e, kv(other, i, i, i, 1))
	}
	before := e.Stats().CommitLogBytes
	if err := e.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if after := e.Stats().CommitLogBytes; after >= before {
		t.Errorf("the log has %d bytes, had %d", after, before)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e, stats := mustOpen(t, "/d", opts, table, other)
	if want(e, "1/1=10 1/2=21 1/3=30 1/4=40"); stats.Mutations != 0 {
		t.Errorf("after a drain %+v", stats)
	}
	e.Close()
}

// TestTruncateFlushed holds that truncation and drop take what is on disk with them, and its files, for good.
func TestTruncateFlushed(t *testing.T) {
	a, b := kvTable("a"), kvTable("b")
	fs := vfs.NewMem()
	opts := Options{FS: fs, SegmentSize: minSegment, Sync: SyncBatch}
	e, _ := mustOpen(t, "/d", opts, a, b)
	for round := range 3 {
		mustApply(t, e, kv(a, round, 1, 1, 1), kv(b, round, 1, 1, 1))
		mustFlush(t, e)
	}
	files := func(table *schema.Table) int {
		names, _ := fs.List(tableDir("/d", table))
		return len(names)
	}
	if files(a) == 0 {
		t.Fatal("no files")
	}
	mustApply(t, e, kv(a, 7, 7, 7, 7))
	if err := e.Truncate(a.ID); err != nil {
		t.Fatal(err)
	}
	mustApply(t, e, kv(a, 8, 8, 8, 8))
	if got := values(t, e, a); got != "8/8=8" {
		t.Errorf("after a truncation %s", got)
	}
	waitFor(t, func() bool { return files(a) == 0 })
	e.SetSchema(snapshotOf(a))
	waitFor(t, func() bool { return files(b) == 0 })
	mustFlush(t, e)
	e.Close()
	e, _ = mustOpen(t, "/d", opts, a, b)
	if got := values(t, e, a) + values(t, e, b); got != "8/8=8" {
		t.Errorf("after a restart %s", got)
	}
	e.Close()
}

// TestFlushFailures makes each operation of the file system fail in turn while a table is flushed: the data stays readable, the
// log is kept, the flush succeeds when it is tried again, and a cut of power at any moment loses nothing.
func TestFlushFailures(t *testing.T) {
	boom := errors.New("boom")
	for _, op := range []vfs.Op{vfs.OpCreate, vfs.OpWrite, vfs.OpSync, vfs.OpSyncDir, vfs.OpRename, vfs.OpMkdir, vfs.OpOpen, vfs.OpRemove,
		vfs.OpRead, vfs.OpSize} {
		for n := 0; ; n++ {
			table := kvTable("a")
			mem := vfs.NewMem()
			var mu sync.Mutex
			armed, left := false, n
			var clones []*vfs.Mem
			r := rand.New(rand.NewPCG(uint64(n), 1))
			faulty := &vfs.Faulty{FS: mem, Hook: func(o vfs.Op, name string) error {
				mu.Lock()
				defer mu.Unlock()
				if !armed || o != op || strings.Contains(name, "/commitlog") {
					return nil
				}
				clones = append(clones, mem.CrashClone(r))
				if left--; left == -1 {
					return boom
				}
				return nil
			}}
			opts := Options{FS: faulty, SegmentSize: minSegment, Sync: SyncBatch}
			e, _ := mustOpen(t, "/d", opts, table)
			var want []string
			for i := range 30 {
				mustApply(t, e, kv(table, 1, i, i, 1))
				want = append(want, fmt.Sprintf("1/%d=%d", i, i))
			}
			all := strings.Join(want, " ")
			mu.Lock()
			armed = true
			mu.Unlock()
			err := e.Flush(context.Background())
			mu.Lock()
			hit := left < 0
			armed = false
			mu.Unlock()
			if got := values(t, e, table); got != all {
				t.Fatalf("%s %d: %s", op, n, got)
			}
			if err != nil && !errors.Is(err, boom) {
				t.Fatalf("%s %d: %v", op, n, err)
			}
			mustFlush(t, e)
			if got := values(t, e, table); got != all {
				t.Fatalf("%s %d: after the flush %s", op, n, got)
			}
			clones = append(clones, mem.CrashClone(r))
			e.Close()
			for i, c := range clones {
				opts := opts
				opts.FS = c
				e, stats := mustOpen(t, "/d", opts, table)
				if got := values(t, e, table); got != all {
					t.Fatalf("%s %d, crash %d: %+v %s", op, n, i, stats, got)
				}
				e.Close()
			}
			if !hit {
				break
			}
		}
	}
}
