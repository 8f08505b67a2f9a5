package types

import (
	"bytes"
	"slices"
)

// Normalize checks v as Validate does and returns it in the form that is stored: sets and maps sorted by element or key
// and without duplicates (of equal keys the first spelling and the last value stay), at every depth that Cassandra
// rewrites. It returns v itself when it is in that form already. Unlike Validate it lets null elements of an outermost list
// pass, as Cassandra does for frozen lists, and turns empty elements of it that have no meaning (an empty int) into null.
//
// Source: Lists, Sets and Maps.Value.fromSerialized; cql.md 2.4 (38).
func (t *Type) Normalize(v []byte) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	if t.Kind != List {
		if err := t.Validate(v); err != nil {
			return nil, err
		}
		if t.IsCollection() {
			v = t.canonical(v)
		}
		return v, nil
	}
	if err := t.validateCollection(v, true); err != nil {
		return nil, err
	}
	return t.canonical(t.emptyToNull(v)), nil
}

// emptyToNull replaces empty elements of a valid list by null where the element type has no use for empty.
func (t *Type) emptyToNull(v []byte) []byte {
	if !t.Elems[0].EmptyIsNull() {
		return v
	}
	n, rest, _ := Elements(v)
	changed := false
	for r := rest; len(r) > 0 && !changed; {
		elem, tail, _ := cutValue(r)
		changed = elem != nil && len(elem) == 0
		r = tail
	}
	if !changed {
		return v
	}
	out := AppendCount(make([]byte, 0, len(v)), n)
	for len(rest) > 0 {
		elem, tail, _ := cutValue(rest)
		if len(elem) == 0 {
			elem = nil
		}
		out = AppendElement(out, elem)
		rest = tail
	}
	return out
}

// rewrites reports whether an element of type t inside a collection may have another form than the one it came in.
func (t *Type) rewrites() bool {
	switch t.Kind {
	case Set, Map, Boolean, Varint, Decimal, Inet, Duration:
		return true
	case List, Vector:
		return t.Elems[0].rewrites()
	}
	return false
}

// canonical returns the valid value v as Cassandra writes it after it has read it: sets and maps in order, numbers
// without padding, a v4 address in four bytes. It returns v itself where that is the same. What tuples and UDTs hold is
// never read and stays as it came.
func (t *Type) canonical(v []byte) []byte {
	if len(v) == 0 || !t.rewrites() {
		return v
	}
	switch t.Kind {
	case Boolean:
		if v[0] > 1 {
			return []byte{1}
		}
	case Varint:
		return trimSign(v)
	case Decimal:
		if digits := trimSign(v[4:]); len(v) > 4 && len(digits) < len(v)-4 {
			return append(v[:4:4], digits...)
		}
	case Inet:
		if len(v) == 16 && bytes.Equal(v[:12], mappedPrefix[:]) {
			return v[12:]
		}
	case Duration:
		d, _ := ParseDurationBytes(v)
		return AppendDuration(nil, d)
	case Vector:
		return t.canonicalItems(v)
	case List, Set, Map:
		return t.canonicalElements(v)
	}
	return v
}

// mappedPrefix starts the IPv6 form of an IPv4 address.
var mappedPrefix = [12]byte{10: 0xff, 11: 0xff}

// canonicalElements rewrites a list, set or map and puts the latter two in order.
func (t *Type) canonicalElements(v []byte) []byte {
	_, rest, _ := Elements(v)
	width := len(t.Elems)
	var elems [][]byte
	changed, ordered := false, true
	for i := 0; len(rest) > 0; i++ {
		elem, tail, _ := cutValue(rest)
		c := t.Elems[i%width].canonical(elem)
		changed = changed || !bytes.Equal(c, elem)
		if t.Kind != List && i >= width && i%width == 0 {
			ordered = ordered && t.Elems[0].Compare(elems[i-width], c) < 0
		}
		elems, rest = append(elems, c), tail
	}
	if !changed && ordered {
		return v
	}
	if !ordered {
		elems = sortEntries(t.Elems[0], elems, width)
	}
	return t.AppendCollection(make([]byte, 0, len(v)), elems)
}

// sortEntries orders entries of width values each by their first. Of equal ones it keeps the first spelling of the key
// and the last value.
func sortEntries(key *Type, elems [][]byte, width int) [][]byte {
	entries := slices.Collect(slices.Chunk(elems, width))
	slices.SortStableFunc(entries, func(a, b [][]byte) int { return key.Compare(a[0], b[0]) })
	out := make([][]byte, 0, len(elems))
	for _, e := range entries {
		if n := len(out) - width; n >= 0 && key.Compare(out[n], e[0]) == 0 {
			if width > 1 {
				out[n+1] = e[1]
			}
			continue
		}
		out = append(out, e...)
	}
	return out
}

// canonicalItems rewrites the elements of a vector.
func (t *Type) canonicalItems(v []byte) []byte {
	var out []byte
	for rest := v; len(rest) > 0; {
		item, tail, ok := t.NextItem(rest)
		if !ok {
			break
		}
		out = t.AppendItem(out, t.Elems[0].canonical(item))
		rest = tail
	}
	if bytes.Equal(out, v) {
		return v
	}
	return out
}
