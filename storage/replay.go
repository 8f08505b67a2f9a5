package storage

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/commitlog"
	"github.com/helenusdb/helenus/storage/request"
)

// Stats says what a replay found.
type Stats struct {
	Segments, Records, Mutations int
	// Unknown counts mutations of tables that the schema does not have, Truncated those before a truncation or a flush.
	Unknown, Truncated int
	// TornBytes is what was cut off the end of the last segment, SkippedBytes what SkipCorrupt left out.
	TornBytes, SkippedBytes int
	// Tables counts the tables on disk. Lost are those that nobody knows, without the ends of their names: they were put away.
	Tables int
	Lost   []string
}

// Replay opens what is on disk, brings back what the log holds beyond it, and starts the engine; s is the schema, as SetSchema
// takes it. Its error wraps ErrCorrupt, with file and offset, when the log is damaged in a way that no crash explains or a table
// on disk is missing. What indexes hold of tables on disk is gathered in the background.
func (e *Engine) Replay(s *schema.Snapshot) (Stats, error) {
	e.SetSchema(s)
	var stats Stats
	if e.log != nil {
		if err := e.openTables(s, &stats); err != nil {
			return stats, err
		}
		if err := e.replayLog(&stats); err != nil {
			return stats, err
		}
		e.log.Start()
		e.replayed.Store(0)
		e.kept.Go(e.keep)
		e.kept.Go(e.tidy)
		e.buildIndexes()
	}
	e.ready.Store(true)
	if e.compactions != nil {
		e.startCompactions()
	}
	return stats, nil
}

func (e *Engine) replayLog(stats *Stats) error {
	r := newReplay(e)
	ls, err := e.log.Replay(r.record)
	if done := r.finish(); err == nil {
		err = done
	}
	stats.Segments, stats.Records, stats.TornBytes, stats.SkippedBytes = ls.Segments, ls.Records, ls.TornBytes, ls.SkippedBytes
	stats.Unknown, stats.Truncated, stats.Mutations = r.unknown, r.truncated, int(r.mutations.Load())
	return err
}

const (
	// maxReplayChunk is how many bytes of mutations a worker takes at once, unless those of all would be too large a part of the
	// memory: one replayPart-th.
	maxReplayChunk = 4 << 20
	minReplayChunk = 64 << 10
	replayPart     = 16
	// replayAhead is how many chunks may wait for a worker; another is made, another applied.
	replayAhead = 1
)

// replay brings back the log: one goroutine reads it and gives mutations to workers by token, so that those of a partition
// keep their order.
type replay struct {
	engine  *Engine
	tables  map[schema.UUID]*replayTable
	last    *replayTable // of the mutation before
	workers []replayWorker
	idle    sync.WaitGroup // chunks that are not applied
	ended   sync.WaitGroup // workers
	chunks  sync.Pool
	chunk   int   // bytes of one
	bytes   int64 // read since memory was looked at

	unknown, truncated int
	mutations          atomic.Int64
	failed             atomic.Pointer[error]
}

// replayTable is a table that the log is replayed for.
type replayTable struct {
	id    schema.UUID
	store *store
	table *schema.Table
	done  uint64 // the sequence up to which its mutations are on disk or void
}

// replayWorker is a worker and the chunk that is made for it.
type replayWorker struct {
	work chan *chunk
	next *chunk
}

// chunk is mutations of records.
type chunk struct {
	bytes []byte
	items []chunkItem
}

// chunkItem is a mutation that ends at a place in the chunk's bytes.
type chunkItem struct {
	table  *replayTable
	prefix uint64 // of the partition's token
	seq    uint64
	end    int
	where  string // segment
	offset int
}

func newReplay(e *Engine) *replay {
	r := &replay{engine: e, tables: map[schema.UUID]*replayTable{}}
	for id, st := range *e.stores.Load() {
		t := &replayTable{id: id, store: st, table: st.table.Load()}
		e.manifest.view(id, func(s *tableState) { t.done = max(s.flushed, s.truncated) })
		r.tables[id] = t
	}
	r.workers = make([]replayWorker, runtime.GOMAXPROCS(0))
	r.chunk = int(e.opts.MemtableSpace) / replayPart / ((replayAhead + 2) * len(r.workers))
	r.chunk = min(max(r.chunk, minReplayChunk), maxReplayChunk)
	r.chunks.New = func() any { return &chunk{bytes: make([]byte, 0, r.chunk)} }
	for i := range r.workers {
		w := &r.workers[i]
		w.work, w.next = make(chan *chunk, replayAhead), r.chunks.Get().(*chunk)
		r.ended.Go(func() { r.work(w.work) })
	}
	return r
}

// table returns the table of an id, nil when there is none.
func (r *replay) table(id schema.UUID) *replayTable {
	if r.last == nil || r.last.id != id {
		r.last = r.tables[id]
	}
	return r.last
}

// record takes one record.
func (r *replay) record(rec commitlog.Record) error {
	if err := r.failed.Load(); err != nil {
		return *err
	}
	err := request.SplitMutations(rec.Body, func(_ int, prefix uint64, one []byte) error {
		t := r.table(schema.UUID(one[:16]))
		switch {
		case t == nil:
			r.unknown++
			return nil
		case rec.Sequence <= t.done:
			r.truncated++
			return nil
		}
		// The high bits choose the shard of the memtable: each worker has shards of its own.
		w := &r.workers[int(prefix>>32*uint64(len(r.workers))>>32)]
		c := w.next
		c.bytes = append(c.bytes, one...)
		c.items = append(c.items, chunkItem{t, prefix, rec.Sequence, len(c.bytes), rec.Segment, rec.Offset})
		if len(c.bytes) >= r.chunk {
			r.send(w)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("segment %s, offset %d: %w: %w", rec.Segment, rec.Offset, err, ErrCorrupt)
	}
	e := r.engine
	if r.bytes += int64(len(rec.Body)); r.bytes >= max(e.opts.MemtableSpace/notifyPart, int64(r.chunk)) {
		r.bytes = 0
		r.wait()
		e.replayed.Store(rec.Sequence)
		return r.makeRoom()
	}
	return nil
}

// send gives a worker its chunk.
func (r *replay) send(w *replayWorker) {
	r.idle.Add(1)
	w.work <- w.next
	w.next = r.chunks.Get().(*chunk)
}

// wait returns when all that was read is applied.
func (r *replay) wait() {
	for i := range r.workers {
		if w := &r.workers[i]; len(w.next.items) > 0 {
			r.send(w)
		}
	}
	r.idle.Wait()
}

// makeRoom flushes memtables when they hold half of the memory, and waits while they hold too much. Up to there flushes, which
// writers would have asked for earlier, come after the start.
func (r *replay) makeRoom() error {
	e := r.engine
	if e.MemoryBytes() <= e.opts.MemtableSpace/2 {
		return nil
	}
	for e.checkMemory() > e.opts.MemtableSpace {
		var oldest *memory
		for _, t := range r.tables {
			if v := t.store.view.Load(); len(v.frozen) > 0 && (oldest == nil || v.frozen[0].upTo < oldest.upTo) {
				oldest = v.frozen[0]
			}
		}
		if oldest == nil {
			continue
		}
		if err := e.await(oldest, nil); err != nil {
			return err
		}
	}
	return nil
}

// finish applies what is left and ends the workers.
func (r *replay) finish() error {
	r.wait()
	for i := range r.workers {
		close(r.workers[i].work)
	}
	r.ended.Wait()
	if err := r.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// work applies chunks.
func (r *replay) work(chunks <-chan *chunk) {
	var sc scratch
	var b buckets
	for c := range chunks {
		for _, i := range b.sort(c.items) {
			it, start := &c.items[i], 0
			if i > 0 {
				start = c.items[i-1].end
			}
			err := r.apply(it.table, c.bytes[start:it.end], it.seq, &sc)
			if err != nil && r.failed.Load() == nil {
				err = fmt.Errorf("segment %s, offset %d: %w: %w", it.where, it.offset, err, ErrCorrupt)
				r.failed.Store(&err)
			}
		}
		c.bytes, c.items = c.bytes[:0], c.items[:0]
		r.chunks.Put(c)
		r.idle.Done()
	}
}

// bucketBits is how many bits of a token choose its bucket.
const bucketBits = 14

// buckets sorts the items of chunks by the first bits of their tokens: writes to neighbouring partitions touch the same memory.
type buckets struct {
	ends  [1<<bucketBits + 1]uint32
	order []uint32
}

// sort returns the numbers of the items in their order. Items of one bucket, thus of one partition, stay in theirs.
func (b *buckets) sort(items []chunkItem) []uint32 {
	clear(b.ends[:])
	for i := range items {
		b.ends[items[i].prefix>>(64-bucketBits)+1]++
	}
	for i := 1; i < len(b.ends); i++ {
		b.ends[i] += b.ends[i-1]
	}
	b.order = slices.Grow(b.order[:0], len(items))[:len(items)]
	for i := range items {
		at := &b.ends[items[i].prefix>>(64-bucketBits)]
		b.order[*at] = uint32(i)
		*at++
	}
	return b.order
}

// apply applies one mutation.
func (r *replay) apply(t *replayTable, one []byte, seq uint64, sc *scratch) error {
	m, err := request.DecodeMutation(one, func(schema.UUID) *schema.Table { return t.table }, &sc.row)
	if err != nil {
		return err
	}
	if err := t.store.apply(&m, seq, sc); err != nil {
		return err
	}
	r.mutations.Add(1)
	return nil
}
