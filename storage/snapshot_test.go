package storage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// snapshotTime is when the tests make their snapshots.
var snapshotTime = time.Date(2026, 11, 25, 14, 54, 50, 252e6, time.UTC)

func snapshotOptions() SnapshotOptions {
	return SnapshotOptions{Now: snapshotTime, CQL: func(t *schema.Table) string { return "CREATE TABLE " + t.Name }}
}

// listed returns "tag/table:files" of all snapshots, after it has read every table in them to its last byte.
func listed(t testing.TB, e *Engine) string {
	t.Helper()
	all, err := e.Snapshots()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range all {
		descs, err := sstable.List(e.opts.FS, s.dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range descs {
			r, err := sstable.Open(e.opts.FS, s.dir, d)
			if err != nil {
				t.Fatalf("%s: %v", s.dir, err)
			}
			if err := r.Verify(); err != nil {
				t.Fatalf("%s: %v", s.dir, err)
			}
			r.Close()
		}
		if cql, err := readWhole(e.opts.FS, path.Join(s.dir, snapshotSchema), 1000); err != nil || string(cql) != "CREATE TABLE "+s.Table {
			t.Fatalf("%s: schema %q, %v", s.dir, cql, err)
		}
		out = append(out, fmt.Sprintf("%s/%s:%d", s.Tag, s.Table, len(descs)))
	}
	return strings.Join(out, " ")
}

// TestSnapshot makes, lists and clears snapshots, and loses the data that they keep.
func TestSnapshot(t *testing.T) {
	a, b := kvTable("a"), kvTable("b")
	fs := vfs.NewMem()
	opts := Options{FS: fs, SegmentSize: minSegment, Sync: SyncBatch}
	e, _ := mustOpen(t, "/d", opts, a, b)
	ctx := context.Background()
	mustApply(t, e, kv(a, 1, 1, 1, 1), kv(b, 1, 1, 1, 1))
	mustFlush(t, e, a.ID)
	mustApply(t, e, kv(a, 2, 1, 1, 1))
	o := snapshotOptions()
	if err := e.Snapshot(ctx, "s1", o, a.ID, b.ID); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, e); got != "s1/a:2 s1/b:1" {
		t.Errorf("listed %q", got)
	}
	if err := e.Snapshot(ctx, "s1", o, b.ID); err == nil || err.Error() != "Snapshot s1 already exists." {
		t.Errorf("again: %v", err)
	}
	mustApply(t, e, kv(b, 9, 1, 1, 1))
	o.SkipFlush, o.Expires = true, snapshotTime.Add(time.Hour)
	if err := e.Snapshot(ctx, "s2", o, b.ID); err != nil {
		t.Fatal(err)
	}
	all, err := e.Snapshots()
	if err != nil || len(all) != 3 || !all[2].Created.Equal(snapshotTime) || !all[2].Expires.Equal(o.Expires) || !all[0].Expires.IsZero() ||
		all[2].ID != b.ID || all[2].TablesFreed != 0 || all[2].Freed == 0 || all[2].Size <= all[2].Freed {
		t.Fatalf("%+v, %v", all, err)
	}
	manifest, err := readWhole(fs, path.Join(tableDir("/d", b), "snapshots/s2/manifest.json"), 1000)
	if want := "{\n  \"files\": [\n    \"nb-1-big-Data.db\"\n  ],\n  \"created_at\": \"2026-11-25T14:54:50.252Z\",\n" +
		"  \"expires_at\": \"2026-11-25T15:54:50.252Z\",\n  \"ephemeral\": false\n}\n"; err != nil || string(manifest) != want {
		t.Errorf("manifest %s, %v", manifest, err)
	}

	// What is truncated or dropped stays in the snapshots, over a restart too.
	if err := e.Truncate(a.ID); err != nil {
		t.Fatal(err)
	}
	e.SetSchema(snapshotOf(a))
	e.Close()
	e, _ = mustOpen(t, "/d", opts, a)
	defer e.Close()
	if got := listed(t, e); got != "s1/a:2 s1/b:1 s2/b:1" {
		t.Errorf("after truncate, drop and restart %q", got)
	}
	waitFor(t, func() bool {
		all, err := e.Snapshots()
		return err == nil && all[0].TablesFreed > 0 && all[1].TablesFreed > 0
	})
	if err := e.ClearSnapshots(func(s *Snapshot) bool { return s.Tag == "s1" }); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, e); got != "s2/b:1" {
		t.Errorf("after clearing one %q", got)
	}
	if err := e.ClearSnapshots(func(s *Snapshot) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if names, err := fs.List(path.Join(tableDir("/d", b), snapshotsDir)); err == nil {
		t.Errorf("after clearing all there is %v", names)
	}
	for _, tag := range []string{"", ".", "..", "a/b", `a\b`, strings.Repeat("x", 256)} {
		if err := e.Snapshot(ctx, tag, o, a.ID); err == nil {
			t.Errorf("tag %q was taken", tag)
		}
	}
	if err := e.Snapshot(ctx, "s", o, b.ID); !errors.Is(err, ErrUnknownTable) {
		t.Errorf("of a table that is not there: %v", err)
	}
}

// TestSnapshotHooks makes a snapshot of what is about to go, and backups of what is flushed.
func TestSnapshotHooks(t *testing.T) {
	a := kvTable("a")
	fs := vfs.NewMem()
	e, _ := mustOpen(t, "/d", Options{FS: fs, SegmentSize: minSegment, Sync: SyncBatch}, a)
	defer e.Close()
	n := 0
	e.SetHooks(Hooks{
		Flushed:            func(_ *schema.Table, f *File) { errorsOf(t, e.Backup(f)) },
		FlushBeforeDiscard: func(*schema.Table, bool) bool { return true },
		Discard: func(table *schema.Table, files []*File, dropped bool) {
			n++
			errorsOf(t, e.SnapshotFiles(context.Background(), fmt.Sprintf("%d-%t", n, dropped), snapshotOptions(), table, files))
		},
	})
	mustApply(t, e, kv(a, 1, 1, 1, 1))
	errorsOf(t, e.Truncate(a.ID))
	mustApply(t, e, kv(a, 2, 1, 1, 1))
	mustFlush(t, e)
	mustApply(t, e, kv(a, 3, 1, 1, 1))
	e.SetSchema(snapshotOf())
	if got := listed(t, e); got != "1-false/a:1 2-true/a:2" {
		t.Errorf("listed %q", got)
	}
	if descs, err := sstable.List(fs, path.Join(tableDir("/d", a), backupsDir)); err != nil || len(descs) != 3 {
		t.Errorf("backups %v, %v", descs, err)
	}
}

func errorsOf(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// TestSnapshotCrash cuts the power at every kind of moment while snapshots are made and cleared: what is listed afterwards is
// whole, one that was made stays, one that was cleared does not come back, and the data is there.
func TestSnapshotCrash(t *testing.T) {
	rounds := 150
	if testing.Short() {
		rounds = 30
	}
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		mem := vfs.NewMem()
		var crashed atomic.Pointer[vfs.Mem]
		var left atomic.Int64 // operations until the cut
		cutting := rand.New(rand.NewPCG(uint64(seed), 2))
		fs := &vfs.Faulty{FS: mem, Hook: func(vfs.Op, string) error {
			if left.Add(-1) == 0 {
				crashed.Store(mem.CrashClone(cutting))
			}
			return nil
		}}
		a, b := kvTable("a"), kvTable("b")
		e, _ := mustOpen(t, "/d", Options{FS: fs, SegmentSize: minSegment, Sync: SyncBatch}, a, b)
		mustApply(t, e, kv(a, 1, 1, 1, 1), kv(b, 1, 1, 1, 1))
		mustFlush(t, e)
		mustApply(t, e, kv(a, 2, 1, 1, 1))
		ctx, o := context.Background(), snapshotOptions()
		o.SkipFlush = true // background work would move the cut
		errorsOf(t, e.Snapshot(ctx, "kept", o, a.ID, b.ID))
		errorsOf(t, e.Snapshot(ctx, "gone", o, a.ID))
		errorsOf(t, e.ClearSnapshots(func(s *Snapshot) bool { return s.Tag == "gone" }))
		left.Store(1 + r.Int64N(60))
		errorsOf(t, e.Snapshot(ctx, "new", o, a.ID, b.ID))
		made := left.Load() > 0
		errorsOf(t, e.ClearSnapshots(func(s *Snapshot) bool { return s.Tag == "new" }))
		cleared := left.Load() > 0
		left.Store(-1)
		crashed.CompareAndSwap(nil, mem.CrashClone(r))
		errorsOf(t, e.Close())
		e, _ = mustOpen(t, "/d", Options{FS: crashed.Load(), SegmentSize: minSegment, Sync: SyncBatch}, a, b)
		got := listed(t, e)
		kept := "kept/a:1 kept/b:1"
		switch got {
		case kept:
		case kept + " new/a:1 new/b:1", kept + " new/a:1", kept + " new/b:1":
			if cleared {
				t.Errorf("seed %d: what was cleared is back: %s", seed, got)
			}
		default:
			t.Errorf("seed %d (made %t): %s", seed, made, got)
		}
		if got := values(t, e, a) + " " + values(t, e, b); got != "1/1=1 2/1=1 1/1=1" && got != "2/1=1 1/1=1 1/1=1" {
			t.Errorf("seed %d: data %s", seed, got)
		}
		// A tag whose making was interrupted can be used.
		errorsOf(t, e.ClearSnapshots(func(s *Snapshot) bool { return s.Tag == "new" }))
		errorsOf(t, e.Snapshot(ctx, "new", o, a.ID, b.ID))
		if got := listed(t, e); got != kept+" new/a:1 new/b:1" && got != kept+" new/a:2 new/b:1" {
			t.Errorf("seed %d: made again: %s", seed, got)
		}
		errorsOf(t, e.Close())
	}
}

// TestParseTableDir names folders of tables and others.
func TestParseTableDir(t *testing.T) {
	table, id, ok := parseTableDir("t-32f528a0e8dd11f1946a6bd2e6c0886e")
	if !ok || table != "t" || fmt.Sprintf("%x", id[:]) != "32f528a0e8dd11f1946a6bd2e6c0886e" {
		t.Errorf("%s %x %t", table, id, ok)
	}
	for _, name := range []string{"", "t", "-32f528a0e8dd11f1946a6bd2e6c0886e", "t-32f528a0e8dd11f1946a6bd2e6c0886", "t-32f528a0e8dd11f1946a6bd2e6c088zz",
		"t-+2f528a0e8dd11f1946a6bd2e6c0886e"} {
		if _, _, ok := parseTableDir(name); ok {
			t.Errorf("%q was taken", name)
		}
	}
}
