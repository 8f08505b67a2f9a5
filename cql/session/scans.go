package session

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// scanTurn is how long a scan runs before it lets another go on that waits.
const scanTurn = time.Millisecond

// scans keeps one processor free of reads that may be long: a connection whose request has come is noticed at once only by
// a processor that has nothing to do, and after 10 ms by a busy one. The reads take turns.
type scans struct {
	slots   chan struct{} // one for each that may run
	waiting atomic.Int32
}

func newScans() *scans {
	s := &scans{slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))}
	for range cap(s.slots) {
		s.slots <- struct{}{}
	}
	return s
}

// enter waits for a turn, and returns the context's error when that ends first.
func (s *scans) enter(ctx context.Context) (*turn, error) {
	t := &turn{Context: ctx, s: s}
	return t, t.take()
}

// turn is the context of a read that has its turn. Whoever asks for its error, as long loops do, lets others have
// theirs. It is for one goroutine.
type turn struct {
	context.Context
	s     *scans
	since time.Time
	over  bool // has no slot
}

// take waits for a turn.
func (t *turn) take() error {
	t.over = true
	if err := t.Context.Err(); err != nil {
		return err
	}
	select {
	case <-t.s.slots:
	default:
		t.s.waiting.Add(1)
		defer t.s.waiting.Add(-1)
		select {
		case <-t.s.slots:
		case <-t.Done():
			return t.Context.Err()
		}
	}
	t.over, t.since = false, time.Now()
	return nil
}

// leave ends the turn for good.
func (t *turn) leave() {
	if !t.over {
		t.over = true
		t.s.slots <- struct{}{}
	}
}

// Err implements context.Context, and gives way.
func (t *turn) Err() error {
	if err := t.Context.Err(); err != nil {
		return err
	}
	if t.over || t.s.waiting.Load() == 0 || time.Since(t.since) < scanTurn {
		return nil
	}
	t.leave()
	return t.take()
}
