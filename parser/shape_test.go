package parser

import (
	"fmt"
	"strings"
	"testing"
)

// TestShape wants statements that differ in literals, case, blanks and comments to have one shape.
func TestShape(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT A FROM T WHERE k = 5":                       "select a from t where k = $I | 5",
		"select a\n from t -- five\n where k=-5;; ":         "select a from t where k = $I | -5",
		`INSERT INTO t ("B") VALUES ('it''s')`:              `insert into t ( "B" ) values ( $S ) | it's`,
		"UPDATE t SET a = a -1, b = TRUE, c = nan":          "update t set a = a $I , b = $B , c = $F | -1 TRUE NaN",
		"BEGIN BATCH a; b;; APPLY BATCH;":                   "begin batch a ; b ; ; apply batch |",
		"SELECT null, ?, :X, 1h, 0xFF FROM t":               "select null , ? , : x , $D , $H from t | 1h FF",
		"12345678-9abc-def0-1234-56789abcdef0 -Infinity 1.": "$U $F $F | 12345678-9abc-def0-1234-56789abcdef0 -Infinity 1.",
		"EXPR(a) expr(a)":                                   "expr ( a ) expr( a ) |",
	} {
		shape, lits, err := Shape(text, nil, nil)
		got := string(shape) + " |"
		for _, l := range lits {
			got += " " + l.Text
		}
		if err != nil || got != want {
			t.Errorf("%s:\n got  %s (%v)\n want %s", text, got, err, want)
		}
	}
}

// TestShaped wants trees that hold texts of literals outside of slots not to be shared by shape.
func TestShaped(t *testing.T) {
	for text, want := range map[string]bool{
		"SELECT a FROM t WHERE k = 5":                       true,
		"SELECT a FROM t WHERE k = (int)5":                  true,
		"SELECT a FROM t WHERE k = (vector<int,2>)?":        false,
		"SELECT (list<vector<int,2>>)a FROM t":              false,
		"INSERT INTO t (a) VALUES (('Int32Type')5)":         false,
		"CREATE TABLE t (a int PRIMARY KEY)":                false,
		"BEGIN BATCH DELETE FROM t WHERE a = 1 APPLY BATCH": true,
	} {
		p, err := Parse(text)
		if err != nil || p.Shaped != want {
			t.Errorf("%s: %v, %v", text, p, err)
		}
	}
}

// TestMarkers wants names folded, in the order of the text, once per use, and the tree to count them so.
func TestMarkers(t *testing.T) {
	p, err := Parse(`INSERT INTO t (a, b, c) VALUES (:B, ?, {:b: :"C", ?: :d}) USING TTL :t AND TIMESTAMP :ts`)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.Markers, ","); got != "b,,b,C,,d,t,ts" {
		t.Errorf("markers %s", got)
	}
	const want = `INSERT INTO t (a, b, c) VALUES (:b, ?, {:b: :"C", ?: :d}) USING TIMESTAMP :ts AND TTL :t`
	if got := fmt.Sprint(p.Statement); got != want {
		t.Errorf("printed %s", got)
	}
}
