package sstable

import (
	"slices"

	"github.com/helenusdb/helenus/storage/row"
)

// Lookup opens the partition of a key; it returns nil when the table does not have it. Rows and markers come from the slices
// alone, which ascend and do not overlap; nil stands for the whole partition, and a list of no slices selects none of its rows.
// Where a range deletion reaches into a slice, a marker opens it where the slice begins, and one closes it where the slice
// ends. When reversed is true all comes backwards, and a marker's Closed is still what ends there in the order of reading.
//
// The partition is used by one goroutine and needs no closing; the caller holds a reference to the Reader as long as it reads.
// What it gives is valid until the next call, its key, static row and deletion as long as it is used.
func (v *View) Lookup(key []byte, slices []row.Slice, reversed bool) (*row.Partition, error) {
	p, err := v.lookup(key, slices, reversed)
	if err != nil || p == nil {
		return nil, v.r.note(err)
	}
	return &p.Partition, nil
}

// lookup is Lookup without its error being noted.
func (v *View) lookup(key []byte, slices []row.Slice, reversed bool) (*partition, error) {
	if !v.r.MayContain(key) {
		return nil, nil
	}
	e, ok, err := v.r.index.find(v, key)
	if err != nil || !ok {
		return nil, err
	}
	p, err := openPartition(v, v.r.data.window(), newDecoder(v), e.position)
	if err != nil {
		return nil, err
	}
	if string(p.Key) != string(key) {
		p.pos = p.start
		p.fail("the index points here for another key")
		return nil, p.err
	}
	if slices == nil {
		slices = []row.Slice{row.All}
	}
	s := &slicer{v: v, p: p, blocks: e.blocks, open: row.Live}
	if s.blocks == nil {
		s.blocks = &wholePartition{p}
	}
	for i := range slices {
		c := cuts{row.StartCut(slices[i].Start), row.EndCut(slices[i].End)}
		if v.compare(c.start.Values, side(c.start), c.end.Values, side(c.end)) < 0 {
			s.slices = append(s.slices, c)
		}
	}
	p.pull = s.forward
	if reversed {
		p.pull = s.backward
		s.i = len(s.slices)
	}
	return p, nil
}

// wholePartition is the block of a partition without an index.
type wholePartition struct{ p *partition }

func (w *wholePartition) count() int { return 1 }

func (w *wholePartition) span(int) (start, end int64, open row.Deletion, err error) {
	return w.p.rows - w.p.start, w.p.w.length - w.p.start, row.Live, nil
}

func (w *wholePartition) floor(row.Cut) (int, error) { return 0, nil }

// cuts is a slice.
type cuts struct{ start, end row.Cut }

// slicer gives what of a partition is inside of slices.
type slicer struct {
	v      *View
	p      *partition
	blocks blockList
	slices []cuts
	i      int // the slice; backward the one behind it
	inside bool
	sought bool         // the block where the slice begins was sought
	begun  bool         // some block was
	open   row.Deletion // open at the present place
	ahead  *unfiltered  // read and not given
	edge   unfiltered   // the marker at the end of a slice
	// Backward: what of the present slice and block is still to be given, the next block of the slice, and those where it
	// begins and ends.
	buffer             []unfiltered
	block, first, last int
}

// marker makes a marker at the end of a slice.
func (s *slicer) marker(c row.Cut, closed, opened row.Deletion) *unfiltered {
	s.edge = unfiltered{Unfiltered: row.Unfiltered{Marker: row.Marker{Cut: c, Closed: closed, Opened: opened}}, position: -1}
	return &s.edge
}

// place compares a row or marker with a cut; a marker may stand at it.
func (s *slicer) place(u *unfiltered, c row.Cut) int {
	if u.Row != nil {
		return s.v.compare(u.Row.Clustering, 0, c.Values, side(c))
	}
	return s.v.compare(u.Marker.Values, side(u.Marker.Cut), c.Values, side(c))
}

// seek moves to the block where a slice begins unless it is already there or behind it.
func (s *slicer) seek(c row.Cut) {
	i, err := s.blocks.floor(c)
	if err != nil {
		s.p.err = err
		return
	}
	start, _, open, err := s.blocks.span(i)
	if err != nil {
		s.p.err = err
		return
	}
	if s.begun && s.p.start+start <= s.p.pos {
		return
	}
	s.begun, s.ahead, s.open = true, nil, open
	s.p.seek(start)
}

// forward is partition.pull.
func (s *slicer) forward() *unfiltered {
	for s.i < len(s.slices) && s.p.err == nil {
		c := &s.slices[s.i]
		if !s.sought {
			if s.seek(c.start); s.p.err != nil {
				return nil
			}
			s.sought = true
		}
		if s.ahead == nil {
			if s.ahead = s.p.forward(); s.p.err != nil {
				return nil
			}
		}
		u := s.ahead
		if u == nil && !s.open.IsLive() {
			s.p.fail("a range deletion is open at the end of its partition")
			return nil
		}
		switch {
		case !s.inside && u != nil && s.place(u, c.start) <= 0:
			// A row before the slice, or a marker up to where it begins.
			if s.ahead = nil; u.Row == nil {
				s.open = u.Marker.Opened
			}
		case !s.inside:
			if s.inside = true; !s.open.IsLive() {
				return s.marker(c.start, row.Live, s.open)
			}
		case u == nil || s.place(u, c.end) >= 0:
			s.inside, s.sought = false, false
			if s.i++; !s.open.IsLive() {
				return s.marker(c.end, s.open, row.Live)
			}
		default:
			if s.ahead = nil; u.Row == nil {
				s.open = u.Marker.Opened
			}
			return u
		}
	}
	return nil
}

// backward is partition.pull of a reversed reading.
func (s *slicer) backward() *unfiltered {
	for s.p.err == nil {
		if n := len(s.buffer); n > 0 {
			u := &s.buffer[n-1]
			s.buffer = s.buffer[:n-1]
			if u.Row == nil {
				u.Marker.Closed, u.Marker.Opened = u.Marker.Opened, u.Marker.Closed
			}
			return u
		}
		if s.inside && s.block >= s.first {
			s.fill()
			s.block--
			continue
		}
		if s.i == 0 {
			return nil
		}
		s.i--
		s.inside = true
		var err error
		if s.first, err = s.blocks.floor(s.slices[s.i].start); err == nil {
			s.last, err = s.blocks.floor(s.slices[s.i].end)
		}
		s.block = s.last
		s.p.err = err
	}
	return nil
}

// fill reads the present block forward and keeps what of the slice is in it.
func (s *slicer) fill() {
	start, end, open, err := s.blocks.span(s.block)
	if err != nil {
		s.p.err = err
		return
	}
	c := &s.slices[s.i]
	lastBlock := s.block == s.blocks.count()-1
	last := s.block == s.last
	inside := s.block > s.first
	s.buffer = s.buffer[:0]
	keep := func(u *unfiltered) {
		k := *u
		if k.Row != nil {
			k.Row = k.Row.Clone()
		} else {
			k.Marker.Values = slices.Clone(k.Marker.Values)
			cloneValues(k.Marker.Values)
		}
		s.buffer = append(s.buffer, k)
	}
	enter := func() {
		if inside = true; !open.IsLive() {
			keep(s.marker(c.start, row.Live, open))
		}
	}
	s.p.seek(start)
	done := false
	for !done && (lastBlock || s.p.pos < s.p.start+end) {
		u := s.p.forward()
		if u == nil {
			break
		}
		if !inside && s.place(u, c.start) <= 0 {
			if u.Row == nil {
				open = u.Marker.Opened
			}
			continue
		}
		if !inside {
			enter()
		}
		if last && s.place(u, c.end) >= 0 {
			done = true
			break
		}
		if u.Row == nil {
			open = u.Marker.Opened
		}
		keep(u)
	}
	if s.p.err != nil {
		return
	}
	if lastBlock && !done && !open.IsLive() {
		s.p.fail("a range deletion is open at the end of its partition")
		return
	}
	if !inside {
		// The slice begins between this block and the next, where a deletion may be open.
		enter()
	}
	if last && !open.IsLive() {
		keep(s.marker(c.end, open, row.Live))
	}
}
