package merge

import (
	"errors"

	"github.com/helenusdb/helenus/storage/row"
)

// ErrOpen is returned for a source whose partition ends inside a range deletion.
var ErrOpen = errors.New("a range deletion is open at the end of its partition")

// Partitions merges what several sources have of one partition; all are read in the same direction. The result has the
// greatest deletion of the partition; rows and markers ascend strictly, and markers alternate: one stands where the
// greatest deletion of ranges, Live where that of the partition is as great, changes. Rows are merged by row.Merge; what
// their own deletions, those of ranges and that of the partition hide is gone, and so are rows of which nothing is left;
// only counters keep hidden cells, whose shards a later increment goes on from.
//
// A single partition is returned as it is; nil ones are passed over, and without any the result is nil. Key and token are
// the first's. The result shares the bytes of what it was made of.
func Partitions(l *row.Layout, parts []*row.Partition, reversed bool) *row.Partition {
	n, last := 0, (*row.Partition)(nil)
	for _, p := range parts {
		if p != nil {
			n, last = n+1, p
		}
	}
	if n <= 1 {
		return last
	}
	m := &struct {
		merger
		part row.Partition
	}{}
	m.merge(&m.part, l, parts, reversed)
	return &m.part
}

// smallMerge is how many sources are merged without memory of their own.
const smallMerge = 4

// merger merges the rows and markers of partitions; it is used again for the next partition.
type merger struct {
	queue queue[*row.Unfiltered, unfilteredOrder]
	from  []row.Unfiltereds
	spent []int // sources whose item was given: the next call moves them on
	// open is what each source has open, active the greatest of them that is not idle under deletion, the partition's.
	open             []row.Deletion
	active, deletion row.Deletion
	buf, statics     [2]row.Row
	out              row.Unfiltered
	err              error

	smallHeads [smallMerge]head[*row.Unfiltered]
	smallFrom  [smallMerge]row.Unfiltereds
	smallOpen  [smallMerge]row.Deletion
	smallSpent [smallMerge]int
}

// unfilteredOrder orders rows and markers as they are read.
type unfilteredOrder struct {
	l        *row.Layout
	reversed bool
}

func (o unfilteredOrder) compare(a, b *row.Unfiltered) int {
	c, t := 0, o.l.Table
	switch {
	case a.Row != nil && b.Row != nil:
		c = row.CompareClustering(t, a.Row.Clustering, b.Row.Clustering)
	case a.Row != nil:
		c = b.Marker.CompareRow(t, a.Row.Clustering)
	case b.Row != nil:
		c = -a.Marker.CompareRow(t, b.Row.Clustering)
	default:
		c = row.CompareCuts(t, a.Marker.Cut, b.Marker.Cut)
	}
	if o.reversed {
		return -c
	}
	return c
}

// merge begins the merge of parts, of which nil ones are passed over, into dst.
func (m *merger) merge(dst *row.Partition, l *row.Layout, parts []*row.Partition, reversed bool) {
	if m.open == nil {
		m.queue.list, m.from, m.open, m.spent = m.smallHeads[:0], m.smallFrom[:0], m.smallOpen[:0], m.smallSpent[:0]
	}
	m.queue.order = unfilteredOrder{l, reversed}
	m.queue.list, m.from, m.open, m.spent = m.queue.list[:0], m.from[:0], m.open[:0], m.spent[:0]
	m.active, m.deletion, m.err = row.Live, row.Live, nil
	var static *row.Row
	for _, p := range parts {
		if p == nil {
			continue
		}
		if len(m.from) == 0 {
			dst.Key, dst.Token = p.Key, p.Token
		}
		m.deletion = m.deletion.Max(p.Deletion)
		if p.Static != nil {
			static = m.join(&m.statics, static, p.Static)
		}
		m.from = append(m.from, p.Rows)
		m.open = append(m.open, row.Live)
		// Rows are not asked for before the reader does: many readers want the static row alone.
		m.spent = append(m.spent, len(m.spent))
	}
	if static != nil {
		static = m.shadow(&m.statics, static, m.deletion)
	}
	dst.Deletion, dst.Static, dst.Rows = m.deletion, static, m
}

// join merges a row into one that is nil, of a source, or in one of the buffers.
func (m *merger) join(buf *[2]row.Row, r, other *row.Row) *row.Row {
	if r == nil {
		return other
	}
	dst := &buf[0]
	if r == dst {
		dst = &buf[1]
	}
	row.Merge(dst, r, other, m.queue.order.l)
	return dst
}

// shadow returns what an enclosing deletion leaves of a row, nil when it is nothing. A row of a source is copied when it
// has to change.
func (m *merger) shadow(buf *[2]row.Row, r *row.Row, active row.Deletion) *row.Row {
	if !active.IsLive() || !r.Deletion.IsLive() || len(r.Complex) > 0 {
		if r != &buf[0] && r != &buf[1] {
			copyRow(&buf[0], r)
			r = &buf[0]
		}
		if !m.queue.order.l.Counter {
			shadow(r, active)
		} else if !r.Deletion.Supersedes(active) {
			r.Deletion = row.Live
		}
	}
	if r.IsEmpty() {
		return nil
	}
	return r
}

// shadow applies an enclosing deletion to a row, in place, without repeating it in the row.
func shadow(r *row.Row, active row.Deletion) {
	own := r.Deletion
	r.Shadow(active)
	if !own.Supersedes(active) {
		r.Deletion = row.Live
	}
}

// copyRow copies r to dst, whose slices are used again; the bytes are shared.
func copyRow(dst, r *row.Row) {
	dst.Clustering, dst.Liveness, dst.Deletion = r.Clustering, r.Liveness, r.Deletion
	dst.Complex = append(dst.Complex[:0], r.Complex...)
	dst.Cells = append(dst.Cells[:0], r.Cells...)
}

// Next implements row.Unfiltereds.
func (m *merger) Next() *row.Unfiltered {
	for {
		for _, i := range m.spent {
			m.advance(i)
		}
		m.spent = m.spent[:0]
		front := m.queue.front()
		if len(front) == 0 || m.err != nil {
			return nil
		}
		for i := range front {
			m.spent = append(m.spent, front[i].from)
		}
		given := false
		if front[0].item.Row != nil {
			given = m.row(front)
		} else {
			given = m.marker(front)
		}
		m.queue.drop(len(front))
		if given {
			return &m.out
		}
	}
}

// advance takes the next item of source i.
func (m *merger) advance(i int) {
	u := m.from[i].Next()
	if u != nil {
		m.queue.push(u, i)
		return
	}
	err := m.from[i].Err()
	if err == nil && !m.open[i].IsLive() {
		err = ErrOpen
	}
	if err != nil && m.err == nil {
		m.err = err
	}
}

// row merges rows into m.out and reports whether anything is left.
func (m *merger) row(front []head[*row.Unfiltered]) bool {
	var r *row.Row
	for i := range front {
		r = m.join(&m.buf, r, front[i].item.Row)
	}
	active := m.active
	if active.IsLive() {
		active = m.deletion
	}
	m.out.Row = m.shadow(&m.buf, r, active)
	return m.out.Row != nil
}

// marker merges markers into m.out and reports whether the deletion changes there.
func (m *merger) marker(front []head[*row.Unfiltered]) bool {
	for i := range front {
		m.open[front[i].from] = front[i].item.Marker.Opened
	}
	now := row.Live
	for _, d := range m.open {
		now = now.Max(d)
	}
	if !now.Supersedes(m.deletion) {
		now = row.Live
	}
	if now == m.active {
		return false
	}
	m.out = row.Unfiltered{Marker: row.Marker{Cut: front[0].item.Marker.Cut, Closed: m.active, Opened: now}}
	m.active = now
	return true
}

// Err implements row.Unfiltereds.
func (m *merger) Err() error { return m.err }
