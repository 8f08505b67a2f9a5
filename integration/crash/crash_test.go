// Package crash kills a node under load, again and again, and holds that what it acknowledged is there when it is back.
package crash

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/cassandra-gocql-driver/v2"

	"github.com/helenusdb/helenus/integration/start"
)

const (
	workers = 8
	schema  = `CREATE TABLE IF NOT EXISTS kill.log (worker int, seq int, payload blob, PRIMARY KEY (worker, seq))`
	lwt     = `CREATE TABLE IF NOT EXISTS kill.claims (worker int PRIMARY KEY, seq int)`
	counts  = `CREATE TABLE IF NOT EXISTS kill.counts (worker int PRIMARY KEY, n counter)`
)

// ledger is what one worker knows: it writes seq 0, 1, 2 ... and stops at the first that is not acknowledged.
type ledger struct {
	acked, tried      int // of the log: all below acked were acknowledged, none at or above tried was sent
	claimed, maybe    int // of the claims: the last acknowledged, and the last sent
	counted, counting int // of the counter: acknowledged and sent increments
}

// TestKill does CRASH_ROUNDS rounds (3 when it is not set) of: load, kill -9, start, look. The log is synced in batches, so that an
// acknowledged write must be there, and nothing may be there that was not sent.
func TestKill(t *testing.T) {
	rounds := 3
	if s := os.Getenv("CRASH_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		rounds = n
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	ledgers := make([]ledger, workers)
	total := 0
	for round := range rounds {
		n, err := start.In(dir, "HELENUS_COMMITLOG_SYNC=batch")
		if err != nil {
			t.Fatal(err)
		}
		s := connect(t, n.Address)
		check(t, s, ledgers, round)
		load(t, n, s, ledgers, time.Duration(100+r.IntN(500))*time.Millisecond)
		s.Close()
	}
	n, err := start.In(dir, "HELENUS_COMMITLOG_SYNC=batch")
	if err != nil {
		t.Fatal(err)
	}
	s := connect(t, n.Address)
	check(t, s, ledgers, rounds)
	s.Close()
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, l := range ledgers {
		total += l.acked
	}
	t.Logf("%d rounds, %d acknowledged writes, all there, none invented", rounds, total)
}

func connect(t *testing.T, addr string) *gocql.Session {
	t.Helper()
	c := gocql.NewCluster(addr)
	c.Timeout = 5 * time.Second
	c.ConnectTimeout = 5 * time.Second
	c.Consistency = gocql.One
	c.NumConns = 2
	c.DisableInitialHostLookup = true
	c.ReconnectInterval = 0
	s, err := c.CreateSession()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"CREATE KEYSPACE IF NOT EXISTS kill WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", schema, lwt, counts,
	} {
		if err := s.Query(text).Exec(); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// payload is what worker w writes at seq: whoever reads it back can tell that it is whole and in its place.
func payload(w, seq int) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(w)<<32|uint64(seq))
	return bytes.Repeat(b, 1+seq%40)
}

// load lets all workers write until the node is killed.
func load(t *testing.T, n *start.Node, s *gocql.Session, ledgers []ledger, d time.Duration) {
	t.Helper()
	var wg sync.WaitGroup
	var dead atomic.Bool
	for w := range ledgers {
		wg.Go(func() {
			l := &ledgers[w]
			l.acked = l.tried // what was in doubt was settled by check
			for !dead.Load() {
				l.tried++
				if s.Query("INSERT INTO kill.log (worker, seq, payload) VALUES (?, ?, ?)", w, l.tried-1, payload(w, l.tried-1)).Exec() != nil {
					return
				}
				l.acked++
				if l.acked%7 == 0 && !step(s, w, l) {
					return
				}
			}
		})
	}
	time.Sleep(d)
	err := n.Kill()
	dead.Store(true)
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
}

// step makes one conditional write and one increment.
func step(s *gocql.Session, w int, l *ledger) bool {
	l.maybe = l.acked
	var old int
	q := s.Query("UPDATE kill.claims SET seq = ? WHERE worker = ? IF seq != ?", l.acked, w, -1)
	if applied, err := q.ScanCAS(&old); err != nil || !applied {
		return false
	}
	l.claimed = l.maybe
	l.counting++
	if s.Query("UPDATE kill.counts SET n = n + 1 WHERE worker = ?", w).Exec() != nil {
		return false
	}
	l.counted++
	return true
}

// check reads everything back and settles what was in doubt.
func check(t *testing.T, s *gocql.Session, ledgers []ledger, round int) {
	t.Helper()
	for w := range ledgers {
		l := &ledgers[w]
		it := s.Query("SELECT seq, payload FROM kill.log WHERE worker = ?", w).PageSize(1000).Iter()
		var seq, next int
		var p []byte
		for it.Scan(&seq, &p) {
			if seq != next {
				t.Fatalf("round %d, worker %d: row %d follows %d", round, w, seq, next-1)
			}
			if seq >= l.tried {
				t.Fatalf("round %d, worker %d: row %d was never sent", round, w, seq)
			}
			if !bytes.Equal(p, payload(w, seq)) {
				t.Fatalf("round %d, worker %d: row %d has %d strange bytes", round, w, seq, len(p))
			}
			next++
		}
		if err := it.Close(); err != nil {
			t.Fatal(err)
		}
		if next < l.acked {
			t.Fatalf("round %d, worker %d: %d rows, %d were acknowledged", round, w, next, l.acked)
		}
		l.acked, l.tried = next, next
		claimed := one(t, s, fmt.Sprintf("SELECT seq FROM kill.claims WHERE worker = %d", w))
		if claimed != l.claimed && claimed != l.maybe {
			t.Fatalf("round %d, worker %d: claim %d, acknowledged %d, sent %d", round, w, claimed, l.claimed, l.maybe)
		}
		l.claimed, l.maybe = claimed, claimed
		counted := one(t, s, fmt.Sprintf("SELECT n FROM kill.counts WHERE worker = %d", w))
		if counted < l.counted || counted > l.counting {
			t.Fatalf("round %d, worker %d: count %d, acknowledged %d, sent %d", round, w, counted, l.counted, l.counting)
		}
		l.counted, l.counting = counted, counted
	}
}

// one returns the number that a query gives, 0 for no row.
func one(t *testing.T, s *gocql.Session, text string) int {
	t.Helper()
	var n int
	if err := s.Query(text).Scan(&n); err != nil && !errors.Is(err, gocql.ErrNotFound) {
		t.Fatal(err)
	}
	return n
}
