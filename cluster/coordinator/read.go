package coordinator

import (
	"context"

	"github.com/helenusdb/helenus/cluster/ring"
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// Read returns the rows of rd at level cl, deletions included. tok gives keys their tokens. Where more than this node's answer is
// needed the read is refused: merging the answers of several replicas comes with the replicas themselves.
func (c *Coordinator) Read(ctx context.Context, p *ring.Placement, rd *request.Read, tok func(key []byte) ring.Token, cl cql.Consistency) (row.Iterator, error) {
	if len(rd.Keys) == 1 {
		cl = ring.QuorumOf(cl)
	}
	check := func(replicas []*ring.Node) error {
		if err := p.Sufficient(cl, c.self.DC, replicas, c.alive); err != nil {
			return err
		}
		if len(replicas) != 1 || replicas[0] != c.self {
			return cql.Serverf("reads over more than one node are not built yet")
		}
		return nil
	}
	if rd.Keys == nil || len(p.Sets()) == 1 {
		for _, replicas := range p.Sets() {
			if err := check(replicas); err != nil {
				return nil, err
			}
		}
	} else {
		for _, key := range rd.Keys {
			if err := check(p.Replicas(tok(key))); err != nil {
				return nil, err
			}
		}
	}
	it, err := c.local.Read(ctx, rd)
	if err != nil {
		return nil, c.ReadError(err, cl)
	}
	return it, nil
}

// ReadError turns an error of this node's replica, met while it read, into a ReadFailure; an answer for the client stays what it is.
func (c *Coordinator) ReadError(err error, cl cql.Consistency) error {
	if answer := answerOf(err); answer != nil {
		return answer
	}
	acks := Acks{Consistency: cl, Need: 1, Asked: 1}
	acks.Fail(c.failure(c.self, err))
	return acks.ReadFailure(false)
}
