package parser

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/helenusdb/helenus/parser/ast"
)

// ident is an unqualified name.
type ident struct{ Name string }

// Parse implements participle.Parseable.
func (i *ident) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	if !isName(c.kind()) {
		return participle.NextMatch
	}
	i.Name, err = c.name()
	return err
}

// column is the name of a column outside of DDL, where "" is a name too.
type column struct{ Name string }

// Parse implements participle.Parseable.
func (i *column) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	if !isName(c.kind()) && c.kind() != kindEmptyName {
		return participle.NextMatch
	}
	i.Name, err = c.columnName()
	return err
}

// qualified is [keyspace.]name.
type qualified struct{ ast.Name }

// tableName, indexName, newIndexName, keyspaceName and roleName are names that Cassandra's grammar also lets a ? stand for,
// to refuse it with a text of its own.
type (
	tableName    struct{ qualified }
	indexName    struct{ qualified }
	newIndexName struct{ qualified }
	keyspaceName struct{ qualified }
	roleName     struct{ qualified }
)

// Parse implements participle.Parseable.
func (n *tableName) Parse(lex *lexer.PeekingLexer) error { return n.parse(lex, "table names", true) }

// Parse implements participle.Parseable.
func (n *indexName) Parse(lex *lexer.PeekingLexer) error { return n.parse(lex, "index names", true) }

// Parse implements participle.Parseable.
func (n *newIndexName) Parse(lex *lexer.PeekingLexer) error {
	return n.parse(lex, "index names", false)
}

// Parse implements participle.Parseable.
func (n *keyspaceName) Parse(lex *lexer.PeekingLexer) error {
	return n.parse(lex, "keyspace names", false)
}

// Parse implements participle.Parseable.
func (n *roleName) Parse(lex *lexer.PeekingLexer) error {
	if t := lex.Peek(); kindOf(t) == kindString {
		n.Name.Name = literalText(kindString, lex.Next().Value)
		return nil
	}
	return n.parse(lex, "role names", false)
}

// parse takes the name; what is how the refusal of a marker calls it.
func (n *qualified) parse(lex *lexer.PeekingLexer, what string, dotted bool) (err error) {
	c := cursor{PeekingLexer: lex}
	if !isName(c.kind()) && c.kind() != kindMarker {
		return participle.NextMatch
	}
	start := c.Peek()
	if dotted && c.ahead(1) == kindDot {
		if c.kind() == kindMarker {
			return c.refuse("Bind variables cannot be used for keyspace names")
		}
		n.Keyspace = nameText(c.Next())
		c.Next()
		dotted = false
	}
	marker := c.kind() == kindMarker
	if marker {
		c.Next()
	} else if n.Name.Name, err = c.name(); err != nil {
		return err
	}
	if dotted {
		if err := c.follows(start, behindTable); err != nil {
			return err
		}
	}
	if marker {
		return c.refuse("Bind variables cannot be used for " + what)
	}
	return nil
}

// functionName is [keyspace.]name of a function.
type functionName struct{ ast.Name }

// Parse implements participle.Parseable.
func (n *functionName) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	if k := c.kind(); !isName(k) && !isFunctionName(k) {
		return participle.NextMatch
	}
	n.Name, err = c.functionName()
	return err
}

// userTypeName is [keyspace.]name of a user type.
type userTypeName struct{ ast.Name }

// Parse implements participle.Parseable.
func (n *userTypeName) Parse(lex *lexer.PeekingLexer) error {
	c := cursor{PeekingLexer: lex}
	if !isName(c.kind()) {
		return participle.NextMatch
	}
	t, err := c.userType()
	if err == nil {
		n.Name = ast.Name{Keyspace: t.Keyspace, Name: t.Name}
	}
	return err
}

// userName is the name of CREATE USER: no keyword, and quoted names are refused.
type userName struct{ Name string }

// Parse implements participle.Parseable.
func (n *userName) Parse(lex *lexer.PeekingLexer) error {
	return n.parse(lex, "Quoted strings are are not supported for user names and USER is deprecated, please use ROLE")
}

// parse takes the name; refusal answers a quoted one.
func (n *userName) parse(lex *lexer.PeekingLexer, refusal string) error {
	c := cursor{PeekingLexer: lex}
	switch c.kind() {
	case kindIdent:
		n.Name = nameText(c.Next())
	case kindString:
		n.Name = literalText(kindString, c.Next().Value)
	case kindQuotedName:
		return c.refuse(refusal)
	default:
		return participle.NextMatch
	}
	return nil
}

// identity is what ADD IDENTITY names.
type identity struct{ userName }

// Parse implements participle.Parseable.
func (n *identity) Parse(lex *lexer.PeekingLexer) error {
	return n.parse(lex, "Quoted strings are are not supported for identity")
}

// text is a string literal.
type text struct{ Text string }

// Parse implements participle.Parseable.
func (s *text) Parse(lex *lexer.PeekingLexer) error {
	if kindOf(lex.Peek()) != kindString {
		return participle.NextMatch
	}
	s.Text = literalText(kindString, lex.Next().Value)
	return nil
}

// jsonText is the document of INSERT JSON: a string literal or a marker.
type jsonText struct{ ast.Expr }

// Parse implements participle.Parseable.
func (v *jsonText) Parse(lex *lexer.PeekingLexer) (err error) {
	v.Expr, err = literalOrMarker(lex, kindString)
	return err
}

// intValue is an integer literal or a marker.
type intValue struct{ ast.Expr }

// Parse implements participle.Parseable.
func (v *intValue) Parse(lex *lexer.PeekingLexer) (err error) {
	v.Expr, err = literalOrMarker(lex, kindInteger)
	return err
}

// literalOrMarker takes a literal of the given kind or a marker.
func literalOrMarker(lex *lexer.PeekingLexer, kind Kind) (ast.Expr, error) {
	c := cursor{PeekingLexer: lex}
	switch c.kind() {
	case kind:
		return c.literal(), nil
	case kindMarker, kindColon:
		return c.marker()
	}
	return nil, participle.NextMatch
}

// integer is an integer literal.
type integer struct{ Text string }

// Parse implements participle.Parseable.
func (v *integer) Parse(lex *lexer.PeekingLexer) error {
	if kindOf(lex.Peek()) != kindInteger {
		return participle.NextMatch
	}
	v.Text = lex.Next().Value
	return nil
}

// boolean is TRUE or FALSE.
type boolean struct{ Text string }

// Parse implements participle.Parseable.
func (v *boolean) Parse(lex *lexer.PeekingLexer) error {
	if kindOf(lex.Peek()) != kindBoolean {
		return participle.NextMatch
	}
	v.Text = lex.Next().Value
	return nil
}

// languageName is the language of a function: an identifier that is no keyword.
type languageName struct{ Text string }

// Parse implements participle.Parseable.
func (v *languageName) Parse(lex *lexer.PeekingLexer) error {
	if kindOf(lex.Peek()) != kindIdent {
		return participle.NextMatch
	}
	v.Text = lex.Next().Value
	return nil
}

// localFunctionName is the name of a function without its keyspace.
type localFunctionName struct{ Name string }

// Parse implements participle.Parseable.
func (n *localFunctionName) Parse(lex *lexer.PeekingLexer) error {
	if !isFunctionName(kindOf(lex.Peek())) {
		return participle.NextMatch
	}
	n.Name = nameText(lex.Next())
	return nil
}

// plainName is [keyspace.]name where a marker has no rule of its own.
type plainName struct{ qualified }

// Parse implements participle.Parseable.
func (n *plainName) Parse(lex *lexer.PeekingLexer) error {
	if kindOf(lex.Peek()) == kindMarker {
		return participle.NextMatch
	}
	return n.parse(lex, "names", true)
}

// compactStorage is COMPACT STORAGE where it is refused.
type compactStorage struct{}

// Parse implements participle.Parseable.
func (*compactStorage) Parse(lex *lexer.PeekingLexer) error {
	c := cursor{PeekingLexer: lex}
	if c.Peek().Value != "COMPACT" || c.ahead(1) != words.kind("STORAGE") {
		return participle.NextMatch
	}
	c.Next()
	return c.refuse("COMPACT STORAGE tables are not allowed starting with version 4.0")
}

// columnList is (a, b) of INSERT.
type columnList struct{ names []string }

// Parse implements participle.Parseable.
func (l *columnList) Parse(lex *lexer.PeekingLexer) (err error) {
	c := cursor{PeekingLexer: lex}
	if c.kind() != kindLParen {
		return participle.NextMatch
	}
	l.names, err = c.columns()
	return err
}
