package abuse

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/helenusdb/helenus/integration/start"
)

// A node gives a message that has begun, and a client that does not read, frameLimit, a handshake handshakeLimit, and
// looks once a second.
const (
	frameLimit     = 30 * time.Second
	handshakeLimit = 10 * time.Second
	slack          = 8 * time.Second
)

// TestSlowFrames is items 9 and 21, and half-sent headers: what has begun and does not go on holds only the memory of the
// bytes that came, and is sent away in time.
func TestSlowFrames(t *testing.T) {
	t.Parallel()
	n := own(t, 100)
	announce := envelope{first: 4, stream: 9, op: opQuery}.header(16<<20 - headerSize)
	ways := map[string]struct {
		form
		first []byte // at once
		drip  bool   // then a byte a second
		limit time.Duration
	}{
		"16 MiB announced":              {form{v: 4}, announce, true, frameLimit},
		"16 MiB announced, lz4":         {form{4, "lz4"}, announce, true, frameLimit},
		"half a header":                 {form{v: 4}, announce[:4], false, frameLimit},
		"half a segment header":         {form{v: 5}, segment{self: true}.header(100)[:2], false, frameLimit},
		"a segment without its payload": {form{v: 5}, segment{self: true}.header(100_000), true, frameLimit},
		"a part of a large message": {form{5, "lz4"}, parts(envelope{first: 5, stream: 21, op: opQuery,
			body: make([]byte, 1000)}.bytes(), 500, true)[0], false, frameLimit},
		"half a header before STARTUP": {form{}, announce[:4], false, handshakeLimit},
		"nothing":                      {form{}, nil, false, handshakeLimit},
		"one byte":                     {form{}, []byte{4}, false, handshakeLimit},
	}
	var wg sync.WaitGroup
	for name, w := range ways {
		for range 10 {
			p := open(t, n.Address, w.form)
			wg.Go(func() {
				began := time.Now()
				err := p.write(w.first)
				for err == nil && time.Since(began) < w.limit+slack {
					if _, e := p.read(time.Second); errors.Is(e, errGone) {
						err = e
					} else if w.drip {
						err = p.write([]byte{0})
					}
				}
				if d := time.Since(began); err == nil || d < w.limit-2*time.Second {
					t.Errorf("%s: after %s: %v", name, d.Round(time.Second), err)
				}
			})
		}
	}
	time.Sleep(5 * time.Second)
	well(t, n.Address)
	wg.Wait()
}

// TestSlowBombs is item 21 with compression: many large messages at once, which cost their sender little and are never
// finished. What they unpack to is bounded for all connections together.
func TestSlowBombs(t *testing.T) {
	t.Parallel()
	n := own(t, 600)
	const size = 15 << 20
	head := segment{payload: lz4Literal(envelope{first: 5, stream: 21, op: opQuery}.header(size)), lz4: true,
		raw: headerSize}.bytes()
	part := segment{payload: lz4Run(' ', maxPayload), lz4: true, raw: maxPayload}.bytes()
	message := append(head, bytes.Repeat(part, size/maxPayload-1)...)
	var wg sync.WaitGroup
	for range 100 {
		p := open(t, n.Address, form{5, "lz4"})
		wg.Go(func() {
			_ = p.write(message) // it may be cut off at any time
			if e, err := p.read(frameLimit + slack); err == nil {
				t.Errorf("answered with %s", e)
			} else if !errors.Is(err, errGone) {
				t.Errorf("after %s: %v", frameLimit+slack, err)
			}
		})
	}
	time.Sleep(2 * time.Second)
	well(t, n.Address)
	wg.Wait()
	well(t, n.Address)
}

// TestWholeBombs sends many messages at once that are legal and unpack to as much as a message may hold.
func TestWholeBombs(t *testing.T) {
	t.Parallel()
	n := own(t, 600)
	const size = 16<<20 - 64
	body := append(long(nil, size), lz4Run(0, size)...) // an empty text, and more
	bomb := envelope{first: 4, flags: flagCompressed, stream: 16, op: opQuery, body: body}.bytes()
	var wg sync.WaitGroup
	for range 200 {
		p := open(t, n.Address, form{4, "lz4"})
		wg.Go(func() {
			for range 3 {
				if err := p.write(bomb); err != nil {
					t.Error(err)
					return
				}
				e, err := p.read(60 * time.Second)
				if code, _ := e.failure(); err != nil || code < 0 {
					t.Errorf("%s, %v", e, err)
					return
				}
			}
			time.Sleep(time.Second)
		})
	}
	wg.Wait()
	well(t, n.Address)
}

// TestNeverReads is item 34: clients that ask for more and more and read nothing are no longer read, and sent away when
// they have not read for too long. A client whose window is shut may not get to know that: the node's open files tell.
func TestNeverReads(t *testing.T) {
	t.Parallel()
	n := own(t, 600, "--memory-limit", "512MiB")
	node := process(n.PID())
	before := node.fds()
	ways := map[string]string{
		"a row":       "SELECT * FROM system.local",
		"a scan":      "SELECT * FROM system_schema.columns",
		"a partition": "SELECT * FROM system_schema.columns WHERE keyspace_name = 'system'",
		"an error":    "SELECT nothing FROM nowhere." + strings.Repeat("x", 500),
	}
	began := time.Now()
	var wg sync.WaitGroup
	for name, text := range ways {
		for _, f := range []form{{v: 4}, {v: 5}, {4, "snappy"}} {
			p := open(t, n.Address, f)
			_ = p.net.SetReadBuffer(4 << 10)
			b := bytes.Repeat(p.wrap(frame(f.v, 34, opQuery, query(f.v, text))), 32)
			_ = p.net.SetWriteDeadline(began.Add(frameLimit))
			wg.Go(func() {
				for sent := 0; sent < 1<<20; sent += 32 {
					if _, err := p.net.Write(b); err != nil {
						return
					}
				}
				t.Errorf("%s on %s: a million requests were taken from a client that reads nothing", name, f)
			})
		}
	}
	for node.fds() > before+1 {
		if time.Since(began) > 3*frameLimit { // scans wait for each other before their clients are clogged
			t.Fatalf("%d connections are open after %s", node.fds()-before, time.Since(began).Round(time.Second))
		}
		time.Sleep(time.Second)
		well(t, n.Address)
	}
	wg.Wait()
	if d := time.Since(began); d < frameLimit {
		t.Errorf("all are gone after %s", d)
	}
}

// TestManyConnections: a server that allows so many connections keeps to it and serves those that it has.
func TestManyConnections(t *testing.T) {
	t.Setenv("HELENUS_NATIVE_TRANSPORT_MAX_CONCURRENT_CONNECTIONS", "500")
	n := own(t, 100)
	good := open(t, n.Address, form{v: 4})
	var peers []*peer
	refused := 0
	for range 1000 {
		p, err := dial(n.Address, "")
		if errors.Is(err, syscall.ECONNRESET) {
			refused++ // at once
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		defer p.close()
		peers = append(peers, p)
	}
	alive(t, good)
	for _, p := range peers {
		if _, err := p.read(time.Millisecond); errors.Is(err, errGone) {
			refused++
		}
	}
	if refused < 500 || refused > 510 {
		t.Errorf("%d of 1000 connections were refused", refused)
	}
	for _, p := range peers {
		p.close()
	}
	for range 100 {
		p, err := login(n.Address, "", form{v: 4})
		if err == nil {
			p.close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("no new connection when the others are gone")
}

// TestManyStatements: neither the texts that clients send nor those that they prepare are kept without end, and what is
// kept of them is counted by what it takes, not by how long they are.
func TestManyStatements(t *testing.T) {
	t.Parallel()
	n := own(t, 200)
	var wg sync.WaitGroup
	for c := range 4 {
		p := open(t, n.Address, form{v: 4})
		wg.Go(func() {
			var b []byte
			for i := 0; i < 5000; i += 50 {
				b = b[:0]
				for j := range 50 {
					s := fmt.Sprintf("SELECT key AS c%d_%d, %s FROM system.local", c, i+j, strings.Repeat("key, ", 10+i%1000)+"key")
					if c%2 == 0 {
						b = append(b, frame(4, 1, opPrepare, prepare(4, s))...)
					} else {
						b = append(b, frame(4, 1, opQuery, query(4, s))...)
					}
				}
				err := p.write(b)
				for range 50 {
					e, errRead := p.read(patience)
					if err = errors.Join(err, errRead); err == nil && e.op != opResult {
						err = errors.New(e.String())
					}
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	well(t, n.Address)
}

// TestLogLines is item 1 and 35: what anybody can make the node log is one line a minute, and what drivers try first
// (versions 65 and 66) is none. No client can forge a line.
func TestLogLines(t *testing.T) {
	t.Parallel()
	n, err := start.Helenus()
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		for _, first := range []byte{65, 66} {
			p := open(t, n.Address, form{})
			write(t, p, envelope{first: first, op: opOptions}.bytes())
			want{0x0A, unsupported, 0, closes}.check(t, p)
		}
	}
	forged := "x\nERROR forged\r\n\x1b[31m"
	p := open(t, n.Address, form{})
	write(t, p, frame(4, 1, opStartup, startup("CQL_VERSION", "3.0.0", "DRIVER_NAME", forged, "DRIVER_VERSION", forged)))
	want{fine, "", 1, keeps}.check(t, p)
	p.v = 4
	for _, text := range []string{forged, "SELECT \"" + forged + "\" FROM system.local", "DROP KEYSPACE \"" + forged + "\""} {
		call(t, p, 1, opQuery, query(4, text))
	}
	for range 100 {
		p := open(t, n.Address, form{})
		write(t, p, []byte("GET / HTTP/1.1\r\n\r\n"))
		want{0x0A, unsupported, 0x5420, closes}.check(t, p)
	}
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(n.Log(), "\nERROR forged") || strings.Contains(n.Log(), "\x1b") {
		t.Errorf("a client has forged a line:\n%s", n.Log())
	}
	if strings.Count(n.Log(), "client sent") != 1 || strings.Contains(n.Log(), "(65)") || strings.Contains(n.Log(), "(66)") {
		t.Errorf("logged:\n%s", n.Log())
	}
}
