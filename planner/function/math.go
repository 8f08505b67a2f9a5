package function

import (
	"math"
	"math/big"

	"github.com/cockroachdb/apd/v3"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// mathDigits is the precision of exp, log and log10 of decimals and varints. Source: DecimalType.
// Deviation: Cassandra gives arguments of more digits results of more digits.
const mathDigits = 32

// mathFunction is a function of one number that has the same type as its value.
type mathFunction struct {
	name    string
	float   func(float64) float64
	decimal func(types.BigDecimal) (types.BigDecimal, error)
}

// mathFunctions are abs, exp, log, log10 and round. Source: MathFcts, NumberType.
func mathFunctions() []*Function {
	var all []*Function
	for _, m := range []mathFunction{
		{"exp", math.Exp, expDecimal}, {"log", math.Log, logDecimal}, {"log10", math.Log10, log10Decimal},
	} {
		for _, t := range numbers {
			all = append(all, scalar(m.name, list(t), t, func(args [][]byte) ([]byte, error) { return m.apply(t, args[0]) }))
		}
	}
	for _, t := range numbers {
		all = append(all,
			scalar("abs", list(t), t, func(args [][]byte) ([]byte, error) { return abs(t, args[0]), nil }),
			scalar("round", list(t), t, func(args [][]byte) ([]byte, error) { return round(t, args[0]), nil }))
	}
	return all
}

// apply computes on doubles, or on decimals for varint and decimal.
func (m *mathFunction) apply(t *types.Type, v []byte) ([]byte, error) {
	x := decode(t, v)
	switch t.Kind {
	case types.Varint, types.Decimal:
		if len(v) > maxVarintBytes {
			return nil, cql.Invalidf("The argument of %s is too long", m.name)
		}
		d, _ := x.decimal()
		d, err := m.decimal(d)
		if err != nil {
			return nil, err
		}
		if t.Kind == types.Varint {
			if d.Scale < -maxShift {
				return nil, errOverflow
			}
			return types.AppendVarint(nil, whole(d)), nil
		}
		return types.AppendDecimal(nil, d), nil
	case types.Float:
		return types.AppendFloat32(nil, float32(m.float(x.f))), nil
	case types.Double:
		return types.AppendFloat64(nil, m.float(x.f)), nil
	}
	result := number{kind: types.Double, f: m.float(float64(x.i))}
	if t.Kind == types.Bigint || t.Kind == types.Counter {
		return appendInteger(t, result.long()), nil
	}
	return appendInteger(t, int64(result.narrow())), nil
}

// errOverflow is returned for a result that no decimal can hold.
var errOverflow = cql.Serverf("java.lang.ArithmeticException: Overflow")

// toAPD returns d for the decimal library.
func toAPD(d types.BigDecimal) *apd.Decimal {
	var x apd.Decimal
	x.Coeff.SetMathBigInt(new(big.Int).Abs(d.Unscaled))
	x.Exponent = -d.Scale
	x.Negative = d.Unscaled.Sign() < 0
	return &x
}

// fromAPD is the inverse of toAPD.
func fromAPD(x *apd.Decimal) types.BigDecimal {
	n := x.Coeff.MathBigInt()
	if x.Negative {
		n.Neg(n)
	}
	return types.BigDecimal{Unscaled: n, Scale: -x.Exponent}
}

// guardDigits is how many digits more than mathDigits intermediate results have: a scale may cost ten of them.
const guardDigits = 20

// apdContext computes with guard digits, half up.
func apdContext() *apd.Context {
	return &apd.Context{
		Precision: mathDigits + guardDigits, MaxExponent: apd.MaxExponent, MinExponent: apd.MinExponent, Rounding: apd.RoundHalfUp,
		Traps: apd.DefaultTraps,
	}
}

// ln10 is the natural logarithm of 10 to 70 digits.
var ln10, _, _ = apd.NewFromString("2.302585092994045684017991454684364207601101488628772976033327900967572")

// split returns d as a number between 1 and 10 and a power of ten, so that no function has to deal with large scales.
func split(d types.BigDecimal) (mantissa *apd.Decimal, exponent int64) {
	if n := digits(d.Unscaled) - (mathDigits + guardDigits); n > 0 {
		d = rounded(d, mathDigits+guardDigits)
	}
	exponent = placeOf(d)
	mantissa = toAPD(types.BigDecimal{Unscaled: d.Unscaled, Scale: int32(digits(d.Unscaled) - 1)})
	return mantissa, exponent
}

// expDecimal computes e^d as e^r * 10^k, where r is what is left of d after k times the logarithm of 10.
func expDecimal(d types.BigDecimal) (types.BigDecimal, error) {
	// Beyond ten digits the result has an exponent of more than 32 bits; below 10^-50 nothing is left of d.
	const most, least = 10, -50
	switch place := placeOf(d); {
	case d.Unscaled.Sign() == 0:
		return types.BigDecimal{Unscaled: big.NewInt(1)}, nil
	case place < least:
		return types.BigDecimal{Unscaled: pow10(mathDigits - 1), Scale: mathDigits - 1}, nil
	case place > most && d.Unscaled.Sign() < 0:
		return d, cql.Serverf("java.lang.ArithmeticException: Underflow")
	case place > most:
		return d, errOverflow
	}
	c, x := apdContext(), toAPD(rounded(d, mathDigits+guardDigits))
	var k, r, e apd.Decimal
	if _, err := c.Quo(&k, x, ln10); err != nil {
		return d, errOverflow
	}
	if _, err := c.Floor(&k, &k); err != nil {
		return d, errOverflow
	}
	tens, err := k.Int64()
	if err != nil {
		return d, errOverflow
	}
	if _, err := c.Mul(&r, &k, ln10); err != nil {
		return d, errOverflow
	}
	if _, err := c.Sub(&r, x, &r); err != nil {
		return d, errOverflow
	}
	if _, err := c.Exp(&e, &r); err != nil {
		return d, errOverflow
	}
	result := rounded(fromAPD(&e), mathDigits)
	scale := int64(result.Scale) - tens
	switch {
	case scale > math.MaxInt32:
		return d, cql.Serverf("java.lang.ArithmeticException: Underflow")
	case scale < math.MinInt32:
		return d, errOverflow
	}
	return types.BigDecimal{Unscaled: result.Unscaled, Scale: int32(scale)}, nil
}

// logDecimal computes the natural logarithm as that of a number between 1 and 10 and a multiple of the logarithm of 10.
func logDecimal(d types.BigDecimal) (types.BigDecimal, error) {
	if d.Unscaled.Sign() <= 0 {
		return d, cql.Serverf("java.lang.ArithmeticException: Natural log of number zero or less")
	}
	mantissa, exponent := split(d)
	c := apdContext()
	var x, tens apd.Decimal
	if _, err := c.Ln(&x, mantissa); err != nil {
		return d, errOverflow
	}
	if _, err := c.Mul(&tens, ln10, apd.New(exponent, 0)); err != nil {
		return d, errOverflow
	}
	if _, err := c.Add(&x, &x, &tens); err != nil {
		return d, errOverflow
	}
	return rounded(fromAPD(&x), mathDigits), nil
}

// log10Decimal computes the logarithm to base 10 as that of a number between 1 and 10 and a whole number.
func log10Decimal(d types.BigDecimal) (types.BigDecimal, error) {
	if d.Unscaled.Sign() <= 0 {
		return d, cql.Serverf("java.lang.ArithmeticException: Log10 of number zero or less")
	}
	mantissa, exponent := split(d)
	c := apdContext()
	var x apd.Decimal
	if _, err := c.Log10(&x, mantissa); err != nil {
		return d, errOverflow
	}
	if _, err := c.Add(&x, &x, apd.New(exponent, 0)); err != nil {
		return d, errOverflow
	}
	return rounded(fromAPD(&x), mathDigits), nil
}

// abs returns the absolute value of v; the least integer stays as it is.
func abs(t *types.Type, v []byte) []byte {
	x := decode(t, v)
	switch t.Kind {
	case types.Varint:
		return types.AppendVarint(nil, new(big.Int).Abs(x.n))
	case types.Decimal:
		return types.AppendDecimal(nil, types.BigDecimal{Unscaled: new(big.Int).Abs(x.d.Unscaled), Scale: x.d.Scale})
	case types.Float:
		return types.AppendFloat32(nil, float32(math.Abs(x.f)))
	case types.Double:
		return types.AppendFloat64(nil, math.Abs(x.f))
	}
	return appendInteger(t, max(x.i, -x.i))
}

// round rounds halves up, decimals away from zero; floats go through int, doubles through 64 bits, as Java's Math.round.
func round(t *types.Type, v []byte) []byte {
	x := decode(t, v)
	switch t.Kind {
	case types.Decimal:
		if x.d.Scale < -maxShift {
			return v
		}
		return types.AppendDecimal(nil, setScale(x.d, 0))
	case types.Float:
		return types.AppendFloat32(nil, float32(saturate(roundHalfUp(x.f), math.MinInt32, math.MaxInt32)))
	case types.Double:
		return types.AppendFloat64(nil, float64(saturate(roundHalfUp(x.f), math.MinInt64, math.MaxInt64)))
	}
	return v
}

// roundHalfUp returns the nearest whole number, of two the greater.
func roundHalfUp(f float64) float64 {
	n := math.Floor(f)
	if f-n >= 0.5 {
		n++
	}
	return n
}
