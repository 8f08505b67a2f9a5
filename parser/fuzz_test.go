package parser

import (
	"bufio"
	"errors"
	"os"
	"reflect"
	"strconv"
	"testing"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/parser/ast"
)

// seeds adds the statements of testdata/oracle.txt to the corpus.
func seeds(f *testing.F) {
	file, err := os.Open("testdata/oracle.txt")
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for i := 0; lines.Scan(); i++ {
		if text, err := strconv.Unquote(lines.Text()); err == nil && i%2 == 0 {
			f.Add(text)
		}
	}
}

// FuzzParse wants every text either refused with a syntax error, or parsed to a tree whose print parses to the same tree.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err == nil {
			checkRoundTrip(t, p)
			return
		}
		var e *cql.Error
		if !errors.As(err, &e) || e.Code != cql.CodeSyntax || e.Message == "" {
			t.Fatalf("%q: %#v", text, err)
		}
	})
}

// FuzzShape wants the literals of Shape to be those of Parse, each at the slot that the tree names, and the tree to depend
// on nothing but the shape when Parsed.Shaped says so.
func FuzzShape(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		shape, lits, err := Shape(text, nil, nil)
		p, parseErr := Parse(text)
		if parseErr != nil {
			return
		}
		if err != nil {
			t.Fatalf("%q parses but has no shape: %v", text, err)
		}
		if len(lits) != len(p.Literals) || len(lits) > 0 && !reflect.DeepEqual(lits, p.Literals) {
			t.Fatalf("%q: literals %v, parsed %v", text, lits, p.Literals)
		}
		checkSlots(t, p)
		other, ok := fill(string(shape))
		if !ok || !p.Shaped {
			return
		}
		q, err := Parse(other)
		if err != nil {
			t.Fatalf("%q has the shape of %q, but %v", other, text, err)
		}
		if shape2, _, _ := Shape(other, nil, nil); string(shape2) != string(shape) {
			t.Fatalf("%q has shape %q, not %q", other, shape2, shape)
		}
		takeLiterals(q.Statement, p.Literals)
		if !reflect.DeepEqual(p.Statement, q.Statement) || !reflect.DeepEqual(p.Markers, q.Markers) {
			t.Fatalf("%q and %q have one shape but two trees", text, other)
		}
	})
}

// checkSlots wants each literal of the tree to be what the list has at its slot.
func checkSlots(t *testing.T, p *Parsed) {
	t.Helper()
	ast.Walk(p.Statement, func(e ast.Expr) {
		if l, ok := e.(*ast.Literal); ok && l.Slot >= 0 {
			if got := p.Literals[l.Slot]; got.Kind != l.Kind || got.Text != l.Text {
				t.Errorf("slot %d is %v, the tree has %v", l.Slot, got, l)
			}
		}
	})
}

// fill turns a shape into a statement with other literals.
func fill(shape string) (string, bool) {
	filling := map[byte]string{
		'S': "'it''s'", 'I': "-7", 'F': "2.5", 'B': "FALSE", 'D': "3mo", 'U': "12345678-9abc-def0-1234-56789abcdef0", 'H': "0xCAFE",
	}
	var out []byte
	quoted := false
	for i := 0; i < len(shape); i++ {
		c := shape[i]
		if c == '"' {
			quoted = !quoted
		}
		if c != '$' || quoted {
			out = append(out, c)
			continue
		}
		i++
		out = append(out, filling[shape[i]]...)
	}
	return string(out), !quoted
}

// takeLiterals puts the literals of another statement into the slots of a tree.
func takeLiterals(s ast.Statement, lits []Literal) {
	ast.Walk(s, func(e ast.Expr) {
		if l, ok := e.(*ast.Literal); ok && l.Slot >= 0 {
			l.Text = lits[l.Slot].Text
		}
	})
}
