// Package session is a client's conversation: it turns requests into plans, by id or by the shape of their text, has them run, and
// writes what they give into the answer. Its nouns are the Handler, one a server, the statement, and the call, one a request.
//
// Floor: above planner/exec and cql/server. Source: org.apache.cassandra.cql3.QueryProcessor, transport.messages.
package session

import (
	"sync"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/server"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/wire"
	"github.com/helenusdb/helenus/parser"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/planner/exec"
)

// Options configure a Handler. Backend and Partitioner must be set.
type Options struct {
	Backend     exec.Writer
	Partitioner token.Partitioner
	// BatchLimits are the sizes at which batches are warned about and refused.
	BatchLimits exec.BatchLimits
	// Overflow says what becomes of cells that would expire too late.
	Overflow exec.OverflowPolicy
	// WritesWait says that a write may wait for the disk (commitlog_sync batch or group), so that it must not hold up the
	// requests behind it.
	WritesWait bool
	// NoUse refuses USE (use_statements_enabled: false).
	NoUse bool
	// PreparedBytes bounds the cache of prepared statements, PlanBytes that of plans by shape. Zero means 10 MiB each.
	PreparedBytes, PlanBytes int64
	// Trace begins a trace; nil means that requests are not traced.
	Trace func(TraceStart) Trace
}

// TraceStart is what a trace is begun with. Client is without a port.
type TraceStart struct {
	Client     string
	Request    string
	Parameters map[string]string
}

// Trace records one traced request. End writes it, with how long the request took.
type Trace interface {
	ID() [16]byte
	Event(activity string)
	End()
}

// Handler makes the sessions of a server. It is safe for concurrent use.
type Handler struct {
	o        Options
	env      planner.PrepareEnv
	modifier *exec.Modifier
	// node is the part of an Env that is the same for every execution.
	node     planner.Env
	prepared *cache[[16]byte]
	plans    *cache[string]
	scans    *scans
	counters counters
}

const defaultCacheBytes = 10 << 20

// New returns the handler of a server.
func New(o Options) *Handler {
	for _, n := range []*int64{&o.PreparedBytes, &o.PlanBytes} {
		if *n == 0 {
			*n = defaultCacheBytes
		}
	}
	h := &Handler{
		o: o, modifier: exec.NewModifier(o.Backend, o.BatchLimits, o.Overflow), env: planner.PrepareEnv{Partitioner: o.Partitioner},
		prepared: newCache[[16]byte](o.PreparedBytes), plans: newCache[string](o.PlanBytes), scans: newScans(),
		node: planner.Env{Partitioner: o.Partitioner, Functions: exec.FunctionEnv(o.Backend)},
	}
	return h
}

// NewConn implements server.Handler.
func (h *Handler) NewConn(c *server.Conn) server.ConnHandler { return &conn{h: h, c: c} }

// SchemaChanged forgets the prepared statements that a schema event makes stale. Source: QueryProcessor.StatementInvalidatingListener.
func (h *Handler) SchemaChanged(snap *schema.Snapshot) {
	h.prepared.retain(func(st *statement) bool { return !stale(st.plan.Table, snap) })
	h.plans.retain(func(st *statement) bool { return false })
}

// stale reports whether statements on t must be prepared again in snap: the table is gone or another, or its columns or indexes
// changed. Its options do not matter.
func stale(t *schema.Table, snap *schema.Snapshot) bool {
	if t == nil {
		return false
	}
	now := snap.Table(t.Keyspace, t.Name)
	return now == nil || now != t && !sameShape(now, t)
}

// sameShape reports whether two versions of a table have the same columns and indexes.
func sameShape(a, b *schema.Table) bool {
	if a.ID != b.ID || len(a.ByName) != len(b.ByName) || len(a.Indexes) != len(b.Indexes) {
		return false
	}
	for name, c := range a.ByName {
		d := b.ByName[name]
		if d == nil || c.ID != d.ID || c.Kind != d.Kind || c.DroppedAt != d.DroppedAt || !c.Type.Equal(d.Type) {
			return false
		}
	}
	for i := range a.Indexes {
		if a.Indexes[i].Name != b.Indexes[i].Name {
			return false
		}
	}
	return true
}

// conn is one client's conversation.
type conn struct {
	h *Handler
	c *server.Conn

	mu       sync.Mutex
	keyspace string
	warned   bool // of an unqualified prepared statement
}

// Closed implements server.ConnHandler.
func (c *conn) Closed() {}

// current returns the keyspace in use, "" for none.
func (c *conn) current() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keyspace
}

func (c *conn) use(keyspace string) {
	c.mu.Lock()
	c.keyspace = keyspace
	c.mu.Unlock()
}

// Serve implements server.ConnHandler.
func (c *conn) Serve(r *server.Request) {
	k, ok := r.Scratch.(*call)
	if !ok || k.h != c.h { // Requests go from one server of a process to another
		k = newCall(c.h)
		r.Scratch = k
	}
	k.begin(c, r)
	switch r.Opcode {
	case wire.OpExecute:
		k.serveExecute()
	case wire.OpQuery:
		k.serveQuery()
	case wire.OpPrepare:
		k.servePrepare()
	case wire.OpBatch:
		k.serveBatch()
	default:
		k.finish(cql.Protocolf("Unexpected message %v", r.Opcode))
	}
}

// statementOf returns the plan of a text, from the cache of shapes when there is one of its shape. literals are appended to lits.
func (h *Handler) statementOf(keyspace, text string, k *call) (*statement, error) {
	snap := h.o.Backend.Schema()
	k.key = append(append(k.key[:0], keyspace...), 0)
	shape, lits, shapeErr := parser.Shape(text, k.key, k.lits[:0])
	if shapeErr == nil {
		k.key, k.lits = shape, lits
		if st := getBytes(h.plans, shape); st != nil && st.plan.SchemaEpoch == snap.Epoch {
			k.literals(lits)
			return st, nil
		}
	}
	p, err := parser.Parse(text)
	if err != nil {
		return nil, err
	}
	plan, err := planner.Prepare(snap, keyspace, p.Statement, p.Markers, h.env)
	if err != nil {
		return nil, err
	}
	st := newStatement(plan)
	st.qualified = isQualified(p.Statement)
	k.literals(p.Literals)
	if shapeErr == nil && p.Shaped && plan.ShapeSafe && plan.Kind != planner.KindOther {
		h.plans.put(string(shape), st, st.weigh(len(shape), len(p.Literals)))
	}
	return st, nil
}

// prepare plans a text for good: its literals stay its own.
func (h *Handler) prepare(snap *schema.Snapshot, keyspace, text string) (*statement, error) {
	p, err := parser.Parse(text)
	if err != nil {
		return nil, err
	}
	plan, err := planner.Prepare(snap, keyspace, p.Statement, p.Markers, h.env)
	if err != nil {
		return nil, err
	}
	st := newStatement(plan)
	st.text, st.qualified = text, isQualified(p.Statement)
	if !st.qualified {
		st.keyspace = keyspace
	}
	st.id = preparedID(keyspace, text, st.qualified)
	for _, l := range p.Literals {
		st.literals = append(st.literals, l.Text)
	}
	return st, nil
}

// recent is the prepared statement that a call executed last. While nothing leaves the cache or is replaced in it, the cache
// need not be asked for it again.
type recent struct {
	id    [16]byte
	st    *statement
	epoch uint64 // of the cache, from before st was found
	uses  uint32
}

// byID returns a prepared statement, planned anew when the schema has moved on without making it stale.
func (k *call) byID(id []byte) (*statement, error) {
	h := k.h
	if len(id) != 16 {
		return nil, cql.UnpreparedError(id)
	}
	key, last := [16]byte(id), &k.recent
	epoch := h.prepared.epoch.Load()
	st := last.st
	if st == nil || last.epoch != epoch || last.id != key {
		if st = h.prepared.get(key); st == nil {
			return nil, cql.UnpreparedError(id)
		}
	}
	if snap := h.o.Backend.Schema(); st.plan.SchemaEpoch != snap.Epoch {
		if stale(st.plan.Table, snap) {
			h.prepared.remove(key)
			return nil, cql.UnpreparedError(id)
		}
		again, err := h.prepare(snap, st.keyspace, st.text)
		if err != nil {
			h.prepared.remove(key)
			return nil, cql.UnpreparedError(id)
		}
		again.id = st.id
		st = again
		h.prepared.put(key, st, st.weigh(len(st.text), len(st.literals)))
	}
	last.id, last.st, last.epoch = key, st, epoch
	if last.uses++; last.uses%touchEvery == 0 {
		h.prepared.used(key)
	}
	return st, nil
}
