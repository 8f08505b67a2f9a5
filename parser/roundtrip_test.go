package parser

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/helenusdb/helenus/parser/ast"
)

// TestTrees parses each statement of testdata/trees and prints the tree back as CQL, with its markers and literals. The
// print must parse to the same tree.
func TestTrees(t *testing.T) {
	datadriven.Walk(t, "testdata/trees", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			p, err := Parse(d.Input)
			if err != nil {
				return err.Error()
			}
			checkRoundTrip(t, p)
			return describe(p)
		})
	})
}

func describe(p *Parsed) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", strings.TrimPrefix(fmt.Sprintf("%T", p.Statement), "*ast."), p.Statement)
	if len(p.Markers) > 0 {
		fmt.Fprintf(&b, "markers: %q\n", p.Markers)
	}
	for i, l := range p.Literals {
		fmt.Fprintf(&b, "$%d: %c %q\n", i, shapeLetter(l.Kind), l.Text)
	}
	return b.String()
}

func shapeLetter(k ast.LiteralKind) byte {
	for i, kind := range literalKinds {
		if kind == k {
			return shapeMarks[i]
		}
	}
	return '?'
}

// checkRoundTrip prints p, parses the print and compares the trees, but for slots: count(1) and USING clauses are printed
// otherwise than they were written.
func checkRoundTrip(t *testing.T, p *Parsed) {
	t.Helper()
	printed := p.Statement.String()
	again, err := Parse(printed)
	if err != nil {
		t.Errorf("printed as %s: %v", printed, err)
		return
	}
	withoutSlots(p.Statement)
	withoutSlots(again.Statement)
	if !reflect.DeepEqual(p.Statement, again.Statement) {
		t.Errorf("%s\nprints to\n%s", printed, again.Statement)
	}
}

func withoutSlots(s ast.Statement) {
	ast.Walk(s, func(e ast.Expr) {
		switch e := e.(type) {
		case *ast.Literal:
			e.Slot = 0
		case *ast.Marker:
			e.Index = 0
		}
	})
	forProperties(s, func(p *ast.Property) {
		if l, ok := p.Value.(*ast.Literal); ok {
			l.Slot = 0
		}
	})
}

func forProperties(s ast.Statement, f func(*ast.Property)) {
	var with []ast.Property
	switch s := s.(type) {
	case *ast.CreateKeyspace:
		with = s.With
	case *ast.AlterKeyspace:
		with = s.With
	case *ast.CreateTable:
		with = s.With
	case *ast.AlterTable:
		with = s.With
	case *ast.CreateIndex:
		with = s.With
	}
	for i := range with {
		f(&with[i])
	}
}
