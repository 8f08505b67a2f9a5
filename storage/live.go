package storage

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/index"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
)

// ErrNotLive is wrapped when a table on disk that was named is not live any more.
var ErrNotLive = errors.New("the table on disk is not live")

// Live is the tables on disk of one table at one moment. Their files stay until it is released.
type Live struct {
	Table *schema.Table
	Files []*File
	v     *view
}

// Live returns the live tables on disk of a table. The caller releases them.
func (e *Engine) Live(table schema.UUID) (*Live, error) {
	st := e.store(table)
	if st == nil {
		return nil, ErrUnknownTable
	}
	v := st.acquire()
	return &Live{v.layout.Table, v.files(), v}, nil
}

// Release gives the tables back, once.
func (l *Live) Release() { l.v.release() }

// Tables returns the definitions of all tables that the engine stores, in no order.
func (e *Engine) Tables() []*schema.Table {
	stores := *e.stores.Load()
	out := make([]*schema.Table, 0, len(stores))
	for _, st := range stores {
		out = append(out, st.table.Load())
	}
	return out
}

// Dir returns the folder of a table's files, which need not be there; "" in memory.
func (e *Engine) Dir(table schema.UUID) (string, error) {
	st := e.store(table)
	if st == nil {
		return "", ErrUnknownTable
	}
	return st.dir, nil
}

// Written is a table on disk whose files are complete, and what the manifest is to say of it.
type Written struct {
	Descriptor sstable.Descriptor
	Level      int
	RepairedAt int64 // milliseconds since 1970; 0 when not repaired
}

// Next returns a name for a new table on disk of a table, in the folder Dir, that none has or had. The folder is made.
func (e *Engine) Next(table schema.UUID) (sstable.Descriptor, error) {
	st := e.store(table)
	if st == nil {
		return sstable.Descriptor{}, ErrUnknownTable
	}
	if err := e.makeDir(st); err != nil {
		return sstable.Descriptor{}, err
	}
	return e.descriptor(st), nil
}

// Exchange removes live tables on disk, by Descriptor.String, and adds others, in one durable edit. When one of the removed is
// not live (ErrNotLive), or with any other error, nothing is changed and the files of the added ones are the caller's. The files
// of the removed go when nobody reads them any more.
func (e *Engine) Exchange(table schema.UUID, removed []string, added []Written) error {
	st := e.store(table)
	if st == nil {
		return ErrUnknownTable
	}
	return e.exchange(st, removed, added)
}

func (e *Engine) exchange(st *store, removed []string, added []Written) error {
	files := make([]*File, 0, len(added))
	defer func() {
		for _, f := range files {
			f.unref()
		}
	}()
	for _, a := range added {
		f, err := e.openTable(st, a.Descriptor, liveTable{int32(a.Level), a.RepairedAt})
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	st.publishing.Lock()
	defer st.publishing.Unlock()
	if st.gone.Load() {
		return fmt.Errorf("%w: the table was dropped", ErrNotLive)
	}
	gone := map[*File]bool{}
	var ed edit
	live := st.view.Load().tables
	for _, id := range removed {
		i := slices.IndexFunc(live, func(t table) bool { return t.Descriptor().String() == id })
		if i < 0 {
			return fmt.Errorf("%s: %w", id, ErrNotLive)
		}
		gone[live[i].File] = true
		ed = ed.remove(st.id, live[i].Descriptor())
	}
	for i, f := range files {
		ed = ed.add(st.id, f.Descriptor(), liveTable{int32(added[i].Level), added[i].RepairedAt})
	}
	e.settled(e.manifest.commit(ed))
	var old []*File
	st.swap(func(v *view) {
		var next []table
		for _, t := range v.tables {
			if gone[t.File] {
				t.refs.Add(1)
				old = append(old, t.File)
			} else {
				next = append(next, t)
			}
		}
		for _, f := range files {
			next = append(next, tableOf(f, v.layout.Table))
		}
		v.tables = withTables(next)
	})
	for _, f := range old {
		e.retire(f)
	}
	e.compactions.Notify(st.id)
	return nil
}

// settled returns when an edit of the manifest that had an error is durable all the same, or the engine closes: it holds in
// memory, and the next start finds it made or not, with the files of both.
func (e *Engine) settled(err error) {
	for delay := retryDelay; err != nil && !e.stopped(); delay = min(2*delay, maxRetryDelay) {
		e.report(err, "manifest")
		select {
		case <-e.stop:
		case <-time.After(delay):
		}
		err = e.manifest.settle()
	}
}

// Relabel changes the level and the time of repair of live tables on disk without touching their files.
func (e *Engine) Relabel(table schema.UUID, tables ...Written) error {
	st := e.store(table)
	if st == nil {
		return ErrUnknownTable
	}
	return e.relabel(st, tables)
}

func (e *Engine) relabel(st *store, tables []Written) error {
	st.publishing.Lock()
	defer st.publishing.Unlock()
	live := st.view.Load().tables
	var ed edit
	files := make([]*File, len(tables))
	for i, w := range tables {
		at := slices.IndexFunc(live, func(t table) bool { return t.Descriptor() == w.Descriptor })
		if at < 0 {
			return fmt.Errorf("%s: %w", w.Descriptor, ErrNotLive)
		}
		files[i] = live[at].File
		ed = ed.add(st.id, w.Descriptor, liveTable{int32(w.Level), w.RepairedAt})
	}
	e.settled(e.manifest.commit(ed))
	for i, f := range files {
		f.level.Store(int64(tables[i].Level))
		f.repairedAt.Store(tables[i].RepairedAt)
	}
	return nil
}

// Import makes tables on disk that stand in another folder of the volume live, under names of their own: their files are linked.
// The caller has verified them. What indexes hold of them is added before it returns. Source: nodetool import.
func (e *Engine) Import(ctx context.Context, table schema.UUID, from string, tables []Written) error {
	st := e.store(table)
	if st == nil {
		return ErrUnknownTable
	}
	if err := e.makeDir(st); err != nil {
		return err
	}
	var added []Written
	fail := func(err error) error {
		for _, a := range added {
			err = errors.Join(err, removeTable(e.opts.FS, st.dir, a.Descriptor))
		}
		return err
	}
	for _, w := range tables {
		to := w
		to.Descriptor.ID = strconv.FormatUint(e.manifest.next(st.id), 10)
		added = append(added, to)
		if err := e.linkTable(st.dir, from, w.Descriptor, to.Descriptor); err != nil {
			return fail(err)
		}
	}
	// Until the entries of indexes are on disk too, a start has to gather them again.
	indexes := slices.DeleteFunc(slices.Clone(st.view.Load().indexes), func(x *index.Index) bool { return !x.Built() })
	if err := e.noteBuilt(indexes, false); err != nil {
		return fail(err)
	}
	if err := e.exchange(st, nil, added); err != nil {
		return fail(err)
	}
	if err := e.indexTables(ctx, st, added); err != nil {
		return err
	}
	return e.keepBuilt(ctx, st, indexes)
}

// linkTable gives the files of a table on disk second names.
func (e *Engine) linkTable(dir, from string, old, d sstable.Descriptor) error {
	fsys := e.opts.FS
	components, err := sstable.ReadTOC(fsys, from, old)
	if err != nil {
		return err
	}
	for _, c := range components {
		if err := fsys.Link(path.Join(from, old.File(c)), path.Join(dir, d.File(c))); err != nil {
			return err
		}
	}
	return fsys.SyncDir(dir)
}

// indexTables adds what live tables on disk hold to the indexes of their table.
func (e *Engine) indexTables(ctx context.Context, st *store, tables []Written) error {
	v := st.acquire()
	defer v.release()
	if len(v.indexes) == 0 {
		return nil
	}
	for i := range v.tables {
		t := &v.tables[i]
		if !slices.ContainsFunc(tables, func(w Written) bool { return w.Descriptor == t.Descriptor() }) {
			continue
		}
		if t.err != nil {
			return t.err
		}
		src := t.view.Stream(sstable.All())
		for p := src.Next(); p != nil && ctx.Err() == nil; p = src.Next() {
			e.addIndexed(func() {
				for _, x := range v.indexes {
					x.AddPartition(p.Token, p.Key)
					if p.Static != nil {
						x.AddRow(p.Token, p.Key, true, nil, p.Static)
					}
				}
			})
			var encoded []byte
			for u := p.Rows.Next(); u != nil; u = p.Rows.Next() {
				if u.Row == nil {
					continue
				}
				encoded = row.AppendValues(encoded[:0], u.Row.Clustering)
				e.addIndexed(func() {
					for _, x := range v.indexes {
						x.AddRow(p.Token, p.Key, false, encoded, u.Row)
					}
				})
			}
			if err := p.Rows.Err(); err != nil {
				src.Close()
				return err
			}
		}
		src.Close()
		if err := errors.Join(src.Err(), ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}
