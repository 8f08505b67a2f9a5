// Package token is tokens, the partitioners that make them, and ranges of them.
//
// Floor: ground. Source: org.apache.cassandra.dht; protocol.md 5; cql.md 2.9.
package token

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Token is a position on the ring in a form that compares the same way for every partitioner: first Prefix, then
// Rest. For Murmur3 the prefix is the signed token with its top bit flipped and Rest is empty; for the others
// the prefix is the first eight bytes of the value, big-endian and zero padded, and Rest the whole value.
type Token struct {
	Prefix uint64
	Rest   string
}

// Compare returns the order of a and b on the ring.
func (a Token) Compare(b Token) int {
	if a.Prefix != b.Prefix {
		return cmp.Compare(a.Prefix, b.Prefix)
	}
	return strings.Compare(a.Rest, b.Rest)
}

// Less reports whether a stands before b.
func (a Token) Less(b Token) bool { return a.Compare(b) < 0 }

// Range is the part of the ring after Start up to and with End: (Start, End]. It wraps when End is not after
// Start; Start == End is the whole ring. Source: org.apache.cassandra.dht.Range.
type Range struct{ Start, End Token }

// Contains reports whether t lies in r.
func (r Range) Contains(t Token) bool {
	if c := r.Start.Compare(r.End); c < 0 {
		return r.Start.Less(t) && t.Compare(r.End) <= 0
	} else if c == 0 {
		return true
	}
	return r.Start.Less(t) || t.Compare(r.End) <= 0
}

// Partitioner turns partition keys into tokens. Implementations are stateless and safe for concurrent use.
type Partitioner interface {
	// Class is the full Java class name that system.local.partitioner shows.
	Class() string
	// Token returns the token of a serialized partition key. key is not kept.
	Token(key []byte) Token
	// Min is the lowest token, which no key of a Murmur3 or Random ring has.
	Min() Token
	// Max is the highest token that a key can have.
	Max() Token
	// Format prints t as system.local.tokens shows it; Parse reads that form.
	Format(t Token) string
	Parse(s string) (Token, error)
	// Append appends the wire value of t in the type of the token() function (bigint, varint or blob).
	Append(dst []byte, t Token) []byte
	// Decode reads such a value; ok is false when it is not one.
	Decode(v []byte) (t Token, ok bool)
	// Random returns a random token for a new node.
	Random(r *rand.Rand) Token
	// Share returns which part of the whole ring r is, in 0..1.
	Share(r Range) float64
}

// ByClass returns the partitioner of a class name, full or short ("Murmur3Partitioner").
func ByClass(class string) (Partitioner, error) {
	switch class[strings.LastIndexByte(class, '.')+1:] {
	case "Murmur3Partitioner":
		return Murmur3{}, nil
	case "RandomPartitioner":
		return RandomPartitioner{}, nil
	case "ByteOrderedPartitioner":
		return ByteOrdered{}, nil
	}
	return nil, fmt.Errorf("unknown partitioner %q", class)
}
