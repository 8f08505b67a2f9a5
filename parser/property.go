package parser

import (
	"fmt"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/helenusdb/helenus/parser/ast"
)

// property is one entry of WITH: name = constant, unreserved word or map of constants. Source: Parser.g, property.
type property struct{ ast.Property }

// Parse implements participle.Parseable.
func (p *property) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	if !isName(c.kind()) {
		return participle.NextMatch
	}
	p.Name, _ = c.name()
	if err := c.expect(kindEQ); err != nil {
		return err
	}
	switch k := c.kind(); {
	case k == kindLBrace:
		p.IsMap = true
		p.Keys, p.Values, err = c.constantMap()
		return err
	case k.isLiteral():
		p.Value = c.literal()
	case k >= firstKeyword && k.class() != reservedWord:
		p.Value = &ast.Column{Name: bareWord(c.Next())}
	default:
		return c.noViable()
	}
	return nil
}

// bareWord returns a keyword as a property's value: types in lower case, others as they were written.
func bareWord(t *lexer.Token) string {
	if Kind(t.Type).class() == nativeWord {
		return nameText(t)
	}
	return written(t)
}

// constants is a map of constants.
type constants struct{ keys, values []string }

// Parse implements participle.Parseable.
func (m *constants) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	if c.kind() != kindLBrace {
		return participle.NextMatch
	}
	m.keys, m.values, err = c.constantMap()
	return err
}

// constantMap parses {'k': 'v'} and keeps the texts of its constants.
func (c *cursor) constantMap() (keys, values []string, err error) {
	c.Next()
	if c.accept(kindRBrace) {
		return nil, nil, nil
	}
	seen := map[string]bool{}
	for {
		key, err := c.term()
		if err != nil {
			return nil, nil, err
		}
		if err := c.expect(kindColon); err != nil {
			return nil, nil, err
		}
		value, err := c.term()
		if err != nil {
			return nil, nil, err
		}
		k, ok := constantText(key)
		if !ok {
			return nil, nil, c.refuse("Invalid property name: " + ast.Print(key) + unboundHint(key))
		}
		v, ok := constantText(value)
		if !ok {
			return nil, nil, c.refuse(fmt.Sprintf("Invalid property value: %s for property: %s", ast.Print(value), ast.Print(key)) + unboundHint(value))
		}
		if seen[k] {
			return nil, nil, c.refuse("Multiple definition for property " + k)
		}
		seen[k] = true
		keys, values = append(keys, k), append(values, v)
		if c.accept(kindRBrace) {
			return keys, values, nil
		}
		if !c.accept(kindComma) {
			return nil, nil, c.mismatch(kindRBrace)
		}
	}
}

// constantText returns the text of a constant; null is none.
func constantText(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.Literal)
	if !ok || l.Kind == ast.NullLiteral {
		return "", false
	}
	return l.Text, true
}

func unboundHint(e ast.Expr) string {
	if _, ok := e.(*ast.Marker); ok {
		return " (bind variables are not supported in DDL queries)"
	}
	return ""
}
