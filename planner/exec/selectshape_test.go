package exec

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/parser"
	"github.com/helenusdb/helenus/planner"
)

// number is an integer in a statement, and not a part of a name or of another number.
var number = regexp.MustCompile(`([^\w.'-])(\d+)\b`)

// TestShapes holds that a plan which says that it is safe for its shape gives another statement's answer when it is run with
// the literals of that one: every query of TestSelect is answered once by its own plan and once by the plan of the same
// query with other numbers.
func TestShapes(t *testing.T) {
	files, err := filepath.Glob("testdata/select/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	shared := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n := newTestNode()
		n.must(t, "CREATE KEYSPACE selr WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE selr")
		for block := range strings.SplitSeq(string(text), "\n\n") {
			head, body, _ := strings.Cut(block, "\n")
			query, _, _ := strings.Cut(body, "\n----")
			switch {
			case head == "exec":
				n.must(t, strings.Split(query, "\n")...)
			case strings.HasPrefix(head, "query"):
				if n.sameByShape(t, query) {
					shared++
				}
			}
		}
	}
	if shared < 100 {
		t.Errorf("only %d plans were shared", shared)
	}
}

// sameByShape compares the two ways to answer query; false when its plan cannot be shared.
func (n *testNode) sameByShape(t *testing.T, query string) bool {
	other := number.ReplaceAllString(query, "${1}${2}7")
	parsed, err := parser.Parse(query)
	if err != nil || other == query || len(parsed.Markers) > 0 {
		return false
	}
	twin, err := parser.Parse(other)
	if err != nil || !twin.Shaped {
		return false
	}
	p, err := planner.Prepare(n.schema, n.keyspace, twin.Statement, twin.Markers, planner.PrepareEnv{})
	if err != nil || !p.ShapeSafe {
		return false
	}
	own, _, _, ownErr := n.run(query, nil, Options{Consistency: cql.One})
	env := &planner.Env{Now: n.now, Partitioner: token.Murmur3{}, Functions: n.functions()}
	for _, l := range parsed.Literals {
		env.Literals = append(env.Literals, l.Text)
	}
	sink := &rowSink{}
	_, err = Select(context.Background(), n.memory, p, env, &Options{Consistency: cql.One}, sink)
	if fmt.Sprint(ownErr) != fmt.Sprint(err) {
		t.Errorf("%s: %v, by the plan of %s: %v", query, ownErr, other, err)
		return true
	}
	if ownErr == nil && fmt.Sprint(own.rows) != fmt.Sprint(sink.rows) {
		t.Errorf("%s: %v, by the plan of %s: %v", query, own.rows, other, sink.rows)
	}
	return true
}
