package system

import (
	"maps"
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
)

// Compaction is a row of system.compaction_history.
type Compaction struct {
	ID                schema.UUID // time-based
	Keyspace, Table   string
	At                int64 // milliseconds since 1970
	BytesIn, BytesOut int64
	Merged            map[int]int64 // partitions by the number of tables that they were in
	Kind              string
}

// Task is a row of system_views.sstable_tasks.
type Task struct {
	ID              schema.UUID // time-based
	Keyspace, Table string
	Kind            string
	Progress, Total int64 // in Unit
	Tables          int32
	Unit, Directory string
}

func compactionHistory(s Source, yield func(record)) {
	for _, c := range s.Compactions() {
		merged := types.AppendCount(nil, len(c.Merged))
		for _, n := range slices.Sorted(maps.Keys(c.Merged)) {
			merged = types.AppendElement(types.AppendElement(merged, integer(int32(n))), long(c.Merged[n]))
		}
		if len(c.Merged) == 0 {
			merged = nil
		}
		yield(record{
			"id":                    c.ID[:],
			"bytes_in":              long(c.BytesIn),
			"bytes_out":             long(c.BytesOut),
			"columnfamily_name":     text(c.Table),
			"compacted_at":          long(c.At),
			"compaction_properties": textMap(map[string]string{"compaction_type": c.Kind}),
			"keyspace_name":         text(c.Keyspace),
			"rows_merged":           merged,
		})
	}
}

func tasks(s Source, yield func(record)) {
	for _, t := range s.Tasks() {
		ratio := 0.0
		if t.Total > 0 {
			ratio = float64(t.Progress) / float64(t.Total)
		}
		yield(record{
			"keyspace_name":    text(t.Keyspace),
			"table_name":       text(t.Table),
			"task_id":          t.ID[:],
			"completion_ratio": double(ratio),
			"kind":             text(strings.ToLower(t.Kind)),
			"progress":         long(t.Progress),
			"sstables":         integer(t.Tables),
			"target_directory": text(t.Directory),
			"total":            long(t.Total),
			"unit":             text(t.Unit),
		})
	}
}
