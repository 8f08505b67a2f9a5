package sstable

import (
	"fmt"
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/row"
)

// fileColumns is the static or the regular columns of a file that is written, in its order, with what is known of them in
// the row that is being written.
type fileColumns struct {
	list []fileColumn
	// index finds a column by id: its place plus one, 0 for a column that is gone, -1 for one that the file does not list.
	index   []int32
	present []int32 // places, ascending
	row     uint32  // marks the columns of the present row
}

// fileColumn is one column.
type fileColumn struct {
	value     valueType
	complex   bool
	droppedAt int64
	// row says of which row the rest is: the cells and the number of the deletion plus one.
	row         uint32
	first, last int32
	deletion    int32
}

// newFileColumns returns the columns of a file; header is in its order, columns are those of the schema.
func newFileColumns(t *schema.Table, header []HeaderColumn, columns []*schema.Column) fileColumns {
	cs := fileColumns{list: make([]fileColumn, len(header))}
	for id := range t.ByID {
		for int(id) >= len(cs.index) {
			cs.index = append(cs.index, 0)
		}
		cs.index[id] = -1
	}
	for i, c := range columns {
		cs.index[c.ID] = int32(i) + 1
		cs.list[i] = fileColumn{value: valueTypeOf(c.Type), complex: c.Type.IsMultiCell(), droppedAt: c.DroppedAt}
	}
	return cs
}

// take finds the column of a cell or complex deletion; nil when it was dropped.
func (cs *fileColumns) take(id schema.ColumnID, timestamp int64) (*fileColumn, error) {
	at := int32(0)
	if int(id) < len(cs.index) {
		at = cs.index[id]
	}
	switch {
	case at == 0:
		return nil, nil
	case at < 0:
		return nil, fmt.Errorf("column %d is not one of those that the file lists", id)
	}
	c := &cs.list[at-1]
	if timestamp <= c.droppedAt {
		return nil, nil
	}
	if c.row != cs.row {
		c.row, c.first, c.last, c.deletion = cs.row, 0, 0, 0
		cs.present = append(cs.present, at-1)
	}
	return c, nil
}

// arrange finds out which columns a row has and where its cells are. complexes says that deletions of columns are among them.
func (cs *fileColumns) arrange(r *row.Row) (complexes bool, err error) {
	cs.row++
	cs.present = cs.present[:0]
	for i := 0; i < len(r.Cells); {
		id := r.Cells[i].Column
		start := i
		for i++; i < len(r.Cells) && r.Cells[i].Column == id; i++ {
		}
		// Cells that a drop hides stand anywhere among those of their column: they are passed over when they are written.
		newest := r.Cells[start].Timestamp
		for j := start + 1; j < i; j++ {
			newest = max(newest, r.Cells[j].Timestamp)
		}
		c, err := cs.take(id, newest)
		if err != nil {
			return false, err
		}
		if c != nil {
			c.first, c.last = int32(start), int32(i)
		}
	}
	for i := range r.Complex {
		d := &r.Complex[i]
		if d.IsLive() {
			continue
		}
		c, err := cs.take(d.Column, d.Timestamp)
		if err != nil {
			return false, err
		}
		if c != nil {
			c.deletion, complexes = int32(i)+1, true
		}
	}
	if !slices.IsSorted(cs.present) {
		slices.Sort(cs.present)
	}
	return complexes, nil
}

// appendSubset appends which columns a row has. Source: org.apache.cassandra.db.Columns.Serializer.
func (cs *fileColumns) appendSubset(dst []byte) []byte {
	n := len(cs.list)
	if n < manyColumns {
		missing := uint64(1)<<n - 1
		for _, at := range cs.present {
			missing &^= 1 << at
		}
		return appendVint(dst, missing)
	}
	dst = appendVint(dst, uint64(n-len(cs.present)))
	if len(cs.present) < n/2 {
		for _, at := range cs.present {
			dst = appendVint(dst, uint64(at))
		}
		return dst
	}
	next := 0
	for at := range n {
		if next < len(cs.present) && int(cs.present[next]) == at {
			next++
			continue
		}
		dst = appendVint(dst, uint64(at))
	}
	return dst
}
