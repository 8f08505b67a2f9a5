package cluster

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
)

// wall is the real clock in the form that the coordinator takes.
type wall struct{}

func (wall) Now() time.Time { return time.Now() }

func (wall) AfterFunc(d time.Duration, f func()) (stop func()) {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}

// micros is a clock of write timestamps: microseconds since 1970 that never come twice and never go back, even when the
// system's clock does. Source: org.apache.cassandra.service.ClientState.getTimestamp.
type micros struct{ last atomic.Int64 }

func (m *micros) next() int64 { return m.at(time.Now().UnixMicro()) }

// at is next for who knows the time already.
func (m *micros) at(now int64) int64 {
	for {
		last := m.last.Load()
		t := max(now, last+1)
		if m.last.CompareAndSwap(last, t) {
			return t
		}
	}
}

// timeUUIDs makes version 1 UUIDs, each later than the last. Source: org.apache.cassandra.utils.TimeUUID.
type timeUUIDs struct {
	mu   sync.Mutex
	last uint64 // 100 ns since 1582
	node [8]byte
}

// gregorianOffset is the number of 100 ns steps from 1582-10-15 to 1970-01-01.
const gregorianOffset = 0x01b21dd213814000

func newTimeUUIDs(r *rand.Rand) *timeUUIDs {
	t := &timeUUIDs{}
	binary.BigEndian.PutUint64(t.node[:], r.Uint64())
	t.node[0] = t.node[0]&0x3f | 0x80 // variant
	t.node[2] |= 1                    // multicast: no real network card
	return t
}

func (t *timeUUIDs) next() (u schema.UUID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = max(t.last+1, uint64(time.Now().UnixNano()/100)+gregorianOffset)
	binary.BigEndian.PutUint32(u[:], uint32(t.last))
	binary.BigEndian.PutUint16(u[4:], uint16(t.last>>32))
	binary.BigEndian.PutUint16(u[6:], uint16(t.last>>48)&0x0fff|0x1000)
	copy(u[8:], t.node[:])
	return u
}
