package ring

import (
	"errors"
	"fmt"
	"testing"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/token"
)

// node returns a node of one name, placed at the given tokens.
func node(name byte, dc, rack string, tokens ...int64) *Node {
	n := &Node{DC: dc, Rack: rack}
	n.ID[0] = name
	for _, v := range tokens {
		n.Tokens = append(n.Tokens, token.FromInt64(v))
	}
	return n
}

func names(nodes []*Node) string {
	s := ""
	for _, n := range nodes {
		s += string(rune(n.ID[0]))
	}
	return s
}

func strategy(t *testing.T, m map[string]string) *Strategy {
	t.Helper()
	s, err := ParseStrategy(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestReplicas holds placements worked out by hand from the rules of SimpleStrategy and NetworkTopologyStrategy.
func TestReplicas(t *testing.T) {
	topo := New([]*Node{
		node('a', "dc1", "r1", 0, 40), node('b', "dc1", "r1", 10), node('c', "dc1", "r2", 20),
		node('x', "dc2", "r1", 5), node('y', "dc2", "r1", 25),
	})
	for _, v := range []struct {
		replication map[string]string
		token       int64
		want        string
	}{
		{map[string]string{"class": "SimpleStrategy", "replication_factor": "1"}, 1, "x"},
		{map[string]string{"class": "SimpleStrategy", "replication_factor": "3"}, 1, "xbc"},
		{map[string]string{"class": "SimpleStrategy", "replication_factor": "3"}, 41, "axb"},
		{map[string]string{"class": "SimpleStrategy", "replication_factor": "9"}, 26, "axbcy"},
		{map[string]string{"class": "NetworkTopologyStrategy", "dc1": "2"}, 1, "bc"},
		// The second copy skips b, which shares a's rack, as long as another rack is left.
		{map[string]string{"class": "NetworkTopologyStrategy", "dc1": "2"}, 30, "ac"},
		{map[string]string{"class": "NetworkTopologyStrategy", "dc1": "3", "dc2": "1"}, 30, "axbc"},
		{map[string]string{"class": "NetworkTopologyStrategy", "dc1": "1", "dc2": "5"}, 30, "axy"},
	} {
		p := NewPlacement(topo, strategy(t, v.replication), topo.nodes[0])
		if got := names(p.Replicas(token.FromInt64(v.token))); got != v.want {
			t.Errorf("%v at %d: replicas %s, want %s", v.replication, v.token, got, v.want)
		}
	}
}

// TestSufficient holds the numbers of Unavailable as Cassandra reports them (consistency-matrix of the specification).
func TestSufficient(t *testing.T) {
	one := New([]*Node{node('a', "datacenter1", "rack1", 0)})
	alive := func(*Node) bool { return true }
	for _, v := range []struct {
		rf   int
		c    cql.Consistency
		want string
	}{
		{1, cql.Quorum, ""},
		{1, cql.Two, "2/1"},
		{3, cql.One, ""},
		{3, cql.Any, ""},
		{3, cql.LocalOne, ""},
		{3, cql.Quorum, "2/1"},
		{3, cql.LocalQuorum, "2/1"},
		{3, cql.EachQuorum, "2/1"},
		{3, cql.All, "3/1"},
		{3, cql.Serial, "2/1"},
	} {
		p := NewPlacement(one, strategy(t, map[string]string{"class": "SimpleStrategy", "replication_factor": fmt.Sprint(v.rf)}), one.nodes[0])
		got := ""
		if err := p.Sufficient(v.c, "datacenter1", p.Replicas(token.FromInt64(7)), alive); err != nil {
			var e *cql.Error
			errors.As(err, &e)
			u := e.Detail.(*cql.Unavailable)
			got = fmt.Sprintf("%d/%d", u.Required, u.Alive)
		}
		if got != v.want {
			t.Errorf("RF %d at %v: %q, want %q", v.rf, v.c, got, v.want)
		}
	}
}

// TestPlacementSpreads holds that on a random ring every range has as many distinct replicas as asked, none of them in a
// data center that was not.
func TestPlacementSpreads(t *testing.T) {
	var nodes []*Node
	for i := range 12 {
		n := node(byte('a'+i), fmt.Sprintf("dc%d", i%2), fmt.Sprintf("r%d", i%3))
		for k := range 16 {
			n.Tokens = append(n.Tokens, token.Murmur3{}.Token([]byte{byte(i), byte(k)}))
		}
		nodes = append(nodes, n)
	}
	topo := New(nodes)
	p := NewPlacement(topo, strategy(t, map[string]string{"class": "NetworkTopologyStrategy", "dc0": "3", "dc1": "2"}), nodes[0])
	for _, r := range topo.Ranges() {
		seen, dcs, racks := map[*Node]bool{}, map[string]int{}, map[string]bool{}
		for _, n := range p.Replicas(r.End) {
			seen[n] = true
			dcs[n.DC]++
			racks[n.DC+n.Rack] = true
		}
		if len(seen) != 5 || dcs["dc0"] != 3 || dcs["dc1"] != 2 || len(racks) != 5 {
			t.Fatalf("range %v: %d nodes, %v, %d racks", r.Range, len(seen), dcs, len(racks))
		}
	}
}
