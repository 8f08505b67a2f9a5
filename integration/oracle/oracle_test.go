package oracle

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/integration/start"
)

// TestJudge runs all scripts against a freshly started Helenus (or the server at HELENUS_ADDR) and compares the answers
// with Cassandra's recorded ones.
func TestJudge(t *testing.T) {
	node, err := start.Server()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Stop(); err != nil {
			t.Error(err)
		}
	})
	deviations, err := LoadDeviations(filepath.Join("..", "DEVIATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join("scripts", "*.cql"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	ran := 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".cql"), func(t *testing.T) {
			ran++
			judgeFile(t, node.Address, file, deviations)
		})
	}
	if t.Failed() || ran < len(files) || !node.Started() {
		return
	}
	for _, v := range deviations {
		if !v.Used() {
			t.Errorf("DEVIATIONS.md:%d: nothing differs like this any more: %s", v.Line, v.Statement)
		}
	}
}

func judgeFile(t *testing.T, address, file string, deviations []*Deviation) {
	script, err := LoadScript(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := LoadAnswers(strings.TrimSuffix(file, ".cql") + ".answers")
	if err != nil {
		t.Fatal(err)
	}
	got, err := NewRunner(address).Run(script)
	if err != nil {
		t.Error(err)
	}
	diffs, err := Compare(script.Name, want, got, deviations)
	if err != nil {
		t.Error(err)
	}
	for _, d := range diffs {
		if d.Deviation == nil {
			t.Error(d.String())
		}
	}
}

// TestRecordings checks without any server that each script has a whole recording and that it survives being written.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("scripts", "*.cql"))
	if err != nil {
		t.Fatal(err)
	}
	statements := 0
	for _, file := range files {
		script, err := LoadScript(file)
		if err != nil {
			t.Fatal(err)
		}
		answers, err := LoadAnswers(strings.TrimSuffix(file, ".cql") + ".answers")
		if err != nil {
			t.Fatal(err)
		}
		if len(answers) != len(script.Steps) {
			t.Errorf("%s: %d statements, %d answers", file, len(script.Steps), len(answers))
			continue
		}
		for i, a := range answers {
			if a.Title != script.Steps[i].Title() {
				t.Errorf("%s:%d: recorded for %q", file, script.Steps[i].Line, a.Title)
			}
		}
		statements += len(answers)
		if again := ParseAnswers(FormatAnswers(answers)); len(again) != len(answers) {
			t.Errorf("%s: %d answers become %d when written", file, len(answers), len(again))
		}
	}
	if statements < 1000 {
		t.Errorf("%d statements; the judge is to have a thousand", statements)
	}
}

func TestParseScript(t *testing.T) {
	script, err := ParseScript("x", `--- a comment
-- page 3
-- values int:1, name='a;b', null
SELECT *
FROM t;
BEGIN BATCH
  INSERT INTO t (k) VALUES (1);
APPLY BATCH;
-- raw
SELECT 1;;
-- end
-- batch unlogged
-- values int:1
INSERT INTO t (k) VALUES (?);
-- end
-- execute p
`)
	if err != nil {
		t.Fatal(err)
	}
	titles := []string{"SELECT * FROM t", "BEGIN BATCH INSERT INTO t (k) VALUES (1); APPLY BATCH", "SELECT 1;;",
		"BATCH(1) INSERT INTO t (k) VALUES (?)", "EXECUTE p"}
	if len(script.Steps) != len(titles) {
		t.Fatalf("%d steps", len(script.Steps))
	}
	for i, want := range titles {
		if got := script.Steps[i].Title(); got != want {
			t.Errorf("step %d is %q, not %q", i, got, want)
		}
	}
	if s := script.Steps[0]; s.Page != 3 || len(s.Values) != 3 || s.Values[1].name != "name" || s.Line != 4 {
		t.Errorf("the directives of %+v", s)
	}
}

func TestParseScriptRefuses(t *testing.T) {
	for _, text := range []string{"-- nope\n", "SELECT 1", "-- raw\nx\n", "-- end\n", "-- page x\nSELECT 1;", "-- batch odd\n"} {
		if _, err := ParseScript("x", text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		want, got string
		same      bool
	}{
		{"void", "void", true},
		{"error 0x2000 line 1:5 no viable alternative", "error 0x2000 line 1:5 unexpected token", true},
		{"error 0x2000 line 1:5 no viable alternative", "error 0x2000 line 1:6 no viable alternative", false},
		{"error 0x2000 Unknown property 'a'", "error 0x2000 Unknown property 'b'", false},
		{"error 0x2200 line 1:5 a", "error 0x2200 line 1:5 b", false},
	} {
		if got := same([]string{c.want}, []string{c.got}); got != c.same {
			t.Errorf("%q and %q: %v", c.want, c.got, got)
		}
	}
}

func TestValuesRoundTrip(t *testing.T) {
	for _, c := range []struct{ typ, literal, text string }{
		{"int", "-5", "-5"}, {"text", "'it''s'", `"it's"`}, {"varint", "-129", "-129"}, {"varint", "128", "128"},
		{"decimal", "-1.50", "-150E-2"}, {"boolean", "true", "true"}, {"inet", "::1", "::1"},
		{"list<int>", "[1, 2]", "[1, 2]"}, {"map<text, int>", "{'a': 1}", `{"a": 1}`}, {"tuple<int, text>", "(1, 'a')", `(1, "a")`},
		{"vector<float, 2>", "[1.5, 2]", "[1.5, 2]"}, {"vector<text, 2>", "['a', 'bc']", `["a", "bc"]`},
		{"duration", "-1/-2/-300", "-1mo-2d-300ns"}, {"timestamp", "1970-01-01T00:00:01.000Z", "1970-01-01T00:00:01.000Z"},
		{"date", "1969-12-31", "1969-12-31"}, {"double", "1e300", "1e+300"}, {"list<list<int>>", "[[1], []]", "[[1], []]"},
	} {
		typ, err := parseCQLType(c.typ)
		if err != nil {
			t.Fatal(err)
		}
		b, err := encodeLiteral(typ, c.literal)
		if err != nil {
			t.Errorf("%s %s: %v", c.typ, c.literal, err)
			continue
		}
		if got := printValue(typ, b); got != c.text {
			t.Errorf("%s %s is printed %s, not %s", c.typ, c.literal, got, c.text)
		}
	}
}

func TestSortSignatures(t *testing.T) {
	const in = "error 0x2200 x (known type signatures: s.g : (int, text) -> int, s.f : (map<int, int>) -> int)"
	const want = "error 0x2200 x (known type signatures: s.f : (map<int, int>) -> int, s.g : (int, text) -> int)"
	if got := sortSignatures(in); got != want {
		t.Errorf("%s", got)
	}
	if got := sortSignatures("error 0x2200 other"); got != "error 0x2200 other" {
		t.Errorf("%s", got)
	}
}
