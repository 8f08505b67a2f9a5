package types

import (
	"encoding/hex"

	"github.com/helenusdb/helenus/cql"
)

// ConstKind is the class of a constant of CQL text, in the order of ast.LiteralKind.
// Source: org.apache.cassandra.cql3.Constants.Type.
type ConstKind uint8

// The classes. NaN and Infinity are ConstFloat.
const (
	ConstString ConstKind = iota
	ConstInteger
	ConstUUID
	ConstFloat
	ConstBoolean
	ConstHex
	ConstDuration
	ConstNull
)

// constNames holds what Cassandra calls the classes in error texts.
var constNames = [...]string{"STRING", "INTEGER", "UUID", "FLOAT", "BOOLEAN", "HEX", "DURATION", "NULL"}

// String returns the word that Cassandra's error texts have for the class.
func (k ConstKind) String() string { return constNames[k] }

// Assignability says how well a term suits a receiver; overloads are chosen by it.
// Source: org.apache.cassandra.cql3.AssignmentTestable.TestResult.
type Assignability uint8

// The degrees, worst first.
const (
	NotAssignable Assignability = iota
	WeaklyAssignable
	ExactMatch
)

// preferredTypes is the type by which a constant of each class is known when nothing else says its type; it is the one
// that is an exact match. A hex constant's is tinyint, as in Cassandra, although blob is meant.
var preferredTypes = [...]Kind{
	ConstString: Ascii, ConstInteger: Int, ConstUUID: UUID, ConstFloat: Double, ConstBoolean: Boolean, ConstHex: Tinyint,
	ConstDuration: Duration, ConstNull: Invalid,
}

// AcceptsConstant reports whether a constant of the given class may be assigned to t, by class alone.
// Source: Constants.Literal.testAssignment and Constants.NullLiteral.testAssignment.
func (t *Type) AcceptsConstant(kind ConstKind) Assignability {
	switch {
	case kind == ConstNull:
		if t.Kind == Counter {
			return NotAssignable
		}
		return WeaklyAssignable
	case t.Kind == Custom || t.Kind == Tuple:
		return WeaklyAssignable
	case t.Kind == preferredTypes[kind]:
		return ExactMatch
	}
	accepted := false
	switch t.Kind {
	case Text, Inet:
		accepted = kind == ConstString
	case Timestamp, Date, Time:
		accepted = kind == ConstString || kind == ConstInteger
	case Tinyint, Smallint, Bigint, Counter, Varint, Duration:
		accepted = kind == ConstInteger
	case Decimal, Float:
		accepted = kind == ConstInteger || kind == ConstFloat
	case Double:
		accepted = kind == ConstInteger
	case Timeuuid:
		accepted = kind == ConstUUID
	case Blob:
		accepted = kind == ConstHex
	}
	if accepted {
		return WeaklyAssignable
	}
	return NotAssignable
}

// FromConstant returns the value of a constant for a receiver of type t, nil for null. text is without quotes and a hex
// constant's without its 0x. The caller has made sure that t accepts the class; the error is about the text alone.
// Source: Constants.Literal.parsedValue.
func (t *Type) FromConstant(kind ConstKind, text string) ([]byte, error) {
	switch {
	case kind == ConstNull:
		return nil, nil
	case kind == ConstHex:
		v, err := hex.DecodeString(text)
		if err != nil {
			return nil, cql.Invalidf("cannot parse '%s' as hex bytes", text)
		}
		return v, t.Validate(v)
	case t.Kind == Counter:
		return TBigint.FromString(text)
	}
	return t.FromString(text)
}
