package planner

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
	"github.com/helenusdb/helenus/storage/request"
)

// Conditions is an IF clause. Columns is empty with Exists and NotExists.
type Conditions struct {
	Exists, NotExists bool
	Columns           []Condition
}

// Any reports whether there is an IF clause.
func (c *Conditions) Any() bool { return c.Exists || c.NotExists || len(c.Columns) > 0 }

// Access is what of its column a Condition tests.
type Access uint8

// The accesses: c, c[k] and c.f.
const (
	WholeColumn Access = iota
	ElementOf
	FieldOf
)

// Condition is one term of an IF clause. Source: org.apache.cassandra.cql3.conditions.ColumnCondition.
type Condition struct {
	Column *schema.Column
	Access Access
	Key    Term // of ElementOf
	Field  int  // of FieldOf
	Op     request.Op
	// Type is the type of what is compared.
	Type *types.Type
	// Value is the right side; with IN it is the marker of IN ? and nil with a list, which is Values.
	Value  Term
	Values []Term
}

// conditionOps are the operators of conditions.
var conditionOps = map[ast.Operator]request.Op{
	ast.EQ: request.OpEQ, ast.LT: request.OpLT, ast.LE: request.OpLE, ast.GT: request.OpGT, ast.GE: request.OpGE,
	ast.NEQ: request.OpNEQ, ast.IN: request.OpIN, ast.Contains: request.OpContains, ast.ContainsKey: request.OpContainsKey,
}

// OpName is the operator as error messages show it.
func (c *Condition) OpName() string {
	for a, op := range conditionOps {
		if op == c.Op {
			return operatorNames[a]
		}
	}
	return "?"
}

// conditions prepares the terms of an IF clause.
func (s *scope) conditions(m *ModificationPlan, list []ast.Condition) error {
	if len(list) > 0 && m.Timestamp != nil {
		return cql.Invalidf("Cannot provide custom timestamp for conditional updates")
	}
	for i := range list {
		a := &list[i]
		c, err := s.column(a.Column)
		if err != nil {
			return err
		}
		cond, err := s.condition(a, c)
		if err != nil {
			return err
		}
		if c.IsPrimaryKey() {
			return cql.Invalidf("PRIMARY KEY column '%s' cannot have IF conditions", c.Name)
		}
		m.If.Columns = append(m.If.Columns, cond)
	}
	return nil
}

// condition prepares one term. Source: ColumnCondition.Raw.prepare.
func (s *scope) condition(a *ast.Condition, c *schema.Column) (Condition, error) {
	cond := Condition{Column: c, Op: conditionOps[a.Op], Type: c.Type}
	recv := specOf(c)
	var err error
	switch {
	case c.Type.Kind == types.Counter:
		return cond, cql.Invalidf("Conditions on counters are not supported")
	case a.Key != nil:
		cond.Access = ElementOf
		key := keyOf
		switch {
		case !c.Type.IsCollection():
			return cond, cql.Invalidf("Invalid element access syntax for non-collection column %s", c.Name)
		case c.Type.Kind == types.Set:
			return cond, cql.Invalidf("Invalid element access syntax for set column %s", c.Name)
		case c.Type.Kind == types.List:
			key = indexOf
		}
		if cond.Key, err = s.term(a.Key, key(recv)); err != nil {
			return cond, err
		}
		recv = valueOf(recv)
	case a.Field != "":
		cond.Access = FieldOf
		if c.Type.Kind != types.UDT {
			// Deviation: Cassandra fails with a ClassCastException.
			return cond, cql.Invalidf("Invalid field access syntax for non-UDT column %s", c.Name)
		}
		if cond.Field = fieldIndex(c.Type, a.Field); cond.Field < 0 {
			return cond, cql.Invalidf("Unknown field %s for column %s", a.Field, c.Name)
		}
		recv = fieldOf(recv, cond.Field)
	}
	cond.Type = recv.Type
	if err := checkConditionDuration(a.Op, recv.Type); err != nil {
		return cond, err
	}
	return cond, s.conditionValues(&cond, a, recv)
}

// checkConditionDuration refuses an order on what has none.
func checkConditionDuration(op ast.Operator, t *types.Type) error {
	if op < ast.LT || op > ast.GE || !t.ReferencesDuration() {
		return nil
	}
	switch {
	case t.IsCollection():
		return cql.Invalidf("Slice conditions are not supported on collections containing durations")
	case t.Kind == types.Tuple:
		return cql.Invalidf("Slice conditions are not supported on tuples containing durations")
	case t.Kind == types.UDT:
		return cql.Invalidf("Slice conditions are not supported on UDTs containing durations")
	}
	return cql.Invalidf("Slice conditions ( %s ) are not supported on durations", operatorNames[op])
}

// conditionValues prepares the right side.
func (s *scope) conditionValues(cond *Condition, a *ast.Condition, recv Spec) (err error) {
	switch a.Op {
	case ast.ContainsKey:
		if recv.Type.Kind != types.Map {
			return cql.Invalidf("Cannot use CONTAINS KEY on non-map column %s", recv.Name)
		}
		recv = keyOf(recv)
	case ast.Contains:
		if !recv.Type.IsCollection() {
			return cql.Invalidf("Cannot use CONTAINS on non-collection column %s", recv.Name)
		}
		recv = valueOf(recv)
	case ast.IN:
		if a.Values == nil {
			list := recv.part("in("+recv.Name+")", types.ListOf(recv.Type, false))
			cond.Value, err = s.term(a.Value, list)
			return err
		}
		cond.Values = make([]Term, len(a.Values))
		for i, e := range a.Values {
			if cond.Values[i], err = s.term(e, recv); err != nil {
				return err
			}
		}
		return nil
	}
	cond.Value, err = s.term(a.Value, recv)
	return err
}
