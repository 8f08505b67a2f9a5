// Package compaction decides which tables on disk to merge, and merges them. Its nouns are Table, what a strategy knows of one
// table on disk; Task, a decision; Strategy, which makes decisions out of tables and the time alone; and Manager, which runs
// them: it reads the inputs, merges, purges, writes, and has the store exchange inputs for outputs in one edit.
//
// Strategies do no I/O, read no clock and start no goroutine, so that a decision can be replayed from what it was made of.
//
// There is no early open: outputs are cut by size, level or shard and published at once, with the inputs' end.
//
// Floor: above storage/merge and storage/sstable. Source: org.apache.cassandra.db.compaction; storage.md 2 and 6.
package compaction

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/sstable"
)

// Key is a partition key with its token.
type Key struct {
	Token token.Token
	Bytes []byte
}

// Compare orders keys as tables on disk do: by token, then by unsigned bytes.
func (k Key) Compare(o Key) int {
	if c := k.Token.Compare(o.Token); c != 0 {
		return c
	}
	return bytes.Compare(k.Bytes, o.Bytes)
}

// Table is what strategies know of a table on disk. It is not changed once others see it, and tables are told apart by ID.
type Table struct {
	ID          string // Descriptor.String of the table's files
	Size        int64  // bytes of Data.db
	CreationMs  int64  // since 1970
	First, Last Key

	MinTimestamp, MaxTimestamp int64 // of all that is in it
	MinLocal, MaxLocal         int64 // seconds; row.NoLocal when something neither expires nor is deleted
	DropTimes                  []sstable.DropTime

	Level      int
	RepairedAt int64 // milliseconds since 1970; 0 for unrepaired
	// Pending is the repair session that the table takes part in; zero for none.
	Pending schema.UUID

	Keys int64 // partitions
	// MeanCells is the average number of cells in a partition.
	MeanCells int64
	// Hotness is the number of reads a second and key over the last two hours.
	Hotness float64
	// Coverage is the part of the token space that the table covers, 0 when it is not recorded.
	Coverage float64
	// Suspect says that a read found the table damaged: no strategy touches it.
	Suspect bool
}

// Describe fills what is known of a table from its statistics; ID, Size, CreationMs, First, Last and Hotness are the caller's.
func Describe(s *sstable.Statistics) Table {
	t := Table{
		MinTimestamp: s.Stats.MinTimestamp, MaxTimestamp: s.Stats.MaxTimestamp,
		MinLocal: s.Stats.MinLocal, MaxLocal: s.Stats.MaxLocal, DropTimes: s.Stats.DropTimes,
		Level: int(s.Stats.Level), RepairedAt: s.Stats.RepairedAt,
	}
	if s.Stats.PendingRepair != nil {
		t.Pending = *s.Stats.PendingRepair
	}
	if c := s.Stats.TokenCoverage; c > 0 && !math.IsNaN(c) {
		t.Coverage = c
	}
	var sum int64
	for _, b := range s.Stats.PartitionCells {
		t.Keys += b.Count
		sum += b.Count * b.Offset
	}
	if t.Keys > 0 {
		t.MeanCells = (sum + t.Keys - 1) / t.Keys
	}
	return t
}

// Repaired reports whether the table was part of a finished repair.
func (t *Table) Repaired() bool { return t.RepairedAt != 0 }

// overlaps reports whether the key ranges of two tables have a key in common.
func (t *Table) overlaps(o *Table) bool {
	return t.First.Compare(o.Last) <= 0 && o.First.Compare(t.Last) <= 0
}

// droppedBefore estimates how many tombstones and expiring cells have a deletion time at or before gcBefore (seconds): the
// area of the histogram up to there, its points joined by lines. Source: org.apache.cassandra.utils.streamhist.TombstoneHistogram.sum.
func (t *Table) droppedBefore(gcBefore int64) float64 {
	b, sum := float64(gcBefore), 0.0
	next := slices.IndexFunc(t.DropTimes, func(d sstable.DropTime) bool { return d.Second > b })
	switch next {
	case 0:
		return 0
	case -1:
		for _, d := range t.DropTimes {
			sum += float64(d.Count)
		}
		return sum
	}
	at, above := t.DropTimes[next-1], t.DropTimes[next]
	weight := (b - at.Second) / (above.Second - at.Second)
	middle := float64(at.Count) + float64(above.Count-at.Count)*weight
	sum = (float64(at.Count)+middle)*weight/2 + float64(at.Count)/2
	for _, d := range t.DropTimes[:next-1] {
		sum += float64(d.Count)
	}
	return sum
}

// droppableRatio is the share of the table's cells that could be dropped.
// Source: org.apache.cassandra.io.sstable.metadata.StatsMetadata.getEstimatedDroppableTombstoneRatio.
func (t *Table) droppableRatio(gcBefore int64) float64 {
	cells := t.MeanCells * t.Keys
	if cells <= 0 {
		return 0
	}
	return t.droppedBefore(gcBefore) / float64(cells)
}

// keysOutside estimates how many of the table's keys no other table's range holds, taking tokens as spread evenly.
func (t *Table) keysOutside(others []*Table) int64 {
	lo, hi := t.First.Token.Prefix, t.Last.Token.Prefix
	if hi <= lo {
		return 0
	}
	type span struct{ from, to uint64 }
	var spans []span
	for _, o := range others {
		from, to := max(lo, o.First.Token.Prefix), min(hi, o.Last.Token.Prefix)
		if from < to {
			spans = append(spans, span{from, to})
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	covered, end := 0.0, lo
	for _, s := range spans {
		if s.to > end {
			covered += float64(s.to - max(s.from, end))
			end = s.to
		}
	}
	return int64(math.Round(float64(t.Keys) * (1 - covered/float64(hi-lo))))
}

// totalSize returns the bytes of tables.
func totalSize(tables []*Table) (n int64) {
	for _, t := range tables {
		n += t.Size
	}
	return n
}

// bySize, byMaxTimestamp and byFirst are the orders in which tables are picked; ties are broken by id, so that a decision
// follows from the set of tables alone.
func bySize(a, b *Table) int {
	return cmp.Or(cmp.Compare(a.Size, b.Size), compareIDs(a, b))
}

func byMaxTimestamp(a, b *Table) int {
	return cmp.Or(cmp.Compare(a.MaxTimestamp, b.MaxTimestamp), compareIDs(a, b))
}

func byFirst(a, b *Table) int {
	return cmp.Or(a.First.Compare(b.First), compareIDs(a, b))
}

// compareIDs orders ids so that numbers of the same prefix ascend.
func compareIDs(a, b *Table) int {
	return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
}

// overlapping returns those of others whose range meets that of any of tables, tables themselves left out.
func overlapping(tables, others []*Table) []*Table {
	set := setOf(tables)
	var out []*Table
	for _, o := range others {
		if !set[o.ID] && slices.ContainsFunc(tables, o.overlaps) {
			out = append(out, o)
		}
	}
	return out
}

// fullyExpired returns those of candidates that can be dropped without being read: all in them is deleted or expired before
// gcBefore, and nothing that they hide can be in a table that holds anything else or in a memtable. overlapping are the
// tables that are not candidates and meet them, memtableMin the lowest timestamp of all memtables.
// Source: org.apache.cassandra.db.compaction.CompactionController.getFullyExpiredSSTables.
func fullyExpired(candidates, overlapping []*Table, gcBefore, memtableMin int64) []*Table {
	lowest := memtableMin
	for _, set := range [2][]*Table{candidates, overlapping} {
		for _, t := range set {
			if t.MaxLocal >= gcBefore {
				lowest = min(lowest, t.MinTimestamp)
			}
		}
	}
	var out []*Table
	for _, t := range candidates {
		if t.MaxLocal < gcBefore && t.MaxTimestamp < lowest {
			out = append(out, t)
		}
	}
	return out
}
