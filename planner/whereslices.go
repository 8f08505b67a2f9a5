package planner

import (
	"slices"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/row"
)

// AppendSlices appends the slices of rows that the restrictions on clustering columns leave, in stored order and disjoint;
// all is true, and nothing is appended, when they leave every row. Nothing appended and all false means no row.
// Source: ClusteringColumnRestrictions.boundsAsClustering, MultiCBuilder.
func (r *Restrictions) AppendSlices(dst []row.Slice, env *Env) (out []row.Slice, all bool, err error) {
	if len(r.slices) == 0 {
		return dst, true, nil
	}
	prefixes, last, err := r.prefixes(env)
	if err != nil {
		return dst, false, err
	}
	if last == nil {
		for _, p := range prefixes {
			b := row.Bound{Values: p, Inclusive: true}
			dst = append(dst, row.Slice{Start: b, End: b})
		}
		return dst, false, nil
	}
	start, err := last.evalBound(last.start, env)
	if err != nil {
		return dst, false, err
	}
	end, err := last.evalBound(last.end, env)
	if err != nil {
		return dst, false, err
	}
	for _, p := range prefixes {
		dst = r.appendInterval(dst, p, last.columns, start, end)
	}
	return dst, false, nil
}

// AppendClusterings appends the clusterings that the restrictions name, in stored order and without duplicates. It is for
// statements whose clustering columns are all restricted by equalities and INs.
func (r *Restrictions) AppendClusterings(dst [][][]byte, env *Env) ([][][]byte, error) {
	prefixes, _, err := r.prefixes(env)
	return append(dst, prefixes...), err
}

// prefixes returns the combinations of values that equalities and INs give, in stored order, and the slice behind them.
func (r *Restrictions) prefixes(env *Env) (list [][][]byte, last *restriction, err error) {
	list = [][][]byte{make([][]byte, 0, len(r.Table.Clustering))}
	for _, x := range r.slices {
		switch {
		case x.kind == isSlice:
			return list, x, nil
		case x.kind == isEQ && !x.multi:
			v, err := x.keyValue(env)
			if err != nil {
				return nil, nil, err
			}
			for i := range list {
				list[i] = append(list[i], v)
			}
			continue
		}
		values, err := x.tuples(env)
		if err != nil {
			return nil, nil, err
		}
		if len(values)*len(list) > maxCombinations {
			return nil, nil, tooMany(len(values) * len(list))
		}
		short := false
		next := make([][][]byte, 0, len(values)*len(list))
		for _, p := range list {
			for _, v := range values {
				next = append(next, append(slices.Clip(p), v...))
				short = short || len(v) < len(x.columns)
			}
		}
		if list = next; short {
			return list, nil, nil
		}
	}
	return list, nil, nil
}

// tuples are the values of x's columns, in stored order and without duplicates. A bound tuple may have fewer values than
// there are columns: then it stands for all rows that begin with them.
func (x *restriction) tuples(env *Env) ([][][]byte, error) {
	if !x.multi {
		values, err := x.columnValues(env)
		list := make([][][]byte, len(values))
		for i, v := range values {
			list[i] = [][]byte{v}
		}
		return list, err
	}
	var list [][][]byte
	if x.marker != nil {
		wholes, err := x.markerValues(env)
		if err != nil {
			return nil, err
		}
		for _, w := range wholes {
			v, err := x.split(w)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
	} else {
		for i := range x.values {
			v, err := x.evalTuple(&x.values[i], env)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
	}
	for _, v := range list {
		for i, e := range v {
			if e != nil {
				continue
			}
			if x.kind == isIN {
				return nil, cql.Invalidf("Invalid null value in condition for columns: [%s]", columnList(x.columns, ", "))
			}
			return nil, cql.Invalidf("Invalid null value for column %s", x.columns[i].Name)
		}
	}
	slices.SortFunc(list, func(a, b [][]byte) int { return compareValues(x.columns, a, b) })
	kept := list[:0]
	for _, v := range list {
		if n := len(kept); n > 0 && len(kept[n-1]) <= len(v) && compareValues(x.columns, kept[n-1], v[:len(kept[n-1])]) == 0 {
			continue // equal to the last, or among the rows that it stands for
		}
		kept = append(kept, v)
	}
	return kept, nil
}

// compareValues orders two prefixes of columns as they are stored; of two that agree the shorter comes first.
func compareValues(columns []*schema.Column, a, b [][]byte) int {
	for i := range min(len(a), len(b)) {
		if c := columns[i].Compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return len(a) - len(b)
}

// evalTuple evaluates a tuple; nulls in it stay nil.
func (x *restriction) evalTuple(v *tupleValue, env *Env) ([][]byte, error) {
	if v.whole != nil {
		w, unset, err := v.whole.Eval(env)
		switch {
		case err != nil:
			return nil, err
		case unset:
			return nil, cql.Invalidf("Invalid unset value for tuple (%s)", columnList(x.columns, ","))
		case w == nil:
			return nil, cql.Invalidf("Invalid null value for tuple (%s)", columnList(x.columns, ","))
		}
		return x.split(w)
	}
	out := make([][]byte, len(v.items))
	for i, t := range v.items {
		b, unset, err := t.Eval(env)
		switch {
		case err != nil:
			return nil, err
		case unset && x.multi && len(v.items) > 1:
			return nil, cql.Invalidf("Invalid unset value for tuple field number %d", i)
		case unset:
			return nil, cql.Invalidf("Invalid unset value for column %s", x.columns[i].Name)
		}
		out[i] = b
	}
	return out, nil
}

// split takes a tuple value apart.
func (x *restriction) split(w []byte) ([][]byte, error) {
	out := make([][]byte, 0, len(x.columns))
	for range x.columns {
		field, tail, more, err := types.NextField(w)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		out, w = append(out, field), tail
	}
	if len(out) == 0 {
		return nil, cql.Invalidf("Invalid null value in condition for columns: [%s]", columnList(x.columns, ", "))
	}
	return out, nil
}

// limit is an evaluated bound, in the order of values.
type limit struct {
	values    [][]byte
	inclusive bool
	isNull    bool // the null of one column: it stands before everything that is stored
}

// evalBound evaluates one end of a slice; nil stays nil.
func (x *restriction) evalBound(b *bound, env *Env) (*limit, error) {
	if b == nil {
		return nil, nil
	}
	v, err := x.evalTuple(&b.tupleValue, env)
	if err != nil {
		return nil, err
	}
	l := &limit{values: v, inclusive: b.inclusive}
	for i, e := range v {
		if e != nil {
			continue
		}
		if len(v) > 1 || b.whole != nil {
			return nil, cql.Invalidf("Invalid null value in condition for column %s", x.columns[i].Name)
		}
		l.isNull = true
	}
	return l, nil
}

// appendInterval appends the rows behind prefix whose values of columns lie between start and end. In value space the
// interval is one piece; where columns are stored in different directions it is several in stored order.
func (r *Restrictions) appendInterval(dst []row.Slice, prefix [][]byte, columns []*schema.Column, start, end *limit) []row.Slice {
	if mixed(columns) {
		return r.appendMixed(dst, prefix, columns, start, end)
	}
	if columns[0].Desc {
		start, end = end, start
	}
	if end != nil && end.isNull {
		return dst
	}
	if start != nil && start.isNull {
		start = nil
	}
	return r.appendUnlessEmpty(dst, row.Slice{Start: edge(prefix, start), End: edge(prefix, end)})
}

// appendUnlessEmpty appends a slice that can hold a row.
func (r *Restrictions) appendUnlessEmpty(dst []row.Slice, s row.Slice) []row.Slice {
	if s.IsEmpty(r.Table) {
		return dst
	}
	return append(dst, s)
}

// mixed reports whether columns are stored in different directions.
func mixed(columns []*schema.Column) bool {
	for _, c := range columns[1:] {
		if c.Desc != columns[0].Desc {
			return true
		}
	}
	return false
}

// edge is the bound of a slice behind prefix; a nil limit leaves prefix alone.
func edge(prefix [][]byte, l *limit) row.Bound {
	if l == nil {
		return row.Bound{Values: prefix, Inclusive: true}
	}
	return row.Bound{Values: append(slices.Clip(prefix), l.values...), Inclusive: l.inclusive}
}

// appendMixed appends the slices of an interval of tuples whose columns are stored in different directions. Each end is a
// union of slices: for each p, the rows that agree with it before column p and lie on the right side of it at p.
func (r *Restrictions) appendMixed(dst []row.Slice, prefix [][]byte, columns []*schema.Column, start, end *limit) []row.Slice {
	all := []row.Slice{{Start: edge(prefix, nil), End: edge(prefix, nil)}}
	from, to := all, all
	if start != nil {
		from = pieces(prefix, columns, start, true)
	}
	if end != nil {
		to = pieces(prefix, columns, end, false)
	}
	first := len(dst)
	for _, a := range from {
		for _, b := range to {
			s := a
			if compareEdges(r.Table, b.Start, s.Start, true) > 0 {
				s.Start = b.Start
			}
			if compareEdges(r.Table, b.End, s.End, false) < 0 {
				s.End = b.End
			}
			dst = r.appendUnlessEmpty(dst, s)
		}
	}
	slices.SortFunc(dst[first:], func(a, b row.Slice) int { return compareEdges(r.Table, a.Start, b.Start, true) })
	return dst
}

// pieces is the union of slices of the tuples above l, or below it.
func pieces(prefix [][]byte, columns []*schema.Column, l *limit, above bool) []row.Slice {
	var list []row.Slice
	for p := range l.values {
		head := append(slices.Clip(prefix), l.values[:p]...)
		at := edge(head, &limit{values: l.values[p : p+1], inclusive: l.inclusive && p == len(l.values)-1})
		rest := edge(head, nil)
		if above != columns[p].Desc {
			list = append(list, row.Slice{Start: at, End: rest})
		} else {
			list = append(list, row.Slice{Start: rest, End: at})
		}
	}
	return list
}

// compareEdges orders two bounds of the same side in stored order.
func compareEdges(t *schema.Table, a, b row.Bound, start bool) int {
	if c := row.CompareClustering(t, a.Values, b.Values); c != 0 {
		return c
	}
	if len(a.Values) == len(b.Values) {
		switch {
		case a.Inclusive == b.Inclusive:
			return 0
		case a.Inclusive == start:
			return -1
		}
		return 1
	}
	// The shorter one stands before everything that it is a prefix of, or behind it.
	shorter, sign := a, 1
	if len(b.Values) < len(a.Values) {
		shorter, sign = b, -1
	}
	if len(shorter.Values) == 0 || shorter.Inclusive {
		if start {
			return -sign
		}
		return sign
	}
	if start {
		return sign
	}
	return -sign
}
