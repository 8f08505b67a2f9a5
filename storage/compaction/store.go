package compaction

import (
	"errors"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/sstable"
)

// ErrGone is wrapped when tables that a task read are not live any more: the store was truncated or dropped meanwhile.
var ErrGone = errors.New("a table of the compaction is not live any more")

// Live is a table on disk that is part of a store.
type Live struct {
	*Table
	// View reads the table with the columns of the store's schema; nil when it cannot be read with these, and Err says why.
	View   *sstable.View
	Reader *sstable.Reader
	Err    error
}

// Moment is what a store holds at one moment: its live tables and its memtables, those that are being flushed too, such that
// every write that was acknowledged before is in one of them. It is not changed. It may be used by many goroutines until it
// is released.
type Moment interface {
	// Tables returns the live tables. The slice and what it points to are not to be changed.
	Tables() []Live
	// MemtableMin returns the lowest timestamp of all memtables, math.MaxInt64 for none; MemtableBound that of the memtables
	// which have a partition, ok is false when none has. What the commit log might bring back at the next start counts as a
	// memtable.
	MemtableMin() int64
	MemtableBound(tok token.Token, key []byte) (min int64, ok bool)
	// Current reports whether the store has changed its set of tables or memtables since.
	Current() bool
	Release()
}

// Output is a table that a task has written.
type Output struct {
	Descriptor sstable.Descriptor
	Level      int
	RepairedAt int64 // milliseconds since 1970; 0 for unrepaired
}

// Store is one table of the schema as compaction sees it. Its methods may be called by many goroutines.
type Store interface {
	// Schema returns the current definition.
	Schema() *schema.Table
	// Acquire returns the store's current moment, which the caller releases.
	Acquire() Moment
	// Dir is the folder of the store's tables, Next a name in it that was never used before, for a table that is to be written.
	Dir() string
	Next() (sstable.Descriptor, error)
	// Exchange removes tables by id and adds others, whose files are complete, in one durable edit. When one of the removed
	// is not live, or with any other error, nothing is changed and the files of the added ones are the caller's.
	Exchange(removed []string, added []Output) error
	// Relabel changes the level and the time of repair of live tables without touching their data.
	Relabel(tables []Output) error
	// FlushBytes returns the average size on disk of flushed tables, 0 when none was.
	FlushBytes() int64
}
