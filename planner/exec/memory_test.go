package exec

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/parser"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/planner/function"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// memory is a Writer over plain sorted slices: the model that exec is tested on. It keeps everything that was written and
// decides at each read what of it is live.
type memory struct {
	schema *schema.Snapshot
	tables map[schema.UUID]map[string]*memoryPartition
	clock  int64
	ids    byte
}

type memoryPartition struct {
	key      []byte
	token    token.Token
	deletion row.Deletion
	ranges   *row.Ranges
	static   *row.Row
	rows     []*row.Row
}

func newMemory() *memory {
	return &memory{schema: schema.NewSnapshot(), tables: map[schema.UUID]map[string]*memoryPartition{}, clock: 1_000_000}
}

func (m *memory) Schema() *schema.Snapshot { return m.schema }
func (m *memory) Timestamp(int64) int64    { m.clock++; return m.clock }
func (m *memory) Describe() ClusterInfo    { return ClusterInfo{} }
func (m *memory) TimeUUID() (id schema.UUID) {
	t := uint64(1764000000_000000+m.Timestamp(0))*10 + 0x01b21dd213814000
	binary.BigEndian.PutUint32(id[:], uint32(t))
	binary.BigEndian.PutUint16(id[4:], uint16(t>>32))
	binary.BigEndian.PutUint16(id[6:], uint16(t>>48)|0x1000)
	id[8], id[15] = 0x80, 1
	return id
}

func (m *memory) Truncate(_ context.Context, t *schema.Table) error {
	delete(m.tables, t.ID)
	return nil
}

func (m *memory) ApplySchema(_ context.Context, change func(*schema.Snapshot, *schema.Env) (schema.Result, error)) (schema.Result, error) {
	env := &schema.Env{DataCenters: map[string]int{"dc1": 1}, NewID: func() schema.UUID { m.ids++; return schema.UUID{m.ids} }, Now: func() int64 { return m.Timestamp(0) }()}
	res, err := change(m.schema, env)
	if err != nil || res.Change == nil {
		return res, err
	}
	m.schema, err = schema.Apply(m.schema, res.Change)
	return res, err
}

func (m *memory) Write(_ context.Context, ms []request.Mutation, _ cql.WriteType, _ cql.Consistency) error {
	ms = request.Clone(ms)
	for i := range ms {
		if err := m.apply(&ms[i]); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) CAS(ctx context.Context, c CAS, _, _ cql.Consistency) (bool, error) {
	it, err := m.Read(ctx, c.Read(), cql.One)
	if err != nil {
		return false, err
	}
	ms, applied, err := c.Decide(it, m.Timestamp(0))
	it.Close()
	if err != nil {
		return false, err
	}
	return applied, m.Write(ctx, ms, cql.WriteCAS, cql.One)
}

func (m *memory) apply(mu *request.Mutation) error {
	t := mu.Table
	layout := row.NewLayout(t)
	parts := m.tables[t.ID]
	if parts == nil {
		parts = map[string]*memoryPartition{}
		m.tables[t.ID] = parts
	}
	p := parts[string(mu.Key)]
	if p == nil {
		p = &memoryPartition{key: bytes.Clone(mu.Key), token: mu.Token, deletion: row.Live}
		parts[string(mu.Key)] = p
	}
	merged := func(old, change *row.Row) *row.Row {
		change = change.Clone()
		if old == nil {
			return change
		}
		dst := new(row.Row)
		row.Merge(dst, old, change, layout)
		return dst
	}
	for c := mu.Changes(); c.Next(); {
		var r row.Row
		rd := row.Reader{B: c.Encoded}
		switch {
		case c.Static:
			rd.Body(&r)
			p.static = merged(p.static, &r)
		case c.Row:
			r.Clustering = rd.Values(nil, len(t.Clustering))
			rd.Body(&r)
			i, found := slices.BinarySearchFunc(p.rows, &r, func(a, b *row.Row) int { return row.CompareClustering(t, a.Clustering, b.Clustering) })
			if found {
				p.rows[i] = merged(p.rows[i], &r)
			} else {
				p.rows = slices.Insert(p.rows, i, merged(nil, &r))
			}
		case c.Range:
			p.ranges = p.ranges.Add(t, row.RangeTombstone{Slice: c.Slice, Deletion: c.Deletion})
		default:
			p.deletion = p.deletion.Max(c.Deletion)
		}
	}
	return nil
}

// Read implements Reader naively: every row of every partition is looked at.
func (m *memory) Read(_ context.Context, rd *request.Read, _ cql.Consistency) (row.Iterator, error) {
	for i := 1; i < len(rd.Slices); i++ {
		if over := (row.Slice{Start: rd.Slices[i].Start, End: rd.Slices[i-1].End}); !over.IsEmpty(rd.Table) {
			return nil, fmt.Errorf("slices %d and %d of a read are not disjoint or not in order: %+v", i-1, i, rd.Slices)
		}
	}
	var parts []*memoryPartition
	if rd.Keys != nil {
		for _, k := range rd.Keys {
			if p := m.tables[rd.Table.ID][string(k)]; p != nil {
				parts = append(parts, p)
			}
		}
	} else {
		for _, p := range m.tables[rd.Table.ID] {
			if inside(rd.Range.Start, p, 1) && inside(rd.Range.End, p, -1) {
				parts = append(parts, p)
			}
		}
		slices.SortFunc(parts, comparePartitions)
		if a := rd.After; a != nil {
			at := &memoryPartition{key: a.Key, token: token.Murmur3{}.Token(a.Key)}
			parts = slices.DeleteFunc(parts, func(p *memoryPartition) bool {
				c := comparePartitions(p, at)
				return c < 0 || c == 0 && a.Clustering == nil
			})
		}
	}
	it := &memoryIterator{}
	for _, p := range parts {
		if q := p.live(rd); q != nil {
			it.parts = append(it.parts, q)
		}
	}
	return it, nil
}

func comparePartitions(a, b *memoryPartition) int {
	if c := a.token.Compare(b.token); c != 0 {
		return c
	}
	return bytes.Compare(a.key, b.key)
}

// inside reports whether p lies behind the bound (sign 1) or before it (-1).
func inside(b request.KeyBound, p *memoryPartition, sign int) bool {
	if b.Open {
		return true
	}
	c := sign * p.token.Compare(b.Token)
	return c > 0 || c == 0 && b.Inclusive
}

// live is what of p the read gives, or nil.
func (p *memoryPartition) live(rd *request.Read) *memoryPartition {
	t := rd.Table
	out := &memoryPartition{key: p.key, token: p.token}
	only := func(r *row.Row, d row.Deletion) *row.Row {
		r = r.Clone()
		r.Shadow(d)
		r.Cells = slices.DeleteFunc(r.Cells, func(c row.Cell) bool { return !c.IsLive(rd.Now) })
		if !r.IsLive(rd.Now) {
			return nil
		}
		return r
	}
	if p.static != nil {
		out.static = only(p.static, p.deletion)
	}
	filtered := false
	for _, r := range p.rows {
		d := p.deletion
		if p.ranges != nil {
			d = d.Max(p.ranges.Covering(r.Clustering))
		}
		if r = only(r, d); r == nil || !selected(rd, r) || !behind(rd, p, r) {
			continue
		}
		match := true
		for i := range rd.Filter {
			match = match && rd.Filter[i].Match(t, p.key, out.static, r)
		}
		if !match {
			filtered = true
			continue
		}
		out.rows = append(out.rows, r)
	}
	if rd.Reversed {
		slices.Reverse(out.rows)
	}
	if len(out.rows) == 0 {
		if out.static == nil || filtered {
			return nil
		}
		for i := range rd.Filter {
			if !rd.Filter[i].Match(t, p.key, out.static, nil) {
				return nil
			}
		}
	}
	return out
}

func selected(rd *request.Read, r *row.Row) bool {
	if rd.Slices == nil {
		return true
	}
	for i := range rd.Slices {
		s := &rd.Slices[i]
		if !s.BeforeStart(rd.Table, r.Clustering) && !s.AfterEnd(rd.Table, r.Clustering) {
			return true
		}
	}
	return false
}

func behind(rd *request.Read, p *memoryPartition, r *row.Row) bool {
	a := rd.After
	if a == nil || a.Clustering == nil || !bytes.Equal(a.Key, p.key) {
		return true
	}
	c := row.CompareClustering(rd.Table, r.Clustering, a.Clustering)
	return c > 0 && !rd.Reversed || c < 0 && rd.Reversed
}

type memoryIterator struct {
	parts  []*memoryPartition
	at     *memoryPartition
	row    int
	closed bool
}

func (it *memoryIterator) NextPartition() bool {
	if len(it.parts) == 0 {
		return false
	}
	it.at, it.parts, it.row = it.parts[0], it.parts[1:], 0
	return true
}
func (it *memoryIterator) Key() []byte                     { return it.at.key }
func (it *memoryIterator) Token() token.Token              { return it.at.token }
func (it *memoryIterator) PartitionDeletion() row.Deletion { return row.Live }
func (it *memoryIterator) Static() *row.Row                { return it.at.static }
func (it *memoryIterator) Err() error                      { return nil }
func (it *memoryIterator) Close()                          { it.closed = true }
func (it *memoryIterator) NextRow() *row.Row {
	if it.row == len(it.at.rows) {
		return nil
	}
	it.row++
	return it.at.rows[it.row-1]
}

// testNode runs statements on a memory.
type testNode struct {
	*memory
	m        *Modifier
	keyspace string
	now      int64
}

func newTestNode() *testNode {
	mem := newMemory()
	return &testNode{memory: mem, m: NewModifier(mem, DefaultBatchLimits, OverflowReject), now: 1000}
}

// rowSink keeps the rows of an answer.
type rowSink struct {
	columns []planner.Spec
	rows    [][][]byte
}

func (s *rowSink) Begin(columns []planner.Spec) error { s.columns = columns; return nil }
func (s *rowSink) Row(cells [][]byte) error {
	r := make([][]byte, len(cells))
	for i, c := range cells {
		r[i] = bytes.Clone(c)
	}
	s.rows = append(s.rows, r)
	return nil
}

// run parses, plans and executes one statement.
func (n *testNode) run(text string, values []planner.Value, o Options) (*rowSink, *planner.Plan, Result, error) {
	sink := &rowSink{}
	parsed, err := parser.Parse(text)
	if err != nil {
		return nil, nil, Result{}, err
	}
	p, err := planner.Prepare(n.schema, n.keyspace, parsed.Statement, parsed.Markers, planner.PrepareEnv{})
	if err != nil {
		return nil, nil, Result{}, err
	}
	env := &planner.Env{Values: values, Now: n.now, NowMillis: n.now * 1000, Version: cql.V5, Partitioner: token.Murmur3{}, Functions: n.functions()}
	var res Result
	switch body := p.Body.(type) {
	case *planner.SelectPlan:
		res, err = Select(context.Background(), n.memory, p, env, &o, sink)
	case *planner.ModificationPlan:
		res, err = n.m.Modify(context.Background(), body, env, &o, sink)
	case *planner.BatchPlan:
		res, err = n.m.BatchText(context.Background(), body, env, &o, sink)
	case *planner.SchemaPlan:
		_, err = n.ApplySchema(context.Background(), body.Change)
	case *planner.UsePlan:
		n.keyspace = body.Keyspace
	case *planner.TruncatePlan:
		err = n.Truncate(context.Background(), body.Table)
	}
	return sink, p, res, err
}

// must runs statements that must succeed.
func (n *testNode) must(t testing.TB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, _, _, err := n.run(s, nil, Options{Consistency: cql.One}); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// functions is what functions ask of the node.
func (n *testNode) functions() *function.Env {
	return &function.Env{
		NowMillis: func() int64 { return n.now * 1000 }, Timeuuid: func() [16]byte { return n.TimeUUID() },
		Random: func() [16]byte { return n.TimeUUID() },
	}
}
