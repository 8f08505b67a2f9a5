// Package storage is the storage engine of one node: the commit log that makes writes durable, the memtables that hold
// them, the indexes over them, and the reads that merge what is there. Its noun is the Engine.
//
// Until there are tables on disk the memtables hold all data and the log is kept whole. A flush will stand between them: it
// will take a store's data, swapped under the gate as Truncate does, write it down, and release the log below its sequence.
//
// Floor: above everything in storage, cql, cql/schema and cql/token. Source: org.apache.cassandra.db.ColumnFamilyStore,
// Keyspace, commitlog.CommitLog; storage.md 3 to 5.
package storage

import (
	"errors"
	"fmt"
	"io"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/commitlog"
	"github.com/helenusdb/helenus/storage/vfs"
)

// Errors of the engine.
var (
	// ErrCorrupt is wrapped, with file and offset, by errors about bytes on disk that no crash can have left.
	ErrCorrupt = commitlog.ErrCorrupt
	// ErrNotReplayed is returned by what needs the log before Replay has been called.
	ErrNotReplayed = errors.New("the engine has not replayed its log yet")
	// ErrUnknownTable is returned for a table that the schema given to the engine does not have.
	ErrUnknownTable = errors.New("the table is not known to the storage engine")
)

// SyncMode says when a write is acknowledged: commitlog_sync.
type SyncMode = commitlog.Mode

// The sync modes.
const (
	SyncPeriodic = commitlog.Periodic
	SyncBatch    = commitlog.Batch
	SyncGroup    = commitlog.Group
)

// Options configure an Engine. Zero values are what Cassandra does by default.
type Options struct {
	// Partitioner gives keys their tokens; nil is Murmur3.
	Partitioner token.Partitioner
	// FS holds the folders; nil is the operating system's.
	FS vfs.FS
	// CommitLogDir is the folder of the log; "" is commitlog in the engine's.
	CommitLogDir string
	Sync         SyncMode
	SyncPeriod   time.Duration // commitlog_sync_period
	GroupWindow  time.Duration // commitlog_sync_group_window
	SegmentSize  int           // commitlog_segment_size, in bytes
	// MaxMutation is max_mutation_size in bytes; 0 is half a segment, which it may not exceed.
	MaxMutation int
	// SkipCorrupt lets Replay go on behind damaged parts of the log, leaving out what they held.
	SkipCorrupt bool
}

func (o Options) withDefaults() Options {
	if o.Partitioner == nil {
		o.Partitioner = token.Murmur3{}
	}
	if o.FS == nil {
		o.FS = vfs.OS{}
	}
	if o.SegmentSize == 0 {
		o.SegmentSize = commitlog.DefaultSegmentSize
	}
	if o.MaxMutation == 0 {
		o.MaxMutation = o.SegmentSize / 2
	}
	return o
}

// minSegment and maxSegment bound commitlog_segment_size, in bytes: positions in a segment are 32-bit numbers.
const (
	minSegment = 4 << 10
	maxSegment = 2<<30 - 1
)

func (o Options) validate() error {
	if o.SegmentSize < minSegment || o.SegmentSize > maxSegment {
		return fmt.Errorf("commit log segments of %d bytes: must be between %d and %d", o.SegmentSize, minSegment, maxSegment)
	}
	if o.MaxMutation < 0 || o.MaxMutation > o.SegmentSize/2 {
		return fmt.Errorf("mutations of up to %d bytes: must be at most half a commit log segment, %d", o.MaxMutation, o.SegmentSize/2)
	}
	return nil
}

// Commit is when a write is durable.
type Commit = commitlog.Commit

// Engine stores the tables of one node. All methods may be called by many goroutines, but for Replay and Close.
type Engine struct {
	opts     Options
	lock     io.Closer        // on the folder; nil in memory
	log      *commitlog.Log   // nil in memory
	manifest *manifest        // nil in memory
	ready    atomic.Bool      // Replay is done
	locks    [1024]sync.Mutex // of partitions, by hash (LockPartition)
	stores   atomic.Pointer[map[schema.UUID]*store]
	// gate is held shared by a write from its place in the log to its place in memory, and alone by what needs to stand
	// between writes: a change of the set of tables or indexes, a truncation. A write that holds
	// it waits for the disk only when the log's buffer is full.
	gate sync.RWMutex
	// change makes SetSchema and Truncate serial. Lock order: change, gate.
	change sync.Mutex
	pool   sync.Pool // of *scratch
}

// Open opens the folder of an engine, creating what is missing; dir "" keeps everything in memory and nothing else. Replay
// must follow.
func Open(dir string, opts Options) (*Engine, error) {
	e := &Engine{opts: opts.withDefaults()}
	if err := e.opts.validate(); err != nil {
		return nil, err
	}
	e.stores.Store(&map[schema.UUID]*store{})
	e.pool.New = func() any { return new(scratch) }
	if dir == "" {
		return e, nil
	}
	if err := e.open(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", dir, err), e.Close())
	}
	return e, nil
}

func (e *Engine) open(dir string) error {
	fs, logDir := e.opts.FS, e.opts.CommitLogDir
	if logDir == "" {
		logDir = path.Join(dir, "commitlog")
	}
	for _, d := range []string{dir, logDir} {
		if err := fs.MkdirAll(d); err != nil {
			return err
		}
	}
	var err error
	if e.lock, err = fs.Lock(path.Join(dir, "engine.lock")); err != nil {
		return err
	}
	if e.manifest, err = openManifest(fs, path.Join(dir, "manifest.journal")); err != nil {
		return err
	}
	e.log = commitlog.Open(fs, logDir, commitlog.Options{
		SegmentSize: e.opts.SegmentSize, Mode: e.opts.Sync, Period: e.opts.SyncPeriod, Window: e.opts.GroupWindow,
		MinSequence: e.manifest.last, SkipCorrupt: e.opts.SkipCorrupt,
	})
	return nil
}

// Sync makes everything applied so far durable.
func (e *Engine) Sync() error {
	if e.log == nil {
		return nil
	}
	return e.log.Sync()
}

// MemoryBytes returns the bytes that memtables and indexes hold.
func (e *Engine) MemoryBytes() int64 {
	var n int64
	for _, st := range *e.stores.Load() {
		d := st.data.Load()
		n += d.mem.Bytes()
		for _, x := range d.indexes {
			n += x.Bytes()
		}
	}
	return n
}

// Close syncs and closes. No other call may be in flight or follow.
func (e *Engine) Close() error {
	var errs []error
	if e.log != nil {
		errs = append(errs, e.log.Close())
	}
	if e.manifest != nil {
		errs = append(errs, e.manifest.close())
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	return errors.Join(errs...)
}
