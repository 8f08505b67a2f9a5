package exec

import (
	"bytes"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// readRow is a row as it was before the statement; its row is the static one when static is set.
type readRow struct {
	key    []byte
	static bool
	row    *row.Row
}

// readBefore reads the columns that operations depend on. Source: ModificationStatement.readRequiredLists.
func (st *writeState) readBefore(p *planner.ModificationPlan, keys [][]byte, t *target) error {
	if st.level == cql.Any {
		return cql.Invalidf("Write operation require a read but consistency %s is not supported on reads", st.level)
	}
	if len(keys) == 0 {
		return nil
	}
	rd := &request.Read{Table: p.Table, Now: st.env.Now, Slices: rowSlices(p.Table, t.clusterings)}
	for _, k := range keys {
		rd.Keys = append(rd.Keys, bytes.Clone(k))
	}
	for _, list := range [][]planner.Operation{p.Static, p.Regular} {
		for i := range list {
			if o := &list[i]; o.NeedsRead() {
				rd.Columns = append(rd.Columns, o.Column.ID)
			}
		}
	}
	it, err := st.w.Read(st.ctx, rd, st.level)
	if err != nil {
		return err
	}
	defer it.Close()
	for it.NextPartition() {
		st.params.keep(it)
	}
	return it.Err()
}

// rowSlices are the slices of single rows; those of a table without clustering columns are all rows.
func rowSlices(t *schema.Table, clusterings [][][]byte) []row.Slice {
	if len(t.Clustering) == 0 {
		return nil
	}
	slices := make([]row.Slice, 0, len(clusterings))
	for _, c := range clusterings {
		b := row.Bound{Values: c, Inclusive: true}
		slices = append(slices, row.Slice{Start: b, End: b})
	}
	return slices
}

// keep remembers the rows of the partition that it stands at.
func (p *writeParams) keep(it row.Iterator) {
	key := bytes.Clone(it.Key())
	if s := it.Static(); s != nil {
		p.before = append(p.before, readRow{key, true, s.Clone()})
	}
	for r := it.NextRow(); r != nil; r = it.NextRow() {
		p.before = append(p.before, readRow{key, false, r.Clone()})
	}
}

// stored returns the cells of an operation's column before the statement.
func (p *writeParams) stored(o *planner.Operation, key []byte, clustering [][]byte) []row.Cell {
	static := o.Column.Kind == schema.Static
	for i := range p.before {
		r := &p.before[i]
		if r.static == static && bytes.Equal(r.key, key) && (static || sameValues(r.row.Clustering, clustering)) {
			return r.row.CellsOf(o.Column.ID)
		}
	}
	return nil
}

// sameValues compares two clusterings.
func sameValues(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// index sets or deletes an element of a list by its position.
func (p *writeParams) index(o *planner.Operation, b *request.Builder, key []byte, clustering [][]byte) error {
	k, unset, err := o.Key.Eval(p.st.env)
	var v []byte
	var valueUnset bool
	if err == nil && o.Value != nil {
		v, valueUnset, err = o.Value.Eval(p.st.env)
	}
	remove := o.Kind == planner.OpDeleteIndex
	switch {
	case err != nil:
		return err
	case unset && remove:
		return nil
	case unset:
		return cql.Invalidf("Invalid unset value for list index")
	case len(k) == 0:
		return cql.Invalidf("Invalid null value for list index")
	}
	cells := p.stored(o, key, clustering)
	i := int(types.Int32(k))
	switch {
	case len(cells) == 0 && remove:
		return cql.Invalidf("Attempted to delete an element from a list which is null")
	case len(cells) == 0:
		return cql.Invalidf("Attempted to set an element on a list which is null")
	case i < 0 || i >= len(cells):
		return cql.Invalidf("List index %d out of bound, list has size %d", i, len(cells))
	case !valueUnset:
		p.cell(o, b, cells[i].Path, v)
	}
	return nil
}

// discard deletes the elements of a list that equal one of v's.
func (p *writeParams) discard(o *planner.Operation, v []byte, b *request.Builder, key []byte, clustering [][]byte) error {
	cells := p.stored(o, key, clustering)
	return eachElement(v, func(e []byte) error {
		for i := range cells {
			if bytes.Equal(cells[i].Value, e) {
				p.cell(o, b, cells[i].Path, nil)
			}
		}
		return nil
	})
}

// compute adds v to a number or text that is there; where there is none it does nothing. What it makes is what the next
// such operation of the statement starts from.
func (p *writeParams) compute(o *planner.Operation, v []byte, b *request.Builder, key []byte, clustering [][]byte) error {
	if v == nil {
		return cql.Invalidf("Invalid null value for column %s", o.Column.Name)
	}
	cells := p.stored(o, key, clustering)
	if len(cells) == 0 || cells[0].Value == nil {
		return nil
	}
	sum, err := o.Add(cells[0].Value, v)
	if err != nil {
		return err
	}
	cells[0].Value = sum
	p.cell(o, b, nil, sum)
	return nil
}
