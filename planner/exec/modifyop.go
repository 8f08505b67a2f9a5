package exec

import (
	"encoding/binary"
	"slices"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// operations adds the cells of a row to b: the static row when clustering is nil in a table that has clustering columns.
func (p *writeParams) operations(list []planner.Operation, b *request.Builder, key []byte, clustering [][]byte) error {
	for i := range list {
		if err := p.operation(&list[i], b, key, clustering); err != nil {
			return err
		}
	}
	return nil
}

// cell adds a cell: v nil deletes it.
func (p *writeParams) cell(o *planner.Operation, b *request.Builder, path, v []byte) {
	c := row.Cell{Column: o.Column.ID, Path: path, Value: v, Timestamp: p.timestamp, Local: row.NoLocal}
	switch {
	case v == nil:
		c.Local = p.now
	case p.ttl > 0:
		c.TTL, c.Local = p.ttl, p.expiry()
	}
	b.Cell(c)
}

// noValue is the value of a set's cell, whose path is all.
var noValue = []byte{}

// operation adds the cells of one operation. Source: Operation.execute of Constants, Lists, Sets, Maps, UserTypes.
func (p *writeParams) operation(o *planner.Operation, b *request.Builder, key []byte, clustering [][]byte) error {
	switch o.Kind {
	case planner.OpDelete:
		if o.Column.Type.IsMultiCell() {
			b.DeleteComplex(o.Column.ID, p.deletion())
		} else {
			p.cell(o, b, nil, nil)
		}
		return nil
	case planner.OpSetIndex, planner.OpDeleteIndex:
		return p.index(o, b, key, clustering)
	case planner.OpSetKey, planner.OpDeleteKey:
		return p.entry(o, b)
	case planner.OpDeleteField:
		p.cell(o, b, p.fieldPath(o.Field), nil)
		return nil
	case planner.OpOverwrite:
		if fields := planner.Fields(o.Value); fields != nil {
			return p.fields(o, fields, b)
		}
	}
	v, unset, err := o.Value.Eval(p.st.env)
	if err != nil || unset {
		return err
	}
	switch o.Kind {
	case planner.OpSet:
		p.cell(o, b, nil, v)
	case planner.OpSetField:
		p.cell(o, b, p.fieldPath(o.Field), v)
	case planner.OpOverwrite:
		b.DeleteComplex(o.Column.ID, p.overwrite())
		return p.add(o, v, b)
	case planner.OpAppend, planner.OpAdd:
		return p.add(o, v, b)
	case planner.OpPrepend:
		return p.prepend(o, v, b)
	case planner.OpDiscard:
		return eachElement(v, func(e []byte) error {
			p.cell(o, b, e, nil)
			return nil
		})
	case planner.OpDiscardList:
		return p.discard(o, v, b, key, clustering)
	case planner.OpIncrement, planner.OpDecrement:
		return p.count(o, v, b)
	case planner.OpCompute:
		return p.compute(o, v, b, key, clustering)
	}
	return nil
}

// fieldPath is the path of a user type's field.
func (p *writeParams) fieldPath(field int) []byte {
	binary.BigEndian.PutUint16(p.st.fields[:], uint16(field))
	return p.st.fields[:]
}

// fields overwrites a user type with the fields that were written out; those left unset stay without a cell.
func (p *writeParams) fields(o *planner.Operation, fields []planner.Term, b *request.Builder) error {
	b.DeleteComplex(o.Column.ID, p.overwrite())
	for i, f := range fields {
		v, unset, err := f.Eval(p.st.env)
		if err != nil {
			return err
		}
		if v != nil && !unset {
			p.cell(o, b, p.fieldPath(i), v)
		}
	}
	return nil
}

// add adds the elements, entries or fields of v. A nil v has none.
func (p *writeParams) add(o *planner.Operation, v []byte, b *request.Builder) error {
	if v == nil {
		return nil
	}
	switch o.Column.Type.Kind {
	case types.UDT:
		for i := 0; ; i++ {
			field, tail, more, err := types.NextField(v)
			if err != nil || !more {
				return err
			}
			if field != nil {
				p.cell(o, b, p.fieldPath(i), field)
			}
			v = tail
		}
	case types.Map:
		n, rest, err := types.Elements(v)
		for ; err == nil && n > 0; n-- {
			var key, value []byte
			if key, rest, err = types.NextElement(rest); err == nil {
				value, rest, err = types.NextElement(rest)
			}
			if err == nil {
				p.cell(o, b, key, value)
			}
		}
		return err
	case types.Set:
		return eachElement(v, func(e []byte) error {
			p.cell(o, b, e, noValue)
			return nil
		})
	}
	return eachElement(v, func(e []byte) error {
		if e == nil {
			return errNullElement
		}
		id := p.st.w.TimeUUID()
		p.cell(o, b, id[:], e)
		return nil
	})
}

// errNullElement refuses null in a bound list; Cassandra fails with a NullPointerException.
var errNullElement = cql.Invalidf("null is not supported inside collections")

// eachElement calls f with the elements of a list or set; nil has none.
func eachElement(v []byte, f func(e []byte) error) error {
	if v == nil {
		return nil
	}
	n, rest, err := types.Elements(v)
	for ; err == nil && n > 0; n-- {
		var e []byte
		if e, rest, err = types.NextElement(rest); err == nil {
			err = f(e)
		}
	}
	return err
}

// referenceTime is the time around which prepended elements are mirrored, 2010-01-01, in 100 ns since 1582.
// Source: org.apache.cassandra.cql3.Lists.PrecisionTime.
const referenceTime = 1262304000000*10000 + 0x01b21dd213814000

// prepend adds elements to the front of a list: the later, the smaller are their paths, and the last element of v has the
// largest of its own.
func (p *writeParams) prepend(o *planner.Operation, v []byte, b *request.Builder) error {
	var elems [][]byte
	err := eachElement(v, func(e []byte) error {
		if e == nil {
			return errNullElement
		}
		elems = append(elems, e)
		return nil
	})
	if err != nil {
		return err
	}
	for _, elem := range slices.Backward(elems) {
		id := p.st.w.TimeUUID()
		mirror(&id)
		p.cell(o, b, id[:], elem)
	}
	return nil
}

// mirror reflects a version 1 UUID's time at the reference time.
func mirror(id *schema.UUID) {
	t := uint64(binary.BigEndian.Uint32(id[:])) | uint64(binary.BigEndian.Uint16(id[4:]))<<32 |
		uint64(binary.BigEndian.Uint16(id[6:])&0x0fff)<<48
	t = 2*referenceTime - t
	binary.BigEndian.PutUint32(id[:], uint32(t))
	binary.BigEndian.PutUint16(id[4:], uint16(t>>32))
	binary.BigEndian.PutUint16(id[6:], uint16(t>>48)&0x0fff|0x1000)
}

// entry sets or deletes an entry of a map, or deletes an element of a set.
func (p *writeParams) entry(o *planner.Operation, b *request.Builder) error {
	k, unset, err := o.Key.Eval(p.st.env)
	isMap := o.Column.Type.Kind == types.Map
	switch {
	case err != nil:
		return err
	case unset && isMap:
		return cql.Invalidf("Invalid unset map key")
	case unset:
		return nil
	case k == nil && isMap:
		return cql.Invalidf("Invalid null map key")
	case k == nil:
		return cql.Invalidf("Invalid null set element")
	case o.Kind == planner.OpDeleteKey:
		p.cell(o, b, k, nil)
		return nil
	}
	v, unset, err := o.Value.Eval(p.st.env)
	if err == nil && !unset {
		p.cell(o, b, k, v)
	}
	return err
}

// count adds to a counter.
func (p *writeParams) count(o *planner.Operation, v []byte, b *request.Builder) error {
	if len(v) == 0 {
		return cql.Invalidf("Invalid null value for counter increment")
	}
	n := types.Int64(v)
	if o.Kind == planner.OpDecrement {
		if n == row.NoTimestamp {
			return cql.Invalidf("The negation of %d overflows supported counter precision (signed 8 bytes integer)", n)
		}
		n = -n
	}
	b.CounterDelta(o.Column.ID, n)
	return nil
}
