package types

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
)

// Compare returns the order of two values of t as Cassandra stores and sorts them: negative, 0 or positive. Null stands
// before empty, empty before all others. It allocates nothing for native types but very long decimals, and it never
// fails: bytes that are no value of t have some fixed place.
//
// Source: the compareCustom methods of org.apache.cassandra.db.marshal; cql.md 2.8 (86, 87).
func (t *Type) Compare(a, b []byte) int {
	if len(a) == 0 || len(b) == 0 {
		return cmp.Compare(emptyRank(a), emptyRank(b))
	}
	switch t.Kind {
	case Boolean:
		return cmp.Compare(min(a[0], 1), min(b[0], 1))
	case Tinyint:
		return cmp.Compare(int8(a[0]), int8(b[0]))
	case Int:
		if len(a) == 4 && len(b) == 4 {
			return cmp.Compare(Int32(a), Int32(b))
		}
	case Bigint, Counter, Timestamp:
		if len(a) == 8 && len(b) == 8 {
			return cmp.Compare(Int64(a), Int64(b))
		}
	case Smallint:
		return compareSigned(a, b)
	case Varint:
		return compareVarint(a, b)
	case Decimal:
		return compareDecimal(a, b)
	case Float:
		if len(a) == 4 && len(b) == 4 {
			return compareFloat32(Float32(a), Float32(b))
		}
	case Double:
		if len(a) == 8 && len(b) == 8 {
			return compareFloat64(Float64(a), Float64(b))
		}
	case UUID:
		return compareUUID(a, b)
	case Timeuuid:
		return compareTimeuuid(a, b)
	case List, Set, Map:
		return compareElements(t.Elems, a, b)
	case Tuple, UDT:
		return compareFields(t.Elems, a, b)
	case Vector:
		return t.compareVectors(a, b)
	}
	return bytes.Compare(a, b)
}

// emptyRank orders null before empty before anything else.
func emptyRank(v []byte) int {
	switch {
	case v == nil:
		return 0
	case len(v) == 0:
		return 1
	}
	return 2
}

// compareSigned orders big-endian two's complement numbers of one width: the sign byte is signed, the others are not.
func compareSigned(a, b []byte) int {
	if a[0] != b[0] {
		return cmp.Compare(int8(a[0]), int8(b[0]))
	}
	return bytes.Compare(a[1:], b[1:])
}

// compareVarint orders two's complement numbers of any width, padded or not.
func compareVarint(a, b []byte) int {
	a, b = trimSign(a), trimSign(b)
	negA, negB := a[0] >= 0x80, b[0] >= 0x80
	if negA != negB {
		if negA {
			return -1
		}
		return 1
	}
	if len(a) != len(b) {
		if (len(a) < len(b)) != negA {
			return -1
		}
		return 1
	}
	return bytes.Compare(a, b)
}

// trimSign drops leading bytes that only repeat the sign.
func trimSign(v []byte) []byte {
	for len(v) > 1 && (v[0] == 0 && v[1] < 0x80 || v[0] == 0xff && v[1] >= 0x80) {
		v = v[1:]
	}
	return v
}

// compareFloat32 is Java's Float.compare: -0.0 before 0.0, NaN last and equal to itself.
func compareFloat32(a, b float32) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return compareFloat64(float64(a), float64(b))
}

// compareFloat64 is Java's Double.compare.
func compareFloat64(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return cmp.Compare(floatRank(a), floatRank(b))
}

// floatRank orders what < and > do not: -0.0 before 0.0 before NaN. Of any two floats that are neither less nor greater,
// both are zeros, both the same, or one is NaN.
func floatRank(f float64) int {
	switch {
	case f != f:
		return 1
	case f == 0 && math.Signbit(f):
		return -1
	}
	return 0
}

// compareUUID orders by version, then version 1 by time and the others by their high bytes, then by the low bytes.
// Source: UUIDType.compareCustom.
func compareUUID(a, b []byte) int {
	if len(a) != 16 || len(b) != 16 {
		return compareMalformed(a, b, 16)
	}
	highA, highB := binary.BigEndian.Uint64(a), binary.BigEndian.Uint64(b)
	version := highA >> 12 & 0xf
	if c := cmp.Compare(version, highB>>12&0xf); c != 0 {
		return c
	}
	if version == 1 {
		highA, highB = reorderTime(highA), reorderTime(highB)
	}
	if highA != highB {
		return cmp.Compare(highA, highB)
	}
	return bytes.Compare(a[8:], b[8:])
}

// compareTimeuuid orders by time, then by the low bytes taken as signed ones. Source: AbstractTimeUUIDType.compareCustom.
func compareTimeuuid(a, b []byte) int {
	if len(a) != 16 || len(b) != 16 {
		return compareMalformed(a, b, 16)
	}
	highA, highB := binary.BigEndian.Uint64(a), binary.BigEndian.Uint64(b)
	if highA != highB {
		if c := cmp.Compare(reorderTime(highA), reorderTime(highB)); c != 0 {
			return c
		}
	}
	const signs = 0x8080808080808080
	return cmp.Compare(binary.BigEndian.Uint64(a[8:])^signs, binary.BigEndian.Uint64(b[8:])^signs)
}

// reorderTime turns the high half of a version 1 UUID into version and timestamp, most significant bits first.
func reorderTime(high uint64) uint64 { return high<<48 | high<<16&0xffff00000000 | high>>32 }

// compareMalformed orders values of which at least one has not the length it should: those before the others.
func compareMalformed(a, b []byte, length int) int {
	if (len(a) == length) != (len(b) == length) {
		if len(b) == length {
			return -1
		}
		return 1
	}
	return bytes.Compare(a, b)
}

// compareElements orders collections element by element, then by count. Map entries take both types in turn.
func compareElements(types []*Type, a, b []byte) int {
	nA, restA, errA := Elements(a)
	nB, restB, errB := Elements(b)
	if errA != nil || errB != nil {
		return compareMalformed(a, b, 0)
	}
	for i := range min(nA, nB) * len(types) {
		elemA, tailA, okA := cutValue(restA)
		elemB, tailB, okB := cutValue(restB)
		if !okA || !okB {
			return bytes.Compare(restA, restB)
		}
		if c := types[i%len(types)].Compare(elemA, elemB); c != 0 {
			return c
		}
		restA, restB = tailA, tailB
	}
	return cmp.Compare(nA, nB)
}

// compareFields orders tuples and UDTs field by field, null first; fields missing at the end are null.
// Source: TupleType.compareCustom.
func compareFields(types []*Type, a, b []byte) int {
	for _, t := range types {
		if len(a) == 0 || len(b) == 0 {
			break
		}
		fieldA, tailA, okA := cutValue(a)
		fieldB, tailB, okB := cutValue(b)
		if !okA || !okB {
			return bytes.Compare(a, b)
		}
		if c := t.Compare(fieldA, fieldB); c != 0 {
			return c
		}
		a, b = tailA, tailB
	}
	switch nullA, nullB := onlyNulls(a), onlyNulls(b); {
	case nullA == nullB:
		return 0
	case nullA:
		return -1
	}
	return 1
}

// onlyNulls reports whether all fields of the tuple tail v are null.
func onlyNulls(v []byte) bool {
	for len(v) >= 4 {
		if v[0] < 0x80 {
			return false
		}
		v = v[4:]
	}
	return len(v) == 0
}

// compareVectors orders vectors element by element.
func (t *Type) compareVectors(a, b []byte) int {
	elem := t.Elems[0]
	for range t.Dim {
		elemA, tailA, okA := t.NextItem(a)
		elemB, tailB, okB := t.NextItem(b)
		if !okA || !okB {
			break
		}
		if c := elem.Compare(elemA, elemB); c != 0 {
			return c
		}
		a, b = tailA, tailB
	}
	return bytes.Compare(a, b)
}
