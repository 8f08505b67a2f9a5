package types

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/helenusdb/helenus/cql"
)

// gregorianOffset is the number of 100 ns units between 1582-10-15, where UUID times start, and 1970-01-01.
const gregorianOffset = 0x01b21dd213814000

// ParseUUID reads 8-4-4-4-12 hex digits in any case.
func ParseUUID(s string) (u [16]byte, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, false
	}
	_, err := hex.Decode(u[:], []byte(s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:]))
	return u, err == nil
}

// AppendUUIDText appends a UUID of 16 bytes as 8-4-4-4-12 lower case hex digits.
func AppendUUIDText(dst, u []byte) []byte {
	for i, n := range [...]int{4, 2, 2, 2, 6} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, u[:n])
		u = u[n:]
	}
	return dst
}

// parseUUIDValue reads a value of t, a uuid or timeuuid.
func (t *Type) parseUUIDValue(s string) ([]byte, error) {
	u, ok := ParseUUID(s)
	switch {
	case ok && t.Kind == Timeuuid && u[6]>>4 != 1:
		return nil, cql.Invalidf("TimeUUID supports only version 1 UUIDs")
	case ok:
		return u[:], nil
	case t.Kind == Timeuuid:
		return nil, cql.Invalidf("Unknown timeuuid representation: %s", s)
	}
	return nil, cql.Invalidf("Unable to make UUID from '%s'", s)
}

// NewUUID returns a version 4 UUID made of 16 random bytes.
func NewUUID(random [16]byte) [16]byte {
	random[6] = random[6]&0x0f | 0x40
	random[8] = random[8]&0x3f | 0x80
	return random
}

// NewTimeuuid returns the version 1 UUID of a time in units of 100 ns since 1970-01-01, with the clock sequence and node
// of low, whose variant bits are set. Two calls must differ in time or low.
func NewTimeuuid(ticks int64, low [8]byte) [16]byte {
	low[0] = low[0]&0x3f | 0x80
	return timeuuid(ticks, binary.BigEndian.Uint64(low[:]))
}

// timeuuid puts a version 1 UUID together.
func timeuuid(ticks int64, low uint64) (u [16]byte) {
	t := uint64(ticks) + gregorianOffset
	binary.BigEndian.PutUint32(u[:], uint32(t))
	binary.BigEndian.PutUint16(u[4:], uint16(t>>32))
	binary.BigEndian.PutUint16(u[6:], uint16(t>>48)&0x0fff|0x1000)
	binary.BigEndian.PutUint64(u[8:], low)
	return u
}

// MinTimeuuid returns the least timeuuid of a millisecond since 1970-01-01 in the order of timeuuid; its low bytes are
// 0x80. Source: org.apache.cassandra.utils.TimeUUID.minAtUnixMillis.
func MinTimeuuid(ms int64) [16]byte { return timeuuid(ms*10000, 0x8080808080808080) }

// MaxTimeuuid returns the greatest timeuuid of a millisecond; its low bytes are 0x7f.
func MaxTimeuuid(ms int64) [16]byte { return timeuuid(ms*10000+9999, 0x7f7f7f7f7f7f7f7f) }

// TimeuuidTicks returns the time of a version 1 UUID of 16 bytes in units of 100 ns since 1970-01-01.
func TimeuuidTicks(u []byte) int64 {
	return int64(reorderTime(binary.BigEndian.Uint64(u))&(1<<60-1)) - gregorianOffset
}

// TimeuuidMillis returns the time of a version 1 UUID of 16 bytes in whole milliseconds since 1970-01-01, rounded down.
func TimeuuidMillis(u []byte) int64 {
	return (TimeuuidTicks(u)+gregorianOffset)/10000 - gregorianOffset/10000
}
