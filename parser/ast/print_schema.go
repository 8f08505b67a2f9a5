package ast

// clauses writes entries of a WITH clause with WITH before the first and AND before the others.
type clauses struct {
	*printer
	n int
}

// next begins another clause.
func (c *clauses) next() {
	if c.n++; c.n == 1 {
		c.WriteString(" WITH ")
	} else {
		c.WriteString(" AND ")
	}
}

// properties writes each property as a clause.
func (c *clauses) properties(list []Property) {
	for i := range list {
		c.next()
		c.property(&list[i])
	}
}

// property writes one entry of WITH; a word is written as it was.
func (p *printer) property(e *Property) {
	p.words(ident(e.Name), " = ")
	if word, ok := e.Value.(*Column); ok && !e.IsMap {
		p.WriteString(word.Name)
		return
	}
	if !e.IsMap {
		p.expr(e.Value)
		return
	}
	p.WriteByte('{')
	p.list(len(e.Keys), ", ", func(i int) { p.words(text(e.Keys[i]), ": ", text(e.Values[i])) })
	p.WriteByte('}')
}

// with writes a WITH clause of properties alone.
func (p *printer) with(list []Property) {
	c := clauses{printer: p}
	c.properties(list)
}

// String returns the statement as CQL.
func (s *CreateKeyspace) String() string {
	return printed(func(p *printer) {
		p.WriteString("CREATE KEYSPACE ")
		p.when(s.IfNotExists, "IF NOT EXISTS ")
		p.WriteString(ident(s.Name))
		p.with(s.With)
	})
}

// String returns the statement as CQL.
func (s *AlterKeyspace) String() string {
	return printed(func(p *printer) {
		p.WriteString("ALTER KEYSPACE ")
		p.when(s.IfExists, "IF EXISTS ")
		p.WriteString(ident(s.Name))
		p.with(s.With)
	})
}

// dropped returns DROP of a kind of thing.
func dropped(what string, ifExists bool, name string) string {
	if ifExists {
		what += " IF EXISTS"
	}
	return "DROP " + what + " " + name
}

// String returns the statement as CQL.
func (s *DropKeyspace) String() string { return dropped("KEYSPACE", s.IfExists, ident(s.Name)) }

// String returns the statement as CQL.
func (s *DropTable) String() string { return dropped("TABLE", s.IfExists, s.Table.String()) }

// String returns the statement as CQL.
func (s *DropType) String() string { return dropped("TYPE", s.IfExists, s.Type.typeName()) }

// String returns the statement as CQL.
func (s *DropIndex) String() string { return dropped("INDEX", s.IfExists, s.Index.String()) }

// columnDef writes a column of CREATE TABLE or ADD.
func (p *printer) columnDef(c *ColumnDef) {
	p.words(ident(c.Name), " ", c.Type.String())
	p.when(c.Static, " STATIC")
	p.mask(c.Mask)
	p.when(c.PrimaryKey, " PRIMARY KEY")
}

// mask writes a mask, if there is one.
func (p *printer) mask(m *Mask) {
	if m == nil {
		return
	}
	p.WriteString(" MASKED WITH ")
	if m.Default {
		p.WriteString("DEFAULT")
		return
	}
	p.function(m.Func)
	p.enclosed("(", m.Args, ")")
}

// String returns the statement as CQL.
func (s *CreateTable) String() string {
	return printed(func(p *printer) {
		p.WriteString("CREATE TABLE ")
		p.when(s.IfNotExists, "IF NOT EXISTS ")
		p.words(s.Table.String(), " (")
		p.list(len(s.Columns), ", ", func(i int) { p.columnDef(&s.Columns[i]) })
		for i, k := range s.Keys {
			p.when(i > 0 || len(s.Columns) > 0, ", ")
			p.words("PRIMARY KEY ((", idents(k.Partition), ")")
			p.when(len(k.Clustering) > 0, ", ")
			p.words(idents(k.Clustering), ")")
		}
		p.WriteByte(')')
		c := clauses{printer: p}
		if s.ID != "" {
			c.next()
			p.words("id = ", text(s.ID))
		}
		if s.CompactStorage {
			c.next()
			p.WriteString("COMPACT STORAGE")
		}
		if len(s.Order) > 0 {
			c.next()
			p.WriteString("CLUSTERING ORDER BY (")
			p.list(len(s.Order), ", ", func(i int) {
				p.words(ident(s.Order[i].Column), map[bool]string{false: " ASC", true: " DESC"}[s.Order[i].Desc])
			})
			p.WriteByte(')')
		}
		c.properties(s.With)
	})
}

// String returns the statement as CQL.
func (s *AlterTable) String() string {
	return printed(func(p *printer) {
		p.WriteString("ALTER TABLE ")
		p.when(s.IfExists, "IF EXISTS ")
		p.WriteString(s.Table.String())
		switch s.Kind {
		case AlterAdd:
			p.WriteString(" ADD ")
			p.when(s.ColumnIf, "IF NOT EXISTS ")
			p.WriteByte('(')
			p.list(len(s.Add), ", ", func(i int) { p.columnDef(&s.Add[i]) })
			p.WriteByte(')')
		case AlterDrop:
			p.WriteString(" DROP ")
			p.when(s.ColumnIf, "IF EXISTS ")
			p.words("(", idents(s.Drop), ")")
			if s.Timestamp != "" {
				p.words(" USING TIMESTAMP ", s.Timestamp)
			}
		case AlterRename:
			p.renames(s.ColumnIf, s.Renames)
		case AlterType:
			p.words(" ALTER ", ident(s.Column), " TYPE ", s.Type.String())
		case AlterMask, AlterDropMask:
			p.WriteString(" ALTER ")
			p.when(s.ColumnIf, "IF EXISTS ")
			p.WriteString(ident(s.Column))
			p.mask(s.Mask)
			p.when(s.Kind == AlterDropMask, " DROP MASKED")
		case AlterDropCompact:
			p.WriteString(" DROP COMPACT STORAGE")
		case AlterWith:
			p.with(s.With)
		}
	})
}

// renames writes RENAME of columns or fields.
func (p *printer) renames(ifExists bool, list []Rename) {
	p.WriteString(" RENAME ")
	p.when(ifExists, "IF EXISTS ")
	p.list(len(list), " AND ", func(i int) { p.words(ident(list[i].From), " TO ", ident(list[i].To)) })
}

// String returns the statement as CQL.
func (s *CreateType) String() string {
	return printed(func(p *printer) {
		p.WriteString("CREATE TYPE ")
		p.when(s.IfNotExists, "IF NOT EXISTS ")
		p.words(s.Type.typeName(), " (")
		p.list(len(s.Fields), ", ", func(i int) { p.words(ident(s.Fields[i]), " ", s.Types[i].String()) })
		p.WriteByte(')')
	})
}

// String returns the statement as CQL.
func (s *AlterUserType) String() string {
	return printed(func(p *printer) {
		p.WriteString("ALTER TYPE ")
		p.when(s.IfExists, "IF EXISTS ")
		p.WriteString(s.Type.typeName())
		switch s.Kind {
		case TypeAdd:
			p.WriteString(" ADD ")
			p.when(s.FieldIf, "IF NOT EXISTS ")
			p.words(ident(s.Field), " ", s.NewType.String())
		case TypeRename:
			p.renames(s.FieldIf, s.Renames)
		case TypeAlter:
			p.words(" ALTER ", ident(s.Field), " TYPE ", s.NewType.String())
		}
	})
}

// String returns the statement as CQL.
func (s *CreateIndex) String() string {
	return printed(func(p *printer) {
		p.WriteString("CREATE ")
		p.when(s.Custom, "CUSTOM ")
		p.WriteString("INDEX ")
		p.when(s.IfNotExists, "IF NOT EXISTS ")
		if s.Name != "" {
			p.words(ident(s.Name), " ")
		}
		p.words("ON ", s.Table.String(), " (")
		p.list(len(s.Targets), ", ", func(i int) {
			if t := s.Targets[i]; t.Kind != "" {
				p.words(t.Kind, "(", ident(t.Column), ")")
			} else {
				p.WriteString(ident(t.Column))
			}
		})
		p.WriteByte(')')
		if s.HasUsing {
			p.words(" USING ", text(s.Using))
		}
		c := clauses{printer: p}
		if s.Options != nil {
			c.next()
			keys := sortedOptions(s.Options)
			p.WriteString("OPTIONS = {")
			p.list(len(keys), ", ", func(i int) { p.words(text(keys[i]), ": ", text(s.Options[keys[i]])) })
			p.WriteByte('}')
		}
		c.properties(s.With)
	})
}
