package types

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// compatTypes returns the class names that compat.tsv compares, each with each.
func compatTypes(t *testing.T) []string {
	data, err := os.ReadFile("testdata/compat_types")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(data))
}

func TestCompatGolden(t *testing.T) {
	names := compatTypes(t)
	golden(t, "compat.tsv", func(t *testing.T, typ *Type, args []string) {
		want := strings.Fields(args[1])
		for _, name := range names {
			other, err := ParseJavaName(name)
			if err != nil {
				t.Fatal(err)
			}
			got, w := false, slices.Contains(want, name)
			switch args[0] {
			case "valuecompat":
				got = typ.IsValueCompatibleWith(other)
			case "sercompat":
				got = typ.IsSerializationCompatibleWith(other)
			case "assignable":
				a := typ.AssignableFrom(other)
				got = a == NotAssignable || slices.Contains(want, fmt.Sprintf("%s=%d", name, a))
				w = a != NotAssignable || !slices.Contains(want, name+"=1") && !slices.Contains(want, name+"=2")
			}
			if got != w {
				t.Errorf("%s: %s from %s is %v, want %v", typ, args[0], other, got, w)
			}
		}
	})
}

func TestNamesGolden(t *testing.T) {
	golden(t, "names.tsv", func(t *testing.T, typ *Type, args []string) {
		if got := typ.JavaName(); got != args[0] {
			t.Errorf("class name of %s is %s, want %s", typ, got, args[0])
		}
		again, err := ParseJavaName(typ.JavaName())
		if err != nil || !again.Equal(typ) {
			t.Errorf("%s reads as %v, %v", typ.JavaName(), again, err)
		}
		if got := typ.String(); got != args[1] {
			t.Errorf("CQL name of %s is %s, want %s", args[0], got, args[1])
		}
		n, fixed := typ.FixedLen()
		if !fixed {
			n = -1
		}
		if got := fmt.Sprintln(n, typ.AllowsEmpty(), typ.EmptyIsNull()); got != args[2]+"\n" && typ.Kind != Custom {
			t.Errorf("%s: fixed length, allows empty, empty is null: %s, want %s", typ, got, args[2])
		}
		// Every CQL name reads back, given the user types in it.
		udts := map[string]*Type{}
		typ.eachUserType(func(u *Type) { udts[u.Name] = u })
		parsed, err := Parse(typ.String(), func(_, name string) *Type { return udts[name] })
		if err != nil || !parsed.Equal(typ) {
			t.Errorf("%s reads as %v, %v", typ, parsed, err)
		}
	})
}

// eachUserType calls f for every user type in t, unfrozen.
func (t *Type) eachUserType(f func(*Type)) {
	if t.Kind == UDT {
		u := *t
		u.Frozen = false
		f(&u)
	}
	for _, e := range t.Elems {
		e.eachUserType(f)
	}
}

func TestParse(t *testing.T) {
	udt := func(ks, name string) *Type {
		if ks == "" && name == "Addr" || ks == "k" && name == "addr" {
			return &Type{Kind: UDT, Keyspace: "k", Name: name, Fields: []string{"a"}, Elems: []*Type{TInt}}
		}
		return nil
	}
	for _, v := range []struct{ in, want string }{
		{"VARCHAR", "text"}, {" frozen < list< INT > > ", "frozen<list<int>>"}, {`list<frozen<"Addr">>`, `list<frozen<"Addr">>`},
		{"k.addr", "addr"}, {"map<text,frozen<map<int,text>>>", "map<text, frozen<map<int, text>>>"},
		{"vector<float,3>", "vector<float, 3>"},
		{"frozen<vector<int, 2>>", "vector<int, 2>"}, {"tuple<int,list<int>>", "frozen<tuple<int, frozen<list<int>>>>"},
		{"'Int32Type'", "int"}, {"'org.apache.cassandra.db.marshal.ReversedType(UTF8Type)'", "text"},
		{"'CompositeType(Int32Type)'", "'org.apache.cassandra.db.marshal.CompositeType(org.apache.cassandra.db.marshal.Int32Type)'"},
		{"frozen<map<text, list<int>>>", "frozen<map<text, frozen<list<int>>>>"},
	} {
		got, err := Parse(v.in, udt)
		if err != nil || got.String() != v.want {
			t.Errorf("%s is %v, %v, want %s", v.in, got, err, v.want)
		}
	}
	for _, in := range []string{
		"", "list", "list<", "list<int", "list<int,int>", "map<int>", "vector<int>", "vector<int,>", "vector<int,0>",
		"vector<int,2", "int>",
		"nope", "'nope.Foo'", "'ListType'", "'ListType(Int32Type'", "\"a", "tuple<>", "set<int>>", "'VectorType(Int32Type , x)'",
		"frozen<>",
		strings.Repeat("list<", 500) + "int" + strings.Repeat(">", 500), "'" + strings.Repeat("ListType(", 500) + "'",
	} {
		if got, err := Parse(in, udt); err == nil {
			t.Errorf("%.60s is taken for %s", in, got)
		}
	}
}

// FuzzParse holds that type names never break the readers, and that what they read prints and reads back the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"frozen<map<text, list<int>>>", "vector<float, 3>", "'CompositeType(Int32Type,UTF8Type)'", `tuple<"Addr", int>`,
		"org.apache.cassandra.db.marshal.UserType(ks,61,62:Int32Type)", "DynamicCompositeType(a=>Int32Type)",
		"VectorType(FloatType , 3)",
	} {
		f.Add(s)
	}
	udt := func(_, name string) *Type {
		return &Type{Kind: UDT, Keyspace: "ks", Name: name, Fields: []string{"a"}, Elems: []*Type{TInt}}
	}
	f.Fuzz(func(t *testing.T, s string) {
		if typ, err := Parse(s, udt); err == nil {
			again, err := Parse(typ.String(), udt)
			if err != nil || !again.Equal(typ) {
				t.Errorf("%q reads as %s, which reads as %v, %v", s, typ, again, err)
			}
		}
		if typ, err := ParseJavaName(s); err == nil {
			again, err := ParseJavaName(typ.JavaName())
			if err != nil || !again.Equal(typ) {
				t.Errorf("%q reads as %s, which reads as %v, %v", s, typ.JavaName(), again, err)
			}
		}
	})
}
