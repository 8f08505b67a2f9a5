package sstable

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// decompressor turns the payload of a chunk into exactly len(dst) bytes. Implementations are safe for concurrent use.
type decompressor interface {
	decompress(dst, payload []byte) error
	// maxRatio bounds how many bytes one byte of payload can become, so that memory is not taken for more.
	maxRatio() int64
}

var (
	errChunkLength = errors.New("the chunk does not have the length it has to have")
	errChunkData   = errors.New("the chunk cannot be decompressed")
)

// decompressorOf returns the decompressor of a class name, full or short, or nil.
func decompressorOf(class string) decompressor {
	switch class[strings.LastIndexByte(class, '.')+1:] {
	case "LZ4Compressor":
		return lz4Chunks{}
	case "SnappyCompressor":
		return snappyChunks{}
	case "DeflateCompressor":
		return deflateChunks{}
	case "ZstdCompressor":
		return zstdChunks{}
	case "NoopCompressor":
		return rawChunks{}
	}
	return nil
}

// rawChunks is NoopCompressor.
type rawChunks struct{}

func (rawChunks) maxRatio() int64 { return 1 }

func (rawChunks) decompress(dst, payload []byte) error {
	if len(payload) != len(dst) {
		return errChunkLength
	}
	copy(dst, payload)
	return nil
}

// lz4Chunks is LZ4Compressor: the length as a little-endian uint32, then a block.
type lz4Chunks struct{}

func (lz4Chunks) maxRatio() int64 { return 255 }

func (lz4Chunks) decompress(dst, payload []byte) error {
	if len(payload) < 4 || binary.LittleEndian.Uint32(payload) != uint32(len(dst)) {
		return errChunkLength
	}
	if len(dst) == 0 {
		return nil
	}
	n, err := lz4.UncompressBlock(payload[4:], dst)
	if err != nil || n != len(dst) {
		return errChunkData
	}
	return nil
}

// snappyChunks is SnappyCompressor: a raw block.
type snappyChunks struct{}

func (snappyChunks) maxRatio() int64 { return 64 }

func (snappyChunks) decompress(dst, payload []byte) error {
	if n, err := snappy.DecodedLen(payload); err != nil || n != len(dst) {
		return errChunkLength
	}
	if _, err := snappy.Decode(dst, payload); err != nil {
		return errChunkData
	}
	return nil
}

// deflateChunks is DeflateCompressor: a zlib stream.
type deflateChunks struct{}

func (deflateChunks) maxRatio() int64 { return 1032 }

// zlibReaders holds zlib readers, which are costly to make.
var zlibReaders sync.Pool

func (deflateChunks) decompress(dst, payload []byte) error {
	src := bytes.NewReader(payload)
	r, _ := zlibReaders.Get().(io.ReadCloser)
	var err error
	if r == nil {
		r, err = zlib.NewReader(src)
	} else {
		err = r.(zlib.Resetter).Reset(src, nil)
	}
	if err != nil {
		return errChunkData
	}
	defer zlibReaders.Put(r)
	if _, err := io.ReadFull(r, dst); err != nil {
		return errChunkData
	}
	// The end of the stream carries a checksum, which is looked at when the end is read.
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return errChunkLength
	}
	return nil
}

// zstdChunks is ZstdCompressor: one frame.
type zstdChunks struct{}

// maxRatio is that of a run-length block: 128 KiB of 4 bytes.
func (zstdChunks) maxRatio() int64 { return 32768 }

// zstdDecoder decodes whole frames for any number of goroutines. Frames larger than what is asked for are refused.
var zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxChunk))
	if err != nil {
		return nil
	}
	return d
})

func (zstdChunks) decompress(dst, payload []byte) error {
	var h zstd.Header
	if err := h.Decode(payload); err != nil || !h.HasFCS || h.FrameContentSize != uint64(len(dst)) {
		return errChunkLength
	}
	d := zstdDecoder()
	if d == nil {
		return errChunkData
	}
	out, err := d.DecodeAll(payload, dst[:0:len(dst)])
	if err != nil || len(out) != len(dst) {
		return errChunkData
	}
	if len(dst) > 0 && &out[0] != &dst[0] {
		copy(dst, out)
	}
	return nil
}
