package sstable

import (
	"encoding/binary"
	"math"

	"github.com/helenusdb/helenus/storage/row"
)

// samplingFull is the sampling level of a summary of which nothing was left out.
const samplingFull = 128

// maxSamples bounds the bytes of a summary's keys; further keys are not sampled.
const maxSamples = 1 << 30

// indexWriter writes Index.db and gathers Summary.db.
type indexWriter struct {
	out         output
	interval    int64
	keys        int64
	samples     []byte
	starts      []uint32 // of the samples
	first, last []byte
}

// add appends the entry of a partition that begins at a position of the data.
func (x *indexWriter) add(key []byte, position int64, b *blockBuilder, del row.Deletion) error {
	if x.keys == 0 {
		x.first = append(x.first, key...)
	}
	if x.keys%x.interval == 0 && len(x.samples) < maxSamples {
		x.starts = append(x.starts, uint32(len(x.samples)))
		x.samples = append(x.samples, key...)
		x.samples = binary.LittleEndian.AppendUint64(x.samples, uint64(x.out.size()))
	}
	x.keys++
	x.last = append(x.last[:0], key...)
	dst := append(binary.BigEndian.AppendUint16(x.out.buf, uint16(len(key))), key...)
	dst = appendVint(dst, uint64(position))
	if len(b.offsets) < 2 {
		x.out.buf = append(dst, 0)
		return x.out.spill()
	}
	b.entry = appendVint(b.entry[:0], uint64(b.head))
	b.entry = appendDeletion(b.entry, del)
	b.entry = appendVint(b.entry, uint64(len(b.offsets)))
	dst = appendVint(dst, uint64(len(b.entry)+len(b.blocks)+4*len(b.offsets)))
	dst = append(append(dst, b.entry...), b.blocks...)
	for _, o := range b.offsets {
		dst = binary.BigEndian.AppendUint32(dst, o)
	}
	x.out.buf = dst
	return x.out.spill()
}

// summary returns the content of Summary.db.
func (x *indexWriter) summary() []byte {
	n := len(x.starts)
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 64+4*n+len(x.samples)), uint32(x.interval))
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	b = binary.BigEndian.AppendUint64(b, uint64(4*n+len(x.samples)))
	b = binary.BigEndian.AppendUint32(b, samplingFull)
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	for _, s := range x.starts {
		b = binary.LittleEndian.AppendUint32(b, s+uint32(4*n))
	}
	b = append(b, x.samples...)
	for _, key := range [][]byte{x.first, x.last} {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(key))), key...)
	}
	return b
}

// appendDeletion appends a deletion as it stands before a partition's rows and in indexes of version nb.
func appendDeletion(dst []byte, d row.Deletion) []byte {
	if d.IsLive() {
		return append(dst, 0x7f, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0)
	}
	return appendUint64(binary.BigEndian.AppendUint32(dst, storedLocal(d.Local)), uint64(d.Timestamp))
}

// blockBuilder makes the index within a partition: blocks of at least size bytes of consecutive rows and markers.
// Positions count from the start of the partition.
type blockBuilder struct {
	size    int64
	head    int64 // length of the partition's key, deletion and static row
	start   int64 // of the present block; -1 when none has begun
	first   []byte
	blocks  []byte
	offsets []uint32
	entry   []byte // scratch
}

// reset starts a partition.
func (b *blockBuilder) reset(head int64) {
	b.head, b.start, b.blocks, b.offsets = head, -1, b.blocks[:0], b.offsets[:0]
}

// add takes a row or marker, by its prefix and where it stands, and the deletion that is open behind it.
func (b *blockBuilder) add(kind BoundKind, prefix []byte, start, end int64, open row.Deletion) {
	if b.start < 0 {
		b.start = start
		b.first = appendKind(b.first[:0], kind, prefix)
	}
	if end-b.start >= b.size {
		b.close(kind, prefix, end, open)
	}
}

// finish closes the last block, which ends with the partition.
func (b *blockBuilder) finish(kind BoundKind, prefix []byte, end int64) {
	if b.start >= 0 && len(b.offsets) > 0 {
		b.close(kind, prefix, end, row.Live)
	}
}

func (b *blockBuilder) close(kind BoundKind, prefix []byte, end int64, open row.Deletion) {
	b.offsets = append(b.offsets, uint32(min(len(b.blocks), math.MaxInt32)))
	b.blocks = append(b.blocks, b.first...)
	b.blocks = appendKind(b.blocks, kind, prefix)
	b.blocks = appendVint(b.blocks, uint64(b.start))
	width := end - b.start - widthBase
	b.blocks = appendVint(b.blocks, uint64(width<<1^width>>63))
	if open.IsLive() {
		b.blocks = append(b.blocks, 0)
	} else {
		b.blocks = appendDeletion(append(b.blocks, 1), open)
	}
	b.start = -1
}

// appendKind appends the prefix of a row or marker behind its kind.
func appendKind(dst []byte, kind BoundKind, prefix []byte) []byte {
	return append(append(dst, byte(kind)), prefix...)
}
