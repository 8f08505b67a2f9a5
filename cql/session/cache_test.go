package session

import (
	"fmt"
	"sync"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/planner/exec"
)

// TestCacheForgetsOldest holds the bound in bytes, the order of forgetting, and that the newest always stays.
func TestCacheForgetsOldest(t *testing.T) {
	c := newCache[string](3 * (entryBytes + 10))
	for i := range 5 {
		c.put(fmt.Sprint(i), &statement{text: fmt.Sprint(i)}, 10)
	}
	sts, evicted := c.all()
	if len(sts) != 3 || evicted != 2 || c.get("0") != nil || c.get("1") != nil || c.get("4") == nil {
		t.Errorf("%d left, %d forgotten", len(sts), evicted)
	}
	c.put("huge", &statement{}, 1<<20)
	if c.get("huge") == nil || c.get("4") != nil {
		t.Error("the newest must stay, alone")
	}
	c.remove("huge")
	if c.bytes != 0 || len(c.entries) != 0 {
		t.Errorf("%d bytes in %d entries", c.bytes, len(c.entries))
	}
}

// TestCacheUse holds that what is used often enough outlives what is not.
func TestCacheUse(t *testing.T) {
	c := newCache[int](2 * entryBytes)
	c.put(1, &statement{}, 0)
	c.put(2, &statement{}, 0)
	for range touchEvery {
		c.used(1)
	}
	c.put(3, &statement{}, 0)
	if c.get(1) == nil || c.get(2) != nil {
		t.Error("the used one was forgotten")
	}
}

// TestRecentStatement holds that a call which remembers its last statement forgets it with the cache.
func TestRecentStatement(t *testing.T) {
	snap := snapshot(t, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TABLE k.t (a int PRIMARY KEY, b int)")
	h := New(Options{Partitioner: token.Murmur3{}, Backend: schemaOnly{snap: snap}})
	k := newCall(h)
	var ids [][]byte
	for _, text := range []string{"SELECT a FROM k.t", "SELECT b FROM k.t"} {
		st, err := h.prepare(snap, "", text)
		if err != nil {
			t.Fatal(err)
		}
		h.prepared.put(st.id, st, 1)
		ids = append(ids, st.id[:])
	}
	want := func(id []byte, text string) {
		t.Helper()
		st, err := k.byID(id)
		if text == "" && err == nil || text != "" && (err != nil || st.text != text) {
			t.Fatalf("%v, %v, want %q", st, err, text)
		}
	}
	for range 3 {
		want(ids[0], "SELECT a FROM k.t")
		want(ids[0], "SELECT a FROM k.t")
		want(ids[1], "SELECT b FROM k.t")
	}
	h.prepared.remove([16]byte(ids[0]))
	want(ids[1], "SELECT b FROM k.t")
	want(ids[0], "")
	h.prepared.retain(func(*statement) bool { return false })
	want(ids[1], "")
}

// schemaOnly is a node of which only the schema is asked.
type schemaOnly struct {
	exec.Writer
	snap *schema.Snapshot
}

func (s schemaOnly) Schema() *schema.Snapshot { return s.snap }

func TestCacheConcurrent(t *testing.T) {
	c := newCache[int](10 * entryBytes)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				k := (i*7 + g) % 30
				if c.get(k) == nil {
					c.put(k, &statement{}, i%50)
				}
				c.used(k)
				if i%100 == 0 {
					c.retain(func(*statement) bool { return i%200 == 0 })
				}
			}
		})
	}
	wg.Wait()
	if c.bytes > c.maxBytes {
		t.Errorf("%d bytes", c.bytes)
	}
}
