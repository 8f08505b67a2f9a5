package function

import (
	"math"
	"math/big"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// arithmetic is what an operator does with each class of numbers; what says why a decimal operation cannot be carried out,
// "" when it is.
type arithmetic struct {
	name, sign string
	long       func(a, b int64) int64
	float      func(a, b float64) float64
	integer    func(a, b *big.Int) *big.Int
	decimal    func(a, b types.BigDecimal) (d types.BigDecimal, what string)
	divides    bool
}

// arithmetics are the binary operators on numbers.
var arithmetics = []arithmetic{
	{
		name: "_add", sign: "+",
		long:    func(a, b int64) int64 { return a + b },
		float:   func(a, b float64) float64 { return a + b },
		integer: func(a, b *big.Int) *big.Int { return new(big.Int).Add(a, b) },
		decimal: func(a, b types.BigDecimal) (types.BigDecimal, string) { return addDecimals(a, b), "" },
	},
	{
		name: "_substract", sign: "-",
		long:    func(a, b int64) int64 { return a - b },
		float:   func(a, b float64) float64 { return a - b },
		integer: func(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) },
		decimal: func(a, b types.BigDecimal) (types.BigDecimal, string) { return addDecimals(a, negated(b)), "" },
	},
	{
		name: "_multiply", sign: "*",
		long:    func(a, b int64) int64 { return a * b },
		float:   func(a, b float64) float64 { return a * b },
		integer: func(a, b *big.Int) *big.Int { return new(big.Int).Mul(a, b) },
		decimal: multiplyDecimals,
	},
	{
		name: "_divide", sign: "/", divides: true,
		long:    func(a, b int64) int64 { return a / b },
		float:   func(a, b float64) float64 { return a / b },
		integer: func(a, b *big.Int) *big.Int { return new(big.Int).Quo(a, b) },
		decimal: divideDecimals,
	},
	{
		name: "_modulo", sign: "%", divides: true,
		long:    func(a, b int64) int64 { return a % b },
		float:   math.Mod,
		integer: func(a, b *big.Int) *big.Int { return new(big.Int).Rem(a, b) },
		decimal: remainderDecimals,
	},
}

// maxVarintBytes bounds the operands of varint and decimal arithmetic together, to some 39000 digits.
// Deviation: Cassandra computes with any length.
const maxVarintBytes = 16 << 10

// operatorFunctions are the operators. Source: OperationFcts.
func operatorFunctions() []*Function {
	var all []*Function
	for i := range arithmetics {
		op := &arithmetics[i]
		for _, a := range numbers {
			for _, b := range numbers {
				all = append(all, op.function(a, b, resultType(a, b)))
			}
		}
	}
	for _, t := range numbers {
		all = append(all, scalar(Negation, list(t), t, func(args [][]byte) ([]byte, error) { return negate(t, args[0]), nil }))
	}
	for _, v := range [][3]*types.Type{
		{types.TText, types.TText, types.TText}, {types.TAscii, types.TAscii, types.TAscii},
		{types.TText, types.TAscii, types.TText}, {types.TAscii, types.TText, types.TText},
	} {
		all = append(all, scalar("_add", v[:2:2], v[2], func(args [][]byte) ([]byte, error) {
			return append(append([]byte{}, args[0]...), args[1]...), nil
		}))
	}
	for name, sign := range map[string]int64{"_add": 1, "_substract": -1} {
		for _, t := range list(types.TTimestamp, types.TDate) {
			all = append(all, temporal(name, sign, t))
		}
	}
	return all
}

// resultType is the type of an operation on two numbers: the wider integer; with a float float or double as the wider
// operand has four bytes or eight, decimal beyond. Source: NumberType, OperationFcts.
func resultType(a, b *types.Type) *types.Type {
	if a.Kind == types.Counter {
		a = types.TBigint
	}
	if b.Kind == types.Counter {
		b = types.TBigint
	}
	width := max(widthOf(a), widthOf(b))
	switch {
	case !a.IsInteger() || !b.IsInteger():
		switch {
		case width > 8:
			return types.TDecimal
		case width > 4:
			return types.TDouble
		}
		return types.TFloat
	case width == 1:
		return types.TTinyint
	case width == 2:
		return types.TSmallint
	case width == 4:
		return types.TInt
	case width == 8:
		return types.TBigint
	}
	return types.TVarint
}

// widthOf is the number of bytes of a number; 16 for those without a bound.
func widthOf(t *types.Type) int {
	switch t.Kind {
	case types.Tinyint:
		return 1
	case types.Smallint:
		return 2
	case types.Int, types.Float:
		return 4
	case types.Bigint, types.Double:
		return 8
	}
	return 16
}

// function returns the operator for two types.
func (op *arithmetic) function(a, b, ret *types.Type) *Function {
	return scalar(op.name, list(a, b), ret, func(args [][]byte) ([]byte, error) {
		v, what := op.apply(ret, decode(a, args[0]), decode(b, args[1]), len(args[0])+len(args[1]))
		if what != "" {
			return nil, op.failure(a, b, what)
		}
		return v, nil
	})
}

// failure is the error of an operation that cannot be carried out.
func (op *arithmetic) failure(a, b *types.Type, what string) error {
	text := "the operation '" + a.String() + " " + op.sign + " " + b.String() + "' failed: " + what
	return cql.FunctionError("system", op.name, []string{a.String(), b.String()}, text)
}

// apply computes; what says why it cannot, "" for success.
func (op *arithmetic) apply(ret *types.Type, a, b number, size int) (v []byte, what string) {
	switch {
	case ret.Kind == types.Varint:
		m := b.integer()
		if op.divides && m.Sign() == 0 {
			return nil, "BigInteger divide by zero"
		}
		if size > maxVarintBytes {
			return nil, "The operands are too long"
		}
		return types.AppendVarint(nil, op.integer(a.integer(), m)), ""
	case isSmallInteger(ret):
		m := b.long()
		if op.divides && m == 0 {
			return nil, "/ by zero"
		}
		return appendInteger(ret, op.long(a.long(), m)), ""
	case ret.Kind == types.Float:
		return types.AppendFloat32(nil, float32(op.float(float64(a.float()), float64(b.float())))), ""
	case ret.Kind == types.Double:
		return types.AppendFloat64(nil, op.float(a.double(), b.double())), ""
	}
	return op.applyDecimal(a, b, size)
}

// applyDecimal computes on decimals.
func (op *arithmetic) applyDecimal(a, b number, size int) (v []byte, what string) {
	x, ok := a.operand()
	if !ok {
		return nil, notDecimal(a.f)
	}
	y, ok := b.operand()
	if !ok {
		return nil, notDecimal(b.f)
	}
	if op.divides && y.Unscaled.Sign() == 0 {
		switch {
		case op.sign == "%" && x.Unscaled.Sign() == 0:
			return nil, "Division undefined"
		case op.sign == "%":
			return nil, "Division by zero"
		}
		return nil, "BigInteger divide by zero"
	}
	if size > maxVarintBytes {
		return nil, "The operands are too long"
	}
	d, what := op.decimal(x, y)
	if what != "" {
		return nil, what
	}
	return types.AppendDecimal(nil, d), ""
}

// notDecimal is what is said of NaN and infinities as operands of decimal arithmetic.
func notDecimal(f float64) string {
	if f != f {
		return "A NaN cannot be converted into a decimal"
	}
	return "An infinite number cannot be converted into a decimal"
}

// negated returns -d.
func negated(d types.BigDecimal) types.BigDecimal {
	return types.BigDecimal{Unscaled: new(big.Int).Neg(d.Unscaled), Scale: d.Scale}
}

// negate returns -v.
func negate(t *types.Type, v []byte) []byte {
	x := decode(t, v)
	switch t.Kind {
	case types.Varint:
		return types.AppendVarint(nil, new(big.Int).Neg(x.n))
	case types.Decimal:
		return types.AppendDecimal(nil, negated(x.d))
	case types.Float:
		return types.AppendFloat32(nil, -float32(x.f))
	case types.Double:
		return types.AppendFloat64(nil, -x.f)
	}
	return appendInteger(t, -x.i)
}

// temporal returns the operator that moves a timestamp or date by a duration.
func temporal(name string, sign int64, t *types.Type) *Function {
	op := &arithmetic{name: name, sign: operators[name]}
	return scalar(name, list(t, types.TDuration), t, func(args [][]byte) ([]byte, error) {
		d, err := types.ParseDurationBytes(args[1])
		if err != nil {
			return nil, err
		}
		ms := millisOf(t, args[0])
		if t.Kind == types.Date {
			if d.Nanos != 0 {
				return nil, op.failure(t, types.TDuration, "The duration must have a day precision. Was: "+string(d.Append(nil)))
			}
			return dateOf(addDuration(ms, d, sign)), nil
		}
		if d.Nanos%1e6 != 0 {
			return nil, op.failure(t, types.TDuration, "The duration must have a millisecond precision. Was: "+string(d.Append(nil)))
		}
		return timestampOf(addDuration(ms, d, sign)), nil
	})
}
