package sstable

import (
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
)

// EncodingStats are what the times in a file are stored relative to: the smaller of what is there, so that differences are
// small. They need not be true minima. Source: org.apache.cassandra.db.rows.EncodingStats.
type EncodingStats struct {
	MinTimestamp int64 // microseconds
	MinLocal     int64 // seconds
	MinTTL       int32 // seconds
}

// DefaultEncodingStats are those of data without timestamps, deletions and TTLs.
var DefaultEncodingStats = EncodingStats{MinTimestamp: epochMicros, MinLocal: epochSeconds}

// defaultColumnIndexSize is the setting column_index_size.
const defaultColumnIndexSize = 64 << 10

// WriterOptions say what a table is written for and how. Of Table.Options those of compression, of the Bloom filter and of
// the summary count.
type WriterOptions struct {
	Table *schema.Table
	// Static and Regular are the columns that the file lists, all of the table's when both are nil. Cells of a column that the
	// table does not have any more are left out; one that only the file does not list is an error.
	Static, Regular []*schema.Column
	// Partitioner is a class name, Murmur3Partitioner when it is empty; LocalPartitioner for the table of an index, whose
	// partitions are ordered by the type of the key.
	Partitioner string
	// ExpectedKeys sizes the Bloom filter; 0 when it is not known: then 16 bytes are kept for each partition until Finish.
	ExpectedKeys int64
	// ColumnIndexSize is from how many bytes on a block of rows in a partition has an entry in the index; 0 for 64 KiB.
	ColumnIndexSize int
	Compression     CompressionChoice
	Level           int32
	RepairedAt      int64 // milliseconds since 1970; 0 when not repaired
	// Encoding is what times are stored relative to; the zero value stands for DefaultEncodingStats.
	Encoding EncodingStats
	HostID   *schema.UUID // of the node, nil for none
}

// describe fills in what the statistics say of the table, and what rows are encoded by.
func (w *Writer) describe() error {
	t, o := w.opts.Table, &w.opts
	if o.Partitioner == "" {
		o.Partitioner = token.Murmur3{}.Class()
	}
	if o.Encoding == (EncodingStats{}) {
		o.Encoding = DefaultEncodingStats
	}
	if o.Static == nil && o.Regular == nil {
		o.Static, o.Regular = t.Static, t.Regular
	}
	h := &w.stats.Header
	h.MinTimestamp, h.MinLocal, h.MinTTL = o.Encoding.MinTimestamp, o.Encoding.MinLocal, int64(o.Encoding.MinTTL)
	h.KeyType = keyType(t)
	key, err := parseColumnType(h.KeyType)
	if err != nil {
		return err
	}
	if w.order, err = partitionedBy(o.Partitioner, key); err != nil {
		return err
	}
	w.stats.Partitioner, w.stats.FilterChance = o.Partitioner, t.Options.BloomFilterFPChance
	w.rows = clusteringOrder{table: t}
	w.enc = encoder{
		minTimestamp: h.MinTimestamp, minLocal: uint32(h.MinLocal), minTTL: h.MinTTL, stats: &w.seen,
		values: make([]valueType, len(t.Clustering)),
	}
	for i, c := range t.Clustering {
		name := c.Type.JavaName()
		ct, err := parseColumnType(name)
		if err != nil {
			return err
		}
		w.rows.setRing(i, ct.ring)
		w.enc.values[i] = valueTypeOf(c.Type)
		if c.Desc {
			name = marshal + "ReversedType(" + name + ")"
		}
		h.ClusteringTypes = append(h.ClusteringTypes, name)
	}
	var static, regular []*schema.Column
	h.Static, static = headerColumns(o.Static)
	h.Regular, regular = headerColumns(o.Regular)
	w.enc.static, w.enc.regular = newFileColumns(t, h.Static, static), newFileColumns(t, h.Regular, regular)
	return nil
}

// keyType returns the class of the partition key.
func keyType(t *schema.Table) string {
	if len(t.PartitionKey) == 1 {
		return t.PartitionKey[0].Type.JavaName()
	}
	names := make([]string, len(t.PartitionKey))
	for i, c := range t.PartitionKey {
		names[i] = c.Type.JavaName()
	}
	return marshal + "CompositeType(" + strings.Join(names, ",") + ")"
}

// headerColumns returns columns in the order of the file.
func headerColumns(given []*schema.Column) ([]HeaderColumn, []*schema.Column) {
	columns := slices.Clone(given)
	slices.SortFunc(columns, func(a, b *schema.Column) int {
		x, y := HeaderColumn{Name: a.Name, typ: a.Type}, HeaderColumn{Name: b.Name, typ: b.Type}
		switch {
		case columnBefore(&x, &y):
			return -1
		case columnBefore(&y, &x):
			return 1
		}
		return 0
	})
	list := make([]HeaderColumn, len(columns))
	for i, c := range columns {
		list[i] = HeaderColumn{Name: c.Name, Type: c.Type.JavaName(), typ: c.Type}
	}
	return list, columns
}
