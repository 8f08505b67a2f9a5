package planner

import (
	"slices"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// valueOf is the receiver of an element of a list, set or vector, or of a map's value.
func valueOf(recv Spec) Spec {
	return recv.part("value("+recv.Name+")", recv.Type.Elems[len(recv.Type.Elems)-1])
}

// keyOf is the receiver of a map's key.
func keyOf(recv Spec) Spec {
	return recv.part("key("+recv.Name+")", recv.Type.Elems[0])
}

// indexOf is the receiver of a list's index.
func indexOf(recv Spec) Spec {
	return recv.part("idx("+recv.Name+")", types.TInt)
}

// collectionTerm is a list, set or map that was written out. items are the elements, or keys and values by turns. None of
// them holds a bind marker.
type collectionTerm struct {
	typ   *types.Type
	items []Term
}

func (t *collectionTerm) Type() *types.Type { return t.typ }

func (t *collectionTerm) Eval(env *Env) ([]byte, bool, error) {
	elems := make([][]byte, len(t.items))
	for i, item := range t.items {
		v, _, err := item.Eval(env)
		if err != nil {
			return nil, false, err
		}
		if v == nil {
			return nil, false, cql.Invalidf("null is not supported inside collections")
		}
		elems[i] = v
	}
	v := t.typ.AppendCollection(nil, elems)
	if t.typ.Kind == types.List {
		return v, false, nil
	}
	v, err := t.typ.Normalize(v)
	return v, false, err
}

// collection prepares the elements of a literal. nulls among constants are refused here, as Cassandra does when it makes
// the value of a literal at once.
func (s *scope) collection(word string, recv Spec, items []ast.Expr, recvs ...Spec) (Term, error) {
	t := &collectionTerm{recv.Type, make([]Term, len(items))}
	constant := true
	for i, e := range items {
		if s.hasMarker(e) {
			return nil, cql.Invalidf("Invalid %s literal for %s: bind variables are not supported inside collection literals",
				word, recv.Name)
		}
		item, err := s.term(e, recvs[i%len(recvs)])
		if err != nil {
			return nil, err
		}
		t.items[i] = item
		constant = constant && isConstant(item)
	}
	if constant {
		if _, _, err := t.Eval(&Env{}); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// isConstant reports whether t gives the same value in every execution but for the text of its literals.
func isConstant(t Term) bool {
	switch t := t.(type) {
	case *nullTerm, *literalTerm:
		return true
	case *collectionTerm:
		return !slices.ContainsFunc(t.items, func(t Term) bool { return !isConstant(t) })
	case *tupleTerm:
		return !slices.ContainsFunc(t.items, func(t Term) bool { return !isConstant(t) })
	case *vectorTerm:
		return !slices.ContainsFunc(t.items, func(t Term) bool { return !isConstant(t) })
	}
	return false
}

// hasMarker reports whether e holds a bind marker.
func (s *scope) hasMarker(e ast.Expr) bool {
	return holds(e, func(e ast.Expr) bool {
		_, ok := e.(*ast.Marker)
		return ok
	})
}

// holdsLiteral reports whether e holds a constant other than null.
func holdsLiteral(e ast.Expr) bool {
	return holds(e, func(e ast.Expr) bool {
		l, ok := e.(*ast.Literal)
		return ok && l.Kind != ast.NullLiteral
	})
}

// holds reports whether f is true of e or of something in it.
func holds(e ast.Expr, f func(ast.Expr) bool) bool {
	if f(e) {
		return true
	}
	any := func(list ...ast.Expr) bool {
		return slices.ContainsFunc(list, func(e ast.Expr) bool { return holds(e, f) })
	}
	switch e := e.(type) {
	case *ast.TypeHint:
		return any(e.Of)
	case *ast.Cast:
		return any(e.Of)
	case *ast.Negate:
		return any(e.Of)
	case *ast.Binary:
		return any(e.L, e.R)
	case *ast.Call:
		return any(e.Args...)
	case *ast.List:
		return any(e.Items...)
	case *ast.Set:
		return any(e.Items...)
	case *ast.Tuple:
		return any(e.Items...)
	case *ast.Map:
		return any(e.Keys...) || any(e.Values...)
	case *ast.UDT:
		return any(e.Values...)
	}
	return false
}

// listLiteral prepares [a, b], a list or a vector by its receiver.
func (s *scope) listLiteral(e *ast.List, recv Spec) (Term, error) {
	switch recv.Type.Kind {
	case types.Vector:
		return s.vectorLiteral(e, recv)
	case types.List:
	default:
		return nil, unexpectedReceiver(recv.Type)
	}
	if err := s.checkItems("list", "value", recv, e.Items, valueOf(recv)); err != nil {
		return nil, err
	}
	return s.collection("list", recv, e.Items, valueOf(recv))
}

// checkItems refuses the first item that cannot be of its type.
func (s *scope) checkItems(word, part string, recv Spec, items []ast.Expr, spec Spec) error {
	for _, item := range items {
		m, err := s.assignable(item, spec)
		if err != nil {
			return err
		}
		if m == types.NotAssignable {
			return cql.Invalidf("Invalid %s literal for %s: %s %s is not of type %s",
				word, recv.Name, part, termText(item), spec.Type)
		}
	}
	return nil
}

// setLiteral prepares {a, b}; {} is the empty map as well.
func (s *scope) setLiteral(e *ast.Set, recv Spec) (Term, error) {
	if recv.Type.Kind == types.Map && len(e.Items) == 0 {
		return &collectionTerm{typ: recv.Type}, nil
	}
	if recv.Type.Kind != types.Set {
		return nil, cql.Invalidf("Invalid set literal for %s of type %s", recv.Name, recv.Type)
	}
	if err := s.checkItems("set", "value", recv, e.Items, valueOf(recv)); err != nil {
		return nil, err
	}
	return s.collection("set", recv, e.Items, valueOf(recv))
}

// mapLiteral prepares {k: v}.
func (s *scope) mapLiteral(e *ast.Map, recv Spec) (Term, error) {
	if recv.Type.Kind != types.Map {
		return nil, cql.Invalidf("Invalid map literal for %s of type %s", recv.Name, recv.Type)
	}
	items := make([]ast.Expr, 0, 2*len(e.Keys))
	for i, k := range e.Keys {
		if err := s.checkItems("map", "key", recv, e.Keys[i:i+1], keyOf(recv)); err != nil {
			return nil, err
		}
		if err := s.checkItems("map", "value", recv, e.Values[i:i+1], valueOf(recv)); err != nil {
			return nil, err
		}
		items = append(items, k, e.Values[i])
	}
	return s.collection("map", recv, items, keyOf(recv), valueOf(recv))
}

// vectorTerm is a vector that was written out. Its items may hold bind markers.
type vectorTerm struct {
	typ   *types.Type
	items []Term
}

func (t *vectorTerm) Type() *types.Type { return t.typ }

func (t *vectorTerm) Eval(env *Env) ([]byte, bool, error) {
	var v []byte
	for _, item := range t.items {
		b, _, err := item.Eval(env)
		if err != nil {
			return nil, false, err
		}
		if b == nil {
			return nil, false, cql.Invalidf("null is not supported inside vectors")
		}
		v = t.typ.AppendItem(v, b)
	}
	return v, false, nil
}

func (s *scope) vectorLiteral(e *ast.List, recv Spec) (Term, error) {
	if len(e.Items) != recv.Type.Dim {
		return nil, cql.Invalidf("Invalid vector literal for %s of type %s; expected %d elements, but given %d",
			recv.Name, recv.Type, recv.Type.Dim, len(e.Items))
	}
	if err := s.checkItems("vector", "value", recv, e.Items, valueOf(recv)); err != nil {
		return nil, err
	}
	t := &vectorTerm{recv.Type, make([]Term, len(e.Items))}
	for i, item := range e.Items {
		var err error
		if t.items[i], err = s.term(item, valueOf(recv)); err != nil {
			return nil, err
		}
	}
	if isConstant(t) {
		if _, _, err := t.Eval(&Env{}); err != nil {
			return nil, err
		}
	}
	return t, nil
}
