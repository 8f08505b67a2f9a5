package sstable

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// The parameters of the HyperLogLog++ over the partition keys. Source: stream-lib's HyperLogLogPlus as Cassandra's
// MetadataCollector uses it; storage.md 1.8.
const (
	hllP         = 13
	hllSP        = 25
	hllRegisters = 1 << hllP
	// hllBuffer entries are gathered before they are merged; more than hllSparse merged ones become registers.
	hllBuffer = 1537
	hllSparse = 6144
	// hllVersion is written as an int32: -2.
	hllVersion = 0xfffffffe
	// hllPerWord registers of hllBits bits share an int32.
	hllPerWord = 6
	hllBits    = 5
	hllWords   = (hllRegisters + hllPerWord - 1) / hllPerWord
)

// hyperLogLog estimates the number of distinct keys: a list of hashes while they are few, then registers.
type hyperLogLog struct {
	buffer, set []uint32
	registers   []byte
}

// run is how many leading zeros a hash has behind its register number, plus one.
func run(hash uint64) uint32 { return uint32(bits.LeadingZeros64(hash<<hllP|1<<(hllP-1))) + 1 }

// addKey counts a key.
func (h *hyperLogLog) addKey(key []byte) { h.add(murmur2(key)) }

func (h *hyperLogLog) add(hash uint64) {
	if h.registers != nil {
		h.raise(uint32(hash>>(64-hllP)), run(hash))
		return
	}
	x := uint32(hash >> (64 - hllSP))
	e := x << 1
	if x&(1<<(hllSP-hllP)-1) == 0 {
		e = (x<<6|run(hash)^63)<<1 | 1
	}
	if h.buffer = append(h.buffer, e); len(h.buffer) == hllBuffer {
		h.merge()
		if len(h.set) > hllSparse {
			h.normal()
		}
	}
}

// raise lifts a register to a value.
func (h *hyperLogLog) raise(i, value uint32) {
	if v := byte(min(value, 1<<hllBits-1)); v > h.registers[i] {
		h.registers[i] = v
	}
}

// prefix is the part of the hash that an entry holds.
func prefix(e uint32) uint32 {
	if e&1 == 1 {
		return e >> 7
	}
	return e >> 1
}

// merge moves the buffer into the set. Both are in the order in which the original has them, which a reader does not need.
func (h *hyperLogLog) merge() {
	slices.SortFunc(h.buffer, func(a, b uint32) int { return int(prefix(a)) - int(prefix(b)) })
	merged := make([]uint32, 0, len(h.set)+len(h.buffer))
	add := func(e uint32) {
		if n := len(merged); n == 0 || merged[n-1] != e {
			merged = append(merged, e)
		}
	}
	a, b := h.set, h.buffer
	for len(a) > 0 && len(b) > 0 {
		if int32(a[0]) <= int32(b[0]) {
			add(a[0])
			a = a[1:]
		} else {
			add(b[0])
			b = b[1:]
		}
	}
	for _, rest := range [][]uint32{a, b} {
		for _, e := range rest {
			add(e)
		}
	}
	h.set, h.buffer = merged, h.buffer[:0]
}

// normal turns the set into registers.
func (h *hyperLogLog) normal() {
	h.registers = make([]byte, hllRegisters)
	for _, e := range h.set {
		x := prefix(e)
		r := uint32(bits.LeadingZeros32(x<<(32-hllSP+hllP))) + 1
		if e&1 == 1 {
			r = e>>1&63 ^ 63
		}
		h.raise(x>>(hllSP-hllP), r)
	}
	h.set, h.buffer = nil, nil
}

// appendTo appends the bytes that COMPACTION holds.
func (h *hyperLogLog) appendTo(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, hllVersion)
	dst = append(dst, hllP, hllSP)
	if h.registers != nil {
		dst = binary.AppendUvarint(append(dst, 0), 4*hllWords)
		for i := 0; i < hllRegisters; i += hllPerWord {
			word := uint32(0)
			for j, v := range h.registers[i:min(i+hllPerWord, hllRegisters)] {
				word |= uint32(v) << (hllBits * j)
			}
			dst = binary.BigEndian.AppendUint32(dst, word)
		}
		return dst
	}
	h.merge()
	dst = binary.AppendUvarint(append(dst, 1), uint64(len(h.set)))
	last := uint32(0)
	for _, e := range h.set {
		dst = binary.AppendUvarint(dst, uint64(e-last))
		last = e
	}
	return dst
}

// murmur2 is MurmurHash2 of 64 bits with seed 0, whose tail bytes are sign-extended.
// Source: org.apache.cassandra.utils.MurmurHash.hash2_64.
func murmur2(key []byte) uint64 {
	const m, r = 0xc6a4a7935bd1e995, 47
	h := uint64(len(key)) * m
	for ; len(key) >= 8; key = key[8:] {
		k := binary.LittleEndian.Uint64(key) * m
		k ^= k >> r
		h = (h ^ k*m) * m
	}
	if len(key) > 0 {
		for i, b := range key {
			h ^= uint64(int64(int8(b))) << (8 * i)
		}
		h *= m
	}
	h ^= h >> r
	h *= m
	return h ^ h>>r
}
