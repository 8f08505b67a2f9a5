package schema

import (
	"math"
	"slices"
	"strconv"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// AlterTable carries out ALTER TABLE.
// Source: org.apache.cassandra.cql3.statements.schema.AlterTableStatement; cql.md 1.4, 2.6.
func AlterTable(s *Snapshot, env *Env, d TableAlter) (Result, error) {
	p, err := newProperties(d.With)
	if err != nil {
		return Result{}, err
	}
	if err := checkModifiable(d.Keyspace, "ALTER", tableResource(d.Keyspace, d.Name)); err != nil {
		return Result{}, err
	}
	old := s.Table(d.Keyspace, d.Name)
	if old == nil {
		return missing(d.IfExists, "Table '%s.%s' doesn't exist", d.Keyspace, d.Name)
	}
	a := &alteration{s: s, env: env, d: d, old: old, t: old.clone()}
	switch d.Kind {
	case AlterAdd:
		err = a.add()
	case AlterDrop:
		err = a.drop()
	case AlterRename:
		err = a.rename()
	case AlterWith:
		err = a.with(p)
	case AlterColumnType:
		err = cql.Invalidf("Altering column types is no longer supported")
	case AlterMask:
		err = cql.Invalidf(errMasked)
	case AlterDropMask:
		if old.ByName[d.Column] == nil && !d.ColumnIf {
			err = cql.Invalidf("Column with name '%s' doesn't exist on table '%s'", d.Column, d.Name)
		}
	case AlterDropCompact:
		err = cql.Invalidf("DROP COMPACT STORAGE is disabled. Enable in cassandra.yaml to use.")
	}
	if err != nil {
		return Result{}, err
	}
	if !a.changed {
		return noOp()
	}
	a.t.Finish()
	return done(&PutTable{a.t}, Event{"UPDATED", "TABLE", d.Keyspace, d.Name})
}

// alteration is one ALTER TABLE under way: t is a copy of old that is edited.
type alteration struct {
	s       *Snapshot
	env     *Env
	d       TableAlter
	old, t  *Table
	changed bool
}

func (a *alteration) add() error {
	taken := make(map[string]bool)
	var wrong error // what Cassandra finds only when it validates the whole table
	for _, c := range a.d.Add {
		if a.old.ByName[c.Name] != nil || taken[c.Name] {
			if a.d.ColumnIf {
				continue
			}
			return cql.Invalidf("Column with name '%s' already exists", c.Name)
		}
		taken[c.Name] = true
		if c.Masked {
			return cql.Invalidf(errMasked)
		}
		typ, err := ResolveType(a.s, a.d.Keyspace, c.Type)
		if err != nil {
			return err
		}
		if c.Static && len(a.t.Clustering) == 0 {
			return cql.Invalidf(errStatic)
		}
		if hasNestedCollection(typ) {
			return cql.Invalidf("Non-frozen UDTs with nested non-frozen collections are not supported for column %s", c.Name)
		}
		if err := a.addColumn(c, typ); err != nil {
			return err
		}
		if counter := typ.Kind == types.Counter; counter != a.old.Counter && wrong == nil {
			wrong = wrongCounter(a.t, c.Name, counter)
		}
	}
	return wrong
}

func wrongCounter(t *Table, column string, counter bool) error {
	if counter {
		return cql.Configf(`%s.%s: Cannot have a counter column ("%s") in a non counter table`, t.Keyspace, t.Name, column)
	}
	return cql.Configf(`%s.%s: Cannot have a non counter column ("%s") in a counter table`, t.Keyspace, t.Name, column)
}

// addColumn puts a new column into the table, under its old id when one of its name was dropped.
func (a *alteration) addColumn(d ColumnDef, typ *types.Type) error {
	c := &Column{
		Keyspace: a.d.Keyspace, Table: a.d.Name, Name: d.Name, ID: a.t.NextColumn, Kind: Regular, Position: -1, Type: typ,
		DroppedAt: math.MinInt64,
	}
	if d.Static {
		c.Kind = Static
	}
	if was, ok := a.t.Dropped[d.Name]; ok {
		if err := checkReadd(c, was.Column); err != nil {
			return err
		}
		c.ID, c.DroppedAt = was.Column.ID, was.At
		delete(a.t.Dropped, d.Name)
		if a.t.Readded == nil {
			a.t.Readded = make(map[string]DroppedColumn)
		}
		a.t.Readded[d.Name] = was
	} else {
		a.t.NextColumn++
	}
	if d.Static {
		a.t.Static = append(a.t.Static, c)
	} else {
		a.t.Regular = append(a.t.Regular, c)
	}
	a.changed = true
	return nil
}

// checkReadd refuses a column that cannot read the cells of the dropped one.
func checkReadd(c, was *Column) error {
	kinds := map[ColumnKind]string{Static: "STATIC", Regular: "REGULAR"}
	switch {
	case !canRead(c.Type, was.Type):
		return cql.Invalidf("Cannot re-add previously dropped column '%s' of type %s, incompatible with previous type %s",
			c.Name, c.Type, was.Type)
	case c.Kind != was.Kind:
		return cql.Invalidf("Cannot re-add previously dropped column '%s' of kind %s, incompatible with previous kind %s",
			c.Name, kinds[c.Kind], kinds[was.Kind])
	case c.Type.Kind == types.Counter:
		return cql.Invalidf("Cannot re-add previously dropped counter column %s", c.Name)
	}
	return nil
}

// canRead reports whether values of type was can be taken for values of type t.
// Source: org.apache.cassandra.db.marshal.AbstractType.isSerializationCompatibleWith.
func canRead(t, was *types.Type) bool {
	if t.Equal(was) {
		return true
	}
	if was.IsMultiCell() != t.IsMultiCell() {
		return false
	}
	switch t.Kind {
	case types.Blob:
		return !fixedLength(was)
	case types.Text:
		return was.Kind == types.Ascii
	case types.Bigint, types.Timestamp:
		return was.Kind == types.Bigint || was.Kind == types.Timestamp
	case types.UUID:
		return was.Kind == types.Timeuuid
	case types.List:
		return was.Kind == types.List && canRead(t.Elems[0], was.Elems[0])
	case types.Set, types.Map:
		return t.Kind == was.Kind && sortsAlike(t.Elems[0], was.Elems[0]) && allOf(t.Elems[1:], was.Elems[1:], canRead)
	case types.Tuple:
		return was.Kind == types.Tuple && len(was.Elems) <= len(t.Elems) && allOf(t.Elems, was.Elems, canRead)
	}
	return false
}

// sortsAlike is canRead for the elements of sets and the keys of maps, which must keep their order too.
func sortsAlike(t, was *types.Type) bool {
	switch {
	case t.Equal(was):
		return true
	case t.Kind == types.Blob:
		return was.Kind == types.Text || was.Kind == types.Ascii
	case t.IsCollection() || t.Kind == types.Tuple || t.Kind == types.Text:
		return canRead(t, was)
	}
	return false
}

// allOf holds ok against each pair that both lists have.
func allOf(a, b []*types.Type, ok func(a, b *types.Type) bool) bool {
	for i := range min(len(a), len(b)) {
		if !ok(a[i], b[i]) {
			return false
		}
	}
	return true
}

// fixedLength reports whether Cassandra writes values of t without their length. Source: AbstractType.valueLengthIfFixed.
func fixedLength(t *types.Type) bool {
	switch t.Kind {
	case types.Boolean, types.Int, types.Float, types.Bigint, types.Counter, types.Double, types.Timestamp,
		types.UUID, types.Timeuuid:
		return true
	case types.Vector:
		return fixedLength(t.Elems[0])
	}
	return false
}

func (a *alteration) drop() error {
	at := a.env.Now
	if a.d.Timestamp != "" {
		n, err := strconv.ParseInt(a.d.Timestamp, 10, 64)
		if err != nil {
			return cql.Invalidf(`For input string: "%s"`, a.d.Timestamp)
		}
		at = n
	}
	for _, name := range a.d.Drop {
		c := a.old.ByName[name]
		if c == nil {
			if a.d.ColumnIf {
				continue
			}
			return cql.Invalidf("Column %s was not found in table '%s.%s'", name, a.d.Keyspace, a.d.Name)
		}
		var indexes []string
		for _, x := range a.old.Indexes {
			if x.Column == c {
				indexes = append(indexes, x.Name)
			}
		}
		switch {
		case c.IsPrimaryKey():
			return cql.Invalidf("Cannot drop PRIMARY KEY column %s", name)
		case c.Type.Kind == types.UDT && c.Type.IsMultiCell():
			return cql.Invalidf("Cannot drop non-frozen column %s of user type %s", name, c.Type)
		case len(indexes) > 0:
			return cql.Invalidf("Cannot drop column %s because it has dependent secondary indexes (%s)", name, join(indexes))
		}
		gone := *c
		gone.Type = withoutUDTs(c.Type)
		if a.t.Dropped == nil {
			a.t.Dropped = make(map[string]DroppedColumn)
		}
		a.t.Dropped[name] = DroppedColumn{Column: &gone, At: at}
		delete(a.t.Readded, name)
		same := func(x *Column) bool { return x.Name == name }
		a.t.Static, a.t.Regular = slices.DeleteFunc(a.t.Static, same), slices.DeleteFunc(a.t.Regular, same)
		a.changed = true
	}
	return nil
}

// withoutUDTs returns t with tuples for its user types, so that a dropped column outlives them; vectors are left alone.
// Source: AbstractType.expandUserTypes.
func withoutUDTs(t *types.Type) *types.Type {
	switch t.Kind {
	case types.List, types.Set, types.Map, types.Tuple, types.UDT:
	default:
		return t
	}
	n := *t
	n.Elems = make([]*types.Type, len(t.Elems))
	for i, e := range t.Elems {
		n.Elems[i] = withoutUDTs(e)
	}
	if t.Kind == types.UDT {
		n = types.Type{Kind: types.Tuple, Frozen: true, Elems: n.Elems}
		return n.Freeze()
	}
	return &n
}

func (a *alteration) rename() error {
	for _, r := range a.d.Renames {
		c := a.old.ByName[r.From]
		switch {
		case c == nil:
			return cql.Invalidf("Undefined column name %s in table %s.%s", types.QuoteIdent(r.From), a.d.Keyspace, a.d.Name)
		case !c.IsPrimaryKey():
			return cql.Invalidf("Cannot rename non PRIMARY KEY column %s", types.QuoteIdent(r.From))
		case a.old.ByName[r.To] != nil:
			return cql.Invalidf("Cannot rename column %s to %s in table '%s.%s'; another column with that name already exists",
				types.QuoteIdent(r.From), types.QuoteIdent(r.To), a.d.Keyspace, a.d.Name)
		}
		var indexes []string
		for _, x := range a.old.Indexes {
			if x.Column == c {
				indexes = append(indexes, x.Name)
			}
		}
		if len(indexes) > 0 {
			return cql.Invalidf("Can't rename column %s because it has dependent secondary indexes (%s)",
				types.QuoteIdent(r.From), join(indexes))
		}
		found, taken := false, false
		a.t.edit(func(x *Column) *Column {
			taken = taken || x.Name == r.To
			if x.ID != c.ID {
				return x
			}
			n := *x
			n.Name = r.To
			found = true
			return &n
		})
		if taken || !found {
			return cql.Invalidf("Cannot rename column %s to %s in table '%s.%s'; another column with that name already exists",
				types.QuoteIdent(r.From), types.QuoteIdent(r.To), a.d.Keyspace, a.d.Name)
		}
		a.changed = true
	}
	return nil
}

func (a *alteration) with(p properties) error {
	if err := p.allow(tableOptions); err != nil {
		return err
	}
	if a.d.HasID || p.has("id") {
		if v, ok, err := p.text("id"); err != nil {
			return err
		} else if ok {
			if err := new(UUID).Parse(v); err != nil {
				return err
			}
		}
		return cql.Configf("Cannot alter table id.")
	}
	o := &a.t.Options
	if err := setOptions(a.env, p, o, false); err != nil {
		return err
	}
	if err := o.validate(); err != nil {
		return err
	}
	if a.old.Counter && o.DefaultTTL > 0 {
		return cql.Invalidf(errCounterTTL)
	}
	a.changed = !o.equal(&a.old.Options)
	return nil
}
