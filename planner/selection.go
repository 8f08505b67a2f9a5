package planner

import (
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// selectable is an entry of a selection, or a part of one, whose names are resolved.
// Source: org.apache.cassandra.cql3.selection.Selectable.
type selectable interface {
	// exactType is the type when it does not depend on where the entry stands, else nil.
	exactType() *types.Type
	// assignable tells how well the entry suits a receiver.
	assignable(recv Spec) (types.Assignability, error)
	// build makes the selector; expected is the type that the surroundings ask for, nil when they do not.
	build(b *selectionBuilder, expected *types.Type) (Selector, error)
	// name is the entry as result columns and error messages show it.
	name() string
	// columns calls f with every column that is read.
	columns(f func(*schema.Column))
}

// selectionBuilder collects what the selectors of one statement read.
type selectionBuilder struct {
	s          *scope
	fetch      []Fetch
	aggregates []*Aggregate
	used       []int // the entries of fetch that were asked for since it was reset
}

// selected is an entry of the selection with its alias.
type selected struct {
	selectable
	alias string
}

// selectables are the entries of a selection, whose names are resolved when each is first asked for: Cassandra looks at
// them before the WHERE clause only as far as it must, and errors come in that order.
type selectables struct {
	s     *scope
	items []ast.SelectItem // empty for *
	list  []selected       // those asked for, which are the first
}

// at is entry i; those before it have been asked for.
func (l *selectables) at(i int) (selected, error) {
	for len(l.list) <= i {
		item := &l.items[len(l.list)]
		x, err := l.s.selectable(item.Expr)
		if err != nil {
			return selected{}, err
		}
		l.list = append(l.list, selected{x, item.Alias})
	}
	return l.list[i], nil
}

// any reports whether an entry reads a column that f is true for. It asks for no entry behind the first such.
func (l *selectables) any(f func(*schema.Column) bool) (bool, error) {
	found := false
	for i := 0; i < len(l.items) && !found; i++ {
		x, err := l.at(i)
		if err != nil {
			return false, err
		}
		x.columns(func(c *schema.Column) { found = found || f(c) })
	}
	return found, nil
}

// onlyStatics reports whether a selection reads static columns and, but for the partition key, nothing else.
// Source: SelectStatement.selectOnlyStaticColumns.
func (l *selectables) onlyStatics() (bool, error) {
	if !l.s.table.HasStatics() {
		return false, nil
	}
	statics, err := l.any(func(c *schema.Column) bool { return c.Kind == schema.Static })
	if err != nil || !statics {
		return false, err
	}
	others, err := l.any(func(c *schema.Column) bool { return c.Kind == schema.Clustering || c.Kind == schema.Regular })
	return !others, err
}

// selection builds the selectors and returns the result columns. Columns that the rows are sorted by after the read are
// appended out of sight.
func (s *scope) selection(p *SelectPlan, items *selectables, orders []ordering) ([]Spec, error) {
	b := &selectionBuilder{s: s}
	var result []Spec
	if len(items.items) == 0 {
		for _, c := range s.table.AllColumns() {
			p.Direct = append(p.Direct, b.read(Fetch{Column: c}))
			result = append(result, specOf(c))
		}
	} else {
		var err error
		if result, err = s.selectItems(p, b, items); err != nil {
			return nil, err
		}
		for i := range b.fetch {
			if c := b.fetch[i].Column; !c.IsPrimaryKey() {
				p.Columns = appendColumn(p.Columns, c.ID)
			}
		}
		if p.Columns == nil {
			p.Columns = []schema.ColumnID{}
		}
	}
	p.Visible = len(result)
	if len(orders) > 0 && p.Where.KeyIN() {
		for _, o := range orders {
			i := b.read(Fetch{Column: o.column})
			p.Sort = append(p.Sort, SortKey{Cell: p.Visible + len(p.Sort), Column: o.column})
			if p.Items != nil {
				p.Items = append(p.Items, &columnSelector{i, o.column.Type})
			} else {
				p.Direct = append(p.Direct, i)
			}
		}
	}
	p.Fetch, p.Aggregates = b.fetch, b.aggregates
	return result, nil
}

// appendColumn appends id unless it is there.
func appendColumn(list []schema.ColumnID, id schema.ColumnID) []schema.ColumnID {
	if slices.Contains(list, id) {
		return list
	}
	return append(list, id)
}

// selectItems builds the entries of a selection that is not *.
func (s *scope) selectItems(p *SelectPlan, b *selectionBuilder, items *selectables) ([]Spec, error) {
	plain := true
	var result []Spec
	for i := range items.items {
		if _, err := items.at(i); err != nil {
			return nil, err
		}
	}
	for _, x := range items.list {
		sel, err := x.build(b, nil)
		if err != nil {
			return nil, err
		}
		p.Items = append(p.Items, sel)
		name := x.alias
		if name == "" {
			name = x.name()
		}
		spec := s.named(name, sel.Type())
		if c, ok := x.selectable.(*columnSelectable); ok {
			spec.Desc = c.column.Desc
		}
		result = append(result, spec)
		c, ok := sel.(*columnSelector)
		if plain = plain && ok; plain {
			p.Direct = append(p.Direct, c.index)
		}
	}
	if plain {
		p.Items = nil
	} else {
		p.Direct = nil
	}
	return result, nil
}

// read returns the number of f among what is fetched.
func (b *selectionBuilder) read(f Fetch) int {
	i := 0
	for ; i < len(b.fetch); i++ {
		if b.fetch[i] == f {
			break
		}
	}
	if i == len(b.fetch) {
		b.fetch = append(b.fetch, f)
	}
	b.used = append(b.used, i)
	return i
}

// selectable resolves the names in e.
func (s *scope) selectable(e ast.Expr) (selectable, error) {
	switch e := e.(type) {
	case *ast.Column:
		c, err := s.column(e.Name)
		return &columnSelectable{c}, err
	case *ast.Literal, *ast.Marker:
		return &termSelectable{s, e}, nil
	case *ast.Call:
		return s.callSelectable(e)
	case *ast.Cast:
		return s.castSelectable(e)
	case *ast.Binary:
		return s.operatorSelectable(e.Op, e.L, e.R)
	case *ast.Negate:
		return s.operatorSelectable('-', e.Of)
	case *ast.TypeHint:
		return s.hintSelectable(e)
	case *ast.Field:
		of, err := s.selectable(e.Of)
		return &fieldSelectable{of, e.Name}, err
	case *ast.Element:
		of, err := s.selectable(e.Of)
		return &elementSelectable{s, of, e.Key}, err
	case *ast.Slice:
		of, err := s.selectable(e.Of)
		return &sliceSelectable{s, of, e.From, e.To}, err
	case *ast.List:
		items, err := s.selectableList(e.Items)
		return &listSelectable{items}, err
	case *ast.Set:
		items, err := s.selectableList(e.Items)
		return &setSelectable{items}, err
	case *ast.Tuple:
		items, err := s.selectableList(e.Items)
		return &tupleSelectable{items}, err
	case *ast.Map:
		if fields := fieldNames(e); fields != nil {
			values, err := s.selectableList(e.Values)
			return &mapSelectable{s: s, fields: fields, values: values}, err
		}
		keys, err := s.selectableList(e.Keys)
		if err != nil {
			return nil, err
		}
		values, err := s.selectableList(e.Values)
		return &mapSelectable{s: s, keys: keys, values: values}, err
	case *ast.UDT:
		values, err := s.selectableList(e.Values)
		return &mapSelectable{s: s, fields: e.Fields, values: values}, err
	}
	return nil, cql.Invalidf("%s is not supported in the selection clause", termText(e))
}

// fieldNames are the keys of a map that may be a user type as well: when all are bare names. Else it is nil.
func fieldNames(e *ast.Map) []string {
	var names []string
	for _, k := range e.Keys {
		c, ok := k.(*ast.Column)
		if !ok {
			return nil
		}
		names = append(names, c.Name)
	}
	return names
}

func (s *scope) selectableList(items []ast.Expr) ([]selectable, error) {
	list := make([]selectable, len(items))
	for i, e := range items {
		var err error
		if list[i], err = s.selectable(e); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// namesOf joins the names of list.
func namesOf(list []selectable) string {
	names := make([]string, len(list))
	for i, x := range list {
		names[i] = x.name()
	}
	return strings.Join(names, ", ")
}

func columnsOf(f func(*schema.Column), lists ...[]selectable) {
	for _, list := range lists {
		for _, x := range list {
			x.columns(f)
		}
	}
}

// typeMatch is the match of what has an exact type, or may have one. Source: Selectable.testAssignment.
func typeMatch(t *types.Type, recv Spec) (types.Assignability, error) {
	if t == nil {
		return types.WeaklyAssignable, nil
	}
	return recv.Type.AssignableFrom(t), nil
}

// cannotInfer refuses an entry whose type nothing tells.
func cannotInfer(x selectable) error {
	return cql.Invalidf("Cannot infer type for term %s in selection clause (try using a cast to force a type)", x.name())
}

// columnSelectable is a column.
type columnSelectable struct{ column *schema.Column }

func (x *columnSelectable) exactType() *types.Type { return x.column.Type }
func (x *columnSelectable) assignable(recv Spec) (types.Assignability, error) {
	return typeMatch(x.column.Type, recv)
}
func (x *columnSelectable) name() string                   { return x.column.Name }
func (x *columnSelectable) columns(f func(*schema.Column)) { f(x.column) }
func (x *columnSelectable) build(b *selectionBuilder, _ *types.Type) (Selector, error) {
	return &columnSelector{b.read(Fetch{Column: x.column}), x.column.Type}, nil
}

// termSelectable is a literal or a bind marker.
type termSelectable struct {
	s *scope
	e ast.Expr
}

func (x *termSelectable) exactType() *types.Type { return nil }
func (x *termSelectable) assignable(recv Spec) (types.Assignability, error) {
	return x.s.assignable(x.e, recv)
}
func (x *termSelectable) columns(func(*schema.Column)) {}
func (x *termSelectable) name() string {
	if l, ok := x.e.(*ast.Literal); ok && l.Kind != ast.NullLiteral {
		x.s.shapeSafe = false // the text of the literal names a result column
	}
	return termText(x.e)
}

func (x *termSelectable) build(b *selectionBuilder, expected *types.Type) (Selector, error) {
	if expected == nil {
		return nil, cannotInfer(x)
	}
	t, err := x.s.term(x.e, x.s.named("[selection]", expected))
	return &termSelector{t, expected}, err
}

// hintSelectable is (type)x. Source: Selectable.WithTypeHint.
type hintSelectable struct {
	s   *scope
	typ *types.Type
	of  selectable
}

func (s *scope) hintSelectable(e *ast.TypeHint) (selectable, error) {
	t, err := s.resolveType(e.Type)
	if err != nil {
		return nil, err
	}
	of, err := s.selectable(e.Of)
	return &hintSelectable{s, t, of}, err
}

func (x *hintSelectable) exactType() *types.Type { return x.typ }
func (x *hintSelectable) assignable(recv Spec) (types.Assignability, error) {
	return typeMatch(x.typ, recv)
}
func (x *hintSelectable) columns(f func(*schema.Column)) { x.of.columns(f) }
func (x *hintSelectable) name() string                   { return "(" + hintName(x.typ) + ")" + x.of.name() }

// hintName is the type of a hint as names show it: a user type comes with its keyspace, a tuple without frozen.
func hintName(t *types.Type) string {
	if t.Kind == types.Tuple {
		return strings.TrimSuffix(strings.TrimPrefix(t.String(), "frozen<"), ">")
	}
	if t.Kind == types.UDT && !t.Frozen {
		return types.QuoteIdent(t.Keyspace) + "." + t.String()
	}
	return t.String()
}

func (x *hintSelectable) build(b *selectionBuilder, _ *types.Type) (Selector, error) {
	m, err := x.of.assignable(x.s.named(x.name(), x.typ))
	if err != nil {
		return nil, err
	}
	if m == types.NotAssignable {
		t := x.typ
		if t.Kind == types.UDT {
			t = t.Freeze()
		}
		return nil, cql.Invalidf("Cannot assign value %s to %s of type %s", x.name(), x.name(), t)
	}
	of, err := x.of.build(b, x.typ)
	if err != nil || of.Type().Equal(x.typ) {
		return of, err
	}
	return &typedSelector{of, x.typ}, nil
}
