package wire

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"github.com/golang/snappy"
	"github.com/pierrec/lz4/v4"

	"github.com/helenusdb/helenus/cql"
)

// Compression is what a connection agreed on in STARTUP.
type Compression uint8

// The compressions.
const (
	NoCompression Compression = iota
	LZ4
	Snappy
)

// String returns the name as SUPPORTED and STARTUP spell it; "" for none.
func (c Compression) String() string { return [...]string{"", "lz4", "snappy"}[c] }

// ParseCompression returns the compression of a STARTUP option, in any case; v5 has no snappy.
// Source: StartupMessage.execute.
func ParseCompression(name string, v cql.Version) (Compression, error) {
	switch strings.ToLower(name) {
	case "lz4":
		return LZ4, nil
	case "snappy":
		if v >= cql.V5 {
			return 0, cql.Protocolf("Snappy compression is not supported in protocol V5")
		}
		return Snappy, nil
	}
	return 0, cql.Protocolf("Unknown compression algorithm: %s", name)
}

// lz4Compressors holds compressors, whose hash tables are too large (136 KiB) to belong to a connection.
// appendLZ4Block takes and returns them.
var lz4Compressors = sync.Pool{New: func() any { return new(lz4.Compressor) }}

// lz4Smallest is the size below which an LZ4 block can only be literals, by the rules for the end of a block.
const lz4Smallest = 13

// appendLZ4Block appends src as an LZ4 block without any length before it. What does not compress becomes one run of
// literals. An empty src becomes the single byte 00.
func appendLZ4Block(dst, src []byte) []byte {
	if len(src) >= lz4Smallest {
		at := len(dst)
		dst = slices.Grow(dst, lz4.CompressBlockBound(len(src)))
		c := lz4Compressors.Get().(*lz4.Compressor)
		n, err := c.CompressBlock(src, dst[at:cap(dst)])
		lz4Compressors.Put(c)
		if err == nil && n > 0 {
			return dst[:at+n]
		}
		dst = dst[:at]
	}
	n := len(src)
	if n < 15 {
		return append(append(dst, byte(n)<<4), src...)
	}
	dst = append(dst, 0xf0)
	for n -= 15; n >= 255; n -= 255 {
		dst = append(dst, 255)
	}
	return append(append(dst, byte(n)), src...)
}

// lz4Ratio and snappyRatio bound how much a block can grow: a match of LZ4 gains at most 255 bytes a byte, a copy of
// Snappy 64 bytes in 3. A declared length beyond it is a lie, and is refused before memory is taken for it.
const (
	lz4Ratio    = 255
	snappyRatio = 22
)

// lz4Size refuses a size that the block src cannot become.
func lz4Size(src []byte, size int) *cql.Error {
	if size > (len(src)+1)*lz4Ratio {
		return cql.Protocolf("Invalid LZ4 length %d of a block of %d bytes", size, len(src))
	}
	return nil
}

// decodeLZ4Block decompresses src into the first size bytes of dst, growing it, and fails unless it fills them.
func decodeLZ4Block(dst, src []byte, size int) ([]byte, *cql.Error) {
	if err := lz4Size(src, size); err != nil {
		return dst, err
	}
	dst = slices.Grow(dst[:0], max(size, 1))[:size]
	if size == 0 {
		if len(src) == 1 && src[0] == 0 {
			return dst, nil
		}
		return dst, cql.Protocolf("Invalid LZ4 block: declared empty, is not")
	}
	n, err := lz4.UncompressBlock(src, dst)
	if err != nil || n != size {
		return dst, cql.Protocolf("Invalid LZ4 block: declared %d bytes, holds %d", size, max(n, 0))
	}
	return dst, nil
}

// appendCompressedBody appends body in the form that v3 and v4 envelopes have under c: lz4 is a big-endian [int] of
// the uncompressed length and a block, snappy a block.
func appendCompressedBody(dst, body []byte, c Compression) []byte {
	if c == LZ4 {
		return appendLZ4Block(AppendInt(dst, int32(len(body))), body)
	}
	at := len(dst)
	dst = slices.Grow(dst, snappy.MaxEncodedLen(len(body)))
	enc := snappy.Encode(dst[at:cap(dst)], body)
	return dst[:at+len(enc)]
}

// compressedBodySize returns how long the body of a v3 or v4 envelope says that it becomes, and refuses what cannot be
// true or is over max bytes.
func compressedBodySize(body []byte, c Compression, max int) (int, *cql.Error) {
	if c == LZ4 {
		if len(body) < 5 {
			return 0, cql.Protocolf("Invalid LZ4 body of %d bytes", len(body))
		}
		size := int(int32(binary.BigEndian.Uint32(body)))
		if size < 0 || size > max {
			return 0, cql.Protocolf("Invalid LZ4 length %d, maximum is %d", size, max)
		}
		return size, lz4Size(body[4:], size)
	}
	size, err := snappy.DecodedLen(body)
	if err != nil || size > max || size > len(body)*snappyRatio {
		return 0, cql.Protocolf("Invalid Snappy length %d of a body of %d bytes", size, len(body))
	}
	return size, nil
}

// decodeCompressedBody decompresses the body of a v3 or v4 envelope, whose size is that of compressedBodySize, into dst,
// reusing its memory.
func decodeCompressedBody(dst, body []byte, c Compression, size int) ([]byte, *cql.Error) {
	if c == LZ4 {
		return decodeLZ4Block(dst, body[4:], size)
	}
	dst = slices.Grow(dst[:0], size)[:size]
	out, err := snappy.Decode(dst, body)
	if err != nil || len(out) != size {
		return dst, cql.Protocolf("Invalid Snappy body")
	}
	return out, nil
}
