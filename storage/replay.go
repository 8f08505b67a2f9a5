package storage

import (
	"fmt"
	"maps"
	"runtime"
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
	stats.Unknown, stats.Truncated, stats.Mutations = int(r.unknown.Load()), int(r.truncated.Load()), int(r.mutations.Load())
	return err
}

const (
	// replayChunk is how many bytes of mutations a worker takes at once.
	replayChunk = 256 << 10
	// replayAhead is how many chunks may wait for a worker.
	replayAhead = 2
)

// replay brings back the log: one goroutine reads it and gives mutations to workers by token, so that those of a partition
// keep their order.
type replay struct {
	engine *Engine
	stores map[schema.UUID]*store
	// done holds, for each table, the sequence up to which its mutations are on disk or void.
	done    map[schema.UUID]uint64
	workers []replayWorker
	idle    sync.WaitGroup // chunks that are not applied
	ended   sync.WaitGroup // workers
	chunks  sync.Pool
	bytes   int64 // read since memory was looked at

	unknown, truncated, mutations atomic.Int64
	failed                        atomic.Pointer[error]
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
	end    int
	seq    uint64
	where  string // segment
	offset int
}

func newReplay(e *Engine) *replay {
	r := &replay{engine: e, stores: *e.stores.Load(), done: map[schema.UUID]uint64{}}
	e.manifest.mu.Lock()
	for id, t := range e.manifest.state.tables {
		r.done[id] = max(t.flushed, t.truncated)
	}
	e.manifest.mu.Unlock()
	r.chunks.New = func() any { return &chunk{bytes: make([]byte, 0, replayChunk)} }
	r.workers = make([]replayWorker, runtime.GOMAXPROCS(0))
	for i := range r.workers {
		w := &r.workers[i]
		w.work, w.next = make(chan *chunk, replayAhead), r.chunks.Get().(*chunk)
		r.ended.Go(func() { r.work(w.work) })
	}
	return r
}

// record takes one record.
func (r *replay) record(rec commitlog.Record) error {
	if err := r.failed.Load(); err != nil {
		return *err
	}
	err := request.SplitMutations(rec.Body, func(_ int, prefix uint64, one []byte) error {
		// The high bits choose the shard of the memtable: each worker has shards of its own.
		w := &r.workers[int(prefix>>32*uint64(len(r.workers))>>32)]
		c := w.next
		c.bytes = append(c.bytes, one...)
		c.items = append(c.items, chunkItem{len(c.bytes), rec.Sequence, rec.Segment, rec.Offset})
		if len(c.bytes) >= replayChunk {
			r.send(w)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("segment %s, offset %d: %w: %w", rec.Segment, rec.Offset, err, ErrCorrupt)
	}
	e := r.engine
	if r.bytes += int64(len(rec.Body)); r.bytes >= max(e.opts.MemtableSpace/notifyPart, replayChunk) {
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

// makeRoom flushes memtables when they hold much, and waits while they hold too much.
func (r *replay) makeRoom() error {
	e := r.engine
	for e.checkMemory() > e.opts.MemtableSpace {
		var oldest *memory
		for _, st := range r.stores {
			if v := st.view.Load(); len(v.frozen) > 0 && (oldest == nil || v.frozen[0].upTo < oldest.upTo) {
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
	tables := make(map[schema.UUID]*schema.Table, len(r.stores))
	for id, st := range maps.All(r.stores) {
		tables[id] = st.table.Load()
	}
	lookup := func(id schema.UUID) *schema.Table { return tables[id] }
	for c := range chunks {
		start := 0
		for i := range c.items {
			it := &c.items[i]
			err := r.apply(c.bytes[start:it.end], it.seq, lookup, &sc)
			if err != nil && r.failed.Load() == nil {
				err = fmt.Errorf("segment %s, offset %d: %w: %w", it.where, it.offset, err, ErrCorrupt)
				r.failed.Store(&err)
			}
			start = it.end
		}
		c.bytes, c.items = c.bytes[:0], c.items[:0]
		r.chunks.Put(c)
		r.idle.Done()
	}
}

// apply applies one mutation.
func (r *replay) apply(one []byte, seq uint64, lookup func(schema.UUID) *schema.Table, sc *scratch) error {
	id := schema.UUID(one[:16])
	if seq <= r.done[id] && lookup(id) != nil {
		r.truncated.Add(1)
		return nil
	}
	m, err := request.DecodeMutation(one, lookup, &sc.row)
	if err != nil {
		return err
	}
	if m.Table == nil {
		r.unknown.Add(1)
		return nil
	}
	if err := r.stores[id].apply(&m, seq, sc); err != nil {
		return err
	}
	r.mutations.Add(1)
	return nil
}
