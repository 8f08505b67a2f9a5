package planner

import (
	"encoding/binary"
	"slices"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
)

// maxCombinations bounds what INs on several columns multiply to; Cassandra has no bound but its memory.
const maxCombinations = 1 << 20

// maxKeyBytes is the longest partition key. Source: org.apache.cassandra.utils.FBUtilities.MAX_UNSIGNED_SHORT.
const maxKeyBytes = 1<<16 - 1

// AppendKeys appends the partition keys that the statement names, in the order of the key's types and without duplicates.
// A key may share its bytes with env. It is not for a KeyRange.
func (r *Restrictions) AppendKeys(dst [][]byte, env *Env) ([][]byte, error) {
	start := len(dst)
	if !r.KeyIN() {
		key, err := r.singleKey(env)
		if err != nil {
			return dst, err
		}
		dst = append(dst, key)
	} else {
		var err error
		if dst, err = r.manyKeys(dst, env); err != nil {
			return dst, err
		}
	}
	for _, k := range dst[start:] {
		if len(k) > maxKeyBytes {
			return dst, cql.Invalidf("Key length of %d is longer than maximum of %d", len(k), maxKeyBytes)
		}
	}
	for _, k := range dst[start:] {
		if len(k) == 0 {
			return dst, cql.Invalidf("Key may not be empty")
		}
	}
	if r.token == nil {
		return dst, nil
	}
	rng, err := r.tokenBounds(env, false)
	if err != nil {
		return dst, err
	}
	kept := dst[:start]
	for _, k := range dst[start:] {
		if inRange(&rng, env.Partitioner.Token(k)) {
			kept = append(kept, k)
		}
	}
	return kept, nil
}

// singleKey is the key when each component has one value.
func (r *Restrictions) singleKey(env *Env) ([]byte, error) {
	if len(r.partition) == 1 {
		return r.partition[0].keyValue(env)
	}
	var few [4][]byte
	values := few[:0]
	for _, x := range r.partition {
		v, err := x.keyValue(env)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return compositeKey(values)
}

// longKey refuses a partition key.
func longKey(n int) error {
	return cql.Invalidf("Key length of %d is longer than maximum of %d", n, maxKeyBytes)
}

// compositeKey is the partition key of several columns: for each a uint16 length, the value and a zero byte. The values
// alone must not be longer than a key may be. Source: org.apache.cassandra.db.marshal.CompositeType.
func compositeKey(values [][]byte) ([]byte, error) {
	n := 0
	for _, v := range values {
		n += len(v)
	}
	if n > maxKeyBytes {
		return nil, longKey(n)
	}
	key := make([]byte, 0, n+3*len(values))
	for _, v := range values {
		key = binary.BigEndian.AppendUint16(key, uint16(len(v)))
		key = append(append(key, v...), 0)
	}
	return key, nil
}

// keyValue is the one value of a column of the primary key.
func (x *restriction) keyValue(env *Env) ([]byte, error) {
	c := x.columns[0]
	v, unset, err := x.values[0].items[0].Eval(env)
	if err != nil {
		return nil, err
	}
	return v, checkKeyValue(c, v, unset)
}

// checkKeyValue refuses null and unset.
func checkKeyValue(c *schema.Column, v []byte, unset bool) error {
	switch {
	case unset:
		return cql.Invalidf("Invalid unset value for column %s", c.Name)
	case v == nil:
		return cql.Invalidf("Invalid null value in condition for column %s", c.Name)
	}
	return nil
}

// manyKeys appends the product of the components' values.
func (r *Restrictions) manyKeys(dst [][]byte, env *Env) ([][]byte, error) {
	product := [][][]byte{nil}
	for _, x := range r.partition {
		values, err := x.columnValues(env)
		if err != nil {
			return dst, err
		}
		if len(r.partition) == 1 {
			return append(dst, values...), nil
		}
		if len(values)*len(product) > maxCombinations {
			return dst, tooMany(len(values) * len(product))
		}
		next := make([][][]byte, 0, len(values)*len(product))
		for _, p := range product {
			for _, v := range values {
				next = append(next, append(slices.Clip(p), v))
			}
		}
		product = next
	}
	for _, p := range product {
		key, err := compositeKey(p)
		if err != nil {
			return dst, err
		}
		dst = append(dst, key)
	}
	return dst, nil
}

func tooMany(n int) error {
	return cql.Invalidf("The cartesian product of the IN restrictions has %d values, more than %d", n, maxCombinations)
}

// columnValues are the values of a column with an equality or an IN, in stored order and without duplicates.
func (x *restriction) columnValues(env *Env) ([][]byte, error) {
	c := x.columns[0]
	var values [][]byte
	if x.marker != nil {
		list, err := x.markerValues(env)
		if err != nil {
			return nil, err
		}
		values = list
	} else {
		values = make([][]byte, 0, len(x.values))
		for i := range x.values {
			v, unset, err := x.values[i].items[0].Eval(env)
			if err != nil {
				return nil, err
			}
			if err := checkKeyValue(c, v, unset); err != nil {
				return nil, err
			}
			values = append(values, v)
		}
	}
	for _, v := range values {
		if err := checkKeyValue(c, v, false); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(values, c.Compare)
	return slices.CompactFunc(values, func(a, b []byte) bool { return c.Compare(a, b) == 0 }), nil
}

// markerValues are the elements of the list that IN ? was bound to; they may be null.
func (x *restriction) markerValues(env *Env) ([][]byte, error) {
	v, unset, err := x.marker.Eval(env)
	switch {
	case err != nil:
		return nil, err
	case unset && x.multi:
		return nil, cql.Invalidf("Invalid unset value for in(%s)", columnList(x.columns, ","))
	case unset:
		return nil, cql.Invalidf("Invalid unset value for column %s", x.columns[0].Name)
	case v == nil && x.multi:
		return nil, cql.Invalidf("Invalid null value for IN restriction")
	case v == nil:
		return nil, cql.Invalidf("Invalid null value for column %s", x.columns[0].Name)
	}
	n, rest, err := types.Elements(v)
	if err != nil {
		return nil, err
	}
	values := make([][]byte, 0, min(n, len(rest)))
	for range n {
		var e []byte
		if e, rest, err = types.NextElement(rest); err != nil {
			return nil, err
		}
		values = append(values, e)
	}
	return values, nil
}

// Range returns the part of the ring to read; ok is false when it is empty.
// Source: StatementRestrictions.getPartitionKeyBoundsForTokenRestrictions.
func (r *Restrictions) Range(env *Env) (rng request.KeyRange, ok bool, err error) {
	if r.token == nil {
		return request.KeyRange{Start: request.KeyBound{Open: true}, End: request.KeyBound{Open: true}}, true, nil
	}
	rng, err = r.tokenBounds(env, true)
	if err != nil || rng.Start.Open || rng.End.Open {
		return rng, err == nil, err
	}
	c := rng.Start.Token.Compare(rng.End.Token)
	return rng, c < 0 || c == 0 && rng.Start.Inclusive && rng.End.Inclusive, nil
}

// tokenBounds evaluates the ends of token(). With ring set, the minimum token is no bound on either side: as an end it means
// the end of the ring. Beside whole keys, which are compared one by one, it is a token like others.
func (r *Restrictions) tokenBounds(env *Env, ring bool) (rng request.KeyRange, err error) {
	x := r.token
	start, end := x.start, x.end
	if x.kind == isEQ {
		start = &bound{x.values[0], true}
		end = start
	}
	if rng.Start, err = tokenBound(start, env, ring); err != nil {
		return rng, err
	}
	rng.End, err = tokenBound(end, env, ring)
	return rng, err
}

// tokenBound evaluates one end of a token range.
func tokenBound(b *bound, env *Env, ring bool) (request.KeyBound, error) {
	if b == nil {
		return request.KeyBound{Open: true}, nil
	}
	v, unset, err := b.items[0].Eval(env)
	switch {
	case err != nil:
		return request.KeyBound{}, err
	case unset:
		return request.KeyBound{}, cql.Invalidf("Invalid unset value for column partition key token")
	case v == nil:
		return request.KeyBound{}, cql.Invalidf("Invalid null token value")
	}
	t, ok := env.Partitioner.Decode(v)
	if !ok {
		return request.KeyBound{}, cql.Invalidf("Invalid token value 0x%x", v)
	}
	if ring && t == env.Partitioner.Min() {
		return request.KeyBound{Open: true}, nil
	}
	return request.KeyBound{Token: t, Inclusive: b.inclusive}, nil
}

// inRange reports whether a token lies between the bounds of token(). Bounds the wrong way round wrap, as they do in
// Cassandra when whole keys are given, and only then. Source: org.apache.cassandra.cql3.restrictions.TokenFilter.
func inRange(r *request.KeyRange, t token.Token) bool {
	c := t.Compare(r.Start.Token)
	behind := r.Start.Open || c > 0 || c == 0 && r.Start.Inclusive
	c = t.Compare(r.End.Token)
	before := r.End.Open || c < 0 || c == 0 && r.End.Inclusive
	if !r.Start.Open && !r.End.Open && r.Start.Token.Compare(r.End.Token) > 0 {
		return behind || before
	}
	return behind && before
}

// maxIndexed is the longest value that an index holds. Source: SecondaryIndex; RowFilter.Expression.validateForIndexing.
const maxIndexed = 1<<16 - 1

// IndexTerm is what to look up in Index.
func (r *Restrictions) IndexTerm(env *Env) ([]byte, error) {
	f, err := r.indexTerm.eval(env)
	if err != nil {
		return nil, err
	}
	if len(f.Value) > maxIndexed || len(f.Key) > maxIndexed {
		return nil, cql.Invalidf("Index expression values may not be larger than 64K")
	}
	if f.Op == request.OpMapEntry {
		return request.IndexTerm(f.Key, f.Value), nil
	}
	return f.Value, nil
}

// AppendFilters appends the terms that rows are filtered by.
func (r *Restrictions) AppendFilters(dst []request.Filter, env *Env) ([]request.Filter, error) {
	for i := range r.filters {
		f, err := r.filters[i].eval(env)
		if err != nil {
			return dst, err
		}
		dst = append(dst, f)
	}
	return dst, nil
}

// eval is the filter with its values. Source: RowFilter.Expression.validate; MultiColumnRestriction.addToRowFilter.
func (f *filterTerm) eval(env *Env) (request.Filter, error) {
	out := request.Filter{Column: f.column, Op: f.op}
	if f.refusal != "" {
		return out, &cql.Error{Code: cql.CodeInvalid, Message: f.refusal}
	}
	if f.values != nil || f.marker != nil {
		return out, f.evalList(env, &out)
	}
	v, unset, err := f.value.Eval(env)
	if err != nil {
		return out, err
	}
	if f.component >= 0 && v != nil {
		v = fieldAt(v, f.component)
	}
	if f.op == request.OpMapEntry {
		k, keyUnset, err := f.key.Eval(env)
		switch {
		case err != nil:
			return out, err
		case keyUnset:
			return out, cql.Invalidf("Unsupported unset map key for column %s", f.column.Name)
		case k == nil:
			return out, cql.Invalidf("Unsupported null map key for column %s", f.column.Name)
		case unset:
			return out, cql.Invalidf("Unsupported unset map value for column %s", f.column.Name)
		case v == nil:
			return out, cql.Invalidf("Unsupported null map value for column %s", f.column.Name)
		}
		out.Key, out.Value = k, v
		return out, nil
	}
	switch {
	case unset:
		return out, cql.Invalidf("Unsupported unset value for column %s", f.column.Name)
	case v == nil:
		return out, cql.Invalidf("Unsupported null value for column %s", f.column.Name)
	}
	out.Value = v
	return out, nil
}

// evalList fills an IN. What stands behind a null in the list does not match, as Cassandra reads no further.
func (f *filterTerm) evalList(env *Env, out *request.Filter) error {
	if f.marker != nil {
		x := restriction{columns: []*schema.Column{f.column}, marker: f.marker}
		values, err := x.markerValues(env)
		if f.component >= 0 {
			for i, v := range values {
				values[i] = fieldAt(v, f.component)
			}
		}
		out.Values = beforeNull(values)
		return err
	}
	for _, t := range f.values {
		v, unset, err := t.Eval(env)
		if err != nil {
			return err
		}
		if unset {
			return cql.Invalidf("Invalid unset value for column %s", f.column.Name)
		}
		out.Values = append(out.Values, v)
	}
	out.Values = beforeNull(out.Values)
	return nil
}

// componentTerm is a component of a tuple that is one value.
type componentTerm struct {
	Term
	component int
}

func (t *componentTerm) Type() *types.Type { return t.Term.Type().Elems[t.component] }

func (t *componentTerm) Eval(env *Env) ([]byte, bool, error) {
	v, unset, err := t.Term.Eval(env)
	return fieldAt(v, t.component), unset, err
}

// beforeNull is the part of a list before its first null.
func beforeNull(values [][]byte) [][]byte {
	if i := slices.IndexFunc(values, func(v []byte) bool { return v == nil }); i >= 0 {
		return values[:i]
	}
	return values
}

// fieldAt is the i-th component of a tuple, nil when it is null or missing.
func fieldAt(v []byte, i int) []byte {
	for ; ; i-- {
		field, tail, more, err := types.NextField(v)
		if err != nil || !more {
			return nil
		}
		if i == 0 {
			return field
		}
		v = tail
	}
}
