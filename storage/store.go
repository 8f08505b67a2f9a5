package storage

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/index"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// store is one table of the engine.
//
// Lock order: Engine.change, publishing, Engine.gate, mu.
type store struct {
	id    schema.UUID
	dir   string // of the files; "" in memory
	table atomic.Pointer[schema.Table]
	view  atomic.Pointer[view]
	mu    sync.Mutex // held while the view is replaced
	// publishing is held while the set of tables on disk changes, in the manifest and then in the view.
	publishing sync.Mutex
	gone       atomic.Bool // the table was dropped
	// queued says that the store is in the queue of those to be flushed; under the queue's lock.
	queued  bool
	made    atomic.Bool // the folder is there
	metrics Metrics
}

func newStore(t *schema.Table, root string) *store {
	st := &store{id: t.ID}
	if root != "" {
		st.dir = tableDir(root, t)
	}
	st.table.Store(t)
	v := newView(t)
	st.view.Store(v)
	return st
}

// newView returns the view of a table that is empty.
func newView(t *schema.Table) *view {
	v := &view{mem: newMemory(t), indexes: newIndexes(t, nil), layout: row.NewLayout(t)}
	v.setBuilt()
	return v
}

func (e *Engine) store(id schema.UUID) *store { return (*e.stores.Load())[id] }

// SetSchema tells the engine the tables and indexes that there are: new ones begin empty, gone ones are freed, with their
// files. A new index of a table with data holds what is written from now on; BuildIndex adds the rest.
func (e *Engine) SetSchema(s *schema.Snapshot) {
	e.change.Lock()
	defer e.change.Unlock()
	old := *e.stores.Load()
	next := make(map[schema.UUID]*store, len(s.ByID))
	changed := map[*store]*schema.Table{}
	for id, t := range s.ByID {
		if t.Virtual {
			continue
		}
		st := old[id]
		if st == nil {
			st = newStore(t, e.dir)
		} else if st.table.Load() != t {
			changed[st] = t
		}
		next[id] = st
	}
	// What is on disk must not come or go between the two views.
	for st := range changed {
		st.publishing.Lock()
	}
	views := make(map[*store]func(*view), len(changed))
	for st, t := range changed {
		views[st] = redefined(st.view.Load(), t)
	}
	e.gate.Lock()
	for st, t := range changed {
		st.swap(views[st])
		st.table.Store(t)
	}
	e.stores.Store(&next)
	e.gate.Unlock()
	for st := range changed {
		st.publishing.Unlock()
		if v := st.view.Load(); v.empty() {
			v.setBuilt()
		}
	}
	e.compactSchema(old, next, changed)
	for id, st := range old {
		if next[id] == nil {
			e.discard(st)
		}
	}
	e.kick() // flush periods may have changed
}

// redefined returns the change of a view, which only memtables may change meanwhile, to a new definition of its table.
func redefined(v *view, t *schema.Table) func(*view) {
	tables := make([]table, len(v.tables))
	for i := range v.tables {
		tables[i] = tableOf(v.tables[i].File, t)
	}
	indexes, layout := newIndexes(t, v.indexes), row.NewLayout(t)
	return func(next *view) {
		next.mem.SetSchema(t)
		for _, m := range next.frozen {
			m.SetSchema(t)
		}
		next.tables, next.indexes, next.layout = tables, indexes, layout
	}
}

// newIndexes returns the indexes of t, those of old that are still the same among them.
func newIndexes(t *schema.Table, old []*index.Index) []*index.Index {
	var out []*index.Index
	for _, def := range t.Indexes {
		x := index.New(t, def)
		for _, o := range old {
			if d := o.Definition; d.Name == def.Name && d.Target == def.Target && d.Column.ID == def.Column.ID && d.Kind == def.Kind {
				x = o
			}
		}
		out = append(out, x)
	}
	return out
}

// BuildIndex fills a new index from the table's data and returns when reads may use it.
func (e *Engine) BuildIndex(ctx context.Context, table schema.UUID, name string) error {
	st := e.store(table)
	if st == nil {
		return ErrUnknownTable
	}
	v := st.acquire()
	defer v.release()
	x := v.index(name)
	if x == nil {
		return fmt.Errorf("index %s of table %s: %w", name, st.table.Load().Name, ErrUnknownTable)
	}
	if x.Built() {
		return nil
	}
	// Writes that began before the index was known are in the view: SetSchema waited for them at the gate.
	t := st.table.Load()
	open := request.KeyBound{Open: true}
	everything := request.Read{Table: t, Range: request.KeyRange{Start: open, End: open}}
	it := e.readView(ctx, &everything, st, v)
	defer it.Close()
	var encoded []byte
	for it.NextPartition() {
		x.AddPartition(it.Token(), it.Key())
		if s := it.Static(); s != nil {
			x.AddRow(it.Token(), it.Key(), true, nil, s)
		}
		if x.OfPartition() {
			continue
		}
		for r := it.NextRow(); r != nil; r = it.NextRow() {
			encoded = row.AppendValues(encoded[:0], r.Clustering)
			x.AddRow(it.Token(), it.Key(), false, encoded, r)
		}
	}
	if err := it.Err(); err != nil {
		return err
	}
	x.SetBuilt()
	return nil
}

// IndexBuilt reports whether reads may use an index.
func (e *Engine) IndexBuilt(table schema.UUID, name string) bool {
	if st := e.store(table); st != nil {
		if x := st.view.Load().index(name); x != nil {
			return x.Built()
		}
	}
	return false
}

// Truncate drops the data of a table for good: when it returns nil, no restart brings it back. After an error the data is
// gone from memory and may come back at the next start.
func (e *Engine) Truncate(table schema.UUID) error {
	e.change.Lock()
	defer e.change.Unlock()
	st := e.store(table)
	if st == nil {
		return ErrUnknownTable
	}
	e.beforeDiscard(st, false)
	st.publishing.Lock()
	defer st.publishing.Unlock()
	fresh := newView(st.table.Load())
	e.gate.Lock()
	var seq uint64
	if e.log != nil {
		seq = e.sequence()
	}
	old := st.clear(fresh)
	e.gate.Unlock()
	err := e.voidUpTo(st, seq)
	old.finish(e)
	e.kick()
	return err
}

// voidUpTo makes durable that a store holds nothing of records up to seq and of the tables on disk that were live.
func (e *Engine) voidUpTo(st *store, seq uint64) error {
	if e.log == nil {
		return nil
	}
	// The mark must not name a record that a crash may lose: its sequence would be given again.
	if err := e.syncLog(); err != nil {
		return err
	}
	return e.manifest.commit(e.void(edit(nil), st.id).truncated(st.id, seq))
}

// void adds the removal of all live tables of a table to an edit.
func (e *Engine) void(to edit, id schema.UUID) edit {
	e.manifest.view(id, func(s *tableState) {
		for d := range s.live {
			to = to.remove(id, d)
		}
	})
	return to
}

// emptied is what a store held before clear.
type emptied struct {
	frozen []*memory
	tables []*File
}

// clear replaces the view of a store; the gate is held alone. What the caller gets must be finished.
func (st *store) clear(fresh *view) emptied {
	var old emptied
	st.swap(func(v *view) {
		old.frozen = v.frozen
		for i := range v.tables {
			f := v.tables[i].File
			f.refs.Add(1)
			old.tables = append(old.tables, f)
		}
		v.mem, v.frozen, v.tables, v.indexes, v.layout = fresh.mem, nil, nil, fresh.indexes, fresh.layout
		v.rebuilding = false
	})
	return old
}

// finish frees what a store held. Its files go when nobody has them, unless the manifest could not be told.
func (old *emptied) finish(e *Engine) {
	for _, m := range old.frozen {
		close(m.done)
		if m.file != nil {
			old.tables = append(old.tables, m.file)
		}
	}
	for _, f := range old.tables {
		live := false
		e.manifest.view(f.store.id, func(t *tableState) { _, live = t.live[f.Descriptor()] })
		if live {
			f.unref()
		} else {
			e.retire(f)
		}
	}
}

// discard frees a store whose table was dropped. The schema is the truth: if the manifest cannot be written now, the next
// start finds tables on disk of a table that is not there.
func (e *Engine) discard(st *store) {
	e.beforeDiscard(st, true)
	st.publishing.Lock()
	defer st.publishing.Unlock()
	st.gone.Store(true)
	fresh := newView(st.table.Load())
	e.gate.Lock()
	var seq uint64
	if e.log != nil {
		seq = e.sequence()
	}
	old := st.clear(fresh)
	e.gate.Unlock()
	e.report(e.voidUpTo(st, seq), "drop of a table") // the mark is for a table that is given the same id
	old.finish(e)
	e.kick()
}
