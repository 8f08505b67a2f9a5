package ring

import (
	"slices"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// Kind tells the replication strategies apart.
type Kind uint8

// The strategies. Source: org.apache.cassandra.locator.
const (
	Local Kind = iota
	Simple
	NetworkTopology
	Everywhere
)

// Strategy is a keyspace's replication, parsed. It is immutable.
type Strategy struct {
	Kind Kind
	// Class is the full Java class name.
	Class string
	// Factor is the number of copies for Simple.
	Factor int
	// PerDC is the number of copies in each data center for NetworkTopology.
	PerDC map[string]int
}

// ParseStrategy reads a replication map as system_schema shows it. cql/schema has checked what a user gave.
func ParseStrategy(replication map[string]string) (*Strategy, error) {
	class := replication["class"]
	s := &Strategy{Class: class}
	switch class[strings.LastIndexByte(class, '.')+1:] {
	case "LocalStrategy":
		s.Kind = Local
	case "EverywhereStrategy":
		s.Kind = Everywhere
	case "SimpleStrategy":
		s.Kind = Simple
		n, err := strconv.Atoi(replication["replication_factor"])
		if err != nil {
			return nil, cql.Configf("%v", err)
		}
		s.Factor = n
	case "NetworkTopologyStrategy":
		s.Kind = NetworkTopology
		s.PerDC = map[string]int{}
		for dc, v := range replication {
			if dc == "class" {
				continue
			}
			n, err := strconv.Atoi(v)
			if err != nil {
				return nil, cql.Configf("%v", err)
			}
			if n > 0 {
				s.PerDC[dc] = n
			}
		}
	default:
		return nil, cql.Configf("Unable to find replication strategy class '%s'", class)
	}
	return s, nil
}

// Total returns the number of copies in all, whether or not there are nodes for them.
func (s *Strategy) Total(t *Topology) int {
	switch s.Kind {
	case Simple:
		return s.Factor
	case NetworkTopology:
		n := 0
		for _, f := range s.PerDC {
			n += f
		}
		return n
	case Everywhere:
		return t.Size()
	}
	return 1
}

// InDC returns the number of copies in one data center: all of them for strategies that do not know data centers.
func (s *Strategy) InDC(t *Topology, dc string) int {
	if s.Kind == NetworkTopology {
		return s.PerDC[dc]
	}
	return s.Total(t)
}

// Placement is the replicas of one keyspace over a topology: a table made once, looked up for each request.
type Placement struct {
	Strategy *Strategy
	Topology *Topology
	replicas [][]*Node // per entry of Topology.ring, or one list for all tokens
	sets     [][]*Node // the different lists among replicas
}

// NewPlacement computes the replicas of every range. self is the node of a LocalStrategy.
func NewPlacement(t *Topology, s *Strategy, self *Node) *Placement {
	p := &Placement{Strategy: s, Topology: t}
	switch {
	case s.Kind == Local || len(t.ring) == 0:
		p.replicas = [][]*Node{{self}}
	case s.Kind == Everywhere:
		p.replicas = [][]*Node{t.nodes}
	default:
		p.replicas = make([][]*Node, len(t.ring))
		for i := range t.ring {
			if s.Kind == Simple {
				p.replicas[i] = simple(t, i, s.Factor)
			} else {
				p.replicas[i] = networkTopology(t, i, s.PerDC)
			}
		}
	}
	p.sets = distinct(p.replicas)
	if len(p.sets) == 1 {
		p.replicas = p.sets // no token needs to be looked up
	}
	return p
}

// distinct returns the different replica lists among all, in their order.
func distinct(all [][]*Node) [][]*Node {
	var out [][]*Node
	for _, r := range all {
		if !slices.ContainsFunc(out, func(o []*Node) bool { return slices.Equal(o, r) }) {
			out = append(out, r)
		}
	}
	return out
}

// simple walks the ring from entry i and takes the first n distinct nodes. Source: SimpleStrategy.
func simple(t *Topology, i, n int) []*Node {
	var out []*Node
	for k := range t.ring {
		if len(out) >= n {
			break
		}
		if node := t.ring[(i+k)%len(t.ring)].node; !slices.Contains(out, node) {
			out = append(out, node)
		}
	}
	return out
}

// dcPick gathers the replicas of one data center: a rack that already has one waits until every rack has, or until as
// many were skipped as there is room for. Source: NetworkTopologyStrategy.DatacenterEndpoints.
type dcPick struct {
	left       int // copies still to place
	repeatable int // how many may share a rack with another
	racks      map[string]bool
}

func networkTopology(t *Topology, i int, perDC map[string]int) []*Node {
	picks := map[string]*dcPick{}
	for dc, rf := range perDC {
		nodes, racks := t.sizes[dc], t.racks[dc]
		if rf <= 0 || nodes == 0 {
			continue
		}
		want := min(rf, nodes)
		picks[dc] = &dcPick{left: want, repeatable: want - min(racks, want), racks: map[string]bool{}}
	}
	var out []*Node
	open := len(picks)
	for k := 0; k < len(t.ring) && open > 0; k++ {
		n := t.ring[(i+k)%len(t.ring)].node
		p := picks[n.DC]
		if p == nil || p.left == 0 || slices.Contains(out, n) {
			continue
		}
		if p.racks[n.Rack] {
			if p.repeatable == 0 {
				continue
			}
			p.repeatable--
		}
		p.racks[n.Rack] = true
		p.left--
		out = append(out, n)
		if p.left == 0 {
			open--
		}
	}
	return out
}
