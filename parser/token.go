package parser

// Kind is the class of a token: one per keyword, one per punctuation mark, one per class of literal or name.
// Source: org.apache.cassandra.cql3 Lexer.g.
type Kind uint8

// Token is one lexeme: its text is text[Start:End] of the statement, with quotes and escapes. Blanks and comments make
// no tokens.
type Token struct {
	Kind       Kind
	Start, End uint32
}

// The kinds that are no keywords.
const (
	kindEOF    Kind = iota
	kindBroken      // where the lexer stopped with an error; only the grammar sees it
	kindIdent
	kindQuotedName
	kindEmptyName // ""
	kindString    // '..' and $$..$$
	kindInteger
	kindFloat // with NaN and Infinity
	kindBoolean
	kindDuration
	kindUUID
	kindHex
	kindMarker    // ?
	kindExpr      // expr( in one piece, as it stands in the grammar
	kindSemicolon // ;
	kindLParen    // (
	kindRParen    // )
	kindLBracket  // [
	kindRBracket  // ]
	kindLBrace    // {
	kindRBrace    // }
	kindComma     // ,
	kindDot       // .
	kindRange     // ..
	kindColon     // :
	kindPlus      // +
	kindMinus     // -
	kindStar      // *
	kindSlash     // /
	kindPercent   // %
	kindAddTo     // +=
	kindSubFrom   // -=
	kindEQ        // =
	kindLT        // <
	kindLE        // <=
	kindGT        // >
	kindGE        // >=
	kindNEQ       // !=
	firstKeyword
)

// spelling holds the text of each punctuation mark, and what error messages call the other kinds.
var spelling = [firstKeyword]string{
	kindEOF: "EOF", kindBroken: "BROKEN", kindIdent: "IDENT", kindQuotedName: "QUOTED_NAME", kindEmptyName: "EMPTY_QUOTED_NAME",
	kindString: "STRING_LITERAL", kindInteger: "INTEGER", kindFloat: "FLOAT", kindBoolean: "BOOLEAN",
	kindDuration: "DURATION", kindUUID: "UUID", kindHex: "HEXNUMBER", kindMarker: "?", kindExpr: "expr(", kindSemicolon: ";",
	kindLParen: "(", kindRParen: ")", kindLBracket: "[", kindRBracket: "]", kindLBrace: "{", kindRBrace: "}",
	kindComma: ",", kindDot: ".", kindRange: "..", kindColon: ":", kindPlus: "+", kindMinus: "-", kindStar: "*",
	kindSlash: "/", kindPercent: "%", kindAddTo: "+=", kindSubFrom: "-=", kindEQ: "=", kindLT: "<", kindLE: "<=",
	kindGT: ">", kindGE: ">=", kindNEQ: "!=",
}

// isLiteral reports whether tokens of kind k are lifted out of a statement's shape. NULL is a keyword.
func (k Kind) isLiteral() bool { return k >= kindString && k <= kindHex }

// String returns the text of punctuation, the upper case word of a keyword, and ANTLR's name of any other kind.
func (k Kind) String() string {
	if k < firstKeyword {
		return spelling[k]
	}
	if int(k-firstKeyword) < len(keywords) {
		return keywords[k-firstKeyword].word
	}
	return "unknown"
}
