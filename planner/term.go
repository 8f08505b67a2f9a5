package planner

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// term prepares e as a value for recv: it checks that e can be one, gives bind markers their type and name, and resolves
// calls. Errors carry Cassandra's text. Source: org.apache.cassandra.cql3.Term.Raw.prepare.
func (s *scope) term(e ast.Expr, recv Spec) (Term, error) {
	switch e := e.(type) {
	case *ast.Literal:
		return s.literal(e, recv)
	case *ast.Marker:
		s.bind(e, recv)
		return &markerTerm{recv.Type, e.Index}, nil
	case *ast.TypeHint:
		return s.hint(e, recv)
	case *ast.Call, *ast.Cast, *ast.Binary, *ast.Negate:
		return s.call(e, recv)
	case *ast.List:
		return s.listLiteral(e, recv)
	case *ast.Set:
		return s.setLiteral(e, recv)
	case *ast.Map:
		return s.mapLiteral(e, recv)
	case *ast.Tuple:
		return s.tupleLiteral(e, recv)
	case *ast.UDT:
		return s.udtLiteral(e, recv)
	case *ast.Column:
		return nil, cql.Invalidf("Ambiguous name %s: a column cannot be a value here", e.Name)
	}
	return nil, cql.Invalidf("Invalid value for %s: %s", recv.Name, termText(e))
}

// columnTerm prepares e as a value of the column c.
func (s *scope) columnTerm(e ast.Expr, c *schema.Column) (Term, error) { return s.term(e, specOf(c)) }

// markerTerm is a bind marker. Its value is checked by the type each time and stored in the form that Normalize gives.
// Source: org.apache.cassandra.cql3.AbstractMarker.
type markerTerm struct {
	typ   *types.Type
	index int
}

func (t *markerTerm) Type() *types.Type { return t.typ }

func (t *markerTerm) Eval(env *Env) ([]byte, bool, error) {
	v := &env.Values[t.index]
	if v.Unset || v.Bytes == nil {
		return nil, v.Unset, nil
	}
	b, err := t.typ.Normalize(v.Bytes)
	return b, false, err
}

// nullTerm is NULL.
type nullTerm struct{ typ *types.Type }

func (t *nullTerm) Type() *types.Type               { return t.typ }
func (t *nullTerm) Eval(*Env) ([]byte, bool, error) { return nil, false, nil }

// literalTerm is a constant. value is what text, the text of the statement that was planned, comes to; the text of another
// statement of the same shape is parsed when it is run.
type literalTerm struct {
	typ   *types.Type
	kind  ast.LiteralKind
	slot  int
	text  string
	value []byte
}

func (t *literalTerm) Type() *types.Type { return t.typ }

func (t *literalTerm) Eval(env *Env) ([]byte, bool, error) {
	if t.slot < 0 || t.slot >= len(env.Literals) {
		return t.value, false, nil
	}
	text := env.Literals[t.slot]
	if text == t.text {
		return t.value, false, nil
	}
	v, err := t.typ.FromConstant(types.ConstKind(t.kind), text)
	return v, false, err
}

// literal prepares a constant. Source: org.apache.cassandra.cql3.Constants.Literal.prepare.
func (s *scope) literal(e *ast.Literal, recv Spec) (Term, error) {
	if e.Kind == ast.NullLiteral {
		if recv.Type.Kind == types.Counter {
			return nil, cql.Invalidf("Invalid null value for counter increment/decrement")
		}
		return &nullTerm{recv.Type}, nil
	}
	if literalMatch(e, recv.Type) == types.NotAssignable {
		return nil, cql.Invalidf("Invalid %s constant (%s) for \"%s\" of type %s",
			types.ConstKind(e.Kind), literalRaw(e), recv.Name, recv.Type)
	}
	v, err := recv.Type.FromConstant(types.ConstKind(e.Kind), e.Text)
	if err != nil {
		return nil, err
	}
	return &literalTerm{recv.Type, e.Kind, e.Slot, e.Text, v}, nil
}

// literalRaw is the text of a constant as error messages show it inside parentheses.
func literalRaw(e *ast.Literal) string {
	if e.Kind == ast.HexLiteral {
		return "0x" + e.Text
	}
	return e.Text
}

// hint prepares (type)x: it converts nothing. Source: org.apache.cassandra.cql3.TypeCast.
func (s *scope) hint(e *ast.TypeHint, recv Spec) (Term, error) {
	t, err := s.resolveType(e.Type)
	if err != nil {
		return nil, err
	}
	casted := recv.part(s.hintText(e, t), t)
	m, err := s.assignable(e.Of, casted)
	if err != nil {
		return nil, err
	}
	if m == types.NotAssignable {
		return nil, cql.Invalidf("Cannot cast value %s to type %s", termText(e.Of), t)
	}
	if hintMatch(t, recv.Type) == types.NotAssignable {
		return nil, cql.Invalidf("Cannot assign value %s to %s of type %s", s.hintText(e, t), recv.Name, recv.Type)
	}
	return s.term(e.Of, recv)
}

// hintText is a hint as error messages show it after its type is known: a user type comes with its keyspace.
func (s *scope) hintText(e *ast.TypeHint, t *types.Type) string {
	name := t.String()
	if t.Kind == types.UDT && !t.Frozen {
		name = types.QuoteIdent(t.Keyspace) + "." + name
	}
	return "(" + name + ")" + termText(e.Of)
}
