package exec

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// TestTupleSlices compares tuple relations on clustering columns of both directions with what a comparison of every row's
// values says: which rows there are, in which order, and the same by pages of two, forwards and backwards.
func TestTupleSlices(t *testing.T) {
	for _, order := range []string{"a ASC, b ASC, c ASC", "a DESC, b DESC, c DESC", "a ASC, b DESC, c ASC", "a DESC, b ASC, c ASC", "a DESC, b DESC, c ASC"} {
		n := newTestNode()
		n.must(t, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE k",
			"CREATE TABLE t (k int, a int, b int, c int, PRIMARY KEY (k, a, b, c)) WITH CLUSTERING ORDER BY ("+order+")")
		for a := range 3 {
			for b := range 3 {
				for c := range 3 {
					n.must(t, fmt.Sprintf("INSERT INTO t (k, a, b, c) VALUES (1, %d, %d, %d)", a, b, c))
				}
			}
		}
		stored := n.tuples(t, "SELECT a, b, c FROM t WHERE k = 1", 0)
		r := rand.New(rand.NewPCG(1, 2))
		for range 300 {
			where, keep := randomSlice(r)
			want := slices.DeleteFunc(slices.Clone(stored), func(v [3]int) bool { return !keep(v) })
			query := "SELECT a, b, c FROM t WHERE k = 1" + where
			for _, page := range []int{0, 2} {
				if got := n.tuples(t, query, page); !slices.Equal(got, want) {
					t.Fatalf("%s, pages of %d, %s:\n%v, want\n%v", query, page, order, got, want)
				}
			}
			slices.Reverse(want)
			first := "ASC"
			if strings.HasPrefix(order, "a ASC") {
				first = "DESC"
			}
			if got := n.tuples(t, query+" ORDER BY a "+first, 2); !slices.Equal(got, want) {
				t.Fatalf("%s reversed, %s:\n%v, want\n%v", query, order, got, want)
			}
		}
	}
}

// randomSlice returns relations on a tuple, with one or two ends, and what they say of a row.
func randomSlice(r *rand.Rand) (where string, keep func(v [3]int) bool) {
	var tests []func(v [3]int) bool
	add := func(ops ...string) {
		n := 1 + r.IntN(3)
		op := ops[r.IntN(len(ops))]
		var names, values []string
		var bound [3]int
		for i := range n {
			bound[i] = r.IntN(4) - r.IntN(2)
			names, values = append(names, string(rune('a'+i))), append(values, fmt.Sprint(bound[i]))
		}
		where += fmt.Sprintf(" AND (%s) %s (%s)", strings.Join(names, ", "), op, strings.Join(values, ", "))
		tests = append(tests, func(v [3]int) bool {
			c := slices.Compare(v[:n], bound[:n])
			return c == 0 && strings.HasSuffix(op, "=") || c > 0 && op[0] == '>' || c < 0 && op[0] == '<'
		})
	}
	if k := r.IntN(3); k != 0 {
		add(">", ">=")
		if k == 1 {
			add("<", "<=")
		}
	} else {
		add("<", "<=")
	}
	return where, func(v [3]int) bool {
		for _, t := range tests {
			if !t(v) {
				return false
			}
		}
		return true
	}
}

// tuples reads rows of three ints, by pages when page is above 0.
func (n *testNode) tuples(t *testing.T, query string, page int) (list [][3]int) {
	t.Helper()
	o := Options{Consistency: cql.One, PageSize: page}
	for {
		sink, _, res, err := n.run(query, nil, o)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		for _, r := range sink.rows {
			list = append(list, [3]int{int(types.Int32(r[0])), int(types.Int32(r[1])), int(types.Int32(r[2]))})
		}
		if res.PagingState == nil {
			return list
		}
		o.PagingState = res.PagingState
	}
}
