package compaction

import "slices"

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
