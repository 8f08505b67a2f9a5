// Package commitlog is the log that makes writes durable before they are acknowledged: segments of opaque records, written
// by many and synced by one (Log), brought back at start (Replay); and a small log whose every append is synced (Journal).
//
// # Segment
//
// Files commitlog-<id, 16 hex digits>.log, at most SegmentSize long, ids ascending. Integers are little-endian.
//
//	header, 48 bytes: magic "HELENUSL" | uint32 version 1 | uint32 0 | uint64 id | uint64 sequence of the first record |
//	  int64 creation, microseconds since 1970 | uint32 crc32c of the 40 bytes before | uint32 0
//	records, each aligned to 8 bytes: uint32 length of body | uint32 crc | uint64 sequence | uint32 synced | uint32 0 | body
//
// crc is the crc32c of the body, then of segment id (uint64), position (uint32), length, sequence, synced and the zero word:
// a record is valid at its place in its segment alone. Sequences count by one over all segments. synced is the position up
// to which the segment was known to be on disk when the record was made. Behind the last record a segment that is being
// written is filled with zeros, so that syncing it changes no metadata; when it is done it is cut to its length.
//
// # What a crash can leave
//
// A segment is synced in full before the next is created, so an invalid record in any but the last is damage, and so is one
// in the last that a later valid record knows as synced. Any other invalid record in the last segment begins what was not
// yet acknowledged as durable: the log ends there.
//
// Floor: above storage/vfs. Source: storage.md 3.2; org.apache.cassandra.db.commitlog does the same differently.
package commitlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// ErrCorrupt is wrapped, with file and offset, by errors about bytes that no crash of ours can have left.
var ErrCorrupt = errors.New("corrupt")

const (
	segmentMagic   = "HELENUSL"
	segmentVersion = 1
	segmentHeader  = 48
	recordHeader   = 24
	alignment      = 8
)

// castagnoli is the polynomial of all checksums here.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func align(n int) int { return (n + alignment - 1) &^ (alignment - 1) }

func segmentName(id uint64) string { return fmt.Sprintf("commitlog-%016x.log", id) }

// parseSegmentName returns the id of a segment's file name.
func parseSegmentName(name string) (id uint64, ok bool) {
	hex, ok := strings.CutPrefix(name, "commitlog-")
	if !ok {
		return 0, false
	}
	if hex, ok = strings.CutSuffix(hex, ".log"); !ok || len(hex) != 16 {
		return 0, false
	}
	id, err := strconv.ParseUint(hex, 16, 64)
	return id, err == nil
}

func appendSegmentHeader(dst []byte, id, firstSeq uint64, created int64) []byte {
	start := len(dst)
	dst = append(dst, segmentMagic...)
	dst = binary.LittleEndian.AppendUint32(dst, segmentVersion)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, id)
	dst = binary.LittleEndian.AppendUint64(dst, firstSeq)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(created))
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
	return append(dst, 0, 0, 0, 0)
}

// parseSegmentHeader returns the first sequence of a segment; ok is false when b does not begin with the header of segment id.
func parseSegmentHeader(b []byte, id uint64) (firstSeq uint64, ok bool) {
	if len(b) < segmentHeader || string(b[:8]) != segmentMagic || binary.LittleEndian.Uint32(b[8:]) != segmentVersion ||
		binary.LittleEndian.Uint64(b[16:]) != id || binary.LittleEndian.Uint32(b[40:]) != crc32.Checksum(b[:40], castagnoli) {
		return 0, false
	}
	return binary.LittleEndian.Uint64(b[24:]), true
}

// summer finishes the checksums of records. It is a value of its own because what crc32 is given escapes to the heap.
type summer struct{ b [32]byte }

// sum finishes the checksum of a record whose body has the checksum body.
func (s *summer) sum(body uint32, segment uint64, pos, length uint32, seq uint64, synced uint32) uint32 {
	b := s.b[:]
	binary.LittleEndian.PutUint64(b, segment)
	binary.LittleEndian.PutUint32(b[8:], pos)
	binary.LittleEndian.PutUint32(b[12:], length)
	binary.LittleEndian.PutUint64(b[16:], seq)
	binary.LittleEndian.PutUint32(b[24:], synced)
	return crc32.Update(body, castagnoli, b)
}

// record is a parsed record; body shares the segment's bytes.
type record struct {
	seq    uint64
	synced uint32
	body   []byte
}

// size is what a record takes of its segment.
func (r *record) size() int { return align(recordHeader + len(r.body)) }

// parse returns the record at pos of a segment's bytes; ok is false when there is no valid one.
func (s *summer) parse(segment []byte, id uint64, pos int) (r record, ok bool) {
	if len(segment)-pos < recordHeader {
		return r, false
	}
	h := segment[pos:]
	length, sum := binary.LittleEndian.Uint32(h), binary.LittleEndian.Uint32(h[4:])
	if uint64(length) > uint64(len(h)-recordHeader) || binary.LittleEndian.Uint32(h[20:]) != 0 {
		return r, false
	}
	r.seq, r.synced = binary.LittleEndian.Uint64(h[8:]), binary.LittleEndian.Uint32(h[16:])
	if r.seq == 0 {
		return r, false
	}
	r.body = h[recordHeader : recordHeader+int(length) : recordHeader+int(length)]
	return r, sum == s.sum(crc32.Checksum(r.body, castagnoli), id, uint32(pos), length, r.seq, r.synced)
}
