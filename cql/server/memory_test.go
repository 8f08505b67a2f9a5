package server

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
)

// partOf returns the first bytes of a message of size bytes as segments that unpack to as much but cost little.
func partOf(size, part int) (b []byte) {
	m := append(head(byte(cql.V5), wire.OpQuery, 0, 1, size), make([]byte, part)...)
	for len(m) > 0 {
		n := min(len(m), wire.MaxPayload)
		b, m = wire.AppendSegment(b, m[:n], false, true), m[n:]
	}
	return b
}

// TestLargeMemory: what large messages take while they are received, or when they are unpacked, is bounded for all
// connections together; who does not finish is closed, and the small are served meanwhile.
func TestLargeMemory(t *testing.T) {
	const limit = 16 << 20
	s, addr := start(t, Options{Limits: Limits{MaxLargeBytes: limit, FrameTimeout: 800 * time.Millisecond}})
	good := connect(t, addr, cql.V4, wire.NoCompression)
	var wg sync.WaitGroup
	for range 40 {
		c := connect(t, addr, cql.V5, wire.LZ4)
		c.raw(partOf(8<<20, 7<<20))
		wg.Go(c.wantClosed)
	}
	for range 50 {
		if n := s.Stats().LargeBytes; n > limit+32<<20 {
			t.Fatalf("%d MiB are held", n>>20)
		}
		good.wantAlive()
		time.Sleep(10 * time.Millisecond)
	}
	wg.Wait()
	eventually(t, func() bool { return s.Stats().LargeBytes == 0 })
}

// TestLargeProgress: many that send large messages at once wait for each other, and all are served.
func TestLargeProgress(t *testing.T) {
	for _, m := range []struct {
		v    cql.Version
		comp wire.Compression
	}{{cql.V4, wire.NoCompression}, {cql.V4, wire.LZ4}, {cql.V4, wire.Snappy}, {cql.V5, wire.NoCompression}, {cql.V5, wire.LZ4}} {
		const limit = 4 << 20
		s, addr := start(t, Options{Limits: Limits{MaxLargeBytes: limit}})
		var wg sync.WaitGroup
		text := strings.Repeat("x", 3<<20)
		for range 8 {
			c := connect(t, addr, m.v, m.comp)
			wg.Go(func() {
				for range 2 {
					c.query(5, text)
					if e := c.read(); len(e.Body) != 4+len(text) {
						t.Errorf("%s %s: %d bytes", m.v, m.comp, len(e.Body))
					}
				}
			})
		}
		wg.Wait()
		eventually(t, func() bool { return s.Stats().LargeBytes == 0 })
	}
}

// TestOthersFillBudget: connections that hold all that may be in flight do not stop one that has little.
func TestOthersFillBudget(t *testing.T) {
	h := &echo{release: make(chan struct{})}
	s, addr := start(t, Options{Handler: h, Limits: Limits{MaxBytes: 20 * requestCost}})
	for range 4 {
		c := connect(t, addr, cql.V4, wire.NoCompression)
		for i := range 100 {
			c.add(int16(i), wire.OpQuery, 0, queryBody(cql.V4, "wait"))
		}
		c.flush()
	}
	eventually(t, func() bool { return s.Stats().Bytes >= 20*requestCost })
	good := connect(t, addr, cql.V4, wire.NoCompression)
	for range 100 {
		for _, text := range []string{"void", "go"} {
			good.query(3, text)
			if e := good.read(); e.Opcode != wire.OpResult {
				t.Fatal(e.Opcode)
			}
		}
	}
	if n := s.Stats().Bytes; n > 40*requestCost {
		t.Errorf("%d bytes in flight", n)
	}
	close(h.release)
}

// TestUnreadBurst: of a burst of requests, all taken before the first is answered, only so many are answered as the
// client reads, when the handler makes the answers in turn.
func TestUnreadBurst(t *testing.T) {
	s, addr := start(t, Options{Handler: &inTurn{}})
	c := connect(t, addr, cql.V4, wire.NoCompression)
	const n = 1000
	for i := range n {
		c.add(int16(i), wire.OpQuery, 0, queryBody(cql.V4, "void"))
	}
	c.flush()
	for range 50 {
		time.Sleep(10 * time.Millisecond)
		if b := s.Stats().Bytes; b > n*(requestCost+100)+4<<20 {
			t.Fatalf("%d MiB in flight and unread", b>>20)
		}
	}
	for range n {
		if e := c.read(); len(e.Body) != 4+inTurnSize {
			t.Fatalf("%d bytes", len(e.Body))
		}
	}
	eventually(t, func() bool { return s.Stats().Bytes == 0 })
}

// inTurn makes large answers, one at a time, while their client reads.
type inTurn struct{ mu sync.Mutex }

// inTurnSize is the size of its answers.
const inTurnSize = 200_000

func (h *inTurn) NewConn(*Conn) ConnHandler { return h }
func (h *inTurn) Closed()                   {}

func (h *inTurn) Serve(r *Request) {
	r.Go(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for c := r.Conn(); c.Clogged(); h.mu.Lock() {
			h.mu.Unlock()
			c.AwaitReader()
		}
		r.Reply(wire.OpResult, append(wire.AppendVoid(r.Begin()), make([]byte, inTurnSize)...))
	})
}

// TestHold: answers that are being made count, and end with an error when there is no memory for them.
func TestHold(t *testing.T) {
	h := &holder{step: 100 << 10, steps: 20}
	s, addr := start(t, Options{Handler: h, Limits: Limits{MaxBytes: 4 << 20}})
	c := connect(t, addr, cql.V4, wire.NoCompression)
	c.query(1, "x")
	if e := c.read(); e.Opcode != wire.OpResult {
		t.Fatal(e.Opcode)
	}
	h.barrier.Add(4) // 4 of 2 MiB, of which one at least cannot be
	for i := range 4 {
		d := connect(t, addr, cql.V4, wire.NoCompression)
		d.query(int16(i), "wait")
		defer func() {
			if e := d.read(); e.Opcode == wire.OpError {
				h.refused.Add(1)
			}
			if i == 0 && h.refused.Load() == 0 {
				t.Error("none was refused")
			}
		}()
	}
	h.barrier.Wait()
	eventually(t, func() bool { return s.Stats().Bytes == 0 })
}

// holder answers with nothing after it has held as much as it says; those who ask for "wait" hold it all at once.
type holder struct {
	step, steps int
	barrier     sync.WaitGroup
	refused     atomic.Int32
}

func (h *holder) NewConn(*Conn) ConnHandler { return h }
func (h *holder) Closed()                   {}

func (h *holder) Serve(r *Request) {
	var q wire.Query
	if err := q.Decode(r.Body, r.Version); err != nil {
		r.Error(err)
		return
	}
	wait := string(q.Text) == "wait"
	r.Go(func() {
		var err error
		for i := 1; i <= h.steps && err == nil; i++ {
			err = r.Hold(i * h.step)
		}
		if wait {
			h.barrier.Done()
			h.barrier.Wait()
		}
		if err != nil {
			r.Error(err)
			return
		}
		r.Void()
	})
}

// TestQuietLog: neither versions that drivers try first nor requests of clients that are gone are told to everybody.
func TestQuietLog(t *testing.T) {
	var log syncBuffer
	h := &gone{started: make(chan struct{})}
	s, addr := start(t, Options{Handler: h, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for _, v := range []byte{65, 66} {
		c := dial(t, addr, cql.V5)
		c.raw(head(v, wire.OpOptions, 0, 3, 0))
		c.wantError(3, cql.CodeProtocol, versionText(int(v)))
		c.wantClosed()
	}
	c := connect(t, addr, cql.V4, wire.NoCompression)
	c.query(1, "x")
	<-h.started
	_ = c.net.(*net.TCPConn).SetLinger(0) // what only closes may still read
	_ = c.net.Close()
	eventually(t, func() bool { return s.Stats().Connections == 0 })
	if log.String() != "" {
		t.Errorf("logged: %s", log.String())
	}
	c = dial(t, addr, cql.V5)
	c.raw(bytes.Repeat([]byte{67}, 9))
	c.read()
	eventually(t, func() bool { return strings.Count(log.String(), "client sent") == 1 })
}

// gone answers with the error of its client's context.
type gone struct{ started chan struct{} }

func (h *gone) NewConn(*Conn) ConnHandler { return h }
func (h *gone) Closed()                   {}

func (h *gone) Serve(r *Request) {
	r.Go(func() {
		close(h.started)
		<-r.Context().Done()
		r.Error(r.Context().Err())
	})
}
