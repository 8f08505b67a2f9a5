package types

import (
	"encoding/hex"
	"strings"
)

// wellFormed reports whether v has a length that a value of the native type t can have and that is not too long to print;
// the printers take other bytes for a blob instead of failing.
func (t *Type) wellFormed(v []byte) bool {
	switch t.Kind {
	case Boolean, Tinyint:
		return len(v) == 1
	case Smallint:
		return len(v) == 2
	case Int, Float, Date:
		return len(v) == 4
	case Bigint, Counter, Double, Timestamp, Time:
		return len(v) == 8
	case UUID, Timeuuid:
		return len(v) == 16
	case Inet:
		return len(v) == 4 || len(v) == 16
	case Decimal:
		return len(v) >= 4 && len(v) <= maxNumberBytes
	case Varint:
		return len(v) > 0 && len(v) <= maxNumberBytes
	case Duration:
		_, err := ParseDurationBytes(v)
		return err == nil
	}
	return true
}

// appendHex appends v as 0x and hex digits.
func appendHex(dst, v []byte) []byte { return hex.AppendEncode(append(dst, "0x"...), v) }

// AppendText appends v as CAST(v AS text) gives it and as keys are shown in warnings: strings bare, blobs and collections
// as hex, tuples with colons between their fields. Null and empty append nothing. Bytes that are no value of t are
// appended as hex. Source: AbstractType.getString.
func (t *Type) AppendText(dst, v []byte) []byte {
	if len(v) == 0 {
		return dst
	}
	switch t.Kind {
	case Text, Ascii:
		return append(dst, v...)
	case Tuple, UDT:
		return t.appendTupleText(dst, v)
	case Blob, Custom, Empty, List, Set, Map, Vector:
		return hex.AppendEncode(dst, v)
	}
	return t.appendNative(dst, v, 'T')
}

// appendNative appends a value that is not empty of a native type other than strings and blobs; separator stands between
// date and time of a timestamp.
func (t *Type) appendNative(dst, v []byte, separator byte) []byte {
	if !t.wellFormed(v) {
		return appendHex(dst, v)
	}
	switch t.Kind {
	case Boolean:
		if Bool(v) {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case Tinyint, Smallint, Int, Bigint, Counter, Varint:
		return appendVarintText(dst, v)
	case Decimal:
		d, _ := ParseDecimalBytes(v)
		return d.AppendText(dst)
	case Float:
		return appendFloat(dst, float64(Float32(v)), 32)
	case Double:
		return appendFloat(dst, Float64(v), 64)
	case Timestamp:
		return appendTimestamp(dst, Int64(v), separator)
	case Date:
		return appendDate(dst, Days(v))
	case Time:
		return appendTime(dst, Int64(v))
	case Duration:
		d, _ := ParseDurationBytes(v)
		return d.Append(dst)
	case Inet:
		return appendInet(dst, v)
	case UUID, Timeuuid:
		return AppendUUIDText(dst, v)
	}
	return appendHex(dst, v)
}

// appendTupleText appends fields with colons between them, null as @, with backslashes before both in a field.
// Source: TupleType.getString.
func (t *Type) appendTupleText(dst, v []byte) []byte {
	for i, e := range t.Elems {
		field, tail, more, err := NextField(v)
		if err != nil {
			return appendHex(dst, v)
		}
		if !more {
			break
		}
		if i > 0 {
			dst = append(dst, ':')
		}
		if field == nil {
			dst = append(dst, '@')
		} else {
			text := string(e.AppendText(nil, field))
			dst = append(dst, tupleEscapes.Replace(text)...)
		}
		v = tail
	}
	return dst
}

// tupleEscapes takes their meaning from the characters that appendTupleText uses.
var tupleEscapes = strings.NewReplacer(":", `\:`, "@", `\@`)

// AppendCQL appends v as a CQL literal that DESCRIBE and traces show: strings quoted, blobs with 0x, null and empty
// values that mean nothing as null. Bytes that are no value of t are appended as a blob.
// Source: org.apache.cassandra.cql3.CQL3Type.toCQLLiteral.
func (t *Type) AppendCQL(dst, v []byte) []byte {
	if v == nil {
		return append(dst, "null"...)
	}
	switch t.Kind {
	case Text, Ascii:
		return appendQuoted(dst, string(v))
	case Blob, Custom:
		return appendHex(dst, v)
	case List, Set, Map:
		return t.appendCollectionCQL(dst, v)
	case Tuple, UDT:
		return t.appendFieldsCQL(dst, v)
	case Vector:
		return t.appendVectorCQL(dst, v)
	}
	if len(v) == 0 {
		return append(dst, "null"...)
	}
	switch t.Kind {
	case Timestamp, Date, Time, Inet:
		if t.wellFormed(v) {
			dst = t.appendNative(append(dst, '\''), v, 'T')
			return append(dst, '\'')
		}
	}
	return t.appendNative(dst, v, 'T')
}

// appendQuoted appends s in quotes; a quote in it is doubled.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '\'')
	dst = append(dst, strings.ReplaceAll(s, "'", "''")...)
	return append(dst, '\'')
}

// appendCollectionCQL appends [a, b], {a, b} or {k: v}.
func (t *Type) appendCollectionCQL(dst, v []byte) []byte {
	open, closing := byte('{'), byte('}')
	if t.Kind == List {
		open, closing = '[', ']'
	}
	start := len(dst)
	dst = append(dst, open)
	n, rest, err := Elements(v)
	for i := 0; i < n*len(t.Elems) && err == nil; i++ {
		var elem []byte
		if elem, rest, err = NextElement(rest); err == nil {
			if i%len(t.Elems) == 1 {
				dst = append(dst, ": "...)
			} else if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = t.Elems[i%len(t.Elems)].AppendCQL(dst, elem)
		}
	}
	if err != nil {
		return appendHex(dst[:start], v)
	}
	return append(dst, closing)
}

// appendFieldsCQL appends (a, b) or {field: a}, without fields that v ends before.
func (t *Type) appendFieldsCQL(dst, v []byte) []byte {
	open, closing := byte('('), byte(')')
	if t.Kind == UDT {
		open, closing = '{', '}'
	}
	start, whole := len(dst), v
	dst = append(dst, open)
	for i, e := range t.Elems {
		field, tail, more, err := NextField(v)
		if err != nil {
			return appendHex(dst[:start], whole)
		}
		if !more {
			break
		}
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if t.Kind == UDT {
			dst = append(dst, QuoteIdent(t.Fields[i])...)
			dst = append(dst, ": "...)
		}
		dst = e.AppendCQL(dst, field)
		v = tail
	}
	return append(dst, closing)
}

// appendVectorCQL appends [a, b].
func (t *Type) appendVectorCQL(dst, v []byte) []byte {
	start, whole := len(dst), v
	dst = append(dst, '[')
	for i := range t.Dim {
		item, tail, ok := t.NextItem(v)
		if !ok {
			return appendHex(dst[:start], whole)
		}
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = t.Elems[0].AppendCQL(dst, item)
		v = tail
	}
	return append(dst, ']')
}
