package parser

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/helenusdb/helenus/parser/ast"
)

// assignment is one term of SET.
//
//	assignment = column ( "=" ( term [ "+" column ] | column ("+" | "-") term | column INTEGER )
//	                    | ("+=" | "-=") term | "[" term "]" "=" term | "." field "=" term )
//
// The column on the right must be the one on the left. c INTEGER is what c = c -3 lexes as. Source: Parser.g, columnOperation.
type assignment struct{ ast.Assignment }

// Parse implements participle.Parseable.
func (a *assignment) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	if k := c.kind(); !isName(k) && k != kindEmptyName {
		return participle.NextMatch
	}
	if a.Column, err = c.columnName(); err != nil {
		return err
	}
	switch c.kind() {
	case kindEQ:
		c.Next()
		return c.assigned(&a.Assignment)
	case kindAddTo:
		a.Op = ast.AssignAdd
	case kindSubFrom:
		a.Op = ast.AssignSub
	case kindLBracket, kindDot:
		if a.Key, a.Field, err = c.place(); err != nil {
			return err
		}
		if c.kind() != kindEQ {
			return c.mismatch(kindEQ)
		}
	default:
		return c.noViable()
	}
	c.Next()
	a.Value, err = c.term()
	return err
}

// assigned parses the right side of =.
func (c *cursor) assigned(a *ast.Assignment) (err error) {
	k, next := c.kind(), c.ahead(1)
	if k == kindEmptyName || isName(k) && next != kindLParen && next != kindDot {
		return c.combined(a)
	}
	if a.Value, err = c.term(); err != nil || !c.accept(kindPlus) {
		return err
	}
	a.Op = ast.AssignPrepend
	return c.sameColumn(a.Column, "<value> + X")
}

// combined parses column + term, column - term and column INTEGER.
func (c *cursor) combined(a *ast.Assignment) (err error) {
	mark := c.MakeCheckpoint()
	c.Next()
	op, form := ast.AssignAdd, "X +<value>"
	switch c.kind() {
	case kindMinus:
		op, form = ast.AssignSub, "X -<value>"
	case kindInteger:
		form = "X + <value>"
		if c.Peek().Value[0] == '-' {
			form = "X - <value>"
		}
	case kindPlus:
	default:
		return c.noViable()
	}
	after := c.MakeCheckpoint()
	c.LoadCheckpoint(mark)
	if err := c.sameColumn(a.Column, form); err != nil {
		return err
	}
	c.LoadCheckpoint(after)
	a.Op = op
	if c.kind() == kindInteger {
		a.Value = c.literal()
		return nil
	}
	c.Next()
	a.Value, err = c.term()
	return err
}

// sameColumn takes a column, which must be the one that is set.
func (c *cursor) sameColumn(want, form string) error {
	got, err := c.columnName()
	if err == nil && got != want {
		return c.refuse("Only expressions of the form X = " + form + " are supported.")
	}
	return err
}

// deletion is one term of DELETE: a column, an element or a field.
type deletion struct{ ast.Assignment }

// Parse implements participle.Parseable.
func (d *deletion) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	if k := c.kind(); !isName(k) && k != kindEmptyName {
		return participle.NextMatch
	}
	if d.Column, err = c.columnName(); err != nil {
		return err
	}
	d.Key, d.Field, err = c.place()
	return err
}

// conflict returns the column that a SET clause sets as a whole besides another setting of it, if there is one. Elements,
// fields, additions and removals may repeat. Source: Operation.RawUpdate.isCompatibleWith.
func conflict(set []ast.Assignment) (string, bool) {
	if len(set) < 2 {
		return "", false
	}
	// seen is 1 for a column that has been set in part, 2 as a whole.
	seen := make(map[string]int, len(set))
	for _, a := range set {
		whole := a.Op == ast.AssignSet && a.Key == nil && a.Field == ""
		if before := seen[a.Column]; before == 2 || before == 1 && whole {
			return a.Column, true
		}
		seen[a.Column] = 1
		if whole {
			seen[a.Column] = 2
		}
	}
	return "", false
}
