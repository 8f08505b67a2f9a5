package storage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// fault makes one operation of a kind fail, the nth, or all from that on.
type fault struct {
	op     vfs.Op
	nth    int
	forth  bool
	err    error
	mu     sync.Mutex
	counts map[vfs.Op]int
	fired  string // the file it hit first
	over   bool   // nothing fails any more
}

// hook is the file system's.
func (f *fault) hook(op vfs.Op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[op]++
	n := f.counts[op]
	if f.over || op != f.op || n < f.nth || n > f.nth && !f.forth {
		return nil
	}
	if f.fired == "" {
		f.fired = name
	}
	return f.err
}

func (f *fault) end() {
	f.mu.Lock()
	f.over = true
	f.mu.Unlock()
}

func (f *fault) hit() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fired
}

// quickly is the context of what may fail for ever.
func quickly() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 150*time.Millisecond)
}

// faulted is a world whose file system fails.
type faulted struct {
	*world
	f *fault
	// unknown are the events that ended with an error and may be there or not; without are those that are not.
	unknown []int
	without map[int]bool
	// emptied is the table of a truncation that failed, emptiedAt its event: what is older is there or not.
	emptied   *modelled
	emptiedAt int
}

// script works on the engine; what fails is noted. Its steps follow from r alone, whatever fails.
func (w *faulted) script(steps int) {
	for range steps {
		w.event++
		var ms []request.Mutation
		x := w.plain()
		m, facts := w.mutation(x)
		x.m.add(facts)
		ms = append(ms, m)
		c, err := w.e.Apply(ms)
		if err != nil {
			w.without[w.event] = true
		} else if w.waiting("a write", w.f.err == syscall.ENOSPC, c.Wait) != nil {
			w.unknown = append(w.unknown, w.event)
		}
		ctx, cancel := quickly()
		switch n := w.r.IntN(12); {
		case n < 3:
			_ = w.e.Flush(ctx, w.pick().table.ID)
		case n < 4:
			x := w.pick()
			_ = w.waiting("a compaction", true, func() error { return w.compactSome(ctx, x) })
		case n < 5 && w.emptied == nil:
			x := w.plain()
			w.event++
			if w.e.Truncate(x.table.ID) != nil {
				w.emptied, w.emptiedAt = x, w.event
				cancel()
				return
			}
			x.m.truncate(w.event)
		case n < 7:
			x := w.plain()
			x.table = w.dropOrAdd(x.table)
			x.m.t = x.table
			w.e.SetSchema(w.snapshot())
		case n < 9:
			w.look(ctx)
		}
		cancel()
	}
}

// waiting calls f, which may wait until the fault is gone where that is allowed: a write for room on the disk, a compaction for
// a manifest that cannot be written.
func (w *faulted) waiting(what string, allowed bool, f func() error) error {
	w.t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Second):
	}
	if allowed {
		w.f.end()
	}
	select {
	case err := <-done:
		return err
	case <-time.After(20 * time.Second):
		w.t.Fatalf("%v: %s waits", w.f, what)
	}
	return nil
}

// look reads a table: an error is an answer, a wrong row is not.
func (w *faulted) look(ctx context.Context) {
	w.t.Helper()
	x := w.plain()
	open := request.KeyBound{Open: true}
	r := request.Read{Table: x.table, Now: w.now, Range: request.KeyRange{Start: open, End: open}}
	got, err := answer(ctx, w.e, &r)
	if err != nil {
		if w.f.hit() == "" {
			w.t.Fatalf("a read before the fault: %v", err)
		}
		return
	}
	for _, s := range w.states() {
		old := *x.m
		x.m.without, x.m.limit, x.m.floor = s.without, s.limit, s.floors[x]
		want := x.m.read(&r)
		*x.m = old
		if same(got, want) {
			return
		}
	}
	want := x.m.read(&r)
	w.t.Fatalf("%v: a read at event %d gives\n%swant\n%s", w.f, w.event, show(x.table, got), show(x.table, want))
}

// answer reads r, or says why it cannot.
func answer(ctx context.Context, e *Engine, r *request.Read) ([]livePartition, error) {
	it, err := e.Read(ctx, r)
	if err != nil {
		return nil, err
	}
	live := row.LiveFilter(it, r.Now)
	defer live.Close()
	var out []livePartition
	for live.NextPartition() {
		p := livePartition{key: string(live.Key()), rows: []liveRow{}}
		if s := live.Static(); s != nil {
			c := s.Clone()
			p.static = &liveRow{nil, c.Cells, c.Liveness.IsLive(r.Now)}
		}
		for x := live.NextRow(); x != nil; x = live.NextRow() {
			c := x.Clone()
			p.rows = append(p.rows, liveRow{c.Clustering, c.Cells, c.Liveness.IsLive(r.Now)})
		}
		out = append(out, p)
	}
	return out, live.Err()
}

// states returns what the world may look like: with any of the unknown events, with a failed truncation or without.
func (w *faulted) states() []state {
	w.t.Helper()
	if len(w.unknown) > 6 {
		w.t.Fatalf("%v: %d writes failed at the disk one after the other", w.f, len(w.unknown))
	}
	floors := map[*modelled]int{}
	for _, x := range w.tables {
		floors[x] = x.m.floor
	}
	var out []state
	for set := 0; set < 1<<len(w.unknown); set++ {
		without := map[int]bool{}
		for e := range w.without {
			without[e] = true
		}
		for i, e := range w.unknown {
			if set&(1<<i) != 0 {
				without[e] = true
			}
		}
		out = append(out, state{limit: w.event, floors: floors, without: without})
		if w.emptied != nil {
			f := map[*modelled]int{}
			for x, n := range floors {
				f[x] = n
			}
			f[w.emptied] = w.emptiedAt
			out = append(out, state{limit: w.event, floors: f, without: without})
		}
	}
	return out
}

// fits reports a difference between an engine and all states.
func (w *faulted) fits(what string, e *Engine) {
	w.t.Helper()
	first := ""
	for _, s := range w.states() {
		d := difference(w.t, e, w.moment(), s)
		if d == "" {
			return
		}
		if first == "" {
			first = d
		}
	}
	w.t.Fatalf("%v: %s: unknown %v, refused %v: %s", w.f, what, w.unknown, w.without, first)
}

// String names a fault.
func (f *fault) String() string {
	how := "once"
	if f.forth {
		how = "and all behind it"
	}
	return fmt.Sprintf("%s number %d fails %s (%v), at %s", f.op, f.nth, how, f.err, f.hit())
}

// reopen opens a folder without faults.
func (w *faulted) reopen(what string, fs vfs.FS) *Engine {
	w.t.Helper()
	o := w.options()
	o.FS = fs
	e, err := Open("/data", o)
	if err == nil {
		_, err = e.Replay(w.snapshot())
	}
	if err != nil {
		w.t.Fatalf("%v: %s: %v", w.f, what, err)
	}
	return e
}

// runFault runs the script of a seed with a fault and reports how many operations of each kind there were.
func runFault(t *testing.T, seed uint64, f *fault, steps int) map[vfs.Op]int {
	f.counts = map[vfs.Op]int{}
	v := variant{name: "faults", jitter: 15, grace: 60, keys: 6}
	base := emptyWorld(t, seed, v)
	base.cuts = &cuts{}
	base.wrap = func(m *vfs.Mem) vfs.FS { return &vfs.Faulty{FS: m, Hook: f.hook} }
	w := &faulted{world: base, f: f, without: map[int]bool{}}
	w.addTable(2)
	w.addTable(3)
	var err error
	if w.e, err = Open("/data", w.options()); err == nil {
		if _, err = w.e.Replay(w.snapshot()); err != nil {
			w.e.Close()
		}
	}
	if err != nil {
		if f.hit() == "" {
			t.Fatal(err)
		}
		// It does not start. It does when the fault is gone.
		f.end()
		e := w.reopen("start behind a failed one", base.fs)
		w.e = e
	}
	w.script(steps)
	// Some of the fault's life is behind it: reads go on, and answer or say why not.
	ctx, cancel := quickly()
	for range 4 {
		w.look(ctx)
	}
	cancel()
	f.end()
	counts := map[vfs.Op]int{}
	f.mu.Lock()
	for op, n := range f.counts {
		counts[op] = n
	}
	f.mu.Unlock()
	// The fault is gone: everything can be read. A truncation that failed has left the memory at once.
	w.fits("when the fault is gone", w.e)
	// What is written now is refused or there.
	w.script(3)
	crashed := base.fs.CrashClone(w.r)
	closed := make(chan struct{})
	go func() {
		_ = w.e.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(30 * time.Second):
		t.Fatalf("%v: close hangs", f)
	}
	for what, fs := range map[string]*vfs.Mem{"after a power cut": crashed, "after a stop": base.fs} {
		e := w.reopen(what, fs)
		w.fits(what, e)
		if err := e.Close(); err != nil {
			t.Fatalf("%v: %s: close: %v", f, what, err)
		}
	}
	return counts
}

// TestFaults lets each operation of the file system fail in a run of a script, once or from then on: nothing is acknowledged
// that a power cut takes, reads give right rows or an error, and all is well when the fault is gone. A part of the operations
// is taken each time; HELENUS_FAULTS=n takes n for each kind of fault.
func TestFaults(t *testing.T) {
	per := 2
	if s := os.Getenv("HELENUS_FAULTS"); s != "" {
		var err error
		if per, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	if s := os.Getenv("HELENUS_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("HELENUS_SEED=%d", seed)
	const steps = 30
	all := runFault(t, seed, &fault{}, steps)
	r := rand.New(rand.NewPCG(seed, 3))
	n := 0
	for _, op := range []vfs.Op{
		vfs.OpSync, vfs.OpWrite, vfs.OpCreate, vfs.OpRename, vfs.OpRemove, vfs.OpSyncDir, vfs.OpRead, vfs.OpOpen, vfs.OpTruncate, vfs.OpClose,
		vfs.OpMkdir, vfs.OpList, vfs.OpSize, vfs.OpLink, vfs.OpStat,
	} {
		for _, forth := range []bool{false, true} {
			nths := r.Perm(all[op])
			for _, nth := range nths[:min(per, len(nths))] {
				err := errors.New("input/output error")
				if op == vfs.OpWrite && r.IntN(2) == 0 {
					err = syscall.ENOSPC
				}
				f := &fault{op: op, nth: nth + 1, forth: forth, err: err}
				runFault(t, seed, f, steps)
				if t.Failed() {
					t.Fatalf("HELENUS_SEED=%d", seed)
				}
				n++
			}
		}
	}
	t.Logf("%d faults of %v operations, seed %d: 0 violations", n, all, seed)
}
