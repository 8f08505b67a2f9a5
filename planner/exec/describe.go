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

// Describe runs DESCRIBE; current is the keyspace in use or "". Its paging state is the version of the schema and the number
// of rows that were sent. Source: org.apache.cassandra.cql3.statements.DescribeStatement.
func Describe(_ context.Context, w Writer, p *planner.DescribePlan, current string, o *Options, sink Sink) (Result, error) {
	def := p.Def
	def.Current = current
	if def.Kind == schema.DescribeCluster {
		return Result{}, describeCluster(w.Describe(), current != "", sink)
	}
	snap := w.Schema()
	list, err := schema.Describe(snap, def)
	if err != nil {
		return Result{}, err
	}
	specs := describeSpecs
	if def.Kind.IsListing() {
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
	if o.PageSize > 0 && end-start == o.PageSize {
		// A full page has a page behind it, even if an empty one.
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
func describeCluster(info ClusterInfo, ranges bool, sink Sink) error {
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
