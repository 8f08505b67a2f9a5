package exec

import (
	"context"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// Writer is what statements that change something need of the cluster.
type Writer interface {
	Reader
	// Write carries out ms as one change and returns when level cl is met. kind is what a failure is reported as:
	// WriteSimple, WriteBatch (all of ms or, eventually, nothing), WriteUnloggedBatch or WriteCounter. ms and all that it
	// points to is the caller's again when Write returns: who sends it on after that has a copy of its own.
	Write(ctx context.Context, ms []request.Mutation, kind cql.WriteType, cl cql.Consistency) error
	// CAS carries out a conditional change: agreement at level serial, the write at level commit.
	CAS(ctx context.Context, c CAS, serial, commit cql.Consistency) (applied bool, err error)
	// Truncate removes all rows of t.
	Truncate(ctx context.Context, t *schema.Table) error
	// Schema is the newest schema.
	Schema() *schema.Snapshot
	// ApplySchema calls change with the newest schema, makes what it returns the schema, and reports it to other clients.
	// No other change comes between. The error of change is returned as it is.
	ApplySchema(ctx context.Context, change func(*schema.Snapshot, *schema.Env) (schema.Result, error)) (schema.Result, error)
	// Timestamp returns now, a time in microseconds since 1970, or the first behind every one that it returned before.
	Timestamp(now int64) int64
	// TimeUUID returns a version 1 UUID of the time, greater than every one that it returned before.
	TimeUUID() schema.UUID
	// Describe is what DESCRIBE CLUSTER shows.
	Describe() ClusterInfo
}

// ClusterInfo is what DESCRIBE CLUSTER shows: the cluster's name, the class names of partitioner and snitch without their
// packages, and which endpoints own the range up to each token, as both are printed.
type ClusterInfo struct {
	Name, Partitioner, Snitch string
	Ranges                    map[string][]string
}

// CAS is a conditional change of one partition. The Writer reads, lets Decide look at what is there, and writes what it
// returns, with no other conditional change of the partition in between. When agreement has to be sought anew it does all
// of that again.
type CAS interface {
	// Read asks for one partition, its only key.
	Read() *request.Read
	// Decide tests the conditions on the answer to Read and returns the change; applied is false when they do not hold.
	// ballot is the time of the proposal in microseconds: the timestamp of all that is written.
	Decide(current row.Iterator, ballot int64) (ms []request.Mutation, applied bool, err error)
}
