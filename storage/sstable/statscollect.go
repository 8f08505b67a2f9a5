package sstable

import (
	"cmp"
	"math"
	"slices"

	"github.com/helenusdb/helenus/storage/row"
)

// The numbers of buckets in the histograms of the statistics, and the most bins in that of drop times, whose points are
// rounded up to dropRound seconds. Source: org.apache.cassandra.io.sstable.metadata.MetadataCollector.
const (
	sizeBuckets = 156
	cellBuckets = 119
	dropBins    = 100
	dropRound   = 60
	// dropSpool is how many different points are gathered before they go into the bins.
	dropSpool = 100_000
)

// histogram counts values in buckets whose bounds grow by a fifth. Source: org.apache.cassandra.utils.EstimatedHistogram.
type histogram struct {
	bounds []int64 // the last bucket has none
	counts []int64
}

func newHistogram(buckets int) histogram {
	h := histogram{bounds: make([]int64, buckets-1), counts: make([]int64, buckets)}
	last := int64(1)
	for i := range h.bounds {
		h.bounds[i] = last
		last = max(last+1, int64(math.Floor(float64(last)*1.2+0.5)))
	}
	return h
}

func (h *histogram) add(v int64) {
	i, _ := slices.BinarySearch(h.bounds, v)
	h.counts[i]++
}

// stored returns the buckets as the file has them: the first two name the first bound, the others that of the bucket before.
func (h *histogram) stored() []Bucket {
	list := make([]Bucket, len(h.counts))
	for i := range list {
		list[i] = Bucket{h.bounds[max(i-1, 0)], h.counts[i]}
	}
	return list
}

// dropTimes counts deletions and expiries by time. Source: org.apache.cassandra.utils.streamhist.
type dropTimes struct {
	last, count int64           // the point that came last and how often, not in spool yet
	spool       map[int64]int64 // by rounded time
	bins        []DropTime
}

// add counts a time in seconds.
func (d *dropTimes) add(second int64) {
	if r := second % dropRound; r > 0 {
		second += dropRound - r
	}
	if second == d.last {
		d.count++
		return
	}
	d.keep()
	d.last, d.count = second, 1
}

func (d *dropTimes) keep() {
	if d.count == 0 {
		return
	}
	if d.spool == nil {
		d.spool = map[int64]int64{}
	}
	d.spool[d.last] += d.count
	if d.count = 0; len(d.spool) >= dropSpool {
		d.fold()
	}
}

// fold moves the spool into the bins.
func (d *dropTimes) fold() {
	points := make([]DropTime, 0, len(d.spool)+len(d.bins))
	for second, n := range d.spool {
		points = append(points, DropTime{float64(second), n})
	}
	clear(d.spool)
	slices.SortFunc(points, func(a, b DropTime) int { return cmp.Compare(a.Second, b.Second) })
	for _, p := range points {
		d.insert(p)
	}
}

// insert puts a point into the bins; of too many the nearest two become one.
func (d *dropTimes) insert(p DropTime) {
	i, found := slices.BinarySearchFunc(d.bins, p, func(a, b DropTime) int { return cmp.Compare(a.Second, b.Second) })
	if found {
		d.bins[i].Count += p.Count
		return
	}
	if d.bins = slices.Insert(d.bins, i, p); len(d.bins) <= dropBins {
		return
	}
	nearest := 0
	for i := 1; i+1 < len(d.bins); i++ {
		if d.bins[i+1].Second-d.bins[i].Second < d.bins[nearest+1].Second-d.bins[nearest].Second {
			nearest = i
		}
	}
	a, b := &d.bins[nearest], d.bins[nearest+1]
	n := a.Count + b.Count
	*a = DropTime{(a.Second*float64(a.Count) + b.Second*float64(b.Count)) / float64(n), n}
	d.bins = slices.Delete(d.bins, nearest+1, nearest+2)
}

func (d *dropTimes) finish() []DropTime {
	d.keep()
	d.fold()
	return d.bins
}

// collector gathers what the statistics tell of the data. Source: org.apache.cassandra.io.sstable.metadata.MetadataCollector.
type collector struct {
	sizes, cells               histogram
	drops                      dropTimes
	minTimestamp, maxTimestamp int64
	minLocal, maxLocal         int64
	minTTL, maxTTL             int32
	locals, ttls               bool
	columns, rows              int64
	partitionCells             int64 // of the present partition
	keys                       hyperLogLog
}

func newCollector() collector {
	return collector{
		sizes: newHistogram(sizeBuckets), cells: newHistogram(cellBuckets),
		minTimestamp: math.MaxInt64, maxTimestamp: math.MinInt64, minLocal: math.MaxInt64, maxLocal: math.MinInt64,
	}
}

func (s *collector) timestamp(ts int64) {
	s.minTimestamp, s.maxTimestamp = min(s.minTimestamp, ts), max(s.maxTimestamp, ts)
}

func (s *collector) local(second int64) {
	s.locals = true
	s.minLocal, s.maxLocal = min(s.minLocal, second), max(s.maxLocal, second)
	if second != row.NoLocal {
		s.drops.add(second)
	}
}

func (s *collector) ttl(ttl int32) {
	if !s.ttls {
		s.minTTL, s.maxTTL, s.ttls = ttl, ttl, true
	}
	s.minTTL, s.maxTTL = min(s.minTTL, ttl), max(s.maxTTL, ttl)
}

func (s *collector) deletion(d row.Deletion) {
	if !d.IsLive() {
		s.timestamp(d.Timestamp)
		s.local(d.Local)
	}
}

// liveness takes the marker of a row that has one.
func (s *collector) liveness(l row.Liveness) {
	s.timestamp(l.Timestamp)
	s.ttl(l.TTL)
	s.local(l.Expiry)
}

func (s *collector) cell(c *row.Cell) {
	s.partitionCells++
	s.timestamp(c.Timestamp)
	s.ttl(c.TTL)
	s.local(c.Local)
}

// partition ends a partition of a length.
func (s *collector) partition(key []byte, length int64) {
	s.sizes.add(length)
	s.cells.add(s.partitionCells)
	s.partitionCells = 0
	s.keys.addKey(key)
}

// fill writes what was gathered into the statistics.
func (s *collector) fill(st *Stats) {
	st.PartitionSizes, st.PartitionCells = s.sizes.stored(), s.cells.stored()
	st.MinTimestamp, st.MaxTimestamp = s.minTimestamp, s.maxTimestamp
	if s.minTimestamp > s.maxTimestamp {
		st.MinTimestamp, st.MaxTimestamp = math.MinInt64, math.MaxInt64
	}
	st.MinLocal, st.MaxLocal = row.NoLocal, row.NoLocal
	if s.locals {
		st.MinLocal, st.MaxLocal = s.minLocal, s.maxLocal
	}
	st.MinTTL, st.MaxTTL = s.minTTL, s.maxTTL
	st.DropTimes = s.drops.finish()
	st.Columns, st.Rows = s.columns, s.rows
}
