package parser

import (
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql"
)

// TestKeywords finds every word in any case, wants the constants to name their words, and the reserved ones to be those that
// package cql knows of.
func TestKeywords(t *testing.T) {
	for i, w := range keywords {
		want := firstKeyword + Kind(i)
		for _, word := range []string{w.word, strings.ToLower(w.word), w.word[:1] + strings.ToLower(w.word[1:])} {
			if got := wordKind(word); got != want {
				t.Errorf("%s is %v, want %v", word, got, want)
			}
		}
		if len(w.word) > longestWord {
			t.Errorf("%s is longer than longestWord", w.word)
		}
		if reserved := cql.IsReserved(w.word); reserved != (w.class == reservedWord) {
			t.Errorf("%s: reserved is %v in package cql", w.word, reserved)
		}
	}
	for kind, word := range map[Kind]string{
		wordCount: "COUNT", wordKey: "KEY", wordToken: "TOKEN", wordNull: "NULL", wordFrozen: "FROZEN", wordAnd: "AND",
		wordWhere: "WHERE",
	} {
		if kind.String() != word {
			t.Errorf("%v stands where %s should", kind, word)
		}
	}
	for word, want := range map[string]Kind{
		"table": wordKind("columnfamily"), "columnfamilies": wordKind("tables"), "true": kindBoolean, "FALSE": kindBoolean,
		"NaN": kindFloat, "infinity": kindFloat, "between": kindIdent, "selects": kindIdent, "select_": kindIdent,
		"materialized_views": kindIdent,
	} {
		if got := wordKind(word); got != want {
			t.Errorf("%s is %v, want %v", word, got, want)
		}
	}
}
