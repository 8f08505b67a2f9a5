package exec

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/planner"
)

// BatchItem is one statement of a BATCH message with what is bound to it. All of Env but literals and values is set from
// the request's.
type BatchItem struct {
	Plan *planner.Plan
	Env  *planner.Env
}

// batchStatement is one statement of a batch.
type batchStatement struct {
	plan *planner.ModificationPlan
	env  *planner.Env
}

// Batch runs the statements of a BATCH message as one; env is that of the request. Anything but INSERT, UPDATE and DELETE is
// refused, and what cannot stand together. Source: org.apache.cassandra.cql3.statements.BatchStatement.execute.
func (m *Modifier) Batch(
	ctx context.Context, kind planner.BatchKind, items []BatchItem, env *planner.Env, o *Options, sink Sink,
) (Result, error) {
	list := make([]batchStatement, len(items))
	for i, it := range items {
		p, ok := it.Plan.Body.(*planner.ModificationPlan)
		if !ok {
			return Result{}, cql.Invalidf("Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.")
		}
		it.Env.Now, it.Env.NowMillis, it.Env.Version = env.Now, env.NowMillis, env.Version
		it.Env.Partitioner, it.Env.Functions = env.Partitioner, env.Functions
		list[i] = batchStatement{p, it.Env}
	}
	return m.batch(ctx, kind, list, nil, env, o, sink)
}

// BatchText runs a plan of BEGIN BATCH.
func (m *Modifier) BatchText(ctx context.Context, p *planner.BatchPlan, env *planner.Env, o *Options, sink Sink) (Result, error) {
	list := make([]batchStatement, len(p.Statements))
	for i, s := range p.Statements {
		list[i] = batchStatement{s, env}
	}
	return m.batch(ctx, p.Kind, list, p.Timestamp, env, o, sink)
}

// batch runs a batch; timestamp is its own USING TIMESTAMP, else nil.
func (m *Modifier) batch(
	ctx context.Context, kind planner.BatchKind, list []batchStatement, timestamp planner.Term, env *planner.Env, o *Options,
	sink Sink,
) (Result, error) {
	if err := checkBatch(kind, list, timestamp != nil); err != nil || len(list) == 0 {
		return Result{}, err
	}
	ts, err := timestampOf(timestamp, env, m.timestamp(o))
	if err != nil {
		return Result{}, err
	}
	if slices.ContainsFunc(list, func(s batchStatement) bool { return s.plan.If.Any() }) {
		return m.conditionalBatch(ctx, list, env, o, sink)
	}
	st := m.states.Get().(*writeState)
	defer m.release(st)
	st.begin(ctx, env, o.Consistency, ts)
	for _, s := range list {
		if err := st.batched(s, ts); err != nil {
			return Result{}, err
		}
	}
	res := Result{Warnings: append(st.warnings, graceWarning(kind, list)...)}
	warnings, err := m.checkSize(st, kind)
	res.Warnings = append(res.Warnings, warnings...)
	if err != nil {
		return res, err
	}
	ms := st.mutations()
	if len(ms) == 0 {
		return res, nil
	}
	t := writeType(ms[0].Table, len(ms))
	if kind == planner.LoggedBatch && len(ms) > 1 {
		t = cql.WriteBatch
	}
	return res, m.w.Write(ctx, ms, t, o.Consistency)
}

// checkBatch makes the checks of a batch as a whole.
func checkBatch(kind planner.BatchKind, list []batchStatement, timestamp bool) error {
	plans := make([]*planner.ModificationPlan, len(list))
	for i := range list {
		plans[i] = list[i].plan
	}
	if err := planner.CheckBatch(kind, plans, timestamp); err != nil {
		return err
	}
	for _, p := range plans {
		if p.Refusal != nil {
			return p.Refusal
		}
	}
	return nil
}

// batched adds one statement of a batch, whose time is ts unless it has its own.
func (st *writeState) batched(s batchStatement, ts int64) (err error) {
	st.env = s.env
	if s.plan.JSON != nil {
		if st.env, err = s.plan.JSON.Bind(s.env); err != nil {
			return err
		}
	}
	return st.statement(s.plan, ts)
}

// conditionalBatch runs a batch with conditions, which is about one partition.
func (m *Modifier) conditionalBatch(
	ctx context.Context, list []batchStatement, env *planner.Env, o *Options, sink Sink,
) (Result, error) {
	c := newCAS(m, env)
	c.batch = true
	for _, s := range list {
		if err := c.add(s.plan, s.env); err != nil {
			return Result{}, err
		}
	}
	return m.runCAS(ctx, c, o, sink)
}

// graceWarning warns of a logged batch on tables without a grace period.
func graceWarning(kind planner.BatchKind, list []batchStatement) []string {
	if kind != planner.LoggedBatch {
		return nil
	}
	var tables []*schema.Table
	for _, s := range list {
		if t := s.plan.Table; t.Options.GCGraceSeconds == 0 && !hasTable(tables, t) {
			tables = append(tables, t)
		}
	}
	if len(tables) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("Executing a LOGGED BATCH on table%s %s, configured with a gc_grace_seconds of 0. The gc_grace_seconds "+
		"is used to TTL batchlog entries, so setting gc_grace_seconds too low on tables involved in an atomic batch might cause "+
		"batchlog entries to expire before being replayed.", plural(len(tables)), tableNames(tables))}
}

// hasTable reports whether t, of whatever version, is among tables.
func hasTable(tables []*schema.Table, t *schema.Table) bool {
	return slices.ContainsFunc(tables, func(x *schema.Table) bool { return x.ID == t.ID })
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// tableNames prints tables as Cassandra prints its set of them: in the order of a Java HashSet.
func tableNames(tables []*schema.Table) string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Keyspace + "." + t.Name
	}
	buckets := uint32(16)
	for len(names) > int(buckets)*3/4 {
		buckets *= 2
	}
	bucket := func(name string) uint32 {
		h := javaHash(name)
		return (h ^ h>>16) & (buckets - 1)
	}
	slices.SortStableFunc(names, func(a, b string) int { return int(bucket(a)) - int(bucket(b)) })
	return "[" + strings.Join(names, ", ") + "]"
}

// javaHash is java.lang.String.hashCode of an ASCII text.
func javaHash(s string) (h uint32) {
	for i := range len(s) {
		h = h*31 + uint32(s[i])
	}
	return h
}
