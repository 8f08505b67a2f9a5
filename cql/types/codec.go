package types

import (
	"encoding/binary"

	"github.com/helenusdb/helenus/cql"
)

// errCollection is returned for a collection whose bytes end before its count says, outside of Validate, which names
// the type.
var errCollection = &cql.Error{Code: cql.CodeInvalid, Message: "Not enough bytes to read a collection"}

// errTuple is returned for a tuple or UDT whose bytes end within a field.
var errTuple = &cql.Error{Code: cql.CodeInvalid, Message: "Not enough bytes to read a tuple"}

// Elements starts the reading of a serialized list, set or map. It returns the count that the value claims (entries for a
// map; never negative) and the bytes behind it, for NextElement, which is called once an element and twice an entry.
// The count is not checked against the bytes: allocate as elements arrive.
func Elements(v []byte) (n int, rest []byte, err error) {
	if len(v) < 4 {
		return 0, nil, errCollection
	}
	n = int(int32(binary.BigEndian.Uint32(v)))
	return max(n, 0), v[4:], nil
}

// NextElement returns the first element of rest and the bytes behind it. elem is nil for null, empty but not nil for
// an empty value; it is a sub-slice of rest.
func NextElement(rest []byte) (elem, tail []byte, err error) {
	elem, tail, ok := cutValue(rest)
	if !ok {
		return nil, nil, errCollection
	}
	return elem, tail, nil
}

// NextField returns the first field of a tuple or UDT and the bytes behind it. At the end of v, which may come before
// the last field of the type, more is false.
func NextField(v []byte) (field, tail []byte, more bool, err error) {
	if len(v) == 0 {
		return nil, nil, false, nil
	}
	field, tail, ok := cutValue(v)
	if !ok {
		return nil, nil, false, errTuple
	}
	return field, tail, true, nil
}

// cutValue splits off an int length and that many bytes; a negative length is null.
func cutValue(v []byte) (value, tail []byte, ok bool) {
	if len(v) < 4 {
		return nil, nil, false
	}
	n := int(int32(binary.BigEndian.Uint32(v)))
	v = v[4:]
	if n < 0 {
		return nil, v, true
	}
	if n > len(v) {
		return nil, nil, false
	}
	return v[:n:n], v[n:], true
}

// AppendCount appends the count of elements (entries for a map) that a collection starts with.
func AppendCount(dst []byte, n int) []byte { return binary.BigEndian.AppendUint32(dst, uint32(n)) }

// AppendElement appends an element, key or value of a collection; nil is null.
func AppendElement(dst, elem []byte) []byte {
	if elem == nil {
		return append(dst, 0xff, 0xff, 0xff, 0xff)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(elem)))
	return append(dst, elem...)
}

// AppendField appends a field of a tuple or UDT; nil is null.
func AppendField(dst, field []byte) []byte { return AppendElement(dst, field) }

// AppendCollection appends a list or set of elems, or a map of alternating keys and values.
func (t *Type) AppendCollection(dst []byte, elems [][]byte) []byte {
	n := len(elems)
	if t.Kind == Map {
		n /= 2
	}
	dst = AppendCount(dst, n)
	for _, e := range elems {
		dst = AppendElement(dst, e)
	}
	return dst
}

// NextItem returns the first element of a vector of t and the bytes behind it: elements of a fixed length stand one
// behind the other, others behind an unsigned vint length. ok is false when v ends before the element does.
func (t *Type) NextItem(v []byte) (elem, tail []byte, ok bool) {
	if n, fixed := t.Elems[0].FixedLen(); fixed {
		if n > len(v) {
			return nil, nil, false
		}
		return v[:n:n], v[n:], true
	}
	n, tail, ok := UnsignedVint(v)
	if !ok || n > uint64(len(tail)) {
		return nil, nil, false
	}
	return tail[:n:n], tail[n:], true
}

// AppendItem appends an element of a vector of t.
func (t *Type) AppendItem(dst, elem []byte) []byte {
	if _, fixed := t.Elems[0].FixedLen(); !fixed {
		dst = AppendUnsignedVint(dst, uint64(len(elem)))
	}
	return append(dst, elem...)
}
