package schema

import (
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// DescribeKind is what DESCRIBE shows, in the order of ast.DescribeKind.
type DescribeKind uint8

// The forms of DESCRIBE. DescribeGeneric is DESCRIBE name.
const (
	DescribeKeyspaces DescribeKind = iota
	DescribeTables
	DescribeTypes
	DescribeFunctions
	DescribeAggregates
	DescribeSchema
	DescribeCluster
	DescribeKeyspace
	DescribeTable
	DescribeIndex
	DescribeView
	DescribeType
	DescribeFunction
	DescribeAggregate
	DescribeGeneric
)

// IsListing reports whether rows of the kind have no create_statement.
func (k DescribeKind) IsListing() bool { return k <= DescribeAggregates }

// DescribeDef is DESCRIBE: Full is FULL SCHEMA, Only is ONLY KEYSPACE, Internals WITH INTERNALS; Keyspace and Name are the target
// as written (a keyspace's name stands in either) and Current is the session's keyspace or "".
type DescribeDef struct {
	Kind                  DescribeKind
	Full, Only, Internals bool
	Keyspace, Name        string
	Current               string
}

// Description is one row of DESCRIBE: names are quoted where CQL needs it, Type is "keyspace", "type", "table" or "index". Create
// is the create_statement and empty in listings, which have no such column.
type Description struct{ Keyspace, Type, Name, Create string }

// Describe returns the rows of a DESCRIBE other than DESCRIBE CLUSTER, in Cassandra's order.
// Source: org.apache.cassandra.cql3.statements.DescribeStatement; cql.md 1.4.
func Describe(s *Snapshot, d DescribeDef) ([]Description, error) {
	w := &describer{s: s, d: d}
	switch d.Kind {
	case DescribeKeyspaces:
		for _, k := range s.sortedKeyspaces() {
			w.row(k, "keyspace", k.Name, "")
		}
		return w.rows, nil
	case DescribeTables, DescribeTypes, DescribeFunctions, DescribeAggregates:
		return w.listing()
	case DescribeSchema:
		for _, k := range s.sortedKeyspaces() {
			if d.Full || !IsSystem(k.Name) {
				w.keyspace(k)
			}
		}
		return w.rows, nil
	case DescribeKeyspace:
		return w.named(d.Name + d.Keyspace)
	case DescribeGeneric:
		if d.Keyspace == "" && s.Keyspaces[d.Name] != nil {
			return w.named(d.Name)
		}
	}
	return w.element()
}

// describer collects the rows of one DESCRIBE.
type describer struct {
	s    *Snapshot
	d    DescribeDef
	rows []Description
}

func (w *describer) row(k *Keyspace, kind, name, create string) {
	w.rows = append(w.rows, Description{types.QuoteIdent(k.Name), kind, types.QuoteIdent(name), create})
}

// named describes a keyspace, the current one when name is empty.
func (w *describer) named(name string) ([]Description, error) {
	if name == "" {
		name = w.d.Current
	}
	if name == "" {
		return nil, cql.Invalidf("No keyspace specified and no current keyspace")
	}
	k := w.s.Keyspaces[name]
	if k == nil {
		return nil, cql.Invalidf("'%s' not found in keyspaces", name)
	}
	w.keyspace(k)
	return w.rows, nil
}

// listing names the tables, types, functions or aggregates of the current keyspace, or of all when there is none.
func (w *describer) listing() ([]Description, error) {
	keyspaces := w.s.sortedKeyspaces()
	if w.d.Current != "" {
		k := w.s.Keyspaces[w.d.Current]
		if k == nil {
			return nil, cql.Invalidf("'%s' not found in keyspaces", w.d.Current)
		}
		keyspaces = []*Keyspace{k}
	}
	for _, k := range keyspaces {
		switch w.d.Kind {
		case DescribeTables:
			for _, n := range ignoringCase(k.TableNames()) {
				w.row(k, "table", n, "")
			}
		case DescribeTypes:
			for _, n := range ignoringCase(k.TypeNames()) {
				w.row(k, "type", n, "")
			}
		}
	}
	return w.rows, nil
}

// element describes what is in a keyspace.
func (w *describer) element() ([]Description, error) {
	d := w.d
	ks := d.Keyspace
	if ks == "" {
		ks = d.Current
	}
	if ks == "" {
		if d.Kind == DescribeGeneric {
			return nil, cql.Invalidf("'%s' not found in keyspaces", d.Name)
		}
		return nil, cql.Invalidf("No keyspace specified and no current keyspace")
	}
	k := w.s.Keyspaces[ks]
	if k == nil {
		return nil, cql.Invalidf("'%s' not found in keyspaces", ks)
	}
	t, indexed := k.Tables[d.Name], k.indexTable(d.Name)
	switch d.Kind {
	case DescribeTable:
		if t == nil {
			return nil, cql.Invalidf("Table '%s' not found in keyspace '%s'", d.Name, ks)
		}
		w.table(k, t)
	case DescribeIndex:
		if indexed == nil {
			return nil, cql.Invalidf("Table for existing index '%s' not found in '%s'", d.Name, ks)
		}
		w.index(k, indexed, indexed.Index(d.Name))
	case DescribeType:
		if k.Types[d.Name] == nil {
			return nil, cql.Invalidf("User defined type '%s' not found in '%s'", d.Name, ks)
		}
		w.row(k, "type", d.Name, createType(k.Types[d.Name]))
	case DescribeView:
		return nil, cql.Invalidf("Materialized view '%s' not found in '%s'", d.Name, ks)
	case DescribeFunction:
		return nil, cql.Invalidf("User defined function '%s' not found in '%s'", d.Name, ks)
	case DescribeAggregate:
		return nil, cql.Invalidf("User defined aggregate '%s' not found in '%s'", d.Name, ks)
	default:
		switch {
		case t != nil:
			w.table(k, t)
		case indexed != nil:
			w.index(k, indexed, indexed.Index(d.Name))
		default:
			return nil, cql.Invalidf("'%s' not found in keyspace '%s'", d.Name, ks)
		}
	}
	return w.rows, nil
}

// keyspace describes k and, unless it was ONLY KEYSPACE, all that is in it.
func (w *describer) keyspace(k *Keyspace) {
	w.row(k, "keyspace", k.Name, createKeyspace(k))
	if w.d.Only {
		return
	}
	for _, t := range k.typesInOrder() {
		w.row(k, "type", t.Name, createType(t))
	}
	for _, n := range ignoringCase(k.TableNames()) {
		w.table(k, k.Tables[n])
	}
}

func (w *describer) table(k *Keyspace, t *Table) {
	w.row(k, "table", t.Name, createTable(t, w.d.Internals))
	names := make([]string, len(t.Indexes))
	for i, x := range t.Indexes {
		names[i] = x.Name
	}
	for _, n := range ignoringCase(names) {
		w.index(k, t, t.Index(n))
	}
}

func (w *describer) index(k *Keyspace, t *Table, x *Index) {
	w.row(k, "index", x.Name, createIndex(t, x))
}

// sortedKeyspaces returns all keyspaces in the order of DESCRIBE.
func (s *Snapshot) sortedKeyspaces() []*Keyspace {
	var all []*Keyspace
	for _, n := range ignoringCase(s.KeyspaceNames()) {
		all = append(all, s.Keyspaces[n])
	}
	return all
}

// ignoringCase sorts names, which it changes, without regard to case.
func ignoringCase(names []string) []string {
	slices.SortStableFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return names
}

// typesInOrder returns the user types by name, each behind those that it uses.
func (k *Keyspace) typesInOrder() []*UserType {
	var order []*UserType
	seen := make(map[string]bool)
	var add func(t *types.Type)
	add = func(t *types.Type) {
		if t.Kind == types.UDT {
			if seen[t.Name] {
				return
			}
			seen[t.Name] = true
		}
		for _, e := range t.Elems {
			add(e)
		}
		if u := k.Types[t.Name]; t.Kind == types.UDT && u != nil {
			order = append(order, u)
		}
	}
	for _, n := range k.TypeNames() {
		add(k.Types[n])
	}
	return order
}

// ClusterInfo is what DESCRIBE CLUSTER tells of the node. Ownership has the endpoints ("/127.0.0.1:7000") that own the range
// behind each token, as tokens are printed; nil when no keyspace of a user is in use: then the column is not there.
type ClusterInfo struct {
	Name, Partitioner, Snitch string
	Ownership                 map[string][]string
}

// Values returns the row's values: cluster, partitioner and snitch without their packages, and range_ownership, a
// map<text, list<text>>, when Ownership is set.
func (c ClusterInfo) Values() [][]byte {
	short := func(class string) []byte { return []byte(class[strings.LastIndexByte(class, '.')+1:]) }
	row := [][]byte{[]byte(c.Name), short(c.Partitioner), short(c.Snitch)}
	if c.Ownership != nil {
		v := types.AppendCount(nil, len(c.Ownership))
		for _, tok := range sortedKeys(c.Ownership) {
			v = types.AppendElement(types.AppendElement(v, []byte(tok)), textList(c.Ownership[tok]))
		}
		row = append(row, v)
	}
	return row
}
