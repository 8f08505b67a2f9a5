package compaction

// worthDropping reports whether compacting one table alone would drop enough of its tombstones: it is older than the interval,
// more of its cells than the threshold can be dropped, and other tables do not stand in the way of too many of them.
// Source: AbstractCompactionStrategy.worthDroppingTombstones.
func (o *options) worthDropping(v *View, t *Table) bool {
	if o.onlyRepaired && !t.Repaired() {
		return false
	}
	// Ratios are estimates: a table that keeps its tombstones must not be compacted again at once.
	if v.Now*1000 < t.CreationMs+o.tombstoneInterval*1000 {
		return false
	}
	ratio := t.droppableRatio(v.GCBefore)
	if ratio <= o.tombstoneThreshold {
		return false
	}
	if o.uncheckedTombstone {
		return true
	}
	alone := []*Table{t}
	others := overlapping(alone, v.All)
	if len(others) == 0 || len(fullyExpired(alone, others, v.GCBefore, v.MemtableMin)) > 0 {
		return true
	}
	if t.Keys == 0 {
		return false
	}
	return float64(t.keysOutside(others))/float64(t.Keys)*ratio > o.tombstoneThreshold
}

// tombstoneTask returns the compaction of one table for its tombstones; nil when none is worth it. Of several, better says
// which of two is preferred.
func (o *options) tombstoneTask(v *View, candidates []*Table, better func(a, b *Table) bool) *Task {
	var best *Table
	for _, t := range candidates {
		if o.worthDropping(v, t) && (best == nil || better(t, best)) {
			best = t
		}
	}
	if best == nil {
		return nil
	}
	return o.task(v, Tombstones, []*Table{best})
}

// task returns a task with what the options of all strategies say.
func (o *options) task(v *View, kind Kind, inputs []*Table) *Task {
	t := &Task{Kind: kind, Inputs: inputs, AllRepaired: o.onlyRepaired, Provide: o.provide, Reducible: true}
	if !o.onlyRepaired || allRepaired(inputs) {
		t.Expired = v.expired(inputs)
	}
	return t
}

func allRepaired(tables []*Table) bool {
	for _, t := range tables {
		if !t.Repaired() {
			return false
		}
	}
	return true
}
