package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
)

// TestPanic: a panic of the handler is a server error on its stream, logged once; what had been appended is not sent.
func TestPanic(t *testing.T) {
	var log syncBuffer
	_, addr := start(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for _, m := range modes() {
		c := connect(t, addr, m.v, m.comp)
		for _, text := range []string{"panic", "gopanic"} {
			log.Reset()
			c.query(5, text)
			c.wantError(5, cql.CodeServer, "Internal error: as asked")
			c.wantAlive()
			if n := strings.Count(log.String(), "panic in a request"); n != 1 {
				t.Errorf("logged %d times", n)
			}
		}
		for _, text := range []string{"silent", "gosilent", "plain error"} {
			c.query(5, text)
			c.wantError(5, cql.CodeServer, "")
		}
		c.query(5, "error")
		c.wantError(5, cql.CodeInvalid, "as asked")
		c.wantAlive()
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (b *syncBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b.Reset()
}

// TestPrefix: trace id and warnings stand before a body that was written before they were known.
func TestPrefix(t *testing.T) {
	_, addr := start(t, Options{})
	for _, m := range modes() {
		c := connect(t, addr, m.v, m.comp)
		c.query(5, "warn")
		e := c.read()
		p, _, err := wire.DecodePrefix(&e)
		want := 2
		if m.v == cql.V3 {
			want = 0
		}
		if err != nil || !p.Tracing || p.TracingID != [16]byte{1, 2, 3} || len(p.Warnings) != want || !bytes.Equal(e.Body,
			wire.AppendVoid(nil)) {
			t.Errorf("%s: %+v %x %v", m.v, p, e.Body, err)
		}
		c.query(5, "void") // the next answer has none of it
		if e := c.read(); e.Flags&^wire.FlagCompressed != 0 {
			t.Errorf("flags %02x", e.Flags)
		}
	}
}

// TestEventBeforeResult: an event that a request causes arrives before its answer on the same connection.
func TestEventBeforeResult(t *testing.T) {
	_, addr := start(t, Options{})
	for _, m := range modes() {
		c := connect(t, addr, m.v, m.comp)
		c.query(5, "event") // not registered
		if e := c.read(); e.Opcode != wire.OpResult {
			t.Fatal(e.Opcode)
		}
		c.send(5, wire.OpRegister, wire.AppendRegister(nil, wire.SchemaChange))
		c.read()
		for range 50 {
			c.query(5, "event")
			if e := c.read(); e.Opcode != wire.OpEvent || e.Stream != wire.EventStream {
				t.Fatalf("%s: %s", m.v, e.Opcode)
			}
			if e := c.read(); e.Opcode != wire.OpResult || e.Stream != 5 {
				t.Fatalf("%s: %s", m.v, e.Opcode)
			}
		}
	}
}

// TestSlowConsumer: a client that does not read its events is closed, others are not disturbed.
func TestSlowConsumer(t *testing.T) {
	s, addr := start(t, Options{Limits: Limits{MaxEventBytes: 64 << 10}})
	slow := connect(t, addr, cql.V4, wire.NoCompression)
	_ = slow.net.(*net.TCPConn).SetReadBuffer(4 << 10)
	good := connect(t, addr, cql.V5, wire.NoCompression)
	for _, c := range []*client{slow, good} {
		c.send(1, wire.OpRegister, wire.AppendRegister(nil, wire.SchemaChange))
		c.read()
	}
	const events = 20_000
	e := wire.Event{Type: wire.SchemaChange, Change: wire.Updated, Target: wire.TargetTable, Keyspace: "k",
		Name: strings.Repeat("t", 500)}
	done := make(chan int, 1)
	go func() {
		n := 0
		for n < events {
			if _, err := good.next(); err != nil {
				break
			}
			n++
		}
		done <- n
	}()
	for i := range events {
		s.Broadcast(&e)
		if i%50 == 49 {
			time.Sleep(time.Millisecond)
		}
	}
	if n := <-done; n != events {
		t.Errorf("the good client got %d events", n)
	}
	good.wantAlive()
	eventually(t, func() bool { return s.Stats().Connections == 1 })
}

// TestInFlightLimit: beyond the limit the socket is not read until a request has been answered.
func TestInFlightLimit(t *testing.T) {
	for _, limits := range []Limits{{MaxConnRequests: 10}, {MaxConnBytes: 10 * len(queryBody(cql.V4, "wait"))},
		{MaxBytes: 10 * requestCost}} {
		h := &echo{release: make(chan struct{})}
		s, addr := start(t, Options{Handler: h, Limits: limits})
		c := connect(t, addr, cql.V4, wire.NoCompression)
		const n = 1000
		for i := range n {
			c.add(int16(i), wire.OpQuery, 0, queryBody(cql.V4, "wait"))
		}
		c.flush()
		time.Sleep(50 * time.Millisecond)
		if served := s.Clients()[0].Requests; served > 12 {
			t.Errorf("%+v: %d requests were taken", limits, served)
		}
		warned := 0
		go func() {
			for range n {
				h.release <- struct{}{}
			}
		}()
		for range n {
			e := c.read()
			if p, _, err := wire.DecodePrefix(&e); err != nil || e.Opcode != wire.OpResult {
				t.Fatal(e.Opcode, err)
			} else if len(p.Warnings) > 0 {
				warned++
			}
		}
		if (warned > 0) != (limits.MaxBytes > 0) {
			t.Errorf("%+v: %d answers warn", limits, warned)
		}
		eventually(t, func() bool { return s.Stats().Bytes == 0 })
	}
}

// TestUnreadAnswers: answers of other goroutines that a client does not read are bounded too.
func TestUnreadAnswers(t *testing.T) {
	s, addr := start(t, Options{Handler: &big{}, Limits: Limits{MaxConnRequests: 100}})
	c := connect(t, addr, cql.V5, wire.NoCompression)
	const n = 3000
	for i := range n {
		c.add(int16(i), wire.OpQuery, 0, queryBody(cql.V5, "20000"))
	}
	sent := make(chan error, 1)
	go func() {
		_, err := c.net.Write(c.out.Bytes())
		sent <- err
	}()
	for range 20 {
		time.Sleep(10 * time.Millisecond)
		if b := s.Stats().Bytes; b > 8<<20 {
			t.Fatalf("%d MiB of answers wait", b>>20)
		}
	}
	for range n {
		if e := c.read(); len(e.Body) != 20_004 {
			t.Fatalf("%d bytes", len(e.Body))
		}
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	eventually(t, func() bool { return s.Stats().Bytes == 0 })
}

// TestThrowOnOverload: a client that asked for it is told instead of being made to wait.
func TestThrowOnOverload(t *testing.T) {
	h := &echo{release: make(chan struct{})}
	_, addr := start(t, Options{Handler: h, Limits: Limits{MaxConnRequests: 3}})
	c := dial(t, addr, cql.V4)
	c.startup(wire.NoCompression, map[string]string{"THROW_ON_OVERLOAD": "1"})
	c.read()
	c.switchOver(wire.NoCompression)
	for i := range 3 {
		c.query(int16(i), "wait")
	}
	for range 5 {
		c.query(9, "void")
		c.wantError(9, cql.CodeOverloaded, "")
	}
	c.send(8, wire.OpOptions, nil)
	if e := c.read(); e.Opcode != wire.OpSupported {
		t.Error("OPTIONS is refused under overload")
	}
	close(h.release)
	for range 3 {
		if e := c.read(); e.Opcode != wire.OpResult {
			t.Error(e.Opcode)
		}
	}
	eventually(t, func() bool { c.query(7, "void"); return c.read().Opcode == wire.OpResult })
}

// TestMaxConnections: connections over the limits are reset.
func TestMaxConnections(t *testing.T) {
	for _, limits := range []Limits{{MaxConnections: 3}, {MaxConnectionsPerAddress: 3}} {
		s, addr := start(t, Options{Limits: limits})
		var list []*client
		for range 3 {
			list = append(list, connect(t, addr, cql.V4, wire.NoCompression))
		}
		if nc, err := net.Dial("tcp", addr); err == nil {
			_ = nc.SetReadDeadline(time.Now().Add(5 * time.Second))
			if n, err := nc.Read(make([]byte, 1)); err == nil {
				t.Errorf("%d bytes over the limit", n)
			}
			_ = nc.Close()
		}
		if st := s.Stats(); st.Refused != 1 || st.Connections != 3 {
			t.Errorf("%+v", st)
		}
		_ = list[0].net.Close()
		eventually(t, func() bool { return s.Stats().Connections == 2 })
		connect(t, addr, cql.V4, wire.NoCompression).wantAlive()
	}
}

// TestHandshakeLimits: silent connections are closed after their time; when there are too many, the oldest goes; one
// address does not hold more than its share of the places.
func TestHandshakeLimits(t *testing.T) {
	s, addr := start(t, Options{Limits: Limits{HandshakeTimeout: 300 * time.Millisecond}})
	c := dial(t, addr, cql.V4)
	c.wantClosed()
	eventually(t, func() bool { return s.Stats().Connections == 0 })

	s, addr = start(t, Options{Limits: Limits{MaxHandshakes: 5}})
	var silent []*client
	for i := range 6 {
		silent = append(silent, dial(t, addr, cql.V4))
		eventually(t, func() bool { return s.Stats().Handshakes >= min(i+1, 5) })
	}
	silent[0].wantClosed()
	silent[5].startup(wire.NoCompression, nil)
	if e := silent[5].read(); e.Opcode != wire.OpReady {
		t.Error(e.Opcode)
	}

	s, addr = start(t, Options{Limits: Limits{MaxHandshakesPerAddress: 2}})
	silent = []*client{dial(t, addr, cql.V4), dial(t, addr, cql.V4)}
	eventually(t, func() bool { return s.Stats().Handshakes == 2 })
	c = dial(t, addr, cql.V4)
	c.startup(wire.NoCompression, nil)
	_ = c.net.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := c.net.Read(make([]byte, 100)); err == nil {
		t.Errorf("%d bytes of an answer without a place", n)
	}
	_ = silent[0].net.Close()
	if e := c.read(); e.Opcode != wire.OpReady {
		t.Error(e.Opcode)
	}
}

// TestBehindStartup: what a client sends behind STARTUP without waiting is read in the form that STARTUP set.
func TestBehindStartup(t *testing.T) {
	_, addr := start(t, Options{})
	for _, v := range versions {
		var o wire.Output
		o.Reset(v >= cql.V5, wire.NoCompression, 0)
		o.End(append(o.Begin(), queryBody(v, "at once")...), wire.Header{Version: v, Opcode: wire.OpQuery, Stream: 2}, nil)
		c := dial(t, addr, v)
		c.raw(append(bodied(v, wire.OpStartup, 0, 1, wire.AppendStartup(nil, map[string]string{"CQL_VERSION": "3.0.0"})), o.Bytes()...))
		if e := c.read(); e.Opcode != wire.OpReady {
			t.Fatal(e.Opcode)
		}
		c.switchOver(wire.NoCompression)
		if e := c.read(); e.Stream != 2 || string(e.Body[4:]) != "at once" {
			t.Errorf("%s: %s %q", v, e.Opcode, e.Body)
		}
	}
}

// TestReadyIsCompressed holds the sample: in v4 READY is compressed already.
func TestReadyIsCompressed(t *testing.T) {
	_, addr := start(t, Options{})
	for comp, want := range map[wire.Compression]string{wire.LZ4: "\x84\x01\x00\x00\x02\x00\x00\x00\x05\x00\x00\x00\x00\x00",
		wire.Snappy: "\x84\x01\x00\x00\x02\x00\x00\x00\x01\x00"} {
		c := dial(t, addr, cql.V4)
		c.startup(comp, nil)
		got := make([]byte, len(want))
		_ = c.net.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := c.net.Read(got); err != nil || string(got) != want {
			t.Errorf("%s: %x %v", comp, got, err)
		}
	}
}

// TestShutdown: what has been received is answered, then the connections end; nobody gets in any more.
func TestShutdown(t *testing.T) {
	h := &echo{release: make(chan struct{}), closed: make(chan *Conn, 10)}
	s, addr := start(t, Options{Handler: h})
	idle := connect(t, addr, cql.V5, wire.NoCompression)
	busy := connect(t, addr, cql.V4, wire.NoCompression)
	for i := range 5 {
		busy.query(int16(i), "wait")
	}
	eventually(t, func() bool {
		n := uint64(0)
		for _, c := range s.Clients() {
			n += c.Requests
		}
		return n == 5
	})
	done := make(chan error, 1)
	go func() { done <- shutdown(t, s, 10*time.Second) }()
	idle.wantClosed()
	_ = idle.net.Close()
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("a client got in")
	}
	select {
	case err := <-done:
		t.Fatalf("Shutdown did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(h.release)
	for range 5 {
		if e := busy.read(); string(e.Body[4:]) != "wait" {
			t.Errorf("%q", e.Body)
		}
	}
	busy.wantClosed()
	_ = busy.net.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(h.closed) != 2 {
		t.Errorf("%d conversations were told", len(h.closed))
	}

	h = &echo{release: make(chan struct{})} // never released but by the end of its context
	s, addr = start(t, Options{Handler: h})
	c := connect(t, addr, cql.V4, wire.NoCompression)
	c.query(1, "wait")
	eventually(t, func() bool { return s.Clients()[0].Requests == 1 })
	if err := shutdown(t, s, 100*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	c.wantClosed()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestHalfClosed: a client that shuts down its sending half still gets its answers.
func TestHalfClosed(t *testing.T) {
	_, addr := start(t, Options{})
	c := connect(t, addr, cql.V4, wire.NoCompression)
	for i := range 10 {
		c.add(int16(i), wire.OpQuery, 0, queryBody(cql.V4, "go"))
	}
	c.flush()
	if err := c.net.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		c.read()
	}
	c.wantClosed()
}

// TestClients lists what a connection is.
func TestClients(t *testing.T) {
	s, addr := start(t, Options{})
	c := dial(t, addr, cql.V5)
	c.startup(wire.LZ4, map[string]string{"driver_name": "mine"})
	c.read()
	c.switchOver(wire.LZ4)
	c.wantAlive()
	list := s.Clients()
	if len(list) != 1 || list[0].Version != cql.V5 || list[0].Options["DRIVER_NAME"] != "mine" || list[0].Stage != "READY" ||
		list[0].Requests != 1 ||
		list[0].Address.String() != c.net.LocalAddr().String() {
		t.Errorf("%+v", list)
	}
}

// TestLargeAsync: large answers of other goroutines and small ones mix.
func TestLargeAsync(t *testing.T) {
	h := &big{}
	_, addr := start(t, Options{Handler: h})
	for _, m := range modes() {
		c := connect(t, addr, m.v, m.comp)
		const n = 200
		for i := range n {
			c.query(int16(i), fmt.Sprint(i*7919%400_000))
		}
		for range n {
			e := c.read()
			if want := int(e.Stream) * 7919 % 400_000; len(e.Body) != want+4 {
				t.Fatalf("%s: stream %d has %d bytes, not %d", m.v, e.Stream, len(e.Body)-4, want)
			}
		}
	}
}

// big answers a number with so many bytes, from another goroutine.
type big struct{}

func (h *big) NewConn(*Conn) ConnHandler { return h }
func (h *big) Closed()                   {}

func (h *big) Serve(r *Request) {
	var q wire.Query
	if err := q.Decode(r.Body, r.Version); err != nil {
		r.Error(err)
		return
	}
	r.Go(func() {
		n := 0
		if _, err := fmt.Sscan(string(q.Text), &n); err != nil {
			r.Error(err)
			return
		}
		r.Reply(wire.OpResult, append(wire.AppendVoid(r.Begin()), make([]byte, n)...))
	})
}

// TestIdleConnections: a connection on which nothing happens is cheap, also when it was busy before.
func TestIdleConnections(t *testing.T) {
	s, addr := start(t, Options{})
	memory := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	const n = 500
	before := memory()
	var list []net.Conn
	ready := head(0x84, wire.OpReady, 0, 1, 0)
	first := bodied(cql.V4, wire.OpStartup, 0, 1, wire.AppendStartup(nil, map[string]string{"CQL_VERSION": "3.0.0"}))
	busy := bytes.Repeat(bodied(cql.V4, wire.OpQuery, 0, 1, queryBody(cql.V4, "void")), 100)
	for range n {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		list = append(list, nc)
		if _, err := nc.Write(first); err != nil {
			t.Fatal(err)
		}
		if _, err := nc.Read(make([]byte, len(ready))); err != nil {
			t.Fatal(err)
		}
	}
	fresh := memory()
	for _, nc := range list {
		if _, err := nc.Write(busy); err != nil {
			t.Fatal(err)
		}
		for got, buf := 0, make([]byte, 1<<16); got < 100*13; {
			k, err := nc.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got += k
		}
	}
	eventually(t, func() bool {
		for _, c := range s.all() {
			if c.parked.Load() != 0 {
				return false
			}
		}
		return true
	})
	after := memory()
	t.Logf("%d bytes a connection when new, %d after work, with the client's side", int64(fresh-before)/n,
		(int64(after)-int64(before))/n)
	if per := (int64(after) - int64(before)) / n; per > 16<<10 {
		t.Errorf("%d bytes a connection", per)
	}
}
