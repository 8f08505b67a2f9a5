package storage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// variants are the sets of options under which the model is run.
var variants = []variant{
	{name: "plain", jitter: 15, grace: 60, old: true},
	{name: "wide", old: true, keys: 3, span: 60, pad: 200, jitter: 15, grace: 40, options: func(o *Options) { o.SegmentSize = 64 << 10 }},
	{name: "no grace", jitter: 0, grace: 0, old: true},
	{name: "many keys", old: true, keys: 60, jitter: 3, grace: 10},
}

func (w *world) snapshot() *schema.Snapshot {
	tables := make([]*schema.Table, 0, len(w.tables))
	for _, x := range w.tables {
		tables = append(tables, x.table)
	}
	return snapshotOf(tables...)
}

func (w *world) options() Options {
	o := Options{FS: w.fs, Sync: SyncBatch, SegmentSize: 8192, Compaction: CompactionOptions{
		Paused: true, Throughput: -1, Now: func() time.Time { return time.Unix(w.clock.Load(), 0) },
	}}
	if w.v.periodic {
		o.Sync = SyncPeriodic
	}
	if w.wrap != nil {
		o.FS = w.wrap(w.fs)
	}
	if w.v.options != nil {
		w.v.options(&o)
	}
	return o
}

// pass lets time go by.
func (w *world) pass(seconds int64) {
	w.now += seconds
	w.clock.Store(w.now)
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.e, err = Open("/data", w.options()); err != nil {
		w.t.Fatal(err)
	}
	if _, err = w.e.Replay(w.snapshot()); err != nil {
		w.t.Fatal(err)
	}
	w.buildIndexes()
}

// buildIndexes builds the indexes that are not, as a node does when it starts.
func (w *world) buildIndexes() {
	w.t.Helper()
	for _, x := range w.tables {
		for _, i := range x.table.Indexes {
			if w.e.IndexBuilt(x.table.ID, i.Name) {
				continue
			}
			if err := w.e.BuildIndex(context.Background(), x.table.ID, i.Name); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

func (w *world) close() {
	w.t.Helper()
	if err := w.e.Close(); err != nil {
		w.t.Fatal(err)
	}
}

// apply writes some mutations as one record and waits.
func (w *world) apply() {
	w.t.Helper()
	w.event++
	if x := w.pick(); x.table.Counter {
		w.count(x)
		return
	}
	var ms []request.Mutation
	for range 1 + w.r.IntN(3) {
		x := w.plain()
		m, facts := w.mutation(x)
		ms = append(ms, m)
		x.m.add(facts)
	}
	w.begin()
	w.wait(w.e.Apply(ms))
	w.done()
}

func (w *world) wait(c Commit, err error) {
	w.t.Helper()
	if err == nil {
		err = c.Wait()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// count increments some counters, or deletes one for good.
func (w *world) count(x *modelled) {
	w.t.Helper()
	var ms []request.Mutation
	var b request.Builder
	_, gone := x.totals()
	for range 1 + w.r.IntN(3) {
		at := countAt{w.r.IntN(5), w.r.IntN(20)}
		if gone[at] {
			continue
		}
		key := int32Value(at.key)
		b.Reset(x.table, key, token.Murmur3{}.Token(key))
		b.Row([][]byte{int32Value(at.c)})
		c := counted{event: w.event, at: at, gone: w.r.IntN(40) == 0, delta: w.r.Int64N(200) - 100}
		if c.gone {
			b.DeleteRow(row.Deletion{Timestamp: w.now + 1e6, Local: w.now})
			gone[at] = true
		} else {
			b.CounterDelta(x.table.ByName["n"].ID, c.delta)
		}
		x.counts = append(x.counts, c)
		ms = append(ms, b.Mutation())
		w.ops++
	}
	if len(ms) == 0 {
		return
	}
	w.begin()
	w.wait(w.e.ApplyCounter(ms, schema.UUID{7}, w.now))
	w.done()
}

// check compares one random read with the model, whole and in pages. between is called while it reads.
func (w *world) check(x *modelled, between func()) {
	w.t.Helper()
	w.ops++
	if x.table.Counter {
		w.checkCounts(x)
		return
	}
	r := w.read(x)
	want := x.m.read(&r)
	wrong := func(what string, got, want []livePartition) {
		w.t.Helper()
		w.t.Fatalf("table %s, event %d: read %+v\n%s gives\n%swant\n%s", x.table.Name, w.event, r, what, show(x.table, got), show(x.table, want))
	}
	if got := readAllOf(w.t, w.e, &r, between); !same(got, want) {
		wrong("whole", got, want)
	}
	n := 1 + w.r.IntN(4)
	if w.r.IntN(2) == 0 {
		r.RowLimit = n
	}
	if got := paged(w.t, w.e, r, n, between); !same(got, want) {
		wrong(fmt.Sprintf("in pages of %d", n), got, want)
	}
	if len(r.Filter) == 0 && r.Index == nil && w.r.IntN(3) == 0 {
		for _, c := range x.table.ByID {
			if !c.IsPrimaryKey() && w.r.IntN(2) == 0 {
				r.Columns = append(r.Columns, c.ID)
			}
		}
		r.RowLimit = 0
		w.checkParts(x, r, want)
		if r.Columns != nil {
			if got, want := only(readAllOf(w.t, w.e, &r, nil), r.Columns), only(want, r.Columns); !same(got, want) {
				wrong("of some columns", got, want)
			}
		}
	}
}

// checkParts compares reads of some rows of each partition, and of no more than that there are some.
func (w *world) checkParts(x *modelled, r request.Read, all []livePartition) {
	w.t.Helper()
	r.Columns = nil
	n := 1 + w.r.IntN(3)
	r.PartitionLimit = n
	r.Distinct = r.Slices == nil && w.r.IntN(2) == 0
	if r.Distinct {
		r.PartitionLimit, n = 0, 1
	}
	it, err := w.e.Read(context.Background(), &r)
	if err != nil {
		w.t.Fatal(err)
	}
	live := row.LiveFilter(it, r.Now)
	defer live.Close()
	var got, want []livePartition
	for live.NextPartition() {
		p := livePartition{key: string(live.Key()), rows: []liveRow{}}
		if s := live.Static(); s != nil {
			c := s.Clone()
			p.static = &liveRow{nil, c.Cells, c.Liveness.IsLive(r.Now)}
		}
		for len(p.rows) < n {
			y := live.NextRow()
			if y == nil {
				break
			}
			c := y.Clone()
			p.rows = append(p.rows, liveRow{c.Clustering, c.Cells, c.Liveness.IsLive(r.Now)})
		}
		got = append(got, p)
	}
	if err := live.Err(); err != nil {
		w.t.Fatal(err)
	}
	for _, p := range all {
		p.rows = p.rows[:min(n, len(p.rows))]
		want = append(want, p)
	}
	if !same(got, want) {
		w.t.Fatalf("table %s, event %d: read %+v\n%d rows of each partition give\n%swant\n%s", x.table.Name, w.event, r, n, show(x.table, got),
			show(x.table, want))
	}
}

// countsOf reads all counters of a table.
func countsOf(t testing.TB, e *Engine, table *schema.Table, now int64) map[countAt]int64 {
	t.Helper()
	open := request.KeyBound{Open: true}
	r := request.Read{Table: table, Now: now, Range: request.KeyRange{Start: open, End: open}}
	got := map[countAt]int64{}
	for _, p := range readAllOf(t, e, &r, nil) {
		for _, x := range p.rows {
			if len(x.cells) != 1 {
				t.Fatalf("a counter row of %d cells", len(x.cells))
			}
			got[countAt{intOf([]byte(p.key)), intOf(x.clustering[0])}] = row.CounterTotal(x.cells[0].Value)
		}
	}
	return got
}

// checkCounts compares all counters of a table.
func (w *world) checkCounts(x *modelled) {
	w.t.Helper()
	got := countsOf(w.t, w.e, x.table, w.now)
	want, _ := x.totals()
	for at, n := range want {
		if g, ok := got[at]; !ok || g != n {
			w.t.Fatalf("table %s, event %d: counter %v is %d (there: %v), want %d", x.table.Name, w.event, at, g, ok, n)
		}
	}
	if len(got) != len(want) {
		w.t.Fatalf("table %s, event %d: %d counters, want %d", x.table.Name, w.event, len(got), len(want))
	}
}

func intOf(b []byte) int {
	return int(int32(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])))
}

// alter drops a column of a table, adds it again, or changes its indexes.
func (w *world) alter(x *modelled) {
	w.t.Helper()
	t := x.table
	switch n := w.r.IntN(3); {
	case n == 0 || len(t.Clustering) != 2 || len(t.PartitionKey) != 2:
		t = w.dropOrAdd(t)
	case n == 1:
		u := *t
		u.Indexes = u.Indexes[:w.r.IntN(len(u.Indexes)+1)]
		t = &u
	default:
		u := *t
		u.Indexes = modelIndexes(t)
		t = &u
	}
	w.event++
	x.table, x.m.t = t, t
	w.begin()
	w.e.SetSchema(w.snapshot())
	w.buildIndexes()
	w.done()
}

// replace drops a table and makes another.
func (w *world) replace() {
	n := w.r.IntN(len(w.tables))
	if w.tables[n].table.Counter {
		return
	}
	w.event++
	w.tables = append(slices.Clone(w.tables[:n]), w.tables[n+1:]...)
	w.begin()
	if w.r.IntN(2) == 0 {
		w.e.SetSchema(w.snapshot())
	}
	w.addTable(w.r.IntN(shapes - 1))
	w.begin()
	w.e.SetSchema(w.snapshot())
	w.done()
}

func (w *world) truncate(x *modelled) {
	w.t.Helper()
	w.event++
	w.beginTruncate(x)
	if err := w.e.Truncate(x.table.ID); err != nil {
		w.t.Fatal(err)
	}
	x.m.truncate(w.event)
	w.synced = w.event // a truncation waits for the disk
	w.done()
}

// upset does one of the things that must change no answer, or that changes tables.
func (w *world) upset() {
	w.t.Helper()
	w.ops++
	switch n := w.r.IntN(100); {
	case n < 20:
		w.pass(int64(w.r.IntN(4)))
	case n < 23:
		w.pass(2*w.v.grace + 2*w.v.jitter)
	case n < 30:
		w.alter(w.plain())
	case n < 33:
		w.truncate(w.pick())
	case n < 36:
		w.replace()
	case n < 42:
		w.close()
		w.open()
	case n < 50:
		crashed := w.fs.CrashClone(w.r)
		w.close()
		w.fs = crashed
		w.open()
	case n < 85:
		w.flush(w.pick())
	default:
		w.compact(w.pick())
	}
}

func emptyWorld(t testing.TB, seed uint64, v variant) *world {
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 0)), fs: vfs.NewMem(), v: v, now: 1_000_000, clock: new(atomic.Int64)}
	w.clock.Store(w.now)
	return w
}

// newWorld returns an engine with tables.
func newWorld(t testing.TB, seed uint64, v variant) *world {
	w := emptyWorld(t, seed, v)
	w.addTable(0)
	for range w.r.IntN(3) {
		w.addTable(1 + w.r.IntN(shapes-2))
	}
	w.addTable(shapes - 1)
	w.open()
	return w
}

// runModel writes, reads and upsets an engine a number of times and returns how many operations that were.
func runModel(t testing.TB, seed uint64, v variant, steps int) int {
	w := newWorld(t, seed, v)
	for range steps {
		w.apply()
		if w.r.IntN(2) == 0 {
			w.check(w.pick(), nil)
		}
		switch w.r.IntN(12) {
		case 0:
			w.upset()
		case 1:
			// What moves data about while a read is open.
			w.check(w.plain(), func() {
				if w.r.IntN(20) == 0 {
					w.flush(w.pick())
				} else if w.r.IntN(60) == 0 {
					w.compact(w.pick())
				}
			})
		}
	}
	w.close()
	return w.ops
}

// TestModel runs random writes, reads, schema changes, truncations, flushes, compactions, restarts and power cuts on an
// engine and on the model, under the variants one after the other and under random options. With HELENUS_MODEL=10m it goes on for that long
// (make model); HELENUS_SEED runs one seed under all of them.
func TestModel(t *testing.T) {
	long, steps := 2*time.Second, 150
	if s := os.Getenv("HELENUS_MODEL"); s != "" {
		var err error
		if long, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
		steps = 1500
	}
	seeds := func() uint64 { return rand.Uint64() }
	if s := os.Getenv("HELENUS_SEED"); s != "" {
		var seed uint64
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
		seeds = func() uint64 { return seed }
		long = 0
	}
	start := time.Now()
	ops, runs, sets, said := 0, 0, len(variants), start
	for i := 0; i < 2*len(variants) || time.Since(start) < long; i++ {
		v, seed := variants[i%len(variants)], seeds()
		if i%(2*len(variants)) >= len(variants) {
			v = randomOptions(v, rand.New(rand.NewPCG(seed, 2)))
			sets++
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { ops += runModel(t, seed, v, steps) })
		if t.Failed() {
			t.Fatalf("1 difference in %d operations of %d runs; variant %q, HELENUS_SEED=%d", ops, runs, v.name, seed)
		}
		runs++
		if time.Since(said) > 30*time.Second {
			said = time.Now()
			fmt.Printf("model: %d operations in %d runs, %v\n", ops, runs, time.Since(start).Round(time.Second))
		}
	}
	t.Logf("%d operations in %d runs under %d sets of options, %v: 0 differences", ops, runs, sets, time.Since(start))
}
