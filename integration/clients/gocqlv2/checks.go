// Code generated from ../gocqlv1/checks.go by go generate. DO NOT EDIT.

package gocqlv2

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apache/cassandra-gocql-driver/v2"
	"github.com/helenusdb/helenus/integration/clients/check"
	"gopkg.in/inf.v0"
)

// statement is one statement of a batch.
type statement struct {
	text   string
	values []any
}

// client is a session and the keyspace its checks work in.
type client struct {
	want    check.Want
	ks      string
	session *gocql.Session
}

// Run does all checks with what is wanted.
func Run(want check.Want) []check.Result {
	c := &client{want: want, ks: want.Keyspace(Name)}
	results := check.Run(map[string]func() error{
		"connect": c.connect, "ddl": c.ddl, "simple": c.simple, "prepared": c.prepared, "logged": c.logged,
		"unlogged": c.unlogged, "counter": c.counter, "paged": c.paged, "traced": c.traced, "conditional": c.conditional,
		"types": c.types, "syntax": c.syntax, "invalid": c.invalid, "exists": c.exists, "unavailable": c.unavailable,
		"configuration": c.configuration, "function": c.function, "unprepared": c.unprepared, "event": c.event,
		"inflight": c.inflight, "metadata": c.metadata,
	})
	if c.session != nil {
		_ = c.exec("DROP KEYSPACE IF EXISTS " + c.ks)
		_ = c.exec("DROP KEYSPACE IF EXISTS " + c.ks + "_rf3")
		c.session.Close()
	}
	return results
}

// open opens a session of one connection.
func (c *client) open() (*gocql.Session, error) {
	comp, err := compressor(c.want.Compression)
	if err != nil {
		return nil, err
	}
	cfg := gocql.NewCluster(c.want.Host)
	cfg.Port, cfg.ProtoVersion, cfg.Compressor = c.want.Port, c.want.Version, comp
	cfg.NumConns, cfg.Timeout, cfg.ConnectTimeout = 1, 20*time.Second, 10*time.Second
	cfg.Consistency = gocql.One
	return cfg.CreateSession()
}

func (c *client) exec(text string, values ...any) error {
	return c.session.Query(text, values...).Exec()
}

func (c *client) connect() (err error) {
	if c.session, err = c.open(); err != nil {
		return err
	}
	var release string
	if err := c.session.Query("SELECT release_version FROM system.local").Scan(&release); err != nil {
		return err
	}
	if release == "" {
		return errors.New("no release_version")
	}
	return nil
}

func (c *client) ddl() error {
	for _, text := range []string{
		"DROP KEYSPACE IF EXISTS " + c.ks,
		"DROP KEYSPACE IF EXISTS " + c.ks + "_rf3",
		"CREATE KEYSPACE " + c.ks + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE KEYSPACE " + c.ks + "_rf3 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}",
		"CREATE TABLE " + c.ks + "_rf3.t (k int PRIMARY KEY, v int)",
		"CREATE TYPE " + c.ks + ".address (street text, number int)",
		"CREATE TABLE " + c.ks + ".t (k int, c int, v text, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)",
		"CREATE INDEX t_v ON " + c.ks + ".t (v)",
		"ALTER TABLE " + c.ks + ".t ADD extra int",
		"CREATE TABLE " + c.ks + ".counters (k int PRIMARY KEY, n counter)",
	} {
		if err := c.exec(text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

func (c *client) simple() error {
	// gocql prepares every INSERT and SELECT; these it sends as they are.
	if err := c.exec("TRUNCATE " + c.ks + ".t"); err != nil {
		return err
	}
	if err := c.exec("INSERT INTO " + c.ks + ".t (k, c, v) VALUES (1, 1, 'simple')"); err != nil {
		return err
	}
	return c.expect("simple", "SELECT v FROM "+c.ks+".t WHERE k = 1 AND c = 1")
}

// expect reads one text and compares it.
func (c *client) expect(want, text string, values ...any) error {
	var got string
	if err := c.session.Query(text, values...).Scan(&got); err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s: %q instead of %q", text, got, want)
	}
	return nil
}

func (c *client) prepared() error {
	for i := range 10 {
		if err := c.exec("INSERT INTO "+c.ks+".t (k, c, v) VALUES (?, ?, ?)", 2, i, fmt.Sprint(i)); err != nil {
			return err
		}
	}
	for i := range 10 {
		if err := c.expect(fmt.Sprint(i), "SELECT v FROM "+c.ks+".t WHERE k = ? AND c = ?", 2, i); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) logged() error {
	err := batch(c.session, gocql.LoggedBatch, []statement{
		{"INSERT INTO " + c.ks + ".t (k, c, v) VALUES (3, 1, 'a')", nil},
		{"INSERT INTO " + c.ks + ".t (k, c, v) VALUES (?, ?, ?)", []any{3, 2, "b"}},
		{"UPDATE " + c.ks + ".t SET v = ? WHERE k = ? AND c = ?", []any{"c", 4, 1}},
	})
	if err != nil {
		return err
	}
	if err := c.expect("b", "SELECT v FROM "+c.ks+".t WHERE k = 3 AND c = 2"); err != nil {
		return err
	}
	return c.expect("c", "SELECT v FROM "+c.ks+".t WHERE k = 4 AND c = 1")
}

func (c *client) unlogged() error {
	var list []statement
	for i := range 5 {
		list = append(list, statement{"INSERT INTO " + c.ks + ".t (k, c, v) VALUES (?, ?, ?)", []any{10 + i, 1, "u"}})
	}
	if err := batch(c.session, gocql.UnloggedBatch, list); err != nil {
		return err
	}
	return c.expect("u", "SELECT v FROM "+c.ks+".t WHERE k = 14 AND c = 1")
}

func (c *client) counter() error {
	err := batch(c.session, gocql.CounterBatch, []statement{
		{"UPDATE " + c.ks + ".counters SET n = n + 3 WHERE k = 1", nil},
		{"UPDATE " + c.ks + ".counters SET n = n - ? WHERE k = ?", []any{int64(1), 1}},
	})
	if err != nil {
		return err
	}
	var n int64
	if err := c.session.Query("SELECT n FROM " + c.ks + ".counters WHERE k = 1").Scan(&n); err != nil {
		return err
	}
	if n != 2 {
		return fmt.Errorf("the counter is %d, not 2", n)
	}
	return nil
}

// pagedRows is how many rows the paged check reads, in pages of a tenth.
const pagedRows = 1000

func (c *client) paged() error {
	if err := c.fill(); err != nil {
		return err
	}
	iter := c.session.Query("SELECT c FROM "+c.ks+".t WHERE k = ?", 100).PageSize(pagedRows / 10).Iter()
	n, last, v := 0, pagedRows, 0
	for iter.Scan(&v) {
		if v != last-1 {
			return fmt.Errorf("%d follows %d", v, last)
		}
		last = v
		n++
	}
	if err := iter.Close(); err != nil {
		return err
	}
	if n != pagedRows {
		return fmt.Errorf("%d rows instead of %d", n, pagedRows)
	}
	first := c.session.Query("SELECT c FROM "+c.ks+".t WHERE k = ?", 100).PageSize(7).PageState(nil).Iter()
	if first.NumRows() != 7 || len(first.PageState()) == 0 {
		return fmt.Errorf("a page of 7 has %d rows and a state of %d bytes", first.NumRows(), len(first.PageState()))
	}
	return first.Close()
}

// fill writes the partition that the paged check reads, in batches of a hundred.
func (c *client) fill() error {
	var list []statement
	for i := range pagedRows {
		list = append(list, statement{"INSERT INTO " + c.ks + ".t (k, c, v) VALUES (100, ?, 'p')", []any{i}})
		if len(list) == 100 {
			if err := batch(c.session, gocql.UnloggedBatch, list); err != nil {
				return err
			}
			list = nil
		}
	}
	return nil
}

func (c *client) traced() error {
	var out bytes.Buffer
	q := c.session.Query("SELECT v FROM " + c.ks + ".t WHERE k = 1 AND c = 1").Trace(gocql.NewTraceWriter(c.session, &out))
	if err := q.Exec(); err != nil {
		return err
	}
	// The writer reads the tables once; Cassandra writes them behind the answer.
	text := out.String()
	if !strings.Contains(text, "Tracing session") || strings.Contains(text, "Error:") {
		return fmt.Errorf("the trace is %q", text)
	}
	return nil
}

func (c *client) conditional() error {
	text := "INSERT INTO " + c.ks + ".t (k, c, v) VALUES (?, ?, ?) IF NOT EXISTS"
	old := map[string]any{}
	if applied, err := c.session.Query(text, 20, 1, "first").MapScanCAS(old); err != nil || !applied {
		return fmt.Errorf("the first INSERT IF NOT EXISTS: applied %v, %w", applied, err)
	}
	old = map[string]any{}
	applied, err := c.session.Query(text, 20, 1, "second").MapScanCAS(old)
	if err != nil || applied || old["v"] != "first" {
		return fmt.Errorf("the second INSERT IF NOT EXISTS: applied %v, %v, %w", applied, old, err)
	}
	var was string
	applied, err = c.session.Query("UPDATE "+c.ks+".t SET v = ? WHERE k = ? AND c = ? IF v = ?", "x", 20, 1, "no").ScanCAS(&was)
	if err != nil || applied || was != "first" {
		return fmt.Errorf("UPDATE IF: applied %v, %q, %w", applied, was, err)
	}
	return nil
}

// typed is one type with a value to write and to find again.
type typed struct {
	cql   string
	value any
}

func (c *client) typedValues() []typed {
	uuid, _ := gocql.ParseUUID("12345678-1234-5678-1234-567812345678")
	timeuuid, _ := gocql.ParseUUID("50554d6e-29bb-11e5-b345-feff819cdc9f")
	big1, _ := new(big.Int).SetString("-123456789012345678901234567890", 10)
	list := []typed{
		{"ascii", "abc"}, {"bigint", int64(-1 << 62)}, {"blob", []byte{0xCA, 0xFE}}, {"boolean", true},
		{"date", time.Date(2011, 2, 3, 0, 0, 0, 0, time.UTC)}, {"decimal", inf.NewDec(-12345, 3)}, {"double", -2.5e300},
		{"float", float32(1.25)}, {"inet", net.ParseIP("2001:db8::1")}, {"int", -5}, {"smallint", int16(-300)}, {"text", "ä€𝄞"},
		{"time", 4*time.Hour + 5*time.Nanosecond}, {"timestamp", time.UnixMilli(1296705906789).UTC()}, {"timeuuid", timeuuid},
		{"tinyint", int8(-7)}, {"uuid", uuid}, {"varint", big1}, {"list<int>", []int{3, 1, 2}}, {"set<text>", []string{"a", "b"}},
		{"map<text, int>", map[string]int{"x": 1, "y": 2}}, {"frozen<list<frozen<set<int>>>>", [][]int{{1, 2}, {3}}},
		{"frozen<map<int, frozen<list<text>>>>", map[int][]string{1: {"a", "b"}}},
		{"frozen<address>", map[string]any{"street": "Main", "number": 5}}, {"address", map[string]any{"street": "Side", "number": 6}},
		{"duration", gocql.Duration{Months: 1, Days: 2, Nanoseconds: 3}},
	}
	if c.want.Version == 3 {
		// Before v4 these are custom types, which the driver does not take.
		later := []string{"date", "time", "smallint", "tinyint", "duration"}
		list = slices.DeleteFunc(list, func(v typed) bool { return slices.Contains(later, v.cql) })
	}
	if vectors {
		list = append(list, typed{"vector<float, 3>", []float32{1, 2.5, -3}}, typed{"vector<text, 2>", []string{"a", "bc"}})
	}
	return list
}

func (c *client) types() error {
	list := c.typedValues()
	columns, marks, values := []string{"k"}, []string{"?"}, []any{1}
	var create strings.Builder
	create.WriteString("CREATE TABLE " + c.ks + ".types (k int PRIMARY KEY")
	for i, v := range list {
		fmt.Fprintf(&create, ", c%d %s", i, v.cql)
		columns, marks, values = append(columns, fmt.Sprintf("c%d", i)), append(marks, "?"), append(values, v.value)
	}
	if err := c.exec(create.String() + ", tup tuple<int, text>)"); err != nil {
		return err
	}
	insert := fmt.Sprintf("INSERT INTO %s.types (%s) VALUES (%s)", c.ks, strings.Join(columns, ", "), strings.Join(marks, ", "))
	if err := c.exec(insert, values...); err != nil {
		return err
	}
	if err := c.exec("UPDATE "+c.ks+".types SET tup = (?, ?) WHERE k = 1", 7, "seven"); err != nil {
		return err
	}
	var wrong []string
	for i, v := range list {
		got := reflect.New(reflect.TypeOf(v.value))
		if err := c.session.Query(fmt.Sprintf("SELECT c%d FROM %s.types WHERE k = 1", i, c.ks)).Scan(got.Interface()); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", v.cql, err))
		} else if !equal(v.value, got.Elem().Interface()) {
			wrong = append(wrong, fmt.Sprintf("%s: %v instead of %v", v.cql, got.Elem().Interface(), v.value))
		}
	}
	var number int
	var word string
	err := c.session.Query("SELECT tup FROM "+c.ks+".types WHERE k = 1").Scan(&number, &word)
	if err != nil || number != 7 || word != "seven" {
		wrong = append(wrong, fmt.Sprintf("tuple: %d %q %v", number, word, err))
	}
	var none *string
	if err := c.session.Query("INSERT INTO "+c.ks+".types (k, c0) VALUES (?, ?)", 2, nil).Exec(); err != nil {
		return err
	}
	if err := c.session.Query("SELECT c0 FROM " + c.ks + ".types WHERE k = 2").Scan(&none); err != nil || none != nil {
		wrong = append(wrong, fmt.Sprintf("null: %v %v", none, err))
	}
	if wrong != nil {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}

// equal compares values that may have several forms.
func equal(a, b any) bool {
	switch x := a.(type) {
	case *inf.Dec:
		return x.Cmp(b.(*inf.Dec)) == 0 && x.Scale() == b.(*inf.Dec).Scale()
	case *big.Int:
		return x.Cmp(b.(*big.Int)) == 0
	case time.Time:
		return x.Equal(b.(time.Time))
	case net.IP:
		return x.Equal(b.(net.IP))
	}
	return reflect.DeepEqual(a, b)
}

// refused runs a statement that is to fail with a code.
func (c *client) refused(code int, text string, values ...any) (gocql.RequestError, error) {
	err := c.session.Query(text, values...).RetryPolicy(nil).Exec()
	if err == nil {
		return nil, fmt.Errorf("%s is not refused", text)
	}
	var request gocql.RequestError
	if !errors.As(err, &request) {
		return nil, fmt.Errorf("%s: %T is no request error: %w", text, err, err)
	}
	if request.Code() != code {
		return nil, fmt.Errorf("%s: code 0x%04x instead of 0x%04x: %w", text, request.Code(), code, err)
	}
	return request, nil
}

func (c *client) syntax() error {
	_, err := c.refused(0x2000, "SELEKT * FROM system.local")
	return err
}

func (c *client) invalid() error {
	_, err := c.refused(0x2200, "SELECT nope FROM system.local")
	return err
}

func (c *client) configuration() error {
	_, err := c.refused(0x2300, "CREATE TABLE "+c.ks+".bad (k int PRIMARY KEY) WITH gc_grace_seconds = -1")
	return err
}

func (c *client) exists() error {
	e, err := c.refused(0x2400, "CREATE TABLE "+c.ks+".t (k int PRIMARY KEY)")
	if err != nil {
		return err
	}
	if e, ok := e.(*gocql.RequestErrAlreadyExists); !ok || e.Keyspace != c.ks || e.Table != "t" {
		return fmt.Errorf("%#v", e)
	}
	return nil
}

func (c *client) unavailable() error {
	err := c.session.Query("SELECT * FROM " + c.ks + "_rf3.t").Consistency(gocql.Quorum).RetryPolicy(nil).Exec()
	var e *gocql.RequestErrUnavailable
	if !errors.As(err, &e) {
		return fmt.Errorf("%T: %w", err, err)
	}
	if e.Consistency != gocql.Quorum || e.Required != 2 || e.Alive != 1 {
		return fmt.Errorf("%#v", e)
	}
	return nil
}

func (c *client) function() error {
	code := 0x1400
	if c.want.Version == 3 {
		code = 0x2200 // what clients before v4 get instead
	}
	_, err := c.refused(code, "SELECT k / 0 FROM "+c.ks+".t WHERE k = 1")
	return err
}

func (c *client) unprepared() error {
	create := "CREATE TABLE " + c.ks + ".again (k int PRIMARY KEY, v int)"
	insert := "INSERT INTO " + c.ks + ".again (k, v) VALUES (?, ?)"
	if err := c.exec(create); err != nil {
		return err
	}
	if err := c.exec(insert, 1, 1); err != nil {
		return err
	}
	if err := c.exec("DROP TABLE " + c.ks + ".again"); err != nil {
		return err
	}
	if err := c.exec(create); err != nil {
		return err
	}
	return c.exec(insert, 2, 2)
}

// keyspace waits until what the driver holds of the keyspace is as wanted: it reads the schema a while after an event.
func (c *client) keyspace(wanted func(*gocql.KeyspaceMetadata) bool) (*gocql.KeyspaceMetadata, error) {
	for range 150 {
		ks, err := c.session.KeyspaceMetadata(c.ks)
		if err == nil && wanted(ks) {
			return ks, nil
		}
		if err != nil && !errors.Is(err, gocql.ErrKeyspaceDoesNotExist) {
			return nil, err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil, errors.New("the driver does not know it within 15 s")
}

func (c *client) event() error {
	known := func(*gocql.KeyspaceMetadata) bool { return true }
	if _, err := c.keyspace(known); err != nil {
		return err
	}
	other, err := c.open()
	if err != nil {
		return err
	}
	defer other.Close()
	if err := other.Query("CREATE TABLE " + c.ks + ".noticed (k int PRIMARY KEY)").Exec(); err != nil {
		return err
	}
	_, err = c.keyspace(func(ks *gocql.KeyspaceMetadata) bool { return ks.Tables["noticed"] != nil })
	return err
}

func (c *client) inflight() error {
	const n = 1000
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			errs[i] = c.exec("INSERT INTO "+c.ks+".t (k, c, v) VALUES (?, ?, ?)", 1000, i, "f")
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	var count int
	if err := c.session.Query("SELECT count(*) FROM " + c.ks + ".t WHERE k = 1000").Scan(&count); err != nil || count != n {
		return fmt.Errorf("%d rows instead of %d, %w", count, n, err)
	}
	return nil
}

func (c *client) metadata() error {
	iter := c.session.Query("SELECT k FROM "+c.ks+".t WHERE k = ? AND c = ?", 1, 1).Iter()
	host := iter.Host()
	if err := iter.Close(); err != nil {
		return err
	}
	murmur := strings.HasSuffix(host.Partitioner(), "Murmur3Partitioner")
	if len(host.Tokens()) != 16 || host.DataCenter() == "" || host.HostID() == "" || !murmur {
		return fmt.Errorf("host %v: %d tokens, %q, %q, %q", host, len(host.Tokens()), host.DataCenter(), host.HostID(),
			host.Partitioner())
	}
	ks, err := c.keyspace(func(ks *gocql.KeyspaceMetadata) bool {
		return ks.Tables["t"] != nil && ks.Tables["t"].Columns["extra"] != nil
	})
	if err != nil {
		return err
	}
	table := ks.Tables["t"]
	texts := []gocql.Type{gocql.TypeVarchar, gocql.TypeText}
	switch {
	case table == nil || ks.UserTypes["address"] == nil:
		return fmt.Errorf("tables %v, types %v", ks.Tables, ks.UserTypes)
	case len(table.PartitionKey) != 1 || len(table.ClusteringColumns) != 1 || table.ClusteringColumns[0].Order != gocql.DESC:
		return fmt.Errorf("keys of t: %v, %v", table.PartitionKey, table.ClusteringColumns)
	case table.Columns["extra"] == nil || !slices.Contains(texts, table.Columns["v"].Type.Type()):
		return fmt.Errorf("columns of t: %v", table.Columns)
	case !strings.HasSuffix(ks.StrategyClass, "SimpleStrategy") || !ks.DurableWrites:
		return fmt.Errorf("keyspace: %s %v", ks.StrategyClass, ks.DurableWrites)
	}
	return nil
}
