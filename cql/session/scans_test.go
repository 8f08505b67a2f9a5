package session

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestScansTakeTurns: no more run at once than may, long ones let the others go on, and who is gone waits no more.
func TestScansTakeTurns(t *testing.T) {
	s := newScans()
	var running, most atomic.Int32
	run := func(d time.Duration) time.Duration {
		began := time.Now()
		turn, err := s.enter(t.Context())
		if err != nil {
			t.Error(err)
			return 0
		}
		defer turn.leave()
		for used := time.Duration(0); used < d; {
			if turn.over {
				t.Error("runs out of turn")
			}
			n := running.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			time.Sleep(100 * time.Microsecond)
			used += 100 * time.Microsecond
			running.Add(-1)
			if err := turn.Err(); err != nil {
				t.Error(err)
			}
		}
		return time.Since(began)
	}
	var wg sync.WaitGroup
	for range 2 * cap(s.slots) {
		wg.Go(func() { run(100 * time.Millisecond) })
	}
	time.Sleep(5 * time.Millisecond)
	short := run(time.Millisecond)
	began := time.Now()
	wg.Wait()
	if long := time.Since(began); short > long/2 {
		t.Errorf("a short read took %s beside long ones that took %s more", short, long)
	}
	if most.Load() > int32(cap(s.slots)) {
		t.Errorf("%d ran at once, %d may", most.Load(), cap(s.slots))
	}

	var all []*turn
	for range cap(s.slots) {
		turn, err := s.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, turn)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	turn, err := s.enter(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	turn.leave()
	for _, turn := range all {
		turn.leave()
	}
	if len(s.slots) != cap(s.slots) || s.waiting.Load() != 0 {
		t.Errorf("%d of %d slots, %d wait", len(s.slots), cap(s.slots), s.waiting.Load())
	}
}
