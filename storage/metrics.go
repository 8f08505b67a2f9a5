package storage

import (
	"sync/atomic"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/cache"
)

// Metrics count what a table's store does. Source: org.apache.cassandra.metrics.TableMetrics.
type Metrics struct {
	writes, reads  atomic.Int64
	flushes        atomic.Int64
	flushNanos     atomic.Int64
	flushBytes     atomic.Int64
	tablesRead     atomic.Int64 // by reads of single partitions
	partitionReads atomic.Int64
	// readTime and writeTime are nanoseconds of some reads and writes; tablesPerRead is of every lookup of a partition.
	readTime, writeTime, tablesPerRead Histogram
}

// flushed notes a flush that began at begun.
func (m *Metrics) flushed(begun time.Time) {
	m.flushes.Add(1)
	m.flushNanos.Add(int64(time.Since(begun)))
}

// TableStats is what a table takes and has done since the start, under the names that Cassandra's metrics have.
type TableStats struct {
	// MemtableLiveDataSize is the bytes of the memtable that takes writes, AllMemtablesLiveDataSize of those being flushed too.
	MemtableLiveDataSize, AllMemtablesLiveDataSize int64
	MemtableSwitchCount, PendingFlushes            int64
	LiveSSTableCount, LiveDiskSpaceUsed            int64
	// TotalDiskSpaceUsed counts files that are not live any more and still in use too.
	TotalDiskSpaceUsed                         int64
	BloomFilterFalsePositives, BloomFilterTrue int64
	EstimatedPartitionCount                    int64
	WriteCount, ReadCount                      int64
	SSTablesPerReadTotal, SSTablesPerReadCount int64
	BytesFlushed                               int64
	FlushTime                                  time.Duration
	IndexMemory                                int64
}

// TableStats returns the figures of a table.
func (e *Engine) TableStats(table schema.UUID) (TableStats, error) {
	st := e.store(table)
	if st == nil {
		return TableStats{}, ErrUnknownTable
	}
	v := st.acquire()
	defer v.release()
	m := &st.metrics
	s := TableStats{
		MemtableLiveDataSize: v.mem.Bytes(), MemtableSwitchCount: m.flushes.Load(), PendingFlushes: int64(len(v.frozen)),
		WriteCount: m.writes.Load(), ReadCount: m.reads.Load(), SSTablesPerReadTotal: m.tablesRead.Load(),
		SSTablesPerReadCount: m.partitionReads.Load(), BytesFlushed: m.flushBytes.Load(), FlushTime: time.Duration(m.flushNanos.Load()),
		EstimatedPartitionCount: int64(v.mem.Partitions()),
	}
	s.AllMemtablesLiveDataSize = s.MemtableLiveDataSize
	for _, f := range v.frozen {
		s.AllMemtablesLiveDataSize += f.Bytes()
		s.EstimatedPartitionCount += int64(f.Partitions())
	}
	for i := range v.tables {
		f := v.tables[i].File
		s.LiveSSTableCount++
		s.LiveDiskSpaceUsed += f.size
		s.EstimatedPartitionCount += f.reader.EstimatedKeys()
		s.BloomFilterFalsePositives += f.filterFalse.Load()
		s.BloomFilterTrue += f.filterTrue.Load()
	}
	s.TotalDiskSpaceUsed = s.LiveDiskSpaceUsed
	e.grave.mu.Lock()
	for _, f := range e.grave.files {
		if f.dir == st.dir {
			s.TotalDiskSpaceUsed += f.size
		}
	}
	e.grave.mu.Unlock()
	for _, x := range v.indexes {
		s.IndexMemory += x.Bytes()
	}
	return s, nil
}

// EngineStats is what the engine as a whole takes.
type EngineStats struct {
	MemtableBytes, MemtableSpace int64
	CommitLogBytes, LogSpace     int64
	PendingFlushes               int
	Cache                        cache.Stats
	// WritesRefused is why writes are refused now, nil when they are taken.
	WritesRefused error
}

// Stats returns the figures of the engine.
func (e *Engine) Stats() EngineStats {
	s := EngineStats{MemtableSpace: e.opts.MemtableSpace, LogSpace: e.opts.LogSpace}
	for _, st := range *e.stores.Load() {
		v := st.view.Load()
		s.MemtableBytes += v.mem.Bytes()
		for _, m := range v.frozen {
			s.MemtableBytes += m.Bytes()
			s.PendingFlushes++
		}
	}
	if e.log != nil {
		s.CommitLogBytes = e.log.Size()
	}
	s.Cache = e.cache.Stats()
	if p := e.pressure.Load(); p != nil {
		s.WritesRefused = p.refuse
	}
	return s
}
