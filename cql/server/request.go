package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
)

// Request is one message that is answered exactly once. It belongs to whoever is to answer it: its fields, and the
// bytes of Body, are valid until the answer has been given (by Reply or Error), or, of a request moved by Go, until
// that function returns. Afterwards the Request serves another message. Its methods are for one goroutine at a time.
type Request struct {
	Version cql.Version
	Opcode  wire.Opcode // OpQuery, OpPrepare, OpExecute or OpBatch
	Flags   wire.Flags
	Stream  int16
	Body    []byte
	// Arrived is when the bytes were read that the request ends in: for all requests of one read the same time, which is not
	// before the answer to any request that the client had seen when it sent them.
	Arrived time.Time
	// Scratch is the handler's own: it stays when the Request is used for another message, of any connection.
	Scratch any

	conn     *Conn
	out      *wire.Output // where Begin's buffer lies; the connection's own while the request is on its goroutine
	prefix   wire.Prefix
	chunk    *chunk // held while detached; nil when the body lies elsewhere
	copied   bool   // the body lies in memory of the decoder
	held     int64  // bytes of the answer that are counted while it is made
	detached bool
	moved    bool // by Go, which recycles it
	done     bool
}

// requests holds Requests between messages; a connection takes one, and gives it back when it ends, and a detached one
// is given back when it has been answered.
var requests = sync.Pool{New: func() any { return new(Request) }}

// outputs holds the buffers of replies. They are taken when there is a first reply and given back when it is written.
var outputs = sync.Pool{New: func() any { return new(wire.Output) }}

func putOutput(o *wire.Output) {
	o.Clear(keepOutput)
	outputs.Put(o)
}

// Conn returns the client that sent r.
func (r *Request) Conn() *Conn { return r.conn }

// Context ends when the client is gone or the server is closed.
func (r *Request) Context() context.Context { return r.conn.ctx }

// Tracing reports whether the client asked for a trace.
func (r *Request) Tracing() bool { return r.Flags&wire.FlagTracing != 0 && r.Opcode.Traceable() }

// SetTracingID puts the id of a trace into the answer. It may be called until Reply or Error.
func (r *Request) SetTracingID(id [16]byte) { r.prefix.Tracing, r.prefix.TracingID = true, id }

// AddWarning puts a warning into the answer; clients of v3 do not get it. It may be called until Reply or Error.
func (r *Request) AddWarning(text string) { r.prefix.Warnings = append(r.prefix.Warnings, text) }

// Begin returns the buffer that the body of the answer is to be appended to. It is not empty: positions in it count
// from its own start. Nothing is sent before Reply; Begin called again starts over. A buffer is void after Detach.
func (r *Request) Begin() []byte {
	if r.out == nil {
		if r.detached {
			r.out = r.conn.newOutput()
		} else {
			r.out = r.conn.output()
		}
	}
	return r.out.Begin()
}

// Reply answers with the message op, whose body was appended to Begin's buffer.
func (r *Request) Reply(op wire.Opcode, buf []byte) {
	if r.done {
		return
	}
	h := wire.Header{Version: r.Version, Response: true, Stream: r.Stream, Opcode: op}
	var p *wire.Prefix
	if r.prefix.Tracing || len(r.prefix.Warnings) > 0 {
		p = &r.prefix
	}
	r.out.End(buf, h, p)
	r.done = true
	if !r.detached {
		return
	}
	out := r.out
	r.out = nil
	c := r.conn
	if r.moved {
		c.enqueue(out)
		return
	}
	r.leave()
	c.enqueue(out)
	c.left()
}

// Hold counts the bytes that the answer of a detached request has come to, and returns an error for the client when there is
// no memory for it: many that are made at once must not take more together than may wait to be read.
func (r *Request) Hold(size int) error {
	if !r.detached {
		return nil
	}
	b := &r.conn.srv.budget
	b.take(int64(size) - r.held)
	r.held = int64(size)
	return r.conn.Overload()
}

// Void answers with a VOID result.
func (r *Request) Void() { r.Reply(wire.OpResult, wire.AppendVoid(r.Begin())) }

// Error answers with err: the *cql.Error in its chain, or else a server error, which is logged.
func (r *Request) Error(err error) {
	e, ok := wire.AsError(err)
	if gone := r.conn.ctx.Err(); !ok && (gone == nil || !errors.Is(err, gone)) { // an answer for nobody is no news
		r.conn.srv.log.Error("request failed", slog.String("client", r.conn.remote.String()), slog.String("opcode", r.Opcode.String()),
			slog.String("error", err.Error()))
	}
	r.Reply(wire.OpError, wire.AppendError(r.Begin(), r.Version, e))
}

// Detach lets Serve return before r is answered; any goroutine may answer it then. What has been decoded from Body
// stays valid. It must be called on the connection's goroutine, from Serve.
func (r *Request) Detach() {
	if r.detached || r.done {
		return
	}
	c := r.conn
	r.detached = true
	r.out = nil
	switch {
	case r.copied:
		c.dec.Abandon()
	case c.in != nil:
		c.in.hold()
		r.chunk = c.in
	}
	c.async.Add(1)
	c.flying.Add(1)
	c.flyingBytes.Add(int64(len(r.Body)))
	c.srv.budget.take(int64(len(r.Body)) + requestCost)
	c.detached = true
}

// Go detaches r and runs f, which answers it, in a goroutine of its own, once the client has read enough of the answers
// that wait for it. A panic in f is answered as a server error.
func (r *Request) Go(f func()) {
	r.Detach()
	r.moved = true
	go r.run(f)
}

func (r *Request) run(f func()) {
	defer r.ran()
	r.conn.AwaitReader()
	f()
}

// ran ends a request that was moved by Go.
func (r *Request) ran() {
	if p := recover(); p != nil {
		r.panicked(p)
	}
	if !r.done {
		r.Error(errUnanswered)
	}
	c := r.conn
	r.leave()
	c.left()
}

var errUnanswered = fmt.Errorf("the request was not answered")

// panicked logs a panic of a handler and answers the request, unless it has been or another goroutine will.
func (r *Request) panicked(p any) {
	r.conn.srv.log.Error("panic in a request", slog.String("client", r.conn.remote.String()),
		slog.String("opcode", r.Opcode.String()), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	if !r.done && (!r.detached || r.moved) {
		r.Reply(wire.OpError, wire.AppendError(r.Begin(), r.Version, cql.Serverf("Internal error: %v", p)))
	}
}

// leave gives back what a detached request holds, and the request itself.
func (r *Request) leave() {
	c := r.conn
	c.flyingBytes.Add(-int64(len(r.Body)))
	c.srv.budget.give(int64(len(r.Body)) + requestCost + r.held)
	if r.chunk != nil {
		r.chunk.release()
	}
	if r.out != nil {
		putOutput(r.out)
	}
	r.recycle()
	requests.Put(r)
}

// recycle empties r for another message.
func (r *Request) recycle() {
	*r = Request{Scratch: r.Scratch, prefix: wire.Prefix{Warnings: r.prefix.Warnings[:0]}}
}
