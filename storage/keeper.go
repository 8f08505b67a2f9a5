package storage

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/storage/request"
)

// The keeper is a goroutine that keeps memory, log and disk within their limits: it freezes memtables, and slows and stops
// writers. It is woken by what was written, by flushes, and by the clock, and does not wait for the disk. The tidier is another
// one, which removes what is not needed any more: segments of the log, and tables on disk.

// pressure is what writers have to bear; nil is none. It is replaced, not changed.
type pressure struct {
	// refuse, when it is set, is the answer to every write.
	refuse error
	// relieved, when it is set, is what writers wait for: it is closed when memory is free again.
	relieved chan struct{}
	// rate, when it is set, is how many bytes of mutations are taken in a second.
	rate float64
}

// maxStall is how long a write waits for memory before it is refused.
const maxStall = 10 * time.Second

// Writes are slowed when more than slowFrom of the memory is taken: from fastRate, in bytes a second, down to slowRate when all
// is. At one of the rates between memory fills as fast as flushes empty it. A write does not sleep for less than minSleep, which
// is about what a sleep takes at least, nor for more than maxSleep.
const (
	slowFrom = 0.75
	fastRate = 400 << 20
	slowRate = 2 << 20
	minSleep = time.Millisecond
	maxSleep = 100 * time.Millisecond
)

// pace makes a write of some bytes wait for its turn at a rate.
func (e *Engine) pace(rate float64, bytes int) {
	now := time.Now().UnixNano()
	took := int64(float64(bytes) / rate * float64(time.Second))
	for {
		turn := e.turn.Load()
		if e.turn.CompareAndSwap(turn, max(turn, now)+took) {
			if wait := time.Duration(turn - now); wait >= minSleep {
				time.Sleep(min(wait, maxSleep))
			}
			return
		}
	}
}

// yield makes a write wait as the pressure says, and returns why it cannot be done.
func (e *Engine) yield(p *pressure, ms []request.Mutation) error {
	if p.rate > 0 {
		bytes := 0
		for i := range ms {
			bytes += len(ms[i].Data)
		}
		e.pace(p.rate, bytes)
		return nil
	}
	var timeout <-chan time.Time
	for ; p != nil; p = e.pressure.Load() {
		switch {
		case p.refuse != nil:
			return p.refuse
		case p.relieved == nil:
			return nil
		}
		if timeout == nil {
			timer := time.NewTimer(maxStall)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-p.relieved:
		case <-timeout:
			return overloaded("memtables are full and are not written to disk fast enough")
		case <-e.stop:
			return ErrClosed
		}
	}
	return nil
}

// overloaded returns the error of a write that cannot be taken now.
func overloaded(format string, args ...any) error {
	return &cql.Error{Code: cql.CodeOverloaded, Message: fmt.Sprintf(format, args...)}
}

// kick wakes the keeper and the tidier.
func (e *Engine) kick() {
	for _, c := range [...]chan struct{}{e.wake, e.wakeTidier} {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// maxUnseen is the part of the memory that may be written before the keeper looks: then writers wait for it.
const maxUnseen = 8

// wrote is told by the log that another so many bytes were written.
func (e *Engine) wrote(bytes int64) {
	if e.unseen.Add(bytes) > e.opts.MemtableSpace/maxUnseen {
		e.pressure.CompareAndSwap(nil, &pressure{relieved: make(chan struct{})})
	}
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// stopped reports whether the engine closes.
func (e *Engine) stopped() bool {
	select {
	case <-e.stop:
		return true
	default:
		return false
	}
}

// keep is the keeper.
func (e *Engine) keep() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next := e.check(time.Now())
		var due <-chan time.Time
		if next > 0 {
			timer.Reset(next)
			due = timer.C
		}
		select {
		case <-e.wake:
		case <-due:
		case <-e.stop:
			return
		}
	}
}

// tidy is the tidier.
func (e *Engine) tidy() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		err := e.releaseLog()
		e.report(err, "release of the commit log")
		var due <-chan time.Time
		if !e.bury() || err != nil {
			timer.Reset(time.Second)
			due = timer.C
		}
		select {
		case <-e.wakeTidier:
		case <-due:
		case <-e.stop:
			e.bury() // what readers have held
			return
		}
	}
}

// recheck is how often the keeper looks again while something is wrong.
const recheck = 100 * time.Millisecond

// check does what is to be done now and returns when to look again, 0 for not before something happens.
func (e *Engine) check(now time.Time) (next time.Duration) {
	soon := func(d time.Duration) {
		if next == 0 || d < next {
			next = max(d, time.Millisecond)
		}
	}
	e.unseen.Store(0)
	used := e.checkMemory()
	e.checkLog()
	if due := e.checkPeriods(now); due > 0 {
		soon(due)
	}
	if p := e.judge(used); p != e.pressure.Load() {
		old := e.pressure.Swap(p)
		if old != nil && old.relieved != nil && (p == nil || p.relieved != old.relieved) {
			close(old.relieved)
		}
	}
	if e.pressure.Load() != nil {
		soon(recheck)
	}
	return next
}

// checkMemory freezes the largest memtables while those that take writes hold more than the threshold, and returns the bytes
// of all.
func (e *Engine) checkMemory() int64 {
	type sized struct {
		st    *store
		bytes int64
	}
	var list []sized
	var active, frozen int64
	for _, st := range *e.stores.Load() {
		v := st.view.Load()
		for _, m := range v.frozen {
			frozen += m.size()
		}
		if n, dirty := v.active(); dirty {
			active += n
			list = append(list, sized{st, n})
		}
	}
	total := active + frozen
	slices.SortFunc(list, func(a, b sized) int { return cmp.Compare(b.bytes, a.bytes) })
	threshold := int64(float64(e.opts.MemtableSpace) * e.opts.CleanupThreshold)
	for _, s := range list {
		if active <= threshold {
			break
		}
		e.freeze(s.st)
		active -= s.bytes
	}
	return total
}

// checkLog freezes what keeps the log above its size.
func (e *Engine) checkLog() {
	seq := e.log.Excess(e.opts.LogSpace)
	if seq == 0 {
		return
	}
	var stores []*store
	for _, st := range *e.stores.Load() {
		if first := st.view.Load().mem.first.Load(); first != 0 && first <= seq {
			stores = append(stores, st)
		}
	}
	if len(stores) > 0 {
		e.freeze(stores...)
	}
}

// checkPeriods freezes what memtable_flush_period_in_ms says, and returns when to look again, 0 for not at all.
func (e *Engine) checkPeriods(now time.Time) (next time.Duration) {
	for _, st := range *e.stores.Load() {
		period := time.Duration(st.table.Load().Options.MemtableFlushPeriodMs) * time.Millisecond
		if period <= 0 {
			continue
		}
		m := st.view.Load().mem
		due := m.born.Add(period).Sub(now)
		if due <= 0 {
			if !m.clean() {
				e.freeze(st)
			}
			due = period
		}
		if next == 0 || due < next {
			next = due
		}
	}
	return next
}

// judge returns the pressure that writers are to bear while memtables hold used bytes. When nothing has changed it is the
// same one.
func (e *Engine) judge(used int64) *pressure {
	old := e.pressure.Load()
	if err := e.checkDisk(old != nil && errors.Is(old.refuse, errDiskFull)); err != nil {
		if old != nil && old.refuse != nil && old.refuse.Error() == err.Error() {
			return old
		}
		return &pressure{refuse: err}
	}
	limit := e.opts.MemtableSpace
	if used > limit {
		if failing := e.failing.Load(); failing != nil {
			return &pressure{refuse: overloaded("memtables are full and cannot be written to disk: %v", *failing)}
		}
		if old != nil && old.relieved != nil {
			return old
		}
		return &pressure{relieved: make(chan struct{})}
	}
	if slow := slowFrom * float64(limit); float64(used) > slow {
		part := (float64(used) - slow) / (float64(limit) - slow)
		return &pressure{rate: fastRate * math.Pow(slowRate/float64(fastRate), part)}
	}
	return nil
}

// The disk counts as full when less than a twentieth of it is free, and less than minFree bytes; it counts as free again when
// a quarter more is.
const (
	minFreePart = 20
	minFree     = 1 << 30
)

// errDiskFull is the answer to writes while the disk is full. Source: the text is that of the guardrail
// data_disk_usage_percentage_fail_threshold.
var errDiskFull = overloaded("Write request failed because disk usage exceeds failure threshold")

// checkDisk returns errDiskFull when the disk is full; it was so before or not.
func (e *Engine) checkDisk(was bool) error {
	free, total, err := e.opts.FS.Space(e.dir)
	if err != nil {
		return nil // what cannot be told is no reason to stop
	}
	least := min(total/minFreePart, minFree)
	if was {
		least += least / 4
	}
	if free < least || e.log.Full() {
		return errDiskFull
	}
	return nil
}

// releaseLog releases the part of the log that is on disk otherwise.
func (e *Engine) releaseLog() error {
	if _, some := e.log.Releasable(math.MaxUint64); !some {
		return nil
	}
	seq, ok := e.log.Releasable(e.flushedUpTo())
	if !ok {
		return nil
	}
	if err := e.manifest.commit(edit(nil).released(seq)); err != nil {
		return err
	}
	return e.log.Release(seq)
}

// flushedUpTo returns the sequence up to which no record is needed any more.
func (e *Engine) flushedUpTo() uint64 {
	e.gate.Lock()
	seq := e.sequence()
	views := make([]*view, 0, len(*e.stores.Load()))
	for _, st := range *e.stores.Load() {
		views = append(views, st.view.Load())
	}
	// A memtable that is clean now holds nothing up to seq; what comes is behind it.
	e.gate.Unlock()
	for _, v := range views {
		for _, m := range append(slices.Clip(v.frozen), v.mem) {
			if first := m.first.Load(); first != 0 && first <= seq {
				seq = first - 1
			}
		}
	}
	return seq
}

// retire gives up a file that is not live any more: it is removed when nobody has it and the manifest on disk does not name
// it. The caller's reference is taken.
func (e *Engine) retire(f *File) {
	drop := func(f *File) {
		e.grave.mu.Lock()
		e.grave.files = append(e.grave.files, f)
		e.grave.mu.Unlock()
		e.kick()
	}
	f.drop.Store(&drop)
	f.unref()
}

// bury removes the retired files that nobody has any more, and reports whether none is left.
func (e *Engine) bury() bool {
	e.grave.mu.Lock()
	files := e.grave.files
	e.grave.files = nil
	e.grave.mu.Unlock()
	if len(files) == 0 {
		return true
	}
	err := e.manifest.settle()
	e.report(err, "manifest")
	var left []*File
	for _, f := range files {
		one := err
		if one == nil {
			one = removeTable(e.opts.FS, f.dir, f.Descriptor())
			e.report(one, "removal")
		}
		if one != nil {
			left = append(left, f)
			continue
		}
		e.manifest.forget(f.store.id, f.Descriptor())
		if f.store.gone.Load() {
			removeEmpty(e.opts.FS, f.dir)
			if f.store.ofIndex {
				removeEmpty(e.opts.FS, path.Dir(f.dir))
			}
		}
	}
	e.grave.mu.Lock()
	e.grave.files = append(e.grave.files, left...)
	e.grave.mu.Unlock()
	return len(left) == 0
}
