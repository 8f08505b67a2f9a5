package planner

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/parser/ast"
)

// SelectPlan is the body of a SELECT.
type SelectPlan struct{}

func (*SelectPlan) planBody() {}

func (s *scope) prepareSelect(st *ast.Select) (*Plan, error) {
	t, err := s.tableOf(st.Table)
	if err != nil {
		return nil, err
	}
	s.table = t
	return nil, cql.Invalidf("SELECT is not supported")
}
