package sstable

import (
	"bytes"

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
	s := &scan{v: v, w: v.r.data.window(), d: newDecoder(v), end: v.r.data.length, rg: rg}
	if s.held = v.r.Ref(); !s.held {
		s.err = errClosed
	}
	s.begin()
	return s
}

// scan reads partitions in the order of the table, for one goroutine.
type scan struct {
	v    *View
	w    *window
	d    *decoder
	p    partition
	rg   Range
	pos  int64
	end  int64
	on   bool // p is a partition that was given
	held bool
	err  error
}

// scan reads all partitions without a reference of its own.
func (v *View) scan() *scan {
	return &scan{v: v, w: v.r.data.window(), d: newDecoder(v), end: v.r.data.length, rg: All()}
}

// begin looks for the first partition of the range.
func (s *scan) begin() {
	if s.err != nil || s.rg.Start.Open {
		return
	}
	pos, ok, err := s.v.r.index.seek(s.v, &s.rg)
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
		for s.p.next() != nil {
		}
		if s.err = s.p.err; s.err != nil {
			s.on = false
			return nil
		}
		s.pos = s.p.pos
	}
	for s.on = false; s.err == nil && s.pos < s.end; {
		if s.err = s.p.open(s.v, s.w, s.d, s.pos); s.err != nil {
			break
		}
		if s.v.r.behind(s.p.Token, s.p.Key, &s.rg) {
			s.pos = s.end
			break
		}
		s.on = true
		return &s.p
	}
	return nil
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
func (x *bigIndex) seek(_ *View, rg *Range) (pos int64, ok bool, err error) {
	at := int64(0)
	i, _ := search(x.summary.len(), func(i int) (bool, error) {
		k, _ := x.summary.entry(i)
		return !x.r.before(x.r.order.token(k), k, rg), nil
	})
	if i > 0 {
		if at, err = x.sampled(i - 1); err != nil {
			return 0, false, err
		}
	}
	w := newWindow(x.f, x.name, x.size, indexStep)
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

// seek implements partitionIndex. A leaf's path is only as long as it has to be, so that the first one that is not before the
// bound's may still be of a partition that is.
func (x *tries) seek(v *View, rg *Range) (pos int64, ok bool, err error) {
	b := &rg.Start
	var path []byte
	switch {
	case b.Key != nil:
		path = appendKey(nil, &x.r.order, b.Key)
	case x.r.order.partitioner != nil:
		path = appendToken(nil, x.r.order.partitioner, b.Token)
	}
	err = newTrie(x.partitions, x.partitionsName, x.trieEnd).walkFrom(x.root, path, func(l leaf) error {
		_, _, value, err := x.target(l)
		if err != nil {
			return err
		}
		e, key, err := x.resolve(v, value)
		if err != nil {
			return err
		}
		if x.r.before(x.r.order.token(key), key, rg) {
			return nil
		}
		pos, ok = e.position, true
		return errStopped
	})
	if ok {
		err = nil
	}
	return pos, ok, err
}

// walkFrom is walk from the first leaf on that stands at or behind a path, or whose own path is the begin of it.
func (t *trie) walkFrom(root int64, from []byte, fn func(l leaf) error) error {
	return t.walk(root, func(l leaf) error {
		if n := min(len(l.path), len(from)); bytes.Compare(l.path[:n], from[:n]) < 0 {
			return nil
		}
		return fn(l)
	})
}
