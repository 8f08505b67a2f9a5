package sstable

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// The parameters of blocks in the format of LZ4: matches have at least lz4Match bytes, the last lz4Tail bytes are literals,
// and no match begins in the last lz4Limit.
const (
	lz4Match = 4
	lz4Tail  = 5
	lz4Limit = 12
	// lz4Table is the number of bits of the hashes of four bytes.
	lz4Table = 12
	// lz4Skip is how fast steps grow where nothing matches: by one for each 1<<lz4Skip steps.
	lz4Skip = 5
	// maxLZ4Chunk is the longest chunk whose positions fit the table.
	maxLZ4Chunk = 64 << 10
)

// lz4Compressor makes LZ4 blocks of chunks of at most maxLZ4Chunk bytes: positions of 16 bits need neither a check of the
// distance nor one of their age, which makes it faster than a compressor for any length.
type lz4Compressor struct{ table [1 << lz4Table]uint16 }

func lz4Hash(v uint32) uint32 { return v * 2654435761 >> (32 - lz4Table) }

// lz4Bound is how long the block of a chunk can get, with what copies may write behind it.
func lz4Bound(n int) int { return n + n/255 + 16 + 16 }

// appendBlock appends the block of src to dst.
func (z *lz4Compressor) appendBlock(dst, src []byte) []byte {
	start := len(dst)
	dst = slices.Grow(dst, lz4Bound(len(src)))
	out := dst[start:cap(dst)]
	at, anchor := 0, 0
	if len(src) > lz4Limit {
		at, anchor = z.matches(out, src)
	}
	rest := src[anchor:]
	out[at] = byte(min(len(rest), 15)) << 4
	at = putLZ4Length(out, at+1, len(rest))
	at += copy(out[at:], rest)
	return dst[:start+at]
}

// matches writes all sequences but the last one, which has literals only, and returns where that is to stand and where its
// literals begin.
func (z *lz4Compressor) matches(out, src []byte) (at, anchor int) {
	clear(z.table[:])
	end := len(src) - lz4Limit
	for i := 1; i < end; {
		// Look for four bytes that stood before.
		v, ref := uint32(0), 0
		for step := 1 << lz4Skip; ; step++ {
			v = binary.LittleEndian.Uint32(src[i:])
			h := lz4Hash(v)
			ref = int(z.table[h])
			z.table[h] = uint16(i)
			if binary.LittleEndian.Uint32(src[ref:]) == v {
				break
			}
			if i += step >> lz4Skip; i >= end {
				return at, anchor
			}
		}
		for i > anchor && ref > 0 && src[i-1] == src[ref-1] {
			i--
			ref--
		}
		n := lz4Match + lz4Same(src, i+lz4Match, ref+lz4Match)
		literals := i - anchor
		out[at] = byte(min(literals, 15))<<4 | byte(min(n-lz4Match, 15))
		at = putLZ4Length(out, at+1, literals)
		if literals <= 16 && anchor+16 <= len(src) {
			copy(out[at:at+16], src[anchor:anchor+16])
		} else {
			copy(out[at:], src[anchor:i])
		}
		at += literals
		binary.LittleEndian.PutUint16(out[at:], uint16(i-ref))
		at = putLZ4Length(out, at+2, n-lz4Match)
		i += n
		anchor = i
		if i < end {
			z.table[lz4Hash(binary.LittleEndian.Uint32(src[i-2:]))] = uint16(i - 2)
		}
	}
	return at, anchor
}

// putLZ4Length writes what of a length a token cannot hold, and returns where it ends.
func putLZ4Length(out []byte, at, n int) int {
	if n < 15 {
		return at
	}
	for n -= 15; n >= 255; n -= 255 {
		out[at] = 255
		at++
	}
	out[at] = byte(n)
	return at + 1
}

// lz4Same returns how many bytes at i are those at ref, without the tail of src.
func lz4Same(src []byte, i, ref int) int {
	start, end := i, len(src)-lz4Tail
	for i+8 <= end {
		if x := binary.LittleEndian.Uint64(src[i:]) ^ binary.LittleEndian.Uint64(src[ref:]); x != 0 {
			return i - start + bits.TrailingZeros64(x)>>3
		}
		i += 8
		ref += 8
	}
	for i < end && src[i] == src[ref] {
		i++
		ref++
	}
	return i - start
}
