package sstable

import (
	"errors"

	"github.com/helenusdb/helenus/storage/row"
)

// Salvage reads what can be read of a damaged table: the partitions that the index leads to, but for those that are damaged or
// out of order. It is used by one goroutine:
//
//	for p := s.Next(); p != nil; p = s.Next() {
//		for u := p.Rows.Next(); u != nil; u = p.Rows.Next() { ... }
//	}
//
// An error of a partition's rows is not one of the salvage: the partition is noted as damaged, and the next one follows. Whoever
// writes partitions on, and cannot take half of one back, reads twice: once to find what is damaged, and again without that.
// Source: org.apache.cassandra.io.sstable.format.SortedTableScrubber.
type Salvage struct {
	s       *scan
	skip    map[int64]bool
	damaged map[int64]bool
}

// Salvage begins at the first partition. What skip holds is passed over: Damaged of another salvage; nil for nothing.
func (v *View) Salvage(skip map[int64]bool) *Salvage {
	s := v.scan(All())
	s.hold()
	return &Salvage{s, skip, map[int64]bool{}}
}

// Damaged returns the positions in the data of the partitions that were found damaged so far.
func (s *Salvage) Damaged() map[int64]bool { return s.damaged }

// Start returns where the partition that was given last begins in the data.
func (s *Salvage) Start() int64 { return s.s.p.start }

// Next implements row.Source.
func (s *Salvage) Next() *row.Partition {
	for {
		at := s.s.pos
		if p := s.s.next(); p != nil {
			if s.skip[p.start] {
				continue
			}
			return &p.Partition
		}
		if s.s.err == nil || !errors.Is(s.s.err, ErrCorrupt) {
			return nil
		}
		s.s.v.r.note(s.s.err)
		// What was passed was whole when the place has moved: then it is the one behind it that cannot be read.
		if s.s.pos > at {
			at = s.s.pos
		}
		s.damaged[at] = true
		next, ok := s.after(at)
		if !ok {
			next = s.s.end
		}
		s.s.on, s.s.pos, s.s.err = false, next, nil
	}
}

// after returns where the partition behind a place begins; ok is false when the index does not lead further.
func (s *Salvage) after(at int64) (pos int64, ok bool) {
	switch x := s.s.v.r.index.(type) {
	case *bigIndex:
		w := x.pages.window()
		for in := int64(0); in < x.size; {
			e, next, err := x.read(w, in)
			if err != nil {
				return 0, false
			}
			if e.position > at {
				return e.position, true
			}
			in = next
		}
	case *tries:
		w := &window{}
		t := newTrie(&window{}, x.partitions, x.trieEnd)
		_ = t.walk(x.root, func(l leaf) error {
			_, _, value, err := x.target(l)
			if err != nil {
				return err
			}
			if pos = ^value; value >= 0 {
				re, err := x.readRows(w, value)
				if err != nil {
					return err
				}
				pos = re.position
			}
			if pos > at && pos < s.s.end {
				ok = true
				return errFound
			}
			return nil
		})
	}
	return pos, ok
}

// errFound ends a walk.
var errFound = errors.New("found")

// Err implements row.Source. It is an error of the disk, never one of what it holds.
func (s *Salvage) Err() error { return s.s.err }

// Close implements row.Source.
func (s *Salvage) Close() { s.s.Close() }

// Position returns how many bytes of the uncompressed data were passed.
func (s *Salvage) Position() int64 { return s.s.Position() }
