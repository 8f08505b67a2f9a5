package planner

import (
	"slices"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
	"github.com/helenusdb/helenus/storage/request"
)

// whereKind is the kind of statement that a WHERE clause belongs to, by Cassandra's word for it.
// Source: org.apache.cassandra.cql3.statements.StatementType.
type whereKind string

// The kinds.
const (
	whereSelect whereKind = "SELECT"
	whereUpdate whereKind = "UPDATE"
	whereDelete whereKind = "DELETE"
	whereInsert whereKind = "INSERT"
)

// whereOptions is what of the statement decides which restrictions it may have.
type whereOptions struct {
	// onlyStatics says that the statement selects or changes static columns alone.
	onlyStatics    bool
	allowFiltering bool
}

// Restrictions is a WHERE clause made ready: which partitions, which rows of them, and what must be filtered. It is
// immutable. Source: org.apache.cassandra.cql3.restrictions.StatementRestrictions.
type Restrictions struct {
	Table *schema.Table
	// KeyRange says that the partition key is not given: partitions come from Range, not from AppendKeys.
	KeyRange bool
	// Index finds the rows of a KeyRange; nil when none does.
	Index *schema.Index
	// usesIndex is Cassandra's word on whether an index serves the statement, which some rules ask.
	usesIndex bool
	// filtered are the restrictions of the primary key that Cassandra filters by, which a rule on ALLOW FILTERING asks.
	filtered []*restriction

	partition  []*restriction // by position; nil where the column is not restricted
	token      *restriction   // of token(), else nil
	clustering []*restriction // by position; a tuple stands at each of its columns
	other      []*restriction // of static and regular columns, in the order of SELECT *
	slices     []*restriction // the clustering restrictions that bound slices, in order
	filters    []filterTerm
	indexTerm  *filterTerm
}

// where prepares a WHERE clause. Errors come in Cassandra's order.
func (s *scope) where(kind whereKind, relations []ast.Relation, o whereOptions) (*Restrictions, error) {
	t := s.table
	r := &Restrictions{Table: t, partition: make([]*restriction, len(t.PartitionKey)), clustering: make([]*restriction, len(t.Clustering))}
	for i := range relations {
		rel := &relations[i]
		if rel.Index != nil {
			continue
		}
		if (rel.Op == ast.Contains || rel.Op == ast.ContainsKey) && (kind == whereUpdate || kind == whereDelete) {
			return nil, cql.Invalidf("Cannot use %s with %s", kind, operatorNames[rel.Op])
		}
		x, err := s.relation(rel)
		if err != nil {
			return nil, err
		}
		if err := r.add(x, kind, o.allowFiltering); err != nil {
			return nil, err
		}
	}
	for i := range relations {
		if x := relations[i].Index; x != nil {
			return nil, s.refuseExpression(kind, x)
		}
	}
	return r, r.check(kind, o)
}

// refuseExpression answers expr(index, 'text'): no index of ours takes one. Source: CustomIndexExpression.prepareValue.
func (s *scope) refuseExpression(kind whereKind, index *ast.Name) error {
	t := s.table
	x := t.Index(index.Name)
	switch {
	case kind != whereSelect:
		return cql.Invalidf("Custom index expressions cannot be used in WHERE clauses for UPDATE or DELETE statements")
	case x == nil:
		return cql.Invalidf("Invalid index expression, index %s not found for %s.%s", index.Name, t.Keyspace, t.Name)
	case x.Kind != "CUSTOM":
		return cql.Invalidf("Only CUSTOM indexes may be used in custom index expressions, %s is not valid", index.Name)
	}
	return cql.Invalidf("Index %s does not support custom expressions", index.Name)
}

// add puts one restriction beside those that are there. Source: StatementRestrictions.addRestriction.
func (r *Restrictions) add(x *restriction, kind whereKind, allowFiltering bool) error {
	first := x.columns[0]
	switch {
	case x.token:
		if r.token == nil {
			r.token = x
			return nil
		}
		merged, err := mergeToken(r.token, x)
		r.token = merged
		return err
	case first.Kind == schema.PartitionKey:
		return mergeAt(r.partition, x)
	case first.Kind == schema.Clustering:
		last := lastRestriction(r.clustering)
		if err := mergeAt(r.clustering, x); err != nil {
			return err
		}
		if last == nil || allowFiltering || kind == whereSelect && r.supporting(x) != nil {
			return nil
		}
		return r.checkOrder(last, x)
	}
	for i, old := range r.other {
		if old.columns[0] == first {
			merged, err := merge(old, x)
			r.other[i] = merged
			return err
		}
	}
	r.other = append(r.other, x)
	return nil
}

// checkOrder refuses a restriction behind a slice. Source: ClusteringColumnRestrictions.mergeWith.
func (r *Restrictions) checkOrder(last, x *restriction) error {
	was, now := last.columns[0], x.columns[0]
	if last.kind == isSlice && now.Position > was.Position {
		return cql.Invalidf(
			`Clustering column "%s" cannot be restricted (preceding column "%s" is restricted by a non-EQ relation)`, now.Name, was.Name,
		)
	}
	if now.Position < was.Position && x.kind == isSlice {
		next := was
		for _, y := range r.clustering[now.Position+1:] {
			if y != nil && y != x {
				next = y.columns[0]
				break
			}
		}
		return cql.Invalidf(
			`PRIMARY KEY column "%s" cannot be restricted (preceding column "%s" is restricted by a non-EQ relation)`, next.Name, now.Name,
		)
	}
	return nil
}

// lastRestriction is the last of a list by position, or nil.
func lastRestriction(list []*restriction) *restriction {
	for _, l := range slices.Backward(list) {
		if l != nil {
			return l
		}
	}
	return nil
}

// supporting returns the index that can look up x, or nil. The indexes that we keep answer equality, CONTAINS, CONTAINS
// KEY and entries alone. Source: SecondaryIndexManager, CassandraIndex.supportsExpression.
func (r *Restrictions) supporting(x *restriction) *schema.Index {
	for _, index := range r.Table.Indexes {
		if index.Kind == "CUSTOM" {
			continue
		}
		if f := x.filterFor(index); f != nil {
			return index
		}
	}
	return nil
}

// anySupporting reports whether an index can look up one of list.
func (r *Restrictions) anySupporting(list []*restriction) bool {
	for _, x := range list {
		if x != nil && r.supporting(x) != nil {
			return true
		}
	}
	return false
}

// tokenType is the type of token() under a partitioner. Source: IPartitioner.getTokenValidator.
func tokenType(p token.Partitioner) *types.Type {
	switch p.(type) {
	case token.RandomPartitioner:
		return types.TVarint
	case token.ByteOrdered:
		return types.TBlob
	}
	return types.TBigint
}

// IsEmpty reports whether there was no WHERE at all.
func (r *Restrictions) IsEmpty() bool {
	return !r.HasPartitionKey() && !r.HasClustering() && len(r.other) == 0
}

// HasPartitionKey reports whether a partition key column, or their token, is restricted.
func (r *Restrictions) HasPartitionKey() bool {
	return r.token != nil || lastRestriction(r.partition) != nil
}

// HasClustering reports whether a clustering column is restricted.
func (r *Restrictions) HasClustering() bool { return lastRestriction(r.clustering) != nil }

// HasRegular reports whether a regular column is restricted.
func (r *Restrictions) HasRegular() bool {
	for _, x := range r.other {
		if x.columns[0].Kind == schema.Regular {
			return true
		}
	}
	return false
}

// KeyIN reports whether a partition key column is restricted by an IN that may have more than one value.
func (r *Restrictions) KeyIN() bool {
	for _, x := range r.partition {
		if x != nil && x.kind == isIN {
			return true
		}
	}
	return false
}

// ClusteringIN reports whether a clustering column is restricted by an IN that may have more than one value.
func (r *Restrictions) ClusteringIN() bool {
	for _, x := range r.clustering {
		if x != nil && x.kind == isIN {
			return true
		}
	}
	return false
}

// FullClustering reports whether each clustering column is restricted, none of them by a slice.
func (r *Restrictions) FullClustering() bool {
	for _, x := range r.clustering {
		if x == nil || x.kind != isEQ && x.kind != isIN {
			return false
		}
	}
	return true
}

// fixed reports whether a column has one value. Source: StatementRestrictions.isColumnRestrictedByEq.
func (r *Restrictions) fixed(c *schema.Column) bool {
	var x *restriction
	switch c.Kind {
	case schema.PartitionKey:
		x = r.partition[c.Position]
	case schema.Clustering:
		x = r.clustering[c.Position]
	}
	return x != nil && x.kind == isEQ
}

// filterTerm is a row filter before its values are known.
type filterTerm struct {
	column     *schema.Column
	op         request.Op
	key, value Term
	values     []Term // of IN (...)
	marker     Term   // of IN ?
	component  int    // of a tuple that is one value; -1 for none
	refusal    string // of what no filter can do
}
