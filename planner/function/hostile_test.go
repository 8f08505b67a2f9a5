package function

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql/types"
)

// hostileDecimals are numbers whose scales, lengths and signs are at their ends.
func hostileDecimals() [][]byte {
	var all [][]byte
	long := new(big.Int).Lsh(big.NewInt(1), 8*8000)
	scales := []int32{math.MinInt32, math.MinInt32 + 1, -100001, -9999, -1, 0, 1, 9999, 100001, math.MaxInt32 - 1, math.MaxInt32}
	for _, scale := range scales {
		for _, n := range []*big.Int{big.NewInt(0), big.NewInt(1), big.NewInt(-1), big.NewInt(10), big.NewInt(999999), long, new(big.Int).Neg(long)} {
			all = append(all, types.AppendDecimal(nil, types.BigDecimal{Unscaled: n, Scale: scale}))
		}
	}
	return all
}

// TestHostileDecimals holds that no pair of decimals keeps an operation busy for long (reliability.md 4, item 60).
func TestHostileDecimals(t *testing.T) {
	values := hostileDecimals()
	check := func(what string, f func()) {
		start := time.Now()
		f()
		if d := time.Since(start); d > 300*time.Millisecond {
			t.Errorf("%s takes %v", what, d)
		}
	}
	for _, functions := range natives {
		for _, f := range functions {
			switch {
			case f.IsAggregate() && len(f.Args) == 1 && f.Args[0].Kind == types.Decimal:
				for i, v := range values {
					check(f.String(), func() {
						a := f.New()
						for _, x := range [][]byte{v, values[(i*7+3)%len(values)], v} {
							if err := a.Add([][]byte{x}); err != nil {
								t.Fatal(err)
							}
						}
						if _, err := a.Result(); err != nil {
							t.Fatal(err)
						}
					})
				}
			case f.Call != nil && len(f.Args) == 1 && f.Args[0].Kind == types.Decimal:
				for i, v := range values {
					check(f.String()+" "+string(rune('0'+i)), func() { _, _ = f.Call(nil, [][]byte{v}) })
				}
			case f.Call != nil && len(f.Args) == 2 && f.Args[0].Kind == types.Decimal && f.Args[1].Kind == types.Decimal:
				for i, v := range values {
					for j, w := range values {
						if (i*31+j)%17 == 0 {
							check(f.String(), func() { _, _ = f.Call(nil, [][]byte{v, w}) })
						}
					}
				}
			}
		}
	}
	for i, v := range values {
		for _, w := range values[i:] {
			check("compare", func() { types.TDecimal.Compare(v, w) })
		}
		check("text", func() { types.TDecimal.AppendJSON(nil, v) })
	}
}
