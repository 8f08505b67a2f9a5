package exec

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/planner"
)

// Outcome is the answer to a statement that is neither SELECT nor a modification. Of its fields one is set: Keyspace by
// USE, Schema by what changed the schema, Rows by what had rows. With none set the answer is void.
type Outcome struct {
	Result
	Keyspace string
	// Schema is the change that the client is answered with; nil also when a statement changed nothing.
	Schema *schema.Event
	Rows   bool
}

// Other runs a plan of kind KindOther.
func (m *Modifier) Other(ctx context.Context, p *planner.Plan, o *Options, sink Sink) (Outcome, error) {
	switch body := p.Body.(type) {
	case *planner.SchemaPlan:
		res, err := m.w.ApplySchema(ctx, body.Change)
		if err != nil {
			return Outcome{}, err
		}
		out := Outcome{Result: Result{Warnings: res.Warnings}}
		if !res.NoOp {
			out.Schema = &res.Answer
		}
		return out, nil
	case *planner.UsePlan:
		return Outcome{Keyspace: body.Keyspace}, nil
	case *planner.TruncatePlan:
		return Outcome{}, m.truncate(ctx, body.Table)
	case *planner.DescribePlan:
		res, err := m.describe(body, o, sink)
		return Outcome{Result: res, Rows: true}, err
	}
	return Outcome{}, cql.Serverf("a plan of an unknown kind")
}

// truncate runs TRUNCATE.
func (m *Modifier) truncate(ctx context.Context, t *schema.Table) error {
	switch {
	case t.Virtual:
		return cql.Invalidf("Truncation is not supported by table %s.%s", t.Keyspace, t.Name)
	case t.Keyspace == "system" || t.Keyspace == "system_schema":
		// Deviation: Cassandra truncates its own tables when it is told to, and breaks.
		return cql.Unauthorizedf("%s keyspace is not user-modifiable.", t.Keyspace)
	}
	return m.w.Truncate(ctx, t)
}

// describeSpecs are the columns of DESCRIBE, of which listings leave out the last.
var describeSpecs = []planner.Spec{
	{Keyspace: "system", Table: "describe", Name: "keyspace_name", Type: types.TText},
	{Keyspace: "system", Table: "describe", Name: "type", Type: types.TText},
	{Keyspace: "system", Table: "describe", Name: "name", Type: types.TText},
	{Keyspace: "system", Table: "describe", Name: "create_statement", Type: types.TText},
}

// errDescribeChanged answers a page of a DESCRIBE whose schema is no longer the newest.
var errDescribeChanged = cql.Invalidf("The schema has changed since the previous page of the DESCRIBE statement result. " +
	"Please retry the DESCRIBE statement.")

// describe runs DESCRIBE. Its paging state is the version of the schema and the number of rows that were sent.
// Source: org.apache.cassandra.cql3.statements.DescribeStatement.
func (m *Modifier) describe(p *planner.DescribePlan, o *Options, sink Sink) (Result, error) {
	if p.Def.Kind == schema.DescribeCluster {
		return Result{}, m.describeCluster(p.Def.Current != "", sink)
	}
	snap := m.w.Schema()
	list, err := schema.Describe(snap, p.Def)
	if err != nil {
		return Result{}, err
	}
	specs := describeSpecs
	if p.Def.Kind <= schema.DescribeAggregates {
		specs = specs[:3]
	}
	start, err := describeStart(o.PagingState, snap.Version, len(list))
	if err != nil {
		return Result{}, err
	}
	end := len(list)
	if o.PageSize > 0 {
		end = min(end, start+o.PageSize)
	}
	if err := sink.Begin(specs); err != nil {
		return Result{}, err
	}
	for _, d := range list[start:end] {
		cells := [][]byte{[]byte(d.Keyspace), []byte(d.Type), []byte(d.Name), []byte(d.Create)}
		if d.Keyspace == "" {
			cells[0] = nil
		}
		if err := sink.Row(cells[:len(specs)]); err != nil {
			return Result{}, err
		}
	}
	var res Result
	if end < len(list) {
		res.PagingState = binary.BigEndian.AppendUint32(append([]byte(nil), snap.Version[:]...), uint32(end))
	}
	return res, nil
}

// describeStart reads a paging state; n is the number of rows in all.
func describeStart(state []byte, version schema.UUID, n int) (int, error) {
	if state == nil {
		return 0, nil
	}
	if len(state) != len(version)+4 {
		return 0, cql.Protocolf("Invalid value for the paging state")
	}
	if !slices.Equal(state[:len(version)], version[:]) {
		return 0, errDescribeChanged
	}
	start := binary.BigEndian.Uint32(state[len(version):])
	if uint64(start) > uint64(n) {
		return 0, cql.Protocolf("Invalid value for the paging state")
	}
	return int(start), nil
}

// describeCluster answers DESCRIBE CLUSTER; with a keyspace in use it shows who owns which ranges.
func (m *Modifier) describeCluster(ranges bool, sink Sink) error {
	info := m.w.Describe()
	spec := func(name string, t *types.Type) planner.Spec {
		return planner.Spec{Keyspace: "system", Table: "describe", Name: name, Type: t}
	}
	specs := []planner.Spec{spec("cluster", types.TText), spec("partitioner", types.TText), spec("snitch", types.TText)}
	cells := [][]byte{[]byte(info.Name), []byte(info.Partitioner), []byte(info.Snitch)}
	if ranges {
		t := types.MapOf(types.TText, types.ListOf(types.TText, false), false)
		specs = append(specs, spec("range_ownership", t))
		tokens := make([]string, 0, len(info.Ranges))
		for tok := range info.Ranges {
			tokens = append(tokens, tok)
		}
		slices.Sort(tokens)
		v := types.AppendCount(nil, len(tokens))
		for _, tok := range tokens {
			owners := types.AppendCount(nil, len(info.Ranges[tok]))
			for _, o := range info.Ranges[tok] {
				owners = types.AppendElement(owners, []byte(o))
			}
			v = types.AppendElement(types.AppendElement(v, []byte(tok)), owners)
		}
		cells = append(cells, v)
	}
	if err := sink.Begin(specs); err != nil {
		return err
	}
	return sink.Row(cells)
}
