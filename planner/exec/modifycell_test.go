package exec

import (
	"context"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/parser"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// keeping is a Writer that keeps the mutations and how they were written.
type keeping struct {
	*memory
	ms   []request.Mutation
	kind cql.WriteType
}

func (k *keeping) Write(_ context.Context, ms []request.Mutation, kind cql.WriteType, _ cql.Consistency) error {
	k.ms, k.kind = request.Clone(ms), kind
	return nil
}

// cellNode plans and runs statements whose mutations are looked at.
type cellNode struct {
	*testNode
	w *keeping
	m *Modifier
	o Options
}

func newCellNode(t testing.TB, statements ...string) *cellNode {
	t.Helper()
	n := newTestNode()
	n.must(t, "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE ks")
	n.must(t, statements...)
	w := &keeping{memory: n.memory}
	return &cellNode{testNode: n, w: w, m: NewModifier(w, DefaultBatchLimits, OverflowReject), o: Options{Consistency: cql.One, Serial: cql.Serial}}
}

func (n *cellNode) plan(t testing.TB, text string) (*planner.Plan, *parser.Parsed) {
	t.Helper()
	parsed, err := parser.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	p, err := planner.Prepare(n.schema, "ks", parsed.Statement, parsed.Markers, planner.PrepareEnv{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p, parsed
}

func (n *cellNode) env(values ...planner.Value) *planner.Env {
	return &planner.Env{Values: values, Now: n.now, Version: cql.V5, Partitioner: token.Murmur3{}, Functions: n.functions()}
}

// rows returns the rows of the last write; clusterings and cells are copies.
func (n *cellNode) rows(t testing.TB) []*row.Row {
	t.Helper()
	var list []*row.Row
	for i := range n.w.ms {
		c := n.w.ms[i].Changes()
		for c.Next() {
			if !c.Row && !c.Static {
				continue
			}
			r, rd := new(row.Row), row.Reader{B: c.Encoded}
			if c.Row {
				r.Clustering = rd.Values(nil, len(n.w.ms[i].Table.Clustering))
			}
			rd.Body(r)
			list = append(list, r.Clone())
		}
		if err := c.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func (n *cellNode) write(t testing.TB, text string, values ...planner.Value) []*row.Row {
	t.Helper()
	p, _ := n.plan(t, text)
	var err error
	switch body := p.Body.(type) {
	case *planner.ModificationPlan:
		_, err = n.m.Modify(context.Background(), body, n.env(values...), &n.o, &rowSink{})
	case *planner.BatchPlan:
		_, err = n.m.BatchText(context.Background(), body, n.env(values...), &n.o, &rowSink{})
	}
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n.rows(t)
}

// What a statement's USING, the table's default and the request say of times ends up in markers and cells.
// Source: cql.md 2.1, 2.3.
func TestTimesOfCells(t *testing.T) {
	n := newCellNode(t, "CREATE TABLE d (k int PRIMARY KEY, v int) WITH default_time_to_live = 100", "CREATE TABLE p (k int PRIMARY KEY, v int)")
	n.o.Timestamp, n.o.HasTimestamp = 77, true
	for _, c := range []struct {
		text      string
		timestamp int64
		ttl       int32
	}{
		{"INSERT INTO p (k, v) VALUES (1, 1)", 77, 0},
		{"INSERT INTO p (k, v) VALUES (1, 1) USING TIMESTAMP -5", -5, 0},
		{"INSERT INTO p (k, v) VALUES (1, 1) USING TTL 9", 77, 9},
		{"INSERT INTO d (k, v) VALUES (1, 1)", 77, 100},
		{"INSERT INTO d (k, v) VALUES (1, 1) USING TTL 0", 77, 0},
		{"INSERT INTO d (k, v) VALUES (1, 1) USING TTL 9 AND TIMESTAMP 6", 6, 9},
		{"INSERT INTO d JSON '{\"k\": 1, \"v\": 1}' USING TTL 9", 77, 9},
	} {
		rows := n.write(t, c.text)
		if len(rows) != 1 || len(rows[0].Cells) != 1 {
			t.Fatalf("%s: %v", c.text, rows)
		}
		marker, cell := rows[0].Liveness, rows[0].Cells[0]
		local := row.NoLocal
		if c.ttl > 0 {
			local = n.now + int64(c.ttl)
		}
		if marker.Timestamp != c.timestamp || marker.TTL != c.ttl || marker.Expiry != local {
			t.Errorf("%s: marker %+v", c.text, marker)
		}
		if cell.Timestamp != c.timestamp || cell.TTL != c.ttl || cell.Local != local {
			t.Errorf("%s: cell %+v", c.text, cell)
		}
	}
	unset := planner.Value{Unset: true}
	k := planner.Value{Bytes: []byte{0, 0, 0, 1}}
	rows := n.write(t, "UPDATE d USING TTL ? AND TIMESTAMP ? SET v = ? WHERE k = ?", unset, unset, k, k)
	if c := rows[0].Cells[0]; c.TTL != 100 || c.Timestamp != 77 || rows[0].Liveness != row.NoLiveness {
		t.Errorf("unset times: %+v, marker %+v", c, rows[0].Liveness)
	}
	rows = n.write(t, "UPDATE d USING TTL ? SET v = ? WHERE k = ?", planner.Value{}, k, k)
	if c := rows[0].Cells[0]; c.TTL != 0 {
		t.Errorf("null TTL: %+v", c)
	}
	rows = n.write(t, "UPDATE d SET v = null WHERE k = 1")
	if c := rows[0].Cells[0]; !c.IsTombstone() || c.Local != n.now || c.Timestamp != 77 {
		t.Errorf("null: %+v", c)
	}
}

// A whole collection replaces what is older than itself, not what is as old. Source: cql.md 2.1 (15, 16).
func TestOverwriteOfCollections(t *testing.T) {
	n := newCellNode(t, "CREATE TYPE u (a int, b int)", "CREATE TABLE t (k int PRIMARY KEY, s set<int>, l list<int>, m map<int, int>, u u)")
	n.o.Timestamp, n.o.HasTimestamp = 50, true
	for _, c := range []struct {
		set     string
		cells   int
		deletes int64 // timestamp of the deletion of elements; 0 for none
	}{
		{"s = {2, 1}", 2, 49}, {"s = {}", 0, 49}, {"s = null", 0, 49}, {"s = s + {1}", 1, 0}, {"s = s - {1}", 1, 0}, {"l = [1, 1]", 2, 49},
		{"l = l + [1]", 1, 0}, {"m = {1: 2}", 1, 49}, {"m[1] = 2", 1, 0}, {"u = {a: 1}", 1, 49}, {"u.a = 1", 1, 0}, {"u = null", 0, 49},
	} {
		rows := n.write(t, "UPDATE t SET "+c.set+" WHERE k = 1")
		if len(rows) != 1 || len(rows[0].Cells) != c.cells {
			t.Fatalf("%s: %+v", c.set, rows[0])
		}
		var deletes int64
		for _, d := range rows[0].Complex {
			deletes = d.Timestamp
		}
		if deletes != c.deletes {
			t.Errorf("%s: elements up to %d are deleted, want %d", c.set, deletes, c.deletes)
		}
	}
	rows := n.write(t, "DELETE s FROM t WHERE k = 1")
	if d := rows[0].Complex; len(d) != 1 || d[0].Timestamp != 50 {
		t.Errorf("DELETE s: %+v", d)
	}
}

// Batches are written as what they are, one mutation a partition.
func TestKindsOfWrites(t *testing.T) {
	n := newCellNode(t, "CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))", "CREATE TABLE n (k int PRIMARY KEY, n counter)")
	for _, c := range []struct {
		text string
		kind cql.WriteType
		ms   int
	}{
		{"INSERT INTO t (k, c, v) VALUES (1, 1, 1)", cql.WriteSimple, 1},
		{"UPDATE t SET v = 1 WHERE k IN (1, 2) AND c IN (1, 2)", cql.WriteUnloggedBatch, 2},
		{"UPDATE n SET n = n + 1 WHERE k = 1", cql.WriteCounter, 1},
		{"DELETE FROM n WHERE k = 1", cql.WriteCounter, 1},
		{"BEGIN BATCH INSERT INTO t (k, c) VALUES (1, 1); INSERT INTO t (k, c) VALUES (1, 2) APPLY BATCH", cql.WriteSimple, 1},
		{"BEGIN BATCH INSERT INTO t (k, c) VALUES (1, 1); INSERT INTO t (k, c) VALUES (2, 2) APPLY BATCH", cql.WriteBatch, 2},
		{"BEGIN UNLOGGED BATCH INSERT INTO t (k, c) VALUES (1, 1); INSERT INTO t (k, c) VALUES (2, 2) APPLY BATCH", cql.WriteUnloggedBatch, 2},
		{"BEGIN COUNTER BATCH UPDATE n SET n += 1 WHERE k = 1; UPDATE n SET n += 1 WHERE k = 2 APPLY BATCH", cql.WriteCounter, 2},
	} {
		n.write(t, c.text)
		if n.w.kind != c.kind || len(n.w.ms) != c.ms {
			t.Errorf("%s: %s of %d", c.text, n.w.kind, len(n.w.ms))
		}
	}
}

// A plan serves every statement of its shape, with the literals of each.
func TestPlansOfAShape(t *testing.T) {
	n := newCellNode(t, "CREATE TYPE u (a int, b text)",
		"CREATE TABLE t (k int PRIMARY KEY, v int, l list<int>, m map<text, int>, u frozen<u>, p tuple<int, text>, x vector<int, 2>)")
	p, _ := n.plan(t, "INSERT INTO t (k, v, l, m, u, p, x) VALUES (1, 2, [3, 4], {'a': 5}, {a: 6, b: 'b'}, (7, 'c'), [8, 9]) USING TTL 10 AND TIMESTAMP 11")
	if !p.ShapeSafe {
		t.Fatal("the plan is for one statement alone")
	}
	other := "INSERT INTO t (k, v, l, m, u, p, x) VALUES (10, 20, [30, 40], {'aa': 50}, {a: 60, b: 'bb'}, (70, 'cc'), [80, 90]) USING TTL 100 AND TIMESTAMP 110"
	direct := n.write(t, other)
	_, parsed := n.plan(t, other)
	env := n.env()
	for _, l := range parsed.Literals {
		env.Literals = append(env.Literals, l.Text)
	}
	if _, err := n.m.Modify(context.Background(), p.Body.(*planner.ModificationPlan), env, &n.o, nil); err != nil {
		t.Fatal(err)
	}
	shaped := n.rows(t)
	if len(shaped[0].Cells) != len(direct[0].Cells) || string(n.w.ms[0].Key) != "\x00\x00\x00\x0a" || shaped[0].Liveness != direct[0].Liveness {
		t.Fatalf("key %x, row %+v, want %+v", n.w.ms[0].Key, shaped[0], direct[0])
	}
	for i, c := range shaped[0].Cells {
		if d := direct[0].Cells[i]; string(c.Value) != string(d.Value) || c.TTL != d.TTL || c.Timestamp != d.Timestamp {
			t.Errorf("cell %+v, want %+v", c, d)
		}
	}
	if q, _ := n.plan(t, "INSERT INTO t (k, v) VALUES (1, 2 + 3)"); q.ShapeSafe {
		t.Error("which + is meant depends on the size of the literals")
	}
	env.Literals[1] = "99999999999"
	_, err := n.m.Modify(context.Background(), p.Body.(*planner.ModificationPlan), env, &n.o, nil)
	if err == nil || err.Error() != "Unable to make int from '99999999999'" {
		t.Errorf("a literal that is too large: %v", err)
	}
}

// Levels that a write cannot have are refused before anything is evaluated.
func TestLevelsOfWrites(t *testing.T) {
	n := newCellNode(t, "CREATE TABLE t (k int PRIMARY KEY, v int, l list<int>)", "CREATE TABLE n (k int PRIMARY KEY, n counter)")
	for _, c := range []struct {
		text       string
		cl, serial cql.Consistency
		want       string
	}{
		{"UPDATE t SET v = 1 WHERE k = 1", cql.Serial, cql.Serial, "You must use conditional updates for serializable writes"},
		{"UPDATE n SET n = n + 1 WHERE k = 1", cql.Any, cql.Serial, "Consistency level ANY is not yet supported for counter table n"},
		{"UPDATE n SET n = n + 1 WHERE k = 1", cql.LocalSerial, cql.Serial, "Counter operations are inherently non-serializable"},
		{"UPDATE t SET l[0] = 1 WHERE k = 1", cql.Any, cql.Serial, "Write operation require a read but consistency ANY is not supported on reads"},
		{"UPDATE t SET v = 1 WHERE k = 1 IF v = 1", cql.One, cql.Quorum,
			"Invalid consistency for conditional update. Must be one of SERIAL or LOCAL_SERIAL"},
		{"UPDATE t SET v = 1 WHERE k = 1 IF v = 1", cql.Serial, cql.Serial, "SERIAL is not supported as conditional update commit " +
			"consistency. Use ANY if you mean \"make sure it is accepted but I don't care how many replicas commit it for non-SERIAL reads\""},
		{"BEGIN BATCH UPDATE t SET v = 1 WHERE k = 1 APPLY BATCH", cql.Serial, cql.Serial, ""},
	} {
		p, _ := n.plan(t, c.text)
		o := Options{Consistency: c.cl, Serial: c.serial}
		var err error
		switch body := p.Body.(type) {
		case *planner.ModificationPlan:
			_, err = n.m.Modify(context.Background(), body, n.env(), &o, &rowSink{})
		case *planner.BatchPlan:
			_, err = n.m.BatchText(context.Background(), body, n.env(), &o, &rowSink{})
		}
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s at %s: %q", c.text, c.cl, got)
		}
	}
}

// Keys and clusterings have bounds. Source: cql.md 5; answers of Cassandra 5.0.6.
func TestLengthsOfKeys(t *testing.T) {
	n := newCellNode(t, "CREATE TABLE ct (k text, c text, d text, v int, PRIMARY KEY (k, c, d))", "CREATE TABLE p (a int, b text, v int, PRIMARY KEY ((a, b)))")
	long, most := strings.Repeat("x", 70000), strings.Repeat("y", 65535)
	tooLong := func(n string) string { return "Key length of " + n + " is longer than maximum of 65535" }
	for _, c := range []struct{ text, want string }{
		{"delete from ct where k='a' and c='" + long + "' and d=''", tooLong("70000")},
		{"delete from ct where k='a' and c='" + long + "'", ""},
		{"delete from ct where k='a' and c>'" + long + "'", ""},
		{"delete from ct where k='a' and c in ('" + long + "') and d='a'", tooLong("70001")},
		{"delete v from ct where k='a' and c='" + long + "' and d=''", tooLong("70000")},
		{"insert into ct (k,c,d,v) values ('a','" + long[:40000] + "','" + long[:40000] + "',1)", tooLong("80000")},
		{"insert into ct (k,c,d,v) values ('" + long + "','','',1)", tooLong("70000")},
		{"update ct set v = 1 where k in ('" + long + "','') and c = '' and d = ''", tooLong("70000")},
		{"update ct set v = 1 where k in ('a','') and c = '' and d = ''", "Key may not be empty"},
		{"insert into ct (k,c,d,v) values ('" + most + "','','',1)", ""},
		{"insert into ct (k,c,d,v) values ('a','" + most + "','',1)", ""},
		{"insert into ct (k,c,d,v) values ('a','" + most + "','z',1)", tooLong("65536")},
		{"insert into p (a,b,v) values (1,'" + most[10:] + "',1)", ""},
		{"insert into p (a,b,v) values (1,'" + most[9:] + "',1)", tooLong("65536")},
		{"insert into p (a,b,v) values (1,'" + most + "',1)", tooLong("65539")},
		{"insert into p (a,b,v) values (1,'" + long + "',1)", tooLong("70004")},
	} {
		p, _ := n.plan(t, c.text)
		_, err := n.m.Modify(context.Background(), p.Body.(*planner.ModificationPlan), n.env(), &n.o, nil)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%.60s: %.100q, want %q", c.text, got, c.want)
		}
	}
}

// casReads is a Writer that keeps what the last conditional change read.
type casReads struct {
	*memory
	read request.Read
}

func (c *casReads) CAS(ctx context.Context, cas CAS, serial, commit cql.Consistency) (bool, error) {
	c.read = *cas.Read()
	return c.memory.CAS(ctx, cas, serial, commit)
}

// Statements of one table stand together in a batch although another change of the schema came between their preparations,
// and a conditional change reads the rows that it looks at, no others.
func TestConditionalBatchOfOlderPlans(t *testing.T) {
	n := newCellNode(t, "CREATE TABLE t (k int, c int, v int, l list<int>, PRIMARY KEY (k, c))")
	n.must(t, "INSERT INTO t (k, c, v, l) VALUES (1, 1, 1, [1])", "INSERT INTO t (k, c, v, l) VALUES (1, 5, 1, [1, 2])")
	older, _ := n.plan(t, "UPDATE t SET v = 2 WHERE k = 1 AND c = 1 IF v = 1")
	n.must(t, "ALTER TABLE t WITH comment = 'x'")
	newer, _ := n.plan(t, "UPDATE t SET l[1] = 9 WHERE k = 1 AND c = 5")
	w := &casReads{memory: n.memory}
	m := NewModifier(w, DefaultBatchLimits, OverflowReject)
	batch := func(plans ...*planner.Plan) (*rowSink, error) {
		sink := &rowSink{}
		var items []BatchItem
		for _, p := range plans {
			items = append(items, BatchItem{p, n.env()})
		}
		_, err := m.Batch(context.Background(), planner.LoggedBatch, items, n.env(), &n.o, sink)
		return sink, err
	}
	sink, err := batch(older, newer)
	if err != nil {
		t.Fatal(err)
	}
	if len(sink.rows) != 1 || len(sink.rows[0]) != 1 || sink.rows[0][0][0] != 1 {
		t.Errorf("answer %x", sink.rows)
	}
	if s := w.read.Slices; len(s) != 2 || s[0].Start.Values[0][3] != 1 || s[1].Start.Values[0][3] != 5 {
		t.Errorf("slices %v", s)
	}
	got, _, _, err := n.run("SELECT v, l FROM t WHERE k = 1 AND c IN (1, 5)", nil, n.o)
	if err != nil || len(got.rows) != 2 || got.rows[0][0][3] != 2 || string(got.rows[1][1][12:]) != "\x00\x00\x00\x04\x00\x00\x00\x09" {
		t.Errorf("rows %x, %v", got.rows, err)
	}
	const refused = "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed."
	if _, err := batch(&planner.Plan{Body: &planner.SelectPlan{}}); err == nil || err.Error() != refused {
		t.Errorf("SELECT in a batch: %v", err)
	}
}
