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
	r := row.Reader{B: b}
	n := r.Uvarint()
	if r.Bad || n > uint64(len(r.B)/minMutation) {
		return nil, row.ErrEncoding
	}
	ms := make([]Mutation, 0, n)
	var scratch row.Row
	for range n {
		if len(r.B) < minMutation {
			return nil, row.ErrEncoding
		}
		id := schema.UUID(r.B[:16])
		r.B = r.B[16:]
		flags := r.Byte()
		m := Mutation{Table: lookup(id), Counter: flags&1 != 0, Token: token.Token{Prefix: uint64(r.Int64())}}
		m.Token.Rest = string(r.Bytes())
		m.Key, m.Data = r.Bytes(), r.Bytes()
		if r.Bad {
			return nil, row.ErrEncoding
		}
		if m.Table != nil {
			if err := m.check(&scratch); err != nil {
				return nil, err
			}
		}
		ms = append(ms, m)
	}
	if len(r.B) > 0 {
		return nil, row.ErrEncoding
	}
	return ms, nil
}
