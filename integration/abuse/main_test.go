package abuse

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/helenusdb/helenus/integration/start"
)

// TestMain stops the shared node when the tests have ended. In the process that the campaign starts it does the abuse.
func TestMain(m *testing.M) {
	if os.Getenv(abuserEnv) != "" {
		if err := abuser(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if err := stopShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// shared is the node that the items are tried on, or the server at HELENUS_ADDR.
var shared = sync.OnceValues(func() (*start.Node, error) { return start.Server() })

// stopShared stops the node of the items, if there is one, and fails when it has logged a panic.
func stopShared() (err error) {
	if !used {
		return nil
	}
	n, err := shared()
	if err != nil {
		return err
	}
	if err := n.Stop(); err != nil {
		return err
	}
	if n.Started() {
		return panics(n.Log())
	}
	return nil
}

// used is set by server; it is read when the tests have ended.
var used bool

// server returns the address of the shared node.
func server(t *testing.T) string {
	t.Helper()
	n, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	used = true
	return n.Address
}

// panics returns an error with the first panic that a node has logged.
func panics(log string) error {
	for _, word := range []string{"panic", "fatal error:", "DATA RACE"} {
		if i := strings.Index(log, word); i >= 0 {
			return fmt.Errorf("the node has logged a panic:\n%.4000s", log[max(i-300, 0):])
		}
	}
	return nil
}

// schema makes the keyspace of the items.
var schema = sync.OnceValue(func() error {
	n, err := shared()
	if err != nil {
		return err
	}
	p, err := login(n.Address, "", form{v: 4})
	if err != nil {
		return err
	}
	defer p.close()
	for _, text := range []string{
		"DROP KEYSPACE IF EXISTS abuse",
		"CREATE KEYSPACE abuse WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
		"CREATE TABLE abuse.t (k int PRIMARY KEY, v int, b blob, s text)",
		"CREATE TABLE abuse.w (k int, c int, v int, PRIMARY KEY (k, c))",
		"CREATE TABLE abuse.other (k text, c text, v text, PRIMARY KEY (k, c))",
		"CREATE TABLE abuse.n (k int PRIMARY KEY, n counter)",
	} {
		if e, err := p.call(1, opQuery, query(4, text)); err != nil || e.op != opResult {
			return fmt.Errorf("%s: %s, %w", text, e, err)
		}
	}
	return nil
})

// fate is what becomes of a connection.
type fate int

const (
	keeps fate = iota
	closes
)

// want is the answer to an item: an error with its code and a part of its text, on a stream; any answer but an error
// when the code is fine.
type want struct {
	code   int
	text   string
	stream int16
	then   fate
}

// fine stands for no error.
const fine = -1

// item is one line of the catalogue. on lists the connections that it is tried on; none is a bare one, before STARTUP.
// send returns what is written after the handshake.
type item struct {
	n    int
	what string
	on   []form
	send func(p *peer) []byte
	want want
}

// run tries all items, each on each of its connections, and asks on a new connection whether all is well.
func run(t *testing.T, items []item) {
	addr := server(t)
	if err := schema(); err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		on := it.on
		if len(on) == 0 {
			on = []form{{}}
		}
		for _, f := range on {
			t.Run(fmt.Sprintf("%d %s %s", it.n, it.what, f), func(t *testing.T) {
				p := open(t, addr, f)
				write(t, p, it.send(p))
				it.want.check(t, p)
				well(t, addr)
			})
		}
	}
}

// open connects, with a handshake unless f is empty.
func open(t *testing.T, addr string, f form) *peer {
	t.Helper()
	p, err := dial(addr, "")
	if err == nil && f.v != 0 {
		err = p.start(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

func write(t *testing.T, p *peer, b []byte) {
	t.Helper()
	if err := p.write(b); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, p *peer) envelope {
	t.Helper()
	e, err := p.read(patience)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func call(t *testing.T, p *peer, stream int16, op byte, body []byte) envelope {
	t.Helper()
	e, err := p.call(stream, op, body)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// check reads the answer and holds it, and the connection's fate, to w.
func (w want) check(t *testing.T, p *peer) {
	t.Helper()
	e := read(t, p)
	w.answer(t, p, e)
	if w.then == closes {
		closed(t, p, patience)
	} else {
		alive(t, p)
	}
}

// answer holds e to w.
func (w want) answer(t *testing.T, p *peer, e envelope) {
	t.Helper()
	code, message := e.failure()
	if code != w.code || !strings.Contains(message, w.text) || e.stream != w.stream {
		t.Errorf("%s; want 0x%04X %q on stream %d", e, w.code, w.text, w.stream)
	}
	if v := e.first & 0x7f; p.v != 0 && v != p.v {
		t.Errorf("an answer of v%d on a connection of v%d", v, p.v)
	}
}

// closed waits for the end of a connection, and for nothing else.
func closed(t *testing.T, p *peer, within time.Duration) {
	t.Helper()
	switch e, err := p.read(within); {
	case err == nil:
		t.Errorf("a further answer instead of the end: %s", e)
	case !errors.Is(err, errGone):
		t.Errorf("the connection should have been closed: %v", err)
	}
}

// own starts a node for one test, which fails if the node grows beyond limit MiB, keeps files open or panics.
func own(t *testing.T, limit int, args ...string) *start.Node {
	t.Helper()
	n, err := start.Helenus(args...)
	if err != nil {
		t.Fatal(err)
	}
	well(t, n.Address)
	p := process(n.PID())
	fds, base := p.fds(), p.rss()
	t.Cleanup(func() {
		settled(t, p, fds)
		peak := p.status("VmHWM") >> 10
		t.Logf("resident memory: %d MiB before, %d at most, %d after", base, peak, p.rss())
		if peak > limit {
			t.Errorf("resident memory of %d MiB, the limit is %d", peak, limit)
		}
		if err := errors.Join(n.Stop(), panics(n.Log())); err != nil {
			t.Error(err)
		}
	})
	return n
}

// alive holds that a connection still serves.
func alive(t *testing.T, p *peer) {
	t.Helper()
	was := p.v
	if p.v == 0 {
		p.v = 4
	}
	if e := call(t, p, 99, opOptions, nil); e.op != opSupported {
		t.Errorf("OPTIONS was answered with %s", e)
	}
	if was != 0 {
		if e := call(t, p, 98, opQuery, query(p.v, goodQuery)); e.kind() != kindRows {
			t.Errorf("a good query was answered with %s", e)
		}
	}
	p.v = was
}

// goodQuery works on every node.
const goodQuery = "SELECT key FROM system.local WHERE key = 'local'"

// well holds that a new client is served.
func well(t *testing.T, addr string) {
	t.Helper()
	p, err := login(addr, "", form{v: 4})
	if err != nil {
		t.Fatalf("a good client beside it: %v", err)
	}
	defer p.close()
	if e := call(t, p, 1, opQuery, query(4, goodQuery)); e.kind() != kindRows {
		t.Errorf("a good client beside it: %s", e)
	}
}

// raw makes a send function of bytes.
func raw(b ...byte) func(*peer) []byte { return func(*peer) []byte { return b } }

// message makes a send function of one request, with its body made for the connection's version.
func message(stream int16, op byte, body func(v byte) []byte) func(*peer) []byte {
	return func(p *peer) []byte { return p.wrap(frame(p.v, stream, op, body(p.v))) }
}

// plain are the forms without compression; from returns those of at least v.
var plain = []form{{v: 3}, {v: 4}, {v: 5}}

func from(v byte) []form {
	return slices.DeleteFunc(slices.Clone(plain), func(f form) bool { return f.v < v })
}
