package types

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of JSON text that Cassandra's decoder has.
const (
	maxJSONDepth  = 1000
	maxJSONNumber = 1000
)

// JSONObject is a decoded JSON object: keys in the order in which they first stood; of equal keys the last value.
type JSONObject struct {
	Keys   []string
	Values []any
	index  map[string]int
}

// Get returns the value of key.
func (o *JSONObject) Get(key string) (value any, ok bool) {
	i, ok := o.index[key]
	if !ok {
		return nil, false
	}
	return o.Values[i], true
}

// put adds or replaces a member.
func (o *JSONObject) put(key string, value any) {
	if i, ok := o.index[key]; ok {
		o.Values[i] = value
		return
	}
	if o.index == nil {
		o.index = make(map[string]int)
	}
	o.index[key] = len(o.Keys)
	o.Keys, o.Values = append(o.Keys, key), append(o.Values, value)
}

// JSONError says why a text is no JSON, in the words of Cassandra's decoder, with the place as it prints it.
type JSONError struct{ Message, Place string }

// Error returns message and place.
func (e *JSONError) Error() string { return e.Message + e.Place }

// JavaError is the error as Cassandra prints it with its Java class.
func (e *JSONError) JavaError() string {
	class := "core.JsonParseException"
	switch {
	case strings.HasPrefix(e.Message, "No content"):
		class = "databind.exc.MismatchedInputException"
	case strings.HasPrefix(e.Message, "Unexpected end-of-input"):
		class = "core.io.JsonEOFException"
	case strings.Contains(e.Message, "`StreamReadConstraints."):
		class = "core.exc.StreamConstraintsException"
	}
	return "com.fasterxml.jackson." + class + ": " + e.Error()
}

// DecodeJSON decodes the JSON value that s starts with; what follows it behind a blank is ignored. The value is nil, bool,
// string, int64, *big.Int (beyond 64 bits), float64 (anything with point or exponent, infinite when out of range),
// []any or *JSONObject. The error is a *JSONError.
//
// Source: JsonUtils.decodeJson, which hands numbers with a point on as Java doubles, so that decimals lose digits.
func DecodeJSON(s string) (any, error) {
	d := &jsonDecoder{s: s}
	d.skip()
	if d.i == len(s) {
		line, _ := d.position(d.i)
		return nil, &JSONError{"No content to map due to end-of-input", fmt.Sprintf(place+"; line: %d]", line)}
	}
	v := d.value(0)
	if d.err != nil {
		return nil, d.err
	}
	if last := s[d.i-1]; d.i < len(s) && last >= '0' && last <= '9' && !isJSONSpace(s[d.i]) {
		d.unexpected(d.i, "Expected space separating root-level values")
		return nil, d.err
	}
	return v, nil
}

// place starts the place of an error.
const place = "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"

// jsonDecoder reads JSON text; the first error stays.
type jsonDecoder struct {
	s   string
	i   int
	err error
}

// isJSONSpace reports whether c may stand between tokens.
func isJSONSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// skip moves over blanks.
func (d *jsonDecoder) skip() {
	for d.i < len(d.s) && isJSONSpace(d.s[d.i]) {
		d.i++
	}
}

// position returns line and column of byte i, both from 1, columns in UTF-16 units.
func (d *jsonDecoder) position(i int) (line, column int) {
	before := d.s[:min(i, len(d.s))]
	line = 1 + strings.Count(before, "\n")
	for _, r := range before[strings.LastIndexByte(before, '\n')+1:] {
		column += max(utf16.RuneLen(r), 1)
	}
	return line, column + 1
}

// fail sets the error that is found at byte i.
func (d *jsonDecoder) fail(i int, format string, args ...any) {
	if d.err == nil {
		line, column := d.position(i)
		d.err = &JSONError{fmt.Sprintf(format, args...), fmt.Sprintf(place+"; line: %d, column: %d]", line, column)}
	}
}

// unexpected reports the character at byte i.
func (d *jsonDecoder) unexpected(i int, what string) {
	r, _ := utf8.DecodeRuneInString(d.s[i:])
	switch {
	case r < ' ':
		d.fail(i+1, "Illegal character ((CTRL-CHAR, code %d)): only regular white space (\\r, \\n, \\t) is allowed between tokens", r)
	case r > 255:
		d.fail(i, "Unexpected character ('%c' (code %d / 0x%x)): %s", r, r, r, what)
	default:
		d.fail(i, "Unexpected character ('%c' (code %d)): %s", r, r, what)
	}
}

// wantValue is what Cassandra's decoder says where a value should start.
const wantValue = "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

// value reads one value; d.i stands at its first character.
func (d *jsonDecoder) value(depth int) any {
	if depth > maxJSONDepth {
		d.fail(d.i, "Document nesting depth (%d) exceeds the maximum allowed (%d, from `StreamReadConstraints.getMaxNestingDepth()`)",
			depth, maxJSONDepth)
		return nil
	}
	switch c := d.s[d.i]; {
	case c == '{':
		return d.object(depth)
	case c == '[':
		return d.array(depth)
	case c == '"':
		return d.text()
	case c == '-' || c >= '0' && c <= '9':
		return d.number()
	case c == '+':
		d.fail(d.i+1, "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not allow numbers to have plus signs: "+
			"enable `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow")
	case c == '/':
		d.unexpected(d.i, "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not enabled "+
			"for parser)")
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		return d.word()
	default:
		d.unexpected(d.i, wantValue)
	}
	return nil
}

// word reads null, true or false.
func (d *jsonDecoder) word() any {
	start := d.i
	for d.i < len(d.s) {
		r, size := utf8.DecodeRuneInString(d.s[d.i:])
		if r != '_' && r != '$' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z') && r < utf8.RuneSelf {
			break
		}
		d.i += size
	}
	switch w := d.s[start:d.i]; w {
	case "null":
		return nil
	case "true":
		return true
	case "false":
		return false
	case "NaN", "Infinity", "INF":
		d.fail(d.i, "Non-standard token '%s': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow", w)
	default:
		d.fail(d.i, "Unrecognized token '%s': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", w)
	}
	return nil
}

// digits moves over digits and returns how many there were.
func (d *jsonDecoder) digits() int {
	start := d.i
	for d.i < len(d.s) && d.s[d.i] >= '0' && d.s[d.i] <= '9' {
		d.i++
	}
	return d.i - start
}

// badNumber reports what stands where a digit of a number should.
func (d *jsonDecoder) badNumber(what string) {
	if d.i >= len(d.s) {
		d.fail(d.i, "Unexpected end-of-input: %s", strings.ToLower(what[:1])+what[1:])
		return
	}
	r, _ := utf8.DecodeRuneInString(d.s[d.i:])
	d.fail(d.i, "Unexpected character ('%c' (code %d)) in numeric value: %s", r, r, what)
}

// number reads a number; d.i stands at its first character.
func (d *jsonDecoder) number() any {
	start := d.i
	if d.s[d.i] == '-' {
		d.i++
	}
	whole := d.i
	switch n := d.digits(); {
	case n == 0:
		d.badNumber("expected digit (0-9) to follow minus sign, for valid numeric value")
		return nil
	case n > 1 && d.s[whole] == '0':
		d.fail(whole+1, "Invalid numeric value: Leading zeroes not allowed")
		return nil
	}
	isFloat := false
	if d.i < len(d.s) && d.s[d.i] == '.' {
		isFloat = true
		d.i++
		if d.digits() == 0 {
			d.i--
			d.badNumber("Decimal point not followed by a digit")
			return nil
		}
	}
	if d.i < len(d.s) && d.s[d.i]|0x20 == 'e' {
		isFloat = true
		d.i++
		if d.i < len(d.s) && (d.s[d.i] == '+' || d.s[d.i] == '-') {
			d.i++
		}
		if d.digits() == 0 {
			d.badNumber("Exponent indicator not followed by a digit")
			return nil
		}
	}
	text := d.s[start:d.i]
	if len(text) > maxJSONNumber {
		d.fail(d.i, "Number value length (%d) exceeds the maximum allowed (%d, from `StreamReadConstraints.getMaxNumberLength()`)",
			len(text), maxJSONNumber)
		return nil
	}
	if isFloat {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil && !math.IsInf(f, 0) {
			d.fail(start, "Invalid numeric value")
		}
		return f
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	n, _ := new(big.Int).SetString(text, 10)
	return n
}

// text reads a string; d.i stands at its opening quote.
func (d *jsonDecoder) text() string {
	d.i++
	start := d.i
	for d.i < len(d.s) && d.s[d.i] != '"' && d.s[d.i] != '\\' && d.s[d.i] >= ' ' {
		d.i++
	}
	if d.i < len(d.s) && d.s[d.i] == '"' {
		d.i++
		return d.s[start : d.i-1]
	}
	b := []byte(d.s[start:d.i])
	for d.i < len(d.s) && d.err == nil {
		switch c := d.s[d.i]; {
		case c == '"':
			d.i++
			return string(b)
		case c == '\\':
			b = d.escape(b)
		case c < ' ':
			d.fail(d.i, "Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in "+
				"string value", c)
		default:
			b = append(b, c)
			d.i++
		}
	}
	d.fail(d.i, "Unexpected end-of-input: was expecting closing quote for a string value")
	return ""
}

// escape reads what stands behind a backslash. A surrogate without its pair becomes a question mark, as in Java's UTF-8.
func (d *jsonDecoder) escape(b []byte) []byte {
	if d.i+1 >= len(d.s) {
		d.fail(len(d.s), "Unexpected end-of-input in character escape sequence")
		return b
	}
	c := d.s[d.i+1]
	d.i += 2
	switch c {
	case 'b':
		return append(b, '\b')
	case 'f':
		return append(b, '\f')
	case 'n':
		return append(b, '\n')
	case 'r':
		return append(b, '\r')
	case 't':
		return append(b, '\t')
	case '"', '\\', '/':
		return append(b, c)
	case 'u':
		r := d.unit()
		if utf16.IsSurrogate(r) {
			if strings.HasPrefix(d.s[d.i:], `\u`) && r < 0xdc00 {
				mark := d.i
				d.i += 2
				if pair := utf16.DecodeRune(r, d.unit()); pair != utf8.RuneError {
					return utf8.AppendRune(b, pair)
				}
				d.i = mark
			}
			return append(b, '?')
		}
		return utf8.AppendRune(b, r)
	}
	r, _ := utf8.DecodeRuneInString(d.s[d.i-1:])
	d.fail(d.i-1, "Unrecognized character escape '%c' (code %d)", r, r)
	return b
}

// unit reads four hex digits.
func (d *jsonDecoder) unit() rune {
	if d.i+4 > len(d.s) {
		d.fail(len(d.s), "Unexpected end-of-input in character escape sequence")
		return utf8.RuneError
	}
	n := rune(0)
	for range 4 {
		digit := strings.IndexByte("0123456789abcdefABCDEF", d.s[d.i])
		if digit < 0 {
			r, _ := utf8.DecodeRuneInString(d.s[d.i:])
			d.fail(d.i, "Unexpected character ('%c' (code %d)): expected a hex-digit for character escape sequence", r, r)
			return utf8.RuneError
		}
		if digit > 15 {
			digit -= 6 // a capital
		}
		n = n<<4 | rune(digit)
		d.i++
	}
	return n
}

// closed reads what stands behind an element: a comma, or the closing mark.
func (d *jsonDecoder) closed(mark byte, name string, start int) bool {
	d.skip()
	switch {
	case d.i >= len(d.s):
		d.endOf(name, start)
	case d.s[d.i] == ',':
		d.i++
		return false
	case d.s[d.i] == mark:
		d.i++
		return true
	default:
		d.unexpected(d.i, "was expecting comma to separate "+name+" entries")
	}
	return true
}

// endOf reports that the text ends within an array or object that starts at byte start.
func (d *jsonDecoder) endOf(name string, start int) {
	line, column := d.position(start)
	d.fail(d.i, "Unexpected end-of-input: expected close marker for %s (start marker at [Source: REDACTED "+
		"(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d, column: %d])", name, line, column)
}

// array reads an array; d.i stands at its opening bracket.
func (d *jsonDecoder) array(depth int) any {
	start := d.i
	list := []any{}
	d.i++
	d.skip()
	if d.i < len(d.s) && d.s[d.i] == ']' {
		d.i++
		return list
	}
	for d.err == nil {
		d.skip()
		if d.i >= len(d.s) {
			d.endOf("Array", start)
			break
		}
		list = append(list, d.value(depth+1))
		if d.err != nil || d.closed(']', "Array", start) {
			break
		}
	}
	return list
}

// object reads an object; d.i stands at its opening brace.
func (d *jsonDecoder) object(depth int) any {
	start := d.i
	o := &JSONObject{}
	d.i++
	d.skip()
	if d.i < len(d.s) && d.s[d.i] == '}' {
		d.i++
		return o
	}
	for d.err == nil {
		d.skip()
		if d.i >= len(d.s) {
			d.endOf("Object", start)
			break
		}
		if d.s[d.i] != '"' {
			d.unexpected(d.i, "was expecting double-quote to start field name")
			break
		}
		key := d.text()
		d.skip()
		if d.i >= len(d.s) {
			d.fail(d.i, "Unexpected end-of-input within/between Object entries")
		} else if d.err == nil && d.s[d.i] != ':' {
			d.unexpected(d.i, "was expecting a colon to separate field name and value")
		}
		if d.err != nil {
			break
		}
		d.i++
		d.skip()
		if d.i >= len(d.s) {
			d.endOf("Object", start)
			break
		}
		o.put(key, d.value(depth+1))
		if d.err != nil || d.closed('}', "Object", start) {
			break
		}
	}
	return o
}
