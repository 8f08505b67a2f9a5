package planner

import (
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
	"github.com/helenusdb/helenus/planner/function"
)

// callSelectable is a call of a function, by name or as an operator. Source: Selectable.WithFunction.
type callSelectable struct {
	s    *scope
	fn   *function.Function
	args []selectable
	// op is the operator that the call was written as, or whose function was called; 0 for none. A unary minus has one
	// argument.
	op byte
	// star says that the call is count(*).
	star bool
}

// functionName is the function as result columns show it.
func (x *callSelectable) functionName() string { return "system." + x.fn.Name }

func (x *callSelectable) exactType() *types.Type         { return x.fn.Return }
func (x *callSelectable) columns(f func(*schema.Column)) { columnsOf(f, x.args) }
func (x *callSelectable) assignable(recv Spec) (types.Assignability, error) {
	return typeMatch(x.fn.Return, recv)
}

func (x *callSelectable) name() string {
	switch {
	case x.star:
		return "count"
	case x.op != 0 && len(x.args) == 1:
		return string(x.op) + x.args[0].name()
	case x.op != 0:
		return x.args[0].name() + " " + string(x.op) + " " + x.args[1].name()
	}
	if t, ok := strings.CutPrefix(x.fn.Name, "cast_as_"); ok {
		return "cast(" + namesOf(x.args) + " as " + t + ")"
	}
	return x.functionName() + "(" + namesOf(x.args) + ")"
}

func (x *callSelectable) build(b *selectionBuilder, _ *types.Type) (Selector, error) {
	before := len(b.aggregates)
	args, err := buildAll(b, x.args, x.fn.Args...)
	if err != nil {
		return nil, err
	}
	if !x.fn.IsAggregate() {
		return &callSelector{x.fn, args}, nil
	}
	if len(b.aggregates) > before {
		return nil, cql.Invalidf("aggregate functions cannot be used as arguments of aggregate functions")
	}
	b.aggregates = append(b.aggregates, &Aggregate{Args: args, New: x.fn.New})
	return &aggregateSelector{before, x.fn.Return}, nil
}

// callSelectable resolves a call by name.
func (s *scope) callSelectable(e *ast.Call) (selectable, error) {
	ks, name := e.Func.Keyspace, e.Func.Name
	if _, ok := timeFunctions[name]; ok && ks == "" && len(e.Args) == 1 {
		return s.timeSelectable(name, e.Args[0])
	}
	if countsRows(e) {
		fn, err := s.resolveSelection(ks, "count_rows", nil)
		return &callSelectable{s: s, fn: fn, star: true}, err
	}
	args, err := s.selectableList(e.Args)
	if err != nil {
		return nil, err
	}
	if ks == "" || ks == "system" {
		switch name {
		case "token":
			return s.tokenSelectable(args)
		case "from_json", "fromjson":
			return nil, cql.Invalidf("from_json() cannot be used in the selection clause of a SELECT statement")
		}
	}
	fn, err := s.resolveSelection(ks, name, args)
	return &callSelectable{s: s, fn: fn, args: args, op: operatorOf(name)}, err
}

// resolveSelection finds the function that a call in a selection means.
func (s *scope) resolveSelection(ks, name string, args []selectable) (*function.Function, error) {
	list := make([]function.Arg, len(args))
	for i, x := range args {
		list[i] = s.functionArg(x)
	}
	for _, a := range list {
		if a.Type != nil && a.Type.Kind == types.Vector {
			listsBecomeVectors(args, list, a.Type.Elems[0])
		}
	}
	fn, err := function.Resolve(ks, name, list, nil)
	if fn == nil && err == nil {
		if ks != "" {
			name = ks + "." + name
		}
		return nil, cql.Invalidf("Unknown function '%s'", name)
	}
	return fn, err
}

// listsBecomeVectors makes vectors of the list literals that stand beside one.
func listsBecomeVectors(args []selectable, list []function.Arg, elem *types.Type) {
	for i, x := range args {
		if l, ok := x.(*listSelectable); ok && len(l.items) > 0 {
			list[i].Type = types.VectorOf(elem, len(l.items))
		}
	}
}

// functionArg is x as an argument, of which overloads are chosen.
func (s *scope) functionArg(x selectable) function.Arg {
	return function.Arg{
		Text: x.name(), Type: compatibleType(x), Marker: isMarker(x),
		Assignable: func(t *types.Type) types.Assignability {
			m, err := x.assignable(s.named(x.name(), t))
			if err != nil {
				return types.NotAssignable
			}
			return m
		},
	}
}

// compatibleType is the type that x has where nothing expects one, or nil. Source: AssignmentTestable.getCompatibleTypeIfKnown.
func compatibleType(x selectable) *types.Type {
	switch x := x.(type) {
	case *termSelectable:
		if l, ok := x.e.(*ast.Literal); ok && l.Kind != ast.NullLiteral {
			return preferredType(l)
		}
		return nil
	case *tupleSelectable:
		if len(x.items) == 1 {
			return compatibleType(x.items[0])
		}
		elems := make([]*types.Type, len(x.items))
		for i, item := range x.items {
			if elems[i] = compatibleType(item); elems[i] == nil {
				return nil
			}
			elems[i] = elems[i].Freeze()
		}
		return types.TupleOf(elems...)
	case *listSelectable:
		for _, item := range x.items {
			if t := compatibleType(item); t != nil {
				return types.ListOf(t.Freeze(), false)
			}
		}
	case *setSelectable:
		for _, item := range x.items {
			if t := compatibleType(item); t != nil {
				return types.SetOf(t.Freeze(), false)
			}
		}
	}
	return x.exactType()
}

// isMarker reports whether x is a bind marker, in parentheses or not.
func isMarker(x selectable) bool {
	switch x := x.(type) {
	case *termSelectable:
		_, ok := x.e.(*ast.Marker)
		return ok
	case *tupleSelectable:
		return len(x.items) == 1 && isMarker(x.items[0])
	}
	return false
}

// countsRows reports whether a call is count(*), or count of a constant, which is the same.
func countsRows(e *ast.Call) bool {
	if e.Star {
		return true
	}
	if e.Func.Name != "count" || len(e.Args) != 1 {
		return false
	}
	l, ok := e.Args[0].(*ast.Literal)
	return ok && l.Kind != ast.NullLiteral
}

// operatorNames are the functions behind the operators. Source: org.apache.cassandra.cql3.functions.OperationFcts.
var operatorByFunction = map[string]byte{"_add": '+', "_substract": '-', "_multiply": '*', "_divide": '/', "_modulo": '%', "_negate": '-'}

// operatorOf is the operator whose function has the name, 0 for none.
func operatorOf(name string) byte { return operatorByFunction[name] }

// operatorSelectable resolves an operation; one operand is a negation.
func (s *scope) operatorSelectable(op byte, operands ...ast.Expr) (selectable, error) {
	args, err := s.selectableList(operands)
	if err != nil {
		return nil, err
	}
	name := function.Negation
	if len(args) == 2 {
		name = function.OperatorName(op)
	}
	fn, err := s.resolveSelection("system", name, args)
	return &callSelectable{s: s, fn: fn, args: args, op: op}, err
}

// castSelectable is CAST(x AS type); a cast to the type that x has is x. Source: Selectable.WithCast.
type castSelectable struct {
	s   *scope
	of  selectable
	typ *types.Type
}

func (s *scope) castSelectable(e *ast.Cast) (selectable, error) {
	of, err := s.selectable(e.Of)
	if err != nil {
		return nil, err
	}
	t, err := s.resolveType(e.Type)
	return &castSelectable{s, of, t}, err
}

func (x *castSelectable) exactType() *types.Type         { return x.typ }
func (x *castSelectable) columns(f func(*schema.Column)) { x.of.columns(f) }
func (x *castSelectable) assignable(recv Spec) (types.Assignability, error) {
	return typeMatch(x.typ, recv)
}

func (x *castSelectable) name() string {
	if t := x.of.exactType(); t != nil && t.Equal(x.typ) {
		return x.of.name()
	}
	return "cast(" + x.of.name() + " as " + x.typ.String() + ")"
}

func (x *castSelectable) build(b *selectionBuilder, _ *types.Type) (Selector, error) {
	of, err := x.of.build(b, nil)
	if err != nil || of.Type().Equal(x.typ) {
		return of, err
	}
	fn, err := function.Resolve("system", function.CastName(x.typ), []function.Arg{x.s.functionArg(x.of)}, nil)
	if err != nil {
		return nil, err
	}
	if fn == nil {
		name := x.of.name()
		x.of.columns(func(c *schema.Column) { name = c.Name })
		return nil, cql.Invalidf("%s cannot be cast to %s", name, x.typ)
	}
	return &callSelector{fn, []Selector{of}}, nil
}

// tokenSelectable is token(key...). Source: org.apache.cassandra.cql3.functions.TokenFct.
func (s *scope) tokenSelectable(args []selectable) (selectable, error) {
	pk := s.table.PartitionKey
	if len(args) != len(pk) {
		return nil, cql.Invalidf("Invalid number of arguments in call to function system.token: %d required but %d provided",
			len(pk), len(args))
	}
	fn := &function.Function{Name: "token", Return: tokenType(s.env.Partitioner), Pure: true}
	for i, c := range pk {
		m, err := args[i].assignable(specOf(c))
		if err != nil {
			return nil, err
		}
		if m == types.NotAssignable {
			return nil, cql.Invalidf("Type error: %s cannot be passed as argument %d of function system.token of type %s",
				args[i].name(), i, c.Type)
		}
		fn.Args = append(fn.Args, c.Type)
	}
	p := s.env.Partitioner
	fn.Call = func(_ *function.Env, values [][]byte) ([]byte, error) {
		for _, v := range values {
			if v == nil {
				return nil, nil
			}
		}
		key := values[0]
		if len(values) > 1 {
			var err error
			if key, err = compositeKey(values); err != nil {
				return nil, err
			}
		}
		return p.Append(nil, p.Token(key)), nil
	}
	return &callSelectable{s: s, fn: fn, args: args}, nil
}

// callSelector is a scalar function of selectors.
type callSelector struct {
	fn   *function.Function
	args []Selector
}

func (x *callSelector) Type() *types.Type { return x.fn.Return }

func (x *callSelector) Eval(in *Input, env *Env) ([]byte, error) {
	var few [4][]byte
	args := few[:0]
	for _, a := range x.args {
		if t, ok := a.(*termSelector); ok {
			v, unset, err := t.term.Eval(env)
			if err != nil {
				return nil, err
			}
			if unset {
				return nil, cql.Invalidf("Invalid unset value for argument in call to function %s", x.fn.Name)
			}
			args = append(args, v)
			continue
		}
		v, err := a.Eval(in, env)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	return x.fn.Call(env.Functions, args)
}

// aggregateSelector is the result of an aggregate.
type aggregateSelector struct {
	index int
	typ   *types.Type
}

func (x *aggregateSelector) Type() *types.Type { return x.typ }
func (x *aggregateSelector) Eval(in *Input, _ *Env) ([]byte, error) {
	return in.Aggregates[x.index], nil
}
