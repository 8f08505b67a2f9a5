package types

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// marshalPackage is where Cassandra's type classes live; a name without dots is looked for there.
const marshalPackage = "org.apache.cassandra.db.marshal."

// nativeClasses holds the class of each native kind.
var nativeClasses = [...]string{
	Ascii: "AsciiType", Bigint: "LongType", Blob: "BytesType", Boolean: "BooleanType", Counter: "CounterColumnType",
	Decimal: "DecimalType", Double: "DoubleType", Float: "FloatType", Int: "Int32Type", Text: "UTF8Type",
	Timestamp: "TimestampType", UUID: "UUIDType", Varint: "IntegerType", Timeuuid: "TimeUUIDType", Inet: "InetAddressType",
	Date: "SimpleDateType", Time: "TimeType", Smallint: "ShortType", Tinyint: "ByteType", Duration: "DurationType",
	List: "ListType", Set: "SetType", Map: "MapType", Tuple: "TupleType", UDT: "UserType", Vector: "VectorType", Empty: "EmptyType",
}

// classTypes finds the native types by class, with the classes that older versions wrote.
var classTypes = map[string]*Type{
	"AsciiType": TAscii, "LongType": TBigint, "BytesType": TBlob, "BooleanType": TBoolean, "CounterColumnType": TCounter,
	"DecimalType": TDecimal, "DoubleType": TDouble, "FloatType": TFloat, "Int32Type": TInt, "UTF8Type": TText,
	"TimestampType": TTimestamp, "DateType": TTimestamp, "UUIDType": TUUID, "IntegerType": TVarint, "TimeUUIDType": TTimeuuid,
	"LegacyTimeUUIDType": TTimeuuid, "InetAddressType": TInet, "SimpleDateType": TDate, "TimeType": TTime, "ShortType": TSmallint,
	"ByteType": TTinyint, "DurationType": TDuration, "EmptyType": TEmpty,
}

// opaqueClasses are the type classes of Cassandra's that have no CQL name; true where they take parameters.
var opaqueClasses = map[string]bool{
	"CompositeType": true, "DynamicCompositeType": true, "ColumnToCollectionType": true,
	"LexicalUUIDType": false, "PartitionerDefinedOrder": true,
}

// JavaName returns t as the Java class string that custom type options, SSTable headers and metadata ids carry:
// "org.apache.cassandra.db.marshal.FrozenType(org.apache.cassandra.db.marshal.ListType(...))".
// Source: the toString methods of org.apache.cassandra.db.marshal.
func (t *Type) JavaName() string {
	var b strings.Builder
	t.printJava(&b, false)
	return b.String()
}

// printJava prints t; inFrozen leaves out FrozenType, which is said once around a frozen type and not within.
func (t *Type) printJava(b *strings.Builder, inFrozen bool) {
	if t.Kind == Custom {
		b.WriteString(t.Class)
		return
	}
	wrap := t.Frozen && !inFrozen && (t.IsCollection() || t.Kind == UDT)
	if wrap {
		b.WriteString(marshalPackage + "FrozenType(")
	}
	b.WriteString(marshalPackage)
	b.WriteString(nativeClasses[t.Kind])
	if len(t.Elems) > 0 || t.Kind == Tuple || t.Kind == UDT {
		b.WriteByte('(')
		// A vector, which is always frozen, does not say so and leaves it to its elements.
		t.printJavaParameters(b, inFrozen || t.Frozen && t.Kind != Vector)
		b.WriteByte(')')
	}
	if wrap {
		b.WriteByte(')')
	}
}

// printJavaParameters prints what stands in the parentheses of a class.
func (t *Type) printJavaParameters(b *strings.Builder, inFrozen bool) {
	if t.Kind == Vector {
		t.Elems[0].printJava(b, inFrozen)
		b.WriteString(" , ")
		b.WriteString(strconv.Itoa(t.Dim))
		return
	}
	if t.Kind == UDT {
		b.WriteString(t.Keyspace)
		b.WriteByte(',')
		b.WriteString(hex.EncodeToString([]byte(t.Name)))
	}
	for i, e := range t.Elems {
		if i > 0 || t.Kind == UDT {
			b.WriteByte(',')
		}
		if t.Kind == UDT {
			b.WriteString(hex.EncodeToString([]byte(t.Fields[i])))
			b.WriteByte(':')
		}
		e.printJava(b, inFrozen)
	}
}

// IsReversedName reports whether a Java class string is that of a ReversedType: of a column in descending order.
func IsReversedName(s string) bool {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(strings.TrimSpace(s), marshalPackage), "ReversedType")
	return ok && strings.HasPrefix(strings.TrimSpace(rest), "(")
}

// ParseJavaName returns the type of a Java class string, with or without package names. ReversedType is dropped: order
// belongs to the column (IsReversedName). A class of Cassandra's without a CQL name gives a Custom type; any other unknown class is a
// ConfigurationException, broken syntax a SyntaxException. Source: org.apache.cassandra.db.marshal.TypeParser.
func ParseJavaName(s string) (*Type, error) {
	p := &nameParser{s: s}
	t, err := p.javaType(0)
	if err != nil {
		return nil, err
	}
	if p.skip(); p.i < len(s) {
		return nil, p.javaSyntax("unexpected character '" + s[p.i:p.i+1] + "'")
	}
	return t, nil
}

// maxTypeDepth bounds the nesting of types read from text, which is walked recursively from then on.
const maxTypeDepth = 64

// nameParser reads type names, Java's and CQL's.
type nameParser struct {
	s string
	i int
}

// skip moves over blanks.
func (p *nameParser) skip() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\t' || p.s[p.i] == '\n' || p.s[p.i] == '\r') {
		p.i++
	}
}

// take moves over c and reports whether it stood there, blanks before it aside.
func (p *nameParser) take(c byte) bool {
	p.skip()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

// word returns the letters, digits and given other characters that come next.
func (p *nameParser) word(others string) string {
	p.skip()
	start := p.i
	for p.i < len(p.s) {
		c := p.s[p.i]
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && strings.IndexByte(others, c) < 0 {
			break
		}
		p.i++
	}
	return p.s[start:p.i]
}

// javaSyntax is the error for what does not parse at the current place.
func (p *nameParser) javaSyntax(what string) *cql.Error {
	return cql.Syntaxf("Syntax error parsing '%s' at char %d: %s", p.s, p.i, what)
}

// javaType reads one class and its parameters.
func (p *nameParser) javaType(depth int) (*Type, error) {
	if depth > maxTypeDepth {
		return nil, p.javaSyntax("types are nested too deeply")
	}
	class := strings.TrimPrefix(p.word(".-+&"), marshalPackage)
	if t := classTypes[class]; t != nil {
		return t, nil
	}
	switch class {
	case "FrozenType", "ReversedType", "ListType", "SetType", "MapType", "TupleType":
		args, err := p.javaArguments(depth)
		if err != nil {
			return nil, err
		}
		return p.javaCompound(class, args)
	case "VectorType":
		return p.javaVector(depth)
	case "UserType":
		return p.javaUserType(depth)
	}
	if _, ok := opaqueClasses[class]; ok {
		return p.javaOpaque(class, depth)
	}
	if !strings.Contains(class, ".") {
		class = marshalPackage + class
	}
	return nil, cql.Configf("Unable to find abstract-type class '%s'", class)
}

// javaArguments reads a list of types in parentheses.
func (p *nameParser) javaArguments(depth int) ([]*Type, error) {
	if !p.take('(') {
		return nil, p.javaSyntax("expecting '('")
	}
	var args []*Type
	for !p.take(')') {
		if len(args) > 0 && !p.take(',') {
			return nil, p.javaSyntax("expecting ',' or ')'")
		}
		t, err := p.javaType(depth + 1)
		if err != nil {
			return nil, err
		}
		args = append(args, t)
	}
	return args, nil
}

// javaCompound builds a type of arguments.
func (p *nameParser) javaCompound(class string, args []*Type) (*Type, error) {
	want := 1
	if class == "MapType" {
		want = 2
	}
	if class == "TupleType" {
		want = max(len(args), 1)
	}
	if len(args) != want {
		return nil, cql.Configf("%s takes exactly %d type parameters", class, want)
	}
	switch class {
	case "FrozenType":
		return args[0].Freeze(), nil
	case "ReversedType":
		return args[0], nil
	case "ListType":
		return ListOf(args[0], false), nil
	case "SetType":
		return SetOf(args[0], false), nil
	case "MapType":
		return MapOf(args[0], args[1], false), nil
	}
	return TupleOf(args...).Freeze(), nil
}

// javaVector reads (element , dimension).
func (p *nameParser) javaVector(depth int) (*Type, error) {
	if !p.take('(') {
		return nil, p.javaSyntax("expecting '('")
	}
	elem, err := p.javaType(depth + 1)
	if err != nil {
		return nil, err
	}
	if !p.take(',') {
		return nil, p.javaSyntax("expecting ','")
	}
	dim, err := strconv.ParseInt(p.word("-"), 10, 32)
	if err != nil || dim <= 0 {
		return nil, cql.Invalidf("vectors may only have positive dimensions; given %d", dim)
	}
	if !p.take(')') {
		return nil, p.javaSyntax("expecting ')'")
	}
	return VectorOf(elem, int(dim)).Freeze(), nil
}

// javaUserType reads (keyspace,hex name,hex field:type,...).
func (p *nameParser) javaUserType(depth int) (*Type, error) {
	t := &Type{Kind: UDT}
	if !p.take('(') {
		return nil, p.javaSyntax("expecting '('")
	}
	t.Keyspace = p.word("")
	if !p.take(',') {
		return nil, p.javaSyntax("expecting ','")
	}
	name, err := hex.DecodeString(p.word(""))
	if err != nil {
		return nil, p.javaSyntax(err.Error())
	}
	t.Name = string(name)
	for !p.take(')') {
		if !p.take(',') {
			return nil, p.javaSyntax("expecting ',' or ')'")
		}
		field, err := hex.DecodeString(p.word(""))
		if err != nil {
			return nil, p.javaSyntax(err.Error())
		}
		if !p.take(':') {
			return nil, p.javaSyntax("expecting ':'")
		}
		elem, err := p.javaType(depth + 1)
		if err != nil {
			return nil, err
		}
		t.Fields, t.Elems = append(t.Fields, string(field)), append(t.Elems, elem)
	}
	return t, nil
}

// javaOpaque reads a class without CQL name; its parameters are kept as text with full class names.
func (p *nameParser) javaOpaque(class string, depth int) (*Type, error) {
	name := marshalPackage + class
	if !opaqueClasses[class] || !p.take('(') {
		return &Type{Kind: Custom, Class: name}, nil
	}
	var b strings.Builder
	b.WriteString(name)
	b.WriteByte('(')
	for first := true; !p.take(')'); first = false {
		if !first && !p.take(',') {
			return nil, p.javaSyntax("expecting ',' or ')'")
		}
		if !first {
			b.WriteByte(',')
		}
		// A dynamic composite names its parameters: a=>LongType. A collection's are hex:type.
		mark := p.i
		if alias := p.word(""); p.take(':') {
			b.WriteString(alias + ":")
		} else if p.take('=') && p.take('>') {
			b.WriteString(alias + "=>")
		} else {
			p.i = mark
		}
		elem, err := p.javaType(depth + 1)
		if err != nil {
			return nil, err
		}
		elem.printJava(&b, false)
	}
	b.WriteByte(')')
	return &Type{Kind: Custom, Class: b.String()}, nil
}
