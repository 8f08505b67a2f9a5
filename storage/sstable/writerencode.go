package sstable

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"github.com/helenusdb/helenus/storage/row"
)

// appendVint appends v as Cassandra's unsigned variable-length integer.
func appendVint(dst []byte, v uint64) []byte {
	if v < 0x80 {
		return append(dst, byte(v))
	}
	n := (639 - 9*bits.LeadingZeros64(v)) >> 6 // bytes in all
	if n == 9 {
		return binary.BigEndian.AppendUint64(append(dst, 0xff), v)
	}
	// n-1 leading ones, then the value, moved up to the first byte.
	v |= uint64(1<<(n-1)-1) << (7*n + 1)
	return binary.BigEndian.AppendUint64(dst, v<<(64-8*n))[:len(dst)+n]
}

// vintLen returns how many bytes appendVint appends.
func vintLen(v uint64) int { return (639 - 9*bits.LeadingZeros64(v|1)) >> 6 }

// encoder turns rows and markers into the bytes of Data.db and tells the collector of them.
type encoder struct {
	minTimestamp    int64
	minLocal        uint32
	minTTL          int64
	values          []valueType // of the clustering columns
	static, regular fileColumns
	stats           *collector
	body            []byte  // scratch
	kept            row.Row // scratch: what is left of a row
}

// hides reports whether the deletions of a row, or one that encloses it, hide anything of it.
func hides(r *row.Row, enclosing row.Deletion) bool {
	active := r.Deletion.Max(enclosing)
	if active.IsLive() && len(r.Complex) == 0 {
		return false
	}
	if active.Deletes(r.Liveness.Timestamp) && r.Liveness.Timestamp != row.NoTimestamp ||
		!r.Deletion.IsLive() && !r.Deletion.Supersedes(enclosing) {
		return true
	}
	k := 0
	for i := range r.Complex {
		if !r.Complex[i].Supersedes(active) {
			return true
		}
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		for k < len(r.Complex) && r.Complex[k].Column < c.Column {
			k++
		}
		if active.Deletes(c.Timestamp) || k < len(r.Complex) && r.Complex[k].Column == c.Column && r.Complex[k].Deletes(c.Timestamp) {
			return true
		}
	}
	return false
}

// visible returns r without what deletions hide, which a reader of a single table shows as if it were there: it is not
// merged with anything. Sources leave it out but for counters. The result is valid until the next call.
func (e *encoder) visible(r *row.Row, enclosing row.Deletion) *row.Row {
	if !hides(r, enclosing) {
		return r
	}
	k := &e.kept
	k.Clustering, k.Liveness, k.Deletion = r.Clustering, r.Liveness, r.Deletion
	k.Complex, k.Cells = append(k.Complex[:0], r.Complex...), append(k.Cells[:0], r.Cells...)
	if k.Shadow(enclosing); !r.Deletion.Supersedes(enclosing) {
		k.Deletion = row.Live
	}
	return k
}

func (e *encoder) timestamp(dst []byte, ts int64) []byte {
	return appendVint(dst, uint64(ts-e.minTimestamp))
}

// local appends the difference of two int32, whose sign is kept.
func (e *encoder) local(dst []byte, second int64) []byte {
	return appendVint(dst, uint64(int64(int32(storedLocal(second)-e.minLocal))))
}

func (e *encoder) ttl(dst []byte, ttl int32) []byte {
	return appendVint(dst, uint64(int64(ttl)-e.minTTL))
}

func (e *encoder) deletion(dst []byte, d row.Deletion) []byte {
	e.stats.deletion(d)
	return e.local(e.timestamp(dst, d.Timestamp), d.Local)
}

// liveComplex appends the deletion of a column that has none in a row where another column has one.
func (e *encoder) liveComplex(dst []byte) []byte {
	return appendVint(e.timestamp(dst, row.NoTimestamp), uint64(int64(int32(math.MaxUint32-e.minLocal))))
}

// appendValue appends a value that is not empty in the form of its type.
func (v valueType) append(dst, value []byte) ([]byte, error) {
	if v.fixed < 0 {
		dst = appendVint(dst, uint64(len(value)))
	} else if len(value) != v.fixed {
		return dst, fmt.Errorf("a value of %d bytes in a column whose values have %d", len(value), v.fixed)
	}
	return append(dst, value...), nil
}

// clustering appends the values of a clustering or of a bound.
func (e *encoder) clustering(dst []byte, values [][]byte) ([]byte, error) {
	for i := 0; i < len(values); i += groupSize {
		group := values[i:min(i+groupSize, len(values))]
		header := uint64(0)
		for j, v := range group {
			switch {
			case v == nil:
				header |= 2 << (2 * j)
			case len(v) == 0:
				header |= 1 << (2 * j)
			}
		}
		dst = appendVint(dst, header)
		for j, v := range group {
			if len(v) == 0 {
				continue
			}
			var err error
			if dst, err = e.values[i+j].append(dst, v); err != nil {
				return dst, err
			}
		}
	}
	return dst, nil
}

// row appends a row or a static row; previous is the distance from what stands before. prefix is where its clustering
// stands in dst. Nothing is appended for a row of which nothing is left, unless it is a static one.
func (e *encoder) row(dst []byte, r *row.Row, static bool, previous int64) (out []byte, prefix [2]int, err error) {
	cs, flags := &e.regular, byte(0)
	if static {
		cs, flags = &e.static, flagExtended
	}
	complexes, err := cs.arrange(r)
	if err != nil {
		return dst, prefix, err
	}
	marked, deleted := r.Liveness.Timestamp != row.NoTimestamp, !r.Deletion.IsLive()
	if empty := !marked && !deleted && len(cs.present) == 0; !empty {
		e.stats.rows++
	} else if !static {
		return dst, prefix, nil
	}
	body := e.body[:0]
	if marked {
		flags |= flagTimestamp
		e.stats.liveness(r.Liveness)
		body = e.timestamp(body, r.Liveness.Timestamp)
		if r.Liveness.TTL > 0 {
			flags |= flagTTL
			body = e.local(e.ttl(body, r.Liveness.TTL), r.Liveness.Expiry)
		}
	}
	if deleted {
		flags |= flagDeletion
		body = e.deletion(body, r.Deletion)
	}
	if complexes {
		flags |= flagComplex
	}
	if len(cs.present) == len(cs.list) {
		flags |= flagAll
	} else {
		body = cs.appendSubset(body)
	}
	for _, at := range cs.present {
		if body, err = e.column(body, r, &cs.list[at], complexes); err != nil {
			return dst, prefix, err
		}
	}
	e.body = body
	dst = append(dst, flags)
	if static {
		dst = append(dst, flagStatic)
	} else {
		prefix[0] = len(dst)
		if len(r.Clustering) != len(e.values) {
			return dst, prefix, fmt.Errorf("a row of %d clustering values in a table of %d", len(r.Clustering), len(e.values))
		}
		if dst, err = e.clustering(dst, r.Clustering); err != nil {
			return dst, prefix, err
		}
		prefix[1] = len(dst)
	}
	dst = appendVint(dst, uint64(len(body)+vintLen(uint64(previous))))
	return append(appendVint(dst, uint64(previous)), body...), prefix, nil
}

// column appends the cells of a column that a row has.
func (e *encoder) column(dst []byte, r *row.Row, c *fileColumn, complexes bool) ([]byte, error) {
	cells := r.Cells[c.first:c.last]
	if !c.complex {
		if len(cells) != 1 {
			return dst, fmt.Errorf("%d cells in a column of one", len(cells))
		}
		e.stats.columns++
		return e.cell(dst, r, &cells[0], c)
	}
	if complexes {
		if c.deletion > 0 {
			dst = e.deletion(dst, r.Complex[c.deletion-1].Deletion)
		} else {
			dst = e.liveComplex(dst)
		}
	}
	n := len(cells)
	for i := range cells {
		if cells[i].Timestamp <= c.droppedAt {
			n--
		}
	}
	dst = appendVint(dst, uint64(n))
	if n > 0 {
		e.stats.columns++
	}
	for i := range cells {
		if cells[i].Timestamp <= c.droppedAt {
			continue
		}
		var err error
		if dst, err = e.cell(dst, r, &cells[i], c); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// cell appends a cell.
func (e *encoder) cell(dst []byte, r *row.Row, c *row.Cell, col *fileColumn) ([]byte, error) {
	e.stats.cell(c)
	flags := byte(0)
	if c.Timestamp == r.Liveness.Timestamp && c.Timestamp != row.NoTimestamp {
		flags |= cellRowTimestamp
	}
	switch {
	case c.TTL > 0:
		if flags |= cellExpiring; r.Liveness.TTL == c.TTL && r.Liveness.Expiry == c.Local {
			flags |= cellRowTTL
		}
	case c.Local != row.NoLocal:
		flags |= cellDeleted
	}
	if len(c.Value) == 0 || flags&cellDeleted != 0 {
		flags |= cellEmpty
	}
	dst = append(dst, flags)
	if flags&cellRowTimestamp == 0 {
		dst = e.timestamp(dst, c.Timestamp)
	}
	if flags&(cellDeleted|cellExpiring) != 0 && flags&cellRowTTL == 0 {
		dst = e.local(dst, c.Local)
		if flags&cellExpiring != 0 {
			dst = e.ttl(dst, c.TTL)
		}
	}
	if col.complex {
		dst = append(appendVint(dst, uint64(len(c.Path))), c.Path...)
	}
	if flags&cellEmpty != 0 {
		return dst, nil
	}
	return col.value.append(dst, c.Value)
}

// markerKind returns what a marker is in a file; ok is false for one that changes nothing.
func markerKind(m *row.Marker) (kind BoundKind, ok bool) {
	closes, opens := !m.Closed.IsLive(), !m.Opened.IsLive()
	switch {
	case closes && opens && m.After:
		return KindInclEndExclStart, m.Closed != m.Opened
	case closes && opens:
		return KindExclEndInclStart, m.Closed != m.Opened
	case closes && m.After:
		return KindInclEnd, true
	case closes:
		return KindExclEnd, true
	case opens && m.After:
		return KindExclStart, true
	}
	return KindInclStart, opens
}

// marker appends a marker.
func (e *encoder) marker(dst []byte, m *row.Marker, kind BoundKind, previous int64) (out []byte, prefix [2]int, err error) {
	if len(m.Values) > len(e.values) {
		return dst, prefix, fmt.Errorf("a bound of %d clustering values in a table of %d", len(m.Values), len(e.values))
	}
	body := e.body[:0]
	if kind.closes() {
		body = e.deletion(body, m.Closed)
	}
	if kind.opens() {
		body = e.deletion(body, m.Opened)
	}
	e.body = body
	dst = append(dst, flagMarker, byte(kind))
	prefix[0] = len(dst)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(m.Values)))
	if dst, err = e.clustering(dst, m.Values); err != nil {
		return dst, prefix, err
	}
	prefix[1] = len(dst)
	dst = appendVint(dst, uint64(len(body)+vintLen(uint64(previous))))
	return append(appendVint(dst, uint64(previous)), body...), prefix, nil
}
