package parser

import (
	"sort"
	"strings"

	"github.com/alecthomas/participle/v2"

	"github.com/helenusdb/helenus/cql"
)

// answer returns ANTLR's message: line and column of the token, what is wrong with it, and the statement round it.
func (u *unexpected) answer(text string, toks []Token) error {
	at := tokenAt(toks, u.token.Pos.Offset)
	what, msg := "<EOF>", "line 0:-1 "
	if at < len(toks) {
		what = shownText(text, toks[at])
		line, column := position(text, int(toks[at].Start))
		msg = "line " + itoa(line) + ":" + itoa(column) + " "
	}
	if u.want == kindEOF && !u.atEnd() {
		msg += "no viable alternative at input '" + what + "'"
	} else {
		msg += "mismatched input '" + what + "' expecting " + u.want.expected()
	}
	if from := tokenAt(toks, u.from); from < len(toks) {
		last := at
		if u.want == wordFrom && toks[at-1].Kind != kindStar {
			last = len(toks) // Cassandra's parser has looked further, to tell what is selected.
		}
		msg += snippet(text, toks, from, last)
	}
	return syntaxError(msg)
}

// longestMessage is how many bytes of a message are sent; the statement may be in it, and the protocol has 65535 for it.
const longestMessage = 1 << 15

// syntaxError returns a SyntaxException, cut where it is too long to send.
func syntaxError(message string) *cql.Error {
	if len(message) > longestMessage {
		message = strings.ToValidUTF8(message[:longestMessage], "")
	}
	return cql.Syntaxf("%s", message)
}

// tokenAt returns the index of the token at offset, len(toks) behind the last.
func tokenAt(toks []Token, offset int) int {
	return sort.Search(len(toks), func(i int) bool { return int(toks[i].Start) >= offset })
}

// atEnd reports whether the token stands behind a whole statement.
func (u *unexpected) atEnd() bool { return u.Msg == behindStatement }

// behindStatement is the message of an unexpected token that stands where only the end could.
const behindStatement = "expected the end"

// expected returns the name of a kind in "expecting X".
func (k Kind) expected() string {
	switch {
	case k >= firstKeyword:
		return "K_" + k.String()
	case k == kindEOF || isLetter(k.String()[0]):
		return k.String()
	}
	return "'" + k.String() + "'"
}

// described translates an error of participle's own. Which single token it expected stands in its message; participle knows
// of the last alternative only, so where Cassandra's parser chooses among many, that is undone here.
func described(e *participle.UnexpectedTokenError, toks []Token) *unexpected {
	u := &unexpected{participle.ParseError{Pos: e.Unexpected.Pos}, e.Unexpected, e.Unexpected.Pos.Offset, kindEOF}
	at := tokenAt(toks, u.from)
	if at == 0 {
		return u
	}
	if toks[0].Kind.opensMany() && at == 1 {
		u.from = int(toks[0].Start) // CREATE and its like are told apart from their first word on.
		return u
	}
	_, want, ok := strings.Cut(e.Message(), "(expected ")
	if !ok {
		u.Msg = behindStatement
		return u
	}
	u.want = wanted(want)
	if toks[at-1].Kind.describes() {
		u.want = kindEOF
	}
	return u
}

// opensMany reports whether k is the first word of several statements.
func (k Kind) opensMany() bool {
	switch k.String() {
	case "CREATE", "ALTER", "DROP", "GRANT", "REVOKE", "LIST":
		return true
	}
	return false
}

// describes reports whether k is a word with one rule for all that follows it.
func (k Kind) describes() bool {
	switch k.String() {
	case "DESCRIBE", "DESC":
		return true
	}
	return false
}

// wanted reads the beginning of participle's grammar of what it expected: a quoted word or one of our types.
func wanted(grammar string) Kind {
	if word, ok := strings.CutPrefix(grammar, `"`); ok {
		word, _, _ = strings.Cut(word, `"`)
		if k := wordKind(word); k >= firstKeyword {
			return k
		}
		for p, spelled := range spelling {
			if word == spelled {
				return Kind(p)
			}
		}
		return kindEOF
	}
	switch name, _, _ := strings.Cut(grammar, " "); strings.TrimRight(name, ")") {
	case "text":
		return kindString
	case "integer":
		return kindInteger
	case "boolean":
		return kindBoolean
	case "languageName":
		return kindIdent
	case "constants":
		return kindLBrace
	case "columnList", "termList":
		return kindLParen
	}
	return kindEOF
}
