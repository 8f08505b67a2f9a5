package parser

import (
	"strconv"
	"strings"
)

// itoa returns n in decimal.
func itoa(n int) string { return strconv.Itoa(n) }

// snippet returns the part of the statement round the token at index bracket, which stands in brackets: from ten tokens
// before it to the token at index last, at most two behind it; blanks count as tokens. Strings and quoted names count as
// long as they are without their quotes, as in Cassandra. Source: org.apache.cassandra.cql3.ErrorCollector.
func snippet(text string, toks []Token, bracket, last int) string {
	t := toks[bracket]
	from := int(t.Start)
	for i, before := bracket, 10; before > 0 && from > 0; before-- {
		switch {
		case i > 0 && int(toks[i-1].End) == from:
			i--
			from = int(toks[i].Start)
		case i > 0:
			from = int(toks[i-1].End)
		default:
			from = 0
		}
	}
	to, end := int(t.Start)+shownLength(text, t), int(t.End)
	for i, after := bracket+1, 2; after > 0 && i <= last; after-- {
		if i == len(toks) {
			return "" // Cassandra shows nothing when the end is in sight.
		}
		if int(toks[i].Start) == end {
			to, end = int(toks[i].Start)+shownLength(text, toks[i]), int(toks[i].End)
			i++
		} else {
			to, end = int(toks[i].Start), int(toks[i].Start)
		}
	}
	shown := int(t.Start) + shownLength(text, t)
	to = max(to, shown)
	var b strings.Builder
	b.WriteString(" (")
	if from > 0 {
		b.WriteString("...")
	}
	b.WriteString(text[from:t.Start])
	b.WriteByte('[')
	b.WriteString(text[t.Start:shown])
	b.WriteByte(']')
	b.WriteString(text[shown:to])
	if to < len(text) {
		b.WriteString("...")
	}
	b.WriteByte(')')
	return strings.ReplaceAll(b.String(), "\n", "")
}

// shownLength returns how many bytes of a token a snippet shows.
func shownLength(text string, t Token) int { return len(shownText(text, t)) }

// shownText returns a token as messages name it: strings and quoted names without their quotes.
func shownText(text string, t Token) string {
	s := text[t.Start:t.End]
	switch t.Kind {
	case kindString:
		return literalText(kindString, s)
	case kindQuotedName:
		return strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
	}
	return s
}
