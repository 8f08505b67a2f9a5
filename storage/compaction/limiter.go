package compaction

import (
	"context"
	"sync"
	"time"
)

// Limiter is a token bucket of bytes that all running tasks share: compaction_throughput. It lets a tenth of a second's worth
// pass at once. All methods may be called by many goroutines. Source: CompactionManager.getRateLimiter.
type Limiter struct {
	mu   sync.Mutex
	rate int64 // bytes a second, 0 for no limit
	// free is when, by the clock, all bytes that were let pass are paid for.
	free time.Time
	// changed is closed when the rate changes: who waits reckons anew.
	changed chan struct{}
}

// NewLimiter returns a limiter of so many bytes a second; 0 is no limit.
func NewLimiter(rate int64) *Limiter {
	return &Limiter{rate: rate, changed: make(chan struct{})}
}

// Rate returns the bytes a second, 0 for no limit.
func (l *Limiter) Rate() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rate
}

// SetRate changes the limit; what waits goes on by the new one.
func (l *Limiter) SetRate(rate int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rate, l.free = max(rate, 0), time.Time{}
	close(l.changed)
	l.changed = make(chan struct{})
}

// burst is how far ahead of the clock bytes may pass.
const burst = 100 * time.Millisecond

// Wait takes n bytes and returns when they may pass, or with the error of the context.
func (l *Limiter) Wait(ctx context.Context, n int64) error {
	l.mu.Lock()
	if l.rate == 0 {
		l.mu.Unlock()
		return ctx.Err()
	}
	now := time.Now()
	if least := now.Add(-burst); l.free.Before(least) {
		l.free = least
	}
	l.free = l.free.Add(time.Duration(float64(n) / float64(l.rate) * float64(time.Second)))
	wait, changed := l.free.Sub(now), l.changed
	l.mu.Unlock()
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
	}
	return ctx.Err()
}
