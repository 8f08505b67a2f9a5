package sstable

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/helenusdb/helenus/storage/vfs"
)

// goldenRoot holds tables that Cassandra wrote, of all versions, beside the repository. A representative part of them is in
// testdata, so that the tests judge something without it.
const goldenRoot = "../../../shared/golden-sstables"

// golden is one table with the folder it is in.
type golden struct {
	dir  string
	desc Descriptor
}

func (g golden) String() string { return g.dir + "/" + g.desc.String() }

// goldens returns the tables of both sets.
func goldens(t testing.TB) []golden {
	var list []golden
	for _, root := range []string{"testdata", goldenRoot} {
		if _, err := os.Stat(root); err != nil {
			t.Logf("%s is not there: only the other tables are read", root)
			continue
		}
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			descs, err := List(vfs.OS{}, path)
			for _, desc := range descs {
				list = append(list, golden{path, desc})
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func (g golden) open(t testing.TB, options ...OpenOptions) *Reader {
	t.Helper()
	r, err := Open(vfs.OS{}, g.dir, g.desc, options...)
	if err != nil {
		t.Fatalf("%s: %v", g, err)
	}
	t.Cleanup(r.Close)
	return r
}

// TestGoldenScan reads every table to its last byte.
func TestGoldenScan(t *testing.T) {
	n := 0
	for _, g := range goldens(t) {
		n++
		s := g.open(t).Self().scan(All())
		s.p.check = &orderCheck{}
		rows := 0
		for p := s.next(); p != nil; p = s.next() {
			s.p.check.begin(p)
			for u := p.next(); u != nil; u = p.next() {
				rows++
			}
		}
		if s.err != nil {
			t.Errorf("%s: %v", g, s.err)
		}
	}
	t.Log(n, "tables")
}
