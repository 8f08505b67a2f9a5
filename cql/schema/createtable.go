package schema

import (
	"math"
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

const errMasked = "Cannot mask columns because dynamic data masking is not enabled. " +
	"You can enable it with the dynamic_data_masking_enabled property on cassandra.yaml"

// CreateTable carries out CREATE TABLE.
// Source: org.apache.cassandra.cql3.statements.schema.CreateTableStatement; cql.md 1.4.
//
// Deviation: COMPACT STORAGE is refused. A column written as a ReversedType and ordered DESC besides is in descending order;
// Cassandra turns its order twice and shows it as descending.
func CreateTable(s *Snapshot, env *Env, d TableDef) (Result, error) {
	p, err := newProperties(d.With)
	if err != nil {
		return Result{}, err
	}
	key, err := primaryKey(d)
	if err != nil {
		return Result{}, err
	}
	if err := checkModifiable(d.Keyspace, "CREATE", allTablesResource(d.Keyspace)); err != nil {
		return Result{}, err
	}
	options := DefaultOptions()
	if err := setOptions(env, p, &options, true); err != nil {
		return Result{}, err
	}
	k := s.Keyspaces[d.Keyspace]
	if k == nil {
		return Result{}, cql.Invalidf("Keyspace '%s' doesn't exist", d.Keyspace)
	}
	if k.Tables[d.Name] != nil {
		if d.IfNotExists {
			return noOp()
		}
		return Result{}, cql.TableExists(d.Keyspace, d.Name)
	}
	if err := p.allow(tableOptions); err != nil {
		return Result{}, err
	}
	if d.CompactStorage {
		return Result{}, cql.Invalidf("COMPACT STORAGE tables are not supported by Helenus")
	}
	t := &Table{Keyspace: d.Keyspace, Name: d.Name, Options: options}
	if t.ID, err = tableID(s, env, p, d.ID); err != nil {
		return Result{}, err
	}
	if err := options.validate(); err != nil {
		return Result{}, err
	}
	b := &tableBuilder{s: s, d: d, t: t, columns: make(map[string]*Column), reversed: make(map[string]bool)}
	if err := b.build(key); err != nil {
		return Result{}, err
	}
	if err := checkTableName(d.Keyspace, d.Name); err != nil {
		return Result{}, err
	}
	return done(&PutTable{t}, Event{"CREATED", "TABLE", d.Keyspace, d.Name})
}

// primaryKey makes the checks that need no schema and returns the one key.
func primaryKey(d TableDef) (KeyDef, error) {
	seen := map[string]bool{}
	keys := d.Keys
	full := d.Keyspace + "." + d.Name
	if d.Unqualified {
		full = d.Name
	}
	for _, c := range d.Columns {
		if seen[c.Name] {
			return KeyDef{}, cql.Invalidf("Duplicate column '%s' declaration for table '%s'", c.Name, full)
		}
		seen[c.Name] = true
		if c.PrimaryKey {
			keys = append(slices.Clip(keys), KeyDef{Partition: []string{c.Name}})
		}
	}
	switch {
	case len(keys) > 1:
		return KeyDef{}, cql.Invalidf("Multiple PRIMARY KEY specified for table '%s' (exactly one required)", full)
	case len(keys) == 0:
		return KeyDef{}, cql.Invalidf("No PRIMARY KEY specifed for table '%s' (exactly one required)", full)
	}
	seen = map[string]bool{}
	for _, o := range d.Order {
		if seen[o.Column] {
			return KeyDef{}, cql.Invalidf("Duplicate column '%s' in CLUSTERING ORDER BY clause for table '%s'", o.Column, full)
		}
		seen[o.Column] = true
	}
	return keys[0], nil
}

func checkTableName(ks, name string) error {
	if !isWord(name) {
		return cql.Configf("%s.%s: Table name must not be empty or not contain non-alphanumeric-underscore characters (got \"%s\")",
			ks, name, name)
	}
	if len(name) > maxTableName {
		return cql.Configf("%s.%s: Table name must not be more than %d characters long (got %d characters for \"%s\")",
			ks, name, maxTableName, len(name), name)
	}
	return nil
}

// tableID returns the id of WITH ID, or a new one.
func tableID(s *Snapshot, env *Env, p properties, text string) (UUID, error) {
	if v, ok, err := p.text("id"); err != nil {
		return UUID{}, err
	} else if ok {
		text = v
	}
	if text == "" && !p.has("id") {
		return env.NewID(), nil
	}
	var id UUID
	err := id.Parse(text)
	if old := s.ByID[id]; err == nil && old != nil {
		return id, cql.Invalidf("Table id %s is already used by %s.%s", text, old.Keyspace, old.Name)
	}
	return id, err
}

// tableBuilder makes the columns of a new table.
type tableBuilder struct {
	s       *Snapshot
	d       TableDef
	t       *Table
	columns map[string]*Column // those not yet placed
	// reversed are the columns whose type is written as a ReversedType, which is another way to say DESC.
	reversed map[string]bool
}

func (b *tableBuilder) build(key KeyDef) error {
	for _, c := range b.d.Columns {
		if c.Masked {
			return cql.Invalidf(errMasked)
		}
	}
	if err := b.resolve(); err != nil {
		return err
	}
	if err := b.placeKey(key); err != nil {
		return err
	}
	if err := b.orderClustering(); err != nil {
		return err
	}
	if err := b.placeRest(); err != nil {
		return err
	}
	b.t.Finish()
	return nil
}

// resolve makes all columns; ids follow the order of declaration, types are resolved in the order of names.
func (b *tableBuilder) resolve() error {
	defs := slices.Clone(b.d.Columns)
	ids := make(map[string]ColumnID, len(defs))
	for i, c := range defs {
		ids[c.Name] = ColumnID(i + 1)
	}
	b.t.NextColumn = ColumnID(len(defs) + 1)
	slices.SortFunc(defs, func(x, y ColumnDef) int { return strings.Compare(x.Name, y.Name) })
	for _, c := range defs {
		typ, err := ResolveType(b.s, b.d.Keyspace, c.Type)
		if err != nil {
			return err
		}
		if hasNestedCollection(typ) {
			return cql.Invalidf("Non-frozen UDTs with nested non-frozen collections are not supported")
		}
		b.reversed[c.Name] = types.IsReversedName(c.Type.Class)
		kind := Regular
		if c.Static {
			kind = Static
		}
		b.columns[c.Name] = &Column{
			Keyspace: b.d.Keyspace, Table: b.d.Name, Name: c.Name, ID: ids[c.Name], Kind: kind, Position: -1, Type: typ,
			DroppedAt: math.MinInt64,
		}
	}
	return nil
}

// hasNestedCollection reports whether t is a user type stored field by field of which a field would need cells of its own.
func hasNestedCollection(t *types.Type) bool {
	return t.Kind == types.UDT && t.IsMultiCell() && slices.ContainsFunc(t.Elems, (*types.Type).IsMultiCell)
}

func (b *tableBuilder) placeKey(key KeyDef) error {
	seen := map[string]bool{}
	for _, name := range append(slices.Clone(key.Partition), key.Clustering...) {
		if b.columns[name] == nil {
			return cql.Invalidf("Unknown column '%s' referenced in PRIMARY KEY for table '%s'", name, b.d.Name)
		}
		if seen[name] {
			return cql.Invalidf("Duplicate column '%s' in PRIMARY KEY clause for table '%s'", name, b.d.Name)
		}
		seen[name] = true
	}
	for i, name := range key.Partition {
		if err := b.placeKeyColumn(name, PartitionKey, i, &b.t.PartitionKey); err != nil {
			return err
		}
	}
	for i, name := range key.Clustering {
		if err := b.placeKeyColumn(name, Clustering, i, &b.t.Clustering); err != nil {
			return err
		}
	}
	return nil
}

func (b *tableBuilder) placeKeyColumn(name string, kind ColumnKind, position int, list *[]*Column) error {
	c := b.columns[name]
	switch t := c.Type; {
	case t.Kind == types.Counter:
		return cql.Invalidf("counter type is not supported for PRIMARY KEY column '%s'", name)
	case t.IsMultiCell() && t.IsCollection():
		return cql.Invalidf("Invalid non-frozen collection type %s for PRIMARY KEY column '%s'", t, name)
	case t.IsMultiCell():
		return cql.Invalidf(`Invalid non-frozen user-defined type "%s.%s" for PRIMARY KEY column '%s'`, t.Keyspace, t.Name, name)
	case t.Kind != types.Vector && t.ReferencesDuration():
		return cql.Invalidf("duration type is not supported for PRIMARY KEY column '%s'", name)
	case c.Kind == Static:
		return cql.Invalidf("Static column '%s' cannot be part of the PRIMARY KEY", name)
	}
	c.Kind, c.Position = kind, position
	*list = append(*list, c)
	delete(b.columns, name)
	return nil
}

// orderClustering applies CLUSTERING ORDER BY.
func (b *tableBuilder) orderClustering() error {
	var others []string
	for _, o := range b.d.Order {
		if !slices.ContainsFunc(b.t.Clustering, func(c *Column) bool { return c.Name == o.Column }) {
			others = append(others, o.Column)
		}
	}
	if len(others) > 0 {
		return cql.Invalidf("Only clustering key columns can be defined in CLUSTERING ORDER directive: "+
			"%s are not clustering columns", list(others))
	}
	for i, o := range b.d.Order {
		c := b.t.Clustering[i]
		if c.Name != o.Column {
			if !slices.ContainsFunc(b.d.Order, func(x OrderDef) bool { return x.Column == c.Name }) {
				return cql.Invalidf("Missing CLUSTERING ORDER for column %s", c.Name)
			}
			return cql.Invalidf("The order of columns in the CLUSTERING ORDER directive must match that of the clustering columns "+
				"(%s must appear before %s)", c.Name, o.Column)
		}
		c.Desc = o.Desc
	}
	for _, c := range b.t.Clustering {
		c.Desc = c.Desc || b.reversed[c.Name]
	}
	return nil
}

func (b *tableBuilder) placeRest() error {
	counters := 0
	for _, name := range sortedKeys(b.columns) {
		c := b.columns[name]
		if c.Type.Kind == types.Counter {
			counters++
		}
		if c.Kind == Regular {
			b.t.Regular = append(b.t.Regular, c)
			continue
		}
		if len(b.t.Clustering) == 0 {
			return cql.Invalidf(errStatic)
		}
		b.t.Static = append(b.t.Static, c)
	}
	if counters > 0 {
		if counters != len(b.columns) {
			return cql.Invalidf("Cannot mix counter and non counter columns in the same table")
		}
		if b.t.Options.DefaultTTL > 0 {
			return cql.Invalidf(errCounterTTL)
		}
		b.t.Counter = true
	}
	return nil
}

const (
	errStatic     = "Static columns are only useful (and thus allowed) if the table has at least one clustering column"
	errCounterTTL = "Cannot set default_time_to_live on a table with counters"
)

// DropTable carries out DROP TABLE. Source: org.apache.cassandra.cql3.statements.schema.DropTableStatement.
func DropTable(s *Snapshot, d DropDef) (Result, error) {
	if err := checkModifiable(d.Keyspace, "DROP", tableResource(d.Keyspace, d.Name)); err != nil {
		return Result{}, err
	}
	if s.Table(d.Keyspace, d.Name) == nil {
		return missing(d.IfExists, "Table '%s.%s' doesn't exist", d.Keyspace, d.Name)
	}
	return done(&RemoveTable{d.Keyspace, d.Name}, Event{"DROPPED", "TABLE", d.Keyspace, d.Name})
}
