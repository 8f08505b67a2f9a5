package schema

import (
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// maxTypeNodes bounds how many types a type is made of, its user types spelled out: they are spelled out in files and
// messages, and a few dozen statements could make one that fills the memory.
const maxTypeNodes = 1 << 14

// nativeType returns the shared value of a native kind, or nil.
func nativeType(k types.Kind) *types.Type {
	if k == types.Invalid || k == types.Custom || k > types.Empty {
		return nil
	}
	return types.Native(k.String())
}

// String prints the reference as error texts do. Source: org.apache.cassandra.cql3.CQL3Type.Raw.toString.
func (r *TypeRef) String() string {
	if r.Class != "" {
		return "'" + r.Class + "'"
	}
	name := r.Name
	if t := types.Native(name); t != nil && !r.IsUser {
		name = t.String()
	}
	if r.Keyspace != "" {
		name = r.Keyspace + "." + name
	}
	if len(r.Params) > 0 {
		params := make([]string, len(r.Params))
		for i, p := range r.Params {
			params[i] = p.String()
		}
		if r.isVector() {
			params = append(params, strconv.Itoa(r.Dim))
		}
		name += "<" + strings.Join(params, ", ") + ">"
	}
	if r.Frozen && !r.isTuple() && !r.isVector() {
		return "frozen<" + name + ">"
	}
	return name
}

func (r *TypeRef) is(name string) bool { return !r.IsUser && r.Class == "" && r.Name == name }
func (r *TypeRef) isTuple() bool       { return r.is("tuple") }
func (r *TypeRef) isVector() bool      { return r.is("vector") }
func (r *TypeRef) isCollection() bool  { return r.is("list") || r.is("set") || r.is("map") }

// ResolveType returns the type that ref means in a statement on the given keyspace; errors are answers to the client.
// Source: org.apache.cassandra.cql3.CQL3Type.Raw.prepare; cql.md 1.3.
func ResolveType(s *Snapshot, keyspace string, ref *TypeRef) (*types.Type, error) {
	var udts map[string]*UserType
	if k := s.Keyspaces[keyspace]; k != nil {
		udts = k.Types
	}
	t, err := resolveType(udts, keyspace, ref, false, 0)
	if err == nil && countNodes(t, maxTypeNodes) < 0 {
		return nil, cql.Invalidf("Type %s is too large: it has more than %d types inside", ref, maxTypeNodes)
	}
	return t, err
}

// countNodes returns left minus the number of types in t, or a negative number as soon as it falls below zero.
func countNodes(t *types.Type, left int) int {
	left--
	for _, e := range t.Elems {
		if left < 0 {
			break
		}
		left = countNodes(e, left)
	}
	return left
}

// resolveType resolves ref, frozen when it stands inside frozen<>.
func resolveType(udts map[string]*UserType, keyspace string, ref *TypeRef, frozen bool, depth int) (*types.Type, error) {
	if depth > maxTypeDepth {
		return nil, cql.Invalidf("Types may not be nested more than %d deep", maxTypeDepth)
	}
	sub := func(i int, frozen bool) (*types.Type, error) {
		return resolveType(udts, keyspace, ref.Params[i], frozen, depth+1)
	}
	wrapped := ref.Frozen
	frozen = frozen || wrapped
	switch {
	case ref.Class != "":
		return resolveClass(ref.Class)
	case ref.IsUser:
		return resolveUser(udts, keyspace, ref, frozen)
	case ref.isCollection():
		return resolveCollection(ref, frozen, sub)
	case ref.isTuple():
		elems := make([]*types.Type, len(ref.Params))
		for i, p := range ref.Params {
			if p.is("counter") {
				return nil, cql.Invalidf("Counters are not allowed inside tuples")
			}
			t, err := sub(i, true)
			if err != nil {
				return nil, err
			}
			elems[i] = t.Freeze()
		}
		return types.TupleOf(elems...), nil
	case ref.isVector():
		if ref.Dim <= 0 {
			return nil, cql.Invalidf("vectors may only have positive dimensions; given %d", ref.Dim)
		}
		t, err := sub(0, false)
		if err != nil {
			return nil, err
		}
		return types.VectorOf(t, ref.Dim), nil
	case wrapped:
		return nil, cql.Syntaxf("frozen<> is only allowed on collections, tuples, and user-defined types (got %s)", ref.Name)
	}
	t := types.Native(ref.Name)
	if t == nil {
		return nil, cql.Invalidf("Unknown type %s.%s", keyspace, ref.Name)
	}
	return t, nil
}

// resolveCollection resolves a list, set or map; sub resolves one of its parameters.
func resolveCollection(ref *TypeRef, frozen bool, sub func(int, bool) (*types.Type, error)) (*types.Type, error) {
	isMap, isSet := ref.is("map"), ref.is("set")
	for i, p := range ref.Params {
		switch {
		case p.is("counter"):
			return nil, cql.Invalidf("Counters are not allowed inside collections: %s", ref)
		case p.is("duration") && isSet:
			return nil, cql.Invalidf("Durations are not allowed inside sets: %s", ref)
		case p.is("duration") && isMap && i == 0:
			return nil, cql.Invalidf("Durations are not allowed as map keys: %s", ref)
		case frozen || p.Frozen:
		case p.isCollection():
			return nil, cql.Invalidf("Non-frozen collections are not allowed inside collections: %s", ref)
		case p.IsUser:
			return nil, cql.Invalidf("Non-frozen UDTs are not allowed inside collections: %s", ref)
		}
	}
	elems := make([]*types.Type, len(ref.Params))
	for i := range ref.Params {
		t, err := sub(i, frozen)
		if err != nil {
			return nil, err
		}
		elems[i] = t
	}
	switch {
	case isMap && len(elems) == 2:
		return types.MapOf(elems[0], elems[1], frozen), nil
	case isSet && len(elems) == 1:
		return types.SetOf(elems[0], frozen), nil
	case ref.is("list") && len(elems) == 1:
		return types.ListOf(elems[0], frozen), nil
	}
	return nil, cql.Syntaxf("Invalid number of parameters of type %s", ref)
}

func resolveUser(udts map[string]*UserType, keyspace string, ref *TypeRef, frozen bool) (*types.Type, error) {
	if ref.Keyspace != "" && ref.Keyspace != keyspace {
		return nil, cql.Invalidf("Statement on keyspace %s cannot refer to a user type in keyspace %s; user types can only be used "+
			"in the keyspace they are defined in", keyspace, ref.Keyspace)
	}
	t := udts[ref.Name]
	if t == nil {
		return nil, cql.Invalidf("Unknown type %s.%s", keyspace, ref.Name)
	}
	if frozen {
		t = t.Freeze()
	}
	return t, nil
}

// resolveClass resolves a quoted Java class; what is wrong with it counts as a syntax error.
func resolveClass(class string) (*types.Type, error) {
	t, err := types.ParseJavaName(class)
	if err != nil {
		return nil, cql.Syntaxf("Error setting type %s: %s", class, err)
	}
	return t, nil
}
