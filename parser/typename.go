package parser

import (
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/helenusdb/helenus/parser/ast"
)

// typeName is the production of types.
//
//	type = native | ("list" | "set") "<" type ">" | "map" "<" type "," type ">" | "tuple" "<" type {"," type} ">"
//	     | "vector" "<" type "," INTEGER ">" | "frozen" "<" type ">" | [keyspace "."] name | STRING
//
// Source: Parser.g, comparatorType.
type typeName struct{ *ast.TypeName }

// Parse implements participle.Parseable.
func (t *typeName) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	if k := c.kind(); !isName(k) && k != kindString && k != wordSet {
		return participle.NextMatch
	}
	t.TypeName, err = c.typeName()
	return err
}

// typeName parses a type.
func (c *cursor) typeName() (*ast.TypeName, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer func() { c.depth-- }()
	k := c.kind()
	switch {
	case k == kindString:
		t := c.Next()
		return &ast.TypeName{Class: literalText(kindString, t.Value)}, nil
	case k.class() == nativeWord && c.ahead(1) != kindDot:
		start := c.Next()
		return &ast.TypeName{Name: nameText(start)}, c.follows(start, behindType)
	case c.ahead(1) != kindLT && k != wordSet:
		return c.userType()
	}
	switch k {
	case wordList, wordSet:
		return c.parameters(1, 1)
	case wordMap:
		return c.parameters(2, 2)
	case wordTuple:
		return c.parameters(1, maxTokens)
	case wordVector:
		return c.vector()
	case wordFrozen:
		t, err := c.parameters(1, 1)
		if err != nil {
			return nil, err
		}
		p := t.Params[0]
		if !p.IsUser && len(p.Params) == 0 {
			return nil, c.refuse("frozen<> is only allowed on collections, tuples, and user-defined types (got " + given(p) + ")")
		}
		p.Frozen = true
		return p, nil
	}
	return c.userType()
}

// given returns a native type or a class as the refusal of frozen<> prints it.
func given(t *ast.TypeName) string {
	if t.Class == "" || strings.Contains(t.Class, ".") {
		return t.String()
	}
	return (&ast.TypeName{Class: "org.apache.cassandra.db.marshal." + t.Class}).String()
}

// parameters parses name<type, ...> with at least low and at most high types.
func (c *cursor) parameters(low, high int) (*ast.TypeName, error) {
	t, err := c.openParameters()
	for err == nil {
		var p *ast.TypeName
		if p, err = c.typeName(); err != nil {
			break
		}
		t.Params = append(t.Params, p)
		if len(t.Params) < low {
			err = c.expect(kindComma)
		} else if len(t.Params) == high || !c.accept(kindComma) {
			return t, c.expect(kindGT)
		}
	}
	return nil, err
}

// openParameters takes the name of a type and its <.
func (c *cursor) openParameters() (*ast.TypeName, error) {
	t := &ast.TypeName{Name: nameText(c.Next())}
	return t, c.expect(kindLT)
}

// vector parses vector<type, n>.
func (c *cursor) vector() (*ast.TypeName, error) {
	t, err := c.openParameters()
	if err != nil {
		return nil, err
	}
	p, err := c.typeName()
	if err != nil {
		return nil, err
	}
	t.Params = []*ast.TypeName{p}
	if err := c.expect(kindComma); err != nil {
		return nil, err
	}
	if c.kind() != kindInteger {
		return nil, c.mismatch(kindInteger)
	}
	dim := c.Next()
	n, err := strconv.ParseInt(dim.Value, 10, 32)
	if err != nil {
		return nil, c.refusal(refusedNumber, dim.Value)
	}
	t.Dim = int(n)
	return t, c.expect(kindGT)
}

// reservedTypes are names that no user type may have unless quoted; the check minds the case.
// Source: Parser.g, reservedTypeNames; date is a native type.
const reservedTypes = " byte complex enum interval macaddr bitstring "

// userType parses [keyspace.]name of a user type.
func (c *cursor) userType() (*ast.TypeName, error) {
	t := &ast.TypeName{IsUser: true}
	if isName(c.kind()) && c.ahead(1) == kindDot {
		t.Keyspace = nameText(c.Next())
		c.Next()
	}
	k := c.kind()
	switch {
	case k == kindIdent && strings.Contains(reservedTypes, " "+c.Peek().Value+" "):
		return nil, c.refuse("Invalid (reserved) user type name " + c.Peek().Value)
	case k == kindIdent, k == kindQuotedName, k >= firstKeyword && k.class() == basicWord, k == wordKey:
		t.Name = nameText(c.Next())
		return t, nil
	case isName(k) && t.Keyspace == "":
		c.Next()
		return nil, c.mismatch(kindDot)
	}
	return nil, c.noViable()
}
