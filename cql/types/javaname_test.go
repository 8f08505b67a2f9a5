package types

import (
	"strings"
	"testing"
)

// TestJavaNameFreezing holds the names that Cassandra 5.0.6 wrote into the header of a table: FrozenType is said once, around
// what is frozen, and of vectors around their elements.
func TestJavaNameFreezing(t *testing.T) {
	const u = "UserType(h1jn,75,61:ListType(Int32Type),62:VectorType(SetType(Int32Type) , 2))"
	for _, name := range []string{
		"FrozenType(MapType(DoubleType,VectorType(SetType(BytesType) , 3)))",
		"TupleType(VectorType(SetType(BytesType) , 3))",
		"VectorType(FrozenType(" + u + ") , 2)",
		"FrozenType(" + u + ")",
		"VectorType(TupleType(ListType(Int32Type)) , 2)",
		"MapType(Int32Type,VectorType(FrozenType(SetType(BytesType)) , 3))",
		"UserType(h1jn,75,61:FrozenType(ListType(Int32Type)),62:VectorType(FrozenType(SetType(Int32Type)) , 2))",
		"ListType(TupleType(" + u + ",VectorType(" + u + " , 2)))",
	} {
		typ, err := ParseJavaName(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(typ.JavaName(), marshalPackage, ""); got != name {
			t.Errorf("%s is printed as %s", name, got)
		}
	}
}
