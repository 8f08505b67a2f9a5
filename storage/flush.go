package storage

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
)

// retryDelay is how long a flush waits after it failed, at first and at most.
const (
	retryDelay    = 20 * time.Millisecond
	maxRetryDelay = 5 * time.Second
)

// flushQueue is the stores that have frozen memtables, and who writes them. A store is flushed by one goroutine at a time, so
// that its memtables come to disk in the order in which they were written.
type flushQueue struct {
	mu      sync.Mutex
	stores  []*store
	running int
	closed  bool
	idle    sync.Cond // running went down
}

// freeze gives the stores new memtables for the writes to come, and those of their indexes with them, and puts those that hold
// something in the queue. It returns them. Stores that are gone hold nothing.
func (e *Engine) freeze(stores ...*store) []*memory {
	fresh := map[*store]*memory{}
	for _, st := range stores {
		v := st.view.Load()
		if _, dirty := v.active(); dirty {
			for _, s := range append(v.entryStores(), st) {
				fresh[s] = newMemory(s.table.Load())
			}
		}
	}
	var out []*memory
	e.gate.Lock()
	seq := e.sequence()
	for _, st := range stores {
		v := st.view.Load()
		if _, dirty := v.active(); !dirty || fresh[st] == nil {
			continue
		}
		// Those of indexes first: a flush may begin as soon as the view shows the memtable as frozen.
		var ofIndexes []indexMemory
		for _, s := range v.entryStores() {
			if s.view.Load().mem.clean() {
				continue
			}
			next := fresh[s]
			if next == nil { // of an index that was made a moment ago
				next = newMemory(s.table.Load())
			}
			ofIndexes = append(ofIndexes, indexMemory{s, s.freezeLocked(next, seq)})
		}
		v.mem.ofIndexes = ofIndexes
		m := st.freezeLocked(fresh[st], seq)
		out = append(out, m)
	}
	e.gate.Unlock()
	for _, st := range stores {
		e.enqueue(st)
	}
	return out
}

// freezeLocked gives a store a new memtable and returns the old one, which is frozen; the gate is held alone.
func (st *store) freezeLocked(next *memory, seq uint64) *memory {
	m := st.view.Load().mem
	m.upTo, m.done = seq, make(chan struct{})
	m.attempt.Store(&attempt{failed: make(chan struct{})})
	st.swap(func(v *view) {
		// The definition may have changed since.
		if t := st.table.Load(); next.Layout().Table != t {
			next.SetSchema(t)
		}
		v.frozen = append(slices.Clip(v.frozen), m)
		v.mem = next
	})
	return m
}

// sequence returns the sequence up to which all records are in memtables; the gate is held alone, or nobody writes.
func (e *Engine) sequence() uint64 {
	if seq := e.replayed.Load(); seq != 0 {
		return seq
	}
	return e.log.LastSequence()
}

// enqueue asks for the flush of a store's frozen memtables.
func (e *Engine) enqueue(st *store) {
	q := &e.flushes
	q.mu.Lock()
	defer q.mu.Unlock()
	if st.queued || q.closed || len(st.view.Load().frozen) == 0 {
		return
	}
	st.queued = true
	q.stores = append(q.stores, st)
	if q.running < e.opts.FlushWriters {
		q.running++
		go e.runFlushes()
	}
}

// runFlushes flushes what is in the queue until it is empty.
func (e *Engine) runFlushes() {
	q := &e.flushes
	for {
		q.mu.Lock()
		if len(q.stores) == 0 || q.closed {
			q.running--
			q.idle.Broadcast()
			q.mu.Unlock()
			return
		}
		st := q.stores[0]
		q.stores = slices.Delete(q.stores, 0, 1)
		q.mu.Unlock()
		delay := retryDelay
		for len(st.view.Load().frozen) > 0 {
			if e.flushOldest(st) == nil {
				delay = retryDelay
				continue
			}
			select {
			case <-e.stop:
			case <-time.After(delay):
			}
			if e.stopped() {
				break
			}
			delay = min(2*delay, maxRetryDelay)
		}
		q.mu.Lock()
		st.queued = false
		q.mu.Unlock()
		e.enqueue(st) // what was frozen behind the last look
	}
}

// flushOldest writes the oldest frozen memtable of a store, and notes what came of it. Nobody else does so meanwhile.
func (e *Engine) flushOldest(st *store) error {
	v := st.view.Load()
	if len(v.frozen) == 0 {
		return nil
	}
	m := v.frozen[0]
	begun := time.Now()
	err := e.flush(st, m)
	if err == nil {
		st.metrics.flushed(begun)
		e.failing.Store(nil)
		e.kick()
		return nil
	}
	err = fmt.Errorf("flush of %s.%s: %w", v.layout.Table.Keyspace, v.layout.Table.Name, err)
	e.failing.Store(&err)
	e.report(err, "flush")
	a := m.attempt.Swap(&attempt{failed: make(chan struct{})})
	a.err = err
	close(a.failed)
	e.kick()
	return err
}

// flush writes a frozen memtable, and those of indexes that go with it, and makes them live tables: files, manifest, views. The
// log may be released only after it.
func (e *Engine) flush(st *store, m *memory) error {
	st.publishing.Lock()
	files, written := m.files, m.written
	st.publishing.Unlock()
	if !written {
		// What the log has of it must be on disk before the manifest says that it is not needed.
		err := e.syncLog()
		if err == nil {
			files, err = e.writeMemories(st, m)
		}
		if err != nil {
			return err
		}
	}
	st.publishing.Lock()
	defer st.publishing.Unlock()
	if !slices.Contains(st.view.Load().frozen, m) {
		// Truncated or dropped while it was written; what was written before went with that.
		if !written {
			e.retireAll(files)
		}
		return nil
	}
	m.files, m.written = files, true
	for _, x := range m.ofIndexes {
		x.store.publishing.Lock()
		defer x.store.publishing.Unlock()
	}
	ed := edit(nil).flushed(st.id, m.upTo)
	for _, f := range files {
		if f != nil && !f.store.gone.Load() {
			ed = ed.add(f.store.id, f.Descriptor(), liveTable{})
		}
	}
	if err := e.manifest.commit(ed); err != nil {
		return err
	}
	m.files = nil
	for i, x := range m.ofIndexes {
		if f := files[i+1]; x.store.gone.Load() {
			e.retireAll([]*File{f})
		} else {
			e.publish(x.store, x.memory, f)
		}
	}
	e.publish(st, m, files[0])
	return nil
}

// publish replaces a frozen memtable by what came of it on disk, nil for nothing.
func (e *Engine) publish(st *store, m *memory, f *File) {
	st.swap(func(v *view) {
		v.frozen = v.without(m)
		if f != nil {
			v.tables = withTables(append(slices.Clone(v.tables), tableOf(f, v.layout.Table)))
		}
	})
	close(m.done)
	if f != nil {
		e.flushedHook(st, f)
		f.unref()
		e.compactions.Notify(st.id)
	}
}

// retireAll gives up files that never were live.
func (e *Engine) retireAll(files []*File) {
	for _, f := range files {
		if f != nil {
			e.retire(f)
		}
	}
}

// writeMemories writes a memtable and those of indexes that go with it to disk.
func (e *Engine) writeMemories(st *store, m *memory) ([]*File, error) {
	files := make([]*File, 1+len(m.ofIndexes))
	var err error
	files[0], err = e.writeMemory(st, m)
	for i, x := range m.ofIndexes {
		if err == nil && !x.store.gone.Load() {
			files[i+1], err = e.writeMemory(x.store, x.memory)
		}
	}
	if err != nil {
		e.retireAll(files)
		return nil, err
	}
	return files, nil
}

// syncLog makes the log durable as far as it is in memtables.
func (e *Engine) syncLog() error {
	if e.replayed.Load() != 0 {
		return nil // the replay has synced what it reads
	}
	return e.log.Sync()
}

// writeMemory writes a memtable to disk; nil when there is nothing in it that is worth a table.
func (e *Engine) writeMemory(st *store, m *memory) (*File, error) {
	t := m.Layout().Table
	if err := e.makeDir(st); err != nil {
		return nil, err
	}
	d := e.descriptor(st)
	w, err := sstable.NewWriter(e.opts.FS, st.dir, d, sstable.WriterOptions{
		Table: t, Partitioner: e.opts.Partitioner.Class(), HostID: e.opts.HostID,
		ExpectedKeys: int64(m.Partitions()), Compression: sstable.FastCompression, ColumnIndexSize: e.opts.ColumnIndexSize,
		Encoding: encodingOf(m.Stats()),
	})
	if err != nil {
		return nil, err
	}
	open := request.KeyBound{Open: true}
	src := m.Source(request.KeyRange{Start: open, End: open})
	defer src.Close()
	for p := src.Next(); p != nil; p = src.Next() {
		if err := w.Append(p); err != nil {
			return nil, errors.Join(err, w.Abort())
		}
		if e.stopped() {
			return nil, errors.Join(ErrClosed, w.Abort())
		}
	}
	if err := src.Err(); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	if w.Keys() == 0 {
		return nil, w.Abort()
	}
	if err := w.Finish(); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return e.openTable(st, d, liveTable{})
}

// encodingOf returns what the times of a file are stored relative to.
func encodingOf(s row.Stats) sstable.EncodingStats {
	out := sstable.DefaultEncodingStats
	if s.MinTimestamp != row.NoStats.MinTimestamp {
		out.MinTimestamp = s.MinTimestamp
	}
	if s.MinLocal != row.NoLocal {
		out.MinLocal = s.MinLocal
	}
	if s.MinTTL != row.NoStats.MinTTL {
		out.MinTTL = s.MinTTL
	}
	return out
}

// makeDir makes the folder of a store's files.
func (e *Engine) makeDir(st *store) error {
	if st.made.Load() {
		return nil
	}
	fsys := e.opts.FS
	if err := fsys.MkdirAll(st.dir); err != nil {
		return err
	}
	for d := st.dir; d != e.dir; {
		d = path.Dir(d)
		if err := fsys.SyncDir(d); err != nil {
			return err
		}
	}
	st.made.Store(true)
	return nil
}

// descriptor returns the name of a new table on disk, which no other has or had. What a crash leaves of it, before an edit makes
// it live, is removed by the next start.
func (e *Engine) descriptor(st *store) sstable.Descriptor {
	d := sstable.Descriptor{Version: "nb", ID: strconv.FormatUint(e.manifest.next(st.id), 10), Format: "big"}
	e.report(e.manifest.commit(edit(nil).begun(st.id, d)), "manifest") // else it would be put away
	return d
}

// Flush writes what the tables, or with none all tables, hold in memory to disk, and returns when it is there or the first
// attempt for one of them failed; it is then tried again on its own.
func (e *Engine) Flush(ctx context.Context, tables ...schema.UUID) error {
	if e.log == nil {
		return nil
	}
	if !e.ready.Load() {
		return ErrNotReplayed
	}
	var stores []*store
	if len(tables) == 0 {
		for _, st := range *e.stores.Load() {
			stores = append(stores, st)
		}
	}
	for _, id := range tables {
		st := e.store(id)
		if st == nil {
			return ErrUnknownTable
		}
		stores = append(stores, st)
	}
	return e.flushStores(ctx, stores)
}

// flushStores flushes stores and waits for it.
func (e *Engine) flushStores(ctx context.Context, stores []*store) error {
	e.freeze(stores...)
	for _, st := range stores {
		// Those frozen before are waited for too.
		for _, m := range st.view.Load().frozen {
			if err := e.await(m, ctx.Done()); err != nil {
				return errors.Join(err, ctx.Err())
			}
		}
	}
	return nil
}

// errStopped is returned by await when the caller wants to wait no more.
var errStopped = errors.New("the flush has not ended yet")

// await returns when a frozen memtable is on disk or void, an attempt to write it has failed, or stop is closed.
func (e *Engine) await(m *memory, stop <-chan struct{}) error {
	a := m.attempt.Load()
	select {
	case <-m.done:
		return nil
	case <-a.failed:
		return a.err
	case <-stop:
		return errStopped
	case <-e.stop:
		return ErrClosed
	}
}

// Drain flushes all tables and releases the log: nothing is left for the next start to replay. Writes may go on.
func (e *Engine) Drain(ctx context.Context) error {
	if err := e.Flush(ctx); err != nil || e.log == nil {
		return err
	}
	return e.releaseLog()
}
