package function

import (
	"math"
	"math/big"

	"github.com/cockroachdb/apd/v3"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// mathDigits is the precision of exp, log and log10 of decimals and varints. Source: DecimalType.
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
	for _, m := range []mathFunction{{"exp", math.Exp, expDecimal}, {"log", math.Log, logDecimal}, {"log10", math.Log10, log10Decimal}} {
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

// apdContext computes to mathDigits, half up, with exponents as wide as the library allows.
var apdContext = apd.Context{
	Precision: mathDigits, MaxExponent: apd.MaxExponent, MinExponent: apd.MinExponent, Rounding: apd.RoundHalfUp, Traps: apd.DefaultTraps,
}

func expDecimal(d types.BigDecimal) (types.BigDecimal, error) {
	var x apd.Decimal
	c := apdContext
	if _, err := c.Exp(&x, toAPD(d)); err != nil {
		return d, errOverflow
	}
	return fromAPD(&x), nil
}

func logDecimal(d types.BigDecimal) (types.BigDecimal, error) {
	if d.Unscaled.Sign() <= 0 {
		return d, cql.Serverf("java.lang.ArithmeticException: Natural log of number zero or less")
	}
	var x apd.Decimal
	c := apdContext
	if _, err := c.Ln(&x, toAPD(d)); err != nil {
		return d, errOverflow
	}
	return fromAPD(&x), nil
}

func log10Decimal(d types.BigDecimal) (types.BigDecimal, error) {
	if d.Unscaled.Sign() <= 0 {
		return d, cql.Serverf("java.lang.ArithmeticException: Log10 of number zero or less")
	}
	var x apd.Decimal
	c := apdContext
	if _, err := c.Log10(&x, toAPD(d)); err != nil {
		return d, errOverflow
	}
	return fromAPD(&x), nil
}

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
