package types

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// unescape undoes the escapes that the recorder puts into answers.
var unescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r")

// sameAnswer compares with a recorded answer.
func sameAnswer(got, want string) bool { return got == unescape.Replace(want) }

func TestTextGolden(t *testing.T) {
	golden(t, "text.tsv", func(t *testing.T, typ *Type, args []string) {
		v := unhex(t, args[0])
		var got string
		switch args[1] {
		case "string":
			if typ.Kind == Counter || typ.Kind == Custom {
				return // Cassandra prints a counter's bytes here, but CAST gives the number; a custom type has no text.
			}
			got = string(typ.AppendText(nil, v))
		case "json":
			if typ.Kind == Custom {
				return
			}
			got = string(typ.AppendJSON(nil, v))
		case "cqllit":
			got = string(typ.AppendCQL(nil, v))
		}
		if !sameAnswer(got, args[2]) {
			t.Errorf("%s: %s of %s is %q, want %q", typ, args[1], args[0], got, args[2])
		}
	})
}

func TestFromStringGolden(t *testing.T) {
	golden(t, "fromstring.tsv", func(t *testing.T, typ *Type, args []string) {
		s, err := strconv.Unquote(args[0])
		if err != nil {
			t.Fatalf("%s: %v", args[0], err)
		}
		v, err := typ.FromString(s)
		if got := answer(t, enhex(v), err); !sameAnswer(got, args[1]) {
			t.Errorf("%s: from string %s: %q, want %q", typ, args[0], got, args[1])
		}
	})
}

func TestFromJSONGolden(t *testing.T) {
	golden(t, "fromjson.tsv", func(t *testing.T, typ *Type, args []string) {
		s, err := strconv.Unquote(args[0])
		if err != nil {
			t.Fatalf("%s: %v", args[0], err)
		}
		var v []byte
		decoded, err := DecodeJSON(s)
		got := ""
		if err != nil {
			got = "err Error decoding JSON string: " + err.Error()
		} else {
			v, err = typ.FromJSON(decoded)
			got = answer(t, enhex(v), err)
		}
		if !sameAnswer(got, args[1]) {
			t.Errorf("%s: from JSON %s: %q, want %q", typ, args[0], got, args[1])
		}
	})
}

// constOf returns the class of a constant as CQL text, and the text as the parser hands it on.
func constOf(s string) (ConstKind, string) {
	_, isUUID := ParseUUID(s)
	switch last := s[len(s)-1]; {
	case s[0] == '\'':
		return ConstString, s[1 : len(s)-1]
	case s == "null":
		return ConstNull, ""
	case isUUID:
		return ConstUUID, s
	case strings.HasPrefix(strings.ToLower(s), "0x"):
		return ConstHex, s[2:]
	case strings.EqualFold(s, "true"):
		return ConstBoolean, s
	case strings.Trim(s, "-0123456789") == "":
		return ConstInteger, s
	case strings.HasSuffix(s, "NaN") || strings.HasSuffix(s, "Infinity"):
		return ConstFloat, s
	case last >= '0' && last <= '9':
		return ConstFloat, s
	}
	return ConstDuration, s
}

func TestFromConstantGolden(t *testing.T) {
	golden(t, "literal.tsv", func(t *testing.T, typ *Type, args []string) {
		s, err := strconv.Unquote(args[0])
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(args[1], " constant (") || typ.Kind == Custom {
			return // the planner refuses it by class
		}
		kind, text := constOf(s)
		if typ.AcceptsConstant(kind) == NotAssignable {
			t.Errorf("%s does not accept %s", typ, s)
			return
		}
		v, err := typ.FromConstant(kind, text)
		if got := answer(t, enhex(v), err); !sameAnswer(got, args[1]) {
			t.Errorf("%s: constant %s: %q, want %q", typ, s, got, args[1])
		}
	})
}

func TestAcceptsConstantGolden(t *testing.T) {
	names := map[string]Assignability{
		"NOT_ASSIGNABLE": NotAssignable, "WEAKLY_ASSIGNABLE": WeaklyAssignable, "EXACT_MATCH": ExactMatch,
	}
	order := []ConstKind{ConstString, ConstInteger, ConstUUID, ConstFloat, ConstBoolean, ConstHex, ConstDuration, ConstNull}
	golden(t, "assign.tsv", func(t *testing.T, typ *Type, args []string) {
		for i, want := range strings.Fields(args[0]) {
			if got := typ.AcceptsConstant(order[i]); got != names[want] {
				t.Errorf("%s: %s is %d, want %s", typ, order[i], got, want)
			}
		}
	})
}

// TestDurationNumbers holds that numbers beyond 64 bits are a fault of the server's kind, as in Cassandra.
func TestDurationNumbers(t *testing.T) {
	_, err := ParseDuration("9223372036854775808ns")
	if err == nil || err.Error() != `java.lang.NumberFormatException: For input string: "9223372036854775808"` {
		t.Errorf("error is %v", err)
	}
	if _, ok := (DurationValue{Nanos: math.MinInt64}).Negate(); ok {
		t.Error("the least number of nanoseconds has a negation")
	}
}

// FuzzText holds that the printers survive any bytes, and that valid values of native types read back from their CQL,
// JSON and plain text.
func FuzzText(f *testing.F) {
	f.Add(byte(5), []byte{0, 0, 0, 1, 10})
	f.Add(byte(10), []byte{0x80, 0, 0, 0, 0, 0, 0, 0})
	f.Add(byte(15), []byte{0xff, 0, 0, 1})
	f.Add(byte(23), []byte{0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 7})
	f.Fuzz(func(t *testing.T, kind byte, v []byte) {
		typ := fuzzTypes[int(kind)%len(fuzzTypes)]
		typ.AppendText(nil, v)
		typ.AppendCQL(nil, v)
		json := string(typ.AppendJSON(nil, v))
		decoded, err := DecodeJSON(json)
		if err != nil {
			if len(json) > maxJSONNumber && strings.Contains(err.Error(), "length") {
				return
			}
			t.Fatalf("%s: %x prints as %s, which is no JSON: %v", typ, v, json, err)
		}
		if typ.Validate(v) != nil || len(v) == 0 {
			return
		}
		switch typ.Kind {
		case Bigint, Boolean, UUID, Timeuuid, Date, Int, Smallint, Tinyint, Varint, Inet:
			text := string(typ.AppendText(nil, v))
			back, err := typ.FromString(text)
			if err != nil || typ.Compare(typ.canonical(v), typ.canonical(back)) != 0 {
				t.Errorf("%s: %x prints as %s, which reads as %x, %v", typ, v, text, back, err)
			}
			back, err = typ.FromJSON(decoded)
			if err != nil || typ.Compare(typ.canonical(v), typ.canonical(back)) != 0 {
				t.Errorf("%s: %x prints as %s, which reads as %x, %v", typ, v, json, back, err)
			}
		}
	})
}

// FuzzFromString holds that no text makes a value that is not valid.
func FuzzFromString(f *testing.F) {
	for kind, s := range map[byte]string{
		10: "2011-02-03 04:05:06+01:00", 19: "P1Y2M3DT4H5M6S", 5: "1e10", 14: "::1%x", 16: "1:2:3.4",
	} {
		f.Add(kind, s)
	}
	f.Fuzz(func(t *testing.T, kind byte, s string) {
		typ := fuzzTypes[int(kind)%len(fuzzTypes)]
		if !utf8.ValidString(s) || len(s) > 200 {
			return
		}
		v, err := typ.FromString(s)
		if err == nil && len(v) > 0 && typ.Validate(v) != nil {
			t.Errorf("%s: %q gives %x: %v", typ, s, v, typ.Validate(v))
		}
	})
}

// FuzzFromJSON holds that JSON makes valid values or errors.
func FuzzFromJSON(f *testing.F) {
	f.Add(byte(23), `{"1": 2.5}`)
	f.Add(byte(25), `{"a": 1, "\"B\"": ["1d", "2h"]}`)
	f.Add(byte(27), `["a", "\u00e9"]`)
	f.Fuzz(func(t *testing.T, kind byte, s string) {
		typ := fuzzTypes[int(kind)%len(fuzzTypes)]
		decoded, err := DecodeJSON(s)
		if err != nil || !utf8.ValidString(s) {
			return
		}
		v, err := typ.FromJSON(decoded)
		if strings.Contains(s, `""`) {
			return // Cassandra keeps it as an empty value even of types that have none: a duration in a list
		}
		if err == nil && len(v) > 0 && typ.Validate(v) != nil {
			t.Errorf("%s: %q gives %x: %v", typ, s, v, typ.Validate(v))
		}
	})
}
