package exec

import (
	"context"
	"encoding/binary"
	"sync"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
)

// Modifier runs the plans that change something. There is one for a node; it is safe for concurrent use.
type Modifier struct {
	w      Writer
	limits BatchLimits
	states sync.Pool // of *writeState
}

// NewModifier returns a Modifier that writes by w.
func NewModifier(w Writer, limits BatchLimits, overflow OverflowPolicy) *Modifier {
	m := &Modifier{w: w, limits: limits}
	m.states.New = func() any { return &writeState{w: w, overflow: overflow} }
	return m
}

// Modify runs an INSERT, UPDATE or DELETE. Only a conditional one has rows.
// Source: org.apache.cassandra.cql3.statements.ModificationStatement.execute.
func (m *Modifier) Modify(
	ctx context.Context, p *planner.ModificationPlan, env *planner.Env, o *Options, sink Sink,
) (Result, error) {
	if p.Refusal != nil {
		return Result{}, p.Refusal
	}
	if p.If.Any() {
		return m.conditional(ctx, p, env, o, sink)
	}
	if p.JSON != nil {
		bound, err := p.JSON.Bind(env)
		if err != nil {
			return Result{}, err
		}
		env = bound
	}
	if err := checkWriteLevel(p.Table, o.Consistency); err != nil {
		return Result{}, err
	}
	st := m.states.Get().(*writeState)
	defer m.release(st)
	st.begin(ctx, env, o.Consistency, m.timestamp(o))
	if err := st.statement(p, st.timestamp); err != nil {
		return Result{}, err
	}
	ms := st.mutations()
	if len(ms) == 0 {
		return Result{}, nil
	}
	return Result{Warnings: st.warnings}, m.w.Write(ctx, ms, writeType(p.Table, len(ms)), o.Consistency)
}

// timestamp is the time of a request's writes: what the client gave, or the clock's.
func (m *Modifier) timestamp(o *Options) int64 {
	if o.HasTimestamp {
		return o.Timestamp
	}
	return m.w.Timestamp(o.Now)
}

func (m *Modifier) release(st *writeState) {
	st.end()
	m.states.Put(st)
}

// writeType is what a failure of n mutations is reported as.
func writeType(t *schema.Table, n int) cql.WriteType {
	switch {
	case t.Counter:
		return cql.WriteCounter
	case n > 1:
		return cql.WriteUnloggedBatch
	}
	return cql.WriteSimple
}

// checkWriteLevel refuses levels that a plain write cannot have.
// Source: ConsistencyLevel.validateForWrite, validateCounterForWrite.
func checkWriteLevel(t *schema.Table, cl cql.Consistency) error {
	switch {
	case t.Counter && cl == cql.Any:
		return cql.Invalidf("Consistency level ANY is not yet supported for counter table %s", t.Name)
	case t.Counter && cl.IsSerial():
		return cql.Invalidf("Counter operations are inherently non-serializable")
	case cl.IsSerial():
		return cql.Invalidf("You must use conditional updates for serializable writes")
	}
	return nil
}

// writeState is what the execution of a modification works with. It is pooled; what it points to outside of itself, but for
// tables, is dropped by end.
type writeState struct {
	w        Writer
	overflow OverflowPolicy
	warnings []string // for the client, who keeps them
	ctx      context.Context
	env      *planner.Env
	level    cql.Consistency
	// timestamp is the request's, in microseconds.
	timestamp int64
	params    writeParams
	parts     []*partition // in the order of first mention; those at and behind len are kept for later
	ms        []request.Mutation
	keys      [][]byte
	key       []byte
	row       [][]byte
	rows      [][][]byte
	fields    [2]byte
	index     map[partitionID]*partition
}

// partition is the change of one partition in the making.
type partition struct {
	table *schema.Table
	b     request.Builder
}

// maxPooled bounds what a pooled writeState keeps: partitions, and bytes of a key.
const (
	maxPooledParts = 16
	maxPooledKey   = 4 << 10
)

func (st *writeState) begin(ctx context.Context, env *planner.Env, cl cql.Consistency, timestamp int64) {
	st.ctx, st.env, st.level, st.timestamp = ctx, env, cl, timestamp
}

func (st *writeState) end() {
	st.ctx, st.env, st.warnings = nil, nil, nil
	if cap(st.parts) > maxPooledParts || cap(st.keys) > maxPooledParts {
		st.parts, st.ms, st.keys = nil, nil, nil
	}
	clear(st.keys[:cap(st.keys)])
	clear(st.row)
	clear(st.rows)
	st.ms, st.keys, st.row, st.rows = st.ms[:0], st.keys[:0], st.row[:0], st.rows[:0]
	st.parts = st.parts[:0]
	if cap(st.key) > maxPooledKey {
		st.key = nil
	}
	st.params, st.index = writeParams{}, nil
}

// mutations ends the partitions, once. What it returns lies in the builders' memory, which is the state's.
func (st *writeState) mutations() []request.Mutation {
	if len(st.ms) > 0 {
		return st.ms
	}
	for _, p := range st.parts {
		st.ms = append(st.ms, p.b.View())
	}
	return st.ms
}

// partition returns the change of the partition key of t, a new one when there is none yet.
func (st *writeState) partition(t *schema.Table, key []byte) *partition {
	if len(st.parts) > maxPooledParts {
		return st.indexed(t, key)
	}
	for _, p := range st.parts {
		if p.table.ID == t.ID && string(p.b.Key()) == string(key) {
			return p
		}
	}
	return st.newPartition(t, key)
}

// partitionID finds a partition among many.
type partitionID struct {
	table schema.UUID
	key   string
}

// indexed is partition when there are too many to look through.
func (st *writeState) indexed(t *schema.Table, key []byte) *partition {
	if len(st.index) == 0 {
		st.index = make(map[partitionID]*partition)
		for _, p := range st.parts {
			st.index[partitionID{p.table.ID, string(p.b.Key())}] = p
		}
	}
	p := st.index[partitionID{t.ID, string(key)}]
	if p == nil {
		p = st.newPartition(t, key)
		st.index[partitionID{t.ID, string(key)}] = p
	}
	return p
}

func (st *writeState) newPartition(t *schema.Table, key []byte) *partition {
	n := len(st.parts)
	if n < cap(st.parts) && st.parts[:n+1][n] != nil {
		st.parts = st.parts[:n+1]
	} else {
		st.parts = append(st.parts, &partition{})
	}
	p := st.parts[n]
	p.table = t
	p.b.Reset(t, key, st.env.Partitioner.Token(key))
	return p
}

// statement adds the changes of one statement. timestamp is the one that it has unless it gives its own.
func (st *writeState) statement(p *planner.ModificationPlan, timestamp int64) error {
	keys, err := st.partitionKeys(p)
	if err != nil {
		return err
	}
	t := target{plan: p}
	if err := st.target(&t); err != nil || t.none {
		return err
	}
	st.params = writeParams{st: st, now: st.env.Now}
	if p.NeedsRead() {
		if err := st.readBefore(p, keys, &t); err != nil {
			return err
		}
	}
	if err := st.params.times(p, st.env, timestamp); err != nil {
		return err
	}
	for _, key := range keys {
		if err := st.change(p, key, &t); err != nil {
			return err
		}
	}
	return nil
}

// maxKeyLength is the longest partition key, and the most that the clustering of a row may hold, in bytes.
const maxKeyLength = 1<<16 - 1

func keyTooLong(n int) error {
	return cql.Invalidf("Key length of %d is longer than maximum of %d", n, maxKeyLength)
}

// partitionKeys evaluates the partition keys. They are valid until the next call.
func (st *writeState) partitionKeys(p *planner.ModificationPlan) ([][]byte, error) {
	st.keys = st.keys[:0]
	var err error
	if p.Key == nil {
		st.keys, err = p.Where.AppendKeys(st.keys, st.env)
		return st.keys, err
	}
	raw := 0
	for i, term := range p.Key {
		v, err := keyValue(term, p.Table.PartitionKey[i], st.env)
		if err != nil {
			return nil, err
		}
		st.keys = append(st.keys, v)
		raw += len(v)
	}
	if raw > maxKeyLength {
		return nil, keyTooLong(raw)
	}
	if len(p.Key) > 1 {
		st.key = st.key[:0]
		for _, v := range st.keys {
			st.key = binary.BigEndian.AppendUint16(st.key, uint16(len(v)))
			st.key = append(append(st.key, v...), 0)
		}
		st.keys = append(st.keys[:0], st.key)
	}
	switch key := st.keys[0]; {
	case len(key) == 0:
		return nil, cql.Invalidf("Key may not be empty")
	case len(key) > maxKeyLength:
		return nil, keyTooLong(len(key))
	}
	return st.keys, nil
}

// keyValue evaluates the value of a column of the primary key.
func keyValue(term planner.Term, c *schema.Column, env *planner.Env) ([]byte, error) {
	v, unset, err := term.Eval(env)
	switch {
	case err != nil:
		return nil, err
	case unset:
		return nil, cql.Invalidf("Invalid unset value for column %s", c.Name)
	case v == nil:
		return nil, cql.Invalidf("Invalid null value in condition for column %s", c.Name)
	}
	return v, nil
}
