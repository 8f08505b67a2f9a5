package types

// FixedLen returns the number of bytes that every non-empty value of t has; ok is false when values differ in length.
// It follows AbstractType.valueLengthIfFixed, by which vectors decide whether their elements carry a length: tinyint,
// smallint, date and time count as variable there, although their values never differ.
func (t *Type) FixedLen() (n int, ok bool) {
	switch t.Kind {
	case Boolean:
		return 1, true
	case Int, Float:
		return 4, true
	case Bigint, Double, Timestamp:
		return 8, true
	case UUID, Timeuuid:
		return 16, true
	case Empty:
		return 0, true
	case Vector:
		n, ok = t.Elems[0].FixedLen()
		return n * t.Dim, ok
	}
	return 0, false
}

// AllowsEmpty reports whether a zero-length value is one of t's values beside others. Source: AbstractType.allowsEmpty.
func (t *Type) AllowsEmpty() bool {
	switch t.Kind {
	case Tinyint, Smallint, Date, Time, Duration, List, Set, Map, Vector, Empty:
		return false
	}
	return true
}

// EmptyIsNull reports whether an empty value of t reads as null in text, casts and functions: it is a legal value that
// has no meaning, unlike ”. Source: AbstractType.isEmptyValueMeaningless.
func (t *Type) EmptyIsNull() bool {
	switch t.Kind {
	case Boolean, Int, Bigint, Counter, Varint, Decimal, Float, Double, Timestamp, Inet, UUID, Timeuuid:
		return true
	}
	return false
}

// IsNumeric reports whether t is a number, counters included.
func (t *Type) IsNumeric() bool { return t.IsInteger() || t.IsFloating() || t.Kind == Decimal }

// IsInteger reports whether t is a whole number, counters included.
func (t *Type) IsInteger() bool {
	switch t.Kind {
	case Tinyint, Smallint, Int, Bigint, Counter, Varint:
		return true
	}
	return false
}

// IsFloating reports whether t is float or double.
func (t *Type) IsFloating() bool { return t.Kind == Float || t.Kind == Double }

// IsString reports whether t is text or ascii.
func (t *Type) IsString() bool { return t.Kind == Text || t.Kind == Ascii }

// ReferencesDuration reports whether t is duration or holds one at any depth, which rules out order.
func (t *Type) ReferencesDuration() bool {
	if t.Kind == Duration {
		return true
	}
	for _, e := range t.Elems {
		if e.ReferencesDuration() {
			return true
		}
	}
	return false
}

// ReferencesUserType reports whether t is the user type ks.name or holds it at any depth.
func (t *Type) ReferencesUserType(ks, name string) bool {
	if t.Kind == UDT && t.Keyspace == ks && t.Name == name {
		return true
	}
	for _, e := range t.Elems {
		if e.ReferencesUserType(ks, name) {
			return true
		}
	}
	return false
}
