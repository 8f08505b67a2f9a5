package planner

import (
	"strconv"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// assignable tells how well e suits recv, without preparing it. An error is one that Cassandra answers with at this point
// already: an unknown type in a hint, a list for what is neither a list nor a vector.
// Source: org.apache.cassandra.cql3.Term.Raw.testAssignment.
func (s *scope) assignable(e ast.Expr, recv Spec) (types.Assignability, error) {
	switch e := e.(type) {
	case *ast.Literal:
		return literalMatch(e, recv.Type), nil
	case *ast.Marker:
		return types.WeaklyAssignable, nil
	case *ast.TypeHint:
		t, err := s.resolveType(e.Type)
		if err != nil {
			return types.NotAssignable, err
		}
		return hintMatch(t, recv.Type), nil
	case *ast.Call, *ast.Cast, *ast.Binary, *ast.Negate:
		return s.callMatch(e, recv), nil
	case *ast.List:
		switch recv.Type.Kind {
		case types.Vector:
			if len(e.Items) != recv.Type.Dim {
				return types.NotAssignable, nil
			}
		case types.List:
		default:
			return types.NotAssignable, unexpectedReceiver(recv.Type)
		}
		return s.allAssignable(e.Items, valueOf(recv))
	case *ast.Set:
		if len(e.Items) == 0 && (recv.Type.Kind == types.Map || recv.Type.Kind == types.Set) {
			return types.WeaklyAssignable, nil
		}
		if recv.Type.Kind != types.Set {
			return types.NotAssignable, nil
		}
		return s.allAssignable(e.Items, valueOf(recv))
	case *ast.Map:
		if recv.Type.Kind != types.Map {
			return types.NotAssignable, nil
		}
		k, err := s.allAssignable(e.Keys, keyOf(recv))
		if err != nil || k == types.NotAssignable {
			return k, err
		}
		v, err := s.allAssignable(e.Values, valueOf(recv))
		return min(k, v), err
	case *ast.Tuple:
		if len(e.Items) == 1 && !isTuple(recv.Type) {
			return s.assignable(e.Items[0], recv)
		}
		return weakUnless(s.checkTuple(e, recv))
	case *ast.UDT:
		return weakUnless(s.checkUDT(e, recv))
	}
	return types.NotAssignable, nil
}

// weakUnless turns a refusal into no match: a literal that fails its own check just does not suit.
func weakUnless(err error) (types.Assignability, error) {
	if err != nil {
		return types.NotAssignable, nil
	}
	return types.WeaklyAssignable, nil
}

// allAssignable is the weakest match of items, which are of one receiver; of no items it is weak.
func (s *scope) allAssignable(items []ast.Expr, recv Spec) (types.Assignability, error) {
	if len(items) == 0 {
		return types.WeaklyAssignable, nil
	}
	all := types.ExactMatch
	for _, e := range items {
		m, err := s.assignable(e, recv)
		if err != nil || m == types.NotAssignable {
			return types.NotAssignable, err
		}
		all = min(all, m)
	}
	return all, nil
}

func unexpectedReceiver(t *types.Type) error {
	return cql.Invalidf("Unexpected receiver type '%s'; only list and vector are expected", t)
}

// hintMatch tells how well a value of type t suits the receiver. Source: TypeCast.testAssignment.
func hintMatch(t, recv *types.Type) types.Assignability {
	switch {
	case recv.Equal(t):
		return types.ExactMatch
	case recv.IsValueCompatibleWith(t):
		return types.WeaklyAssignable
	}
	return types.NotAssignable
}

// literalMatch tells how well a constant suits t: by its class, and exactly when t is the type that its text has on its own.
func literalMatch(e *ast.Literal, t *types.Type) types.Assignability {
	switch {
	case t.AcceptsConstant(types.ConstKind(e.Kind)) == types.NotAssignable:
		return types.NotAssignable
	case e.Kind != ast.NullLiteral && t.Kind == preferredType(e).Kind:
		return types.ExactMatch
	}
	return types.WeaklyAssignable
}

// preferredType is the type that a constant has on its own, as far as calls are resolved by it.
// Source: org.apache.cassandra.cql3.Constants.Type.getPreferedTypeFor.
func preferredType(e *ast.Literal) *types.Type {
	switch e.Kind {
	case ast.StringLiteral:
		if _, err := types.TAscii.FromString(e.Text); err == nil {
			return types.TAscii
		}
		return types.TText
	case ast.IntegerLiteral:
		for _, t := range []*types.Type{types.TInt, types.TBigint} {
			if _, err := t.FromString(e.Text); err == nil {
				return t
			}
		}
		return types.TVarint
	case ast.UUIDLiteral:
		return types.TUUID
	case ast.FloatLiteral:
		if exactDouble(e.Text) {
			return types.TDouble
		}
		return types.TDecimal
	case ast.BooleanLiteral:
		return types.TBoolean
	case ast.DurationLiteral:
		return types.TDuration
	case ast.HexLiteral:
		return types.TTinyint // as in Cassandra, although blob is meant
	}
	return types.TEmpty
}

// exactDouble reports whether the shortest text of the double nearest to a decimal is the same number.
func exactDouble(text string) bool {
	want, ok := types.ParseDecimal(text)
	f, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil {
		return true // NaN and Infinity
	}
	got, ok := types.ParseDecimal(strconv.FormatFloat(f, 'e', -1, 64))
	return ok && types.TDecimal.Compare(types.AppendDecimal(nil, want), types.AppendDecimal(nil, got)) == 0
}
