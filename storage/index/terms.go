package index

import (
	"bytes"
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// OfPartition reports whether the index finds partitions rather than rows: its column is static or of the partition key.
func (x *Index) OfPartition() bool {
	k := x.Definition.Column.Kind
	return k == schema.PartitionKey || k == schema.Static
}

// AddPartition adds what the index holds of a partition's key.
func (x *Index) AddPartition(tok token.Token, key []byte) {
	if c := x.Definition.Column; c.Kind == schema.PartitionKey {
		x.Add(request.KeyComponent(x.table, key, c.Position), Entry{Token: tok, Key: key})
	}
}

// AddRow adds what the index holds of a row as it is written, or with static of a static row. clustering is encoded.
func (x *Index) AddRow(tok token.Token, key []byte, static bool, clustering []byte, r *row.Row) {
	c := x.Definition.Column
	if c.Kind == schema.PartitionKey || static != (c.Kind == schema.Static) {
		return
	}
	e := Entry{Token: tok, Key: key, Clustering: clustering}
	if c.Kind == schema.Clustering {
		if c.Position < len(r.Clustering) && x.Holds(r, r.Clustering[c.Position]) {
			x.Add(r.Clustering[c.Position], e)
		}
		return
	}
	cells := r.CellsOf(c.ID)
	for i := range cells {
		if term := x.term(&cells[i]); term != nil {
			x.Add(term, e)
		}
	}
}

// term returns what the index holds of a cell of its column, nil when that is nothing.
func (x *Index) term(c *row.Cell) []byte {
	if c.IsTombstone() {
		return nil
	}
	t := x.Definition.Column.Type
	switch x.Definition.Target {
	case schema.TargetValues:
		if t.Kind == types.Set {
			return c.Path
		}
	case schema.TargetKeys:
		return c.Path
	case schema.TargetEntries:
		return request.IndexTerm(c.Path, c.Value)
	}
	return c.Value
}

// Holds reports whether a row, or for a static column a static row, has a term that the index holds of it, expired or not.
// r may be nil.
func (x *Index) Holds(r *row.Row, term []byte) bool {
	c := x.Definition.Column
	switch {
	case r == nil:
		return false
	case c.Kind == schema.Clustering:
		return r.Liveness.Timestamp != row.NoTimestamp ||
			slices.ContainsFunc(r.Cells, func(c row.Cell) bool { return !c.IsTombstone() })
	case c.Kind == schema.PartitionKey:
		return true
	}
	cells := r.CellsOf(c.ID)
	for i := range cells {
		if t := x.term(&cells[i]); t != nil && bytes.Equal(t, term) {
			return true
		}
	}
	return false
}

// Filter returns the term that a row must match for the index to have found it rightly. ok is false when the term cannot be
// one of the index.
func (x *Index) Filter(term []byte) (f request.Filter, ok bool) {
	f = request.Filter{Column: x.Definition.Column, Op: request.OpEQ, Value: term}
	switch x.Definition.Target {
	case schema.TargetValues:
		f.Op = request.OpContains
	case schema.TargetKeys:
		f.Op = request.OpContainsKey
	case schema.TargetEntries:
		f.Op = request.OpMapEntry
		f.Key, f.Value, ok = request.SplitIndexTerm(term)
		return f, ok
	}
	return f, true
}
