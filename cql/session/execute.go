package session

import (
	"context"
	"encoding/hex"
	"errors"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/planner/exec"
)

// inlineRows and inlineBytes bound the answers that are made on the goroutine that reads the connection. More rows than that
// send the next execution of a statement elsewhere, more bytes the present one.
const (
	inlineRows  = 500
	inlineBytes = 1 << 20
)

// mayWait reports whether st can take longer than the requests behind it on its connection should wait: a scan, a conditional
// write, a change of the schema, a write that waits for the disk, and a read that gave many rows before.
func (h *Handler) mayWait(st *statement) bool {
	switch body := st.plan.Body.(type) {
	case *planner.SelectPlan:
		w := body.Where
		return w.KeyRange || w.KeyIN() || w.Index != nil || len(body.Aggregates) > 0 || st.heavy.Load()
	case *planner.ModificationPlan:
		return h.o.WritesWait || body.If.Any()
	case *planner.UsePlan:
		return false
	}
	return true
}

// conditional reports whether the rows of st are those of a conditional write, whose columns depend on what it finds.
func (s *statement) conditional() bool {
	switch body := s.plan.Body.(type) {
	case *planner.ModificationPlan:
		return body.If.Any()
	case *planner.BatchPlan:
		return true
	}
	return false
}

// answer executes st and writes the answer.
func (k *call) answer(ctx context.Context, st *statement, prepared bool, p *wire.QueryParams) error {
	k.out.st, k.out.skip = st, p.Has(wire.FlagSkipMetadata)
	if prepared && k.r.Version >= cql.V5 {
		k.out.have = k.execute.ResultMetadataID
		if k.out.have == nil {
			k.out.have = []byte{}
		}
	}
	k.event("Executing")
	switch body := st.plan.Body.(type) {
	case *planner.SelectPlan:
		res, err := exec.Select(ctx, k.h.o.Backend, st.plan, &k.env, &k.opts, &k.out)
		tooLong := errors.Is(err, errTooLong)
		if tooLong || k.out.rows.Count() > inlineRows {
			st.heavy.Store(true)
		}
		if tooLong {
			return err
		}
		return k.result(res, err)
	case *planner.ModificationPlan:
		return k.result(k.h.modifier.Modify(ctx, body, &k.env, &k.opts, &k.out))
	case *planner.BatchPlan:
		return k.result(k.h.modifier.BatchText(ctx, body, &k.env, &k.opts, &k.out))
	case *planner.SchemaPlan:
		return k.schemaChange(body)
	case *planner.UsePlan:
		return k.use(body.Keyspace)
	case *planner.TruncatePlan:
		if err := k.h.o.Backend.Truncate(ctx, body.Table); err != nil {
			return err
		}
		k.r.Void()
		return nil
	case *planner.DescribePlan:
		return k.result(exec.Describe(ctx, k.h.o.Backend, body, k.c.current(), &k.opts, &k.out))
	}
	return cql.Serverf("no way to execute a plan of %T", st.plan.Body)
}

// result finishes an answer of rows, or of none.
func (k *call) result(res exec.Result, err error) error {
	for _, w := range res.Warnings {
		k.r.AddWarning(w)
	}
	if err != nil {
		return err
	}
	k.event("Request complete")
	k.endTrace()
	if !k.out.begun {
		k.r.Void()
		return nil
	}
	k.r.Reply(wire.OpResult, k.out.rows.Finish(res.PagingState))
	return nil
}

// schemaChange carries out DDL. Its events have gone out when the answer does.
func (k *call) schemaChange(p *planner.SchemaPlan) error {
	res, err := k.h.o.Backend.ApplySchema(k.r.Context(), p.Change)
	for _, w := range res.Warnings {
		k.r.AddWarning(w)
	}
	switch {
	case err != nil:
		return err
	case res.NoOp:
		k.r.Void()
		return nil
	}
	a := res.Answer
	e := wire.Event{Type: wire.SchemaChange, Change: a.Change, Target: a.Target, Keyspace: a.Keyspace, Name: a.Name}
	k.r.Reply(wire.OpResult, wire.AppendSchemaChange(k.r.Begin(), k.r.Version, &e))
	return nil
}

// use carries out USE. Source: UseStatement.
func (k *call) use(keyspace string) error {
	if k.h.o.NoUse {
		return cql.Invalidf("USE statements prohibited. (see use_statements_enabled in cassandra.yaml)")
	}
	if k.h.o.Backend.Schema().Keyspaces[keyspace] == nil {
		return cql.Invalidf("Keyspace '%s' does not exist", keyspace)
	}
	k.c.use(keyspace)
	k.c.c.SetKeyspace(keyspace)
	k.r.Reply(wire.OpResult, wire.AppendSetKeyspace(k.r.Begin(), keyspace))
	return nil
}

// useWarning is what Cassandra says of prepared statements that depend on USE. used is the connection's keyspace.
// Source: ClientState.warnAboutUseWithPreparedStatements.
func useWarning(used string, st *statement) string {
	null := func(s string) string {
		if s == "" {
			return "null"
		}
		return s
	}
	return "`USE <keyspace>` with prepared statements is considered to be an anti-pattern due to ambiguity in non-qualified table names. " +
		"Please consider removing instances of `Session#setKeyspace(<keyspace>)`, `Session#execute(\"USE <keyspace>\")` and " +
		"`cluster.newSession(<keyspace>)` from your code, and always use fully qualified table names (e.g. <keyspace>.<table>). Keyspace used: " +
		null(used) + ", statement keyspace: " + null(st.keyspace) + ", statement id: " + hex.EncodeToString(st.id[:])
}
