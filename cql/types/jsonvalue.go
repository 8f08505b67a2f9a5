package types

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// FromJSON returns the value of t that a decoded JSON value (see DecodeJSON) stands for; nil for null. Every native type
// also takes a string with its CQL text, collections one with JSON. The error is an InvalidRequest with Cassandra's text;
// INSERT JSON puts the column's name before it.
//
// Source: the fromJSONObject methods of org.apache.cassandra.db.marshal; cql.md 2.19.
func (t *Type) FromJSON(decoded any) ([]byte, error) {
	if decoded == nil {
		return nil, nil
	}
	s, isString := decoded.(string)
	switch t.Kind {
	case List, Set, Map, Tuple, UDT, Vector:
		return t.compoundFromJSON(decoded)
	case Blob, Custom:
		return blobFromJSON(decoded)
	case Varint:
		if text := javaString(decoded); text != "" {
			if v, err := t.FromString(text); err == nil {
				return v, nil
			}
		}
		return nil, cql.Invalidf("Value '%s' is not a valid representation of a varint value", javaString(decoded))
	case Decimal:
		v, err := t.FromString(javaString(decoded))
		if err != nil {
			return nil, cql.Invalidf("Value '%s' is not a valid representation of a decimal value", javaString(decoded))
		}
		return v, nil
	case Counter, Empty:
		return nil, cql.Invalidf("%s has no JSON form", t)
	case Boolean:
		if b, ok := decoded.(bool); ok {
			return AppendBool(nil, b), nil
		}
	case Tinyint, Smallint, Int, Bigint, Float, Double, Timestamp:
		if v, ok, err := t.numberFromJSON(decoded); ok {
			return v, err
		}
	}
	if isString {
		return t.FromString(s)
	}
	return nil, cql.Invalidf("Expected %s, but got a %s: %s", t.jsonForm(), javaClass(decoded), javaString(decoded))
}

// jsonForm is what Cassandra says that it expected.
func (t *Type) jsonForm() string {
	switch t.Kind {
	case Ascii:
		return "an ascii string"
	case Text:
		return "a UTF-8 string"
	case Boolean:
		return "a boolean value"
	case Tinyint:
		return "a byte value"
	case Smallint:
		return "a short value"
	case Int:
		return "an int value"
	case Bigint:
		return "a bigint value"
	case Float:
		return "a float value"
	case Double:
		return "a double value"
	case Timestamp:
		return "a long or a datestring representation of a timestamp value"
	case Date:
		return "a string representation of a date value"
	case Time:
		return "a string representation of a time value"
	case Duration:
		return "a string representation of a duration"
	case Inet:
		return "a string representation of an inet value"
	case Timeuuid:
		return "a string representation of a timeuuid"
	}
	return "a string representation of a uuid"
}

// numberFromJSON returns the value of a JSON number; ok is false when t does not take this one.
func (t *Type) numberFromJSON(decoded any) (v []byte, ok bool, err error) {
	f := 0.0
	n, isInt := decoded.(int64)
	switch x := decoded.(type) {
	case int64:
		f = float64(x)
	case *big.Int:
		f, _ = new(big.Float).SetInt(x).Float64()
	case float64:
		f = x
	default:
		return nil, false, nil
	}
	switch t.Kind {
	case Tinyint, Smallint:
		v, err = t.FromString(javaString(decoded))
		return v, true, err
	case Int:
		return AppendInt32(nil, int32(n)), isInt && n == int64(int32(n)), nil
	case Bigint:
		return AppendInt64(nil, n), isInt, nil
	case Timestamp:
		// Cassandra takes a Java Long but not an Integer: milliseconds of the first and last 24 days of the epoch are refused.
		return AppendInt64(nil, n), isInt && n != int64(int32(n)), nil
	case Float:
		return AppendFloat32(nil, float32(f)), true, nil
	}
	return AppendFloat64(nil, f), true, nil
}

// blobFromJSON reads "0x...".
func blobFromJSON(decoded any) ([]byte, error) {
	s, ok := decoded.(string)
	if !ok {
		class := javaPackage(decoded) + javaClass(decoded)
		return nil, cql.Invalidf("Value '%s' is not a valid blob representation: class %s cannot be cast to class java.lang.String "+
			"(%s and java.lang.String are in module java.base of loader 'bootstrap')", javaString(decoded), class, class)
	}
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok {
		return nil, cql.Invalidf("Value '%s' is not a valid blob representation: String representation of blob is missing 0x "+
			"prefix: %s", s, s)
	}
	v, err := hex.DecodeString(digits)
	if err != nil {
		return nil, cql.Invalidf("Value '%s' is not a valid blob representation: cannot parse '%s' as hex bytes", s, digits)
	}
	return v, nil
}

// compoundFromJSON reads a collection, tuple, UDT or vector, which may stand in a string.
func (t *Type) compoundFromJSON(decoded any) ([]byte, error) {
	if s, ok := decoded.(string); ok {
		var err error
		if decoded, err = DecodeJSON(s); err != nil {
			return nil, cql.Invalidf("Error decoding JSON string: %s", err.Error())
		}
	}
	want := "a list"
	switch t.Kind {
	case Set:
		want = "a list (representing a set)"
	case Map, UDT:
		want = "a map"
	case Tuple:
		want = "a list representation of a tuple"
	}
	list, isList := decoded.([]any)
	object, isObject := decoded.(*JSONObject)
	switch {
	case isObject && t.Kind == Map:
		return t.mapFromJSON(object)
	case isObject && t.Kind == UDT:
		return t.udtFromJSON(object)
	case isList && t.Kind == Tuple:
		return t.tupleFromJSON(list)
	case isList && t.Kind == Vector:
		return t.vectorFromJSON(list)
	case isList && t.IsCollection() && t.Kind != Map:
		return t.listFromJSON(list)
	}
	return nil, cql.Invalidf("Expected %s, but got a %s: %s", want, javaClass(decoded), javaString(decoded))
}

// elementsFromJSON reads the elements of a list, set or vector.
func (t *Type) elementsFromJSON(list []any) ([][]byte, error) {
	var elems [][]byte
	for _, x := range list {
		if x == nil {
			name := t.Kind.String()
			if t.Kind == Vector {
				name = "list"
			}
			return nil, cql.Invalidf("Invalid null element in %s", name)
		}
		v, err := t.Elems[0].FromJSON(x)
		if err != nil {
			return nil, err
		}
		elems = append(elems, v)
	}
	return elems, nil
}

// listFromJSON reads a list, or a set, which it sorts.
func (t *Type) listFromJSON(list []any) ([]byte, error) {
	elems, err := t.elementsFromJSON(list)
	if err != nil {
		return nil, err
	}
	if t.Kind == Set {
		elems = sortEntries(t.Elems[0], elems, 1)
	}
	return t.AppendCollection(nil, elems), nil
}

// vectorFromJSON reads as many elements as the vector has.
func (t *Type) vectorFromJSON(list []any) ([]byte, error) {
	if len(list) != t.Dim {
		return nil, cql.Invalidf("List had incorrect size: expected %d but given %d; %s", t.Dim, len(list), javaString(list))
	}
	elems, err := t.elementsFromJSON(list)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, e := range elems {
		out = t.AppendItem(out, e)
	}
	return out, nil
}

// mapFromJSON reads keys from their text, or from the JSON that a key of a compound type holds.
func (t *Type) mapFromJSON(o *JSONObject) ([]byte, error) {
	var entries [][]byte
	for i, name := range o.Keys {
		if o.Values[i] == nil {
			return nil, cql.Invalidf("Invalid null value in map")
		}
		key, err := t.Elems[0].FromJSON(name)
		if err != nil {
			return nil, err
		}
		value, err := t.Elems[1].FromJSON(o.Values[i])
		if err != nil {
			return nil, err
		}
		entries = append(entries, key, value)
	}
	return t.AppendCollection(nil, sortEntries(t.Elems[0], entries, 2)), nil
}

// tupleFromJSON reads a field for each item; all must be given, null ones too.
func (t *Type) tupleFromJSON(list []any) ([]byte, error) {
	if len(list) > len(t.Elems) {
		return nil, cql.Invalidf("Tuple contains extra items (expected %d): %s", len(t.Elems), javaString(list))
	}
	if len(list) < len(t.Elems) {
		return nil, cql.Invalidf("Tuple is missing items (expected %d): %s", len(t.Elems), javaString(list))
	}
	var out []byte
	for i, x := range list {
		v, err := t.Elems[i].FromJSON(x)
		if err != nil {
			return nil, err
		}
		out = AppendField(out, v)
	}
	return out, nil
}

// udtFromJSON reads fields by name; those that are not given are null, unknown ones are refused.
func (t *Type) udtFromJSON(o *JSONObject) ([]byte, error) {
	given := make(map[string]any, len(o.Keys))
	for i, key := range o.Keys {
		given[JSONName(key)] = o.Values[i]
	}
	var out []byte
	for i, name := range t.Fields {
		v, err := t.Elems[i].FromJSON(given[name])
		if err != nil {
			return nil, err
		}
		out = AppendField(out, v)
		delete(given, name)
	}
	for _, key := range o.Keys {
		if name := JSONName(key); len(given) > 0 {
			if _, unknown := given[name]; unknown {
				return nil, cql.Invalidf("Unknown field '%s' in value of user defined type %s", name, t.Name)
			}
		}
	}
	return out, nil
}

// javaClass is the simple name of the Java class that Cassandra decodes the value to.
func javaClass(decoded any) string {
	switch x := decoded.(type) {
	case bool:
		return "Boolean"
	case string:
		return "String"
	case int64:
		if x == int64(int32(x)) {
			return "Integer"
		}
		return "Long"
	case *big.Int:
		return "BigInteger"
	case float64:
		return "Double"
	case []any:
		return "ArrayList"
	}
	return "LinkedHashMap"
}

// javaPackage is the package of that class, with a point at its end.
func javaPackage(decoded any) string {
	switch decoded.(type) {
	case []any, *JSONObject:
		return "java.util."
	case *big.Int:
		return "java.math."
	}
	return "java.lang."
}

// javaString prints a decoded value as Java's toString does.
func javaString(decoded any) string {
	switch x := decoded.(type) {
	case nil:
		return "null"
	case string:
		return x
	case int64:
		return strconv.FormatInt(x, 10)
	case *big.Int:
		return x.String()
	case float64:
		return string(appendFloat(nil, x, 64))
	case []any:
		var b strings.Builder
		for i, e := range x {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(javaString(e))
		}
		return "[" + b.String() + "]"
	case *JSONObject:
		var b strings.Builder
		for i, key := range x.Keys {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(key + "=" + javaString(x.Values[i]))
		}
		return "{" + b.String() + "}"
	}
	return fmt.Sprint(decoded)
}
