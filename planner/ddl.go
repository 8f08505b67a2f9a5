package planner

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// SchemaPlan is the body of a statement that changes the schema. Change is pure: exec hands it to the owner of the schema,
// which runs it against the newest snapshot, so that checks and change are one step.
type SchemaPlan struct {
	Change func(*schema.Snapshot, *schema.Env) (schema.Result, error)
}

// UsePlan is the body of USE.
type UsePlan struct{ Keyspace string }

// TruncatePlan is the body of TRUNCATE.
type TruncatePlan struct{ Table *schema.Table }

// DescribePlan is the body of DESCRIBE.
type DescribePlan struct{ Def schema.DescribeDef }

func (*SchemaPlan) planBody()   {}
func (*UsePlan) planBody()      {}
func (*TruncatePlan) planBody() {}
func (*DescribePlan) planBody() {}

// errNoKeyspace answers an unqualified name when no keyspace is in use.
var errNoKeyspace = cql.Invalidf("No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename")

// qualify fills in the keyspace in use.
func (s *scope) qualify(n ast.Name) (ks, name string, err error) {
	ks = n.Keyspace
	if ks == "" {
		ks = s.keyspace
	}
	if ks == "" {
		return "", "", errNoKeyspace
	}
	return ks, n.Name, nil
}

// definition is a schema statement with its keyspace filled in.
type definition func(*schema.Snapshot, *schema.Env) (schema.Result, error)

// prepareSchema plans a statement that changes the schema; ok is false when st is none.
func (s *scope) prepareSchema(st ast.Statement) (d definition, ok bool, err error) {
	switch st := st.(type) {
	case *ast.CreateKeyspace:
		def := schema.KeyspaceDef{Name: st.Name, If: st.IfNotExists, With: properties(st.With)}
		return func(n *schema.Snapshot, e *schema.Env) (schema.Result, error) {
			return schema.CreateKeyspace(n, e, def)
		}, true, nil
	case *ast.AlterKeyspace:
		def := schema.KeyspaceDef{Name: st.Name, If: st.IfExists, With: properties(st.With)}
		return func(n *schema.Snapshot, e *schema.Env) (schema.Result, error) { return schema.AlterKeyspace(n, e, def) }, true, nil
	case *ast.DropKeyspace:
		def := schema.DropDef{Keyspace: st.Name, IfExists: st.IfExists}
		return func(n *schema.Snapshot, _ *schema.Env) (schema.Result, error) { return schema.DropKeyspace(n, def) }, true, nil
	case *ast.CreateTable:
		d, err = s.createTable(st)
	case *ast.AlterTable:
		d, err = s.alterTable(st)
	case *ast.DropTable:
		d, err = s.drop(st.Table, st.IfExists, schema.DropTable)
	case *ast.CreateType:
		d, err = s.createType(st)
	case *ast.AlterUserType:
		d, err = s.alterType(st)
	case *ast.DropType:
		d, err = s.drop(st.Type, st.IfExists, schema.DropType)
	case *ast.CreateIndex:
		d, err = s.createIndex(st)
	case *ast.DropIndex:
		d, err = s.drop(st.Index, st.IfExists, schema.DropIndex)
	default:
		return nil, false, nil
	}
	return d, true, err
}

// dropper is a function of package schema that drops something.
type dropper func(*schema.Snapshot, schema.DropDef) (schema.Result, error)

func (s *scope) drop(n ast.Name, ifExists bool, f dropper) (definition, error) {
	ks, name, err := s.qualify(n)
	def := schema.DropDef{Keyspace: ks, Name: name, IfExists: ifExists}
	return func(n *schema.Snapshot, _ *schema.Env) (schema.Result, error) { return f(n, def) }, err
}

func (s *scope) createTable(st *ast.CreateTable) (definition, error) {
	ks, name, err := s.qualify(st.Table)
	def := schema.TableDef{
		Keyspace: ks, Name: name, Unqualified: st.Table.Keyspace == "", IfNotExists: st.IfNotExists, Columns: columnDefs(st.Columns),
		CompactStorage: st.CompactStorage, ID: st.ID, With: properties(st.With),
	}
	for _, k := range st.Keys {
		def.Keys = append(def.Keys, schema.KeyDef(k))
	}
	for _, o := range st.Order {
		def.Order = append(def.Order, schema.OrderDef(o))
	}
	return func(n *schema.Snapshot, e *schema.Env) (schema.Result, error) { return schema.CreateTable(n, e, def) }, err
}

func (s *scope) alterTable(st *ast.AlterTable) (definition, error) {
	ks, name, err := s.qualify(st.Table)
	def := schema.TableAlter{
		Keyspace: ks, Name: name, IfExists: st.IfExists, ColumnIf: st.ColumnIf, Kind: schema.AlterKind(st.Kind),
		Add: columnDefs(st.Add), Drop: st.Drop, Timestamp: st.Timestamp, Renames: renames(st.Renames), Column: st.Column,
		With: properties(st.With),
	}
	return func(n *schema.Snapshot, e *schema.Env) (schema.Result, error) { return schema.AlterTable(n, e, def) }, err
}

func (s *scope) createType(st *ast.CreateType) (definition, error) {
	ks, name, err := s.qualify(st.Type)
	def := schema.TypeDef{Keyspace: ks, Name: name, IfNotExists: st.IfNotExists, Fields: st.Fields}
	for _, t := range st.Types {
		def.Types = append(def.Types, typeRef(t))
	}
	return func(n *schema.Snapshot, _ *schema.Env) (schema.Result, error) { return schema.CreateType(n, def) }, err
}

func (s *scope) alterType(st *ast.AlterUserType) (definition, error) {
	ks, name, err := s.qualify(st.Type)
	def := schema.TypeAlterDef{
		Keyspace: ks, Name: name, IfExists: st.IfExists, FieldIf: st.FieldIf, Kind: schema.AlterTypeKind(st.Kind),
		Field: st.Field, Type: typeRef(st.NewType), Renames: renames(st.Renames),
	}
	return func(n *schema.Snapshot, _ *schema.Env) (schema.Result, error) { return schema.AlterType(n, def) }, err
}

func (s *scope) createIndex(st *ast.CreateIndex) (definition, error) {
	ks, name, err := s.qualify(st.Table)
	def := schema.IndexDef{
		Keyspace: ks, Table: name, Name: st.Name, IfNotExists: st.IfNotExists, Custom: st.Custom,
		Using: st.Using, HasUsing: st.HasUsing, Options: st.Options,
	}
	for _, t := range st.Targets {
		def.Targets = append(def.Targets, schema.TargetDef(t))
	}
	return func(n *schema.Snapshot, _ *schema.Env) (schema.Result, error) { return schema.CreateIndex(n, def) }, err
}

func columnDefs(cols []ast.ColumnDef) []schema.ColumnDef {
	defs := make([]schema.ColumnDef, len(cols))
	for i, c := range cols {
		defs[i] = schema.ColumnDef{
			Name: c.Name, Type: typeRef(c.Type), Static: c.Static, PrimaryKey: c.PrimaryKey, Masked: c.Mask != nil,
		}
	}
	return defs
}

func renames(list []ast.Rename) []schema.Rename {
	out := make([]schema.Rename, len(list))
	for i, r := range list {
		out[i] = schema.Rename(r)
	}
	return out
}

func properties(list []ast.Property) []schema.Property {
	out := make([]schema.Property, len(list))
	for i, p := range list {
		out[i] = schema.Property{Name: p.Name, IsMap: p.IsMap, Keys: p.Keys, Values: p.Values}
		switch v := p.Value.(type) {
		case *ast.Literal:
			out[i].Value = literalRaw(v)
		case *ast.Column:
			out[i].Value = v.Name
		}
	}
	return out
}

// typeRef is a type as schema takes it; nil stays nil.
func typeRef(t *ast.TypeName) *schema.TypeRef {
	if t == nil {
		return nil
	}
	r := &schema.TypeRef{Keyspace: t.Keyspace, Name: t.Name, IsUser: t.IsUser, Frozen: t.Frozen, Dim: t.Dim, Class: t.Class}
	for _, p := range t.Params {
		r.Params = append(r.Params, typeRef(p))
	}
	return r
}

// resolveType finds the type that a hint or a cast names, in the keyspace of the statement's table.
func (s *scope) resolveType(t *ast.TypeName) (*types.Type, error) {
	ks := s.keyspace
	if s.table != nil {
		ks = s.table.Keyspace
	}
	return schema.ResolveType(s.snap, ks, typeRef(t))
}

// prepareOther plans everything but SELECT.
func (s *scope) prepareOther(st ast.Statement) (*Plan, error) {
	d, ok, err := s.prepareSchema(st)
	if err != nil {
		return nil, err
	}
	s.shapeSafe = false
	if ok {
		return &Plan{Kind: KindOther, Body: &SchemaPlan{d}}, nil
	}
	switch st := st.(type) {
	case *ast.Use:
		if s.snap.Keyspaces[st.Keyspace] == nil {
			return nil, cql.Invalidf("Keyspace '%s' does not exist", st.Keyspace)
		}
		return &Plan{Kind: KindOther, Body: &UsePlan{st.Keyspace}}, nil
	case *ast.Truncate:
		t, err := s.tableOf(st.Table)
		if err != nil {
			return nil, err
		}
		return &Plan{Kind: KindOther, Table: t, Body: &TruncatePlan{t}}, checkTruncate(t)
	case *ast.Describe:
		def := schema.DescribeDef{
			Kind: schema.DescribeKind(st.Kind), Full: st.Full, Only: st.Only, Internals: st.Internals,
			Keyspace: st.Target.Keyspace, Name: st.Target.Name, Current: s.keyspace,
		}
		return &Plan{Kind: KindOther, Body: &DescribePlan{def}}, nil
	case *ast.Other:
		if p, ok, err := s.prepareAbsent(st); ok {
			return p, err
		}
		return nil, refuseOther(st)
	}
	s.shapeSafe = true
	return s.prepareModification(st)
}

// checkTruncate refuses the truncation of what the node itself keeps.
func checkTruncate(t *schema.Table) error {
	switch {
	case t.Virtual:
		return cql.Invalidf("Truncation is not supported by table %s.%s", t.Keyspace, t.Name)
	case t.Keyspace == "system" || t.Keyspace == "system_schema":
		// Deviation: Cassandra truncates its own tables when it is told to, and breaks.
		return cql.Unauthorizedf("%s keyspace is not user-modifiable.", t.Keyspace)
	}
	return nil
}
