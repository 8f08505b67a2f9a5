package coordinator

import (
	"context"

	"github.com/helenusdb/helenus/cluster/ring"
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// Conditional is a compare-and-set on one partition.
type Conditional struct {
	Placement *ring.Placement
	// Read is what Decide wants to see; its one key is the partition.
	Read *request.Read
	// Decide looks at what is there and returns the change, or applied false. It is called once, with the partition locked.
	Decide func(it row.Iterator) (ms []request.Mutation, applied bool, err error)
	// Serial is the level of agreement, Commit that of the write.
	Serial, Commit cql.Consistency
}

// CAS carries out a conditional write: among those of one partition one after another, each seeing what the last one wrote. With
// one replica the partition's lock is the agreement. Source: StorageProxy.cas.
func (c *Coordinator) CAS(ctx context.Context, w Conditional, tok ring.Token) (applied bool, err error) {
	p, replicas := w.Placement, w.Placement.Replicas(tok)
	if err := p.Sufficient(ring.QuorumOf(w.Serial), c.self.DC, replicas, c.alive); err != nil {
		return false, err
	}
	if len(replicas) != 1 || replicas[0] != c.self {
		return false, cql.Serverf("conditional writes over more than one node are not built yet")
	}
	defer c.local.Lock(w.Read.Table, w.Read.Keys[0])()
	it, err := c.local.Read(ctx, w.Read)
	if err != nil {
		return false, c.ReadError(err, w.Serial)
	}
	defer it.Close()
	ms, applied, err := w.Decide(it)
	if err != nil || !applied {
		return false, err
	}
	if err := p.Sufficient(w.Commit, c.self.DC, replicas, c.alive); err != nil {
		return false, err
	}
	if len(ms) == 0 {
		return true, nil
	}
	return true, c.writeLocal(ms, w.Commit, cql.WriteCAS)
}
