package function

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/types"
)

// term makes the argument of a recorded call: a class name behind #, or CQL text.
func term(t *testing.T, text string) Arg {
	t.Helper()
	constant := func(kind types.ConstKind, own *types.Type) Arg {
		return Arg{Text: text, Type: own, Assignable: func(to *types.Type) types.Assignability {
			switch {
			case to.Equal(own):
				return types.ExactMatch
			case to.AcceptsConstant(kind) != types.NotAssignable:
				return types.WeaklyAssignable
			}
			return types.NotAssignable
		}}
	}
	literal := func(own *types.Type, fits func(to *types.Type) bool) Arg {
		return Arg{Text: text, Type: own, Assignable: func(to *types.Type) types.Assignability {
			if fits(to) {
				return types.WeaklyAssignable
			}
			return types.NotAssignable
		}}
	}
	switch {
	case strings.HasPrefix(text, "#"):
		typ, err := types.ParseJavaName(text[1:])
		if err != nil {
			t.Fatal(err)
		}
		a := typed(typ)
		a.Text = typ.JavaName()
		return a
	case text == "?":
		return Arg{Text: text, Marker: true, Assignable: func(*types.Type) types.Assignability { return types.WeaklyAssignable }}
	case text == "null":
		a := constant(types.ConstNull, nil)
		a.Text, a.Type = "NULL", nil
		return a
	case text[0] == '\'':
		return constant(types.ConstString, types.TAscii)
	case strings.HasPrefix(text, "0x"):
		return constant(types.ConstHex, types.TTinyint)
	case strings.HasSuffix(text, "d") || strings.HasSuffix(text, "h"):
		return constant(types.ConstDuration, types.TDuration)
	case strings.Contains(text, "[") || strings.Contains(text, "{"):
		own := map[string]*types.Type{
			"{'a','b'}": types.SetOf(types.TAscii, true), "{1,2}": types.SetOf(types.TInt, true),
			"{'a':1}": types.MapOf(types.TAscii, types.TInt, true),
		}[text]
		n := strings.Count(text, ",") + 1
		text = strings.NewReplacer(",", ", ", ":", ": ").Replace(text)
		return literal(own, func(to *types.Type) bool {
			return own != nil && own.Kind == to.Kind || own == nil && (to.Kind == types.List || to.Kind == types.Vector && to.Dim == n)
		})
	case strings.Contains(text, "."):
		return constant(types.ConstFloat, types.TDouble)
	case len(text) > 9:
		return constant(types.ConstInteger, types.TBigint)
	}
	return constant(types.ConstInteger, types.TInt)
}

// sortSignatures puts the signatures that a message lists in order, for Cassandra lists them in none.
func sortSignatures(s string) string {
	head, tail, ok := strings.Cut(s, "signatures: ")
	if !ok {
		return s
	}
	end := strings.LastIndexByte(tail, ')')
	all := strings.Split(tail[:end], ", system.")
	all[0] = strings.TrimPrefix(all[0], "system.")
	slices.Sort(all)
	return head + "signatures: " + strings.Join(all, ", ") + tail[end:]
}

// TestResolveGolden compares which function calls mean with recorded answers of Cassandra 5.0.6: name, arguments, receiver,
// answer.
func TestResolveGolden(t *testing.T) {
	data, err := os.ReadFile("testdata/resolve.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		field := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		ks, name, ok := strings.Cut(field[0], ".")
		if !ok {
			ks, name = "", field[0]
		}
		var args []Arg
		for _, text := range splitTop(field[1]) {
			args = append(args, term(t, text))
		}
		var receiver *types.Type
		if field[2] != "" {
			if receiver, err = types.ParseJavaName(field[2]); err != nil {
				t.Fatal(err)
			}
		}
		got := "none"
		f, err := Resolve(ks, name, args, receiver)
		switch {
		case err != nil:
			got = "err " + err.Error()
		case f != nil:
			got = "ok " + f.String()
		}
		if sortSignatures(got) != sortSignatures(field[3]) {
			t.Errorf("%s(%s) for %v:\n got %s\nwant %s", field[0], field[1], receiver, got, field[3])
		}
	}
}
