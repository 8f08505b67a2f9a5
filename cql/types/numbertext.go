package types

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// appendFloat appends f as Java 17's Float.toString (bits 32) or Double.toString (bits 64) does: between 0.001 and 10^7
// without exponent, at least one digit behind the point, as few digits as tell f from its neighbours. Whole numbers of
// up to 63 bits have all digits but those that the mantissa cannot tell.
func appendFloat(dst []byte, f float64, size int) []byte {
	switch {
	case f != f:
		return append(dst, "NaN"...)
	case math.Signbit(f):
		dst = append(dst, '-')
		f = -f
	}
	switch {
	case f == 0:
		return append(dst, "0.0"...)
	case math.IsInf(f, 0):
		return append(dst, "Infinity"...)
	}
	digits, exponent := floatDigits(f, size)
	switch {
	case exponent >= 0 && exponent < 7:
		for len(digits) < exponent+2 {
			digits += "0"
		}
		dst = append(dst, digits[:exponent+1]...)
		dst = append(dst, '.')
		return append(dst, digits[exponent+1:]...)
	case exponent < 0 && exponent >= -3:
		dst = append(dst, "0."...)
		dst = append(dst, "00"[:-exponent-1]...)
		return append(dst, digits...)
	}
	if len(digits) == 1 {
		digits += "0"
	}
	dst = append(dst, digits[0], '.')
	dst = append(dst, digits[1:]...)
	dst = append(dst, 'E')
	return strconv.AppendInt(dst, int64(exponent), 10)
}

// floatDigits returns the digits of a positive f, without zeros at their end, and the exponent of the first.
func floatDigits(f float64, size int) (digits string, exponent int) {
	if f >= 1 && f < 1<<63 && f == math.Trunc(f) {
		return wholeDigits(uint64(f), size)
	}
	s := strconv.FormatFloat(f, 'e', -1, size)
	if s[1] != '.' {
		// Of one digit Java takes the two that come closest: 4.9E-324.
		s = strconv.FormatFloat(f, 'e', 1, size)
	}
	mantissa, exp, _ := strings.Cut(s, "e")
	exponent, _ = strconv.Atoi(exp)
	digits = strings.TrimRight(mantissa[:1]+mantissa[min(2, len(mantissa)):], "0")
	return digits, exponent
}

// wholeDigits returns the digits of a whole number that is exact in a float of the given size. Its last digits are
// rounded off as far as they are below what the lowest bit of the mantissa stands for.
func wholeDigits(n uint64, size int) (digits string, exponent int) {
	mantissa := 53
	if size == 32 {
		mantissa = 24
	}
	drop := 0
	if free := bits.Len64(n) - 1 - mantissa - 1; free > 1 {
		drop = decimalDigits(1<<free) - 1
	}
	if drop > 0 {
		unit := powersOf10[drop]
		rest := n % unit
		n /= unit
		if rest >= unit/2 {
			n++
		}
	}
	digits = strconv.FormatUint(n, 10)
	return strings.TrimRight(digits, "0"), len(digits) - 1 + drop
}

// AppendText appends d as Java's BigDecimal.toString does: plain while the scale is not negative and the first digit at
// most six places behind the point, else with an exponent.
func (d BigDecimal) AppendText(dst []byte) []byte {
	if d.Scale == 0 {
		return d.Unscaled.Append(dst, 10)
	}
	if d.Unscaled.Sign() < 0 {
		dst = append(dst, '-')
	}
	digits := strings.TrimPrefix(d.Unscaled.String(), "-")
	adjusted := int64(len(digits)) - 1 - int64(d.Scale)
	if d.Scale > 0 && adjusted >= -6 {
		whole := len(digits) - int(d.Scale)
		if whole <= 0 {
			dst = append(dst, "0."...)
			for range -whole {
				dst = append(dst, '0')
			}
			return append(dst, digits...)
		}
		dst = append(dst, digits[:whole]...)
		dst = append(dst, '.')
		return append(dst, digits[whole:]...)
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	if adjusted != 0 {
		dst = append(dst, 'E')
		if adjusted > 0 {
			dst = append(dst, '+')
		}
		dst = strconv.AppendInt(dst, adjusted, 10)
	}
	return dst
}

// appendVarintText appends a big-endian two's complement number of any width in decimal.
func appendVarintText(dst, v []byte) []byte {
	if len(v) > 8 {
		return ParseVarintBytes(v).Append(dst, 10)
	}
	n := int64(0)
	if v[0] >= 0x80 {
		n = -1
	}
	for _, b := range v {
		n = n<<8 | int64(b)
	}
	return strconv.AppendInt(dst, n, 10)
}
