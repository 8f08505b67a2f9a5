package planner

import (
	"errors"
	"testing"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/parser"
)

// schemaOf runs schema statements one after another.
func schemaOf(t testing.TB, keyspace string, statements ...string) *schema.Snapshot {
	t.Helper()
	snap := schema.NewSnapshot()
	ids := byte(0)
	env := &schema.Env{DataCenters: map[string]int{"datacenter1": 1}, NewID: func() schema.UUID { ids++; return schema.UUID{ids} }, Now: 1}
	for _, text := range statements {
		p, err := planOf(snap, keyspace, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		res, err := p.Body.(*SchemaPlan).Change(snap, env)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if snap, err = schema.Apply(snap, res.Change); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return snap
}

// planOf plans one statement.
func planOf(snap *schema.Snapshot, keyspace, text string) (*Plan, error) {
	parsed, err := parser.Parse(text)
	if err != nil {
		return nil, err
	}
	return Prepare(snap, keyspace, parsed.Statement, parsed.Markers, PrepareEnv{})
}

// Every part of a schema statement reaches the schema.
func TestSchemaStatements(t *testing.T) {
	snap := schemaOf(t, "ks", "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1} AND durable_writes = false",
		"CREATE TYPE u (a int)", "ALTER TYPE u ADD b frozen<list<text>>", "ALTER TYPE u RENAME a TO z",
		"CREATE TABLE t (k int, c int, s int STATIC, v u, w vector<float, 3>, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC) AND comment = 'x' AND gc_grace_seconds = 5",
		"ALTER TABLE t ADD (m map<int, text>, x int)", "ALTER TABLE t DROP x USING TIMESTAMP 7", "ALTER TABLE t RENAME c TO cc",
		"CREATE INDEX i ON t (values(m))", "ALTER TABLE t WITH default_time_to_live = 9")
	k := snap.Keyspaces["ks"]
	tbl := k.Tables["t"]
	switch {
	case k.DurableWrites:
		t.Error("durable writes")
	case len(k.Types["u"].Fields) != 2 || k.Types["u"].Fields[0] != "z":
		t.Errorf("type %v", k.Types["u"].Fields)
	case tbl.Clustering[0].Name != "cc" || !tbl.Clustering[0].Desc || len(tbl.Static) != 1:
		t.Errorf("columns %v", tbl.Clustering[0])
	case tbl.ByName["w"].Type.String() != "vector<float, 3>" || tbl.ByName["v"].Type.Frozen:
		t.Errorf("types %s, %s", tbl.ByName["w"].Type, tbl.ByName["v"].Type)
	case tbl.Options.Comment != "x" || tbl.Options.GCGraceSeconds != 5 || tbl.Options.DefaultTTL != 9:
		t.Errorf("options %+v", tbl.Options)
	case tbl.Dropped["x"].At != 7:
		t.Errorf("dropped %+v", tbl.Dropped)
	case tbl.Index("i") == nil || tbl.Index("i").Target != schema.TargetValues:
		t.Errorf("indexes %v", tbl.Indexes)
	}
}

// Texts are those of Cassandra 5.0.6.
func TestStatementsRefused(t *testing.T) {
	snap := schemaOf(t, "ks", "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	for _, c := range []struct {
		keyspace, text, want string
		code                 cql.ErrorCode
	}{
		{"", "CREATE TABLE t (k int PRIMARY KEY)", "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename", 0x2200},
		{"", "DROP INDEX i", "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename", 0x2200},
		{"", "TRUNCATE t", "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename", 0x2200},
		{"ks", "TRUNCATE nope", "table nope does not exist", 0x2200},
		{"ks", "TRUNCATE nope.t", "keyspace nope does not exist", 0x2200},
		{"ks", "USE nope", "Keyspace 'nope' does not exist", 0x2200},
		{"ks", "CREATE ROLE r", "You have to be logged in and not anonymous to perform this request", 0x2100},
		{"ks", "CREATE ROLE superuser WITH LOGIN = true", "You have to be logged in and not anonymous to perform this request", 0x2100},
		{"ks", "CREATE USER u SUPERUSER", "Only superusers can create a role with superuser status", 0x2100},
		{"ks", "CREATE ROLE r WITH OPTIONS = {'superuser': 'true'} AND PASSWORD = 'superuser'",
			"org.apache.cassandra.auth.CassandraRoleManager doesn't support PASSWORD", 0x2200},
		{"ks", "CREATE USER IF NOT EXISTS u WITH HASHED PASSWORD 'x' NOSUPERUSER",
			"org.apache.cassandra.auth.CassandraRoleManager doesn't support HASHED_PASSWORD", 0x2200},
		{"ks", "CREATE USER ''", "Role name can't be an empty string", 0x2200},
		{"ks", "ALTER USER u SUPERUSER", "Only superusers are allowed to alter superuser status", 0x2100},
		{"ks", "ALTER ROLE r WITH PASSWORD = 'x' AND SUPERUSER = false", "Only superusers are allowed to alter superuser status", 0x2100},
		{"ks", "ALTER USER IF EXISTS u", "ALTER [ROLE|USER] can't be empty", 0x2200},
		{"ks", "ALTER ROLE r WITH PASSWORD = 'x' AND ACCESS TO DATACENTERS {'x'}",
			"Only superusers are allowed to alter access to datacenters.", 0x2100},
		{"ks", "ALTER ROLE r WITH ACCESS FROM ALL CIDRS", "Only superusers are allowed to alter access from CIDR groups.", 0x2100},
		{"ks", "ALTER ROLE r WITH OPTIONS = {'a': 'b'}", "org.apache.cassandra.auth.CassandraRoleManager doesn't support OPTIONS", 0x2200},
		{"ks", "LIST ROLES", "You have to be logged in and not anonymous to perform this request", 0x2100},
		{"ks", "GRANT SELECT ON t TO r", "You have to be logged in and not anonymous to perform this request", 0x2100},
		{"ks", "ADD IDENTITY 'x' TO ROLE 'r'", "You have to be logged in and not anonymous to perform this request", 0x2100},
		{"ks", "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE k IS NOT NULL PRIMARY KEY (k)",
			"CREATE MATERIALIZED VIEW is not supported by Helenus yet", 0x2200},
		{"ks", "DROP FUNCTION f", "Function 'ks.f' doesn't exist", 0x2200},
		{"ks", "DROP FUNCTION /* x */ nope.\"F\"(int, text);", "Function 'nope.F(int, text)' doesn't exist", 0x2200},
		{"ks", "DROP AGGREGATE a(int)", "Aggregate 'ks.a(int)' doesn't exist", 0x2200},
		{"ks", "DROP MATERIALIZED VIEW v", "Materialized view 'ks.v' doesn't exist", 0x2200},
		{"ks", "ALTER MATERIALIZED VIEW nope.v WITH comment = 'a'", "Materialized view 'nope.v' doesn't exist", 0x2200},
		{"ks", "DROP TRIGGER x ON t", "Trigger 'x' on 'ks.t' doesn't exist", 0x2200},
		{"ks", "CREATE TRIGGER x ON t USING 'C'", "Table 't' doesn't exist", 0x2200},
		{"ks", "CREATE TRIGGER x ON nope.t USING 'C'", "Keyspace 'nope' doesn't exist", 0x2200},
		{"", "DROP FUNCTION f", "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename", 0x2200},
	} {
		_, err := planOf(snap, c.keyspace, c.text)
		var e *cql.Error
		if !errors.As(err, &e) || e.Message != c.want || e.Code != c.code {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}

// What does not exist need not be dropped.
func TestNothingToDrop(t *testing.T) {
	snap := schemaOf(t, "ks", "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	for _, text := range []string{
		"DROP FUNCTION IF EXISTS f", "DROP AGGREGATE IF EXISTS nope.a(int)", "DROP MATERIALIZED VIEW IF EXISTS v",
		"ALTER MATERIALIZED VIEW IF EXISTS v WITH comment = 'a'", "DROP TRIGGER IF EXISTS x ON t",
	} {
		p, err := planOf(snap, "ks", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		res, err := p.Body.(*SchemaPlan).Change(snap, nil)
		if err != nil || !res.NoOp {
			t.Errorf("%s: %+v, %v", text, res, err)
		}
	}
}
