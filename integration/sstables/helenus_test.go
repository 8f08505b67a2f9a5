package sstables

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/helenusdb/helenus/integration/oracle"
	"github.com/helenusdb/helenus/integration/start"
	"github.com/helenusdb/helenus/storage/sstable"
)

// flushWithin bounds how long a node takes to flush a table that was told to do so by its flush period.
const flushWithin = 30 * time.Second

// flushed makes a node write a table to disk and returns the folder of its files.
func flushed(t *testing.T, r *oracle.Runner, data string, s *Schema) string {
	t.Helper()
	must(t, r, "ALTER TABLE "+s.name()+" WITH memtable_flush_period_in_ms = 100")
	defer must(t, r, "ALTER TABLE "+s.name()+" WITH memtable_flush_period_in_ms = 0")
	for end := time.Now().Add(flushWithin); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		found, err := filepath.Glob(filepath.Join(data, s.Keyspace, s.Table+"-*", "*-"+sstable.CompTOC))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			return filepath.Dir(found[0])
		}
	}
	t.Fatalf("%s is not flushed:\n%s", s.name(), s.Create)
	return ""
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

// TestHelenusTables fills random schemas in Helenus and in Cassandra, which have to answer the same. What Helenus flushed is
// dumped, verified, imported and served by Cassandra, and by Helenus itself after a restart.
func TestHelenusTables(t *testing.T) {
	j := judge(t)
	n, first := number("SSTABLES_SCHEMAS", 200), number("SSTABLES_FIRST", 0)
	dir := t.TempDir()
	node, err := start.In(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = node.Stop() }()
	for at := 0; at < n; at += batch {
		size := min(batch, n-at)
		t.Run(fmt.Sprint(first+at), func(t *testing.T) {
			keyspace := fmt.Sprintf("h1sst_h%d", first+at)
			list := schemas(keyspace, first+at, size)
			ours := oracle.NewRunner(node.Address)
			defer ours.Close()
			define(t, j.Runner, keyspace, list)
			defer must(t, j.Runner, "DROP KEYSPACE "+keyspace)
			define(t, ours, keyspace, list)
			want := make([][]string, len(list))
			for i, s := range list {
				compare(t, "writing", s.Writes, answers(t, j.Runner, s.Writes), answers(t, ours, s.Writes))
				want[i] = answers(t, j.Runner, s.Reads)
				compare(t, "reading from memory: "+s.Create, s.Reads, want[i], answers(t, ours, s.Reads))
			}
			if _, err := j.Tool("flush", "system_schema"); err != nil {
				t.Fatal(err)
			}
			files := 0
			for i, s := range list {
				folder := flushed(t, ours, dir, s)
				compare(t, "reading from disk: "+s.Create, s.Reads, want[i], answers(t, ours, s.Reads))
				again := copyFiles(t, folder)
				for _, r := range tables(t, again) {
					files++
					dumps(t, j, again, r)
				}
				serve(t, j, s, again, want[i])
			}
			j.CloseTools()
			for _, s := range list {
				if out, err := j.Tool("verify", s.Keyspace, s.Table); err != nil {
					t.Errorf("%s: %v\n%s", s.Create, err, out)
				}
			}
			j.CloseTools()
			t.Log(files, "tables")
			if err := node.Stop(); err != nil {
				t.Fatal(err)
			}
			if node, err = start.In(dir); err != nil {
				t.Fatal(err)
			}
			ours.Close()
			ours = oracle.NewRunner(node.Address)
			for i, s := range list {
				compare(t, "reading after a restart: "+s.Create, s.Reads, want[i], answers(t, ours, s.Reads))
			}
		})
	}
}
