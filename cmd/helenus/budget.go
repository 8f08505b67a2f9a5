package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/helenusdb/helenus/cmd/helenus/config"
)

// budget is how the memory of a node is divided. What has a setting of its own that is set keeps it; the rest are parts of the
// limit. All but compactors are bytes.
type budget struct {
	limit int64 // of what is resident
	// heap is what the Go runtime is held to: the limit without the command itself, which is mapped.
	heap      int64
	memtables int64
	cache     int64 // of tables on disk
	requests  int64 // that are in flight
	large     int64 // large messages while they are received
	prepared  int64
	// compactors is how many tables are compacted at once.
	compactors int
}

// The parts of a budget, as divisors of the limit. What is left, more than a third, is for the filters and summaries of tables on
// disk, for buffers, and for garbage: the collector has more work the less of that there is.
const (
	memtablePart   = 4
	cachePart      = 4
	smallCachePart = 8 // of a limit below smallLimit
	requestPart    = 8
	largePart      = 16
	preparedPart   = 16
	// A compaction takes up to about compactionCost for what it reads ahead and has not written.
	compactionCost = 16 << 20
	compactionPart = 8
)

// Bounds of what is divided.
const (
	minLimit     = 64 << 20
	smallLimit   = 512 << 20
	codeSize     = 16 << 20 // of the command that is resident
	maxMemtables = 4 << 30
	maxCache     = 8 << 30
	maxRequests  = 256 << 20
	maxLarge     = 128 << 20
)

// divide divides the memory of a machine or of a control group, either 0 when it is not known or without a bound. When no limit
// is set it is half of the machine's memory, or three quarters of the group's, which is for this node alone.
func divide(cfg *config.Config, machine, group int64) (budget, error) {
	b := budget{limit: cfg.MemoryLimitBytes, memtables: cfg.MemtableHeapBytes + cfg.MemtableOffheapBytes,
		cache: cfg.FileCacheBytes + cfg.KeyCacheBytes, requests: cfg.RequestBytes, prepared: cfg.PreparedStatementsBytes,
		compactors: cfg.ConcurrentCompactors}
	given := b.limit > 0
	fixed := b.memtables + b.cache
	switch {
	case given && b.limit < minLimit:
		return b, fmt.Errorf("memory_limit must be at least %dMiB, but was %d bytes", minLimit>>20, b.limit)
	case given && fixed > b.limit/4*3:
		return b, fmt.Errorf("memory_limit of %d bytes has no room for memtables and caches that are set to %d bytes: at most three "+
			"quarters of it are for them", b.limit, fixed)
	case !given:
		if machine <= 0 {
			machine = 4 << 30
		}
		b.limit = machine / 2
		if group > 0 && group < machine {
			b.limit = group / 4 * 3
		}
		// Who sets those sizes alone means them.
		b.limit = max(b.limit, minLimit, fixed+fixed/2)
	}
	part := func(v *int64, divisor, most int64) {
		if *v <= 0 {
			*v = min(b.limit/divisor, most)
		}
	}
	part(&b.memtables, memtablePart, maxMemtables)
	if b.limit < smallLimit {
		part(&b.cache, smallCachePart, maxCache)
	}
	part(&b.cache, cachePart, maxCache)
	part(&b.requests, requestPart, maxRequests)
	part(&b.large, largePart, maxLarge)
	if cfg.Given["prepared_statements_cache_size"] == "" {
		b.prepared = min(b.prepared, b.limit/preparedPart)
	}
	if b.compactors <= 0 {
		b.compactors = min(max(runtime.GOMAXPROCS(0), 2), 8, int(max(b.limit/compactionPart/compactionCost, 1)))
	}
	b.heap = b.limit - codeSize
	return b, nil
}

// obey holds the Go runtime to the budget, unless its own variable GOMEMLIMIT says otherwise.
func (b *budget) obey() {
	if os.Getenv("GOMEMLIMIT") == "" && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(b.heap)
	}
}
