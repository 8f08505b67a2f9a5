package storage

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// ErrIndexNotBuilt is returned by a read that needs an index which does not yet hold what was written before it was made.
var ErrIndexNotBuilt = errors.New("the index is not built yet")

// Read returns what is stored for r: deletions and expired data too (row.LiveFilter drops them), but not what deletions hide
// nor cells of dropped columns. Columns that r does not ask for may be there. When r filters or looks up an index, rows are
// judged by what of them lives at r.Now, and only live data is given: a partition then has a row that matches, unless all
// terms are of its key and static row. A partition in the middle of which r goes on is given only when a live row follows.
// r is kept until the iterator is closed.
//
// Each page of a partition's rows is as it was at one moment, and memory does not grow with the length of a scan. The
// context is asked between pages.
func (e *Engine) Read(ctx context.Context, r *request.Read) (row.Iterator, error) {
	st := e.store(r.Table.ID)
	if st == nil {
		return nil, unknownTable(r.Table)
	}
	n := st.metrics.reads.Add(1)
	var begun time.Time
	if n%sampleReads == 0 {
		begun = time.Now()
	}
	var it row.Iterator
	if r.Index != nil {
		var err error
		if it, err = e.readIndex(ctx, r, st); err != nil {
			return nil, err
		}
	} else if it = e.readStore(ctx, r, st); len(r.Filter) > 0 {
		it = newFiltered(row.LiveFilter(it, r.Now), r, r.Filter)
	}
	if n%sampleReads == 0 {
		it = &timed{it, begun, &st.metrics.readTime}
	}
	return it, nil
}

// readStore reads without filters and indexes.
func (e *Engine) readStore(ctx context.Context, r *request.Read, st *store) row.Iterator {
	v := st.acquire()
	it := e.readView(ctx, r, st, v)
	if len(v.tables) == 0 {
		return it
	}
	return &holding{it, v}
}

// holding is an iterator that releases a view when it is closed.
type holding struct {
	row.Iterator
	v *view
}

// Close implements row.Iterator.
func (h *holding) Close() {
	h.Iterator.Close()
	if v := h.v; v != nil {
		h.v = nil
		v.release()
	}
}

// readView reads a view, which the caller holds until the iterator is closed, without filters and indexes.
func (e *Engine) readView(ctx context.Context, r *request.Read, st *store, v *view) row.Iterator {
	var it row.Iterator
	if v.onlyMemory() {
		it = v.mem.Read(ctx, r, e.opts.Partitioner)
	} else {
		it = e.readMerged(ctx, r, st, v)
	}
	if r.After == nil || r.After.Clustering == nil {
		return it
	}
	return &resuming{Iterator: it, after: r.After, now: r.Now}
}

// resuming leaves out the partition in the middle of which a read goes on when no live row follows: its static row alone
// would look like a partition that has no rows.
type resuming struct {
	row.Iterator
	after *request.Position
	now   int64
	ahead *row.Row
}

// NextPartition implements row.Iterator.
func (it *resuming) NextPartition() bool {
	it.ahead = nil
	for it.Iterator.NextPartition() {
		if !bytes.Equal(it.Key(), it.after.Key) {
			return true
		}
		for it.ahead = it.Iterator.NextRow(); it.ahead != nil; it.ahead = it.Iterator.NextRow() {
			if it.ahead.IsLive(it.now) {
				return true
			}
		}
	}
	return false
}

// NextRow implements row.Iterator.
func (it *resuming) NextRow() *row.Row {
	if r := it.ahead; r != nil {
		it.ahead = nil
		return r
	}
	return it.Iterator.NextRow()
}

// filtered gives the partitions and rows of live data that match all terms.
type filtered struct {
	row.Iterator
	read *request.Read
	// ofPartition are judged once for each partition, ofRow for each row.
	ofPartition, ofRow []request.Filter
	static             *row.Row
	ahead              *row.Row
}

func newFiltered(it row.Iterator, r *request.Read, terms []request.Filter) *filtered {
	f := &filtered{Iterator: it, read: r}
	for _, t := range terms {
		if t.OfPartition() {
			f.ofPartition = append(f.ofPartition, t)
		} else {
			f.ofRow = append(f.ofRow, t)
		}
	}
	return f
}

// Static implements row.Iterator.
func (f *filtered) Static() *row.Row { return f.static }

// NextPartition implements row.Iterator.
func (f *filtered) NextPartition() bool {
	f.ahead = nil
	for f.Iterator.NextPartition() {
		f.static = f.Iterator.Static()
		if !f.match(f.ofPartition, nil) {
			continue
		}
		if len(f.ofRow) == 0 {
			return true
		}
		if f.ahead = f.next(); f.ahead != nil {
			return true
		}
	}
	return false
}

func (f *filtered) match(terms []request.Filter, r *row.Row) bool {
	for i := range terms {
		if !terms[i].Match(f.read.Table, f.Key(), f.static, r) {
			return false
		}
	}
	return true
}

// NextRow implements row.Iterator.
func (f *filtered) NextRow() *row.Row {
	if r := f.ahead; r != nil {
		f.ahead = nil
		return r
	}
	return f.next()
}

func (f *filtered) next() *row.Row {
	for r := f.Iterator.NextRow(); r != nil; r = f.Iterator.NextRow() {
		if f.match(f.ofRow, r) {
			return r
		}
	}
	return nil
}
