package planner

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/parser/ast"
)

// ordering is one column of ORDER BY.
type ordering struct {
	column *schema.Column
	desc   bool
}

// SortKey is a cell that rows are sorted by, in stored order of its column unless Reversed; null stands first in
// that order.
type SortKey struct {
	Cell     int
	Column   *schema.Column
	Reversed bool
}

// orderings finds the columns of ORDER BY. Of a column that is named twice the last direction counts.
// Source: org.apache.cassandra.cql3.Ordering.Raw.
func (s *scope) orderings(orders []ast.Order) ([]ordering, error) {
	var list []ordering
next:
	for i := range orders {
		o := &orders[i]
		c, err := s.column(o.Column)
		if err != nil {
			return nil, err
		}
		if o.ANN != nil {
			if _, err := s.columnTerm(o.ANN, c); err != nil {
				return nil, err
			}
			return nil, refuseANN(o)
		}
		for j := range list {
			if list[j].column == c {
				list[j].desc = o.Desc
				continue next
			}
		}
		list = append(list, ordering{c, o.Desc})
	}
	return list, nil
}

// refuseANN answers ORDER BY c ANN OF v: no index of ours knows nearness. Source: StatementRestrictions.addOrderingRestrictions.
func refuseANN(o *ast.Order) error {
	if o.Desc {
		return cql.Invalidf("Descending ANN ordering is not supported")
	}
	return cql.Invalidf("ANN ordering by vector requires the column to be indexed")
}

// order checks ORDER BY against the restrictions and decides how the order is made.
// Source: SelectStatement.verifyOrderingIsAllowed, isReversed, getOrderingComparator.
func (p *SelectPlan) order(orders []ordering) error {
	if len(orders) == 0 {
		return nil
	}
	w := p.Where
	if w.usesIndex {
		return cql.Invalidf("ORDER BY with 2ndary indexes is not supported, except for ANN queries.")
	}
	if w.KeyRange {
		return cql.Invalidf("ORDER BY is only supported when the partition key is restricted by an EQ or an IN.")
	}
	next := 0
	for _, o := range orders {
		if o.column.Kind != schema.Clustering {
			return cql.Invalidf("Order by is currently only supported on the clustered columns of the PRIMARY KEY, got %s",
				o.column.Name)
		}
		for ; next != o.column.Position; next++ {
			if next >= len(w.clustering) || !w.fixed(w.Table.Clustering[next]) {
				return cql.Invalidf("Order by currently only supports the ordering of columns following their declared order in the PRIMARY KEY")
			}
		}
		next++
	}
	p.Reversed = orders[0].desc != orders[0].column.Desc
	for _, o := range orders[1:] {
		if p.Reversed != (o.desc != o.column.Desc) {
			return cql.Invalidf("Unsupported order by relation")
		}
	}
	for i := range p.Sort {
		p.Sort[i].Reversed = p.Reversed
	}
	return nil
}
