package storage

import (
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/row"
)

// A clock costs as much as a part of a write: every sampleWrites-th write and sampleReads-th read is timed.
const (
	sampleWrites = 64
	sampleReads  = 16
)

// Histogram counts values of at least 0 in buckets that are at most an eighth wider than the least value in them. It may be used
// by many goroutines; the zero value is empty. It stands for org.apache.cassandra.metrics.DecayingEstimatedHistogramReservoir,
// and forgets nothing.
type Histogram struct {
	buckets  [496]atomic.Int64
	sum, min atomic.Int64 // min is one more than the least value, 0 for none
	max      atomic.Int64
}

// subBits is the logarithm of the number of buckets for each power of two.
const subBits = 3

// bucketOf returns the number of a value's bucket.
func bucketOf(v int64) int {
	if v < 1<<subBits {
		return int(max(v, 0))
	}
	shift := bits.Len64(uint64(v)) - subBits - 1
	return (shift+1)<<subBits + int(v>>shift) - 1<<subBits
}

// ceiling returns the greatest value of a bucket.
func ceiling(bucket int) int64 {
	if bucket < 1<<(subBits+1) {
		return int64(bucket)
	}
	shift := bucket>>subBits - 1
	return int64(bucket&(1<<subBits-1)+1<<subBits+1)<<shift - 1
}

// Add counts a value.
func (h *Histogram) Add(v int64) {
	h.buckets[bucketOf(v)].Add(1)
	h.sum.Add(v)
	for at := h.min.Load(); (at == 0 || v+1 < at) && !h.min.CompareAndSwap(at, v+1); at = h.min.Load() {
	}
	for at := h.max.Load(); v > at && !h.max.CompareAndSwap(at, v); at = h.max.Load() {
	}
}

// Distribution is what a Histogram has counted: the mean, the values below which 50, 75, 95, 98 and 99 percent are, the least and
// the greatest.
type Distribution struct {
	Count                   int64
	Mean                    float64
	P50, P75, P95, P98, P99 int64
	Min, Max                int64
}

// Distribution returns what was counted.
func (h *Histogram) Distribution() Distribution {
	var counts [len(h.buckets)]int64
	var d Distribution
	for i := range counts {
		counts[i] = h.buckets[i].Load()
		d.Count += counts[i]
	}
	if d.Count == 0 {
		return d
	}
	d.Mean, d.Min, d.Max = float64(h.sum.Load())/float64(d.Count), max(h.min.Load()-1, 0), h.max.Load()
	for _, p := range [...]struct {
		part float64
		to   *int64
	}{{0.5, &d.P50}, {0.75, &d.P75}, {0.95, &d.P95}, {0.98, &d.P98}, {0.99, &d.P99}} {
		left := int64(p.part*float64(d.Count) + 0.5)
		for i := range counts {
			if left -= counts[i]; left <= 0 {
				*p.to = min(ceiling(i), d.Max)
				break
			}
		}
	}
	return d
}

// Latencies are how long local reads and writes of a table took, in nanoseconds, and how many tables on disk a read of a
// partition came upon. Source: TableMetrics.readLatency, writeLatency, sstablesPerReadHistogram.
type Latencies struct{ Read, Write, SSTablesPerRead Distribution }

// Latencies returns the latencies of a table since the start.
func (e *Engine) Latencies(table schema.UUID) (Latencies, error) {
	st := e.store(table)
	if st == nil {
		return Latencies{}, ErrUnknownTable
	}
	m := &st.metrics
	return Latencies{m.readTime.Distribution(), m.writeTime.Distribution(), m.tablesPerRead.Distribution()}, nil
}

// timed is an iterator that counts the time until it is closed.
type timed struct {
	row.Iterator
	begun time.Time
	into  *Histogram
}

// Close implements row.Iterator.
func (t *timed) Close() {
	t.Iterator.Close()
	if t.into != nil {
		t.into.Add(int64(time.Since(t.begun)))
		t.into = nil
	}
}
