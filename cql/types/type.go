// Package types is the CQL types: how their values are validated, compared, parsed from text and JSON and
// printed to them. A value is []byte in wire form from the frame to the disk and back; it is decoded only for
// comparison, functions and printing. A nil value is null; an empty one is Cassandra's "empty" where the
// type allows it.
//
// Floor: above cql. Source: org.apache.cassandra.db.marshal, org.apache.cassandra.serializers; cql.md 1.3, 2.12.
package types

import "strings"

// Kind tells the types apart.
type Kind uint8

// The kinds. Varchar is Text: Cassandra knows one type by both names and prints it as text.
const (
	Invalid Kind = iota
	Custom       // a Java class of Cassandra's that has no CQL name; an opaque blob to us
	Ascii
	Bigint
	Blob
	Boolean
	Counter
	Decimal
	Double
	Float
	Int
	Text
	Timestamp
	UUID
	Varint
	Timeuuid
	Inet
	Date
	Time
	Smallint
	Tinyint
	Duration
	List
	Set
	Map
	Tuple
	UDT
	Vector
	Empty // org.apache.cassandra.db.marshal.EmptyType
)

// Type is one CQL type. It is immutable once built and may be shared between goroutines; two types are the
// same type when Equal says so, never by pointer.
type Type struct {
	Kind Kind
	// Frozen is true for a collection or UDT that is stored as one cell. Tuples and vectors are always
	// frozen. A native type leaves it false.
	Frozen bool
	// Elems holds the element types: list and set and vector 1, map 2 (key, value), tuple and UDT one a field.
	Elems []*Type
	// Dim is the number of elements of a vector.
	Dim int
	// Keyspace, Name and Fields name a UDT and its fields, in the order of their declaration.
	Keyspace, Name string
	Fields         []string
	// Class is the Java class of a Custom type.
	Class string
}

// The native types, one shared value each.
var (
	TAscii     = &Type{Kind: Ascii}
	TBigint    = &Type{Kind: Bigint}
	TBlob      = &Type{Kind: Blob}
	TBoolean   = &Type{Kind: Boolean}
	TCounter   = &Type{Kind: Counter}
	TDecimal   = &Type{Kind: Decimal}
	TDouble    = &Type{Kind: Double}
	TFloat     = &Type{Kind: Float}
	TInt       = &Type{Kind: Int}
	TText      = &Type{Kind: Text}
	TTimestamp = &Type{Kind: Timestamp}
	TUUID      = &Type{Kind: UUID}
	TVarint    = &Type{Kind: Varint}
	TTimeuuid  = &Type{Kind: Timeuuid}
	TInet      = &Type{Kind: Inet}
	TDate      = &Type{Kind: Date}
	TTime      = &Type{Kind: Time}
	TSmallint  = &Type{Kind: Smallint}
	TTinyint   = &Type{Kind: Tinyint}
	TDuration  = &Type{Kind: Duration}
	TEmpty     = &Type{Kind: Empty}
)

// ListOf returns list<elem>; frozen says whether it is one cell.
func ListOf(elem *Type, frozen bool) *Type {
	return &Type{Kind: List, Frozen: frozen, Elems: []*Type{elem}}
}

// SetOf returns set<elem>.
func SetOf(elem *Type, frozen bool) *Type {
	return &Type{Kind: Set, Frozen: frozen, Elems: []*Type{elem}}
}

// MapOf returns map<key, value>.
func MapOf(key, value *Type, frozen bool) *Type {
	return &Type{Kind: Map, Frozen: frozen, Elems: []*Type{key, value}}
}

// TupleOf returns tuple<elems...>, which is always frozen.
func TupleOf(elems ...*Type) *Type { return &Type{Kind: Tuple, Frozen: true, Elems: elems} }

// VectorOf returns vector<elem, dim>, which is always frozen.
func VectorOf(elem *Type, dim int) *Type {
	return &Type{Kind: Vector, Frozen: true, Elems: []*Type{elem}, Dim: dim}
}

var kindNames = [...]string{
	Invalid: "invalid", Custom: "custom", Ascii: "ascii", Bigint: "bigint", Blob: "blob", Boolean: "boolean", Counter: "counter",
	Decimal: "decimal", Double: "double", Float: "float", Int: "int", Text: "text", Timestamp: "timestamp", UUID: "uuid",
	Varint: "varint", Timeuuid: "timeuuid", Inet: "inet", Date: "date", Time: "time", Smallint: "smallint", Tinyint: "tinyint",
	Duration: "duration", List: "list", Set: "set", Map: "map", Tuple: "tuple", UDT: "udt", Vector: "vector", Empty: "empty",
}

// String returns the kind's CQL name.
func (k Kind) String() string { return kindNames[k] }

// IsCollection reports whether t is a list, set or map.
func (t *Type) IsCollection() bool { return t.Kind == List || t.Kind == Set || t.Kind == Map }

// IsMultiCell reports whether a column of t is stored as one cell per element or field: a collection or UDT
// that is not frozen. Source: AbstractType.isMultiCell.
func (t *Type) IsMultiCell() bool { return (t.IsCollection() || t.Kind == UDT) && !t.Frozen }

// Freeze returns t frozen to its leaves; t itself when it already is.
func (t *Type) Freeze() *Type {
	if len(t.Elems) == 0 {
		return t
	}
	c := *t
	c.Frozen = true
	c.Elems = make([]*Type, len(t.Elems))
	same := t.Frozen
	for i, e := range t.Elems {
		c.Elems[i] = e.Freeze()
		same = same && c.Elems[i] == e
	}
	if same {
		return t
	}
	return &c
}

// Equal reports whether a and b are the same type, frozenness included. Two UDTs are the same when keyspace,
// name, fields and field types are.
func (t *Type) Equal(b *Type) bool {
	if t == b {
		return true
	}
	if t == nil || b == nil || t.Kind != b.Kind || t.Frozen != b.Frozen || len(t.Elems) != len(b.Elems) || t.Dim != b.Dim ||
		t.Keyspace != b.Keyspace || t.Name != b.Name || t.Class != b.Class || len(t.Fields) != len(b.Fields) {
		return false
	}
	for i := range t.Fields {
		if t.Fields[i] != b.Fields[i] {
			return false
		}
	}
	for i := range t.Elems {
		if !t.Elems[i].Equal(b.Elems[i]) {
			return false
		}
	}
	return true
}

// String returns t as CQL spells it and system_schema shows it: "frozen<map<text, int>>", a UDT by its name
// (quoted where needed), a vector without frozen<>. Elements inside a frozen type repeat their own frozen<>.
func (t *Type) String() string {
	var b strings.Builder
	t.print(&b)
	return b.String()
}

func (t *Type) print(b *strings.Builder) {
	wrap := t.Frozen && (t.IsCollection() || t.Kind == UDT || t.Kind == Tuple)
	if wrap {
		b.WriteString("frozen<")
	}
	switch t.Kind {
	case List, Set, Map, Tuple, Vector:
		b.WriteString(t.Kind.String())
		b.WriteByte('<')
		for i, e := range t.Elems {
			if i > 0 {
				b.WriteString(", ")
			}
			e.print(b)
		}
		if t.Kind == Vector {
			b.WriteString(", ")
			b.WriteString(itoa(t.Dim))
		}
		b.WriteByte('>')
	case UDT:
		b.WriteString(QuoteIdent(t.Name))
	case Custom:
		b.WriteByte('\'')
		b.WriteString(t.Class)
		b.WriteByte('\'')
	default:
		b.WriteString(t.Kind.String())
	}
	if wrap {
		b.WriteByte('>')
	}
}
