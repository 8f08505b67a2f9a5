package types

import (
	"cmp"
	"encoding/binary"
	"math/big"
	"math/bits"
)

// A BigDecimal is Unscaled * 10^-Scale, as Java's BigDecimal. The wire form is the scale as an int, then the unscaled value
// as a varint. Two decimals of one value and different scales are equal in order but not in bytes.
type BigDecimal struct {
	Unscaled *big.Int
	Scale    int32
}

// maxNumberBytes bounds the varints, alone or within decimals, that are turned into text or brought to another scale, and
// maxNumberDigits the text that is read as one: both take time with the square of the length.
// Deviation: Cassandra has no bounds. Longer values are stored and sent back like all others.
const (
	maxNumberBytes  = 16 << 10
	maxNumberDigits = 39456
)

// ParseVarintBytes returns the value of a varint: big-endian two's complement of any width; no bytes are 0.
func ParseVarintBytes(v []byte) *big.Int {
	n := new(big.Int)
	if len(v) > 0 && v[0] >= 0x80 {
		inverted := make([]byte, len(v))
		for i, b := range v {
			inverted[i] = ^b
		}
		return n.Not(n.SetBytes(inverted))
	}
	return n.SetBytes(v)
}

// AppendVarint appends n as a varint in its shortest form, which has at least one byte.
func AppendVarint(dst []byte, n *big.Int) []byte {
	if n.IsInt64() {
		return AppendVarint64(dst, n.Int64())
	}
	if n.Sign() > 0 {
		b := n.Bytes()
		if b[0] >= 0x80 {
			dst = append(dst, 0)
		}
		return append(dst, b...)
	}
	b := new(big.Int).Not(n).Bytes()
	if b[0] >= 0x80 {
		dst = append(dst, 0xff)
	}
	for _, x := range b {
		dst = append(dst, ^x)
	}
	return dst
}

// AppendVarint64 appends n as a varint in its shortest form.
func AppendVarint64(dst []byte, n int64) []byte {
	size := 1
	for n>>(8*size-1) != n>>63 {
		size++
	}
	for i := size - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}

// ParseDecimalBytes returns the value of a decimal; ok is false when v is too short to be one.
func ParseDecimalBytes(v []byte) (d BigDecimal, ok bool) {
	if len(v) < 4 {
		return BigDecimal{}, false
	}
	return BigDecimal{ParseVarintBytes(v[4:]), Int32(v)}, true
}

// AppendDecimal appends d in its wire form.
func AppendDecimal(dst []byte, d BigDecimal) []byte {
	return AppendVarint(AppendInt32(dst, d.Scale), d.Unscaled)
}

// compareDecimal orders decimals by value. Those of up to eight bytes behind the scale are compared without allocation.
func compareDecimal(a, b []byte) int {
	if len(a) < 5 || len(b) < 5 {
		return cmp.Or(cmp.Compare(min(len(a), 5), min(len(b), 5)), compareSigned(a, b))
	}
	scaleA, scaleB := int64(Int32(a)), int64(Int32(b))
	a, b = trimSign(a[4:]), trimSign(b[4:])
	if scaleA == scaleB {
		return compareVarint(a, b)
	}
	sign := varintSign(a)
	if signB := varintSign(b); sign != signB || sign == 0 {
		return cmp.Compare(sign, signB)
	}
	if len(a) <= 8 && len(b) <= 8 {
		return sign * compareSmall(magnitude(a), scaleA, magnitude(b), scaleB)
	}
	return sign * compareLarge(ParseVarintBytes(a), scaleA, ParseVarintBytes(b), scaleB)
}

// varintSign returns -1, 0 or 1 for a varint without padding.
func varintSign(v []byte) int {
	switch {
	case v[0] >= 0x80:
		return -1
	case len(v) == 1 && v[0] == 0:
		return 0
	}
	return 1
}

// magnitude returns the absolute value of a varint of at most eight bytes.
func magnitude(v []byte) uint64 {
	var buf [8]byte
	if v[0] >= 0x80 {
		buf = [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	}
	copy(buf[8-len(v):], v)
	n := int64(binary.BigEndian.Uint64(buf[:]))
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// compareSmall orders two positive decimals: by the place of their first digit, then by their digits brought to one scale.
func compareSmall(a uint64, scaleA int64, b uint64, scaleB int64) int {
	digitsA, digitsB := decimalDigits(a), decimalDigits(b)
	if c := cmp.Compare(int64(digitsA)-scaleA, int64(digitsB)-scaleB); c != 0 {
		return c
	}
	if digitsA > digitsB {
		return -compareDigits(b, a, digitsA-digitsB)
	}
	return compareDigits(a, b, digitsB-digitsA)
}

// compareDigits compares a * 10^shift with b.
func compareDigits(a, b uint64, shift int) int {
	high, low := bits.Mul64(a, powersOf10[shift])
	if high != 0 {
		return 1
	}
	return cmp.Compare(low, b)
}

// powersOf10 holds the powers of ten that fit in 64 bits.
var powersOf10 = [20]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// decimalDigits returns the number of decimal digits of n; 1 for 0.
func decimalDigits(n uint64) int {
	digits := 1
	for digits < len(powersOf10) && n >= powersOf10[digits] {
		digits++
	}
	return digits
}

// compareLarge orders the absolute values of two decimals that are not 0. Their sizes decide where they can; only when
// the sizes agree is one brought to the scale of the other, which then costs no more than its own length.
func compareLarge(a *big.Int, scaleA int64, b *big.Int, scaleB int64) int {
	const log10Of2, slack = 0.30102999566398120, 1e-3
	lowA := float64(a.BitLen()-1)*log10Of2 - float64(scaleA)
	lowB := float64(b.BitLen()-1)*log10Of2 - float64(scaleB)
	switch {
	case lowA+log10Of2+slack < lowB:
		return -1
	case lowB+log10Of2+slack < lowA:
		return 1
	}
	if diff := scaleB - scaleA; diff > maxNumberDigits || diff < -maxNumberDigits {
		// Too far to bring them to one scale; numbers this long and this close have some fixed order.
		return cmp.Or(cmp.Compare(lowA, lowB), cmp.Compare(scaleA, scaleB))
	}
	if scaleA < scaleB {
		return shiftDigits(a, scaleB-scaleA).CmpAbs(b)
	}
	return a.CmpAbs(shiftDigits(b, scaleA-scaleB))
}

// shiftDigits returns n * 10^digits.
func shiftDigits(n *big.Int, digits int64) *big.Int {
	p := new(big.Int).Exp(big.NewInt(10), big.NewInt(digits), nil)
	return p.Mul(p, n)
}
