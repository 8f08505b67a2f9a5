package planner

import (
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
	"github.com/helenusdb/helenus/storage/request"
)

// restrictionKind is what a restriction leaves of a column's values.
type restrictionKind uint8

// The kinds: one value, a list, an interval, elements.
const (
	isEQ restrictionKind = iota
	isIN
	isSlice
	isContains
)

// restriction is what all relations on a column, or on a tuple of clustering columns, come to.
// Source: org.apache.cassandra.cql3.restrictions.SingleColumnRestriction, MultiColumnRestriction, TokenRestriction.
type restriction struct {
	kind    restrictionKind
	columns []*schema.Column
	multi   bool // written as a tuple
	token   bool // on token(columns)
	values  []tupleValue
	marker  Term // IN ?: a list of values or of tuples
	start   *bound
	end     *bound
	terms   []filterTerm // of isContains
}

// bound is one end of an interval, in the order of values.
type bound struct {
	tupleValue
	inclusive bool
}

// tupleValue is a value for each column of a restriction: items, or one value that holds them all.
type tupleValue struct {
	items []Term
	whole Term
}

var operatorNames = [...]string{
	ast.EQ: "=", ast.LT: "<", ast.LE: "<=", ast.GT: ">", ast.GE: ">=", ast.NEQ: "!=", ast.IN: "IN", ast.Contains: "CONTAINS",
	ast.ContainsKey: "CONTAINS KEY", ast.Like: "LIKE", ast.IsNotNull: "IS NOT",
}

// relation prepares one term of a WHERE clause. Source: org.apache.cassandra.cql3.Relation.toRestriction.
func (s *scope) relation(rel *ast.Relation) (*restriction, error) {
	switch {
	case rel.Op == ast.IsNotNull:
		return nil, cql.Invalidf("Unsupported restriction: %s", relationText(rel))
	case rel.Op == ast.NEQ:
		return nil, cql.Invalidf(`Unsupported "!=" relation: %s`, relationText(rel))
	case rel.Token:
		return s.tokenRelation(rel)
	case rel.Multi:
		return s.tupleRelation(rel)
	}
	c, err := s.column(rel.Columns[0])
	if err != nil {
		return nil, err
	}
	return s.columnRelation(rel, c)
}

// columnRelation prepares a relation on one column. Source: SingleColumnRelation.
func (s *scope) columnRelation(rel *ast.Relation, c *schema.Column) (*restriction, error) {
	if err := checkDuration(rel, c); err != nil {
		return nil, err
	}
	if err := checkReceiver(rel, c); err != nil {
		return nil, err
	}
	x := &restriction{columns: []*schema.Column{c}}
	recv := specOf(c)
	if rel.Key != nil {
		return x, s.entry(x, rel, recv)
	}
	switch rel.Op {
	case ast.Contains, ast.ContainsKey:
		f := filterTerm{column: c, op: request.OpContains, component: -1}
		if rel.Op == ast.ContainsKey {
			f.op, recv = request.OpContainsKey, keyOf(recv)
		} else {
			recv = valueOf(recv)
		}
		x.kind = isContains
		var err error
		f.value, err = s.term(rel.Value, recv)
		x.terms = []filterTerm{f}
		return x, err
	case ast.Like:
		if _, err := s.term(rel.Value, recv); err != nil {
			return nil, err
		}
		return nil, cql.Invalidf("LIKE restriction is only supported on properly indexed columns. %s is not valid.",
			relationText(rel))
	case ast.IN:
		if rel.Values == nil {
			x.kind = isIN
			var err error
			x.marker, err = s.term(rel.Value, s.named("in("+c.Name+")", types.ListOf(c.Type.Freeze(), false)))
			return x, err
		}
	}
	exprs := rel.Values
	if rel.Op != ast.IN {
		exprs = []ast.Expr{rel.Value}
	}
	for _, e := range exprs {
		v, err := s.term(e, recv)
		if err != nil {
			return nil, err
		}
		x.values = append(x.values, tupleValue{items: []Term{v}})
	}
	x.settle(rel.Op)
	return x, nil
}

// settle makes of the values of x what the operator says. IN of one value is the same as an equality.
func (x *restriction) settle(op ast.Operator) {
	switch op {
	case ast.IN:
		if len(x.values) != 1 {
			x.kind = isIN
		}
	case ast.GT, ast.GE:
		x.kind, x.start, x.values = isSlice, &bound{x.values[0], op == ast.GE}, nil
	case ast.LT, ast.LE:
		x.kind, x.end, x.values = isSlice, &bound{x.values[0], op == ast.LE}, nil
	}
}

// entry prepares m[k] = v.
func (s *scope) entry(x *restriction, rel *ast.Relation, recv Spec) error {
	f := filterTerm{column: x.columns[0], op: request.OpMapEntry, component: -1}
	x.kind = isContains
	var err error
	if f.key, err = s.term(rel.Key, keyOf(recv)); err != nil {
		return err
	}
	f.value, err = s.term(rel.Value, valueOf(recv))
	x.terms = []filterTerm{f}
	return err
}

// checkDuration refuses slices of what holds durations, which have no order.
func checkDuration(rel *ast.Relation, c *schema.Column) error {
	if rel.Op < ast.LT || rel.Op > ast.GE || !c.Type.ReferencesDuration() {
		return nil
	}
	switch {
	case c.Type.IsCollection():
		return cql.Invalidf("Slice restrictions are not supported on collections containing durations")
	case c.Type.Kind == types.UDT:
		return cql.Invalidf("Slice restrictions are not supported on UDTs containing durations")
	case c.Type.Kind == types.Tuple:
		return cql.Invalidf("Slice restrictions are not supported on tuples containing durations")
	}
	return cql.Invalidf("Slice restrictions are not supported on duration columns")
}

// checkReceiver refuses relations that the type of a column rules out. Source: SingleColumnRelation.toReceivers.
func checkReceiver(rel *ast.Relation, c *schema.Column) error {
	t := c.Type
	switch {
	case rel.Op == ast.ContainsKey && t.Kind != types.Map:
		return cql.Invalidf("Cannot use CONTAINS KEY on non-map column %s", c.Name)
	case rel.Op == ast.Contains && !t.IsCollection():
		return cql.Invalidf("Cannot use CONTAINS on non-collection column %s", c.Name)
	}
	if rel.Key != nil {
		switch {
		case t.Kind == types.List:
			return cql.Invalidf("Indexes on list entries (%s[index] = value) are not currently supported.", c.Name)
		case t.Kind != types.Map:
			return cql.Invalidf("Column %s cannot be used as a map", c.Name)
		case t.Frozen:
			return cql.Invalidf("Map-entry equality predicates on frozen map column %s are not supported", c.Name)
		case rel.Op != ast.EQ:
			return cql.Invalidf("Only EQ relations are supported on map entries")
		}
		return nil
	}
	switch {
	case t.Kind == types.UDT && !t.Frozen:
		return cql.Invalidf("Non-frozen UDT column '%s' (%s) cannot be restricted by any relation", c.Name, t)
	case t.IsCollection() && !t.Frozen && rel.Op != ast.Contains && rel.Op != ast.ContainsKey:
		return cql.Invalidf("Collection column '%s' (%s) cannot be restricted by a '%s' relation",
			c.Name, t, operatorNames[rel.Op])
	}
	return nil
}

// tupleRelation prepares a relation on a tuple of clustering columns. Source: MultiColumnRelation.
func (s *scope) tupleRelation(rel *ast.Relation) (*restriction, error) {
	x := &restriction{multi: true}
	elems := make([]*types.Type, 0, len(rel.Columns))
	for i, name := range rel.Columns {
		c, err := s.column(name)
		switch {
		case err != nil:
			return nil, err
		case c.Kind != schema.Clustering:
			return nil, cql.Invalidf("Multi-column relations can only be applied to clustering columns but was applied to: %s",
				c.Name)
		case slices.Contains(x.columns, c):
			return nil, cql.Invalidf(`Column "%s" appeared twice in a relation: %s`, c.Name, relationText(rel))
		case i > 0 && c.Position != x.columns[i-1].Position+1:
			return nil, cql.Invalidf("Clustering columns must appear in the PRIMARY KEY order in multi-column relations: %s",
				relationText(rel))
		}
		x.columns = append(x.columns, c)
		elems = append(elems, c.Type)
	}
	whole := s.named("("+strings.Join(rel.Columns, ",")+")", types.TupleOf(elems...))
	if rel.Op == ast.IN && rel.Values == nil {
		x.kind = isIN
		var err error
		x.marker, err = s.term(rel.Value, s.named("in"+whole.Name, types.ListOf(whole.Type, false)))
		return x, err
	}
	exprs := rel.Values
	if rel.Op != ast.IN {
		exprs = []ast.Expr{rel.Value}
	}
	for _, e := range exprs {
		v, err := s.tupleOperand(e, x.columns, whole)
		if err != nil {
			return nil, err
		}
		x.values = append(x.values, v)
	}
	x.settle(rel.Op)
	return x, nil
}

// tupleOperand prepares the right side of a tuple relation: a tuple written out, or a marker for all of it.
// Source: org.apache.cassandra.cql3.Tuples.Literal, Tuples.Raw.
func (s *scope) tupleOperand(e ast.Expr, columns []*schema.Column, whole Spec) (tupleValue, error) {
	t, ok := e.(*ast.Tuple)
	if !ok {
		v, err := s.term(e, whole)
		return tupleValue{whole: v}, err
	}
	if len(t.Items) != len(columns) {
		return tupleValue{}, cql.Invalidf("Expected %d elements in value tuple, but got %d: %s",
			len(columns), len(t.Items), termText(t))
	}
	var v tupleValue
	for i, item := range t.Items {
		x, err := s.columnTerm(item, columns[i])
		if err != nil {
			return v, err
		}
		v.items = append(v.items, x)
	}
	return v, nil
}

// tokenRelation prepares token(columns) op x. Source: TokenRelation.
func (s *scope) tokenRelation(rel *ast.Relation) (*restriction, error) {
	x := &restriction{token: true}
	for _, name := range rel.Columns {
		c, err := s.column(name)
		if err != nil {
			return nil, err
		}
		x.columns = append(x.columns, c)
	}
	pk := s.table.PartitionKey
	if !slices.Equal(x.columns, pk) {
		for _, c := range pk {
			if !slices.Contains(x.columns, c) {
				return nil, cql.Invalidf("The token() function must be applied to all partition key components or none of them")
			}
		}
		for i, c := range x.columns {
			if slices.Contains(x.columns[:i], c) {
				return nil, cql.Invalidf("The token() function contains duplicate partition key components")
			}
		}
		if len(x.columns) > len(pk) {
			return nil, cql.Invalidf("The token() function must contains only partition key components")
		}
		return nil, cql.Invalidf("The token function arguments must be in the partition key order: %s", columnList(pk, ", "))
	}
	v, err := s.term(rel.Value, s.named("partition key token", tokenType(s.env.Partitioner)))
	if err != nil {
		return nil, err
	}
	x.values = []tupleValue{{items: []Term{v}}}
	x.settle(rel.Op)
	return x, nil
}

// columnList joins the names of columns.
func columnList(columns []*schema.Column, separator string) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return strings.Join(names, separator)
}

// relationText is a relation as error messages show it. Source: toString of SingleColumnRelation and its kin.
func relationText(rel *ast.Relation) string {
	names := make([]string, len(rel.Columns))
	for i, n := range rel.Columns {
		names[i] = types.QuoteIdent(n)
	}
	left := strings.Join(names, ", ")
	switch {
	case rel.Token:
		left = "token(" + left + ")"
	case rel.Multi:
		left = "(" + left + ")"
	}
	if rel.Key != nil {
		left += "[" + termText(rel.Key) + "]"
	}
	var right string
	switch {
	case rel.Op == ast.IN && rel.Values != nil:
		items := make([]string, len(rel.Values))
		for i, e := range rel.Values {
			items[i] = termText(e)
		}
		right = "(" + strings.Join(items, ", ") + ")"
	case rel.Value != nil:
		right = termText(rel.Value)
	case rel.Op == ast.IsNotNull:
		right = "NULL"
	}
	return left + " " + operatorNames[rel.Op] + " " + right
}
