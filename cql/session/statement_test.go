package session

import (
	"encoding/hex"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/parser"
	"github.com/helenusdb/helenus/planner"
)

// snapshot returns a schema that these statements make.
func snapshot(t *testing.T, texts ...string) *schema.Snapshot {
	t.Helper()
	snap := schema.NewSnapshot()
	ids := byte(0)
	env := &schema.Env{DataCenters: map[string]int{"datacenter1": 1}, NewID: func() schema.UUID { ids++; return schema.UUID{ids} }, Now: 1}
	for _, text := range texts {
		p, err := parser.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := planner.Prepare(snap, "", p.Statement, p.Markers, planner.PrepareEnv{})
		if err != nil {
			t.Fatal(err)
		}
		res, err := plan.Body.(*planner.SchemaPlan).Change(snap, env)
		if err != nil {
			t.Fatal(err)
		}
		if snap, err = schema.Apply(snap, res.Change); err != nil {
			t.Fatal(err)
		}
	}
	return snap
}

// TestWeigh: what a statement is counted as is not less than what it takes, nor much more, whatever it is made of: a cache
// of 10 MiB must not become one of a GiB.
func TestWeigh(t *testing.T) {
	snap := snapshot(t, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TABLE k.t (a int PRIMARY KEY, b int, c text, l list<int>)")
	h := New(Options{Partitioner: token.Murmur3{}})
	for _, text := range []string{
		"SELECT a, b, c FROM k.t WHERE a = ?",
		"INSERT INTO k.t (a, b, c) VALUES (?, ?, ?)",
		"SELECT a" + strings.Repeat(",a", 1000) + " FROM k.t",
		"SELECT now()" + strings.Repeat(",now()", 1000) + " FROM k.t",
		"SELECT a+b" + strings.Repeat(",a+b", 1000) + " FROM k.t",
		"SELECT a FROM k.t WHERE a IN (1" + strings.Repeat(",1", 1000) + ")",
		"SELECT a FROM k.t WHERE a IN (?" + strings.Repeat(",?", 1000) + ")",
		"INSERT INTO k.t (a, l) VALUES (1, [1" + strings.Repeat(",1", 1000) + "])",
		"INSERT INTO k.t (a, b) VALUES (1, 1" + strings.Repeat("+1", 200) + ")",
		"BEGIN BATCH " + strings.Repeat("DELETE FROM k.t WHERE a=1;", 300) + " APPLY BATCH",
		"BEGIN BATCH " + strings.Repeat("UPDATE k.t SET b=1,c='' WHERE a=1 IF b=2;", 100) + " APPLY BATCH",
	} {
		const n = 50
		var keep [n]*statement
		texts := [n]string{}
		for i := range texts {
			texts[i] = text + fmt.Sprintf(" /* %d */", i)
		}
		before := heap()
		for i := range keep {
			st, err := h.prepare(snap, "", texts[i])
			if err != nil {
				t.Fatalf("%.60s: %v", text, err)
			}
			keep[i] = st
		}
		took := (heap() - before) / n
		counted := keep[0].weigh(len(text), len(keep[0].literals)) + entryBytes
		t.Logf("%7d bytes, counted as %7d: %.60s", took, counted, text)
		if counted < took || counted > 8*took+8*entryBytes {
			t.Errorf("%d bytes, counted as %d: %.60s", took, counted, text)
		}
		runtime.KeepAlive(keep)
	}
}

// TestMetadataIDs holds ids of result metadata as Cassandra 5.0.6 gave them in PREPARED: the descending order of a column is part
// of its type there, but not of what is computed from it.
func TestMetadataIDs(t *testing.T) {
	snap := snapshot(t, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TABLE k.t (k int, c int, d timestamp, PRIMARY KEY (k, c, d)) WITH CLUSTERING ORDER BY (c DESC, d DESC)")
	h := New(Options{Partitioner: token.Murmur3{}})
	for text, want := range map[string]string{
		"SELECT c FROM k.t":                          "959d5511dd7ffad62b10cb0e1174748f",
		"SELECT c AS x, k FROM k.t":                  "b23a5681d17e6fee3340ddd07cac5bf7",
		"SELECT d FROM k.t":                          "53fa2338c8e8320fd37e9dcea5249ca6",
		"SELECT c, k FROM k.t WHERE k=1 ORDER BY c":  "4d1743e59dc528dffc7591b11942d325",
		"INSERT INTO k.t (k, c, d) VALUES (?, ?, ?)": "d41d8cd98f00b204e9800998ecf8427e",
	} {
		st, err := h.prepare(snap, "", text)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(st.resultID[:]); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
