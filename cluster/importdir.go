package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage"
	"github.com/helenusdb/helenus/storage/commitlog"
	"github.com/helenusdb/helenus/storage/vfs"
)

// ForeignOptions say how a data directory of Cassandra is imported.
type ForeignOptions struct {
	// Skip leaves out what there is no way to have here; else nothing is done when there is such.
	Skip bool
	// IgnoreLog passes over a commit log that holds writes.
	IgnoreLog bool
	Import    storage.ImportOptions
	// Progress, unless nil, is told each table that was imported, and how many tables on disk that were.
	Progress func(table *schema.Table, sstables int)
}

// foreign is what was found in the data directories of a Cassandra node.
type foreign struct {
	folders []storage.FolderOf
	changes []schema.Change
	left    []string
}

// ImportForeign takes in the data directories of one drained Cassandra node: the schema, whose tables keep their ids, and the
// tables on disk. It returns what was left out, a line each. Everything is looked at before anything is changed, but for the
// bytes of the tables. Source: storage.md 1.16.
func (n *Node) ImportForeign(ctx context.Context, dirs []string, o ForeignOptions) (left []string, err error) {
	f, err := readForeign(ctx, n.opts.FS, dirs)
	if err != nil {
		return nil, err
	}
	if len(f.left) > 0 && !o.Skip {
		return f.left, fmt.Errorf("there is no way to have this here:\n  %s\nnothing was imported", strings.Join(f.left, "\n  "))
	}
	if !o.IgnoreLog {
		if err := checkForeignLogs(n.opts.FS, dirs); err != nil {
			return nil, err
		}
	}
	var tables []*schema.Table
	for _, c := range f.changes {
		put, ok := c.(*schema.PutTable)
		if !ok {
			continue
		}
		t := put.Table
		if old := n.Schema().ByID[t.ID]; old != nil {
			return nil, fmt.Errorf("table id %s of %s.%s is that of %s.%s here", uuidText(t.ID), t.Keyspace, t.Name, old.Keyspace, old.Name)
		}
		if n.Schema().Table(t.Keyspace, t.Name) != nil {
			return nil, fmt.Errorf("table %s.%s is here already", t.Keyspace, t.Name)
		}
		tables = append(tables, t)
	}
	for _, c := range f.changes {
		if _, err := n.ApplySchema(ctx, func(s *schema.Snapshot, _ *schema.Env) (schema.Result, error) {
			if k, ok := c.(*schema.PutKeyspace); ok && s.Keyspaces[k.Name] != nil {
				return schema.Result{NoOp: true}, nil
			}
			return schema.Result{Change: c}, nil
		}); err != nil {
			return f.left, err
		}
	}
	for _, t := range tables {
		count := 0
		for _, folder := range f.folders {
			if folder.ID != t.ID {
				continue
			}
			got, err := n.engine.ImportFolder(ctx, t.ID, folder.Dir, o.Import)
			if err != nil {
				return f.left, fmt.Errorf("table %s.%s: %w", t.Keyspace, t.Name, err)
			}
			count += got
		}
		if o.Progress != nil {
			o.Progress(t, count)
		}
	}
	return f.left, nil
}

// readForeign reads the schema in the data directories of a Cassandra node.
func readForeign(ctx context.Context, fsys vfs.FS, dirs []string) (*foreign, error) {
	f := &foreign{}
	for _, dir := range dirs {
		folders, err := storage.Folders(fsys, dir)
		if err != nil {
			return nil, err
		}
		f.folders = append(f.folders, folders...)
	}
	records := schema.Records{}
	keys := schema.RecordKeys()
	of := map[string][]string{}
	for _, folder := range f.folders {
		if folder.Keyspace == "system_schema" {
			of[folder.Table] = append(of[folder.Table], folder.Dir)
		}
	}
	if len(of["keyspaces"]) == 0 || len(of["tables"]) == 0 || len(of["columns"]) == 0 {
		return nil, fmt.Errorf("%s: there is no system_schema: it is not a data directory of Cassandra", strings.Join(dirs, ", "))
	}
	for table, folders := range of {
		if keys[table] == nil {
			continue
		}
		var err error
		if records[table], err = readRecords(ctx, fsys, folders, keys[table], time.Now().Unix()); err != nil {
			return nil, fmt.Errorf("system_schema.%s: %w", table, err)
		}
	}
	var err error
	f.changes, f.left, err = schema.FromRecords(records)
	return f, err
}

// readRecords returns the rows of a table of system_schema that live at now, in seconds; keys are as storage.ReadFolders takes them.
func readRecords(ctx context.Context, fsys vfs.FS, folders, keys []string, now int64) (records []schema.Record, err error) {
	err = storage.ReadFolders(ctx, fsys, folders, keys, now, func(values map[string][]byte) error {
		r := schema.Record{}
		for name, v := range values {
			if v != nil {
				r[name] = append([]byte{}, v...)
			}
		}
		records = append(records, r)
		return nil
	})
	return records, err
}

// checkForeignLogs returns an error when the commit log beside a data directory holds writes.
func checkForeignLogs(fsys vfs.FS, dirs []string) error {
	for _, dir := range dirs {
		logs := path.Join(path.Dir(path.Clean(dir)), "commitlog")
		names, err := fsys.List(logs)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, name := range names {
			if !strings.HasPrefix(name, "CommitLog-") || !strings.HasSuffix(name, ".log") {
				continue
			}
			empty, err := commitlog.EmptyForeign(fsys, path.Join(logs, name))
			if err != nil {
				return err
			}
			if !empty {
				return fmt.Errorf("%s holds writes that are in no table: drain the node first (nodetool drain), or ignore the log", path.Join(logs, name))
			}
		}
	}
	return nil
}
