package cluster

import (
	"github.com/helenusdb/helenus/cluster/system"
	"github.com/helenusdb/helenus/cql/schema"
)

// Facts are what the system tables show of the parts of the server that this package does not see. Nil functions show nothing.
type Facts struct {
	Settings map[string]string
	Clients  func() []system.Client
	Prepared func() []system.Prepared
	Metrics  func() system.Metrics
}

// SetFacts tells the node what its system tables show of the rest of the server.
func (n *Node) SetFacts(f Facts) { n.facts.Store(&f) }

// source is the node as its system tables read it.
type source struct{ n *Node }

func (s source) Schema() *schema.Snapshot { return s.n.Schema() }

func (s source) Local() system.Local {
	n := s.n
	return system.Local{
		Bootstrapped: "COMPLETED", Broadcast: n.self.Internode, Listen: n.self.Internode, RPC: n.self.Native,
		ClusterName: n.id.Cluster, DataCenter: n.self.DC, Rack: n.self.Rack, GossipGeneration: int32(n.started.Unix()),
		HostID: n.self.ID, Partitioner: n.id.Partitioner, Tokens: n.id.Tokens, TruncatedAt: n.truncations(),
	}
}

func (s source) Peers() []system.Peer { return nil }

func (s source) Settings() map[string]string { return s.n.facts.Load().Settings }

func (s source) Clients() []system.Client {
	if f := s.n.facts.Load().Clients; f != nil {
		return f()
	}
	return nil
}

func (s source) ThreadPools() []system.ThreadPool { return nil }

func (s source) Caches() []system.Cache { return nil }

func (s source) Metrics() system.Metrics {
	if f := s.n.facts.Load().Metrics; f != nil {
		return f()
	}
	return system.Metrics{}
}

func (s source) Prepared() []system.Prepared {
	if f := s.n.facts.Load().Prepared; f != nil {
		return f()
	}
	return nil
}
