package function

import (
	"math"
	"math/big"

	"github.com/helenusdb/helenus/cql/types"
)

// Bounds of decimal arithmetic. Source: org.apache.cassandra.db.marshal.DecimalType.
const (
	// maxDigits is the precision to which sums, differences and products are rounded.
	maxDigits = 10000
	// minDivisionDigits is how many significant digits a quotient has at least, before zeros are stripped.
	minDivisionDigits = 32
	// maxDivisionScale bounds the scale of a quotient.
	maxDivisionScale = 1000
	// maxShift bounds by how many digits an operand is moved to meet the other one, and how many it has where quotients are
	// made. Deviation: beyond it Cassandra computes on, for minutes; such operations are refused here.
	maxShift = maxDigits
)

// digits returns the number of decimal digits of n; 1 for 0.
func digits(n *big.Int) int {
	if n.Sign() == 0 {
		return 1
	}
	estimate := int(float64(n.BitLen()-1) * math.Log10(2))
	if n.CmpAbs(pow10(int64(estimate))) >= 0 {
		// The estimate counts one digit too few unless n is below its power of ten.
		estimate++
	}
	if n.CmpAbs(pow10(int64(estimate))) >= 0 {
		estimate++
	}
	return estimate
}

// pow10 returns 10^n; n is not negative.
func pow10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

// divideHalfUp returns a/b rounded to the nearest, halves away from zero.
func divideHalfUp(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Sign() == 0 {
		return q
	}
	if r.Lsh(r, 1).CmpAbs(b) >= 0 {
		q.Add(q, big.NewInt(int64(a.Sign()*b.Sign())))
	}
	return q
}

// setScale returns d with another scale, rounded half up where digits are lost.
func setScale(d types.BigDecimal, scale int32) types.BigDecimal {
	diff := int64(scale) - int64(d.Scale)
	if diff >= 0 {
		return types.BigDecimal{Unscaled: new(big.Int).Mul(d.Unscaled, pow10(diff)), Scale: scale}
	}
	if -diff > int64(digits(d.Unscaled)) {
		return types.BigDecimal{Unscaled: new(big.Int), Scale: scale}
	}
	return types.BigDecimal{Unscaled: divideHalfUp(d.Unscaled, pow10(-diff)), Scale: scale}
}

// whole returns the integer part of d. One of more than maxShift zeros has its low bits zero all the same.
func whole(d types.BigDecimal) *big.Int {
	switch {
	case d.Scale == 0:
		return d.Unscaled
	case d.Scale < 0:
		if d.Scale < -maxShift {
			return new(big.Int)
		}
		return new(big.Int).Mul(d.Unscaled, pow10(-int64(d.Scale)))
	case int64(d.Scale) > int64(digits(d.Unscaled)):
		return new(big.Int)
	}
	return new(big.Int).Quo(d.Unscaled, pow10(int64(d.Scale)))
}

// rounded returns d with at most precision digits.
func rounded(d types.BigDecimal, precision int) types.BigDecimal {
	for {
		drop := digits(d.Unscaled) - precision
		if drop <= 0 {
			return d
		}
		// Rounding up 9...9 gives a digit more, which is dropped in turn.
		d = types.BigDecimal{Unscaled: divideHalfUp(d.Unscaled, pow10(int64(drop))), Scale: d.Scale - int32(drop)}
	}
}

// addDecimals returns a+b rounded to maxDigits. Source: java.math.BigDecimal.add with a MathContext.
func addDecimals(a, b types.BigDecimal) types.BigDecimal {
	scale := max(a.Scale, b.Scale)
	if a.Unscaled.Sign() == 0 || b.Unscaled.Sign() == 0 {
		return addZero(a, b, scale)
	}
	if placeOf(a) < placeOf(b) {
		a, b = b, a
	}
	// Of a number too small to touch any digit only the sign counts, and then only by filling up the digits.
	if gap := placeOf(a) - placeOf(b); gap > maxDigits+2 && int64(b.Scale)-int64(a.Scale) > 2*maxDigits {
		fill := int64(maxDigits - digits(a.Unscaled))
		if fill <= 0 {
			return rounded(a, maxDigits)
		}
		return types.BigDecimal{Unscaled: new(big.Int).Mul(a.Unscaled, pow10(fill)), Scale: a.Scale + int32(fill)}
	}
	sum := new(big.Int).Add(setScale(a, scale).Unscaled, setScale(b, scale).Unscaled)
	return rounded(types.BigDecimal{Unscaled: sum, Scale: scale}, maxDigits)
}

// placeOf returns the place of the first digit of d: 0 for units.
func placeOf(d types.BigDecimal) int64 { return int64(digits(d.Unscaled)) - 1 - int64(d.Scale) }

// addZero adds numbers of which one at least is zero: the other one, brought to the larger scale as far as maxDigits allow.
func addZero(a, b types.BigDecimal, scale int32) types.BigDecimal {
	other := a
	if a.Unscaled.Sign() == 0 {
		other = b
	}
	if other.Unscaled.Sign() == 0 {
		return types.BigDecimal{Unscaled: new(big.Int), Scale: scale}
	}
	other = rounded(other, maxDigits)
	room := int64(maxDigits - digits(other.Unscaled))
	return setScale(other, int32(min(int64(scale), int64(other.Scale)+room)))
}

// multiplyDecimals returns a*b rounded to maxDigits.
func multiplyDecimals(a, b types.BigDecimal) (d types.BigDecimal, what string) {
	scale := int64(a.Scale) + int64(b.Scale)
	switch {
	case scale > math.MaxInt32:
		return d, "Underflow"
	case scale < math.MinInt32:
		return d, "Overflow"
	}
	return rounded(types.BigDecimal{Unscaled: new(big.Int).Mul(a.Unscaled, b.Unscaled), Scale: int32(scale)}, maxDigits), ""
}

// farApart is said of operands whose scales differ by more than maxShift.
const farApart = "The scales of the operands are too far apart"

// manyDigits is said of operands of a quotient that have more than maxShift digits.
const manyDigits = "The operands have too many digits"

// tooLong reports whether d has too many digits for a quotient.
func tooLong(d types.BigDecimal) bool { return digits(d.Unscaled) > maxShift }

// divideDecimals returns a/b with at least 32 significant digits and a scale of at most 1000, rounded half up, without
// zeros at its end. b is not zero. Source: DecimalType.divide.
func divideDecimals(a, b types.BigDecimal) (d types.BigDecimal, what string) {
	if a.Unscaled.Sign() == 0 {
		return types.BigDecimal{Unscaled: new(big.Int)}, ""
	}
	first := (int64(digits(a.Unscaled)) - int64(a.Scale)) - (int64(digits(b.Unscaled)) - int64(b.Scale))
	scale := max(minDivisionDigits-first, int64(a.Scale), int64(b.Scale), minDivisionDigits)
	scale = min(scale, maxDivisionScale)
	shift := scale - int64(a.Scale) + int64(b.Scale)
	if shift > maxShift || shift < -maxShift {
		return d, farApart
	}
	if tooLong(a) || tooLong(b) {
		return d, manyDigits
	}
	n, m := a.Unscaled, b.Unscaled
	if shift >= 0 {
		n = new(big.Int).Mul(n, pow10(shift))
	} else {
		m = new(big.Int).Mul(m, pow10(-shift))
	}
	return stripZeros(types.BigDecimal{Unscaled: divideHalfUp(n, m), Scale: int32(scale)}), ""
}

// stripZeros drops zeros at the end of d.
func stripZeros(d types.BigDecimal) types.BigDecimal {
	if d.Unscaled.Sign() == 0 {
		return types.BigDecimal{Unscaled: new(big.Int)}
	}
	ten, n, r := big.NewInt(10), new(big.Int).Set(d.Unscaled), new(big.Int)
	for q := new(big.Int); ; n, q = q, n {
		if q.QuoRem(n, ten, r); r.Sign() != 0 || d.Scale == math.MinInt32 {
			return types.BigDecimal{Unscaled: n, Scale: d.Scale}
		}
		d.Scale--
	}
}

// remainderDecimals returns what is left of a after whole multiples of b, with the sign of a. b is not zero. Its scale is that
// of Java: the larger of the operands', unless the multiple ends in zeros. Source: java.math.BigDecimal.remainder.
func remainderDecimals(a, b types.BigDecimal) (d types.BigDecimal, what string) {
	scale := max(a.Scale, b.Scale)
	if int64(scale)-int64(a.Scale) > maxShift || int64(scale)-int64(b.Scale) > maxShift {
		return d, farApart
	}
	if tooLong(a) || tooLong(b) {
		return d, manyDigits
	}
	q, r := new(big.Int).QuoRem(setScale(a, scale).Unscaled, setScale(b, scale).Unscaled, new(big.Int))
	to := a.Scale
	if q.Sign() != 0 {
		ten, zero := big.NewInt(10), new(big.Int)
		for to = scale; to > a.Scale; to-- {
			if q.QuoRem(q, ten, zero); zero.Sign() != 0 {
				break
			}
		}
	}
	return setScale(types.BigDecimal{Unscaled: r, Scale: scale}, to), ""
}
