package main

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// TestBackup loses a table by TRUNCATE and by DROP, and gets it back from the snapshots that were made by hand and of
// themselves, and from incremental backups.
func TestBackup(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	data := filepath.Join(t.TempDir(), "data")
	cmd := command(t, "start", "--port", "0", "--admin-port", port, "--data-dir", data)
	cmd.Env = append(cmd.Env, "HELENUS_INCREMENTAL_BACKUPS=true")
	n := start(t, cmd)
	defer n.stop(t)
	r := dialRaw(t, n.addr)
	tool := func(args ...string) string {
		t.Helper()
		code, out, errs := call(t, append([]string{"nodetool", "-p", port}, args...)...)
		if code != 0 {
			t.Fatalf("%v: exit %d, %s%s", args, code, out, errs)
		}
		return out
	}
	count := func(want int) {
		t.Helper()
		if got := r.rows("SELECT COUNT(*) FROM b.t"); len(got) != 1 || got[0] != fmt.Sprintf("%016x", want) {
			t.Errorf("%v rows, want %d", got, want)
		}
	}
	folders := func(pattern string) []string {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(data, "b", "t-*", pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		return found
	}
	insert := func(from, to int) {
		for i := from; i < to; i++ {
			r.query(fmt.Sprintf("INSERT INTO b.t (k, v) VALUES (%d, 'v%d')", i, i))
		}
	}
	const create = "CREATE TABLE b.t (k int PRIMARY KEY, v text)"
	r.query("CREATE KEYSPACE b WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	r.query(create)
	insert(0, 10)
	tool("snapshot", "-t", "mine", "b")
	insert(10, 15)
	r.query("TRUNCATE b.t")
	count(0)
	tool("import", "-p", "b", "t", folders("snapshots/mine")[0])
	count(10)
	r.query("TRUNCATE b.t")
	tool("import", "-p", "b", "t", folders("snapshots/truncated-*-t")[0])
	count(15)
	insert(15, 18)
	r.query("DROP TABLE b.t")
	r.query(create)
	count(0)
	tool("import", "-p", "b", "t", folders("snapshots/dropped-*-t")[0])
	count(18)
	r.query("TRUNCATE b.t")
	for _, dir := range folders("backups") {
		tool("import", "-p", "b", "t", dir)
	}
	count(18)
	if out := tool("listsnapshots"); strings.Count(out, "truncated-") < 2 || strings.Count(out, "dropped-") != 1 || !strings.Contains(out, "mine ") {
		t.Error(out)
	}
	tool("clearsnapshot", "--all")
	if out := tool("listsnapshots"); out != "Snapshot Details: \nThere are no snapshots\n" {
		t.Error(out)
	}
	tool("compact", "b", "t")
	tool("verify", "-f", "b")
	count(18)
}
