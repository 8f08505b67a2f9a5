package planner

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// fieldSelectable is u.f. Source: Selectable.WithFieldSelection.
type fieldSelectable struct {
	of    selectable
	field string
}

// inner is what has the field. In parentheses it is no tuple.
func (x *fieldSelectable) inner() selectable {
	if t, ok := x.of.(*tupleSelectable); ok && len(t.items) == 1 {
		return t.items[0]
	}
	return x.of
}

func (x *fieldSelectable) exactType() *types.Type {
	t := x.inner().exactType()
	if t == nil || t.Kind != types.UDT {
		return nil
	}
	if i := fieldIndex(t, x.field); i >= 0 {
		return t.Elems[i]
	}
	return nil
}

func (x *fieldSelectable) assignable(recv Spec) (types.Assignability, error) {
	return typeMatch(x.exactType(), recv)
}
func (x *fieldSelectable) columns(f func(*schema.Column)) { x.of.columns(f) }
func (x *fieldSelectable) name() string                   { return x.of.name() + "." + x.field }

// resolve checks the field and returns its number and type.
func (x *fieldSelectable) resolve(t *types.Type) (int, *types.Type, error) {
	if t.Kind != types.UDT {
		return 0, nil, cql.Invalidf("Invalid field selection: %s of type %s is not a user type", x.of.name(), t)
	}
	i := fieldIndex(t, x.field)
	if i < 0 {
		return 0, nil, cql.Invalidf("%s of type %s has no field %s", x.of.name(), t, x.field)
	}
	return i, t.Elems[i], nil
}

func (x *fieldSelectable) build(b *selectionBuilder, _ *types.Type) (Selector, error) {
	of, err := x.inner().build(b, nil)
	if err != nil {
		return nil, err
	}
	i, t, err := x.resolve(of.Type())
	return &fieldSelector{of, i, t}, err
}

// elementSelectable is m[k] or s[e]. Source: Selectable.WithElementSelection.
type elementSelectable struct {
	s   *scope
	of  selectable
	key ast.Expr
}

func (x *elementSelectable) exactType() *types.Type {
	if t := x.of.exactType(); t != nil && (t.Kind == types.Set || t.Kind == types.Map) {
		return t.Elems[len(t.Elems)-1]
	}
	return nil
}

func (x *elementSelectable) assignable(recv Spec) (types.Assignability, error) {
	return typeMatch(x.exactType(), recv)
}
func (x *elementSelectable) columns(f func(*schema.Column)) { x.of.columns(f) }
func (x *elementSelectable) name() string {
	return x.of.name() + "[" + x.s.keyText(x.key) + "]"
}

// keyText is a key of a selected element as names show it.
func (s *scope) keyText(e ast.Expr) string {
	s.shapeSafe = false
	return termText(e)
}

// term prepares the key for a collection of type t.
func (x *elementSelectable) term(t *types.Type) (Term, error) {
	if !t.IsCollection() {
		return nil, cql.Invalidf("Invalid element selection: %s is of type %s is not a collection", x.of.name(), t)
	}
	if t.Kind == types.List {
		return nil, cql.Invalidf("Element selection is only allowed on sets and maps, but %s is a list", x.of.name())
	}
	return x.s.term(x.key, keyReceiver(x.s, x.of.name(), t))
}

// keyReceiver is what a key or an element of the collection is.
func keyReceiver(s *scope, name string, t *types.Type) Spec {
	if t.Kind == types.Map {
		return keyOf(s.named(name, t))
	}
	return valueOf(s.named(name, t))
}

func (x *elementSelectable) build(b *selectionBuilder, _ *types.Type) (Selector, error) {
	of, err := x.of.build(b, nil)
	if err != nil {
		return nil, err
	}
	key, err := x.term(of.Type())
	if err != nil {
		return nil, err
	}
	return &elementSelector{of, key, x.of.name()}, nil
}

// sliceSelectable is m[from..to]. Source: Selectable.WithSliceSelection.
type sliceSelectable struct {
	s        *scope
	of       selectable
	from, to ast.Expr
}

func (x *sliceSelectable) exactType() *types.Type {
	if t := x.of.exactType(); t != nil && (t.Kind == types.Set || t.Kind == types.Map) {
		return t
	}
	return nil
}

func (x *sliceSelectable) assignable(recv Spec) (types.Assignability, error) {
	return typeMatch(x.exactType(), recv)
}
func (x *sliceSelectable) columns(f func(*schema.Column)) { x.of.columns(f) }
func (x *sliceSelectable) name() string {
	name := x.of.name() + "["
	if x.from != nil {
		name += x.s.keyText(x.from)
	}
	name += ".."
	if x.to != nil {
		name += x.s.keyText(x.to)
	}
	return name + "]"
}

// terms prepares the ends for a collection of type t; an open one is nil.
func (x *sliceSelectable) terms(t *types.Type) (from, to Term, err error) {
	if !t.IsCollection() {
		return nil, nil, cql.Invalidf("Invalid slice selection: %s of type %s is not a collection", x.of.name(), t)
	}
	if t.Kind == types.List {
		return nil, nil, cql.Invalidf("Slice selection is only allowed on sets and maps, but %s is a list", x.of.name())
	}
	recv := keyReceiver(x.s, x.of.name(), t)
	if x.from != nil {
		if from, err = x.s.term(x.from, recv); err != nil {
			return nil, nil, err
		}
	}
	if x.to != nil {
		to, err = x.s.term(x.to, recv)
	}
	return from, to, err
}

func (x *sliceSelectable) build(b *selectionBuilder, _ *types.Type) (Selector, error) {
	of, err := x.of.build(b, nil)
	if err != nil {
		return nil, err
	}
	from, to, err := x.terms(of.Type())
	if err != nil {
		return nil, err
	}
	return &sliceSelector{of, from, to, x.of.name()}, nil
}

// timeSelectable is writetime(c), maxwritetime(c) or ttl(c), of a column, an element, a slice or a field of it.
// Source: Selectable.WritetimeOrTTL.
type timeSelectable struct {
	s      *scope
	what   What
	word   string
	column *schema.Column
	of     selectable
}

// timeFunctions are the selection functions that look at cells instead of values.
var timeFunctions = map[string]What{"writetime": FetchWritetime, "maxwritetime": FetchMaxWritetime, "ttl": FetchTTL}

func (s *scope) timeSelectable(word string, arg ast.Expr) (selectable, error) {
	x := &timeSelectable{s: s, what: timeFunctions[word], word: word}
	var err error
	if x.of, err = s.selectable(arg); err != nil {
		return nil, err
	}
	x.of.columns(func(c *schema.Column) { x.column = c })
	if x.column == nil {
		return nil, cql.Invalidf("Cannot use selection function %s on %s", word, x.of.name())
	}
	if x.column.IsPrimaryKey() {
		return nil, cql.Invalidf("Cannot use selection function %s on PRIMARY KEY part %s", word, x.column.Name)
	}
	return x, nil
}

func (x *timeSelectable) exactType() *types.Type {
	t := types.TBigint
	if x.what == FetchTTL {
		t = types.TInt
	}
	if x.what == FetchMaxWritetime || !x.column.Type.IsMultiCell() {
		return t
	}
	switch x.of.(type) {
	case *columnSelectable, *sliceSelectable:
		return types.ListOf(t, false)
	}
	return t
}

func (x *timeSelectable) assignable(recv Spec) (types.Assignability, error) {
	return typeMatch(x.exactType(), recv)
}
func (x *timeSelectable) columns(f func(*schema.Column)) { x.of.columns(f) }
func (x *timeSelectable) name() string                   { return x.word + "(" + x.of.name() + ")" }

func (x *timeSelectable) build(b *selectionBuilder, _ *types.Type) (Selector, error) {
	f := Fetch{Column: x.column, What: x.what}
	var err error
	switch of := x.of.(type) {
	case *fieldSelectable:
		var i int
		if i, _, err = of.resolve(x.column.Type); x.column.Type.IsMultiCell() {
			f.Part, f.Field = PartField, i
		}
	case *elementSelectable:
		f.Part = PartElement
		f.Key, err = of.term(x.column.Type)
	case *sliceSelectable:
		f.Part = PartSlice
		f.From, f.To, err = of.terms(x.column.Type)
	}
	if err != nil {
		return nil, err
	}
	return &columnSelector{b.read(f), x.exactType()}, nil
}
