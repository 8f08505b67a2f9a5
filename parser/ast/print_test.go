package ast

import "testing"

// TestPrint prints trees made by hand: what must be quoted, and where blanks keep tokens apart.
func TestPrint(t *testing.T) {
	lit := func(kind LiteralKind, text string) *Literal { return &Literal{kind, text, 0} }
	int5 := lit(IntegerLiteral, "5")
	for _, c := range []struct {
		e    Expr
		want string
	}{
		{&Column{"a"}, "a"},
		{&Column{"A"}, `"A"`},
		{&Column{`a"b`}, `"a""b"`},
		{&Column{""}, `""`},
		{&Column{"select"}, `"select"`},
		{&Column{"true"}, `"true"`},
		{&Column{"json"}, `"json"`},
		{lit(StringLiteral, "it's"), "'it''s'"},
		{lit(HexLiteral, "ca"), "0xca"},
		{lit(NullLiteral, ""), "null"},
		{&Marker{0, "A b"}, `:"A b"`},
		{&Negate{lit(FloatLiteral, "Infinity")}, "- Infinity"},
		{&Negate{&Negate{&Column{"a"}}}, "- - a"},
		{&Binary{'-', &Column{"a"}, lit(IntegerLiteral, "-5")}, "a - -5"},
		{&Field{int5, "f"}, "5 .f"},
		{&Slice{&Column{"m"}, int5, nil}, "m[5 .. ]"},
		{&Slice{&Column{"m"}, nil, int5}, "m[ .. 5]"},
		{&Element{&Column{"m"}, &Call{Func: Name{"", "ttl"}, Args: []Expr{int5}}}, `m["ttl"(5)]`},
		{&Call{Func: Name{"", "ttl"}, Args: []Expr{&Column{"v"}}}, "ttl(v)"},
		{&Call{Func: Name{"ks", "ttl"}}, `ks."ttl"()`},
		{&Call{Func: Name{"", "expr"}}, `"expr"()`},
		{&Call{Func: Name{"", "token"}}, "token()"},
		{&Call{Func: Name{"", "count"}, Star: true}, "count(*)"},
		{&TypeHint{&TypeName{Name: "list", Params: []*TypeName{{Name: "int"}}, Frozen: true}, &List{}}, "(frozen<list<int>>)[]"},
		{&TypeHint{&TypeName{Name: "int", IsUser: true}, int5}, `("int")5`},
		{&TypeHint{&TypeName{Keyspace: "K", Name: "u", IsUser: true}, int5}, `("K".u)5`},
		{&TypeHint{&TypeName{Name: "vector", Params: []*TypeName{{Name: "float"}}, Dim: 3}, int5}, "(vector<float, 3>)5"},
		{&TypeHint{&TypeName{Class: "a'b"}, int5}, "('a''b')5"},
		{&Cast{&Column{"a"}, &TypeName{Name: "text"}}, "CAST(a AS text)"},
		{&Set{}, "{}"},
		{&Map{[]Expr{int5}, []Expr{&Marker{}}}, "{5: ?}"},
		{&UDT{[]string{"F"}, []Expr{int5}}, `{"F": 5}`},
		{&Tuple{[]Expr{int5, int5}}, "(5, 5)"},
	} {
		if got := Print(c.e); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// TestWalk wants every expression of a statement visited once.
func TestWalk(t *testing.T) {
	n := 0
	leaf := func() Expr { return &Column{"c"} }
	Walk(&Batch{
		Using: Using{leaf(), leaf()},
		Statements: []Statement{
			&Insert{Values: []Expr{leaf(), leaf()}, JSON: leaf(), Using: Using{TTL: leaf()}},
			&Update{
				Set:   []Assignment{{Key: leaf(), Value: leaf()}},
				Where: []Relation{{Key: leaf(), Value: leaf(), Values: []Expr{leaf()}}},
				If:    []Condition{{Key: leaf(), Value: leaf(), Values: []Expr{leaf()}}},
			},
			&Delete{Columns: []Assignment{{Key: leaf()}}},
		},
	}, func(Expr) { n++ })
	if n != 15 {
		t.Errorf("%d visits", n)
	}
	n = 0
	Walk(&Select{
		Items: []SelectItem{
			{Expr: &Call{Args: []Expr{&Binary{'+', leaf(), &Negate{leaf()}}}}},
			{Expr: &Slice{leaf(), leaf(), leaf()}},
			{Expr: &Map{[]Expr{leaf()}, []Expr{&UDT{[]string{"f"}, []Expr{leaf()}}}}},
			{Expr: &Field{&Element{&Tuple{[]Expr{leaf()}}, leaf()}, "f"}},
			{Expr: &TypeHint{nil, &Cast{&List{[]Expr{&Set{[]Expr{leaf()}}}}, nil}}},
		},
		GroupBy: []Expr{leaf()}, OrderBy: []Order{{ANN: leaf()}}, PerPartitionLimit: leaf(), Limit: leaf(),
	}, func(Expr) { n++ })
	if n != 27 {
		t.Errorf("%d visits", n)
	}
}
