package system

import (
	"context"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// Row is one row of a generated table: the values of all columns in the order of SELECT *, nil for null, collections in wire form.
type Row [][]byte

// Keyspaces returns the system keyspaces for schema.NewSnapshot.
func Keyspaces() []*schema.Keyspace { return nil }

// Stored reports whether the engine keeps the rows of a table: true for all but the generated and virtual ones.
func Stored(t *schema.Table) bool {
	return !t.Virtual && t.Keyspace != "system" && t.Keyspace != "system_schema"
}

// Tables makes the rows of the tables that are not stored. It has no state of its own and is safe for concurrent use.
type Tables struct {
	source Source
	ring   token.Partitioner
}

// New returns the tables of a node; p is the cluster's partitioner.
func New(source Source, p token.Partitioner) *Tables { return &Tables{source, p} }

// Rows returns all rows of a table that is not stored, in no order.
func (t *Tables) Rows(ctx context.Context, table *schema.Table) ([]Row, error) {
	return nil, cql.Serverf("not built yet")
}

// Read answers a read of a table that is not stored.
func (t *Tables) Read(ctx context.Context, r *request.Read) (row.Iterator, error) {
	return nil, cql.Serverf("not built yet")
}
