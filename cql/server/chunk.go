package server

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// chunk is memory that a connection reads into. The connection holds one reference, and each request whose body lies
// in it and that left the connection's goroutine holds one more: while there are such, the connection only goes on
// behind what it has read, and leaves the chunk when that is full.
type chunk struct {
	b     []byte
	refs  atomic.Int32
	class int // -1 when it has no pool
}

// Chunks of the sizes 512 B to 256 KiB are pooled, one pool for each power of two. A chunk is returned by whoever drops
// its last reference.
const (
	minChunkBits = 9
	maxChunkBits = 18
	busyChunk    = 32 << 10 // what a connection reads into once it is busy
)

var chunkPools [maxChunkBits - minChunkBits + 1]sync.Pool

// newChunk returns a chunk of at least size bytes with one reference.
func newChunk(size int) *chunk {
	class := max(bits.Len(uint(size-1)), minChunkBits) - minChunkBits
	if class >= len(chunkPools) {
		c := &chunk{b: make([]byte, size), class: -1}
		c.refs.Store(1)
		return c
	}
	c, ok := chunkPools[class].Get().(*chunk)
	if !ok {
		c = &chunk{b: make([]byte, 1<<(class+minChunkBits)), class: class}
	}
	c.refs.Store(1)
	return c
}

func (c *chunk) hold() { c.refs.Add(1) }

func (c *chunk) release() {
	if c.refs.Add(-1) == 0 && c.class >= 0 {
		chunkPools[c.class].Put(c)
	}
}

// shared reports whether requests hold c.
func (c *chunk) shared() bool { return c.refs.Load() > 1 }
