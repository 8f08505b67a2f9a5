package oracle

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// maxBody bounds the body of an answer: nothing a script asks for comes near it.
const maxBody = 64 << 20

// frame is one envelope of the protocol.
type frame struct {
	version byte
	flags   byte
	stream  int16
	opcode  byte
	body    []byte
}

// appendFrame appends the envelope of a request.
func appendFrame(dst []byte, f frame) []byte {
	dst = append(dst, f.version, f.flags)
	dst = binary.BigEndian.AppendUint16(dst, uint16(f.stream))
	dst = append(dst, f.opcode)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(f.body)))
	return append(dst, f.body...)
}

// readFrame reads one envelope of an answer.
func readFrame(r io.Reader) (frame, error) {
	var head [9]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{version: head[0], flags: head[1], stream: int16(binary.BigEndian.Uint16(head[2:])), opcode: head[4]}
	n := binary.BigEndian.Uint32(head[5:])
	if n > maxBody {
		return frame{}, fmt.Errorf("a body of %d bytes is announced", n)
	}
	f.body = make([]byte, n)
	_, err := io.ReadFull(r, f.body)
	return f, err
}

// crc24 is the header checksum of v5 segments. Source: native_protocol_v5.spec 2.2.
func crc24(header []byte) uint32 {
	crc := uint32(0x875060)
	for _, b := range header {
		crc ^= uint32(b) << 16
		for range 8 {
			crc <<= 1
			if crc&0x1000000 != 0 {
				crc ^= 0x1974F0B
			}
		}
	}
	return crc & 0xFFFFFF
}

// crc32Payload is the payload checksum of v5 segments: IEEE, primed with four bytes. Source: the same section.
func crc32Payload(payload []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE([]byte{0xFA, 0x2D, 0x55, 0xCA}), crc32.IEEETable, payload)
}

// maxSegment is the largest payload of a segment.
const maxSegment = 1<<17 - 1

// appendSegments appends data as uncompressed v5 segments: one that is self-contained, or a run of fragments.
func appendSegments(dst, data []byte) []byte {
	whole := len(data) <= maxSegment
	for len(data) > 0 {
		part := data[:min(len(data), maxSegment)]
		data = data[len(part):]
		head := uint32(len(part))
		if whole {
			head |= 1 << 17
		}
		dst = append(dst, byte(head), byte(head>>8), byte(head>>16))
		crc := crc24(dst[len(dst)-3:])
		dst = append(dst, byte(crc), byte(crc>>8), byte(crc>>16))
		dst = append(dst, part...)
		dst = binary.LittleEndian.AppendUint32(dst, crc32Payload(part))
	}
	return dst
}

// segmentReader turns v5 segments back into the stream of envelopes.
type segmentReader struct {
	r    io.Reader
	left []byte
}

func (s *segmentReader) Read(p []byte) (int, error) {
	for len(s.left) == 0 {
		var head [6]byte
		if _, err := io.ReadFull(s.r, head[:]); err != nil {
			return 0, err
		}
		got := uint32(head[3]) | uint32(head[4])<<8 | uint32(head[5])<<16
		if want := crc24(head[:3]); got != want {
			return 0, fmt.Errorf("segment header checksum %06x, computed %06x", got, want)
		}
		n := (uint32(head[0]) | uint32(head[1])<<8 | uint32(head[2])<<16) & maxSegment
		payload := make([]byte, n+4)
		if _, err := io.ReadFull(s.r, payload); err != nil {
			return 0, err
		}
		if got, want := binary.LittleEndian.Uint32(payload[n:]), crc32Payload(payload[:n]); got != want {
			return 0, fmt.Errorf("segment payload checksum %08x, computed %08x", got, want)
		}
		s.left = payload[:n]
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}

// reader takes fields off a body. The first that does not fit sets err and makes all later ones zero.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if r.err == nil && (n < 0 || n > len(r.b)) {
		r.err = fmt.Errorf("%d bytes wanted, %d left", n, len(r.b))
	}
	if r.err != nil {
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) short() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) int() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reader) string() string     { return string(r.take(int(r.short()))) }
func (r *reader) shortBytes() []byte { return r.take(int(r.short())) }

// bytes reads [bytes]: nil when the length is negative.
func (r *reader) bytes() []byte {
	n := r.int()
	if n < 0 || r.err != nil {
		return nil
	}
	b := r.take(int(n))
	if b == nil {
		return []byte{}
	}
	return b
}

func (r *reader) stringList() []string {
	n := int(r.short())
	var out []string
	for i := 0; i < n && r.err == nil; i++ {
		out = append(out, r.string())
	}
	return out
}

func appendString(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...)
}

func appendLongString(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(s))), s...)
}

// appendBytes appends [value]: nil is null.
func appendBytes(dst, b []byte) []byte {
	if b == nil {
		return binary.BigEndian.AppendUint32(dst, 0xFFFFFFFF)
	}
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(b))), b...)
}
