package compaction

import (
	"cmp"
	"math"
	"slices"

	"github.com/helenusdb/helenus/cql/token"
)

// Bounds of the levels. Source: org.apache.cassandra.db.compaction.LeveledManifest.
const (
	maxLevels = 9
	// maxL0 is how many tables of level 0 one task takes, and above how many they are merged by size first.
	maxL0 = 32
	// starved is how many tasks may pass without the highest level before one of its tables is taken along.
	starved = 25
	// fullScore is the share of its target from which a level is compacted.
	fullScore = 1.001
)

// leveled keeps tables of a fixed size in levels whose tables do not overlap, each fanout times as large as the one before.
// Source: LeveledCompactionStrategy, LeveledManifest, LeveledGenerations.
type leveled struct {
	o *options
	// rounds counts, for each level, the tasks since one that wrote to it.
	rounds [maxLevels]int
}

// levels are tables by level, from 1 up sorted by key and without overlaps.
type levels [maxLevels][]*Table

// split puts tables in their levels, older ones first; one that overlaps its level counts for level 0.
func split(tables []*Table) *levels {
	sorted := slices.Clone(tables)
	slices.SortFunc(sorted, func(a, b *Table) int { return cmp.Or(cmp.Compare(a.CreationMs, b.CreationMs), compareIDs(a, b)) })
	var l levels
	for _, t := range sorted {
		n := min(max(t.Level, 0), maxLevels-1)
		if n > 0 {
			at, _ := slices.BinarySearchFunc(l[n], t, func(a, b *Table) int { return a.First.Compare(b.First) })
			if (at == 0 || l[n][at-1].Last.Compare(t.First) < 0) && (at == len(l[n]) || t.Last.Compare(l[n][at].First) < 0) {
				l[n] = slices.Insert(l[n], at, t)
				continue
			}
		}
		l[0] = append(l[0], t)
	}
	return &l
}

// target returns the bytes that a level is to hold.
func (s *leveled) target(level int) float64 {
	if level == 0 {
		return 4 * float64(s.o.tableSize)
	}
	return math.Pow(float64(s.o.fanout), float64(level)) * float64(s.o.tableSize)
}

func (s *leveled) Next(v *View) *Task {
	l := split(v.Tables)
	if v.Bootstrapping {
		// Received tables are to find room in the levels they came from.
		return s.tierL0(v, l, 0)
	}
	for n := maxLevels - 1; n > 0; n-- {
		var idle int64
		for _, t := range l[n] {
			if !v.Running[t.ID] {
				idle += t.Size
			}
		}
		if float64(idle)/s.target(n) <= fullScore {
			continue
		}
		if t := s.tierL0(v, l, maxL0); t != nil {
			return t
		}
		if picked := s.pick(v, l, n); picked != nil {
			to := s.nextLevel(l, picked)
			return s.leveledTask(v, s.feed(v, l, to, picked), to)
		}
	}
	if picked := s.pickL0(v, l); picked != nil {
		return s.leveledTask(v, picked, s.nextLevel(l, picked))
	}
	if t := s.tierL0(v, l, maxL0); t != nil {
		return t
	}
	return s.tombstones(v, l)
}

// leveledTask returns the task that writes picked to a level.
func (s *leveled) leveledTask(v *View, picked []*Table, level int) *Task {
	t := s.o.task(v, Compact, picked)
	t.Level, t.MaxSize = level, s.o.tableSize
	t.Relabel = s.o.singleUplevel && len(picked) == 1 && level > picked[0].Level
	return t
}

// tierL0 merges tables of level 0 by size, when there are more than least; the result stays there.
func (s *leveled) tierL0(v *View, l *levels, least int) *Task {
	if len(l[0]) <= least {
		return nil
	}
	l0 := View{Tables: l[0], Running: v.Running}
	pick := s.o.interesting(s.o.buckets(l0.free()), 4, 32)
	if pick == nil {
		return nil
	}
	return s.o.task(v, Compact, pick)
}

// pick returns a table of a level together with those of the next that it overlaps, none running or suspect; it goes on
// behind the key where the last task of the level ended.
func (s *leveled) pick(v *View, l *levels, level int) []*Table {
	if level+1 >= maxLevels {
		return nil
	}
	tables := l[level]
	start := 0
	if last := lastWritten(l[level+1]); last != nil {
		start = max(0, slices.IndexFunc(tables, func(t *Table) bool { return t.First.Compare(*last) > 0 }))
	}
	for i := range tables {
		t := tables[(start+i)%len(tables)]
		picked := append([]*Table{t}, meeting(t.First.Token, t.Last.Token, l[level+1])...)
		if !slices.ContainsFunc(picked, func(t *Table) bool { return t.Suspect || v.Running[t.ID] }) {
			return picked
		}
	}
	return nil
}

// lastWritten returns the last key of the newest tables of a level: there ended the last task that wrote to it.
func lastWritten(tables []*Table) *Key {
	var newest *Table
	for _, t := range tables {
		if newest == nil || t.CreationMs >= newest.CreationMs {
			newest = t
		}
	}
	if newest == nil {
		return nil
	}
	return &newest.Last
}

// meeting returns the tables that have tokens in [first, last].
func meeting(first, last token.Token, tables []*Table) []*Table {
	var out []*Table
	for _, t := range tables {
		if t.First.Token.Compare(last) <= 0 && first.Compare(t.Last.Token) <= 0 {
			out = append(out, t)
		}
	}
	return out
}

// span returns the first and last token of tables, which are not none: what they give together may stand anywhere in it.
func span(tables []*Table) (first, last token.Token) {
	first, last = tables[0].First.Token, tables[0].Last.Token
	for _, t := range tables[1:] {
		if t.First.Token.Less(first) {
			first = t.First.Token
		}
		if last.Less(t.Last.Token) {
			last = t.Last.Token
		}
	}
	return first, last
}

// pickL0 returns tables of level 0, the oldest first and each with those that overlap it, and when they are more than one
// output the tables of level 1 that they overlap. Nil when it comes to fewer than two or something is in the way.
func (s *leveled) pickL0(v *View, l *levels) []*Table {
	var busy, rest []*Table
	for _, t := range l[0] {
		switch {
		case v.Running[t.ID]:
			busy = append(busy, t)
			fallthrough
		case !t.Suspect:
			rest = append(rest, t)
		}
	}
	slices.SortFunc(rest, byMaxTimestamp)
	var picked []*Table
	taken := map[string]bool{}
	for _, t := range rest {
		if taken[t.ID] {
			continue
		}
		group := meeting(t.First.Token, t.Last.Token, rest)
		group = slices.DeleteFunc(group, func(o *Table) bool { return taken[o.ID] })
		if slices.ContainsFunc(group, func(o *Table) bool { return v.Running[o.ID] }) {
			continue
		}
		for _, o := range group {
			taken[o.ID] = true
			if len(busy) > 0 {
				first, last := span(busy)
				if len(meeting(first, last, []*Table{o})) > 0 {
					continue
				}
			}
			picked = append(picked, o)
		}
		if len(picked) > maxL0 {
			slices.SortFunc(picked, byMaxTimestamp)
			picked = picked[:maxL0]
			break
		}
	}
	if totalSize(picked) > s.o.tableSize {
		first, last := span(picked)
		below := meeting(first, last, l[1])
		if slices.ContainsFunc(below, func(t *Table) bool { return v.Running[t.ID] || t.Suspect }) ||
			len(meeting(first, last, busy)) > 0 {
			return nil
		}
		picked = append(picked, below...)
	}
	if len(picked) < 2 {
		return nil
	}
	return picked
}

// nextLevel returns the level of what picked gives: the next when all are of one, else the highest; little data of level 0
// stays there.
func (s *leveled) nextLevel(l *levels, picked []*Table) int {
	low, high, set := maxLevels, 0, setOf(picked)
	for n, tables := range l {
		if set.meets(tables) {
			low, high = min(low, n), max(high, n)
		}
	}
	switch {
	case low == 0 && high == 0 && totalSize(picked) <= s.o.tableSize:
		return 0
	case low == high:
		return min(high+1, maxLevels-1)
	}
	return high
}

// feed adds to picked a table of the highest level when that was not written for long, one that lies inside of what is
// compacted anyway; else levels that became too small would stay so for good.
// Source: LeveledManifest.getOverlappingStarvedSSTables.
func (s *leveled) feed(v *View, l *levels, to int, picked []*Table) []*Table {
	for n := 1; n < maxLevels; n++ {
		s.rounds[n]++
	}
	s.rounds[to] = 0
	top := maxLevels - 1
	for top > 0 && len(l[top]) == 0 {
		top--
	}
	if top == 0 || s.rounds[top] <= starved {
		return picked
	}
	first, last := picked[0].First, picked[0].Last
	for _, t := range picked[1:] {
		if t.First.Compare(first) < 0 {
			first = t.First
		}
		if t.Last.Compare(last) > 0 {
			last = t.Last
		}
	}
	set := setOf(picked)
	for _, t := range l[top] {
		inside := t.First.Compare(first) > 0 && t.Last.Compare(last) <= 0
		if inside && !t.Suspect && !v.Running[t.ID] && !set[t.ID] {
			return append(picked, t)
		}
	}
	return picked
}

// tombstones returns the compaction of one table for its tombstones, from the highest level down; it stays on its level.
func (s *leveled) tombstones(v *View, l *levels) *Task {
	for n := maxLevels - 1; n >= 0; n-- {
		free := (&View{Tables: l[n], Running: v.Running}).free()
		t := s.o.tombstoneTask(v, free, func(a, b *Table) bool { return a.droppableRatio(v.GCBefore) > b.droppableRatio(v.GCBefore) })
		if t != nil {
			t.Level, t.MaxSize = n, s.o.tableSize
			return t
		}
	}
	return nil
}

// Major merges everything and fills the levels anew from 1 up. Source: writers.MajorLeveledCompactionWriter.
func (s *leveled) Major(v *View, _ bool) []*Task {
	tables := v.free()
	if len(tables) == 0 {
		return nil
	}
	t := s.o.task(v, Major, tables)
	t.Level, t.MaxSize = 1, s.o.tableSize
	if len(v.Running) > 0 && len(tables) < len(v.sound()) {
		// What still runs may stand between the keys of this: only level 0 takes overlaps.
		t.Level = 0
		return []*Task{t}
	}
	for n := 1; n < maxLevels; n++ {
		t.LevelBytes = append(t.LevelBytes, int64(s.target(n)))
	}
	return []*Task{t}
}

// Rewrite keeps the level of a table alone; several go to level 0 in one piece. Source: LeveledCompactionStrategy.getUserDefinedTask.
func (s *leveled) Rewrite(v *View, tables []*Table) *Task {
	t := s.o.task(v, Compact, tables)
	if len(tables) == 1 && tables[0].Level > 0 {
		t.Level, t.MaxSize = tables[0].Level, s.o.tableSize
	}
	return t
}

func (s *leveled) Pending(v *View) int {
	n := 0.0
	for level, tables := range split(v.Tables) {
		over := float64(totalSize(tables)) - s.target(level)*fullScore
		n += math.Ceil(max(0, over) / float64(s.o.tableSize))
	}
	return int(n)
}

// Relevels returns the level for each table when they are laid out anew: the highest level gets as many tables without
// overlaps as can be found going up by their last keys, and so on down, for as many levels as the number of tables has digits;
// what is left is for level 0. The result is by table id.
// Source: org.apache.cassandra.tools.SSTableOfflineRelevel.
func Relevels(tables []*Table) map[string]int {
	rest := slices.Clone(tables)
	slices.SortFunc(rest, func(a, b *Table) int { return cmp.Or(a.Last.Compare(b.Last), byFirst(a, b)) })
	var rounds [][]*Table
	for len(rest) > 0 {
		var round, left []*Table
		for _, t := range rest {
			if len(round) == 0 || round[len(round)-1].Last.Compare(t.First) < 0 {
				round = append(round, t)
			} else {
				left = append(left, t)
			}
		}
		rounds, rest = append(rounds, round), left
	}
	out := map[string]int{}
	expected := min(len(rounds), maxLevels-1, int(math.Round(math.Log10(float64(max(1, len(tables)))))))
	for i, round := range rounds {
		for _, t := range round {
			out[t.ID] = max(0, expected-i)
		}
	}
	return out
}
