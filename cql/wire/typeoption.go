package wire

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// The option ids of types. Source: native_protocol_v5.spec 4.2.5.2.
const (
	optionCustom = 0x0000
	optionList   = 0x0020
	optionMap    = 0x0021
	optionSet    = 0x0022
	optionUDT    = 0x0030
	optionTuple  = 0x0031
)

// nativeOption is the option id of a native type, and the first version that knows it.
type nativeOption struct {
	id    uint16
	since cql.Version
}

// nativeOptions holds the types that have an option of their own. What a version does not know goes out as a custom
// type with its Java class. Vectors have no option in any version.
var nativeOptions = [...]nativeOption{
	types.Ascii: {0x0001, cql.V3}, types.Bigint: {0x0002, cql.V3}, types.Blob: {0x0003, cql.V3}, types.Boolean: {0x0004, cql.V3},
	types.Counter: {0x0005, cql.V3}, types.Decimal: {0x0006, cql.V3}, types.Double: {0x0007, cql.V3}, types.Float: {0x0008, cql.V3},
	types.Int: {0x0009, cql.V3}, types.Timestamp: {0x000B, cql.V3}, types.UUID: {0x000C, cql.V3}, types.Text: {0x000D, cql.V3},
	types.Varint: {0x000E, cql.V3}, types.Timeuuid: {0x000F, cql.V3}, types.Inet: {0x0010, cql.V3}, types.Date: {0x0011, cql.V4},
	types.Time: {0x0012, cql.V4}, types.Smallint: {0x0013, cql.V4}, types.Tinyint: {0x0014, cql.V4}, types.Duration: {0x0015,
		cql.V5},
}

// appendType appends t as an [option]. Frozen does not show. Source: org.apache.cassandra.transport.DataType.
func appendType(dst []byte, v cql.Version, t *types.Type) []byte {
	switch t.Kind {
	case types.List:
		return appendType(AppendShort(dst, optionList), v, t.Elems[0])
	case types.Set:
		return appendType(AppendShort(dst, optionSet), v, t.Elems[0])
	case types.Map:
		return appendType(appendType(AppendShort(dst, optionMap), v, t.Elems[0]), v, t.Elems[1])
	case types.Tuple:
		dst = AppendShort(AppendShort(dst, optionTuple), uint16(len(t.Elems)))
		for _, e := range t.Elems {
			dst = appendType(dst, v, e)
		}
		return dst
	case types.UDT:
		dst = AppendString(AppendString(AppendShort(dst, optionUDT), t.Keyspace), t.Name)
		dst = AppendShort(dst, uint16(len(t.Elems)))
		for i, e := range t.Elems {
			dst = appendType(AppendString(dst, t.Fields[i]), v, e)
		}
		return dst
	}
	if int(t.Kind) < len(nativeOptions) {
		if o := nativeOptions[t.Kind]; o.id != 0 && v >= o.since {
			return AppendShort(dst, o.id)
		}
	}
	return AppendString(AppendShort(dst, optionCustom), t.JavaName())
}

// typeText names a type option in the error for a body that is too short.
const typeText = "a type option"

// maxTypeDepth bounds how deep a type that a peer describes may nest.
const maxTypeDepth = 64

// readType reads an [option]; a collection or UDT comes out not frozen.
func readType(r *Reader, depth int) *types.Type {
	id := r.Short()
	if depth > maxTypeDepth {
		r.Fail(cql.Protocolf("Type is nested too deep"))
	}
	if r.err != nil {
		return types.TBlob
	}
	switch id {
	case optionCustom:
		class := r.String()
		t, err := types.ParseJavaName(class)
		if err != nil {
			return &types.Type{Kind: types.Custom, Class: class}
		}
		return t
	case optionList:
		return types.ListOf(readType(r, depth+1), false)
	case optionSet:
		return types.SetOf(readType(r, depth+1), false)
	case optionMap:
		return types.MapOf(readType(r, depth+1), readType(r, depth+1), false)
	case optionTuple:
		t := types.TupleOf()
		for range r.count(2, typeText) {
			t.Elems = append(t.Elems, readType(r, depth+1))
		}
		return t
	case optionUDT:
		t := &types.Type{Kind: types.UDT, Keyspace: r.String(), Name: r.String()}
		for range r.count(4, typeText) {
			t.Fields = append(t.Fields, r.String())
			t.Elems = append(t.Elems, readType(r, depth+1))
		}
		return t
	}
	for kind, o := range nativeOptions {
		if o.id == id {
			return natives[kind]
		}
	}
	r.Fail(cql.Protocolf("Unknown type option %d", id))
	return types.TBlob
}

// natives holds the shared native types by kind.
var natives = [...]*types.Type{
	types.Ascii: types.TAscii, types.Bigint: types.TBigint, types.Blob: types.TBlob, types.Boolean: types.TBoolean,
	types.Counter: types.TCounter, types.Decimal: types.TDecimal, types.Double: types.TDouble, types.Float: types.TFloat,
	types.Int: types.TInt, types.Timestamp: types.TTimestamp, types.UUID: types.TUUID, types.Text: types.TText,
	types.Varint: types.TVarint, types.Timeuuid: types.TTimeuuid, types.Inet: types.TInet, types.Date: types.TDate,
	types.Time: types.TTime, types.Smallint: types.TSmallint, types.Tinyint: types.TTinyint, types.Duration: types.TDuration,
}
