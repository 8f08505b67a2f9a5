package types

import (
	"strings"
	"unicode/utf8"
)

// AppendJSON appends v as SELECT JSON and to_json show it: null as null, an empty value that means nothing as "", NaN and
// infinities as null, blobs as "0x...", timestamps with a blank before the time. Bytes that are no value of t are
// appended as a blob. Source: the toJSONString methods of org.apache.cassandra.db.marshal; cql.md 2.19.
func (t *Type) AppendJSON(dst, v []byte) []byte {
	if v == nil {
		return append(dst, "null"...)
	}
	switch t.Kind {
	case Text, Ascii:
		return AppendJSONString(dst, string(v))
	case List, Set, Vector:
		return t.appendJSONArray(dst, v)
	case Map:
		return t.appendJSONMap(dst, v)
	case Tuple:
		return t.appendJSONTuple(dst, v)
	case UDT:
		return t.appendJSONObject(dst, v)
	}
	if t.Kind != Blob && len(v) == 0 {
		return append(dst, `""`...)
	}
	bare := false
	switch t.Kind {
	case Boolean, Tinyint, Smallint, Int, Bigint, Counter, Varint, Decimal:
		bare = t.wellFormed(v)
	case Float, Double:
		bare = t.wellFormed(v)
		if bare && t.isNotFinite(v) {
			return append(dst, "null"...)
		}
	}
	if bare {
		return t.appendNative(dst, v, ' ')
	}
	dst = append(dst, '"')
	if t.Kind == Blob || t.Kind == Custom || t.Kind == Empty {
		dst = appendHex(dst, v)
	} else {
		dst = t.appendNative(dst, v, ' ')
	}
	return append(dst, '"')
}

// isNotFinite reports whether the float or double v is NaN or infinite.
func (t *Type) isNotFinite(v []byte) bool {
	f := 0.0
	if t.Kind == Float {
		f = float64(Float32(v))
	} else {
		f = Float64(v)
	}
	return f-f != 0
}

// appendJSONBlob appends bytes that are no value of their type.
func appendJSONBlob(dst, v []byte) []byte { return append(appendHex(append(dst, '"'), v), '"') }

// appendJSONArray appends a list, set or vector.
func (t *Type) appendJSONArray(dst, v []byte) []byte {
	start, n, rest := len(dst), t.Dim, v
	if t.Kind != Vector {
		var err error
		if n, rest, err = Elements(v); err != nil {
			return appendJSONBlob(dst, v)
		}
	}
	dst = append(dst, '[')
	for i := range n {
		elem, tail, ok := cutValue(rest)
		if t.Kind == Vector {
			elem, tail, ok = t.NextItem(rest)
		}
		if !ok {
			return appendJSONBlob(dst[:start], v)
		}
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = t.Elems[0].AppendJSON(dst, elem)
		rest = tail
	}
	return append(dst, ']')
}

// appendJSONMap appends a map; a key whose JSON is not a string becomes one.
func (t *Type) appendJSONMap(dst, v []byte) []byte {
	start := len(dst)
	n, rest, err := Elements(v)
	if err != nil {
		return appendJSONBlob(dst, v)
	}
	dst = append(dst, '{')
	for i := range n {
		key, tail, ok := cutValue(rest)
		value, tail, ok2 := cutValue(tail)
		if !ok || !ok2 {
			return appendJSONBlob(dst[:start], v)
		}
		if i > 0 {
			dst = append(dst, ", "...)
		}
		at := len(dst)
		dst = t.Elems[0].AppendJSON(dst, key)
		if dst[at] != '"' {
			text := string(dst[at:])
			dst = AppendJSONString(dst[:at], text)
		}
		dst = append(dst, ": "...)
		dst = t.Elems[1].AppendJSON(dst, value)
		rest = tail
	}
	return append(dst, '}')
}

// appendJSONTuple appends a tuple as an array; fields missing at the end are null.
func (t *Type) appendJSONTuple(dst, v []byte) []byte {
	start, whole := len(dst), v
	dst = append(dst, '[')
	for i, e := range t.Elems {
		field, tail, _, err := NextField(v)
		if err != nil {
			return appendJSONBlob(dst[:start], whole)
		}
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = e.AppendJSON(dst, field)
		v = tail
	}
	return append(dst, ']')
}

// appendJSONObject appends a UDT.
func (t *Type) appendJSONObject(dst, v []byte) []byte {
	start, whole := len(dst), v
	dst = append(dst, '{')
	for i, e := range t.Elems {
		field, tail, _, err := NextField(v)
		if err != nil {
			return appendJSONBlob(dst[:start], whole)
		}
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = AppendJSONName(dst, t.Fields[i])
		dst = append(dst, ": "...)
		dst = e.AppendJSON(dst, field)
		v = tail
	}
	return append(dst, '}')
}

// AppendJSONName appends the name of a column or field as a key of JSON: in quotes of CQL within those of JSON when it has
// capitals. JSONName is its inverse.
func AppendJSONName(dst []byte, name string) []byte {
	if name != strings.ToLower(name) {
		name = `"` + name + `"`
	}
	return AppendJSONString(dst, name)
}

// JSONName returns the column or field that a key of JSON names: in lower case unless it stands in CQL quotes.
// Source: JsonUtils.handleCaseSensitivity.
func JSONName(key string) string {
	if len(key) > 1 && key[0] == '"' && key[len(key)-1] == '"' {
		return key[1 : len(key)-1]
	}
	return strings.ToLower(key)
}

// AppendJSONString appends s in quotes with the escapes that JSON demands and no others.
func AppendJSONString(dst []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		}
		i++
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			if c < ' ' {
				dst = append(dst, `\u00`...)
				dst = append(dst, digits[c>>4], digits[c&0xf])
				continue
			}
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
