package function

import (
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// factory makes functions whose types follow from the arguments. Source: FunctionFactory, FunctionParameter.
type factory struct {
	params []param
	// optional is how many parameters at the end may be left out.
	optional int
	// make returns the function for the types that were found, which are valid. receiver may be nil.
	make func(name string, args []*types.Type, receiver *types.Type) (*Function, error)
}

// param is a parameter of a factory.
type param struct {
	// name is the parameter in the signature: "any", "numeric_set_or_list".
	name string
	// want is what a message says that is required: "a map argument".
	want string
	// fixed is the type whatever the argument is; nil when it is the argument's own.
	fixed *types.Type
	// fallback is the type of an argument that has none of its own; nil for an error.
	fallback *types.Type
	// sameAs is the number of the parameter whose type it takes when its own is not known, or always; -1 for none.
	sameAs int
	always bool
	// accepts says which types it takes; nil for any.
	accepts func(t *types.Type) bool
}

// anyParam takes what it is given.
func anyParam() param { return param{name: "any", sameAs: -1} }

// fixedParam takes what can be assigned to t.
func fixedParam(name string, t *types.Type) param {
	accepts := func(from *types.Type) bool { return t.AssignableFrom(from) != types.NotAssignable }
	return param{name: name, want: "an argument of type " + t.String(), fixed: t, sameAs: -1, accepts: accepts}
}

// signature is the factory as messages show it: system.mask_hash(any, [text]).
func (f *factory) signature(name string) string {
	names := make([]string, len(f.params))
	for i, p := range f.params {
		names[i] = p.name
	}
	return "system." + types.QuoteIdent(name) + "(" + strings.Join(names, ", ") + ")"
}

// create finds the types of the arguments and makes the function.
func (f *factory) create(name string, args []Arg, receiver *types.Type) (*Function, error) {
	if len(args) > len(f.params) || len(args) < len(f.params)-f.optional {
		return nil, cql.Invalidf("Invalid number of arguments for function %s", f.signature(name))
	}
	found := make([]*types.Type, len(args))
	for i, a := range args {
		found[i] = a.Type
		if found[i] == nil {
			found[i] = f.params[i].fallback
		}
		if found[i] == nil {
			found[i] = f.params[i].fixed
		}
	}
	for i, a := range args {
		p := f.params[i]
		if p.sameAs >= 0 && (p.always || found[i] == nil) {
			found[i] = found[p.sameAs]
		}
		if found[i] == nil {
			return nil, cql.Invalidf("Cannot infer type of argument %s in call to function %s: use type casts to disambiguate",
				a.Text, f.signature(name))
		}
		if p.accepts != nil && !p.accepts(found[i]) {
			return nil, cql.Invalidf("Function system.%s requires %s, but found argument %s of type %s",
				types.QuoteIdent(name), p.want, a.Text, found[i])
		}
		if p.fixed != nil {
			found[i] = p.fixed
		}
	}
	return f.make(name, found, receiver)
}
