package abuse

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestStatements is items 60 to 81 of the catalogue: values and texts whose size or depth is the weapon. What is wrong
// with small ones is the judge's matter (integration/oracle). Every one is answered, on its stream, with a code that is
// allowed, for a few seconds of processor time at most, and the node's memory stays.
func TestStatements(t *testing.T) {
	t.Parallel()
	n := own(t, 700)
	p := open(t, n.Address, form{v: 4})
	for _, text := range []string{
		"CREATE KEYSPACE h WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TABLE h.t (k int PRIMARY KEY, v varint, d decimal, l list<int>, s set<int>, m map<int, int>, " +
			"f frozen<list<frozen<list<int>>>>, vec vector<float, 3>, x text, b blob, tu tuple<int, int>)",
		"CREATE TABLE h.k (k blob, c blob, v int, PRIMARY KEY (k, c))",
		"CREATE TABLE h.n (k int PRIMARY KEY, n counter)",
	} {
		if e := call(t, p, 1, opQuery, query(4, text)); e.op != opResult {
			t.Fatalf("%s: %s", text, e)
		}
	}
	for k, scale := range []int{1<<31 - 1, -1 << 31} {
		body := query(4, "INSERT INTO h.t (k, d) VALUES (?, ?)", long(nil, k+1), append(long(nil, scale), 1))
		if e := call(t, p, 1, opQuery, body); e.op != opResult {
			t.Fatal(e)
		}
	}
	const (
		syntax, invalid, config, function, protocol = 0x2000, 0x2200, 0x2300, 0x1400, 0x0A
		million                                     = 1 << 20
	)
	deep := func(head, open, middle, end, tail string, n int) string {
		return head + strings.Repeat(open, n) + middle + strings.Repeat(end, n) + tail
	}
	insert := func(column string, b []byte) []byte {
		return query(4, "INSERT INTO h.t (k, "+column+") VALUES (9, ?)", b)
	}
	counts := func(rest ...byte) [][]byte {
		var list [][]byte
		for _, n := range []int{-1, -1 << 31, 1<<31 - 1, 1 << 28, 1000} {
			list = append(list, append(long(nil, n), rest...))
		}
		return list
	}
	type try struct {
		n     int
		body  []byte
		codes []int
	}
	tries := []try{
		{60, insert("v", bytes.Repeat([]byte{0x55}, million)), []int{fine}},
		{60, query(4, "SELECT v + v, v * v, v / 7 FROM h.t WHERE k = 9"), []int{fine, invalid, function}},
		{60, query(4, "SELECT CAST(v AS text) FROM h.t WHERE k = 9"), []int{fine, invalid, function}},
		{60, query(4, "SELECT CAST(v AS double), CAST(v AS int), CAST(v AS decimal) FROM h.t WHERE k = 9"),
			[]int{fine, invalid, function}},
		{60, query(4, "SELECT JSON v FROM h.t WHERE k = 9"), []int{fine, invalid, function}},
		{64, query(4, "INSERT INTO h.k (k, c) VALUES (?, 0x00)", []byte{}), []int{invalid}},
		{64, query(4, "INSERT INTO h.k (k, c) VALUES (?, 0x00)", make([]byte, 65536)), []int{invalid}},
		{64, query(4, "INSERT INTO h.k (k, c) VALUES (?, 0x00)", make([]byte, million)), []int{invalid}},
		{64, query(4, "INSERT INTO h.k (k, c) VALUES (0x00, ?)", make([]byte, 65536)), []int{invalid}},
		{64, query(4, "SELECT * FROM h.k WHERE k = ?", make([]byte, 65536)), []int{invalid}},
		{64, query(4, "SELECT * FROM h.k WHERE k = 0x00 AND c > ?", make([]byte, million)), []int{invalid, fine}},
		{65, insert("b", make([]byte, 15*million)), []int{fine}},
		{65, query(4, "DELETE b, v FROM h.t WHERE k = 9"), []int{fine}},
		{68, query(4, "UPDATE h.n SET n = n + 9223372036854775807 WHERE k = 1"), []int{fine}},
		{68, query(4, "UPDATE h.n SET n = n + 9223372036854775807 WHERE k = 1"), []int{fine}},
		{68, query(4, "UPDATE h.n SET n = n - 9223372036854775808 WHERE k = 1"), []int{fine, invalid}},
		{68, query(4, "UPDATE h.n SET n = n + 9223372036854775808 WHERE k = 1"), []int{invalid}},
		{69, query(4, ""), []int{syntax}}, {69, query(4, "   \n\t "), []int{syntax}}, {69, query(4, ";"), []int{syntax}},
		{69, query(4, "-- nothing"), []int{syntax}}, {69, query(4, "/* open"), []int{syntax}}, {69, query(4, "SELECT 'open"),
			[]int{syntax}},
		{69, query(4, "SELECT \"open"), []int{syntax}}, {69, query(4, "SELECT $$open"), []int{syntax}},
		{69, query(4, "SELECT k FROM h.t WHERE k = 1\x00"), []int{syntax}}, {69, query(4, "\x00"), []int{syntax}},
		{69, query(4, strings.Repeat(" ", 15*million)), []int{syntax}}, {69, query(4, strings.Repeat("/**/", 3*million)),
			[]int{syntax}},
		{70, query(4, strings.Repeat("(", 15*million)), []int{syntax}},
		{71, query(4, "SELECT k FROM h.t WHERE k = 1"+strings.Repeat(" AND k = 1", 100_000)), []int{invalid, syntax}},
		{71, query(4, "SELECT k FROM h.t WHERE k IN (0"+strings.Repeat(", 1", million)+")"), []int{fine, invalid, syntax}},
		{71, query(4,
			"SELECT k FROM h.k WHERE k IN (0x00"+strings.Repeat(", 0x00", 3000)+") AND c IN (0x00"+strings.Repeat(", 0x01", 3000)+")"),
			[]int{fine, invalid}},
		{72, query(4, "SELECT k FROM h.t WHERE k IN (?"+strings.Repeat(", ?", 70_000)+")"), []int{invalid}},
		{72, prepare(4, "SELECT k FROM h.t WHERE k IN (?"+strings.Repeat(", ?", 70_000)+")"), []int{invalid, syntax}},
		{73, query(4, goodQuery+"; "+goodQuery), []int{syntax}},
		{74, query(4, "SELECT "+strings.Repeat("a", 10*million)+" FROM h.t"), []int{invalid}},
		{74, query(4, "SELECT k FROM "+strings.Repeat("a", 10*million)), []int{invalid}},
		{74, query(4, "SELECT k FROM h."+strings.Repeat("a", 10*million)), []int{invalid}},
		{74, query(4, "SELECT k FROM h.\""+strings.Repeat("\"\"", 5*million)+"\""), []int{invalid}},
		{75, query(4, "CREATE TABLE h.wide (k int PRIMARY KEY, c0 int"+manyColumns(10_000)+")"), []int{fine, invalid}},
		{76, query(4, "CREATE KEYSPACE h2 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1000000000}"),
			[]int{fine, config}},
		{76, query(4, "CREATE KEYSPACE h3 WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 2147483647}"),
			[]int{fine, config}},
		{76, query(4,
			"CREATE KEYSPACE h4 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 99999999999999999999}"),
			[]int{config}},
		{77, query(4,
			"CREATE TABLE h.o (k int PRIMARY KEY) WITH compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 0}"), []int{config}},
		{77, query(4,
			"CREATE TABLE h.o (k int PRIMARY KEY) WITH compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 2147483648}"),
			[]int{config}},
		{77, query(4, "CREATE TABLE h.o (k int PRIMARY KEY) WITH bloom_filter_fp_chance = NaN"), []int{fine, config}},
		{77, query(4, "CREATE TABLE h.o (k int PRIMARY KEY) WITH comment = '"+strings.Repeat("x", 5*million)+"'"),
			[]int{fine, config, invalid}},
		{80, query(4, "SELECT k FROM h.t WHERE x LIKE '"+strings.Repeat("%", million)+"' ALLOW FILTERING"), []int{invalid}},
		{81, query(4, "INSERT INTO h.t JSON '{\"k\": 1e999}'"), []int{invalid}},
		{81, query(4, "INSERT INTO h.t JSON '{\"k\": 5, \"d\": 1e999999999999}'"), []int{invalid, fine}},
		{81, query(4, "INSERT INTO h.t JSON '{\"k\": 5, \"x\": \"\\ud800\"}'"), []int{invalid, fine}},
		{81, query(4, "INSERT INTO h.t JSON '{\"k\": 5"+strings.Repeat(", \"x\": \"a\"", 100_000)+"}'"), []int{fine, invalid}},
		{81, query(4, "INSERT INTO h.t JSON '"+strings.Repeat(" ", 10*million)+"'"), []int{invalid}},
	}
	for _, k := range []int{1, 2} {
		for _, s := range []string{"d + 1", "d * d", "d / 3", "d - d", "-d", "d % 7", "CAST(d AS text)", "CAST(d AS varint)",
			"CAST(d AS int)",
			"CAST(d AS double)", "toJson(d)", "d + 1.5", "CAST(d AS float)", "CAST(d AS bigint)", "d > 1"} {
			tries = append(tries, try{60, query(4, fmt.Sprintf("SELECT %s FROM h.t WHERE k = %d", s, k)),
				[]int{fine, invalid, function, syntax}})
		}
		tries = append(tries, try{60, query(4, fmt.Sprintf("SELECT sum(d), avg(d), max(d) FROM h.t WHERE k = %d", k)),
			[]int{fine, invalid, function}},
			try{60, query(4, "SELECT d FROM h.t WHERE d = ? ALLOW FILTERING", append(long(nil, 1<<31-k), 1)), []int{fine}})
	}
	for _, scale := range []int{-1 << 31, 1<<31 - 1} {
		tries = append(tries, try{60, insert("d", append(long(nil, scale), 1)), []int{fine}},
			try{60, query(4, "SELECT JSON d FROM h.t WHERE k = 9"), []int{fine, invalid}},
			try{60, query(4, "SELECT d + d, d * d, CAST(d AS text) FROM h.t WHERE k = 9"), []int{fine, invalid, function}})
	}
	for _, column := range []string{"l", "s", "m", "f"} {
		for _, b := range counts(0, 0, 0, 4, 0, 0, 0, 1) {
			tries = append(tries, try{61, insert(column, b), []int{invalid}})
		}
	}
	for _, b := range counts(0, 0, 0, 4) {
		tries = append(tries, try{61, query(4, "SELECT k FROM h.t WHERE k IN ?", b), []int{invalid}}, try{63, insert("vec", b),
			[]int{invalid}},
			try{63, insert("tu", b), []int{invalid}})
	}
	for _, v := range []struct{ head, open, middle, end, tail string }{
		{"INSERT INTO h.t (k, f) VALUES (1, ", "[", "1", "]", ")"}, {"INSERT INTO h.t (k, f) VALUES (1, ", "{", "1", "}", ")"},
		{"INSERT INTO h.t (k, f) VALUES (1, ", "{1: ", "1", "}", ")"}, {"INSERT INTO h.t (k, f) VALUES (1, ", "(", "1", ")", ")"},
		{"INSERT INTO h.t (k, f) VALUES (1, ", "(int)", "1", "", ")"}, {"INSERT INTO h.t (k, f) VALUES (1, ", "-", "1", "", ")"},
		{"INSERT INTO h.t (k, f) VALUES (1, ", "abs(", "1", ")", ")"}, {"INSERT INTO h.t (k, f) VALUES (1, ", "1 + ", "1", "", ")"},
		{"SELECT ", "abs(", "k", ")", " FROM h.t"}, {"SELECT ", "CAST(", "k", " AS int)", " FROM h.t"}, {"SELECT ", "(", "k", ")",
			" FROM h.t"},
		{"SELECT ", "-", "k", "", " FROM h.t"}, {"SELECT ", "k + ", "k", "", " FROM h.t"}, {"SELECT ", "(int)", "k", "", " FROM h.t"},
		{"SELECT ", "[", "k", "]", " FROM h.t"}, {"SELECT k", "[", "k", "]", " FROM h.t"}, {"SELECT k", ".k", "", "", " FROM h.t"},
		{"SELECT k FROM h.t WHERE ", "(", "k = 1", ")", ""}, {"SELECT k FROM h.t WHERE k = ", "(", "1", ")", ""},
		{"CREATE TABLE h.o (k ", "frozen<", "int", ">", " PRIMARY KEY)"}, {"CREATE TABLE h.o (k ", "list<", "int", ">",
			" PRIMARY KEY)"},
		{"CREATE TABLE h.o (k ", "tuple<", "int", ">", " PRIMARY KEY)"}, {"CREATE TABLE h.o (k ", "map<int, ", "int", ">",
			" PRIMARY KEY)"},
		{"CREATE TABLE h.o (k int PRIMARY KEY, v '", "org.apache.cassandra.db.marshal.ListType(", "Int32Type", ")", "')"},
		{"CREATE TABLE h.o (k int, v int, PRIMARY KEY ", "(", "k", ")", ")"}, {"CREATE TYPE h.o (k ", "frozen<set<", "int", ">>", ")"},
		{"CREATE KEYSPACE h9 WITH replication = ", "{'a': ", "1", "}", ""}, {"UPDATE h.t SET l", "[", "1", "]", " = 1 WHERE k = 1"},
		{"INSERT INTO h.t JSON '{\"k\": 1, \"f\": ", "[", "", "]", "}'"}, {"INSERT INTO h.t JSON '{\"k\": 1, \"f\": ", "{\"a\": ",
			"1", "}", "}'"},
		{"INSERT INTO h.t JSON '", "[", "", "]", "'"}, {"BEGIN BATCH ", "BEGIN BATCH ", "", " APPLY BATCH;", " APPLY BATCH"},
	} {
		for _, n := range []int{300, 10_000, 100_000} {
			for _, end := range []string{v.end, ""} {
				tries = append(tries, try{70, query(4, deep(v.head, v.open, v.middle, end, v.tail, n)), []int{syntax, invalid, config, fine}})
			}
		}
	}
	node := process(n.PID())
	dearest, which := time.Duration(0), ""
	for _, tr := range tries {
		op := byte(opQuery)
		if tr.n == 72 && bytes.HasSuffix(tr.body, []byte(")")) {
			op = opPrepare
		}
		name := fmt.Sprintf("%d %.120q", tr.n, tr.body[4:min(len(tr.body), 130)])
		began := node.cpu()
		if err := p.send(int16(tr.n), op, tr.body); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e, err := p.read(60 * time.Second)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			p.close()
			p = open(t, n.Address, form{v: 4})
			continue
		}
		d := node.cpu() - began
		if d > dearest {
			dearest, which = d, name
		}
		if d > 5*time.Second {
			t.Errorf("%s: answered for %s of processor time", name, d)
		}
		if code, _ := e.failure(); e.stream != int16(tr.n) || !slices.Contains(tr.codes, code) {
			t.Errorf("%s: %s", name, e)
		}
		if bytes.Contains(tr.body, []byte("CREATE TABLE h.o ")) && e.op == opResult {
			call(t, p, 1, opQuery, query(4, "DROP TABLE h.o"))
		}
		if len(e.body) > million && binary.BigEndian.Uint32(e.body) != kindRows {
			t.Errorf("%s: an answer of %d bytes", name, len(e.body))
		}
	}
	t.Logf("%d statements, the dearest took %s: %s", len(tries), dearest, which)
	well(t, n.Address)
}

// manyColumns returns n definitions of columns, each behind a comma.
func manyColumns(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ", c%d int", i+1)
	}
	return b.String()
}
