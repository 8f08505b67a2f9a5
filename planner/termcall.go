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
