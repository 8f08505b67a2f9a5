package sstable

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
)

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// cursor decodes bytes in memory. After the first error it stays where it is, all its methods return zero values, and err
// is set. Slices that it returns are parts of b.
type cursor struct {
	b    []byte
	i    int
	file string
	base int64 // position of b[0] in the file
	data bool  // base is a position of uncompressed data
	err  error
	// need is set with err when b is too short: how long it would have to be, as far as is known.
	need int
	// quiet says that err is then errShort, which costs nothing: who decodes has more bytes, or asks tooShort for the error.
	quiet bool
}

// errShort is the error of a quiet cursor that has too few bytes.
var errShort = errors.New("more bytes are needed")

// at returns the position of the next byte in the file.
func (c *cursor) at() int64 { return c.base + int64(c.i) }

// left returns the number of bytes not taken.
func (c *cursor) left() int { return len(c.b) - c.i }

// fail sets err to a *CorruptError at the present position unless there is one.
func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = &CorruptError{File: c.file, Offset: c.at(), Data: c.data, Reason: fmt.Sprintf(format, args...)}
	}
}

// take returns the next n bytes.
func (c *cursor) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > len(c.b)-c.i {
		c.short(n)
		return nil
	}
	c.i += n
	return c.b[c.i-n : c.i : c.i]
}

func (c *cursor) short(n int) {
	if n < 0 || n > math.MaxInt-c.i {
		c.fail("impossible length")
		return
	}
	if c.need = c.i + n; c.quiet {
		c.err = errShort
	} else {
		c.err = c.tooShort()
	}
}

// tooShort returns the error of a cursor that needs more bytes than there are.
func (c *cursor) tooShort() error {
	return &CorruptError{File: c.file, Offset: c.at(), Data: c.data,
		Reason: fmt.Sprintf("%d bytes are needed where %d are left", c.need-c.i, c.left())}
}

func (c *cursor) u8() byte {
	if c.err != nil {
		return 0
	}
	if c.i >= len(c.b) {
		c.short(1)
		return 0
	}
	c.i++
	return c.b[c.i-1]
}

func (c *cursor) u16() int {
	if b := c.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) i32() int32 { return int32(c.u32()) }

func (c *cursor) i64() int64 {
	if b := c.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (c *cursor) f64() float64 { return math.Float64frombits(uint64(c.i64())) }

// uvint reads Cassandra's unsigned variable-length integer. Source: org.apache.cassandra.utils.vint.VIntCoding.
func (c *cursor) uvint() uint64 {
	if c.err != nil {
		return 0
	}
	if c.i >= len(c.b) {
		c.short(1)
		return 0
	}
	first := c.b[c.i]
	c.i++
	if first < 0x80 {
		return uint64(first)
	}
	n := bits.LeadingZeros8(^first)
	b := c.take(n)
	if b == nil {
		return 0
	}
	v := uint64(0)
	if n < 8 {
		v = uint64(first & (0xff >> n))
	}
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}

// svint reads a signed one: the zig-zag form as an unsigned one.
func (c *cursor) svint() int64 {
	u := c.uvint()
	return int64(u>>1) ^ -int64(u&1)
}

// count reads an unsigned integer that counts things of at least size bytes, which must fit in what is left.
func (c *cursor) count(size int) int {
	v := c.uvint()
	if c.err == nil && v > uint64(c.left()/size) {
		c.short32(v, size)
		return 0
	}
	return int(v)
}

// short32 fails for a count of things that are not all there.
func (c *cursor) short32(n uint64, size int) {
	if n > math.MaxInt32 {
		c.fail("impossible count %d", n)
		return
	}
	c.short(int(n) * size)
}

// count32 reads an int32 that counts things of at least size bytes.
func (c *cursor) count32(size int) int {
	v := c.i32()
	if c.err != nil {
		return 0
	}
	if v < 0 {
		c.fail("negative count %d", v)
		return 0
	}
	if int(v) > c.left()/size {
		c.short32(uint64(v), size)
		return 0
	}
	return int(v)
}

// sbytes reads bytes behind an unsigned 16-bit length. It is not nil without an error.
func (c *cursor) sbytes() []byte { return c.take(c.u16()) }

// vbytes reads bytes behind an unsigned variable-length one.
func (c *cursor) vbytes() []byte {
	n := c.uvint()
	if n > math.MaxInt32 {
		c.fail("impossible length %d", n)
		return nil
	}
	return c.take(int(n))
}

// utf reads a string of Java's writeUTF; only what both encodings share occurs in these files.
func (c *cursor) utf() string { return string(c.sbytes()) }

// appendUvint appends v as Cassandra's unsigned variable-length integer.
func appendUvint(dst []byte, v uint64) []byte {
	n := (639-9*bits.LeadingZeros64(v|1))>>6 - 1
	if n == 8 {
		return binary.BigEndian.AppendUint64(append(dst, 0xff), v)
	}
	first := byte(0)
	if n > 0 {
		first = ^byte(0xff >> n)
	}
	dst = append(dst, first|byte(v>>(8*n)))
	for i := n - 1; i >= 0; i-- {
		dst = append(dst, byte(v>>(8*i)))
	}
	return dst
}
