package sstable

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"math/bits"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
)

// The bytes between the components of a byte-comparable sequence, and those that end it.
// Source: org.apache.cassandra.utils.bytecomparable.ByteSource.
const (
	nextComponent     = 0x40
	nextNull          = 0x3e
	nextEmpty         = 0x3f
	nextEmptyReversed = 0x41
	endOfSequence     = 0x38
	endBefore         = 0x20
	endAfter          = 0x60
)

// appendKey appends a partition key with its token in the form whose bytes are ordered as the table is.
func appendKey(dst []byte, order *partitioned, key []byte, tok token.Token) []byte {
	if order.partitioner == nil {
		dst = appendLocalKey(append(dst, nextComponent), order.local, key)
	} else {
		dst = appendToken(dst, order.partitioner, tok)
	}
	dst = append(dst, nextComponent)
	dst = appendEscaped(dst, key)
	return append(dst, endOfSequence)
}

// appendToken appends what a key with a token begins with.
func appendToken(dst []byte, p token.Partitioner, t token.Token) []byte {
	dst = append(dst, nextComponent)
	switch p.(type) {
	case token.Murmur3:
		return binary.BigEndian.AppendUint64(dst, t.Prefix)
	case token.RandomPartitioner:
		return appendVarint(dst, p.Append(nil, t))
	}
	return appendEscaped(dst, p.Append(nil, t))
}

// appendLocalKey appends a key that is ordered by its value. A composite begins with an empty component, where Cassandra
// could mark it as static; the byte that ends each component is one of its own.
func appendLocalKey(dst []byte, local []*types.Type, key []byte) []byte {
	if len(local) == 1 {
		return appendValue(dst, local[0], key)
	}
	dst = append(dst, nextComponent)
	for i, part := range keyParts(key, len(local)) {
		dst = appendComponent(dst, local[i], part, false)
		dst = append(dst, nextComponent, 0x80)
	}
	return append(dst, endOfSequence)
}

// appendPath appends a clustering (side 0) or a bound before (-1) or after (1) what starts with its values.
func (v *View) appendPath(dst []byte, values [][]byte, side int) []byte {
	for i, value := range values {
		col := v.table.Clustering[i]
		start := len(dst) + 1
		if v.ring != nil && v.ring[i] != nil && value != nil {
			dst = appendKey(append(dst, nextComponent), &partitioned{partitioner: v.ring[i]}, value, v.ring[i].Token(value))
		} else {
			dst = appendComponent(dst, col.Type, value, col.Desc)
		}
		if col.Desc {
			for j := start; j < len(dst); j++ {
				dst[j] = ^dst[j]
			}
		}
	}
	return append(dst, [...]byte{endBefore, endOfSequence, endAfter}[side+1])
}

// appendComponent appends a value behind the byte that announces it. A reversed one is not turned round here.
func appendComponent(dst []byte, t *types.Type, v []byte, reversed bool) []byte {
	switch {
	case v == nil:
		return append(dst, nextNull)
	case len(v) == 0 && !hasEmptyBytes(t):
		if reversed {
			return append(dst, nextEmptyReversed)
		}
		return append(dst, nextEmpty)
	}
	return appendValue(append(dst, nextComponent), t, v)
}

// hasEmptyBytes reports whether an empty value of t has bytes of its own.
func hasEmptyBytes(t *types.Type) bool {
	switch t.Kind {
	case types.Text, types.Ascii, types.Blob, types.Inet, types.Custom, types.Tuple, types.UDT:
		return true
	}
	return false
}

// appendValue appends a value of t in its byte-comparable form.
func appendValue(dst []byte, t *types.Type, v []byte) []byte {
	if len(v) == 0 && !hasEmptyBytes(t) {
		return dst
	}
	switch t.Kind {
	case types.Tinyint, types.Smallint, types.Int, types.Timestamp:
		return appendFlipped(dst, v)
	case types.Boolean, types.Date, types.Time:
		return append(dst, v...)
	case types.Bigint, types.Counter:
		if len(v) == 8 {
			return appendLong(dst, types.Int64(v))
		}
	case types.Float, types.Double:
		return appendFloat(dst, v)
	case types.UUID, types.Timeuuid:
		if len(v) == 16 {
			return appendUUID(dst, v, t.Kind == types.Timeuuid)
		}
	case types.Varint:
		return appendVarint(dst, v)
	case types.Decimal:
		return appendDecimal(dst, v)
	case types.List, types.Set, types.Map, types.Tuple, types.UDT, types.Vector:
		return appendElements(dst, t, v)
	}
	return appendEscaped(dst, v)
}

// appendFlipped appends a signed number of fixed length.
func appendFlipped(dst, v []byte) []byte {
	n := len(dst)
	dst = append(dst, v...)
	if len(v) > 0 {
		dst[n] ^= 0x80
	}
	return dst
}

// appendFloat appends a floating point number: a negative one is inverted, a positive one gets the sign bit.
func appendFloat(dst, v []byte) []byte {
	if len(v) > 0 && v[0] < 0x80 {
		return appendFlipped(dst, v)
	}
	for _, b := range v {
		dst = append(dst, ^b)
	}
	return dst
}

// appendEscaped appends a byte string such that a shorter one stands before those that it is a prefix of: of a run of n zeros
// the first stays, each further one becomes FE, and FF follows when more bytes do, else one more FE. What does not end in
// zeros ends in one.
func appendEscaped(dst, v []byte) []byte {
	zeros := false
	for _, b := range v {
		switch {
		case b == 0 && zeros:
			dst = append(dst, 0xfe)
		case b == 0:
			dst, zeros = append(dst, 0), true
		case zeros:
			dst, zeros = append(dst, 0xff, b), false
		default:
			dst = append(dst, b)
		}
	}
	if zeros {
		return append(dst, 0xfe)
	}
	return append(dst, 0)
}

// appendLong appends a number in 1 to 9 bytes: the sign, as many ones as bytes follow, a zero, the rest; all inverted for a
// negative one.
func appendLong(dst []byte, v int64) []byte {
	mask := uint64(v >> 63)
	u := uint64(v) ^ mask
	n := min(bits.Len64(u)/7+1, 9)
	start := len(dst)
	switch {
	case n == 9:
		dst = binary.BigEndian.AppendUint64(append(dst, 0xff), u|1<<63)
	default:
		u |= ^uint64(0) << (64 - n) >> (64 - 8*n)
		for i := n - 1; i >= 0; i-- {
			dst = append(dst, byte(u>>(8*i)))
		}
	}
	for i := start; i < len(dst); i++ {
		dst[i] ^= byte(mask)
	}
	return dst
}

// longVarint is from how many bytes on a varint is written with its length.
const longVarint = 7

// appendVarint appends a number of any length.
func appendVarint(dst, v []byte) []byte {
	for len(v) > 1 && (v[0] == 0 && v[1] < 0x80 || v[0] == 0xff && v[1] >= 0x80) {
		v = v[1:]
	}
	if len(v) < longVarint+1 {
		n := int64(int8(v[0]))
		for _, b := range v[1:] {
			n = n<<8 | int64(b)
		}
		return appendLong(dst, n)
	}
	sign := byte(int8(v[0]) >> 7)
	if v[0] == sign {
		v = v[1:]
	}
	dst = append(dst, ^sign)
	start := len(dst)
	dst = appendUvint(dst, uint64(len(v)-longVarint))
	for i := start; i < len(dst); i++ {
		dst[i] ^= sign
	}
	return append(dst, v...)
}

// appendUUID appends a UUID with its version first and the time of version 1 from its highest bits down.
func appendUUID(dst, v []byte, timeuuid bool) []byte {
	high, low := binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])
	version := high >> 12 & 15
	if version == 1 || timeuuid {
		high = version<<60 | high&0xfff<<48 | high>>16&0xffff<<32 | high>>32
	} else {
		high = version<<60 | high>>4&0x0ffffffffffff000 | high&0xfff
	}
	if timeuuid {
		low ^= 0x8080808080808080
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, high), low)
}

// appendDecimal appends a decimal as a power of 100 and digits of base 100 of a fraction, those of a negative one rounded down.
func appendDecimal(dst, v []byte) []byte {
	if len(v) < 5 {
		return appendEscaped(dst, v)
	}
	scale := int64(types.Int32(v))
	u := types.ParseVarintBytes(v[4:])
	negative := u.Sign() < 0
	if u.Sign() == 0 {
		return append(dst, 0x80)
	}
	digits := new(big.Int).Abs(u).Append(nil, 10)
	exponent := int64(len(digits)) - scale // the value is 0.digits times 10 to the exponent
	if exponent&1 != 0 {
		digits = append([]byte{'0'}, digits...)
		exponent++
	}
	digits = bytes.TrimRight(digits, "0")
	if len(digits)%2 != 0 {
		digits = append(digits, '0')
	}
	exponent /= 2
	header := byte(0x80 + nextComponent)
	if negative {
		exponent, header = -exponent, nextComponent
	}
	n := (bits.Len64(uint64(max(exponent, -exponent))) + 7) / 8
	if exponent < 0 {
		header -= byte(n)
	} else {
		header += byte(n)
	}
	dst = append(dst, header)
	for i := n - 1; i >= 0; i-- {
		dst = append(dst, byte(exponent>>(8*i)))
	}
	start := len(dst)
	for i := 0; i < len(digits); i += 2 {
		dst = append(dst, 0x80+(digits[i]-'0')*10+digits[i+1]-'0')
	}
	if negative {
		complementDigits(dst[start:])
	}
	return append(dst, 0)
}

// complementDigits turns digits of base 100, each above 80 hex, into those of the negative fraction: the first is negative,
// the others count up from it.
func complementDigits(digits []byte) {
	borrow := byte(0)
	for i := len(digits) - 1; i > 0; i-- {
		d := digits[i] - 0x80
		if d+borrow > 0 {
			digits[i], borrow = 0x80+100-d-borrow, 1
		}
	}
	digits[0] = 0x80 - (digits[0] - 0x80) - borrow
}

// appendElements appends the elements of a collection, vector, tuple or UDT, each announced, and the end. Nulls at the end
// of a tuple are left out.
func appendElements(dst []byte, t *types.Type, v []byte) []byte {
	switch t.Kind {
	case types.Vector:
		for range t.Dim {
			elem, tail, ok := t.NextItem(v)
			if !ok {
				break
			}
			dst, v = appendComponent(dst, t.Elems[0], elem, false), tail
		}
	case types.Tuple, types.UDT:
		end := len(dst)
		for _, et := range t.Elems {
			field, tail, more, err := types.NextField(v)
			if err != nil || !more {
				break
			}
			if dst, v = appendComponent(dst, et, field, false), tail; field != nil {
				end = len(dst)
			}
		}
		dst = dst[:end]
	default:
		n, rest, err := types.Elements(v)
		for i := 0; i < n*len(t.Elems) && err == nil; i++ {
			var elem []byte
			if elem, rest, err = types.NextElement(rest); err == nil {
				dst = appendComponent(dst, t.Elems[i%len(t.Elems)], elem, false)
			}
		}
	}
	return append(dst, endOfSequence)
}
