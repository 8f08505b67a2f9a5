// Package storage is the storage engine of one node: the commit log that makes writes durable, the memtables that hold
// them, the tables on disk that memtables are flushed to, the indexes over them, and the reads that merge what is there. Its
// noun is the Engine.
//
// Floor: above everything in storage, cql, cql/schema and cql/token. Source: org.apache.cassandra.db.ColumnFamilyStore,
// Keyspace, commitlog.CommitLog; storage.md 3 to 5.
package storage

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/commitlog"
	"github.com/helenusdb/helenus/storage/compaction"
	"github.com/helenusdb/helenus/storage/vfs"
)

// Errors of the engine.
var (
	// ErrCorrupt is wrapped, with file and offset, by errors about bytes on disk that no crash can have left.
	ErrCorrupt = commitlog.ErrCorrupt
	// ErrNotReplayed is returned by what needs the log before Replay has been called.
	ErrNotReplayed = errors.New("the engine has not replayed its log yet")
	// ErrClosed is returned by what the engine's end has interrupted.
	ErrClosed = commitlog.ErrClosed
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
	// MemtableSpace bounds the bytes of all memtables: memtable_heap_space and memtable_offheap_space together. When those that
	// take writes hold CleanupThreshold of it, the largest is flushed: memtable_cleanup_threshold; 0 is 1/(FlushWriters+1).
	MemtableSpace    int64
	CleanupThreshold float64
	FlushWriters     int // memtable_flush_writers; 0 is 2
	// LogSpace is commitlog_total_space; 0 is 8 GiB, a quarter of the volume, or what memtables may take (but not less than 1 GiB),
	// whichever is least: a start reads all of the log, and a longer one would be kept by tables that are hardly written.
	LogSpace        int64
	ColumnIndexSize int // column_index_size, in bytes
	// CacheSize bounds the bytes of what is kept of tables on disk: file_cache_size and key_cache_size together; 0 is a default,
	// and below nothing is kept.
	CacheSize int64
	// HostID goes into the statistics of tables on disk; nil is none.
	HostID *schema.UUID
	// Log is told what goes wrong in the background; nil is nobody.
	Log        *slog.Logger
	Compaction CompactionOptions
}

// Defaults of Options.
const (
	defaultMemtableSpace = 512 << 20
	defaultFlushWriters  = 2
	defaultLogSpace      = 8 << 30
	leastLogSpace        = 1 << 30
	defaultCacheSize     = 64 << 20
)

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
	if o.MemtableSpace == 0 {
		o.MemtableSpace = defaultMemtableSpace
	}
	if o.FlushWriters == 0 {
		o.FlushWriters = defaultFlushWriters
	}
	if o.CleanupThreshold == 0 {
		o.CleanupThreshold = 1 / float64(o.FlushWriters+1)
	}
	if o.CacheSize == 0 {
		o.CacheSize = defaultCacheSize
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
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
	if o.MemtableSpace < 0 || o.LogSpace < 0 || o.FlushWriters < 1 || o.CleanupThreshold <= 0 || o.CleanupThreshold > 1 {
		return fmt.Errorf("memtables of %d bytes, flushed at %v of them by %d writers, log of %d bytes: must be positive, at most all",
			o.MemtableSpace, o.CleanupThreshold, o.FlushWriters, o.LogSpace)
	}
	return nil
}

// Commit is when a write is durable.
type Commit = commitlog.Commit

// Engine stores the tables of one node. All methods may be called by many goroutines, but for Replay and Close.
type Engine struct {
	opts     Options
	dir      string           // "" in memory
	lock     io.Closer        // on the folder; nil in memory
	log      *commitlog.Log   // nil in memory
	manifest *manifest        // nil in memory
	cache    *cache.Cache     // nil in memory
	ready    atomic.Bool      // Replay is done
	locks    [1024]sync.Mutex // of partitions, by hash (LockPartition)
	stores   atomic.Pointer[map[schema.UUID]*store]
	// gate is held shared by a write from its place in the log to its place in memory, and alone by what needs to stand
	// between writes: a change of the set of tables or indexes, a truncation, a memtable that takes no more. A write that holds
	// it waits for the disk only when the log's buffer is full.
	gate sync.RWMutex
	// change makes SetSchema and Truncate serial. Lock order: change, gate.
	change sync.Mutex
	pool   sync.Pool // of *scratch
	// finders is of *finders.
	finders sync.Pool

	// replayed is, while the log is replayed, the sequence up to which that is done; else 0.
	replayed atomic.Uint64
	flushes  flushQueue
	// failing is why the last flush failed, nil when it did not.
	failing  atomic.Pointer[error]
	pressure atomic.Pointer[pressure]
	turn     atomic.Int64  // when the next write may begin while they are slowed, nanoseconds since 1970
	wake     chan struct{} // capacity 1: wakes the keeper
	// wakeTidier, of capacity 1, wakes the tidier; unseen is the bytes written since the keeper has looked.
	wakeTidier chan struct{}
	unseen     atomic.Int64
	stop       chan struct{} // closed by Close
	kept       sync.WaitGroup
	grave      grave
	hooks      atomic.Pointer[Hooks]
	// tick orders what happens to the entries of indexes.
	tick atomic.Int64
	// compactions is nil in memory. It is not called with a lock of the engine held but for change.
	compactions *compaction.Manager
}

// grave is the files that are not live, that nobody uses, and that are to be removed.
type grave struct {
	mu    sync.Mutex
	files []*File
}

// Open opens the folder of an engine, creating what is missing; dir "" keeps everything in memory and nothing else. Replay
// must follow.
func Open(dir string, opts Options) (*Engine, error) {
	e := &Engine{opts: opts.withDefaults(), dir: dir}
	e.wake, e.wakeTidier, e.stop = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
	e.flushes.idle.L = &e.flushes.mu
	e.hooks.Store(&Hooks{})
	if err := e.opts.validate(); err != nil {
		return nil, err
	}
	e.stores.Store(&map[schema.UUID]*store{})
	e.pool.New = func() any { return new(scratch) }
	e.finders.New = func() any { return new(finders) }
	if dir == "" {
		return e, nil
	}
	if err := e.open(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", dir, err), e.Close())
	}
	return e, nil
}

// The keeper looks whenever a notifyPart-th of the memory was written, but not more seldom than each maxNotify bytes.
const (
	notifyPart = 64
	maxNotify  = 1 << 20
)

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
	e.compactions = e.newCompactions()
	if e.manifest, err = openManifest(fs, path.Join(dir, "manifest.journal")); err != nil {
		return err
	}
	e.cache = cache.New(e.opts.CacheSize)
	notify := min(max(e.opts.MemtableSpace/notifyPart, 4<<10), maxNotify)
	e.log = commitlog.Open(fs, logDir, commitlog.Options{
		SegmentSize: e.opts.SegmentSize, Mode: e.opts.Sync, Period: e.opts.SyncPeriod, Window: e.opts.GroupWindow,
		MinSequence: e.manifest.state.reached, Released: e.manifest.state.released, SkipCorrupt: e.opts.SkipCorrupt,
		Notify: func() { e.wrote(notify) }, NotifyBytes: int(notify),
	})
	if e.opts.LogSpace == 0 {
		e.opts.LogSpace = min(defaultLogSpace, max(e.opts.MemtableSpace, leastLogSpace))
		if _, total, err := fs.Space(logDir); err == nil {
			e.opts.LogSpace = min(e.opts.LogSpace, total/4)
		}
	}
	e.opts.LogSpace = max(e.opts.LogSpace, int64(e.opts.SegmentSize))
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
		v := st.view.Load()
		n += v.mem.Bytes()
		for _, m := range v.frozen {
			n += m.Bytes()
		}
		for _, x := range v.indexes {
			n += x.Bytes()
		}
	}
	return n
}

// report logs what went wrong in the background; nil is nothing.
func (e *Engine) report(err error, doing string) {
	if err != nil && !errors.Is(err, ErrClosed) {
		e.opts.Log.Error("Storage: "+doing+" failed", "error", err)
	}
}

// Close syncs and closes; what is in memtables stays in the log. No other call may be in flight or follow.
func (e *Engine) Close() error {
	close(e.stop)
	if e.compactions != nil {
		e.compactions.Close()
	}
	q := &e.flushes
	q.mu.Lock()
	q.closed = true
	for q.running > 0 {
		q.idle.Wait()
	}
	q.mu.Unlock()
	e.kept.Wait()
	if e.manifest != nil {
		e.bury()
	}
	var errs []error
	if e.log != nil {
		errs = append(errs, e.log.Close())
	}
	if e.manifest != nil {
		errs = append(errs, e.manifest.close())
	}
	for _, st := range *e.stores.Load() {
		for _, s := range append(st.view.Load().entryStores(), st) {
			s.close()
		}
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	return errors.Join(errs...)
}

// close closes the files of a store, as far as nobody reads them.
func (st *store) close() {
	st.swap(func(v *view) { v.tables = nil })
}
