package parser

import (
	"io"

	"github.com/alecthomas/participle/v2/lexer"
)

// definition is our lexer as participle sees it: a token's Type is its Kind and its Value the text, but for keywords, whose
// Value is the word in upper case, so that no name or literal can be taken for one.
//
// A token's Pos carries what the hand-written productions need: Offset is the byte where it starts, Line the slot of a
// literal, Filename a keyword as it was written.
type definition struct{}

// Symbols implements lexer.Definition.
func (definition) Symbols() map[string]lexer.TokenType {
	return map[string]lexer.TokenType{"EOF": lexer.EOF}
}

// Lex implements lexer.Definition.
func (d definition) Lex(_ string, r io.Reader) (lexer.Lexer, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	toks, err := Lex(string(b), nil)
	return &stream{text: string(b), toks: toks}, err
}

// stream hands out the tokens of text, and one of kindBroken behind them when the lexer stopped there.
type stream struct {
	text   string
	toks   []Token
	broken bool
	slots  int
}

// Next implements lexer.Lexer.
func (s *stream) Next() (lexer.Token, error) {
	if len(s.toks) == 0 {
		if s.broken {
			s.broken = false
			return lexer.Token{Type: lexer.TokenType(kindBroken), Pos: lexer.Position{Offset: len(s.text)}}, nil
		}
		return lexer.EOFToken(lexer.Position{Offset: len(s.text)}), nil
	}
	t := s.toks[0]
	s.toks = s.toks[1:]
	out := lexer.Token{Type: lexer.TokenType(t.Kind), Value: s.text[t.Start:t.End], Pos: lexer.Position{Offset: int(t.Start)}}
	switch {
	case t.Kind >= firstKeyword:
		out.Pos.Filename = out.Value
		out.Value = t.Kind.String()
	case t.Kind.isLiteral():
		out.Pos.Line = s.slots
		s.slots++
	}
	return out, nil
}

// slotOf returns the slot of a literal token.
func slotOf(t *lexer.Token) int { return t.Pos.Line }

// written returns the text of a word as it stands in the statement.
func written(t *lexer.Token) string {
	if t.Pos.Filename != "" {
		return t.Pos.Filename
	}
	return t.Value
}
