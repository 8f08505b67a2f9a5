package function

import (
	"math"
	"math/big"

	"github.com/helenusdb/helenus/cql/types"
)

// aggregateFunctions are count, sum and avg. Source: AggregateFcts.
func aggregateFunctions() []*Function {
	rows := func() Accumulator { return new(rowCount) }
	all := []*Function{
		{Name: "countRows", Return: types.TBigint, New: rows, Pure: true},
		{Name: "count_rows", Return: types.TBigint, New: rows, Pure: true},
		{Name: "count", Args: list(types.TBlob), Return: types.TBigint, New: func() Accumulator { return new(valueCount) }, Pure: true},
	}
	for _, t := range numbers {
		all = append(all,
			&Function{Name: "sum", Args: list(t), Return: t, New: func() Accumulator { return newSum(t) }, Pure: true},
			&Function{Name: "avg", Args: list(t), Return: t, New: func() Accumulator { return newAverage(t) }, Pure: true})
	}
	return all
}

// extremeFactories are min and max, which take any type.
func extremeFactories() map[string]*factory {
	of := func(sign int) *factory {
		return &factory{params: []param{anyParam()}, make: func(name string, args []*types.Type, _ *types.Type) (*Function, error) {
			begin := func() Accumulator { return &extreme{t: args[0], sign: sign} }
			return &Function{Name: name, Args: args, Return: args[0], New: begin, Pure: true}, nil
		}}
	}
	return map[string]*factory{"min": of(-1), "max": of(1)}
}

// rowCount counts rows.
type rowCount int64

// Add counts a row.
func (c *rowCount) Add([][]byte) error { *c++; return nil }

// Result is the count.
func (c *rowCount) Result() ([]byte, error) { return types.AppendInt64(nil, int64(*c)), nil }

// valueCount counts values that are not null.
type valueCount int64

// Add counts the value unless it is null.
func (c *valueCount) Add(args [][]byte) error {
	if args[0] != nil {
		*c++
	}
	return nil
}

// Result is the count.
func (c *valueCount) Result() ([]byte, error) { return types.AppendInt64(nil, int64(*c)), nil }

// extreme keeps the least or greatest value.
type extreme struct {
	t    *types.Type
	sign int
	best []byte
	any  bool
}

// Add keeps the value if it is the best so far.
func (e *extreme) Add(args [][]byte) error {
	v := args[0]
	if v != nil && (!e.any || e.t.Compare(v, e.best)*e.sign > 0) {
		e.best, e.any = append(e.best[:0], v...), true
	}
	return nil
}

// Result is the best value, null when there was none.
func (e *extreme) Result() ([]byte, error) {
	if !e.any {
		return nil, nil
	}
	return append([]byte{}, e.best...), nil
}

// newSum begins a sum of values of t, in t: integers wrap.
func newSum(t *types.Type) Accumulator {
	switch {
	case t.IsFloating():
		return &floatSum{t: t}
	case isSmallInteger(t):
		return &integerSum{t: t}
	}
	return &bigSum{t: t}
}

// newAverage begins an average of values of t, in t.
func newAverage(t *types.Type) Accumulator {
	switch {
	case t.IsFloating():
		return &floatSum{t: t, average: true}
	case t.Kind == types.Decimal:
		return &decimalAverage{}
	case isSmallInteger(t) && t.Kind != types.Bigint && t.Kind != types.Counter:
		return &integerSum{t: t, average: true}
	}
	return &bigSum{t: t, average: true}
}

// integerSum adds integers that fit 64 bits; the average is cut off toward zero, that of no value is 0.
type integerSum struct {
	t          *types.Type
	average    bool
	sum, count int64
}

// Add adds the value unless it is null.
func (s *integerSum) Add(args [][]byte) error {
	if !isNull(s.t, args[0]) {
		s.sum += decode(s.t, args[0]).i
		s.count++
	}
	return nil
}

// Result is the sum or average; 0 of no value.
func (s *integerSum) Result() ([]byte, error) {
	n := s.sum
	if s.average && s.count > 0 {
		n /= s.count
	}
	return appendInteger(s.t, n), nil
}

// bigSum adds varints and decimals, and averages bigints over sums of any size.
type bigSum struct {
	t       *types.Type
	average bool
	sum     big.Int
	decimal types.BigDecimal
	count   int64
}

// Add adds the value unless it is null.
func (s *bigSum) Add(args [][]byte) error {
	if isNull(s.t, args[0]) {
		return nil
	}
	x := decode(s.t, args[0])
	s.count++
	if s.t.Kind != types.Decimal {
		s.sum.Add(&s.sum, x.integer())
		return nil
	}
	if s.decimal.Unscaled == nil {
		s.decimal.Unscaled = new(big.Int)
	}
	s.decimal = addDecimals(s.decimal, x.d)
	return nil
}

// Result is the sum or average; 0 of no value.
func (s *bigSum) Result() ([]byte, error) {
	if s.t.Kind == types.Decimal {
		if s.decimal.Unscaled == nil {
			s.decimal.Unscaled = new(big.Int)
		}
		return types.AppendDecimal(nil, s.decimal), nil
	}
	n := new(big.Int).Set(&s.sum)
	if s.average && s.count > 0 {
		n.Quo(n, big.NewInt(s.count))
	}
	if s.t.Kind == types.Varint {
		return types.AppendVarint(nil, n), nil
	}
	return appendInteger(s.t, lowBits(n)), nil
}

// decimalAverage averages decimals as Cassandra does, rounding each step to the scale that is at hand (CASSANDRA-18470).
type decimalAverage struct {
	average types.BigDecimal
	count   int64
}

// Add moves the average toward the value unless it is null.
func (a *decimalAverage) Add(args [][]byte) error {
	if len(args[0]) == 0 {
		return nil
	}
	x := decode(types.TDecimal, args[0]).d
	a.count++
	if a.average.Unscaled == nil {
		a.average.Unscaled = new(big.Int)
	}
	// average += (x - average) / count, at the scale of the difference, half to even.
	diff := addDecimals(x, negated(a.average))
	step := types.BigDecimal{Unscaled: divideHalfEven(diff.Unscaled, big.NewInt(a.count)), Scale: diff.Scale}
	a.average = addDecimals(a.average, step)
	return nil
}

// Result is the average; 0 of no value.
func (a *decimalAverage) Result() ([]byte, error) {
	if a.average.Unscaled == nil {
		return types.AppendDecimal(nil, types.BigDecimal{Unscaled: new(big.Int)}), nil
	}
	return types.AppendDecimal(nil, a.average), nil
}

// divideHalfEven returns a/b rounded to the nearest, halves to the even neighbour; b is positive.
func divideHalfEven(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	c := r.Lsh(r, 1).CmpAbs(b)
	if c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(int64(a.Sign())))
	}
	return q
}

// floatSum adds floats with a correction for what each addition loses. The average goes on in decimals when the sum
// overflows, rounded to the scale of that sum as in Cassandra.
type floatSum struct {
	t                         *types.Type
	average                   bool
	sum, compensation, simple float64
	count                     int64
	overflowed                bool
	exact                     types.BigDecimal
}

// Add adds the value unless it is null.
func (s *floatSum) Add(args [][]byte) error {
	if isNull(s.t, args[0]) {
		return nil
	}
	f := decode(s.t, args[0]).f
	s.count++
	s.simple += f
	if s.overflowed {
		if d, ok := (number{kind: types.Double, f: f}).decimal(); ok {
			s.exact = addDecimals(s.exact, d)
		}
		return nil
	}
	y := f - s.compensation
	t := s.sum + y
	if s.average && math.IsInf(t, 0) && !math.IsInf(f, 0) && !math.IsInf(s.sum, 0) {
		a, _ := number{kind: types.Double, f: s.sum}.decimal()
		b, _ := number{kind: types.Double, f: f}.decimal()
		s.overflowed, s.exact = true, addDecimals(a, b)
		return nil
	}
	s.compensation = (t - s.sum) - y
	s.sum = t
	return nil
}

// Result is the sum or average; 0 of no value.
func (s *floatSum) Result() ([]byte, error) {
	f := s.sum - s.compensation
	switch {
	case s.overflowed:
		q := divideHalfEven(s.exact.Unscaled, big.NewInt(s.count))
		f = parseDecimalFloat(types.BigDecimal{Unscaled: q, Scale: s.exact.Scale}, 64)
	case f != f && math.IsInf(s.simple, 0):
		f = s.simple
		fallthrough
	default:
		if s.average && s.count > 0 {
			f /= float64(s.count)
		}
	}
	if s.t.Kind == types.Float {
		return types.AppendFloat32(nil, float32(f)), nil
	}
	return types.AppendFloat64(nil, f), nil
}
