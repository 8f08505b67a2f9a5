package session

import (
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/planner/exec"
)

// serveBatch serves BATCH. Source: BatchMessage.execute.
func (k *call) serveBatch() {
	p := &k.batch.QueryParams
	if err := k.batch.Decode(k.r.Body, k.r.Version); err != nil {
		k.finish(err)
		return
	}
	if k.r.Tracing() {
		k.begun("Execute batch of CQL3 queries", p, map[string]string{})
	}
	items, waits, err := k.batchItems()
	if err != nil {
		k.finish(err)
		return
	}
	if err := k.options(p); err != nil {
		k.finish(err)
		return
	}
	k.h.counters.regular.Add(1)
	k.out.st, k.out.skip = conditionalBatch, false
	answer := func() error {
		return k.result(k.h.modifier.Batch(k.r.Context(), planner.BatchKind(k.batch.Type), items, &k.env, &k.opts, &k.out))
	}
	if waits {
		k.r.Go(func() { k.finish(answer()) })
		return
	}
	k.finish(answer())
}

// conditionalBatch stands for a batch's statement where rows are written: only a conditional one has rows, and their columns are
// always sent.
var conditionalBatch = &statement{plan: &planner.Plan{Body: &planner.BatchPlan{}}}

// batchItems finds the plans of a batch's statements and binds their values. waits is true when one of them may have to wait.
func (k *call) batchItems() (items []exec.BatchItem, waits bool, err error) {
	ks, err := k.keyspace(&k.batch.QueryParams)
	if err != nil {
		return nil, false, err
	}
	items = make([]exec.BatchItem, len(k.batch.Items))
	for i := range k.batch.Items {
		it := &k.batch.Items[i]
		var st *statement
		env := &planner.Env{Partitioner: k.env.Partitioner}
		if it.Prepared {
			if st, err = k.byID(it.ID); err == nil {
				env.Literals = st.literals
			}
		} else if st, err = k.h.statementOf(ks, string(it.Text), k); err == nil {
			env.Literals = append([]string(nil), k.env.Literals...)
		}
		if err != nil {
			return nil, false, err
		}
		if len(it.Values) != len(st.plan.Markers) {
			return nil, false, cql.Invalidf("There were %d markers(?) in CQL but %d bound variables", len(st.plan.Markers), len(it.Values))
		}
		env.Values = appendValues(nil, it.Values)
		items[i] = exec.BatchItem{Plan: st.plan, Env: env}
		waits = waits || k.h.mayWait(st)
	}
	return items, waits, nil
}
