package planner

import (
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// callee is the function that a call in a selection was resolved to.
type callee struct {
	name string // as result columns show it: "system.abs"
	// short is the function's own name, for messages.
	short     string
	args      []*types.Type
	result    *types.Type
	monotonic bool
	// scalar computes a value; nil of an aggregate.
	scalar func(env *Env, args [][]byte) ([]byte, error)
	// aggregate begins an aggregation; nil of a scalar function.
	aggregate func() Accumulator
}

// callSelectable is a call of a function: by name, as an operator, or as a cast.
// Source: Selectable.WithFunction, Selectable.WithCast.
type callSelectable struct {
	s    *scope
	fn   *callee
	args []selectable
	// op is the operator that the call was written as, or whose function was called; 0 for none. A unary minus has one
	// argument.
	op byte
	// cast is the type of CAST, nil for none.
	cast *types.Type
	// star says that the call is count(*).
	star bool
}

func (x *callSelectable) isAggregate() bool    { return x.fn.aggregate != nil }
func (x *callSelectable) isMonotonic() bool    { return x.fn.monotonic }
func (x *callSelectable) functionName() string { return x.fn.name }

// signature is the function as messages show it.
func (x *callSelectable) signature() string {
	names := make([]string, len(x.fn.args))
	for i, t := range x.fn.args {
		names[i] = t.String()
	}
	return x.fn.name + " : (" + strings.Join(names, ", ") + ") -> " + x.fn.result.String()
}

func (x *callSelectable) exactType() *types.Type         { return x.fn.result }
func (x *callSelectable) columns(f func(*schema.Column)) { columnsOf(f, x.args) }
func (x *callSelectable) assignable(recv Spec) (types.Assignability, error) {
	return typeMatch(x.fn.result, recv)
}

func (x *callSelectable) name() string {
	switch {
	case x.star:
		return "count"
	case x.cast != nil:
		return "cast(" + namesOf(x.args) + " as " + x.cast.String() + ")"
	case x.op != 0 && len(x.args) == 1:
		return string(x.op) + x.args[0].name()
	case x.op != 0:
		return x.args[0].name() + " " + string(x.op) + " " + x.args[1].name()
	}
	return x.fn.name + "(" + namesOf(x.args) + ")"
}

func (x *callSelectable) build(b *selectionBuilder, _ *types.Type) (Selector, error) {
	aggregate := x.isAggregate()
	before := len(b.aggregates)
	args, err := buildAll(b, x.args, x.fn.args...)
	if err != nil {
		return nil, err
	}
	if !aggregate {
		return &callSelector{x.fn, args}, nil
	}
	if len(b.aggregates) > before {
		return nil, cql.Invalidf("aggregate functions cannot be used as arguments of aggregate functions")
	}
	b.aggregates = append(b.aggregates, &Aggregate{Args: args, New: x.fn.aggregate})
	return &aggregateSelector{before, x.fn.result}, nil
}

// callSelectable resolves a call by name.
func (s *scope) callSelectable(e *ast.Call) (selectable, error) {
	name := e.Func.Name
	if _, ok := timeFunctions[name]; ok && e.Func.Keyspace == "" && len(e.Args) == 1 {
		return s.timeSelectable(name, e.Args[0])
	}
	if countsRows(e) {
		fn, err := s.resolveSelection(ast.Name{Keyspace: e.Func.Keyspace, Name: "countRows"}, nil)
		return &callSelectable{s: s, fn: fn, star: true}, err
	}
	args, err := s.selectableList(e.Args)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(name, "token") {
		return s.tokenSelectable(args)
	}
	fn, err := s.resolveSelection(e.Func, args)
	return &callSelectable{s: s, fn: fn, args: args, op: operatorOf(name)}, err
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
	name := "_negate"
	if len(args) == 2 {
		for f, o := range operatorByFunction {
			if o == op && f != "_negate" {
				name = f
			}
		}
	}
	fn, err := s.resolveOperator(op, name, args)
	return &callSelectable{s: s, fn: fn, args: args, op: op}, err
}

// castSelectable resolves CAST(x AS type); a cast to the type that x has is x. Source: Selectable.WithCast.
func (s *scope) castSelectable(e *ast.Cast) (selectable, error) {
	of, err := s.selectable(e.Of)
	if err != nil {
		return nil, err
	}
	t, err := s.resolveType(e.Type)
	if err != nil {
		return nil, err
	}
	fn, err := s.resolveCast(of, t)
	if fn == nil || err != nil {
		return of, err
	}
	return &callSelectable{s: s, fn: fn, args: []selectable{of}, cast: t}, nil
}

// tokenSelectable is token(key...). Source: org.apache.cassandra.cql3.functions.TokenFct.
func (s *scope) tokenSelectable(args []selectable) (selectable, error) {
	pk := s.table.PartitionKey
	if len(args) != len(pk) {
		return nil, cql.Invalidf("Invalid number of arguments in call to function system.token: %d required but %d provided", len(pk), len(args))
	}
	fn := &callee{name: "system.token", short: "token", result: tokenType(s.env.Partitioner)}
	for i, c := range pk {
		m, err := args[i].assignable(specOf(c))
		if err != nil {
			return nil, err
		}
		if m == types.NotAssignable {
			return nil, cql.Invalidf("Type error: %s cannot be passed as argument %d of function system.token of type %s", args[i].name(), i, c.Type)
		}
		fn.args = append(fn.args, c.Type)
	}
	fn.scalar = func(env *Env, values [][]byte) ([]byte, error) {
		var key []byte
		for _, v := range values {
			if v == nil {
				return nil, nil
			}
			if len(values) == 1 {
				key = v
				break
			}
			var err error
			if key, err = appendComponent(key, v); err != nil {
				return nil, err
			}
		}
		return env.Partitioner.Append(nil, env.Partitioner.Token(key)), nil
	}
	return &callSelectable{s: s, fn: fn, args: args}, nil
}

// callSelector is a scalar function of selectors.
type callSelector struct {
	fn   *callee
	args []Selector
}

func (x *callSelector) Type() *types.Type { return x.fn.result }

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
				return nil, cql.Invalidf("Invalid unset value for argument in call to function %s", x.fn.short)
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
	return x.fn.scalar(env, args)
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
