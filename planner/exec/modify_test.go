package exec

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/parser"
	"github.com/helenusdb/helenus/planner"
)

// recorded is one statement of testdata/modifications.txt and what Cassandra 5.0.6 answered to it. A line's first word tells
// what it is: Q a statement, P one that was prepared, then its values in hex behind |||; M the markers of a prepared one, E an
// error's code and text, W a warning, C the names of columns, R the cells of a row in hex, V an answer without rows.
// <x*n> stands for n letters.
type recorded struct {
	line     int
	text     string
	prepared bool
	values   []planner.Value
	bound    bool
	markers  string
	want     []string
}

var longText = regexp.MustCompile(`<x\*(\d+)>`)

func readRecorded(t testing.TB, name string) []*recorded {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []*recorded
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	unescape := strings.NewReplacer(`\n`, "\n", `\\`, `\`)
	for n := 1; sc.Scan(); n++ {
		line := longText.ReplaceAllStringFunc(sc.Text(), func(s string) string {
			k, _ := strconv.Atoi(s[3 : len(s)-1])
			return strings.Repeat("x", k)
		})
		if line == "" || line[0] == '#' {
			continue
		}
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "Q", "P":
			r := &recorded{line: n, prepared: kind == "P"}
			r.text, rest, r.bound = strings.Cut(unescape.Replace(rest), "|||")
			if r.bound {
				r.values = parseValues(t, rest)
			}
			list = append(list, r)
		case "M":
			list[len(list)-1].markers = rest
		default:
			r := list[len(list)-1]
			r.want = append(r.want, unescape.Replace(line))
		}
	}
	return list
}

func parseValues(t testing.TB, text string) (list []planner.Value) {
	for v := range strings.SplitSeq(text, "|") {
		switch v = strings.TrimSpace(v); v {
		case "null":
			list = append(list, planner.Value{})
		case "unset":
			list = append(list, planner.Value{Unset: true})
		default:
			b, err := hex.DecodeString(v)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, planner.Value{Bytes: append([]byte{}, b...)})
		}
	}
	return list
}

// answerOf prints an answer in the form of the file.
func answerOf(sink *rowSink, res Result, err error) []string {
	var out []string
	for _, w := range res.Warnings {
		out = append(out, "W "+w)
	}
	if err != nil {
		var e *cql.Error
		if !errors.As(err, &e) {
			return append(out, "not an answer: "+err.Error())
		}
		return append(out, fmt.Sprintf("E %04x %s", e.Code, e.Message))
	}
	if sink == nil || sink.columns == nil {
		return append(out, "V")
	}
	names := make([]string, len(sink.columns))
	for i, c := range sink.columns {
		names[i] = c.Name
	}
	out = append(out, "C "+strings.Join(names, ","))
	for _, r := range sink.rows {
		cells := make([]string, len(r))
		for i, c := range r {
			cells[i] = hex.EncodeToString(c)
			if c == nil {
				cells[i] = "null"
			}
		}
		out = append(out, "R "+strings.Join(cells, "|"))
	}
	return out
}

// markersOf prints the markers of a plan in the form of the file.
func markersOf(p *planner.Plan) string {
	var parts []string
	for _, m := range p.Markers {
		typ := strings.ReplaceAll(m.Type.String(), " ", "")
		parts = append(parts, m.Keyspace+"."+m.Table+"."+m.Name+":"+typ)
	}
	var pk []string
	for _, i := range p.PKIndexes {
		pk = append(pk, strconv.Itoa(int(i)))
	}
	return strings.Join(parts, " ") + " pk " + strings.Join(pk, ",")
}

// sameMarkers compares markers but for frozen<>, which the protocol does not show.
func sameMarkers(a, b string) bool {
	plain := strings.NewReplacer("frozen<", "", ">", "")
	return plain.Replace(a) == plain.Replace(b)
}

// sameSignatures compares refusals that list functions, which Cassandra lists in an order that changes with each start.
func sameSignatures(a, b string) bool {
	cut := func(s string) (head string, list []string) {
		head, rest, ok := strings.Cut(s, "signatures: ")
		if !ok {
			return s, nil
		}
		list = strings.Split(strings.TrimSuffix(rest, ": use type casts to disambiguate"), ", system.")
		for i := range list {
			list[i] = strings.Trim(strings.TrimPrefix(list[i], "system."), ")")
		}
		slices.Sort(list)
		return head, list
	}
	headA, listA := cut(a)
	headB, listB := cut(b)
	return listA != nil && headA == headB && slices.Equal(listA, listB)
}

// otherWords reports whether a statement calls what is refused with other words than Cassandra's.
func otherWords(text string) bool {
	return strings.Contains(text, "from_json(") || strings.Contains(text, "similarity_cosine([")
}

// deviations are our answers where they differ on purpose: where Cassandra fails inside, or takes what makes no value.
var deviations = map[string]string{
	"update t set l = l + ? where k = ? ":                              "V",
	"update t set v = 1 where k = 1 if fu.a = 1":                       "C [applied],fu\nR 00|",
	"update t set v = 1 where k = ? if l[?] = ? ":                      "C [applied]\nR 01",
	"insert into t (k,tp) values (1, 0x00000004)":                      "E 2200 Not enough bytes to read 0th component",
	"insert into p (a,b,v) values (1, 'a', cast(token(1,'a') as int))": "V",
}

func TestModificationsAsRecorded(t *testing.T) {
	n := newTestNode()
	n.now = 1764000000
	n.must(t, "CREATE KEYSPACE mod_t WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE mod_t")
	for _, r := range readRecorded(t, "testdata/modifications.txt") {
		if r.prepared && !r.bound && len(r.want) == 0 {
			parsed, err := parser.Parse(r.text)
			if err != nil {
				t.Errorf("line %d: %s: %v", r.line, r.text, err)
				continue
			}
			p, err := planner.Prepare(n.schema, n.keyspace, parsed.Statement, parsed.Markers, planner.PrepareEnv{})
			if err != nil {
				t.Errorf("line %d: %s: %v", r.line, r.text, err)
			} else if got := markersOf(p); !sameMarkers(got, r.markers) {
				t.Errorf("line %d: %s\n got markers %s\nwant markers %s", r.line, r.text, got, r.markers)
			}
			continue
		}
		sink, p, res, err := n.run(r.text, r.values, Options{Consistency: cql.One, Serial: cql.Serial})
		if r.markers != "" && p != nil {
			if got := markersOf(p); !sameMarkers(got, r.markers) {
				t.Errorf("line %d: %s\n got markers %s\nwant markers %s", r.line, r.text, got, r.markers)
			}
		}
		got, want := strings.Join(answerOf(sink, res, err), "\n"), strings.Join(r.want, "\n")
		if got == want {
			continue
		}
		if sameSignatures(got, want) {
			continue
		}
		// Where Cassandra fails inside, the answer is a refusal or a sane result.
		failed := strings.HasPrefix(want, "E 0000") || strings.HasPrefix(want, "E 1500")
		if failed && strings.HasPrefix(got, "E 2200") || deviations[r.text] == got || otherWords(r.text) && got[:6] == want[:6] {
			continue
		}
		// The parser's texts are the parser's business.
		if strings.HasPrefix(want, "E 2000 line") && strings.HasPrefix(got, "E 2000") {
			continue
		}
		t.Errorf("line %d: %.200s\n got %.600s\nwant %.600s", r.line, r.text, got, want)
	}
}
