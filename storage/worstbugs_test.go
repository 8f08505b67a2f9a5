package storage

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// The worst bugs of Cassandra's and Scylla's storage, each as a test of this engine (storage.md 8). Those that one node's storage
// cannot have are not here; random ones are the model's (TestModel) and the file system's (TestPowerCuts, TestFaults).

// bugEngine is an engine that compacts when it is told, at a clock of its own.
func bugEngine(t *testing.T, fs vfs.FS, now *int64, tables ...*schema.Table) *Engine {
	t.Helper()
	e, _ := mustOpen(t, "/d", Options{FS: fs, Sync: SyncBatch, SegmentSize: minSegment, Compaction: CompactionOptions{
		Paused: true, Throughput: -1, Now: func() time.Time { return time.Unix(*now, 0) },
	}}, tables...)
	return e
}

func mustMajor(t *testing.T, e *Engine, table *schema.Table) {
	t.Helper()
	if err := e.Compactions().Major(context.Background(), table.ID, false); err != nil {
		t.Fatal(err)
	}
}

// liveTables returns how many tables on disk a table has.
func liveTables(t *testing.T, e *Engine, table *schema.Table) int {
	t.Helper()
	l, err := e.Live(table.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	return len(l.Files)
}

// mutate makes a mutation of a partition of kvTable.
func mutate(table *schema.Table, p int, f func(b *request.Builder)) request.Mutation {
	var b request.Builder
	key := int32Value(p)
	b.Reset(table, key, token.Murmur3{}.Token(key))
	f(&b)
	return b.Mutation()
}

// from is the slice of the rows behind c.
func from(c int) row.Slice {
	return row.Slice{Start: row.Bound{Values: [][]byte{int32Value(c)}}, End: row.Bound{Inclusive: true}}
}

// TestRangeDeletionAlone is CASSANDRA-14861: a table on disk that holds nothing but the deletion of a range is not skipped by any
// slice that the range meets.
func TestRangeDeletionAlone(t *testing.T) {
	now, table := int64(1000), kvTable("a")
	e := bugEngine(t, vfs.NewMem(), &now, table)
	defer e.Close()
	for c := range 10 {
		mustApply(t, e, kv(table, 1, c, c, 1))
	}
	mustFlush(t, e, table.ID)
	mustApply(t, e, mutate(table, 1, func(b *request.Builder) { b.DeleteRange(from(4), row.Deletion{Timestamp: 5, Local: 999}) }))
	mustFlush(t, e, table.ID)
	for lo := -1; lo < 11; lo++ {
		for hi := lo; hi < 11; hi++ {
			for _, reversed := range []bool{false, true} {
				r := request.Read{Table: table, Keys: [][]byte{int32Value(1)}, Now: now, Reversed: reversed, Slices: []row.Slice{{
					Start: row.Bound{Values: [][]byte{int32Value(lo)}, Inclusive: true}, End: row.Bound{Values: [][]byte{int32Value(hi)}, Inclusive: true},
				}}}
				n := 0
				for _, p := range readAllOf(t, e, &r, nil) {
					n += len(p.rows)
				}
				if want := max(0, min(hi, 4)-max(lo, 0)+1); n != want {
					t.Errorf("rows %d to %d, reversed %v: %d, want %d", lo, hi, reversed, n, want)
				}
			}
		}
	}
}

// TestDeletionIsRead is CASSANDRA-15690: a deletion that hides nothing here is in what other replicas are told.
func TestDeletionIsRead(t *testing.T) {
	now, table := int64(1000), kvTable("a")
	e := bugEngine(t, vfs.NewMem(), &now, table)
	defer e.Close()
	mustApply(t, e, mutate(table, 1, func(b *request.Builder) { b.DeletePartition(row.Deletion{Timestamp: 5, Local: 999}) }))
	mustFlush(t, e, table.ID)
	mustApply(t, e, kv(table, 1, 1, 1, 9)) // newer: hidden by nothing
	mustFlush(t, e, table.ID)
	one := row.Bound{Values: [][]byte{int32Value(1)}, Inclusive: true}
	for what, slices := range map[string][]row.Slice{"all": nil, "a name": {{Start: one, End: one}}, "behind": {from(7)}} {
		it, err := e.Read(context.Background(), &request.Read{Table: table, Keys: [][]byte{int32Value(1)}, Now: now, Slices: slices})
		if err != nil {
			t.Fatal(err)
		}
		if !it.NextPartition() || it.PartitionDeletion() != (row.Deletion{Timestamp: 5, Local: 999}) {
			t.Errorf("%s: the deletion of the partition is not told", what)
		}
		it.Close()
	}
}

// TestReverseOverBlocks is CASSANDRA-14513 and -13340: slices of a partition of many index blocks with nested deletions give the
// same rows in both directions.
func TestReverseOverBlocks(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	table := kvTable("a")
	e, _ := mustOpen(t, "/d", Options{FS: vfs.NewMem(), ColumnIndexSize: 64, Compaction: CompactionOptions{Paused: true}}, table)
	defer e.Close()
	for round := range 3 {
		for range 300 {
			mustApply(t, e, kv(table, 1, r.IntN(400), round, r.Int64N(100)))
		}
		for range 30 {
			lo := r.IntN(400)
			mustApply(t, e, mutate(table, 1, func(b *request.Builder) {
				b.DeleteRange(row.Slice{
					Start: row.Bound{Values: [][]byte{int32Value(lo)}, Inclusive: r.IntN(2) == 0},
					End:   row.Bound{Values: [][]byte{int32Value(lo + r.IntN(100))}, Inclusive: r.IntN(2) == 0},
				}, row.Deletion{Timestamp: r.Int64N(100), Local: 1})
			}))
		}
		mustFlush(t, e, table.ID)
	}
	for range 300 {
		lo, hi := r.IntN(400), r.IntN(400)
		read := request.Read{Table: table, Keys: [][]byte{int32Value(1)}, Slices: []row.Slice{{
			Start: row.Bound{Values: [][]byte{int32Value(min(lo, hi))}, Inclusive: true}, End: row.Bound{Values: [][]byte{int32Value(max(lo, hi) + 1)}},
		}}}
		forward := readAllOf(t, e, &read, nil)
		read.Reversed = true
		backward := readAllOf(t, e, &read, nil)
		for i := range backward {
			slices.Reverse(backward[i].rows)
		}
		if !same(forward, backward) {
			t.Fatalf("rows %d to %d: forward\n%sbackward\n%s", lo, hi, show(table, forward), show(table, backward))
		}
	}
}

// TestDroppedColumnAlone is CASSANDRA-14838, -13337 and -18591: rows that hold only a dropped column, over many blocks, end no read
// early; a cell that is newer than the drop harms none.
func TestDroppedColumnAlone(t *testing.T) {
	table := kvTable("a")
	fs := vfs.NewMem()
	e, _ := mustOpen(t, "/d", Options{FS: fs, ColumnIndexSize: 64, Compaction: CompactionOptions{Paused: true}}, table)
	for c := range 500 {
		m := kv(table, 1, c, c, 1)
		if c%50 != 0 {
			m = put(table, int32Value(1), [][]byte{int32Value(c)}, number(4, c, int64(c))) // w alone
		}
		mustApply(t, e, m)
	}
	mustFlush(t, e, table.ID)
	dropped := copyTable(table)
	w := *dropped.ByName["w"]
	delete(dropped.ByName, "w")
	delete(dropped.ByID, w.ID)
	dropped.Regular = slices.DeleteFunc(dropped.Regular, func(c *schema.Column) bool { return c.Name == "w" })
	dropped.Dropped["w"] = schema.DroppedColumn{Column: &w, At: 100} // below most timestamps
	e.SetSchema(snapshotOf(dropped))
	look := func(when string) {
		t.Helper()
		r := request.Read{Table: dropped, Keys: [][]byte{int32Value(1)}}
		for _, reversed := range []bool{false, true} {
			r.Reversed = reversed
			n := 0
			for _, p := range readAllOf(t, e, &r, nil) {
				n += len(p.rows)
			}
			if n != 10 {
				t.Errorf("%s, reversed %v: %d rows, want 10", when, reversed, n)
			}
			n = 0
			for _, p := range paged(t, e, r, 3, nil) {
				n += len(p.rows)
			}
			if n != 10 {
				t.Errorf("%s, reversed %v: %d rows in pages, want 10", when, reversed, n)
			}
		}
	}
	look("dropped")
	mustMajor(t, e, dropped)
	look("compacted")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e, _ = mustOpen(t, "/d", Options{FS: fs}, dropped)
	look("restarted")
	e.Close()
}

// TestPurgedIsNotReplayed is Scylla #14870, #4734 and #6082: what was deleted, flushed and purged does not come back from a segment of
// the log that another table holds, whenever the power is cut.
func TestPurgedIsNotReplayed(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	a, other := kvTable("a"), kvTable("b")
	a.Options, other.Options = schema.DefaultOptions(), schema.DefaultOptions()
	a.Options.GCGraceSeconds = 10
	for round := range 30 {
		now, fs := int64(1000), vfs.NewMem()
		e := bugEngine(t, fs, &now, a, other)
		mustApply(t, e, kv(other, 1, 1, 1, 1)) // holds the segment
		mustApply(t, e, kv(a, 1, 1, 1, 1))
		if round%3 == 0 {
			mustFlush(t, e, a.ID)
		}
		mustApply(t, e, mutate(a, 1, func(b *request.Builder) { b.DeletePartition(row.Deletion{Timestamp: 5, Local: now}) }))
		mustFlush(t, e, a.ID)
		now += 100
		mustMajor(t, e, a)
		if n := liveTables(t, e, a); n != 0 {
			t.Fatalf("round %d: %d tables are left", round, n)
		}
		clone := fs.CrashClone(r)
		if round%2 == 0 {
			clone = fs
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			e = bugEngine(t, clone, &now, a, other)
			if got := values(t, e, a); got != "" {
				t.Fatalf("round %d: %s is back", round, got)
			}
			if got := values(t, e, other); got != "1/1=1" {
				t.Fatalf("round %d: the other table has %q", round, got)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestNamesThatBeginAlike is CASSANDRA-13294: what removes table 1 leaves tables 10 to 12 alone.
func TestNamesThatBeginAlike(t *testing.T) {
	now, table, fs := int64(1000), kvTable("a"), vfs.NewMem()
	e := bugEngine(t, fs, &now, table)
	for i := range 12 {
		mustApply(t, e, kv(table, i, i, i, 1))
		mustFlush(t, e, table.ID)
	}
	want := values(t, e, table)
	if err := e.Compactions().UserDefined(context.Background(), table.ID, []string{"nb-1-big"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := values(t, e, table); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e = bugEngine(t, fs, &now, table)
	}
	e.Close()
	names, err := fs.List(tableDir("/d", table))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if strings.HasPrefix(n, "nb-1-big") {
			t.Errorf("%s is left", n)
		}
	}
}

// TestExpiryBoundaries is CASSANDRA-14092 and -14227: data that expires around the ends of 31 and of 32 bits of seconds lives until
// then, in memory and on disk. The format nb has 31 bits of them, so that what expires later does so at their end.
func TestExpiryBoundaries(t *testing.T) {
	const maxNB = math.MaxInt32 - 1
	now, table, fs := int64(1000), kvTable("a"), vfs.NewMem()
	e := bugEngine(t, fs, &now, table)
	expiries := []int64{maxNB - 2, maxNB - 1, maxNB}
	for i, at := range expiries {
		c := number(3, i, 1)
		c.TTL, c.Local = 20*365*24*3600, at
		mustApply(t, e, put(table, int32Value(1), [][]byte{int32Value(i)}, c))
	}
	look := func(when string) {
		t.Helper()
		for _, at := range []int64{now, maxNB - 3, maxNB - 2, maxNB - 1, maxNB} {
			r := request.Read{Table: table, Keys: [][]byte{int32Value(1)}, Now: at}
			n, want := 0, 0
			for _, p := range readAllOf(t, e, &r, nil) {
				n += len(p.rows)
			}
			for _, x := range expiries {
				if at < x {
					want++
				}
			}
			if n != want {
				t.Errorf("%s, at %d: %d live, want %d", when, at, n, want)
			}
		}
	}
	look("in memory")
	mustFlush(t, e, table.ID)
	look("on disk")
	mustMajor(t, e, table)
	look("compacted")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = bugEngine(t, fs, &now, table)
	look("restarted")
	e.Close()
}

// TestPurgeAtTheEnds is CASSANDRA-12792 and -13643: a tombstone with the greatest timestamp and a cell that expired go when gc_grace
// is over and nothing older is elsewhere.
func TestPurgeAtTheEnds(t *testing.T) {
	now, table := int64(100_000), kvTable("a")
	table.Options = schema.DefaultOptions()
	table.Options.GCGraceSeconds = 10
	e := bugEngine(t, vfs.NewMem(), &now, table)
	defer e.Close()
	mustApply(t, e, mutate(table, 1, func(b *request.Builder) {
		b.DeletePartition(row.Deletion{Timestamp: math.MaxInt64, Local: now})
	}))
	c := number(3, 1, math.MaxInt64-1)
	c.TTL, c.Local = 5, now+5
	mustApply(t, e, put(table, int32Value(2), [][]byte{int32Value(1)}, c))
	mustFlush(t, e, table.ID)
	mustMajor(t, e, table)
	if n := liveTables(t, e, table); n != 1 {
		t.Fatalf("%d tables before gc_grace is over", n)
	}
	now += 16
	mustMajor(t, e, table)
	if n := liveTables(t, e, table); n != 0 {
		t.Errorf("%d tables when gc_grace is over", n)
	}
}

// TestTornSegment is CASSANDRA-15292, -14365 and -11995: the last segment cut at any byte starts with a prefix of what was written,
// static rows among it.
func TestTornSegment(t *testing.T) {
	table := newShape(2)
	fs := vfs.NewMem()
	opts := Options{FS: fs, Sync: SyncBatch, SegmentSize: minSegment}
	e, _ := mustOpen(t, "/d", opts, table)
	static := table.ByName["s"].ID
	const writes = 8
	for i := range writes {
		mustApply(t, e, mutate(table, i, func(b *request.Builder) {
			b.Static()
			b.Cell(number(static, i, 1))
			b.Row([][]byte{int32Value(i)})
			b.Cell(number(table.ByName["v"].ID, i, 1))
		}))
	}
	whole := fs.CrashClone(rand.New(rand.NewPCG(1, 1))) // synced: all is there
	e.Close()
	names, err := whole.List("/d/commitlog")
	if err != nil || len(names) != 1 {
		t.Fatalf("segments %v, %v", names, err)
	}
	seen := map[int]bool{}
	for cut := 0; cut < minSegment; cut += 17 {
		copied := whole.CrashClone(rand.New(rand.NewPCG(1, 1)))
		f, err := copied.Open(path.Join("/d/commitlog", names[0]))
		if err != nil {
			t.Fatal(err)
		}
		size, _ := f.Size()
		if int64(cut) > size {
			break
		}
		if err := errors.Join(f.Truncate(int64(cut)), f.Sync(), f.Close()); err != nil {
			t.Fatal(err)
		}
		opts.FS = copied
		torn, err := Open("/d", opts)
		if err == nil {
			_, err = torn.Replay(snapshotOf(table))
		}
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		open := request.KeyBound{Open: true}
		got := readAllOf(t, torn, &request.Read{Table: table, Range: request.KeyRange{Start: open, End: open}}, nil)
		for i := range len(got) {
			if !slices.ContainsFunc(got, func(p livePartition) bool {
				return p.key == string(int32Value(i)) && p.static != nil && len(p.rows) == 1
			}) {
				t.Fatalf("cut at %d: %d of the writes are there, not write %d", cut, len(got), i)
			}
		}
		seen[len(got)] = true
		torn.Close()
	}
	if len(seen) != writes+1 {
		t.Errorf("prefixes of %v writes", seen)
	}
}

// TestCorruptTable holds that nothing wrong is told: a bit that is wrong in a table on disk gives an error that names the file, or the right
// rows; a table whose file is missing does not start. What a corrupt table hides never returns (Scylla #2606).
func TestCorruptTable(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for _, compression := range []map[string]string{
		{"enabled": "false"}, {"class": "LZ4Compressor", "chunk_length_in_kb": "4"}, {"class": "ZstdCompressor", "chunk_length_in_kb": "4"},
	} {
		testCorruptTable(t, r, compression)
	}
}

func testCorruptTable(t *testing.T, r *rand.Rand, compression map[string]string) {
	t.Helper()
	table, fs := kvTable("a"), vfs.NewMem()
	table.Options = schema.DefaultOptions()
	table.Options.Compression = compression
	opts := Options{FS: fs, Sync: SyncBatch, CacheSize: -1, Compaction: CompactionOptions{Paused: true}}
	e, _ := mustOpen(t, "/d", opts, table)
	for i := range 50 {
		mustApply(t, e, kv(table, i%5, i, i, 1))
	}
	mustFlush(t, e, table.ID)
	for i := range 50 {
		if i%2 == 0 {
			mustApply(t, e, mutate(table, i%5, func(b *request.Builder) {
				b.Row([][]byte{int32Value(i)})
				b.DeleteRow(row.Deletion{Timestamp: 5, Local: 1})
			}))
		}
	}
	mustFlush(t, e, table.ID)
	want := values(t, e, table)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	dir := tableDir("/d", table)
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	errorsSeen, right := 0, 0
	for range 300 {
		copied := fs.CrashClone(rand.New(rand.NewPCG(1, 1)))
		name := path.Join(dir, names[r.IntN(len(names))])
		f, err := copied.Open(name)
		if err != nil {
			continue // a folder
		}
		size, _ := f.Size()
		var b [1]byte
		at := r.Int64N(size)
		if _, err := f.ReadAt(b[:], at); err != nil {
			t.Fatal(err)
		}
		b[0] ^= 1 << r.IntN(8)
		if _, err := f.WriteAt(b[:], at); err != nil {
			t.Fatal(err)
		}
		f.Close()
		opts.FS = copied
		bad, err := Open("/d", opts)
		if err == nil {
			_, err = bad.Replay(snapshotOf(table))
		}
		if err == nil {
			open := request.KeyBound{Open: true}
			var got []livePartition
			got, err = answer(context.Background(), bad, &request.Read{Table: table, Range: request.KeyRange{Start: open, End: open}})
			if err == nil {
				var rows []string
				for _, p := range got {
					for _, x := range p.rows {
						rows = append(rows, fmt.Sprintf("%d/%d=%d", intOf([]byte(p.key)), intOf(x.clustering[0]), intOf(x.cells[0].Value)))
					}
				}
				if s := strings.Join(rows, " "); s != want {
					t.Fatalf("%s, a bit at %d: %s\nwant %s", name, at, s, want)
				}
				// Compaction does not spread it either.
				if bad.Compactions().Major(context.Background(), table.ID, false) == nil {
					if s := values(t, bad, table); s != want {
						t.Fatalf("%s, a bit at %d, compacted: %s\nwant %s", name, at, s, want)
					}
				}
				right++
			}
		}
		if err != nil {
			errorsSeen++
			if !strings.Contains(err.Error(), "nb-") {
				t.Errorf("%s, a bit at %d: the error names no file: %v", name, at, err)
			}
		}
		if bad != nil {
			bad.Close()
		}
	}
	t.Logf("%d errors, %d harmless", errorsSeen, right)
	for _, n := range names {
		copied := fs.CrashClone(rand.New(rand.NewPCG(1, 1)))
		if !strings.HasSuffix(n, "Data.db") || copied.Remove(path.Join(dir, n)) != nil {
			continue
		}
		opts.FS = copied
		bad, err := Open("/d", opts)
		if err == nil {
			_, err = bad.Replay(snapshotOf(table))
			bad.Close()
		}
		if err == nil {
			t.Errorf("it starts without %s", n)
		}
	}
}
