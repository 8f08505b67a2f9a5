package row

import (
	"bytes"
	"math"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
)

// Layout is what of a table the storage of its rows asks for in every row, looked up by column id. It is immutable and made
// anew when the table changes.
type Layout struct {
	Table *schema.Table
	// Counter says that cells are counters.
	Counter bool
	// Drops says that some column was dropped, so that cells may have to be hidden (Hides).
	Drops   bool
	columns []layoutColumn // by id
}

// layoutColumn is what a Layout knows of one column.
type layoutColumn struct {
	// droppedAt hides cells with timestamps at or below it; MaxInt64 for an unknown or dropped column.
	droppedAt int64
	path      *types.Type // how paths compare; nil for by bytes
}

// NewLayout returns the layout of t.
func NewLayout(t *schema.Table) *Layout {
	l := &Layout{Table: t, Counter: t.Counter}
	for _, c := range t.ByID {
		l.set(c)
		l.Drops = l.Drops || c.DroppedAt != math.MinInt64
	}
	l.Drops = l.Drops || len(t.Dropped) > 0
	for _, d := range t.Dropped {
		if d.Column != nil && t.ByID[d.Column.ID] == nil {
			l.set(d.Column)
			l.columns[d.Column.ID].droppedAt = math.MaxInt64
		}
	}
	return l
}

func (l *Layout) set(c *schema.Column) {
	for int(c.ID) >= len(l.columns) {
		l.columns = append(l.columns, layoutColumn{droppedAt: math.MaxInt64})
	}
	l.columns[c.ID] = layoutColumn{droppedAt: c.DroppedAt, path: PathType(c.Type)}
}

// Hides reports whether a cell, or a complex deletion, of column id at a timestamp is gone because the column was dropped
// or is not known.
func (l *Layout) Hides(id schema.ColumnID, timestamp int64) bool {
	return int(id) >= len(l.columns) || timestamp <= l.columns[id].droppedAt
}

// compareCells orders two cells of a row.
func (l *Layout) compareCells(a, b *Cell) int {
	switch {
	case a.Column != b.Column:
		if a.Column < b.Column {
			return -1
		}
		return 1
	case a.Path == nil && b.Path == nil:
		return 0
	case int(a.Column) < len(l.columns):
		return ComparePaths(l.columns[a.Column].path, a.Path, b.Path)
	}
	return bytes.Compare(a.Path, b.Path)
}

// PathType returns the type by which the cells of a multi-cell column are ordered: a list's timeuuid, a set's element, a
// map's key. It is nil where the order is that of the bytes: fields of a user type, and columns of one cell.
func PathType(t *types.Type) *types.Type {
	if !t.IsMultiCell() {
		return nil
	}
	switch t.Kind {
	case types.List:
		return types.TTimeuuid
	case types.Set, types.Map:
		return t.Elems[0]
	}
	return nil
}

// ComparePaths orders two paths of a column whose PathType is t.
func ComparePaths(t *types.Type, a, b []byte) int {
	if t == nil {
		return bytes.Compare(a, b)
	}
	return t.Compare(a, b)
}

// CompareClustering orders two clusterings of t as they are stored. A shorter one that is a prefix of the other is equal to
// it.
func CompareClustering(t *schema.Table, a, b [][]byte) int {
	for i := range min(len(a), len(b), len(t.Clustering)) {
		if c := t.Clustering[i].Compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}
