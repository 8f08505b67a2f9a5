package sstable

import (
	"github.com/helenusdb/helenus/storage/row"
)

// cuts is a slice.
type cuts struct{ start, end row.Cut }

// slicer gives what of a partition is inside of slices.
type slicer struct {
	v        *View
	p        *partition
	blocks   blockIndex
	slices   []cuts
	reversed bool
	i        int // the slice; backward the one behind it
	inside   bool
	sought   bool         // the block where the slice begins was sought
	begun    bool         // some block was
	ahead    bool         // the partition's head stands at what was not given yet
	ended    bool         // or at its end
	open     row.Deletion // open at the present place
	edge     unfiltered   // the marker at the end of a slice
	// Backward: what of the present slice and block is still to be given, the block, the one where the slice begins, and what
	// the copies consist of.
	buffer      []unfiltered
	block       block
	first, last int64
	rows        []row.Row
	cells       []row.Cell
	values      [][]byte
}

// start prepares s for the slices of a partition.
func (s *slicer) start(v *View, p *partition, blocks blockIndex, slices []row.Slice, reversed bool) {
	*s = slicer{v: v, p: p, blocks: blocks, reversed: reversed, open: row.Live, slices: s.slices[:0], buffer: s.buffer[:0],
		rows: s.rows[:0], cells: s.cells[:0], values: s.values[:0]}
	for i := range slices {
		c := cuts{row.StartCut(slices[i].Start), row.EndCut(slices[i].End)}
		if v.compare(c.start.Values, side(c.start), c.end.Values, side(c.end)) < 0 {
			s.slices = append(s.slices, c)
		}
	}
	if reversed {
		s.i = len(s.slices)
	}
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
	if len(c.Values) == 0 && !c.After {
		// Where the partition begins; nothing stands before.
		s.begun = true
		return
	}
	b, err := s.blocks.floor(c)
	if err != nil {
		s.p.err = err
		return
	}
	if s.begun && s.p.start+b.start <= s.p.pos {
		return
	}
	s.begun, s.ahead, s.ended, s.open = true, false, false, b.open
	s.p.seek(b.start)
}

// forward is partition.next of a reading in the order of the file.
func (s *slicer) forward() *unfiltered {
	for s.i < len(s.slices) {
		c := &s.slices[s.i]
		if !s.sought {
			if s.seek(c.start); s.p.err != nil {
				return nil
			}
			s.sought = true
		}
		if !s.ahead {
			s.ahead, s.ended = true, s.p.head() == nil
			if s.p.err != nil {
				return nil
			}
			if s.ended && !s.open.IsLive() {
				s.p.fail("a range deletion is open at the end of its partition")
				return nil
			}
		}
		u := &s.p.d.u
		switch {
		case !s.inside && !s.ended && s.place(u, c.start) <= 0:
			// A row before the slice, or a marker up to where it begins.
			if s.ahead = false; u.Row == nil {
				s.open = u.Marker.Opened
			}
			s.p.skip()
		case !s.inside:
			if s.inside = true; !s.open.IsLive() {
				return s.marker(c.start, row.Live, s.open)
			}
		case s.ended || s.place(u, c.end) >= 0:
			s.inside, s.sought = false, false
			if s.i++; !s.open.IsLive() {
				return s.marker(c.end, s.open, row.Live)
			}
		default:
			s.ahead = false
			if u = s.p.rest(); s.p.err != nil {
				return nil
			}
			if u == nil {
				continue
			}
			if u.Row == nil {
				s.open = u.Marker.Opened
			}
			return u
		}
	}
	return nil
}

// backward is partition.next of a reversed reading: block after block from the end, each read forward and given backwards.
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
		if s.inside {
			if s.fill(); s.p.err != nil {
				return nil
			}
			if s.inside = s.block.start > s.first; s.inside {
				s.block, s.p.err = s.blocks.before(&s.block)
			}
			continue
		}
		if s.i == 0 {
			return nil
		}
		s.i--
		s.inside = true
		first, err := s.blocks.floor(s.slices[s.i].start)
		if err == nil {
			s.block, err = s.blocks.floor(s.slices[s.i].end)
		}
		s.first, s.last, s.p.err = first.start, s.block.start, err
	}
	return nil
}

// fill reads the present block forward and keeps what of the slice is in it.
func (s *slicer) fill() {
	c, b := &s.slices[s.i], &s.block
	last := b.start == s.last
	inside := b.start > s.first
	open := b.open
	s.buffer, s.rows, s.cells, s.values = s.buffer[:0], s.rows[:0], s.cells[:0], s.values[:0]
	enter := func() {
		if inside = true; !open.IsLive() {
			s.keep(s.marker(c.start, row.Live, open))
		}
	}
	s.p.seek(b.start)
	done := false
	for b.last || s.p.pos < s.p.start+b.end {
		u := s.p.head()
		if u == nil {
			break
		}
		if !inside && s.place(u, c.start) <= 0 {
			if u.Row == nil {
				open = u.Marker.Opened
			}
			s.p.skip()
			continue
		}
		if !inside {
			enter()
		}
		if last && s.place(u, c.end) >= 0 {
			done = true
			break
		}
		if u = s.p.rest(); s.p.err != nil {
			return
		}
		if u == nil {
			continue
		}
		if u.Row == nil {
			open = u.Marker.Opened
		}
		s.keep(u)
	}
	if s.p.err != nil {
		return
	}
	if b.last && !done && !open.IsLive() {
		s.p.fail("a range deletion is open at the end of its partition")
		return
	}
	if !inside {
		// The slice begins between this block and the next, where a deletion may be open.
		enter()
	}
	if last && !open.IsLive() {
		s.keep(s.marker(c.end, open, row.Live))
	}
}

// keep appends a copy to the buffer. What it consists of is copied too unless it stays as it is.
func (s *slicer) keep(u *unfiltered) {
	k := *u
	if k.Row == nil {
		k.Marker.Values = s.keepValues(k.Marker.Values)
		s.buffer = append(s.buffer, k)
		return
	}
	if !s.p.w.lasts() {
		k.Row = k.Row.Clone()
		s.buffer = append(s.buffer, k)
		return
	}
	n := len(s.cells)
	s.cells = append(s.cells, u.Row.Cells...)
	r := *u.Row
	r.Cells = s.cells[n:len(s.cells):len(s.cells)]
	r.Complex = append([]row.ComplexDeletion(nil), r.Complex...)
	if r.Clustering != nil {
		r.Clustering = s.keepValues(r.Clustering)
	}
	// Growing leaves those that are in the buffer where they are.
	s.rows = append(s.rows, r)
	k.Row = &s.rows[len(s.rows)-1]
	s.buffer = append(s.buffer, k)
}

// keepValues returns a copy of a clustering or prefix.
func (s *slicer) keepValues(values [][]byte) [][]byte {
	n := len(s.values)
	s.values = append(s.values, values...)
	kept := s.values[n:len(s.values):len(s.values)]
	if !s.p.w.lasts() {
		cloneValues(kept)
	}
	return kept
}
