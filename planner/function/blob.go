package function

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// blobNames are the CQL names that have conversions from and to blob: all native types but blob itself.
var blobNames = []string{
	"ascii", "bigint", "boolean", "counter", "date", "decimal", "double", "duration", "empty", "float", "inet", "int", "smallint",
	"text", "time", "timestamp", "timeuuid", "tinyint", "uuid", "varchar", "varint",
}

// blobFunctions take the bytes of a value as a blob and back. Source: BytesConversionFcts.
func blobFunctions() []*Function {
	var all []*Function
	for _, n := range blobNames {
		t := types.Native(n)
		for _, name := range []string{n + "_as_blob", n + "asblob"} {
			call := func(_ *Env, args [][]byte) ([]byte, error) { return args[0], nil }
			all = append(all, &Function{Name: name, Args: list(t), Return: types.TBlob, Call: call, Pure: true})
		}
		for _, name := range []string{"blob_as_" + n, "blobas" + n} {
			call := func(_ *Env, args [][]byte) ([]byte, error) {
				if err := t.Validate(args[0]); err != nil {
					return nil, cql.Invalidf("In call to function system.%s, value 0x%x is not a valid binary representation for type %s",
						name, args[0], n)
				}
				return args[0], nil
			}
			all = append(all, &Function{Name: name, Args: list(types.TBlob), Return: t, Call: call, Pure: true})
		}
	}
	return all
}
