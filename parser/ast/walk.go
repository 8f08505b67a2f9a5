package ast

// Walk calls f for every expression of a statement, each before the ones inside it. Schema statements have expressions only
// in masks. The order among siblings is that of the structs, not of the text.
func Walk(s Statement, f func(Expr)) {
	w := walker{f}
	switch s := s.(type) {
	case *Insert:
		w.all(s.Values)
		w.expr(s.JSON)
		w.using(s.Using)
	case *Update:
		w.using(s.Using)
		w.assignments(s.Set)
		w.relations(s.Where)
		w.conditions(s.If)
	case *Delete:
		w.assignments(s.Columns)
		w.using(s.Using)
		w.relations(s.Where)
		w.conditions(s.If)
	case *Batch:
		w.using(s.Using)
		for _, inner := range s.Statements {
			Walk(inner, f)
		}
	case *Select:
		for i := range s.Items {
			w.expr(s.Items[i].Expr)
		}
		w.relations(s.Where)
		w.all(s.GroupBy)
		for i := range s.OrderBy {
			w.expr(s.OrderBy[i].ANN)
		}
		w.expr(s.PerPartitionLimit)
		w.expr(s.Limit)
	case *CreateTable:
		w.masks(s.Columns)
	case *AlterTable:
		w.masks(s.Add)
		if s.Mask != nil {
			w.all(s.Mask.Args)
		}
	}
}

// walker visits expressions.
type walker struct{ f func(Expr) }

// all visits a list.
func (w walker) all(list []Expr) {
	for _, e := range list {
		w.expr(e)
	}
}

// using visits a USING clause.
func (w walker) using(u Using) {
	w.expr(u.Timestamp)
	w.expr(u.TTL)
}

// masks visits the arguments of the masks of columns.
func (w walker) masks(columns []ColumnDef) {
	for i := range columns {
		if m := columns[i].Mask; m != nil {
			w.all(m.Args)
		}
	}
}

// assignments visits the keys and values of SET or DELETE.
func (w walker) assignments(list []Assignment) {
	for i := range list {
		w.expr(list[i].Key)
		w.expr(list[i].Value)
	}
}

// relations visits the terms of WHERE.
func (w walker) relations(list []Relation) {
	for i := range list {
		w.expr(list[i].Key)
		w.expr(list[i].Value)
		w.all(list[i].Values)
	}
}

// conditions visits the terms of IF.
func (w walker) conditions(list []Condition) {
	for i := range list {
		w.expr(list[i].Key)
		w.expr(list[i].Value)
		w.all(list[i].Values)
	}
}

// expr visits e, which may be nil, and what it holds.
func (w walker) expr(e Expr) {
	if e == nil {
		return
	}
	w.f(e)
	switch e := e.(type) {
	case *Call:
		w.all(e.Args)
	case *TypeHint:
		w.expr(e.Of)
	case *Cast:
		w.expr(e.Of)
	case *Binary:
		w.expr(e.L)
		w.expr(e.R)
	case *Negate:
		w.expr(e.Of)
	case *List:
		w.all(e.Items)
	case *Set:
		w.all(e.Items)
	case *Map:
		w.all(e.Keys)
		w.all(e.Values)
	case *Tuple:
		w.all(e.Items)
	case *UDT:
		w.all(e.Values)
	case *Field:
		w.expr(e.Of)
	case *Element:
		w.expr(e.Of)
		w.expr(e.Key)
	case *Slice:
		w.expr(e.Of)
		w.expr(e.From)
		w.expr(e.To)
	}
}
