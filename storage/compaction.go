package storage

import (
	"errors"
	"fmt"
	"math"
	"path"
	"runtime"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/compaction"
	"github.com/helenusdb/helenus/storage/sstable"
)

// CompactionOptions configure compaction. Zero values are what Cassandra does by default.
type CompactionOptions struct {
	// Throughput bounds how many bytes are read a second: compaction_throughput; 0 is 64 MiB, below 0 there is no bound.
	Throughput int64
	// Concurrent is how many tables are compacted at once: concurrent_compactors; 0 is the number of processors, 2 to 8.
	Concurrent int
	// Paused leaves background compaction off until it is turned on for a table: autocompaction_on_startup_enabled.
	Paused bool
	// Bootstrapping reports whether the node still receives the data of its ranges; nil for never.
	Bootstrapping func() bool
	// Now is the clock by which tombstones grow old and data expires; nil is the system's.
	Now func() time.Time
}

// defaultThroughput is the setting compaction_throughput.
const defaultThroughput = 64 << 20

// newCompactions returns the manager of the engine's compactions, which has no tables yet.
func (e *Engine) newCompactions() *compaction.Manager {
	o := e.opts.Compaction
	switch {
	case o.Throughput == 0:
		o.Throughput = defaultThroughput
	case o.Throughput < 0:
		o.Throughput = 0
	}
	if o.Concurrent <= 0 {
		o.Concurrent = min(max(runtime.GOMAXPROCS(0), 2), 8)
	}
	return compaction.NewManager(compaction.Options{
		FS: e.opts.FS, Throughput: o.Throughput, Concurrent: o.Concurrent, Paused: o.Paused, Bootstrapping: o.Bootstrapping,
		Now: o.Now, Log: e.opts.Log,
		Writer: sstable.WriterOptions{
			Partitioner: e.opts.Partitioner.Class(), ColumnIndexSize: e.opts.ColumnIndexSize, HostID: e.opts.HostID,
		},
	})
}

// Compactions returns the manager of the engine's compactions; nil in memory.
func (e *Engine) Compactions() *compaction.Manager { return e.compactions }

// startCompactions puts all tables under the manager's care and lets it begin.
func (e *Engine) startCompactions() {
	for _, st := range *e.stores.Load() {
		for _, s := range append(st.view.Load().entryStores(), st) {
			e.compactions.Add(compactionStore{e, s})
		}
	}
	e.compactions.Start()
}

// compactSchema tells the manager what a change of the schema has made of the tables. Compactions of gone ones have ended when it
// returns.
func (e *Engine) compactSchema(old, next map[schema.UUID]*store, changed map[*store]*schema.Table) {
	if e.compactions == nil || !e.ready.Load() {
		return
	}
	for id, st := range next {
		if old[id] == nil {
			e.compactions.Add(compactionStore{e, st})
		}
	}
	for st := range changed {
		e.compactions.Notify(st.id)
	}
	for id := range old {
		if next[id] == nil {
			e.compactions.Remove(id)
		}
	}
}

// compactionStore is a store as compaction sees it.
type compactionStore struct {
	e  *Engine
	st *store
}

// Schema implements compaction.Store.
func (s compactionStore) Schema() *schema.Table { return s.st.table.Load() }

// Dir implements compaction.Store.
func (s compactionStore) Dir() string { return s.st.dir }

// Next implements compaction.Store.
func (s compactionStore) Next() (sstable.Descriptor, error) {
	if err := s.e.makeDir(s.st); err != nil {
		return sstable.Descriptor{}, err
	}
	return s.e.descriptor(s.st), nil
}

// FlushBytes implements compaction.Store.
func (s compactionStore) FlushBytes() int64 {
	n := s.st.metrics.flushes.Load()
	if n == 0 {
		return 0
	}
	return s.st.metrics.flushBytes.Load() / n
}

// Exchange implements compaction.Store.
func (s compactionStore) Exchange(removed []string, added []compaction.Output) error {
	err := s.e.exchange(s.st, removed, writtenBy(added))
	if errors.Is(err, ErrNotLive) {
		return fmt.Errorf("%w: %w", compaction.ErrGone, err)
	}
	return err
}

// Relabel implements compaction.Store.
func (s compactionStore) Relabel(tables []compaction.Output) error {
	return s.e.relabel(s.st, writtenBy(tables))
}

func writtenBy(tables []compaction.Output) []Written {
	out := make([]Written, len(tables))
	for i, t := range tables {
		out[i] = Written(t)
	}
	return out
}

// Acquire implements compaction.Store.
func (s compactionStore) Acquire() compaction.Moment {
	v := s.st.acquire()
	m := &compactionMoment{st: s.st, v: v, live: make([]compaction.Live, len(v.tables))}
	tables := make([]compaction.Table, len(v.tables))
	for i := range v.tables {
		t := &v.tables[i]
		tables[i] = *t.described()
		tables[i].Level, tables[i].RepairedAt, tables[i].Suspect = t.Level(), t.RepairedAt(), t.reader.Suspect()
		m.live[i] = compaction.Live{Table: &tables[i], View: t.view, Reader: t.reader, Err: t.err}
		if t.err != nil {
			m.live[i].View = nil
		}
	}
	return m
}

// described returns what compaction knows of the file that does not change.
func (f *File) described() *compaction.Table {
	if t := f.known.Load(); t != nil {
		return t
	}
	t := compaction.Describe(f.reader.Statistics())
	t.ID, t.Size = f.Descriptor().String(), f.reader.DataSize()
	t.First.Token, t.First.Bytes = f.reader.First()
	t.Last.Token, t.Last.Bytes = f.reader.Last()
	if info, err := f.fs.Stat(path.Join(f.dir, f.Descriptor().File(sstable.CompData))); err == nil {
		t.CreationMs = info.ModTime.UnixMilli()
	}
	f.known.Store(&t)
	return &t
}

// compactionMoment is a view of a store as compaction sees it.
type compactionMoment struct {
	st   *store
	v    *view
	live []compaction.Live
}

// Tables implements compaction.Moment.
func (m *compactionMoment) Tables() []compaction.Live { return m.live }

// MemtableMin implements compaction.Moment. What the log holds beyond the tables on disk is in the memtables.
func (m *compactionMoment) MemtableMin() int64 {
	least := m.v.mem.MinTimestamp()
	for _, f := range m.v.frozen {
		least = min(least, f.MinTimestamp())
	}
	return least
}

// MemtableBound implements compaction.Moment.
func (m *compactionMoment) MemtableBound(tok token.Token, key []byte) (least int64, ok bool) {
	least = math.MaxInt64
	if m.v.mem.Contains(tok, key) {
		least, ok = m.v.mem.MinTimestamp(), true
	}
	for _, f := range m.v.frozen {
		if f.Contains(tok, key) {
			least, ok = min(least, f.MinTimestamp()), true
		}
	}
	return least, ok
}

// Current implements compaction.Moment.
func (m *compactionMoment) Current() bool { return m.st.view.Load() == m.v }

// Release implements compaction.Moment.
func (m *compactionMoment) Release() { m.v.release() }
