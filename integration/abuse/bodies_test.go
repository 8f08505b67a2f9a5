package abuse

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestBodies is items 38 to 57 of the catalogue, as far as one message makes them.
func TestBodies(t *testing.T) {
	const (
		select1 = "SELECT k, v FROM abuse.t WHERE k = ?"
		insert  = "INSERT INTO abuse.t (k, v) VALUES (?, ?)"
	)
	int4 := func(n int) []byte { return long(nil, n) }
	q := func(stream int16, body func(v byte) []byte) func(*peer) []byte { return message(stream, opQuery, body) }
	op := func(stream int16, op byte, body ...byte) func(*peer) []byte {
		return message(stream, op, func(byte) []byte { return body })
	}
	cql := func(consistency, flags int, text string, rest ...[]byte) func(v byte) []byte {
		return func(v byte) []byte { return append(longText(nil, text), params(v, consistency, flags, rest...)...) }
	}
	items := []item{
		{38, "text longer than the body", plain, op(38, opQuery, 0, 0, 1, 0, 'a'), want{0x0A, "Not enough bytes to read", 38, keeps}},
		{38, "text of 2 GiB", plain, op(38, opQuery, 0x7f, 0xff, 0xff, 0xff, 'a'), want{0x0A, "Not enough bytes to read", 38, keeps}},
		{38, "negative text", plain, op(38, opQuery, 0xff, 0xff, 0xff, 0xff, 0, 1, 0), want{0x0A, "", 38, keeps}},
		{38, "no body", plain, op(38, opQuery), want{0x0A, "Not enough bytes to read", 38, keeps}},
		{38, "no body", plain, op(38, opPrepare), want{0x0A, "Not enough bytes to read", 38, keeps}},
		{38, "no body", plain, op(38, opExecute), want{0x0A, "Not enough bytes to read", 38, keeps}},
		{38, "no body", plain, op(38, opBatch), want{0x0A, "Not enough bytes to read", 38, keeps}},
		{38, "no body", plain, op(38, opRegister), want{0x0A, "Not enough bytes to read", 38, keeps}},
		{38, "name longer than the body", plain, op(38, opRegister, 0, 1, 0, 200, 'a'),
			want{0x0A, "Not enough bytes to read", 38, keeps}},
		{39, "text is not UTF-8", plain, q(39, cql(one, 0, "SELECT '\xff\xfe' FROM abuse.t")),
			want{0x0A, "Cannot decode string as UTF8: 'fffe2720", 39, keeps}},
		{39, "surrogate", plain, message(39, opPrepare, func(v byte) []byte { return prepare(v, "SELECT '\xed\xa0\x80' FROM t") }),
			want{0x0A, "Cannot decode string as UTF8", 39, keeps}},
		{39, "name is not UTF-8", plain, op(39, opRegister, 0, 1, 0, 2, 0xc0, 0x80),
			want{0x0A, "Cannot decode string as UTF8", 39, keeps}},
		{40, "half a page size", plain, q(40, cql(one, withPageSize, goodQuery, []byte{0, 0})),
			want{0x0A, "Not enough bytes to read", 40, keeps}},
		{41, "consistency 0x63", plain, q(41, cql(0x63, 0, goodQuery)),
			want{0x0A, "Unknown code 99 for a consistency level", 41, keeps}},
		{41, "write at SERIAL", plain, q(41, cql(serial, 0, "INSERT INTO abuse.t (k) VALUES (1)")),
			want{0x2200, "You must use conditional updates for serializable writes", 41, keeps}},
		{41, "QUORUM as serial consistency", plain, q(41, cql(one, withSerial,
			"INSERT INTO abuse.t (k) VALUES (41) IF NOT EXISTS", short(nil, quorum))),
			want{0x2200, "Invalid consistency for conditional update. Must be one of SERIAL or LOCAL_SERIAL", 41, keeps}},
		{42, "page size 0", plain, q(42, cql(one, withPageSize, goodQuery, int4(0))),
			want{0x0A, "The page size cannot be 0", 42, keeps}},
		{42, "page size -1", plain, q(42, cql(one, withPageSize, goodQuery, int4(-1))), want{fine, "", 42, keeps}},
		{42, "page size 2^31-1", plain, q(42, cql(one, withPageSize, "SELECT * FROM system_schema.columns", int4(1<<31-1))),
			want{fine, "", 42, keeps}},
		{42, "page size -2^31", plain, q(42, cql(one, withPageSize, "SELECT * FROM system_schema.columns", int4(-1<<31))),
			want{fine, "", 42, keeps}},
		{43, "paging state of 1 MiB", plain, q(43, cql(one, withPaging|withPageSize, goodQuery, int4(1), value(nil, make([]byte,
			1<<20)))),
			want{0x0A, "Invalid value for the paging state", 43, keeps}},
		{43, "paging state", plain, q(43, cql(one, withPaging|withPageSize,
			"SELECT * FROM abuse.w", int4(1), value(nil, []byte("rubbish")))),
			want{0x0A, "Invalid value for the paging state", 43, keeps}},
		{43, "half a paging state", plain, q(43, cql(one, withPaging|withPageSize, goodQuery, int4(1), int4(100), []byte("x"))),
			want{0x0A, "Not enough bytes to read", 43, keeps}},
		{44, "lowest timestamp", plain, q(44, cql(one, withTimestamp,
			"INSERT INTO abuse.t (k) VALUES (44)", []byte{0x80, 0, 0, 0, 0, 0, 0, 0})),
			want{0x0A, "Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807] (got -9223372036854775808)",
				44, keeps}},
		{45, "now is negative", from(5), q(45, cql(one, withNow,
			"INSERT INTO abuse.t (k, v) VALUES (45, 1) USING TTL 10", int4(-5))), want{fine, "", 45, keeps}},
		{46, "value of length -2 is null in v3", []form{{v: 3}}, q(46, cql(one, withValues, insert, short(nil, 2), value(nil,
			int4(46)), int4(-2))),
			want{fine, "", 46, keeps}},
		{46, "value of length -3", from(4), q(46, cql(one, withValues, insert, short(nil, 2), value(nil, int4(46)), int4(-3))),
			want{0x0A, "Invalid ByteBuf length -3", 46, keeps}},
		{46, "value of 2 GiB", plain, q(46, cql(one, withValues, insert, short(nil, 2), value(nil, int4(46)), int4(1<<31-1))),
			want{0x0A, "Not enough bytes to read", 46, keeps}},
		{47, "65535 values", plain, q(47, cql(one, withValues, insert, short(nil, 65535), make([]byte, 20))),
			want{0x0A, "Not enough bytes to read", 47, keeps}},
		{47, "65535 named values", plain, q(47, cql(one, withValues|withNames, insert, short(nil, 65535), make([]byte, 20))),
			want{0x0A, "Not enough bytes to read", 47, keeps}},
		{48, "too few values", plain, q(48, cql(one, withValues, insert, valueList([][]byte{int4(1)}))),
			want{0x2200, "Invalid amount of bind variables", 48, keeps}},
		{48, "too many values", plain, q(48, cql(one, withValues, select1, valueList([][]byte{int4(1), int4(1)}))),
			want{0x2200, "Invalid amount of bind variables", 48, keeps}},
		{48, "65535 values too many", plain, q(48, cql(one, withValues, select1, valueList(make([][]byte, 65535)))),
			want{0x2200, "Invalid amount of bind variables", 48, keeps}},
		{48, "unknown name", plain, q(48, cql(one, withValues|withNames, select1, short(nil, 1), text(nil,
			"nope"), value(nil, int4(1)))),
			want{0x2200, "Invalid amount of bind variables", 48, keeps}},
		{49, "unset key", from(4), q(49, cql(one, withValues, select1, short(nil, 1), int4(-2))),
			want{0x2200, "Invalid unset value for column k", 49, keeps}},
		{49, "unset key", from(4), q(49, cql(one, withValues, insert, short(nil, 2), int4(-2), int4(-2))),
			want{0x2200, "Invalid unset value for column k", 49, keeps}},
		{49, "unset IN", from(4), q(49, cql(one, withValues, "SELECT * FROM abuse.t WHERE k IN ?", short(nil, 1), int4(-2))),
			want{0x2200, "Invalid unset value for column k", 49, keeps}},
		{49, "unset in IN", from(4), q(49, cql(one, withValues, "SELECT * FROM abuse.t WHERE k IN (?)", short(nil, 1), int4(-2))),
			want{0x2200, "Invalid unset value for column k", 49, keeps}},
		{52, "BATCH of type 9", plain, op(52, opBatch, 9, 0, 0, 0, 1, 0, 0, 0, 0),
			want{0x0A, "Invalid BATCH message type 9", 52, keeps}},
		{52, "BATCH of kind 255", plain, op(52, opBatch, 0, 0, 1, 255, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0),
			want{0x0A, "Invalid query kind in BATCH messages. Must be 0 or 1 but got -1", 52, keeps}},
		{52, "BATCH of 65535", plain, op(52, opBatch, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0),
			want{0x0A, "Not enough bytes to read", 52, keeps}},
		{53, "BATCH of a SELECT", plain, message(53, opBatch, func(v byte) []byte { return batch(v, 0, goodQuery) }),
			want{0x2200, "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.", 53, keeps}},
		{53, "BATCH of counters and others", plain, message(53, opBatch, func(v byte) []byte {
			return batch(v, 0, "UPDATE abuse.n SET n = n + 1 WHERE k = 1", "INSERT INTO abuse.t (k) VALUES (1)")
		}), want{0x2200, "ounter", 53, keeps}},
		{53, "conditional BATCH of two partitions", plain, message(53, opBatch, func(v byte) []byte {
			return batch(v, 0, "INSERT INTO abuse.t (k) VALUES (531) IF NOT EXISTS", "INSERT INTO abuse.t (k) VALUES (532) IF NOT EXISTS")
		}), want{0x2200, "Batch with conditions cannot span multiple partitions", 53, keeps}},
		{55, "unknown event", plain, message(55, opRegister, func(byte) []byte { return text(short(nil, 1), "FOO") }),
			want{0x0A, "Invalid value 'FOO' for Type", 55, keeps}},
		{57, "payload of 65535", from(4), payload(57, 65535), want{fine, "", 57, keeps}},
		{57, "payload in v3", []form{{v: 3}}, payload(57, 1),
			want{0x0A, "Received frame with CUSTOM_PAYLOAD flag for native protocol version < 4", 57, keeps}},
		{57, "payload that is not there", from(4), func(p *peer) []byte {
			return p.wrap(envelope{first: p.v, flags: flagPayload, stream: 57, op: opQuery, body: append(short(nil, 65535), 0, 0,
				0)}.bytes())
		}, want{0x0A, "Not enough bytes to read", 57, keeps}},
	}
	for _, id := range [][]byte{{}, []byte("0123456789abcdef"), bytes.Repeat([]byte("x"), 65535)} {
		items = append(items, item{50, fmt.Sprintf("id of %d bytes", len(id)), plain,
			message(50, opExecute, func(v byte) []byte { return execute(v, id, id) }), want{0x2500, "", 50, keeps}})
	}
	run(t, items)
}

// payload sends a good QUERY with n entries of a custom payload.
func payload(stream int16, n int) func(*peer) []byte {
	return func(p *peer) []byte {
		body := append(short(nil, n), bytes.Repeat([]byte{0, 0, 0xff, 0xff, 0xff, 0xff}, n)...)
		body = append(body, query(p.v, goodQuery)...)
		return p.wrap(envelope{first: p.v, flags: flagPayload, stream: stream, op: opQuery, body: body}.bytes())
	}
}

// TestUnprepared is the other half of item 50: the answer names the id as it was sent.
func TestUnprepared(t *testing.T) {
	addr := server(t)
	for _, f := range forms {
		p := open(t, addr, f)
		for _, id := range [][]byte{{}, {1}, bytes.Repeat([]byte{7}, 40_000)} {
			e := call(t, p, 50, opExecute, execute(f.v, id, nil))
			want := append(short(nil, len(id)), id...)
			if code, _ := e.failure(); code != 0x2500 || !bytes.HasSuffix(e.body, want) {
				t.Errorf("%s: id of %d bytes: %.200s", f, len(id), e)
			}
		}
	}
}

// TestStaleMetadata is item 51: an EXECUTE with a metadata id of another result gets the columns, whatever it asked for.
func TestStaleMetadata(t *testing.T) {
	addr := server(t)
	p := open(t, addr, form{v: 5})
	id, resultID := call(t, p, 1, opPrepare, prepare(5, goodQuery)).preparedID()
	const noMetadata, changed = 4, 8
	for _, v := range []struct {
		id    []byte
		flags uint32
	}{{resultID, noMetadata}, {nil, changed}, {make([]byte, 16), changed}, {bytes.Repeat([]byte("y"), 65535), changed}} {
		e := call(t, p, 51, opExecute, append(executeID(5, id, v.id), params(5, one, withSkip)...))
		if flags := binary.BigEndian.Uint32(e.body[4:]); e.kind() != kindRows || flags&(noMetadata|changed) != v.flags {
			t.Errorf("metadata id of %d bytes: flags %x in %s", len(v.id), flags, e)
		}
	}
}

// TestBatchTooLarge is item 54: a batch over the threshold is refused and nothing of it is applied.
func TestBatchTooLarge(t *testing.T) {
	addr := server(t)
	if err := schema(); err != nil {
		t.Fatal(err)
	}
	p := open(t, addr, form{v: 4})
	big := strings.Repeat("x", 30<<10)
	for kind := range byte(2) {
		e := call(t, p, 54, opBatch, batch(4, kind, "INSERT INTO abuse.t (k, s) VALUES (541, '"+big+"')",
			"INSERT INTO abuse.t (k, s) VALUES (542, '"+big+"')"))
		if code, message := e.failure(); code != 0x2200 || !strings.Contains(message, "Batch too large") {
			t.Error(e)
		}
	}
	// One row in the answer ends with a count of rows: none.
	if e := call(t, p, 1, opQuery, query(4, "SELECT k FROM abuse.t WHERE k IN (541, 542)")); !bytes.HasSuffix(e.body, long(nil, 0)) {
		t.Errorf("something of a refused batch is there: %s", e)
	}
}

// TestRegisterOften is the other half of item 55.
func TestRegisterOften(t *testing.T) {
	addr := server(t)
	if err := schema(); err != nil {
		t.Fatal(err)
	}
	p := open(t, addr, form{v: 4})
	body := short(nil, 3)
	for _, s := range []string{"SCHEMA_CHANGE", "STATUS_CHANGE", "TOPOLOGY_CHANGE"} {
		body = text(body, s)
	}
	for range 10_000 {
		write(t, p, frame(4, 55, opRegister, body))
		if e := read(t, p); e.op != opReady {
			t.Fatal(e)
		}
	}
	// One change is one event.
	other := open(t, addr, form{v: 4})
	if e := call(t, other, 1, opQuery, query(4, "CREATE TABLE abuse.registered (k int PRIMARY KEY)")); e.kind() < 0 {
		t.Fatal(e)
	}
	if e := read(t, p); e.stream != -1 {
		t.Errorf("%s instead of an event", e)
	}
	alive(t, p)
}

// TestTracedOften is item 56: traces are bounded, and a client that traces everything is served.
func TestTracedOften(t *testing.T) {
	addr := server(t)
	p := open(t, addr, form{v: 4})
	for i := range int16(2000) {
		write(t, p, envelope{first: 4, flags: flagTracing, stream: i, op: opQuery, body: query(4, goodQuery)}.bytes())
		if e := read(t, p); e.kind() != kindRows {
			t.Fatal(e)
		}
	}
	well(t, addr)
}

// TestPagingStates is item 43: whatever stands in a paging state, an answer has no rows but the query's own.
func TestPagingStates(t *testing.T) {
	addr := server(t)
	if err := schema(); err != nil {
		t.Fatal(err)
	}
	const seed = 43
	r := rand.New(rand.NewPCG(seed, 0))
	p := open(t, addr, form{v: 4})
	for i := range 40 {
		for _, text := range []string{
			fmt.Sprintf("INSERT INTO abuse.w (k, c, v) VALUES (%d, %d, 7)", i%2, i),
			fmt.Sprintf("INSERT INTO abuse.other (k, c, v) VALUES ('p%d', 'c%d', 'secret')", i%3, i),
		} {
			if e := call(t, p, 1, opQuery, query(4, text)); e.kind() != kindVoid {
				t.Fatal(e)
			}
		}
	}
	page := func(v byte, text string, state []byte) envelope {
		rest := [][]byte{long(nil, 5)}
		flags := withPageSize
		if state != nil {
			flags |= withPaging
			rest = append(rest, value(nil, state))
		}
		return call(t, p, 43, opQuery, append(longText(nil, text), params(v, one, flags, rest...)...))
	}
	stateOf := func(e envelope) []byte {
		if e.kind() != kindRows || e.body[7]&2 == 0 {
			t.Fatalf("no further page: %s", e)
		}
		n := binary.BigEndian.Uint32(e.body[12:])
		return e.body[16 : 16+n]
	}
	states := [][]byte{
		stateOf(page(4, "SELECT c FROM abuse.w WHERE k = 0", nil)), stateOf(page(4, "SELECT c FROM abuse.w", nil)),
		stateOf(page(4, "SELECT v FROM abuse.other", nil)), stateOf(page(4, "SELECT v FROM abuse.other WHERE k = 'p0'", nil)),
		stateOf(page(4, "SELECT table_name FROM system_schema.tables", nil)),
	}
	// Its rows are even numbers of 4 bytes; anything else is of another query.
	check := func(state []byte) {
		e := page(4, "SELECT c FROM abuse.w WHERE k = 0", state)
		if code, message := e.failure(); code >= 0 {
			if code != 0x0A || !strings.Contains(message, "Invalid value for the paging state") {
				t.Errorf("paging state %x: %s", state, e)
			}
			return
		}
		rows, err := column(e)
		for _, row := range rows {
			if len(row) != 4 || row[3]%2 != 0 || row[3] >= 40 {
				err = fmt.Errorf("a row %x", row)
			}
		}
		if err != nil {
			t.Errorf("paging state %x: %v: %s", state, err, e)
		}
	}
	for _, s := range states {
		check(s)
		for i := range s {
			check(s[:i])
			for range 4 {
				b := slices.Clone(s)
				b[i] = byte(r.Uint32())
				check(b)
			}
		}
		check(append(slices.Clone(s), 0))
	}
	for range 500 {
		b := make([]byte, r.IntN(40))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		check(b)
	}
	well(t, addr)
}

// column returns the values of a result of one column.
func column(e envelope) (rows [][]byte, err error) {
	b := e.body
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("a result that breaks off")
		}
	}()
	flags, b := binary.BigEndian.Uint32(b[4:]), b[12:]
	skip := func() {
		n := int(binary.BigEndian.Uint16(b))
		b = b[2+n:]
	}
	if flags&2 != 0 {
		n := int(binary.BigEndian.Uint32(b))
		b = b[4+n:]
	}
	skip() // keyspace
	skip() // table
	skip() // column
	b = b[2:]
	n := int(binary.BigEndian.Uint32(b))
	b = b[4:]
	for range n {
		k := int(binary.BigEndian.Uint32(b))
		rows = append(rows, b[4:4+k])
		b = b[4+k:]
	}
	return rows, nil
}
