package storage

import (
	"fmt"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/commitlog"
	"github.com/helenusdb/helenus/storage/request"
)

// Stats says what a replay found.
type Stats struct {
	Segments, Records, Mutations int
	// Unknown counts mutations of tables that the schema does not have, Truncated those before a truncation.
	Unknown, Truncated int
	// TornBytes is what was cut off the end of the last segment, SkippedBytes what SkipCorrupt left out.
	TornBytes, SkippedBytes int
}

// Replay brings back what the log holds and starts the engine; s is the schema, as SetSchema takes it. Its error wraps
// ErrCorrupt, with file and offset, when the log is damaged in a way that no crash explains.
func (e *Engine) Replay(s *schema.Snapshot) (Stats, error) {
	e.SetSchema(s)
	var stats Stats
	if e.log != nil {
		r := replay{stores: *e.stores.Load(), truncated: e.manifest.truncated, stats: &stats}
		r.lookup = func(id schema.UUID) *schema.Table {
			if st := r.stores[id]; st != nil {
				return st.table.Load()
			}
			return nil
		}
		ls, err := e.log.Replay(r.record)
		stats.Segments, stats.Records, stats.TornBytes, stats.SkippedBytes = ls.Segments, ls.Records, ls.TornBytes, ls.SkippedBytes
		if err != nil {
			return stats, err
		}
		e.log.Start()
	}
	e.ready.Store(true)
	return stats, nil
}

// replay is the state of one Replay.
type replay struct {
	stores    map[schema.UUID]*store
	lookup    func(schema.UUID) *schema.Table
	truncated map[schema.UUID]uint64
	stats     *Stats
	scratch   scratch
}

// record applies one record.
func (r *replay) record(rec commitlog.Record) error {
	ms, err := request.DecodeMutations(rec.Body, r.lookup)
	if err != nil {
		return fmt.Errorf("segment %s, offset %d: %w: %w", rec.Segment, rec.Offset, err, ErrCorrupt)
	}
	for i := range ms {
		m := &ms[i]
		switch {
		case m.Table == nil:
			r.stats.Unknown++
		case rec.Sequence <= r.truncated[m.Table.ID]:
			r.stats.Truncated++
		default:
			if err := r.stores[m.Table.ID].apply(m, &r.scratch); err != nil {
				return fmt.Errorf("segment %s, offset %d: %w: %w", rec.Segment, rec.Offset, err, ErrCorrupt)
			}
			r.stats.Mutations++
		}
	}
	return nil
}
