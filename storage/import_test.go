package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// plainTable is the table of storage/sstable/testdata/*/plain.
func plainTable() *schema.Table {
	return newTable("plain", col{"k", schema.PartitionKey, types.TInt, false}, col{"v", schema.Regular, types.TText, false})
}

// place copies a folder of a real disk into a file system in memory; rename gives a file another name, "" leaves it out.
func place(t testing.TB, fs vfs.FS, from, to string, rename func(string) string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := fs.MkdirAll(to); err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if _, _, err := sstable.ParseFile(name); err != nil {
			continue
		}
		if rename != nil {
			name = rename(name)
		}
		if name == "" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := writeFile(fs, path.Join(to, name), b); err != nil {
			t.Fatal(err)
		}
	}
}

// plainRows counts the rows of a plain table and sees that each has its value.
func plainRows(t testing.TB, e *Engine, table *schema.Table) int {
	t.Helper()
	open := request.KeyBound{Open: true}
	r := request.Read{Table: table, Range: request.KeyRange{Start: open, End: open}}
	it, err := e.Read(context.Background(), &r)
	if err != nil {
		t.Fatal(err)
	}
	it = row.LiveFilter(it, 0)
	defer it.Close()
	n := 0
	for ; it.NextPartition(); n++ {
		x := it.NextRow()
		if want := fmt.Sprintf("value %d", types.Int32(it.Key())); x == nil || string(x.Cells[0].Value) != want {
			t.Errorf("%s has %+v", want, x)
		}
	}
	if it.Err() != nil {
		t.Error(it.Err())
	}
	return n
}

// TestImportCassandra takes in what Cassandra wrote, of every version that there is, and serves it, over a restart too.
func TestImportCassandra(t *testing.T) {
	for _, version := range []string{"nb", "oa", "da"} {
		table := plainTable()
		fs := vfs.NewMem()
		opts := Options{FS: fs, SegmentSize: minSegment, Sync: SyncBatch}
		e, _ := mustOpen(t, "/d", opts, table)
		place(t, fs, "sstable/testdata/"+version+"/plain", "/in", nil)
		n, err := e.ImportFolder(context.Background(), table.ID, "/in", ImportOptions{})
		if n != 1 || err != nil {
			t.Fatalf("%s: %d, %v", version, n, err)
		}
		if names, _ := fs.List("/in"); len(names) != 0 {
			t.Errorf("%s: %v were not moved", version, names)
		}
		for range 2 {
			if n := plainRows(t, e, table); n != 300 {
				t.Errorf("%s: %d rows", version, n)
			}
			e.Close()
			e, _ = mustOpen(t, "/d", opts, table)
		}
		e.Close()
	}
}

// TestImportRefused holds what is not taken, and that nothing of its folder is then.
func TestImportRefused(t *testing.T) {
	const from = "sstable/testdata/nb/plain"
	second := func(name string) string { return strings.Replace(name, "nb-1-", "nb-2-", 1) }
	table := plainTable()
	for name, v := range map[string]struct {
		table  *schema.Table
		damage func(fs vfs.FS)
		want   string
	}{
		"a bit flipped": {table, func(fs vfs.FS) {
			f, _ := fs.Open("/in/nb-2-big-Data.db")
			b := []byte{0}
			f.ReadAt(b, 1000)
			f.WriteAt([]byte{b[0] ^ 1}, 1000)
			f.Close()
		}, "corrupt sstable"},
		"a file missing": {table, func(fs vfs.FS) { fs.Remove("/in/nb-2-big-Index.db") }, "nb-2-big"},
		"no contents":    {table, func(fs vfs.FS) { fs.Remove("/in/nb-2-big-TOC.txt") }, "nb-2-big"},
		"another type": {newTable("plain", col{"k", schema.PartitionKey, types.TInt, false}, col{"v", schema.Regular, types.TInt, false}), nil,
			`column "v"`},
		"another key": {newTable("plain", col{"k", schema.PartitionKey, types.TText, false}, col{"v", schema.Regular, types.TText, false}), nil,
			"partition key"},
		"a column too many": {newTable("plain", col{"k", schema.PartitionKey, types.TInt, false}, col{"w", schema.Regular, types.TText, false}), nil,
			"neither has nor had"},
		"a clustering": {newTable("plain", col{"k", schema.PartitionKey, types.TInt, false}, col{"c", schema.Clustering, types.TInt, false},
			col{"v", schema.Regular, types.TText, false}), nil, "clustering"},
		"a damaged transaction log": {table, func(fs vfs.FS) {
			writeFile(fs, "/in/nb_txn_flush_0fcc0d80-e8e2-11f1-946a-6bd2e6c0886e.log", []byte("ADD:[x,0,8][1]\n"))
		}, "checksum"},
	} {
		fs := vfs.NewMem()
		e, _ := mustOpen(t, "/d", Options{FS: fs, SegmentSize: minSegment, Sync: SyncBatch}, v.table)
		place(t, fs, from, "/in", nil)
		place(t, fs, from, "/in", second)
		before, _ := fs.List("/in")
		if v.damage != nil {
			v.damage(fs)
			before, _ = fs.List("/in")
		}
		n, err := e.ImportFolder(context.Background(), v.table.ID, "/in", ImportOptions{})
		if n != 0 || err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if after, _ := fs.List("/in"); strings.Join(after, " ") != strings.Join(before, " ") {
			t.Errorf("%s: the folder has changed", name)
		}
		if s, _ := e.TableStats(v.table.ID); s.LiveSSTableCount != 0 {
			t.Errorf("%s: %d are live", name, s.LiveSSTableCount)
		}
		e.Close()
	}
	fs := vfs.NewMem()
	e, _ := mustOpen(t, "/d", Options{FS: fs, SegmentSize: minSegment, Sync: SyncBatch}, table)
	defer e.Close()
	if _, err := e.ImportFolder(context.Background(), table.ID, "/nodir", ImportOptions{}); err == nil || err.Error() != "Directory /nodir does not exist" {
		t.Error(err)
	}
}

// TestImportVoid leaves out what a transaction did not commit, and what one replaced; copies leave the folder alone.
func TestImportVoid(t *testing.T) {
	table := plainTable()
	fs := vfs.NewMem()
	e, _ := mustOpen(t, "/d", Options{FS: fs, SegmentSize: minSegment, Sync: SyncBatch}, table)
	defer e.Close()
	place(t, fs, "sstable/testdata/nb/plain", "/in", func(name string) string { return strings.Replace(name, "nb-1-", "nb-188-", 1) })
	log := "ADD:[/tmp/cassandra-oracle/n1/data/system/table_estimates-176c39cdb93d33a5a2188eb06a56f66e/nb-188-big-,0,8][2284389317]\n"
	logName := "/in/nb_txn_flush_0fcc0d80-e8e2-11f1-946a-6bd2e6c0886e.log"
	errorsOf(t, writeFile(fs, logName, []byte(log)))
	if n, err := e.ImportFolder(context.Background(), table.ID, "/in", ImportOptions{Copy: true}); n != 0 || err != nil {
		t.Errorf("not committed: %d, %v", n, err)
	}
	errorsOf(t, writeFile(fs, logName, []byte(log+"COMMIT:[,0,0][2613697770]\n")))
	before, _ := fs.List("/in")
	if n, err := e.ImportFolder(context.Background(), table.ID, "/in", ImportOptions{Copy: true}); n != 1 || err != nil {
		t.Errorf("committed: %d, %v", n, err)
	}
	if after, _ := fs.List("/in"); len(after) != len(before) {
		t.Error("a copy took files away")
	}
	if n := plainRows(t, e, table); n != 300 {
		t.Errorf("%d rows", n)
	}
}

// TestImportOtherVolume copies where links do not reach.
func TestImportOtherVolume(t *testing.T) {
	table := plainTable()
	mem := vfs.NewMem()
	links := 0
	fs := &vfs.Faulty{FS: mem, Hook: func(op vfs.Op, name string) error {
		if op != vfs.OpLink {
			return nil
		}
		if links++; links == 1 {
			return &os.LinkError{Op: "link", Old: name, New: "", Err: syscall.EXDEV}
		}
		return nil
	}}
	e, _ := mustOpen(t, "/d", Options{FS: fs, SegmentSize: minSegment, Sync: SyncBatch}, table)
	defer e.Close()
	place(t, mem, "sstable/testdata/nb/plain", "/in", nil)
	if n, err := e.ImportFolder(context.Background(), table.ID, "/in", ImportOptions{}); n != 1 || err != nil || links == 0 {
		t.Fatalf("%d, %v, %d links", n, err, links)
	}
	if n := plainRows(t, e, table); n != 300 {
		t.Errorf("%d rows", n)
	}
	if names, _ := mem.List(path.Join(tableDir("/d", table), importDir)); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

// TestRefresh takes what was put into the table's own folder, but no number that the engine gave.
func TestRefresh(t *testing.T) {
	table := plainTable()
	fs := vfs.NewMem()
	e, _ := mustOpen(t, "/d", Options{FS: fs, SegmentSize: minSegment, Sync: SyncBatch}, table)
	defer e.Close()
	ctx := context.Background()
	if n, err := e.Refresh(ctx, table.ID); n != 0 || err != nil {
		t.Errorf("no folder: %d, %v", n, err)
	}
	dir := tableDir("/d", table)
	place(t, fs, "sstable/testdata/nb/plain", dir, nil)
	if n, err := e.Refresh(ctx, table.ID); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if n, err := e.Refresh(ctx, table.ID); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	if n := plainRows(t, e, table); n != 300 {
		t.Errorf("%d rows", n)
	}
	descs, err := sstable.List(fs, dir)
	if err != nil || len(descs) != 1 || descs[0].ID == "1" {
		t.Errorf("%v, %v", descs, err)
	}
	d, err := e.Next(table.ID)
	if err != nil {
		t.Fatal(err)
	}
	place(t, fs, "sstable/testdata/nb/plain", dir, func(name string) string { return strings.Replace(name, "nb-1-", "nb-"+d.ID+"-", 1) })
	if n, err := e.Refresh(ctx, table.ID); n != 0 || err == nil {
		t.Errorf("a number of the engine: %d, %v", n, err)
	}
}

// TestImportCrash cuts the power while a folder is imported: its tables are in the table, in the folder, or in both.
func TestImportCrash(t *testing.T) {
	for seed := range 60 {
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		mem := vfs.NewMem()
		var crashed *vfs.Mem
		left := -1
		fs := &vfs.Faulty{FS: mem, Hook: func(vfs.Op, string) error {
			if left--; left == 0 {
				crashed = mem.CrashClone(r)
			}
			return nil
		}}
		table := plainTable()
		e, _ := mustOpen(t, "/d", Options{FS: fs, SegmentSize: minSegment, Sync: SyncBatch}, table)
		place(t, mem, "sstable/testdata/nb/plain", "/in", nil)
		errorsOf(t, errors.Join(mem.SyncDir("/in"), mem.SyncDir("/")))
		left = 1 + r.IntN(70)
		if n, err := e.ImportFolder(context.Background(), table.ID, "/in", ImportOptions{NoVerify: seed%2 == 0}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		done := left > 0
		if crashed == nil {
			crashed = mem.CrashClone(r)
		}
		errorsOf(t, e.Close())
		e, _ = mustOpen(t, "/d", Options{FS: crashed, SegmentSize: minSegment, Sync: SyncBatch}, table)
		rows := plainRows(t, e, table)
		if done && rows != 300 || rows != 0 && rows != 300 {
			t.Errorf("seed %d: %d rows, done %t", seed, rows, done)
		}
		if rows == 0 {
			if n, err := e.ImportFolder(context.Background(), table.ID, "/in", ImportOptions{}); n != 1 || err != nil {
				t.Errorf("seed %d: again %d, %v", seed, n, err)
			}
		}
		errorsOf(t, e.Close())
	}
}

// TestCopyFile copies files of sizes around the step.
func TestCopyFile(t *testing.T) {
	fs := vfs.NewMem()
	for _, size := range []int{0, 1, copyStep - 1, copyStep, copyStep + 1} {
		b := bytes.Repeat([]byte{7, 1, 3}, size/3+1)[:size]
		errorsOf(t, errors.Join(writeFile(fs, "/a", b), copyFile(context.Background(), fs, "/a", "/b")))
		if got, err := readWhole(fs, "/b", int64(size)); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%d bytes: %d, %v", size, len(got), err)
		}
	}
}
