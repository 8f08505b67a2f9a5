package types

import (
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql"
)

// golden calls f for each line of testdata/name, split at tabs. The files hold answers of Apache Cassandra 5.0.6: its
// type classes were asked for each line, one class name first.
func golden(t *testing.T, name string, f func(t *testing.T, typ *Type, args []string)) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		typ, err := ParseJavaName(fields[0])
		if err != nil {
			t.Fatalf("%s: %v", fields[0], err)
		}
		f(t, typ, fields[1:])
	}
}

// unhex returns the bytes of "x00ff", nil for "null".
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	if s == "null" {
		return nil
	}
	b, err := hex.DecodeString(strings.TrimPrefix(s, "x"))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return b
}

// enhex is the inverse of unhex.
func enhex(v []byte) string {
	if v == nil {
		return "null"
	}
	return "x" + hex.EncodeToString(v)
}

// answer prints a result as the recorded files do; an error must be an InvalidRequest.
func answer(t *testing.T, value string, err error) string {
	t.Helper()
	if err == nil {
		return strings.TrimSuffix("ok "+value, " ")
	}
	e, ok := errors.AsType[*cql.Error](err)
	if !ok || e.Code != cql.CodeInvalid {
		t.Errorf("error %v is not an InvalidRequest", err)
	}
	return "err " + err.Error()
}

func TestCompareGolden(t *testing.T) {
	golden(t, "compare.tsv", func(t *testing.T, typ *Type, args []string) {
		words := strings.Fields(args[0])
		ranks := make(map[string]int)
		for i, w := range words {
			if i%2 == 0 {
				ranks[w] = i
				if i > 0 && words[i-1] == "=" {
					ranks[w] = ranks[words[i-2]]
				}
			}
		}
		for a, rankA := range ranks {
			for b, rankB := range ranks {
				got := typ.Compare(unhex(t, a), unhex(t, b))
				if want := rankA - rankB; (got < 0) != (want < 0) || (got > 0) != (want > 0) {
					t.Errorf("%s: compare(%s, %s) = %d, want the sign of %d", typ, a, b, got, want)
				}
			}
		}
	})
}

func TestValidateGolden(t *testing.T) {
	golden(t, "validate.tsv", func(t *testing.T, typ *Type, args []string) {
		want := args[1]
		if typ.IsCollection() && args[0] == "xffffffff" {
			// Cassandra's validate takes a count below 0 for none, but then fails to read the value.
			want = "err The data cannot be deserialized as a " + typ.Kind.String()
		}
		if got := answer(t, "", typ.Validate(unhex(t, args[0]))); got != want {
			t.Errorf("%s: validate(%s) = %q, want %q", typ, args[0], got, want)
		}
	})
}

func TestNormalizeGolden(t *testing.T) {
	golden(t, "bind.tsv", func(t *testing.T, typ *Type, args []string) {
		v, err := typ.Normalize(unhex(t, args[0]))
		if got := answer(t, enhex(v), err); got != args[1] {
			t.Errorf("%s: normalize(%s) = %q, want %q", typ, args[0], got, args[1])
		}
	})
}
