package server

import (
	"log/slog"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
)

// dispatch serves one message and reports whether the connection goes on.
func (c *Conn) dispatch(e *wire.Envelope) bool {
	if stage(c.stage.Load()) != stageReady {
		return c.handshake(e)
	}
	c.served.Add(1)
	switch e.Opcode {
	case wire.OpQuery, wire.OpPrepare, wire.OpExecute, wire.OpBatch:
		c.faults = 0
		return c.request(e)
	case wire.OpOptions:
		c.faults = 0
		c.send(e.Version, e.Stream, wire.OpSupported, wire.AppendSupported)
	case wire.OpRegister:
		c.faults = 0
		c.register(e)
	case wire.OpAuthResponse:
		if c.srv.auth != nil {
			return c.unexpected(e, "the connection is already authenticated")
		}
		c.faults = 0
		c.send(e.Version, e.Stream, wire.OpAuthSuccess, nullToken)
	default:
		return c.unexpected(e, "the connection is already initialized")
	}
	return true
}

// nullToken appends a token that is null.
func nullToken(dst []byte) []byte { return wire.AppendAuthToken(dst, nil) }

// request gives a request to the handler.
func (c *Conn) request(e *wire.Envelope) bool {
	r := c.req
	if r == nil {
		r = requests.Get().(*Request)
		c.req = r
	}
	r.conn = c
	r.Version, r.Opcode, r.Flags, r.Stream = e.Version, e.Opcode, e.Flags, e.Stream
	r.Body, r.copied, r.Arrived = e.Body, e.Copied, c.arrived
	if c.full() && !c.admit(r) {
		return c.ctx.Err() == nil
	}
	c.call(r)
	if c.detached {
		c.detached, c.req = false, nil
		return true
	}
	if !r.done {
		r.Error(errUnanswered)
	}
	r.out = nil
	r.recycle()
	return true
}

// call runs the handler; a panic of its becomes an answer.
func (c *Conn) call(r *Request) {
	defer func() {
		if p := recover(); p != nil {
			r.panicked(p)
		}
	}()
	c.handler.Serve(r)
}

// full reports whether too much is in flight for a further request, or too many answers have not been read.
func (c *Conn) full() bool { return c.overloaded() || c.Clogged() }

func (c *Conn) overloaded() bool {
	l, flying := &c.srv.limits, c.flying.Load()
	return flying >= int64(l.MaxConnRequests) || c.flyingBytes.Load() >= int64(l.MaxConnBytes) ||
		flying >= freeRequests && c.srv.budget.over()
}

// Clogged reports whether the client has left so many answers unread that no further one should be made.
func (c *Conn) Clogged() bool { return c.queued.Load() >= int64(c.srv.limits.MaxConnBytes) }

// admit waits until there is room for r, or refuses it when the client would rather know; it returns false when r is
// not to be served. A client that does not read its answers waits in any case. Source:
// CQLMessageHandler.processRequest.
func (c *Conn) admit(r *Request) bool {
	l, b := &c.srv.limits, &c.srv.budget
	over := b.over()
	if c.throw && !c.Clogged() {
		r.Error(c.overloadError())
		r.out = nil
		r.recycle()
		return false
	}
	if !c.flush() {
		return false
	}
	c.waiting.Store(true)
	ok := b.wait(func() bool { return !c.full() }, c.room, c.ctx.Done())
	c.waiting.Store(false)
	if over {
		r.AddWarning(backpressureText(int64(l.MaxConnBytes), b.limit))
	}
	return ok
}

// Overload returns an error for the client when requests in flight and unread answers, of all connections, take what they may.
// It is for those requests that the handler does not serve then; the others are bounded as they come in.
func (c *Conn) Overload() error {
	if c.srv.budget.over() {
		return c.overloadError()
	}
	return nil
}

func (c *Conn) overloadError() *cql.Error {
	b := &c.srv.budget
	text := overloadText(c.flyingBytes.Load(), int64(c.srv.limits.MaxConnBytes), b.used.Load(), b.limit)
	return &cql.Error{Code: cql.CodeOverloaded, Message: text}
}

// left counts a request of other goroutines that has been answered.
func (c *Conn) left() {
	c.flying.Add(-1)
	c.poke()
	c.async.Done()
}

// poke wakes the connection's goroutine if it waits for room.
func (c *Conn) poke() {
	if c.waiting.Load() {
		select {
		case c.room <- struct{}{}:
		default:
		}
	}
}

// register adds to the events that the client wants.
func (c *Conn) register(e *wire.Envelope) {
	set, err := wire.DecodeRegister(e.Body)
	if err != nil {
		c.refuse(e, err)
		return
	}
	c.events.Or(uint32(set))
	c.send(e.Version, e.Stream, wire.OpReady, nil)
}

// refuse answers e with an error.
func (c *Conn) refuse(e *wire.Envelope, err error) {
	answer, ok := wire.AsError(err)
	if !ok {
		c.srv.log.Error("message failed", slog.String("client", c.remote.String()), slog.String("opcode", e.Opcode.String()),
			slog.String("error", err.Error()))
	}
	c.send(e.Version, e.Stream, wire.OpError, func(dst []byte) []byte { return wire.AppendError(dst, e.Version, answer) })
}

// unexpected answers a message that does not belong to the connection's stage. Like input that is no message, two in a
// row end the connection.
func (c *Conn) unexpected(e *wire.Envelope, why string) bool {
	return c.fault(&wire.Fault{Err: cql.Protocolf("Unexpected message %s, %s", e.Opcode, why), Stream: e.Stream, Version: e.Version})
}
