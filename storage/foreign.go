package storage

import (
	"context"
	"encoding/binary"
	"path"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/merge"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// ReadFolders gives the live rows, at now (seconds), of a table whose files are in some folders, without an engine and without
// a schema: the values of the simple columns by their names, those of the key by keys, which are the names of the partition
// key's and the clustering's columns. A row is valid during the call. What transaction logs call void is left out.
func ReadFolders(ctx context.Context, fsys vfs.FS, dirs, keys []string, now int64, f func(values map[string][]byte) error) error {
	var readers []*sstable.Reader
	defer func() {
		for _, r := range readers {
			r.Close()
		}
	}()
	for _, dir := range dirs {
		found, err := findTables(fsys, dir)
		if err != nil {
			return err
		}
		for _, d := range found {
			r, err := sstable.Open(fsys, dir, d)
			if err != nil {
				return err
			}
			readers = append(readers, r)
		}
	}
	if len(readers) == 0 {
		return nil
	}
	t, err := sstable.Union(readers...)
	if err != nil {
		return err
	}
	var list []row.Source
	for _, r := range readers {
		v, err := r.View(t)
		if err != nil {
			return err
		}
		list = append(list, v.Scan(sstable.All()))
	}
	l := row.NewLayout(t)
	it := row.LiveFilter(merge.Rows(ctx, l, merge.Sources(l, list)), now)
	defer it.Close()
	for it.NextPartition() {
		parts := keyValues(it.Key(), len(t.PartitionKey))
		for x := it.NextRow(); x != nil; x = it.NextRow() {
			values := map[string][]byte{}
			for i, v := range append(parts[:len(parts):len(parts)], x.Clustering...) {
				if i < len(keys) {
					values[keys[i]] = v
				}
			}
			for i := range x.Cells {
				if c := &x.Cells[i]; c.Path == nil {
					values[t.ByID[c.Column].Name] = c.Value
				}
			}
			if err := f(values); err != nil {
				return err
			}
		}
	}
	return it.Err()
}

// keyValues splits a partition key into its components; one that is not whole is returned as one.
func keyValues(key []byte, n int) [][]byte {
	if n == 1 {
		return [][]byte{key}
	}
	var parts [][]byte
	for rest := key; len(rest) >= 2; {
		size := int(binary.BigEndian.Uint16(rest))
		if len(rest) < size+3 {
			return [][]byte{key}
		}
		parts, rest = append(parts, rest[2:2+size]), rest[size+3:]
	}
	return parts
}

// FolderOf is the folder of a table in a data directory of Cassandra.
type FolderOf struct {
	Keyspace, Table string
	ID              schema.UUID
	Dir             string
}

// Folders returns the folders of tables in a data directory, <keyspace>/<table>-<id>.
func Folders(fsys vfs.FS, root string) ([]FolderOf, error) {
	var out []FolderOf
	err := eachTableDir(fsys, path.Clean(root), func(ks, table string, id schema.UUID, dir string) error {
		out = append(out, FolderOf{ks, table, id, dir})
		return nil
	})
	return out, err
}
