package types

// IsValueCompatibleWith reports whether every value of prev is a value of t that means the same, order aside. A term of
// type prev may be assigned to t then. Source: AbstractType.isValueCompatibleWith.
func (t *Type) IsValueCompatibleWith(prev *Type) bool {
	if t.Equal(prev) {
		return true
	}
	switch t.Kind {
	case Blob:
		return true
	case Text:
		return prev.Kind == Ascii
	case Bigint:
		return prev.Kind == Timestamp
	case Varint:
		return prev.Kind == Int || prev.Kind == Bigint || prev.Kind == Timestamp
	case Timestamp, Time:
		return prev.Kind == Bigint
	case Date:
		return prev.Kind == Int
	case UUID:
		return prev.Kind == Timeuuid
	case List, Set, Map:
		return t.collectionCompatible(prev, (*Type).IsValueCompatibleWith)
	case Tuple:
		return (prev.Kind == Tuple || prev.Kind == UDT) && fieldsCompatible(t.Elems, prev.Elems, (*Type).IsValueCompatibleWith)
	case UDT:
		return prev.Kind == UDT && t.Keyspace == prev.Keyspace && t.Frozen == prev.Frozen &&
			fieldsCompatible(t.Elems, prev.Elems, (*Type).isCompatibleWith)
	}
	return false
}

// isCompatibleWith reports whether t can take the place of prev in values and order. Source: AbstractType.isCompatibleWith.
func (t *Type) isCompatibleWith(prev *Type) bool {
	switch t.Kind {
	case Text:
		return t.Equal(prev) || prev.Kind == Ascii
	case Blob:
		return t.Equal(prev) || prev.IsString()
	case List, Set, Map:
		return t.Equal(prev) || t.collectionCompatible(prev, (*Type).isCompatibleWith)
	case Tuple, UDT:
		return (prev.Kind == Tuple || prev.Kind == UDT) && fieldsCompatible(t.Elems, prev.Elems, (*Type).isCompatibleWith)
	}
	return t.Equal(prev)
}

// collectionCompatible compares collections: what is sorted by must be compatible in order, what is not by the given rule,
// and where it is stored in cells of its own as those must be.
func (t *Type) collectionCompatible(prev *Type, values func(t, prev *Type) bool) bool {
	if t.Kind != prev.Kind || t.Frozen != prev.Frozen {
		return false
	}
	if !t.Frozen {
		values = (*Type).IsSerializationCompatibleWith
	}
	switch t.Kind {
	case Set:
		return t.Elems[0].isCompatibleWith(prev.Elems[0])
	case Map:
		return t.Elems[0].isCompatibleWith(prev.Elems[0]) && values(t.Elems[1], prev.Elems[1])
	}
	return values(t.Elems[0], prev.Elems[0])
}

// fieldsCompatible compares fields pairwise; t may have more of them than prev.
func fieldsCompatible(t, prev []*Type, rule func(t, prev *Type) bool) bool {
	if len(prev) > len(t) {
		return false
	}
	for i, p := range prev {
		if !rule(t[i], p) {
			return false
		}
	}
	return true
}

// IsSerializationCompatibleWith reports whether data of a column of type prev can be read as t: a dropped column may be
// added again under such a type. Source: AbstractType.isSerializationCompatibleWith; cql.md 2.6 (62).
func (t *Type) IsSerializationCompatibleWith(prev *Type) bool {
	lenT, fixedT := t.FixedLen()
	lenPrev, fixedPrev := prev.FixedLen()
	if !t.IsValueCompatibleWith(prev) || lenT != lenPrev || fixedT != fixedPrev || t.IsMultiCell() != prev.IsMultiCell() {
		return false
	}
	if t.IsCollection() {
		return t.collectionCompatible(prev, (*Type).IsSerializationCompatibleWith)
	}
	return true
}

// AssignableFrom says how well a term of type from suits a receiver of type t. A frozen term may be given where an unfrozen
// type is asked for, but not the other way round. Source: AbstractType.testAssignment.
func (t *Type) AssignableFrom(from *Type) Assignability {
	if from.Frozen && !t.Frozen {
		t = t.Freeze()
	}
	if t.Equal(from) {
		return ExactMatch
	}
	if t.IsValueCompatibleWith(from) {
		return WeaklyAssignable
	}
	return NotAssignable
}
