package compaction

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/sstable"
)

// ErrUnknownStore is returned for a table that the manager does not look after.
var ErrUnknownStore = errors.New("the table is not known to the compaction manager")

// slot waits for one of the slots in which tasks run, unless the job is stopped before. The caller gives it back with free.
func (m *Manager) slot(ctx context.Context, job *Job) error {
	wake := context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.changed.Broadcast()
	})
	defer wake()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting++
	defer func() {
		m.waiting--
		m.changed.Broadcast()
	}()
	for m.active >= m.concurrent && ctx.Err() == nil && job.stopped == nil && !m.closed {
		m.changed.Wait()
	}
	switch {
	case m.closed:
		return context.Cause(m.ctx)
	case job.stopped != nil:
		return job.stopped
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	m.active++
	return nil
}

// free gives a slot back.
func (m *Manager) free() {
	m.mu.Lock()
	m.active--
	m.changed.Broadcast()
	m.mu.Unlock()
	m.poke()
}

// hold keeps background tasks off a table until release is called; those that run are stopped, and have ended when it returns.
func (m *Manager) hold(table schema.UUID) (st *member, release func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if st = m.stores[table]; st == nil || m.closed {
		return nil, nil, ErrUnknownStore
	}
	st.held++
	m.stopJobsLocked(table, fmt.Errorf("%w: an operation on the table takes its place", ErrStopped))
	return st, func() {
		m.mu.Lock()
		st.held--
		st.look = true
		m.mu.Unlock()
		m.poke()
	}, nil
}

// plan is what an operation does with the tables of a store.
type plan func(v *View, s *Strategies) []*Task

// operate runs the tasks of a plan, up to parallel of them at a time (0 for as many as there are slots), and returns when all
// have ended. With exclusive true background tasks of the table are stopped first. One task's error does not keep the others
// from running.
func (m *Manager) operate(ctx context.Context, table schema.UUID, exclusive bool, parallel int, p plan) error {
	m.mu.Lock()
	st := m.stores[table]
	m.mu.Unlock()
	if st == nil {
		return ErrUnknownStore
	}
	if exclusive {
		var release func()
		var err error
		if st, release, err = m.hold(table); err != nil {
			return err
		}
		defer release()
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return context.Cause(m.ctx)
	}
	tasks := p(m.viewLocked(st), m.strategiesLocked(st))
	jobs := make([]*Job, len(tasks))
	for i, t := range tasks {
		jobs[i] = m.claimLocked(st, t)
	}
	if parallel <= 0 {
		parallel = m.concurrent
	}
	m.mu.Unlock()
	next := make(chan int)
	var wait sync.WaitGroup
	errs := make([]error, len(tasks))
	for range min(parallel, len(tasks)) {
		wait.Go(func() {
			for i := range next {
				errs[i] = m.inSlot(ctx, jobs[i], tasks[i])
			}
		})
	}
	for i := range tasks {
		next <- i
	}
	close(next)
	wait.Wait()
	m.Notify(table)
	return errors.Join(errs...)
}

// inSlot runs a claimed task when there is a slot for it.
func (m *Manager) inSlot(ctx context.Context, job *Job, t *Task) error {
	end := context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		job.stop(fmt.Errorf("%w: %w", ErrStopped, context.Cause(ctx)))
		m.changed.Broadcast()
	})
	defer end()
	if err := m.slot(ctx, job); err != nil {
		m.mu.Lock()
		job.stop(fmt.Errorf("%w: %w", ErrStopped, err))
		m.mu.Unlock()
		// Only gives up the claim: the job was stopped before it began.
		return m.execute(job, t)
	}
	defer m.free()
	return m.execute(job, t)
}

// Major compacts all of a table: nodetool compact. split cuts the result of a size-tiered compaction into halves:
// --split-output.
func (m *Manager) Major(ctx context.Context, table schema.UUID, split bool) error {
	return m.operate(ctx, table, true, 0, func(v *View, s *Strategies) []*Task { return s.Major(v, split) })
}

// UserDefined compacts given tables on disk together, those of each repair state for themselves: nodetool compact
// --user-defined. ids are Descriptor.String.
func (m *Manager) UserDefined(ctx context.Context, table schema.UUID, ids []string) error {
	var missing []string
	err := m.operate(ctx, table, false, 0, func(v *View, s *Strategies) []*Task {
		set := map[string]bool{}
		for _, id := range ids {
			set[id] = true
			if !slices.ContainsFunc(v.free(), func(t *Table) bool { return t.ID == id }) {
				missing = append(missing, id)
			}
		}
		if len(missing) > 0 {
			return nil
		}
		return s.UserDefined(v, set)
	})
	if len(missing) > 0 {
		return fmt.Errorf("%v: not live, damaged, or being compacted: %w", missing, ErrGone)
	}
	return err
}

// Range compacts all tables on disk that have keys in the ranges: nodetool compact -st -et.
func (m *Manager) Range(ctx context.Context, table schema.UUID, ranges []token.Range) error {
	return m.operate(ctx, table, true, 0, func(v *View, s *Strategies) []*Task { return s.Range(v, ranges) })
}

// ForceKeys compacts the tables on disk that may have given partition keys, whose tombstones go without regard to
// gc_grace_seconds: nodetool forcecompact.
func (m *Manager) ForceKeys(ctx context.Context, table schema.UUID, p token.Partitioner, keys [][]byte) error {
	set := map[string]bool{}
	var ranges []token.Range
	for _, k := range keys {
		set[string(k)] = true
		tok := p.Token(k)
		ranges = append(ranges, token.Range{Start: token.Token{Prefix: tok.Prefix - 1, Rest: tok.Rest}, End: tok})
	}
	return m.operate(ctx, table, true, 0, func(v *View, s *Strategies) []*Task {
		tasks := s.Range(v, ranges)
		for _, t := range tasks {
			t.IgnoreGrace = func(key []byte) bool { return set[string(key)] }
		}
		return tasks
	})
}

// GarbageCollect rewrites each table on disk by itself without what newer data hides: nodetool garbagecollect. jobs is how
// many at a time, 0 for as many as there are slots.
func (m *Manager) GarbageCollect(ctx context.Context, table schema.UUID, by Provide, jobs int) error {
	return m.operate(ctx, table, true, jobs, func(v *View, s *Strategies) []*Task {
		return singles(v, s, GarbageCollect, byMaxTimestamp, nil, func(t *Task) { t.Provide = by })
	})
}

// singles returns tasks for each sound and free table that want says yes to, nil for all, in an order.
func singles(v *View, s *Strategies, kind Kind, order func(a, b *Table) int, want func(*Table) bool, edit func(*Task)) []*Task {
	tables := v.free()
	slices.SortFunc(tables, order)
	var out []*Task
	for _, t := range tables {
		if want != nil && !want(t) {
			continue
		}
		if task := s.Single(v, t.ID, kind); task != nil {
			edit(task)
			out = append(out, task)
		}
	}
	return out
}

// Upgrade rewrites the tables on disk that are not of the version that is written, or with all every one: nodetool
// upgradesstables. Nothing is purged.
func (m *Manager) Upgrade(ctx context.Context, table schema.UUID, all bool, jobs int) error {
	return m.operate(ctx, table, true, jobs, func(v *View, s *Strategies) []*Task {
		old := func(t *Table) bool { return all || len(t.ID) < 2 || t.ID[:2] != currentVersion }
		return singles(v, s, Upgrade, bySize, old, func(t *Task) { t.NoPurge = true })
	})
}

// currentVersion is the version of the tables that are written.
const currentVersion = "nb"

// Cleanup drops what is outside of the ranges that the node keeps: nodetool cleanup. ranges are not none.
func (m *Manager) Cleanup(ctx context.Context, table schema.UUID, ranges []token.Range, jobs int) error {
	if len(ranges) == 0 {
		return errors.New("cleanup needs the ranges of the node")
	}
	return m.operate(ctx, table, true, jobs, func(v *View, s *Strategies) []*Task {
		// Small tables first: they make room.
		return singles(v, s, Cleanup, bySize, func(t *Table) bool { return !inside(t, ranges) }, func(t *Task) { t.Ranges = ranges })
	})
}

// inside reports whether one of the ranges holds all of a table.
func inside(t *Table, ranges []token.Range) bool {
	return slices.ContainsFunc(ranges, func(r token.Range) bool {
		if !r.Contains(t.First.Token) || !r.Contains(t.Last.Token) {
			return false
		}
		// A range that wraps may hold both ends and not what is between.
		return r.Start.Less(r.End) || r.Start == r.End || t.Last.Token.Compare(r.End) <= 0 || r.Start.Less(t.First.Token)
	})
}

// Relevel lays out the levels of leveled compaction anew by the keys of the tables: sstableofflinerelevel. No data is written.
func (m *Manager) Relevel(_ context.Context, table schema.UUID) error {
	st, release, err := m.hold(table)
	if err != nil {
		return err
	}
	defer release()
	moment := st.Acquire()
	defer moment.Release()
	byState := map[state][]*Table{}
	for _, l := range moment.Tables() {
		byState[stateOf(l.Table)] = append(byState[stateOf(l.Table)], l.Table)
	}
	levels := map[string]int{}
	for _, tables := range byState {
		maps.Copy(levels, Relevels(tables))
	}
	var changes []Output
	for _, l := range moment.Tables() {
		if level := levels[l.ID]; level != l.Level {
			changes = append(changes, Output{l.Reader.Descriptor(), level, l.RepairedAt})
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return st.Relabel(changes)
}

// Damage is what a verification or scrub found wrong with a table on disk.
type Damage struct {
	ID  string
	Err error
	// Lost is how many partitions a scrub could not read.
	Lost int
}

// Verify reads the tables on disk of a table and returns which are damaged: nodetool verify. Damaged tables are left alone by
// compactions from then on.
func (m *Manager) Verify(ctx context.Context, table schema.UUID) ([]Damage, error) {
	m.mu.Lock()
	st := m.stores[table]
	m.mu.Unlock()
	if st == nil {
		return nil, ErrUnknownStore
	}
	job := &Job{id: newID(m.now()), kind: Verify, store: st.Store, started: m.now()}
	if err := m.slot(ctx, job); err != nil {
		return nil, err
	}
	defer m.free()
	moment := st.Acquire()
	defer moment.Release()
	tables := slices.Clone(moment.Tables())
	slices.SortFunc(tables, func(a, b Live) int { return cmp.Or(cmp.Compare(a.Size, b.Size), compareIDs(a.Table, b.Table)) })
	for _, t := range tables {
		job.total.Add(t.Size)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	m.mu.Lock()
	job.cancel = cancel
	m.jobs[job] = true
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.jobs, job)
		m.changed.Broadcast()
		m.mu.Unlock()
	}()
	var out []Damage
	for _, t := range tables {
		if err := m.limit.Wait(ctx, t.Size); err != nil {
			return out, context.Cause(ctx)
		}
		switch err := t.Reader.Verify(); {
		case errors.Is(err, sstable.ErrCorrupt):
			m.suspect(table, t.ID)
			out = append(out, Damage{ID: t.ID, Err: err})
		case err != nil:
			return out, err
		}
		job.completed.Add(t.Size)
	}
	return out, nil
}
