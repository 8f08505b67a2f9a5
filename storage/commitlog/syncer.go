package commitlog

import (
	"errors"
	"path"
	"syscall"
	"time"
)

// zeros is what segments are filled with.
var zeros [64 << 10]byte

// run is the syncer: it takes what is buffered, writes it and, as the mode says, syncs it. Appends that come during a sync
// gather for the next one.
func (l *Log) run() {
	if l.opts.Mode == Periodic {
		l.runPeriodic()
	} else {
		l.runBatch()
	}
	l.finish()
}

// runBatch syncs whenever there is something to sync; in group mode not before the window since the last one is over.
func (l *Log) runBatch() {
	var last time.Time
	for l.awaitWork() {
		if l.opts.Mode == Group {
			l.awaitWindow(last)
		}
		last = time.Now()
		if l.write(true) != nil {
			return
		}
	}
}

// awaitWork returns true when records are buffered or a sync is asked for, false when the log closes and neither is so.
func (l *Log) awaitWork() bool {
	for {
		l.mu.Lock()
		work := l.buffered > 0 || l.asked
		closing := l.closing
		l.idle = !work && !closing
		l.mu.Unlock()
		if work || closing {
			return work
		}
		<-l.kick
	}
}

// awaitWindow sleeps until a window after last, but not when a sync is asked for or the log closes.
func (l *Log) awaitWindow(last time.Time) {
	timer := time.NewTimer(l.opts.Window - time.Since(last))
	defer timer.Stop()
	for {
		l.mu.Lock()
		now := l.closing || l.asked
		l.mu.Unlock()
		if now {
			return
		}
		select {
		case <-timer.C:
			return
		case <-l.kick:
		}
	}
}

// runPeriodic writes what is buffered after writeDelay or when it is much, and syncs a period after the first write that
// is not synced. When nothing is written for a while it sleeps without a timer.
func (l *Log) runPeriodic() {
	var unsynced time.Time // of the first write that is not synced
	lag := time.AfterFunc(time.Hour, l.setLate)
	lag.Stop()
	defer lag.Stop()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var due time.Time // when what is buffered is to be written
	for {
		l.mu.Lock()
		buffered, asked, closing := l.buffered, l.asked, l.closing
		l.idle = buffered == 0 && !asked && !closing
		idle := l.idle
		l.mu.Unlock()
		now := time.Now()
		if buffered > 0 && due.IsZero() {
			due = now.Add(writeDelay)
		}
		syncNow := asked || closing || !unsynced.IsZero() && now.Sub(unsynced) >= l.opts.Period
		if syncNow || buffered >= writeBytes || buffered > 0 && !now.Before(due) {
			if unsynced.IsZero() && buffered > 0 {
				unsynced = now
				lag.Reset(l.opts.Period + l.opts.Period/2)
			}
			if l.write(syncNow) != nil || closing && l.drained() {
				return
			}
			due = time.Time{}
			if syncNow {
				lag.Stop()
				l.clearLate()
				unsynced = time.Time{}
			}
			continue
		}
		var wait <-chan time.Time
		if !idle || !unsynced.IsZero() {
			next := due
			if !unsynced.IsZero() {
				if sync := unsynced.Add(l.opts.Period); next.IsZero() || sync.Before(next) {
					next = sync
				}
			}
			timer.Reset(next.Sub(now))
			wait = timer.C
		}
		select {
		case <-wait:
		case <-l.kick:
		}
	}
}

// setLate makes periodic appends wait for the sync that is overdue. It asks for one, so that they cannot wait for long when
// that sync has just been done.
func (l *Log) setLate() {
	l.mu.Lock()
	l.late = l.err == nil
	l.asked = true
	l.mu.Unlock()
	l.wake()
}

func (l *Log) clearLate() {
	l.mu.Lock()
	l.late = false
	l.mu.Unlock()
}

// drained reports whether nothing is left to write.
func (l *Log) drained() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffered == 0 && !l.asked
}

// write takes what is buffered and writes it, and syncs it when sync is set. Its error has stopped the log.
func (l *Log) write(sync bool) error {
	l.mu.Lock()
	parts := l.parts
	l.parts = nil
	l.buffered = 0
	point := l.point
	if sync {
		l.asked = false
		l.point = newSyncPoint()
	}
	l.room.Broadcast()
	l.mu.Unlock()

	var err error
	for i := range parts {
		if err = l.writePart(&parts[i]); err != nil {
			break
		}
	}
	if err == nil && sync && l.file.File != nil {
		err = l.file.Sync()
	}
	if err != nil {
		err = l.fail(err)
		point.err = err
		close(point.done)
		if !sync {
			return err
		}
		l.mu.Lock()
		rest := l.point
		l.mu.Unlock()
		rest.err = err
		close(rest.done)
		return err
	}
	l.mu.Lock()
	if sync && l.file.File != nil {
		l.durable = l.file.segment
		if l.file.segment == l.segment {
			l.synced = l.file.end
		}
	}
	for i := range parts {
		if len(l.spare) < 2 && cap(parts[i].buf) <= keepBuffer {
			l.spare = append(l.spare, parts[i].buf)
		}
	}
	l.mu.Unlock()
	if sync {
		close(point.done)
	}
	return nil
}

// writePart writes records to their segment, which it creates after the one before is complete and synced.
func (l *Log) writePart(p *part) error {
	if l.file.File == nil || l.file.segment != p.segment {
		if err := l.closeSegment(); err != nil {
			return err
		}
		if err := l.whenRoom(func() error { return l.createSegment(p) }); err != nil {
			return err
		}
	}
	if err := l.whenRoom(func() error { return l.fill(p.pos + len(p.buf)) }); err != nil {
		return err
	}
	if _, err := l.file.WriteAt(p.buf, int64(p.pos)); err != nil {
		return err
	}
	l.file.end = p.pos + len(p.buf)
	return nil
}

// createSegment creates the segment of p.
func (l *Log) createSegment(p *part) error {
	f, err := l.fs.Create(path.Join(l.dir, segmentName(p.segment)))
	if err != nil {
		return err
	}
	header := appendSegmentHeader(nil, p.segment, p.first, time.Now().UnixMicro())
	if _, err := f.WriteAt(header, 0); err != nil {
		f.Close()
		return err
	}
	l.file = file{File: f, segment: p.segment, end: segmentHeader, filled: segmentHeader}
	return l.fs.SyncDir(l.dir)
}

// fullDelay is how long the log waits before it tries again to grow on a full disk.
const fullDelay = 20 * time.Millisecond

// whenRoom does what makes the log grow, and does it again as long as the disk is full: no record is written by it, so nothing is
// in doubt. Records wait meanwhile. It gives up when the log closes.
func (l *Log) whenRoom(grow func() error) error {
	for {
		err := grow()
		full := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
		l.mu.Lock()
		l.full = full
		closing := l.closing
		l.mu.Unlock()
		if !full || closing {
			return err
		}
		time.Sleep(fullDelay)
	}
}

// Full reports whether records wait for room on the disk.
func (l *Log) Full() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.full
}

// fill makes sure that the segment is filled up to end, in steps that grow with it.
func (l *Log) fill(end int) error {
	if end <= l.file.filled {
		return nil
	}
	step := min(max(l.file.filled, len(zeros)), fillStep)
	to := min(end+step, l.opts.SegmentSize)
	for at := l.file.filled; at < to; {
		n := min(len(zeros), to-at)
		if _, err := l.file.WriteAt(zeros[:n], int64(at)); err != nil {
			return err
		}
		at += n
	}
	l.file.filled = max(to, end)
	return nil
}

// closeSegment cuts the segment to its records, syncs and closes it.
func (l *Log) closeSegment() error {
	f := l.file
	if f.File == nil {
		return nil
	}
	l.file = file{}
	if err := f.Truncate(int64(f.end)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// finish closes the last segment and makes waiters of a log that is gone go.
func (l *Log) finish() {
	var err error
	l.mu.Lock()
	failed := l.err
	l.mu.Unlock()
	if failed != nil {
		if l.file.File != nil {
			l.file.Close()
		}
		return
	}
	if err = l.closeSegment(); err == nil {
		err = ErrClosed
	}
	err = l.fail(err)
	l.mu.Lock()
	point := l.point
	l.mu.Unlock()
	point.err = err
	close(point.done)
}
