package exec

import (
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/planner/function"
	"github.com/helenusdb/helenus/storage/row"
)

// group is the rows that are being drawn together. It owns its bytes: rows are gone when the next is read.
type group struct {
	open   bool
	first  planner.Input // the values of its first row, and the results of the aggregates when it ends
	by     []byte        // what GROUP BY computed from its first row
	states []function.Accumulator
	args   [][]byte
	// last is the position of its last row.
	last    position
	buf     []byte
	started position // the clustering of its first row
}

// emptied is a group that has nothing but the buffers of g.
func (g *group) emptied() group {
	clear(g.first.Values)
	clear(g.first.Aggregates)
	clear(g.states)
	clear(g.args)
	return group{
		first:  planner.Input{Values: g.first.Values[:0], Aggregates: g.first.Aggregates[:0]},
		states: g.states[:0], args: g.args[:0], buf: g.buf[:0],
		last: g.last.emptied(), started: g.started.emptied(),
	}
}

// position is a copy of where a row stands.
type position struct {
	key        []byte
	clustering [][]byte
	static     bool // the row is the static one, or stands alone in its partition
	buf        []byte
}

// set copies the position of a row; r is nil for a static one.
func (p *position) set(key []byte, r *row.Row) {
	p.buf = append(p.buf[:0], key...)
	p.clustering = p.clustering[:0]
	p.static = r == nil || len(r.Clustering) == 0
	if r != nil {
		size := len(key)
		for _, v := range r.Clustering {
			p.buf = append(p.buf, v...)
			size += len(v)
		}
		at := len(key)
		for _, v := range r.Clustering {
			p.clustering = append(p.clustering, p.buf[at:at+len(v):at+len(v)])
			at += len(v)
		}
	}
	p.key = p.buf[:len(key):len(key)]
}

// emptied is a position that has nothing but the buffers of p.
func (p *position) emptied() position {
	clear(p.clustering)
	return position{clustering: p.clustering[:0], buf: p.buf[:0]}
}

// row is the position as a row, for next.
func (p *position) row() *row.Row {
	if p.static {
		return nil
	}
	return &row.Row{Clustering: p.clustering}
}

// groupedRows reads rows and sends one for each group. A group ends where a row of another begins, or its partition does; a
// page ends with a group. Source: org.apache.cassandra.db.aggregation.GroupMaker, service.pager.AggregationQueryPager.
func (s *selecting) groupedRows(it row.Iterator) ([]byte, error) {
	g := &s.group
	everything := s.plan.Group.Everything
	if everything {
		if err := s.openGroup(); err != nil {
			return nil, err
		}
	}
	for it.NextPartition() {
		if g.open && !everything {
			if state, end, err := s.closeGroup(); end || err != nil {
				return state, err
			}
		}
		s.openPartition(it)
		any := false
		for s.inPartition > 0 {
			r := it.NextRow()
			if r == nil {
				break
			}
			any = true
			if err := s.fetch(it.Key(), it.Static(), r); err != nil {
				return nil, err
			}
			same, err := s.sameGroup(r)
			if err != nil {
				return nil, err
			}
			if g.open && !same {
				if state, end, err := s.closeGroup(); end || err != nil {
					return state, err
				}
				if s.inPartition == 0 {
					break
				}
			}
			if err := s.addRow(it.Key(), r); err != nil {
				return nil, err
			}
			if s.plan.Distinct {
				break
			}
		}
		if !any && s.staticRow(it) {
			if err := s.fetch(it.Key(), it.Static(), nil); err != nil {
				return nil, err
			}
			if err := s.addRow(it.Key(), nil); err != nil {
				return nil, err
			}
		}
	}
	if err := it.Err(); err != nil {
		return nil, err
	}
	if g.open {
		if state, end, err := s.closeGroup(); end || err != nil {
			return state, err
		}
	}
	return nil, s.emitSorted()
}

// openGroup begins a group, which has no row yet.
func (s *selecting) openGroup() error {
	g := &s.group
	g.open, g.by = true, nil
	g.buf = g.buf[:0]
	grow(&g.first.Values, len(s.plan.Fetch))
	grow(&g.first.Aggregates, len(s.plan.Aggregates))
	g.states = g.states[:0]
	for _, a := range s.plan.Aggregates {
		g.states = append(g.states, a.New())
	}
	g.started.static = true
	g.started.clustering = g.started.clustering[:0]
	g.last.key = nil
	return nil
}

// sameGroup reports whether the row in s.in belongs to the open group; its partition does.
// Source: GroupMaker.PkPrefixGroupMaker, SelectorGroupMaker.
func (s *selecting) sameGroup(r *row.Row) (bool, error) {
	g, by := &s.group, s.plan.Group
	if !g.open || by.Everything {
		return true, nil
	}
	n := by.Clustering
	if by.By != nil {
		n--
	}
	for i := range n {
		if s.table.Clustering[i].Compare(g.started.clustering[i], r.Clustering[i]) != 0 {
			return false, nil
		}
	}
	if by.By == nil {
		return true, nil
	}
	v, err := by.By.Eval(&s.in, s.env)
	if err != nil || (v == nil) != (g.by == nil) {
		return false, err
	}
	return v == nil || by.By.Type().Compare(g.by, v) == 0, nil
}

// addRow adds the row in s.in to the open group, or begins one with it.
func (s *selecting) addRow(key []byte, r *row.Row) error {
	g := &s.group
	if !g.open {
		if err := s.openGroup(); err != nil {
			return err
		}
	}
	if g.last.key == nil {
		for i, v := range s.in.Values {
			if v != nil {
				at := len(g.buf)
				g.buf = append(g.buf, v...)
				g.first.Values[i] = g.buf[at:len(g.buf):len(g.buf)]
			}
		}
		g.started.set(key, r)
		if by := s.plan.Group.By; by != nil && r != nil {
			v, err := by.Eval(&s.in, s.env)
			if err != nil {
				return err
			}
			g.by = append([]byte(nil), v...)
			if v == nil {
				g.by = nil
			}
		}
	}
	for i, a := range s.plan.Aggregates {
		g.args = g.args[:0]
		for _, arg := range a.Args {
			v, err := arg.Eval(&s.in, s.env)
			if err != nil {
				return err
			}
			g.args = append(g.args, v)
		}
		if err := g.states[i].Add(g.args); err != nil {
			return err
		}
	}
	g.last.set(key, r)
	return nil
}

// closeGroup sends the row of the open group. end says that the page, or the statement, ends with it.
func (s *selecting) closeGroup() (state []byte, end bool, err error) {
	g := &s.group
	g.open = false
	for i := range g.states {
		if g.first.Aggregates[i], err = g.states[i].Result(); err != nil {
			return nil, true, err
		}
	}
	if err := s.emit(&g.first); err != nil {
		return nil, true, err
	}
	if s.inPartition != noLimit {
		s.inPartition--
	}
	if s.full() && !s.plan.Group.Everything {
		return s.next(g.last.key, g.last.row()), true, nil
	}
	return nil, false, nil
}
