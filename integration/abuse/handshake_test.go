package abuse

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/helenusdb/helenus/integration/start"
)

// TestHandshake is items 22 to 26 and 32 of the catalogue.
func TestHandshake(t *testing.T) {
	begin := func(v byte, pairs ...string) func(*peer) []byte {
		return func(*peer) []byte { return frame(v, 24, opStartup, startup(pairs...)) }
	}
	var items []item
	for _, v := range []byte{3, 4, 5} {
		for op, body := range map[byte][]byte{opQuery: query(v, goodQuery), opPrepare: prepare(v, goodQuery), opRegister: {0, 0},
			opExecute: execute(v, make([]byte, 16), nil), opBatch: batch(v, 0), opAuthResponse: {0xff, 0xff, 0xff, 0xff}} {
			items = append(items, item{22, "before STARTUP", nil, func(*peer) []byte { return frame(v, 22, op, body) },
				want{0x0A, ", expecting STARTUP or OPTIONS", 22, keeps}})
		}
		items = append(items,
			item{24, "no CQL_VERSION", nil, begin(v, "X", "Y"), want{0x0A, "Missing value CQL_VERSION in STARTUP message", 24, keeps}},
			item{24, "CQL_VERSION 2.0.0", nil, begin(v, "CQL_VERSION", "2.0.0"),
				want{0x0A, "CQL version 2.0.0 is not supported by the binary protocol (supported version are >= 3.0.0)", 24, keeps}},
			item{24, "CQL_VERSION 3", nil, begin(v, "CQL_VERSION", "3"), want{0x0A, "Invalid version value: 3", 24, keeps}},
			item{25, "COMPRESSION", nil, begin(v, "CQL_VERSION", "3.0.0", "COMPRESSION", "zstd"),
				want{0x0A, "Unknown compression algorithm: zstd", 24, keeps}},
			item{26, "STARTUP of 65535 options", nil, func(*peer) []byte {
				return frame(v, 26, opStartup, append(short(nil, 65535), text(text(nil, "a"), "b")...))
			}, want{0x0A, "", 26, closes}},
			item{26, "STARTUP of 9 KiB", nil, begin(v, "CQL_VERSION", "3.0.0", "X", strings.Repeat("x", 9<<10)),
				want{0x2200, "", 24, closes}},
			item{26, "STARTUP of 33 options", nil, begin(v, slices.Concat([]string{"CQL_VERSION", "3.0.0"}, options(32))...),
				want{0x0A, "Too many options in STARTUP message: 33", 24, closes}},
			item{26, "STARTUP without a body", nil, func(*peer) []byte { return frame(v, 26, opStartup, nil) },
				want{0x0A, "", 26, closes}},
		)
	}
	items = append(items,
		item{23, "STARTUP twice", plain, message(23, opStartup, func(byte) []byte { return startup("CQL_VERSION", "3.0.0") }),
			want{0x0A, "Unexpected message STARTUP, the connection is already initialized", 23, keeps}},
		item{26, "STARTUP of 32 options", nil, begin(4, slices.Concat([]string{"CQL_VERSION", "3.0.0"}, options(31))...),
			want{fine, "", 24, keeps}},
		item{25, "Snappy on v5", nil, begin(5, "CQL_VERSION", "3.0.0", "COMPRESSION", "snappy"),
			want{0x0A, "Snappy compression is not supported in protocol V5", 24, keeps}},
		item{32, "negative stream", plain, message(-5, opQuery, func(v byte) []byte { return query(v, goodQuery) }),
			want{fine, "", -5, keeps}},
		item{32, "stream of events", plain, message(-1, opOptions, func(byte) []byte { return nil }), want{fine, "", -1, keeps}},
		item{32, "lowest stream", plain, message(-32768, opOptions, func(byte) []byte { return nil }), want{fine, "", -32768, keeps}},
	)
	run(t, items)
}

// options returns n options for a STARTUP that mean nothing.
func options(n int) (pairs []string) {
	for i := range n {
		pairs = append(pairs, fmt.Sprint("OPTION", i), "x")
	}
	return pairs
}

// TestSilentConnections: of connections that have not begun only so many are kept, the newest, and those of one address do
// not keep out others.
func TestSilentConnections(t *testing.T) {
	const kept = 1024
	n := own(t, 100)
	var peers []*peer
	for i := range kept + 200 {
		p, err := dial(n.Address, source(i))
		if err != nil {
			t.Fatal(err)
		}
		defer p.close()
		peers = append(peers, p)
	}
	well(t, n.Address)
	for i, p := range peers {
		_, err := p.read(10 * time.Millisecond)
		if gone := errors.Is(err, errGone); gone != (i < 200) && i != 200 { // and one for the good client
			t.Fatalf("connection %d of %d: %v", i, len(peers), err)
		}
		if i == 250 {
			break
		}
	}
}

// TestFaultsInARow holds that the second message in a row that is none ends a connection, and that a good one between
// them does not let it.
func TestFaultsInARow(t *testing.T) {
	addr := server(t)
	for _, f := range append(plain, form{}) {
		p := open(t, addr, f)
		bad := func() { write(t, p, p.wrap(frame(max(f.v, 3), 6, 0x11, nil))) }
		w := want{0x0A, "Unknown opcode 17", 6, keeps}
		bad()
		w.check(t, p)
		bad()
		w.check(t, p)
		bad()
		w.answer(t, p, read(t, p))
		bad()
		w.then = closes
		w.check(t, p)
		well(t, addr)
	}
}

// TestEndlessOptions is item 27: a client that never begins is sent away.
func TestEndlessOptions(t *testing.T) {
	addr := server(t)
	p := open(t, addr, form{})
	b := frame(4, 27, opOptions, nil)
	for range 8 {
		b = append(b, b...)
	}
	write(t, p, b)
	for n := 0; ; n++ {
		e := read(t, p)
		if code, message := e.failure(); code == 0x0A {
			if n < 10 || n > 200 || !strings.Contains(message, "Too many messages before STARTUP") {
				t.Errorf("after %d answers: %s", n, e)
			}
			break
		}
	}
	closed(t, p, patience)
	well(t, addr)
}

// TestLogin is items 28 to 31, on a node with authentication.
func TestLogin(t *testing.T) {
	t.Setenv("HELENUS_AUTHENTICATOR", "PasswordAuthenticator")
	n, err := start.Helenus()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(n.Stop(), panics(n.Log())); err != nil {
			t.Error(err)
		}
	}()
	token := func(s string) []byte { return value(nil, []byte(s)) }
	const credentials = 0x0100
	for _, f := range forms {
		t.Run(f.String(), func(t *testing.T) {
			p := open(t, n.Address, f)
			for _, op := range []byte{opQuery, opRegister, opPrepare, opStartup, opOptions} {
				e := call(t, p, 28, op, nil)
				want{0x0A, "expecting SASL_RESPONSE", 28, keeps}.answer(t, p, e)
				p.close()
				p = open(t, n.Address, f)
			}
			want{0x0A, "expecting SASL_RESPONSE", 28, keeps}.answer(t, p, call(t, p, 28, opQuery, query(f.v, goodQuery)))
			if e := call(t, p, 30, opAuthResponse, token("someone\x00cassandra\x00cassandra")); e.op != opAuthSuccess {
				t.Fatalf("the login after it: %s", e)
			}
			alive(t, p)
			for _, s := range []string{"", "\x00", "\x00\x00\x00\x00\x00", "\x00cassandra\x00", "\x00\x00cassandra", "cassandra"} {
				p := open(t, n.Address, f)
				want{credentials, "", 29, keeps}.answer(t, p, call(t, p, 29, opAuthResponse, token(s)))
			}
			p = open(t, n.Address, f)
			if code, _ := call(t, p, 29, opAuthResponse, value(nil, nil)).failure(); code != credentials && code != 0x0A {
				t.Errorf("a null token: 0x%04X", code)
			}
			p = open(t, n.Address, f)
			write(t, p, p.wrap(frame(f.v, 29, opAuthResponse, token(strings.Repeat("x", 5000)))))
			if e := read(t, p); e.op != opError {
				t.Errorf("a token of 5000 bytes: %s", e)
			}
			closed(t, p, patience)
			p = open(t, n.Address, f)
			for range 3 {
				want{credentials, "Provided username cassandra and/or password are incorrect", 31, keeps}.answer(t, p,
					call(t, p, 31, opAuthResponse, token("\x00cassandra\x00wrong")))
			}
			closed(t, p, patience)
		})
	}
	// 10 MiB before the login: refused by its length, without being read.
	p := open(t, n.Address, form{v: 4})
	write(t, p, envelope{first: 4, stream: 29, op: opAuthResponse}.header(10<<20))
	want{0x2200, "Request is too big", 29, closes}.check(t, p)
}

// TestSameStream is item 33: two requests on one stream are both answered, and other connections get none of it.
func TestSameStream(t *testing.T) {
	addr := server(t)
	for _, f := range forms {
		p, other := open(t, addr, f), open(t, addr, f)
		one := frame(f.v, 33, opQuery, query(f.v, goodQuery))
		scan := frame(f.v, 33, opQuery, query(f.v, "SELECT * FROM system_schema.tables"))
		const n = 50
		for range n {
			write(t, p, p.wrap(append(append([]byte(nil), one...), scan...)))
		}
		for range 2 * n {
			if e := read(t, p); e.kind() != kindRows || e.stream != 33 {
				t.Fatalf("%s: %s", f, e)
			}
		}
		alive(t, other)
		alive(t, p)
	}
	well(t, addr)
}

// TestResets is item 37: a connection that is reset at any byte of an exchange leaves nothing behind.
func TestResets(t *testing.T) {
	addr := server(t)
	n, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	before := process(n.PID()).fds()
	for _, f := range forms {
		pairs := []string{"CQL_VERSION", "3.0.0"}
		if f.comp != "" {
			pairs = append(pairs, "COMPRESSION", f.comp)
		}
		hello := frame(f.v, 0, opStartup, startup(pairs...))
		for i := range hello {
			p := open(t, addr, form{})
			write(t, p, hello[:i])
			p.reset()
		}
		b := (&peer{form: f, framed: f.v >= 5}).wrap(frame(f.v, 1, opQuery, query(f.v, goodQuery+strings.Repeat(" ", 60))))
		for i := range b {
			p := open(t, addr, f)
			write(t, p, b[:i+1])
			p.reset()
		}
		// And in the middle of an answer.
		for range 20 {
			p := open(t, addr, f)
			_ = p.net.SetReadBuffer(4096)
			write(t, p, p.wrap(frame(f.v, 1, opQuery, query(f.v, "SELECT * FROM system_schema.columns"))))
			time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
			p.reset()
		}
	}
	well(t, addr)
	if n.Started() {
		settled(t, process(n.PID()), before)
	}
}

// settled waits until the node has no more open files than before.
func settled(t *testing.T, p process, before int) {
	t.Helper()
	for range 100 {
		if p.fds() <= before+2 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%d open files, %d before", p.fds(), before)
}

// TestHalfClosed holds that a client which only shuts down its sending half gets its answers.
func TestHalfClosed(t *testing.T) {
	addr := server(t)
	p := open(t, addr, form{v: 4})
	for i := range int16(100) {
		write(t, p, frame(4, i, opQuery, query(4, "SELECT * FROM system_schema.tables")))
	}
	if err := p.net.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if e := read(t, p); e.kind() != kindRows {
			t.Fatal(e)
		}
	}
	closed(t, p, patience)
}
