package planner

import (
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
)

// firstType is the type of the first of list that has one.
func firstType(list []selectable) *types.Type {
	for _, x := range list {
		if t := x.exactType(); t != nil {
			return t
		}
	}
	return nil
}

// allMatch is the weakest match of list for one receiver.
func allMatch(list []selectable, recv Spec) (types.Assignability, error) {
	if len(list) == 0 {
		return types.WeaklyAssignable, nil
	}
	all := types.ExactMatch
	for _, x := range list {
		m, err := x.assignable(recv)
		if err != nil || m == types.NotAssignable {
			return m, err
		}
		all = min(all, m)
	}
	return all, nil
}

// buildAll builds list, each for a type of expected by turns.
func buildAll(b *selectionBuilder, list []selectable, expected ...*types.Type) ([]Selector, error) {
	out := make([]Selector, len(list))
	for i, x := range list {
		var err error
		if out[i], err = x.build(b, expected[i%len(expected)]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// listSelectable is [a, b]: a list, or a vector where one is expected. Source: Selectable.WithArrayLiteral.
type listSelectable struct{ items []selectable }

func (x *listSelectable) exactType() *types.Type {
	if t := firstType(x.items); t != nil {
		return types.ListOf(t.Freeze(), false)
	}
	return nil
}

func (x *listSelectable) assignable(recv Spec) (types.Assignability, error) {
	switch recv.Type.Kind {
	case types.Vector:
		if len(x.items) != recv.Type.Dim {
			return types.NotAssignable, nil
		}
	case types.List:
	default:
		return types.NotAssignable, nil
	}
	return allMatch(x.items, valueOf(recv))
}

func (x *listSelectable) columns(f func(*schema.Column)) { columnsOf(f, x.items) }
func (x *listSelectable) name() string                   { return "[" + namesOf(x.items) + "]" }

func (x *listSelectable) build(b *selectionBuilder, expected *types.Type) (Selector, error) {
	t := x.exactType()
	if t == nil || expected != nil && expected.Kind == types.Vector {
		t = expected
	}
	if t == nil {
		return nil, cannotInfer(x)
	}
	if t.Kind != types.List && t.Kind != types.Vector {
		return nil, cql.Invalidf("Unexpected receiver type '%s'; only list and vector are expected", t)
	}
	items, err := buildAll(b, x.items, t.Elems[0])
	return &collectionSelector{t, items}, err
}

// setSelectable is {a, b}, or {} for an empty map too. Source: Selectable.WithSet.
type setSelectable struct{ items []selectable }

func (x *setSelectable) exactType() *types.Type {
	if t := firstType(x.items); t != nil {
		return types.SetOf(t.Freeze(), false)
	}
	return nil
}

func (x *setSelectable) assignable(recv Spec) (types.Assignability, error) {
	if len(x.items) == 0 && recv.Type.Kind == types.Map {
		return types.WeaklyAssignable, nil
	}
	if recv.Type.Kind != types.Set {
		return types.NotAssignable, nil
	}
	return allMatch(x.items, valueOf(recv))
}

func (x *setSelectable) columns(f func(*schema.Column)) { columnsOf(f, x.items) }
func (x *setSelectable) name() string                   { return "{" + namesOf(x.items) + "}" }

func (x *setSelectable) build(b *selectionBuilder, expected *types.Type) (Selector, error) {
	t := x.exactType()
	if t == nil {
		t = expected
	}
	if t == nil {
		return nil, cannotInfer(x)
	}
	items, err := buildAll(b, x.items, t.Elems[0])
	return &collectionSelector{t, items}, err
}

// mapSelectable is {k: v}: a map, or a user type when its keys are names. Source: Selectable.WithMapOrUdt.
type mapSelectable struct {
	s      *scope
	keys   []selectable // nil when fields were written
	fields []string
	values []selectable
}

func (x *mapSelectable) exactType() *types.Type { return nil }

// asKeys reads the fields as columns, for a map.
func (x *mapSelectable) asKeys() ([]selectable, error) {
	if x.keys != nil || len(x.fields) == 0 {
		return x.keys, nil
	}
	keys := make([]selectable, len(x.fields))
	for i, f := range x.fields {
		c, err := x.s.column(f)
		if err != nil {
			return nil, err
		}
		keys[i] = &columnSelectable{c}
	}
	return keys, nil
}

func (x *mapSelectable) assignable(recv Spec) (types.Assignability, error) {
	switch recv.Type.Kind {
	case types.Map:
		keys, err := x.asKeys()
		if err != nil {
			return types.NotAssignable, err
		}
		k, err := allMatch(keys, keyOf(recv))
		if err != nil || k == types.NotAssignable {
			return k, err
		}
		v, err := allMatch(x.values, valueOf(recv))
		return min(k, v), err
	case types.UDT:
		if x.keys != nil {
			return types.NotAssignable, nil
		}
		for i, f := range x.fields {
			n := fieldIndex(recv.Type, f)
			if n < 0 {
				continue
			}
			if m, err := x.values[i].assignable(x.s.named(f, recv.Type.Elems[n])); err != nil || m == types.NotAssignable {
				return m, err
			}
		}
		return types.WeaklyAssignable, nil
	}
	return types.NotAssignable, nil
}

func (x *mapSelectable) columns(f func(*schema.Column)) { columnsOf(f, x.keys, x.values) }

func (x *mapSelectable) name() string {
	parts := make([]string, len(x.values))
	for i, v := range x.values {
		if x.keys != nil {
			parts[i] = x.keys[i].name() + ": " + v.name()
		} else {
			parts[i] = x.fields[i] + ": " + v.name()
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (x *mapSelectable) build(b *selectionBuilder, expected *types.Type) (Selector, error) {
	if expected == nil {
		return nil, cannotInfer(x)
	}
	if expected.Kind == types.UDT {
		return x.buildUDT(b, expected)
	}
	keys, err := x.asKeys()
	if err != nil {
		return nil, err
	}
	pairs := make([]selectable, 0, 2*len(keys))
	for i, k := range keys {
		pairs = append(pairs, k, x.values[i])
	}
	items, err := buildAll(b, pairs, expected.Elems[0], expected.Elems[len(expected.Elems)-1])
	return &collectionSelector{expected, items}, err
}

func (x *mapSelectable) buildUDT(b *selectionBuilder, t *types.Type) (Selector, error) {
	items := make([]Selector, len(t.Fields))
	for i, f := range x.fields {
		n := fieldIndex(t, f)
		if n < 0 {
			return nil, cql.Invalidf("Unknown field '%s' in value of user defined type %s", f, t.Name)
		}
		var err error
		if items[n], err = x.values[i].build(b, t.Elems[n]); err != nil {
			return nil, err
		}
	}
	return &tupleSelector{t, items}, nil
}

// tupleSelectable is (a, b); of one entry it is that entry in parentheses, unless a tuple is expected.
// Source: Selectable.BetweenParenthesesOrWithTuple.
type tupleSelectable struct{ items []selectable }

func (x *tupleSelectable) exactType() *types.Type {
	if len(x.items) == 1 {
		return nil
	}
	elems := make([]*types.Type, len(x.items))
	for i, item := range x.items {
		t := item.exactType()
		if t == nil {
			return nil
		}
		elems[i] = t.Freeze()
	}
	return types.TupleOf(elems...)
}

func (x *tupleSelectable) assignable(recv Spec) (types.Assignability, error) {
	if recv.Type.Kind != types.Tuple {
		if len(x.items) == 1 {
			return x.items[0].assignable(recv)
		}
		return types.NotAssignable, nil
	}
	if len(x.items) > len(recv.Type.Elems) {
		return types.NotAssignable, nil
	}
	for i, item := range x.items {
		if m, err := item.assignable(recv.part(recv.Name, recv.Type.Elems[i])); err != nil || m == types.NotAssignable {
			return m, err
		}
	}
	return types.WeaklyAssignable, nil
}

func (x *tupleSelectable) columns(f func(*schema.Column)) { columnsOf(f, x.items) }
func (x *tupleSelectable) name() string                   { return "(" + namesOf(x.items) + ")" }

func (x *tupleSelectable) build(b *selectionBuilder, expected *types.Type) (Selector, error) {
	t := x.exactType()
	if t == nil {
		t = expected
	}
	if t == nil {
		return nil, cannotInfer(x)
	}
	if t.Kind != types.Tuple {
		return x.items[0].build(b, t)
	}
	items, err := buildAll(b, x.items, t.Elems...)
	return &tupleSelector{t, items}, err
}
