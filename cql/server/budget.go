package server

import (
	"sync"
	"sync/atomic"
)

// budget counts bytes against a limit that all connections share.
type budget struct {
	limit   int64
	used    atomic.Int64
	waiting atomic.Int32

	mu sync.Mutex
	ch chan struct{} // closed when bytes came back; nil while nobody waits
}

// draft is the right to go over a budget that is used up, for one at a time: so that many who each hold a part of it and
// wait for the rest do not wait for each other.
type draft chan struct{}

func newDraft() draft {
	d := make(draft, 1)
	d <- struct{}{}
	return d
}

// take returns true for the one who may.
func (d draft) take() bool {
	select {
	case <-d:
		return true
	default:
		return false
	}
}

// give brings the right back, before the bytes: these wake who waits for it.
func (d draft) give() { d <- struct{}{} }

// take counts n bytes, over the limit too.
func (b *budget) take(n int64) { b.used.Add(n) }

// tryTake counts n bytes unless that goes over the limit.
func (b *budget) tryTake(n int64) bool {
	if b.used.Add(n) <= b.limit {
		return true
	}
	b.give(n)
	return false
}

// give brings n bytes back.
func (b *budget) give(n int64) {
	b.used.Add(-n)
	if b.waiting.Load() > 0 {
		b.mu.Lock()
		if b.ch != nil {
			close(b.ch)
			b.ch = nil
		}
		b.mu.Unlock()
	}
}

// over reports whether the limit is reached.
func (b *budget) over() bool { return b.used.Load() >= b.limit }

// wait returns true as soon as ok does, and false when done is closed. ok is asked again whenever bytes came back, and
// when something comes from poke, which may be nil.
func (b *budget) wait(ok func() bool, poke, done <-chan struct{}) bool {
	b.waiting.Add(1)
	defer b.waiting.Add(-1)
	for {
		b.mu.Lock()
		if b.ch == nil {
			b.ch = make(chan struct{})
		}
		ch := b.ch
		b.mu.Unlock()
		if ok() {
			return true
		}
		select {
		case <-ch:
		case <-poke:
		case <-done:
			return false
		}
	}
}
