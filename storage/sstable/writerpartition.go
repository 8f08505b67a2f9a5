package sstable

import (
	"fmt"
	"math"

	"github.com/helenusdb/helenus/storage/row"
)

// edge is a place in partitions that was copied.
type edge struct {
	set    bool
	values [][]byte
	side   int
}

func (e *edge) put(values [][]byte, side int) {
	e.set, e.side = true, side
	e.values = append(e.values[:0], values...)
	cloneValues(e.values)
}

// Append writes a partition, which has to stand behind the one before, and reads p.Rows to their end. A partition in which
// there is nothing is passed over; what its deletions hide is left out.
func (w *Writer) Append(p *row.Partition) error {
	if w.err == nil {
		w.err = w.append(p)
	}
	return w.err
}

// refuse returns an error about a partition.
func (w *Writer) refuse(p *row.Partition, format string, args ...any) error {
	return fmt.Errorf("%s: partition %x: %s", w.desc, p.Key, fmt.Sprintf(format, args...))
}

func (w *Writer) append(p *row.Partition) error {
	if len(p.Key) > math.MaxUint16 {
		return w.refuse(p, "a key of %d bytes", len(p.Key))
	}
	if w.index.keys > 0 && w.order.compare(w.lastToken, w.lastKey, p.Token, p.Key) >= 0 {
		return w.refuse(p, "it does not stand behind %x", w.lastKey)
	}
	if err := w.data.drain(); err != nil {
		return err
	}
	start := w.data.position()
	buf := append(append(w.data.buf, byte(len(p.Key)>>8), byte(len(p.Key))), p.Key...)
	buf = appendDeletion(buf, p.Deletion)
	if !p.Deletion.IsLive() {
		w.seen.deletion(p.Deletion)
	}
	rows := w.seen.rows
	if len(w.enc.static.list) > 0 {
		static := p.Static
		if static == nil {
			static = &emptyRow
		}
		var err error
		if buf, _, err = w.enc.row(buf, w.enc.visible(static, p.Deletion), true, 0); err != nil {
			return w.refuse(p, "static row: %v", err)
		}
	}
	w.data.buf = buf
	head := w.data.position() - start
	w.blocks.reset(head)
	some, err := w.appendRows(p, start)
	if err != nil {
		return err
	}
	if !some {
		if p.Deletion.IsLive() && w.seen.rows == rows {
			w.data.buf = w.data.buf[:start-w.data.base]
			return nil
		}
		w.data.buf = append(w.data.buf, flagEnd)
	}
	return w.end(p, start)
}

// emptyRow is a static row without content.
var emptyRow = row.Row{Liveness: row.NoLiveness, Deletion: row.Live}

// appendRows writes the rows and markers of a partition and what ends them; some is false when there are none, and nothing is
// written.
func (w *Writer) appendRows(p *row.Partition, start int64) (some bool, err error) {
	open := row.Live
	// last is the clustering, as it was encoded, of the last row or marker that was written, and lastKind what that was.
	previous, last, lastKind := start, []byte(nil), KindClustering
	for u := p.Rows.Next(); u != nil; u = p.Rows.Next() {
		if some && len(w.data.buf) >= w.data.chunk {
			w.prefix = append(w.prefix[:0], last...)
			last = w.prefix
			if err := w.data.drain(); err != nil {
				return some, err
			}
		}
		at := w.data.position()
		buf, length, prefix, kind := w.data.buf, len(w.data.buf), [2]int{}, KindClustering
		if u.Row != nil {
			buf, prefix, err = w.enc.row(buf, w.enc.visible(u.Row, p.Deletion.Max(open)), false, at-previous)
		} else {
			m := &u.Marker
			if m.Closed != open && !(m.Closed.IsLive() && open.IsLive()) {
				return some, w.refuse(p, "a marker closes a range deletion that is not the open one")
			}
			open = m.Opened
			var ok bool
			if kind, ok = markerKind(m); !ok {
				continue
			}
			buf, prefix, err = w.enc.marker(buf, m, kind, at-previous)
		}
		if err != nil {
			return some, w.refuse(p, "%v", err)
		}
		w.data.buf = buf
		if len(buf) == length {
			continue
		}
		last, lastKind = buf[prefix[0]:prefix[1]], kind
		w.blocks.add(kind, last, at-start, w.data.position()-start, open)
		if previous = at; !some {
			some = true
			w.lower(u, kind)
		}
	}
	switch {
	case p.Rows.Err() != nil:
		return some, p.Rows.Err()
	case !open.IsLive():
		return some, w.refuse(p, "a range deletion is open at its end")
	case !some:
		return false, nil
	}
	w.data.buf = append(w.data.buf, flagEnd)
	w.blocks.finish(lastKind, last, w.data.position()-start)
	return true, w.raise(lastKind, last)
}

// lower takes the first row or marker of a partition.
func (w *Writer) lower(u *row.Unfiltered, kind BoundKind) {
	values := u.Marker.Values
	if u.Row != nil {
		values = u.Row.Clustering
	}
	if !w.lowest.set || w.rows.compare(values, kind.side(), w.lowest.values, w.lowest.side) < 0 {
		w.lowest.put(values, kind.side())
	}
}

// raise takes the last row or marker of a partition as it was encoded.
func (w *Writer) raise(kind BoundKind, prefix []byte) error {
	w.cursor = cursor{b: prefix}
	c := &w.cursor
	if kind == KindClustering {
		w.at.values = readValues(c, w.at.values[:0], len(w.enc.values), w.enc.values)
	} else {
		w.at.values = readBoundValues(c, w.at.values[:0], w.enc.values)
	}
	if c.err != nil {
		return c.err
	}
	if !w.highest.set || w.rows.compare(w.at.values, kind.side(), w.highest.values, w.highest.side) > 0 {
		w.highest.put(w.at.values, kind.side())
	}
	return nil
}

// end ends a partition that has content.
func (w *Writer) end(p *row.Partition, start int64) error {
	w.seen.partition(p.Key, w.data.position()-start)
	w.filter.add(hashKey(p.Key))
	w.lastToken, w.lastKey = p.Token, append(w.lastKey[:0], p.Key...)
	return w.index.add(p.Key, start, &w.blocks, p.Deletion)
}
