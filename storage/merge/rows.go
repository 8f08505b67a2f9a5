package merge

import (
	"context"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
)

// askContext is after how many rows of a partition the context is asked.
const askContext = 512

// Rows gives a reader the partitions of a source: deletions and expired data too, but not what deletions hide, nor the cells
// of dropped columns (row.Layout.Hides). The deletion of a range shows as that of the rows that it covers and of which it
// leaves something; the partition's is not repeated in them. Rows of which nothing is left are not given; partitions are,
// each that the source has. The context is asked at every partition and now and then between rows. Close closes the source.
func Rows(ctx context.Context, l *row.Layout, src row.Source) row.Iterator {
	return &rows{ctx: ctx, l: l, src: src}
}

// rows is the iterator behind Rows.
type rows struct {
	ctx          context.Context
	l            *row.Layout
	src          row.Source
	p            *row.Partition
	open         row.Deletion
	count        int // rows since the context was asked
	buf, statics row.Row
	err          error
}

// NextPartition implements row.Iterator.
func (it *rows) NextPartition() bool {
	it.p, it.open = nil, row.Live
	if it.failed() {
		return false
	}
	if it.p = it.src.Next(); it.p == nil {
		it.err = it.src.Err()
	}
	return it.p != nil
}

// failed reports whether the iterator has failed or its context is over.
func (it *rows) failed() bool {
	if it.count = 0; it.err == nil {
		it.err = it.ctx.Err()
	}
	return it.err != nil
}

// Key implements row.Iterator.
func (it *rows) Key() []byte { return it.p.Key }

// Token implements row.Iterator.
func (it *rows) Token() token.Token { return it.p.Token }

// PartitionDeletion implements row.Iterator.
func (it *rows) PartitionDeletion() row.Deletion { return it.p.Deletion }

// Static implements row.Iterator.
func (it *rows) Static() *row.Row {
	if it.p.Static == nil {
		return nil
	}
	return it.visible(&it.statics, it.p.Static, it.p.Deletion)
}

// NextRow implements row.Iterator.
func (it *rows) NextRow() *row.Row {
	if it.p == nil || it.err != nil {
		return nil
	}
	for u := it.p.Rows.Next(); u != nil; u = it.p.Rows.Next() {
		if it.count++; it.count == askContext && it.failed() {
			return nil
		}
		if u.Row == nil {
			it.open = u.Marker.Opened
			continue
		}
		if r := it.visible(&it.buf, u.Row, it.open.Max(it.p.Deletion)); r != nil {
			return r
		}
	}
	it.err = it.p.Rows.Err()
	return nil
}

// visible returns what a deletion and dropped columns leave of a row: r itself, or a copy in buf, or nil.
func (it *rows) visible(buf, r *row.Row, d row.Deletion) *row.Row {
	if !d.IsLive() || !r.Deletion.IsLive() || len(r.Complex) > 0 {
		copyRow(buf, r)
		r = buf
		shadow(r, d)
	}
	if it.l.Drops && hides(it.l, r) {
		if r != buf {
			copyRow(buf, r)
			r = buf
		}
		dropHidden(it.l, r)
	}
	if r.IsEmpty() {
		return nil
	}
	if r.Deletion.IsLive() && d.Supersedes(it.p.Deletion) {
		r.Deletion = d
	}
	return r
}

// hides reports whether a row has anything of a dropped column.
func hides(l *row.Layout, r *row.Row) bool {
	for i := range r.Cells {
		if l.Hides(r.Cells[i].Column, r.Cells[i].Timestamp) {
			return true
		}
	}
	for i := range r.Complex {
		if l.Hides(r.Complex[i].Column, r.Complex[i].Timestamp) {
			return true
		}
	}
	return false
}

// dropHidden drops what a row has of dropped columns.
func dropHidden(l *row.Layout, r *row.Row) {
	n := 0
	for i := range r.Cells {
		if c := &r.Cells[i]; !l.Hides(c.Column, c.Timestamp) {
			r.Cells[n] = *c
			n++
		}
	}
	r.Cells = r.Cells[:n]
	n = 0
	for _, c := range r.Complex {
		if !l.Hides(c.Column, c.Timestamp) {
			r.Complex[n] = c
			n++
		}
	}
	r.Complex = r.Complex[:n]
}

// Err implements row.Iterator.
func (it *rows) Err() error { return it.err }

// Close implements row.Iterator.
func (it *rows) Close() { it.src.Close() }
