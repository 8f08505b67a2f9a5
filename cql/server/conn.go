package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
)

// stage is how far a connection has come.
type stage uint32

const (
	stageStartup stage = iota
	stageAuth
	stageReady
)

// String returns Cassandra's name, as system_views.clients shows it. Source: ConnectionStage.
func (s stage) String() string { return [...]string{"ESTABLISHED", "AUTHENTICATING", "READY"}[s] }

// Conn is one client. Its exported methods may be called from any goroutine.
type Conn struct {
	srv    *Server
	net    net.Conn
	id     uint32
	remote netip.AddrPort
	ctx    context.Context
	cancel context.CancelFunc
	born   int64 // in the server's coarse time
	group  *address

	// What other goroutines look at.
	stage    atomic.Uint32
	version  atomic.Uint32
	identity atomic.Pointer[identity]
	keyspace atomic.Pointer[string]
	events   atomic.Uint32 // a wire.EventType
	served   atomic.Uint64 // requests
	draining atomic.Bool

	// Coarse times for the janitor, 0 when it need not look: since when a message is being received, a write stands
	// still, and a read waits while large memory is held.
	inFrame, inWrite, parked atomic.Int64

	// Requests that left the connection's goroutine: their number and bytes; async lets the end wait for them.
	flying, flyingBytes atomic.Int64
	queued              atomic.Int64 // bytes that wait in queue or are being written from it
	waiting             atomic.Bool
	gated               atomic.Bool   // requests wait at gate
	room                chan struct{} // poked when one of these goes down while waiting is true
	async               sync.WaitGroup

	// What the connection's goroutine owns.
	handler   ConnHandler
	seated    bool // holds a place in the handshake
	dec       wire.Decoder
	in        *chunk
	r, w      int       // in.b[r:w] has been read and not been used
	arrived   time.Time // when it was
	mark      int64
	got       int // bytes since mark
	held      holding
	out       *wire.Output // replies of this goroutine; nil when there are none
	req       *Request
	detached  bool // the last request left
	throw     bool // THROW_ON_OVERLOAD
	early     int  // messages before READY
	faults    int  // in a row
	authFails int

	wmu   sync.Mutex // held while the socket is written; taken before mu
	iov   net.Buffers
	spare []*wire.Output // guarded by wmu

	mu          sync.Mutex // guards the rest
	framed      bool
	compression wire.Compression
	queue       []*wire.Output // what waits to be written
	open        bool           // the last of queue takes more
	queueBytes  int            // of all that is in queue
	eventBytes  int            // of events in queue
	flushing    bool           // a goroutine drains queue
	closed      bool           // nothing is taken any more
	gate        chan struct{}  // closed when the client has read its answers
	flushers    sync.WaitGroup
}

// identity is what a connection knows about its client once STARTUP, and login, are done.
type identity struct {
	options map[string]string
	user    string
}

// ID returns a number of this connection that no other of the server has had, until they wrap.
func (c *Conn) ID() uint32 { return c.id }

// Version returns the protocol version, 0 before STARTUP.
func (c *Conn) Version() cql.Version { return cql.Version(c.version.Load()) }

// RemoteAddr returns the client's address.
func (c *Conn) RemoteAddr() netip.AddrPort { return c.remote }

// Context ends when the client is gone or the server is closed.
func (c *Conn) Context() context.Context { return c.ctx }

// User returns the role that logged in, empty without authentication.
func (c *Conn) User() string {
	if id := c.identity.Load(); id != nil {
		return id.user
	}
	return ""
}

// Options returns the STARTUP options, their names in upper case. They must not be changed.
func (c *Conn) Options() map[string]string {
	if id := c.identity.Load(); id != nil {
		return id.options
	}
	return nil
}

// Registered reports whether the client asked for events of kind t.
func (c *Conn) Registered(t wire.EventType) bool { return wire.EventType(c.events.Load())&t != 0 }

// SetKeyspace notes the keyspace in use, for Server.Clients.
func (c *Conn) SetKeyspace(name string) { c.keyspace.Store(&name) }

// SendEvent queues e if the client registered for its kind. A client that has not read MaxEventBytes of events is
// closed. An event sent while a request is served arrives before that request's answer.
func (c *Conn) SendEvent(e *wire.Event) {
	if c.Registered(e.Type) {
		c.sendEvent(wire.AppendEvent(nil, c.Version(), e))
	}
}

// sendEvent queues an EVENT with this body.
func (c *Conn) sendEvent(body []byte) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	out := c.tailLocked()
	h := wire.Header{Version: c.Version(), Response: true, Stream: wire.EventStream, Opcode: wire.OpEvent}
	out.End(append(out.Begin(), body...), h, nil)
	c.countLocked(len(body) + wire.HeaderSize)
	c.eventBytes += len(body) + wire.HeaderSize
	slow := c.eventBytes > c.srv.limits.MaxEventBytes
	c.startFlushLocked()
	c.mu.Unlock()
	if slow {
		c.srv.log.Warn("client does not read its events", slog.String("client", c.remote.String()))
		c.Close()
	}
}

// Close ends the connection at once; requests in flight run on, their answers are dropped.
func (c *Conn) Close() {
	c.cancel()
	_ = c.net.Close()
}

// drain makes the connection end once it has answered what it has received.
func (c *Conn) drain() {
	c.draining.Store(true)
	_ = c.net.SetReadDeadline(past)
}

// past is a deadline that wakes a reader at once.
var past = time.Unix(1, 0)

// serve is the connection's goroutine.
func (c *Conn) serve() {
	linger := c.loop()
	if !linger {
		c.cancel() // nobody waits for what is in flight
	}
	c.async.Wait()
	c.flushLast()
	if linger && c.ctx.Err() == nil {
		c.linger()
	}
	c.Close()
	if c.handler != nil {
		c.handler.Closed()
	}
	c.release()
}

// loop serves requests until the connection ends, and reports whether the client should get the chance to read the
// last replies.
func (c *Conn) loop() (linger bool) {
	if !c.group.enter(c.ctx.Done()) {
		c.srv.leave(c)
		return false
	}
	c.seated = true
	defer c.leaveHandshake()
	var e wire.Envelope
	for {
		var in []byte
		if c.in != nil {
			in = c.in.b[c.r:c.w]
		}
		var n int
		var err error
		e, n, err = c.dec.Next(in)
		c.r += n
		switch {
		case err == nil:
			if !c.dispatch(&e) {
				return true
			}
			c.settle()
		case errors.Is(err, wire.ErrMore):
			switch err := c.fill(); {
			case err == nil:
			case errors.Is(err, io.EOF):
				return true // a client may have shut down its sending half alone
			case errors.Is(err, errDraining):
				return true
			default:
				return false
			}
		default:
			if fault, ok := errors.AsType[*wire.Fault](err); !ok || !c.fault(fault) {
				return true
			}
		}
		if c.out != nil && c.out.Len() >= flushSize && !c.flush() {
			return false
		}
	}
}

// fault answers input that is no message, and reports whether the connection goes on.
func (c *Conn) fault(f *wire.Fault) bool {
	v := cmp.Or(c.Version(), f.Version, cql.V5)
	if f.Close {
		c.srv.logFault(c, f)
	}
	if f.Legacy != 0 {
		c.output().AddRaw(wire.AppendLegacyError(nil, f.Legacy, f.Err))
		return false
	}
	c.send(v, f.Stream, wire.OpError, func(dst []byte) []byte { return wire.AppendError(dst, v, f.Err) })
	c.faults++
	return !f.Close && c.faults < maxFaults
}

// send appends a message of the server's own to the replies.
func (c *Conn) send(v cql.Version, stream int16, op wire.Opcode, body func([]byte) []byte) {
	out := c.output()
	buf := out.Begin()
	if body != nil {
		buf = body(buf)
	}
	out.End(buf, wire.Header{Version: v, Response: true, Stream: stream, Opcode: op}, nil)
}

// linger lets the client read the last replies: closing while there is unread input would reset the connection and
// may take them away.
func (c *Conn) linger() {
	half, ok := c.net.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = c.net.SetReadDeadline(time.Now().Add(lingerTime))
	buf := newChunk(4 << 10)
	for n := 0; n < lingerBytes; {
		k, err := c.net.Read(buf.b)
		if err != nil {
			break
		}
		n += k
	}
	buf.release()
}

// release gives back what the connection holds, when its goroutine ends.
func (c *Conn) release() {
	c.hold(0, 0)
	if c.in != nil {
		c.in.release()
		c.in = nil
	}
	if c.out != nil {
		putOutput(c.out)
		c.out = nil
	}
	if c.req != nil {
		c.req.recycle()
		requests.Put(c.req)
		c.req = nil
	}
	c.srv.remove(c)
}

// String names the connection for errors: the id that checksum errors begin with.
func (c *Conn) String() string { return fmt.Sprintf("%08x", c.id) }
