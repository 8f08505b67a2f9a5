package storage

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/helenusdb/helenus/storage/vfs"
)

// TestHistogram compares percentiles with those of the sorted values: they are at most an eighth too great.
func TestHistogram(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		var h Histogram
		values := make([]int64, 1+r.IntN(2000))
		sum := 0.0
		for i := range values {
			values[i] = r.Int64() >> r.IntN(63)
			if values[i] > math.MaxInt64/4000 {
				values[i] = int64(r.IntN(20))
			}
			sum += float64(values[i])
			h.Add(values[i])
		}
		slices.Sort(values)
		d := h.Distribution()
		n := len(values)
		if d.Count != int64(n) || d.Min != values[0] || d.Max != values[n-1] || math.Abs(d.Mean-sum/float64(n)) > 1e-6*d.Mean {
			t.Fatalf("%+v", d)
		}
		for _, p := range []struct {
			part float64
			got  int64
		}{{0.5, d.P50}, {0.75, d.P75}, {0.95, d.P95}, {0.98, d.P98}, {0.99, d.P99}} {
			want := values[max(int(p.part*float64(n)+0.5)-1, 0)]
			if p.got < want || p.got > want+want/8 {
				t.Errorf("seed %d: the value at %v of %d is %d, want %d", seed, p.part, n, p.got, want)
			}
		}
	}
	for _, v := range []int64{0, 1, 7, 8, 15, 16, 17, 1000, math.MaxInt64} {
		if b := bucketOf(v); ceiling(b) < v || b > 0 && ceiling(b-1) >= v {
			t.Errorf("%d is in bucket %d, which ends at %d", v, b, ceiling(b))
		}
	}
}

// TestLatencies holds that reads and writes are timed and the figures of lookups are counted.
func TestLatencies(t *testing.T) {
	table := kvTable("a")
	e, _ := mustOpen(t, "/d", Options{FS: vfs.NewMem()}, table)
	for i := range 1000 {
		mustApply(t, e, kv(table, i, 1, 1, 1))
		if i%300 == 299 {
			mustFlush(t, e)
		}
	}
	for i := range 200 {
		r := everythingOf(table)
		r.Keys = [][]byte{int32Value(i * 10)}
		readAll(t, e, r)
	}
	l, err := e.Latencies(table.ID)
	if err != nil || l.Write.Count < 1000/sampleWrites || l.Read.Count < 200/sampleReads || l.Read.P50 <= 0 || l.SSTablesPerRead.Count != 200 ||
		l.SSTablesPerRead.Max != 1 {
		t.Errorf("%+v, %v", l, err)
	}
	s, err := e.TableStats(table.ID)
	if err != nil || s.BloomFilterTrue != 90 || s.ReadCount != 200 || s.WriteCount != 1000 {
		t.Errorf("%+v, %v", s, err)
	}
	if err := e.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	e.Close()
}
