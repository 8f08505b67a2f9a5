package parser

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql"
)

// TestBadInput is reliability.md 4, items 69 to 75 and 80, as far as the grammar decides them.
func TestBadInput(t *testing.T) {
	deep := func(open, inner, closing string, n int) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(closing, n)
	}
	insert := func(term string) string { return "INSERT INTO t (a) VALUES (" + term + ")" }
	for name, c := range map[string]struct {
		text string
		code cql.ErrorCode
	}{
		"empty":            {"", cql.CodeSyntax},
		"blanks":           {" \t\r\n", cql.CodeSyntax},
		"semicolon":        {";", cql.CodeSyntax},
		"comment":          {"-- x\n", cql.CodeSyntax},
		"unclosed comment": {"SELECT a /* FROM t", cql.CodeSyntax},
		"unclosed line":    {"SELECT a FROM t -- x", cql.CodeSyntax},
		"unclosed string":  {"SELECT 'a FROM t", cql.CodeSyntax},
		"unclosed name":    {`SELECT "a FROM t`, cql.CodeSyntax},
		"unclosed dollars": {"SELECT $$a FROM t", cql.CodeSyntax},
		"NUL":              {"SELECT a\x00 FROM t", cql.CodeSyntax},
		"not UTF-8":        {"SELECT '\xff' FROM t", cql.CodeSyntax},
		"two statements":   {"SELECT a FROM t; SELECT a FROM t", cql.CodeSyntax},
		"16 MiB of (":      {strings.Repeat("(", 16<<20), cql.CodeSyntax},
		"too long":         {strings.Repeat(" ", 16<<20) + "SELECT a FROM t", cql.CodeInvalid},
		"IN of a million":  {"SELECT a FROM t WHERE a IN (1" + strings.Repeat(",1", 1_000_000) + ")", cql.CodeInvalid},
		"casts":            {insert(deep("CAST(", "1", " AS int)", 100_000)), cql.CodeSyntax},
		"lists":            {insert(deep("[", "1", "]", 100_000)), cql.CodeSyntax},
		"functions":        {insert(deep("f(", "1", ")", 100_000)), cql.CodeSyntax},
		"hints":            {insert(deep("(int)", "1", "", 100_000)), cql.CodeSyntax},
		"relations":        {"SELECT a FROM t WHERE " + deep("(", "a = 1", ")", 100_000), cql.CodeSyntax},
		"signs":            {"SELECT " + strings.Repeat("- ", 100_000) + "a FROM t", cql.CodeSyntax},
		"fields":           {"SELECT a" + strings.Repeat(".b", 100_000) + " FROM t", cql.CodeSyntax},
		"sums":             {"SELECT a" + strings.Repeat(" + b", 100_000) + " FROM t", cql.CodeSyntax},
		"types":            {"CREATE TABLE t (a " + deep("frozen<", "int", ">", 100_000) + ", PRIMARY KEY (a))", cql.CodeSyntax},
		"type hints":       {"SELECT (" + deep("list<", "int", ">", 100_000) + ")a FROM t", cql.CodeSyntax},
		"markers":          {"SELECT a FROM t WHERE a IN (?" + strings.Repeat(",?", 70_000) + ")", cql.CodeInvalid},
		"limit":            {"SELECT a FROM t LIMIT 1.5", cql.CodeSyntax},
	} {
		start := time.Now()
		_, err := Parse(c.text)
		took := time.Since(start)
		var e *cql.Error
		if !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%s: got %v", name, err)
		}
		t.Logf("%s: %v: %.150v", name, took, err)
	}
}

// TestLongStatements must parse: their size is for guardrails to judge.
func TestLongStatements(t *testing.T) {
	for name, text := range map[string]string{
		"100,000 relations": "SELECT a FROM t WHERE a = 1" + strings.Repeat(" AND a = 1", 100_000),
		"IN of 200,000":     "SELECT a FROM t WHERE a IN (1" + strings.Repeat(",1", 199_999) + ")",
		"a name of 10 MiB":  "SELECT " + strings.Repeat("a", 10<<20) + " FROM t",
		"quoted paths":      `SELECT "../../etc", "a/b", "con", "😀" FROM t`,
		"65,535 markers":    "SELECT a FROM t WHERE a IN (?" + strings.Repeat(",?", 65_534) + ")",
		"48 brackets":       "SELECT a FROM t WHERE a = " + strings.Repeat("[", 48) + strings.Repeat("]", 48),
		"NUL in a string":   "SELECT 'a\x00b' FROM t",
		"negative limit":    "SELECT a FROM t LIMIT -1",
		"like bomb":         "SELECT a FROM t WHERE a LIKE '%%%%%%%%%%%%%%%%%%%%%%%%%%'",
	} {
		start := time.Now()
		if _, err := Parse(text); err != nil {
			t.Errorf("%s: %.150v", name, err)
		}
		t.Logf("%s: %v", name, time.Since(start))
	}
}

// TestTooManyMarkers has Cassandra's text.
func TestTooManyMarkers(t *testing.T) {
	_, err := Parse("SELECT a FROM t WHERE a IN (?" + strings.Repeat(",?", 65_535) + ")")
	const want = "Too many markers(?). 65536 markers exceed the allowed maximum of 65535"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
