package exec

import (
	"context"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// Reader is what SELECT needs of the cluster.
type Reader interface {
	// Read answers rd at level cl. The rows that the iterator gives match the filter, and hold only what is live at rd.Now;
	// partitions without a live row and without a live static cell are left out. rd belongs to the iterator until Close.
	Read(ctx context.Context, rd *request.Read, cl cql.Consistency) (row.Iterator, error)
}

// Options are what a request asks of its execution beside its values.
type Options struct {
	Consistency, Serial cql.Consistency
	// PageSize is the number of rows of a page; 0 or less is no paging.
	PageSize int
	// PagingState resumes behind an earlier page; nil starts at the first.
	PagingState []byte
	// Timestamp is the default of writes, in microseconds, when HasTimestamp.
	Timestamp    int64
	HasTimestamp bool
	// Now is when the request came, in microseconds since 1970.
	Now int64
}

// Sink takes the rows of an answer as they are made.
type Sink interface {
	// Begin is called once, before the first row. columns is the plan's Result, or what only execution could know.
	Begin(columns []planner.Spec) error
	// Row takes one row: a cell a column, nil for null. The cells are valid until Row returns.
	Row(cells [][]byte) error
}

// Result is the rest of an answer.
type Result struct {
	// PagingState is nil when there are no more pages.
	PagingState []byte
	Warnings    []string
}
