package parser

import (
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/helenusdb/helenus/parser/ast"
)

// cursor reads the tokens of participle for the productions that are written by hand: those that need more than ordered
// choice to be told apart. A production leaves the cursor at the token it could not take and returns an error, so that
// participle sees how far it came.
type cursor struct {
	*lexer.PeekingLexer
	// depth counts the hand-written productions that are open, for type hints and signs, which have no brackets.
	depth int
}

// kind returns the kind of the next token.
func (c *cursor) kind() Kind { return kindOf(c.Peek()) }

// kindOf returns the kind of one of participle's tokens.
func kindOf(t *lexer.Token) Kind {
	if t.EOF() {
		return kindEOF
	}
	return Kind(t.Type)
}

// ahead returns the kind of the token n behind the next one.
func (c *cursor) ahead(n int) Kind {
	mark := c.MakeCheckpoint()
	for ; n > 0; n-- {
		c.Next()
	}
	kind := c.kind()
	c.LoadCheckpoint(mark)
	return kind
}

// accept takes the next token when it is of kind k.
func (c *cursor) accept(k Kind) bool {
	if c.kind() != k {
		return false
	}
	c.Next()
	return true
}

// expect takes a token of kind k or fails.
func (c *cursor) expect(k Kind) error {
	if !c.accept(k) {
		return c.mismatch(k)
	}
	return nil
}

// unexpected is a token that the grammar cannot take. from is where ANTLR began to look for a rule: the token itself, or
// one before it. want is the kind that alone could have stood there, kindEOF when there are several.
type unexpected struct {
	participle.ParseError
	token lexer.Token
	from  int
	want  Kind
}

// mismatch says that the next token is not the one of kind k that alone can stand here.
func (c *cursor) mismatch(k Kind) error {
	t := *c.Peek()
	return &unexpected{participle.ParseError{Msg: "mismatch", Pos: t.Pos}, t, t.Pos.Offset, k}
}

// noViable says that the next token fits no rule.
func (c *cursor) noViable() error { return c.noViableFrom(c.Peek()) }

// noViableFrom says that the next token fits none of the rules that begin at start.
func (c *cursor) noViableFrom(start *lexer.Token) error {
	t := *c.Peek()
	return &unexpected{participle.ParseError{Msg: "no viable alternative", Pos: t.Pos}, t, start.Pos.Offset, kindEOF}
}

// refusal is an error that is no matter of single tokens.
type refusal struct {
	participle.ParseError
	class refusalClass
}

// refusalClass says how a refusal is worded.
type refusalClass uint8

const (
	// refusedText: the message is the whole text of the answer, raised by the actions of Cassandra's grammar.
	refusedText refusalClass = iota
	// refusedNumber: the message is a number of the grammar's own, not a value, that is out of range.
	refusedNumber
	// refusedDepth: it nests too deep, or its tree would.
	refusedDepth
)

// refusal returns an error that stands for the whole statement, placed at the next token.
func (c *cursor) refusal(class refusalClass, message string) error {
	return &refusal{participle.ParseError{Msg: message, Pos: c.Peek().Pos}, class}
}

// isRefusal reports whether err is a refusal: then no other reading of the tokens is tried.
func isRefusal(err error) bool {
	_, ok := err.(*refusal) //nolint:errorlint // it comes as it was made, and this is asked at every turn
	return ok
}

// refuse takes the next token and fails with a text of Cassandra's grammar.
func (c *cursor) refuse(text string) error {
	c.Next()
	return c.refusal(refusedText, text)
}

// enter opens one more level; the caller closes it with c.depth--.
func (c *cursor) enter() error {
	if c.depth++; c.depth > 2*maxDepth {
		return c.refusal(refusedDepth, "nested too deep")
	}
	return nil
}

// tooLong refuses chains of operators or field names that would make too deep a tree.
func (c *cursor) tooLong(links int) error {
	if links > maxChain {
		return c.refusal(refusedDepth, "chain too long")
	}
	return nil
}

// isName reports whether a token of kind k can be a column or table name.
func isName(k Kind) bool {
	return k == kindIdent || k == kindQuotedName || k >= firstKeyword && k.class() != reservedWord
}

// isFunctionName reports whether a token of kind k can be a function's own name.
func isFunctionName(k Kind) bool {
	if k == kindIdent || k == kindQuotedName || k == wordToken || k == wordCount {
		return true
	}
	class := k.class()
	return class == basicWord || class == nativeWord
}

// nameText returns the name that a token stands for: folded to lower case unless quoted.
func nameText(t *lexer.Token) string {
	switch kindOf(t) {
	case kindQuotedName, kindEmptyName:
		name := t.Value[1 : len(t.Value)-1]
		return strings.ReplaceAll(name, `""`, `"`)
	}
	return strings.ToLower(written(t))
}

// follows fails when the next token is not in set, which holds what may ever stand behind the rule that began at start.
// Cassandra's parser looks one token ahead at the end of such rules, so it says "no viable alternative" where others say what
// they expected.
func (c *cursor) follows(start *lexer.Token, set *kindSet) error {
	if k := c.kind(); k != kindEOF && k != kindBroken && !set.has(k) {
		return c.noViableFrom(start)
	}
	return nil
}

// name takes an identifier.
func (c *cursor) name() (string, error) {
	if !isName(c.kind()) {
		return "", c.noViable()
	}
	return nameText(c.Next()), nil
}

// columnName takes an identifier or the empty name "", which old tables may have.
func (c *cursor) columnName() (string, error) {
	if c.accept(kindEmptyName) {
		return "", nil
	}
	return c.name()
}

// literal takes a literal token.
func (c *cursor) literal() *ast.Literal {
	t := c.Next()
	l := literal(Kind(t.Type), t.Value)
	return &ast.Literal{Kind: l.Kind, Text: l.Text, Slot: slotOf(t)}
}

// marker takes ? or :name. Index holds the token's offset until number counts the markers.
func (c *cursor) marker() (*ast.Marker, error) {
	t := c.Next()
	m := &ast.Marker{Index: t.Pos.Offset}
	if Kind(t.Type) == kindColon {
		name, err := c.name()
		if err != nil {
			return nil, err
		}
		m.Name = name
	}
	return m, nil
}

// markerKeyspace looks behind a ?, where Cassandra's grammar would let a dot and a call follow, only to refuse that. fields
// tells whether it is a selector, which may have fields and elements.
func (c *cursor) markerKeyspace(t *lexer.Token, fields bool) error {
	mark := c.MakeCheckpoint()
	if !c.accept(kindDot) {
		if fields && !behindName.has(c.kind()) {
			return c.noViableFrom(t)
		}
		return nil
	}
	if !isName(c.kind()) && !isFunctionName(c.kind()) {
		return c.noViableFrom(t)
	}
	c.Next()
	switch next := c.kind(); {
	case next == kindLParen:
		return c.refuse("Bind variables cannot be used for keyspace names")
	case !fields || !behindName.has(next):
		return c.noViableFrom(t)
	}
	c.LoadCheckpoint(mark)
	return nil
}
