package parser

import (
	"github.com/helenusdb/helenus/parser/ast"
)

// create returns the tree of a CREATE, nil when it is one that is only recognised.
func (b *builder) create(s *createStatement) ast.Statement {
	switch {
	case s.Keyspace != nil:
		k := s.Keyspace
		return &ast.CreateKeyspace{Name: k.Name.Name.Name, IfNotExists: k.IfNotExists, With: b.properties(k.With)}
	case s.Table != nil:
		return b.createTable(s.Table)
	case s.Type != nil:
		out := &ast.CreateType{Type: s.Type.Name.Name, IfNotExists: s.Type.IfNotExists}
		for _, f := range s.Type.Fields {
			out.Fields = append(out.Fields, f.Name.Name)
			out.Types = append(out.Types, f.Type.TypeName)
		}
		return out
	case s.Index != nil:
		return b.createIndex(s.Index)
	case s.View != nil:
		var with []ast.Property
		for _, p := range s.View.With {
			if p.Property != nil {
				with = b.addProperty(with, p.Property.Property)
			}
		}
	case s.Role != nil:
		b.roleOptions(s.Role.Options)
	}
	return nil
}

// createTable returns the tree of CREATE TABLE; ID is taken out of the properties.
func (b *builder) createTable(s *createTable) *ast.CreateTable {
	out := &ast.CreateTable{Table: s.Table.Name, IfNotExists: s.IfNotExists}
	for _, e := range s.Entries {
		if e.Key != nil {
			out.Keys = append(out.Keys, ast.PrimaryKey{Partition: names(e.Key.Partition), Clustering: names(e.Key.Clustering)})
			continue
		}
		column := columnOf(&e.Column.Column)
		column.PrimaryKey = e.Column.PrimaryKey
		out.Columns = append(out.Columns, column)
	}
	for _, p := range s.With {
		switch {
		case p.Compact:
			out.CompactStorage = true
		case p.Property != nil:
			out.With = b.addProperty(out.With, p.Property.Property)
		default:
			for _, o := range p.Order {
				out.Order = append(out.Order, ast.ClusteringOrder{Column: o.Column.Name, Desc: o.Desc})
			}
		}
	}
	for i, p := range out.With {
		if id, ok := isID(p); ok {
			out.ID = id
			out.With = append(out.With[:i:i], out.With[i+1:]...)
			break
		}
	}
	return out
}

// columnOf returns a column without its PRIMARY KEY mark.
func columnOf(c *addedColumn) ast.ColumnDef {
	return ast.ColumnDef{Name: c.Name.Name, Type: c.Type.TypeName, Static: c.Static, Mask: maskOf(c.Mask)}
}

// maskOf returns a mask; m may be nil.
func maskOf(m *mask) *ast.Mask {
	if m == nil {
		return nil
	}
	if m.Default {
		return &ast.Mask{Default: true}
	}
	return &ast.Mask{Func: m.Func.Name, Args: terms(m.Args)}
}

// createIndex returns the tree of CREATE INDEX; OPTIONS is taken out of the properties.
func (b *builder) createIndex(s *createIndex) *ast.CreateIndex {
	out := &ast.CreateIndex{IfNotExists: s.IfNotExists, Custom: s.Custom, Table: s.Table.Name}
	if s.Name != nil {
		out.Name = s.Name.Name.Name
	}
	for _, t := range s.Targets {
		if t.Plain != nil {
			out.Targets = append(out.Targets, ast.IndexTarget{Column: t.Plain.Name})
			continue
		}
		out.Targets = append(out.Targets, ast.IndexTarget{Kind: targetKinds[t.Kind], Column: t.Inner.Name})
	}
	if s.Using != nil {
		out.HasUsing, out.Using = true, s.Using.Text
	}
	for _, p := range b.properties(s.With) {
		if p.Name != "options" || !p.IsMap {
			out.With = append(out.With, p)
			continue
		}
		out.Options = make(map[string]string, len(p.Keys))
		for i, k := range p.Keys {
			out.Options[k] = p.Values[i]
		}
	}
	return out
}

// targetKinds maps the words round an index target to ast.IndexTarget.Kind.
var targetKinds = map[string]string{"VALUES": "values", "KEYS": "keys", "ENTRIES": "entries", "FULL": "full"}

// alter returns the tree of an ALTER, nil when it is one that is only recognised.
func (b *builder) alter(s *alterStatement, text string) ast.Statement {
	switch {
	case s.Keyspace != nil:
		k := s.Keyspace
		return &ast.AlterKeyspace{Name: k.Name.Name.Name, IfExists: k.IfExists, With: b.properties(k.With)}
	case s.Table != nil:
		return b.alterTable(s.Table, text)
	case s.Type != nil:
		return b.alterUserType(s.Type)
	case s.View != nil:
		b.properties(s.View.With)
	}
	return nil
}

// alterTable returns the tree of ALTER TABLE.
func (b *builder) alterTable(s *alterTable, text string) *ast.AlterTable {
	out := &ast.AlterTable{Table: s.Table.Name, IfExists: s.IfExists}
	switch {
	case s.Type != nil:
		out.Kind, out.Column, out.Type = ast.AlterType, s.Type.Column.Name, s.Type.Type.TypeName
	case s.Mask != nil:
		out.Kind, out.ColumnIf, out.Column, out.Mask = ast.AlterMask, s.Mask.IfExists, s.Mask.Column.Name, maskOf(s.Mask.Mask)
		if s.Mask.Drop {
			out.Kind = ast.AlterDropMask
		}
	case s.Add != nil:
		out.Kind, out.ColumnIf = ast.AlterAdd, s.Add.IfNotExists
		for i := range s.Add.Columns {
			out.Add = append(out.Add, columnOf(&s.Add.Columns[i]))
		}
	case s.Compact:
		out.Kind = ast.AlterDropCompact
	case s.Drop != nil:
		out.Kind, out.ColumnIf, out.Drop = ast.AlterDrop, s.Drop.IfExists, names(s.Drop.Columns)
		out.Timestamp = b.long(s.Drop.Timestamp, text)
	case s.Rename != nil:
		out.Kind, out.ColumnIf, out.Renames = ast.AlterRename, s.Rename.IfExists, renames(s.Rename)
	default:
		out.Kind, out.With = ast.AlterWith, b.properties(s.With)
	}
	return out
}

// renames returns what the grammar wrapped.
func renames(r *alterRename) []ast.Rename {
	var out []ast.Rename
	for _, p := range r.Renames {
		out = append(out, ast.Rename{From: p.From.Name, To: p.To.Name})
	}
	return out
}

// alterUserType returns the tree of ALTER TYPE.
func (b *builder) alterUserType(s *alterUserType) *ast.AlterUserType {
	out := &ast.AlterUserType{Type: s.Name.Name, IfExists: s.IfExists}
	switch {
	case s.Alter != nil:
		out.Kind, out.Field, out.NewType = ast.TypeAlter, s.Alter.Name.Name, s.Alter.Type.TypeName
	case s.Add != nil:
		out.Kind, out.FieldIf = ast.TypeAdd, s.Add.IfNotExists
		out.Field, out.NewType = s.Add.Field.Name.Name, s.Add.Field.Type.TypeName
	default:
		out.Kind, out.FieldIf, out.Renames = ast.TypeRename, s.Rename.IfExists, renames(s.Rename)
	}
	return out
}

// drop returns the tree of a DROP, nil when it is one that is only recognised.
func (b *builder) drop(s *dropStatement) ast.Statement {
	switch {
	case s.Keyspace != nil:
		return &ast.DropKeyspace{Name: s.Keyspace.Name.Name.Name, IfExists: s.Keyspace.IfExists}
	case s.Table != nil:
		return &ast.DropTable{Table: s.Table.Table.Name, IfExists: s.Table.IfExists}
	case s.Index != nil:
		return &ast.DropIndex{Index: s.Index.Index.Name, IfExists: s.Index.IfExists}
	case s.Type != nil:
		return &ast.DropType{Type: s.Type.Type.Name, IfExists: s.Type.IfExists}
	}
	return nil
}

// describe returns the tree of DESCRIBE. The name behind KEYSPACE is in Target.Keyspace.
func (b *builder) describe(s *describeStatement) *ast.Describe {
	out := &ast.Describe{Internals: s.Internals}
	w := &s.What
	switch {
	case w.Cluster:
		out.Kind = ast.DescribeCluster
	case w.Schema != nil:
		out.Kind, out.Full = ast.DescribeSchema, w.Schema.Full
	case w.Keyspaces:
		out.Kind = ast.DescribeKeyspaces
	case w.Keyspace != nil:
		out.Kind, out.Only = ast.DescribeKeyspace, w.Keyspace.Only
		if w.Keyspace.Name != nil {
			out.Target.Keyspace = w.Keyspace.Name.Name.Name
		}
	case w.Tables:
		out.Kind = ast.DescribeTables
	case w.Table != nil:
		out.Kind, out.Target = ast.DescribeTable, w.Table.Name
	case w.Index != nil:
		out.Kind, out.Target = ast.DescribeIndex, w.Index.Name
	case w.View != nil:
		out.Kind, out.Target = ast.DescribeView, w.View.Name
	case w.Types:
		out.Kind = ast.DescribeTypes
	case w.Type != nil:
		out.Kind, out.Target = ast.DescribeType, w.Type.Name
	case w.Functions:
		out.Kind = ast.DescribeFunctions
	case w.Function != nil:
		out.Kind, out.Target = ast.DescribeFunction, w.Function.Name
	case w.Aggregates:
		out.Kind = ast.DescribeAggregates
	case w.Aggregate != nil:
		out.Kind, out.Target = ast.DescribeAggregate, w.Aggregate.Name
	default:
		out.Kind, out.Target = ast.DescribeGeneric, w.Generic.Name
	}
	return out
}
