package storage

import (
	"context"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
)

// Hooks are called by the engine when what it holds on disk changes. A nil one is not called. They must not call back into the
// engine but for what takes no lock of it, and do not block for long: whoever needs time starts a goroutine.
type Hooks struct {
	// Flushed is called when a memtable has become a live table on disk. The file is valid during the call.
	Flushed func(table *schema.Table, f *File)
	// Discard is called before a truncation or a drop takes a table's data; the tables on disk are held during the call. What
	// memtables hold is on disk when FlushBeforeDiscard says so of the table.
	Discard func(table *schema.Table, files []*File, dropped bool)
	// FlushBeforeDiscard reports whether a table is to be flushed before Discard.
	FlushBeforeDiscard func(table *schema.Table, dropped bool) bool
}

// SetHooks replaces the hooks.
func (e *Engine) SetHooks(h Hooks) { e.hooks.Store(&h) }

// flushedHook tells about a flush.
func (e *Engine) flushedHook(st *store, f *File) {
	st.metrics.flushBytes.Add(f.size)
	if h := e.hooks.Load().Flushed; h != nil && !st.ofIndex {
		h(st.table.Load(), f)
	}
}

// discardTimeout is how long a flush before Discard may take.
const discardTimeout = time.Minute

// beforeDiscard tells that the data of a store is about to go.
func (e *Engine) beforeDiscard(st *store, dropped bool) {
	h := e.hooks.Load()
	if e.log == nil || h.Discard == nil {
		return
	}
	t := st.table.Load()
	if h.FlushBeforeDiscard != nil && h.FlushBeforeDiscard(t, dropped) {
		ctx, cancel := context.WithTimeout(context.Background(), discardTimeout)
		e.report(e.flushStores(ctx, []*store{st}), "flush of "+t.Keyspace+"."+t.Name)
		cancel()
	}
	v := st.acquire()
	defer v.release()
	h.Discard(t, v.files(), dropped)
}
