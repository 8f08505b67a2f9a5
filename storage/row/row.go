// Package row is the data model of storage: cells, rows, deletions and partitions, the iterators over them, and how they
// are merged and reconciled. It is pure: no clock, no lock, no file.
//
// Floor: above cql/schema, cql/types, cql/token. Source: org.apache.cassandra.db.rows, db.partitions; storage.md 2.
package row

import (
	"math"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
)

// Sentinels of times. Timestamps are microseconds of any epoch the writer likes; local deletion times and expiries are
// seconds since 1970.
const (
	// NoTimestamp is the timestamp of what is not there: no liveness, no deletion.
	NoTimestamp int64 = math.MinInt64
	// NoLocal is the local deletion time of what neither expires nor is deleted.
	NoLocal int64 = math.MaxInt64
)

// Deletion is a deletion time: it hides everything with a timestamp at or below Timestamp.
// Source: org.apache.cassandra.db.DeletionTime.
type Deletion struct {
	Timestamp int64 // microseconds; NoTimestamp when nothing is deleted
	Local     int64 // seconds
}

// Live is the Deletion that deletes nothing.
var Live = Deletion{Timestamp: NoTimestamp, Local: NoLocal}

// IsLive reports whether d deletes nothing.
func (d Deletion) IsLive() bool { return d.Timestamp == NoTimestamp }

// Deletes reports whether d hides a write of the given timestamp.
func (d Deletion) Deletes(timestamp int64) bool { return timestamp <= d.Timestamp }

// Supersedes reports whether d replaces e: a greater timestamp, or the same and a greater local time.
func (d Deletion) Supersedes(e Deletion) bool {
	return d.Timestamp > e.Timestamp || d.Timestamp == e.Timestamp && d.Local > e.Local
}

// Liveness is a row's marker: it keeps a row visible whose columns are all null. Source: org.apache.cassandra.db.LivenessInfo.
type Liveness struct {
	Timestamp int64 // microseconds; NoTimestamp when the row has no marker
	TTL       int32 // seconds; 0 when it does not expire
	Expiry    int64 // seconds since 1970; NoLocal when it does not expire
}

// NoLiveness is the Liveness of a row without a marker.
var NoLiveness = Liveness{Timestamp: NoTimestamp, Expiry: NoLocal}

// IsLive reports whether the marker is there and not expired at now (seconds).
func (l Liveness) IsLive(now int64) bool {
	return l.Timestamp != NoTimestamp && (l.TTL == 0 || now < l.Expiry)
}

// Cell is the value of a column, or of one element or field of a multi-cell column.
type Cell struct {
	Column schema.ColumnID
	// Path is nil for a simple column; else the list's timeuuid, the set element, the map key, or the field's number as
	// two bytes, big-endian.
	Path []byte
	// Value is nil for a tombstone; for a counter it is a context (CounterTotal reads it).
	Value     []byte
	Timestamp int64 // microseconds
	TTL       int32 // seconds; above 0 when the cell expires
	Local     int64 // expiry or deletion, seconds; NoLocal for neither
}

// IsTombstone reports whether c is a deletion.
func (c *Cell) IsTombstone() bool { return c.Local != NoLocal && c.TTL == 0 }

// IsLive reports whether c has a value at now (seconds).
func (c *Cell) IsLive(now int64) bool { return c.Local == NoLocal || c.TTL > 0 && now < c.Local }

// ComplexDeletion deletes the elements of a multi-cell column.
type ComplexDeletion struct {
	Column schema.ColumnID
	Deletion
}

// Row is one row of a partition, or its static row. Cells are sorted by column id, then by path in the order of the
// column's elements; Complex by column id.
type Row struct {
	// Clustering holds the values of the clustering columns; nil for a static row and in a table without clustering.
	Clustering [][]byte
	Liveness   Liveness
	Deletion   Deletion
	Complex    []ComplexDeletion
	Cells      []Cell
}

// Cell returns the cell of a simple column, or nil.
func (r *Row) Cell(id schema.ColumnID) *Cell {
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Column >= id {
			if c.Column == id {
				return c
			}
			return nil
		}
	}
	return nil
}

// CellsOf returns the cells of one column, a sub-slice of r.Cells.
func (r *Row) CellsOf(id schema.ColumnID) []Cell {
	i := 0
	for i < len(r.Cells) && r.Cells[i].Column < id {
		i++
	}
	j := i
	for j < len(r.Cells) && r.Cells[j].Column == id {
		j++
	}
	return r.Cells[i:j]
}

// Bound is one end of a slice of clusterings: a prefix of clustering values. An empty prefix is the end of the partition.
type Bound struct {
	Values [][]byte
	// Inclusive says whether rows that start with the prefix belong to the slice.
	Inclusive bool
}

// Slice is the rows between two bounds in stored order (a descending column stores larger values first).
type Slice struct{ Start, End Bound }

// All is the slice of every row.
var All = Slice{Start: Bound{Inclusive: true}, End: Bound{Inclusive: true}}

// RangeTombstone deletes the rows of a slice.
type RangeTombstone struct {
	Slice
	Deletion
}

// Iterator walks partitions and, within each, rows. It is used by one goroutine. The protocol:
//
//	for it.NextPartition() {
//		static := it.Static()
//		for r := it.NextRow(); r != nil; r = it.NextRow() { ... }
//	}
//	err := it.Err()
//	it.Close()
//
// Partitions come in the order of the read, rows in clustering order (reversed when the read is). NextPartition may be
// called before the rows of the last are at their end. What Key, Static and NextRow return is valid until the next call of
// the method that returned it; who keeps it clones it. After an error NextPartition returns false and NextRow nil.
type Iterator interface {
	NextPartition() bool
	// Key is the partition key; Token its token.
	Key() []byte
	Token() token.Token
	// PartitionDeletion is the partition's deletion; Live when there is none.
	PartitionDeletion() Deletion
	// Static is the static row, or nil.
	Static() *Row
	// NextRow is the next row, or nil at the end of the partition.
	NextRow() *Row
	Err() error
	Close()
}
