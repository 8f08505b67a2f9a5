package storage

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/index"
	"github.com/helenusdb/helenus/storage/memtable"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// store is one table of the engine.
type store struct {
	table atomic.Pointer[schema.Table]
	data  atomic.Pointer[tableData]
}

// tableData is what a store holds. It is replaced, under the gate, when the table is truncated or its indexes change.
type tableData struct {
	mem     *memtable.Table
	indexes []*index.Index
}

// index returns the index of a name, or nil.
func (d *tableData) index(name string) *index.Index {
	for _, x := range d.indexes {
		if x.Definition.Name == name {
			return x
		}
	}
	return nil
}

func (e *Engine) store(id schema.UUID) *store { return (*e.stores.Load())[id] }

// SetSchema tells the engine the tables and indexes that there are: new ones begin empty, gone ones are freed. A new index of
// a table with data holds what is written from now on; BuildIndex adds the rest.
func (e *Engine) SetSchema(s *schema.Snapshot) {
	e.change.Lock()
	defer e.change.Unlock()
	old := *e.stores.Load()
	next := make(map[schema.UUID]*store, len(s.ByID))
	datas := map[*store]*tableData{}
	for id, t := range s.ByID {
		if t.Virtual {
			continue
		}
		st := old[id]
		if st == nil {
			st = new(store)
			datas[st] = newData(t)
		} else if st.table.Load() != t {
			d := st.data.Load()
			d.mem.SetSchema(t)
			datas[st] = &tableData{d.mem, newIndexes(t, d.indexes)}
		}
		if datas[st] != nil {
			st.table.Store(t)
		}
		next[id] = st
	}
	e.gate.Lock()
	for st, d := range datas {
		st.data.Store(d)
	}
	e.stores.Store(&next)
	e.gate.Unlock()
	for _, d := range datas {
		if d.mem.Partitions() == 0 {
			d.setBuilt()
		}
	}
}

// newData returns the data of a table that is empty.
func newData(t *schema.Table) *tableData {
	d := &tableData{memtable.New(t), newIndexes(t, nil)}
	d.setBuilt()
	return d
}

func (d *tableData) setBuilt() {
	for _, x := range d.indexes {
		x.SetBuilt()
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
	d := st.data.Load()
	x := d.index(name)
	if x == nil {
		return fmt.Errorf("index %s of table %s: %w", name, st.table.Load().Name, ErrUnknownTable)
	}
	if x.Built() {
		return nil
	}
	// Writes that began before the index was known are in memory: SetSchema waited for them at the gate.
	t := st.table.Load()
	open := request.KeyBound{Open: true}
	everything := request.Read{Table: t, Range: request.KeyRange{Start: open, End: open}}
	it := d.mem.Read(ctx, &everything, e.opts.Partitioner)
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
		if x := st.data.Load().index(name); x != nil {
			return x.Built()
		}
	}
	return false
}

// Truncate drops the data of a table for good: when it returns nil, no restart brings it back. After an error the data is
// gone from memory and comes back at the next start.
func (e *Engine) Truncate(table schema.UUID) error {
	e.change.Lock()
	defer e.change.Unlock()
	st := e.store(table)
	if st == nil {
		return ErrUnknownTable
	}
	fresh := newData(st.table.Load())
	e.gate.Lock()
	st.data.Store(fresh)
	var seq uint64
	if e.log != nil {
		seq = e.log.LastSequence()
	}
	e.gate.Unlock()
	if e.log == nil || seq == 0 {
		return nil
	}
	// The mark must not name a record that a crash may lose: its sequence would be given again.
	if err := e.log.Sync(); err != nil {
		return err
	}
	return e.manifest.truncate(table, seq)
}
