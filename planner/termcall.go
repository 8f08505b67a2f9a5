package planner

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// call prepares a call of a function; operators and CAST are calls too.
func (s *scope) call(e ast.Expr, recv Spec) (Term, error) {
	s.shapeSafe = false
	return nil, cql.Invalidf("%s is not supported by Helenus yet", termText(e))
}

// callMatch tells how well the result of a call suits recv.
func (s *scope) callMatch(e ast.Expr, recv Spec) types.Assignability { return types.WeaklyAssignable }

// adder computes the sum of two values of t.
func adder(t *types.Type) (func(a, b []byte) ([]byte, error), error) {
	return nil, cql.Invalidf("n = n + v is not supported by Helenus yet")
}

// valueCompatible reports whether a value of type from is a value of t as it is.
// Source: AbstractType.isValueCompatibleWith.
func valueCompatible(t, from *types.Type) bool {
	if t.Equal(from) {
		return true
	}
	is := func(kinds ...types.Kind) bool {
		for _, k := range kinds {
			if from.Kind == k {
				return true
			}
		}
		return false
	}
	switch t.Kind {
	case types.Blob:
		return true
	case types.Text:
		return is(types.Ascii)
	case types.UUID:
		return is(types.Timeuuid)
	case types.Bigint, types.Time:
		return is(types.Timestamp, types.Bigint) && (t.Kind == types.Bigint || from.Kind == types.Bigint)
	case types.Timestamp:
		return is(types.Bigint)
	case types.Date:
		return is(types.Int)
	case types.Varint:
		return is(types.Int, types.Bigint, types.Timestamp)
	case types.Tuple:
		if from.Kind != types.Tuple || len(from.Elems) > len(t.Elems) {
			return false
		}
	case types.List, types.Set, types.Map, types.Vector, types.UDT:
		if t.Kind != from.Kind || t.Frozen != from.Frozen || t.Dim != from.Dim || len(t.Elems) != len(from.Elems) {
			return false
		}
	default:
		return false
	}
	for i, e := range from.Elems {
		if !valueCompatible(t.Elems[i], e) {
			return false
		}
	}
	return true
}
