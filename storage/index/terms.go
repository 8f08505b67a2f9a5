package index

import (
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
	e := Entry{Token: tok, Key: key, Clustering: clustering}
	switch c.Kind {
	case schema.Clustering:
		if !static && c.Position < len(r.Clustering) {
			x.Add(r.Clustering[c.Position], e)
		}
		return
	case schema.Static:
		if !static {
			return
		}
		e.Clustering = nil
	case schema.Regular:
		if static {
			return
		}
	default:
		return
	}
	cells := r.CellsOf(c.ID)
	for i := range cells {
		if cell := &cells[i]; !cell.IsTombstone() {
			x.addCell(c.Type, cell, e)
		}
	}
}

// addCell adds what the index holds of a cell.
func (x *Index) addCell(t *types.Type, c *row.Cell, e Entry) {
	multi := t.IsMultiCell()
	switch x.Definition.Target {
	case schema.TargetValues:
		switch {
		case !multi:
		case t.Kind == types.Set:
			x.Add(c.Path, e)
		default:
			x.Add(c.Value, e)
		}
	case schema.TargetKeys:
		if multi {
			x.Add(c.Path, e)
		}
	case schema.TargetEntries:
		if multi {
			x.Add(request.IndexTerm(c.Path, c.Value), e)
		}
	default:
		x.Add(c.Value, e)
	}
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
