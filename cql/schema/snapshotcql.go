package schema

import (
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql/types"
)

// SnapshotCQL prints the statements that make a table again with its id, its dropped columns and its indexes, and the user types
// that it needs: the file schema.cql of a snapshot. Source: org.apache.cassandra.db.SchemaCQLHelper.
func SnapshotCQL(k *Keyspace, t *Table) string {
	var b strings.Builder
	used := map[string]bool{}
	for _, c := range t.ByID {
		usedTypes(c.Type, used)
	}
	for _, d := range t.Dropped {
		usedTypes(d.Column.Type, used)
	}
	if k != nil {
		// A type stands behind those that it is made of, so what the last one needs is known when it is come to.
		all := k.typesInOrder()
		for _, u := range slices.Backward(all) {
			if used[u.Name] {
				for _, e := range u.Elems {
					usedTypes(e, used)
				}
			}
		}
		for _, u := range all {
			if used[u.Name] {
				b.WriteString(strings.Replace(createType(u), "CREATE TYPE ", "CREATE TYPE IF NOT EXISTS ", 1) + "\n\n")
			}
		}
	}
	b.WriteString(strings.Replace(createTable(t, true), "CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ", 1) + "\n")
	for _, x := range t.Indexes {
		s := strings.Replace(createIndex(t, x), "CREATE INDEX ", "CREATE INDEX IF NOT EXISTS ", 1)
		b.WriteString(strings.Replace(s, "CREATE CUSTOM INDEX ", "CREATE CUSTOM INDEX IF NOT EXISTS ", 1) + "\n")
	}
	return b.String()
}

// usedTypes adds the names of the user types in t to used.
func usedTypes(t *types.Type, used map[string]bool) {
	if t.Kind == types.UDT {
		used[t.Name] = true
	}
	for _, e := range t.Elems {
		usedTypes(e, used)
	}
}
