package request

import (
	"encoding/binary"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/row"
)

// Match reports whether a row matches the term. static and r hold live cells alone and may be nil, for a partition without
// one; a value that is missing never matches. Values of a collection that is not frozen match by OpContains,
// OpContainsKey and OpMapEntry alone.
func (f *Filter) Match(t *schema.Table, key []byte, static, r *row.Row) bool {
	var of *row.Row
	switch f.Column.Kind {
	case schema.PartitionKey:
		return f.matchValue(KeyComponent(t, key, f.Column.Position))
	case schema.Clustering:
		return r != nil && f.Column.Position < len(r.Clustering) && f.matchValue(r.Clustering[f.Column.Position])
	case schema.Static:
		of = static
	default:
		of = r
	}
	if of == nil {
		return false
	}
	if f.Column.Type.IsMultiCell() {
		return f.matchCells(of.CellsOf(f.Column.ID))
	}
	c := of.Cell(f.Column.ID)
	if c == nil {
		return false
	}
	if f.Column.Type.Kind == types.Counter {
		return f.matchValue(binary.BigEndian.AppendUint64(nil, uint64(row.CounterTotal(c.Value))))
	}
	return f.matchValue(c.Value)
}

// OfPartition reports whether the term asks only about the partition, not about its rows.
func (f *Filter) OfPartition() bool {
	return f.Column.Kind == schema.PartitionKey || f.Column.Kind == schema.Static
}

// matchValue judges a value that is one cell.
func (f *Filter) matchValue(v []byte) bool {
	if v == nil {
		return false
	}
	t := f.Column.Type
	switch f.Op {
	case OpIN:
		for _, w := range f.Values {
			if w != nil && t.Compare(v, w) == 0 {
				return true
			}
		}
		return false
	case OpContains, OpContainsKey, OpMapEntry:
		return f.matchFrozen(v)
	}
	return f.Value != nil && f.Op.holds(t.Compare(v, f.Value))
}

// holds reports whether a comparison's result satisfies the operator.
func (o Op) holds(c int) bool {
	switch o {
	case OpEQ:
		return c == 0
	case OpLT:
		return c < 0
	case OpLE:
		return c <= 0
	case OpGT:
		return c > 0
	case OpGE:
		return c >= 0
	case OpNEQ:
		return c != 0
	}
	return false
}

// matchCells judges the cells of a multi-cell column.
func (f *Filter) matchCells(cells []row.Cell) bool {
	t := f.Column.Type
	for i := range cells {
		c := &cells[i]
		switch t.Kind {
		case types.List:
			if f.Op == OpContains && t.Elems[0].Compare(c.Value, f.Value) == 0 {
				return true
			}
		case types.Set:
			if f.Op == OpContains && t.Elems[0].Compare(c.Path, f.Value) == 0 {
				return true
			}
		case types.Map:
			if f.matchEntry(t, c.Path, c.Value) {
				return true
			}
		}
	}
	return false
}

// matchEntry judges one entry of a map.
func (f *Filter) matchEntry(t *types.Type, k, v []byte) bool {
	switch f.Op {
	case OpContains:
		return t.Elems[1].Compare(v, f.Value) == 0
	case OpContainsKey:
		return t.Elems[0].Compare(k, f.Value) == 0
	case OpMapEntry:
		return t.Elems[0].Compare(k, f.Key) == 0 && t.Elems[1].Compare(v, f.Value) == 0
	}
	return false
}

// matchFrozen judges the elements of a frozen collection. A malformed one matches as far as it can be read.
func (f *Filter) matchFrozen(v []byte) bool {
	t := f.Column.Type
	if !t.IsCollection() {
		return false
	}
	n, rest, err := types.Elements(v)
	for ; n > 0 && err == nil; n-- {
		var k, e []byte
		if t.Kind == types.Map {
			k, rest, err = types.NextElement(rest)
		}
		if err == nil {
			e, rest, err = types.NextElement(rest)
		}
		switch {
		case err != nil:
		case t.Kind == types.Map:
			if f.matchEntry(t, k, e) {
				return true
			}
		case f.Op == OpContains && e != nil && t.Elems[0].Compare(e, f.Value) == 0:
			return true
		}
	}
	return false
}

// KeyComponent returns the i-th value of a partition key, sharing its bytes; nil when key is too short for it. A key of
// one column is its value; one of several is, for each, a uint16 length, the value and a zero byte.
// Source: org.apache.cassandra.db.marshal.CompositeType.
func KeyComponent(t *schema.Table, key []byte, i int) []byte {
	if len(t.PartitionKey) == 1 {
		return key
	}
	for ; ; i-- {
		if len(key) < 2 {
			return nil
		}
		n := int(binary.BigEndian.Uint16(key))
		if len(key) < 2+n {
			return nil
		}
		if i == 0 {
			return key[2 : 2+n : 2+n]
		}
		key = key[min(2+n+1, len(key)):]
	}
}

// IndexTerm packs a map's key and value as the term of an index on entries.
func IndexTerm(key, value []byte) []byte {
	out := make([]byte, 0, 4+len(key)+len(value))
	out = binary.BigEndian.AppendUint32(out, uint32(len(key)))
	out = append(out, key...)
	return append(out, value...)
}

// SplitIndexTerm unpacks what IndexTerm packed; ok is false for anything else.
func SplitIndexTerm(term []byte) (key, value []byte, ok bool) {
	if len(term) < 4 {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(term)
	if term = term[4:]; uint64(n) > uint64(len(term)) {
		return nil, nil, false
	}
	return term[:n:n], term[n:], true
}
