package storage

import (
	"context"
	"errors"
	"testing"

	"github.com/helenusdb/helenus/storage/merge"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// mergeAll writes all tables of l as one, as a compaction would.
func mergeAll(t testing.TB, fs vfs.FS, e *Engine, l *Live) Written {
	t.Helper()
	d, err := e.Next(l.Table.ID)
	if err != nil {
		t.Fatal(err)
	}
	writeAll(t, fs, e, l, d)
	return Written{Descriptor: d}
}

// writeAll is mergeAll under a given name.
func writeAll(t testing.TB, fs vfs.FS, e *Engine, l *Live, d sstable.Descriptor) {
	t.Helper()
	dir, _ := e.Dir(l.Table.ID)
	w, err := sstable.NewWriter(fs, dir, d, sstable.WriterOptions{Table: l.Table})
	if err != nil {
		t.Fatal(err)
	}
	var list []row.Source
	for _, f := range l.Files {
		v, err := f.Reader().View(l.Table)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, v.Scan(sstable.All()))
	}
	src := merge.Sources(row.NewLayout(l.Table), list)
	for p := src.Next(); p != nil; p = src.Next() {
		if err := w.Append(p); err != nil {
			t.Fatal(err)
		}
	}
	if src.Close(); src.Err() != nil {
		t.Fatal(src.Err())
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
}

// TestExchange holds that an exchange is seen whole, that a read which began before it goes on with the old tables and their
// files stay as long, and that a restart finds the new ones.
func TestExchange(t *testing.T) {
	table := kvTable("a")
	fs := vfs.NewMem()
	opts := Options{FS: fs, Sync: SyncBatch, Compaction: CompactionOptions{Paused: true}}
	e, _ := mustOpen(t, "/d", opts, table)
	for i := range 4 {
		mustApply(t, e, kv(table, i, i, i, int64(i)), kv(table, 9, 9, i, int64(i)))
		mustFlush(t, e)
	}
	want := values(t, e, table)
	l, err := e.Live(table.ID)
	if err != nil || len(l.Files) != 4 {
		t.Fatal(l, err)
	}
	var old []string
	for _, f := range l.Files {
		old = append(old, f.Descriptor().String())
	}
	made := mergeAll(t, fs, e, l)
	if err := e.Exchange(table.ID, append(old, "nb-99-big"), []Written{made}); !errors.Is(err, ErrNotLive) {
		t.Errorf("exchange of a stranger: %v", err)
	}
	made.Level = 3
	if err := e.Exchange(table.ID, old, []Written{made}); err != nil {
		t.Fatal(err)
	}
	if got := values(t, e, table); got != want {
		t.Errorf("holds %s, want %s", got, want)
	}
	there := func(d string) bool {
		_, err := fs.Stat(tableDir("/d", table) + "/" + d + "-Data.db")
		return err == nil
	}
	if !there(old[0]) {
		t.Error("the files of a table went while it was held")
	}
	l.Release()
	waitFor(t, func() bool { return !there(old[0]) && !there(old[3]) })
	if err := e.Relabel(table.ID, Written{Descriptor: made.Descriptor, Level: 2, RepairedAt: 77}); err != nil {
		t.Fatal(err)
	}
	e.Close()
	e, stats := mustOpen(t, "/d", opts, table)
	if got := values(t, e, table); got != want || stats.Tables != 1 {
		t.Errorf("after a restart %s, %+v", got, stats)
	}
	l, _ = e.Live(table.ID)
	if f := l.Files[0]; f.Level() != 2 || f.RepairedAt() != 77 {
		t.Errorf("level %d, repaired at %d", f.Level(), f.RepairedAt())
	}
	l.Release()
	// A table of another folder is taken in under a name of its own.
	to := kvTable("b")
	e.SetSchema(snapshotOf(table, to))
	dir, _ := e.Dir(table.ID)
	if err := e.Import(context.Background(), to.ID, dir, []Written{made}); err != nil {
		t.Fatal(err)
	}
	if got := values(t, e, to); got != want {
		t.Errorf("imported %s", got)
	}
	e.Close()
}

// TestStrangers holds that a start puts tables away that the manifest does not know, removes unfinished ones, and refuses to go on
// when one is missing.
func TestStrangers(t *testing.T) {
	table := kvTable("a")
	fs := vfs.NewMem()
	opts := Options{FS: fs, Sync: SyncBatch, Compaction: CompactionOptions{Paused: true}}
	e, _ := mustOpen(t, "/d", opts, table)
	mustApply(t, e, kv(table, 1, 1, 1, 1))
	mustFlush(t, e)
	l, _ := e.Live(table.ID)
	stranger := Written{Descriptor: sstable.Descriptor{Version: "nb", ID: "7", Format: "big"}}
	writeAll(t, fs, e, l, stranger.Descriptor)
	unfinished := mergeAll(t, fs, e, l)
	l.Release()
	e.Close()
	dir := tableDir("/d", table)
	if err := fs.Remove(dir + "/" + unfinished.Descriptor.File(sstable.CompTOC)); err != nil {
		t.Fatal(err)
	}
	e, stats := mustOpen(t, "/d", opts, table)
	if got := values(t, e, table); got != "1/1=1" || stats.Tables != 1 || len(stats.Lost) != 1 {
		t.Errorf("%s, %+v", got, stats)
	}
	for _, d := range []sstable.Descriptor{stranger.Descriptor, unfinished.Descriptor} {
		if _, err := fs.Stat(dir + "/" + d.File(sstable.CompData)); err == nil {
			t.Errorf("%s is there", d)
		}
	}
	if d, _ := e.Next(table.ID); d.ID != "8" {
		t.Errorf("the next table is %s", d)
	}
	e.Close()
	if err := fs.Remove(dir + "/nb-1-big-Data.db"); err != nil {
		t.Fatal(err)
	}
	e, err := Open("/d", opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Replay(snapshotOf(table)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a live table is missing: %v", err)
	}
	e.Close()
}
