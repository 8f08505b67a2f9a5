package request

import (
	"encoding/binary"
	"math/bits"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
)

// EncodeMutations appends the mutations of one atomic change as one record:
//
//	count    uvarint, then each:
//	  table  16 bytes
//	  flags  byte: 1 for a counter mutation
//	  token  prefix as 8 bytes little-endian; rest, with its length
//	  key    with its length
//	  data   with its length
func EncodeMutations(dst []byte, ms []Mutation) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ms)))
	for i := range ms {
		m := &ms[i]
		dst = append(dst, m.Table.ID[:]...)
		flags := byte(0)
		if m.Counter {
			flags = 1
		}
		dst = append(dst, flags)
		dst = binary.LittleEndian.AppendUint64(dst, m.Token.Prefix)
		dst = binary.AppendUvarint(dst, uint64(len(m.Token.Rest)))
		dst = append(dst, m.Token.Rest...)
		dst = binary.AppendUvarint(dst, uint64(len(m.Key)))
		dst = append(dst, m.Key...)
		dst = binary.AppendUvarint(dst, uint64(len(m.Data)))
		dst = append(dst, m.Data...)
	}
	return dst
}

// EncodedSize returns the length of what EncodeMutations appends.
func EncodedSize(ms []Mutation) int {
	n := uvarintLen(len(ms))
	for i := range ms {
		m := &ms[i]
		n += 16 + 1 + 8
		for _, l := range [...]int{len(m.Token.Rest), len(m.Key), len(m.Data)} {
			n += uvarintLen(l) + l
		}
	}
	return n
}

// uvarintLen returns the bytes that a uvarint takes.
func uvarintLen(v int) int { return (bits.Len64(uint64(v)|1) + 6) / 7 }

// minMutation is the least number of bytes that a mutation takes in a record.
const minMutation = 16 + 1 + 8 + 1 + 1 + 1

// DecodeMutations reads a record. lookup finds tables; a mutation of one that it does not know (nil) has a nil Table and is
// not checked. All others are checked to the last byte, so that whoever walks them later need not. Keys and data share b's
// memory. The error is row.ErrEncoding.
func DecodeMutations(b []byte, lookup func(schema.UUID) *schema.Table) ([]Mutation, error) {
	var ms []Mutation
	var scratch row.Row
	err := SplitMutations(b, func(n int, _ uint64, one []byte) error {
		if ms == nil {
			ms = make([]Mutation, 0, n)
		}
		m, err := DecodeMutation(one, lookup, &scratch)
		ms = append(ms, m)
		return err
	})
	if err != nil {
		return nil, err
	}
	return ms, nil
}

// SplitMutations calls f with the number of mutations in a record and each of them, as DecodeMutation takes it, with the prefix
// of its token. It returns the first error of f, row.ErrEncoding when the record is malformed.
func SplitMutations(b []byte, f func(count int, prefix uint64, one []byte) error) error {
	r := row.Reader{B: b}
	n := r.Uvarint()
	if r.Bad || n > uint64(len(r.B)/minMutation) {
		return row.ErrEncoding
	}
	for range n {
		if len(r.B) < minMutation {
			return row.ErrEncoding
		}
		start := r.B
		prefix := binary.LittleEndian.Uint64(r.B[17:])
		r.B = r.B[25:]
		for range 3 {
			r.Bytes()
		}
		if r.Bad {
			return row.ErrEncoding
		}
		if err := f(int(n), prefix, start[:len(start)-len(r.B)]); err != nil {
			return err
		}
	}
	if len(r.B) > 0 {
		return row.ErrEncoding
	}
	return nil
}

// DecodeMutation reads one mutation of those that SplitMutations gives; see DecodeMutations. scratch may be used again.
func DecodeMutation(one []byte, lookup func(schema.UUID) *schema.Table, scratch *row.Row) (Mutation, error) {
	r := row.Reader{B: one[16:]}
	flags := r.Byte()
	m := Mutation{Table: lookup(schema.UUID(one[:16])), Counter: flags&1 != 0, Token: token.Token{Prefix: uint64(r.Int64())}}
	m.Token.Rest = string(r.Bytes())
	m.Key, m.Data = r.Bytes(), r.Bytes()
	if r.Bad {
		return Mutation{}, row.ErrEncoding
	}
	if m.Table != nil {
		if err := m.check(scratch); err != nil {
			return Mutation{}, err
		}
	}
	return m, nil
}
