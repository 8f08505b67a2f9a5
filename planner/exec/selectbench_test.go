package exec

import (
	"context"
	"fmt"
	"testing"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/parser"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// oneRow is a Reader, and the iterator that it gives, of one partition with some rows: it costs nothing itself.
type oneRow struct {
	key  []byte
	rows []*row.Row
	at   int
}

func (r *oneRow) Read(context.Context, *request.Read, cql.Consistency) (row.Iterator, error) {
	r.at = -1
	return r, nil
}
func (r *oneRow) NextPartition() bool             { r.at++; return r.at == 0 }
func (r *oneRow) Key() []byte                     { return r.key }
func (r *oneRow) Token() token.Token              { return token.Token{} }
func (r *oneRow) PartitionDeletion() row.Deletion { return row.Live }
func (r *oneRow) Static() *row.Row                { return nil }
func (r *oneRow) Err() error                      { return nil }
func (r *oneRow) Close()                          {}
func (r *oneRow) NextRow() *row.Row {
	if r.at >= len(r.rows) {
		return nil
	}
	r.at++
	return r.rows[r.at-1]
}

// countSink throws rows away.
type countSink struct{ rows, bytes int }

func (s *countSink) Begin([]planner.Spec) error { return nil }
func (s *countSink) Row(cells [][]byte) error {
	s.rows++
	for _, c := range cells {
		s.bytes += len(c)
	}
	return nil
}

// benchSelect plans a statement and gives what its executions need, with some rows to read.
func benchSelect(t testing.TB, text string, rows int) (p *planner.Plan, r *oneRow, env *planner.Env) {
	n := newTestNode()
	n.must(t, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE k",
		"CREATE TABLE t (k int, c int, a text, b int, d bigint, l list<int>, PRIMARY KEY (k, c))",
		"CREATE TABLE kv (k text PRIMARY KEY, v blob)", "INSERT INTO kv (k, v) VALUES ('key', 0x00)")
	for i := range rows {
		n.must(t, fmt.Sprintf("INSERT INTO t (k, c, a, b, d, l) VALUES (1, %d, 'some text', 2, 3, [1, 2, 3])", i))
	}
	parsed, err := parser.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if p, err = planner.Prepare(n.schema, n.keyspace, parsed.Statement, parsed.Markers, planner.PrepareEnv{}); err != nil {
		t.Fatal(err)
	}
	r = &oneRow{}
	for key, part := range n.tables[p.Table.ID] {
		r.key, r.rows = []byte(key), part.rows
	}
	values := []planner.Value{{Bytes: r.key}, {Bytes: []byte{0, 0, 0, 1}}}
	return p, r, &planner.Env{Values: values, Now: 1000, Partitioner: token.Murmur3{}}
}

var selectBenches = []struct {
	name, text string
	rows       int
	allocs     float64 // at most
}{
	{"Key", "SELECT k, v FROM kv WHERE k = ?", 1, 0},
	{"Row", "SELECT a, b, d FROM t WHERE k = ? AND c = ?", 1, 2},
	{"Slice", "SELECT c, a, b, d FROM t WHERE k = ? AND c > ?", 100, 5},
	{"List", "SELECT c, l FROM t WHERE k = ?", 100, 0},
	{"Count", "SELECT count(*) FROM t WHERE k = ?", 100, 4},
	{"GroupBy", "SELECT c, max(b) FROM t WHERE k = ? GROUP BY k, c", 100, 310},
}

// TestSelectAllocations holds what one execution of a prepared statement allocates, the iterator and the sink apart.
func TestSelectAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("pools drop what they hold under the race detector")
	}
	for _, c := range selectBenches {
		p, r, env := benchSelect(t, c.text, c.rows)
		sink, o := &countSink{}, &Options{Consistency: cql.One, PageSize: 5000}
		n := testing.AllocsPerRun(100, func() {
			if _, err := Select(context.Background(), r, p, env, o, sink); err != nil {
				t.Fatal(err)
			}
		})
		if n > c.allocs {
			t.Errorf("%s: %v allocations, at most %v are allowed", c.text, n, c.allocs)
		}
	}
}

func BenchmarkSelect(b *testing.B) {
	for _, c := range selectBenches {
		b.Run(c.name, func(b *testing.B) {
			p, r, env := benchSelect(b, c.text, c.rows)
			sink, o := &countSink{}, &Options{Consistency: cql.One, PageSize: 5000}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Select(context.Background(), r, p, env, o, sink); err != nil {
					b.Fatal(err)
				}
			}
			if sink.rows == 0 {
				b.Fatal("no rows")
			}
		})
	}
}
