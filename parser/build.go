package parser

import (
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/parser/ast"
)

// builder turns what participle matched into the tree. err is the first refusal of the grammar's own.
type builder struct{ err error }

// refuse keeps the first refusal.
func (b *builder) refuse(err *cql.Error) {
	if b.err == nil {
		b.err = err
	}
}

// statement returns the tree of any statement.
func (b *builder) statement(s *statement, text string, toks []Token) ast.Statement {
	switch {
	case s.Select != nil:
		return b.selectStatement(s.Select)
	case s.Insert != nil:
		return b.insert(s.Insert)
	case s.Update != nil:
		return b.update(s.Update)
	case s.Delete != nil:
		return b.delete(s.Delete)
	case s.Batch != nil:
		return b.batch(s.Batch)
	case s.Use != nil:
		return &ast.Use{Keyspace: s.Use.Name.Name}
	case s.Truncate != nil:
		return &ast.Truncate{Table: s.Truncate.Name}
	case s.Describe != nil:
		return b.describe(s.Describe)
	case s.Create != nil:
		if out := b.create(s.Create); out != nil {
			return out
		}
	case s.Alter != nil:
		if out := b.alter(s.Alter, text); out != nil {
			return out
		}
	case s.Drop != nil:
		if out := b.drop(s.Drop); out != nil {
			return out
		}
	}
	return b.other(s, text, toks)
}

// selectStatement returns the tree of SELECT.
func (b *builder) selectStatement(s *selectStatement) *ast.Select {
	out := &ast.Select{
		JSON: s.Clause.json, Distinct: s.Clause.distinct, Items: s.Clause.items, Table: s.Table.Name,
		AllowFiltering: s.Filtering,
	}
	out.Where = s.Where.list
	for _, g := range s.GroupBy {
		out.GroupBy = append(out.GroupBy, g.Expr)
	}
	for _, o := range s.OrderBy {
		order := ast.Order{Column: o.Column.Name, Desc: o.Desc}
		if o.ANN != nil {
			order.ANN = o.ANN.Expr
		}
		out.OrderBy = append(out.OrderBy, order)
	}
	out.PerPartitionLimit = intOrNil(s.PerPartition)
	out.Limit = intOrNil(s.Limit)
	return out
}

// intOrNil returns the value of an optional clause.
func intOrNil(v *intValue) ast.Expr {
	if v == nil {
		return nil
	}
	return v.Expr
}

// terms returns what the grammar wrapped.
func terms(in []term) []ast.Expr {
	var out []ast.Expr
	for _, t := range in {
		out = append(out, t.Expr)
	}
	return out
}

// names returns what the grammar wrapped.
func names(in []ident) []string {
	var out []string
	for _, n := range in {
		out = append(out, n.Name)
	}
	return out
}

// insert returns the tree of INSERT.
func (b *builder) insert(s *insertStatement) *ast.Insert {
	out := &ast.Insert{Table: s.Table.Name, IfNotExists: s.IfNotExists, Using: using(s.Using)}
	if s.JSON != nil {
		out.JSON, out.JSONUnset = s.JSON.Document.Expr, s.JSON.Unset
		return out
	}
	out.Columns, out.Values = s.Values.Columns.names, s.Values.Values.items
	return out
}

// using keeps the last of parts that repeat.
func using(u *usingClause) (out ast.Using) {
	if u == nil {
		return out
	}
	for _, p := range u.Parts {
		if p.Timestamp != nil {
			out.Timestamp = p.Timestamp.Expr
		} else {
			out.TTL = p.TTL.Expr
		}
	}
	return out
}

// update returns the tree of UPDATE.
func (b *builder) update(s *updateStatement) *ast.Update {
	out := &ast.Update{Table: s.Table.Name, Using: using(s.Using), Set: s.Set.list, Where: s.Where.list}
	out.IfExists, out.If = conditions(s.If)
	return out
}

// conditions returns the parts of IF; c may be nil.
func conditions(c *ifClause) (exists bool, out []ast.Condition) {
	if c == nil {
		return false, nil
	}
	for _, d := range c.Conditions {
		out = append(out, d.Condition)
	}
	return c.Exists, out
}

// delete returns the tree of DELETE.
func (b *builder) delete(s *deleteStatement) *ast.Delete {
	out := &ast.Delete{Table: s.Table.Name, Where: s.Where.list}
	out.Using.Timestamp = intOrNil(s.Timestamp)
	for _, d := range s.Columns {
		out.Columns = append(out.Columns, d.Assignment)
	}
	out.IfExists, out.If = conditions(s.If)
	return out
}

// batch returns the tree of BATCH.
func (b *builder) batch(s *batchStatement) *ast.Batch {
	out := &ast.Batch{Using: using(s.Using)}
	switch s.Kind {
	case "UNLOGGED":
		out.Kind = ast.UnloggedBatch
	case "COUNTER":
		out.Kind = ast.CounterBatch
	}
	for _, e := range s.Statements {
		switch {
		case e.Insert != nil:
			out.Statements = append(out.Statements, b.insert(e.Insert))
		case e.Update != nil:
			out.Statements = append(out.Statements, b.update(e.Update))
		default:
			out.Statements = append(out.Statements, b.delete(e.Delete))
		}
	}
	return out
}

// properties refuses what is given twice. Source: org.apache.cassandra.cql3.statements.PropertyDefinitions.
func (b *builder) properties(in []property) []ast.Property {
	var out []ast.Property
	for _, p := range in {
		out = b.addProperty(out, p.Property)
	}
	return out
}

// addProperty appends p to list unless its name is there.
func (b *builder) addProperty(list []ast.Property, p ast.Property) []ast.Property {
	for _, before := range list {
		if before.Name == p.Name {
			b.refuse(syntaxError("Multiple definitions for property '" + p.Name + "'"))
		}
	}
	return append(list, p)
}

// long checks a number of the grammar's own, which must fit 64 bits.
func (b *builder) long(v *integer, text string) string {
	if v == nil {
		return ""
	}
	if _, err := strconv.ParseInt(v.Text, 10, 64); err != nil {
		b.refuse(numberFormat(text, v.Text))
	}
	return v.Text
}

// other keeps the text of a statement that is only recognised.
func (b *builder) other(s *statement, text string, toks []Token) ast.Statement {
	last := len(toks) - 1
	for toks[last].Kind == kindSemicolon {
		last--
	}
	return &ast.Other{What: b.otherKind(s), Text: text[toks[0].Start:toks[last].End]}
}

// otherKind names the statement as its refusal does.
func (b *builder) otherKind(s *statement) string {
	switch {
	case s.Create != nil:
		return "CREATE " + createdKind(s.Create)
	case s.Alter != nil:
		switch {
		case s.Alter.View != nil:
			return "ALTER MATERIALIZED VIEW"
		case s.Alter.Role != nil:
			b.roleOptions(s.Alter.Role.Options)
			return "ALTER ROLE"
		}
		return "ALTER USER"
	case s.Drop != nil:
		return "DROP " + droppedKind(s.Drop)
	case s.Grant != nil:
		if s.Grant.Role != nil {
			return "GRANT ROLE"
		}
		b.permissions(&s.Grant.Permissions.Permissions, &s.Grant.Permissions.Resource)
		return "GRANT"
	case s.Revoke != nil:
		if s.Revoke.Role != nil {
			return "REVOKE ROLE"
		}
		b.permissions(&s.Revoke.Permissions.Permissions, &s.Revoke.Permissions.Resource)
		return "REVOKE"
	case s.List != nil:
		switch {
		case s.List.Users:
			return "LIST USERS"
		case s.List.Roles != nil:
			return "LIST ROLES"
		}
		return "LIST PERMISSIONS"
	}
	return "ADD IDENTITY"
}

// createdKind names what a CREATE that is only recognised makes.
func createdKind(s *createStatement) string {
	switch {
	case s.View != nil:
		return "MATERIALIZED VIEW"
	case s.Role != nil:
		return "ROLE"
	case s.User != nil:
		return "USER"
	case s.Trigger != nil:
		return "TRIGGER"
	case s.Function != nil:
		return "FUNCTION"
	}
	return "AGGREGATE"
}

// droppedKind names what a DROP that is only recognised removes.
func droppedKind(s *dropStatement) string {
	switch {
	case s.View != nil:
		return "MATERIALIZED VIEW"
	case s.Role != nil:
		return "ROLE"
	case s.User != nil:
		return "USER"
	case s.Trigger != nil:
		return "TRIGGER"
	case s.Function != nil:
		return "FUNCTION"
	case s.Aggregate != nil:
		return "AGGREGATE"
	}
	return "IDENTITY"
}

// isID reports whether p is ID = uuid of CREATE TABLE.
func isID(p ast.Property) (string, bool) {
	l, ok := p.Value.(*ast.Literal)
	if !ok || p.Name != "id" {
		return "", false
	}
	return strings.ToLower(l.Text), true
}
