package row

import (
	"encoding/binary"
	"errors"

	"github.com/helenusdb/helenus/cql/schema"
)

// ErrEncoding is returned when bytes are not an encoded row, clustering, deletion or slice.
var ErrEncoding = errors.New("malformed row encoding")

// The body of a row, as mutations carry it and memtables keep it. Integers are uvarints, signed ones zigzagged; times of
// one row are deltas to its base timestamp.
//
//	flags       byte, bodyMarker and so on
//	base        int64, little-endian: the marker's timestamp, or the first cell's
//	marker      if bodyMarker: its timestamp is base; if bodyMarkerTTL: ttl, expiry
//	deletion    if bodyDeletion: timestamp - base, local
//	complex     if bodyComplex: count, then each: column, timestamp - base, local
//	count       of cells, then each:
//	  flags     byte, cellTimestamp and so on
//	  column    id
//	  timestamp if cellTimestamp: timestamp - base, else base
//	  local     if cellTombstone: local; if cellExpiring: ttl, local; if cellMarkerTTL: both are the marker's
//	  path      if cellPath: length, bytes
//	  value     unless cellTombstone: length, bytes
const (
	bodyMarker    = 1
	bodyMarkerTTL = 2
	bodyDeletion  = 4
	bodyComplex   = 8

	cellTimestamp = 1
	cellTombstone = 2
	cellExpiring  = 4
	cellMarkerTTL = 8
	cellPath      = 16
)

func zigzag(v int64) uint64   { return uint64(v)<<1 ^ uint64(v>>63) }
func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// AppendBody appends the body of r: all but its clustering. Cells and Complex must be sorted.
func AppendBody(dst []byte, r *Row) []byte {
	base := r.Liveness.Timestamp
	flags := byte(0)
	switch {
	case base != NoTimestamp:
		flags = bodyMarker
		if r.Liveness.TTL > 0 {
			flags |= bodyMarkerTTL
		}
	case len(r.Cells) > 0:
		base = r.Cells[0].Timestamp
	case !r.Deletion.IsLive():
		base = r.Deletion.Timestamp
	}
	if !r.Deletion.IsLive() {
		flags |= bodyDeletion
	}
	if len(r.Complex) > 0 {
		flags |= bodyComplex
	}
	dst = append(dst, flags)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(base))
	if flags&bodyMarkerTTL != 0 {
		dst = binary.AppendUvarint(dst, uint64(uint32(r.Liveness.TTL)))
		dst = binary.AppendUvarint(dst, zigzag(r.Liveness.Expiry))
	}
	if flags&bodyDeletion != 0 {
		dst = appendDeletion(dst, r.Deletion, base)
	}
	if flags&bodyComplex != 0 {
		dst = binary.AppendUvarint(dst, uint64(len(r.Complex)))
		for i := range r.Complex {
			dst = binary.AppendUvarint(dst, uint64(r.Complex[i].Column))
			dst = appendDeletion(dst, r.Complex[i].Deletion, base)
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(r.Cells)))
	for i := range r.Cells {
		dst = appendCell(dst, &r.Cells[i], base, &r.Liveness)
	}
	return dst
}

func appendDeletion(dst []byte, d Deletion, base int64) []byte {
	dst = binary.AppendUvarint(dst, zigzag(d.Timestamp-base))
	return binary.AppendUvarint(dst, zigzag(d.Local))
}

func appendCell(dst []byte, c *Cell, base int64, marker *Liveness) []byte {
	flags := byte(0)
	if c.Timestamp != base {
		flags |= cellTimestamp
	}
	switch {
	case c.Local == NoLocal:
	case c.TTL == 0:
		flags |= cellTombstone
	case marker.Timestamp != NoTimestamp && marker.TTL == c.TTL && marker.Expiry == c.Local:
		flags |= cellMarkerTTL
	default:
		flags |= cellExpiring
	}
	if c.Path != nil {
		flags |= cellPath
	}
	dst = append(dst, flags)
	dst = binary.AppendUvarint(dst, uint64(c.Column))
	if flags&cellTimestamp != 0 {
		dst = binary.AppendUvarint(dst, zigzag(c.Timestamp-base))
	}
	if flags&cellExpiring != 0 {
		dst = binary.AppendUvarint(dst, uint64(uint32(c.TTL)))
	}
	if flags&(cellExpiring|cellTombstone) != 0 {
		dst = binary.AppendUvarint(dst, zigzag(c.Local))
	}
	if flags&cellPath != 0 {
		dst = binary.AppendUvarint(dst, uint64(len(c.Path)))
		dst = append(dst, c.Path...)
	}
	if flags&cellTombstone == 0 {
		dst = binary.AppendUvarint(dst, uint64(len(c.Value)))
		dst = append(dst, c.Value...)
	}
	return dst
}

// Body takes the body of a row into dst, whose slices are used again and whose clustering is left alone. Values share the
// reader's memory. Order and times are checked: cells of a body that was taken without error are sorted by column.
func (r *Reader) Body(dst *Row) {
	flags := r.Byte()
	if flags > 15 || flags&(bodyMarker|bodyMarkerTTL) == bodyMarkerTTL {
		r.Fail()
	}
	base := r.Int64()
	dst.Liveness = NoLiveness
	if flags&bodyMarker != 0 {
		dst.Liveness.Timestamp = base
		if base == NoTimestamp {
			r.Fail()
		}
		if flags&bodyMarkerTTL != 0 {
			dst.Liveness.TTL = r.ttl()
			dst.Liveness.Expiry = r.local()
		}
	}
	dst.Deletion = Live
	if flags&bodyDeletion != 0 {
		dst.Deletion = r.deletion(base)
	}
	dst.Complex = dst.Complex[:0]
	if flags&bodyComplex != 0 {
		last := schema.ColumnID(0)
		for n := r.count(3); n > 0; n-- {
			d := ComplexDeletion{Column: r.column()}
			d.Deletion = r.deletion(base)
			if d.Column <= last {
				r.Fail()
			}
			last = d.Column
			dst.Complex = append(dst.Complex, d)
		}
	}
	n := r.count(3)
	if n > cap(dst.Cells) {
		dst.Cells = make([]Cell, 0, n)
	}
	cells := dst.Cells[:0]
	last := schema.ColumnID(1)
	for ; n > 0 && !r.Bad; n-- {
		cells = append(cells, Cell{})
		c := &cells[len(cells)-1]
		r.cell(c, base, &dst.Liveness)
		if c.Column < last {
			r.Fail()
		}
		last = c.Column
	}
	dst.Cells = cells
	if r.Bad {
		dst.Cells, dst.Complex = dst.Cells[:0], dst.Complex[:0]
	}
}

func (r *Reader) cell(c *Cell, base int64, marker *Liveness) {
	flags := r.Byte()
	if fades := flags & (cellTombstone | cellExpiring | cellMarkerTTL); flags > 31 || fades&(fades-1) != 0 ||
		fades == cellMarkerTTL && marker.TTL == 0 {
		r.Fail() // unknown, or two things at once
	}
	c.Column = r.column()
	c.Timestamp = base
	c.Local = NoLocal
	if flags&cellTimestamp != 0 {
		c.Timestamp += r.Varint()
	}
	if c.Timestamp == NoTimestamp {
		r.Fail()
	}
	if flags&cellMarkerTTL != 0 {
		c.TTL, c.Local = marker.TTL, marker.Expiry
	}
	if flags&cellExpiring != 0 {
		c.TTL = r.ttl()
	}
	if flags&(cellExpiring|cellTombstone) != 0 {
		c.Local = r.local()
	}
	if flags&cellPath != 0 {
		c.Path = r.Bytes()
	}
	if flags&cellTombstone == 0 {
		c.Value = r.Bytes()
	}
}

// ttl takes a time to live, which is above 0.
func (r *Reader) ttl() int32 {
	v := r.Uvarint()
	if v == 0 || v > 1<<31-1 {
		r.Fail()
		return 0
	}
	return int32(v)
}

// local takes an expiry or a local deletion time, which is not NoLocal.
func (r *Reader) local() int64 {
	v := r.Varint()
	if v == NoLocal {
		r.Fail()
	}
	return v
}

func (r *Reader) column() schema.ColumnID {
	v := r.Uvarint()
	if v == 0 || v > 1<<31 {
		r.Fail()
		return 0
	}
	return schema.ColumnID(v)
}

// count takes the number of elements that follow, each of at least size bytes.
func (r *Reader) count(size int) int {
	n := r.Uvarint()
	if n > uint64(len(r.B)/size) {
		r.Fail()
		return 0
	}
	return int(n)
}

func (r *Reader) deletion(base int64) Deletion {
	d := Deletion{Timestamp: base + r.Varint(), Local: r.Varint()}
	if d.Timestamp == NoTimestamp || d.Local == NoLocal {
		r.Fail()
	}
	return d
}

// AppendDeletion appends a deletion that is not Live.
func AppendDeletion(dst []byte, d Deletion) []byte { return appendDeletion(dst, d, 0) }

// Deletion takes a deletion, which is never Live.
func (r *Reader) Deletion() Deletion { return r.deletion(0) }
