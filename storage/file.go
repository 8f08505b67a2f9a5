package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync/atomic"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/compaction"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// File is a live table on disk: the files of one descriptor. Who has it from a Live may use it until that is released.
type File struct {
	fs     vfs.FS
	store  *store
	dir    string
	reader *sstable.Reader
	size   int64
	// level and repairedAt are the manifest's, which changes them without touching the files.
	level, repairedAt atomic.Int64
	// refs counts the views that show the file, and who is about to make one.
	refs atomic.Int64
	// drop is called when the file is not live any more and nobody has it.
	drop atomic.Pointer[func(*File)]
	// known is what compaction knows of the table, made when it first asks.
	known atomic.Pointer[compaction.Table]
	// filterFalse and filterTrue count lookups that the Bloom filter let through: of keys that were not there, and that were.
	filterFalse, filterTrue atomic.Int64
}

// openTable opens a table on disk, with one reference.
func (e *Engine) openTable(st *store, d sstable.Descriptor, l liveTable) (*File, error) {
	fsys, dir := e.opts.FS, st.dir
	r, err := sstable.Open(fsys, dir, d, sstable.OpenOptions{Cache: e.cache})
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", err, ErrCorrupt)
	}
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", path.Join(dir, d.String()), err)
	}
	f := &File{fs: fsys, store: st, dir: dir, reader: r}
	if f.size, err = tableSize(fsys, dir, d, r); err != nil {
		r.Close()
		return nil, err
	}
	f.level.Store(int64(l.level))
	f.repairedAt.Store(l.repairedAt)
	f.refs.Store(1)
	return f, nil
}

// tableSize returns the bytes of all components: of those that the table of contents names, without a look at the whole folder.
func tableSize(fsys vfs.FS, dir string, d sstable.Descriptor, r *sstable.Reader) (int64, error) {
	components, err := sstable.ReadTOC(fsys, dir, d)
	if err != nil {
		return r.Size()
	}
	n := int64(0)
	for _, c := range components {
		info, err := fsys.Stat(path.Join(dir, d.File(c)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		n += info.Size
	}
	return n, nil
}

// Reader returns the open table.
func (f *File) Reader() *sstable.Reader { return f.reader }

// Dir returns the folder that the files are in.
func (f *File) Dir() string { return f.dir }

// Descriptor returns what the names of the files have in common.
func (f *File) Descriptor() sstable.Descriptor { return f.reader.Descriptor() }

// Size returns the bytes of all components.
func (f *File) Size() int64 { return f.size }

// Level returns the level of leveled compaction that the table is in.
func (f *File) Level() int { return int(f.level.Load()) }

// RepairedAt returns when the table was repaired, in milliseconds since 1970; 0 when it was not.
func (f *File) RepairedAt() int64 { return f.repairedAt.Load() }

// MaxTimestamp returns the greatest timestamp in the table.
func (f *File) MaxTimestamp() int64 { return f.reader.Statistics().Stats.MaxTimestamp }

// unref gives a reference back.
func (f *File) unref() {
	if f.refs.Add(-1) != 0 {
		return
	}
	f.reader.Close()
	if drop := f.drop.Load(); drop != nil {
		(*drop)(f)
	}
}

// removeTable removes all components of a table; TOC.txt goes first, so that what a crash leaves is not taken for whole.
func removeTable(fsys vfs.FS, dir string, d sstable.Descriptor) error {
	names, err := fsys.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, toc := range []bool{true, false} {
		for _, n := range names {
			of, c, err := sstable.ParseFile(n)
			if err != nil || of != d || toc != (c == sstable.CompTOC) {
				continue
			}
			if err := fsys.Remove(path.Join(dir, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(append(errs, fsys.SyncDir(dir))...)
}

// tableDir returns the folder of a table's files below the engine's. Source: org.apache.cassandra.db.Directories.
func tableDir(root string, t *schema.Table) string {
	return path.Join(root, t.Keyspace, fmt.Sprintf("%s-%x", t.Name, t.ID[:]))
}
