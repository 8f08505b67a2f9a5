package request

import (
	"encoding/binary"

	"github.com/helenusdb/helenus/storage/row"
)

// The data of a mutation is a list of changes, each a kind byte and what follows:
//
//	changePartition  deletion
//	changeRange      slice, deletion
//	changeStatic     uint32 little-endian length, body of a row
//	changeRow        uint32 little-endian length, clustering, body of a row
//
// Deletion, slice, clustering and body as package row encodes them. A memtable keeps what follows the length as it is.
type changeKind byte

// The kinds of changes.
const (
	changeNone changeKind = iota
	changePartition
	changeRange
	changeStatic
	changeRow
)

// Change is one change of a mutation. Which fields are set follows from what it is: Row or Static says that Encoded is an
// encoded clustering and body, or a body; Range that Slice and Deletion are set; else it deletes the partition.
type Change struct {
	Row, Static, Range bool
	// Encoded shares the mutation's bytes.
	Encoded  []byte
	Slice    row.Slice
	Deletion row.Deletion
}

// Changes walks the changes of a mutation. The protocol: for c.Next() { ... c.Change ... }; then Err.
type Changes struct {
	Change
	r     row.Reader
	limit int
}

// Changes returns a walk over the changes of m.
func (m *Mutation) Changes() Changes {
	return Changes{r: row.Reader{B: m.Data}, limit: len(m.Table.Clustering)}
}

// Next goes to the next change; false at the end and after a malformed one.
func (c *Changes) Next() bool {
	if len(c.r.B) == 0 {
		return false
	}
	c.Change = Change{}
	switch k := changeKind(c.r.Byte()); k {
	case changePartition:
		c.Deletion = c.r.Deletion()
	case changeRange:
		c.Range = true
		c.Slice = c.r.Slice(c.limit)
		c.Deletion = c.r.Deletion()
	case changeStatic, changeRow:
		c.Static, c.Row = k == changeStatic, k == changeRow
		if len(c.r.B) < 4 {
			c.r.Fail()
			break
		}
		n := binary.LittleEndian.Uint32(c.r.B)
		if c.r.B = c.r.B[4:]; uint64(n) > uint64(len(c.r.B)) {
			c.r.Fail()
			break
		}
		c.Encoded, c.r.B = c.r.B[:n:n], c.r.B[n:]
	default:
		c.r.Fail()
	}
	return !c.r.Bad
}

// Err returns row.ErrEncoding when the walk met malformed bytes.
func (c *Changes) Err() error {
	if c.r.Bad {
		return row.ErrEncoding
	}
	return nil
}

// check decodes all of m, sets its Stats, and reports whether every byte of it is as a Builder could have written it. The order of a column's
// elements is not checked: it is a matter of types, not of bytes.
func (m *Mutation) check(scratch *row.Row) error {
	m.Stats = row.NoStats
	c := m.Changes()
	for c.Next() {
		if !c.Row && !c.Static {
			m.Stats.AddDeletion(c.Deletion)
			continue
		}
		r := row.Reader{B: c.Encoded}
		if c.Row {
			scratch.Clustering = r.Values(scratch.Clustering[:0], c.limit)
			if len(scratch.Clustering) != c.limit {
				return row.ErrEncoding
			}
		}
		r.Body(scratch)
		if r.Bad || len(r.B) > 0 {
			return row.ErrEncoding
		}
		m.Stats.AddRow(scratch)
		if m.Counter {
			for i := range scratch.Cells {
				if x := &scratch.Cells[i]; !x.IsTombstone() && len(x.Value) != 8 {
					return row.ErrEncoding
				}
			}
		}
	}
	return c.Err()
}
