package sstable

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/helenusdb/helenus/cql/schema"
)

// CompressionChoice says by what Data.db is compressed. Source: the setting flush_compression of Cassandra.
type CompressionChoice uint8

// The choices. TableCompression is what the table says; FastCompression is that too unless it is slow (Zstd, Deflate, LZ4
// high), then LZ4 with the default chunks; NoCompression is none.
const (
	TableCompression CompressionChoice = iota
	FastCompression
	NoCompression
)

// compressor compresses chunks, for one goroutine.
type compressor interface {
	// compress appends the payload of a chunk that is not empty to dst.
	compress(dst, chunk []byte) ([]byte, error)
}

// compression is how a file is compressed.
type compression struct {
	class   string // the simple class name
	options map[string]string
	chunk   int // bytes
	// maxCompressed is from what length of its payload on a chunk is stored as it is.
	maxCompressed int
}

// defaultCompression is what a table has that was made without options.
var defaultCompression = compression{class: "LZ4Compressor", chunk: 16 << 10, maxCompressed: math.MaxInt32}

// compressionOf returns the compression of a table, nil for none. The options are normal as the schema makes them.
func compressionOf(o *schema.Options, choice CompressionChoice) (*compression, error) {
	given := o.Compression
	if choice == NoCompression || len(given) == 0 || given["enabled"] == "false" {
		return nil, nil
	}
	c := &compression{maxCompressed: math.MaxInt32, options: maps.Clone(given), chunk: defaultCompression.chunk}
	c.class = given["class"][strings.LastIndexByte(given["class"], '.')+1:]
	for _, k := range []string{"class", "chunk_length_in_kb", "min_compress_ratio", "enabled"} {
		delete(c.options, k)
	}
	if v, ok := given["chunk_length_in_kb"]; ok {
		n, err := strconv.Atoi(v)
		if err != nil || n <= 0 || n > maxChunk>>10 || n&(n-1) != 0 {
			return nil, fmt.Errorf("%s.%s: chunk_length_in_kb %q", "compression", c.class, v)
		}
		c.chunk = n << 10
	}
	if v, ok := given["min_compress_ratio"]; ok {
		ratio, err := strconv.ParseFloat(v, 64)
		if err != nil || ratio != 0 && !(ratio >= 1) {
			return nil, fmt.Errorf("compression: min_compress_ratio %q", v)
		}
		if ratio > 0 {
			c.maxCompressed = int(min(math.Ceil(float64(c.chunk)/ratio), math.MaxInt32))
		}
	}
	if choice == FastCompression && c.slow() {
		fast := defaultCompression
		return &fast, nil
	}
	return c, nil
}

// slow reports whether a flush is not to wait for the compressor. Source: ICompressor.recommendedUses.
func (c *compression) slow() bool {
	return c.class == "ZstdCompressor" || c.class == "DeflateCompressor" || c.options["lz4_compressor_type"] == "high"
}

// appendHead appends what stands in CompressionInfo.db before the lengths.
func (c *compression) appendHead(dst []byte) []byte {
	dst = appendUTF(dst, c.class)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(c.options)))
	for _, k := range slices.Sorted(maps.Keys(c.options)) {
		dst = appendUTF(appendUTF(dst, k), c.options[k])
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.chunk))
	return binary.BigEndian.AppendUint32(dst, uint32(c.maxCompressed))
}

// compressor makes the compressor.
func (c *compression) compressor() (compressor, error) {
	level := func(name string, preset int) (int, error) {
		v, ok := c.options[name]
		if !ok {
			return preset, nil
		}
		n, err := strconv.Atoi(v)
		if err != nil {
			return 0, fmt.Errorf("%s: %s %q", c.class, name, v)
		}
		return n, nil
	}
	switch c.class {
	case "LZ4Compressor":
		n, err := level("lz4_high_compressor_level", 9)
		if c.options["lz4_compressor_type"] == "high" {
			return &lz4High{lz4.CompressorHC{Level: lz4Level(n)}}, err
		}
		return &lz4Fast{}, err
	case "SnappyCompressor":
		return snappyCompressor{}, nil
	case "DeflateCompressor":
		return &deflateCompressor{}, nil
	case "ZstdCompressor":
		n, err := level("compression_level", 3)
		if err != nil {
			return nil, err
		}
		z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(n)),
			zstd.WithSingleSegment(true), zstd.WithEncoderCRC(true), zstd.WithLowerEncoderMem(true))
		return &zstdCompressor{z}, err
	case "NoopCompressor":
		return noopCompressor{}, nil
	}
	return nil, fmt.Errorf("unknown compressor %q", c.class)
}

// lz4Level is the library's name of a level of 1 to 17.
func lz4Level(n int) lz4.CompressionLevel { return 1 << (8 + min(max(n, 1), 9)) }

// noopCompressor is NoopCompressor.
type noopCompressor struct{}

func (noopCompressor) compress(dst, chunk []byte) ([]byte, error) { return append(dst, chunk...), nil }

// lz4Fast is LZ4Compressor of type fast.
type lz4Fast struct{ c lz4.Compressor }

func (l *lz4Fast) compress(dst, chunk []byte) ([]byte, error) {
	return lz4Block(dst, chunk, l.c.CompressBlock)
}

// lz4High is LZ4Compressor of type high.
type lz4High struct{ c lz4.CompressorHC }

func (l *lz4High) compress(dst, chunk []byte) ([]byte, error) {
	return lz4Block(dst, chunk, l.c.CompressBlock)
}

// lz4Block appends the length of the chunk and its block.
func lz4Block(dst, chunk []byte, compress func(src, dst []byte) (int, error)) ([]byte, error) {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(chunk)))
	bound := lz4.CompressBlockBound(len(chunk))
	dst = slices.Grow(dst, bound)
	n, err := compress(chunk, dst[len(dst):len(dst)+bound])
	if err == nil && n == 0 {
		err = errChunkData
	}
	return dst[:len(dst)+n], err
}

// snappyCompressor is SnappyCompressor.
type snappyCompressor struct{}

func (snappyCompressor) compress(dst, chunk []byte) ([]byte, error) {
	dst = slices.Grow(dst, snappy.MaxEncodedLen(len(chunk)))
	return dst[:len(dst)+len(snappy.Encode(dst[len(dst):cap(dst)], chunk))], nil
}

// deflateCompressor is DeflateCompressor: zlib at its default level.
type deflateCompressor struct {
	out bytes.Buffer
	z   *zlib.Writer
}

func (d *deflateCompressor) compress(dst, chunk []byte) ([]byte, error) {
	d.out.Reset()
	if d.z == nil {
		d.z = zlib.NewWriter(&d.out)
	} else {
		d.z.Reset(&d.out)
	}
	if _, err := d.z.Write(chunk); err != nil {
		return dst, err
	}
	if err := d.z.Close(); err != nil {
		return dst, err
	}
	return append(dst, d.out.Bytes()...), nil
}

// zstdCompressor is ZstdCompressor.
type zstdCompressor struct{ z *zstd.Encoder }

func (z *zstdCompressor) compress(dst, chunk []byte) ([]byte, error) {
	return z.z.EncodeAll(chunk, dst), nil
}
