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
		for _, n := range []*big.Int{
			big.NewInt(0), big.NewInt(1), big.NewInt(-1), big.NewInt(10), big.NewInt(999999), long, new(big.Int).Neg(long),
		} {
			all = append(all, types.AppendDecimal(nil, types.BigDecimal{Unscaled: n, Scale: scale}))
		}
	}
	return all
}

// TestHostileDecimals holds that no pair of decimals keeps an operation busy for long (reliability.md 4, item 60).
func TestHostileDecimals(t *testing.T) {
	values := hostileDecimals()
	check := func(what string, f func()) {
		var d time.Duration
		for range 5 { // others may have the processor for a while, but not each time
			start := time.Now()
			f()
			if d = time.Since(start); d <= 300*time.Millisecond {
				return
			}
		}
		t.Errorf("%s takes %v", what, d)
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

// TestHostileFloor holds that floors over the whole range of time with any duration end soon.
func TestHostileFloor(t *testing.T) {
	times := []int64{math.MinInt64, -1, 0, 1, 1296705906789, math.MaxInt64}
	durations := []types.DurationValue{
		{Months: 1}, {Months: 1, Nanos: 1e6}, {Months: 1, Days: 1}, {Months: 1, Days: math.MaxInt32}, {Days: 1},
		{Months: math.MaxInt32, Days: math.MaxInt32, Nanos: math.MaxInt64 / 1e6 * 1e6}, {Nanos: 1e6},
	}
	start := time.Now()
	for _, f := range natives["floor"] {
		if len(f.Args) != 3 || f.Args[0].Kind != types.Timestamp {
			continue
		}
		for _, at := range times {
			for _, from := range times {
				for _, d := range durations {
					v, err := f.Call(nil, [][]byte{types.AppendInt64(nil, at), types.AppendDuration(nil, d), types.AppendInt64(nil, from)})
					if err == nil && d.Months == 0 && types.Int64(v) > at {
						t.Errorf("floor of %d by %v from %d is %d", at, d, from, types.Int64(v))
					}
				}
			}
		}
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("floors take %v", d)
	}
}
