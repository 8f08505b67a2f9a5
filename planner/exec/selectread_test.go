package exec

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/parser"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// asking is a Reader that prints what it is asked and answers nothing.
type asking struct{ strings.Builder }

func (a *asking) Read(_ context.Context, rd *request.Read, _ cql.Consistency) (row.Iterator, error) {
	t := rd.Table
	line := func(format string, args ...any) { fmt.Fprintf(&a.Builder, format+"\n", args...) }
	if rd.Keys != nil {
		var keys []string
		for _, k := range rd.Keys {
			var parts []string
			for i, c := range t.PartitionKey {
				parts = append(parts, cellText(c.Type, request.KeyComponent(t, k, i)))
			}
			keys = append(keys, strings.Join(parts, ":"))
		}
		line("keys %s", strings.Join(keys, " "))
	} else {
		line("range %s .. %s", tokenText(rd.Range.Start, "[", "("), tokenText(rd.Range.End, "]", ")"))
	}
	if rd.Slices != nil {
		var parts []string
		for i := range rd.Slices {
			s := &rd.Slices[i]
			parts = append(parts, edgeText(t, s.Start, "[", "(")+" .. "+edgeText(t, s.End, "]", ")"))
		}
		line("slices %s", strings.Join(parts, ", "))
	}
	if rd.Columns != nil {
		var names []string
		for _, id := range rd.Columns {
			names = append(names, t.ByID[id].Name)
		}
		line("columns %s", strings.Join(names, " "))
	}
	for i := range rd.Filter {
		line("filter %s", filterText(&rd.Filter[i]))
	}
	if rd.Index != nil {
		line("index %s term %x", rd.Index.Name, rd.Term)
	}
	var words []string
	for word, on := range map[string]bool{"distinct": rd.Distinct, "reversed": rd.Reversed} {
		if on {
			words = append(words, word)
		}
	}
	if rd.RowLimit > 0 {
		words = append(words, fmt.Sprint("rows ", rd.RowLimit))
	}
	if rd.PartitionLimit > 0 {
		words = append(words, fmt.Sprint("rows of a partition ", rd.PartitionLimit))
	}
	if words != nil {
		line("%s", strings.Join(words, ", "))
	}
	return nothing{}, nil
}

func tokenText(b request.KeyBound, closed, open string) string {
	if b.Open {
		return "-"
	}
	return bracket(token.Murmur3{}.Format(b.Token), b.Inclusive, closed, open)
}

// bracket puts the bracket of a start before text, that of an end behind it.
func bracket(text string, inclusive bool, closed, open string) string {
	if !inclusive {
		closed = open
	}
	if closed == "[" || closed == "(" {
		return closed + text
	}
	return text + closed
}

func edgeText(t *schema.Table, b row.Bound, closed, open string) string {
	var parts []string
	for i, v := range b.Values {
		parts = append(parts, cellText(t.Clustering[i].Type, v))
	}
	return bracket(strings.Join(parts, " "), b.Inclusive, closed, open)
}

func filterText(f *request.Filter) string {
	ops := [...]string{"=", "<", "<=", ">", ">=", "!=", "IN", "CONTAINS", "CONTAINS KEY", "ENTRY"}
	text := fmt.Sprintf("%s %s %x", f.Column.Name, ops[f.Op], f.Value)
	if f.Key != nil {
		text += fmt.Sprintf(" key %x", f.Key)
	}
	for _, v := range f.Values {
		text += fmt.Sprintf(" %x", v)
	}
	return text
}

// TestReads pins what a SELECT asks of the cluster: what is looked up, what is sliced, what is left to filters. The verbs:
//
//	exec  statements, a line each, that must succeed
//	read  what the statement asks
func TestReads(t *testing.T) {
	datadriven.Walk(t, "testdata/reads", func(t *testing.T, path string) {
		n := newTestNode()
		n.must(t, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE k")
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "exec" {
				n.must(t, strings.Split(d.Input, "\n")...)
				return ""
			}
			parsed, err := parser.Parse(d.Input)
			if err != nil {
				return errorText(err)
			}
			p, err := planner.Prepare(n.schema, n.keyspace, parsed.Statement, parsed.Markers, planner.PrepareEnv{})
			if err != nil {
				return errorText(err)
			}
			a := &asking{}
			env := &planner.Env{Now: n.now, Partitioner: token.Murmur3{}, Functions: n.functions()}
			if _, err := Select(context.Background(), a, p, env, &Options{Consistency: cql.One}, &rowSink{}); err != nil {
				return errorText(err)
			}
			if a.Len() == 0 {
				return "nothing is read\n"
			}
			return a.String()
		})
	})
}
