// Package request is what a replica is asked: mutations and reads, as values and in the one encoded form that the commit
// log writes, the memtable takes and peers receive.
//
// Floor: above storage/row. Source: org.apache.cassandra.db.Mutation, ReadCommand, DataRange, filter.RowFilter.
package request

import (
	"bytes"
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
)

// Mutation is the change of one partition of one table.
type Mutation struct {
	Table *schema.Table
	Key   []byte
	Token token.Token
	// Data is the encoded change, made once by a Builder. Whoever is given the mutation does not change its bytes, and copies
	// what it keeps.
	Data []byte
	// Counter says that Data holds increments, which the leading replica turns into counter contexts.
	Counter bool
	// Stats are those of Data.
	Stats row.Stats
}

// Clone returns mutations that share no bytes with ms, for who keeps them beyond the call that brought them.
func Clone(ms []Mutation) []Mutation {
	out := slices.Clone(ms)
	for i := range out {
		out[i].Key, out[i].Data = bytes.Clone(ms[i].Key), bytes.Clone(ms[i].Data)
	}
	return out
}

// KeyRange is a range of partitions on the ring. A nil key bounds by token alone: then the whole token is inside when
// inclusive and outside when not. A key bounds by (token, key). Unbounded ends have Open set.
type KeyRange struct{ Start, End KeyBound }

// KeyBound is one end of a KeyRange.
type KeyBound struct {
	Open      bool
	Token     token.Token
	Key       []byte
	Inclusive bool
}

// Read asks for rows of one table.
type Read struct {
	Table *schema.Table
	// Keys are the partitions to read, in the order wanted and without duplicates; nil means Range.
	Keys  [][]byte
	Range KeyRange
	// Slices are the wanted rows, in stored order and disjoint; nil means all. An empty non-nil list selects no row
	// (but the static row still).
	Slices   []row.Slice
	Reversed bool
	// Columns are the regular and static columns wanted; nil means all.
	Columns []schema.ColumnID
	// Filter keeps only rows (and partitions) that match every term.
	Filter []Filter
	// Index, when set, finds the rows by a secondary index; Term is the value looked up (the map key and value packed by
	// IndexTerm for entries).
	Index *schema.Index
	Term  []byte
	// After resumes behind a position of an earlier page.
	After *Position
	// Now is the time, in seconds, at which expiry is judged.
	Now int64
	// RowLimit and PartitionLimit say after how many live rows, in all and in each partition, the reader will stop asking;
	// 0 is no limit. They are a hint for replicas: the reader counts itself.
	RowLimit, PartitionLimit int
	// Distinct says that the reader looks only at keys and static rows: one row a partition is enough.
	Distinct bool
}

// Position is a row in the order of a read: the rows of Key up to and with Clustering are done with. A nil Clustering
// means that all of the partition is.
type Position struct {
	Key        []byte
	Clustering [][]byte
}

// Op is the operator of a Filter.
type Op uint8

// The operators that a replica can evaluate.
const (
	OpEQ Op = iota
	OpLT
	OpLE
	OpGT
	OpGE
	OpNEQ
	OpIN          // Values
	OpContains    // an element of a list or set, a value of a map
	OpContainsKey // a key of a map
	OpMapEntry    // the value of map key Key is Value
)

// Filter is one term of a row filter: a column of any kind, compared by its type. A missing value never matches.
// Source: org.apache.cassandra.db.filter.RowFilter.Expression.
type Filter struct {
	Column *schema.Column
	Op     Op
	Key    []byte
	Value  []byte
	Values [][]byte
}
