package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// lostDir is the folder below the engine's for files of tables that the manifest does not know.
const lostDir = "lost+found"

// openTables opens the live tables on disk of all stores, and removes or puts away the files of others. No write and no read is
// in flight.
func (e *Engine) openTables(s *schema.Snapshot, stats *Stats) error {
	known := map[schema.UUID]bool{}
	for _, st := range *e.stores.Load() {
		list := st.view.Load().entryStores()
		for _, s := range append(list, st) {
			known[s.id] = true
			if err := e.openStore(s, stats); err != nil {
				return err
			}
			for _, t := range s.view.Load().tables {
				if s.ofIndex {
					e.tick.Store(max(e.tick.Load(), t.MaxTimestamp()))
				}
			}
		}
		if err := e.recallIndexes(st, list); err != nil {
			return err
		}
	}
	return e.forgetDropped(known)
}

// recallIndexes marks those indexes of a store as not built that do not hold all entries, and removes the files of those that
// are not there any more.
func (e *Engine) recallIndexes(st *store, list []*store) error {
	v := st.view.Load()
	whole := true
	if len(v.tables) > 0 {
		for _, s := range list {
			e.manifest.view(s.id, func(t *tableState) { whole = whole && t.built })
		}
	}
	if !whole {
		st.swap(func(v *view) { v.indexes, v.rebuilding = unbuilt(v.indexes, st.table.Load()), true })
	} else if err := e.noteBuilt(v.indexes, true); err != nil {
		return err
	}
	names, err := e.opts.FS.List(st.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, n := range names {
		if n[0] == '.' && !slices.ContainsFunc(list, func(s *store) bool { return path.Base(s.dir) == n }) {
			err = errors.Join(err, removeTables(e.opts.FS, path.Join(st.dir, n)))
		}
	}
	return err
}

// openStore opens the live tables on disk of a store.
func (e *Engine) openStore(st *store, stats *Stats) error {
	var live map[sstable.Descriptor]liveTable
	var dead []sstable.Descriptor
	e.manifest.view(st.id, func(t *tableState) {
		live = make(map[sstable.Descriptor]liveTable, len(t.live))
		for d, l := range t.live {
			live[d] = l
		}
		for d := range t.dead {
			dead = append(dead, d)
		}
		for d := range t.begun {
			dead = append(dead, d)
		}
	})
	if err := e.sweep(st, live, dead, stats); err != nil {
		return err
	}
	if len(live) == 0 {
		return nil
	}
	st.made.Store(true)
	var tables []table
	var err error
	for d, l := range live {
		var f *File
		if f, err = e.openTable(st, d, l); err != nil {
			break
		}
		tables = append(tables, tableOf(f, st.table.Load()))
	}
	if err == nil {
		st.swap(func(v *view) { v.tables = withTables(tables) })
	}
	for i := range tables {
		tables[i].unref()
	}
	if !st.ofIndex {
		stats.Tables += len(tables)
	}
	return err
}

// sweep removes the files of dead tables and of tables that were not finished from the folder of a store, and moves those of
// other tables that are not live to lostDir.
func (e *Engine) sweep(st *store, live map[sstable.Descriptor]liveTable, dead []sstable.Descriptor, stats *Stats) error {
	fsys := e.opts.FS
	names, err := fsys.List(st.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var strangers []string
	finished := map[sstable.Descriptor]bool{}
	found := map[sstable.Descriptor]bool{}
	for _, n := range names {
		d, component, err := sstable.ParseFile(n)
		if err != nil {
			continue
		}
		e.manifest.atLeast(st.id, generationOf(d))
		if _, ok := live[d]; ok {
			continue
		}
		found[d] = true
		if component == sstable.CompTOC {
			finished[d] = true
		}
		strangers = append(strangers, n)
	}
	for _, d := range dead {
		delete(finished, d)
		if err := removeTable(fsys, st.dir, d); err != nil {
			return err
		}
		e.manifest.forget(st.id, d)
		delete(found, d)
	}
	for d := range found {
		if !finished[d] {
			if err := removeTable(fsys, st.dir, d); err != nil {
				return err
			}
		}
	}
	if len(finished) == 0 {
		return nil
	}
	to := path.Join(e.dir, lostDir, strconv.FormatInt(time.Now().UnixMicro(), 10), path.Base(path.Dir(st.dir)), path.Base(st.dir))
	if err := fsys.MkdirAll(to); err != nil {
		return err
	}
	for _, n := range strangers {
		if d, _, _ := sstable.ParseFile(n); finished[d] {
			if err := fsys.Rename(path.Join(st.dir, n), path.Join(to, n)); err != nil {
				return err
			}
		}
	}
	for d := range finished {
		stats.Lost = append(stats.Lost, path.Join(to, d.String()))
	}
	return errors.Join(fsys.SyncDir(to), fsys.SyncDir(st.dir))
}

// forgetDropped removes the files of tables that the schema does not have any more. Where they are is known by the id alone.
func (e *Engine) forgetDropped(known map[schema.UUID]bool) error {
	gone := map[string]schema.UUID{}
	var ed edit
	e.manifest.mu.Lock()
	for id, t := range e.manifest.state.tables {
		if known[id] {
			continue
		}
		if len(t.live)+len(t.dead)+len(t.begun) > 0 {
			gone[fmt.Sprintf("%x", id[:])] = id
		}
		// The marks are for a table that is given the same id while the log holds records of the old one.
		if max(t.flushed, t.truncated) <= e.manifest.state.released {
			ed = ed.dropped(id)
		} else {
			for d := range t.live {
				ed = ed.remove(id, d).forget(id, d)
			}
			for d := range t.dead {
				ed = ed.forget(id, d)
			}
			for d := range t.begun {
				ed = ed.forget(id, d)
			}
			ed = ed.truncated(id, e.manifest.state.reached)
		}
	}
	e.manifest.mu.Unlock()
	if len(gone) > 0 {
		if err := e.removeDropped(gone); err != nil {
			return err
		}
	}
	if len(ed) == 0 {
		return nil
	}
	return e.manifest.commit(ed)
}

// removeDropped removes the tables on disk, but no snapshots and backups, from the folders whose names end in one of the ids.
func (e *Engine) removeDropped(gone map[string]schema.UUID) error {
	fsys := e.opts.FS
	keyspaces, err := fsys.List(e.dir)
	if err != nil {
		return err
	}
	for _, ks := range keyspaces {
		info, err := fsys.Stat(path.Join(e.dir, ks))
		if err != nil || !info.Dir || ks == lostDir {
			continue
		}
		folders, err := fsys.List(path.Join(e.dir, ks))
		if err != nil {
			return err
		}
		for _, f := range folders {
			if len(f) < 32 {
				continue
			}
			if _, ok := gone[f[len(f)-32:]]; !ok {
				continue
			}
			if err := removeTables(fsys, path.Join(e.dir, ks, f)); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeTables removes all tables on disk from a folder, and the folder when nothing else is in it.
func removeTables(fsys vfs.FS, dir string) error {
	names, err := fsys.List(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		if d, _, err := sstable.ParseFile(n); err == nil {
			if err := removeTable(fsys, dir, d); err != nil {
				return err
			}
		}
	}
	removeEmpty(fsys, dir)
	return nil
}

// removeEmpty removes a folder, unless something is in it.
func removeEmpty(fsys vfs.FS, dir string) {
	if names, err := fsys.List(dir); err == nil && len(names) == 0 {
		if fsys.RemoveDir(dir) == nil {
			fsys.SyncDir(path.Dir(dir))
		}
	}
}

// buildIndexes fills the indexes that hold nothing of what is on disk, in the background.
func (e *Engine) buildIndexes() {
	ctx, cancel := context.WithCancel(context.Background())
	e.kept.Go(func() {
		<-e.stop
		cancel()
	})
	e.kept.Go(func() {
		for id, st := range *e.stores.Load() {
			if !st.view.Load().rebuilding {
				continue
			}
			var err error
			for _, x := range st.view.Load().indexes {
				if !x.Built() && err == nil {
					err = e.BuildIndex(ctx, id, x.Definition.Name)
					e.report(err, "build of index "+x.Definition.Name)
				}
			}
			if err == nil {
				st.swap(func(v *view) { v.rebuilding = false })
			}
		}
	})
}
