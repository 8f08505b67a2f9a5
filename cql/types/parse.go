package types

import (
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// nativeNames finds the native types by CQL name.
var nativeNames = map[string]*Type{
	"ascii": TAscii, "bigint": TBigint, "blob": TBlob, "boolean": TBoolean, "counter": TCounter, "decimal": TDecimal,
	"double": TDouble, "float": TFloat, "int": TInt, "text": TText, "varchar": TText, "timestamp": TTimestamp, "uuid": TUUID,
	"varint": TVarint, "timeuuid": TTimeuuid, "inet": TInet, "date": TDate, "time": TTime, "smallint": TSmallint,
	"tinyint": TTinyint, "duration": TDuration, "empty": TEmpty,
}

// Native returns the native type of a CQL name in lower case, "varchar" included, or nil.
func Native(name string) *Type { return nativeNames[name] }

// Parse returns the type of a CQL spelling as system_schema.columns.type shows it: "frozen<map<text, int>>",
// "list<frozen<\"My Type\">>", "vector<float, 3>", "'org.apache.cassandra.db.marshal.CompositeType(...)'".
// udt is asked for each user type, with "" for a keyspace that is not written; nil from it is an InvalidRequest
// `Unknown type x`. What does not parse is a SyntaxException. Whether a frozen<> that rules ask for is missing is not
// checked.
func Parse(s string, udt func(ks, name string) *Type) (*Type, error) {
	p := &nameParser{s: s}
	t, err := p.cqlType(udt, 0)
	if err != nil {
		return nil, err
	}
	if p.skip(); p.i < len(s) {
		return nil, p.cqlSyntax()
	}
	return t, nil
}

// cqlSyntax is the error for what does not parse at the current place.
func (p *nameParser) cqlSyntax() *cql.Error {
	return cql.Syntaxf("Invalid type '%s' at character %d", p.s, p.i)
}

// cqlType reads one type.
func (p *nameParser) cqlType(udt func(ks, name string) *Type, depth int) (*Type, error) {
	if depth > maxTypeDepth {
		return nil, p.cqlSyntax()
	}
	if p.take('\'') {
		class, ok := p.until('\'')
		if !ok {
			return nil, p.cqlSyntax()
		}
		return ParseJavaName(class)
	}
	name, quoted, ok := p.ident()
	if !ok {
		return nil, p.cqlSyntax()
	}
	if p.take('.') {
		typeName, _, ok := p.ident()
		if !ok {
			return nil, p.cqlSyntax()
		}
		return p.userType(udt, name, typeName)
	}
	if quoted {
		return p.userType(udt, "", name)
	}
	switch name {
	case "frozen", "list", "set", "map", "tuple", "vector":
		if p.take('<') {
			return p.cqlCompound(name, udt, depth)
		}
	}
	if t := nativeNames[name]; t != nil {
		return t, nil
	}
	return p.userType(udt, "", name)
}

// userType returns the user type of a name, or the error that there is none.
func (p *nameParser) userType(udt func(ks, name string) *Type, ks, name string) (*Type, error) {
	if t := udt(ks, name); t != nil {
		return t, nil
	}
	if ks != "" {
		name = ks + "." + name
	}
	return nil, cql.Invalidf("Unknown type %s", name)
}

// ident reads a name, folded to lower case unless it stands in double quotes.
func (p *nameParser) ident() (name string, quoted, ok bool) {
	if p.take('"') {
		name, ok = p.until('"')
		return name, true, ok
	}
	name = strings.ToLower(p.word(""))
	return name, false, name != ""
}

// until returns the text up to the next quote; two quotes stand for one.
func (p *nameParser) until(quote byte) (string, bool) {
	var b strings.Builder
	for ; p.i < len(p.s); p.i++ {
		if p.s[p.i] == quote {
			p.i++
			if p.i == len(p.s) || p.s[p.i] != quote {
				return b.String(), true
			}
		}
		b.WriteByte(p.s[p.i])
	}
	return "", false
}

// cqlCompound reads what stands between the angle brackets of a type and the closing one.
func (p *nameParser) cqlCompound(name string, udt func(ks, name string) *Type, depth int) (*Type, error) {
	var args []*Type
	for len(args) == 0 || p.take(',') {
		if name == "vector" && len(args) == 1 {
			return p.cqlVector(args[0])
		}
		t, err := p.cqlType(udt, depth+1)
		if err != nil {
			return nil, err
		}
		args = append(args, t)
	}
	want := 1
	switch name {
	case "map":
		want = 2
	case "tuple":
		want = len(args)
	}
	if !p.take('>') || len(args) != want || name == "vector" {
		return nil, p.cqlSyntax()
	}
	switch name {
	case "frozen":
		return args[0].Freeze(), nil
	case "list":
		return ListOf(args[0], false), nil
	case "set":
		return SetOf(args[0], false), nil
	case "map":
		return MapOf(args[0], args[1], false), nil
	}
	return TupleOf(args...).Freeze(), nil
}

// cqlVector reads the dimension of a vector and the closing bracket.
func (p *nameParser) cqlVector(elem *Type) (*Type, error) {
	dim, err := strconv.ParseInt(p.word(""), 10, 32)
	if err != nil || !p.take('>') {
		return nil, p.cqlSyntax()
	}
	if dim <= 0 {
		return nil, cql.Invalidf("vectors may only have positive dimensions; given %d", dim)
	}
	return VectorOf(elem, int(dim)).Freeze(), nil
}
