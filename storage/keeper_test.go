package storage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/index"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// blobTable is p int, v blob.
func blobTable(name string) *schema.Table {
	return newTable(name, col{"p", schema.PartitionKey, types.TInt, false}, col{"v", schema.Regular, types.TBlob, false})
}

// everythingOf is a read of a whole table.
func everythingOf(t *schema.Table) *request.Read {
	open := request.KeyBound{Open: true}
	return &request.Read{Table: t, Range: request.KeyRange{Start: open, End: open}}
}

// TestMemoryBounded writes many times the memory that memtables may take, by several writers: memory stays bounded, the log is
// released, nothing blocks for good, and all is there, also after a restart.
func TestMemoryBounded(t *testing.T) {
	a, b := blobTable("a"), blobTable("b")
	const space = 4 << 20
	opts := Options{FS: vfs.NewMem(), SegmentSize: 1 << 20, MemtableSpace: space, LogSpace: 8 << 20}
	e, _ := mustOpen(t, "/d", opts, a, b)
	const writers, each = 4, 1500
	var most atomic.Int64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			value := make([]byte, 2000)
			r := rand.New(rand.NewPCG(uint64(w), 0))
			for i := range each {
				for j := range value {
					value[j] = byte(r.Uint32())
				}
				table := a
				if i%3 == 0 {
					table = b
				}
				m := put(table, int32Value(i*writers+w), [][]byte{}, row.Cell{Column: 2, Value: value, Timestamp: 1, Local: row.NoLocal})
				mustApply(t, e, m)
				if n := e.Stats().MemtableBytes; n > most.Load() {
					most.Store(n)
				}
			}
		})
	}
	wg.Wait()
	if n := most.Load(); n > 2*space {
		t.Errorf("memtables had %d bytes, may have %d", n, space)
	}
	waitFor(t, func() bool { return e.Stats().CommitLogBytes <= 10<<20 })
	check := func(e *Engine) {
		t.Helper()
		n := 0
		for _, table := range []*schema.Table{a, b} {
			n += readAll(t, e, everythingOf(table))
		}
		if n != writers*each {
			t.Errorf("%d rows are there, want %d", n, writers*each)
		}
	}
	check(e)
	if s, err := e.TableStats(a.ID); err != nil || s.LiveSSTableCount == 0 || s.MemtableSwitchCount == 0 || s.BytesFlushed == 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	// A replay has less memory than the log holds.
	opts.MemtableSpace = 1 << 20
	e, stats := mustOpen(t, "/d", opts, a, b)
	if check(e); stats.Mutations == 0 {
		t.Error("nothing was replayed")
	}
	if n := e.Stats().MemtableBytes; n > 2<<20 {
		t.Errorf("memtables have %d bytes after a replay", n)
	}
	e.Close()
}

// TestLogBounded writes little to one table and much to another that is flushed often: the first is flushed too when it is all
// that keeps the log.
func TestLogBounded(t *testing.T) {
	idle, busy := kvTable("idle"), blobTable("busy")
	opts := Options{FS: vfs.NewMem(), SegmentSize: 64 << 10, LogSpace: 256 << 10, MemtableSpace: 8 << 20}
	e, _ := mustOpen(t, "/d", opts, idle, busy)
	mustApply(t, e, kv(idle, 1, 1, 1, 1))
	for i := range 2000 {
		mustApply(t, e, put(busy, int32Value(i), [][]byte{},
			row.Cell{Column: 2, Value: make([]byte, 1000), Timestamp: 1, Local: row.NoLocal}))
	}
	waitFor(t, func() bool { return e.Stats().CommitLogBytes <= 512<<10 })
	if s, _ := e.TableStats(idle.ID); s.LiveSSTableCount != 1 {
		t.Errorf("%+v", s)
	}
	e.Close()
}

// TestFlushPeriod holds that memtable_flush_period_in_ms flushes what was written, and nothing else.
func TestFlushPeriod(t *testing.T) {
	table := kvTable("a")
	table.Options.MemtableFlushPeriodMs = 50
	e, _ := mustOpen(t, "/d", Options{FS: vfs.NewMem()}, table)
	mustApply(t, e, kv(table, 1, 1, 1, 1))
	tables := func() int64 {
		s, _ := e.TableStats(table.ID)
		return s.LiveSSTableCount
	}
	waitFor(t, func() bool { return tables() == 1 })
	time.Sleep(150 * time.Millisecond)
	if tables() != 1 {
		t.Errorf("%d tables", tables())
	}
	e.Close()
}

// TestFlushFails lets all flushes fail: writers are refused when memory is full, none hangs, reads go on, and when flushes succeed
// again so do writes, without a restart.
func TestFlushFails(t *testing.T) {
	table := blobTable("a")
	mem := vfs.NewMem()
	var broken atomic.Bool
	boom := errors.New("boom")
	fs := &vfs.Faulty{FS: mem, Hook: func(op vfs.Op, name string) error {
		if broken.Load() && op == vfs.OpCreate && len(name) > 3 && name[len(name)-3:] == ".db" {
			return boom
		}
		return nil
	}}
	e, _ := mustOpen(t, "/d", Options{FS: fs, MemtableSpace: 1 << 20, SegmentSize: 1 << 20}, table)
	broken.Store(true)
	write := func(i int) error {
		m := put(table, int32Value(i), [][]byte{}, row.Cell{Column: 2, Value: make([]byte, 1000), Timestamp: 1, Local: row.NoLocal})
		c, err := e.Apply([]request.Mutation{m})
		if err == nil {
			err = c.Wait()
		}
		return err
	}
	written := 0
	var refused error
	for i := 0; refused == nil && i < 100_000; i++ {
		if refused = write(i); refused == nil {
			written++
		}
	}
	var ce *cql.Error
	if !errors.As(refused, &ce) || ce.Code != cql.CodeOverloaded {
		t.Fatalf("refused after %d writes: %v", written, refused)
	}
	if err := e.Flush(context.Background()); !errors.Is(err, boom) {
		t.Errorf("flush: %v", err)
	}
	if n := readAll(t, e, everythingOf(table)); n != written {
		t.Errorf("%d rows of %d", n, written)
	}
	broken.Store(false)
	waitFor(t, func() bool { return write(1_000_000) == nil })
	mustFlush(t, e)
	if n := readAll(t, e, everythingOf(table)); n != written+1 {
		t.Errorf("%d rows of %d", n, written+1)
	}
	e.Close()
}

// TestDiskFull fills the volume: writes are refused with a clear error before the disk is full, nothing that was acknowledged is
// lost, and they are taken again when there is room.
func TestDiskFull(t *testing.T) {
	table := blobTable("a")
	fs := vfs.NewMem()
	fs.SetCapacity(8 << 20)
	opts := Options{FS: fs, MemtableSpace: 1 << 20, SegmentSize: 256 << 10, Sync: SyncBatch}
	e, _ := mustOpen(t, "/d", opts, table)
	r := rand.New(rand.NewPCG(1, 1))
	write := func(i int) error {
		value := make([]byte, 1000)
		for j := range value {
			value[j] = byte(r.Uint32())
		}
		m := put(table, int32Value(i), [][]byte{}, row.Cell{Column: 2, Value: value, Timestamp: 1, Local: row.NoLocal})
		c, err := e.Apply([]request.Mutation{m})
		if err == nil {
			err = c.Wait()
		}
		return err
	}
	written := 0
	var refused error
	for refused == nil {
		if refused = write(written); refused == nil {
			written++
		}
	}
	if !errors.Is(refused, errDiskFull) {
		t.Fatalf("refused after %d writes: %v", written, refused)
	}
	if written < 3000 {
		t.Errorf("refused after %d writes", written)
	}
	if n := readAll(t, e, everythingOf(table)); n != written {
		t.Errorf("%d rows of %d", n, written)
	}
	fs.SetCapacity(16 << 20)
	waitFor(t, func() bool { return write(1_000_000) == nil })
	e.Close()
	e, _ = mustOpen(t, "/d", opts, table)
	if n := readAll(t, e, everythingOf(table)); n != written+1 {
		t.Errorf("after a restart %d rows of %d", n, written+1)
	}
	e.Close()
}

// TestIndexAfterRestart holds that an index over tables on disk is built in the background at a start.
func TestIndexAfterRestart(t *testing.T) {
	table := kvTable("a")
	x := indexOn(table, "v", schema.TargetSimple)
	table = withIndexes(table, x)
	opts := Options{FS: vfs.NewMem(), Sync: SyncBatch}
	e, _ := mustOpen(t, "/d", opts, table)
	for i := range 50 {
		mustApply(t, e, kv(table, i, 1, i%5, 1))
	}
	mustFlush(t, e)
	mustApply(t, e, kv(table, 3, 1, 4, 2), kv(table, 99, 1, 3, 2))
	e.Close()
	e, _ = mustOpen(t, "/d", opts, table)
	check := func(v, want int) {
		t.Helper()
		r := everythingOf(table)
		r.Index, r.Term = x, int32Value(v)
		if n := readAll(t, e, r); n != want {
			t.Errorf("%d rows have %d, want %d", n, v, want)
		}
	}
	check(4, 11) // built or not
	waitFor(t, func() bool { return e.IndexBuilt(table.ID, x.Name) })
	for v, want := range []int{10, 10, 10, 10, 11} {
		check(v, want)
	}
	mustFlush(t, e)
	for v := range 5 {
		r := everythingOf(table)
		r.Index, r.Term = x, int32Value(v)
		readAll(t, e, r)
	}
	page, err := e.store(table.ID).view.Load().index(x.Name).Page(nil, int32Value(3), index.Entry{}, true, 100)
	if len(page) != 10 || err != nil {
		t.Errorf("the index has %d entries of a value that 10 rows have, %v", len(page), err)
	}
	e.Close()
}

// TestReadsDuringFlushes reads and writes while memtables are flushed: every row that was there is there in every read.
func TestReadsDuringFlushes(t *testing.T) {
	table := kvTable("a")
	e, _ := mustOpen(t, "/d", Options{FS: vfs.NewMem()}, table)
	var done atomic.Bool
	var written atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; !done.Load(); i++ {
			mustApply(t, e, kv(table, i%17, i, i, int64(i)))
			written.Store(int64(i + 1))
		}
	})
	wg.Go(func() {
		for !done.Load() {
			if err := e.Flush(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	for begun := time.Now(); time.Since(begun) < 500*time.Millisecond; {
		least := int(written.Load())
		if n := readAll(t, e, everythingOf(table)); n < least {
			t.Fatalf("%d rows of %d", n, least)
		}
		r := everythingOf(table)
		r.Keys, least = [][]byte{int32Value(3)}, int(written.Load())/17
		if n := readAll(t, e, r); n < least {
			t.Fatalf("%d rows of %d in a partition", n, least)
		}
	}
	done.Store(true)
	wg.Wait()
	e.Close()
	if s := fmt.Sprint(e.grave.files); s != "[]" {
		t.Error(s)
	}
}
