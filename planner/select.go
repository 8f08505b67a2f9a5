package planner

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// SelectPlan is the body of a SELECT. It is immutable.
// Source: org.apache.cassandra.cql3.statements.SelectStatement.
type SelectPlan struct {
	Where *Restrictions
	// Fetch is what each row is read for; Columns the regular and static columns among that, nil for all of the table.
	Fetch   []Fetch
	Columns []schema.ColumnID
	// Direct gives the cells of a result row as indexes into Fetch; it is nil when Items compute them.
	Direct []int
	Items  []Selector
	// Visible is how many of the cells go out; those behind are there to sort by.
	Visible int
	// Aggregates are the aggregate functions that Items ask for, by number.
	Aggregates []*Aggregate
	// Group is not nil when rows are drawn together: by GROUP BY or, in one group, by an aggregate alone.
	Group *Grouping

	Distinct bool
	// Reversed reads partitions from their end.
	Reversed bool
	// Sort orders rows that come from several partitions; nil when they come in the order wanted.
	Sort []SortKey
	// JSON makes one text of each row, of the columns that Named tells.
	JSON  bool
	Named []Spec

	Limit, PerPartitionLimit Term
	// StaticRow says that a partition without rows gives one row of its static columns.
	StaticRow bool
	// Hash tells statements apart whose paging states must not be mixed. It does not depend on the text of literals, nor on
	// what is selected: a column that is added between two pages of a SELECT * must not end the paging.
	Hash uint64
}

func (*SelectPlan) planBody() {}

// prepareSelect plans a SELECT. The order of its steps is the order in which Cassandra finds errors.
// Source: SelectStatement.RawStatement.prepare.
func (s *scope) prepareSelect(st *ast.Select) (*Plan, error) {
	t, err := s.tableOf(st.Table)
	if err != nil {
		return nil, err
	}
	s.table = t
	items := &selectables{s: s, items: st.Items}
	statics, err := items.onlyStatics()
	if err != nil {
		return nil, err
	}
	orders, err := s.orderings(st.OrderBy)
	if err != nil {
		return nil, err
	}
	p := &SelectPlan{JSON: st.JSON, Distinct: st.Distinct}
	p.Where, err = s.where(whereSelect, st.Where, whereOptions{onlyStatics: statics, allowFiltering: st.AllowFiltering})
	if err != nil {
		return nil, err
	}
	result, err := s.selection(p, items, orders)
	if err != nil {
		return nil, err
	}
	if st.Distinct {
		if st.PerPartitionLimit != nil {
			return nil, cql.Invalidf("PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries")
		}
		if err := p.checkDistinct(t); err != nil {
			return nil, err
		}
	}
	if err := s.grouping(p, st); err != nil {
		return nil, err
	}
	if p.Group != nil && p.Group.Everything && st.PerPartitionLimit != nil {
		return nil, cql.Invalidf("PER PARTITION LIMIT is not allowed with aggregate queries.")
	}
	if err := p.order(orders); err != nil {
		return nil, err
	}
	if !st.AllowFiltering && (p.Where.KeyRange || p.Where.usesIndex) && mustAllow(t) && p.Where.needsFiltering() {
		return nil, cql.Invalidf(filteringText)
	}
	if p.PerPartitionLimit, err = s.limit(st.PerPartitionLimit, "[per_partition_limit]"); err != nil {
		return nil, err
	}
	if p.Limit, err = s.limit(st.Limit, "[limit]"); err != nil {
		return nil, err
	}
	p.StaticRow = !p.Where.HasClustering() && !p.Where.HasRegular()
	p.Hash = p.hash(t, st)
	if st.JSON {
		p.Named = result
		result = []Spec{s.named("[json]", types.TText)}
	}
	return &Plan{Kind: KindSelect, Body: p, Table: t, Result: result}, nil
}

// limit prepares LIMIT or PER PARTITION LIMIT, nil for none.
func (s *scope) limit(e ast.Expr, name string) (Term, error) {
	if e == nil {
		return nil, nil
	}
	return s.term(e, s.named(name, types.TInt))
}

// checkDistinct refuses a DISTINCT that would have to look into partitions, or to sort.
// Source: SelectStatement.validateDistinctSelection.
func (p *SelectPlan) checkDistinct(t *schema.Table) error {
	for _, x := range p.Where.other {
		if x.columns[0].Kind != schema.Static {
			return cql.Invalidf("SELECT DISTINCT with WHERE clause only supports restriction by partition key and/or static columns.")
		}
	}
	if p.Where.HasClustering() {
		return cql.Invalidf("SELECT DISTINCT with WHERE clause only supports restriction by partition key and/or static columns.")
	}
	asked := make(map[*schema.Column]bool)
	for i := range p.Fetch {
		c := p.Fetch[i].Column
		if c.Kind != schema.PartitionKey && c.Kind != schema.Static {
			return cql.Invalidf("SELECT DISTINCT queries must only request partition key columns and/or static columns (not %s)",
				c.Name)
		}
		asked[c] = true
	}
	if !p.Where.KeyRange {
		return nil
	}
	for _, c := range t.PartitionKey {
		if !asked[c] {
			return cql.Invalidf("SELECT DISTINCT queries must request all the partition key columns (missing %s)", c.Name)
		}
	}
	return nil
}

// Warnings are what the client is told of an aggregation over more than one partition.
func (p *SelectPlan) Warnings() []string {
	switch {
	case p.Group == nil:
		return nil
	case !p.Where.HasPartitionKey():
		return []string{"Aggregation query used without partition key"}
	case p.Where.KeyIN():
		return []string{"Aggregation query used on multiple partition keys (IN restriction)"}
	}
	return nil
}

// hash digests what a page of one statement must not be mixed with: the table, the columns of WHERE with their operators,
// the order and the grouping, and what is selected.
func (p *SelectPlan) hash(t *schema.Table, st *ast.Select) uint64 {
	d := digest(14695981039346656037)
	d.bytes(t.ID[:])
	for i := range st.Where {
		rel := &st.Where[i]
		for _, c := range rel.Columns {
			d.text(c)
		}
		d.number(uint64(rel.Op)<<8 | boolBit(rel.Token)<<1 | boolBit(rel.Multi))
	}
	d.number(boolBit(p.Distinct)<<2 | boolBit(p.Reversed)<<1 | boolBit(p.Group != nil))
	if p.Group != nil {
		d.number(uint64(p.Group.Clustering)<<1 | boolBit(p.Group.Everything))
	}
	return uint64(d)
}

// digest is FNV-1a.
type digest uint64

func (d *digest) bytes(b []byte) {
	for _, c := range b {
		*d = (*d ^ digest(c)) * 1099511628211
	}
}

func (d *digest) text(s string) {
	d.bytes([]byte(s))
	d.number(uint64(len(s)))
}

func (d *digest) number(n uint64) {
	for range 8 {
		*d = (*d ^ digest(n&0xff)) * 1099511628211
		n >>= 8
	}
}

func boolBit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
