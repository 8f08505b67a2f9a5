package exec

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/row"
)

// target is what of each of its partitions a statement changes: the rows in clusterings, the ranges in slices, or (all) the
// partition itself; the static row besides or alone.
type target struct {
	plan *planner.ModificationPlan
	// clusterings are the rows; one that is nil in a table without clustering columns.
	clusterings [][][]byte
	slices      []row.Slice
	all         bool
	// none says that there is nothing to do: an IN without values.
	none bool
}

// noClustering is the only row of a partition in a table without clustering columns.
var noClustering = [][][]byte{nil}

// target evaluates the restrictions of the clustering columns.
func (st *writeState) target(t *target) error {
	p := t.plan
	switch {
	case len(p.Table.Clustering) == 0:
		t.clusterings, t.all = noClustering, p.Rows()
	case !p.Where.HasClustering():
		t.all = p.Rows()
		if p.Verb == planner.Delete && len(p.Regular) > 0 {
			return errRangeOfColumns
		}
	case p.Row != nil:
		return st.oneRow(t)
	case p.Where.FullClustering():
		return st.manyRows(t)
	default:
		if err := p.Where.CheckBounds(st.env); err != nil {
			return err
		}
		slices, all, err := p.Where.AppendSlices(nil, st.env)
		if err != nil {
			return err
		}
		t.slices, t.all, t.none = slices, all, len(slices) == 0 && !all
		if !t.none && len(p.Regular) > 0 {
			return errRangeOfColumns
		}
	}
	return nil
}

// errRangeOfColumns refuses DELETE c of more than single rows.
var errRangeOfColumns = cql.Invalidf("Range deletions are not supported for specific columns")

func (st *writeState) oneRow(t *target) error {
	p := t.plan
	st.row = st.row[:0]
	for i, term := range p.Row {
		v, err := keyValue(term, p.Table.Clustering[i], st.env)
		if err != nil {
			return err
		}
		st.row = append(st.row, v)
	}
	st.rows = append(st.rows[:0], st.row)
	t.clusterings = st.rows
	return checkClustering(st.row)
}

func (st *writeState) manyRows(t *target) error {
	p := t.plan
	list, err := p.Where.AppendClusterings(nil, st.env)
	if err != nil {
		return err
	}
	for _, c := range list {
		if len(c) < len(p.Table.Clustering) {
			// A bound tuple that has fewer values than there are columns names a range.
			if !p.Rows() {
				return cql.Invalidf("Invalid null value in condition for column %s", p.Table.Clustering[len(c)].Name)
			}
			b := row.Bound{Values: c, Inclusive: true}
			t.slices = append(t.slices, row.Slice{Start: b, End: b})
			continue
		}
		if err := checkClustering(c); err != nil {
			return err
		}
		t.clusterings = append(t.clusterings, c)
	}
	t.none = len(list) == 0
	return nil
}

// checkClustering refuses a row whose clustering is too long.
func checkClustering(values [][]byte) error {
	n := 0
	for _, v := range values {
		n += len(v)
	}
	if n > maxKeyLength {
		return keyTooLong(n)
	}
	return nil
}

// change adds the changes of the statement to one partition.
func (st *writeState) change(p *planner.ModificationPlan, key []byte, t *target) error {
	part := st.partition(p.Table, key)
	params := &st.params
	if p.Rows() {
		if t.all {
			part.b.DeletePartition(params.deletion())
			return nil
		}
		for _, c := range t.clusterings {
			part.b.Row(c)
			part.b.DeleteRow(params.deletion())
		}
		for _, s := range t.slices {
			part.b.DeleteRange(s, params.deletion())
		}
		return nil
	}
	if p.UpdatesRows && (p.Verb != planner.Delete || len(p.Regular) > 0) {
		for _, c := range t.clusterings {
			part.b.Row(c)
			if p.Verb == planner.Insert {
				part.b.Liveness(params.liveness())
			}
			if err := params.operations(p.Regular, &part.b, key, c); err != nil {
				return err
			}
		}
	}
	if len(p.Static) > 0 {
		part.b.Static()
		return params.operations(p.Static, &part.b, key, nil)
	}
	return nil
}
