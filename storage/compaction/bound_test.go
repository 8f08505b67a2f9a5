package compaction

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/helenusdb/helenus/cql/token"
)

// still is a moment that does not pass.
type still struct{ Moment }

func (still) Current() bool { return true }

// TestOthersAtKeys compares the sweep over other tables with looking at each of them.
func TestOthersAtKeys(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		key := func() Key { return Key{Token: token.FromInt64(r.Int64N(40))} }
		b := purgeBounds{moment: still{}}
		for range r.IntN(20) {
			o := other{first: key(), last: key(), minTimestamp: r.Int64()}
			if o.last.Compare(o.first) < 0 {
				o.first, o.last = o.last, o.first
			}
			b.others = append(b.others, o)
		}
		slices.SortFunc(b.others, func(x, y other) int { return x.first.Compare(y.first) })
		for n := range int64(40) {
			if r.IntN(3) == 0 {
				continue // only some partitions have anything to purge
			}
			k := Key{Token: token.FromInt64(n)}
			var got, want []int64
			for _, o := range b.at(k) {
				got = append(got, o.minTimestamp)
			}
			for _, o := range b.others {
				if o.first.Compare(k) <= 0 && k.Compare(o.last) <= 0 {
					want = append(want, o.minTimestamp)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d: key %d: %d tables, want %d", seed, n, len(got), len(want))
			}
		}
	}
}
