package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// ImportOptions say how folders of Cassandra's tables become part of a live table.
type ImportOptions struct {
	// KeepLevel and KeepRepaired leave what the tables say of themselves; else they begin at level 0, unrepaired.
	KeepLevel, KeepRepaired bool
	// NoVerify leaves out the reading of all bytes.
	NoVerify bool
	// Copy leaves the files where they are; else they are moved.
	Copy bool
}

// importDir is a folder in a table's for files of another volume while they are taken in.
const importDir = "import"

// ImportFolder makes the tables of a folder part of a live table, under names of their own, and returns how many. What
// Cassandra's transaction logs in the folder call void is left out. All are looked at before the first is taken: that they are
// whole, of the cluster's partitioner, fit the table's columns, and, unless it is not wanted, every byte of them. With an error
// none was taken. Source: org.apache.cassandra.db.SSTableImporter; storage.md 1.16.
func (e *Engine) ImportFolder(ctx context.Context, table schema.UUID, dir string, o ImportOptions) (int, error) {
	if e.dir == "" {
		return 0, errNoFiles
	}
	fsys := e.opts.FS
	if info, err := fsys.Stat(dir); errors.Is(err, fs.ErrNotExist) || err == nil && !info.Dir {
		//lint:ignore ST1005 the text is Cassandra's
		return 0, fmt.Errorf("Directory %s does not exist", dir)
	} else if err != nil {
		return 0, err
	}
	st := e.store(table)
	if st == nil {
		return 0, ErrUnknownTable
	}
	if path.Clean(dir) == path.Clean(st.dir) {
		return 0, fmt.Errorf("%s is the table's own folder: refresh takes what was put there", dir)
	}
	found, err := findTables(fsys, dir)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return e.take(ctx, st, dir, found, o)
}

// Refresh makes part of a live table what was put into its own folder, and returns how many tables that were. Files whose
// numbers the engine has given since its start are refused: they could be those of a table that is being written.
func (e *Engine) Refresh(ctx context.Context, table schema.UUID) (int, error) {
	if e.dir == "" {
		return 0, errNoFiles
	}
	st := e.store(table)
	if st == nil {
		return 0, ErrUnknownTable
	}
	found, err := findTables(e.opts.FS, st.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	known := map[sstable.Descriptor]bool{}
	var first, last uint64
	e.manifest.view(st.id, func(t *tableState) {
		first, last = t.first, t.generation
		for d := range t.live {
			known[d] = true
		}
		for d := range t.dead {
			known[d] = true
		}
	})
	var fresh []sstable.Descriptor
	for _, d := range found {
		n, err := strconv.ParseUint(d.ID, 10, 64)
		switch {
		case known[d]:
		case err == nil && first != 0 && n >= first && n <= last:
			return 0, fmt.Errorf("%s has a number that this node has given: import it from another folder", path.Join(st.dir, d.String()))
		default:
			if err == nil {
				e.manifest.atLeast(st.id, n)
			}
			fresh = append(fresh, d)
		}
	}
	if len(fresh) == 0 {
		return 0, nil
	}
	return e.take(ctx, st, st.dir, fresh, ImportOptions{})
}

// findTables returns the tables of a folder that no transaction log calls void.
func findTables(fsys vfs.FS, dir string) ([]sstable.Descriptor, error) {
	void, err := sstable.Void(fsys, dir)
	if err != nil {
		return nil, err
	}
	found, err := sstable.List(fsys, dir)
	return slices.DeleteFunc(found, func(d sstable.Descriptor) bool { return void[d] }), err
}

// take looks at tables and makes them live.
func (e *Engine) take(ctx context.Context, st *store, dir string, found []sstable.Descriptor, o ImportOptions) (int, error) {
	list := make([]Written, 0, len(found))
	for _, d := range found {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		w, err := e.examine(st.table.Load(), dir, d, o)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path.Join(dir, d.String()), err)
		}
		list = append(list, w)
	}
	err := e.Import(ctx, st.id, dir, list)
	if link := new(os.LinkError); errors.As(err, &link) && !errors.Is(err, fs.ErrNotExist) {
		// Links do not reach from one volume to another, and some file systems have none.
		err = e.importCopies(ctx, st, dir, list)
	}
	if err != nil {
		return 0, err
	}
	if o.Copy {
		return len(list), nil
	}
	var errs []error
	for _, d := range found {
		errs = append(errs, removeTable(e.opts.FS, dir, d))
	}
	if err := errors.Join(errs...); err != nil {
		e.report(fmt.Errorf("files that were imported: %w", err), "removal")
	}
	return len(list), nil
}

// examine returns what the manifest is to say of a table, or why it cannot be taken.
func (e *Engine) examine(t *schema.Table, dir string, d sstable.Descriptor, o ImportOptions) (Written, error) {
	w := Written{Descriptor: d}
	if _, err := sstable.ReadTOC(e.opts.FS, dir, d); err != nil {
		return w, err
	}
	r, err := sstable.Open(e.opts.FS, dir, d)
	if err != nil {
		return w, err
	}
	defer r.Close()
	stats := r.Statistics()
	if class := e.opts.Partitioner.Class(); stats.Partitioner != class {
		return w, fmt.Errorf("it is ordered by %s, this cluster by %s", stats.Partitioner, class)
	}
	if err := r.Fits(t); err != nil {
		return w, err
	}
	if !o.NoVerify {
		if err := r.Verify(); err != nil {
			return w, err
		}
	}
	if o.KeepLevel {
		w.Level = int(stats.Stats.Level)
	}
	if o.KeepRepaired {
		w.RepairedAt = stats.Stats.RepairedAt
	}
	return w, nil
}

// importCopies copies tables into a folder beside the live ones, and imports those.
func (e *Engine) importCopies(ctx context.Context, st *store, dir string, list []Written) error {
	fsys, to := e.opts.FS, path.Join(st.dir, importDir)
	if err := vfs.RemoveAll(fsys, to); err != nil {
		return err
	}
	defer func() { e.report(vfs.RemoveAll(fsys, to), "removal") }()
	if err := fsys.MkdirAll(to); err != nil {
		return err
	}
	for _, w := range list {
		components, err := sstable.ReadTOC(fsys, dir, w.Descriptor)
		if err != nil {
			return err
		}
		for _, c := range components {
			name := w.Descriptor.File(c)
			if err := copyFile(ctx, fsys, path.Join(dir, name), path.Join(to, name)); err != nil {
				return err
			}
		}
	}
	if err := fsys.SyncDir(to); err != nil {
		return err
	}
	return e.Import(ctx, st.id, to, list)
}

// copyStep is how many bytes of a file are copied at a time.
const copyStep = 1 << 20

// copyFile copies and syncs a file.
func copyFile(ctx context.Context, fsys vfs.FS, from, to string) error {
	in, err := fsys.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	size, err := in.Size()
	if err != nil {
		return err
	}
	out, err := fsys.Create(to)
	if err != nil {
		return err
	}
	buf := make([]byte, min(size, copyStep))
	for at := int64(0); at < size && err == nil; {
		n := min(int64(len(buf)), size-at)
		if got, readErr := in.ReadAt(buf[:n], at); int64(got) < n {
			err = readErr
			break
		}
		_, err = out.WriteAt(buf[:n], at)
		at += n
		err = errors.Join(err, ctx.Err())
	}
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}
