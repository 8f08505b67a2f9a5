package function

import (
	"math"
	"math/big"
	"strconv"

	"github.com/helenusdb/helenus/cql/types"
)

// number is a value of a numeric type: i of an integer up to bigint, n of a varint, f of a float or double, d of a decimal.
type number struct {
	kind types.Kind
	i    int64
	f    float64
	n    *big.Int
	d    types.BigDecimal
}

// decode reads a value of t that is neither null nor empty; bytes that are none count as 0.
func decode(t *types.Type, v []byte) number {
	x := number{kind: t.Kind}
	if t.Kind != types.Varint && t.Kind != types.Decimal && t.Validate(v) != nil {
		return x
	}
	switch t.Kind {
	case types.Tinyint:
		x.i = int64(types.Int8(v))
	case types.Smallint:
		x.i = int64(types.Int16(v))
	case types.Int:
		x.i = int64(types.Int32(v))
	case types.Bigint, types.Counter, types.Timestamp:
		x.i = types.Int64(v)
	case types.Varint:
		x.n = types.ParseVarintBytes(v)
	case types.Float:
		x.f = float64(types.Float32(v))
	case types.Double:
		x.f = types.Float64(v)
	case types.Decimal:
		var ok bool
		if x.d, ok = types.ParseDecimalBytes(v); !ok {
			x.d = types.BigDecimal{Unscaled: new(big.Int)}
		}
	}
	return x
}

// long is Java's longValue: whole numbers keep their low 64 bits, floats are cut off and kept in range.
func (x number) long() int64 {
	switch x.kind {
	case types.Varint:
		return lowBits(x.n)
	case types.Decimal:
		return lowBits(whole(x.d))
	case types.Float, types.Double:
		return saturate(x.f, math.MinInt64, math.MaxInt64)
	}
	return x.i
}

// narrow is Java's intValue, of which shortValue and byteValue take the low bits for floats.
func (x number) narrow() int32 {
	if x.kind == types.Float || x.kind == types.Double {
		return int32(saturate(x.f, math.MinInt32, math.MaxInt32))
	}
	return int32(x.long())
}

// saturate converts f as Java does: NaN is 0, what is out of range the nearest end of it.
func saturate(f float64, low, high int64) int64 {
	switch {
	case f != f:
		return 0
	case f >= float64(high):
		return high
	case f <= float64(low):
		return low
	}
	return int64(f)
}

// lowBits returns the low 64 bits of n in two's complement.
func lowBits(n *big.Int) int64 {
	low := new(big.Int).And(n, new(big.Int).SetUint64(math.MaxUint64))
	return int64(low.Uint64())
}

// double is Java's doubleValue.
func (x number) double() float64 {
	switch x.kind {
	case types.Varint:
		f, _ := new(big.Float).SetInt(x.n).Float64()
		return f
	case types.Decimal:
		return parseDecimalFloat(x.d, 64)
	case types.Float, types.Double:
		return x.f
	}
	return float64(x.i)
}

// float is Java's floatValue.
func (x number) float() float32 {
	switch x.kind {
	case types.Varint:
		f, _ := new(big.Float).SetInt(x.n).Float32()
		return f
	case types.Decimal:
		return float32(parseDecimalFloat(x.d, 32))
	case types.Float, types.Double:
		return float32(x.f)
	}
	return float32(x.i)
}

// parseDecimalFloat returns the float of the given size nearest to d.
func parseDecimalFloat(d types.BigDecimal, size int) float64 {
	text := d.Unscaled.String() + "e" + strconv.FormatInt(-int64(d.Scale), 10)
	f, _ := strconv.ParseFloat(text, size)
	return f
}

// integer is the value as a varint; floats go through 64 bits.
func (x number) integer() *big.Int {
	switch x.kind {
	case types.Varint:
		return x.n
	}
	return big.NewInt(x.long())
}

// decimal is the value as a decimal: whole numbers have scale 0, floats the digits of their text. ok is false for NaN and
// infinities, which have none.
func (x number) decimal() (d types.BigDecimal, ok bool) {
	switch x.kind {
	case types.Varint:
		return types.BigDecimal{Unscaled: x.n}, true
	case types.Decimal:
		return x.d, true
	case types.Float:
		return types.ParseDecimal(string(types.TFloat.AppendText(nil, types.AppendFloat32(nil, float32(x.f)))))
	case types.Double:
		return types.ParseDecimal(string(types.TDouble.AppendText(nil, types.AppendFloat64(nil, x.f))))
	}
	return types.BigDecimal{Unscaled: big.NewInt(x.i)}, true
}

// operand is the value as an operand of decimal arithmetic. Numbers up to 64 bits go through double there: a bigint loses
// digits, and a whole number comes with a zero behind the point.
func (x number) operand() (d types.BigDecimal, ok bool) {
	if x.kind == types.Varint || x.kind == types.Decimal {
		return x.decimal()
	}
	return number{kind: types.Double, f: x.double()}.decimal()
}

// appendInteger appends the low bits of n as an integer of type t.
func appendInteger(t *types.Type, n int64) []byte {
	switch t.Kind {
	case types.Tinyint:
		return types.AppendInt8(nil, int8(n))
	case types.Smallint:
		return types.AppendInt16(nil, int16(n))
	case types.Int:
		return types.AppendInt32(nil, int32(n))
	}
	return types.AppendInt64(nil, n)
}

// isSmallInteger reports whether t is an integer of a fixed width.
func isSmallInteger(t *types.Type) bool { return t.IsInteger() && t.Kind != types.Varint }
