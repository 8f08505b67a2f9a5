package parser

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/helenusdb/helenus/parser/ast"
)

// selector is the production of what SELECT returns: as term, with columns, fields, elements and slices.
//
//	selector = factor { ("+" | "-") factor }
//	factor   = sign { ("*" | "/" | "%") sign }
//	sign     = "-" sign | base { "." field | "[" element or slice "]" }
//	base     = column | literal | marker | call | "(" type ")" base | "(" selector {"," selector} ")" | list | set | map
//
// {a: b} is a Map with Column keys here, also where a user type is meant: the planner decides. Source: Parser.g,
// unaliasedSelector and below.
type selector struct{ ast.Expr }

// Parse implements participle.Parseable.
func (s *selector) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	if !startsTerm(c.kind()) {
		return participle.NextMatch
	}
	s.Expr, err = c.selector()
	return err
}

func (c *cursor) selector() (ast.Expr, error) {
	left, err := c.selectedFactor()
	for n := 1; err == nil && (c.kind() == kindPlus || c.kind() == kindMinus); n++ {
		left, err = c.binary(left, (*cursor).selectedFactor, n)
	}
	return left, err
}

func (c *cursor) selectedFactor() (ast.Expr, error) { return c.factor((*cursor).selectedSign) }

func (c *cursor) selectedSign() (ast.Expr, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer func() { c.depth-- }()
	if c.accept(kindMinus) {
		of, err := c.selectedSign()
		if err != nil {
			return nil, err
		}
		return &ast.Negate{Of: of}, nil
	}
	base, err := c.selected()
	if err != nil {
		return nil, err
	}
	return c.modified(base)
}

// modified parses the fields, elements and slices behind base.
func (c *cursor) modified(base ast.Expr) (ast.Expr, error) {
	for n := 1; ; n++ {
		if err := c.tooLong(n); err != nil {
			return nil, err
		}
		switch c.kind() {
		case kindDot:
			c.Next()
			field, err := c.name()
			if err != nil {
				return nil, err
			}
			base = &ast.Field{Of: base, Name: field}
		case kindLBracket:
			c.Next()
			part, err := c.part(base)
			if err != nil {
				return nil, err
			}
			if err := c.expect(kindRBracket); err != nil {
				return nil, err
			}
			base = part
		default:
			return base, nil
		}
	}
}

// part parses k, a.., ..b or a..b, of a collection.
func (c *cursor) part(of ast.Expr) (ast.Expr, error) {
	var from, to ast.Expr
	var err error
	if c.kind() != kindRange {
		if from, err = c.term(); err != nil {
			return nil, err
		}
	}
	if !c.accept(kindRange) {
		return &ast.Element{Of: of, Key: from}, nil
	}
	if from == nil || c.kind() != kindRBracket {
		if to, err = c.term(); err != nil {
			return nil, err
		}
	}
	return &ast.Slice{Of: of, From: from, To: to}, nil
}

// selected parses a selector without sign and modifiers.
func (c *cursor) selected() (ast.Expr, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer func() { c.depth-- }()
	switch k := c.kind(); {
	case k.isLiteral(), k == kindMarker, k == kindColon, k == wordNull:
		return c.simple()
	case k == kindLBracket:
		items, err := c.items((*cursor).selector, kindRBracket)
		return &ast.List{Items: items}, err
	case k == kindLBrace:
		return c.setOrMap((*cursor).selector)
	case k == kindLParen:
		if hint := c.selectedHint(); hint != nil {
			return hint, nil
		}
		items, err := c.tuple((*cursor).selector)
		return &ast.Tuple{Items: items}, err
	case c.ahead(1) == kindLParen:
		return c.selectedCall()
	case isName(k) && c.ahead(1) == kindDot && isFunctionName(c.ahead(2)) && c.ahead(3) == kindLParen:
		return c.selectedCall()
	case isName(k):
		return &ast.Column{Name: nameText(c.Next())}, nil
	}
	return nil, c.noViable()
}

// selectedHint tries (type)base, which is chosen whenever it matches: (a)[1] is a hint of the type a. It returns nil, and the
// cursor where it was, when it does not.
func (c *cursor) selectedHint() ast.Expr {
	mark, depth := c.MakeCheckpoint(), c.depth
	c.Next()
	if t, err := c.typeName(); err == nil && c.accept(kindRParen) {
		if of, err := c.selected(); err == nil {
			return &ast.TypeHint{Type: t, Of: of}
		}
	}
	c.LoadCheckpoint(mark)
	c.depth = depth
	return nil
}

// selectedCall parses a call among selectors; the next tokens are a name and a parenthesis.
func (c *cursor) selectedCall() (ast.Expr, error) {
	switch c.kind() {
	case wordCount:
		if c.ahead(2) != kindStar {
			break
		}
		c.Next()
		c.Next()
		c.Next()
		return &ast.Call{Func: ast.Name{Name: "count"}, Star: true}, c.expect(kindRParen)
	case wordWritetime, wordMaxWritetime, wordTTL:
		name := nameText(c.Next())
		c.Next()
		column, err := c.name()
		if err != nil {
			return nil, err
		}
		arg, err := c.modified(&ast.Column{Name: column})
		if err != nil {
			return nil, err
		}
		return &ast.Call{Func: ast.Name{Name: name}, Args: []ast.Expr{arg}}, c.expect(kindRParen)
	case wordCast:
		return c.cast((*cursor).selector)
	}
	e, err := c.call((*cursor).selector)
	if call, ok := e.(*ast.Call); ok && err == nil {
		countOfNumber(call)
	}
	return e, err
}

// countOfNumber turns count(1) into count(*), which it means. Source: Selectable.WithFunction.Raw.prepare.
func countOfNumber(call *ast.Call) {
	if call.Func.Name != "count" || call.Func.Keyspace != "" && call.Func.Keyspace != "system" || len(call.Args) != 1 {
		return
	}
	if l, ok := call.Args[0].(*ast.Literal); ok && (l.Kind == ast.IntegerLiteral || l.Kind == ast.FloatLiteral) {
		*call = ast.Call{Func: ast.Name{Name: "count"}, Star: true}
	}
}
