// Package bench is the load generator behind `helenus bench`: writes, reads and mixes of both by prepared statements against
// any CQL server, and the floor, the least that a CQL server could do, to hold the figures against.
//
// Floor: above cql/wire, below cmd/helenus. It speaks protocol v4 by itself: no driver stands between clock and socket.
package bench

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
)

const (
	headerBytes = 9
	// maxReply bounds what a server may make the client allocate.
	maxReply = 64 << 20
)

// reply is one answer: its opcode and body. The body is valid until the worker's next request.
type reply struct {
	op   wire.Opcode
	body []byte
	err  error
}

// stream is one worker's place on a connection: it has at most one request in flight.
type stream struct {
	c    *conn
	id   int16
	done chan reply
	body []byte // reused for replies
}

// conn is one connection with a fixed number of streams. Requests of all streams are coalesced: whoever finds the writer idle
// wakes it, and it writes all that has gathered.
type conn struct {
	net     net.Conn
	streams []*stream

	mu      sync.Mutex
	out     []byte
	waiting bool // the writer sleeps
	err     error
	wake    chan struct{}
	wg      sync.WaitGroup
}

// dial connects and does the handshake of v4 without compression.
func dial(ctx context.Context, addr string, streams int) (*conn, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &conn{net: nc, wake: make(chan struct{}, 1)}
	for i := range streams {
		c.streams = append(c.streams, &stream{c: c, id: int16(i), done: make(chan reply, 1)})
	}
	c.wg.Go(c.write)
	c.wg.Go(c.read)
	body := wire.AppendShort(nil, 1)
	body = wire.AppendString(body, "CQL_VERSION")
	body = wire.AppendString(body, "3.0.0")
	if r := c.streams[0].do(wire.OpStartup, body); r.err != nil || r.op != wire.OpReady {
		c.close()
		return nil, fmt.Errorf("startup: %w", answerError(r))
	}
	return c, nil
}

func (c *conn) close() {
	c.fail(net.ErrClosed)
	c.wg.Wait()
}

// fail ends the connection; every stream in flight and every later request gets err.
func (c *conn) fail(err error) {
	c.mu.Lock()
	first := c.err == nil
	if first {
		c.err = err
	}
	c.mu.Unlock()
	if first {
		_ = c.net.Close()
		select {
		case c.wake <- struct{}{}:
		default:
		}
		for _, s := range c.streams {
			select {
			case s.done <- reply{err: err}:
			default:
			}
		}
	}
}

// do sends one request and waits for its answer.
func (s *stream) do(op wire.Opcode, body []byte) reply {
	c := s.c
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return reply{err: c.err}
	}
	c.out = append(c.out, byte(cql.V4), 0, byte(uint16(s.id)>>8), byte(s.id), byte(op))
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(len(body)))
	c.out = append(c.out, body...)
	wake := c.waiting
	c.waiting = false
	c.mu.Unlock()
	if wake {
		c.wake <- struct{}{}
	}
	return <-s.done
}

func (c *conn) write() {
	var buf []byte
	for {
		c.mu.Lock()
		if c.err != nil {
			c.mu.Unlock()
			return
		}
		if len(c.out) == 0 {
			c.waiting = true
			c.mu.Unlock()
			<-c.wake
			continue
		}
		buf, c.out = c.out, buf[:0]
		c.mu.Unlock()
		if _, err := c.net.Write(buf); err != nil {
			c.fail(err)
			return
		}
	}
}

func (c *conn) read() {
	r := bufio.NewReaderSize(c.net, 64<<10)
	var h [headerBytes]byte
	for {
		if _, err := io.ReadFull(r, h[:]); err != nil {
			c.fail(err)
			return
		}
		id, n := int16(binary.BigEndian.Uint16(h[2:])), int(binary.BigEndian.Uint32(h[5:]))
		if n > maxReply {
			c.fail(fmt.Errorf("an answer of %d bytes", n))
			return
		}
		if id < 0 || int(id) >= len(c.streams) { // an event, or an answer to nobody
			if _, err := r.Discard(n); err != nil {
				c.fail(err)
				return
			}
			continue
		}
		s := c.streams[id]
		if cap(s.body) < n {
			s.body = make([]byte, n)
		}
		s.body = s.body[:n]
		if _, err := io.ReadFull(r, s.body); err != nil {
			c.fail(err)
			return
		}
		s.done <- reply{op: wire.Opcode(h[4]), body: s.body}
	}
}

// answerError returns the error that a reply stands for, nil for none.
func answerError(r reply) error {
	if r.err != nil {
		return r.err
	}
	if r.op == wire.OpError {
		d := wire.NewReader(r.body)
		code := uint32(d.Int())
		text := d.String()
		return fmt.Errorf("error 0x%04X: %s", code, text)
	}
	return nil
}

var errUnexpected = errors.New("unexpected answer")

// query runs a statement without values.
func (s *stream) query(text string) error {
	body := wire.AppendLongString(nil, text)
	body = wire.AppendShort(body, uint16(cql.One))
	return answerError(s.do(wire.OpQuery, append(body, 0)))
}

// prepare returns the id of a statement.
func (s *stream) prepare(text string) ([]byte, error) {
	r := s.do(wire.OpPrepare, wire.AppendLongString(nil, text))
	if err := answerError(r); err != nil {
		return nil, err
	}
	d := wire.NewReader(r.body)
	if kind := d.Int(); kind != 4 {
		return nil, errUnexpected
	}
	id := append([]byte(nil), d.ShortBytes()...)
	return id, d.Err()
}

// appendExecute appends an EXECUTE body up to its values: the caller appends count values with wire.AppendBytes. Metadata is skipped.
func appendExecute(dst, id []byte, c cql.Consistency, values int) []byte {
	dst = wire.AppendShortBytes(dst, id)
	dst = wire.AppendShort(dst, uint16(c))
	dst = append(dst, 0x01|0x02) // values, skip metadata
	return wire.AppendShort(dst, uint16(values))
}
