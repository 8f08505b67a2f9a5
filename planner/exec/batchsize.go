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
		if !slices.Contains(tables, t) {
			tables = append(tables, t)
		}
	}
	if len(places) < 2 {
		return nil, nil
	}
	size := 0
	for i := range ms {
		size += dataSize(&ms[i])
	}
	if m.limits.FailBytes > 0 && size > m.limits.FailBytes {
		return nil, cql.Invalidf("Batch too large")
	}
	if m.limits.WarnBytes > 0 && size > m.limits.WarnBytes {
		warnings = append(warnings, fmt.Sprintf("Batch for %s is of size %d, exceeding specified threshold of %d by %d.",
			tableNames(tables), size, m.limits.WarnBytes, size-m.limits.WarnBytes))
	}
	if kind != planner.LoggedBatch && m.limits.UnloggedPartitions > 0 && len(keys) > m.limits.UnloggedPartitions {
		warnings = append(warnings, fmt.Sprintf("Unlogged batch covering %d partitions detected against table%s %s. You should use a logged "+
			"batch for atomicity, or asynchronous writes for performance.", len(keys), plural(len(tables)), tableNames(tables)))
	}
	return warnings, nil
}

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

// dataSize is how large Cassandra takes a mutation to be. Of a row that two statements change it counts each change.
func dataSize(m *request.Mutation) int {
	size, ranges := sizeUpdate, 0
	var scratch row.Row
	c := m.Changes()
	for c.Next() {
		switch {
		case c.Range:
			size += sizeRange + valuesSize(c.Slice.Start.Values) + valuesSize(c.Slice.End.Values)
			ranges = sizeRanges
		case c.Row, c.Static:
			r := row.Reader{B: c.Encoded}
			if c.Row {
				scratch.Clustering = r.Values(scratch.Clustering[:0], len(m.Table.Clustering))
				size += sizeRow + valuesSize(scratch.Clustering)
			}
			r.Body(&scratch)
			size += bodySize(&scratch)
		}
	}
	return size + ranges
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
