package exec

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/row"
)

// TestExpiryOverflow holds what the policies make of cells that would expire too late. Texts are those of a Cassandra 5.0.6 that was
// started with each policy; a batch warned once for each statement there.
func TestExpiryOverflow(t *testing.T) {
	const (
		begin   = "Request on table ks.t with ttl of 630720000 seconds exceeds maximum supported expiration date of 2038-01-19T03:14:06+00:00"
		refused = begin + ". In order to avoid this use a lower TTL, change the expiration date overflow policy or upgrade to a version where this " +
			"limitation is fixed. See CASSANDRA-14092 and CASSANDRA-14227 for more details."
		warned = begin + " and will have its expiration capped to that date. In order to avoid this use a lower TTL or upgrade to a version where this " +
			"limitation is fixed. See CASSANDRA-14092 and CASSANDRA-14227 for more details."
	)
	byDefault := strings.Replace(strings.Replace(warned, "with ttl", "with default ttl", 1), "ks.t", "ks.d", 1)
	for _, c := range []struct {
		policy   OverflowPolicy
		text     string
		err      string
		warnings []string
		expiry   int64
	}{
		{OverflowReject, "INSERT INTO t (k, v) VALUES (1, 1) USING TTL 630720000", refused, nil, 0},
		{OverflowReject, "INSERT INTO t (k, v) VALUES (1, 1) USING TTL 583683646", "", nil, 1<<31 - 2},
		{OverflowCap, "INSERT INTO t (k, v) VALUES (1, 1) USING TTL 630720000", "", []string{warned}, 1<<31 - 2},
		{OverflowCapNoWarn, "INSERT INTO t (k, v) VALUES (1, 1) USING TTL 630720000", "", nil, 1<<31 - 2},
		{OverflowCap, "INSERT INTO d (k, v) VALUES (1, 1)", "", []string{byDefault}, 1<<31 - 2},
		{OverflowCap, "INSERT INTO t (k, v) VALUES (1, 1) USING TTL 100", "", nil, 1563800100},
		{OverflowCap, "BEGIN BATCH INSERT INTO t (k, v) VALUES (1, 1) USING TTL 630720000; UPDATE t USING TTL 630720000 SET v = 2 WHERE k = 2; APPLY BATCH",
			"", []string{warned, warned}, 1<<31 - 2},
	} {
		n := newCellNode(t, "CREATE TABLE t (k int PRIMARY KEY, v int)",
			"CREATE TABLE d (k int PRIMARY KEY, v int) WITH default_time_to_live = 630720000")
		n.now = 1563800000
		n.m = NewModifier(n.w, DefaultBatchLimits, c.policy)
		var res Result
		var err error
		p, _ := n.plan(t, c.text)
		switch body := p.Body.(type) {
		case *planner.ModificationPlan:
			res, err = n.m.Modify(context.Background(), body, n.env(), &n.o, &rowSink{})
		case *planner.BatchPlan:
			res, err = n.m.BatchText(context.Background(), body, n.env(), &n.o, &rowSink{})
		}
		if err == nil && c.err != "" || err != nil && err.Error() != c.err || !slices.Equal(res.Warnings, c.warnings) {
			t.Errorf("policy %d, %s: %v, warnings %q", c.policy, c.text, err, res.Warnings)
		}
		if err != nil {
			continue
		}
		for _, r := range n.rows(t) {
			if cell := r.Cells[0]; cell.Local != c.expiry || r.Liveness != row.NoLiveness && r.Liveness.Expiry != c.expiry {
				t.Errorf("policy %d, %s: cell %+v, marker %+v", c.policy, c.text, cell, r.Liveness)
			}
		}
	}
}

// TestExpiryOverflowOfConditions holds that a conditional write warns when it is applied.
func TestExpiryOverflowOfConditions(t *testing.T) {
	n := newCellNode(t, "CREATE TABLE t (k int PRIMARY KEY, v int)")
	n.now = 1563800000
	m := NewModifier(n.memory, DefaultBatchLimits, OverflowCap)
	p, _ := n.plan(t, "INSERT INTO t (k, v) VALUES (1, 1) IF NOT EXISTS USING TTL 630720000")
	for _, want := range []int{1, 0} {
		res, err := m.Modify(context.Background(), p.Body.(*planner.ModificationPlan), n.env(), &n.o, &rowSink{})
		if err != nil || len(res.Warnings) != want {
			t.Errorf("%v, warnings %q", err, res.Warnings)
		}
	}
}
