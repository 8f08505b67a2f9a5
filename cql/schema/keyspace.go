package schema

import (
	"maps"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// The longest names. Source: org.apache.cassandra.schema.SchemaConstants.
const (
	maxKeyspaceName = 48
	maxTableName    = 222
)

// noOp is the result of a statement that changes nothing.
func noOp(warnings ...string) (Result, error) { return Result{NoOp: true, Warnings: warnings}, nil }

// done is the result of a statement whose one event is its answer.
func done(c Change, e Event, warnings ...string) (Result, error) {
	return Result{Change: c, Answer: e, Events: []Event{e}, Warnings: warnings}, nil
}

// checkModifiable refuses changes of system keyspaces: verb is ("CREATE", "ALTER", "DROP"), resource what the text
// names ("<table system_auth.roles>"). Source: org.apache.cassandra.service.ClientState; cql.md 1.4.
func checkModifiable(keyspace, verb, resource string) error {
	switch lower := strings.ToLower(keyspace); {
	case isLocalSystem(lower) || isVirtualSystem(lower):
		return cql.Unauthorizedf("%s keyspace is not user-modifiable.", keyspace)
	case isReplicatedSystem(keyspace):
		return cql.Unauthorizedf("Cannot %s %s", verb, resource)
	}
	return nil
}

func keyspaceResource(ks string) string     { return "<keyspace " + ks + ">" }
func tableResource(ks, table string) string { return "<table " + ks + "." + table + ">" }
func allTablesResource(ks string) string    { return "<all tables in " + ks + ">" }

// CreateKeyspace carries out CREATE KEYSPACE.
// Source: org.apache.cassandra.cql3.statements.schema.CreateKeyspaceStatement; cql.md 1.4, 1.9.
func CreateKeyspace(s *Snapshot, env *Env, d KeyspaceDef) (Result, error) {
	p, err := newProperties(d.With)
	if err != nil {
		return Result{}, err
	}
	if !isWord(d.Name) {
		return Result{}, cql.Invalidf("Keyspace name must not be empty and must contain alphanumeric or underscore characters only "+
			`(got "%s")`, d.Name)
	}
	if n := len(d.Name); n > maxKeyspaceName {
		return Result{}, cql.Invalidf(`Keyspace name must not be more than %d characters long (got %d characters for "%s")`,
			maxKeyspaceName, n, d.Name)
	}
	if lower := strings.ToLower(d.Name); isLocalSystem(lower) || isVirtualSystem(lower) {
		return Result{}, cql.Invalidf("System keyspace '%s' is not user-modifiable", d.Name)
	}
	if err := p.allow(" replication durable_writes "); err != nil {
		return Result{}, err
	}
	if !p.has("replication") {
		return Result{}, cql.Invalidf("Missing mandatory option 'replication'")
	}
	given, err := p.mapOf("replication")
	if err != nil {
		return Result{}, err
	}
	if err := checkLocalStrategy(given); err != nil {
		return Result{}, err
	}
	if s.Keyspaces[d.Name] != nil {
		if d.If {
			return noOp()
		}
		return Result{}, cql.KeyspaceExists(d.Name)
	}
	c := &PutKeyspace{Name: d.Name, DurableWrites: true}
	if err := setDurable(p, c); err != nil {
		return Result{}, err
	}
	var warnings []string
	if c.Replication, warnings, err = replication(env, d.Name, given, nil); err != nil {
		return Result{}, err
	}
	return done(c, Event{"CREATED", "KEYSPACE", d.Name, ""}, warnings...)
}

// AlterKeyspace carries out ALTER KEYSPACE.
// Source: org.apache.cassandra.cql3.statements.schema.AlterKeyspaceStatement.
func AlterKeyspace(s *Snapshot, env *Env, d KeyspaceDef) (Result, error) {
	p, err := newProperties(d.With)
	if err != nil {
		return Result{}, err
	}
	if lower := strings.ToLower(d.Name); isLocalSystem(lower) || isVirtualSystem(lower) {
		return Result{}, checkModifiable(d.Name, "ALTER", "")
	}
	if err := p.allow(" replication durable_writes "); err != nil {
		return Result{}, err
	}
	old := s.Keyspaces[d.Name]
	if old == nil {
		return missing(d.If, "Keyspace '%s' doesn't exist", d.Name)
	}
	given, err := p.mapOf("replication")
	if err != nil {
		return Result{}, err
	}
	if err := checkLocalStrategy(given); err != nil {
		return Result{}, err
	}
	c := &PutKeyspace{Name: d.Name, DurableWrites: old.DurableWrites, Replication: old.Replication}
	if err := setDurable(p, c); err != nil {
		return Result{}, err
	}
	var warnings []string
	if len(given) > 0 {
		c.Replication, warnings, err = replication(env, d.Name, given, old.Replication)
	} else {
		warnings, err = checkReplication(env, d.Name, old.Replication)
	}
	if err != nil {
		return Result{}, err
	}
	if ReplicationFactor(c.Replication) > ReplicationFactor(old.Replication) {
		warnings = append(warnings,
			"When increasing replication factor you need to run a full (-full) repair to distribute the data.")
	}
	if c.DurableWrites == old.DurableWrites && maps.Equal(c.Replication, old.Replication) {
		return noOp(warnings...)
	}
	return done(c, Event{"UPDATED", "KEYSPACE", d.Name, ""}, warnings...)
}

// missing is the result for an object that is not there: nothing with IF EXISTS, else the error.
func missing(ifExists bool, format string, args ...any) (Result, error) {
	if ifExists {
		return noOp()
	}
	return Result{}, cql.Invalidf(format, args...)
}

func setDurable(p properties, c *PutKeyspace) error {
	v, err := p.bool("durable_writes")
	if v != nil {
		c.DurableWrites = *v
	}
	return err
}

// DropKeyspace carries out DROP KEYSPACE.
// Source: org.apache.cassandra.cql3.statements.schema.DropKeyspaceStatement.
func DropKeyspace(s *Snapshot, d DropDef) (Result, error) {
	if err := checkModifiable(d.Keyspace, "DROP", keyspaceResource(d.Keyspace)); err != nil {
		return Result{}, err
	}
	k := s.Keyspaces[d.Keyspace]
	if k == nil {
		return missing(d.IfExists, "Keyspace '%s' doesn't exist", d.Keyspace)
	}
	r := Result{Change: &RemoveKeyspace{k.Name}, Answer: Event{"DROPPED", "KEYSPACE", k.Name, ""}}
	for _, n := range k.TableNames() {
		r.Events = append(r.Events, Event{"DROPPED", "TABLE", k.Name, n})
	}
	for _, n := range k.TypeNames() {
		r.Events = append(r.Events, Event{"DROPPED", "TYPE", k.Name, n})
	}
	r.Events = append(r.Events, r.Answer)
	return r, nil
}
