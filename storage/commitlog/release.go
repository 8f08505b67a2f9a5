package commitlog

import (
	"errors"
	"io/fs"
	"path"
)

// segmentInfo is a segment that takes no more records: its first sequence, and its bytes on disk.
type segmentInfo struct {
	id, first uint64
	size      int64
}

// rollLocked begins the next segment.
func (l *Log) rollLocked() {
	if l.open {
		l.closed = append(l.closed, segmentInfo{l.segment, l.first, int64(l.pos)})
	}
	l.segment++
	l.open = true
	l.first, l.pos, l.synced = l.seq, segmentHeader, segmentHeader
}

// lastLocked returns the sequence of the last record of the i-th closed segment.
func (l *Log) lastLocked(i int) uint64 {
	switch {
	case i+1 < len(l.closed):
		return l.closed[i+1].first - 1
	case l.open:
		return l.first - 1
	}
	return l.seq - 1
}

// Size returns the bytes that the log takes on disk, or will when all is written.
func (l *Log) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sizeLocked()
}

func (l *Log) sizeLocked() int64 {
	n := int64(0)
	if l.open {
		n = int64(l.pos)
	}
	for _, s := range l.closed {
		n += s.size
	}
	return n
}

// Excess returns the sequence up to which records must be released for the log to take at most size bytes; 0 when it takes
// no more now, or when the segment that is being written is all there is.
func (l *Log) Excess(size int64) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	over := l.sizeLocked() - size
	var seq uint64
	for i := 0; i < len(l.closed) && over > 0; i++ {
		over -= l.closed[i].size
		seq = l.lastLocked(i)
	}
	return seq
}

// Releasable returns the greatest sequence, at most seq, whose release removes a segment, and whether there is one. Who keeps
// what Options.Released says makes it durable before it calls Release.
func (l *Log) Releasable(seq uint64) (uint64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.releasableLocked(seq)
	if n == 0 {
		return 0, false
	}
	return l.lastLocked(n - 1), true
}

// releasableLocked returns how many of the oldest segments hold no record above seq. The newest segment that is known to have
// a header on disk always stays, so that the log never forgets its sequence.
func (l *Log) releasableLocked(seq uint64) int {
	n := 0
	for n < len(l.closed) && l.closed[n].id < l.durable && l.lastLocked(n) <= seq {
		n++
	}
	return n
}

// Release removes the segments that hold no record above seq. The caller must have made what the records say durable
// elsewhere. After an error what was not removed may be released again.
func (l *Log) Release(seq uint64) error {
	l.releasing.Lock()
	defer l.releasing.Unlock()
	l.mu.Lock()
	n := l.releasableLocked(seq)
	ids := make([]uint64, n)
	for i := range ids {
		ids[i] = l.closed[i].id
	}
	l.mu.Unlock()
	if n == 0 {
		return nil
	}
	for i, id := range ids {
		if err := l.fs.Remove(path.Join(l.dir, segmentName(id))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			l.forget(i)
			return err
		}
	}
	l.forget(n)
	return l.fs.SyncDir(l.dir)
}

// forget forgets the n oldest segments.
func (l *Log) forget(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = append([]segmentInfo(nil), l.closed[n:]...)
}
