package types

import (
	"unicode/utf8"

	"github.com/helenusdb/helenus/cql"
)

// Validate reports whether v is a value of t, as an InvalidRequest with Cassandra's text. A nil v is null and passes.
// Collections may be unsorted; null elements are refused at any depth, but not null fields. Nothing is allocated that
// grows with a count in v. A counter is checked as a bigint.
//
// Source: the serializers' validate methods, org.apache.cassandra.serializers; TupleType, UserType and VectorType.validate.
func (t *Type) Validate(v []byte) error {
	if v == nil {
		return nil
	}
	switch t.Kind {
	case Blob, Varint, Custom:
		return nil
	case Ascii:
		return validateASCII(v)
	case Text:
		if !utf8Java(v) {
			return cql.Invalidf("String didn't validate.")
		}
		return nil
	case Boolean, Tinyint, Smallint, Int, Bigint, Counter, Float, Double, Timestamp, Date, Time:
		return t.validateLength(v)
	case Decimal:
		if len(v) > 0 && len(v) < 4 {
			return cql.Invalidf("Expected 0 or at least 4 bytes (%d)", len(v))
		}
		return nil
	case Inet:
		if len(v) != 0 && len(v) != 4 && len(v) != 16 {
			return cql.Invalidf("Expected 4 or 16 byte inetaddress; got %x", v)
		}
		return nil
	case UUID, Timeuuid:
		if len(v) != 0 && len(v) != 16 {
			return cql.Invalidf("UUID should be 16 or 0 bytes (%d)", len(v))
		}
		if t.Kind == Timeuuid && len(v) == 16 && v[6]&0xf0 != 0x10 {
			// Cassandra names the first digit of the UUID, not its version.
			return cql.Invalidf("Invalid version for TimeUUID type: 0x%x", v[0]>>4)
		}
		return nil
	case Duration:
		_, err := ParseDurationBytes(v)
		return err
	case List, Set, Map:
		return t.validateCollection(v, false)
	case Tuple, UDT:
		return t.validateFields(v)
	case Vector:
		return t.validateVector(v)
	}
	if len(v) > 0 {
		return cql.Invalidf("EmptyType only accept empty values")
	}
	return nil
}

// validateASCII reports the first byte above 127, as the signed number that Java sees.
func validateASCII(v []byte) error {
	for _, b := range v {
		if b >= 0x80 {
			return cql.Invalidf("Invalid byte for ascii: %d", int8(b))
		}
	}
	return nil
}

// utf8Java reports whether v is UTF-8 by the rules of Cassandra's UTF8Serializer: beside UTF-8 it takes surrogates, code
// points beyond 10ffff in four bytes, and c0 80 for a zero byte, but no other overlong form.
func utf8Java(v []byte) bool {
	if utf8.Valid(v) {
		return true
	}
	for len(v) > 0 {
		r, size := utf8.DecodeRune(v)
		if r == utf8.RuneError && size < 2 {
			if size = lenientLen(v); size == 0 {
				return false
			}
		}
		v = v[size:]
	}
	return true
}

// lenientLen returns the length of the sequence that v starts with, for those that only Cassandra takes; 0 if it is none.
func lenientLen(v []byte) int {
	size := 0
	switch b := v[0]; {
	case b == 0xc0:
		if len(v) > 1 && v[1] == 0x80 {
			return 2
		}
		return 0
	case b == 0xed:
		size = 3
	case b >= 0xf1 && b <= 0xf7:
		size = 4
	default:
		return 0
	}
	if len(v) < size {
		return 0
	}
	for _, b := range v[1:size] {
		if b < 0x80 || b > 0xbf {
			return 0
		}
	}
	return size
}

// validateLength checks the types whose values have one length, and perhaps none.
func (t *Type) validateLength(v []byte) error {
	want, text := 8, ""
	switch t.Kind {
	case Boolean:
		want, text = 1, "Expected 1 or 0 byte value (%d)"
	case Tinyint:
		want, text = 1, "Expected 1 byte for a tinyint (%d)"
	case Smallint:
		want, text = 2, "Expected 2 bytes for a smallint (%d)"
	case Int:
		want, text = 4, "Expected 4 or 0 byte int (%d)"
	case Bigint, Counter:
		text = "Expected 8 or 0 byte long (%d)"
	case Float:
		want, text = 4, "Expected 4 or 0 byte value for a float (%d)"
	case Double:
		text = "Expected 8 or 0 byte value for a double (%d)"
	case Timestamp:
		text = "Expected 8 or 0 byte long for date (%d)"
	case Date:
		want, text = 4, "Expected 4 byte long for date (%d)"
	case Time:
		text = "Expected 8 byte long for time (%d)"
	}
	if len(v) == want || len(v) == 0 && t.AllowsEmpty() {
		return nil
	}
	return cql.Invalidf(text, len(v))
}

// validateCollection checks a list, set or map; nulls says whether null elements pass.
func (t *Type) validateCollection(v []byte, nulls bool) error {
	n, rest, err := Elements(v)
	if err != nil {
		return t.errShort()
	}
	if v[0] >= 0x80 {
		return cql.Invalidf("The data cannot be deserialized as a %s", t.Kind)
	}
	for i := range n * len(t.Elems) {
		elem, tail, ok := cutValue(rest)
		if !ok {
			return t.errShort()
		}
		if elem == nil && !nulls {
			return cql.Invalidf("Null value read when not allowed")
		}
		if err := t.Elems[i%len(t.Elems)].Validate(elem); err != nil {
			return err
		}
		rest = tail
	}
	if len(rest) > 0 {
		return cql.Invalidf("Unexpected extraneous bytes after %s value", t.Kind)
	}
	return nil
}

// errShort is the error of a collection that ends before its count says.
func (t *Type) errShort() error { return cql.Invalidf("Not enough bytes to read a %s", t.Kind) }

// validateFields checks a tuple or a UDT: fields may be missing at the end, none may follow the last.
func (t *Type) validateFields(v []byte) error {
	for i, e := range t.Elems {
		if len(v) == 0 {
			return nil
		}
		field, tail, ok := cutValue(v)
		if !ok {
			size := "size of "
			if len(v) >= 4 {
				size = ""
			}
			if t.Kind == UDT {
				return cql.Invalidf("Not enough bytes to read %s%dth field %s", size, i, t.Fields[i])
			}
			return cql.Invalidf("Not enough bytes to read %s%dth component", size, i)
		}
		if err := e.Validate(field); err != nil {
			if t.Kind == UDT {
				return cql.Invalidf("Failure validating the %dth field %s; %s", i, t.Fields[i], err.Error())
			}
			return err
		}
		v = tail
	}
	if len(v) > 0 {
		name := "tuple"
		if t.Kind == UDT {
			name = "UDT"
		}
		return cql.Invalidf("Invalid remaining data after end of %s value", name)
	}
	return nil
}

// validateVector checks that a vector has all its elements and nothing behind them.
func (t *Type) validateVector(v []byte) error {
	if len(v) == 0 {
		return cql.Invalidf("Invalid empty vector value")
	}
	for range t.Dim {
		elem, tail, ok := t.NextItem(v)
		if !ok {
			return cql.Invalidf("Not enough bytes to read a %s", t)
		}
		if err := t.Elems[0].Validate(elem); err != nil {
			return err
		}
		v = tail
	}
	if len(v) > 0 {
		return cql.Invalidf("Unexpected %d extraneous bytes after %s value", len(v), t)
	}
	return nil
}
