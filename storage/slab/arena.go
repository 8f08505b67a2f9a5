// Package slab is memory that the garbage collector does not walk: an Arena of bytes and a Pool of sorted trees whose links
// are numbers. Ten million rows in it are a few hundred objects to the collector. Its nouns are Arena, Ref, Pool and Tree.
//
// Memory is the Go heap's, so what a reader still holds when a table is dropped stays as long as it does. Nothing here locks:
// its users do (memtable, index).
//
// Floor: ground. Source: storage.md 4.
package slab

// Ref is the address of bytes in an Arena: a chunk and a granule in it. 0 is none.
type Ref uint32

// A chunk is at most chunkSize bytes unless it holds one larger object; a Ref counts granules of eight bytes. With 15 bits
// for the chunk an arena holds 32 GiB.
const (
	granule    = 8
	chunkBits  = 17
	chunkSize  = granule << chunkBits
	firstChunk = 1 << 10
	maxChunks  = 1 << (32 - chunkBits)
)

// Arena hands out bytes and never takes them back. Bytes do not move.
type Arena struct {
	chunks [][]byte
	used   int   // of the last chunk
	bytes  int64 // of all chunks
}

// Alloc returns n zeroed bytes and their address, which is not 0.
func (a *Arena) Alloc(n int) (Ref, []byte) {
	n = (n + granule - 1) &^ (granule - 1)
	if last := len(a.chunks) - 1; last < 0 || a.used+n > len(a.chunks[last]) {
		a.grow(n)
	}
	last := len(a.chunks) - 1
	ref := Ref(last<<chunkBits | a.used/granule)
	b := a.chunks[last][a.used : a.used+n : a.used+n]
	a.used += n
	return ref, b
}

// grow adds a chunk in which n bytes fit. Chunks double from firstChunk to chunkSize, so that a small table is small.
func (a *Arena) grow(n int) {
	if len(a.chunks) == maxChunks {
		panic("slab: an arena holds at most 32 GiB")
	}
	size := firstChunk
	if last := len(a.chunks) - 1; last >= 0 {
		size = min(2*len(a.chunks[last]), chunkSize)
	}
	first := 0
	if len(a.chunks) == 0 {
		first = granule // address 0 is none
	}
	size = max(size, n+first)
	a.chunks = append(a.chunks, make([]byte, size))
	a.used = first
	a.bytes += int64(size)
}

// Bytes returns the size of all chunks.
func (a *Arena) Bytes() int64 { return a.bytes }

// View returns the arena as it is now: all that was allocated before can be read through it without a lock, as long as
// nobody changes those bytes.
func (a *Arena) View() View { return View{a.chunks} }

// View reads an arena.
type View struct{ chunks [][]byte }

// At returns the bytes that begin at ref, to the end of their chunk.
func (v View) At(ref Ref) []byte {
	return v.chunks[ref>>chunkBits][int(ref&(1<<chunkBits-1))*granule:]
}

// At returns the bytes that begin at ref, to the end of their chunk.
func (a *Arena) At(ref Ref) []byte { return View{a.chunks}.At(ref) }
