package oracle

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Difference is one answer that is not Cassandra's.
type Difference struct {
	Script    string
	Line      int
	Title     string
	Want, Got []string
	Deviation *Deviation // nil: unexplained
}

// String prints a difference for a person.
func (d Difference) String() string {
	return fmt.Sprintf("%s.cql:%d: %s\n  Cassandra: %s\n  here:      %s\n", d.Script, d.Line, d.Title,
		strings.Join(d.Want, "\n             "), strings.Join(d.Got, "\n             "))
}

// Compare compares a run with its recording. Deviations that explain a difference are marked as used.
func Compare(script string, want, got []Answer, deviations []*Deviation) ([]Difference, error) {
	if len(want) < len(got) {
		return nil, fmt.Errorf("%s: %d answers are recorded for %d statements: record again", script, len(want), len(got))
	}
	var out []Difference
	for i, g := range got {
		w := want[i]
		if w.Title != g.Title {
			return out, fmt.Errorf("%s.cql:%d: recorded for %q, not for %q: record again", script, g.Line, w.Title, g.Title)
		}
		// Through text and back, so that cells of several lines compare like those of the recording.
		lines := strings.Split(strings.Join(g.Lines, "\n"), "\n")
		if same(w.Lines, lines) {
			continue
		}
		d := Difference{Script: script, Line: g.Line, Title: g.Title, Want: w.Lines, Got: lines}
		for _, v := range deviations {
			if v.explains(&d) {
				v.used = true
				d.Deviation = v
				break
			}
		}
		out = append(out, d)
	}
	return out, nil
}

var syntaxPosition = regexp.MustCompile(`^error 0x2000 line -?\d+:-?\d+`)

// same applies the rules of comparison: everything equal, but of a syntax error that names a place only the place,
// because its text is that of one parser generator.
func same(want, got []string) bool {
	if slices.Equal(want, got) {
		return true
	}
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] == got[i] {
			continue
		}
		place := syntaxPosition.FindString(want[i])
		if place == "" || syntaxPosition.FindString(got[i]) != place {
			return false
		}
	}
	return true
}

// Deviation is a row of DEVIATIONS.md: a difference on purpose.
type Deviation struct {
	Line      int
	Scripts   string         // glob over script names
	Statement *regexp.Regexp // of the statement's one-line form
	Cassandra *regexp.Regexp // some line of Cassandra's answer
	Answer    *regexp.Regexp // some line of the answer here
	Reason    string
	used      bool
}

// Used says whether the deviation explained a difference since it was loaded.
func (v *Deviation) Used() bool { return v.used }

func (v *Deviation) explains(d *Difference) bool {
	if ok, _ := path.Match(v.Scripts, d.Script); !ok || !v.Statement.MatchString(d.Title) {
		return false
	}
	return slices.ContainsFunc(d.Want, v.Cassandra.MatchString) && slices.ContainsFunc(d.Got, v.Answer.MatchString)
}

// unshown heads the part of the file with differences that no script meets.
const unshown = "## Where no script shows it"

// LoadDeviations reads the table of DEVIATIONS.md: rows `| scripts | statement | Cassandra | here | reason |`, the four
// first in backquotes, the last three of those regular expressions (`\|` is a bar).
func LoadDeviations(file string) ([]*Deviation, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var out []*Deviation
	for i, line := range strings.Split(string(data), "\n") {
		if strings.HasPrefix(line, unshown) {
			break
		}
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		v, err := parseDeviation(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
		v.Line = i + 1
		out = append(out, v)
	}
	return out, nil
}

func parseDeviation(line string) (*Deviation, error) {
	const bar = "\x00"
	cells := strings.Split(strings.Trim(strings.ReplaceAll(line, `\|`, bar), "| "), " | ")
	if len(cells) != 5 {
		return nil, fmt.Errorf("a row has 5 cells, this one %d", len(cells))
	}
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(strings.Trim(strings.TrimSpace(c), "`"), bar, "|")
	}
	v := &Deviation{Scripts: cells[0], Reason: cells[4]}
	for i, re := range []**regexp.Regexp{&v.Statement, &v.Cassandra, &v.Answer} {
		var err error
		if *re, err = regexp.Compile(cells[i+1]); err != nil {
			return nil, err
		}
	}
	if v.Reason == "" {
		return nil, fmt.Errorf("a deviation needs its reason")
	}
	return v, nil
}
