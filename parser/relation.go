package parser

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/helenusdb/helenus/parser/ast"
)

// relations are the terms of WHERE, joined by AND.
type relations struct{ list []ast.Relation }

// Parse implements participle.Parseable.
func (l *relations) Parse(lex *lexer.PeekingLexer) error {
	c := cursor{PeekingLexer: lex}
	for {
		l.list = append(l.list, ast.Relation{})
		if err := c.relation(&l.list[len(l.list)-1]); err != nil {
			return err
		}
		if !c.accept(wordAnd) {
			return nil
		}
	}
}

// relation parses one term of WHERE.
//
//	relation = column comparison term | column LIKE term | column IS NOT NULL | column IN values
//	         | column CONTAINS [KEY] term | column "[" term "]" comparison term
//	         | TOKEN columns comparison term
//	         | columns comparison (tuple | marker) | columns IN ("(" ")" | marker | "(" tuples or markers ")")
//	         | "(" relation ")" | "expr(" index "," term ")"
//
// Source: Parser.g, relationOrExpression.
func (c *cursor) relation(r *ast.Relation) (err error) {
	switch c.kind() {
	case kindExpr:
		return c.indexExpression(r)
	case kindLParen:
		if !c.columnsFollow() {
			c.Next()
			if c.kind() == kindExpr {
				return c.noViable()
			}
			if err := c.relation(r); err != nil {
				return err
			}
			return c.expect(kindRParen)
		}
		r.Multi = true
		if r.Columns, err = c.columns(); err != nil {
			return err
		}
		if c.accept(wordIn) {
			r.Op = ast.IN
			return c.tuples(r)
		}
		if r.Op, err = c.comparison(); err != nil {
			return err
		}
		r.Value, err = c.tupleOrMarker()
		return err
	case wordToken:
		c.Next()
		r.Token = true
		if c.kind() != kindLParen {
			return c.mismatch(kindLParen)
		}
		if r.Columns, err = c.columns(); err != nil {
			return err
		}
		return c.compared(&r.Op, &r.Value)
	}
	name, err := c.columnName()
	if err != nil {
		return err
	}
	r.Columns = []string{name}
	return c.restriction(r)
}

// restriction parses what follows a single column.
func (c *cursor) restriction(r *ast.Relation) (err error) {
	switch c.kind() {
	case kindLBracket:
		c.Next()
		if r.Key, err = c.term(); err != nil {
			return err
		}
		if err := c.expect(kindRBracket); err != nil {
			return err
		}
	case wordLike:
		c.Next()
		r.Op = ast.Like
		r.Value, err = c.term()
		return err
	case wordIs:
		c.Next()
		r.Op = ast.IsNotNull
		if err := c.expect(wordNot); err != nil {
			return err
		}
		return c.expect(wordNull)
	case wordIn:
		c.Next()
		r.Op = ast.IN
		r.Values, r.Value, err = c.inValues()
		return err
	case wordContains:
		c.Next()
		r.Op, r.Value, err = c.contained()
		return err
	}
	return c.compared(&r.Op, &r.Value)
}

// contained parses [KEY] term behind CONTAINS. A term cannot begin with the bare word key unless it is a keyspace's name.
func (c *cursor) contained() (ast.Operator, ast.Expr, error) {
	op := ast.Contains
	if c.kind() == wordKey && c.ahead(1) != kindDot {
		c.Next()
		op = ast.ContainsKey
	}
	value, err := c.term()
	return op, value, err
}

// compared parses a comparison and its term.
func (c *cursor) compared(op *ast.Operator, value *ast.Expr) (err error) {
	if *op, err = c.comparison(); err != nil {
		return err
	}
	*value, err = c.term()
	return err
}

// comparison takes = < <= > >= or !=.
func (c *cursor) comparison() (ast.Operator, error) {
	var op ast.Operator
	switch c.kind() {
	case kindEQ:
		op = ast.EQ
	case kindLT:
		op = ast.LT
	case kindLE:
		op = ast.LE
	case kindGT:
		op = ast.GT
	case kindGE:
		op = ast.GE
	case kindNEQ:
		op = ast.NEQ
	default:
		return 0, c.noViable()
	}
	c.Next()
	return op, nil
}

// inValues parses the right side of IN: a list, which may be empty, or a marker.
func (c *cursor) inValues() ([]ast.Expr, ast.Expr, error) {
	switch c.kind() {
	case kindMarker, kindColon:
		m, err := c.marker()
		return nil, m, err
	case kindLParen:
		items, err := c.items((*cursor).term, kindRParen)
		if items == nil {
			items = []ast.Expr{}
		}
		return items, nil, err
	}
	return nil, nil, c.noViable()
}

// columnsFollow decides whether the parenthesis that comes begins a list of columns or holds a relation.
func (c *cursor) columnsFollow() bool {
	if k := c.ahead(1); !isName(k) && k != kindEmptyName {
		return false
	}
	k := c.ahead(2)
	return k == kindComma || k == kindRParen
}

// columns parses (a, b).
func (c *cursor) columns() ([]string, error) {
	var names []string
	for c.Next(); ; {
		name, err := c.columnName()
		if err != nil {
			return nil, err
		}
		names = append(names, name)
		if c.accept(kindRParen) {
			return names, nil
		}
		if !c.accept(kindComma) {
			return nil, c.mismatch(kindRParen)
		}
	}
}

// tupleOrMarker parses the right side of (a, b) = .
func (c *cursor) tupleOrMarker() (ast.Expr, error) {
	switch c.kind() {
	case kindMarker, kindColon:
		return c.marker()
	case kindLParen:
		items, err := c.tuple((*cursor).term)
		return &ast.Tuple{Items: items}, err
	}
	return nil, c.noViable()
}

// tuples parses the right side of (a, b) IN: a marker, or a list of tuples or of markers, not mixed.
func (c *cursor) tuples(r *ast.Relation) (err error) {
	if k := c.kind(); k == kindMarker || k == kindColon {
		r.Value, err = c.marker()
		return err
	}
	if c.kind() != kindLParen {
		return c.noViable()
	}
	first := c.ahead(1)
	r.Values, err = c.items(func(c *cursor) (ast.Expr, error) {
		if (c.kind() == kindLParen) != (first == kindLParen) {
			return nil, c.noViable()
		}
		return c.tupleOrMarker()
	}, kindRParen)
	if r.Values == nil {
		r.Values = []ast.Expr{}
	}
	return err
}

// indexExpression parses expr(index, term).
func (c *cursor) indexExpression(r *ast.Relation) (err error) {
	c.Next()
	if c.kind() == kindMarker {
		return c.refuse("Bind variables cannot be used for index names")
	}
	r.Index = &ast.Name{}
	if r.Index.Name, err = c.name(); err != nil {
		return err
	}
	if err := c.expect(kindComma); err != nil {
		return err
	}
	if r.Value, err = c.term(); err != nil {
		return err
	}
	return c.expect(kindRParen)
}

// condition is one term of IF.
//
//	condition = column [ "[" term "]" | "." field ] (comparison term | IN values) | column CONTAINS [KEY] term
//
// Source: Parser.g, columnCondition.
type condition struct{ ast.Condition }

// Parse implements participle.Parseable.
func (d *condition) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	if k := c.kind(); !isName(k) && k != kindEmptyName {
		return participle.NextMatch
	}
	if d.Column, err = c.columnName(); err != nil {
		return err
	}
	switch c.kind() {
	case wordContains:
		c.Next()
		d.Op, d.Value, err = c.contained()
		return err
	default:
		if d.Key, d.Field, err = c.place(); err != nil {
			return err
		}
	}
	if c.accept(wordIn) {
		d.Op = ast.IN
		d.Values, d.Value, err = c.inValues()
		return err
	}
	return c.compared(&d.Op, &d.Value)
}

// place parses [key] or .field behind a column, or nothing.
func (c *cursor) place() (key ast.Expr, field string, err error) {
	switch {
	case c.accept(kindLBracket):
		if key, err = c.term(); err != nil {
			return nil, "", err
		}
		return key, "", c.expect(kindRBracket)
	case c.accept(kindDot):
		field, err = c.name()
	}
	return nil, field, err
}
