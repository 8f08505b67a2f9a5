// Package function is the native functions and aggregates of CQL: which there are, which one a call means, and what they
// compute. Values are in wire form, nil for null, as everywhere. Its nouns are Function, Arg and Accumulator.
//
// token, writetime, maxwritetime and ttl need the table and the row and belong to the planner.
//
// Floor: above cql and cql/types. Source: org.apache.cassandra.cql3.functions; cql.md 1.10, 1.11, 2.14.
package function

import (
	"strings"

	"github.com/helenusdb/helenus/cql/types"
)

// Env is what functions ask of the node that runs them. A nil field is only allowed where no function that needs it is
// called: now() and its kin need Timeuuid and NowMillis, uuid() needs Random.
type Env struct {
	// NowMillis is the wall clock in milliseconds since 1970-01-01.
	NowMillis func() int64
	// Timeuuid returns a version 1 UUID of now that no other call on any node returns.
	Timeuuid func() [16]byte
	// Random returns random bytes.
	Random func() [16]byte
}

// Function is one native function of given argument types. It is immutable and safe for concurrent use.
type Function struct {
	// Name is what it was called by, in lower case and without keyspace: "to_date", "todate", "_add".
	Name   string
	Args   []*types.Type
	Return *types.Type
	// Call computes the value of a scalar function; nil for an aggregate. args has one value for each of Args and is not
	// kept; the result may share bytes with it. Errors are *cql.Error.
	Call func(env *Env, args [][]byte) ([]byte, error)
	// New begins an aggregation; nil for a scalar function.
	New func() Accumulator
	// Monotonic says that the value never falls as the first argument rises, as GROUP BY demands.
	Monotonic bool
	// Pure says that equal arguments give equal values.
	Pure bool
}

// Accumulator draws the rows of one group together. It is used by one goroutine and keeps none of the bytes that it is
// given.
type Accumulator interface {
	// Add takes the arguments of one row.
	Add(args [][]byte) error
	// Result is the value in wire form, nil for null; it may be asked for after no row at all.
	Result() ([]byte, error)
}

// IsAggregate reports whether f is an aggregate.
func (f *Function) IsAggregate() bool { return f.New != nil }

// FullName is the function's name with its keyspace, as error messages show it: system."_add".
func (f *Function) FullName() string { return "system." + types.QuoteIdent(f.Name) }

// String returns the signature as error messages show it: system.abs : (int) -> int.
func (f *Function) String() string {
	var b strings.Builder
	b.WriteString(f.FullName())
	b.WriteString(" : (")
	for i, t := range f.Args {
		if i > 0 {
			b.WriteString(", ")
		}
		name := t.String()
		if t.Kind == types.Tuple {
			name = strings.TrimSuffix(strings.TrimPrefix(name, "frozen<"), ">")
		}
		b.WriteString(name)
	}
	b.WriteString(") -> ")
	b.WriteString(f.Return.String())
	return b.String()
}

// isNull reports whether v counts as null for a function that takes a t: null, or an empty value that means nothing.
func isNull(t *types.Type, v []byte) bool { return v == nil || len(v) == 0 && t.EmptyIsNull() }

// scalar returns a pure function that is null when an argument is. f gets values that are valid for their types: what
// comes from old files may not be.
func scalar(name string, args []*types.Type, ret *types.Type, f func(args [][]byte) ([]byte, error)) *Function {
	call := func(_ *Env, values [][]byte) ([]byte, error) {
		for i, v := range values {
			if isNull(args[i], v) {
				return nil, nil
			}
		}
		for i, v := range values {
			if err := args[i].Validate(v); err != nil {
				return nil, err
			}
		}
		return f(values)
	}
	return &Function{Name: name, Args: args, Return: ret, Call: call, Pure: true}
}

// list is short for a list of types.
func list(t ...*types.Type) []*types.Type { return t }
