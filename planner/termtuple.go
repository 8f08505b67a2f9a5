package planner

import (
	"slices"
	"strconv"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// isTuple reports whether a tuple literal can be of t: user types are tuples too.
func isTuple(t *types.Type) bool { return t.Kind == types.Tuple || t.Kind == types.UDT }

// componentOf is the receiver of the tuple's component i.
func componentOf(recv Spec, i int) Spec {
	return recv.part(recv.Name+"["+strconv.Itoa(i)+"]", recv.Type.Elems[i])
}

// fieldOf is the receiver of the user type's field i.
func fieldOf(recv Spec, i int) Spec {
	return recv.part(recv.Name+"."+recv.Type.Fields[i], recv.Type.Elems[i])
}

// tupleTerm is a tuple or user type that was written out, one item a component; a tuple may have fewer than its type.
type tupleTerm struct {
	typ   *types.Type
	items []Term
}

func (t *tupleTerm) Type() *types.Type { return t.typ }

func (t *tupleTerm) Eval(env *Env) ([]byte, bool, error) {
	var v []byte
	for i, item := range t.items {
		b, unset, err := item.Eval(env)
		if err != nil {
			return nil, false, err
		}
		if unset {
			return nil, false, t.unset(i)
		}
		v = types.AppendField(v, b)
	}
	return v, false, nil
}

// unset refuses an unset component: a tuple is always written whole.
func (t *tupleTerm) unset(i int) error {
	if t.typ.Kind == types.Tuple {
		return cql.Invalidf("Invalid unset value for tuple field number %d", i)
	}
	return cql.Invalidf("Invalid unset value for field '%s' of user defined type %s", t.typ.Fields[i], t.typ.Name)
}

// Fields returns the terms of the fields of a user type that was written out, or nil: a column that is not frozen may
// leave some of them unset.
func Fields(t Term) []Term {
	if u, ok := t.(*tupleTerm); ok && u.typ.Kind == types.UDT {
		return u.items
	}
	return nil
}

// tupleLiteral prepares (a, b). With one item it may be just an expression in parentheses.
func (s *scope) tupleLiteral(e *ast.Tuple, recv Spec) (Term, error) {
	if len(e.Items) == 1 && !isTuple(recv.Type) {
		return s.term(e.Items[0], recv)
	}
	if err := s.checkTuple(e, recv); err != nil {
		return nil, err
	}
	t := &tupleTerm{recv.Type, make([]Term, len(e.Items))}
	for i, item := range e.Items {
		var err error
		if t.items[i], err = s.term(item, componentOf(recv, i)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// checkTuple refuses a tuple that cannot be of its receiver. Source: Tuples.validateTupleAssignableTo.
func (s *scope) checkTuple(e *ast.Tuple, recv Spec) error {
	if !isTuple(recv.Type) {
		return cql.Invalidf("Invalid tuple type literal for %s of type %s", recv.Name, recv.Type)
	}
	for i, item := range e.Items {
		if i >= len(recv.Type.Elems) {
			return cql.Invalidf("Invalid tuple literal for %s: too many elements. Type %s expects %d but got %d",
				recv.Name, recv.Type, len(recv.Type.Elems), len(e.Items))
		}
		spec := componentOf(recv, i)
		m, err := s.assignable(item, spec)
		if err != nil {
			return err
		}
		if m == types.NotAssignable {
			return cql.Invalidf("Invalid tuple literal for %s: component %d is not of type %s", recv.Name, i, spec.Type)
		}
	}
	return nil
}

// udtLiteral prepares {field: v}; fields that are not named are null, of a field named twice the last counts.
func (s *scope) udtLiteral(e *ast.UDT, recv Spec) (Term, error) {
	if err := s.checkUDT(e, recv); err != nil {
		return nil, err
	}
	t := &tupleTerm{recv.Type, make([]Term, len(recv.Type.Fields))}
	for i, f := range recv.Type.Fields {
		v := fieldValue(e, f)
		if v == nil {
			t.items[i] = &nullTerm{recv.Type.Elems[i]}
			continue
		}
		var err error
		if t.items[i], err = s.term(v, fieldOf(recv, i)); err != nil {
			return nil, err
		}
	}
	for _, f := range e.Fields {
		if fieldIndex(recv.Type, f) < 0 {
			return nil, cql.Invalidf("Unknown field '%s' in value of user defined type %s", f, recv.Type.Name)
		}
	}
	return t, nil
}

// checkUDT refuses a user type literal that cannot be of its receiver; unknown fields pass.
// Source: UserTypes.Literal.validateAssignableTo.
func (s *scope) checkUDT(e *ast.UDT, recv Spec) error {
	if recv.Type.Kind != types.UDT {
		return cql.Invalidf("Invalid user type literal for %s of type %s", recv.Name, recv.Type)
	}
	for i, f := range recv.Type.Fields {
		v := fieldValue(e, f)
		if v == nil {
			continue
		}
		spec := fieldOf(recv, i)
		m, err := s.assignable(v, spec)
		if err != nil {
			return err
		}
		if m == types.NotAssignable {
			return cql.Invalidf("Invalid user type literal for %s: field %s is not of type %s", recv.Name, f, spec.Type)
		}
	}
	return nil
}

// fieldValue is the value that e gives field f, the last if there are several, or nil.
func fieldValue(e *ast.UDT, f string) ast.Expr {
	for i, v := range slices.Backward(e.Fields) {
		if v == f {
			return e.Values[i]
		}
	}
	return nil
}

// fieldIndex returns the position of field f in the user type t, or -1.
func fieldIndex(t *types.Type, f string) int {
	for i, name := range t.Fields {
		if name == f {
			return i
		}
	}
	return -1
}
