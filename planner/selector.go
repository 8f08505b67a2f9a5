package planner

import (
	"slices"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/planner/function"
)

// What says what of a column is fetched.
type What uint8

// The things to fetch: a value, or the times of its cells.
const (
	FetchValue        What = iota
	FetchWritetime         // bigint, microseconds; of a multi-cell column a list, one an element
	FetchMaxWritetime      // bigint
	FetchTTL               // int, seconds left; of a multi-cell column a list
)

// Part says of which part of a column the times are fetched.
type Part uint8

// The parts.
const (
	PartAll Part = iota
	PartElement
	PartSlice
	PartField
)

// Fetch is one thing that a row is read for. It is comparable: equal ones are fetched once.
type Fetch struct {
	Column *schema.Column
	What   What
	Part   Part
	// Key is of PartElement; From and To of PartSlice, nil for an open end; Field of PartField.
	Key, From, To Term
	Field         int
}

// Input is a row, or a group of them, that selectors read.
type Input struct {
	// Values are what was fetched, one for each Fetch of the plan; of a group, those of its first row.
	Values [][]byte
	// Aggregates are the results of the plan's aggregates.
	Aggregates [][]byte
}

// Aggregate is one aggregate function of a selection.
type Aggregate struct {
	Args []Selector
	// New begins the aggregation of one group.
	New func() function.Accumulator
}

// Selector computes one value from a row. The result is in wire form, nil for null, and may share bytes with the input.
// Selectors are immutable. Source: org.apache.cassandra.cql3.selection.Selector.
type Selector interface {
	Type() *types.Type
	Eval(in *Input, env *Env) ([]byte, error)
}

// columnSelector is something fetched.
type columnSelector struct {
	index int
	typ   *types.Type
}

func (x *columnSelector) Type() *types.Type                      { return x.typ }
func (x *columnSelector) Eval(in *Input, _ *Env) ([]byte, error) { return in.Values[x.index], nil }

// termSelector is a value that does not depend on the row. An unset one is empty.
type termSelector struct {
	term Term
	typ  *types.Type
}

func (x *termSelector) Type() *types.Type { return x.typ }
func (x *termSelector) Eval(_ *Input, env *Env) ([]byte, error) {
	v, unset, err := x.term.Eval(env)
	if unset {
		return []byte{}, err
	}
	return v, err
}

// typedSelector gives a value another type of the same form.
type typedSelector struct {
	Selector
	typ *types.Type
}

func (x *typedSelector) Type() *types.Type { return x.typ }

// fieldSelector is a field of a user type.
type fieldSelector struct {
	of    Selector
	field int
	typ   *types.Type
}

func (x *fieldSelector) Type() *types.Type { return x.typ }
func (x *fieldSelector) Eval(in *Input, env *Env) ([]byte, error) {
	v, err := x.of.Eval(in, env)
	if v == nil || err != nil {
		return nil, err
	}
	return fieldAt(v, x.field), nil
}

// elementSelector is the value of a map's key, or a set's element when it is there.
type elementSelector struct {
	of   Selector
	key  Term
	name string
}

func (x *elementSelector) Type() *types.Type {
	t := x.of.Type()
	return t.Elems[len(t.Elems)-1]
}

func (x *elementSelector) Eval(in *Input, env *Env) ([]byte, error) {
	key, err := SelectionKey(x.key, env, "element", x.name)
	if err != nil {
		return nil, err
	}
	v, err := x.of.Eval(in, env)
	if v == nil || err != nil {
		return nil, err
	}
	t := x.of.Type()
	n, rest, err := types.Elements(v)
	for ; n > 0 && err == nil; n-- {
		var k, e []byte
		if k, rest, err = types.NextElement(rest); err != nil {
			break
		}
		if e = k; t.Kind == types.Map {
			if e, rest, err = types.NextElement(rest); err != nil {
				break
			}
		}
		if t.Elems[0].Compare(k, key) == 0 {
			return e, nil
		}
	}
	return nil, err
}

// SelectionKey evaluates the key of an element that is selected; what is "element" or "slice".
func SelectionKey(key Term, env *Env, what, name string) ([]byte, error) {
	k, unset, err := key.Eval(env)
	switch {
	case err != nil:
		return nil, err
	case unset:
		return nil, cql.Invalidf("Invalid unset value for %s selection on %s", what, name)
	case k == nil:
		return nil, cql.Invalidf("Invalid null value for %s selection on %s", what, name)
	}
	return k, nil
}

// sliceSelector is the part of a set or map whose keys lie between two ends, both inclusive. Nothing of a collection that is
// not frozen is null.
type sliceSelector struct {
	of       Selector
	from, to Term
	name     string
}

func (x *sliceSelector) Type() *types.Type { return x.of.Type() }

func (x *sliceSelector) Eval(in *Input, env *Env) ([]byte, error) {
	from, err := SliceEnd(x.from, env, x.name)
	if err != nil {
		return nil, err
	}
	to, err := SliceEnd(x.to, env, x.name)
	if err != nil {
		return nil, err
	}
	v, err := x.of.Eval(in, env)
	if v == nil || err != nil {
		return nil, err
	}
	t := x.of.Type()
	var kept [][]byte
	n, rest, err := types.Elements(v)
	for ; n > 0 && err == nil; n-- {
		var k, e []byte
		if k, rest, err = types.NextElement(rest); err != nil {
			break
		}
		if t.Kind == types.Map {
			if e, rest, err = types.NextElement(rest); err != nil {
				break
			}
		}
		if from != nil && t.Elems[0].Compare(k, from) < 0 || to != nil && t.Elems[0].Compare(k, to) > 0 {
			continue
		}
		if kept = append(kept, k); t.Kind == types.Map {
			kept = append(kept, e)
		}
	}
	if err != nil || len(kept) == 0 && t.IsMultiCell() {
		return nil, err
	}
	return t.AppendCollection(nil, kept), nil
}

// SliceEnd evaluates an end of a selected slice; an unset one is open, like one that was not written.
func SliceEnd(end Term, env *Env, name string) ([]byte, error) {
	if end == nil {
		return nil, nil
	}
	v, unset, err := end.Eval(env)
	if err != nil || unset {
		return nil, err
	}
	if v == nil {
		return nil, cql.Invalidf("Invalid null value for slice selection on %s", name)
	}
	return v, nil
}

// collectionSelector is a list, set, map or vector that was written out; keys and values of a map by turns.
type collectionSelector struct {
	typ   *types.Type
	items []Selector
}

func (x *collectionSelector) Type() *types.Type { return x.typ }

func (x *collectionSelector) Eval(in *Input, env *Env) ([]byte, error) {
	values := make([][]byte, len(x.items))
	for i, item := range x.items {
		v, err := item.Eval(in, env)
		if err != nil {
			return nil, err
		}
		if v == nil && x.typ.Kind == types.Vector {
			return nil, cql.Invalidf("null is not supported inside vectors")
		}
		if v == nil && (x.typ.Kind == types.Set || x.typ.Kind == types.Map && i%2 == 0) {
			return nil, cql.Invalidf("null is not supported inside collections")
		}
		values[i] = v
	}
	if x.typ.Kind == types.Vector {
		var out []byte
		for _, v := range values {
			out = x.typ.AppendItem(out, v)
		}
		return out, nil
	}
	switch x.typ.Kind {
	case types.Set:
		values = sortByKey(x.typ.Elems[0], values, 1)
	case types.Map:
		values = sortByKey(x.typ.Elems[0], values, 2)
	}
	return x.typ.AppendCollection(nil, values), nil
}

// sortByKey sorts the elements of a set, or the entries of a map (width 2), and drops duplicates: of equal keys the last
// entry stays.
func sortByKey(key *types.Type, values [][]byte, width int) [][]byte {
	at := make([]int, 0, len(values)/width)
	for i := 0; i < len(values); i += width {
		at = append(at, i)
	}
	slices.SortStableFunc(at, func(i, j int) int { return key.Compare(values[i], values[j]) })
	out := make([][]byte, 0, len(values))
	for n, i := range at {
		if n+1 < len(at) && key.Compare(values[i], values[at[n+1]]) == 0 {
			continue
		}
		out = append(out, values[i:i+width]...)
	}
	return out
}

// tupleSelector is a tuple or user type that was written out; a nil item is null.
type tupleSelector struct {
	typ   *types.Type
	items []Selector
}

func (x *tupleSelector) Type() *types.Type { return x.typ }

func (x *tupleSelector) Eval(in *Input, env *Env) ([]byte, error) {
	var out []byte
	for _, item := range x.items {
		var v []byte
		if item != nil {
			var err error
			if v, err = item.Eval(in, env); err != nil {
				return nil, err
			}
		}
		out = types.AppendField(out, v)
	}
	return out, nil
}
