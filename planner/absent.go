package planner

import (
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/parser/ast"
)

// prepareAbsent plans the statements on functions, aggregates, views and triggers, of which a node has none: what names one is
// answered as Cassandra answers for what does not exist. ok is false for other statements.
func (s *scope) prepareAbsent(st *ast.Other) (p *Plan, ok bool, err error) {
	w := &wordReader{text: st.Text}
	verb, what := w.word(), w.word()
	if what == "materialized" {
		what += " " + w.word()
	}
	switch verb + " " + what {
	case "drop function", "drop aggregate", "drop materialized view", "alter materialized view", "drop trigger":
	case "create trigger":
		err := s.createTrigger(w)
		return nil, true, err
	default:
		return nil, false, nil
	}
	ifExists := w.skip("if", "exists")
	name := w.name()
	trigger := name.Name
	if what == "trigger" {
		w.skip("on")
		name = w.name()
	}
	ks, of, err := s.qualify(name)
	if err != nil {
		return nil, true, err
	}
	if ifExists {
		nothing := func(*schema.Snapshot, *schema.Env) (schema.Result, error) { return schema.Result{NoOp: true}, nil }
		return &Plan{Kind: KindOther, Body: &SchemaPlan{nothing}}, true, nil
	}
	full := ks + "." + of
	switch what {
	case "function":
		return nil, true, cql.Invalidf("Function '%s%s' doesn't exist", full, w.parentheses())
	case "aggregate":
		return nil, true, cql.Invalidf("Aggregate '%s%s' doesn't exist", full, w.parentheses())
	case "trigger":
		return nil, true, cql.Invalidf("Trigger '%s' on '%s' doesn't exist", trigger, full)
	}
	return nil, true, cql.Invalidf("Materialized view '%s' doesn't exist", full)
}

// createTrigger refuses CREATE TRIGGER: no class can be loaded.
func (s *scope) createTrigger(w *wordReader) error {
	w.skip("if", "not", "exists")
	w.name()
	w.skip("on")
	ks, table, err := s.qualify(w.name())
	if err != nil {
		return err
	}
	k := s.snap.Keyspaces[ks]
	switch {
	case k == nil:
		return cql.Invalidf("Keyspace '%s' doesn't exist", ks)
	case k.Tables[table] == nil:
		return cql.Invalidf("Table '%s' doesn't exist", table)
	}
	w.skip("using")
	return cql.Invalidf("Trigger class '%s' couldn't be loaded", strings.Trim(w.next(), "'"))
}

// wordReader reads the words of a statement that has been parsed already.
type wordReader struct {
	text string
	i    int
}

// next returns the next word, quoted name, string or sign as it is written; "" at the end.
func (w *wordReader) next() string {
	for {
		w.i += len(w.text[w.i:]) - len(strings.TrimLeft(w.text[w.i:], " \t\r\n"))
		end := ""
		switch rest := w.text[w.i:]; {
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "//"):
			end = "\n"
		case strings.HasPrefix(rest, "/*"):
			end = "*/"
		case rest == "":
			return ""
		}
		if end == "" {
			break
		}
		_, rest, _ := strings.Cut(w.text[w.i:], end)
		w.i = len(w.text) - len(rest)
	}
	start := w.i
	switch c := w.text[w.i]; {
	case c == '"' || c == '\'':
		w.i++
		if n := strings.IndexByte(w.text[w.i:], c); n >= 0 {
			w.i += n + 1
		} else {
			w.i = len(w.text)
		}
	case isWord(c):
		for w.i < len(w.text) && isWord(w.text[w.i]) {
			w.i++
		}
	default:
		w.i++
	}
	return w.text[start:w.i]
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// word is the next word in lower case.
func (w *wordReader) word() string { return strings.ToLower(w.next()) }

// skip skips the given words when they are all there.
func (w *wordReader) skip(words ...string) bool {
	start := w.i
	for _, x := range words {
		if w.word() != x {
			w.i = start
			return false
		}
	}
	return true
}

// name reads a possibly qualified name.
func (w *wordReader) name() ast.Name {
	part := func() string {
		x := w.next()
		if strings.HasPrefix(x, `"`) {
			return strings.Trim(x, `"`)
		}
		return strings.ToLower(x)
	}
	n := ast.Name{Name: part()}
	if w.skip(".") {
		n.Keyspace, n.Name = n.Name, part()
	}
	return n
}

// parentheses reads the argument types of a function, "" when there are none.
func (w *wordReader) parentheses() string {
	if !w.skip("(") {
		return ""
	}
	rest := w.text[w.i:]
	if end := strings.LastIndexByte(rest, ')'); end >= 0 {
		rest = rest[:end]
	}
	return "(" + strings.Join(strings.Fields(rest), " ") + ")"
}
