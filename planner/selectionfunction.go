package planner

import (
	"encoding/binary"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// resolveSelection finds the function that a call in a selection means.
func (s *scope) resolveSelection(name ast.Name, args []selectable) (*callee, error) {
	if name.Name == "countRows" {
		return &callee{name: "system.countRows", short: "countRows", result: types.TBigint, aggregate: func() Accumulator { return new(countRows) }}, nil
	}
	return nil, cql.Invalidf("Unknown function '%s'", name.Name)
}

func (s *scope) resolveOperator(op byte, name string, args []selectable) (*callee, error) {
	return nil, cql.Invalidf("%s is not supported by Helenus yet", name)
}

func (s *scope) resolveCast(of selectable, t *types.Type) (*callee, error) {
	return nil, cql.Invalidf("CAST is not supported by Helenus yet")
}

type countRows int64

func (c *countRows) Add([][]byte) error { *c++; return nil }
func (c *countRows) Result() ([]byte, error) {
	return binary.BigEndian.AppendUint64(nil, uint64(*c)), nil
}
