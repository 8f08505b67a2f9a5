package storage

import (
	"hash/maphash"

	"github.com/helenusdb/helenus/cql/schema"
)

// lockSeed is the seed of the hash that spreads partitions over locks. It is never written to.
var lockSeed = maphash.MakeSeed()

// stripe returns the number of a partition's lock.
func (e *Engine) stripe(t *schema.Table, key []byte) int {
	h := maphash.Bytes(lockSeed, key) ^ maphash.Bytes(lockSeed, t.ID[:])
	return int(h % uint64(len(e.locks)))
}

// LockPartition locks a partition against other holders of its lock, for what reads before it writes; plain writes do not
// take it. A goroutine holds one such lock at a time, since partitions share locks, and does not call ApplyCounter meanwhile.
func (e *Engine) LockPartition(t *schema.Table, key []byte) (unlock func()) {
	mu := &e.locks[e.stripe(t, key)]
	mu.Lock()
	return mu.Unlock
}
