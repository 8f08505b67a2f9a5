package wire

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"unicode/utf8"

	"github.com/helenusdb/helenus/cql"
)

// Reader takes a message body apart. It is sticky: after the first error every further call returns a zero value,
// so that a decoder reads all of its fields and asks Err once. Byte slices that it returns are views of the body,
// and nothing is allocated whose size was not checked against the bytes that are left.
//
// Errors are ProtocolExceptions (0x000A). Deviation: Cassandra answers some short bodies with 0x0000 and the text
// of a Java exception.
type Reader struct {
	b   []byte
	off int
	err *cql.Error
}

// NewReader returns a Reader of body.
func NewReader(body []byte) Reader { return Reader{b: body} }

// Err returns the first error, as an untyped nil when there is none.
func (r *Reader) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// Len returns how many bytes are left; 0 after an error.
func (r *Reader) Len() int { return len(r.b) - r.off }

// Rest returns all bytes that are left and takes them.
func (r *Reader) Rest() []byte {
	b := r.b[r.off:]
	r.off = len(r.b)
	return b
}

// Fail makes err the reader's error unless there is one already.
func (r *Reader) Fail(err *cql.Error) {
	if r.err == nil {
		r.err = err
		r.b, r.off = nil, 0
	}
}

// missing notes that what was to be read is not all there.
func (r *Reader) missing(what string) {
	r.Fail(cql.Protocolf("Not enough bytes to read %s", what))
}

// take returns the next n bytes, or nil and an error that names what was to be read.
func (r *Reader) take(n int, what string) []byte {
	if n < 0 || n > len(r.b)-r.off {
		r.missing(what)
		return nil
	}
	b := r.b[r.off : r.off+n : r.off+n]
	r.off += n
	return b
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if len(r.b)-r.off < 1 {
		r.missing("a byte")
		return 0
	}
	r.off++
	return r.b[r.off-1]
}

// Short reads a [short].
func (r *Reader) Short() uint16 {
	if len(r.b)-r.off < 2 {
		r.missing("a short")
		return 0
	}
	r.off += 2
	return binary.BigEndian.Uint16(r.b[r.off-2:])
}

// Int reads an [int].
func (r *Reader) Int() int32 {
	if len(r.b)-r.off < 4 {
		r.missing("an int")
		return 0
	}
	r.off += 4
	return int32(binary.BigEndian.Uint32(r.b[r.off-4:]))
}

// Long reads a [long].
func (r *Reader) Long() int64 {
	if len(r.b)-r.off < 8 {
		r.missing("a long")
		return 0
	}
	r.off += 8
	return int64(binary.BigEndian.Uint64(r.b[r.off-8:]))
}

// UUID reads 16 bytes.
func (r *Reader) UUID() (id [16]byte) {
	copy(id[:], r.take(16, "a UUID"))
	return id
}

const (
	shortStringText = "an UTF8 serialized string preceded by its 2 bytes length"
	longStringText  = "an UTF8 serialized string preceded by its 4 bytes length"
	shortBytesText  = "a byte array preceded by its 2 bytes length"
	bytesText       = "a byte array preceded by its 4 bytes length"
)

// StringBytes reads a [string] as a view of the body; it is valid UTF-8.
func (r *Reader) StringBytes() []byte {
	if r.Len() < 2 {
		return r.take(2, shortStringText)
	}
	return r.utf8(r.take(int(r.Short()), shortStringText))
}

// String reads a [string] into memory of its own.
func (r *Reader) String() string { return string(r.StringBytes()) }

// LongString reads a [long string] as a view of the body; it is valid UTF-8.
func (r *Reader) LongString() []byte {
	if r.Len() < 4 {
		return r.take(4, longStringText) // Cassandra checks both at once
	}
	return r.utf8(r.take(int(r.Int()), longStringText))
}

// utf8 refuses bytes that are not UTF-8, with Cassandra's text; the bytes shown are cut to keep the answer small.
func (r *Reader) utf8(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	for { // Cassandra shows the bytes from the first bad one on
		c, n := utf8.DecodeRune(b)
		if c == utf8.RuneError && n <= 1 {
			break
		}
		b = b[n:]
	}
	r.Fail(cql.Protocolf("Cannot decode string as UTF8: '%s'; java.nio.charset.MalformedInputException: Input length = 1",
		hex.EncodeToString(b[:min(len(b), 1024)])))
	return nil
}

// Bytes reads [bytes]: nil for a negative length, else a view that is not nil.
func (r *Reader) Bytes() []byte {
	n := r.Int()
	if n < 0 {
		return nil
	}
	return r.take(int(n), bytesText)
}

// ShortBytes reads [short bytes].
func (r *Reader) ShortBytes() []byte {
	if r.Len() < 2 {
		return r.take(2, shortBytesText)
	}
	return r.take(int(r.Short()), shortBytesText)
}

// Value reads a [value]. In v3, which knows no unset, any negative length is null; below -2 it is an error otherwise.
// Source: CBUtil.readBoundValue.
func (r *Reader) Value(version cql.Version) Value {
	n := r.Int()
	if n >= 0 {
		return Value{Bytes: r.take(int(n), bytesText)}
	}
	switch {
	case n == -1 || version < cql.V4:
		return Value{}
	case n == -2:
		return Value{Unset: true}
	}
	r.Fail(cql.Protocolf("Invalid ByteBuf length %d", n))
	return Value{}
}

// count reads a [short] count of things that take at least size bytes each and checks that so many can be left; what
// names the part that would be missed first.
func (r *Reader) count(size int, what string) int {
	n := int(r.Short())
	if n*size > r.Len() {
		r.missing(what)
		return 0
	}
	return n
}

// StringList reads a [string list].
func (r *Reader) StringList() []string {
	n := r.count(2, shortStringText)
	if n == 0 {
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, r.String())
	}
	return list
}

// StringMap reads a [string map]; of a repeated key the last value stays.
func (r *Reader) StringMap() map[string]string {
	n := r.count(4, shortStringText)
	m := make(map[string]string, n)
	for range n {
		k := r.String()
		v := r.String()
		if r.err != nil {
			return nil
		}
		m[k] = v
	}
	return m
}

// StringMultimap reads a [string multimap].
func (r *Reader) StringMultimap() map[string][]string {
	n := r.count(4, shortStringText)
	m := make(map[string][]string, n)
	for range n {
		k := r.String()
		v := r.StringList()
		if r.err != nil {
			return nil
		}
		m[k] = v
	}
	return m
}

// SkipBytesMap steps over a [bytes map], the form of a custom payload.
func (r *Reader) SkipBytesMap() {
	for range r.count(6, shortStringText) {
		r.StringBytes()
		r.Bytes()
		if r.err != nil {
			return
		}
	}
}

// BytesMap reads a [bytes map]; values are views.
func (r *Reader) BytesMap() map[string][]byte {
	n := r.count(6, shortStringText)
	m := make(map[string][]byte, n)
	for range n {
		k := r.String()
		v := r.Bytes()
		if r.err != nil {
			return nil
		}
		m[k] = v
	}
	return m
}

// InetAddr reads an [inetaddr].
func (r *Reader) InetAddr() netip.Addr {
	n := int(r.Byte())
	b := r.take(n, "an inet address")
	if b == nil && r.err != nil {
		return netip.Addr{}
	}
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		r.Fail(cql.Protocolf("Invalid address length %d", n))
	}
	return a
}

// Inet reads an [inet].
func (r *Reader) Inet() netip.AddrPort {
	a := r.InetAddr()
	port := r.Int()
	if port < 0 || port > 0xffff {
		r.Fail(cql.Protocolf("Invalid port %d", port))
	}
	return netip.AddrPortFrom(a, uint16(port))
}

// Consistency reads a [consistency] and refuses an unknown code.
func (r *Reader) Consistency() cql.Consistency {
	c := cql.Consistency(r.Short())
	if !c.Valid() {
		r.Fail(cql.Protocolf("Unknown code %d for a consistency level", int(c)))
		return 0
	}
	return c
}
