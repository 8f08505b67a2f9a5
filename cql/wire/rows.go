package wire

import (
	"slices"

	"github.com/helenusdb/helenus/cql"
)

// RowsWriter appends a ROWS result cell by cell to the buffer that a response is built in. Its caller writes as many
// cells in a row as there are columns, then EndRow. Buf may be appended to between BeginCell and EndCell; it may move,
// so that only the writer's Buf is current.
type RowsWriter struct {
	Buf []byte

	start, countAt int
	count          int32
}

// BeginRows begins a ROWS result at the end of dst.
func BeginRows(dst []byte, v cql.Version, md *Metadata, o RowsOptions) RowsWriter {
	w := RowsWriter{start: len(dst)}
	dst = AppendRowsMetadata(AppendInt(dst, int32(KindRows)), v, md, o)
	w.countAt = len(dst)
	w.Buf = AppendInt(dst, 0)
	return w
}

// Cell appends a cell; nil is null.
func (w *RowsWriter) Cell(value []byte) {
	n, size := len(w.Buf), len(value)
	if cap(w.Buf)-n < 4+size {
		w.Buf = slices.Grow(w.Buf, 4+size)
	}
	b := w.Buf[:n+4+size]
	w.Buf = b
	if value == nil {
		setInt(b, n, -1)
		return
	}
	setInt(b, n, int32(size))
	copy(b[n+4:], value)
}

// BeginCell begins a cell whose bytes its caller appends to Buf; EndCell takes what it returns.
func (w *RowsWriter) BeginCell() (at int) {
	at = len(w.Buf)
	w.Buf = AppendInt(w.Buf, 0)
	return at
}

// EndCell ends the cell that was begun at at.
func (w *RowsWriter) EndCell(at int) { setInt(w.Buf, at, int32(len(w.Buf)-at-4)) }

// EndRow counts a row.
func (w *RowsWriter) EndRow() { w.count++ }

// Count returns how many rows were written.
func (w *RowsWriter) Count() int { return int(w.count) }

// Size returns how many bytes the result takes so far.
func (w *RowsWriter) Size() int { return len(w.Buf) - w.start }

// Finish writes the row count and returns the buffer. A paging state that became known only while the rows were
// written is given here (and then not in RowsOptions): it is put in front of them. nil means that there is no next page.
func (w *RowsWriter) Finish(pagingState []byte) []byte {
	setInt(w.Buf, w.countAt, w.count)
	if pagingState == nil {
		return w.Buf
	}
	const flagsOff, stateOff = 4, 12
	flags := w.Buf[w.start+flagsOff+3:]
	flags[0] |= rowsHasMorePages
	n, at, end := 4+len(pagingState), w.start+stateOff, len(w.Buf)
	w.Buf = slices.Grow(w.Buf, n)[:end+n]
	copy(w.Buf[at+n:], w.Buf[at:end])
	AppendBytes(w.Buf[at:at], pagingState)
	return w.Buf
}
