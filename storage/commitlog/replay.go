package commitlog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"sort"

	"github.com/helenusdb/helenus/storage/vfs"
)

// Record is one record of a replay. Body is valid during the call.
type Record struct {
	Sequence uint64
	Body     []byte
	// Segment and Offset say where it stands, for errors.
	Segment string
	Offset  int
}

// Stats says what a replay found.
type Stats struct {
	Segments, Records int
	// TornBytes is what was cut off behind the last valid record, zeros not counted; SkippedBytes what SkipCorrupt left out.
	TornBytes, SkippedBytes int
}

// Replay calls fn with every record, oldest first, and prepares the log to go on behind the last; torn bytes at its end are
// cut off. Its error wraps ErrCorrupt for damage that no crash explains; an error of fn ends it.
func (l *Log) Replay(fn func(Record) error) (Stats, error) {
	var stats Stats
	ids, err := l.segments()
	if err != nil {
		return stats, err
	}
	if ids, err = l.dropReleased(ids); err != nil {
		return stats, err
	}
	r := replayer{log: l, fn: fn, stats: &stats}
	for i, id := range ids {
		last := i == len(ids)-1
		if i == len(ids)-2 {
			// The last segment may have been created and nothing more: then the one before it is the last with records.
			if last, err = l.unborn(ids[i+1]); err != nil {
				return stats, err
			}
		}
		if err := r.segment(id, last); err != nil {
			return stats, err
		}
	}
	if n := len(ids); n > 0 {
		l.segment = ids[n-1]
		if err := l.fs.SyncDir(l.dir); err != nil {
			return stats, err
		}
	}
	if r.next <= l.opts.MinSequence && l.opts.MinSequence > 0 && !l.opts.SkipCorrupt {
		return stats, fmt.Errorf("the log ends before record %d, which was synced: %w", l.opts.MinSequence, ErrCorrupt)
	}
	l.seq = max(r.next, l.opts.MinSequence+1)
	return stats, nil
}

// dropReleased removes the segments whose records were all released, which a crash may have brought back, and returns the
// others.
func (l *Log) dropReleased(ids []uint64) ([]uint64, error) {
	for len(ids) > 1 {
		first, ok, err := l.header(ids[1])
		if err != nil || !ok || first > l.opts.Released+1 {
			return ids, err
		}
		if err := l.fs.Remove(path.Join(l.dir, segmentName(ids[0]))); err != nil {
			return ids, err
		}
		ids = ids[1:]
	}
	return ids, nil
}

// segments returns the ids of the segments there are, in order.
func (l *Log) segments() ([]uint64, error) {
	names, err := l.fs.List(l.dir)
	if err != nil {
		return nil, err
	}
	var ids []uint64
	for _, n := range names {
		if id, ok := parseSegmentName(n); ok {
			ids = append(ids, id)
		}
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids, nil
}

// unborn reports whether a segment has no valid header.
func (l *Log) unborn(id uint64) (bool, error) {
	_, ok, err := l.header(id)
	return !ok, err
}

// header returns the first sequence of a segment; ok is false when it has no valid header.
func (l *Log) header(id uint64) (first uint64, ok bool, err error) {
	f, err := l.fs.Open(path.Join(l.dir, segmentName(id)))
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	b := make([]byte, segmentHeader)
	if n, err := f.ReadAt(b, 0); err != nil && err != io.EOF {
		return 0, false, err
	} else if n < len(b) {
		return 0, false, nil
	}
	first, ok = parseSegmentHeader(b, id)
	return first, ok, nil
}

// replayer is the state of one replay.
type replayer struct {
	log   *Log
	fn    func(Record) error
	stats *Stats
	sums  summer
	buf   []byte // of a whole segment
	next  uint64 // sequence expected; 0 before the first segment
}

// segment replays one segment. last says that a torn end is to be expected.
func (r *replayer) segment(id uint64, last bool) error {
	name := segmentName(id)
	f, err := r.log.fs.Open(path.Join(r.log.dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := r.read(f)
	if err != nil {
		return fmt.Errorf("read segment %s: %w", name, err)
	}
	first, ok := parseSegmentHeader(b, id)
	if !ok {
		// A segment is created before its header is synced: without one, nothing in it was.
		if rec, at := r.find(b, id, segmentHeader, r.next); last && (at < 0 || rec.synced <= segmentHeader) {
			r.stats.TornBytes += significant(b)
			return r.cut(f, id, 0)
		}
		return r.damaged(name, 0, len(b))
	}
	if expected := max(r.next, 1); first != expected {
		// What was released may be missing, in the middle too: removals need not reach the disk in order.
		if first < expected || first > r.log.opts.Released+1 && !r.log.opts.SkipCorrupt {
			return fmt.Errorf("segment %s begins with record %d, expected %d: %w", name, first, expected, ErrCorrupt)
		}
	}
	r.log.closed = append(r.log.closed, segmentInfo{id, first, int64(len(b))})
	r.log.durable = id
	r.stats.Segments++
	r.next = first
	pos := segmentHeader
	for pos < len(b) {
		rec, ok := r.sums.parse(b, id, pos)
		if !ok || rec.seq != r.next {
			break
		}
		if err := r.fn(Record{rec.seq, rec.body, name, pos}); err != nil {
			return err
		}
		r.stats.Records++
		r.next++
		pos += rec.size()
	}
	// The padding of the last record may not be there.
	if pos >= len(b) {
		if last {
			// A killed process may not have synced it, and the next segment must not be created before that.
			return f.Sync()
		}
		return nil
	}
	if !last {
		return r.damaged(name, pos, len(b)-pos)
	}
	if rec, at := r.find(b, id, pos+alignment, r.next); at >= 0 && int(rec.synced) > pos {
		return r.damaged(name, pos, len(b)-pos)
	}
	r.stats.TornBytes += significant(b[pos:])
	return r.cut(f, id, pos)
}

// find returns the valid record behind pos that knows most to be synced, and its position, or -1.
func (r *replayer) find(b []byte, id uint64, pos int, next uint64) (best record, at int) {
	at = -1
	for ; pos+recordHeader <= len(b); pos += alignment {
		rec, ok := r.sums.parse(b, id, pos)
		if ok && rec.seq >= next && (at < 0 || rec.synced > best.synced) {
			best, at = rec, pos
		}
	}
	return best, at
}

// damaged returns the error of damage at pos of a segment, or counts it when damage is to be skipped.
func (r *replayer) damaged(name string, pos, size int) error {
	if r.log.opts.SkipCorrupt {
		r.stats.SkippedBytes += size
		return nil
	}
	return fmt.Errorf("segment %s, offset %d: %w", name, pos, ErrCorrupt)
}

// cut cuts a segment's torn end off; one without a header is removed.
func (r *replayer) cut(f vfs.File, id uint64, pos int) error {
	if pos == 0 {
		if err := r.log.fs.Remove(path.Join(r.log.dir, segmentName(id))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return r.log.fs.SyncDir(r.log.dir)
	}
	if err := f.Truncate(int64(pos)); err != nil {
		return err
	}
	return f.Sync()
}

// significant returns the length of b without the zeros at its end.
func significant(b []byte) int {
	n := len(b)
	for n > 0 && b[n-1] == 0 {
		n--
	}
	return n
}

// read reads all of f into the replayer's buffer.
func (r *replayer) read(f vfs.File) ([]byte, error) {
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if int64(cap(r.buf)) < size {
		r.buf = make([]byte, size)
	}
	b := r.buf[:size]
	n, err := f.ReadAt(b, 0)
	if err == io.EOF {
		err = nil
	}
	return b[:n], err
}
