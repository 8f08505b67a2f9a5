package function

import (
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// Arg is an argument of a call before its value is known.
type Arg struct {
	// Text is the argument as error messages show it.
	Text string
	// Type is its type where it has one of its own: that of a column or call, the one a constant has by its text; nil for a
	// bind marker, null, and what only a receiver can decide. Source: AssignmentTestable.getCompatibleTypeIfKnown.
	Type *types.Type
	// Marker says that it is or holds a bind marker.
	Marker bool
	// Assignable tells how well it suits a parameter of type t. Source: AssignmentTestable.testAssignment.
	Assignable func(t *types.Type) types.Assignability
}

// operators are the names behind the operators.
var operators = map[string]string{"_add": "+", "_substract": "-", "_multiply": "*", "_divide": "/", "_modulo": "%"}

// OperatorName returns the name of the function behind the operator op, one of + - * / %.
func OperatorName(op byte) string {
	for name, sign := range operators {
		if sign[0] == op {
			return name
		}
	}
	return ""
}

// Negation is the name of the function behind the unary minus.
const Negation = "_negate"

// CastName returns the name of the function behind CAST to t. It may not exist: then there are no casts to t.
func CastName(t *types.Type) string { return "cast_as_" + t.Kind.String() }

// Resolve returns the function that a call means: ks is the keyspace that was written, "" for none, and name is folded to
// lower case unless it was quoted. Operators and casts are called with ks "system", which gives their own messages.
// receiver is the type that the value is for, nil when nothing says. A name that is not known gives nil without an error;
// everything else that is wrong is an InvalidRequest with Cassandra's text.
//
// Source: org.apache.cassandra.cql3.functions.FunctionResolver.
func Resolve(ks, name string, args []Arg, receiver *types.Type) (*Function, error) {
	if ks != "" && ks != "system" {
		return nil, nil
	}
	candidates := natives[name]
	if f := factories[name]; f != nil {
		created, err := f.create(name, args, receiver)
		if err != nil {
			return nil, err
		}
		candidates = []*Function{created}
	}
	switch len(candidates) {
	case 0:
		return nil, nil
	case 1:
		return candidates[0], checkArgs(candidates[0], args)
	}
	return bestMatch(ks, name, candidates, args, receiver)
}

// checkArgs checks the arguments of the only function of its name.
func checkArgs(f *Function, args []Arg) error {
	if len(args) != len(f.Args) {
		return cql.Invalidf("Invalid number of arguments in call to function %s: %d required but %d provided",
			f.FullName(), len(f.Args), len(args))
	}
	for i, a := range args {
		if a.Assignable(f.Args[i]) == types.NotAssignable {
			return cql.Invalidf("Type error: %s cannot be passed as argument %d of function %s of type %s",
				a.Text, i, f.FullName(), f.Args[i])
		}
	}
	return nil
}

// match tells how well args suit f.
func match(f *Function, args []Arg) types.Assignability {
	if len(args) != len(f.Args) {
		return types.NotAssignable
	}
	all := types.ExactMatch
	for i, a := range args {
		all = min(all, a.Assignable(f.Args[i]))
	}
	return all
}

// bestMatch picks the exact match, else the only one that fits.
func bestMatch(ks, name string, candidates []*Function, args []Arg, receiver *types.Type) (*Function, error) {
	var fitting []*Function
	for _, f := range candidates {
		if receiver != nil && receiver.AssignableFrom(f.Return) == types.NotAssignable {
			continue
		}
		switch match(f, args) {
		case types.ExactMatch:
			return f, nil
		case types.WeaklyAssignable:
			fitting = append(fitting, f)
		}
	}
	full := name
	if ks != "" {
		full = ks + "." + name
	}
	sign := ""
	if ks == "system" && len(args) == 2 {
		sign = operators[name]
	}
	switch {
	case len(fitting) == 1:
		return fitting[0], nil
	case len(fitting) == 0 && sign != "":
		return nil, cql.Invalidf("the '%s' operation is not supported between %s and %s", sign, args[0].Text, args[1].Text)
	case len(fitting) == 0:
		return nil, cql.Invalidf("Invalid call to function %s, none of its type signatures match (known type signatures: %s)",
			full, signatures(candidates))
	case sign != "":
		if f := ofReceiver(fitting, args, receiver); f != nil {
			return f, nil
		}
		return nil, cql.Invalidf("Ambiguous '%s' operation with args %s and %s: use type hint to disambiguate, example '(int) ?'",
			sign, args[0].Text, args[1].Text)
	case ks == "system" && name == Negation:
		return nil, cql.Invalidf("Ambiguous negation: use type casts to disambiguate")
	}
	return nil, cql.Invalidf("Ambiguous call to function %s (can be matched by following signatures: %s): "+
		"use type casts to disambiguate", full, signatures(fitting))
}

// ofReceiver returns the operation whose operands both have the receiver's type, which is meant when constants alone are
// combined.
func ofReceiver(fitting []*Function, args []Arg, receiver *types.Type) *Function {
	if receiver == nil || args[0].Marker || args[1].Marker {
		return nil
	}
	for _, f := range fitting {
		if f.Args[0].Equal(receiver) && f.Args[1].Equal(receiver) {
			return f
		}
	}
	return nil
}

// signatures joins signatures as messages list them. Cassandra lists them in an order that changes with each start.
func signatures(functions []*Function) string {
	names := make([]string, len(functions))
	for i, f := range functions {
		names[i] = f.String()
	}
	return strings.Join(names, ", ")
}
