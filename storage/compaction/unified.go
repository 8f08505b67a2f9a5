package compaction

import (
	"cmp"
	"math"
	"slices"

	"github.com/helenusdb/helenus/cql/token"
)

// unified merges tables of like density that overlap, and cuts what comes out at fixed tokens.
// Source: UnifiedCompactionStrategy, unified.Controller; UnifiedCompactionStrategy.md.
type unified struct {
	o *options
	// checked is when expired tables were looked for, in seconds.
	checked int64
}

// leastCoverage is the part of the token space below which a table's coverage says nothing: that of a table of one partition.
// Source: org.apache.cassandra.db.compaction.ShardManager.MINIMUM_TOKEN_COVERAGE.
const leastCoverage = 1.0 / (1 << 48)

// maxShardShift bounds the number of shards: base_shard_count times two to it.
const maxShardShift = 20

// covers returns the part of the token space between two tokens of Murmur3, both included.
func covers(first, last token.Token) float64 {
	return float64(last.Prefix-first.Prefix) / (1 << 64)
}

// density is the size that t would have if it covered the whole token space alike.
func density(t *Table) float64 {
	c := t.Coverage
	if c == 0 {
		c = covers(t.First.Token, t.Last.Token)
	}
	if c <= leastCoverage {
		c = 1
	}
	return float64(t.Size) / c
}

// weight returns the scaling parameter of a level.
func (s *unified) weight(level int) int { return s.o.scaling[min(level, len(s.o.scaling)-1)] }

// fanout returns how much denser each level is than the one before.
func (s *unified) fanout(level int) int {
	if w := s.weight(level); w < 0 {
		return 2 - w
	} else {
		return 2 + w
	}
}

// threshold returns how many tables of a level have to overlap for a compaction.
func (s *unified) threshold(level int) int { return max(2, 2+s.weight(level)) }

// ceiling returns the density at which level 0 ends; each further one ends at the fanout of that.
func (s *unified) ceiling(v *View) float64 {
	flush := float64(max(1<<20, v.FlushBytes, s.o.flushSize))
	if s.o.flushSize > 0 {
		flush = float64(max(1<<20, s.o.flushSize))
	}
	f := float64(s.fanout(0))
	return math.Floor(flush * (1 - 0.9/f) * f)
}

// tiers groups tables by level of density, the sparsest first.
func (s *unified) tiers(v *View, tables []*Table) [][]*Table {
	sorted := slices.Clone(tables)
	slices.SortFunc(sorted, func(a, b *Table) int { return cmp.Or(cmp.Compare(density(a), density(b)), compareIDs(a, b)) })
	out := [][]*Table{nil}
	end := s.ceiling(v)
	for _, t := range sorted {
		for density(t) >= end {
			end = math.Floor(end * float64(s.fanout(len(out))))
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], t)
	}
	return out
}

func (s *unified) Next(v *View) *Task {
	return s.o.withExpired(v, &s.checked, func(candidates []*Table) *Task {
		var best []*Table
		most := -1
		for level, tables := range s.tiers(v, candidates) {
			if overlap, pick := s.pick(v, level, tables); pick != nil && overlap > most {
				best, most = pick, overlap
			}
		}
		if best == nil {
			return nil
		}
		return s.sharded(v, Compact, best)
	})
}

// pick returns how many tables of a level overlap at most, and what to compact, nil when they are too few.
func (s *unified) pick(v *View, level int, tables []*Table) (overlap int, pick []*Table) {
	sets := overlapSets(tables)
	overlap = -1
	for _, set := range sets {
		overlap = max(overlap, len(set))
	}
	if overlap < s.threshold(level) {
		return overlap, nil
	}
	var chosen [][]*Table
	seen := 0
	for _, b := range s.groups(sets, s.threshold(level)) {
		if deepest(b) != overlap {
			continue
		}
		seen++
		if seen == 1 || v.Rand != nil && v.Rand.IntN(seen) == 0 {
			chosen = b
		}
	}
	return overlap, s.oldest(level, overlap, chosen)
}

// deepest returns how many tables the largest of sets has.
func deepest(sets [][]*Table) (n int) {
	for _, set := range sets {
		n = max(n, len(set))
	}
	return n
}

// overlapSets returns sets of tables that overlap at one token, in token order, such that every such set is within one of
// them, no two tables of one are disjoint, and no table is in two that are not neighbours through others that have it.
// Source: org.apache.cassandra.utils.Overlaps.constructOverlapSets.
func overlapSets(tables []*Table) [][]*Table {
	sorted := slices.Clone(tables)
	slices.SortFunc(sorted, byFirst)
	var out [][]*Table
	var active []*Table
	for _, t := range sorted {
		ended := func(o *Table) bool { return o.Last.Compare(t.First) < 0 }
		if slices.ContainsFunc(active, ended) {
			out = append(out, slices.Clone(active))
			active = slices.DeleteFunc(active, ended)
		}
		active = append(active, t)
	}
	if len(active) > 0 {
		out = append(out, active)
	}
	return out
}

// groups joins each set of at least threshold tables with the neighbours that share tables with it, by the option
// overlap_inclusion_method. Source: org.apache.cassandra.utils.Overlaps.assignOverlapsIntoBuckets.
func (s *unified) groups(sets [][]*Table, threshold int) (out [][][]*Table) {
	last := -1
	for i := 0; i < len(sets); i++ {
		if len(sets[i]) < threshold {
			continue
		}
		from, to := i, i+1
		if s.o.overlapChoice != "NONE" {
			reach := setOf(sets[i])
			shares := func(set []*Table) bool {
				if !reach.meets(set) {
					return false
				}
				if s.o.overlapChoice != "SINGLE" {
					reach.add(set)
				}
				return true
			}
			for from-1 > last && shares(sets[from-1]) {
				from--
			}
			for to < len(sets) && shares(sets[to]) {
				to++
			}
		}
		out = append(out, sets[from:to])
		i, last = to-1, to-1
	}
	return out
}

// oldest returns which tables of overlapping sets to compact: all, or when they have become too many the oldest of them, as
// many as would reach a level. Source: UnifiedCompactionStrategy.Bucket.constructPick.
func (s *unified) oldest(level, overlap int, sets [][]*Table) []*Table {
	var all []*Table
	in := map[string][]int{} // the sets that a table is in
	for i, set := range sets {
		for _, t := range set {
			if in[t.ID] == nil {
				all = append(all, t)
			}
			in[t.ID] = append(in[t.ID], i)
		}
	}
	slices.SortFunc(all, byMaxTimestamp)
	f := s.fanout(level)
	limit := max(f, s.o.maxInputs)
	switch {
	case overlap <= f:
		return all
	case overlap <= f*s.fanout(level+1) || limit == f:
		if overlap <= limit {
			return all
		}
	default:
		fit, size, next := min(limit, overlap), 0, f
		for i := level + 1; ; i++ {
			size = next
			if next *= s.fanout(i); next > fit {
				break
			}
		}
		if s.weight(level) < 0 {
			size *= fit / size
		}
		limit = size
	}
	counts := make([]int, len(sets))
	for n, t := range all {
		for _, i := range in[t.ID] {
			if counts[i]++; counts[i] > limit {
				return all[:n]
			}
		}
	}
	return all
}

// shards returns into how many parts of the token space outputs of a density are cut.
// Source: org.apache.cassandra.db.compaction.unified.Controller.getNumShards.
func (s *unified) shards(density float64) int {
	base := s.o.baseShards
	if least := s.o.shardMinSize; least > 0 && density/float64(least) < float64(base) {
		// Fewer than base, in a way that later cuts are among the cuts of base.
		n := int64(math.Max(1, density/float64(least)))
		power := int64(1) << (63 - leadingZeros(n))
		return int(min(power, base&-base))
	}
	if s.o.growth == 1 {
		return int(base)
	}
	var shift float64
	ratio := density / (float64(s.o.targetSize) * float64(base))
	if s.o.growth == 0 {
		shift = math.Floor(math.Log2(ratio / math.Sqrt(0.5)))
	} else {
		shift = math.Floor((1-s.o.growth)*math.Log2(ratio) + 0.5)
	}
	if math.IsNaN(shift) || shift < 0 {
		shift = 0
	}
	return int(base << int(min(shift, maxShardShift)))
}

func leadingZeros(n int64) int {
	z := 0
	for bit := int64(1) << 62; bit > n; bit >>= 1 {
		z++
	}
	return z + 1
}

// bounds returns the last tokens of all but the last of n equal parts of the token space.
func bounds(n int) []token.Token {
	var out []token.Token
	step := uint64(math.MaxUint64)/uint64(n) + 1 // n is a power of two times a small number; the last part is the rest
	for i := 1; i < n; i++ {
		out = append(out, token.Token{Prefix: uint64(i) * step})
	}
	return out
}

// sharded returns a task whose outputs are cut as their density asks.
func (s *unified) sharded(v *View, kind Kind, tables []*Table) *Task {
	t := s.o.task(v, kind, tables)
	live := without(tables, t.Expired)
	if len(live) == 0 {
		return t
	}
	first, last := span(live)
	d := float64(totalSize(live))
	if c := covers(first, last); c >= leastCoverage {
		d /= c
	}
	if n := s.shards(d); n > 1 {
		t.Bounds = bounds(n)
	}
	return t
}

// Major gives a task for each set of tables that overlap no others.
func (s *unified) Major(v *View, _ bool) []*Task {
	var out []*Task
	var group []*Table
	has := idSet{}
	flush := func() {
		if len(group) > 0 {
			out = append(out, s.sharded(v, Major, group))
		}
		group = nil
	}
	for _, set := range overlapSets(v.free()) {
		if !has.meets(set) {
			flush()
		}
		for _, t := range set {
			if !has[t.ID] {
				has[t.ID] = true
				group = append(group, t)
			}
		}
	}
	flush()
	return out
}

func (s *unified) Rewrite(v *View, tables []*Table) *Task { return s.sharded(v, Compact, tables) }

func (s *unified) Pending(v *View) int {
	n := 0
	for level, tables := range s.tiers(v, v.free()) {
		for _, b := range s.groups(overlapSets(tables), s.threshold(level)) {
			n += deepest(b) / s.threshold(level)
		}
	}
	return n
}
