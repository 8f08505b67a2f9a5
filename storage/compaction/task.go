package compaction

import (
	"math"
	"math/rand/v2"
	"strings"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
)

// Kind is what a task is for. Source: org.apache.cassandra.db.compaction.OperationType.
type Kind uint8

// The kinds.
const (
	Compact Kind = iota
	Major
	Tombstones
	GarbageCollect
	Cleanup
	Scrub
	Upgrade
	Verify
	Relevel
)

// kindNames are the names that nodetool stop takes, and the texts that compactionstats shows.
var kindNames = [...][2]string{
	Compact: {"COMPACTION", "Compaction"}, Major: {"MAJOR_COMPACTION", "Major compaction"},
	Tombstones:     {"TOMBSTONE_COMPACTION", "Tombstone Compaction"},
	GarbageCollect: {"GARBAGE_COLLECT", "Remove deleted data"}, Cleanup: {"CLEANUP", "Cleanup"}, Scrub: {"SCRUB", "Scrub"},
	Upgrade: {"UPGRADE_SSTABLES", "Upgrade sstables"}, Verify: {"VERIFY", "Verify"}, Relevel: {"RELEVEL", "Relevel"},
}

// String returns what compactionstats and compactionhistory show.
func (k Kind) String() string { return kindNames[k][1] }

// Name returns the name of the enum, as nodetool stop takes it.
func (k Kind) Name() string { return kindNames[k][0] }

// ParseKind returns the kind of a name in any case.
func ParseKind(name string) (k Kind, ok bool) {
	for i, n := range kindNames {
		if strings.EqualFold(n[0], name) {
			return Kind(i), true
		}
	}
	return 0, false
}

// Provide is provide_overlapping_tombstones: what of newer tables that take no part may hide data of a compaction's inputs.
type Provide uint8

// The choices: nothing; deletions; deletions and cells that replace others.
const (
	ProvideNone Provide = iota
	ProvideRow
	ProvideCell
)

// Task is a decision: which tables to merge, and how to cut what comes out. Tables of a task have the same repair state.
type Task struct {
	Kind   Kind
	Inputs []*Table
	// Expired are those of Inputs that are dropped unread.
	Expired []*Table

	// Level is that of the outputs.
	Level int
	// MaxSize ends an output that is as large, in bytes on disk, at the next partition; 0 for never.
	MaxSize int64
	// Sizes are MaxSize for one output after the other; the one behind the last is not cut by size.
	Sizes []int64
	// LevelBytes makes outputs go up a level whenever as many bytes stand on one; Level is the first one's.
	LevelBytes []int64
	// Bounds are tokens behind which a new output begins.
	Bounds []token.Token

	// NoPurge keeps every tombstone.
	NoPurge bool
	// IgnoreGrace says of which partitions all tombstones are old enough to go; nil for none.
	IgnoreGrace func(key []byte) bool
	// AllRepaired says that tombstones may go only when all inputs are repaired: only_purge_repaired_tombstones.
	AllRepaired bool
	Provide     Provide
	// Reducible lets inputs be left out when the disk is too full for all of them. A user's choice of tables is kept.
	Reducible bool
	// Relabel says that the one input need not be read: it only changes its level.
	Relabel bool
	// Ranges, unless nil, are the tokens that the node keeps: what is outside of them is dropped.
	Ranges []token.Range

	// lost is how many damaged partitions a scrub has left out; it is set when the task runs.
	lost int
}

// View is what a strategy decides upon. It is not changed by the strategy.
type View struct {
	// Now and GCBefore are in seconds since 1970: tombstones of before GCBefore may go.
	Now, GCBefore int64
	// Tables are the live tables of one repair state, All the live tables of the store, which bound what may be dropped.
	Tables, All []*Table
	// Running holds the ids of tables that take part in a task.
	Running map[string]bool
	// MemtableMin is the lowest timestamp in a memtable, math.MaxInt64 when all are empty.
	MemtableMin int64
	// FlushBytes is the average size of flushed tables on disk, 0 when there was none.
	FlushBytes int64
	// Bootstrapping says that the node still receives the data of its ranges.
	Bootstrapping bool
	Rand          *rand.Rand
}

// free returns the tables of v that a task may take: not suspect and in no other task.
func (v *View) free() []*Table {
	var out []*Table
	for _, t := range v.Tables {
		if !t.Suspect && !v.Running[t.ID] {
			out = append(out, t)
		}
	}
	return out
}

// sound returns the tables of v that are not suspect.
func (v *View) sound() []*Table {
	var out []*Table
	for _, t := range v.Tables {
		if !t.Suspect {
			out = append(out, t)
		}
	}
	return out
}

// expired returns which of candidates are fully expired.
func (v *View) expired(candidates []*Table) []*Table {
	if len(candidates) == 0 {
		return nil
	}
	return fullyExpired(candidates, overlapping(candidates, v.All), v.GCBefore, v.MemtableMin)
}

// Strategy picks tasks. It may keep what it did before between calls, and is used by one goroutine at a time.
type Strategy interface {
	// Next returns the next background task, nil when nothing is to be done. Inputs are never in v.Running and never suspect.
	Next(v *View) *Task
	// Major returns the tasks of a major compaction: together they have all free tables as inputs, each once. Nil when there
	// are none. split is nodetool compact --split-output.
	Major(v *View, split bool) []*Task
	// Rewrite returns the task that merges the given tables, which are not running and have one level when the strategy has
	// levels, keeping the shape that the strategy gives to outputs.
	Rewrite(v *View, tables []*Table) *Task
	// Pending estimates how many tasks Next would give in a row.
	Pending(v *View) int
}

// New returns the strategy of a table. The table's options were checked when it was made or altered; what cannot be read
// stands for the default.
func New(t *schema.Table) Strategy {
	o := parseOptions(t.Options.Compaction)
	switch o.class {
	case "LeveledCompactionStrategy":
		return &leveled{o: o}
	case "TimeWindowCompactionStrategy":
		return &timeWindow{o: o, newest: math.MinInt64}
	case "UnifiedCompactionStrategy":
		return &unified{o: o}
	case "DateTieredCompactionStrategy":
		return &dateTiered{o: o}
	}
	return &sizeTiered{o: o}
}

// idSet is the ids of tables.
type idSet map[string]bool

func setOf(tables []*Table) idSet {
	s := make(idSet, len(tables))
	s.add(tables)
	return s
}

func (s idSet) add(tables []*Table) {
	for _, t := range tables {
		s[t.ID] = true
	}
}

// meets reports whether any of tables is in the set.
func (s idSet) meets(tables []*Table) bool {
	for _, t := range tables {
		if s[t.ID] {
			return true
		}
	}
	return false
}

// without returns tables but those in drop, in a new slice.
func without(tables, drop []*Table) []*Table {
	gone := setOf(drop)
	var out []*Table
	for _, t := range tables {
		if !gone[t.ID] {
			out = append(out, t)
		}
	}
	return out
}
