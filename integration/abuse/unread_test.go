package abuse

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestUnreadAnswers: large answers that nobody reads, of clients that do not page, are bounded for all connections
// together; reads that may be large are refused then, and others are served.
func TestUnreadAnswers(t *testing.T) {
	t.Parallel()
	n := own(t, 1200) // 256 MiB, twice that while answers grow, and what the garbage collector leaves
	good := open(t, n.Address, form{v: 4})
	for _, text := range []string{
		"CREATE KEYSPACE u WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TABLE u.t (k int, c int, b blob, PRIMARY KEY (k, c))",
	} {
		if e := call(t, good, 1, opQuery, query(4, text)); e.op != opResult {
			t.Fatal(e)
		}
	}
	const rows, size = 40, 1 << 20
	for i := range rows {
		body := query(4, "INSERT INTO u.t (k, c, b) VALUES (1, ?, ?)", long(nil, i), bytes.Repeat([]byte{byte(i)}, size))
		if e := call(t, good, 1, opQuery, body); e.kind() != kindVoid {
			t.Fatal(e)
		}
	}
	if e := call(t, good, 1, opQuery, query(4, "SELECT * FROM u.t WHERE k = 1")); len(e.body) < rows*size {
		t.Fatal(e)
	}
	texts := []string{"SELECT * FROM u.t", "SELECT * FROM u.t WHERE k = 1", "SELECT b FROM u.t WHERE k IN (1, 2)"}
	var wg sync.WaitGroup
	for i := range 60 {
		p := open(t, n.Address, form{v: 4})
		_ = p.net.SetReadBuffer(4 << 10)
		wg.Go(func() {
			for range 4 {
				_ = p.send(1, opQuery, query(4, texts[i%len(texts)]))
			}
		})
	}
	wg.Wait()
	refused := 0
	for i := range 30 {
		time.Sleep(200 * time.Millisecond)
		well(t, n.Address)
		if e := call(t, good, 2, opQuery, query(4, "SELECT c FROM u.t WHERE k = 1 AND c = 1")); e.kind() != kindRows {
			t.Error(e)
		}
		e := call(t, good, 3, opQuery, query(4, fmt.Sprintf("SELECT c FROM u.t LIMIT %d", i+1)))
		if code, _ := e.failure(); code == 0x1001 {
			refused++
		} else if code >= 0 {
			t.Error(e)
		}
	}
	t.Logf("%d of 30 scans were refused meanwhile", refused)
}
