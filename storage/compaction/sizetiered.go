package compaction

import (
	"cmp"
	"slices"
)

// sizeTiered merges tables of like size. Source: SizeTieredCompactionStrategy.
type sizeTiered struct{ o *options }

// splitMin is the size below which the outputs of a split major compaction are not halved again.
// Source: org.apache.cassandra.db.compaction.writers.SplittingSizeTieredCompactionWriter.
const splitMin = 50 << 20

func (s *sizeTiered) Next(v *View) *Task {
	candidates := v.free()
	if pick := s.o.interesting(s.o.buckets(candidates), s.o.minThreshold, s.o.maxThreshold); pick != nil {
		return s.o.task(v, Compact, pick)
	}
	return s.o.tombstoneTask(v, candidates, func(a, b *Table) bool { return bySize(a, b) > 0 })
}

func (s *sizeTiered) Major(v *View, split bool) []*Task {
	tables := v.free()
	if len(tables) == 0 {
		return nil
	}
	t := s.o.task(v, Major, tables)
	if split {
		t.Sizes = halves(totalSize(without(tables, t.Expired)))
	}
	return []*Task{t}
}

// halves returns the sizes of outputs that hold a half, a quarter and so on of total, down to splitMin; the last takes the rest.
func halves(total int64) []int64 {
	var out []int64
	for size := total / 2; size >= splitMin && len(out) < 19; size /= 2 {
		out = append(out, size)
	}
	return out
}

func (s *sizeTiered) Rewrite(v *View, tables []*Table) *Task { return s.o.task(v, Compact, tables) }

func (s *sizeTiered) Pending(v *View) int {
	n := 0
	for _, b := range s.o.buckets(v.free()) {
		if len(b.tables) >= s.o.minThreshold {
			n += (len(b.tables) + s.o.maxThreshold - 1) / s.o.maxThreshold
		}
	}
	return n
}

// bucket is tables of like size.
type bucket struct {
	average int64
	tables  []*Table
}

// buckets groups tables by size: each goes to the first bucket whose average is near its size, or where both are small; the
// average follows. Source: SizeTieredCompactionStrategy.getBuckets.
func (o *options) buckets(tables []*Table) []*bucket {
	sorted := slices.Clone(tables)
	slices.SortFunc(sorted, bySize)
	var out []*bucket
next:
	for _, t := range sorted {
		for _, b := range out {
			size, avg := float64(t.Size), float64(b.average)
			if size > avg*o.bucketLow && size < avg*o.bucketHigh || t.Size < o.minSize && b.average < o.minSize {
				n := int64(len(b.tables))
				b.average = (b.average*n + t.Size) / (n + 1)
				b.tables = append(b.tables, t)
				continue next
			}
		}
		out = append(out, &bucket{t.Size, []*Table{t}})
	}
	return out
}

// interesting returns the tables of the bucket that is read the most, the hottest most of them, or nil when none has least.
// On a tie the bucket of smaller tables wins. Source: SizeTieredCompactionStrategy.mostInterestingBucket.
func (o *options) interesting(buckets []*bucket, least, most int) []*Table {
	var best []*Table
	var bestHotness float64
	var bestAverage int64
	for _, b := range buckets {
		if len(b.tables) < least {
			continue
		}
		tables := slices.Clone(b.tables)
		slices.SortStableFunc(tables, func(a, b *Table) int { return cmp.Compare(b.Hotness, a.Hotness) })
		tables = tables[:min(len(tables), most)]
		hotness, average := 0.0, totalSize(tables)/int64(len(tables))
		for _, t := range tables {
			hotness += t.Hotness
		}
		if best == nil || hotness > bestHotness || hotness == bestHotness && average < bestAverage {
			best, bestHotness, bestAverage = tables, hotness, average
		}
	}
	return best
}
