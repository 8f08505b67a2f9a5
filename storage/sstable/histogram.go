package sstable

import (
	"fmt"
	"io"
	"math"
	"sort"
	"strings"
	"unicode/utf16"
)

// barWidth is how wide the longest bar of a printed histogram is.
const barWidth = 30

// filled returns the buckets of an estimated histogram that count something, with the offsets that they count up to: a file
// tells a bucket's offset with the one behind it. The last bucket, of what is greater than all offsets, is left out.
func filled(buckets []Bucket) []Bucket {
	var out []Bucket
	for i := 0; i+1 < len(buckets); i++ {
		if buckets[i].Count > 0 {
			out = append(out, Bucket{Offset: buckets[i+1].Offset, Count: buckets[i].Count})
		}
	}
	return out
}

// printHistogram prints a bar for each bucket, and percentiles. Source: org.apache.cassandra.tools.Util.TermHistogram.
func printHistogram(w io.Writer, buckets []Bucket, title string, name func(int64) string) {
	width, most, sum := len(title), int64(0), int64(0)
	spread := NewSpread()
	for _, b := range buckets {
		width, most, sum = max(width, len(name(b.Offset))), max(most, b.Count), sum+b.Count
		spread.Add(b.Offset, b.Count)
	}
	countWidth := max(5, len(fmt.Sprint(most)))
	fmt.Fprintf(w, "   %-*s | %-*s  (%%)  Histogram \n", width, title, countWidth, "Count")
	for _, b := range buckets {
		fmt.Fprintf(w, "   %-*s | %*d (%3d) %s\n", width, name(b.Offset), countWidth, b.Count, int(100*float64(b.Count)/float64(sum)), bar(b.Count, most))
	}
	fmt.Fprint(w, "   Percentiles\n")
	for _, p := range []int{50, 75, 95, 98, 99} {
		fmt.Fprintf(w, "   %dth      %s\n", p, name(spread.Percentile(float64(p)/100)))
	}
	fmt.Fprintf(w, "   Min       %s\n   Max       %s\n", name(spread.Min()), name(spread.Max()))
}

// bar is a count drawn against the greatest one.
func bar(n, most int64) string {
	length := float64(n) / float64(most) * barWidth
	s := strings.Repeat("O", int(length))
	switch rest := length - math.Floor(length); {
	case rest >= 0.75:
		s += "o"
	case rest >= 0.3:
		s += "."
	}
	return s
}

// Spread counts values in buckets that grow by a fifth. Source: org.apache.cassandra.utils.EstimatedHistogram with 165 buckets.
type Spread struct {
	offsets, counts []int64
	total           int64
}

// NewSpread returns an empty Spread.
func NewSpread() *Spread {
	s := &Spread{offsets: make([]int64, 165), counts: make([]int64, 166)}
	last := int64(1)
	s.offsets[0] = last
	for i := 1; i < len(s.offsets); i++ {
		next := int64(math.Round(float64(last) * 1.2))
		if next == last {
			next++
		}
		s.offsets[i], last = next, next
	}
	return s
}

// spreadOf returns the Spread of a stored histogram.
func spreadOf(buckets []Bucket) *Spread {
	s := NewSpread()
	for _, b := range filled(buckets) {
		s.Add(b.Offset, b.Count)
	}
	return s
}

// Partitions returns the sizes of the partitions in bytes.
func (s *Stats) Partitions() *Spread { return spreadOf(s.PartitionSizes) }

// Cells returns the numbers of cells of the partitions.
func (s *Stats) Cells() *Spread { return spreadOf(s.PartitionCells) }

// Add counts a value n times.
func (s *Spread) Add(v, n int64) {
	s.counts[sort.Search(len(s.offsets), func(i int) bool { return s.offsets[i] >= v })] += n
	s.total += n
}

// Merge adds what another one has counted.
func (s *Spread) Merge(o *Spread) {
	for i, n := range o.counts {
		s.counts[i] += n
	}
	s.total += o.total
}

// Count returns how many values were counted.
func (s *Spread) Count() int64 { return s.total }

// Mean returns the mean of the offsets of all values; NaN when there is none.
func (s *Spread) Mean() float64 {
	sum := 0.0
	for i, offset := range s.offsets {
		sum += float64(offset) * float64(s.counts[i])
	}
	return sum / float64(s.total)
}

// Percentile returns the offset of the bucket where the share p of all values is reached; 0 when there is none.
func (s *Spread) Percentile(p float64) int64 {
	want := int64(math.Ceil(float64(s.total) * p))
	if want == 0 {
		return 0
	}
	n := int64(0)
	for i, offset := range s.offsets {
		if n += s.counts[i]; n >= want {
			return offset
		}
	}
	return 0
}

// Min returns the least value that the lowest bucket can hold.
func (s *Spread) Min() int64 {
	for i, n := range s.counts {
		if n > 0 && i > 0 {
			return s.offsets[i-1] + 1
		} else if n > 0 {
			return 0
		}
	}
	return 0
}

// Max returns the greatest value that the highest bucket can hold.
func (s *Spread) Max() int64 {
	for i := len(s.offsets) - 1; i >= 0; i-- {
		if s.counts[i] > 0 {
			return s.offsets[i]
		}
	}
	return 0
}

// sizeText prints bytes with the unit that fits.
func sizeText(n int64) string {
	const units = "kMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	exp := min(int(math.Log(float64(n))/math.Log(1024)), len(units))
	return fmt.Sprintf("%.1f %cB", float64(n)/math.Pow(1024, float64(exp)), units[exp-1])
}

// javaHashOrder returns columns in the order in which a java.util.HashMap of their names is walked that they were put into
// one after the other.
func javaHashOrder(columns []HeaderColumn) []HeaderColumn {
	size := 16
	for len(columns)*4 > size*3 {
		size *= 2
	}
	slot := func(name string) int {
		var h int32
		for _, c := range utf16.Encode([]rune(name)) {
			h = 31*h + int32(c)
		}
		return int(uint32(h)^uint32(h)>>16) & (size - 1)
	}
	out := append([]HeaderColumn{}, columns...)
	sort.SliceStable(out, func(i, j int) bool { return slot(out[i].Name) < slot(out[j].Name) })
	return out
}
