package exec

import (
	"bytes"
	"context"
	"slices"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// conditional runs one modification with an IF.
func (m *Modifier) conditional(
	ctx context.Context, p *planner.ModificationPlan, env *planner.Env, o *Options, sink Sink,
) (Result, error) {
	c := newCAS(m, env)
	if err := c.add(p, env); err != nil {
		return Result{}, err
	}
	return m.runCAS(ctx, c, o, sink)
}

// runCAS carries out c and answers with its rows.
func (m *Modifier) runCAS(ctx context.Context, c *casRequest, o *Options, sink Sink) (Result, error) {
	switch {
	case !o.Serial.IsSerial():
		return Result{}, cql.Invalidf("Invalid consistency for conditional update. Must be one of SERIAL or LOCAL_SERIAL")
	case o.Consistency.IsSerial():
		return Result{}, cql.Invalidf("%s is not supported as conditional update commit consistency. Use ANY if you mean \"make sure it is "+
			"accepted but I don't care how many replicas commit it for non-SERIAL reads\"", o.Consistency)
	}
	st := m.states.Get().(*writeState)
	defer m.release(st)
	st.begin(ctx, c.env, o.Consistency, 0)
	c.st = st
	applied, err := m.w.CAS(ctx, c, o.Serial, o.Consistency)
	res := Result{Warnings: st.warnings}
	if err != nil {
		return res, err
	}
	return res, c.answer(applied, sink)
}

// existence is what IF EXISTS and IF NOT EXISTS ask of a row; it is none for conditions on columns.
type existence uint8

const (
	columnsHold existence = iota
	rowExists
	rowMissing
)

// rowCondition is what has to hold of one row, or of the static row.
type rowCondition struct {
	clustering [][]byte
	existence  existence
	columns    []boundCondition
}

// boundCondition is a condition of one statement: env has the values of its terms.
type boundCondition struct {
	*planner.Condition
	env *planner.Env
}

// casStatement is one statement of a conditional change.
type casStatement struct {
	plan *planner.ModificationPlan
	env  *planner.Env
}

// casRequest is a conditional change of one partition: one statement, or a batch of them.
// Source: org.apache.cassandra.cql3.statements.CQL3CasRequest.
type casRequest struct {
	m     *Modifier
	st    *writeState
	env   *planner.Env
	batch bool
	table *schema.Table
	key   []byte
	// static is the condition on the static row; rows those on rows, in clustering order.
	static *rowCondition
	rows   []*rowCondition
	// exists says that some statement asks whether a row exists: then all columns are shown.
	exists bool
	// shown are the columns of conditions, in the order of the statements that have them.
	shown      []*schema.Column
	statements []casStatement
	// reads are the rows without a condition that operations look at.
	reads [][][]byte
	// updatesRows and updatesStatic say what the statements write.
	updatesRows, updatesStatic bool
	// found is what the last Decide saw.
	found casRows
}

// casRows are the rows of a partition that was read; row number i belongs to clustering order.
type casRows struct {
	static *row.Row
	rows   []*row.Row
}

func newCAS(m *Modifier, env *planner.Env) *casRequest { return &casRequest{m: m, env: env} }

// errCASPartitions refuses a conditional batch over several partitions.
var errCASPartitions = cql.Invalidf("Batch with conditions cannot span multiple partitions")

// add adds a statement. Source: ModificationStatement.makeCasRequest, BatchStatement.makeCasRequest.
func (c *casRequest) add(p *planner.ModificationPlan, env *planner.Env) error {
	if p.JSON != nil {
		bound, err := p.JSON.Bind(env)
		if err != nil {
			return err
		}
		env = bound
	}
	kind := "deletions"
	if p.Verb == planner.Update {
		kind = "updates"
	}
	st := writeState{w: c.m.w, env: env}
	keys, err := st.partitionKeys(p)
	if err != nil {
		return err
	}
	if p.Where.KeyIN() {
		if c.batch {
			// Deviation: Cassandra fails with an IllegalArgumentException of this text.
			return cql.Invalidf("Batch with conditions cannot span multiple partitions (you cannot use IN on the partition key)")
		}
		return cql.Invalidf("IN on the partition key is not supported with conditional %s", kind)
	}
	switch {
	case c.key == nil:
		c.table, c.key = p.Table, bytes.Clone(keys[0])
	case !bytes.Equal(c.key, keys[0]):
		return errCASPartitions
	}
	if p.Where.ClusteringIN() {
		return cql.Invalidf("IN on the clustering key columns is not supported with conditional %s", kind)
	}
	c.statements = append(c.statements, casStatement{p, env})
	c.updatesRows = c.updatesRows || p.UpdatesRows
	c.updatesStatic = c.updatesStatic || len(p.Static) > 0
	if !p.If.Any() && !p.NeedsRead() {
		return nil
	}
	t := target{plan: p}
	if err := st.target(&t); err != nil {
		return err
	}
	if p.NeedsRead() {
		for _, values := range t.clusterings {
			c.reads = append(c.reads, cloneValues(values))
		}
	}
	if !p.If.Any() {
		return nil
	}
	var clustering [][]byte
	static := len(t.clusterings) == 0
	if !static {
		clustering = cloneValues(t.clusterings[0])
	}
	return c.addConditions(p, env, clustering, static)
}

func cloneValues(values [][]byte) [][]byte {
	out := make([][]byte, len(values))
	for i, v := range values {
		out[i] = bytes.Clone(v)
	}
	return out
}

// addConditions adds the IF clause of a statement on one row, or (static) on the static row.
func (c *casRequest) addConditions(p *planner.ModificationPlan, env *planner.Env, clustering [][]byte, static bool) error {
	if len(p.If.Columns) == 0 {
		c.exists = true
		want, not := rowExists, ""
		if p.If.NotExists {
			want, not = rowMissing, "NOT "
		}
		r, isNew := c.condition(clustering, static)
		switch {
		case isNew:
			r.existence = want
		case r.existence == columnsHold:
			return cql.Invalidf("Cannot mix IF conditions and IF %sEXISTS for the same row", not)
		case r.existence != want:
			return cql.Invalidf("Cannot mix IF EXISTS and IF NOT EXISTS conditions for the same row")
		}
		return nil
	}
	for _, wantStatic := range []bool{false, true} {
		for i := range p.If.Columns {
			cond := &p.If.Columns[i]
			if (cond.Column.Kind == schema.Static) != wantStatic {
				continue
			}
			r, isNew := c.condition(clustering, wantStatic)
			if !isNew && r.existence != columnsHold {
				return cql.Invalidf("Cannot mix IF conditions and IF NOT EXISTS for the same row")
			}
			r.columns = append(r.columns, boundCondition{cond, env})
			c.show(cond.Column)
		}
	}
	return nil
}

func (c *casRequest) show(col *schema.Column) {
	if slices.Contains(c.shown, col) {
		return
	}
	c.shown = append(c.shown, col)
}

// condition returns the condition of a row, or of the static row, and whether it was made for this call.
func (c *casRequest) condition(clustering [][]byte, static bool) (r *rowCondition, isNew bool) {
	if static {
		if c.static == nil {
			c.static, isNew = &rowCondition{}, true
		}
		return c.static, isNew
	}
	i := 0
	for ; i < len(c.rows); i++ {
		order := row.CompareClustering(c.table, c.rows[i].clustering, clustering)
		if order == 0 {
			return c.rows[i], false
		}
		if order > 0 {
			break
		}
	}
	r = &rowCondition{clustering: clustering}
	c.rows = append(c.rows, nil)
	copy(c.rows[i+1:], c.rows[i:])
	c.rows[i] = r
	return r, true
}

// Read asks for the rows that conditions and operations look at; with conditions on the static row alone for the first
// row of the partition, whose being there is part of the answer, or for all when operations look at rows.
func (c *casRequest) Read() *request.Read {
	rd := &request.Read{Table: c.table, Keys: [][]byte{c.key}, Now: c.env.Now}
	if len(c.table.Clustering) == 0 {
		return rd
	}
	if len(c.rows) == 0 {
		if len(c.reads) == 0 {
			rd.RowLimit, rd.PartitionLimit = 1, 1
		}
		return rd
	}
	clusterings := slices.Clone(c.reads)
	for _, r := range c.rows {
		clusterings = append(clusterings, r.clustering)
	}
	compare := func(a, b [][]byte) int { return row.CompareClustering(c.table, a, b) }
	slices.SortFunc(clusterings, compare)
	clusterings = slices.CompactFunc(clusterings, func(a, b [][]byte) bool { return compare(a, b) == 0 })
	rd.Slices = rowSlices(c.table, clusterings)
	return rd
}

// Decide tests the conditions and makes the change.
func (c *casRequest) Decide(current row.Iterator, ballot int64) (ms []request.Mutation, applied bool, err error) {
	c.found = casRows{}
	st := c.st
	ctx, level := st.ctx, st.level
	st.end()
	st.begin(ctx, c.env, level, ballot)
	var before []readRow
	for current.NextPartition() {
		p := writeParams{}
		p.keep(current)
		before = append(before, p.before...)
	}
	if err := current.Err(); err != nil {
		return nil, false, err
	}
	for i := range before {
		switch r := &before[i]; {
		case r.static:
			c.found.static = r.row
		default:
			c.found.rows = append(c.found.rows, r.row)
		}
	}
	if applied, err = c.holds(); err != nil || !applied {
		return nil, false, err
	}
	for _, s := range c.statements {
		st.env = s.env
		if err := st.conditionalStatement(s.plan, before); err != nil {
			return nil, false, err
		}
	}
	return st.mutations(), true, nil
}

// conditionalStatement adds the changes of a statement whose conditions hold. All of it gets the ballot's time, whatever
// the statement says itself.
func (st *writeState) conditionalStatement(p *planner.ModificationPlan, before []readRow) error {
	keys, err := st.partitionKeys(p)
	if err != nil {
		return err
	}
	t := target{plan: p}
	if err := st.target(&t); err != nil || t.none {
		return err
	}
	st.params = writeParams{st: st, now: st.env.Now, before: before}
	if err := st.params.times(p, st.env, st.timestamp); err != nil {
		return err
	}
	st.params.timestamp = st.timestamp
	return st.change(p, keys[0], &t)
}

// row returns the row of a clustering that was found, or nil.
func (f *casRows) row(clustering [][]byte) *row.Row {
	for _, r := range f.rows {
		if sameValues(r.Clustering, clustering) {
			return r
		}
	}
	return nil
}

// holds tests all conditions on what was found.
func (c *casRequest) holds() (bool, error) {
	if c.static != nil {
		if ok, err := c.static.holds(c.found.static); err != nil || !ok {
			return false, err
		}
	}
	for _, r := range c.rows {
		if ok, err := r.holds(c.found.row(r.clustering)); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func (r *rowCondition) holds(found *row.Row) (bool, error) {
	switch r.existence {
	case rowExists:
		return found != nil, nil
	case rowMissing:
		return found == nil, nil
	}
	for i := range r.columns {
		if ok, err := r.columns[i].holds(found); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// appliedName is the column that says whether a conditional statement was carried out.
const appliedName = "[applied]"

// answer sends the rows of the statement: [applied] alone, or with what was found when a condition did not hold.
// Source: ModificationStatement.buildCasResultSet.
func (c *casRequest) answer(applied bool, sink Sink) error {
	specs := []planner.Spec{{Keyspace: c.table.Keyspace, Table: c.table.Name, Name: appliedName, Type: types.TBoolean}}
	first := types.AppendBool(nil, applied)
	if applied {
		if err := sink.Begin(specs); err != nil {
			return err
		}
		return sink.Row([][]byte{first})
	}
	columns := c.columns()
	rows := c.foundRows(columns)
	if len(rows) > 0 {
		for _, col := range columns {
			specs = append(specs, planner.Spec{Keyspace: col.Keyspace, Table: col.Table, Name: col.Name, Type: col.Type, Desc: col.Desc})
		}
	}
	if err := sink.Begin(specs); err != nil {
		return err
	}
	if len(rows) == 0 {
		return sink.Row([][]byte{first})
	}
	cells := make([][]byte, len(specs))
	for _, r := range rows {
		cells[0] = first
		copy(cells[1:], r)
		if err := sink.Row(cells); err != nil {
			return err
		}
	}
	return nil
}

// columns are the columns that a failed statement shows.
func (c *casRequest) columns() []*schema.Column {
	if c.exists {
		return c.table.AllColumns()
	}
	if !c.batch {
		return c.shown
	}
	list := append([]*schema.Column(nil), c.table.PartitionKey...)
	list = append(list, c.table.Clustering...)
	return append(list, c.shown...)
}
