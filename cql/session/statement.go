package session

import (
	"crypto/md5"
	"sync/atomic"

	"github.com/helenusdb/helenus/cql/wire"
	"github.com/helenusdb/helenus/parser/ast"
	"github.com/helenusdb/helenus/planner"
)

// statement is a plan with what the protocol says of it, encoded once. It is shared by all connections and, but for heavy, immutable.
type statement struct {
	plan *planner.Plan
	// result describes the rows; nil when there are none or only execution knows them. variables describes the markers.
	result, variables *wire.Metadata
	resultID          [16]byte
	// text and keyspace are of a prepared statement: what it is planned from again when the schema has changed. keyspace is ""
	// for a statement whose table is qualified, or when none was in use.
	text, keyspace string
	id             [16]byte
	// literals are the texts of its own literals, by slot.
	literals []string
	// qualified says that the statement names its keyspace itself.
	qualified bool
	// heavy is set when an execution gave many rows.
	heavy atomic.Bool
}

// newStatement wraps a plan.
func newStatement(p *planner.Plan) *statement {
	s := &statement{plan: p, variables: wire.NewMetadata(columnSpecs(p.Markers))}
	if p.Result != nil {
		s.result = wire.NewMetadata(columnSpecs(p.Result))
	}
	s.resultID = wire.MetadataID(s.result)
	return s
}

// What the parts of a plan take in memory, in bytes, beside entryBytes; by measurement, see TestWeigh.
const (
	columnBytes    = 320 // of the result, or a marker: planned, described, and that description encoded
	literalBytes   = 192
	statementBytes = 1024 // in a batch
)

// weigh returns about how many bytes s takes, whose text and literals have these lengths.
func (s *statement) weigh(text, literals int) int {
	n := 2*text + columnBytes*(len(s.plan.Result)+len(s.plan.Markers)) + literalBytes*literals
	if b, ok := s.plan.Body.(*planner.BatchPlan); ok {
		n += statementBytes * len(b.Statements)
	}
	return n
}

// columnSpecs turns the planner's columns into those of the protocol.
func columnSpecs(specs []planner.Spec) []wire.ColumnSpec {
	out := make([]wire.ColumnSpec, len(specs))
	for i, s := range specs {
		out[i] = wire.ColumnSpec{Keyspace: s.Keyspace, Table: s.Table, Name: s.Name, Type: s.Type, Reversed: s.Desc}
	}
	return out
}

// preparedID is the id of a statement: a function of its text, and of the keyspace in use unless its table is qualified, so
// that all nodes give the same one and it survives a restart. Source: QueryProcessor.computeId; protocol.md 3.5.
func preparedID(keyspace, text string, qualified bool) [16]byte {
	if qualified || keyspace == "" {
		return md5.Sum([]byte(text))
	}
	return md5.Sum([]byte(keyspace + text))
}

// isQualified reports whether a statement names the keyspace of each of its tables.
func isQualified(st ast.Statement) bool {
	switch st := st.(type) {
	case *ast.Select:
		return st.Table.Keyspace != ""
	case *ast.Insert:
		return st.Table.Keyspace != ""
	case *ast.Update:
		return st.Table.Keyspace != ""
	case *ast.Delete:
		return st.Table.Keyspace != ""
	case *ast.CreateTable:
		return st.Table.Keyspace != ""
	case *ast.AlterTable:
		return st.Table.Keyspace != ""
	case *ast.DropTable:
		return st.Table.Keyspace != ""
	case *ast.Truncate:
		return st.Table.Keyspace != ""
	case *ast.Batch:
		for _, s := range st.Statements {
			if !isQualified(s) {
				return false
			}
		}
		return len(st.Statements) > 0
	}
	return false
}
