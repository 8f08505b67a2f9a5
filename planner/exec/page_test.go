package exec

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/planner"
)

// pageNode is a node with a table that takes several pages, and the state behind the first of them.
func pageNode(t testing.TB) (*testNode, []byte) {
	n := newTestNode()
	n.must(t, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE k",
		"CREATE TABLE t (k int, c int, v int, s int static, PRIMARY KEY (k, c))",
		"CREATE TABLE u (k int, c int, v int, s int static, PRIMARY KEY (k, c))",
		"INSERT INTO t (k, c, v) VALUES (1, 1, 1)", "INSERT INTO t (k, c, v) VALUES (1, 2, 1)", "INSERT INTO t (k, c, v) VALUES (2, 1, 1)")
	_, _, res, err := n.run("SELECT * FROM t", nil, Options{Consistency: cql.One, PageSize: 1})
	if err != nil || res.PagingState == nil {
		t.Fatalf("no second page: %v", err)
	}
	return n, res.PagingState
}

func isProtocolError(err error) bool {
	var e *cql.Error
	return errors.As(err, &e) && e.Code == cql.CodeProtocol && e.Message == "Invalid value for the paging state"
}

// TestPagingStateDamaged holds that no damaged state is taken for another: every bit counts, and every length.
func TestPagingStateDamaged(t *testing.T) {
	n, state := pageNode(t)
	try := func(s []byte) error {
		_, _, _, err := n.run("SELECT * FROM t", nil, Options{Consistency: cql.One, PageSize: 1, PagingState: s})
		return err
	}
	if err := try(state); err != nil {
		t.Fatal(err)
	}
	for i := range len(state) * 8 {
		s := bytes.Clone(state)
		s[i/8] ^= 1 << (i % 8)
		if err := try(s); !isProtocolError(err) {
			t.Errorf("bit %d flipped: %v", i, err)
		}
	}
	for i := range len(state) {
		if err := try(append([]byte{}, state[:i]...)); !isProtocolError(err) {
			t.Errorf("cut to %d bytes: %v", i, err)
		}
	}
	for _, s := range [][]byte{{}, {0}, make([]byte, 1<<20), append(bytes.Clone(state), 0)} {
		if err := try(s); !isProtocolError(err) {
			t.Errorf("%d bytes: %v", len(s), err)
		}
	}
}

// TestPagingStateOfAnother holds that a state belongs to its statement. Source: reliability 4, 43.
func TestPagingStateOfAnother(t *testing.T) {
	n, state := pageNode(t)
	for _, q := range []string{
		"SELECT * FROM u", "SELECT * FROM t WHERE k = 1", "SELECT * FROM t WHERE token(k) > 0",
		"SELECT DISTINCT k FROM t", "SELECT k, count(*) FROM t GROUP BY k", "SELECT * FROM t WHERE v = 1 ALLOW FILTERING",
	} {
		if _, _, _, err := n.run(q, nil, Options{Consistency: cql.One, PageSize: 1, PagingState: state}); !isProtocolError(err) {
			t.Errorf("%s: %v", q, err)
		}
	}
	// Another selection of the same rows goes on where the first stopped, as in Cassandra: what * stands for may change between pages.
	if _, _, _, err := n.run("SELECT k, c FROM t", nil, Options{Consistency: cql.One, PageSize: 1, PagingState: state}); err != nil {
		t.Errorf("another selection: %v", err)
	}
	one := []planner.Value{{Bytes: []byte{0, 0, 0, 1}}}
	_, _, res, err := n.run("SELECT * FROM t WHERE k = ?", one, Options{Consistency: cql.One, PageSize: 1})
	if err != nil || res.PagingState == nil {
		t.Fatalf("no second page: %v", err)
	}
	two := []planner.Value{{Bytes: []byte{0, 0, 0, 2}}}
	if _, _, _, err = n.run("SELECT * FROM t WHERE k = ?", two, Options{Consistency: cql.One, PageSize: 1, PagingState: res.PagingState}); !isProtocolError(err) {
		t.Errorf("a state of another partition: %v", err)
	}
}

// TestPageBytes holds that a page ends before it is too large to answer, and that only paging does so.
func TestPageBytes(t *testing.T) {
	p, r, env := benchSelect(t, "SELECT a FROM t WHERE k = ?", 40)
	for _, row := range r.rows {
		row.Cell(p.Table.ByName["a"].ID).Value = make([]byte, 1<<20)
	}
	for size, want := range map[int]int{5000: 16, 3: 3, 0: 40} {
		sink := &countSink{}
		res, err := Select(context.Background(), r, p, env, &Options{Consistency: cql.One, PageSize: size}, sink)
		if err != nil || sink.rows != want || (res.PagingState != nil) != (size > 0) {
			t.Errorf("pages of %d: %d rows, state %x, %v; want %d rows", size, sink.rows, res.PagingState, err, want)
		}
	}
}

// FuzzPage holds that decoding takes any bytes, and that what it takes encodes back to the same state.
func FuzzPage(f *testing.F) {
	n, state := pageNode(f)
	table := n.schema.Table("k", "t")
	f.Add(state, uint64(1))
	p := page{key: []byte{0, 0, 0, 1}, clustering: [][]byte{{0, 0, 0, 2}}, remaining: 5, inPartition: -1}
	f.Add(p.append(nil, 7), uint64(7))
	p.clustering = nil
	f.Add(p.append(nil, 7), uint64(7))
	f.Fuzz(func(t *testing.T, b []byte, hash uint64) {
		p, err := decodePage(b, hash, table)
		if err != nil {
			if !isProtocolError(err) {
				t.Fatal(err)
			}
			return
		}
		again, err := decodePage(p.append(nil, hash), hash, table)
		if err != nil || !bytes.Equal(again.key, p.key) || again.remaining != p.remaining || again.inPartition != p.inPartition {
			t.Fatalf("%x: %v, %+v is not %+v", b, err, again, p)
		}
	})
}
