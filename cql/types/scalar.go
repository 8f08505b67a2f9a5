package types

import (
	"encoding/binary"
	"math"
)

// Int8 returns the value of a tinyint; the caller knows that v has one byte.
func Int8(v []byte) int8 { return int8(v[0]) }

// Int16 returns the value of a smallint; the caller knows that v has two bytes.
func Int16(v []byte) int16 { return int16(binary.BigEndian.Uint16(v)) }

// Int32 returns the value of an int; the caller knows that v has four bytes.
func Int32(v []byte) int32 { return int32(binary.BigEndian.Uint32(v)) }

// Int64 returns the value of a bigint, counter, timestamp (milliseconds) or time (nanoseconds of the day); the caller
// knows that v has eight bytes.
func Int64(v []byte) int64 { return int64(binary.BigEndian.Uint64(v)) }

// Float32 returns the value of a float; the caller knows that v has four bytes.
func Float32(v []byte) float32 { return math.Float32frombits(binary.BigEndian.Uint32(v)) }

// Float64 returns the value of a double; the caller knows that v has eight bytes.
func Float64(v []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(v)) }

// Bool returns the value of a boolean: any byte but 0 is true.
func Bool(v []byte) bool { return len(v) > 0 && v[0] != 0 }

// AppendInt8 appends n as a tinyint.
func AppendInt8(dst []byte, n int8) []byte { return append(dst, byte(n)) }

// AppendInt16 appends n as a smallint.
func AppendInt16(dst []byte, n int16) []byte { return binary.BigEndian.AppendUint16(dst, uint16(n)) }

// AppendInt32 appends n as an int.
func AppendInt32(dst []byte, n int32) []byte { return binary.BigEndian.AppendUint32(dst, uint32(n)) }

// AppendInt64 appends n as a bigint, counter, timestamp (milliseconds) or time (nanoseconds of the day).
func AppendInt64(dst []byte, n int64) []byte { return binary.BigEndian.AppendUint64(dst, uint64(n)) }

// AppendFloat32 appends f as a float; every NaN is written as Java's canonical one.
func AppendFloat32(dst []byte, f float32) []byte {
	if f != f {
		return binary.BigEndian.AppendUint32(dst, 0x7fc00000)
	}
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(f))
}

// AppendFloat64 appends f as a double; every NaN is written as Java's canonical one.
func AppendFloat64(dst []byte, f float64) []byte {
	if f != f {
		return binary.BigEndian.AppendUint64(dst, 0x7ff8000000000000)
	}
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(f))
}

// AppendBool appends b as a boolean.
func AppendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// AppendDate appends a date of the given number of days since 1970-01-01.
func AppendDate(dst []byte, days int32) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(days)^1<<31)
}

// Days returns the days since 1970-01-01 of a date; the caller knows that v has four bytes.
func Days(v []byte) int32 { return int32(binary.BigEndian.Uint32(v) ^ 1<<31) }
