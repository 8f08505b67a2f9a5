package sstable

import (
	"fmt"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
)

// Fits returns why the table on disk cannot be one of t: keys and columns that t does not have, or of types that mean something
// else. Columns that t has dropped are passed over. Source: org.apache.cassandra.db.SSTableImporter, SerializationHeader.
func (r *Reader) Fits(t *schema.Table) error {
	refuse := func(what, got string, want *types.Type) error {
		return fmt.Errorf("%s has %s of %s, which %s.%s has as %s", r.desc, what, got, t.Keyspace, t.Name, want)
	}
	if r.order.partitioner == nil {
		return fmt.Errorf("%s is the table of an index", r.desc)
	}
	header := &r.stats.Header
	key, err := parseColumnType(header.KeyType)
	if err != nil {
		return err
	}
	parts := key.parts
	if parts == nil {
		parts = []*types.Type{key.typ}
	}
	if len(parts) != len(t.PartitionKey) {
		return fmt.Errorf("%s has a partition key of %s, which does not have the %d columns of %s.%s", r.desc, header.KeyType,
			len(t.PartitionKey), t.Keyspace, t.Name)
	}
	for i, c := range t.PartitionKey {
		if !c.Type.IsValueCompatibleWith(parts[i]) {
			return refuse("a partition key", header.KeyType, c.Type)
		}
	}
	if _, err := r.View(t); err != nil {
		return err
	}
	for i, c := range t.Clustering {
		ct, err := parseColumnType(header.ClusteringTypes[i])
		if err != nil {
			return err
		}
		if !c.Type.IsValueCompatibleWith(ct.typ) {
			return refuse("a clustering", header.ClusteringTypes[i], c.Type)
		}
	}
	for _, list := range [][]HeaderColumn{header.Static, header.Regular} {
		for i := range list {
			h := &list[i]
			c := t.ByName[h.Name]
			if _, again := t.Readded[h.Name]; c == nil || again && !c.Type.IsValueCompatibleWith(h.typ) {
				continue
			}
			if !c.Type.IsValueCompatibleWith(h.typ) {
				return refuse(fmt.Sprintf("a column %q", h.Name), h.Type, c.Type)
			}
		}
	}
	return nil
}
