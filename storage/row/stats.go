package row

import (
	"math"

	"github.com/helenusdb/helenus/cql/schema"
)

// Stats are lower bounds of the times in some data, and which columns it has: what a purge asks of a memtable and what the
// header of a table on disk says. Source: org.apache.cassandra.db.rows.EncodingStats.
type Stats struct {
	// MinTimestamp is of markers, cells and deletions alike; MaxInt64 when there are none.
	MinTimestamp int64
	// MinLocal is of expiries and local deletion times; NoLocal when there are none.
	MinLocal int64
	// MinTTL is of what expires; MaxInt32 when nothing does.
	MinTTL int32
	// Columns are those that have cells or deletions.
	Columns ColumnSet
}

// NoStats are the Stats of nothing.
var NoStats = Stats{MinTimestamp: math.MaxInt64, MinLocal: NoLocal, MinTTL: math.MaxInt32}

// Add adds those of other data.
func (s *Stats) Add(o *Stats) {
	s.MinTimestamp = min(s.MinTimestamp, o.MinTimestamp)
	s.MinLocal = min(s.MinLocal, o.MinLocal)
	s.MinTTL = min(s.MinTTL, o.MinTTL)
	s.Columns |= o.Columns
}

// AddDeletion adds a deletion, which may be Live.
func (s *Stats) AddDeletion(d Deletion) {
	if !d.IsLive() {
		s.MinTimestamp = min(s.MinTimestamp, d.Timestamp)
		s.MinLocal = min(s.MinLocal, d.Local)
	}
}

// AddRow adds a row.
func (s *Stats) AddRow(r *Row) {
	if l := &r.Liveness; l.Timestamp != NoTimestamp {
		s.MinTimestamp = min(s.MinTimestamp, l.Timestamp)
		if l.TTL > 0 {
			s.MinLocal, s.MinTTL = min(s.MinLocal, l.Expiry), min(s.MinTTL, l.TTL)
		}
	}
	s.AddDeletion(r.Deletion)
	for i := range r.Complex {
		s.AddDeletion(r.Complex[i].Deletion)
		s.Columns = s.Columns.With(r.Complex[i].Column)
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		s.Columns = s.Columns.With(c.Column)
		s.MinTimestamp = min(s.MinTimestamp, c.Timestamp)
		s.MinLocal = min(s.MinLocal, c.Local)
		if c.TTL > 0 {
			s.MinTTL = min(s.MinTTL, c.TTL)
		}
	}
}

// ColumnSet is a set of columns. Ids from 63 on share one place in it: with one of them all are in the set.
type ColumnSet uint64

// With returns the set with a column added.
func (s ColumnSet) With(id schema.ColumnID) ColumnSet { return s | 1<<min(id, 63) }

// Has reports whether a column is in the set.
func (s ColumnSet) Has(id schema.ColumnID) bool { return s>>min(id, 63)&1 != 0 }

// Of returns those of a list of columns that are in the set.
func (s ColumnSet) Of(list []*schema.Column) []*schema.Column {
	out := make([]*schema.Column, 0, len(list))
	for _, c := range list {
		if s.Has(c.ID) {
			out = append(out, c)
		}
	}
	return out
}
