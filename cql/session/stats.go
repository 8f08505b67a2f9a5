package session

import "sync/atomic"

// counters count executions. Source: org.apache.cassandra.metrics.CQLMetrics.
type counters struct{ executed, regular atomic.Int64 }

// PreparedStatement is one entry of the cache of prepared statements. Keyspace is "" when it does not depend on one.
type PreparedStatement struct {
	ID             [16]byte
	Keyspace, Text string
}

// PreparedStatements returns what is prepared.
func (h *Handler) PreparedStatements() []PreparedStatement {
	sts, _ := h.prepared.all()
	out := make([]PreparedStatement, len(sts))
	for i, st := range sts {
		out[i] = PreparedStatement{st.id, st.keyspace, st.text}
	}
	return out
}

// Metrics are the figures of CQLMetrics.
type Metrics struct{ PreparedCount, PreparedEvicted, PreparedExecuted, RegularExecuted int64 }

// Metrics returns the figures of this moment.
func (h *Handler) Metrics() Metrics {
	sts, evicted := h.prepared.all()
	return Metrics{int64(len(sts)), evicted, h.counters.executed.Load(), h.counters.regular.Load()}
}
