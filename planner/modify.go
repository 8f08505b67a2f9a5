package planner

import (
	"slices"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// Verb is the kind of a modification.
type Verb uint8

// The kinds of modifications.
const (
	Insert Verb = iota
	Update
	Delete
)

// ModificationPlan is the body of INSERT, UPDATE and DELETE.
// Source: org.apache.cassandra.cql3.statements.ModificationStatement.
type ModificationPlan struct {
	Verb  Verb
	Table *schema.Table
	Where *Restrictions
	// Key and Row are the partition key and the clustering as one term a column, when WHERE gives each one value: the way of
	// most statements. Else they are nil and Where finds the partitions and rows.
	Key, Row []Term
	// Static and Regular are the operations, each list by column id. A DELETE without any deletes rows.
	Static, Regular []Operation
	// Timestamp (microseconds) and TTL (seconds) of USING, else nil.
	Timestamp, TTL Term
	// UpdatesRows says that rows are written, not the static row alone.
	UpdatesRows bool
	// JSON is set for INSERT JSON: its Bind makes the Env in which the terms above have values.
	JSON *JSONInsert
	If   Conditions
	// Refusal is what execution, not preparation, is answered with; nil for most.
	Refusal error
}

func (*ModificationPlan) planBody() {}

// Rows reports whether the statement deletes whole rows, ranges or partitions.
func (m *ModificationPlan) Rows() bool {
	return m.Verb == Delete && len(m.Static) == 0 && len(m.Regular) == 0
}

// NeedsRead reports whether an operation depends on what is stored.
func (m *ModificationPlan) NeedsRead() bool {
	needs := func(o Operation) bool { return o.NeedsRead() }
	return slices.ContainsFunc(m.Static, needs) || slices.ContainsFunc(m.Regular, needs)
}

// prepareModification plans INSERT, UPDATE, DELETE and BATCH.
func (s *scope) prepareModification(st ast.Statement) (*Plan, error) {
	if b, ok := st.(*ast.Batch); ok {
		return s.prepareBatch(b)
	}
	m, err := s.modification(st)
	if err != nil {
		return nil, err
	}
	return &Plan{Kind: KindModification, Body: m, Table: m.Table}, m.validate()
}

// modification plans one INSERT, UPDATE or DELETE. The order of its steps is the order of Cassandra's refusals.
func (s *scope) modification(st ast.Statement) (*ModificationPlan, error) {
	m := &ModificationPlan{}
	var using ast.Using
	var name ast.Name
	switch st := st.(type) {
	case *ast.Insert:
		m.Verb, name, using = Insert, st.Table, st.Using
	case *ast.Update:
		m.Verb, name, using = Update, st.Table, st.Using
	case *ast.Delete:
		m.Verb, name, using = Delete, st.Table, st.Using
	default:
		return nil, cql.Invalidf("Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.")
	}
	var err error
	if m.Table, err = s.tableOf(name); err != nil {
		return nil, err
	}
	s.table = m.Table
	if err := s.using(m, using); err != nil {
		return nil, err
	}
	switch st := st.(type) {
	case *ast.Insert:
		m.If.NotExists = st.IfNotExists
		err = s.insert(m, st)
	case *ast.Update:
		m.If.Exists = st.IfExists
		if err = s.conditions(m, st.If); err == nil {
			err = s.update(m, st)
		}
	case *ast.Delete:
		m.If.Exists = st.IfExists
		if err = s.conditions(m, st.If); err == nil {
			err = s.delete(m, st)
		}
	}
	if err != nil {
		return nil, err
	}
	return m, s.finish(m)
}

// finish makes the checks that all modifications share and decides how the statement is run.
// Source: the constructor of ModificationStatement, and its validate.
func (s *scope) finish(m *ModificationPlan) error {
	if m.If.Any() {
		switch {
		case m.Table.Counter:
			return cql.Invalidf("Conditional updates are not supported on counter tables")
		case m.Timestamp != nil:
			return cql.Invalidf("Cannot provide custom timestamp for conditional updates")
		}
	}
	switch {
	case m.Table.Virtual:
		m.Refusal = cql.Invalidf("Modification is not supported by table %s.%s", m.Table.Keyspace, m.Table.Name)
	case m.Table.Keyspace == "system" || m.Table.Keyspace == "system_schema":
		// Deviation: Cassandra writes to its own tables when it is told to, and breaks.
		m.Refusal = cql.Unauthorizedf("%s keyspace is not user-modifiable.", m.Table.Keyspace)
	}
	byColumn := func(a, b Operation) int { return int(a.Column.ID) - int(b.Column.ID) }
	slices.SortStableFunc(m.Static, byColumn)
	slices.SortStableFunc(m.Regular, byColumn)
	m.UpdatesRows = len(m.Table.Clustering) == 0 || m.Where.HasClustering()
	if m.Where.token == nil {
		m.Key = oneEach(m.Where.partition)
	}
	m.Row = oneEach(m.Where.clustering)
	return nil
}

// validate makes the checks that come after all of a statement, or of a batch, is prepared.
// Source: ModificationStatement.validate.
func (m *ModificationPlan) validate() error {
	t := m.Table
	switch {
	case t.Counter && m.Timestamp != nil:
		return cql.Invalidf("Cannot provide custom timestamp for counter updates")
	case t.Counter && m.TTL != nil:
		return cql.Invalidf("Cannot provide custom TTL for counter updates")
	case t.Virtual && m.Timestamp != nil:
		return cql.Invalidf("Custom timestamp is not supported by virtual tables")
	case t.Virtual && m.TTL != nil:
		return cql.Invalidf("Expiring columns are not supported by virtual tables")
	case t.Virtual && m.If.Any():
		return cql.Invalidf("Conditional updates are not supported by virtual tables")
	}
	return nil
}

// oneEach returns the terms of equalities on single columns, one for each of list, or nil when a column has anything else.
func oneEach(list []*restriction) []Term {
	terms := make([]Term, len(list))
	for i, x := range list {
		if x == nil || x.kind != isEQ || x.multi || len(x.values) != 1 || x.values[0].whole != nil {
			return nil
		}
		terms[i] = x.values[0].items[0]
	}
	return terms
}

// using prepares USING TIMESTAMP and TTL. Source: org.apache.cassandra.cql3.Attributes.Raw.
func (s *scope) using(m *ModificationPlan, u ast.Using) (err error) {
	if u.Timestamp != nil {
		if m.Timestamp, err = s.term(u.Timestamp, s.named("[timestamp]", types.TBigint)); err != nil {
			return err
		}
	}
	if u.TTL != nil {
		m.TTL, err = s.term(u.TTL, s.named("[ttl]", types.TInt))
	}
	return err
}

// insert prepares INSERT ... VALUES and INSERT JSON.
func (s *scope) insert(m *ModificationPlan, st *ast.Insert) error {
	if m.Table.Counter {
		return cql.Invalidf("INSERT statements are not allowed on counter tables, use UPDATE instead")
	}
	if st.JSON != nil {
		return s.insertJSON(m, st)
	}
	if len(st.Columns) != len(st.Values) {
		return cql.Invalidf("Unmatched column names/values")
	}
	for i, name := range st.Columns {
		if slices.Contains(st.Columns[:i], name) {
			return cql.Invalidf("The column names contains duplicates")
		}
	}
	var where []ast.Relation
	clustering := false
	for i, name := range st.Columns {
		c, err := s.column(name)
		if err != nil {
			return err
		}
		if c.IsPrimaryKey() {
			clustering = clustering || c.Kind == schema.Clustering
			where = append(where, ast.Relation{Columns: []string{name}, Op: ast.EQ, Value: st.Values[i]})
			continue
		}
		o, err := s.setColumn(st.Values[i], c)
		if err != nil {
			return err
		}
		m.put(o)
	}
	var err error
	m.Where, err = s.where(whereInsert, where, whereOptions{onlyStatics: !clustering && m.onlyStatics()})
	return err
}

// put adds an operation.
func (m *ModificationPlan) put(o Operation) {
	if o.Column.Kind == schema.Static {
		m.Static = append(m.Static, o)
	} else {
		m.Regular = append(m.Regular, o)
	}
}

// onlyStatics reports whether the statement changes and tests static columns alone.
// Source: ModificationStatement.appliesOnlyToStaticColumns.
func (m *ModificationPlan) onlyStatics() bool {
	if m.Rows() {
		return false
	}
	statics := len(m.Static) > 0
	for i := range m.If.Columns {
		if m.If.Columns[i].Column.Kind != schema.Static {
			return false
		}
		statics = true
	}
	return statics && len(m.Regular) == 0
}

// update prepares UPDATE. Source: UpdateStatement.ParsedUpdate.
func (s *scope) update(m *ModificationPlan, st *ast.Update) error {
	for i, a := range st.Set {
		for _, b := range st.Set[:i] {
			if a.Field != "" && a.Field == b.Field && a.Column == b.Column {
				return cql.Syntaxf("Multiple incompatible setting of column %s", a.Column)
			}
		}
	}
	for i := range st.Set {
		a := &st.Set[i]
		c, err := s.column(a.Column)
		if err != nil {
			return err
		}
		if c.IsPrimaryKey() {
			return cql.Invalidf("PRIMARY KEY part %s found in SET part", c.Name)
		}
		o, err := s.assignment(a, c, m.If.Any())
		if err != nil {
			return err
		}
		m.put(o)
	}
	var err error
	m.Where, err = s.where(whereUpdate, st.Where, whereOptions{onlyStatics: m.onlyStatics()})
	return err
}

// delete prepares DELETE. Source: DeleteStatement.Parsed.
func (s *scope) delete(m *ModificationPlan, st *ast.Delete) error {
	for i := range st.Columns {
		a := &st.Columns[i]
		c, err := s.column(a.Column)
		if err != nil {
			return err
		}
		if c.IsPrimaryKey() {
			return cql.Invalidf("Invalid identifier %s for deletion (should not be a PRIMARY KEY part)", c.Name)
		}
		o, err := s.deletion(a, c)
		if err != nil {
			return err
		}
		m.put(o)
	}
	var err error
	if m.Where, err = s.where(whereDelete, st.Where, whereOptions{onlyStatics: m.onlyStatics()}); err != nil {
		return err
	}
	if m.If.Any() && !m.Where.FullClustering() {
		// A conditional delete names one row, or touches and tests static columns alone.
		const must = "DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to "
		if len(m.Regular) > 0 || m.Rows() {
			return cql.Invalidf(must + "delete non static columns")
		}
		for i := range m.If.Columns {
			if m.If.Columns[i].Column.Kind != schema.Static {
				return cql.Invalidf(must + "use IF condition on non static columns")
			}
		}
	}
	return nil
}
