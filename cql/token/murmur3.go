package token

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"strconv"
)

// Murmur3 is Murmur3Partitioner: the first half of the 128-bit hash with seed 0, whose tail bytes are
// sign-extended as Java does. Source: org.apache.cassandra.utils.MurmurHash.hash3_x64_128.
type Murmur3 struct{}

const signBit = 1 << 63

// FromInt64 returns the Murmur3 token of value v.
func FromInt64(v int64) Token { return Token{Prefix: uint64(v) ^ signBit} }

// Int64 returns the value of a Murmur3 token.
func (a Token) Int64() int64 { return int64(a.Prefix ^ signBit) }

// Class implements Partitioner.
func (Murmur3) Class() string { return "org.apache.cassandra.dht.Murmur3Partitioner" }

// Token implements Partitioner. An empty key has the lowest token; no other key has it.
func (Murmur3) Token(key []byte) Token {
	if len(key) == 0 {
		return Token{}
	}
	h, _ := Hash128(key, 0)
	if h == math.MinInt64 {
		h = math.MaxInt64
	}
	return FromInt64(h)
}

// Min implements Partitioner.
func (Murmur3) Min() Token { return Token{} }

// Max implements Partitioner.
func (Murmur3) Max() Token { return FromInt64(math.MaxInt64) }

// Format implements Partitioner.
func (Murmur3) Format(t Token) string { return strconv.FormatInt(t.Int64(), 10) }

// Parse implements Partitioner.
func (Murmur3) Parse(s string) (Token, error) {
	v, err := strconv.ParseInt(s, 10, 64)
	return FromInt64(v), err
}

// Append implements Partitioner.
func (Murmur3) Append(dst []byte, t Token) []byte {
	return binary.BigEndian.AppendUint64(dst, t.Prefix^signBit)
}

// Decode implements Partitioner.
func (Murmur3) Decode(v []byte) (Token, bool) {
	if len(v) != 8 {
		return Token{}, false
	}
	return Token{Prefix: binary.BigEndian.Uint64(v) ^ signBit}, true
}

// Random implements Partitioner.
func (m Murmur3) Random(r *rand.Rand) Token {
	for {
		if t := (Token{Prefix: r.Uint64()}); t != m.Min() {
			return t
		}
	}
}

// Share implements Partitioner.
func (Murmur3) Share(r Range) float64 { return share(r) }

// share is the part of the ring between the prefixes of r.
func share(r Range) float64 {
	if r.Start == r.End {
		return 1
	}
	return float64(r.End.Prefix-r.Start.Prefix) / math.MaxUint64
}

// Hash128 is Cassandra's MurmurHash3 x64 128: both halves as Java longs. Bloom filters use both, tokens the
// first. It differs from the published hash in its tail: each tail byte is sign-extended before it is shifted.
func Hash128(data []byte, seed uint64) (h1s, h2s int64) {
	const c1, c2 = 0x87c37b91114253d5, 0x4cf5ad432745937f
	h1, h2 := seed, seed
	n := len(data)
	for len(data) >= 16 {
		k1 := binary.LittleEndian.Uint64(data)
		k2 := binary.LittleEndian.Uint64(data[8:])
		data = data[16:]
		k1 *= c1
		k1 = bits.RotateLeft64(k1, 31)
		k1 *= c2
		h1 ^= k1
		h1 = bits.RotateLeft64(h1, 27) + h2
		h1 = h1*5 + 0x52dce729
		k2 *= c2
		k2 = bits.RotateLeft64(k2, 33)
		k2 *= c1
		h2 ^= k2
		h2 = bits.RotateLeft64(h2, 31) + h1
		h2 = h2*5 + 0x38495ab5
	}
	var k1, k2 uint64
	for i := len(data) - 1; i >= 8; i-- {
		k2 ^= uint64(int64(int8(data[i]))) << (8 * (i - 8))
	}
	if len(data) > 8 {
		k2 *= c2
		k2 = bits.RotateLeft64(k2, 33)
		k2 *= c1
		h2 ^= k2
	}
	for i := min(len(data), 8) - 1; i >= 0; i-- {
		k1 ^= uint64(int64(int8(data[i]))) << (8 * i)
	}
	if len(data) > 0 {
		k1 *= c1
		k1 = bits.RotateLeft64(k1, 31)
		k1 *= c2
		h1 ^= k1
	}
	h1 ^= uint64(n)
	h2 ^= uint64(n)
	h1 += h2
	h2 += h1
	h1 = fmix(h1)
	h2 = fmix(h2)
	h1 += h2
	h2 += h1
	return int64(h1), int64(h2)
}

func fmix(k uint64) uint64 {
	k ^= k >> 33
	k *= 0xff51afd7ed558ccd
	k ^= k >> 33
	k *= 0xc4ceb9fe1a85ec53
	k ^= k >> 33
	return k
}
