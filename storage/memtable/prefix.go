package memtable

import (
	"encoding/binary"
	"math"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
)

// clusteringPrefix returns a number that orders clusterings by their first value as far as eight bytes can: when the prefix
// of one is less than that of another, it stands before it. Equal prefixes say nothing.
func clusteringPrefix(t *schema.Table, first []byte) uint64 {
	if len(t.Clustering) == 0 {
		return 0
	}
	c := t.Clustering[0]
	p := valuePrefix(c.Type.Kind, first)
	if c.Desc {
		return ^p
	}
	return p
}

// signBit turns a signed number into an unsigned one of the same order.
const signBit = 1 << 63

// valuePrefix is clusteringPrefix for an ascending value. A kind whose order is not that of some leading bits has prefix 0.
func valuePrefix(k types.Kind, v []byte) uint64 {
	if len(v) == 0 {
		return 0
	}
	switch k {
	case types.Ascii, types.Text, types.Blob, types.Inet, types.Date, types.Time:
		return leading(v)
	case types.Tinyint, types.Smallint, types.Int, types.Bigint, types.Timestamp:
		return leading(v) ^ signBit
	case types.Boolean:
		return uint64(min(v[0], 1))
	case types.Float:
		if len(v) == 4 {
			return floatPrefix(float64(math.Float32frombits(binary.BigEndian.Uint32(v))))
		}
	case types.Double:
		if len(v) == 8 {
			return floatPrefix(math.Float64frombits(binary.BigEndian.Uint64(v)))
		}
	case types.Timeuuid:
		if len(v) == 16 {
			return timePrefix(binary.BigEndian.Uint64(v))
		}
	case types.UUID:
		if len(v) == 16 {
			high := binary.BigEndian.Uint64(v)
			version := high >> 12 & 0xf
			if version == 1 {
				high = timePrefix(high)
			}
			return version<<60 | high>>4
		}
	}
	return 0
}

// leading returns the first eight bytes of v, zeros where it has less.
func leading(v []byte) uint64 {
	if len(v) >= 8 {
		return binary.BigEndian.Uint64(v)
	}
	var b [8]byte
	copy(b[:], v)
	return binary.BigEndian.Uint64(b[:])
}

// floatPrefix orders floats as Java does: -0.0 before 0.0, NaN last.
func floatPrefix(f float64) uint64 {
	b := math.Float64bits(f)
	switch {
	case f != f:
		return math.MaxUint64
	case b&signBit != 0:
		return ^b
	}
	return b | signBit
}

// timePrefix is the version and the timestamp of a version 1 UUID's high half, most significant bits first.
func timePrefix(high uint64) uint64 { return high<<48 | high<<16&0xffff00000000 | high>>32 }
