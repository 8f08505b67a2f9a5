package compaction

import (
	"cmp"
	"math"
	"slices"
)

// dateTiered merges tables whose oldest write falls into the same window of time, where windows grow with age. Cassandra has
// no such strategy any more since 5.0; tables of older schemas may name it. Source: DateTieredCompactionStrategy, 4.1.
type dateTiered struct {
	o *options
	// checked is when expired tables were looked for, in seconds.
	checked int64
}

// target is a window of time: all timestamps whose quotient by size is position.
type target struct{ size, position, limit int64 }

// older returns the window before t; the larger one around it where base windows of t's size end.
func (t target) older(base int64) target {
	if t.position%base > 0 || t.size*base > t.limit {
		return target{t.size, t.position - 1, t.limit}
	}
	return target{t.size * base, t.position/base - 1, t.limit}
}

func (t target) holds(timestamp int64) bool { return timestamp/t.size == t.position }

func (s *dateTiered) Next(v *View) *Task {
	return s.o.withExpired(v, &s.checked, func(candidates []*Table) *Task {
		if pick := s.pick(v, candidates); pick != nil {
			return s.o.task(v, Compact, pick)
		}
		return s.o.tombstoneTask(v, candidates, func(a, b *Table) bool { return bySize(a, b) < 0 })
	})
}

func (s *dateTiered) pick(v *View, candidates []*Table) []*Table {
	windows, first := s.windows(v, candidates)
	for _, tables := range windows {
		least := 2
		if first.holds(tables[0].MinTimestamp) {
			least = s.o.minThreshold
		}
		if len(tables) < least {
			continue
		}
		if pick := s.o.interesting(s.o.buckets(tables), least, s.o.maxThreshold); pick != nil {
			return pick
		}
	}
	return nil
}

// windows groups candidates by window, the newest first, and returns the current window too. Now is the newest write of any
// table.
func (s *dateTiered) windows(v *View, candidates []*Table) (out [][]*Table, first target) {
	now := int64(math.MinInt64)
	for _, t := range v.Tables {
		now = max(now, t.MaxTimestamp)
	}
	unit := max(1, s.o.baseSeconds*s.o.ticksPerSecond)
	first = target{unit, now / unit, s.o.maxWindow * s.o.ticksPerSecond}
	var young []*Table
	for _, t := range candidates {
		if s.o.maxAgeTicks == 0 || t.MaxTimestamp >= now-s.o.maxAgeTicks || now < math.MinInt64+s.o.maxAgeTicks {
			young = append(young, t)
		}
	}
	slices.SortFunc(young, func(a, b *Table) int {
		return cmp.Or(cmp.Compare(b.MinTimestamp, a.MinTimestamp), compareIDs(a, b))
	})
	window := first
	for i := 0; i < len(young); {
		at := young[i].MinTimestamp
		switch {
		case window.holds(at):
			from := i
			for i < len(young) && window.holds(young[i].MinTimestamp) {
				i++
			}
			out = append(out, young[from:i])
		case window.position < at/window.size:
			i++
		default:
			window = window.older(int64(s.o.minThreshold))
			// Windows of the largest size would be walked one by one over any gap.
			if window.size*int64(s.o.minThreshold) > window.limit && at/window.size < window.position {
				window.position = at / window.size
			}
		}
	}
	return out, first
}

func (s *dateTiered) Major(v *View, split bool) []*Task { return (&sizeTiered{s.o}).Major(v, split) }

func (s *dateTiered) Rewrite(v *View, tables []*Table) *Task { return s.o.task(v, Compact, tables) }

func (s *dateTiered) Pending(v *View) int {
	windows, first := s.windows(v, v.free())
	n := 0
	for _, tables := range windows {
		if len(tables) >= s.o.minThreshold || len(tables) >= 2 && !first.holds(tables[0].MinTimestamp) {
			n += (len(tables) + s.o.maxThreshold - 1) / s.o.maxThreshold
		}
	}
	return n
}
