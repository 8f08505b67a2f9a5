package parser

import (
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
	start := c.Peek()
	p.Name, _ = c.name()
	if !c.accept(kindEQ) {
		return c.noViableFrom(start)
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
		return c.noViableFrom(start)
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
	m := &ast.Map{}
	for c.Next(); !c.accept(kindRBrace); {
		if len(m.Keys) > 0 && !c.accept(kindComma) {
			return nil, nil, c.mismatch(kindRBrace)
		}
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
		m.Keys, m.Values = append(m.Keys, key), append(m.Values, value)
	}
	seen := make(map[string]bool, len(m.Keys))
	for i, key := range m.Keys {
		k, ok := constantText(key)
		if !ok {
			return nil, nil, c.refuse("Invalid property name: " + rawTerm(key) + unboundHint(key))
		}
		v, ok := constantText(m.Values[i])
		if !ok {
			return nil, nil, c.refuse("Invalid property value: " + rawTerm(m.Values[i]) + " for property: " + rawTerm(key) +
				unboundHint(m.Values[i]))
		}
		if seen[k] {
			return nil, nil, c.refuse("Multiple definition for property " + k)
		}
		seen[k] = true
		keys, values = append(keys, k), append(values, v)
	}
	return keys, values, nil
}

// constantText returns the text of a constant; null is none.
func constantText(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.Literal)
	if !ok || l.Kind == ast.NullLiteral {
		return "", false
	}
	return l.Text, true
}

// rawTerm returns a term as Cassandra's error messages print it.
func rawTerm(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Marker:
		return "?"
	case *ast.Literal:
		if e.Kind == ast.NullLiteral {
			return "NULL"
		}
	}
	return ast.Print(e)
}

// unboundHint ends the refusal of a marker.
func unboundHint(e ast.Expr) string {
	if _, ok := e.(*ast.Marker); ok {
		return " (bind variables are not supported in DDL queries)"
	}
	return ""
}
