package planner

import (
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// Grouping says which rows are drawn together. Source: org.apache.cassandra.db.aggregation.AggregationSpecification.
type Grouping struct {
	// Everything is one group of all rows, which is there even when no row is.
	Everything bool
	// Clustering is how many clustering columns the rows of a group share, beside the partition key.
	Clustering int
	// By, when set, computes what is compared in place of the last of them. It reads Fetch, entry ByFetch of which is
	// that column.
	By      Selector
	ByFetch int
}

// grouping prepares GROUP BY and finds out whether there are aggregates without one.
// Source: SelectStatement.RawStatement.getAggregationSpecFactory.
func (s *scope) grouping(p *SelectPlan, st *ast.Select) error {
	if len(st.GroupBy) == 0 {
		if len(p.Aggregates) > 0 {
			p.Group = &Grouping{Everything: true}
		}
		return nil
	}
	t := s.table
	keys := append(append([]*schema.Column{}, t.PartitionKey...), t.Clustering...)
	g := &Grouping{}
	var call *callSelectable
	next := 0
	for _, e := range st.GroupBy {
		x, err := s.selectable(e)
		if err != nil {
			return err
		}
		c, err := s.groupColumn(p, g, x)
		if err != nil {
			return err
		}
		call, _ = x.(*callSelectable)
		for {
			if next == len(keys) {
				return errGroupOrder
			}
			k := keys[next]
			next++
			if k.Kind == schema.Clustering {
				g.Clustering++
			}
			if k == c {
				break
			}
			if !p.Where.fixed(k) {
				return errGroupOrder
			}
		}
	}
	if next < len(t.PartitionKey) {
		return cql.Invalidf("Group by is not supported on only a part of the partition key")
	}
	if g.Clustering > 0 && p.Distinct {
		return cql.Invalidf("Grouping on clustering columns is not allowed for SELECT DISTINCT queries")
	}
	if call != nil && !call.fn.Monotonic {
		return cql.Invalidf("Only monotonic functions are supported in the GROUP BY clause. Got: %s ", call.fn)
	}
	p.Group = g
	return nil
}

var errGroupOrder = cql.Invalidf("Group by currently only support groups of columns following their declared order in the PRIMARY KEY")

// groupColumn finds the column of one entry of GROUP BY.
func (s *scope) groupColumn(p *SelectPlan, g *Grouping, x selectable) (*schema.Column, error) {
	switch x := x.(type) {
	case *columnSelectable:
		c := x.column
		if !c.IsPrimaryKey() {
			return nil, cql.Invalidf("Group by is currently only supported on the columns of the PRIMARY KEY, got %s", c.Name)
		}
		if g.By != nil {
			return nil, cql.Invalidf("Functions are only supported on the last element of the GROUP BY clause")
		}
		return c, nil
	case *callSelectable:
		return s.groupCall(p, g, x)
	}
	return nil, cql.Invalidf("Group by is currently only supported on the columns of the PRIMARY KEY, got %s", x.name())
}

// groupCall prepares a function as the last entry of GROUP BY.
func (s *scope) groupCall(p *SelectPlan, g *Grouping, x *callSelectable) (*schema.Column, error) {
	if x.fn.IsAggregate() {
		return nil, cql.Invalidf("Aggregate functions are not supported within the GROUP BY clause, got: %s", x.functionName())
	}
	b := &selectionBuilder{s: s, fetch: p.Fetch}
	by, err := x.build(b, nil)
	if err != nil {
		return nil, err
	}
	var columns []*schema.Column
	for _, i := range b.used {
		columns = append(columns, b.fetch[i].Column)
	}
	switch {
	case len(columns) == 0:
		return nil, cql.Invalidf("GROUP BY functions must have one clustering column name as parameter")
	case len(columns) > 1:
		names := make([]string, len(columns))
		for i, c := range columns {
			names[i] = types.QuoteIdent(c.Name)
		}
		return nil, cql.Invalidf("GROUP BY functions accept only one clustering column as parameter, got: %s",
			strings.Join(names, ","))
	case columns[0].Kind != schema.Clustering:
		return nil, cql.Invalidf("Group by functions are only supported on clustering columns, got %s", columns[0].Name)
	}
	p.Fetch = b.fetch
	g.By, g.ByFetch = by, b.used[0]
	return columns[0], nil
}
