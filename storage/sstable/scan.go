package sstable

import (
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
)

// KeyBound is one end of a Range: it has the fields, and the meaning, of request.KeyBound.
type KeyBound struct {
	// Open says that there is no bound; the other fields do not count then.
	Open  bool
	Token token.Token
	// Key is nil for a bound by token alone: the whole token is inside when inclusive and outside when not.
	Key       []byte
	Inclusive bool
}

// Range is a range of partitions in the order of token and key.
type Range struct{ Start, End KeyBound }

// All returns the range of every partition.
func All() Range { return Range{KeyBound{Open: true}, KeyBound{Open: true}} }

// compareBound orders a partition and a bound; 0 is a partition that the bound names.
func (r *Reader) compareBound(tok token.Token, key []byte, b *KeyBound) int {
	if b.Key == nil {
		return tok.Compare(b.Token)
	}
	return r.order.compare(tok, key, b.Token, b.Key)
}

// before reports whether a partition stands before the range, behind whether behind it.
func (r *Reader) before(tok token.Token, key []byte, rg *Range) bool {
	if rg.Start.Open {
		return false
	}
	d := r.compareBound(tok, key, &rg.Start)
	return d < 0 || d == 0 && !rg.Start.Inclusive
}

func (r *Reader) behind(tok token.Token, key []byte, rg *Range) bool {
	if rg.End.Open {
		return false
	}
	d := r.compareBound(tok, key, &rg.End)
	return d > 0 || d == 0 && !rg.End.Inclusive
}

// Scan reads the partitions of a range. It keeps a reference to the Reader until it is closed.
func (v *View) Scan(rg Range) row.Source {
	s := v.scan(rg)
	s.w.open(v.r.data.pages, v.chance)
	s.hold()
	return s
}

// Stream is Scan for who reads much, once: it reads ahead, looks at every checksum, and leaves the cache alone.
func (v *View) Stream(rg Range) row.Source { return v.StreamAhead(rg, scanAhead) }

// StreamAhead is Stream for who reads many tables at once: ahead is how many bytes of the file are read ahead, or one chunk if
// that is more.
func (v *View) StreamAhead(rg Range, ahead int64) row.Source {
	s := v.scan(rg)
	s.w.stream(v.r.data.pages, ahead)
	s.hold()
	return s
}

// scan reads partitions in the order of the table, for one goroutine.
type scan struct {
	v    *View
	w    window
	d    decoder
	p    partition
	rg   Range
	pos  int64
	end  int64
	on   bool // p is a partition that was given
	held bool
	err  error
	// last is the key of the partition that was opened last, if any was.
	last      []byte
	lastToken token.Token
	any       bool
}

// scan returns a stream that has no reference of its own.
func (v *View) scan(rg Range) *scan {
	s := &scan{v: v, end: v.r.data.length, rg: rg}
	s.w.stream(v.r.data.pages, scanAhead)
	s.d.open(v)
	return s
}

// hold takes a reference and looks for the first partition of the range.
func (s *scan) hold() {
	if s.held = s.v.r.Ref(); !s.held {
		s.err = errClosed
	}
	if s.err != nil || s.rg.Start.Open {
		return
	}
	pos, ok, err := s.v.r.index.seek(&s.rg)
	if s.err = err; !ok {
		pos = s.end
	}
	s.pos = pos
}

// Next implements row.Source.
func (s *scan) Next() *row.Partition {
	if p := s.next(); p != nil {
		return &p.Partition
	}
	s.err = s.v.r.note(s.err)
	return nil
}

// next returns the next partition, nil at the end. What was not read of the last one is passed over.
func (s *scan) next() *partition {
	if s.on {
		s.on = false
		if s.p.check != nil {
			for s.p.next() != nil {
			}
		} else {
			s.p.pass()
		}
		if s.err = s.p.err; s.err != nil {
			return nil
		}
		s.pos = s.p.pos
	}
	if s.err != nil || s.pos >= s.end {
		return nil
	}
	if s.err = s.p.open(s.v, &s.w, &s.d, s.pos, nil); s.err != nil {
		return nil
	}
	p := &s.p
	if s.any && s.v.r.order.compare(s.lastToken, s.last, p.Token, p.Key) >= 0 {
		s.err = &CorruptError{File: s.w.p.name, Offset: p.start, Data: true,
			Reason: "a partition does not stand behind the one before it"}
		return nil
	}
	s.last, s.lastToken, s.any = append(s.last[:0], p.Key...), p.Token, true
	if s.v.r.behind(p.Token, p.Key, &s.rg) {
		s.pos = s.end
		return nil
	}
	s.on = true
	return p
}

// Err implements row.Source.
func (s *scan) Err() error { return s.err }

// Close implements row.Source.
func (s *scan) Close() {
	if s.held {
		s.held = false
		s.v.r.Unref()
	}
	s.on, s.pos = false, s.end
}

// seek implements partitionIndex.
func (x *bigIndex) seek(rg *Range) (pos int64, ok bool, err error) {
	at := int64(0)
	i, _ := search(x.summary.len(), func(i int) (bool, error) {
		k, _ := x.summary.entry(i)
		return !x.r.before(x.r.order.token(k), k, rg), nil
	})
	if i > 0 {
		_, at = x.summary.entry(i - 1)
	}
	w := x.pages.window()
	for at < x.size {
		e, next, err := x.read(w, at)
		if err != nil {
			return 0, false, err
		}
		if !x.r.before(x.r.order.token(e.key), e.key, rg) {
			return e.position, true, nil
		}
		at = next
	}
	return 0, false, nil
}

// behindToken makes the path of a token one that stands behind all of its keys.
const behindToken = 0xff

// seek implements partitionIndex. A leaf's path is only as long as it has to be, so that one that leads to the bound, but not
// all the way, can be of a partition before it or behind it.
func (x *tries) seek(rg *Range) (pos int64, ok bool, err error) {
	b := &rg.Start
	var path []byte
	switch {
	case b.Key != nil:
		path = appendKey(nil, &x.r.order, b.Key, b.Token)
	case x.r.order.partitioner != nil:
		if path = appendToken(nil, x.r.order.partitioner, b.Token); !b.Inclusive {
			path = append(path, behindToken)
		}
	}
	keys := &window{}
	t := newTrie(&window{}, x.partitions, x.trieEnd)
	l, ok, err := t.prefix(x.root, path)
	for {
		if err != nil {
			return 0, false, err
		}
		if ok {
			_, _, value, err := x.target(l)
			if err != nil {
				return 0, false, err
			}
			re, err := x.resolve(keys, value)
			if err != nil {
				return 0, false, err
			}
			if !x.r.before(x.r.order.token(re.key), re.key, rg) {
				return re.position, true, nil
			}
			path = l.path
		}
		if l, ok, err = t.above(x.root, path, nil); err == nil && !ok {
			return 0, false, nil
		}
	}
}
