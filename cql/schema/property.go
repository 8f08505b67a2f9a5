package schema

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// properties are the entries of one WITH clause by name. Source: org.apache.cassandra.cql3.statements.PropertyDefinitions.
type properties map[string]Property

// newProperties refuses a name that is given twice.
func newProperties(list []Property) (properties, error) {
	p := make(properties, len(list))
	for _, e := range list {
		if _, ok := p[e.Name]; ok {
			return nil, cql.Syntaxf("Multiple definitions for property '%s'", e.Name)
		}
		p[e.Name] = e
	}
	return p, nil
}

// allow refuses names that are not in the list, which has a space around each.
func (p properties) allow(list string) error {
	for _, name := range sortedKeys(p) {
		if !listed(list, name) {
			return cql.Syntaxf("Unknown property '%s'", name)
		}
	}
	return nil
}

// has reports whether name was given.
func (p properties) has(name string) bool { _, ok := p[name]; return ok }

// text returns a plain value; ok is false when name was not given.
func (p properties) text(name string) (v string, ok bool, err error) {
	e, ok := p[name]
	if ok && e.IsMap {
		return "", false, cql.Syntaxf("Invalid value for property '%s'. It should be a string", name)
	}
	return e.Value, ok, nil
}

// mapOf returns a map value, in which a later entry wins; nil when name was not given.
func (p properties) mapOf(name string) (map[string]string, error) {
	e, ok := p[name]
	if !ok {
		return nil, nil
	}
	if !e.IsMap {
		return nil, cql.Syntaxf("Invalid value for property '%s'. It should be a map.", name)
	}
	m := make(map[string]string, len(e.Keys))
	for i, k := range e.Keys {
		m[k] = e.Values[i]
	}
	return m, nil
}

// bool returns a yes-or-no value, nil when name was not given.
func (p properties) bool(name string) (*bool, error) {
	v, ok, err := p.text(name)
	if !ok || err != nil {
		return nil, err
	}
	b := false
	switch strings.ToLower(v) {
	case "1", "true", "yes":
		b = true
	case "0", "false", "no":
	default:
		return nil, cql.Syntaxf("Invalid boolean value %s for '%s'. Positive values can be '1', 'true' or 'yes'. "+
			"Negative values can be '0', 'false' or 'no'.", v, name)
	}
	return &b, nil
}

// int puts a 32-bit value into dst when name was given.
func (p properties) int(name string, dst *int32) error {
	v, ok, err := p.text(name)
	if !ok || err != nil {
		return err
	}
	n, ok := javaInt(v)
	if !ok {
		return cql.Syntaxf("Invalid integer value %s for '%s'", v, name)
	}
	*dst = n
	return nil
}

// double puts a floating value into dst when name was given.
func (p properties) double(name string, dst *float64) error {
	v, ok, err := p.text(name)
	if !ok || err != nil {
		return err
	}
	f, ok := javaDouble(v)
	if !ok {
		return cql.Syntaxf("Invalid double value %s for '%s'", v, name)
	}
	*dst = f
	return nil
}

// javaInt reads what Integer.parseInt reads.
func javaInt(s string) (int32, bool) {
	n, err := strconv.ParseInt(s, 10, 32)
	return int32(n), err == nil
}

// javaDouble reads what Double.parseDouble reads, but for hexadecimal.
func javaDouble(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	switch strings.TrimLeft(s, "+-") {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1 - 2*strings.Count(s, "-")), true
	}
	s = strings.TrimRight(s, "dDfF")
	if strings.ContainsAny(s, "xX_nN") || s == "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && math.IsInf(f, 0) {
		err = nil
	}
	return f, err == nil
}

// formatDouble prints f as Double.toString does: 0.01, 1.0, 1.0E-5, NaN.
func formatDouble(f float64) string {
	switch a := math.Abs(f); {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case a == 0 || a >= 1e-3 && a < 1e7:
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return fmt.Sprintf("%sE%d", mantissa, n)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// list prints strings as Java prints a collection: "[a, b]".
func list(names []string) string { return "[" + strings.Join(names, ", ") + "]" }

// isWord reports whether s consists of letters, digits and underscores. Source: SchemaConstants.PATTERN_WORD_CHARS.
func isWord(s string) bool { return s != "" && wordChars(s) == s }

// wordChars returns s without what is not a letter, digit or underscore.
func wordChars(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, s)
}
