package exec

import (
	"errors"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/planner"
)

// Whatever statement comes with whatever values, the answer is rows, nothing, or an error for the client that is not ours.
func FuzzModification(f *testing.F) {
	recorded := readRecorded(f, "testdata/modifications.txt")
	for _, r := range recorded {
		if len(r.text) > 500 {
			continue
		}
		var values []byte
		for _, v := range r.values {
			values = append(append(values, byte(len(v.Bytes))), v.Bytes...)
		}
		f.Add(r.text, values)
	}
	n := newTestNode()
	n.now = 1764000000
	n.must(f, "CREATE KEYSPACE mod_t WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE mod_t")
	for _, r := range recorded {
		if len(r.want) == 1 && r.want[0] == "V" && !r.prepared && r.text[:7] == "create " {
			n.must(f, r.text)
		}
	}
	f.Fuzz(func(t *testing.T, text string, values []byte) {
		var list []planner.Value
		for len(values) > 0 && len(list) < 100 {
			k := min(int(values[0]), len(values)-1)
			v := planner.Value{Bytes: values[1 : 1+k : 1+k]}
			switch values[0] {
			case 255:
				v = planner.Value{}
			case 254:
				v = planner.Value{Unset: true}
			}
			list, values = append(list, v), values[1+k:]
		}
		for len(list) < 100 {
			list = append(list, planner.Value{})
		}
		if strings.Count(text, "?")+strings.Count(text, ":") > len(list) {
			return
		}
		_, _, _, err := n.run(text, list, Options{Consistency: cql.One, Serial: cql.Serial})
		var e *cql.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("%q: %v", text, err)
		}
		if e != nil && e.Code == cql.CodeServer && !strings.HasPrefix(e.Message, "java.lang.NumberFormatException") {
			t.Errorf("%q: %v", text, e)
		}
	})
}
