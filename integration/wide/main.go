// Command wide measures the memory that one partition of millions of rows takes while it is written, paged through in both
// directions, read at places, and compacted to one table: make wide. It uses the storage engine as a library.
package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

func main() {
	var w wide
	flag.StringVar(&w.dir, "dir", "", "folder for the data; a temporary one when it is not given")
	flag.IntVar(&w.rows, "rows", 5_000_000, "rows")
	flag.IntVar(&w.value, "value", 410, "bytes of a value")
	flag.IntVar(&w.page, "page", 5000, "rows of a page")
	flag.Int64Var(&w.memtables, "memtables", 32, "MiB of memtables")
	flag.Int64Var(&w.cache, "cache", 16, "MiB of cache")
	flag.Int64Var(&w.bound, "bound", 64, "MiB above the base that are too much")
	flag.Parse()
	if err := w.run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// wide is one measurement.
type wide struct {
	dir               string
	rows, value, page int
	memtables, cache  int64
	bound             int64
	engine            *storage.Engine
	table             *schema.Table
	snapshot          *schema.Snapshot
	base              int64
	most              atomic.Int64
	failed            bool
}

var key = []byte("the wide one")

func (w *wide) run() error {
	if w.dir == "" {
		dir, err := os.MkdirTemp("", "helenus-wide-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		w.dir = dir
	}
	w.makeTable()
	// The base is what a node takes whose memtables and cache are full of partitions of one row.
	if err := w.open(); err != nil {
		return err
	}
	go w.watch()
	if err := w.phase("base: narrow partitions", func() error { return w.narrow() }); err != nil {
		return err
	}
	w.base, w.failed = w.most.Load(), false
	if err := w.engine.Truncate(w.table.ID); err != nil {
		return err
	}
	for _, p := range []struct {
		name string
		f    func() error
	}{
		{"write", w.write}, {"flush", w.flush}, {"page forward", func() error { return w.read(false) }}, {"compact", w.compact},
		{"page forward, one table", func() error { return w.read(false) }},
		{"page backward, one table", func() error { return w.read(true) }},
		{"compact again", w.compact}, {"open again", w.again},
	} {
		if err := w.phase(p.name, p.f); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if err := w.engine.Close(); err != nil {
		return err
	}
	if w.failed {
		return fmt.Errorf("more than %d MiB above the base", w.bound)
	}
	return nil
}

func (w *wide) makeTable() {
	t := &schema.Table{
		Keyspace: "wide", Name: "rows", ByName: map[string]*schema.Column{}, ByID: map[schema.ColumnID]*schema.Column{},
		Dropped: map[string]schema.DroppedColumn{}, NextColumn: 4, Options: schema.DefaultOptions(),
	}
	copy(t.ID[:], "wide")
	t.PartitionKey = []*schema.Column{{Name: "p", ID: 1, Kind: schema.PartitionKey, Type: types.TBlob}}
	t.Clustering = []*schema.Column{{Name: "c", ID: 2, Kind: schema.Clustering, Type: types.TBigint}}
	t.Regular = []*schema.Column{{Name: "v", ID: 3, Kind: schema.Regular, Position: -1, Type: types.TBlob}}
	for _, list := range [][]*schema.Column{t.PartitionKey, t.Clustering, t.Regular} {
		c := list[0]
		c.Keyspace, c.Table, c.DroppedAt = t.Keyspace, t.Name, math.MinInt64
		t.ByName[c.Name], t.ByID[c.ID] = c, c
	}
	w.table, w.snapshot = t, &schema.Snapshot{ByID: map[schema.UUID]*schema.Table{t.ID: t}}
}

func (w *wide) open() (err error) {
	if w.engine, err = storage.Open(w.dir, storage.Options{
		MemtableSpace: w.memtables << 20, CacheSize: w.cache << 20, Compaction: storage.CompactionOptions{Throughput: -1, Paused: true},
	}); err != nil {
		return err
	}
	_, err = w.engine.Replay(w.snapshot)
	return err
}

// phase does one step and prints the most memory that was resident meanwhile.
func (w *wide) phase(name string, f func() error) error {
	debug.FreeOSMemory()
	w.most.Store(0)
	began, before := time.Now(), cpu()
	err := f()
	w.look()
	most := w.most.Load()
	over := ""
	if w.base > 0 {
		over = fmt.Sprintf("%+5d MiB", (most-w.base)>>20)
		if most > w.base+w.bound<<20 {
			over, w.failed = over+"  too much", true
		}
	}
	fmt.Printf("%-26s %6.1f s %6.1f s of CPU %5d MiB resident %s\n",
		name, time.Since(began).Seconds(), (cpu() - before).Seconds(), most>>20, over)
	return err
}

// watch looks at the memory all the time.
func (w *wide) watch() {
	for {
		w.look()
		time.Sleep(2 * time.Millisecond)
	}
}

func (w *wide) look() {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.most.Store(max(w.most.Load(), int64(m.Sys-m.HeapReleased)))
		return
	}
	if f := strings.Fields(string(text)); len(f) > 1 {
		pages, _ := strconv.ParseInt(f[1], 10, 64)
		w.most.Store(max(w.most.Load(), pages*int64(os.Getpagesize())))
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// put writes rows of a partition, a batch in a mutation.
func (w *wide) put(key []byte, from, to int, value []byte) error {
	var b request.Builder
	b.Reset(w.table, key, token.Murmur3{}.Token(key))
	for i := from; i < to; i++ {
		var ck [8]byte
		binary.BigEndian.PutUint64(ck[:], uint64(i))
		binary.BigEndian.PutUint64(value, uint64(i)*0x9e3779b97f4a7c15)
		now := time.Now().UnixMicro()
		b.Row([][]byte{ck[:]})
		b.Liveness(row.Liveness{Timestamp: now, Expiry: row.NoLocal})
		b.Cell(row.Cell{Column: 3, Value: value, Timestamp: now, Local: row.NoLocal})
	}
	c, err := w.engine.Apply([]request.Mutation{b.Mutation()})
	if err != nil {
		return err
	}
	return c.Wait()
}

// newValue returns bytes that do not compress.
func (w *wide) newValue() []byte {
	v := make([]byte, max(w.value, 8))
	x := uint64(1)
	for i := range v {
		x = x*6364136223846793005 + 1442695040888963407
		v[i] = byte(x >> 56)
	}
	return v
}

// narrow writes some times what memtables hold, and reads it.
func (w *wide) narrow() error {
	v := w.newValue()
	n := int(8 * w.memtables << 20 / int64(w.value))
	k := make([]byte, 8)
	for i := range n {
		binary.BigEndian.PutUint64(k, uint64(i))
		if err := w.put(k, 0, 1, v); err != nil {
			return err
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	for i := range n {
		binary.BigEndian.PutUint64(k, uint64(i))
		if got, _, err := w.count(&request.Read{Table: w.table, Keys: [][]byte{k}}, math.MaxInt); err != nil || got != 1 {
			return fmt.Errorf("%d rows of partition %d: %w", got, i, err)
		}
	}
	return w.compact()
}

func (w *wide) write() error {
	v := w.newValue()
	const batch = 10
	for i := 0; i < w.rows; i += batch {
		if err := w.put(key, i, min(i+batch, w.rows), v); err != nil {
			return err
		}
	}
	return nil
}

func (w *wide) flush() error { return w.engine.Flush(context.Background(), w.table.ID) }

func (w *wide) compact() error {
	return w.engine.Compactions().Major(context.Background(), w.table.ID, false)
}

// read pages through the partition.
func (w *wide) read(reversed bool) error {
	rows := 0
	var last []byte
	for {
		r := request.Read{Table: w.table, Keys: [][]byte{key}, Reversed: reversed, RowLimit: w.page}
		if last != nil {
			r.After = &request.Position{Key: key, Clustering: [][]byte{last}}
		}
		n, at, err := w.count(&r, w.page)
		if err != nil {
			return err
		}
		if rows += n; n < w.page {
			break
		}
		last = at
	}
	if rows != w.rows {
		return fmt.Errorf("%d rows of %d", rows, w.rows)
	}
	return nil
}

// count reads up to so many rows and returns how many there were, and the clustering of the last.
func (w *wide) count(r *request.Read, most int) (n int, last []byte, err error) {
	r.Now = time.Now().Unix()
	it, err := w.engine.Read(context.Background(), r)
	if err != nil {
		return 0, nil, err
	}
	defer it.Close()
	for it.NextPartition() {
		for n < most {
			x := it.NextRow()
			if x == nil {
				break
			}
			n++
			last = append(last[:0], x.Clustering[0]...)
		}
		if n == most {
			break
		}
	}
	return n, last, it.Err()
}

// again opens the engine a second time and reads at the end.
func (w *wide) again() error {
	if err := w.engine.Close(); err != nil {
		return err
	}
	if err := w.open(); err != nil {
		return err
	}
	n, _, err := w.count(&request.Read{Table: w.table, Keys: [][]byte{key}, Reversed: true}, 10)
	if err == nil && n != 10 {
		err = fmt.Errorf("%d rows", n)
	}
	return err
}
