package compaction

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// Options configure a Manager.
type Options struct {
	FS vfs.FS
	// Throughput bounds how many bytes of inputs all tasks read a second together, 0 for no bound: compaction_throughput.
	Throughput int64
	// Concurrent is how many tasks run at once: concurrent_compactors; 0 for 2.
	Concurrent int
	// Writer is what all tables are written with; fields that say what a table holds are set by the manager.
	Writer sstable.WriterOptions
	// Now is the clock; nil is the system's.
	Now func() time.Time
	// Bootstrapping reports whether the node still receives the data of its ranges; nil for never.
	Bootstrapping func() bool
	// Log takes what operators should know; nil is the default logger.
	Log *slog.Logger
	// Paused leaves background compaction off until Enable: autocompaction_on_startup_enabled.
	Paused bool
}

// historySize is how many completed tasks are remembered.
const historySize = 512

// retryAfter is when a table is looked at again whose background task has failed.
const retryAfter = time.Minute

// Manager runs the tasks of all stores. All methods may be called by many goroutines; none may be called with a lock of a
// store held. Source: org.apache.cassandra.db.compaction.CompactionManager.
type Manager struct {
	opts  Options
	limit *Limiter
	wake  chan struct{}
	wait  sync.WaitGroup
	// stop ends all jobs and the loop.
	ctx  context.Context
	stop context.CancelCauseFunc

	mu sync.Mutex
	// changed is signalled when a job ends or a limit changes.
	changed    *sync.Cond
	stores     map[schema.UUID]*member
	jobs       map[*Job]bool
	concurrent int
	// active counts the slots in use, waiting the operations that want one: background tasks let them go first.
	active, waiting int
	// running holds the ids of tables in jobs, damaged of those that a job has found out of order.
	running, damaged map[schema.UUID]map[string]bool
	history          []Entry
	stats            Stats
	started, closed  bool
	turns            uint64 // background tasks that were started
	rand             *rand.Rand
}

// member is a store that the manager looks after. Its fields are guarded by the manager's mutex.
type member struct {
	Store
	auto bool
	// held counts operations that keep background tasks off.
	held int
	// schema is the definition that strategies were made for.
	schema     *schema.Table
	strategies *Strategies
	// look says that something may be to do; retry is when to look again after a failure.
	look  bool
	retry time.Time
	// turn is the number of the background task that was the store's last.
	turn uint64
}

// NewManager returns a manager without stores. Start starts background compaction, Close ends everything.
func NewManager(o Options) *Manager {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Concurrent <= 0 {
		o.Concurrent = 2
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	m := &Manager{
		opts: o, limit: NewLimiter(o.Throughput), wake: make(chan struct{}, 1), stores: map[schema.UUID]*member{},
		jobs: map[*Job]bool{}, concurrent: o.Concurrent, running: map[schema.UUID]map[string]bool{},
		damaged: map[schema.UUID]map[string]bool{},
		rand:    rand.New(rand.NewPCG(uint64(o.Now().UnixNano()), 1)),
	}
	m.changed = sync.NewCond(&m.mu)
	m.ctx, m.stop = context.WithCancelCause(context.Background())
	return m
}

// Start lets background compaction run.
func (m *Manager) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started || m.closed {
		return
	}
	m.started = true
	m.wait.Go(m.loop)
	m.poke()
}

// Close stops all jobs and returns when they have ended.
func (m *Manager) Close() {
	m.mu.Lock()
	m.closed = true
	m.stop(fmt.Errorf("%w: the engine closes", ErrStopped))
	m.changed.Broadcast()
	m.mu.Unlock()
	m.poke()
	m.wait.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.jobs) > 0 || m.waiting > 0 {
		m.changed.Wait()
	}
}

// Add puts a store under the manager's care; one that it has under the same id is replaced.
func (m *Manager) Add(s Store) {
	t := s.Schema()
	m.mu.Lock()
	m.stores[t.ID] = &member{Store: s, auto: !m.opts.Paused, look: true}
	m.mu.Unlock()
	m.poke()
}

// Remove stops the jobs of a store that was dropped and forgets it. It returns when they have ended.
func (m *Manager) Remove(table schema.UUID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.stores, table)
	delete(m.damaged, table)
	m.stopJobsLocked(table, fmt.Errorf("%w: the table was dropped", ErrStopped))
}

// Notify says that the tables of a store, or its definition, have changed: there may be something to do.
func (m *Manager) Notify(table schema.UUID) {
	m.mu.Lock()
	if st := m.stores[table]; st != nil {
		st.look, st.retry = true, time.Time{}
	}
	m.mu.Unlock()
	m.poke()
}

// poke makes the loop look.
func (m *Manager) poke() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *Manager) now() time.Time { return m.opts.Now() }

// gcBefore is the time, in seconds, before which tombstones of t may go.
func (m *Manager) gcBefore(t *schema.Table) int64 {
	return m.now().Unix() - int64(t.Options.GCGraceSeconds)
}

// loop starts background tasks while there are slots.
func (m *Manager) loop() {
	timer := time.NewTicker(retryAfter)
	defer timer.Stop()
	for {
		for m.background() {
		}
		select {
		case <-m.wake:
		case <-timer.C:
			m.lookAgain()
		case <-m.ctx.Done():
			return
		}
	}
}

// lookAgain has all stores looked at: time alone makes tombstones and windows old.
func (m *Manager) lookAgain() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, st := range m.stores {
		st.look = true
	}
}

// background starts one background task and reports whether it did.
func (m *Manager) background() bool {
	m.mu.Lock()
	if m.closed || m.waiting > 0 || m.active >= m.concurrent {
		m.mu.Unlock()
		return false
	}
	var candidates []*member
	for _, st := range m.stores {
		if st.auto && st.look && st.held == 0 && !m.now().Before(st.retry) {
			candidates = append(candidates, st)
		}
	}
	// Stores take turns: one with many tasks before it must not keep the others from theirs.
	slices.SortFunc(candidates, func(a, b *member) int { return cmp.Compare(a.turn, b.turn) })
	m.active++
	m.mu.Unlock()
	for _, st := range candidates {
		job, task := m.next(st)
		if job == nil {
			continue
		}
		m.wait.Go(func() {
			err := m.execute(job, task)
			m.mu.Lock()
			m.active--
			if err != nil && !errors.Is(err, ErrStopped) && !errors.Is(err, ErrGone) {
				st.retry = m.now().Add(retryAfter)
			}
			m.changed.Broadcast()
			m.mu.Unlock()
			m.poke()
		})
		return true
	}
	m.mu.Lock()
	m.active--
	m.changed.Broadcast()
	m.mu.Unlock()
	return false
}

// next asks the strategies of a store for a task and claims its inputs; both are nil when there is none.
func (m *Manager) next(st *member) (*Job, *Task) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || st.held > 0 || !st.auto || m.stores[st.Schema().ID] != st {
		return nil, nil
	}
	// A change from here on sets look again.
	st.look = false
	if !AutoCompaction(st.Schema()) {
		return nil, nil
	}
	task := m.strategiesLocked(st).Next(m.viewLocked(st))
	if task == nil {
		return nil, nil
	}
	m.turns++
	st.look, st.turn = true, m.turns
	return m.claimLocked(st, task), task
}

// strategiesLocked returns the strategies of a store, made anew when its options have changed.
func (m *Manager) strategiesLocked(st *member) *Strategies {
	t := st.Schema()
	if st.strategies == nil || st.schema != t && !sameOptions(st.schema, t) {
		st.strategies = NewStrategies(t)
	}
	st.schema = t
	return st.strategies
}

func sameOptions(a, b *schema.Table) bool {
	x, y := a.Options.Compaction, b.Options.Compaction
	if len(x) != len(y) {
		return false
	}
	for k, v := range x {
		if w, ok := y[k]; !ok || v != w {
			return false
		}
	}
	return true
}

// viewLocked returns what strategies decide upon.
func (m *Manager) viewLocked(st *member) *View {
	moment := st.Acquire()
	defer moment.Release()
	v := &View{
		Now: m.now().Unix(), GCBefore: m.gcBefore(st.Schema()), Running: m.running[st.Schema().ID], MemtableMin: moment.MemtableMin(),
		FlushBytes: st.FlushBytes(), Rand: m.rand,
	}
	if m.opts.Bootstrapping != nil {
		v.Bootstrapping = m.opts.Bootstrapping()
	}
	bad := m.damaged[st.Schema().ID]
	for _, l := range moment.Tables() {
		t := l.Table
		if l.View == nil || bad[t.ID] || l.Reader.Suspect() {
			known := *t
			known.Suspect = true
			t = &known
		}
		v.All = append(v.All, t)
	}
	v.Tables = v.All
	return v
}

// claimLocked makes the job of a task: its inputs are running from now on.
func (m *Manager) claimLocked(st *member, t *Task) *Job {
	id := st.Schema().ID
	job := &Job{id: newID(m.now()), kind: t.Kind, store: st.Store, started: m.now()}
	set := m.running[id]
	if set == nil {
		set = map[string]bool{}
		m.running[id] = set
	}
	for _, x := range t.Inputs {
		set[x.ID] = true
		job.tables = append(job.tables, x.ID)
	}
	m.jobs[job] = true
	return job
}

// execute runs a claimed task to its end and gives up the claim. What an operator should know is logged.
func (m *Manager) execute(job *Job, t *Task) error {
	ctx, cancel := context.WithCancelCause(m.ctx)
	defer cancel(nil)
	m.mu.Lock()
	job.cancel = cancel
	if job.stopped != nil {
		cancel(job.stopped)
	}
	m.mu.Unlock()
	err := m.run(ctx, job, job.store, t)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	table := job.store.Schema()
	log := m.opts.Log.With("kind", t.Kind.String(), "keyspace", table.Keyspace, "table", table.Name)
	switch {
	case err == nil:
	case errors.Is(err, ErrStopped), errors.Is(err, ErrGone):
		log.Info("compaction stopped", "reason", err)
	default:
		if bad := damaged(err); bad != nil {
			m.suspect(table.ID, bad.ID)
			log.Error("a damaged table is left alone by compactions from now on; scrub or repair it", "id", bad.ID)
		}
		log.Error("compaction failed", "error", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range job.tables {
		delete(m.running[table.ID], id)
	}
	delete(m.jobs, job)
	if err != nil {
		m.stats.Aborted++
	}
	m.changed.Broadcast()
	return err
}

// suspect notes that a table on disk is damaged.
func (m *Manager) suspect(table schema.UUID, id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.damaged[table] == nil {
		m.damaged[table] = map[string]bool{}
	}
	m.damaged[table][id] = true
}

// finished notes a completed task.
func (m *Manager) finished(s Store, e Entry) {
	t := s.Schema()
	e.Keyspace, e.Table = t.Keyspace, t.Name
	now := m.now()
	e.Took, e.At = now.Sub(e.At), now
	m.mu.Lock()
	m.stats.Completed++
	m.stats.Bytes += e.BytesIn
	if len(m.history) == historySize {
		m.history = slices.Delete(m.history, 0, 1)
	}
	m.history = append(m.history, e)
	m.mu.Unlock()
}
