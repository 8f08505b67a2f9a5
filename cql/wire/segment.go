package wire

import (
	"encoding/binary"

	"github.com/helenusdb/helenus/cql"
)

// A v5 segment is
//
//	plain: 3 bytes LE  length(17) selfContained(1) zero(6)                       CRC24(3 LE) payload CRC32(4 LE)
//	lz4:   5 bytes LE  compressed(17) uncompressed(17) selfContained(1) zero(5)  CRC24(3 LE) payload CRC32(4 LE)
//
// The payload holds whole envelopes when it is self-contained, else a part of exactly one. With lz4 a payload that
// is sent as it is has uncompressed length 0 (the specification says compressed length 0; no implementation does).
const (
	// MaxPayload is the most that a segment holds, compressed and uncompressed, in bytes.
	MaxPayload = 1<<17 - 1

	plainHeaderSize = 6
	lz4HeaderSize   = 8
	trailerSize     = 4
)

// segmentHeader is a segment's header. wire is the payload's size as sent; raw its size when decompressed, or 0
// when it is not compressed.
type segmentHeader struct {
	wire, raw     int
	selfContained bool
}

// headerSizeOf returns the size of a segment's header with its CRC24.
func headerSizeOf(lz4 bool) int {
	if lz4 {
		return lz4HeaderSize
	}
	return plainHeaderSize
}

// putSegmentHeader writes h to the first bytes of b.
func putSegmentHeader(b []byte, h segmentHeader, lz4 bool) {
	v, n := uint64(h.wire), 3
	bit := 17
	if lz4 {
		v |= uint64(h.raw) << 17
		bit, n = 34, 5
	}
	if h.selfContained {
		v |= 1 << bit
	}
	c := crc24(v, n)
	for i := range n {
		b[i] = byte(v >> (8 * i))
	}
	b[n], b[n+1], b[n+2] = byte(c), byte(c>>8), byte(c>>16)
}

// decodeSegmentHeader reads a header from b, which holds all of it. The error has Cassandra's text; channel is the id
// of the connection that it begins with.
func decodeSegmentHeader(b []byte, lz4 bool, channel string) (h segmentHeader, err *cql.Error) {
	n := headerSizeOf(lz4) - 3
	var v uint64
	for i := range n {
		v |= uint64(b[i]) << (8 * i)
	}
	read := uint32(b[n]) | uint32(b[n+1])<<8 | uint32(b[n+2])<<16
	if c := crc24(v, n); c != read {
		return h, cql.Protocolf("%s invalid, unrecoverable CRC mismatch detected in frame header. Read %d, Computed %d", channel,
			read, c)
	}
	h.wire = int(v & MaxPayload)
	if lz4 {
		h.raw = int(v >> 17 & MaxPayload)
		h.selfContained = v>>34&1 != 0
	} else {
		h.selfContained = v>>17&1 != 0
	}
	return h, nil
}

// checkPayload compares the CRC32 that follows the payload in b with the payload's.
func checkPayload(b []byte, n int, channel string) *cql.Error {
	read := binary.LittleEndian.Uint32(b[n:])
	if c := crc32Of(b[:n]); c != read {
		return cql.Protocolf("%s invalid, unrecoverable CRC mismatch detected in frame body. Read %d, Computed %d", channel,
			int32(read), int32(c))
	}
	return nil
}

// AppendSegment appends payload, of at most MaxPayload bytes, as one segment, compressed when lz4 says so.
//
// Deviation: with lz4 the payload is always sent as an LZ4 block, even where that is a few bytes longer than the
// payload, unless it would not fit: the Python driver measures the other form wrongly when a read ends inside it.
func AppendSegment(dst, payload []byte, selfContained, lz4 bool) []byte {
	at, size := len(dst), headerSizeOf(lz4)
	dst = append(dst, make([]byte, size)...)
	h := segmentHeader{wire: len(payload), selfContained: selfContained}
	if lz4 && len(payload) > 0 {
		dst = appendLZ4Block(dst, payload)
		if n := len(dst) - at - size; n <= MaxPayload {
			h.wire, h.raw = n, len(payload)
		} else {
			dst = append(dst[:at+size], payload...)
		}
	} else {
		dst = append(dst, payload...)
	}
	putSegmentHeader(dst[at:], h, lz4)
	return binary.LittleEndian.AppendUint32(dst, crc32Of(dst[at+size:]))
}
