package planner

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser/ast"
)

// BatchKind is the kind of a batch, numbered as in the protocol.
type BatchKind uint8

// The kinds of batches.
const (
	LoggedBatch BatchKind = iota
	UnloggedBatch
	CounterBatch
)

// BatchPlan is the body of a BATCH written as text.
type BatchPlan struct {
	Kind       BatchKind
	Timestamp  Term // of the batch, microseconds, else nil
	Statements []*ModificationPlan
}

func (*BatchPlan) planBody() {}

// prepareBatch plans BEGIN BATCH ... APPLY BATCH. Source: BatchStatement.Parsed.
func (s *scope) prepareBatch(st *ast.Batch) (*Plan, error) {
	b := &BatchPlan{Kind: BatchKind(st.Kind)}
	attribute := func(e ast.Expr, name string, t *types.Type) (Term, error) {
		if e == nil {
			return nil, nil
		}
		return s.term(e, Spec{Keyspace: "[batch]", Table: "[batch]", Name: name, Type: t})
	}
	p := &Plan{Kind: KindBatch, Body: b}
	for i, sub := range st.Statements {
		m, err := s.modification(sub)
		if err != nil {
			return nil, err
		}
		b.Statements = append(b.Statements, m)
		if i == 0 || p.Table == m.Table {
			p.Table = m.Table
		} else {
			p.Table = nil
		}
	}
	var err error
	if b.Timestamp, err = attribute(st.Using.Timestamp, "[timestamp]", types.TBigint); err != nil {
		return nil, err
	}
	ttl, err := attribute(st.Using.TTL, "[ttl]", types.TInt)
	if err != nil {
		return nil, err
	}
	if ttl != nil {
		return nil, cql.Invalidf("Global TTL on the BATCH statement is not supported.")
	}
	if err := CheckBatch(b.Kind, b.Statements, b.Timestamp != nil); err != nil {
		return nil, err
	}
	for _, m := range b.Statements {
		if err := m.validate(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// CheckBatch refuses statements that cannot stand together in a batch. timestamp says that the batch as a whole has one.
// Source: BatchStatement.validate.
func CheckBatch(kind BatchKind, list []*ModificationPlan, timestamp bool) error {
	var conditional, counter, other, virtual, real, own bool
	for _, m := range list {
		conditional = conditional || m.If.Any()
		counter = counter || m.Table.Counter
		other = other || !m.Table.Counter
		virtual = virtual || m.Table.Virtual
		real = real || !m.Table.Virtual
		own = own || m.Timestamp != nil
	}
	if timestamp {
		switch {
		case conditional:
			return cql.Invalidf("Cannot provide custom timestamp for conditional BATCH")
		case kind == CounterBatch:
			return cql.Invalidf("Cannot provide custom timestamp for counter BATCH")
		case own:
			return cql.Invalidf("Timestamp must be set either on BATCH or individual statements")
		case counter:
			return cql.Invalidf("Cannot provide custom timestamp for a BATCH containing counters")
		}
	}
	switch {
	case kind == CounterBatch && other:
		return cql.Invalidf("Cannot include non-counter statement in a counter batch")
	case counter && other:
		return cql.Invalidf("Counter and non-counter mutations cannot exist in the same batch")
	case kind == LoggedBatch && counter:
		return cql.Invalidf("Cannot include a counter statement in a logged batch")
	case kind == LoggedBatch && virtual:
		return cql.Invalidf("Cannot include a virtual table statement in a logged batch")
	case virtual && real:
		return cql.Invalidf("Mutations for virtual and regular tables cannot exist in the same batch")
	case conditional && virtual:
		return cql.Invalidf("Conditional BATCH statements cannot include mutations for virtual tables")
	}
	if conditional {
		for _, m := range list[1:] {
			if m.Table.ID != list[0].Table.ID {
				return cql.Invalidf("Batch with conditions cannot span multiple tables")
			}
		}
	}
	return nil
}
