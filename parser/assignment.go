package parser

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/helenusdb/helenus/parser/ast"
)

// assignment parses one term of SET.
//
//	assignment = column ( "=" ( term [ "+" column ] | column ("+" | "-") term | column INTEGER )
//	                    | ("+=" | "-=") term | "[" term "]" "=" term | "." field "=" term )
//
// The column on the right must be the one on the left. c INTEGER is what c = c -3 lexes as. Source: Parser.g, columnOperation.
func (c *cursor) assignment(a *ast.Assignment) (err error) {
	if a.Column, err = c.columnName(); err != nil {
		return err
	}
	switch c.kind() {
	case kindEQ:
		c.Next()
		return c.assigned(a)
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
	column, err := c.columnName()
	if err == nil && column != a.Column {
		return c.wrongColumn("<value> + X")
	}
	return err
}

// combined parses column + term, column - term and column INTEGER.
func (c *cursor) combined(a *ast.Assignment) (err error) {
	column, err := c.columnName()
	if err != nil {
		return err
	}
	var form string
	a.Op = ast.AssignAdd
	switch c.kind() {
	case kindPlus:
		form = "X +<value>"
	case kindMinus:
		a.Op, form = ast.AssignSub, "X -<value>"
	case kindInteger:
		form = "X + <value>"
		if c.Peek().Value[0] == '-' {
			form = "X - <value>"
		}
		a.Value = c.literal()
	default:
		return c.noViable()
	}
	if a.Value == nil {
		c.Next()
		if a.Value, err = c.term(); err != nil {
			return err
		}
	}
	if column != a.Column {
		return c.wrongColumn(form)
	}
	return nil
}

// wrongColumn refuses an operand that is another column; form is what would have been right.
func (c *cursor) wrongColumn(form string) error {
	return c.refuse("Only expressions of the form X = " + form + " are supported.")
}

// assignments are the terms of SET.
type assignments struct{ list []ast.Assignment }

// Parse implements participle.Parseable.
func (s *assignments) Parse(lex *lexer.PeekingLexer) error {
	c := cursor{PeekingLexer: lex}
	for {
		if k := c.kind(); !isName(k) && k != kindEmptyName {
			return c.noViable()
		}
		var a ast.Assignment
		if err := c.assignment(&a); err != nil {
			return err
		}
		s.list = append(s.list, a)
		if !c.accept(kindComma) {
			break
		}
	}
	if name, bad := conflict(s.list); bad {
		return c.refuse("Multiple incompatible setting of column " + name)
	}
	return nil
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
