package sstable

import (
	"encoding/binary"

	"github.com/helenusdb/helenus/storage/vfs"
)

// maxSummary bounds Summary.db, which is in memory while the table is open.
const maxSummary = 2 << 30

// summary is a sample of the keys of Index.db with their positions. Source: org.apache.cassandra.io.sstable.indexsummary.
type summary struct {
	interval       int // every how many keys one was taken
	level          int // 128 when none was left out
	fullSize       int
	offsets, bytes []byte // little-endian uint32 into bytes, offset by len(offsets)
	first, last    []byte
}

// readSummary reads Summary.db; it returns nil when there is none.
func readSummary(fsys vfs.FS, dir string, d Descriptor) (*summary, error) {
	name := d.File(CompSummary)
	b, err := readSmall(fsys, dir, name, maxSummary)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseSummary(b, name)
}

// parseSummary keeps b.
func parseSummary(b []byte, name string) (*summary, error) {
	c := cursor{b: b, file: name}
	s := &summary{interval: int(c.i32())}
	n, size := int(c.i32()), c.i64()
	s.level, s.fullSize = int(c.i32()), int(c.i32())
	if c.err != nil {
		return nil, c.err
	}
	if s.interval <= 0 || s.level <= 0 || s.level > 128 {
		return nil, corrupt(name, 0, "interval %d, sampling level %d", s.interval, s.level)
	}
	if n < 0 || size < 0 || size > int64(c.left()) || int64(n)*4 > size {
		return nil, corrupt(name, 4, "%d entries in %d bytes of a file of %d", n, size, len(b))
	}
	s.offsets = c.take(4 * n)
	s.bytes = c.take(int(size) - 4*n)
	s.first, s.last = c.take(c.count32(1)), c.take(c.count32(1))
	if c.err != nil {
		return nil, c.err
	}
	last := uint32(4 * n)
	for i := range n {
		o := binary.LittleEndian.Uint32(s.offsets[4*i:])
		if i == 0 && o != last || i > 0 && o < last+8 {
			return nil, corrupt(name, 24+int64(4*i), "entry %d cannot stand at %d", i, o)
		}
		last = o
	}
	if n > 0 && int64(last)+8 > size {
		return nil, corrupt(name, 24+int64(4*(n-1)), "the last entry cannot stand at %d of %d bytes", last, size)
	}
	return s, nil
}

// len returns the number of samples.
func (s *summary) len() int { return len(s.offsets) / 4 }

// entry returns the i-th sample: a key and its position in Index.db.
func (s *summary) entry(i int) (key []byte, pos int64) {
	start := int(binary.LittleEndian.Uint32(s.offsets[4*i:])) - len(s.offsets)
	end := len(s.bytes)
	if i+1 < s.len() {
		end = int(binary.LittleEndian.Uint32(s.offsets[4*i+4:])) - len(s.offsets)
	}
	e := s.bytes[start:end]
	return e[:len(e)-8], int64(binary.LittleEndian.Uint64(e[len(e)-8:]))
}
