package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/helenusdb/helenus"

// floors lists, for each package, what it may import of ours (ARCHITECTURE.md shows the picture). Everyone may import
// cql/invariant. A package without a row here fails the test: give it its floor before its code.
var floors = map[string]string{
	"cql":                 "",
	"cql/invariant":       "",
	"cql/token":           "",
	"cql/types":           "cql",
	"cql/schema":          "cql cql/types",
	"cql/wire":            "cql cql/types",
	"cql/auth":            "cql",
	"cql/server":          "cql cql/wire",
	"cql/session":         "cql cql/schema cql/server cql/token cql/wire parser parser/ast planner planner/exec",
	"parser/ast":          "cql",
	"parser":              "cql parser/ast",
	"planner/function":    "cql cql/token cql/types storage/request",
	"planner":             "cql cql/schema cql/token cql/types parser/ast planner/function storage/request storage/row",
	"planner/exec":        "cql cql/schema cql/token cql/types parser/ast planner planner/function storage/request storage/row",
	"storage/row":         "cql/schema cql/token cql/types",
	"storage/request":     "cql cql/schema cql/token cql/types storage/row",
	"storage/vfs":         "",
	"storage/commitlog":   "storage/vfs",
	"storage/slab":        "",
	"storage/cache":       "",
	"storage/sstable":     "cql/schema cql/token cql/types storage/cache storage/row storage/vfs",
	"storage/merge":       "cql/schema cql/token storage/row",
	"storage/compaction":  "cql/schema cql/token storage/merge storage/row storage/sstable storage/vfs",
	"storage/memtable":    "cql/schema cql/token cql/types storage/request storage/row storage/slab",
	"storage/index":       "cql/schema cql/token cql/types storage/request storage/row storage/slab",
	"storage":             "cql cql/schema cql/token cql/types storage/cache storage/commitlog storage/compaction storage/index storage/memtable storage/merge storage/request storage/row storage/sstable storage/vfs",
	"cluster/ring":        "cql cql/schema cql/token",
	"cluster/replica":     "cluster/coordinator cql cql/schema storage storage/request storage/row",
	"cluster/coordinator": "cql cql/schema cql/token cluster/ring storage/request storage/row",
	"cluster/system":      "cql cql/schema cql/token cql/types storage/request storage/row",
	"cluster/admin":       "cql cql/schema",
	"cluster": "cql cql/schema cql/token cql/types cluster/admin cluster/coordinator cluster/replica cluster/ring cluster/system planner/exec " +
		"storage storage/commitlog storage/compaction storage/request storage/row storage/sstable storage/vfs",
	"cmd/helenus":          "cluster cluster/admin cmd/helenus/bench cmd/helenus/config cmd/helenus/nodetool cql cql/auth cql/server cql/schema cql/session cql/token cql/wire planner/exec storage storage/sstable storage/vfs",
	"cmd/helenus/config":   "cql",
	"cmd/helenus/nodetool": "cluster/admin cql/types",
	"cmd/helenus/bench":    "cql cql/types cql/wire",
}

// TestFloors holds that packages import only downward. It walks the tree in this process: a test that asked the go command
// would be cached and stay green when an import is added.
func TestFloors(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); rel != "." && (strings.HasPrefix(name, ".") || name == "testdata") || rel == "integration" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		pkg := filepath.ToSlash(filepath.Dir(rel))
		allowed, ok := floors[pkg]
		if !ok {
			if !seen[pkg] {
				t.Errorf("package %s has no floor: add it to the table and to ARCHITECTURE.md", pkg)
			}
			seen[pkg] = true
			return nil
		}
		seen[pkg] = true
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range f.Imports {
			name, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			ours, ok := strings.CutPrefix(name, module+"/")
			if ok && ours != "cql/invariant" && !slices.Contains(strings.Fields(allowed), ours) {
				t.Errorf("%s imports %s, which is not on a floor below %s", rel, ours, pkg)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
