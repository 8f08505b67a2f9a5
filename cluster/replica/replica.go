// Package replica is one node's replica: the storage engine behind the interface that a coordinator, local or remote, calls.
//
// Floor: above storage, below cluster. Source: org.apache.cassandra.db.MutationVerbHandler, ReadCommandVerbHandler.
package replica

import (
	"context"
	"errors"
	"time"

	"github.com/helenusdb/helenus/cluster/coordinator"
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// Replica answers for the data of this node. It is safe for concurrent use.
type Replica struct {
	engine *storage.Engine
	host   schema.UUID
	micros func() int64
}

// New returns the replica of the node host. micros is the clock of counters, in microseconds.
func New(engine *storage.Engine, host schema.UUID, micros func() int64) *Replica {
	return &Replica{engine, host, micros}
}

// Write implements coordinator.Replica.
func (r *Replica) Write(ms []request.Mutation, _ time.Time, done func(error)) { done(r.Apply(ms)) }

// Read implements coordinator.Replica.
func (r *Replica) Read(ctx context.Context, rd *request.Read) (row.Iterator, error) {
	it, err := r.engine.Read(ctx, rd)
	if errors.Is(err, storage.ErrIndexNotBuilt) {
		err = &coordinator.FailureError{Reason: cql.ReasonIndexNotAvailable, Err: err}
	}
	return it, err
}

// Apply implements coordinator.LocalReplica.
func (r *Replica) Apply(ms []request.Mutation) error {
	commit, err := r.engine.Apply(ms)
	if err != nil {
		return err
	}
	return commit.Wait()
}

// ApplyCounter implements coordinator.LocalReplica.
func (r *Replica) ApplyCounter(ms []request.Mutation) error {
	commit, err := r.engine.ApplyCounter(ms, r.host, r.micros())
	if err != nil {
		return err
	}
	return commit.Wait()
}

// Lock implements coordinator.LocalReplica.
func (r *Replica) Lock(t *schema.Table, key []byte) (unlock func()) {
	return r.engine.LockPartition(t, key)
}
