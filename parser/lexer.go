package parser

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/helenusdb/helenus/cql"
)

// The bounds of one statement. maxStatement is the largest frame body; maxTokens keeps the memory of one parse below
// 100 MiB (participle takes 72 bytes for a token, in a slice that grows); maxDepth bounds recursion: brackets, nested
// types, type hints and signs; maxChain bounds the length of a + b + c and of a.b.c, whose trees lean to the left.
//
// Deviation: Cassandra has no such bounds; what nests deep ends with the stack of its thread.
const (
	maxStatement = 16 << 20
	maxTokens    = 1 << 19
	maxDepth     = 48
	maxChain     = 1000
)

// scanner cuts a statement into tokens. It follows the prediction of Cassandra's generated lexer, which decides for a rule
// by looking ahead and then fails when that rule does not match, even where a shorter token would: 1a is a broken UUID
// and -i a broken -Infinity. Source: Lexer.g as 5.0.6 runs it.
type scanner struct {
	text string
	pos  int
	// depth counts open brackets, angles the open < of a type.
	depth, angles int
	// last is the kind of the token before.
	last Kind
	// literalsOnly makes every word kindIdent that is no literal, which is all that a shape needs to know.
	literalsOnly bool
	// upper tells of the last word whether it has capitals.
	upper bool
	err   *lexError
}

// lexError is where and why the lexer stopped. The messages of plain ones and bounds stand alone, others get their line and
// column; bounds are no matter of syntax.
type lexError struct {
	offset int
	msg    string
	class  lexClass
}

// lexClass says how a lexError is worded.
type lexClass uint8

// The classes of lexError.
const (
	placedError lexClass = iota
	plainError
	boundError
)

// Lex appends the tokens of text to toks. It allocates only when toks must grow or on errors, which are *cql.Error 0x2000
// (0x2200 for a statement beyond the bounds). With an error, the tokens before it are returned too.
func Lex(text string, toks []Token) ([]Token, error) {
	toks, lexErr := lex(text, toks)
	if lexErr != nil {
		return toks, lexErr.answer(text)
	}
	return toks, nil
}

// lex is Lex with the error as the grammar needs it: it may have something to say first.
func lex(text string, toks []Token) ([]Token, *lexError) {
	s, err := newScanner(text)
	if err != nil {
		return toks, err
	}
	first := len(toks)
	for {
		kind, start := s.next()
		if s.err != nil {
			return toks, s.err
		}
		if kind == kindEOF {
			return toks, nil
		}
		if len(toks)-first >= maxTokens {
			return toks, &lexError{start, "Statement has more than " + strconv.Itoa(maxTokens) + " tokens", boundError}
		}
		toks = append(toks, Token{kind, uint32(start), uint32(s.pos)})
	}
}

// newScanner checks the length and encoding of text.
func newScanner(text string) (scanner, *lexError) {
	if len(text) > maxStatement {
		return scanner{}, &lexError{0, "Statement has more than " + strconv.Itoa(maxStatement) + " bytes", boundError}
	}
	if !utf8.ValidString(text) {
		at := 0
		for r, n := utf8.DecodeRuneInString(text); r != utf8.RuneError || n > 1; r, n = utf8.DecodeRuneInString(text[at:]) {
			at += n
		}
		return scanner{}, &lexError{at, "no viable alternative at character '\ufffd'", placedError}
	}
	return scanner{text: text}, nil
}

// answer returns the error as the client sees it.
func (e *lexError) answer(text string) *cql.Error {
	switch e.class {
	case plainError:
		return syntaxError(e.msg)
	case boundError:
		return cql.Invalidf("%s", e.msg)
	}
	line, column := position(text, e.offset)
	return syntaxError("line " + itoa(line) + ":" + itoa(column) + " " + e.msg)
}

// at returns the byte at offset i, 0 behind the end.
func (s *scanner) at(i int) byte {
	if i < len(s.text) {
		return s.text[i]
	}
	return 0
}

// fail stops the scanner. what is an ANTLR message with %s for the character at offset.
func (s *scanner) fail(offset int, before, after string) Kind {
	char := "<EOF>"
	if offset < len(s.text) {
		r, _ := utf8.DecodeRuneInString(s.text[offset:])
		switch {
		case r == '\n':
			char = `\n`
		case r == '\t':
			char = `\t`
		case r == '\r':
			char = `\r`
		case r > 0xffff:
			char = "?" // ANTLR sees half of a surrogate pair.
		default:
			char = string(r)
		}
	}
	s.err = &lexError{offset, before + "'" + char + "'" + after, placedError}
	return kindEOF
}

// noViable reports a character that begins nothing.
func (s *scanner) noViable(offset int) Kind {
	return s.fail(offset, "no viable alternative at character ", "")
}

// mismatch reports a wrong character; want is what ANTLR says it expected, "set null" for one of several.
func (s *scanner) mismatch(offset int, want string) Kind {
	return s.fail(offset, "mismatched character ", " expecting "+want)
}

// next returns the next token's kind and start; it ends at s.pos. At the end, and on errors (s.err), it returns kindEOF.
func (s *scanner) next() (Kind, int) {
	if !s.skip() {
		return kindEOF, s.pos
	}
	start := s.pos
	if start >= len(s.text) {
		return kindEOF, start
	}
	kind := s.token(start)
	if s.err == nil {
		s.nest(kind, start)
	}
	if s.err != nil {
		return kindEOF, start
	}
	s.last = kind
	return kind, start
}

// skip passes blanks and comments; false means an unclosed comment.
func (s *scanner) skip() bool {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case classes[c] == blankClass:
			s.pos++
		case classes[c] != 0:
			return true
		case c == '-' && s.at(s.pos+1) == '-', c == '/' && s.at(s.pos+1) == '/':
			end := strings.IndexAny(s.text[s.pos:], "\n\r")
			if end < 0 {
				s.mismatch(len(s.text), "set null")
				return false
			}
			s.pos += end + 1
		case c == '/' && s.at(s.pos+1) == '*':
			end := strings.Index(s.text[s.pos+2:], "*/")
			if end < 0 {
				s.mismatch(len(s.text), "'*'")
				return false
			}
			s.pos += end + 4
		default:
			return true
		}
	}
	return true
}

// nest bounds how deep brackets and type parameters nest, before any recursive code sees them.
func (s *scanner) nest(kind Kind, start int) {
	switch kind {
	case kindLParen, kindLBracket, kindLBrace, kindExpr:
		s.depth++
	case kindRParen, kindRBracket, kindRBrace:
		s.depth--
	case kindLT:
		switch s.last {
		case wordMap, wordList, wordSet, wordTuple, wordVector, wordFrozen:
			s.angles++
		}
	case kindGT:
		s.angles = max(0, s.angles-1)
	case wordAnd:
		s.angles = 0 // list < 5 AND ...: these were comparisons.
	}
	if s.depth > maxDepth || s.angles > maxDepth {
		s.err = tooDeep(start)
	}
}

// tooDeep is the refusal of what nests deeper than maxDepth.
func tooDeep(offset int) *lexError {
	return &lexError{offset, "statement is nested deeper than " + strconv.Itoa(maxDepth) + " levels", placedError}
}

// simple maps the bytes that are tokens by themselves.
var simple = [128]Kind{
	'?': kindMarker, ';': kindSemicolon, '(': kindLParen, ')': kindRParen, '[': kindLBracket, ']': kindRBracket,
	'{': kindLBrace, '}': kindRBrace, ',': kindComma, ':': kindColon, '*': kindStar, '/': kindSlash, '%': kindPercent,
	'=': kindEQ,
}

// token scans the token at start and moves s.pos behind it.
func (s *scanner) token(start int) Kind {
	c := s.text[start]
	if c < 128 && simple[c] != 0 {
		s.pos = start + 1
		return simple[c]
	}
	switch {
	case isLetter(c):
		return s.word(start)
	case isDigit(c):
		return s.number(start, start)
	}
	switch c {
	case '\'':
		return s.quoted(start)
	case '"':
		return s.name(start)
	case '$':
		return s.dollars(start)
	case '-':
		return s.minus(start)
	case '+':
		return s.pair(start, '=', kindAddTo, kindPlus)
	case '<':
		return s.pair(start, '=', kindLE, kindLT)
	case '>':
		return s.pair(start, '=', kindGE, kindGT)
	case '.':
		return s.pair(start, '.', kindRange, kindDot)
	case '!':
		if s.at(start+1) != '=' {
			return s.mismatch(start+1, "'='")
		}
		s.pos = start + 2
		return kindNEQ
	}
	return s.noViable(start)
}

// pair returns double when second follows, else single.
func (s *scanner) pair(start int, second byte, double, single Kind) Kind {
	if s.at(start+1) == second {
		s.pos = start + 2
		return double
	}
	s.pos = start + 1
	return single
}

// quoted scans '..'.
func (s *scanner) quoted(start int) Kind {
	for i := start + 1; ; i += 2 {
		end := strings.IndexByte(s.text[i:], '\'')
		if end < 0 {
			return s.mismatch(len(s.text), "'''")
		}
		i += end
		if s.at(i+1) != '\'' {
			s.pos = i + 1
			return kindString
		}
	}
}

// name scans "..".
func (s *scanner) name(start int) Kind {
	for i := start + 1; ; i += 2 {
		end := strings.IndexByte(s.text[i:], '"')
		if end < 0 {
			return s.mismatch(len(s.text), `'"'`)
		}
		i += end
		if s.at(i+1) != '"' {
			s.pos = i + 1
			if s.pos == start+2 {
				return kindEmptyName
			}
			return kindQuotedName
		}
	}
}

// dollars scans $$..$$. The generated rule stops one character before the end of the text, and names that one.
func (s *scanner) dollars(start int) Kind {
	if s.at(start+1) != '$' {
		return s.mismatch(start+1, "'$'")
	}
	end := strings.Index(s.text[start+2:], "$$")
	if end >= 0 {
		s.pos = start + end + 4
		return kindString
	}
	last := len(s.text) - 1
	for last > start+2 && !utf8.RuneStart(s.text[last]) {
		last--
	}
	if last < start+2 || s.text[last] == '$' {
		last = len(s.text)
	}
	return s.mismatch(last, "'$'")
}

// word scans a name, a keyword, a UUID that begins with a letter, an ISO duration or expr(.
func (s *scanner) word(start int) Kind {
	text, c := s.text, s.text[start]
	end, seen := start+1, classes[c]
	for end < len(text) {
		class := classes[text[end]]
		if class&(digitClass|letterClass|underscoreClass) == 0 {
			break
		}
		seen |= class
		end++
	}
	s.upper = seen&upperClass != 0
	next := s.at(end)
	if next == '-' {
		if end-start == 8 && hexRun(s.text[start:end]) == 8 {
			return s.uuid(start)
		}
		if end-start == 5 && s.text[start] == 'P' && digitRun(s.text[start+1:end]) == 4 {
			return s.isoAlternative(end)
		}
	}
	s.pos = end
	word := s.text[start:end]
	if next == '(' && word == "expr" {
		s.pos = end + 1
		return kindExpr
	}
	if word[0] == 'P' && len(word) > 2 {
		if stop, bad := isoPeriod(s.text, start+1); bad < 0 && stop == end {
			return kindDuration
		}
	}
	if s.literalsOnly {
		switch c | 0x20 {
		case 't', 'f', 'n', 'i':
		default:
			return kindIdent
		}
	}
	return wordKind(word)
}

// minus scans what begins with -, which is not a comment.
func (s *scanner) minus(start int) Kind {
	switch c := s.at(start + 1); c {
	case 'n', 'N':
		return s.negative(start, "nan")
	case 'i', 'I':
		return s.negative(start, "infinity")
	case 'P':
		stop, bad := isoPeriod(s.text, start+2)
		if stop == start+6 && s.at(stop) == '-' {
			return s.isoAlternative(stop)
		}
		if bad >= 0 {
			return s.noViable(bad)
		}
		s.pos = stop
		return kindDuration
	default:
		if isDigit(c) {
			return s.number(start, start+1)
		}
		return s.pair(start, '=', kindSubFrom, kindMinus)
	}
}

// negative scans -nan and -infinity.
func (s *scanner) negative(start int, word string) Kind {
	for i := 0; i < len(word); i++ {
		if s.at(start+1+i)|0x20 != word[i] {
			return s.mismatch(start+1+i, "set null")
		}
	}
	s.pos = start + 1 + len(word)
	return kindFloat
}

// tooLarge reports whether a floating point literal is beyond the range of a double, which Cassandra finds out while it
// parses: it takes the literal through a double to see which type fits best.
func tooLarge(literal string) bool {
	if len(literal) < 300 && !strings.ContainsAny(literal, "eE") {
		return false
	}
	f, _ := strconv.ParseFloat(literal, 64)
	return math.IsInf(f, 0)
}

// The classes of ASCII characters, as bits of classes.
const (
	digitClass = 1 << iota
	letterClass
	underscoreClass
	hexClass
	blankClass
	upperClass
)

// classes holds the classes of each byte; bytes above ASCII have none.
var classes = func() (t [256]uint8) {
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = letterClass, letterClass|upperClass
	}
	for c := 'a'; c <= 'f'; c++ {
		t[c] |= hexClass
		t[c-'a'+'A'] |= hexClass
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = digitClass | hexClass
	}
	t['_'] = underscoreClass
	t[' '], t['\t'], t['\n'], t['\r'] = blankClass, blankClass, blankClass, blankClass
	return t
}()

// isDigit reports whether c is one of 0 to 9.
func isDigit(c byte) bool { return classes[c]&digitClass != 0 }

// isLetter reports whether c is an ASCII letter.
func isLetter(c byte) bool { return classes[c]&letterClass != 0 }

// isHex reports whether c is a hexadecimal digit.
func isHex(c byte) bool { return classes[c]&hexClass != 0 }

// digitRun returns how many digits text begins with.
func digitRun(text string) int {
	n := 0
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	return n
}

// hexRun returns how many hexadecimal digits text begins with, at most 9: a UUID's first group is 8.
func hexRun(text string) int {
	n := 0
	for n < len(text) && n < 9 && isHex(text[n]) {
		n++
	}
	return n
}
