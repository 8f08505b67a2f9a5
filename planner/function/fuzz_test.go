package function

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql/types"
)

// fuzzEnv gives functions a clock that stands still.
var fuzzEnv = &Env{
	NowMillis: func() int64 { return 1296705906123 },
	Timeuuid:  func() [16]byte { return types.NewTimeuuid(12967059061230000, [8]byte{1}) },
	Random:    func() [16]byte { return [16]byte{1, 2, 3} },
}

// allFunctions are the functions of fixed types and one of each factory, in a fixed order.
func allFunctions() []*Function {
	var all []*Function
	for _, name := range slices.Sorted(maps.Keys(natives)) {
		all = append(all, natives[name]...)
	}
	samples := list(types.TInt, types.TText, types.ListOf(types.TInt, true), types.SetOf(types.TDecimal, true),
		types.MapOf(types.TText, types.TInt, true), types.VectorOf(types.TFloat, 2), types.TDuration)
	for _, name := range slices.Sorted(maps.Keys(factories)) {
		f := factories[name]
		for _, t := range samples {
			for n := len(f.params) - f.optional; n <= len(f.params); n++ {
				args := []Arg{typed(t)}
				for i := 1; i < n; i++ {
					p := f.params[i]
					if p.fixed != nil {
						args = append(args, typed(p.fixed))
					} else {
						args = append(args, typed(t))
					}
				}
				if fn, err := f.create(name, args, types.TInt); err == nil {
					all = append(all, fn)
				}
			}
		}
	}
	return all
}

// FuzzCall holds that no value breaks a function or keeps it busy, and that what it returns is a value of its type.
func FuzzCall(f *testing.F) {
	all := allFunctions()
	f.Add(uint16(1), []byte{0, 0, 0, 1}, []byte{0, 0, 0, 2}, []byte{0, 0, 0, 3})
	for i := range all {
		f.Add(uint16(i), []byte{0x80, 0, 0, 0, 1}, []byte{0x7f, 0xff, 0xff, 0xff, 1}, []byte{2, 4, 6})
		f.Add(uint16(i), []byte{0, 0, 0, 0, 0, 0, 0, 9}, []byte{2, 4, 0}, []byte{0, 0, 0, 0, 0, 0, 0, 1})
	}
	f.Fuzz(func(t *testing.T, n uint16, a, b, c []byte) {
		fn := all[int(n)%len(all)]
		values := [][]byte{a, b, c, a}[:len(fn.Args)]
		start := time.Now()
		var v []byte
		var err error
		if fn.IsAggregate() {
			acc := fn.New()
			for _, v := range [][]byte{a, b, nil, c} {
				if err := acc.Add([][]byte{v}[:len(fn.Args)]); err != nil {
					t.Fatal(err)
				}
			}
			v, err = acc.Result()
		} else {
			v, err = fn.Call(fuzzEnv, values)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%s of %x takes %v", fn, values, d)
		}
		if err != nil || v == nil {
			return
		}
		for i, x := range values {
			if fn.Args[i].Validate(x) != nil {
				return
			}
		}
		if fn.Return.Validate(v) != nil && !fn.IsAggregate() {
			t.Errorf("%s of %x is %x: %v", fn, values, v, fn.Return.Validate(v))
		}
	})
}

func BenchmarkCall(b *testing.B) {
	for _, v := range []struct {
		name string
		args []*types.Type
		vals [][]byte
	}{
		{"_add", list(types.TInt, types.TInt), [][]byte{{0, 0, 0, 1}, {0, 0, 0, 2}}},
		{"_add", list(types.TDecimal, types.TDecimal), [][]byte{{0, 0, 0, 1, 10}, {0, 0, 0, 2, 100}}},
		{"_divide", list(types.TDecimal, types.TDecimal), [][]byte{{0, 0, 0, 1, 10}, {0, 0, 0, 2, 3}}},
		{"to_date", list(types.TTimestamp), [][]byte{{0, 0, 1, 0, 0, 0, 0, 0}}},
		{"cast_as_text", list(types.TInt), [][]byte{{0, 0, 0, 1}}},
	} {
		for _, f := range natives[v.name] {
			if slices.EqualFunc(f.Args, v.args, (*types.Type).Equal) {
				b.Run(f.Name+"/"+v.args[0].String(), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if _, err := f.Call(nil, v.vals); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
