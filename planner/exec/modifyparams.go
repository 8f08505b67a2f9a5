package exec

import (
	"fmt"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/row"
)

// maxTTL is the longest time to live in seconds: 20 years. Source: org.apache.cassandra.cql3.Attributes.MAX_TTL.
const maxTTL = 20 * 365 * 24 * 60 * 60

// maxExpiry is the last second at which a cell may expire, and its text. It is that of Cassandra's shipped setting
// storage_compatibility_mode: CASSANDRA_4, under which tables are written in a format that cannot hold a later one. Source: org.apache.cassandra.db.rows.Cell.getVersionedMaxDeletiontionTime.
const (
	maxExpiry     int64 = 1<<31 - 2
	maxExpiryText       = "2038-01-19T03:14:06+00:00"
)

// writeParams are the times that cells of one statement get, and what was read before.
// Source: org.apache.cassandra.cql3.UpdateParameters.
type writeParams struct {
	st        *writeState
	timestamp int64 // microseconds
	ttl       int32 // seconds; 0 when cells do not expire
	now       int64 // seconds
	// before holds the rows that operations which read look at.
	before []readRow
}

// times evaluates USING. timestamp is what the statement has without its own.
func (p *writeParams) times(m *planner.ModificationPlan, env *planner.Env, timestamp int64) (err error) {
	if p.timestamp, err = timestampOf(m.Timestamp, env, timestamp); err != nil {
		return err
	}
	if m.Verb == planner.Delete || m.Table.Counter {
		return nil
	}
	p.ttl, err = p.timeToLive(m, env)
	return err
}

// timestampOf evaluates USING TIMESTAMP; standard is its value when it is absent or unset.
// Source: Attributes.getTimestamp.
func timestampOf(term planner.Term, env *planner.Env, standard int64) (int64, error) {
	if term == nil {
		return standard, nil
	}
	v, unset, err := term.Eval(env)
	switch {
	case err != nil:
		return 0, err
	case unset:
		return standard, nil
	case len(v) == 0:
		return 0, cql.Invalidf("Invalid null value of timestamp")
	}
	ts := types.Int64(v)
	if ts == row.NoTimestamp {
		return 0, cql.Invalidf("Out of bound timestamp, must be in [%d, %d]", row.NoTimestamp+1, row.NoLocal)
	}
	return ts, nil
}

// timeToLive evaluates USING TTL, or takes the table's default. Source: Attributes.getTimeToLive.
func (p *writeParams) timeToLive(m *planner.ModificationPlan, env *planner.Env) (int32, error) {
	standard := m.Table.Options.DefaultTTL
	if m.TTL == nil {
		return standard, p.checkExpiry(m, standard, "default ")
	}
	v, unset, err := m.TTL.Eval(env)
	switch {
	case err != nil:
		return 0, err
	case unset:
		return standard, nil
	case len(v) == 0:
		return 0, nil
	}
	ttl := types.Int32(v)
	switch {
	case ttl < 0:
		return 0, cql.Invalidf("A TTL must be greater or equal to 0, but was %d", ttl)
	case ttl > maxTTL:
		return 0, cql.Invalidf("ttl is too large. requested (%d) maximum (%d)", ttl, maxTTL)
	}
	return ttl, p.checkExpiry(m, ttl, "")
}

// OverflowPolicy says what becomes of a time to live that ends behind the last second that can be stored.
// Source: org.apache.cassandra.cql3.statements.ExpirationDateOverflowHandling.
type OverflowPolicy uint8

// The policies: the statement is refused; what it writes expires at that second, with a warning or without.
const (
	OverflowReject OverflowPolicy = iota
	OverflowCap
	OverflowCapNoWarn
)

// expiryTail ends the texts about such a time to live.
const expiryTail = "this limitation is fixed. See CASSANDRA-14092 and CASSANDRA-14227 for more details."

// checkExpiry refuses such a time to live or warns of it. which tells a table's default from a statement's own.
func (p *writeParams) checkExpiry(m *planner.ModificationPlan, ttl int32, which string) error {
	if ttl == 0 || p.now+int64(ttl) <= maxExpiry || p.st.overflow == OverflowCapNoWarn {
		return nil
	}
	text := fmt.Sprintf("Request on table %s.%s with %sttl of %d seconds exceeds maximum supported expiration date of %s", m.Table.Keyspace,
		m.Table.Name, which, ttl, maxExpiryText)
	if p.st.overflow == OverflowReject {
		return cql.Invalidf("%s. In order to avoid this use a lower TTL, change the expiration date overflow policy or upgrade to a version "+
			"where %s", text, expiryTail)
	}
	p.st.warnings = append(p.st.warnings, text+" and will have its expiration capped to that date. In order to avoid this use a lower TTL "+
		"or upgrade to a version where "+expiryTail)
	return nil
}

// deletion deletes what is there at the statement's time.
func (p *writeParams) deletion() row.Deletion {
	return row.Deletion{Timestamp: p.timestamp, Local: p.now}
}

// overwrite deletes what a whole new collection replaces: what is older than the statement.
func (p *writeParams) overwrite() row.Deletion {
	return row.Deletion{Timestamp: p.timestamp - 1, Local: p.now}
}

// liveness is the marker of an inserted row.
func (p *writeParams) liveness() row.Liveness {
	return row.Liveness{Timestamp: p.timestamp, TTL: p.ttl, Expiry: p.expiry()}
}

func (p *writeParams) expiry() int64 {
	if p.ttl == 0 {
		return row.NoLocal
	}
	return min(p.now+int64(p.ttl), maxExpiry)
}
