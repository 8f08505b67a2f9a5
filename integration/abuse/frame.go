package abuse

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// The opcodes. Source: native_protocol_v5.spec 2.4.
const (
	opError        = 0x00
	opStartup      = 0x01
	opReady        = 0x02
	opAuthenticate = 0x03
	opOptions      = 0x05
	opSupported    = 0x06
	opQuery        = 0x07
	opResult       = 0x08
	opPrepare      = 0x09
	opExecute      = 0x0A
	opRegister     = 0x0B
	opBatch        = 0x0D
	opAuthResponse = 0x0F
	opAuthSuccess  = 0x10
)

// The flags of an envelope.
const (
	flagCompressed = 0x01
	flagTracing    = 0x02
	flagPayload    = 0x04
	flagBeta       = 0x10
)

// headerSize is the size of an envelope's header: version, flags, stream (2), opcode, length (4).
const headerSize = 9

// envelope is one message. first is the version and the direction bit.
type envelope struct {
	first, flags byte
	stream       int16
	op           byte
	body         []byte
}

// frame returns a request of version v.
func frame(v byte, stream int16, op byte, body []byte) []byte {
	return envelope{first: v, stream: stream, op: op, body: body}.bytes()
}

func (e envelope) bytes() []byte { return append(e.header(len(e.body)), e.body...) }

// header returns the header alone; it announces length bytes.
func (e envelope) header(length int) []byte {
	b := []byte{e.first, e.flags, byte(uint16(e.stream) >> 8), byte(e.stream), e.op}
	return binary.BigEndian.AppendUint32(b, uint32(length))
}

func short(dst []byte, n int) []byte { return binary.BigEndian.AppendUint16(dst, uint16(n)) }
func long(dst []byte, n int) []byte  { return binary.BigEndian.AppendUint32(dst, uint32(n)) }

// text appends a [string], longText a [long string], value a [bytes], null for nil.
func text(dst []byte, s string) []byte     { return append(short(dst, len(s)), s...) }
func longText(dst []byte, s string) []byte { return append(long(dst, len(s)), s...) }
func value(dst, b []byte) []byte {
	if b == nil {
		return long(dst, -1)
	}
	return append(long(dst, len(b)), b...)
}

// startup returns the body of a STARTUP with these keys and values.
func startup(pairs ...string) []byte {
	b := short(nil, len(pairs)/2)
	for _, s := range pairs {
		b = text(b, s)
	}
	return b
}

// The flags of query parameters.
const (
	withValues    = 0x01
	withSkip      = 0x02
	withPageSize  = 0x04
	withPaging    = 0x08
	withSerial    = 0x10
	withTimestamp = 0x20
	withNames     = 0x40
	withNow       = 0x100
)

// The consistency levels in use.
const (
	one    = 1
	quorum = 4
	serial = 8
)

// params returns query parameters: a consistency, flags, and rest as it is.
func params(v byte, consistency, flags int, rest ...[]byte) []byte {
	b := short(nil, consistency)
	if v >= 5 {
		b = long(b, flags)
	} else {
		b = append(b, byte(flags))
	}
	return append(b, slices.Concat(rest...)...)
}

// query returns the body of a QUERY at ONE with these positional values.
func query(v byte, cql string, values ...[]byte) []byte {
	return append(longText(nil, cql), bound(v, values)...)
}

// bound returns query parameters at ONE with these positional values.
func bound(v byte, values [][]byte) []byte {
	if len(values) == 0 {
		return params(v, one, 0)
	}
	return params(v, one, withValues, valueList(values))
}

func valueList(values [][]byte) []byte {
	b := short(nil, len(values))
	for _, x := range values {
		b = value(b, x)
	}
	return b
}

// prepare returns the body of a PREPARE.
func prepare(v byte, cql string) []byte {
	if b := longText(nil, cql); v < 5 {
		return b
	} else {
		return long(b, 0)
	}
}

// execute returns the body of an EXECUTE at ONE; v5 takes a result metadata id.
func execute(v byte, id, resultID []byte, values ...[]byte) []byte {
	return append(executeID(v, id, resultID), bound(v, values)...)
}

func executeID(v byte, id, resultID []byte) []byte {
	b := append(short(nil, len(id)), id...)
	if v >= 5 {
		b = append(short(b, len(resultID)), resultID...)
	}
	return b
}

// batch returns the body of a BATCH of texts without values.
func batch(v byte, kind byte, texts ...string) []byte {
	b := short([]byte{kind}, len(texts))
	for _, t := range texts {
		b = short(longText(append(b, 0), t), 0)
	}
	return append(b, params(v, one, 0)...)
}

// maxPayload is the most that a v5 segment holds.
const maxPayload = 1<<17 - 1

// segment is a v5 segment before its checksums. raw is the size of the payload when decompressed, on a connection with
// lz4; 0 there means that it is sent as it is.
type segment struct {
	payload []byte
	self    bool
	lz4     bool
	raw     int
}

// header returns the header with its CRC24, with size in the place of the payload's.
func (s segment) header(size int) []byte {
	v, n := uint64(size), 3
	self := 17
	if s.lz4 {
		v |= uint64(s.raw) << 17
		self, n = 34, 5
	}
	if s.self {
		v |= 1 << self
	}
	b := binary.LittleEndian.AppendUint64(nil, v)[:n]
	c := crc24(b)
	return append(b, byte(c), byte(c>>8), byte(c>>16))
}

func (s segment) bytes() []byte {
	b := append(s.header(len(s.payload)), s.payload...)
	return binary.LittleEndian.AppendUint32(b, crc32v5(s.payload))
}

// segments returns the envelopes in b as segments: one self-contained one, or as many parts as one large envelope needs.
func segments(b []byte, lz4 bool) []byte {
	if len(b) <= maxPayload {
		return segment{payload: b, self: true, lz4: lz4}.bytes()
	}
	return slices.Concat(parts(b, maxPayload, lz4)...)
}

// parts returns one envelope as segments that are not self-contained, of size bytes each.
func parts(b []byte, size int, lz4 bool) (list [][]byte) {
	for p := range slices.Chunk(b, size) {
		list = append(list, segment{payload: p, lz4: lz4}.bytes())
	}
	return list
}

// crc24 is the checksum of a segment's header. Source: native_protocol_v5.spec 2.2.
func crc24(b []byte) uint32 {
	c := uint32(0x875060)
	for _, x := range b {
		c ^= uint32(x) << 16
		for range 8 {
			if c <<= 1; c&0x1000000 != 0 {
				c ^= 0x1974F0B
			}
		}
	}
	return c
}

// crc32v5 is the checksum of a segment's payload: the usual one, begun with four bytes of its own.
func crc32v5(b []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE([]byte{0xfa, 0x2d, 0x55, 0xca}), crc32.IEEETable, b)
}

// lz4Literal returns b as an LZ4 block without any match.
func lz4Literal(b []byte) []byte {
	n := len(b)
	if n < 15 {
		return append([]byte{byte(n << 4)}, b...)
	}
	return append(lz4Length([]byte{0xf0}, n-15), b...)
}

// lz4Run returns an LZ4 block that becomes n times x, n of at least 32: about one byte for 255.
func lz4Run(x byte, n int) []byte {
	const tail = 8 // a block ends with literals
	b := lz4Length([]byte{0x1f, x, 1, 0}, n-1-tail-19)
	return append(b, tail<<4, x, x, x, x, x, x, x, x)
}

func lz4Length(dst []byte, n int) []byte {
	for ; n >= 255; n -= 255 {
		dst = append(dst, 255)
	}
	return append(dst, byte(n))
}

// snappyLiteral returns b, of at most 64 KiB, as a Snappy block of one literal.
func snappyLiteral(b []byte) []byte {
	dst := binary.AppendUvarint(nil, uint64(len(b)))
	if n := len(b) - 1; n < 0 {
		return dst
	} else {
		return append(append(dst, 61<<2, byte(n), byte(n>>8)), b...)
	}
}

// snappyRun returns a Snappy block that becomes n times x, n of 1 and a multiple of 64: about 3 bytes for 64.
func snappyRun(x byte, n int) []byte {
	dst := append(binary.AppendUvarint(nil, uint64(n+1)), 0, x)
	for ; n > 0; n -= 64 {
		dst = append(dst, 63<<2|2, 1, 0)
	}
	return dst
}
