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
	// ofIndex says that the store holds the entries of an index. It is flushed, emptied and dropped with the store of its table.
	ofIndex bool
}

func (e *Engine) newStore(t *schema.Table) *store {
	dir := ""
	if e.dir != "" {
		dir = tableDir(e.dir, t)
	}
	st := newStoreAt(t, dir)
	v := st.view.Load()
	v.indexes = e.newIndexes(t, dir, nil)
	v.setBuilt()
	return st
}

// newStoreAt returns an empty store without indexes.
func newStoreAt(t *schema.Table, dir string) *store {
	st := &store{id: t.ID, dir: dir}
	st.table.Store(t)
	st.view.Store(newViewOf(t))
	return st
}

// newViewOf returns the view of a table that is empty and has no indexes.
func newViewOf(t *schema.Table) *view { return &view{mem: newMemory(t), layout: row.NewLayout(t)} }

func (e *Engine) store(id schema.UUID) *store { return (*e.stores.Load())[id] }

// SetSchema tells the engine the tables and indexes that there are: new ones begin empty, gone ones are freed, with their
// files. A new index of a table with data holds what is written from now on; BuildIndex adds the rest.
func (e *Engine) SetSchema(s *schema.Snapshot) {
	e.change.Lock()
	defer e.change.Unlock()
	old := *e.stores.Load()
	next := make(map[schema.UUID]*store, len(s.ByID))
	changed := map[*store]*schema.Table{}
	var fresh []*store
	for id, t := range s.ByID {
		if t.Virtual {
			continue
		}
		st := old[id]
		if st == nil {
			st = e.newStore(t)
			fresh = append(fresh, st)
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
	indexes := make(map[*store][]*index.Index, len(changed))
	for st, t := range changed {
		v := st.view.Load()
		indexes[st] = v.indexes
		views[st] = redefined(v, t, e.newIndexes(t, st.dir, v.indexes))
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
		e.changeIndexes(indexes[st], st)
	}
	e.adoptIndexes(fresh)
	e.compactSchema(old, next, changed)
	for id, st := range old {
		if next[id] == nil {
			e.discard(st)
		}
	}
	e.kick() // flush periods may have changed
}

// redefined returns the change of a view, which only memtables may change meanwhile, to a new definition of its table.
func redefined(v *view, t *schema.Table, indexes []*index.Index) func(*view) {
	tables := make([]table, len(v.tables))
	for i := range v.tables {
		tables[i] = tableOf(v.tables[i].File, t)
	}
	layout := row.NewLayout(t)
	return func(next *view) {
		next.mem.SetSchema(t)
		for _, m := range next.frozen {
			m.SetSchema(t)
		}
		next.tables, next.indexes, next.layout = tables, indexes, layout
	}
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
		e.addIndexed(func() {
			x.AddPartition(it.Token(), it.Key())
			if s := it.Static(); s != nil {
				x.AddRow(it.Token(), it.Key(), true, nil, s)
			}
		})
		if x.OfPartition() {
			continue
		}
		for r := it.NextRow(); r != nil; r = it.NextRow() {
			encoded = row.AppendValues(encoded[:0], r.Clustering)
			e.addIndexed(func() { x.AddRow(it.Token(), it.Key(), false, encoded, r) })
		}
	}
	if err := it.Err(); err != nil {
		return err
	}
	x.SetBuilt()
	e.report(e.keepBuilt(ctx, st, []*index.Index{x}), "flush of an index") // else the next start builds it again
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
	return e.empty(st, false)
}

// discard frees a store whose table was dropped. The schema is the truth: if the manifest cannot be written now, the next
// start finds tables on disk of a table that is not there.
func (e *Engine) discard(st *store) {
	e.beforeDiscard(st, true)
	for _, s := range st.view.Load().entryStores() {
		e.compactions.Remove(s.id)
	}
	e.report(e.empty(st, true), "drop of a table")
}

// empty makes void what a store and those of its indexes hold; with gone they take nothing any more.
func (e *Engine) empty(st *store, gone bool) error {
	st.publishing.Lock()
	defer st.publishing.Unlock()
	all := append([]*store{st}, st.view.Load().entryStores()...)
	fresh := make([]*view, len(all))
	for i, s := range all {
		if i > 0 {
			s.publishing.Lock()
			defer s.publishing.Unlock()
		}
		if gone {
			s.gone.Store(true)
		}
		fresh[i] = newViewOf(s.table.Load())
		fresh[i].indexes = emptyIndexes(s.view.Load().indexes, s.table.Load())
	}
	old := make([]emptied, len(all))
	e.gate.Lock()
	var seq uint64
	if e.log != nil {
		seq = e.sequence()
	}
	for i, s := range all {
		old[i] = s.clear(fresh[i])
	}
	e.gate.Unlock()
	err := e.voidUpTo(all, seq)
	for i := range old {
		old[i].finish(e)
	}
	e.kick()
	return err
}

// voidUpTo makes durable that a store, the first of all, holds nothing of records up to seq, and that none of the tables on disk
// of all are live. The mark is also for a table that is given the same id.
func (e *Engine) voidUpTo(all []*store, seq uint64) error {
	if e.log == nil {
		return nil
	}
	// The mark must not name a record that a crash may lose: its sequence would be given again.
	if err := e.syncLog(); err != nil {
		return err
	}
	var ed edit
	for i, s := range all {
		if ed = e.void(ed, s.id); i > 0 {
			ed = ed.built(s.id, true) // an empty index is whole
		}
	}
	return e.manifest.commit(ed.truncated(all[0].id, seq))
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
		for _, f := range m.files {
			if f != nil {
				old.tables = append(old.tables, f)
			}
		}
		m.files = nil
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
