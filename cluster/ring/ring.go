// Package ring says who holds what: nodes and their tokens, replication strategies, the replicas of a token, and how
// many of them a consistency level needs. It is pure and immutable: a change of the cluster makes a new Topology.
//
// Floor: above cql, cql/schema, cql/token. Source: org.apache.cassandra.locator; db.ConsistencyLevel; cluster.md 3.
package ring

import (
	"net/netip"
	"slices"
	"sort"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
)

// Token is a position on the ring.
type Token = token.Token

// Node is one member of the cluster.
type Node struct {
	ID schema.UUID
	// Internode is where peers reach it, Native where clients do.
	Internode, Native netip.AddrPort
	DC, Rack          string
	Tokens            []token.Token
}

// Topology is the token map of a cluster. It is immutable.
type Topology struct {
	nodes []*Node
	ring  []owner // sorted by token
	// racks holds, for each data center, how many racks it has; sizes how many nodes.
	racks, sizes map[string]int
	dcs          []string // sorted
}

type owner struct {
	token token.Token
	node  *Node
}

// New returns the topology of nodes. The nodes are kept and must not change. Where two nodes claim one token, the one
// with the smaller id has it, so that all observers agree.
func New(nodes []*Node) *Topology {
	t := &Topology{nodes: nodes, racks: map[string]int{}, sizes: map[string]int{}}
	seen := map[[2]string]bool{}
	for _, n := range nodes {
		if len(n.Tokens) == 0 {
			continue
		}
		t.sizes[n.DC]++
		if k := [2]string{n.DC, n.Rack}; !seen[k] {
			seen[k] = true
			t.racks[n.DC]++
		}
		for _, tok := range n.Tokens {
			t.ring = append(t.ring, owner{tok, n})
		}
	}
	slices.SortFunc(t.ring, func(a, b owner) int {
		if c := a.token.Compare(b.token); c != 0 {
			return c
		}
		return slices.Compare(a.node.ID[:], b.node.ID[:])
	})
	t.ring = slices.CompactFunc(t.ring, func(a, b owner) bool { return a.token == b.token })
	for dc := range t.sizes {
		t.dcs = append(t.dcs, dc)
	}
	sort.Strings(t.dcs)
	return t
}

// Nodes returns all nodes, in the order of New. The slice is shared.
func (t *Topology) Nodes() []*Node { return t.nodes }

// DataCenters returns the names of the data centers that have tokens, sorted. The slice is shared.
func (t *Topology) DataCenters() []string { return t.dcs }

// Size returns how many nodes own tokens.
func (t *Topology) Size() int {
	n := 0
	for _, s := range t.sizes {
		n += s
	}
	return n
}

// Ranges returns the ranges of the ring in order, each with the node that owns its end.
func (t *Topology) Ranges() []Owned {
	out := make([]Owned, len(t.ring))
	for i, o := range t.ring {
		out[i] = Owned{token.Range{Start: t.ring[(i+len(t.ring)-1)%len(t.ring)].token, End: o.token}, o.node}
	}
	return out
}

// Owned is a range of the ring and its primary owner.
type Owned struct {
	token.Range
	Node *Node
}

// first returns the index of the ring entry that owns tok: the first whose token is at or after it, else the first of all.
func (t *Topology) first(tok token.Token) int {
	i := sort.Search(len(t.ring), func(i int) bool { return !t.ring[i].token.Less(tok) })
	if i == len(t.ring) {
		return 0
	}
	return i
}
