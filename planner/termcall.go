package planner

import (
	"encoding/binary"
	"strconv"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
	"github.com/helenusdb/helenus/planner/function"
)

// callTerm is a call of a function; operators and CAST are calls too.
type callTerm struct {
	f    *function.Function
	args []Term
}

func (t *callTerm) Type() *types.Type { return t.f.Return }

func (t *callTerm) Eval(env *Env) ([]byte, bool, error) {
	values := make([][]byte, len(t.args))
	for i, a := range t.args {
		v, unset, err := a.Eval(env)
		if err != nil {
			return nil, false, err
		}
		if unset {
			return nil, false, cql.Invalidf("Invalid unset value for argument in call to function %s", t.f.Name)
		}
		values[i] = v
	}
	v, err := t.f.Call(env.Functions, values)
	return v, false, err
}

// called is a call taken apart: the keyspace and name of its function, its arguments, and the operator that it was written
// as, if any.
type called struct {
	ks, name string
	args     []ast.Expr
	operator string
}

// callOf takes a call, an operation or a cast apart.
func (s *scope) callOf(e ast.Expr) (called, error) {
	switch e := e.(type) {
	case *ast.Binary:
		return called{"system", function.OperatorName(e.Op), []ast.Expr{e.L, e.R}, string(e.Op)}, nil
	case *ast.Negate:
		return called{"system", function.Negation, []ast.Expr{e.Of}, ""}, nil
	case *ast.Cast:
		t, err := s.resolveType(e.Type)
		if err != nil {
			return called{}, err
		}
		return called{"system", function.CastName(t), []ast.Expr{e.Of}, ""}, nil
	case *ast.Call:
		c := called{e.Func.Keyspace, e.Func.Name, e.Args, ""}
		if e.Star {
			c.name = "countrows"
		}
		return c, nil
	}
	return called{}, cql.Serverf("%T is no call", e)
}

// fullName is the function's name as it was written.
func (c *called) fullName() string {
	if c.ks == "" {
		return c.name
	}
	return c.ks + "." + c.name
}

// resolution is what a call comes to for one receiver.
type resolution struct {
	f   *function.Function
	err error
}

// resolutionKey names a call and the type of its receiver, nil for none.
type resolutionKey struct {
	e    ast.Expr
	recv *types.Type
}

// resolve finds the function that a call means for a receiver of type recv, nil when nothing says; nil without an error when
// its name is unknown. Nested calls are asked for once a type, or deep ones would take exponential time.
func (s *scope) resolve(e ast.Expr, recv *types.Type) (*function.Function, error) {
	key := resolutionKey{e, recv}
	if r, ok := s.resolved[key]; ok {
		return r.f, r.err
	}
	var r resolution
	r.f, r.err = s.resolveCall(e, recv)
	if s.resolved == nil {
		s.resolved = make(map[resolutionKey]resolution)
	}
	s.resolved[key] = r
	return r.f, r.err
}

func (s *scope) resolveCall(e ast.Expr, recv *types.Type) (*function.Function, error) {
	c, err := s.callOf(e)
	if err != nil {
		return nil, err
	}
	var refused error
	args := make([]function.Arg, len(c.args))
	for i, a := range c.args {
		args[i] = function.Arg{Text: termText(a), Type: s.compatibleType(a), Marker: s.hasMarker(a)}
		args[i].Assignable = func(t *types.Type) types.Assignability {
			m, err := s.assignable(a, Spec{Name: "arg" + strconv.Itoa(i), Type: t})
			if err != nil && refused == nil {
				refused = err
			}
			return m
		}
	}
	if c.name == "token" && (c.ks == "" || c.ks == "system") {
		return s.tokenFunction(args)
	}
	f, err := function.Resolve(c.ks, c.name, args, recv)
	if refused != nil {
		return nil, refused
	}
	return f, err
}

// tokenFunction is token() of the statement's table. Source: org.apache.cassandra.cql3.functions.TokenFct.
func (s *scope) tokenFunction(args []function.Arg) (*function.Function, error) {
	p := s.env.Partitioner
	f := &function.Function{Name: "token", Return: tokenType(p), Pure: true}
	if s.table != nil {
		for _, c := range s.table.PartitionKey {
			f.Args = append(f.Args, c.Type)
		}
	}
	if len(args) != len(f.Args) {
		return nil, cql.Invalidf("Invalid number of arguments in call to function system.token: %d required but %d provided",
			len(f.Args), len(args))
	}
	for i, a := range args {
		if a.Assignable(f.Args[i]) == types.NotAssignable {
			return nil, cql.Invalidf("Type error: %s cannot be passed as argument %d of function system.token of type %s",
				a.Text, i, f.Args[i])
		}
	}
	f.Call = func(_ *function.Env, values [][]byte) ([]byte, error) {
		var key []byte
		for _, v := range values {
			if v == nil {
				return nil, nil
			}
			if len(values) == 1 {
				key = v
				break
			}
			if len(v) > maxKeyBytes {
				return nil, cql.Invalidf("Key length of %d is longer than maximum of %d", len(v), maxKeyBytes)
			}
			key = binary.BigEndian.AppendUint16(key, uint16(len(v)))
			key = append(append(key, v...), 0)
		}
		return p.Append(nil, p.Token(key)), nil
	}
	return f, nil
}

// compatibleType is the type that e has by itself, nil when only a receiver can tell.
// Source: AssignmentTestable.getCompatibleTypeIfKnown.
func (s *scope) compatibleType(e ast.Expr) *types.Type {
	switch e := e.(type) {
	case *ast.Literal:
		if e.Kind != ast.NullLiteral {
			return preferredType(e)
		}
	case *ast.TypeHint:
		if t, err := s.resolveType(e.Type); err == nil {
			return t
		}
	case *ast.Call, *ast.Cast, *ast.Binary, *ast.Negate:
		if f, err := s.resolve(e, nil); err == nil && f != nil {
			return f.Return
		}
	case *ast.Set:
		if t := s.commonType(e.Items); t != nil {
			return types.SetOf(t, true)
		}
	case *ast.Map:
		k, v := s.commonType(e.Keys), s.commonType(e.Values)
		if k != nil && v != nil {
			return types.MapOf(k, v, true)
		}
	case *ast.Tuple:
		elems := make([]*types.Type, len(e.Items))
		for i, item := range e.Items {
			if elems[i] = s.compatibleType(item); elems[i] == nil {
				return nil
			}
		}
		return types.TupleOf(elems...)
	}
	return nil
}

// commonType is the type of the first of items that all others are of as well, or nil.
func (s *scope) commonType(items []ast.Expr) *types.Type {
	var common *types.Type
	for _, item := range items {
		t := s.compatibleType(item)
		switch {
		case t == nil:
			return nil
		case common == nil || t.IsValueCompatibleWith(common):
			common = t
		case !common.IsValueCompatibleWith(t):
			return nil
		}
	}
	return common
}

// call prepares a call. Source: org.apache.cassandra.cql3.functions.FunctionCall.Raw.prepare.
func (s *scope) call(e ast.Expr, recv Spec) (Term, error) {
	c, err := s.callOf(e)
	if err != nil {
		return nil, err
	}
	f, err := s.resolve(e, recv.Type)
	if err != nil {
		return nil, err
	}
	switch {
	case f == nil:
		return nil, cql.Invalidf("Unknown function %s called", c.fullName())
	case f.IsAggregate():
		return nil, cql.Invalidf("Aggregation function are not supported in the where clause")
	case returnMatch(f, recv.Type) == types.NotAssignable && c.operator != "":
		return nil, cql.Invalidf("Type error: cannot assign result of operation %s (type %s) to %s (type %s)",
			c.operator, f.Return, recv.Name, recv.Type)
	case returnMatch(f, recv.Type) == types.NotAssignable:
		return nil, cql.Invalidf("Type error: cannot assign result of function system.%s (type %s) to %s (type %s)",
			f.Name, f.Return, recv.Name, recv.Type)
	}
	t := &callTerm{f, make([]Term, len(c.args))}
	for i, a := range c.args {
		if holdsLiteral(a) {
			// Which function is meant may depend on how large a number is.
			s.shapeSafe = false
		}
		spec := recv.part("arg"+strconv.Itoa(i)+"(system."+f.Name+")", f.Args[i])
		if t.args[i], err = s.term(a, spec); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// returnMatch tells how well the result of f suits a receiver: frozen or not makes no difference for a frozen one.
// Source: AbstractFunction.testAssignment.
func returnMatch(f *function.Function, recv *types.Type) types.Assignability {
	t := f.Return
	if !recv.IsMultiCell() {
		t = t.Freeze()
	}
	switch {
	case recv.Equal(t):
		return types.ExactMatch
	case recv.IsValueCompatibleWith(t):
		return types.WeaklyAssignable
	}
	return types.NotAssignable
}

// callMatch tells how well the result of a call suits recv. A call that is wrong in itself suits weakly: it is refused with
// its own message later. Source: FunctionCall.Raw.testAssignment.
func (s *scope) callMatch(e ast.Expr, recv Spec) types.Assignability {
	f, err := s.resolve(e, recv.Type)
	switch {
	case err != nil || f == nil || f.Name == "from_json" || f.Name == "fromjson":
		return types.WeaklyAssignable
	case recv.Type.Equal(f.Return):
		return types.ExactMatch
	case recv.Type.IsValueCompatibleWith(f.Return):
		return types.WeaklyAssignable
	}
	return types.NotAssignable
}

// adder is the function behind + of two values of t.
func adder(t *types.Type) (func(a, b []byte) ([]byte, error), error) {
	suits := func(param *types.Type) types.Assignability { return param.AssignableFrom(t) }
	arg := function.Arg{Text: t.String(), Type: t, Assignable: suits}
	f, err := function.Resolve("system", function.OperatorName('+'), []function.Arg{arg, arg}, t)
	if err != nil || f == nil {
		return nil, err
	}
	return func(a, b []byte) ([]byte, error) { return f.Call(nil, [][]byte{a, b}) }, nil
}
