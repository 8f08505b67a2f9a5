package parser

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/helenusdb/helenus/parser/ast"
)

// term is the production of values: literals, markers, calls and arithmetic, without columns.
//
//	term   = factor { ("+" | "-") factor }
//	factor = sign { ("*" | "/" | "%") sign }
//	sign   = [ "-" ] simple
//	simple = literal | NULL | marker | list | set | map | udt | tuple | call | "(" type ")" simple | CAST "(" simple AS native ")"
//
// It is written by hand because ordered choice cannot tell (type)x from (x), a set from a map and c + v from v + c.
// Source: Parser.g, term and below.
type term struct{ ast.Expr }

// Parse implements participle.Parseable.
func (t *term) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	if !startsTerm(c.kind()) {
		return participle.NextMatch
	}
	t.Expr, err = c.term()
	return err
}

// termList is (a, b) of VALUES.
type termList struct{ items []ast.Expr }

// Parse implements participle.Parseable.
func (l *termList) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	if c.kind() != kindLParen {
		return participle.NextMatch
	}
	l.items, err = c.tuple((*cursor).term)
	return err
}

// startsTerm reports whether a term may begin with a token of kind k.
func startsTerm(k Kind) bool { return k == kindMinus || startsSimple(k) }

// startsSimple reports whether a term without sign may begin with a token of kind k.
func startsSimple(k Kind) bool {
	switch k {
	case kindMarker, kindColon, kindLParen, kindLBracket, kindLBrace, wordNull, wordCast, wordToken:
		return true
	}
	return k.isLiteral() || isName(k)
}

// term parses a sum of terms and checks what stands behind it.
func (c *cursor) term() (ast.Expr, error) {
	left, err := c.signedFactor()
	for n := 1; err == nil; n++ {
		more, lookErr := c.sumGoesOn()
		if lookErr != nil {
			return nil, lookErr
		}
		if !more {
			return left, c.follows(c.Peek(), behindTerm)
		}
		left, err = c.binary(left, (*cursor).signedFactor, n)
	}
	return left, err
}

// sumGoesOn reports whether a + or - follows that belongs to this term. In SET c = v + c the + does not: a column and not a
// call is behind it, and then a comma or WHERE. Cassandra's parser looks as far for every term.
func (c *cursor) sumGoesOn() (bool, error) {
	if c.kind() != kindPlus {
		return c.kind() == kindMinus, nil
	}
	if next := c.ahead(1); !isName(next) && next != kindEmptyName {
		return true, nil
	}
	switch after := c.ahead(2); after {
	case kindLParen, kindDot:
		return true, nil
	case kindComma, wordWhere:
		return false, nil
	}
	plus := c.Next()
	c.Next()
	return false, c.noViableFrom(plus)
}

// binary takes an operator and its right side.
func (c *cursor) binary(left ast.Expr, operand func(*cursor) (ast.Expr, error), links int) (ast.Expr, error) {
	if err := c.tooLong(links); err != nil {
		return nil, err
	}
	op := c.Next().Value[0]
	right, err := operand(c)
	if err != nil {
		return nil, err
	}
	return &ast.Binary{Op: op, L: left, R: right}, nil
}

// signedFactor parses a product of terms.
func (c *cursor) signedFactor() (ast.Expr, error) { return c.factor((*cursor).sign) }

// factor parses a product of what operand parses.
func (c *cursor) factor(operand func(*cursor) (ast.Expr, error)) (ast.Expr, error) {
	left, err := operand(c)
	for n := 1; err == nil && (c.kind() == kindStar || c.kind() == kindSlash || c.kind() == kindPercent); n++ {
		left, err = c.binary(left, operand, n)
	}
	return left, err
}

// sign parses a term with at most one sign.
func (c *cursor) sign() (ast.Expr, error) {
	if !c.accept(kindMinus) {
		return c.simple()
	}
	of, err := c.simple()
	if err != nil {
		return nil, err
	}
	return &ast.Negate{Of: of}, nil
}

// simple parses a term without sign.
func (c *cursor) simple() (ast.Expr, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer func() { c.depth-- }()
	switch k := c.kind(); {
	case k.isLiteral():
		return c.literal(), nil
	case k == kindMarker || k == kindColon:
		t := c.Peek()
		m, err := c.marker()
		if err == nil && k == kindMarker {
			err = c.markerKeyspace(t, false)
		}
		return m, err
	case k == wordNull:
		c.Next()
		return &ast.Literal{Kind: ast.NullLiteral, Text: "null", Slot: -1}, nil
	case k == kindLBracket:
		items, err := c.items((*cursor).term, kindRBracket)
		return &ast.List{Items: items}, err
	case k == kindLBrace:
		return c.braces()
	case k == kindLParen && c.hintFollows():
		return c.hint()
	case k == kindLParen:
		items, err := c.tuple((*cursor).term)
		return &ast.Tuple{Items: items}, err
	case k == wordCast && c.ahead(1) == kindLParen:
		return c.cast((*cursor).simple)
	case isName(k) || k == wordToken:
		return c.call((*cursor).term)
	}
	return nil, c.noViable()
}

// items parses what item parses, divided by commas, between an opening token and the closing one; it may be empty.
func (c *cursor) items(item func(*cursor) (ast.Expr, error), closing Kind) ([]ast.Expr, error) {
	c.Next()
	var out []ast.Expr
	if c.accept(closing) {
		return out, nil
	}
	for {
		e, err := item(c)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
		if c.accept(closing) {
			return out, nil
		}
		if !c.accept(kindComma) {
			return nil, c.mismatch(closing)
		}
	}
}

// tuple is items in parentheses, at least one.
func (c *cursor) tuple(item func(*cursor) (ast.Expr, error)) ([]ast.Expr, error) {
	if c.ahead(1) == kindRParen {
		c.Next()
		return nil, c.noViable()
	}
	return c.items(item, kindRParen)
}

// hintFollows decides whether the parenthesis that comes opens a type hint or holds terms. Terms have no columns, so a name
// without a call behind it is a type; a string is one only when a value follows the parenthesis.
func (c *cursor) hintFollows() bool {
	k := c.ahead(1)
	if k == kindString {
		return c.ahead(2) == kindRParen && startsSimple(c.ahead(3))
	}
	if k == wordSet {
		return true
	}
	if !isName(k) || k == wordCast && c.ahead(2) == kindLParen {
		return false
	}
	if c.ahead(2) == kindDot {
		return c.ahead(4) != kindLParen
	}
	return c.ahead(2) != kindLParen
}

// hint parses (type)x.
func (c *cursor) hint() (ast.Expr, error) {
	c.Next()
	t, err := c.typeName()
	if err != nil {
		return nil, err
	}
	if err := c.expect(kindRParen); err != nil {
		return nil, err
	}
	of, err := c.simple()
	if err != nil {
		return nil, err
	}
	return &ast.TypeHint{Type: t, Of: of}, nil
}

// cast parses CAST(x AS type), whose type can only be a native one.
func (c *cursor) cast(operand func(*cursor) (ast.Expr, error)) (ast.Expr, error) {
	c.Next()
	c.Next()
	of, err := operand(c)
	if err != nil {
		return nil, err
	}
	if err := c.expect(wordAs); err != nil {
		return nil, err
	}
	if c.kind().class() != nativeWord {
		return nil, c.noViable()
	}
	t := &ast.TypeName{Name: nameText(c.Next())}
	return &ast.Cast{Of: of, Type: t}, c.expect(kindRParen)
}

// call parses a function call, [keyspace.]name(args).
func (c *cursor) call(arg func(*cursor) (ast.Expr, error)) (ast.Expr, error) {
	start := c.Peek()
	name, err := c.functionName()
	if err != nil {
		return nil, err
	}
	if c.kind() != kindLParen {
		return nil, c.noViableFrom(start)
	}
	args, err := c.items(arg, kindRParen)
	if err != nil {
		return nil, err
	}
	return &ast.Call{Func: name, Args: args}, nil
}

// functionName takes [keyspace.]name of a function, up to the parenthesis.
func (c *cursor) functionName() (n ast.Name, err error) {
	start := c.Peek()
	if isName(c.kind()) && c.ahead(1) == kindDot {
		n.Keyspace = nameText(c.Next())
		c.Next()
	} else if isName(c.kind()) && !isFunctionName(c.kind()) {
		c.Next()
		return n, c.noViableFrom(start)
	}
	if !isFunctionName(c.kind()) {
		return n, c.noViableFrom(start)
	}
	n.Name = nameText(c.Next())
	return n, nil
}

// braces parses {a, b}, {k: v} and {field: v}. Terms have no columns, so a bare name is a field.
func (c *cursor) braces() (ast.Expr, error) {
	if isName(c.ahead(1)) && c.ahead(2) == kindColon {
		return c.udt()
	}
	return c.setOrMap((*cursor).term)
}

// udt parses {field: v}; the brace is the next token.
func (c *cursor) udt() (ast.Expr, error) {
	u := &ast.UDT{}
	for c.Next(); ; {
		field, err := c.name()
		if err != nil {
			return nil, err
		}
		if err := c.expect(kindColon); err != nil {
			return nil, err
		}
		value, err := c.term()
		if err != nil {
			return nil, err
		}
		u.Fields, u.Values = append(u.Fields, field), append(u.Values, value)
		if c.accept(kindRBrace) {
			return u, nil
		}
		if !c.accept(kindComma) {
			return nil, c.mismatch(kindRBrace)
		}
	}
}

// setOrMap parses {}, {a, b} or {k: v} of what item parses; the first entry decides.
func (c *cursor) setOrMap(item func(*cursor) (ast.Expr, error)) (ast.Expr, error) {
	c.Next()
	if c.accept(kindRBrace) {
		return &ast.Set{}, nil
	}
	var keys, values []ast.Expr
	for isMap := false; ; {
		key, err := item(c)
		if err != nil {
			return nil, err
		}
		if len(keys) == 0 {
			isMap = c.kind() == kindColon
		}
		if isMap {
			if err := c.expect(kindColon); err != nil {
				return nil, err
			}
			value, err := item(c)
			if err != nil {
				return nil, err
			}
			values = append(values, value)
		}
		keys = append(keys, key)
		if c.accept(kindRBrace) {
			if isMap {
				return &ast.Map{Keys: keys, Values: values}, nil
			}
			return &ast.Set{Items: keys}, nil
		}
		if !c.accept(kindComma) {
			return nil, c.mismatch(kindRBrace)
		}
	}
}
