package planner

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// OpKind is what an Operation does to its column.
type OpKind uint8

// The operations. Source: the inner classes of org.apache.cassandra.cql3.Constants, Lists, Sets, Maps and UserTypes.
const (
	OpSet         OpKind = iota // the cell of a simple column; null deletes it
	OpOverwrite                 // a whole collection or user type that is not frozen
	OpAppend                    // elements to the end of a list
	OpPrepend                   // elements to the front of a list
	OpAdd                       // elements of a set, entries of a map
	OpDiscard                   // elements of a set or keys of a map, given as a set
	OpDiscardList               // all elements of a list that equal one of Value's; reads the list
	OpSetIndex                  // element Key of a list; reads the list
	OpSetKey                    // entry Key of a map
	OpSetField                  // field Field of a user type
	OpDelete                    // a whole column
	OpDeleteIndex               // element Key of a list; reads the list
	OpDeleteKey                 // element Key of a set or entry Key of a map
	OpDeleteField               // field Field of a user type
	OpIncrement                 // a counter, by Value
	OpDecrement                 // a counter, by minus Value
	OpCompute                   // a number or text becomes itself + Value; reads the column
)

// Operation changes one column of a row or of the static row.
type Operation struct {
	Kind   OpKind
	Column *schema.Column
	Value  Term
	Key    Term
	Field  int
	// Add computes what OpCompute writes from the current value and Value.
	Add func(current, value []byte) ([]byte, error)
}

// NeedsRead reports whether the operation depends on what is stored.
func (o *Operation) NeedsRead() bool {
	switch o.Kind {
	case OpDiscardList, OpSetIndex, OpDeleteIndex, OpCompute:
		return true
	}
	return false
}

// assignment prepares one entry of SET. conditional says that the statement has an IF, and so reads the row.
// Source: org.apache.cassandra.cql3.Operation.RawUpdate.
func (s *scope) assignment(a *ast.Assignment, c *schema.Column, conditional bool) (Operation, error) {
	switch {
	case a.Key != nil:
		return s.setElement(a, c)
	case a.Field != "":
		return s.setField(a, c)
	}
	switch a.Op {
	case ast.AssignAdd:
		return s.addition(a, c, conditional)
	case ast.AssignSub:
		return s.subtraction(a, c)
	case ast.AssignPrepend:
		return s.prepend(a, c)
	}
	return s.setColumn(a.Value, c)
}

// setColumn prepares c = v, in UPDATE and INSERT.
func (s *scope) setColumn(e ast.Expr, c *schema.Column) (Operation, error) {
	v, err := s.columnTerm(e, c)
	if err != nil {
		return Operation{}, err
	}
	if _, ok := e.(*ast.Tuple); ok && c.Type.Kind == types.UDT {
		// In Cassandra a tuple passes for a user type until it is written.
		return Operation{}, cql.Invalidf("Invalid tuple type literal for %s of type %s", c.Name, c.Type)
	}
	if c.Type.Kind == types.Counter {
		return Operation{}, cql.Invalidf("Cannot set the value of counter column %s "+
			"(counters can only be incremented/decremented, not set)", c.Name)
	}
	return setTo(c, v), nil
}

// setTo is the operation that makes c what v is.
func setTo(c *schema.Column, v Term) Operation {
	if c.Type.IsMultiCell() {
		return Operation{Kind: OpOverwrite, Column: c, Value: v}
	}
	return Operation{Kind: OpSet, Column: c, Value: v}
}

// refuseOp refuses an operation on c; text is the operation as messages show it.
func refuseOp(text, what string, c *schema.Column) (Operation, error) {
	return Operation{}, cql.Invalidf("Invalid operation (%s) for %s column %s", text, what, c.Name)
}

func (s *scope) setElement(a *ast.Assignment, c *schema.Column) (Operation, error) {
	text := func() string { return c.Name + "[" + termText(a.Key) + "] = " + termText(a.Value) }
	switch {
	case !c.Type.IsCollection():
		return refuseOp(text(), "non collection", c)
	case c.Type.Frozen:
		return refuseOp(text(), "frozen collection", c)
	case c.Type.Kind == types.Set:
		return refuseOp(text(), "set", c)
	}
	o := Operation{Kind: OpSetIndex, Column: c}
	key := indexOf(specOf(c))
	if c.Type.Kind == types.Map {
		o.Kind, key = OpSetKey, keyOf(specOf(c))
	}
	var err error
	if o.Key, err = s.term(a.Key, key); err != nil {
		return o, err
	}
	o.Value, err = s.term(a.Value, valueOf(specOf(c)))
	return o, err
}

func (s *scope) setField(a *ast.Assignment, c *schema.Column) (Operation, error) {
	text := func() string { return c.Name + "." + a.Field + " = " + termText(a.Value) }
	switch {
	case c.Type.Kind != types.UDT:
		return refuseOp(text(), "non-UDT", c)
	case c.Type.Frozen:
		return refuseOp(text(), "frozen UDT", c)
	}
	o := Operation{Kind: OpSetField, Column: c, Field: fieldIndex(c.Type, a.Field)}
	if o.Field < 0 {
		return o, noField(c, a.Field)
	}
	var err error
	o.Value, err = s.term(a.Value, fieldOf(specOf(c), o.Field))
	return o, err
}

func noField(c *schema.Column, field string) error {
	return cql.Invalidf("UDT column %s does not have a field named %s", c.Name, field)
}

func (s *scope) addition(a *ast.Assignment, c *schema.Column, conditional bool) (Operation, error) {
	text := func() string { return c.Name + " = " + c.Name + " + " + termText(a.Value) }
	if !c.Type.IsCollection() {
		return s.scalarAddition(a, c, conditional, text)
	}
	if c.Type.Frozen {
		return refuseOp(text(), "frozen collection", c)
	}
	o := Operation{Kind: OpAdd, Column: c}
	if c.Type.Kind == types.List {
		o.Kind = OpAppend
	}
	var err error
	o.Value, err = s.columnTerm(a.Value, c)
	if err != nil && c.Type.Kind == types.Map {
		err = cql.Invalidf("Value for a map addition has to be a map, but was: '%s'", termText(a.Value))
	}
	return o, err
}

// scalarAddition is n = n + v: of counters, and of numbers and text in a conditional statement.
func (s *scope) scalarAddition(a *ast.Assignment, c *schema.Column, conditional bool, text func() string) (Operation, error) {
	counter := c.Type.Kind == types.Counter
	switch {
	case isTuple(c.Type):
		return refuseOp(text(), "tuple", c)
	case conditional && !c.Type.IsNumeric() && !c.Type.IsString():
		return Operation{}, cql.Invalidf("Invalid operation (%s) for non-numeric and non-text type %s", text(), c.Name)
	case !conditional && !counter:
		return refuseOp(text(), "non counter", c)
	}
	v, err := s.columnTerm(a.Value, c)
	if err != nil || counter {
		return Operation{Kind: OpIncrement, Column: c, Value: v}, err
	}
	add, err := adder(c.Type)
	return Operation{Kind: OpCompute, Column: c, Value: v, Add: add}, err
}

func (s *scope) subtraction(a *ast.Assignment, c *schema.Column) (Operation, error) {
	text := func() string { return c.Name + " = " + c.Name + " - " + termText(a.Value) }
	switch {
	case !c.Type.IsCollection():
		if c.Type.Kind != types.Counter {
			return refuseOp(text(), "non counter", c)
		}
		v, err := s.columnTerm(a.Value, c)
		return Operation{Kind: OpDecrement, Column: c, Value: v}, err
	case c.Type.Frozen:
		return refuseOp(text(), "frozen collection", c)
	case c.Type.Kind == types.List:
		v, err := s.columnTerm(a.Value, c)
		return Operation{Kind: OpDiscardList, Column: c, Value: v}, err
	case c.Type.Kind == types.Set:
		v, err := s.columnTerm(a.Value, c)
		return Operation{Kind: OpDiscard, Column: c, Value: v}, err
	}
	recv := specOf(c)
	recv.Type = types.SetOf(c.Type.Elems[0], false)
	v, err := s.term(a.Value, recv)
	if err != nil {
		err = cql.Invalidf("Value for a map substraction has to be a set, but was: '%s'", termText(a.Value))
	}
	return Operation{Kind: OpDiscard, Column: c, Value: v}, err
}

// prepend is c = v + c. The minus in its message is Cassandra's.
func (s *scope) prepend(a *ast.Assignment, c *schema.Column) (Operation, error) {
	text := func() string { return c.Name + " = " + termText(a.Value) + " - " + c.Name }
	v, err := s.columnTerm(a.Value, c)
	switch {
	case err != nil:
		return Operation{}, err
	case c.Type.Kind != types.List:
		return refuseOp(text(), "non list", c)
	case c.Type.Frozen:
		return refuseOp(text(), "frozen list", c)
	}
	return Operation{Kind: OpPrepend, Column: c, Value: v}, nil
}

// deletion prepares one entry of DELETE's list. Source: org.apache.cassandra.cql3.Operation.RawDeletion.
func (s *scope) deletion(a *ast.Assignment, c *schema.Column) (Operation, error) {
	switch {
	case a.Field != "":
		switch {
		case c.Type.Kind != types.UDT:
			return Operation{}, cql.Invalidf("Invalid field deletion operation for non-UDT column %s", c.Name)
		case c.Type.Frozen:
			return Operation{}, cql.Invalidf("Frozen UDT column %s does not support field deletions", c.Name)
		}
		i := fieldIndex(c.Type, a.Field)
		if i < 0 {
			return Operation{}, noField(c, a.Field)
		}
		return Operation{Kind: OpDeleteField, Column: c, Field: i}, nil
	case a.Key == nil:
		return Operation{Kind: OpDelete, Column: c}, nil
	case !c.Type.IsCollection():
		return Operation{}, cql.Invalidf("Invalid deletion operation for non collection column %s", c.Name)
	case c.Type.Frozen:
		return Operation{}, cql.Invalidf("Invalid deletion operation for frozen collection column %s", c.Name)
	}
	o := Operation{Kind: OpDeleteKey, Column: c}
	var key Spec
	switch c.Type.Kind {
	case types.List:
		o.Kind, key = OpDeleteIndex, indexOf(specOf(c))
	case types.Map:
		key = keyOf(specOf(c))
	default:
		key = valueOf(specOf(c))
	}
	var err error
	o.Key, err = s.term(a.Key, key)
	return o, err
}
