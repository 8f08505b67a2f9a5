package schema

import "github.com/helenusdb/helenus/cql"

func refuse(what string) (Result, error) { return Result{}, cql.Serverf("%s is not built yet", what) }

// CreateKeyspace carries out CREATE KEYSPACE.
func CreateKeyspace(s *Snapshot, env *Env, d KeyspaceDef) (Result, error) { return refuse("this") }

// AlterKeyspace carries out ALTER KEYSPACE.
func AlterKeyspace(s *Snapshot, env *Env, d KeyspaceDef) (Result, error) { return refuse("this") }

// DropKeyspace carries out DROP KEYSPACE.
func DropKeyspace(s *Snapshot, d DropDef) (Result, error) { return refuse("this") }

// CreateTable carries out CREATE TABLE.
func CreateTable(s *Snapshot, env *Env, d TableDef) (Result, error) { return refuse("this") }

// AlterTable carries out ALTER TABLE.
func AlterTable(s *Snapshot, env *Env, d TableAlter) (Result, error) { return refuse("this") }

// DropTable carries out DROP TABLE.
func DropTable(s *Snapshot, d DropDef) (Result, error) { return refuse("this") }

// CreateType carries out CREATE TYPE.
func CreateType(s *Snapshot, d TypeDef) (Result, error) { return refuse("this") }

// AlterType carries out ALTER TYPE.
func AlterType(s *Snapshot, d TypeAlterDef) (Result, error) { return refuse("this") }

// DropType carries out DROP TYPE.
func DropType(s *Snapshot, d DropDef) (Result, error) { return refuse("this") }

// CreateIndex carries out CREATE INDEX.
func CreateIndex(s *Snapshot, d IndexDef) (Result, error) { return refuse("this") }

// DropIndex carries out DROP INDEX.
func DropIndex(s *Snapshot, d DropDef) (Result, error) { return refuse("this") }

// DescribeKind is what DESCRIBE shows, in the order of ast.DescribeKind.
type DescribeKind uint8

// The forms of DESCRIBE. DescribeGeneric is DESCRIBE name.
const (
	DescribeKeyspaces DescribeKind = iota
	DescribeTables
	DescribeTypes
	DescribeFunctions
	DescribeAggregates
	DescribeSchema
	DescribeCluster
	DescribeKeyspace
	DescribeTable
	DescribeIndex
	DescribeView
	DescribeType
	DescribeFunction
	DescribeAggregate
	DescribeGeneric
)

// DescribeDef is DESCRIBE: Full is FULL SCHEMA, Only is ONLY KEYSPACE, Internals WITH INTERNALS; Keyspace and Name are the target as
// written and Current is the session's keyspace or "".
type DescribeDef struct {
	Kind                  DescribeKind
	Full, Only, Internals bool
	Keyspace, Name        string
	Current               string
}

// Description is one row of DESCRIBE. Type is "keyspace", "type", "table" or "index". Create is the create_statement and empty in
// the listings (DescribeKeyspaces to DescribeAggregates), which have no such column.
type Description struct{ Keyspace, Type, Name, Create string }

// Describe returns the rows of a DESCRIBE other than DESCRIBE CLUSTER, in Cassandra's order.
func Describe(s *Snapshot, d DescribeDef) ([]Description, error) {
	return nil, cql.Serverf("not built yet")
}

// SystemRows returns the rows of a table of system_schema: each has the values of its columns in the order of SELECT *.
// The rows are in the order of their keys; ok is false for any other table.
func SystemRows(s *Snapshot, table string) (rows [][][]byte, ok bool) { return nil, false }
