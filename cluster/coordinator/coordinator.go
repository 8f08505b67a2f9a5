package coordinator

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/helenusdb/helenus/cluster/ring"
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// Replica is one replica as a coordinator sees it; a local and a remote one look the same. Its methods may be called from
// any goroutine.
type Replica interface {
	// Write applies mutations as one: all of those of one partition at once. done is called exactly once, perhaps before
	// Write returns; an error it carries is a failure of that replica, a *FailureError when the reason is known. The mutations
	// are the replica's for good.
	Write(ms []request.Mutation, deadline time.Time, done func(error))
	// Read returns the replica's rows, deletions included. The iterator's own errors are the replica's failures.
	Read(ctx context.Context, rd *request.Read) (row.Iterator, error)
}

// LocalReplica is this node's own replica. Its writes need no callback; counters and conditional writes, which read before they
// write, are led by it.
type LocalReplica interface {
	Replica
	// Apply is Write without the callback: it returns when the mutations are in memory and as durable as commitlog_sync asks,
	// and keeps nothing of ms.
	Apply(ms []request.Mutation) error
	// ApplyCounter turns increments into counter contexts of this node and applies those.
	ApplyCounter(ms []request.Mutation) error
	// Lock keeps other conditional writes out of a partition until unlock is called.
	Lock(t *schema.Table, key []byte) (unlock func())
}

// FailureError is a replica's failure with a reason of the protocol.
type FailureError struct {
	Reason cql.FailureReason
	Err    error
}

// Error returns the cause's text.
func (e *FailureError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *FailureError) Unwrap() error { return e.Err }

// Network finds the replica of a node other than this one.
type Network interface {
	Replica(n *ring.Node) Replica
	// Alive says whether n is believed to be up.
	Alive(n *ring.Node) bool
}

// Clock is time as a value. AfterFunc calls f after d in a goroutine of its own; stop prevents a call not yet made.
type Clock interface {
	Now() time.Time
	AfterFunc(d time.Duration, f func()) (stop func())
}

// Timeouts are how long the coordinator waits for replicas. Zero fields mean Cassandra's defaults.
type Timeouts struct{ Read, Range, Write, Counter, CAS, Truncate time.Duration }

func (t Timeouts) withDefaults() Timeouts {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&t.Read, 5*time.Second)
	def(&t.Range, 10*time.Second)
	def(&t.Write, 2*time.Second)
	def(&t.Counter, 5*time.Second)
	def(&t.CAS, 1800*time.Millisecond)
	def(&t.Truncate, time.Minute)
	return t
}

// Coordinator sends requests to replicas for the clients of one node. It is safe for concurrent use.
type Coordinator struct {
	self     *ring.Node
	local    LocalReplica
	net      Network
	clock    Clock
	timeouts Timeouts
}

// New returns the coordinator of node self.
func New(self *ring.Node, local LocalReplica, net Network, clock Clock, timeouts Timeouts) *Coordinator {
	return &Coordinator{self, local, net, clock, timeouts.withDefaults()}
}

// Write applies ms, whose partitions are placed by p, and returns when as many replicas have each as level c needs. The
// mutations of all partitions that only this node holds are applied as one.
func (c *Coordinator) Write(p *ring.Placement, ms []request.Mutation, cl cql.Consistency, t cql.WriteType) error {
	local := c.onlyLocal(p, ms)
	if local && cl == cql.One { // which this node, being there, is enough for
		return c.writeLocal(ms, cl, t)
	}
	if err := c.sufficient(p, ms, cl); err != nil {
		return err
	}
	if local {
		return c.writeLocal(ms, cl, t)
	}
	for _, group := range byPartition(ms) {
		if err := c.writeTo(p, group, cl, t, c.timeouts.Write); err != nil {
			return err
		}
	}
	return nil
}

// sufficient checks each partition's live replicas before anything is written.
func (c *Coordinator) sufficient(p *ring.Placement, ms []request.Mutation, cl cql.Consistency) error {
	for i := range ms {
		if err := p.Sufficient(cl, c.self.DC, p.Replicas(ms[i].Token), c.alive); err != nil {
			return err
		}
	}
	return nil
}

// alive reports whether n is this node or believed to be up.
func (c *Coordinator) alive(n *ring.Node) bool { return n == c.self || c.net.Alive(n) }

func (c *Coordinator) onlyLocal(p *ring.Placement, ms []request.Mutation) bool {
	for i := range ms {
		if r := p.Replicas(ms[i].Token); len(r) != 1 || r[0] != c.self {
			return false
		}
	}
	return true
}

// writeLocal is the way of a write that no other node sees: no goroutine, no timer, no allocation.
func (c *Coordinator) writeLocal(ms []request.Mutation, cl cql.Consistency, t cql.WriteType) error {
	return c.localFailure(c.local.Apply(ms), cl, t)
}

// localFailure turns an error of this node's replica into a WriteFailure; an answer for the client stays what it is.
func (c *Coordinator) localFailure(err error, cl cql.Consistency, t cql.WriteType) error {
	if err == nil {
		return nil
	}
	if answer := answerOf(err); answer != nil {
		return answer
	}
	acks := Acks{Consistency: cl, Need: 1, Asked: 1}
	acks.Fail(c.failure(c.self, err))
	return acks.WriteFailure(t)
}

// answerOf returns the answer for the client that err is or wraps, or nil.
func answerOf(err error) error {
	if answer, ok := errors.AsType[*cql.Error](err); ok {
		return answer
	}
	return nil
}

func (c *Coordinator) failure(n *ring.Node, err error) cql.Failure {
	f := cql.Failure{Endpoint: n.Internode}
	if e, ok := errors.AsType[*FailureError](err); ok {
		f.Reason = e.Reason
	}
	return f
}

// byPartition splits ms into runs of one partition, keeping their order.
func byPartition(ms []request.Mutation) [][]request.Mutation {
	var groups [][]request.Mutation
	index := map[string]int{}
	for _, m := range ms {
		i, ok := index[string(m.Key)]
		if !ok {
			i = len(groups)
			index[string(m.Key)] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], m)
	}
	return groups
}

// writeTo sends one partition's mutations to its live replicas and waits for the level or the time. Replicas may be at work when
// it returns, so they get a copy.
func (c *Coordinator) writeTo(p *ring.Placement, ms []request.Mutation, cl cql.Consistency, t cql.WriteType, timeout time.Duration) error {
	ms = request.Clone(ms)
	var targets []*ring.Node
	for _, n := range p.Replicas(ms[0].Token) {
		if c.alive(n) {
			targets = append(targets, n)
		}
	}
	w := &waiter{acks: Acks{Consistency: cl, Need: p.BlockFor(cl, c.self.DC), Asked: len(targets)}, done: make(chan struct{})}
	for _, n := range targets {
		c.replica(n).Write(ms, c.clock.Now().Add(timeout), func(err error) {
			if err == nil {
				w.event(func(a *Acks) Status { return a.Ack() })
			} else {
				f := c.failure(n, err)
				w.event(func(a *Acks) Status { return a.Fail(f) })
			}
		})
	}
	stop := c.clock.AfterFunc(timeout, w.expire)
	defer stop()
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.acks.Status() {
	case Met:
		return nil
	case Failed:
		return w.acks.WriteFailure(t)
	}
	return w.acks.WriteTimeout(t)
}

func (c *Coordinator) replica(n *ring.Node) Replica {
	if n == c.self {
		return c.local
	}
	return c.net.Replica(n)
}

// waiter lets one goroutine wait for the end of an Acks that others drive.
type waiter struct {
	mu    sync.Mutex
	acks  Acks
	ended bool
	done  chan struct{} // closed once, at the end
}

// event applies one event and ends the wait when the request's fate is known.
func (w *waiter) event(apply func(*Acks) Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if apply(&w.acks) != Waiting {
		w.endLocked()
	}
}

func (w *waiter) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endLocked()
}

func (w *waiter) endLocked() {
	if !w.ended {
		w.ended = true
		close(w.done)
	}
}

// WriteCounter applies increments. They are led by this node when it is a replica. Source: StorageProxy.mutateCounter.
func (c *Coordinator) WriteCounter(p *ring.Placement, ms []request.Mutation, cl cql.Consistency) error {
	if err := c.sufficient(p, ms, cl); err != nil {
		return err
	}
	if !c.onlyLocal(p, ms) {
		return cql.Serverf("counters of more than one replica are not built yet")
	}
	return c.localFailure(c.local.ApplyCounter(ms), cl, cql.WriteCounter)
}
