package planner

import (
	"slices"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
)

// mergeAt puts x at the positions of its columns in list, merged with what is there.
// Source: org.apache.cassandra.cql3.restrictions.RestrictionSet.
func mergeAt(list []*restriction, x *restriction) error {
	var seen []*restriction
	for _, c := range x.columns {
		if old := list[c.Position]; old != nil && !slices.Contains(seen, old) {
			seen = append(seen, old)
		}
	}
	for _, old := range seen {
		merged, err := merge(old, x)
		if err != nil {
			return err
		}
		x = merged
	}
	for _, c := range x.columns {
		list[c.Position] = x
	}
	return nil
}

// merge returns what two restrictions on common columns come to; old was written first. It refuses those that cannot
// stand together. Source: mergeWith of SingleColumnRestriction and MultiColumnRestriction.
func merge(old, x *restriction) (*restriction, error) {
	if old.kind == isContains && !x.multi {
		if x.kind != isContains {
			return nil, cql.Invalidf(
				"Collection column %s can only be restricted by CONTAINS, CONTAINS KEY, or map-entry equality", old.columns[0].Name,
			)
		}
		return &restriction{kind: isContains, columns: old.columns, terms: append(slices.Clip(old.terms), x.terms...)}, nil
	}
	multi := old.multi || x.multi
	name := func() string {
		if multi {
			return columnList(inCommon(old, x), " ,")
		}
		return old.columns[0].Name
	}
	switch {
	case old.kind == isEQ:
		return nil, cql.Invalidf("%s cannot be restricted by more than one relation if it includes an Equal", name())
	case old.kind == isIN:
		return nil, cql.Invalidf("%s cannot be restricted by more than one relation if it includes a IN", name())
	case x.kind != isSlice:
		return nil, cql.Invalidf(`Column "%s" cannot be restricted by both an equality and an inequality relation`, name())
	case old.columns[0] != x.columns[0]:
		later := old.columns[0]
		if x.columns[0].Position > later.Position {
			later = x.columns[0]
		}
		return nil, cql.Invalidf(`Column "%s" cannot be restricted by two inequalities not starting with the same column`,
			later.Name)
	}
	m := &restriction{kind: isSlice, columns: old.columns, multi: multi}
	if len(x.columns) > len(m.columns) {
		m.columns = x.columns
	}
	return m, mergeBounds(m, old, x, name)
}

// mergeToken merges two restrictions of token().
func mergeToken(old, x *restriction) (*restriction, error) {
	names := func() string { return columnList(old.columns, ", ") }
	switch {
	case old.kind == isEQ:
		return nil, cql.Invalidf("%s cannot be restricted by more than one relation if it includes an Equal", names())
	case x.kind != isSlice:
		return nil, cql.Invalidf(`Columns "%s" cannot be restricted by both an equality and an inequality relation`, names())
	}
	m := &restriction{kind: isSlice, columns: old.columns, token: true}
	return m, mergeBounds(m, old, x, names)
}

// mergeBounds gives m the bounds of two slices, which may have one of each side in all.
func mergeBounds(m, old, x *restriction, name func() string) error {
	switch {
	case old.start != nil && x.start != nil:
		return cql.Invalidf("More than one restriction was found for the start bound on %s", name())
	case old.end != nil && x.end != nil:
		return cql.Invalidf("More than one restriction was found for the end bound on %s", name())
	}
	m.start, m.end = old.start, old.end
	if x.start != nil {
		m.start = x.start
	}
	if x.end != nil {
		m.end = x.end
	}
	return nil
}

// inCommon returns the columns that both restrict.
func inCommon(a, b *restriction) []*schema.Column {
	var common []*schema.Column
	for _, c := range a.columns {
		if slices.Contains(b.columns, c) {
			common = append(common, c)
		}
	}
	return common
}
