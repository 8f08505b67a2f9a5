package planner

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
	"github.com/helenusdb/helenus/planner/function"
)

// Kind tells what a plan does.
type Kind uint8

// The kinds. KindOther covers DDL, USE, TRUNCATE and DESCRIBE.
const (
	KindSelect Kind = iota
	KindModification
	KindBatch
	KindOther
)

// Body is the statement's own part of a plan: *SelectPlan, *ModificationPlan, *BatchPlan, *SchemaPlan,
// *UsePlan, *TruncatePlan or *DescribePlan.
type Body interface{ planBody() }

// Spec names one bind marker or result column. Source: org.apache.cassandra.cql3.ColumnSpecification.
type Spec struct {
	Keyspace, Table, Name string
	Type                  *types.Type
	// Desc says that a result column is a clustering column in descending order, which is part of its type in Cassandra.
	Desc bool
}

// part is a receiver that is derived from s: an element, an argument.
func (s Spec) part(name string, t *types.Type) Spec {
	return Spec{Keyspace: s.Keyspace, Table: s.Table, Name: name, Type: t}
}

// Plan is a statement made ready against one schema. It is immutable and may be used by any number of executions at once.
type Plan struct {
	Kind Kind
	Body Body
	// Table is the table of the statement; nil when it has none or several.
	Table *schema.Table
	// Markers has one entry for every bind marker of the text, in its order.
	Markers []Spec
	// PKIndexes are the markers that hold the partition key, in key order; nil unless each component has one.
	PKIndexes []uint16
	// Result are the columns of the answer; nil when the answer has none or when they are known only after execution.
	Result []Spec
	// ShapeSafe says that no literal's text went into the plan: it serves every statement of the same shape, with the
	// literals of that statement in Env.Literals.
	ShapeSafe bool
	// SchemaEpoch is the epoch of the snapshot that the plan was made for.
	SchemaEpoch uint64
}

// PrepareEnv is what preparation needs of the node.
type PrepareEnv struct {
	// Partitioner types and computes token(); nil is Murmur3.
	Partitioner token.Partitioner
}

// Prepare plans st. keyspace is the one in use, "" when there is none; markers are the names of the bind markers by
// index ("" for a plain ?). Errors are *cql.Error with Cassandra's text.
func Prepare(snap *schema.Snapshot, keyspace string, st ast.Statement, markers []string, env PrepareEnv) (*Plan, error) {
	if env.Partitioner == nil {
		env.Partitioner = token.Murmur3{}
	}
	s := &scope{snap: snap, keyspace: keyspace, env: env, names: markers, shapeSafe: true}
	s.markers = make([]Spec, len(markers))
	s.targets = make([]string, len(markers))
	var p *Plan
	var err error
	switch st := st.(type) {
	case *ast.Select:
		p, err = s.prepareSelect(st)
	default:
		p, err = s.prepareOther(st)
	}
	if err != nil {
		return nil, err
	}
	p.SchemaEpoch = snap.Epoch
	p.ShapeSafe = s.shapeSafe
	p.Markers = s.markers
	p.PKIndexes = s.pkIndexes(p.Table)
	return p, nil
}

// scope is what the preparation of one statement knows and collects.
type scope struct {
	snap     *schema.Snapshot
	keyspace string // in use; "" for none
	env      PrepareEnv
	table    *schema.Table // of the statement at hand
	names    []string      // of the markers as written
	markers  []Spec        // filled by bind
	targets  []string      // the name of each marker's receiver, whatever the marker itself is called
	// resolved are the calls whose functions were found.
	resolved map[resolutionKey]resolution
	// shapeSafe turns false when the text of a literal goes into the plan.
	shapeSafe bool
}

// bind gives the marker m the type and name of its receiver. A named marker keeps its own name.
// Source: org.apache.cassandra.cql3.VariableSpecifications.add.
func (s *scope) bind(m *ast.Marker, receiver Spec) {
	s.targets[m.Index] = receiver.Name
	if m.Name != "" {
		receiver.Name = m.Name
	}
	s.markers[m.Index] = receiver
}

// pkIndexes returns which markers hold the partition key of t, in key order, or nil.
// Source: VariableSpecifications.getPartitionKeyBindVariableIndexes.
func (s *scope) pkIndexes(t *schema.Table) []uint16 {
	if t == nil || len(s.markers) < len(t.PartitionKey) {
		return nil
	}
	at := make([]int, len(t.PartitionKey))
	for i, m := range s.markers {
		if m.Keyspace != t.Keyspace || m.Table != t.Name {
			return nil
		}
		if c := t.ByName[s.targets[i]]; c != nil && c.Kind == schema.PartitionKey {
			at[c.Position] = i + 1
		}
	}
	indexes := make([]uint16, len(at))
	for i, n := range at {
		if n == 0 {
			return nil
		}
		indexes[i] = uint16(n - 1)
	}
	return indexes
}

// tableOf finds the table that a statement names. Source: Schema.validateTable.
func (s *scope) tableOf(n ast.Name) (*schema.Table, error) {
	ks := n.Keyspace
	if ks == "" {
		ks = s.keyspace
	}
	if ks == "" {
		return nil, cql.Invalidf("No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename")
	}
	k := s.snap.Keyspaces[ks]
	if k == nil {
		return nil, cql.Invalidf("keyspace %s does not exist", ks)
	}
	t := k.Tables[n.Name]
	if t == nil {
		return nil, cql.Invalidf("table %s does not exist", n.Name)
	}
	return t, nil
}

// column finds a column of the statement's table.
func (s *scope) column(name string) (*schema.Column, error) {
	if c := s.table.ByName[name]; c != nil {
		return c, nil
	}
	return nil, undefinedColumn(name, s.table)
}

func undefinedColumn(name string, t *schema.Table) error {
	return cql.Invalidf("Undefined column name %s in table %s", types.QuoteIdent(name), types.QuoteIdent(t.Keyspace)+"."+types.QuoteIdent(t.Name))
}

// specOf is the receiver that a column is.
func specOf(c *schema.Column) Spec {
	return Spec{Keyspace: c.Keyspace, Table: c.Table, Name: c.Name, Type: c.Type, Desc: c.Desc}
}

// named is a receiver of the statement's table under another name: "in(c)", "[limit]".
func (s *scope) named(name string, t *types.Type) Spec {
	return Spec{Keyspace: s.table.Keyspace, Table: s.table.Name, Name: name, Type: t}
}

// Value is one bound value. Bytes is nil for null and belongs to the caller for the length of the execution.
type Value struct {
	Bytes []byte
	Unset bool
}

// Env is what one execution brings. It is used by one goroutine; a plan never keeps any of it.
type Env struct {
	// Literals is the text of the literals by slot.
	Literals []string
	// Values are the bound values by marker index; the caller has checked their number.
	Values []Value
	// Now is the time of the request in seconds since 1970, at which expiry is judged and TTL counts from.
	Now int64
	// NowMillis is the wall clock that now() and its kin read, in milliseconds since 1970; it does not move while one
	// execution runs.
	NowMillis int64
	// Version is the protocol version of the request.
	Version cql.Version
	// Partitioner computes token(); never nil.
	Partitioner token.Partitioner
	// Functions is what functions ask of the node; never nil.
	Functions *function.Env
}

// Term is a value that needs no row: a literal, a marker, a call on such. Eval returns the value in wire form: nil is
// null; unset is true for a marker that was left unset. The bytes may be shared with the Env or the plan: who changes them
// copies them first. A Term is immutable and safe for concurrent use with different Envs.
type Term interface {
	Type() *types.Type
	Eval(env *Env) (v []byte, unset bool, err error)
}
