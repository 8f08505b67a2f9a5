package exec

import (
	"bytes"
	"context"
	"testing"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/parser"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
)

// discard is a Writer that drops what it is given.
type discard struct {
	memory
	writes int
}

func (d *discard) Write(context.Context, []request.Mutation, cql.WriteType, cql.Consistency) error {
	d.writes++
	return nil
}

// insertBench is a prepared INSERT of one row with five values, as a benchmark's client sends it.
type insertBench struct {
	w    discard
	m    *Modifier
	plan *planner.ModificationPlan
	env  planner.Env
	o    Options
}

func newInsertBench(t testing.TB, create, insert string, values ...[]byte) *insertBench {
	t.Helper()
	n := newTestNode()
	n.must(t, "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE ks", create)
	parsed, err := parser.Parse(insert)
	if err != nil {
		t.Fatal(err)
	}
	p, err := planner.Prepare(n.schema, "ks", parsed.Statement, parsed.Markers, planner.PrepareEnv{})
	if err != nil {
		t.Fatal(err)
	}
	b := &insertBench{plan: p.Body.(*planner.ModificationPlan), o: Options{Consistency: cql.One, Serial: cql.Serial}}
	b.m = NewModifier(&b.w, DefaultBatchLimits, OverflowReject)
	b.env = planner.Env{Now: 1764000000, Version: cql.V5, Partitioner: token.Murmur3{}}
	for _, v := range values {
		b.env.Values = append(b.env.Values, planner.Value{Bytes: v})
	}
	return b
}

func (b *insertBench) run() error {
	_, err := b.m.Modify(context.Background(), b.plan, &b.env, &b.o, nil)
	return err
}

const (
	benchTable  = "CREATE TABLE t (k blob, c int, a text, b bigint, d blob, PRIMARY KEY (k, c))"
	benchInsert = "INSERT INTO t (k, c, a, b, d) VALUES (?, ?, ?, ?, ?)"
)

func benchValues() [][]byte {
	return [][]byte{
		[]byte("0123456789"), {0, 0, 0, 1}, []byte("some text"), {0, 0, 0, 0, 0, 0, 0, 9}, bytes.Repeat([]byte{7}, 100),
	}
}

// A prepared insert of one row takes one allocation: the bytes of its mutation.
func TestInsertAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("pools drop what they hold under the race detector")
	}
	b := newInsertBench(t, benchTable, benchInsert, benchValues()...)
	if n := testing.AllocsPerRun(100, func() {
		if err := b.run(); err != nil {
			t.Fatal(err)
		}
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
	if b.w.writes == 0 {
		t.Error("nothing was written")
	}
}

func BenchmarkInsert(b *testing.B) {
	bench := newInsertBench(b, benchTable, benchInsert, benchValues()...)
	b.ReportAllocs()
	for b.Loop() {
		if err := bench.run(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInsertCompositeKey(b *testing.B) {
	bench := newInsertBench(b, "CREATE TABLE t (k blob, c int, a text, b bigint, d blob, PRIMARY KEY ((k, c)))", benchInsert, benchValues()...)
	b.ReportAllocs()
	for b.Loop() {
		if err := bench.run(); err != nil {
			b.Fatal(err)
		}
	}
}
