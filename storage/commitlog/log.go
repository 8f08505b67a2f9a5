package commitlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
	"time"

	"github.com/helenusdb/helenus/storage/vfs"
)

// Mode says when an append is acknowledged. Source: Config.CommitLogSync.
type Mode uint8

// The modes of commitlog_sync. Periodic acknowledges at once and syncs every Period; Batch when a sync that began after the
// append is done; Group the same, but syncs begin a Window apart.
const (
	Periodic Mode = iota
	Batch
	Group
)

// Limits and times that no setting changes.
const (
	// DefaultSegmentSize is commitlog_segment_size.
	DefaultSegmentSize = 32 << 20
	// DefaultPeriod is commitlog_sync_period, DefaultWindow commitlog_sync_group_window.
	DefaultPeriod = 10 * time.Second
	DefaultWindow = time.Second
	// writeDelay is how long a periodic append may stay in the buffer: a killed process loses no more.
	writeDelay = 100 * time.Millisecond
	// writeBytes is the size of the buffer at which it is written at once, maxBuffered the one at which appends wait.
	writeBytes  = 256 << 10
	maxBuffered = 16 << 20
	// fillStep is how far ahead of the records a segment is filled with zeros.
	fillStep = 1 << 20
	// keepBuffer is the largest buffer that is kept for the next batch.
	keepBuffer = 4 << 20
)

// Errors of Append.
var (
	ErrTooLarge   = errors.New("record is larger than a segment")
	ErrNotStarted = errors.New("commit log is not started")
	ErrClosed     = errors.New("commit log is closed")
)

// Options configure a Log. Zero values are Cassandra's defaults.
type Options struct {
	SegmentSize int // bytes
	Mode        Mode
	Period      time.Duration // of Periodic
	Window      time.Duration // of Group
	// MinSequence is the sequence of a record that is known to have been synced; 0 is none. A log that does not reach it
	// has lost records.
	MinSequence uint64
	// Released is what was given to Release: records up to this sequence need not be there.
	Released uint64
	// SkipCorrupt lets Replay go on behind damage, counting what it left out.
	SkipCorrupt bool
	// Notify, unless nil, is called whenever NotifyBytes more were appended, by the goroutine that appends.
	Notify      func()
	NotifyBytes int
}

func (o Options) withDefaults() Options {
	if o.SegmentSize == 0 {
		o.SegmentSize = DefaultSegmentSize
	}
	if o.Period == 0 {
		o.Period = DefaultPeriod
	}
	if o.Window == 0 {
		o.Window = DefaultWindow
	}
	return o
}

// Log is the commit log. Open, then Replay, then Start; then Append by many goroutines. One goroutine writes and syncs.
type Log struct {
	fs   vfs.FS
	dir  string
	opts Options

	mu   sync.Mutex
	room sync.Cond // buffered went down, or err is set
	// segment, first, pos and seq are where the next record goes: its segment, that segment's first sequence, the
	// position and the sequence.
	segment, first, seq uint64
	pos                 int
	// open says that segment takes records; else the next record opens another one.
	open bool
	// closed are the segments before the one that takes records, oldest first; durable is the newest segment whose header is
	// on disk.
	closed  []segmentInfo
	durable uint64
	// appended counts bytes since the last call of Notify.
	appended int
	// synced is the position up to which segment is on disk.
	synced int
	sums   summer
	// parts are the records that the syncer has not taken yet, in order, buffered their bytes; spare is for the next ones.
	parts    []part
	buffered int
	spare    [][]byte
	point    *syncPoint // done when all that is appended now is synced
	asked    bool       // someone wants a sync now
	idle     bool       // the syncer waits for a kick
	late     bool       // periodic: the last sync is too long ago, appends wait
	full     bool       // the disk has no room for more
	started  bool
	closing  bool
	err      error // why nothing is accepted

	releasing sync.Mutex    // held by Release; taken before mu
	kick      chan struct{} // capacity 1: wakes the syncer
	done      sync.WaitGroup

	file file // the syncer's
}

// part is records that stand one after the other in one segment.
type part struct {
	segment, first uint64
	pos            int
	buf            []byte
}

// file is the segment that the syncer writes.
type file struct {
	vfs.File
	segment uint64
	end     int // of the records
	filled  int // of the zeros behind them
}

// syncPoint is done when a sync is; err is then set or nil.
type syncPoint struct {
	done chan struct{}
	err  error
}

func newSyncPoint() *syncPoint { return &syncPoint{done: make(chan struct{})} }

// Commit is when an append is durable.
type Commit struct{ point *syncPoint }

// Wait returns when the append is as durable as the mode promises, with the error that kept it from being so.
func (c Commit) Wait() error {
	if c.point == nil {
		return nil
	}
	<-c.point.done
	return c.point.err
}

// Done reports whether Wait would return at once.
func (c Commit) Done() bool {
	if c.point == nil {
		return true
	}
	select {
	case <-c.point.done:
		return true
	default:
		return false
	}
}

// Open returns the log in dir, which must exist. Nothing is read or written before Replay.
func Open(fs vfs.FS, dir string, opts Options) *Log {
	l := &Log{fs: fs, dir: dir, opts: opts.withDefaults(), kick: make(chan struct{}, 1), point: newSyncPoint()}
	l.room.L = &l.mu
	return l
}

// MaxRecord is the size in bytes of the largest record: it fills a segment.
func (l *Log) MaxRecord() int { return l.opts.SegmentSize - segmentHeader - recordHeader - alignment }

// Start begins to accept records. Replay must have been called.
func (l *Log) Start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started = true
	l.done.Go(l.run)
}

// LastSequence returns the sequence of the last record, 0 before the first.
func (l *Log) LastSequence() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seq - 1
}

// Append adds a record, which is copied, and returns its sequence. After a failed write or sync every append fails: what
// the disk then holds is not known.
func (l *Log) Append(body []byte) (uint64, Commit, error) {
	if len(body) > l.MaxRecord() {
		return 0, Commit{}, ErrTooLarge
	}
	sum := crc32.Checksum(body, castagnoli)
	size := align(recordHeader + len(body))

	l.mu.Lock()
	for l.buffered > maxBuffered && l.err == nil {
		l.room.Wait()
	}
	if err := l.refusedLocked(); err != nil {
		l.mu.Unlock()
		return 0, Commit{}, err
	}
	if !l.open || l.pos+size > l.opts.SegmentSize {
		l.rollLocked()
	}
	p := l.partLocked()
	seq := l.seq
	sum = l.sums.sum(sum, l.segment, uint32(l.pos), uint32(len(body)), seq, uint32(l.synced))
	buf := p.buf
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(body)))
	buf = binary.LittleEndian.AppendUint32(buf, sum)
	buf = binary.LittleEndian.AppendUint64(buf, seq)
	buf = binary.LittleEndian.AppendUint32(buf, uint32(l.synced))
	buf = append(buf, 0, 0, 0, 0)
	buf = append(buf, body...)
	for len(buf)%alignment != 0 {
		buf = append(buf, 0)
	}
	p.buf = buf
	l.seq++
	l.pos += size
	before := l.buffered
	l.buffered += size
	var c Commit
	if l.opts.Mode != Periodic || l.late {
		c.point = l.point
	}
	wake := l.idle || l.opts.Mode == Periodic && before < writeBytes && l.buffered >= writeBytes
	l.idle = false
	notify := false
	if l.opts.Notify != nil {
		if l.appended += size; l.appended >= l.opts.NotifyBytes {
			l.appended, notify = 0, true
		}
	}
	l.mu.Unlock()
	if wake {
		l.wake()
	}
	if notify {
		l.opts.Notify()
	}
	return seq, c, nil
}

// refusedLocked returns why records are not accepted, or nil.
func (l *Log) refusedLocked() error {
	switch {
	case l.err != nil:
		return l.err
	case l.closing:
		return ErrClosed
	case !l.started:
		return ErrNotStarted
	}
	return nil
}

// partLocked returns the part that the next record is appended to.
func (l *Log) partLocked() *part {
	if n := len(l.parts); n > 0 && l.parts[n-1].segment == l.segment {
		return &l.parts[n-1]
	}
	p := part{segment: l.segment, first: l.first, pos: l.pos}
	if n := len(l.spare); n > 0 {
		p.buf, l.spare = l.spare[n-1][:0], l.spare[:n-1]
	}
	l.parts = append(l.parts, p)
	return &l.parts[len(l.parts)-1]
}

// wake wakes the syncer, or keeps it from sleeping next.
func (l *Log) wake() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// Sync makes all that was appended before durable.
func (l *Log) Sync() error {
	l.mu.Lock()
	if err := l.refusedLocked(); err != nil {
		l.mu.Unlock()
		return err
	}
	l.asked = true
	c := Commit{l.point}
	l.mu.Unlock()
	l.wake()
	return c.Wait()
}

// Close syncs and closes the log. It returns the first error of its life.
func (l *Log) Close() error {
	l.mu.Lock()
	if !l.started {
		l.mu.Unlock()
		return nil
	}
	l.closing = true
	l.mu.Unlock()
	l.wake()
	l.done.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.err, ErrClosed) {
		return nil
	}
	return l.err
}

// fail stops the log for good and returns the error that every later append gets.
func (l *Log) fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = fmt.Errorf("commit log: %w", err)
	}
	l.late = false
	l.room.Broadcast()
	return l.err
}
