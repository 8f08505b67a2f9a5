package exec

import (
	"fmt"
	"slices"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// BatchLimits are the sizes at which batches are warned about and refused; 0 is no limit.
// Source: cassandra.yaml batch_size_warn_threshold, batch_size_fail_threshold, unlogged_batch_across_partitions_warn_threshold.
type BatchLimits struct {
	WarnBytes, FailBytes, UnloggedPartitions int
}

// DefaultBatchLimits are Cassandra's.
var DefaultBatchLimits = BatchLimits{WarnBytes: 5 << 10, FailBytes: 50 << 10, UnloggedPartitions: 10}

// checkSize warns of a batch that is large or spread over many partitions and refuses one that is too large. Batches of
// one partition are not looked at. Source: BatchStatement.verifyBatchSize, verifyBatchType.
func (m *Modifier) checkSize(st *writeState, kind planner.BatchKind) (warnings []string, err error) {
	if len(st.parts) < 2 {
		return nil, nil
	}
	ms := st.mutations()
	type place struct{ keyspace, key string }
	places, keys := map[place]bool{}, map[string]bool{}
	var tables []*schema.Table
	for i := range ms {
		t := ms[i].Table
		places[place{t.Keyspace, string(ms[i].Key)}] = true
		keys[string(ms[i].Key)] = true
		if !hasTable(tables, t) {
			tables = append(tables, t)
		}
	}
	if len(places) < 2 {
		return nil, nil
	}
	size := batchSize(ms, m.limits)
	if m.limits.FailBytes > 0 && size > m.limits.FailBytes {
		return nil, cql.Invalidf("Batch too large")
	}
	if m.limits.WarnBytes > 0 && size > m.limits.WarnBytes {
		warnings = append(warnings, fmt.Sprintf("Batch for %s is of size %d, exceeding specified threshold of %d by %d.",
			tableNames(tables), size, m.limits.WarnBytes, size-m.limits.WarnBytes))
	}
	if kind != planner.LoggedBatch && m.limits.UnloggedPartitions > 0 && len(keys) > m.limits.UnloggedPartitions {
		warnings = append(warnings, fmt.Sprintf("Unlogged batch covering %d partitions detected against table%s %s. You should use a "+
			"logged batch for atomicity, or asynchronous writes for performance.", len(keys), plural(len(tables)), tableNames(tables)))
	}
	return warnings, nil
}

// batchSize is how large Cassandra takes a batch to be; 0 for one that is far below the limits, which is seen by its encoded
// size: nothing takes more than maxGrowth times of that.
func batchSize(ms []request.Mutation, limits BatchLimits) int {
	encoded, size := 0, 0
	for i := range ms {
		encoded += len(ms[i].Data)
	}
	limit := limits.WarnBytes
	if limit == 0 {
		limit = limits.FailBytes
	}
	if encoded*maxGrowth+len(ms)*sizeUpdate < limit {
		return 0
	}
	for i := range ms {
		size += dataSize(&ms[i])
	}
	return size
}

// maxGrowth bounds what Cassandra counts for a byte of ours: a cell without a value is 20 bytes there and 7 here.
const maxGrowth = 8

// What Cassandra counts for the parts of a change beside its values, in bytes: a row has its marker and its deletion, a cell
// its times. Source: dataSize of PartitionUpdate, Row, LivenessInfo, DeletionTime, Cell, RangeTombstoneList.
const (
	sizeMarker   = 8
	sizeExpiry   = 12
	sizeDeletion = 13
	sizeRow      = sizeMarker + sizeDeletion
	sizeUpdate   = 8 + sizeRow // the partition's deletion and its static row, empty or not
	sizeCell     = 20
	sizeComplex  = 12
	sizeRanges   = 4
	sizeRange    = 12
)

// dataSize is how large Cassandra takes a mutation to be. What several statements change of one row counts once.
func dataSize(m *request.Mutation) int {
	size, ranges := sizeUpdate, 0
	static := row.Row{Liveness: row.NoLiveness, Deletion: row.Live}
	var rows []*row.Row
	layout := row.NewLayout(m.Table)
	c := m.Changes()
	for c.Next() {
		r := row.Reader{B: c.Encoded}
		switch {
		case c.Range:
			size += sizeRange + valuesSize(c.Slice.Start.Values) + valuesSize(c.Slice.End.Values)
			ranges = sizeRanges
		case c.Static:
			var change, merged row.Row
			r.Body(&change)
			if m.Table.Counter {
				size += bodySize(&change)
				break
			}
			row.Merge(&merged, &static, &change, layout)
			static = *merged.Clone()
		case c.Row:
			change := new(row.Row)
			change.Clustering = r.Values(nil, len(m.Table.Clustering))
			r.Body(change)
			rows = append(rows, change)
		}
	}
	slices.SortStableFunc(rows, func(a, b *row.Row) int { return row.CompareClustering(m.Table, a.Clustering, b.Clustering) })
	for i := 0; i < len(rows); {
		r := rows[i]
		for i++; !m.Table.Counter && i < len(rows) && row.CompareClustering(m.Table, r.Clustering, rows[i].Clustering) == 0; i++ {
			merged := new(row.Row)
			row.Merge(merged, r, rows[i], layout)
			r = merged.Clone()
		}
		size += sizeRow + valuesSize(r.Clustering) + bodySize(r)
	}
	return size + ranges + bodySize(&static)
}

func valuesSize(values [][]byte) (n int) {
	for _, v := range values {
		n += len(v)
	}
	return n
}

// bodySize is the size of a row's cells, and of the expiry of its marker.
func bodySize(r *row.Row) (n int) {
	if r.Liveness.TTL > 0 {
		n += sizeExpiry
	}
	n += sizeComplex * len(r.Complex)
	last := schema.ColumnID(0)
	for i := range r.Cells {
		c := &r.Cells[i]
		n += sizeCell + len(c.Path) + len(c.Value)
		if c.Path != nil && c.Column != last && !hasComplex(r, c.Column) {
			n += sizeComplex
		}
		last = c.Column
	}
	return n
}

func hasComplex(r *row.Row, id schema.ColumnID) bool {
	return slices.ContainsFunc(r.Complex, func(d row.ComplexDeletion) bool { return d.Column == id })
}
