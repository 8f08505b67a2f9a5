package row

import (
	"encoding/binary"

	"github.com/helenusdb/helenus/cql/schema"
)

// Reader takes encoded fields off the front of B. Its error is sticky: after a malformed field Bad is true, B is empty and
// all further fields are zero, so that a caller takes what it needs and checks once. Byte fields share B's memory.
type Reader struct {
	B   []byte
	Bad bool
}

// Fail makes the reader bad.
func (r *Reader) Fail() { r.B, r.Bad = nil, true }

// Uvarint takes an unsigned integer.
func (r *Reader) Uvarint() uint64 {
	if len(r.B) > 0 && r.B[0] < 0x80 {
		v := uint64(r.B[0])
		r.B = r.B[1:]
		return v
	}
	v, n := binary.Uvarint(r.B)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.B = r.B[n:]
	return v
}

// Varint takes a signed integer.
func (r *Reader) Varint() int64 { return unzigzag(r.Uvarint()) }

// Byte takes a byte.
func (r *Reader) Byte() byte {
	if len(r.B) == 0 {
		r.Fail()
		return 0
	}
	v := r.B[0]
	r.B = r.B[1:]
	return v
}

// Int64 takes eight bytes, little-endian.
func (r *Reader) Int64() int64 {
	if len(r.B) < 8 {
		r.Fail()
		return 0
	}
	v := int64(binary.LittleEndian.Uint64(r.B))
	r.B = r.B[8:]
	return v
}

// Bytes takes a length and as many bytes; never nil unless bad.
func (r *Reader) Bytes() []byte {
	n := r.Uvarint()
	if n > uint64(len(r.B)) {
		r.Fail()
	}
	if r.Bad {
		return nil
	}
	v := r.B[:n:n]
	r.B = r.B[n:]
	return v
}

// AppendValues appends the values of a clustering or a bound: their count, then each with its length plus one, 0 for nil.
func AppendValues(dst []byte, values [][]byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	for _, v := range values {
		if v == nil {
			dst = append(dst, 0)
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(len(v))+1)
		dst = append(dst, v...)
	}
	return dst
}

// Values takes values, appended to dst; there are at most limit.
func (r *Reader) Values(dst [][]byte, limit int) [][]byte {
	n := r.count(1)
	if n > limit {
		r.Fail()
		return dst
	}
	for ; n > 0; n-- {
		dst = append(dst, r.value())
	}
	return dst
}

// value takes one value of AppendValues.
func (r *Reader) value() []byte {
	n := r.Uvarint()
	if n == 0 {
		return nil
	}
	if n--; n > uint64(len(r.B)) {
		r.Fail()
		return nil
	}
	v := r.B[:n:n]
	r.B = r.B[n:]
	return v
}

// CompareEncoded orders an encoded clustering at the front of the reader, which it takes, and values, which may be a prefix:
// then equal means that the clustering starts with them.
func (r *Reader) CompareEncoded(t *schema.Table, values [][]byte) int {
	n, result := r.count(1), 0
	for i := range n {
		v := r.value()
		if result == 0 && i < len(values) && i < len(t.Clustering) {
			result = t.Clustering[i].Compare(v, values[i])
		}
	}
	return result
}

// AppendSlice appends a slice.
func AppendSlice(dst []byte, s Slice) []byte {
	flags := byte(0)
	if s.Start.Inclusive {
		flags |= 1
	}
	if s.End.Inclusive {
		flags |= 2
	}
	dst = append(dst, flags)
	dst = AppendValues(dst, s.Start.Values)
	return AppendValues(dst, s.End.Values)
}

// Slice takes a slice whose bounds have at most limit values each.
func (r *Reader) Slice(limit int) Slice {
	flags := r.Byte()
	return Slice{
		Start: Bound{r.Values(nil, limit), flags&1 != 0},
		End:   Bound{r.Values(nil, limit), flags&2 != 0},
	}
}
