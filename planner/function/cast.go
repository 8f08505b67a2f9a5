package function

import (
	"math/big"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// castFunctions are what CAST calls. Source: CastFcts; cql.md 2.14 (128).
func castFunctions() []*Function {
	var all []*Function
	add := func(from, to *types.Type, f func(v []byte) ([]byte, error)) {
		call := func(_ *Env, args [][]byte) ([]byte, error) {
			if isNull(from, args[0]) {
				return nil, nil
			}
			if err := from.Validate(args[0]); err != nil {
				return nil, err
			}
			return f(args[0])
		}
		// The older name has capitals and so can only be called in quotes.
		kind := to.Kind.String()
		for _, name := range []string{CastName(to), "castAs" + strings.ToUpper(kind[:1]) + kind[1:]} {
			all = append(all, &Function{Name: name, Args: list(from), Return: to, Call: call, Pure: true})
		}
	}
	for _, to := range numbers {
		for _, from := range numbers {
			if from != to && to.Kind != types.Counter {
				add(from, to, func(v []byte) ([]byte, error) { return castNumber(to, decode(from, v)) })
			}
		}
	}
	for _, to := range list(types.TText, types.TAscii) {
		others := list(types.TBoolean, types.TInet, types.TUUID, types.TTimeuuid, types.TTimestamp, types.TDate, types.TTime)
		for _, from := range append(others, numbers...) {
			add(from, to, func(v []byte) ([]byte, error) { return from.AppendText([]byte{}, v), nil })
		}
	}
	add(types.TAscii, types.TText, func(v []byte) ([]byte, error) { return v, nil })
	for _, from := range list(types.TTimeuuid, types.TTimestamp) {
		add(from, types.TDate, func(v []byte) ([]byte, error) { return dateOf(millisOf(from, v)), nil })
	}
	for _, from := range list(types.TTimeuuid, types.TDate) {
		add(from, types.TTimestamp, func(v []byte) ([]byte, error) { return timestampOf(millisOf(from, v)), nil })
	}
	return all
}

// castNumber converts x as Java converts numbers: integers keep their low bits, floats are cut off and kept in range.
func castNumber(to *types.Type, x number) ([]byte, error) {
	switch to.Kind {
	case types.Tinyint, types.Smallint, types.Int:
		return appendInteger(to, int64(x.narrow())), nil
	case types.Bigint:
		return types.AppendInt64(nil, x.long()), nil
	case types.Varint:
		return types.AppendVarint(nil, big.NewInt(x.long())), nil
	case types.Float:
		return types.AppendFloat32(nil, x.float()), nil
	case types.Double:
		return types.AppendFloat64(nil, x.double()), nil
	}
	d, ok := x.decimal()
	if !ok {
		letter := 'I'
		if x.f != x.f {
			letter = 'N'
		}
		return nil, cql.Serverf("java.lang.NumberFormatException: Character %c is neither a decimal digit number, decimal point, nor "+
			"\"e\" notation exponential mark.", letter)
	}
	return types.AppendDecimal(nil, d), nil
}
