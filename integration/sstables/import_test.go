package sstables

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/helenusdb/helenus/integration/oracle"
	"github.com/helenusdb/helenus/integration/start"
)

// copyTree copies a folder of Cassandra's with all below it.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// TestImport fills random schemas in Cassandra alone, alters some of them, and imports its data directory, schema included,
// into a new Helenus, which has to give the same answers.
func TestImport(t *testing.T) {
	j := judge(t)
	n, first := number("SSTABLES_SCHEMAS", 200), number("SSTABLES_FIRST", 0)
	for at := 0; at < n; at += batch {
		size := min(batch, n-at)
		t.Run(fmt.Sprint(first+at), func(t *testing.T) {
			keyspace := fmt.Sprintf("h6sst_i%d", first+at)
			list := schemas(keyspace, first+at, size)
			define(t, j.Runner, keyspace, list)
			defer must(t, j.Runner, "DROP KEYSPACE "+keyspace)
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
			data := filepath.Join(t.TempDir(), "data")
			for _, ks := range []string{keyspace, "system_schema"} {
				if _, err := j.Tool("flush", ks); err != nil {
					t.Fatal(err)
				}
				copyTree(t, filepath.Join(j.data, ks), filepath.Join(data, ks))
			}
			dir := t.TempDir()
			cmd, err := start.Command("import", "--data-dir", dir, "--skip-unsupported", data)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("import: %v\n%s", err, out)
			}
			node, err := start.In(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = node.Stop() }()
			ours := oracle.NewRunner(node.Address)
			defer ours.Close()
			for i, s := range list {
				compare(t, "imported: "+s.Create, s.Reads, want[i], answers(t, ours, s.Reads))
			}
		})
	}
}
