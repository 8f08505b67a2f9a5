package cluster

import (
	"context"
	"encoding/binary"
	"maps"
	"strings"
	"time"

	"github.com/helenusdb/helenus/cluster/coordinator"
	"github.com/helenusdb/helenus/cluster/ring"
	"github.com/helenusdb/helenus/cluster/system"
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/planner/exec"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// placement returns the replicas of a table's keyspace; a keyspace that is gone is Cassandra's InvalidRequest.
func (n *Node) placement(t *schema.Table) (*ring.Placement, error) {
	if p := n.state.Load().placements[t.Keyspace]; p != nil {
		return p, nil
	}
	return nil, cql.Invalidf("keyspace %s does not exist", t.Keyspace)
}

// Read implements exec.Reader: the live rows of rd at level cl.
func (n *Node) Read(ctx context.Context, rd *request.Read, cl cql.Consistency) (row.Iterator, error) {
	p, err := n.placement(rd.Table)
	if err != nil {
		return nil, err
	}
	if !system.Stored(rd.Table) {
		if !rd.Table.Virtual {
			if err := p.Sufficient(cl, n.self.DC, p.Sets()[0], func(*ring.Node) bool { return true }); err != nil {
				return nil, err
			}
		}
		return n.tables.Read(ctx, rd)
	}
	it, err := n.coord.Read(ctx, p, rd, n.opts.Partitioner.Token, cl)
	if err != nil {
		return nil, err
	}
	return row.LiveFilter(it, rd.Now), nil
}

// Write implements exec.Writer: ms become one atomic change.
func (n *Node) Write(_ context.Context, ms []request.Mutation, kind cql.WriteType, cl cql.Consistency) error {
	for start := 0; start < len(ms); { // all but batches over several keyspaces have one
		end := start + 1
		for end < len(ms) && ms[end].Table.Keyspace == ms[start].Table.Keyspace {
			end++
		}
		if !system.Stored(ms[start].Table) {
			return cql.Unauthorizedf("%s keyspace is not user-modifiable.", ms[start].Table.Keyspace)
		}
		p, err := n.placement(ms[start].Table)
		if err != nil {
			return err
		}
		if part := ms[start:end]; part[0].Counter {
			err = n.coord.WriteCounter(p, part, cl)
		} else {
			err = n.coord.Write(p, part, cl, kind)
		}
		if err != nil {
			return err
		}
		start = end
	}
	return nil
}

// CAS implements exec.Writer.
func (n *Node) CAS(ctx context.Context, c exec.CAS, serial, commit cql.Consistency) (applied bool, err error) {
	rd := c.Read()
	p, err := n.placement(rd.Table)
	if err != nil {
		return false, err
	}
	if commit == cql.EachQuorum && p.Strategy.Kind != ring.NetworkTopology {
		return false, cql.Invalidf("consistency level EACH_QUORUM not compatible with replication strategy (%s)", p.Strategy.Class)
	}
	w := coordinator.Conditional{Placement: p, Read: rd, Serial: serial, Commit: commit}
	w.Decide = func(it row.Iterator) ([]request.Mutation, bool, error) {
		return c.Decide(row.LiveFilter(it, rd.Now), n.clock.next())
	}
	return n.coord.CAS(ctx, w, n.opts.Partitioner.Token(rd.Keys[0]))
}

// Describe implements exec.Writer.
func (n *Node) Describe() exec.ClusterInfo {
	short := func(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }
	info := exec.ClusterInfo{Name: n.id.Cluster, Partitioner: short(n.id.Partitioner), Snitch: short(n.opts.Snitch), Ranges: map[string][]string{}}
	for _, r := range n.topo.Ranges() {
		info.Ranges[n.opts.Partitioner.Format(r.End)] = []string{r.Node.Internode.String()}
	}
	return info
}

// Truncate implements exec.Writer. Source: StorageProxy.truncateBlocking.
func (n *Node) Truncate(_ context.Context, t *schema.Table) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.engine.Truncate(t.ID); err != nil {
		return &cql.Error{Code: cql.CodeTruncate, Message: "Error during truncate: " + err.Error()}
	}
	old := n.truncations()
	next := make(map[schema.UUID][]byte, len(old)+1)
	maps.Copy(next, old)
	next[t.ID] = truncationRecord(time.Now())
	n.truncated.Store(&next)
	return nil
}

func (n *Node) truncations() map[schema.UUID][]byte {
	if m := n.truncated.Load(); m != nil {
		return *m
	}
	return nil
}

// truncationRecord is a value of system.local.truncated_at: a commit log position, which means nothing to clients, and the time in
// milliseconds.
func truncationRecord(at time.Time) []byte {
	b := make([]byte, 12, 20)
	return binary.BigEndian.AppendUint64(b, uint64(at.UnixMilli()))
}
