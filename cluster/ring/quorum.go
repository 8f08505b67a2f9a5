package ring

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/token"
)

// Replicas returns the nodes that hold tok, the primary first. The slice is shared.
func (p *Placement) Replicas(tok token.Token) []*Node {
	if len(p.replicas) == 1 {
		return p.replicas[0]
	}
	return p.replicas[p.Topology.first(tok)]
}

// Sets returns the different replica lists of the ring: what a read of every partition has to ask. The slice is shared.
func (p *Placement) Sets() [][]*Node { return p.sets }

// BlockFor returns how many answers a level needs, for a coordinator in data center dc. It counts copies that the
// keyspace should have, not nodes that are there. Source: ConsistencyLevel.blockFor.
func (p *Placement) BlockFor(c cql.Consistency, dc string) int {
	s, t := p.Strategy, p.Topology
	quorum := func(n int) int { return n/2 + 1 }
	switch c {
	case cql.Any, cql.One, cql.LocalOne, cql.NodeLocal:
		return 1
	case cql.Two:
		return 2
	case cql.Three:
		return 3
	case cql.Quorum, cql.Serial:
		return quorum(s.Total(t))
	case cql.All:
		return s.Total(t)
	case cql.LocalQuorum, cql.LocalSerial:
		return quorum(s.InDC(t, dc))
	case cql.EachQuorum:
		if s.Kind != NetworkTopology {
			return quorum(s.Total(t))
		}
		n := 0
		for _, f := range s.PerDC {
			n += quorum(f)
		}
		return n
	}
	return s.Total(t)
}

// Sufficient checks that the live nodes among replicas can meet the level and returns Cassandra's Unavailable when they
// cannot. Source: ReplicaPlans.assureSufficientLiveReplicas.
func (p *Placement) Sufficient(c cql.Consistency, dc string, replicas []*Node, alive func(*Node) bool) *cql.Error {
	switch {
	case c == cql.Any:
		return nil // a hint counts
	case c.IsLocal():
		return short(c, p.BlockFor(c, dc), count(replicas, func(n *Node) bool { return n.DC == dc && alive(n) }))
	case c == cql.EachQuorum && p.Strategy.Kind == NetworkTopology:
		for _, d := range p.Topology.dcs {
			f := p.Strategy.PerDC[d]
			if f > 0 && count(replicas, func(n *Node) bool { return n.DC == d && alive(n) }) < f/2+1 {
				return cql.UnavailableError(c, d, f/2+1, 0) // 5.0.6 says that none is alive, however many are
			}
		}
		return nil
	}
	return short(c, p.BlockFor(c, dc), count(replicas, alive))
}

func short(c cql.Consistency, required, alive int) *cql.Error {
	if alive >= required {
		return nil
	}
	return cql.UnavailableError(c, "", required, alive)
}

// QuorumOf returns the level that agreement at a serial level asks of a partition's replicas, and the level itself when it is not
// serial. Source: ConsistencyLevel in Paxos.Participants.
func QuorumOf(c cql.Consistency) cql.Consistency {
	switch c {
	case cql.Serial:
		return cql.Quorum
	case cql.LocalSerial:
		return cql.LocalQuorum
	}
	return c
}

func count(nodes []*Node, ok func(*Node) bool) int {
	n := 0
	for _, x := range nodes {
		if ok(x) {
			n++
		}
	}
	return n
}
