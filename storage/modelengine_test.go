package storage

import (
	"context"
	"time"
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

// compact merges a table's files.
func (w *world) compact(*modelled) {}
