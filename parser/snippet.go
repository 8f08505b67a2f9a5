package parser

import (
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// standsAlone reports whether ANTLR's prediction of a rule starts at a token of kind k when the next one fails it: then the
// brackets of the snippet stand round the former.
func standsAlone(k Kind) bool {
	switch k {
	case kindIdent, kindQuotedName, kindMarker, wordSelect:
		return true
	}
	return k >= firstKeyword && k.class() != reservedWord
}

// snippet returns the part of the statement round the token at index at, which stands in brackets: ten tokens before and two
// behind it, where blanks count as tokens. Source: org.apache.cassandra.cql3.ErrorCollector.
func snippet(text string, toks []Token, at int) string {
	t := toks[at]
	from, before := int(t.Start), 10
	for i := at; before > 0 && from > 0; before-- {
		if i > 0 && int(toks[i-1].End) == from {
			i--
			from = int(toks[i].Start)
		} else if i > 0 {
			from = int(toks[i-1].End)
		} else {
			from = 0
		}
	}
	to := int(t.End)
	for i, after := at+1, 2; after > 0 && to < len(text); after-- {
		switch {
		case i < len(toks) && int(toks[i].Start) == to:
			to = int(toks[i].End)
			i++
		case i < len(toks):
			to = int(toks[i].Start)
		default:
			to = len(text)
		}
	}
	var b strings.Builder
	b.WriteString(" (")
	if from > 0 {
		b.WriteString("...")
	}
	b.WriteString(text[from:t.Start])
	b.WriteByte('[')
	b.WriteString(text[t.Start:t.End])
	b.WriteByte(']')
	b.WriteString(text[t.End:to])
	if to < len(text) {
		b.WriteString("...")
	}
	b.WriteByte(')')
	return strings.ReplaceAll(b.String(), "\n", "")
}
