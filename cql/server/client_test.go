package server

import (
	"context"
	"errors"
	"maps"
	"net"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
)

// echo is a handler whose answers follow from the query text: "void", "wait" (answered from another goroutine when
// released), "go", "panic", "gopanic", "silent", "warn", "error:..." and otherwise the text as SET_KEYSPACE.
type echo struct {
	release chan struct{} // what "wait" waits for
	closed  chan *Conn    // told when a conversation ends; nil for nobody
}

func (h *echo) NewConn(c *Conn) ConnHandler { return &echoConn{h, c} }

type echoConn struct {
	h *echo
	c *Conn
}

func (e *echoConn) Closed() {
	if e.h.closed != nil {
		e.h.closed <- e.c
	}
}

func (e *echoConn) Serve(r *Request) {
	q, _ := r.Scratch.(*wire.Query)
	if q == nil {
		q = new(wire.Query)
		r.Scratch = q
	}
	if r.Opcode == wire.OpExecute {
		r.Void()
		return
	}
	if err := q.Decode(r.Body, r.Version); err != nil {
		r.Error(err)
		return
	}
	switch string(q.Text) {
	case "void":
		r.Void()
	case "wait":
		r.Go(func() {
			select {
			case <-e.h.release:
			case <-r.Context().Done():
			}
			answer(r, q)
		})
	case "go":
		r.Go(func() { answer(r, q) })
	case "detach":
		r.Detach()
		go func() { answer(r, q) }()
	case "panic":
		_ = append(r.Begin(), "half an answer"...)
		panic("as asked")
	case "gopanic":
		r.Go(func() { panic("as asked") })
	case "silent":
	case "gosilent":
		r.Go(func() {})
	case "event":
		e.c.SendEvent(&wire.Event{Type: wire.SchemaChange, Change: wire.Created, Target: wire.TargetKeyspace, Keyspace: "k"})
		r.Void()
	case "warn":
		r.AddWarning("first")
		buf := wire.AppendVoid(r.Begin())
		r.AddWarning("second")
		r.SetTracingID([16]byte{1, 2, 3})
		r.Reply(wire.OpResult, buf)
	case "plain error":
		r.Error(errors.New("a fault of ours"))
	case "error":
		r.Error(cql.Invalidf("as asked"))
	default:
		answer(r, q)
	}
}

// answer sends the text back.
func answer(r *Request, q *wire.Query) {
	r.Reply(wire.OpResult, append(wire.AppendInt(r.Begin(), int32(wire.KindSetKeyspace)), q.Text...))
}

// start serves h and returns the server, its address, and ends both with the test.
func start(t testing.TB, o Options) (*Server, string) {
	t.Helper()
	if o.Handler == nil {
		o.Handler = &echo{}
	}
	s := New(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, l.Addr().String()
}

// client is a test's side of a connection.
type client struct {
	t    testing.TB
	net  net.Conn
	v    cql.Version
	dec  wire.Decoder
	out  wire.Output
	buf  []byte
	r, w int
}

func dial(t testing.TB, addr string, v cql.Version) *client {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	c := &client{t: t, net: nc, v: v, dec: wire.Decoder{Responses: true, MaxFrame: 256 << 20}, buf: make([]byte, 1<<16)}
	return c
}

// connect dials and gets READY.
func connect(t testing.TB, addr string, v cql.Version, comp wire.Compression) *client {
	t.Helper()
	c := dial(t, addr, v)
	c.startup(comp, nil)
	if e := c.read(); e.Opcode != wire.OpReady {
		t.Fatalf("STARTUP was answered %s %q", e.Opcode, e.Body)
	}
	c.switchOver(comp)
	return c
}

func (c *client) startup(comp wire.Compression, more map[string]string) {
	options := map[string]string{wire.OptionCQLVersion: "3.0.0"}
	if comp != wire.NoCompression {
		options[wire.OptionCompression] = comp.String()
	}
	maps.Copy(options, more)
	c.send(0, wire.OpStartup, wire.AppendStartup(nil, options))
	if c.v < cql.V5 {
		c.dec.SetReady(c.v, comp)
	}
}

// switchOver takes up what STARTUP agreed on.
func (c *client) switchOver(comp wire.Compression) {
	c.dec.SetReady(c.v, comp)
	c.out.Reset(c.v >= cql.V5, comp, 1<<20)
}

// add gathers a message.
func (c *client) add(stream int16, op wire.Opcode, flags wire.Flags, body []byte) {
	c.out.End(append(c.out.Begin(), body...), wire.Header{Version: c.v, Stream: stream, Opcode: op, Flags: flags}, nil)
}

// flush writes what is gathered.
func (c *client) flush() {
	c.t.Helper()
	if _, err := c.net.Write(c.out.Bytes()); err != nil {
		c.t.Fatal(err)
	}
	c.out.Clear(1 << 20)
}

func (c *client) send(stream int16, op wire.Opcode, body []byte) {
	c.t.Helper()
	c.add(stream, op, 0, body)
	c.flush()
}

// raw writes bytes as they are.
func (c *client) raw(b []byte) {
	c.t.Helper()
	if _, err := c.net.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) query(stream int16, text string) {
	c.t.Helper()
	c.send(stream, wire.OpQuery, queryBody(c.v, text))
}

func queryBody(v cql.Version, text string) []byte {
	q := wire.Query{Text: []byte(text), QueryParams: wire.QueryParams{Consistency: cql.One}}
	return q.Append(nil, v)
}

// next returns the next message; its body is valid until the next call.
func (c *client) next() (wire.Envelope, error) {
	_ = c.net.SetReadDeadline(time.Now().Add(10 * time.Second))
	return c.message()
}

// message is next without a time limit of its own.
func (c *client) message() (wire.Envelope, error) {
	for {
		e, n, err := c.dec.Next(c.buf[c.r:c.w])
		c.r += n
		if !errors.Is(err, wire.ErrMore) {
			return e, err
		}
		copy(c.buf, c.buf[c.r:c.w])
		c.r, c.w = 0, c.w-c.r
		if need := c.dec.Need(); need > len(c.buf) {
			c.buf = append(c.buf, make([]byte, need-len(c.buf))...)
		}
		k, err := c.net.Read(c.buf[c.w:])
		if err != nil {
			return e, err
		}
		c.w += k
	}
}

// read returns the next message and fails the test when there is none.
func (c *client) read() wire.Envelope {
	c.t.Helper()
	e, err := c.next()
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	return e
}

// wantError reads an ERROR of this code and text on a stream.
func (c *client) wantError(stream int16, code cql.ErrorCode, text string) {
	c.t.Helper()
	e := c.read()
	if e.Opcode != wire.OpError {
		c.t.Fatalf("answered %s %q, want an error", e.Opcode, e.Body)
	}
	got, err := wire.DecodeError(e.Body, e.Version)
	if err != nil {
		c.t.Fatal(err)
	}
	if e.Stream != stream || got.Code != code || text != "" && got.Message != text {
		c.t.Fatalf("stream %d, code %04x, %q; want stream %d, code %04x, %q", e.Stream, got.Code, got.Message, stream, code, text)
	}
}

// wantClosed reads the end of the connection.
func (c *client) wantClosed() {
	c.t.Helper()
	if e, err := c.next(); err == nil {
		c.t.Fatalf("the connection goes on: %s on stream %d", e.Opcode, e.Stream)
	} else if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
		c.t.Fatal("the connection stays open")
	}
}

// wantAlive sends a query and reads its answer.
func (c *client) wantAlive() {
	c.t.Helper()
	c.query(77, "still here")
	e := c.read()
	if e.Stream != 77 || e.Opcode != wire.OpResult || string(e.Body[4:]) != "still here" {
		c.t.Fatalf("answered %s %q on stream %d", e.Opcode, e.Body, e.Stream)
	}
}

func shutdown(t *testing.T, s *Server, d time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return s.Shutdown(ctx)
}
