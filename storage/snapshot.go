package storage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// Folders and files of snapshots and backups, in the folder of a table. Source: org.apache.cassandra.db.Directories.
const (
	snapshotsDir     = "snapshots"
	backupsDir       = "backups"
	snapshotManifest = "manifest.json"
	snapshotSchema   = "schema.cql"
)

// maxSnapshotManifest bounds manifest.json, which is read whole.
const maxSnapshotManifest = 64 << 20

// SnapshotOptions say how to make a snapshot.
type SnapshotOptions struct {
	// SkipFlush leaves out what is only in memory.
	SkipFlush bool
	// Now is when the snapshot is made, Expires when it may be removed; zero for never.
	Now, Expires time.Time
	// CQL makes the statements that make a table again; nil writes none.
	CQL func(*schema.Table) string
}

// Snapshot is the snapshot of one table under one tag. Sizes are bytes.
type Snapshot struct {
	Tag, Keyspace, Table string
	ID                   schema.UUID
	// Created is zero for one that a crash has left half made.
	Created, Expires time.Time
	Size             int64
	// Freed is what is on disk for the snapshot only, TablesFreed that part of it that is tables.
	Freed, TablesFreed int64

	dir string
}

// manifestFile is manifest.json. Source: org.apache.cassandra.service.snapshot.SnapshotManifest.
type manifestFile struct {
	Files     []string   `json:"files"`
	Created   *time.Time `json:"created_at"`
	Expires   *time.Time `json:"expires_at"`
	Ephemeral bool       `json:"ephemeral"`
}

// ErrSnapshotExists is wrapped by the refusal of a tag that there is already.
var ErrSnapshotExists = errors.New("the snapshot exists")

// snapshotExists is that refusal, in Cassandra's words.
type snapshotExists struct{ tag string }

func (e *snapshotExists) Error() string { return "Snapshot " + e.tag + " already exists." }
func (e *snapshotExists) Unwrap() error { return ErrSnapshotExists }

// errNoFiles is returned for what needs files from an engine that has none.
var errNoFiles = errors.New("this node keeps everything in memory: there are no files")

// Snapshot gives the live tables on disk of tables second names in a folder of a tag's, beside a manifest and the schema. It is
// refused when one of the tables has a snapshot of this tag. When it returns nil the snapshot is durable; a crash before leaves
// nothing that is listed.
func (e *Engine) Snapshot(ctx context.Context, tag string, o SnapshotOptions, tables ...schema.UUID) error {
	if e.dir == "" {
		return errNoFiles
	}
	if err := checkTag(tag); err != nil {
		return err
	}
	for _, id := range tables {
		st := e.store(id)
		if st == nil {
			return ErrUnknownTable
		}
		if _, err := e.opts.FS.Stat(path.Join(st.dir, snapshotsDir, tag, snapshotManifest)); err == nil {
			return &snapshotExists{tag}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if !o.SkipFlush && len(tables) > 0 {
		if err := e.Flush(ctx, tables...); err != nil {
			return err
		}
	}
	for _, id := range tables {
		live, err := e.Live(id)
		if err != nil {
			return err
		}
		err = e.snapshotFiles(ctx, tag, o, live.Table, live.Files)
		live.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// checkTag returns why a tag cannot be the name of a folder.
func checkTag(tag string) error {
	if tag == "" || tag == "." || tag == ".." || len(tag) > 255 || strings.ContainsAny(tag, "/\\\x00") {
		return fmt.Errorf("snapshot name %q cannot be the name of a folder", tag)
	}
	return nil
}

// SnapshotFiles makes a snapshot of tables on disk that the caller holds: that of a table which is about to be emptied or dropped.
func (e *Engine) SnapshotFiles(ctx context.Context, tag string, o SnapshotOptions, t *schema.Table, files []*File) error {
	if e.dir == "" {
		return errNoFiles
	}
	if err := checkTag(tag); err != nil {
		return err
	}
	return e.snapshotFiles(ctx, tag, o, t, files)
}

func (e *Engine) snapshotFiles(ctx context.Context, tag string, o SnapshotOptions, t *schema.Table, files []*File) error {
	fsys, parent := e.opts.FS, tableDir(e.dir, t)
	dir := path.Join(parent, snapshotsDir, tag)
	// What is there without a manifest was left by a crash.
	if err := vfs.RemoveAll(fsys, dir); err != nil {
		return err
	}
	if err := e.makeSnapshot(ctx, dir, o, t, files); err != nil {
		return errors.Join(err, vfs.RemoveAll(fsys, dir))
	}
	for _, d := range []string{path.Join(parent, snapshotsDir), parent, path.Dir(parent), e.dir} {
		if err := fsys.SyncDir(d); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) makeSnapshot(ctx context.Context, dir string, o SnapshotOptions, t *schema.Table, files []*File) error {
	fsys := e.opts.FS
	if err := fsys.MkdirAll(dir); err != nil {
		return err
	}
	m := manifestFile{Files: []string{}}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := linkFiles(fsys, f, dir); err != nil {
			return err
		}
		m.Files = append(m.Files, f.Descriptor().File(sstable.CompData))
	}
	if o.CQL != nil {
		if err := writeFile(fsys, path.Join(dir, snapshotSchema), []byte(o.CQL(t))); err != nil {
			return err
		}
	}
	created := o.Now.UTC().Truncate(time.Millisecond)
	m.Created = &created
	if !o.Expires.IsZero() {
		expires := o.Expires.UTC().Truncate(time.Millisecond)
		m.Expires = &expires
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	// The manifest is last: a folder without one is no snapshot.
	if err := fsys.SyncDir(dir); err != nil {
		return err
	}
	name := path.Join(dir, snapshotManifest)
	if err := writeFile(fsys, name+".tmp", append(b, '\n')); err != nil {
		return err
	}
	return errors.Join(fsys.Rename(name+".tmp", name), fsys.SyncDir(dir))
}

// linkFiles gives the components of a table on disk second names in a folder.
func linkFiles(fsys vfs.FS, f *File, dir string) error {
	components, err := sstable.ReadTOC(fsys, f.dir, f.Descriptor())
	if err != nil {
		return err
	}
	for _, c := range components {
		name := f.Descriptor().File(c)
		if err := fsys.Link(path.Join(f.dir, name), path.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes and syncs a file.
func writeFile(fsys vfs.FS, name string, b []byte) error {
	f, err := fsys.Create(name)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(b, 0); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// readWhole reads a file of at most limit bytes.
func readWhole(fsys vfs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("%s has %d bytes, at most %d were expected", name, size, limit)
	}
	b := make([]byte, size)
	if n, err := f.ReadAt(b, 0); n < len(b) {
		return nil, err
	}
	return b, nil
}

// Backup gives a table on disk second names in the folder of incremental backups. It may be called by a hook.
// Source: org.apache.cassandra.db.ColumnFamilyStore, incremental_backups.
func (e *Engine) Backup(f *File) error {
	fsys, dir := e.opts.FS, path.Join(f.dir, backupsDir)
	if err := fsys.MkdirAll(dir); err != nil {
		return err
	}
	if err := linkFiles(fsys, f, dir); err != nil {
		return err
	}
	return errors.Join(fsys.SyncDir(dir), fsys.SyncDir(f.dir))
}

// Snapshots returns the snapshots that there are, those of tables that were dropped too, by tag, keyspace and table.
func (e *Engine) Snapshots() ([]Snapshot, error) {
	all, err := e.findSnapshots()
	return slices.DeleteFunc(all, func(s Snapshot) bool { return s.Created.IsZero() }), err
}

// ClearSnapshots removes the snapshots that pick names, half made ones among them.
func (e *Engine) ClearSnapshots(pick func(*Snapshot) bool) error {
	all, err := e.findSnapshots()
	if err != nil {
		return err
	}
	var errs []error
	for i := range all {
		if pick(&all[i]) {
			errs = append(errs, e.removeSnapshot(all[i].dir))
		}
	}
	return errors.Join(errs...)
}

// removeSnapshot removes the folder of a snapshot, its manifest first, and those above that are empty then.
func (e *Engine) removeSnapshot(dir string) error {
	fsys := e.opts.FS
	if err := fsys.Remove(path.Join(dir, snapshotManifest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := fsys.SyncDir(dir); err != nil {
		return err
	}
	if err := vfs.RemoveAll(fsys, dir); err != nil {
		return err
	}
	removeEmpty(fsys, path.Dir(dir))
	return nil
}

// findSnapshots looks through the folders of all tables.
func (e *Engine) findSnapshots() ([]Snapshot, error) {
	if e.dir == "" {
		return nil, nil
	}
	var out []Snapshot
	err := eachTableDir(e.opts.FS, e.dir, func(ks, table string, id schema.UUID, dir string) error {
		tags, err := e.opts.FS.List(path.Join(dir, snapshotsDir))
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			return err
		}
		for _, tag := range tags {
			s := Snapshot{Tag: tag, Keyspace: ks, Table: table, ID: id, dir: path.Join(dir, snapshotsDir, tag)}
			if err := e.measure(&s, dir); err != nil {
				if errors.Is(err, fs.ErrNotExist) {
					continue // it was removed meanwhile
				}
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	slices.SortFunc(out, func(a, b Snapshot) int {
		return cmp.Or(strings.Compare(a.Tag, b.Tag), strings.Compare(a.Keyspace, b.Keyspace), strings.Compare(a.Table, b.Table))
	})
	return out, err
}

// measure fills a snapshot with what is in its folder; live is that of the table.
func (e *Engine) measure(s *Snapshot, live string) error {
	fsys := e.opts.FS
	names, err := fsys.List(s.dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		info, err := fsys.Stat(path.Join(s.dir, n))
		if err != nil {
			return err
		}
		s.Size += info.Size
		// Names of tables on disk are used once, so one of the same name is the same file.
		_, _, notTable := sstable.ParseFile(n)
		if _, err := fsys.Stat(path.Join(live, n)); notTable == nil && err == nil {
			continue
		}
		s.Freed += info.Size
		if notTable == nil {
			s.TablesFreed += info.Size
		}
	}
	b, err := readWhole(fsys, path.Join(s.dir, snapshotManifest), maxSnapshotManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var m manifestFile
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("%s: %w", path.Join(s.dir, snapshotManifest), err)
	}
	if m.Created != nil {
		s.Created = *m.Created
	}
	if m.Expires != nil {
		s.Expires = *m.Expires
	}
	return nil
}

// eachTableDir calls f with the folder of each table below root, <keyspace>/<table>-<id>, in the order of their names.
func eachTableDir(fsys vfs.FS, root string, f func(ks, table string, id schema.UUID, dir string) error) error {
	keyspaces, err := fsys.List(root)
	if err != nil {
		return err
	}
	for _, ks := range keyspaces {
		info, err := fsys.Stat(path.Join(root, ks))
		if err != nil || !info.Dir || ks == lostDir {
			continue
		}
		folders, err := fsys.List(path.Join(root, ks))
		if err != nil {
			return err
		}
		for _, name := range folders {
			table, id, ok := parseTableDir(name)
			if !ok {
				continue
			}
			if err := f(ks, table, id, path.Join(root, ks, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// parseTableDir splits the name of a table's folder.
func parseTableDir(name string) (table string, id schema.UUID, ok bool) {
	at := len(name) - 33
	if at < 1 || name[at] != '-' {
		return "", id, false
	}
	for i := range id {
		b, err := strconv.ParseUint(name[at+1+2*i:at+3+2*i], 16, 8)
		if err != nil {
			return "", id, false
		}
		id[i] = byte(b)
	}
	return name[:at], id, true
}
