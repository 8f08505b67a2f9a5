package types

import (
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// FromString returns the value of t that s spells, as in quotes in CQL text, in JSON strings and as JSON map keys. An empty
// s is the empty value, where t has one. Blobs are hex without 0x here. Tuples take their AppendText form; collections,
// UDTs and vectors have none. The error is an InvalidRequest with Cassandra's text.
//
// Source: the fromString methods of org.apache.cassandra.db.marshal.
func (t *Type) FromString(s string) ([]byte, error) {
	if s == "" {
		switch t.Kind {
		case Boolean:
			return []byte{0}, nil
		case Date, Time, List, Set, Map, Vector:
		default:
			return []byte{}, nil
		}
	}
	switch t.Kind {
	case Text:
		return []byte(s), nil
	case Ascii:
		if validateASCII([]byte(s)) != nil {
			return nil, cql.Invalidf("Invalid ASCII character in string literal: " +
				"java.nio.charset.UnmappableCharacterException: Input length = 1")
		}
		return []byte(s), nil
	case Blob, Custom:
		v, err := hex.DecodeString(s)
		if err != nil {
			return nil, cql.Invalidf("cannot parse '%s' as hex bytes", s)
		}
		return v, nil
	case Boolean:
		switch {
		case strings.EqualFold(s, "true"):
			return []byte{1}, nil
		case strings.EqualFold(s, "false"):
			return []byte{0}, nil
		}
		return nil, cql.Invalidf("Unable to make boolean from '%s'", s)
	case Tinyint:
		n, err := parseInt(s, 8, "byte")
		return valueOr(AppendInt8(nil, int8(n)), err)
	case Smallint:
		n, err := parseInt(s, 16, "short")
		return valueOr(AppendInt16(nil, int16(n)), err)
	case Int:
		n, err := parseInt(s, 32, "int")
		return valueOr(AppendInt32(nil, int32(n)), err)
	case Bigint, Counter:
		n, err := parseInt(s, 64, "long")
		return valueOr(AppendInt64(nil, n), err)
	case Varint:
		if len(s) > maxNumberDigits {
			return nil, errLongNumber
		}
		n, ok := parseBigInt(s)
		if !ok {
			return nil, cql.Invalidf("unable to make int from '%s'", s)
		}
		return AppendVarint(nil, n), nil
	case Decimal:
		if len(s) > maxNumberDigits {
			return nil, errLongNumber
		}
		d, ok := ParseDecimal(s)
		if !ok {
			return nil, cql.Invalidf("unable to make BigDecimal from '%s'", s)
		}
		return AppendDecimal(nil, d), nil
	case Float:
		f, ok := parseFloat(s, 32)
		if !ok {
			return nil, cql.Invalidf("Unable to make float from '%s'", s)
		}
		return AppendFloat32(nil, float32(f)), nil
	case Double:
		f, ok := parseFloat(s, 64)
		if !ok {
			return nil, cql.Invalidf("Unable to make double from '%s'", s)
		}
		return AppendFloat64(nil, f), nil
	case Timestamp:
		ms, err := ParseTimestamp(s)
		return valueOr(AppendInt64(nil, ms), err)
	case Date:
		return parseDate(s)
	case Time:
		return parseTime(s)
	case Duration:
		d, err := ParseDuration(s)
		return valueOr(AppendDuration(nil, d), err)
	case Inet:
		return parseInet(s)
	case UUID, Timeuuid:
		return t.parseUUIDValue(s)
	case Tuple:
		return t.parseTuple(s)
	}
	return nil, cql.Invalidf("cannot parse '%s' as %s", s, t)
}

// errLongNumber is returned for a varint or decimal of more digits than are read.
var errLongNumber = cql.Invalidf("A number may not have more than %d digits", maxNumberDigits)

// valueOr returns v, or nil when there is an error.
func valueOr(v []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// parseInt reads a signed number of the given bits with an optional sign; name is Java's for it.
func parseInt(s string, bits int, name string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, bits)
	if err != nil {
		return 0, cql.Invalidf("Unable to make %s from '%s'", name, s)
	}
	return n, nil
}

// isDigits reports whether s is one or more ASCII digits.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// parseBigInt reads digits with an optional sign.
func parseBigInt(s string) (*big.Int, bool) {
	digits := s
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		digits = s[1:]
	}
	if !isDigits(digits) {
		return nil, false
	}
	return new(big.Int).SetString(s, 10)
}

// ParseDecimal reads a decimal as Java's BigDecimal does: digits with an optional sign, point and exponent. Zeros at the
// end count. ok is false for anything else and for a scale that is not an int32.
func ParseDecimal(s string) (d BigDecimal, ok bool) {
	mantissa, exponent := s, int64(0)
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa = s[:i]
		// Beyond 32 bits no scale can be right, but leading zeros may make the exponent long.
		n, err := strconv.ParseInt(s[i+1:], 10, 64)
		if err != nil || n > math.MaxInt32 || n < -math.MaxInt32 {
			return BigDecimal{}, false
		}
		exponent = n
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") || strings.HasPrefix(whole, "+") {
		sign, whole = whole[:1], whole[1:]
	}
	digits := whole + fraction
	scale := int64(len(fraction)) - exponent
	if !isDigits(digits) || scale != int64(int32(scale)) {
		return BigDecimal{}, false
	}
	n, ok := new(big.Int).SetString(sign+digits, 10)
	return BigDecimal{n, int32(scale)}, ok
}

// parseFloat reads a float as Java does: blanks around it, a suffix f or d, hexadecimal forms; out of range is infinite.
func parseFloat(s string, bits int) (float64, bool) {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	unsigned := strings.TrimLeft(s, "+-")
	if len(s)-len(unsigned) > 1 {
		return 0, false
	}
	switch unsigned {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		if s[0] == '-' {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	}
	if unsigned == "" || unsigned[0] != '.' && (unsigned[0] < '0' || unsigned[0] > '9') || strings.Contains(s, "_") {
		return 0, false
	}
	isHex := len(unsigned) > 1 && (unsigned[1] == 'x' || unsigned[1] == 'X')
	if last := s[len(s)-1] | 0x20; (last == 'f' || last == 'd') && (!isHex || strings.ContainsAny(s, "pP")) {
		s = s[:len(s)-1]
	}
	f, err := strconv.ParseFloat(s, bits)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// parseTuple reads fields between colons: @ is null, a backslash takes their meaning from both.
// Source: TupleType.fromString.
func (t *Type) parseTuple(s string) ([]byte, error) {
	fields := splitTuple(s)
	if len(fields) > len(t.Elems) {
		return nil, cql.Invalidf("Invalid tuple literal: too many elements. Type %s expects %d but got %d",
			t, len(t.Elems), len(fields))
	}
	var out []byte
	for i, f := range fields {
		if f == "@" {
			out = AppendField(out, nil)
			continue
		}
		v, err := t.Elems[i].FromString(strings.NewReplacer(`\:`, ":", `\@`, "@").Replace(f))
		if err != nil {
			return nil, err
		}
		out = AppendField(out, v)
	}
	return out, nil
}

// splitTuple splits s at colons that no backslash stands before.
func splitTuple(s string) []string {
	var fields []string
	start := 0
	for i := range len(s) {
		if s[i] == ':' && (i == 0 || s[i-1] != '\\') {
			fields = append(fields, s[start:i])
			start = i + 1
		}
	}
	return append(fields, s[start:])
}
