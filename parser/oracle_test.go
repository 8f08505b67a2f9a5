package parser

import (
	"bufio"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql"
)

// TestAsCassandra compares with what Cassandra 5.0.6 answered to a PREPARE of each statement. testdata/oracle.txt has two
// lines per statement: the statement as a Go string, then "ok" (its grammar took it), "= " and the exact text of the
// SyntaxException, or "~ " and a text of which only line and column are ours too.
func TestAsCassandra(t *testing.T) {
	f, err := os.Open("testdata/oracle.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		text, err := strconv.Unquote(lines.Text())
		if err != nil || !lines.Scan() {
			t.Fatalf("testdata/oracle.txt: statement %d: %v", n+1, err)
		}
		n++
		checkAnswer(t, text, lines.Text())
	}
	if n < 1000 {
		t.Errorf("only %d statements", n)
	}
}

func checkAnswer(t *testing.T, text, want string) {
	t.Helper()
	_, err := Parse(text)
	if want == "ok" {
		if err != nil {
			t.Errorf("%q: Cassandra takes it, got %v", text, err)
		}
		return
	}
	var e *cql.Error
	if !errors.As(err, &e) || e.Code != cql.CodeSyntax {
		t.Errorf("%q: got %v, Cassandra says %s", text, err, want)
		return
	}
	exact, want := want[:2], want[2:]
	switch {
	case exact == "= " && e.Message != want:
		t.Errorf("%q:\n got  %s\n want %s", text, e.Message, want)
	case exact == "~ " && place(e.Message) != place(want):
		t.Errorf("%q:\n got  %s\n want the place of %s", text, e.Message, want)
	}
}

// place returns "line L:C" of a message.
func place(message string) string {
	words := strings.SplitN(message, " ", 3)
	return strings.Join(words[:2], " ")
}
