package parser

import (
	"strings"

	"github.com/helenusdb/helenus/parser/ast"
)

// Literal is a constant that was lifted out of a statement. Text is its value without quotes and escapes: a view of the
// statement's text, or a copy when it had doubled quotes. Its place in the list is the Slot of the ast.Literal.
type Literal struct {
	Kind ast.LiteralKind
	Text string
}

// literalKinds maps the token kinds from kindString to kindHex.
var literalKinds = [...]ast.LiteralKind{
	ast.StringLiteral, ast.IntegerLiteral, ast.FloatLiteral, ast.BooleanLiteral, ast.DurationLiteral, ast.UUIDLiteral,
	ast.HexLiteral,
}

// shapeMarks are what stands for each of literalKinds in a shape.
const shapeMarks = "SIFBDUH"

// literal returns the value of the literal token of the given kind and text.
func literal(kind Kind, text string) Literal {
	return Literal{literalKinds[kind-kindString], literalText(kind, text)}
}

// literalText returns the value of a literal token. -NaN is NaN, as in Cassandra.
func literalText(kind Kind, text string) string {
	switch kind {
	case kindString:
		if text[0] == '$' {
			return text[2 : len(text)-2]
		}
		text = text[1 : len(text)-1]
		if strings.IndexByte(text, '\'') >= 0 {
			return strings.ReplaceAll(text, "''", "'")
		}
	case kindHex:
		return text[2:]
	case kindFloat:
		switch {
		case isDigit(text[len(text)-1]) || text[len(text)-1] == '.':
		case text[len(text)-1]|0x20 == 'n':
			return "NaN"
		case text[0] == '-':
			return "-Infinity"
		default:
			return "Infinity"
		}
	}
	return text
}
