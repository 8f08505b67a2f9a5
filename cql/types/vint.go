package types

import "math/bits"

// AppendUnsignedVint appends n in Cassandra's variable length form: the number of leading one bits of the first byte is
// the number of bytes that follow, big-endian; 1 to 9 bytes. Source: org.apache.cassandra.utils.vint.VIntCoding.
func AppendUnsignedVint(dst []byte, n uint64) []byte {
	size := UnsignedVintLen(n)
	if size == 1 {
		return append(dst, byte(n))
	}
	if size == 9 {
		dst = append(dst, 0xff)
	} else {
		dst = append(dst, byte(n>>(8*(size-1)))|^byte(0xff>>(size-1)))
	}
	for i := size - 2; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}

// UnsignedVintLen returns how many bytes AppendUnsignedVint appends for n.
func UnsignedVintLen(n uint64) int {
	// Each byte but the ninth carries seven bits.
	return min((bits.Len64(n|1)+6)/7, 9)
}

// UnsignedVint reads what AppendUnsignedVint wrote; ok is false when v is too short.
func UnsignedVint(v []byte) (n uint64, tail []byte, ok bool) {
	if len(v) == 0 {
		return 0, nil, false
	}
	extra := bits.LeadingZeros8(^v[0])
	if len(v) < 1+extra {
		return 0, nil, false
	}
	n = uint64(v[0])
	if extra > 0 {
		n &= 0xff >> extra
	}
	for _, b := range v[1 : 1+extra] {
		n = n<<8 | uint64(b)
	}
	return n, v[1+extra:], true
}

// AppendVint appends n as a signed vint: its zigzag form as an unsigned one.
func AppendVint(dst []byte, n int64) []byte {
	return AppendUnsignedVint(dst, uint64(n<<1)^uint64(n>>63))
}

// Vint reads what AppendVint wrote; ok is false when v is too short.
func Vint(v []byte) (n int64, tail []byte, ok bool) {
	u, tail, ok := UnsignedVint(v)
	return int64(u>>1) ^ -int64(u&1), tail, ok
}
