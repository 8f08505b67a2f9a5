package exec

import (
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// looksAt reports whether a column is among those that the conditions read: with an EXISTS all static ones when a static
// column is written, all regular ones when rows are; else those of conditions.
// Source: CQL3CasRequest.columnsToRead.
func (c *casRequest) looksAt(col *schema.Column) bool {
	if c.exists {
		if col.Kind == schema.Static {
			return c.updatesStatic
		}
		return c.updatesRows
	}
	return slices.Contains(c.shown, col)
}

// foundRows are the rows that a failed statement shows, with the values of columns: those of conditions that are there, or
// the static row alone when there are none and it has something to show.
func (c *casRequest) foundRows(columns []*schema.Column) [][][]byte {
	found := c.found.rows
	if len(c.rows) > 0 {
		found = nil
		for _, r := range c.rows {
			if x := c.found.row(r.clustering); x != nil {
				found = append(found, x)
			}
		}
	} else if len(found) > 1 {
		found = found[:1]
	}
	var rows [][][]byte
	for _, r := range found {
		rows = append(rows, c.values(columns, r))
	}
	if len(rows) == 0 && c.showsStatic() {
		rows = append(rows, c.values(columns, nil))
	}
	return rows
}

// showsStatic reports whether the static row has a cell among what the conditions read.
func (c *casRequest) showsStatic() bool {
	if c.found.static == nil {
		return false
	}
	for i := range c.found.static.Cells {
		if col := c.table.ByID[c.found.static.Cells[i].Column]; col != nil && c.looksAt(col) {
			return true
		}
	}
	return false
}

// values are the values of columns in a row; r is nil for a partition without rows.
func (c *casRequest) values(columns []*schema.Column, r *row.Row) [][]byte {
	out := make([][]byte, len(columns))
	for i, col := range columns {
		switch {
		case col.Kind == schema.PartitionKey:
			out[i] = request.KeyComponent(c.table, c.key, col.Position)
		case col.Kind == schema.Clustering:
			if r != nil {
				out[i] = r.Clustering[col.Position]
			}
		case !c.looksAt(col):
		case col.Kind == schema.Static:
			if c.found.static != nil {
				out[i] = c.value(col, c.found.static)
			}
		case r != nil:
			out[i] = c.value(col, r)
		}
	}
	return out
}

// value is the value of a column outside of the primary key.
func (c *casRequest) value(col *schema.Column, r *row.Row) []byte {
	s := selecting{env: c.env}
	v, err := s.column(&planner.Fetch{Column: col, What: planner.FetchValue}, r)
	if err != nil {
		return nil
	}
	return v
}
