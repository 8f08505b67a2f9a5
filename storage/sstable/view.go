package sstable

import (
	"fmt"
	"math"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/row"
)

// View is an open table read with the columns of a schema. It is immutable and may be used by many goroutines.
type View struct {
	r *Reader
	clusteringOrder
	// values tells how the clustering values are written.
	values          []valueType
	static, regular columns
	// chance is the table's crc_check_chance: how likely a lookup or a Scan looks at the checksum of what it reads.
	chance float64
}

// columns is the static or the regular columns of a file, in its order.
type columns struct {
	list []column
	// sorted says that the ids ascend, so that cells come in the order of row.Row.
	sorted bool
	// complex says that some column is of more cells than one.
	complex bool
}

// column is one column of a file.
type column struct {
	id        schema.ColumnID // 0 for a column that the schema does not have: its cells are passed over
	value     valueType
	complex   bool
	droppedAt int64
}

// View returns the table read with the columns of t; what t has dropped is left out. A nil t stands for what the file says
// of itself. A column that t neither has nor had is an error.
func (r *Reader) View(t *schema.Table) (*View, error) {
	v := &View{r: r, clusteringOrder: clusteringOrder{table: t}, chance: 1}
	if t == nil {
		v.table = r.table
	} else {
		v.chance = t.Options.CRCCheckChance
	}
	if len(v.table.Clustering) != len(r.stats.Header.ClusteringTypes) {
		return nil, fmt.Errorf("%s has %d clustering columns, the table %s.%s has %d", r.desc,
			len(r.stats.Header.ClusteringTypes), v.table.Keyspace, v.table.Name, len(v.table.Clustering))
	}
	for i, name := range r.stats.Header.ClusteringTypes {
		ct, err := parseColumnType(name)
		if err != nil {
			return nil, err
		}
		col := v.table.Clustering[i]
		if col.Desc != ct.desc || col.Type.Kind != types.Custom && valueTypeOf(col.Type) != valueTypeOf(ct.typ) {
			return nil, fmt.Errorf("%s is ordered by %s where %s.%s has %q", r.desc, name, v.table.Keyspace, v.table.Name, col.Name)
		}
		v.values = append(v.values, valueTypeOf(ct.typ))
		v.setRing(i, ct.ring)
	}
	var err error
	if v.static, err = v.columns(r.stats.Header.Static, schema.Static); err != nil {
		return nil, err
	}
	v.regular, err = v.columns(r.stats.Header.Regular, schema.Regular)
	return v, err
}

// columns finds the columns of a header in the table.
func (v *View) columns(header []HeaderColumn, kind schema.ColumnKind) (columns, error) {
	cs := columns{sorted: true, list: make([]column, len(header))}
	last := schema.ColumnID(0)
	for i := range header {
		h := &header[i]
		c := column{value: valueTypeOf(h.typ), complex: h.typ.IsMultiCell(), droppedAt: math.MinInt64}
		cs.complex = cs.complex || c.complex
		col := v.table.ByName[h.Name]
		_, dropped := v.table.Dropped[h.Name]
		_, readded := v.table.Readded[h.Name]
		switch {
		case col != nil && col.Kind == kind && col.Type.IsMultiCell() == c.complex:
			if !c.complex && !takes(col.Type, c.value) {
				return cs, fmt.Errorf("%s has a column %q of %s, which is %s in %s.%s", v.r.desc, h.Name, h.Type, col.Type,
					v.table.Keyspace, v.table.Name)
			}
			c.id, c.droppedAt = col.ID, col.DroppedAt
			cs.sorted = cs.sorted && c.id > last
			last = c.id
		case !dropped && !readded:
			return cs, fmt.Errorf("%s has a %s column %q of %s, which %s.%s neither has nor had", v.r.desc, kind, h.Name, h.Type,
				v.table.Keyspace, v.table.Name)
		}
		cs.list[i] = c
	}
	return cs, nil
}

// takes reports whether values of a file can be of a type: they have its length, or the type takes several. What a column was
// before it was dropped and added again can differ that much.
func takes(t *types.Type, v valueType) bool {
	switch t.Kind {
	case types.Blob, types.Varint, types.Custom:
		return true
	}
	return valueTypeOf(t) == v
}

// Table returns the schema that the view is read with.
func (v *View) Table() *schema.Table { return v.table }

// side is the side of a cut, for compare.
func side(c row.Cut) int {
	if c.After {
		return 1
	}
	return -1
}

// pathType is the type of a multi-cell column's paths.
func pathType(t *types.Type) *types.Type {
	if t.Kind == types.UDT {
		return types.TSmallint
	}
	return row.PathType(t)
}
