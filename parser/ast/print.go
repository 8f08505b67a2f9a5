package ast

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// printer writes CQL that parses to the tree it was given, but for the slots of literals that the tree does not keep.
type printer struct {
	strings.Builder
	// selecting is set among selectors, where some names need quotes that do not elsewhere.
	selecting bool
}

// Print returns an expression as CQL. Columns and calls are written as SELECT takes them.
func Print(e Expr) string {
	p := printer{selecting: true}
	p.expr(e)
	return p.String()
}

// printed runs a printing function.
func printed(f func(*printer)) string {
	var p printer
	f(&p)
	return p.String()
}

// words writes its arguments one after the other.
func (p *printer) words(parts ...string) {
	for _, s := range parts {
		p.WriteString(s)
	}
}

// when writes s if cond holds.
func (p *printer) when(cond bool, s string) {
	if cond {
		p.WriteString(s)
	}
}

// list writes n entries with sep between them.
func (p *printer) list(n int, sep string, entry func(i int)) {
	for i := range n {
		if i > 0 {
			p.WriteString(sep)
		}
		entry(i)
	}
}

// quote puts a name into double quotes.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// ident returns a name of a column, table or keyspace, quoted when it must be.
func ident(name string) string {
	if name == "true" || name == "false" {
		return quote(name)
	}
	return cql.QuoteIdent(name)
}

// idents returns names with commas between them.
func idents(names []string) string {
	var p printer
	p.list(len(names), ", ", func(i int) { p.WriteString(ident(names[i])) })
	return p.String()
}

// notTypes are words that name columns but no user types unless quoted: native types, some functions, and reserved names.
const notTypes = ` ascii bigint blob boolean counter decimal double duration float inet int smallint text timestamp tinyint uuid
	varchar varint timeuuid date time ttl count writetime maxwritetime cast json distinct byte complex enum interval macaddr
	bitstring `

// typeIdent returns the name of a user type, quoted when it must be.
func typeIdent(name string) string {
	if slices.Contains(strings.Fields(notTypes), name) {
		return quote(name)
	}
	return ident(name)
}

// String returns the name as CQL.
func (n Name) String() string {
	if n.Keyspace == "" {
		return ident(n.Name)
	}
	return ident(n.Keyspace) + "." + ident(n.Name)
}

// typeName returns the qualified name of a user type.
func (n Name) typeName() string {
	if n.Keyspace == "" {
		return typeIdent(n.Name)
	}
	return ident(n.Keyspace) + "." + typeIdent(n.Name)
}

// function writes the name of a function.
func (p *printer) function(n Name) {
	if n.Keyspace != "" {
		p.words(ident(n.Keyspace), ".")
	}
	switch n.Name {
	case "token", "count":
		p.WriteString(n.Name)
	case "writetime", "maxwritetime", "ttl":
		if p.selecting && n.Keyspace == "" {
			p.WriteString(n.Name)
			return
		}
		p.WriteString(quote(n.Name))
	case "cast", "json", "distinct", "key", "expr": // expr( is a token of its own.
		p.WriteString(quote(n.Name))
	default:
		p.WriteString(ident(n.Name))
	}
}

// String returns the type as CQL.
func (t *TypeName) String() string {
	var s string
	switch {
	case t.Class != "" || t.Name == "":
		s = text(t.Class)
	case t.IsUser:
		s = Name{t.Keyspace, t.Name}.typeName()
	default:
		s = t.Name
	}
	if len(t.Params) > 0 {
		params := make([]string, len(t.Params))
		for i, p := range t.Params {
			params[i] = p.String()
		}
		if t.Name == "vector" {
			params = append(params, strconv.Itoa(t.Dim))
		}
		s += "<" + strings.Join(params, ", ") + ">"
	}
	if t.Frozen {
		s = "frozen<" + s + ">"
	}
	return s
}

// text returns a string literal.
func text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// literal writes a constant.
func (p *printer) literal(l *Literal) {
	switch l.Kind {
	case StringLiteral:
		p.WriteString(text(l.Text))
	case HexLiteral:
		p.words("0x", l.Text)
	case NullLiteral:
		p.WriteString("null")
	default:
		p.WriteString(l.Text)
	}
}

// expr writes an expression.
func (p *printer) expr(e Expr) {
	switch e := e.(type) {
	case *Literal:
		p.literal(e)
	case *Marker:
		if e.Name == "" {
			p.WriteByte('?')
		} else {
			p.words(":", ident(e.Name))
		}
	case *Column:
		if p.selecting && (e.Name == "json" || e.Name == "distinct") {
			p.WriteString(quote(e.Name))
		} else {
			p.WriteString(ident(e.Name))
		}
	case *Call:
		p.function(e.Func)
		if e.Star {
			p.WriteString("(*)")
		} else {
			p.enclosed("(", e.Args, ")")
		}
	case *TypeHint:
		p.words("(", e.Type.String(), ")")
		p.expr(e.Of)
	case *Cast:
		p.WriteString("CAST(")
		p.expr(e.Of)
		p.words(" AS ", e.Type.String(), ")")
	case *Binary:
		p.expr(e.L)
		p.words(" ", string(e.Op), " ")
		p.expr(e.R)
	case *Negate:
		p.WriteString("- ")
		p.expr(e.Of)
	default:
		p.constructor(e)
	}
}

// constructor writes collections, tuples and what selects parts of a value.
func (p *printer) constructor(e Expr) {
	switch e := e.(type) {
	case *List:
		p.enclosed("[", e.Items, "]")
	case *Set:
		p.enclosed("{", e.Items, "}")
	case *Tuple:
		p.enclosed("(", e.Items, ")")
	case *Map:
		p.WriteByte('{')
		p.list(len(e.Keys), ", ", func(i int) {
			p.expr(e.Keys[i])
			p.WriteString(": ")
			p.expr(e.Values[i])
		})
		p.WriteByte('}')
	case *UDT:
		p.WriteByte('{')
		p.list(len(e.Fields), ", ", func(i int) {
			p.words(ident(e.Fields[i]), ": ")
			p.expr(e.Values[i])
		})
		p.WriteByte('}')
	case *Field:
		p.expr(e.Of)
		if _, number := e.Of.(*Literal); number {
			p.WriteByte(' ') // 5 .f, for 5. is a number.
		}
		p.words(".", ident(e.Name))
	case *Element:
		p.expr(e.Of)
		p.WriteByte('[')
		p.term(e.Key)
		p.WriteByte(']')
	case *Slice:
		p.expr(e.Of)
		p.WriteByte('[')
		if e.From != nil {
			p.term(e.From)
		}
		p.WriteString(" .. ")
		if e.To != nil {
			p.term(e.To)
		}
		p.WriteByte(']')
	}
}

// term writes an expression where the grammar takes terms.
func (p *printer) term(e Expr) {
	outer := p.selecting
	p.selecting = false
	p.expr(e)
	p.selecting = outer
}

// selector writes an expression where the grammar takes selectors.
func (p *printer) selector(e Expr) {
	outer := p.selecting
	p.selecting = true
	p.expr(e)
	p.selecting = outer
}

// enclosed writes items between brackets.
func (p *printer) enclosed(open string, items []Expr, closing string) {
	p.WriteString(open)
	p.list(len(items), ", ", func(i int) { p.expr(items[i]) })
	p.WriteString(closing)
}

// operators are the signs of the comparisons and the words of the others.
var operators = [...]string{
	EQ: "=", LT: "<", LE: "<=", GT: ">", GE: ">=", NEQ: "!=", IN: "IN", Contains: "CONTAINS", ContainsKey: "CONTAINS KEY",
	Like: "LIKE", IsNotNull: "IS NOT NULL",
}

// String returns the operator as CQL.
func (o Operator) String() string {
	if int(o) < len(operators) {
		return operators[o]
	}
	return "?"
}

// String returns the relation as CQL.
func (r *Relation) String() string { return printed(func(p *printer) { p.relation(r) }) }

// relation writes one term of WHERE.
func (p *printer) relation(r *Relation) {
	switch {
	case r.Index != nil:
		p.words("expr(", r.Index.String(), ", ")
		p.expr(r.Value)
		p.WriteByte(')')
		return
	case r.Token:
		p.words("token(", idents(r.Columns), ")")
	case r.Multi:
		p.words("(", idents(r.Columns), ")")
	default:
		p.WriteString(ident(r.Columns[0]))
	}
	if r.Key != nil {
		p.WriteByte('[')
		p.expr(r.Key)
		p.WriteByte(']')
	}
	p.compared(r.Op, r.Value, r.Values)
}

// compared writes an operator and its right side.
func (p *printer) compared(op Operator, value Expr, values []Expr) {
	p.words(" ", op.String())
	switch {
	case value != nil:
		p.WriteByte(' ')
		p.expr(value)
	case op == IN:
		p.WriteByte(' ')
		p.enclosed("(", values, ")")
	}
}

// String returns the condition as CQL.
func (c *Condition) String() string { return printed(func(p *printer) { p.condition(c) }) }

// condition writes one term of IF.
func (p *printer) condition(c *Condition) {
	p.place(c.Column, c.Key, c.Field)
	p.compared(c.Op, c.Value, c.Values)
}

// place writes a column, an element or a field.
func (p *printer) place(column string, key Expr, field string) {
	p.WriteString(ident(column))
	switch {
	case key != nil:
		p.WriteByte('[')
		p.expr(key)
		p.WriteByte(']')
	case field != "":
		p.words(".", ident(field))
	}
}

// String returns the assignment as CQL.
func (a *Assignment) String() string { return printed(func(p *printer) { p.assignment(a) }) }

// assignment writes one term of SET; c += v comes out as c = c + v.
func (p *printer) assignment(a *Assignment) {
	p.place(a.Column, a.Key, a.Field)
	p.WriteString(" = ")
	switch a.Op {
	case AssignAdd, AssignSub:
		p.words(ident(a.Column), map[AssignOp]string{AssignAdd: " + ", AssignSub: " - "}[a.Op])
		p.expr(a.Value)
	case AssignPrepend:
		p.expr(a.Value)
		p.words(" + ", ident(a.Column))
	default:
		p.expr(a.Value)
	}
}

// where writes a WHERE clause, if there is one.
func (p *printer) where(where []Relation) {
	p.when(len(where) > 0, " WHERE ")
	p.list(len(where), " AND ", func(i int) { p.relation(&where[i]) })
}

// conditions writes an IF clause, if there is one.
func (p *printer) conditions(exists bool, list []Condition) {
	p.when(exists, " IF EXISTS")
	p.when(len(list) > 0, " IF ")
	p.list(len(list), " AND ", func(i int) { p.condition(&list[i]) })
}

// using writes a USING clause, if there is one.
func (p *printer) using(u Using) {
	sep := " USING "
	for _, part := range []struct {
		name  string
		value Expr
	}{{"TIMESTAMP ", u.Timestamp}, {"TTL ", u.TTL}} {
		if part.value != nil {
			p.words(sep, part.name)
			p.expr(part.value)
			sep = " AND "
		}
	}
}

// String returns the statement as CQL.
func (s *Select) String() string {
	return printed(func(p *printer) {
		p.WriteString("SELECT ")
		p.when(s.JSON, "JSON ")
		p.when(s.Distinct, "DISTINCT ")
		p.when(len(s.Items) == 0, "*")
		p.list(len(s.Items), ", ", func(i int) {
			p.selector(s.Items[i].Expr)
			if alias := s.Items[i].Alias; alias != "" {
				p.words(" AS ", ident(alias))
			}
		})
		p.words(" FROM ", s.Table.String())
		p.where(s.Where)
		p.when(len(s.GroupBy) > 0, " GROUP BY ")
		p.list(len(s.GroupBy), ", ", func(i int) { p.selector(s.GroupBy[i]) })
		p.when(len(s.OrderBy) > 0, " ORDER BY ")
		p.list(len(s.OrderBy), ", ", func(i int) {
			p.WriteString(ident(s.OrderBy[i].Column))
			if ann := s.OrderBy[i].ANN; ann != nil {
				p.WriteString(" ANN OF ")
				p.expr(ann)
			}
			p.when(s.OrderBy[i].Desc, " DESC")
		})
		if s.PerPartitionLimit != nil {
			p.WriteString(" PER PARTITION LIMIT ")
			p.expr(s.PerPartitionLimit)
		}
		if s.Limit != nil {
			p.WriteString(" LIMIT ")
			p.expr(s.Limit)
		}
		p.when(s.AllowFiltering, " ALLOW FILTERING")
	})
}

// String returns the statement as CQL.
func (s *Insert) String() string {
	return printed(func(p *printer) {
		p.words("INSERT INTO ", s.Table.String())
		if s.JSON != nil {
			p.WriteString(" JSON ")
			p.expr(s.JSON)
			p.when(s.JSONUnset, " DEFAULT UNSET")
		} else {
			p.words(" (", idents(s.Columns), ") VALUES ")
			p.enclosed("(", s.Values, ")")
		}
		p.when(s.IfNotExists, " IF NOT EXISTS")
		p.using(s.Using)
	})
}

// String returns the statement as CQL.
func (s *Update) String() string {
	return printed(func(p *printer) {
		p.words("UPDATE ", s.Table.String())
		p.using(s.Using)
		p.WriteString(" SET ")
		p.list(len(s.Set), ", ", func(i int) { p.assignment(&s.Set[i]) })
		p.where(s.Where)
		p.conditions(s.IfExists, s.If)
	})
}

// String returns the statement as CQL.
func (s *Delete) String() string {
	return printed(func(p *printer) {
		p.WriteString("DELETE ")
		p.list(len(s.Columns), ", ", func(i int) { p.place(s.Columns[i].Column, s.Columns[i].Key, s.Columns[i].Field) })
		p.when(len(s.Columns) > 0, " ")
		p.words("FROM ", s.Table.String())
		p.using(s.Using)
		p.where(s.Where)
		p.conditions(s.IfExists, s.If)
	})
}

// String returns the statement as CQL.
func (s *Batch) String() string {
	return printed(func(p *printer) {
		p.WriteString([...]string{"BEGIN BATCH", "BEGIN UNLOGGED BATCH", "BEGIN COUNTER BATCH"}[s.Kind])
		p.using(s.Using)
		for _, inner := range s.Statements {
			p.words(" ", inner.String(), ";")
		}
		p.WriteString(" APPLY BATCH")
	})
}

// String returns the statement as CQL.
func (s *Use) String() string { return "USE " + ident(s.Keyspace) }

// String returns the statement as CQL.
func (s *Truncate) String() string { return "TRUNCATE " + s.Table.String() }

// String returns the statement as it was written.
func (s *Other) String() string { return s.Text }

// describeWords are the forms of DESCRIBE up to the name.
var describeWords = [...]string{
	"KEYSPACES", "TABLES", "TYPES", "FUNCTIONS", "AGGREGATES", "SCHEMA", "CLUSTER", "KEYSPACE", "TABLE", "INDEX",
	"MATERIALIZED VIEW", "TYPE", "FUNCTION", "AGGREGATE", "",
}

// String returns the statement as CQL.
func (s *Describe) String() string {
	return printed(func(p *printer) {
		p.WriteString("DESCRIBE ")
		p.when(s.Full, "FULL ")
		p.when(s.Only, "ONLY ")
		p.WriteString(describeWords[s.Kind])
		switch s.Kind {
		case DescribeKeyspace:
			if s.Target.Keyspace != "" {
				p.words(" ", ident(s.Target.Keyspace))
			}
		case DescribeTable, DescribeIndex, DescribeView:
			p.words(" ", s.Target.String())
		case DescribeType:
			p.words(" ", s.Target.typeName())
		case DescribeFunction, DescribeAggregate:
			p.WriteByte(' ')
			p.function(s.Target)
		case DescribeGeneric: // In quotes, for the name may be one of the words above.
			if s.Target.Keyspace != "" {
				p.words(quote(s.Target.Keyspace), ".")
			}
			p.WriteString(quote(s.Target.Name))
		}
		p.when(s.Internals, " WITH INTERNALS")
	})
}

// sortedOptions returns the keys of an index's options in order.
func sortedOptions(options map[string]string) []string { return slices.Sorted(maps.Keys(options)) }
