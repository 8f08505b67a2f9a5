// Package storage is the storage engine of one node: the commit log that makes writes durable, the memtables that hold
// them, the indexes over them, and the reads that merge what is there. Its noun is the Engine.
//
// Floor: above everything in storage, cql, cql/schema and cql/token. Source: org.apache.cassandra.db.ColumnFamilyStore,
// Keyspace, commitlog.CommitLog; storage.md 3 to 5.
package storage

import (
	"context"
	"errors"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// errNotOpen is returned until Replay has been called.
var errNotOpen = errors.New("the engine has not replayed its log yet")

// Options configure an Engine. The zero value is what Cassandra does by default.
type Options struct {
	// Partitioner gives keys their tokens; nil is Murmur3.
	Partitioner token.Partitioner
}

// Stats says what a replay found.
type Stats struct {
	Segments, Records, Mutations int
	// Unknown counts mutations of tables that the schema does not have, Truncated those before a truncation.
	Unknown, Truncated int
	// TornBytes is what was cut off the end of the last segment.
	TornBytes int64
}

// Commit is the durability of one Apply.
type Commit struct{}

// Wait returns when the change is as durable as commitlog_sync promises, or the error that made it not so.
func (c Commit) Wait() error { return nil }

// Engine stores the tables of one node. All methods may be called by many goroutines.
type Engine struct{}

// Open opens the folder of an engine, creating what is missing; dir "" keeps everything in memory. Replay must follow.
func Open(dir string, opts Options) (*Engine, error) { return &Engine{}, nil }

// Replay brings back what the log holds and starts the engine.
func (e *Engine) Replay(s *schema.Snapshot) (Stats, error) { return Stats{}, errNotOpen }

// Apply writes mutations, of any tables, as one atomic record.
func (e *Engine) Apply(ms []request.Mutation) (Commit, error) { return Commit{}, errNotOpen }

// ApplyCounter applies counter mutations as the leading replica: host's shards are read, advanced and written.
func (e *Engine) ApplyCounter(ms []request.Mutation, host schema.UUID, clockMicros int64) (Commit, error) {
	return Commit{}, errNotOpen
}

// Read returns what is stored for r, deletions and expired data too (row.LiveFilter drops them).
func (e *Engine) Read(ctx context.Context, r *request.Read) (row.Iterator, error) {
	return nil, errNotOpen
}

// LockPartition locks a partition against other holders of its lock, for what reads before it writes; plain writes do
// not take it. Only one such lock is held at a time.
func (e *Engine) LockPartition(t *schema.Table, key []byte) (unlock func()) { return func() {} }

// SetSchema tells the engine the tables and indexes that there are: new ones begin empty, gone ones are freed.
func (e *Engine) SetSchema(s *schema.Snapshot) {}

// BuildIndex fills a new index from the table's data and returns when reads may use it.
func (e *Engine) BuildIndex(ctx context.Context, table schema.UUID, name string) error { return errNotOpen }

// IndexBuilt reports whether reads may use an index.
func (e *Engine) IndexBuilt(table schema.UUID, name string) bool { return false }

// Truncate drops the data of a table for good: when it returns nil, no restart brings it back.
func (e *Engine) Truncate(table schema.UUID) error { return errNotOpen }

// Sync makes everything applied so far durable.
func (e *Engine) Sync() error { return errNotOpen }

// MemoryBytes returns the bytes that memtables and indexes hold.
func (e *Engine) MemoryBytes() int64 { return 0 }

// Close syncs and closes. No other call may be in flight or follow.
func (e *Engine) Close() error { return nil }
