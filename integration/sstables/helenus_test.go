package sstables

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/helenusdb/helenus/integration/oracle"
	"github.com/helenusdb/helenus/integration/start"
	"github.com/helenusdb/helenus/storage/sstable"
)

// node is a Helenus with its tools.
type node struct {
	*start.Node
	*oracle.Runner
	dir, admin string
}

// startNode starts a Helenus whose data are in dir.
func startNode(t *testing.T, dir string) *node {
	t.Helper()
	port, err := start.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	n, err := start.In(dir, "HELENUS_ADMIN_PORT="+port)
	if err != nil {
		t.Fatal(err)
	}
	return &node{Node: n, Runner: oracle.NewRunner(n.Address), dir: dir, admin: port}
}

func (n *node) stop(t *testing.T) {
	t.Helper()
	n.Close()
	if err := n.Stop(); err != nil {
		t.Error(err)
	}
}

// nodetool runs helenus nodetool.
func (n *node) nodetool(t *testing.T, args ...string) {
	t.Helper()
	cmd, err := start.Command(append([]string{"nodetool", "-p", n.admin}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nodetool %q: %v\n%s", args, err, out)
	}
}

// folder returns the folder of a table's files.
func (n *node) folder(t *testing.T, s *Schema) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(n.dir, s.Keyspace, s.Table+"-*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s has the folders %q: %v", s.name(), found, err)
	}
	return found[0]
}

// copyFiles copies a folder's files.
func copyFiles(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// both writes to both servers and compares what each statement is answered.
func both(t *testing.T, j *Judge, n *node, statements []string) {
	t.Helper()
	compare(t, "writing", statements, answers(t, j.Runner, statements), answers(t, n.Runner, statements))
}

// headerTypes sees that columns have the same types in the headers of all files.
func headerTypes(t *testing.T, types map[string]string, r *sstable.Reader) {
	t.Helper()
	note := func(name, typ string) {
		if last, ok := types[name]; ok && last != typ {
			t.Errorf("%s is of\n%s and of\n%s", name, last, typ)
		}
		types[name] = typ
	}
	h := &r.Statistics().Header
	note("the key", h.KeyType)
	for i, c := range h.ClusteringTypes {
		note(fmt.Sprint("clustering ", i), c)
	}
	for _, list := range [][]sstable.HeaderColumn{h.Static, h.Regular} {
		for _, c := range list {
			note(c.Name, c.Type)
		}
	}
}

// TestHelenusTables fills random schemas in Helenus and in Cassandra, which have to answer the same. What Helenus flushed is
// dumped, verified, imported and served by Cassandra, and by Helenus itself after a restart. What Cassandra flushed is
// imported and served by Helenus.
func TestHelenusTables(t *testing.T) {
	j := judge(t)
	n, first := number("SSTABLES_SCHEMAS", 200), number("SSTABLES_FIRST", 0)
	ours := startNode(t, t.TempDir())
	defer func() { ours.stop(t) }()
	for at := 0; at < n; at += batch {
		size := min(batch, n-at)
		t.Run(fmt.Sprint(first+at), func(t *testing.T) {
			keyspace := fmt.Sprintf("h1sst_h%d", first+at)
			list := schemas(keyspace, first+at, size)
			define(t, j.Runner, keyspace, list)
			defer must(t, j.Runner, "DROP KEYSPACE "+keyspace)
			define(t, ours.Runner, keyspace, list)
			// What was written before and after a flush comes from several tables, which have to be merged.
			for _, s := range list {
				both(t, j, ours, s.Writes[:len(s.Writes)/2])
			}
			ours.nodetool(t, "flush", keyspace)
			if _, err := j.Tool("flush", keyspace); err != nil {
				t.Fatal(err)
			}
			want := make([][]string, len(list))
			for i, s := range list {
				both(t, j, ours, s.Writes[len(s.Writes)/2:])
				want[i] = answers(t, j.Runner, s.Reads)
				compare(t, "reading from memory: "+s.Create, s.Reads, want[i], answers(t, ours.Runner, s.Reads))
			}
			ours.nodetool(t, "flush", keyspace)
			for _, ks := range []string{keyspace, "system_schema"} {
				if _, err := j.Tool("flush", ks); err != nil {
					t.Fatal(err)
				}
			}
			files, theirs := 0, make([]string, len(list))
			for i, s := range list {
				compare(t, "reading from disk: "+s.Create, s.Reads, want[i], answers(t, ours.Runner, s.Reads))
				again := copyFiles(t, ours.folder(t, s))
				types := map[string]string{}
				for _, r := range tables(t, again) {
					files++
					headerTypes(t, types, r)
					dumps(t, j, again, r)
				}
				dir, err := j.Folder(s)
				if err != nil {
					t.Fatal(err)
				}
				theirs[i] = copyFiles(t, dir)
				for _, r := range tables(t, theirs[i]) {
					headerTypes(t, types, r)
					if format := os.Getenv("SSTABLES_FORMAT"); format != "" && r.Descriptor().Format != format {
						t.Errorf("%s is not of format %s", r.Descriptor(), format)
					}
					dumps(t, j, theirs[i], r)
				}
				serve(t, j, s, again, want[i])
			}
			verify(t, j, list)
			ours.stop(t)
			ours = startNode(t, ours.dir)
			for i, s := range list {
				compare(t, "reading after a restart: "+s.Create, s.Reads, want[i], answers(t, ours.Runner, s.Reads))
			}
			ours.nodetool(t, "compact", keyspace)
			for i, s := range list {
				compare(t, "reading what was compacted: "+s.Create, s.Reads, want[i], answers(t, ours.Runner, s.Reads))
				again := copyFiles(t, ours.folder(t, s))
				compacted := tables(t, again)
				if len(compacted) > 1 {
					t.Errorf("%s: %d tables are left of a compaction", s.Create, len(compacted))
				}
				for _, r := range compacted {
					dumps(t, j, again, r)
				}
				serve(t, j, s, again, want[i])
				must(t, ours.Runner, "TRUNCATE "+s.name())
				ours.nodetool(t, "import", "-e", s.Keyspace, s.Table, theirs[i])
				compare(t, "Helenus with tables of Cassandra: "+s.Create, s.Reads, want[i], answers(t, ours.Runner, s.Reads))
			}
			t.Log(files, "tables")
		})
	}
}
