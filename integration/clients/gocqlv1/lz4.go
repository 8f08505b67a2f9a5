package gocqlv1

import (
	"encoding/binary"
	"fmt"

	"github.com/pierrec/lz4/v4"
)

// maxPlain bounds what a compressed body may unfold to.
const maxPlain = 64 << 20

// lz4Compressor is a compressor of the user's own, as the driver allows: its module for LZ4 is not published.
type lz4Compressor struct{}

// Name is the name of the algorithm in STARTUP.
func (lz4Compressor) Name() string { return "lz4" }

// Encode appends the length, big-endian, and the LZ4 block. Source: native_protocol_v4.spec 5.
func (lz4Compressor) Encode(data []byte) ([]byte, error) {
	out := make([]byte, 4+lz4.CompressBlockBound(len(data)))
	var c lz4.Compressor
	n, err := c.CompressBlock(data, out[4:])
	binary.BigEndian.PutUint32(out, uint32(len(data)))
	return out[:4+n], err
}

// Decode is the reverse of Encode.
func (lz4Compressor) Decode(data []byte) ([]byte, error) {
	if len(data) < 4 {
		return nil, fmt.Errorf("a compressed body of %d bytes", len(data))
	}
	size := binary.BigEndian.Uint32(data)
	if size == 0 {
		return nil, nil
	}
	if size > maxPlain {
		return nil, fmt.Errorf("a body of %d bytes is announced", size)
	}
	out := make([]byte, size)
	n, err := lz4.UncompressBlock(data[4:], out)
	return out[:n], err
}
