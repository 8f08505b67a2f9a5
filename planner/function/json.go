package function

import (
	"errors"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// jsonFactories are to_json and from_json. Source: ToJsonFct, FromJsonFct.
func jsonFactories() map[string]*factory {
	to := &factory{params: []param{anyParam()}, make: func(name string, args []*types.Type, _ *types.Type) (*Function, error) {
		call := func(_ *Env, values [][]byte) ([]byte, error) {
			if isNull(args[0], values[0]) {
				return []byte("null"), nil
			}
			return args[0].AppendJSON(nil, values[0]), nil
		}
		return &Function{Name: name, Args: args, Return: types.TText, Call: call, Pure: true}, nil
	}}
	from := &factory{params: []param{fixedParam("text", types.TText)}, make: makeFromJSON}
	return map[string]*factory{"to_json": to, "tojson": to, "from_json": from, "fromjson": from}
}

// makeFromJSON makes the from_json of a receiver's type.
func makeFromJSON(name string, _ []*types.Type, receiver *types.Type) (*Function, error) {
	if receiver == nil {
		return nil, cql.Invalidf("%s() cannot be used in the selection clause of a SELECT statement", name)
	}
	call := func(_ *Env, values [][]byte) ([]byte, error) {
		if values[0] == nil {
			return nil, nil
		}
		text := string(values[0])
		decoded, err := types.DecodeJSON(text)
		if bad, ok := errors.AsType[*types.JSONError](err); ok {
			return nil, jsonFailure("execution of 'system.from_json[text]' failed: Could not decode JSON string '" + text + "': " +
				bad.JavaError())
		}
		v, err := receiver.FromJSON(decoded)
		if bad, ok := errors.AsType[*cql.Error](err); ok && bad.Code == cql.CodeInvalid && !ofDuration(bad.Message) {
			return nil, jsonFailure("org.apache.cassandra.serializers.MarshalException: " + bad.Message)
		}
		return v, err
	}
	// The old spelling goes by the new name from here on, as in Cassandra.
	return &Function{Name: "from_json", Args: list(types.TText), Return: receiver, Call: call, Pure: true}, nil
}

// ofDuration reports whether a message is one of the parser of durations, which fails in a way of its own.
func ofDuration(message string) bool {
	return strings.HasPrefix(message, "Invalid duration.") || strings.HasSuffix(message, "to a duration")
}

// jsonFailure is the error of a from_json that cannot be carried out.
func jsonFailure(what string) *cql.Error {
	return cql.FunctionError("system", "from_json", []string{"text"}, what)
}
