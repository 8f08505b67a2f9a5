package exec

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser"
	"github.com/helenusdb/helenus/planner"
)

// TestSelect compares with what a Cassandra 5.0.6 answered to the same statements. The verbs of the files:
//
//	exec                 statements, a line each, that must succeed
//	query [page=n] [all] [cl=n] [values=(0x..,null,unset)]
//	                     the answer to a statement; all pages of it with all
//	prepare              the markers and result columns of a statement
func TestSelect(t *testing.T) {
	datadriven.Walk(t, "testdata/select", func(t *testing.T, path string) {
		n := newTestNode()
		n.must(t, "CREATE KEYSPACE selr WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE selr")
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "exec":
				n.must(t, strings.Split(d.Input, "\n")...)
				return ""
			case "prepare":
				parsed, err := parser.Parse(d.Input)
				if err != nil {
					return errorText(err)
				}
				p, err := planner.Prepare(n.schema, n.keyspace, parsed.Statement, parsed.Markers, planner.PrepareEnv{})
				if err != nil {
					return errorText(err)
				}
				out := markersText(p)
				if p.Result != nil {
					out += "cols: " + columnsText(p.Result) + "\n"
				}
				return out
			}
			return n.answer(t, d)
		})
	})
}

func errorText(err error) string {
	if e, ok := errors.AsType[*cql.Error](err); ok {
		return fmt.Sprintf("error %04x %s\n", uint32(e.Code), sortSignatures(e.Message))
	}
	return "error " + err.Error() + "\n"
}

// sortSignatures sorts the signatures that a message lists: Cassandra's order is another each time it starts.
func sortSignatures(msg string) string {
	head, rest, ok := strings.Cut(msg, "signatures: ")
	at := strings.LastIndexByte(rest, ')')
	if !ok || at < 0 {
		return msg
	}
	list := strings.Split(rest[:at], ", system.")
	list[0] = strings.TrimPrefix(list[0], "system.")
	slices.Sort(list)
	return head + "signatures: system." + strings.Join(list, ", system.") + rest[at:]
}

func markersText(p *planner.Plan) string {
	return fmt.Sprintf("markers: %s; pk %v\n", columnsText(p.Markers), p.PKIndexes)
}

func columnsText(specs []planner.Spec) string {
	list := make([]string, len(specs))
	for i, c := range specs {
		list[i] = c.Name + " " + typeName(c.Type)
	}
	return strings.Join(list, ", ")
}

// typeName is a type as the protocol tells it: without frozen.
func typeName(t *types.Type) string {
	s := strings.ReplaceAll(t.String(), "frozen<", "<")
	for i := 0; i < len(s); i++ { // <x> that is left of frozen<x> goes
		if s[i] != '<' || i > 0 && s[i-1] != '<' && s[i-1] != ' ' {
			continue
		}
		depth := 0
		for j := i; j < len(s); j++ {
			switch s[j] {
			case '<':
				depth++
			case '>':
				depth--
			}
			if depth == 0 {
				s = s[:i] + s[i+1:j] + s[j+1:]
				i--
				break
			}
		}
	}
	return s
}

// answer runs a query of a test file and prints what comes back.
func (n *testNode) answer(t *testing.T, d *datadriven.TestData) string {
	o := Options{PageSize: 5000, Consistency: cql.One}
	all := false
	var values []planner.Value
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "page":
			a.Scan(t, 0, &o.PageSize)
		case "cl":
			var cl int
			a.Scan(t, 0, &cl)
			o.Consistency = cql.Consistency(cl)
		case "all":
			all = true
		case "values":
			for _, v := range a.Vals {
				values = append(values, testValue(v))
			}
		}
	}
	var b strings.Builder
	for first := true; ; first = false {
		sink, p, res, err := n.run(d.Input, values, o)
		if first && p != nil && len(p.Markers) > 0 {
			b.WriteString(markersText(p))
		}
		if err != nil {
			return b.String() + errorText(err)
		}
		for _, w := range res.Warnings {
			b.WriteString("warn: " + w + "\n")
		}
		if first {
			b.WriteString("cols: " + columnsText(sink.columns) + "\n")
		}
		for _, r := range sink.rows {
			cells := make([]string, len(r))
			for i, c := range r {
				cells[i] = cellText(sink.columns[i].Type, c)
			}
			b.WriteString("  " + strings.Join(cells, " | ") + "\n")
		}
		if res.PagingState == nil {
			return b.String()
		}
		b.WriteString("more\n")
		if !all {
			return b.String()
		}
		o.PagingState = res.PagingState
	}
}

func testValue(s string) planner.Value {
	switch s {
	case "null":
		return planner.Value{}
	case "unset":
		return planner.Value{Unset: true}
	}
	v, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
	if err != nil {
		panic(err)
	}
	return planner.Value{Bytes: append([]byte{}, v...)}
}

// cellText prints a value in the plainest way: what is not a number, a text or made of them in hex.
func cellText(t *types.Type, v []byte) string {
	if v == nil {
		return "null"
	}
	var parts []string
	switch t.Kind {
	case types.List, types.Set, types.Map:
		n, rest, _ := types.Elements(v)
		for range n {
			var e []byte
			e, rest, _ = types.NextElement(rest)
			s := cellText(t.Elems[0], e)
			if t.Kind == types.Map {
				e, rest, _ = types.NextElement(rest)
				s += ": " + cellText(t.Elems[1], e)
			}
			parts = append(parts, s)
		}
		if t.Kind == types.List {
			return "[" + strings.Join(parts, ", ") + "]"
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case types.Tuple, types.UDT:
		for i := range t.Elems {
			f, rest, more, _ := types.NextField(v)
			if !more {
				break
			}
			s := cellText(t.Elems[i], f)
			if v = rest; t.Kind == types.UDT {
				s = t.Fields[i] + ": " + s
			}
			parts = append(parts, s)
		}
		if t.Kind == types.UDT {
			return "{" + strings.Join(parts, ", ") + "}"
		}
		return "(" + strings.Join(parts, ", ") + ")"
	case types.Text, types.Ascii:
		return "'" + string(v) + "'"
	case types.Boolean:
		return fmt.Sprint(v[0] != 0)
	case types.Tinyint, types.Smallint, types.Int, types.Bigint, types.Counter, types.Timestamp, types.Time:
		switch len(v) {
		case 1:
			return fmt.Sprint(types.Int8(v))
		case 2:
			return fmt.Sprint(types.Int16(v))
		case 4:
			return fmt.Sprint(types.Int32(v))
		case 8:
			return fmt.Sprint(types.Int64(v))
		}
	}
	return "0x" + hex.EncodeToString(v)
}
