package wire

import (
	"encoding/binary"
	"math"
	"net/netip"
	"unicode/utf8"
)

// AppendShort appends v as a [short]: 2 bytes, big-endian, unsigned. Source: native_protocol_v5.spec 3.
func AppendShort(dst []byte, v uint16) []byte { return binary.BigEndian.AppendUint16(dst, v) }

// AppendInt appends v as an [int]: 4 bytes, big-endian, two's complement.
func AppendInt(dst []byte, v int32) []byte { return binary.BigEndian.AppendUint32(dst, uint32(v)) }

// AppendLong appends v as a [long]: 8 bytes, big-endian, two's complement.
func AppendLong(dst []byte, v int64) []byte { return binary.BigEndian.AppendUint64(dst, uint64(v)) }

// AppendString appends s as a [string]: a [short] length and the bytes. A longer text is cut at 65535 bytes, at
// the start of a character, because a wrapped length would break the frame.
func AppendString(dst []byte, s string) []byte {
	s = clip(s)
	return append(AppendShort(dst, uint16(len(s))), s...)
}

// clip cuts s to what a [string] can hold without splitting a character.
func clip(s string) string {
	if len(s) <= math.MaxUint16 {
		return s
	}
	n := math.MaxUint16
	for n > math.MaxUint16-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// AppendLongString appends s as a [long string]: an [int] length and the bytes.
func AppendLongString(dst []byte, s string) []byte {
	return append(AppendInt(dst, int32(len(s))), s...)
}

// AppendBytes appends b as [bytes]: an [int] length and the bytes; nil is null (-1).
func AppendBytes(dst, b []byte) []byte {
	if b == nil {
		return AppendInt(dst, -1)
	}
	return append(AppendInt(dst, int32(len(b))), b...)
}

// AppendShortBytes appends b, of at most 65535 bytes, as [short bytes].
func AppendShortBytes(dst, b []byte) []byte {
	b = b[:min(len(b), math.MaxUint16)]
	return append(AppendShort(dst, uint16(len(b))), b...)
}

// AppendStringList appends list, of at most 65535 strings, as a [string list].
func AppendStringList(dst []byte, list []string) []byte {
	list = list[:min(len(list), math.MaxUint16)]
	dst = AppendShort(dst, uint16(len(list)))
	for _, s := range list {
		dst = AppendString(dst, s)
	}
	return dst
}

// AppendInet appends a as an [inet]: length byte, address, [int] port. An IPv4 address in IPv6 form goes out as IPv4.
func AppendInet(dst []byte, a netip.AddrPort) []byte {
	return AppendInt(AppendInetAddr(dst, a.Addr()), int32(a.Port()))
}

// AppendInetAddr appends a as an [inetaddr]: length byte and address.
func AppendInetAddr(dst []byte, a netip.Addr) []byte {
	a = a.Unmap()
	if a.Is4() {
		b := a.As4()
		return append(append(dst, 4), b[:]...)
	}
	b := a.As16()
	return append(append(dst, 16), b[:]...)
}

// Value is one bound value: a view of the request's body, nil for null. Unset is true for a value that was sent as
// "not set" (v4 and up), whose Bytes are nil.
type Value struct {
	Bytes []byte
	Unset bool
}

// AppendValue appends v as a [value]: an [int] length, -1 for null and -2 for unset, and the bytes.
func AppendValue(dst []byte, v Value) []byte {
	if v.Unset {
		return AppendInt(dst, -2)
	}
	return AppendBytes(dst, v.Bytes)
}

// setInt overwrites the 4 bytes of b at off.
func setInt(b []byte, off int, v int32) { binary.BigEndian.PutUint32(b[off:], uint32(v)) }
