package system

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// writtenAt is the timestamp of all cells, in microseconds: what is made when it is read has no time of its own.
const writtenAt = 1

// partition is the rows of one key, in clustering order.
type partition struct {
	key   []byte
	token token.Token
	rows  []*row.Row
}

// iterator walks partitions that are in memory.
type iterator struct {
	partitions []partition
	// at is the current partition, -1 before the first; next its next row.
	at, next int
}

// NewIterator answers r from all rows of its table. Partitions of a virtual table come in the order of their keys, those of
// others in the order of the ring of p; that is also the order in which r.After stands. Columns that are not wanted are there
// too. The iterator keeps the values of rows.
func NewIterator(p token.Partitioner, rows []Row, r *request.Read) row.Iterator {
	all := group(p, r.Table, rows)
	order := func(a, b *partition) int { return comparePartitions(r.Table, a, b) }
	var after *partition
	if r.After != nil {
		after = &partition{key: r.After.Key, token: p.Token(r.After.Key)}
	}
	it := &iterator{at: -1}
	take := func(part *partition) {
		var position [][]byte
		if after != nil && bytes.Equal(part.key, after.key) {
			if position = r.After.Clustering; position == nil {
				return
			}
		}
		kept := part.rows[:0:0]
		for _, one := range part.rows {
			if wanted(r, part.key, one, position) {
				kept = append(kept, one)
			}
		}
		if len(kept) > 0 {
			if r.Reversed {
				slices.Reverse(kept)
			}
			it.partitions = append(it.partitions, partition{part.key, part.token, kept})
		}
	}
	if r.Keys != nil {
		byKey := make(map[string]*partition, len(all))
		for i := range all {
			byKey[string(all[i].key)] = &all[i]
		}
		keys := r.Keys
		if after != nil {
			keys = keys[max(slices.IndexFunc(keys, func(k []byte) bool { return bytes.Equal(k, after.key) }), 0):]
		}
		for _, k := range keys {
			if part := byKey[string(k)]; part != nil {
				take(part)
			}
		}
		return it
	}
	slices.SortFunc(all, func(a, b partition) int { return order(&a, &b) })
	for i := range all {
		if part := &all[i]; inRange(r, part) && (after == nil || order(part, after) >= 0) {
			take(part)
		}
	}
	return it
}

// group makes partitions of rows.
func group(p token.Partitioner, t *schema.Table, rows []Row) []partition {
	var all []partition
	at := make(map[string]int)
	for _, values := range rows {
		key := partitionKey(t, values)
		i, ok := at[string(key)]
		if !ok {
			i = len(all)
			at[string(key)] = i
			all = append(all, partition{key: key, token: p.Token(key)})
		}
		all[i].rows = append(all[i].rows, makeRow(t, values))
	}
	for i := range all {
		slices.SortStableFunc(all[i].rows, func(a, b *row.Row) int { return row.CompareClustering(t, a.Clustering, b.Clustering) })
	}
	return all
}

// partitionKey serializes the key of a row: the value itself, or for several columns each with a uint16 length before it and a
// zero byte behind it.
func partitionKey(t *schema.Table, values Row) []byte {
	if len(t.PartitionKey) == 1 {
		return values[0]
	}
	var key []byte
	for i := range t.PartitionKey {
		key = binary.BigEndian.AppendUint16(key, uint16(len(values[i])))
		key = append(append(key, values[i]...), 0)
	}
	return key
}

// makeRow makes cells of values. The ids of a system table's columns are in the order of SELECT *, so the cells are sorted.
// Multi-cell lists, of which generated tables fill none, are left out.
func makeRow(t *schema.Table, values Row) *row.Row {
	r := &row.Row{Liveness: row.Liveness{Timestamp: writtenAt, Expiry: row.NoLocal}, Deletion: row.Live}
	n := len(t.PartitionKey)
	if len(t.Clustering) > 0 {
		r.Clustering = values[n : n+len(t.Clustering)]
	}
	n += len(t.Clustering)
	for i, c := range t.Regular {
		v := values[n+i]
		if v == nil {
			continue
		}
		cell := row.Cell{Column: c.ID, Value: v, Timestamp: writtenAt, Local: row.NoLocal}
		if !c.Type.IsMultiCell() {
			r.Cells = append(r.Cells, cell)
			continue
		}
		count, rest, err := types.Elements(v)
		for ; count > 0 && err == nil; count-- {
			cell.Value = []byte{}
			cell.Path, rest, err = types.NextElement(rest)
			if c.Type.Kind == types.Map && err == nil {
				cell.Value, rest, err = types.NextElement(rest)
			}
			if err == nil {
				r.Cells = append(r.Cells, cell)
			}
		}
	}
	return r
}

// comparePartitions is the order of a range read. Source: LocalPartitioner for virtual tables.
func comparePartitions(t *schema.Table, a, b *partition) int {
	if t.Virtual {
		for i, c := range t.PartitionKey {
			if d := c.Type.Compare(request.KeyComponent(t, a.key, i), request.KeyComponent(t, b.key, i)); d != 0 {
				return d
			}
		}
		return 0
	}
	if d := a.token.Compare(b.token); d != 0 {
		return d
	}
	return bytes.Compare(a.key, b.key)
}

func inRange(r *request.Read, p *partition) bool {
	return !beyond(r.Table, r.Range.Start, p, 1) && !beyond(r.Table, r.Range.End, p, -1)
}

// beyond reports whether p is outside the bound, which is a start for side 1 and an end for side -1.
func beyond(t *schema.Table, b request.KeyBound, p *partition, side int) bool {
	if b.Open {
		return false
	}
	var d int
	if b.Key == nil {
		d = b.Token.Compare(p.token)
	} else {
		d = comparePartitions(t, &partition{key: b.Key, token: b.Token}, p)
	}
	return d*side > 0 || d == 0 && !b.Inclusive
}

// wanted reports whether a row is in the slices, behind position (nil for none) and matches the filter.
func wanted(r *request.Read, key []byte, one *row.Row, position [][]byte) bool {
	if position != nil {
		d := row.CompareClustering(r.Table, one.Clustering, position)
		if d == 0 || d < 0 != r.Reversed {
			return false
		}
	}
	if r.Slices != nil && !slices.ContainsFunc(r.Slices, func(s row.Slice) bool { return inSlice(r.Table, s, one.Clustering) }) {
		return false
	}
	for i := range r.Filter {
		if !r.Filter[i].Match(r.Table, key, nil, one) {
			return false
		}
	}
	return true
}

func inSlice(t *schema.Table, s row.Slice, clustering [][]byte) bool {
	start := row.CompareClustering(t, clustering, s.Start.Values)
	end := row.CompareClustering(t, clustering, s.End.Values)
	return (start > 0 || start == 0 && (s.Start.Inclusive || len(s.Start.Values) == 0)) &&
		(end < 0 || end == 0 && (s.End.Inclusive || len(s.End.Values) == 0))
}

// NextPartition implements row.Iterator.
func (it *iterator) NextPartition() bool {
	it.at, it.next = min(it.at+1, len(it.partitions)), 0
	return it.at < len(it.partitions)
}

// Key implements row.Iterator.
func (it *iterator) Key() []byte { return it.partitions[it.at].key }

// Token implements row.Iterator.
func (it *iterator) Token() token.Token { return it.partitions[it.at].token }

// PartitionDeletion implements row.Iterator.
func (it *iterator) PartitionDeletion() row.Deletion { return row.Live }

// Static implements row.Iterator; generated tables have no static columns.
func (it *iterator) Static() *row.Row { return nil }

// NextRow implements row.Iterator.
func (it *iterator) NextRow() *row.Row {
	if it.at < 0 || it.at >= len(it.partitions) {
		return nil
	}
	if rows := it.partitions[it.at].rows; it.next < len(rows) {
		it.next++
		return rows[it.next-1]
	}
	return nil
}

// Err implements row.Iterator.
func (it *iterator) Err() error { return nil }

// Close implements row.Iterator.
func (it *iterator) Close() {}
