package compaction

import (
	"math"
	"slices"
)

// timeWindow merges tables whose newest write falls into the same window of time. Source: TimeWindowCompactionStrategy.
type timeWindow struct {
	o *options
	// newest is the start of the newest window that was ever seen, in seconds.
	newest int64
	// checked is when expired tables were looked for, in seconds.
	checked int64
}

func (s *timeWindow) Next(v *View) *Task {
	return s.o.withExpired(v, &s.checked, func(candidates []*Table) *Task {
		if pick := s.pick(candidates); pick != nil {
			return s.o.task(v, Compact, pick)
		}
		if !s.o.tombstonesAsked {
			return nil
		}
		return s.o.tombstoneTask(v, candidates, func(a, b *Table) bool { return bySize(a, b) < 0 })
	})
}

// withExpired lets choose pick among the free tables of v that are not fully expired, and adds those that are: they cost
// nothing. They are looked for at intervals, when checked (seconds) is long ago. The result is nil when there is neither.
func (o *options) withExpired(v *View, checked *int64, choose func([]*Table) *Task) *Task {
	candidates := v.free()
	var gone []*Table
	if v.Now-*checked > o.expiredEvery {
		*checked = v.Now
		if !o.onlyRepaired || allRepaired(candidates) {
			gone = v.expired(candidates)
		}
		candidates = without(candidates, gone)
	}
	t := choose(candidates)
	if len(gone) == 0 {
		return t
	}
	if t == nil {
		t = o.task(v, Compact, nil)
	}
	t.Inputs = append(slices.Clone(t.Inputs), gone...)
	t.Expired = append(slices.Clone(t.Expired), gone...)
	return t
}

// window returns the start, in seconds, of the window of a table. Division goes toward zero, as in Java.
func (s *timeWindow) window(t *Table) int64 {
	seconds := t.MaxTimestamp / s.o.ticksPerSecond
	return seconds - seconds%s.o.windowSeconds
}

// pick returns the tables of the newest window that needs a compaction, nil when none does: the current one is merged by size,
// older ones into one table each.
func (s *timeWindow) pick(candidates []*Table) []*Table {
	windows := map[int64][]*Table{}
	var starts []int64
	for _, t := range candidates {
		w := s.window(t)
		if windows[w] == nil {
			starts = append(starts, w)
		}
		windows[w] = append(windows[w], t)
		s.newest = max(s.newest, w)
	}
	slices.Sort(starts)
	for _, w := range slices.Backward(starts) {
		tables := windows[w]
		switch {
		case w >= s.newest && len(tables) >= s.o.minThreshold:
			if pick := s.o.interesting(s.o.buckets(tables), s.o.minThreshold, s.o.maxThreshold); pick != nil {
				return pick
			}
		case w < s.newest && len(tables) >= 2:
			slices.SortFunc(tables, bySize)
			return tables[:min(len(tables), s.o.maxThreshold)]
		}
	}
	return nil
}

func (s *timeWindow) Major(v *View, split bool) []*Task { return (&sizeTiered{s.o}).Major(v, split) }

func (s *timeWindow) Rewrite(v *View, tables []*Table) *Task { return s.o.task(v, Compact, tables) }

func (s *timeWindow) Pending(v *View) int {
	counts := map[int64]int{}
	newest := s.newest
	for _, t := range v.free() {
		w := s.window(t)
		counts[w]++
		newest = max(newest, w)
	}
	n := 0
	for w, c := range counts {
		if w >= newest && c >= s.o.minThreshold || w < newest && c >= 2 {
			n++
		}
	}
	return n
}

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
		switch {
		case a.MinTimestamp > b.MinTimestamp:
			return -1
		case a.MinTimestamp < b.MinTimestamp:
			return 1
		}
		return compareIDs(a, b)
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
