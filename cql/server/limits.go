package server

import (
	"time"

	"github.com/helenusdb/helenus/cql/wire"
)

// Limits bounds what peers can make the server hold. A zero field means its default; sizes are in bytes.
type Limits struct {
	// MaxFrame is the largest message (native_transport_max_frame_size). Default 16 MiB.
	MaxFrame int
	// MaxConnRequests and MaxConnBytes bound the requests of one connection that left its goroutine and are not
	// answered; beyond them the socket is not read. The request that reaches the limit is served. Defaults 2048, 1 MiB.
	MaxConnRequests int
	MaxConnBytes    int
	// MaxBytes bounds the same for all connections together, counting 16 KiB for each request beside its bytes, and the
	// answers that wait to be read. Beyond it a connection with little in flight is still served. Default 256 MiB.
	MaxBytes int64
	// MaxLargeBytes bounds the memory of messages of more than 64 KiB that are being received, and of what they unpack to,
	// for all connections together. One connection at a time may go beyond it, by two messages. Default 128 MiB.
	MaxLargeBytes int64
	// MaxConnections bounds the connections in all (native_transport_max_concurrent_connections), MaxConnectionsPerAddress
	// those of one client address; further ones are reset without a word, as Cassandra does. Defaults 16384 and
	// MaxConnections.
	MaxConnections           int
	MaxConnectionsPerAddress int
	// MaxHandshakes bounds the connections that are not READY; one more closes the oldest. MaxHandshakesPerAddress
	// bounds those of one address that are served: further ones wait for their turn. Defaults 1024 and 64.
	MaxHandshakes           int
	MaxHandshakesPerAddress int
	// MaxEventBytes bounds the events that wait for one client; one that does not read them is closed. Default 1 MiB.
	MaxEventBytes int
	// HandshakeTimeout is the time from accept to READY. Default 10 s.
	HandshakeTimeout time.Duration
	// FrameTimeout is how long a message that has begun may take for each 64 KiB. Default 30 s.
	FrameTimeout time.Duration
	// WriteTimeout is how long a client may not read. Default 30 s.
	WriteTimeout time.Duration
}

const (
	maxEarlyMessages = 100      // messages of one connection before READY
	maxAuthFailures  = 3        // wrong passwords on one connection
	maxFaults        = 2        // messages in a row that are no messages
	freeRequests     = 4        // requests in flight that a connection may have though all others fill the budget
	requestCost      = 16 << 10 // what a request costs beside its bytes: a stack, a state
	frameStep        = 64 << 10 // bytes of a message that earn it another FrameTimeout
	flushSize        = 64 << 10 // gathered replies that are written before there is reason to
	writeStep        = 1 << 19  // bytes of a write that must go out within WriteTimeout
	smallReply       = 16 << 10 // replies up to this size are copied together, larger ones are written from where they are
	keepOutput       = 1 << 18  // buffers up to this size go back to their pool
	idleTime         = 2 * time.Second
	lingerTime       = time.Second
	lingerBytes      = 1 << 20
)

func (l Limits) withDefaults() Limits {
	setInt(&l.MaxFrame, wire.DefaultMaxFrame)
	setInt(&l.MaxConnRequests, 2048)
	setInt(&l.MaxConnBytes, 1<<20)
	if l.MaxBytes == 0 {
		l.MaxBytes = 256 << 20
	}
	if l.MaxLargeBytes == 0 {
		l.MaxLargeBytes = 128 << 20
	}
	setInt(&l.MaxConnections, 16384)
	setInt(&l.MaxConnectionsPerAddress, l.MaxConnections)
	setInt(&l.MaxHandshakes, 1024)
	setInt(&l.MaxHandshakesPerAddress, 64)
	setInt(&l.MaxEventBytes, 1<<20)
	setDuration(&l.HandshakeTimeout, 10*time.Second)
	setDuration(&l.FrameTimeout, 30*time.Second)
	setDuration(&l.WriteTimeout, 30*time.Second)
	return l
}

func setInt(p *int, value int) {
	if *p == 0 {
		*p = value
	}
}

func setDuration(p *time.Duration, value time.Duration) {
	if *p == 0 {
		*p = value
	}
}

// tick returns how often the connections' times are looked at: often enough for the shortest limit.
func (l Limits) tick() time.Duration {
	return max(min(time.Second, l.HandshakeTimeout/4, l.FrameTimeout/4, l.WriteTimeout/4), time.Millisecond)
}
