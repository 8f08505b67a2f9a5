package parser

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/helenusdb/helenus/parser/ast"
)

// selectClause is what SELECT returns: [JSON] [DISTINCT] selectors. Both words may be columns as well; they are taken for
// themselves whenever the rest parses behind them.
type selectClause struct {
	json, distinct bool
	items          []ast.SelectItem
}

// Parse implements participle.Parseable.
func (s *selectClause) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	s.json = c.optional(wordJSON, func() error { return s.parse(&c) })
	if s.json {
		return nil
	}
	return s.parse(&c)
}

// parse takes [DISTINCT] selectors.
func (s *selectClause) parse(c *cursor) (err error) {
	s.distinct = c.optional(wordDistinct, func() (err error) {
		s.items, err = c.selectItems()
		return err
	})
	if !s.distinct {
		s.items, err = c.selectItems()
	}
	return err
}

// optional takes word when what follows it parses; else it leaves the cursor where it was.
func (c *cursor) optional(word Kind, parse func() error) bool {
	if c.kind() != word {
		return false
	}
	mark, depth := c.MakeCheckpoint(), c.depth
	c.Next()
	if parse() == nil {
		return true
	}
	c.LoadCheckpoint(mark)
	c.depth = depth
	return false
}

// selectItems parses * (no items) or selectors with their aliases.
func (c *cursor) selectItems() (items []ast.SelectItem, err error) {
	if c.accept(kindStar) {
		return nil, nil
	}
	for {
		var item ast.SelectItem
		if item.Expr, err = c.selector(); err != nil {
			return nil, err
		}
		if c.accept(wordAs) {
			if item.Alias, err = c.name(); err != nil {
				return nil, err
			}
		}
		items = append(items, item)
		if !c.accept(kindComma) {
			return items, nil
		}
	}
}

// selectItems is the selection of a view.
type selectItems struct{ items []ast.SelectItem }

// Parse implements participle.Parseable.
func (s *selectItems) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	s.items, err = c.selectItems()
	return err
}

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

// selector parses a sum of selectors.
func (c *cursor) selector() (ast.Expr, error) {
	left, err := c.selectedFactor()
	for n := 1; err == nil && (c.kind() == kindPlus || c.kind() == kindMinus); n++ {
		left, err = c.binary(left, (*cursor).selectedFactor, n)
	}
	return left, err
}

// selectedFactor parses a product of selectors.
func (c *cursor) selectedFactor() (ast.Expr, error) { return c.factor((*cursor).selectedSign) }

// selectedSign parses a selector with its signs and modifiers.
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

// modified parses the fields, elements and slices behind base, if they are whole and the selector may end there; else it
// leaves the cursor where it was.
func (c *cursor) modified(base ast.Expr) (ast.Expr, error) {
	mark := c.MakeCheckpoint()
	e, err := c.modifiers(base)
	if isRefusal(err) {
		return nil, err
	}
	if err == nil && behindSelector.has(c.kind()) {
		return e, nil
	}
	if c.kind() == kindBroken {
		return nil, c.noViable()
	}
	c.LoadCheckpoint(mark)
	return base, nil
}

// modifiers parses as many fields, elements and slices as there are.
func (c *cursor) modifiers(base ast.Expr) (ast.Expr, error) {
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
	case k == kindMarker:
		t := c.Peek()
		m, err := c.marker()
		if err == nil {
			err = c.markerKeyspace(t, true)
		}
		return m, err
	case k.isLiteral(), k == kindColon, k == wordNull:
		return c.simple()
	case k == kindLBracket:
		items, err := c.items((*cursor).selector, kindRBracket)
		return &ast.List{Items: items}, err
	case k == kindLBrace:
		return c.setOrMap((*cursor).selector)
	case k == kindLParen:
		if hint, err := c.selectedHint(); hint != nil || err != nil {
			return hint, err
		}
		items, err := c.tuple((*cursor).selector)
		return &ast.Tuple{Items: items}, err
	case c.ahead(1) == kindLParen:
		return c.selectedCall()
	case isName(k) && c.ahead(1) == kindDot && isFunctionName(c.ahead(2)) && c.ahead(3) == kindLParen:
		return c.selectedCall()
	case isName(k):
		return c.selectedColumn()
	case k == wordToken:
		c.Next()
		return nil, c.mismatch(kindLParen)
	}
	return nil, c.noViable()
}

// selectedColumn takes a column, after a look at what makes it no call of name( or keyspace.name(.
func (c *cursor) selectedColumn() (ast.Expr, error) {
	start := c.Next()
	mark := c.MakeCheckpoint()
	if c.accept(kindDot) {
		if c.accept(wordToken) {
			return nil, c.mismatch(kindLParen)
		}
		if !isName(c.kind()) {
			return nil, c.noViableFrom(start)
		}
		if !isFunctionName(c.kind()) { // ks.ttl can only be a field.
			c.LoadCheckpoint(mark)
			return &ast.Column{Name: nameText(start)}, nil
		}
		c.Next()
	}
	if !behindName.has(c.kind()) {
		err := c.noViableFrom(start)
		if c.ahead(1) == kindBroken {
			c.Next()
			err = c.noViable()
		}
		return nil, err
	}
	c.LoadCheckpoint(mark)
	return &ast.Column{Name: nameText(start)}, nil
}

// selectedHint tries (type)base, which is chosen whenever it matches: (a)[1] is a hint of the type a. It returns nil, and the
// cursor where it was, when it does not; errors are those that no other reading can avoid.
func (c *cursor) selectedHint() (ast.Expr, error) {
	mark, depth := c.MakeCheckpoint(), c.depth
	c.Next()
	t, err := c.typeName()
	if err == nil && c.accept(kindRParen) {
		var of ast.Expr
		if of, err = c.selected(); err == nil {
			return &ast.TypeHint{Type: t, Of: of}, nil
		}
	}
	if isRefusal(err) || c.kind() == kindBroken {
		return nil, err
	}
	c.LoadCheckpoint(mark)
	c.depth = depth
	return nil, nil
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
		arg, err := c.modifiers(&ast.Column{Name: column})
		if err != nil {
			return nil, err
		}
		return &ast.Call{Func: ast.Name{Name: name}, Args: []ast.Expr{arg}}, c.expect(kindRParen)
	case wordCast:
		return c.cast((*cursor).selector)
	}
	e, err := c.call((*cursor).selector)
	if call, ok := e.(*ast.Call); ok && err == nil {
		countOfConstant(call)
	}
	return e, err
}

// countOfConstant turns count(1), or any other constant but null, into count(*), which it means.
// Source: org.apache.cassandra.cql3.selection.Selectable.WithFunction.Raw; tried with 5.0.6.
func countOfConstant(call *ast.Call) {
	if call.Func.Name != "count" || call.Func.Keyspace != "" && call.Func.Keyspace != "system" || len(call.Args) != 1 {
		return
	}
	if l, ok := call.Args[0].(*ast.Literal); ok && l.Kind != ast.NullLiteral {
		*call = ast.Call{Func: ast.Name{Name: "count"}, Star: true}
	}
}
