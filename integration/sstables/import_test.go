package sstables

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"

	"github.com/helenusdb/helenus/integration/oracle"
	"github.com/helenusdb/helenus/integration/start"
)

// freePort returns a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// importInto makes a folder of tables part of a table of Helenus, as nodetool import does, and returns how many those were.
func importInto(t *testing.T, port string, s *Schema, dir string) int {
	t.Helper()
	body, err := json.Marshal(map[string]any{"keyspace": s.Keyspace, "table": s.Table, "directories": []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post("http://127.0.0.1:"+port+"/v1/import", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Imported int
		Failed   map[string]string
	}
	if err := json.Unmarshal(b, &r); err != nil || resp.StatusCode != http.StatusOK || len(r.Failed) > 0 {
		t.Errorf("import into %s: %s %s\n%s", s.name(), resp.Status, b, s.Create)
	}
	return r.Imported
}

// TestImport fills random schemas in Cassandra alone. Its folders are imported into a Helenus, which has to give the same
// answers, and the same again after a restart.
func TestImport(t *testing.T) {
	j := judge(t)
	n, first := number("SSTABLES_SCHEMAS", 200), number("SSTABLES_FIRST", 0)
	dir, port := t.TempDir(), freePort(t)
	node, err := start.In(dir, "HELENUS_ADMIN_PORT="+port)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = node.Stop() }()
	for at := 0; at < n; at += batch {
		size := min(batch, n-at)
		t.Run(fmt.Sprint(first+at), func(t *testing.T) {
			keyspace := fmt.Sprintf("h6sst_i%d", first+at)
			list := schemas(keyspace, first+at, size)
			ours := oracle.NewRunner(node.Address)
			defer func() { ours.Close() }()
			define(t, j.Runner, keyspace, list)
			defer must(t, j.Runner, "DROP KEYSPACE "+keyspace)
			define(t, ours, keyspace, list)
			want := make([][]string, len(list))
			for i, s := range list {
				// Two flushes make two tables, which have to be merged.
				half := len(s.Writes) / 2
				answers(t, j.Runner, s.Writes[:half])
				if i%2 == 0 {
					if _, err := j.Tool("flush", keyspace); err != nil {
						t.Fatal(err)
					}
				}
				answers(t, j.Runner, s.Writes[half:])
				want[i] = answers(t, j.Runner, s.Reads)
			}
			if _, err := j.Tool("flush", keyspace); err != nil {
				t.Fatal(err)
			}
			files := 0
			for i, s := range list {
				folder, err := j.Folder(s)
				if err != nil {
					t.Fatal(err)
				}
				to := t.TempDir()
				if err := os.CopyFS(to, os.DirFS(folder)); err != nil {
					t.Fatal(err)
				}
				files += importInto(t, port, s, to)
				compare(t, "imported: "+s.Create, s.Reads, want[i], answers(t, ours, s.Reads))
			}
			if files == 0 {
				t.Error("nothing was imported")
			}
			t.Log(files, "tables")
			if err := node.Stop(); err != nil {
				t.Fatal(err)
			}
			if node, err = start.In(dir, "HELENUS_ADMIN_PORT="+port); err != nil {
				t.Fatal(err)
			}
			ours.Close()
			ours = oracle.NewRunner(node.Address)
			for i, s := range list {
				compare(t, "imported, after a restart: "+s.Create, s.Reads, want[i], answers(t, ours, s.Reads))
			}
		})
	}
}
