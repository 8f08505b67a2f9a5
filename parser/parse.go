package parser

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/parser/ast"
)

// maxMarkers is how many bind markers a statement may have. Source: org.apache.cassandra.cql3.QueryProcessor.
const maxMarkers = 65535

// Parsed is a statement with what the lexer took out of it. It owns its tree; the texts may be views of the statement's text.
type Parsed struct {
	Statement ast.Statement
	// Markers holds the names of the bind markers in the order of the text, folded, "" for a plain ?; a name that is used
	// twice is there twice. ast.Marker.Index counts them.
	Markers []string
	// Literals holds the constants in the order of the text; ast.Literal.Slot counts them.
	Literals []Literal
	// Shaped is set when the tree depends on the literals only through their slots, so that it serves every statement of
	// the same shape. It is not for what holds texts itself: schema statements, and type hints with a class or a dimension.
	Shaped bool
}

// Parse parses one statement of CQL 3.4.7, which semicolons may follow. Errors are *cql.Error: 0x2000 with Cassandra's
// position and wording, 0x2200 for too many markers and for a statement beyond the bounds.
func Parse(text string) (*Parsed, error) {
	toks, lexErr := lex(text, nil)
	if lexErr != nil && lexErr.class == boundError {
		return nil, lexErr.answer(text)
	}
	tree, err := runGrammar(&stream{text: text, toks: toks, broken: lexErr != nil})
	if err != nil {
		return nil, answerTo(err, text, toks, lexErr)
	}
	b := builder{}
	p := &Parsed{Statement: b.statement(tree.Statement, text, toks)}
	if b.err != nil {
		return nil, b.err
	}
	p.Literals = literals(text, toks)
	p.Shaped = shaped(p.Statement)
	p.Markers = number(p.Statement)
	if len(p.Markers) > maxMarkers {
		return nil, cql.Invalidf("Too many markers(?). %d markers exceed the allowed maximum of %d", len(p.Markers), maxMarkers)
	}
	return p, nil
}

// runGrammar runs participle over the tokens. A text without tokens is an error too.
func runGrammar(s *stream) (*root, error) {
	peeking, err := lexer.Upgrade(s)
	if err != nil {
		return nil, err
	}
	tree, err := grammar().ParseFromLexer(peeking)
	if err == nil && tree.Statement == nil {
		err = (&cursor{PeekingLexer: peeking}).noViable()
	}
	return tree, err
}

// literals returns the values of the literal tokens.
func literals(text string, toks []Token) []Literal {
	n := 0
	for _, t := range toks {
		if t.Kind.isLiteral() {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	out := make([]Literal, 0, n)
	for _, t := range toks {
		if t.Kind.isLiteral() {
			out = append(out, literal(t.Kind, text[t.Start:t.End]))
		}
	}
	return out
}

// number gives the markers of a statement their indexes, by the offsets that the grammar left there, and returns their names.
func number(s ast.Statement) []string {
	var markers []*ast.Marker
	ast.Walk(s, func(e ast.Expr) {
		if m, ok := e.(*ast.Marker); ok {
			markers = append(markers, m)
		}
	})
	if len(markers) == 0 {
		return nil
	}
	sort.Slice(markers, func(i, j int) bool { return markers[i].Index < markers[j].Index })
	names := make([]string, len(markers))
	for i, m := range markers {
		m.Index, names[i] = i, m.Name
	}
	return names
}

// shaped reports whether nothing in the tree but the texts of literals comes from a literal token.
func shaped(s ast.Statement) bool {
	switch s.(type) {
	case *ast.Select, *ast.Insert, *ast.Update, *ast.Delete, *ast.Batch, *ast.Use, *ast.Truncate:
	default:
		return false
	}
	ok := true
	ast.Walk(s, func(e ast.Expr) {
		if h, is := e.(*ast.TypeHint); is && fixedType(h.Type) {
			ok = false
		}
	})
	return ok
}

// fixedType reports whether a literal token is part of the type.
func fixedType(t *ast.TypeName) bool {
	if t.Class != "" || t.Name == "vector" && !t.IsUser {
		return true
	}
	return slices.ContainsFunc(t.Params, fixedType)
}

// answerTo turns an error of the grammar into the answer. The lexer's error comes first when the grammar ran into it.
func answerTo(err error, text string, toks []Token, lexErr *lexError) error {
	if refused, ok := errors.AsType[*refusal](err); ok {
		switch refused.class {
		case refusedNumber:
			return numberFormat(text, refused.Msg)
		case refusedDepth:
			return tooDeep(refused.Pos.Offset).answer(text)
		}
		return syntaxError(refused.Msg)
	}
	var bad *unexpected
	if !errors.As(err, &bad) {
		var plain *participle.UnexpectedTokenError
		if !errors.As(err, &plain) {
			return syntaxError(err.Error())
		}
		bad = described(plain, toks)
	}
	if kindOf(&bad.token) == kindBroken {
		return lexErr.answer(text)
	}
	return bad.answer(text, toks)
}

// numberFormat is the answer to a number that Java refuses while Cassandra parses.
func numberFormat(text, number string) *cql.Error {
	const format = "Failed parsing statement: [%s] reason: NumberFormatException For input string: %q"
	return syntaxError(fmt.Sprintf(format, text, number))
}
