package storage

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/vfs"
)

// cuts cuts the power of a world: before some operations on the file system it takes what a cut would leave, with what the
// world then knows to be durable. Each is looked at later (verify): an engine opens it, and holds what was acknowledged, or
// that and what was being done, and nothing else.
type cuts struct {
	now atomic.Pointer[moment]
	// every is the mean number of operations between cuts.
	every int
	mu    sync.Mutex
	r     *rand.Rand
	taken []cut
	// where counts the cuts by the kind of operation before which they were.
	where map[string]int
	depth int
}

// moment is what a world knows at a time. Events up to limit are durable; when it is periodic those up to written may be,
// without holes. doing is the event that is under way, 0 for none, and truncating the table that it empties.
type moment struct {
	tables         []tableAt
	limit, written int
	doing          int
	truncating     *modelled
	now            int64
	snaps          []snapped
}

// snapped is a snapshot of a table under a tag.
type snapped struct {
	tag   string
	at    tableAt
	event int
}

// tableAt is a table at a moment.
type tableAt struct {
	x     *modelled
	table *schema.Table
	floor int
}

// cut is what a cut of power leaves.
type cut struct {
	fs *vfs.Mem
	at *moment
	op string
}

// begin says that w.event is under way.
func (w *world) begin() { w.beginTruncate(nil) }

func (w *world) beginTruncate(x *modelled) {
	if w.cuts == nil {
		return
	}
	m := w.moment()
	m.doing, m.truncating = w.event, x
	w.cuts.now.Store(m)
}

// done says that w.event is done, and durable but in periodic mode.
func (w *world) done() {
	if w.cuts == nil {
		return
	}
	if !w.v.periodic {
		w.synced = w.event
	}
	w.cuts.now.Store(w.moment())
}

func (w *world) moment() *moment {
	m := &moment{limit: w.synced, written: w.event, now: w.now, snaps: w.snaps}
	for _, x := range w.tables {
		m.tables = append(m.tables, tableAt{x, x.table, x.m.floor})
	}
	return m
}

// snap makes a snapshot of a table, or removes one.
func (w *world) snap() {
	w.t.Helper()
	w.event++
	if n := len(w.snaps); n > 0 && w.r.IntN(4) == 0 {
		tag := w.snaps[0].tag
		w.snaps = w.snaps[1:]
		w.begin()
		if err := w.e.ClearSnapshots(func(s *Snapshot) bool { return s.Tag == tag }); err != nil {
			w.t.Fatal(err)
		}
		w.done()
		return
	}
	x := w.pick()
	tag := fmt.Sprintf("tag%d", w.event)
	w.begin()
	if err := w.e.Snapshot(context.Background(), tag, SnapshotOptions{Now: time.Unix(w.now, 0)}, x.table.ID); err != nil {
		w.t.Fatalf("snapshot of %s: %v", x.table.Name, err)
	}
	w.snaps = append(slices.Clip(w.snaps), snapped{tag, tableAt{x, x.table, x.m.floor}, w.event})
	w.done()
}

// verifySnapshots holds that the snapshots of a moment are listed, and that one of them is what its table was.
func (w *world) verifySnapshots(c cut, e *Engine) {
	w.t.Helper()
	listed, err := e.Snapshots()
	if err != nil {
		w.t.Fatalf("power cut before %s, event %d: snapshots: %v", c.op, w.event, err)
	}
	for _, s := range c.at.snaps {
		if !slices.ContainsFunc(listed, func(l Snapshot) bool { return l.Tag == s.tag && !l.Created.IsZero() }) {
			w.t.Fatalf("power cut before %s, event %d: snapshot %s of %s is gone", c.op, w.event, s.tag, s.at.table.Name)
		}
	}
	if len(c.at.snaps) == 0 {
		return
	}
	s := c.at.snaps[w.r.IntN(len(c.at.snaps))]
	opts := w.options()
	opts.FS = c.fs
	fresh, err := Open(fmt.Sprintf("/restored%d", w.depth), opts)
	if err == nil {
		_, err = fresh.Replay(snapshotOf(s.at.table))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	dir := path.Join(tableDir("/data", s.at.table), "snapshots", s.tag)
	if _, err := fresh.ImportFolder(context.Background(), s.at.table.ID, dir, ImportOptions{Copy: true}); err != nil {
		w.t.Fatalf("power cut before %s, event %d: snapshot %s: %v", c.op, w.event, s.tag, err)
	}
	w.cuts.mu.Lock()
	w.cuts.where["(snapshots restored)"]++
	w.cuts.mu.Unlock()
	m := &moment{tables: []tableAt{s.at}, now: c.at.now}
	if d := difference(w.t, fresh, m, state{limit: s.event, floors: map[*modelled]int{s.at.x: s.at.floor}}); d != "" {
		w.t.Fatalf("power cut before %s, event %d: snapshot %s: %s", c.op, w.event, s.tag, d)
	}
	if err := fresh.Close(); err != nil {
		w.t.Fatal(err)
	}
}

// hook is the file system's. It may be called by many goroutines.
func (c *cuts) hook(fs *vfs.Mem) func(op vfs.Op, name string) error {
	return func(op vfs.Op, name string) error {
		switch op {
		case vfs.OpCreate, vfs.OpRemove, vfs.OpRename, vfs.OpLink, vfs.OpSyncDir, vfs.OpSync, vfs.OpTruncate, vfs.OpRmdir, vfs.OpWrite, vfs.OpClose:
		default:
			return nil
		}
		at := c.now.Load()
		c.mu.Lock()
		defer c.mu.Unlock()
		if at == nil || c.r.IntN(c.every) > 0 {
			return nil
		}
		clone := fs.CrashClone(c.r)
		if at == c.now.Load() {
			c.taken = append(c.taken, cut{clone, at, fmt.Sprintf("%s %s", op, name)})
			c.where[string(op)]++
		}
		return nil
	}
}

// take returns the cuts so far and forgets them.
func (c *cuts) take() []cut {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.taken
	c.taken = nil
	return out
}

// state is what a world may look like after a cut.
type state struct {
	limit   int
	floors  map[*modelled]int
	without map[int]bool
}

// states returns all of them, the likeliest first.
func (m *moment) states() []state {
	floors := map[*modelled]int{}
	for _, x := range m.tables {
		floors[x.x] = x.floor
	}
	last := max(m.limit, m.written, m.doing)
	var out []state
	for n := last; n >= m.limit; n-- {
		out = append(out, state{limit: n, floors: floors})
	}
	if m.truncating != nil {
		emptied := maps.Clone(floors)
		emptied[m.truncating] = m.doing
		for n := last; n >= m.limit; n-- {
			out = append(out, state{limit: n, floors: emptied})
		}
	}
	return out
}

// difference compares all tables of an engine with a state and returns "" when they are equal.
func difference(t testing.TB, e *Engine, m *moment, s state) string {
	t.Helper()
	open := request.KeyBound{Open: true}
	for _, x := range m.tables {
		old := *x.x.m
		x.x.m.floor, x.x.m.limit, x.x.m.t, x.x.m.without = s.floors[x.x], s.limit, x.table, s.without
		r := request.Read{Table: x.table, Now: m.now, Range: request.KeyRange{Start: open, End: open}}
		out := ""
		if x.table.Counter {
			want, _ := x.x.totals()
			if got := countsOf(t, e, x.table, m.now); !maps.Equal(got, want) {
				out = fmt.Sprintf("table %s has the counters\n%v\nwant\n%v", x.table.Name, got, want)
			}
		} else {
			want := x.x.m.read(&r)
			if got := readAllOf(t, e, &r, nil); !same(got, want) {
				out = fmt.Sprintf("table %s has\n%swant\n%s", x.table.Name, show(x.table, got), show(x.table, want))
			}
		}
		*x.x.m = old
		if out != "" {
			return out
		}
	}
	return ""
}

// verify opens what a cut left and compares it. The power is cut again while it starts and while it goes on, once more.
func (w *world) verify(c cut) {
	w.t.Helper()
	again := &cuts{r: w.r, every: 40, where: map[string]int{}, depth: w.depth + 1}
	opts := w.options()
	opts.FS = c.fs
	opts.Compaction.Now = func() time.Time { return time.Unix(c.at.now, 0) }
	if again.depth < 2 {
		opts.FS = &vfs.Faulty{FS: c.fs, Hook: again.hook(c.fs)}
		again.now.Store(c.at)
	}
	tables := make([]*schema.Table, 0, len(c.at.tables))
	for _, x := range c.at.tables {
		tables = append(tables, x.table)
	}
	e, err := Open("/data", opts)
	if err != nil {
		w.t.Fatalf("power cut before %s, event %d: open: %v", c.op, w.event, err)
	}
	if _, err := e.Replay(snapshotOf(tables...)); err != nil {
		w.t.Fatalf("power cut before %s, event %d: replay: %v", c.op, w.event, err)
	}
	var differences []string
	var found *state
	for _, s := range c.at.states() {
		d := difference(w.t, e, c.at, s)
		if d == "" {
			found = &s
			break
		}
		differences = append(differences, fmt.Sprintf("as of event %d: %s", s.limit, d))
	}
	if found == nil {
		w.t.Fatalf("power cut before %s, event %d (durable %d, under way %d): no state fits\n%s", c.op, w.event, c.at.limit, c.at.doing,
			slices.Concat(differences)[0])
	}
	if w.r.IntN(3) == 0 {
		w.verifySnapshots(c, e)
	}
	// It stays so when the engine works on: what a later compaction purges was not needed.
	if w.r.IntN(4) == 0 {
		fixed := *c.at
		fixed.limit, fixed.written, fixed.doing, fixed.truncating = found.limit, 0, 0, nil
		fixed.tables = slices.Clone(c.at.tables)
		for i := range fixed.tables {
			fixed.tables[i].floor = found.floors[fixed.tables[i].x]
		}
		if w.v.periodic {
			if err := e.Sync(); err != nil {
				w.t.Fatal(err)
			}
		}
		again.now.Store(&fixed)
		in := *w
		in.e = e
		for _, x := range fixed.tables {
			in.flush(x.x)
			in.compact(x.x)
		}
		if d := difference(w.t, e, &fixed, *found); d != "" {
			w.t.Fatalf("power cut before %s, event %d: after a flush and a compaction %s", c.op, w.event, d)
		}
	}
	if err := e.Close(); err != nil {
		w.t.Fatalf("power cut before %s, event %d: close: %v", c.op, w.event, err)
	}
	in := *w
	in.depth++
	for _, c := range again.take() {
		*w.powerCuts++
		in.verify(c)
	}
}

// cutVariants are those of the power cuts: small, and one whose writes wait for no disk.
var cutVariants = []variant{
	{name: "batch", jitter: 15, grace: 60, keys: 6},
	{name: "periodic", jitter: 15, grace: 60, keys: 6, periodic: true},
	{name: "no grace", keys: 6},
}

// runCuts works on a world whose power is cut often and looks at what is left, about as often as most. It returns how often.
func runCuts(t testing.TB, seed uint64, v variant, steps, most int, where map[string]int) int {
	c := &cuts{r: rand.New(rand.NewPCG(seed, 1)), every: 12, where: where}
	w := emptyWorld(t, seed, v)
	w.cuts, w.powerCuts = c, new(int)
	w.wrap = func(m *vfs.Mem) vfs.FS { return &vfs.Faulty{FS: m, Hook: c.hook(m)} }
	w.addTable(0)
	w.addTable(1 + w.r.IntN(shapes-2))
	w.addTable(shapes - 1)
	w.open()
	w.done()
	for i := 0; i < steps && *w.powerCuts < most; i++ {
		w.apply()
		if v.periodic && w.event-w.synced > 6 {
			if err := w.e.Sync(); err != nil {
				t.Fatal(err)
			}
			w.synced = w.event
			w.done()
		}
		if w.r.IntN(3) == 0 {
			switch n := w.r.IntN(22); {
			case n < 8:
				w.flush(w.pick())
			case n < 12:
				w.compact(w.pick())
			case n < 14:
				w.truncate(w.pick())
			case n < 16:
				w.alter(w.plain())
			case n < 17:
				w.replace()
			case n < 18:
				w.pass(2*v.grace + 2*v.jitter)
				w.done()
			case n < 20:
				w.snap()
			default:
				w.pass(int64(w.r.IntN(5)))
				w.done()
			}
		}
		for _, x := range c.take() {
			if *w.powerCuts >= most {
				break
			}
			*w.powerCuts++
			w.verify(x)
		}
	}
	c.now.Store(nil)
	w.close()
	return *w.powerCuts
}

// TestPowerCuts cuts the power at random operations of writes, flushes, compactions, truncations, schema changes and snapshots, some
// hundred times. HELENUS_CUTS=20000 does it as often (make powercuts), HELENUS_SEED repeats a run.
func TestPowerCuts(t *testing.T) {
	want, start := 150, time.Now()
	if s := os.Getenv("HELENUS_CUTS"); s != "" {
		var err error
		if want, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	n, where := 0, map[string]int{}
	for i := 0; n < want; i++ {
		v, seed := cutVariants[i%len(cutVariants)], rand.Uint64()
		if s := os.Getenv("HELENUS_SEED"); s != "" {
			if _, err := fmt.Sscan(s, &seed); err != nil {
				t.Fatal(err)
			}
			if i == 2*len(cutVariants) {
				break
			}
		}
		if i%(2*len(cutVariants)) >= len(cutVariants) {
			v = randomOptions(v, rand.New(rand.NewPCG(seed, 2)))
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { n += runCuts(t, seed, v, 60, min(300, want-n), where) })
		if t.Failed() {
			t.Fatalf("a violation within %d power cuts; %s, HELENUS_SEED=%d", n, v.name, seed)
		}
	}
	t.Logf("%d power cuts, 0 violations, %v; before %v", n, time.Since(start), where)
}
