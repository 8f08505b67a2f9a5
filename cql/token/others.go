package token

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
)

// RandomPartitioner is Cassandra's RandomPartitioner: the absolute value of the key's MD5 taken as a signed
// 128-bit number, so 0..2^127. Token.Rest holds its 16 bytes, big-endian.
type RandomPartitioner struct{}

// ByteOrdered is Cassandra's ByteOrderedPartitioner: the token is the key. Token.Rest holds the key.
type ByteOrdered struct{}

func fromBytes(b []byte) Token {
	var p [8]byte
	copy(p[:], b)
	return Token{Prefix: binary.BigEndian.Uint64(p[:]), Rest: string(b)}
}

func fromBig(n *big.Int) Token {
	var b [16]byte
	n.FillBytes(b[:])
	return fromBytes(b[:])
}

// Class implements Partitioner.
func (RandomPartitioner) Class() string { return "org.apache.cassandra.dht.RandomPartitioner" }

// Token implements Partitioner.
func (p RandomPartitioner) Token(key []byte) Token {
	if len(key) == 0 {
		return p.Min()
	}
	sum := md5.Sum(key)
	n := new(big.Int).SetBytes(sum[:])
	if sum[0]&0x80 != 0 {
		n.Sub(new(big.Int).Lsh(big.NewInt(1), 128), n)
	}
	return fromBig(n)
}

// Min implements Partitioner. Cassandra's minimum is -1; here it is the token that stands before all others.
func (RandomPartitioner) Min() Token { return Token{} }

// Max implements Partitioner.
func (RandomPartitioner) Max() Token { return fromBig(new(big.Int).Lsh(big.NewInt(1), 127)) }

// Format implements Partitioner.
func (RandomPartitioner) Format(t Token) string {
	if t.Rest == "" {
		return "-1"
	}
	return new(big.Int).SetBytes([]byte(t.Rest)).String()
}

// Parse implements Partitioner.
func (p RandomPartitioner) Parse(s string) (Token, error) {
	n, ok := new(big.Int).SetString(s, 10)
	if !ok || n.BitLen() > 128 {
		return Token{}, fmt.Errorf("invalid token %q", s)
	}
	if n.Sign() < 0 {
		return p.Min(), nil
	}
	return fromBig(n), nil
}

// Append implements Partitioner: a varint.
func (RandomPartitioner) Append(dst []byte, t Token) []byte {
	if t.Rest == "" {
		return append(dst, 0xff)
	}
	b := new(big.Int).SetBytes([]byte(t.Rest)).Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		dst = append(dst, 0)
	}
	return append(dst, b...)
}

// Decode implements Partitioner.
func (p RandomPartitioner) Decode(v []byte) (Token, bool) {
	if len(v) == 0 || len(v) > 17 {
		return Token{}, false
	}
	if v[0]&0x80 != 0 {
		return p.Min(), true
	}
	n := new(big.Int).SetBytes(v)
	return fromBig(n), n.BitLen() <= 128
}

// Random implements Partitioner.
func (p RandomPartitioner) Random(r *rand.Rand) Token {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], r.Uint64()>>1)
	binary.BigEndian.PutUint64(b[8:], r.Uint64())
	return fromBytes(b[:])
}

// Share implements Partitioner. The ring ends at 2^127, half of what the prefix can hold.
func (RandomPartitioner) Share(r Range) float64 {
	if r.Start == r.End {
		return 1
	}
	return float64((r.End.Prefix-r.Start.Prefix)&(1<<63-1)) / (1 << 63)
}

// Class implements Partitioner.
func (ByteOrdered) Class() string { return "org.apache.cassandra.dht.ByteOrderedPartitioner" }

// Token implements Partitioner.
func (ByteOrdered) Token(key []byte) Token { return fromBytes(key) }

// Min implements Partitioner.
func (ByteOrdered) Min() Token { return Token{} }

// Max implements Partitioner: no key of fewer than 64 KiB stands behind it.
func (ByteOrdered) Max() Token {
	b := make([]byte, 1<<16)
	for i := range b {
		b[i] = 0xff
	}
	return fromBytes(b)
}

// Format implements Partitioner.
func (ByteOrdered) Format(t Token) string { return hex.EncodeToString([]byte(t.Rest)) }

// Parse implements Partitioner.
func (ByteOrdered) Parse(s string) (Token, error) {
	b, err := hex.DecodeString(s)
	return fromBytes(b), err
}

// Append implements Partitioner: a blob.
func (ByteOrdered) Append(dst []byte, t Token) []byte { return append(dst, t.Rest...) }

// Decode implements Partitioner.
func (ByteOrdered) Decode(v []byte) (Token, bool) { return fromBytes(v), true }

// Random implements Partitioner.
func (ByteOrdered) Random(r *rand.Rand) Token {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], r.Uint64())
	binary.BigEndian.PutUint64(b[8:], r.Uint64())
	return fromBytes(b[:])
}

// Share implements Partitioner.
func (ByteOrdered) Share(r Range) float64 { return share(r) }
