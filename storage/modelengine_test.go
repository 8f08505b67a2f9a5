package storage

import (
	"context"
	"errors"
	"time"

	"github.com/helenusdb/helenus/storage/compaction"
)

// flushTimeout is how long a flush of few rows may take, on a machine that is busy.
const flushTimeout = time.Minute

// flush writes a table's memtable down.
func (w *world) flush(x *modelled) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := w.e.Flush(ctx, x.table.ID); err != nil {
		w.t.Fatalf("flush of %s: %v", x.table.Name, err)
	}
}

// compact merges a table's files, unless the background was faster.
func (w *world) compact(x *modelled) {
	w.t.Helper()
	if err := w.compactSome(context.Background(), x); err != nil && !errors.Is(err, compaction.ErrGone) {
		w.t.Fatalf("compaction of %s: %v", x.table.Name, err)
	}
}

// compactSome merges a table's files, all or some, together or each for itself, and may fail.
func (w *world) compactSome(ctx context.Context, x *modelled) error {
	// A tombstone is purged when its local time is before now less gc_grace; its timestamp is then at most so much later.
	if w.v.grace > 0 {
		x.purged = max(x.purged, w.now-w.v.grace+w.v.jitter+2)
	} else {
		x.purged = max(x.purged, w.now-1)
	}
	m, id := w.e.Compactions(), x.table.ID
	switch w.r.IntN(7) {
	case 0:
		return m.GarbageCollect(ctx, id, compaction.ProvideRow, 0)
	case 1:
		return m.GarbageCollect(ctx, id, compaction.ProvideCell, 0)
	case 2:
		return m.Upgrade(ctx, id, true, 0)
	case 3, 4:
		l, err := w.e.Live(id)
		if err != nil {
			return err
		}
		var some []string
		for _, f := range l.Files {
			if w.r.IntN(2) == 0 {
				some = append(some, f.Descriptor().String())
			}
		}
		l.Release()
		return m.UserDefined(ctx, id, some)
	}
	return m.Major(ctx, id, w.r.IntN(2) == 0)
}
