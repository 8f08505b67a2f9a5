package sstable

import (
	"fmt"
	"slices"
	"sort"

	"github.com/helenusdb/helenus/cql/schema"
)

// Union returns a table with the columns of all readers, which are of one table: what their headers say together. The names of
// key columns are made up. There must be a reader.
func Union(readers ...*Reader) (*schema.Table, error) {
	h := readers[0].stats.Header
	h.Static, h.Regular = slices.Clone(h.Static), slices.Clone(h.Regular)
	for _, r := range readers[1:] {
		o := &r.stats.Header
		if o.KeyType != h.KeyType || !slices.Equal(o.ClusteringTypes, h.ClusteringTypes) {
			return nil, fmt.Errorf("%s has other keys than %s", r.desc, readers[0].desc)
		}
		h.Static, h.Regular = unite(h.Static, o.Static), unite(h.Regular, o.Regular)
	}
	return h.table()
}

// unite adds the columns of b that a does not have.
func unite(a, b []HeaderColumn) []HeaderColumn {
	for _, c := range b {
		if !slices.ContainsFunc(a, func(x HeaderColumn) bool { return x.Name == c.Name }) {
			a = append(a, c)
		}
	}
	sort.SliceStable(a, func(i, j int) bool { return columnBefore(&a[i], &a[j]) })
	return a
}
