package schema

import (
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

func join(names []string) string { return strings.Join(names, ", ") }

// CreateType carries out CREATE TYPE.
// Source: org.apache.cassandra.cql3.statements.schema.CreateTypeStatement; cql.md 1.4.
func CreateType(s *Snapshot, d TypeDef) (Result, error) {
	if err := checkModifiable(d.Keyspace, "CREATE", allTablesResource(d.Keyspace)); err != nil {
		return Result{}, err
	}
	k := s.Keyspaces[d.Keyspace]
	if k == nil {
		return Result{}, cql.Invalidf("Keyspace '%s' doesn't exist", d.Keyspace)
	}
	if k.Types[d.Name] != nil {
		if d.IfNotExists {
			return noOp()
		}
		return Result{}, cql.Invalidf("A user type with name '%s' already exists", d.Name)
	}
	t := &UserType{Kind: types.UDT, Keyspace: d.Keyspace, Name: d.Name, Fields: slices.Clone(d.Fields)}
	for i, f := range d.Fields {
		if slices.Contains(d.Fields[:i], f) {
			return Result{}, cql.Invalidf("Duplicate field name '%s' in type '%s'", f, d.Name)
		}
	}
	for _, ref := range d.Types {
		if err := checkField(ref); err != nil {
			return Result{}, err
		}
	}
	for _, ref := range d.Types {
		e, err := ResolveType(s, d.Keyspace, ref)
		if err != nil {
			return Result{}, err
		}
		t.Elems = append(t.Elems, e)
	}
	if countNodes(t, maxTypeNodes) < 0 {
		return Result{}, cql.Invalidf("Type %s.%s is too large: it has more than %d types inside", d.Keyspace, d.Name, maxTypeNodes)
	}
	return done(&PutType{t}, Event{"CREATED", "TYPE", d.Keyspace, d.Name})
}

// checkField refuses what cannot be a field at all.
func checkField(ref *TypeRef) error {
	switch {
	case ref.is("counter"):
		return cql.Invalidf("A user type cannot contain counters")
	case ref.IsUser && !ref.Frozen:
		return cql.Invalidf("A user type cannot contain non-frozen UDTs")
	}
	return nil
}

// AlterType carries out ALTER TYPE. The tables that use the type change with it: Apply rewrites them, and each has an event.
// Source: org.apache.cassandra.cql3.statements.schema.AlterTypeStatement.
func AlterType(s *Snapshot, d TypeAlterDef) (Result, error) {
	if err := checkModifiable(d.Keyspace, "ALTER", allTablesResource(d.Keyspace)); err != nil {
		return Result{}, err
	}
	k := s.Keyspaces[d.Keyspace]
	var old *UserType
	if k != nil {
		old = k.Types[d.Name]
	}
	if old == nil {
		return missing(d.IfExists, "Type %s.%s doesn't exist", d.Keyspace, d.Name)
	}
	t := *old
	t.Fields, t.Elems = slices.Clone(old.Fields), slices.Clone(old.Elems)
	var err error
	changed := false
	switch d.Kind {
	case TypeAdd:
		changed, err = addField(s, k, &t, d)
	case TypeRename:
		changed, err = renameFields(&t, d)
	case TypeAlter:
		err = cql.Invalidf("Altering field types is no longer supported")
	}
	if err != nil {
		return Result{}, err
	}
	if !changed {
		return noOp()
	}
	r := Result{Change: &PutType{&t}, Answer: Event{"UPDATED", "TYPE", k.Name, t.Name}}
	r.Events = append(r.Events, r.Answer)
	for _, n := range k.TypeNames() {
		if n != t.Name && k.Types[n].ReferencesUserType(k.Name, t.Name) {
			r.Events = append(r.Events, Event{"UPDATED", "TYPE", k.Name, n})
		}
	}
	for _, n := range k.TableNames() {
		if k.Tables[n].uses(&t, k.Tables[n].AllColumns()) {
			r.Events = append(r.Events, Event{"UPDATED", "TABLE", k.Name, n})
		}
	}
	return r, nil
}

// uses reports whether one of the columns has the user type or holds it.
func (t *Table) uses(u *UserType, columns []*Column) bool {
	return slices.ContainsFunc(columns, func(c *Column) bool { return c.Type.ReferencesUserType(u.Keyspace, u.Name) })
}

func addField(s *Snapshot, k *Keyspace, t *UserType, d TypeAlterDef) (bool, error) {
	name := t.Keyspace + "." + t.Name
	if slices.Contains(t.Fields, d.Field) {
		if d.FieldIf {
			return false, nil
		}
		return false, cql.Invalidf("Cannot add field %s to type %s: a field with name %s already exists",
			types.QuoteIdent(d.Field), name, types.QuoteIdent(d.Field))
	}
	if err := checkField(d.Type); err != nil {
		return false, err
	}
	e, err := ResolveType(s, d.Keyspace, d.Type)
	if err != nil {
		return false, err
	}
	if e.ReferencesUserType(t.Keyspace, t.Name) {
		return false, cql.Invalidf("Cannot add new field %s of type %s to user type %s as it would create a circular reference",
			types.QuoteIdent(d.Field), qualified(e), name)
	}
	var tables []string
	for _, n := range k.TableNames() {
		if k.Tables[n].uses(t, k.Tables[n].PartitionKey) {
			tables = append(tables, t.Keyspace+"."+n)
		}
	}
	if len(tables) > 0 {
		return false, cql.Invalidf("Cannot add new field %s of type %s to user type %s as the type is being used in partition key "+
			"by the following tables: %s", types.QuoteIdent(d.Field), qualified(e), name, join(tables))
	}
	t.Fields, t.Elems = append(t.Fields, d.Field), append(t.Elems, e)
	for _, n := range k.TypeNames() {
		if countNodes(replaceUDT(k.Types[n], t), maxTypeNodes) < 0 {
			return false, cql.Invalidf("Type %s.%s would be too large: it would have more than %d types inside", k.Name, n, maxTypeNodes)
		}
	}
	return true, nil
}

// qualified prints a type with the keyspaces of its user types, as some texts do.
func qualified(t *types.Type) string {
	if t.Kind == types.UDT {
		s := t.Keyspace + "." + t.Name
		if t.Frozen {
			return "frozen<" + s + ">"
		}
		return s
	}
	if len(t.Elems) == 0 {
		return t.String()
	}
	parts := make([]string, len(t.Elems))
	for i, e := range t.Elems {
		parts[i] = qualified(e)
	}
	s := t.Kind.String() + "<" + join(parts) + ">"
	if t.Kind == types.Vector {
		return t.String()
	}
	if t.Frozen {
		return "frozen<" + s + ">"
	}
	return s
}

func renameFields(t *UserType, d TypeAlterDef) (bool, error) {
	old := slices.Clone(t.Fields)
	changed := false
	for _, r := range d.Renames {
		i := slices.Index(old, r.From)
		if i < 0 {
			if d.FieldIf {
				continue
			}
			return false, cql.Invalidf("Unkown field %s in user type %s.%s", types.QuoteIdent(r.From), t.Keyspace, t.Name)
		}
		t.Fields[i] = r.To
		changed = true
	}
	for i, f := range t.Fields {
		if slices.Contains(t.Fields[:i], f) {
			return false, cql.Invalidf("Duplicate field name %s in type %s", f, t.Keyspace)
		}
	}
	return changed && !slices.Equal(old, t.Fields), nil
}

// DropType carries out DROP TYPE. Source: org.apache.cassandra.cql3.statements.schema.DropTypeStatement.
func DropType(s *Snapshot, d DropDef) (Result, error) {
	if err := checkModifiable(d.Keyspace, "DROP", allTablesResource(d.Keyspace)); err != nil {
		return Result{}, err
	}
	k := s.Keyspaces[d.Keyspace]
	var t *UserType
	if k != nil {
		t = k.Types[d.Name]
	}
	if t == nil {
		return missing(d.IfExists, "Type '%s.%s' doesn't exist", d.Keyspace, d.Name)
	}
	var users []string
	for _, n := range k.TypeNames() {
		if n != t.Name && k.Types[n].ReferencesUserType(k.Name, t.Name) {
			users = append(users, n)
		}
	}
	if len(users) > 0 {
		return Result{}, cql.Invalidf("Cannot drop user type '%s.%s' as it is still used by user types %s", k.Name, t.Name, join(users))
	}
	for _, n := range k.TableNames() {
		if k.Tables[n].uses(t, k.Tables[n].AllColumns()) {
			users = append(users, n)
		}
	}
	if len(users) > 0 {
		return Result{}, cql.Invalidf("Cannot drop user type '%s.%s' as it is still used by tables %s", k.Name, t.Name, join(users))
	}
	return done(&RemoveType{k.Name, t.Name}, Event{"DROPPED", "TYPE", k.Name, t.Name})
}
