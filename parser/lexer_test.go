package parser

import (
	"strings"
	"testing"
)

// TestLex cuts texts into kinds and texts. The failures, and many more successes, are in testdata/oracle.txt.
func TestLex(t *testing.T) {
	for text, want := range map[string]string{
		"a-1":                     "IDENT:a INTEGER:-1",
		"a - 1":                   "IDENT:a -:- INTEGER:1",
		"1..2 1. 1.5 1.e5 1...2":  "INTEGER:1 ..:.. INTEGER:2 FLOAT:1. FLOAT:1.5 FLOAT:1.e5 FLOAT:1. ..:.. INTEGER:2",
		".5":                      ".:. INTEGER:5",
		"1e5 -1E-5 NaN -nan":      "FLOAT:1e5 FLOAT:-1E-5 FLOAT:NaN FLOAT:-nan",
		"1h30m P1Y2M -PT5S P2W":   "DURATION:1h30m DURATION:P1Y2M DURATION:-PT5S DURATION:P2W",
		"1mo 1µs 1d345678":        "DURATION:1mo DURATION:1µs",
		"P1 P1Ya p1y PT":          "IDENT:P1 IDENT:P1Ya IDENT:p1y IDENT:PT",
		"P0001-02-03T04:05:06":    "DURATION:P0001-02-03T04:05:06",
		"0x 0XaF 0xg":             "HEXNUMBER:0x HEXNUMBER:0XaF HEXNUMBER:0x IDENT:g",
		"abcdef12 -1 abcdef1-1":   "IDENT:abcdef12 INTEGER:-1 IDENT:abcdef1 INTEGER:-1",
		"'it''s' $$it's$$ ''":     "STRING_LITERAL:'it''s' STRING_LITERAL:$$it's$$ STRING_LITERAL:''",
		`"a""b" "" """"`:          `QUOTED_NAME:"a""b" EMPTY_QUOTED_NAME:"" QUOTED_NAME:""""`,
		"a--b\nc//d\r/*e*/f":      "IDENT:a IDENT:c IDENT:f",
		"<= < >= > != = += + -= ": "<=:<= <:< >=:>= >:> !=:!= =:= +=:+= +:+ -=:-=",
		"expr(a) expr (a)":        "expr(:expr( IDENT:a ):) IDENT:expr (:( IDENT:a ):)",
		"Select TRUE Table":       "SELECT:Select BOOLEAN:TRUE COLUMNFAMILY:Table",
		"?:a;":                    "?:? ::: IDENT:a ;:;",
	} {
		toks, err := Lex(text, nil)
		if text == "1mo 1µs 1d345678" {
			if err == nil {
				t.Errorf("%s: no error", text)
			}
		} else if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		var got []string
		for _, tok := range toks {
			got = append(got, tok.Kind.String()+":"+text[tok.Start:tok.End])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s:\n got  %s\n want %s", text, strings.Join(got, " "), want)
		}
	}
}
