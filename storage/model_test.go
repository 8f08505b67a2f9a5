package storage

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/row"
)

// The model is a list of facts: every deletion, marker and cell that was ever written. It answers a read by looking at all of
// them, by rules written down a second time. To answer in time the facts lie with their partition and row, and those that
// others make void for good are forgotten when a row has many (fold).

// factKind says what a fact is.
type factKind uint8

const (
	factPartition factKind = iota // deletion
	factRange                     // slice, deletion
	factRow                       // clustering, deletion
	factMarker                    // clustering, marker
	factCell                      // clustering, cell
	factComplex                   // clustering, column, deletion
)

// fact is one thing written to a partition.
type fact struct {
	kind factKind
	// event is the number of the write, in the order of writing.
	event      int
	key        string
	slice      row.Slice
	clustering [][]byte // nil is static
	deletion   row.Deletion
	marker     row.Liveness
	cell       row.Cell
	column     schema.ColumnID
}

// model is all facts of a table; those behind event floor and up to limit count.
type model struct {
	t            *schema.Table
	parts        map[string]*modelPartition
	floor, limit int
	// without are events of which nothing is there.
	without map[int]bool
	// forgets says that void facts may be forgotten: nobody asks for an earlier event.
	forgets bool
}

// modelPartition is the facts of a partition.
type modelPartition struct {
	key       string
	tok       token.Token
	deletions []fact // factPartition
	ranges    []fact // factRange
	static    *modelRow
	rows      []*modelRow // in stored order
}

// modelRow is the facts of a row.
type modelRow struct {
	clustering [][]byte
	facts      []fact
}

// liveRow is a row as a client sees it.
type liveRow struct {
	clustering [][]byte
	cells      []row.Cell
	marker     bool
}

// livePartition is a partition as a client sees it.
type livePartition struct {
	key    string
	static *liveRow
	rows   []liveRow
}

func newModel(t *schema.Table) *model {
	return &model{t: t, parts: map[string]*modelPartition{}, limit: int(^uint(0) >> 1), forgets: true}
}

// add notes facts.
func (m *model) add(facts []fact) {
	for i := range facts {
		f := &facts[i]
		p := m.parts[f.key]
		if p == nil {
			p = &modelPartition{key: f.key, tok: token.Murmur3{}.Token([]byte(f.key)), static: &modelRow{}}
			m.parts[f.key] = p
		}
		switch {
		case f.kind == factPartition:
			p.deletions = append(p.deletions, *f)
			if m.forgets {
				m.forgetRanges(p)
			}
		case f.kind == factRange:
			p.ranges = append(p.ranges, *f)
		case f.clustering == nil:
			p.static.facts = append(p.static.facts, *f)
		default:
			n, found := slices.BinarySearchFunc(p.rows, f.clustering, func(r *modelRow, c [][]byte) int {
				return m.compareClustering(r.clustering, c)
			})
			if !found {
				p.rows = slices.Insert(p.rows, n, &modelRow{clustering: f.clustering})
			}
			p.rows[n].facts = append(p.rows[n].facts, *f)
		}
	}
}

// truncate forgets all facts, or leaves them behind.
func (m *model) truncate(event int) {
	m.floor = event
	if m.forgets {
		m.parts = map[string]*modelPartition{}
	}
}

// forgetRanges leaves out what the newest deletion of a partition makes void.
func (m *model) forgetRanges(p *modelPartition) {
	newest := slices.MaxFunc(p.deletions, func(a, b fact) int { return cmp.Compare(a.deletion.Timestamp, b.deletion.Timestamp) })
	p.deletions = append(p.deletions[:0], newest)
	p.ranges = slices.DeleteFunc(p.ranges, func(f fact) bool { return f.deletion.Timestamp <= newest.deletion.Timestamp })
}

func (m *model) compareClustering(a, b [][]byte) int {
	for i := range min(len(a), len(b)) {
		c := m.t.Clustering[i].Type.Compare(a[i], b[i])
		if m.t.Clustering[i].Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// inside reports whether a row is in a slice.
func (m *model) inside(s row.Slice, clustering [][]byte) bool {
	if len(s.Start.Values) > 0 {
		if c := m.compareClustering(clustering, s.Start.Values); c < 0 || c == 0 && !s.Start.Inclusive {
			return false
		}
	}
	if len(s.End.Values) > 0 {
		if c := m.compareClustering(clustering, s.End.Values); c > 0 || c == 0 && !s.End.Inclusive {
			return false
		}
	}
	return true
}

// beats reports whether cell a survives cell b.
func beats(a, b *row.Cell) bool {
	rank := func(c *row.Cell) [5]int64 {
		var fades, tomb, local int64
		if c.Local != row.NoLocal {
			fades, local = 1, c.Local
			if c.TTL == 0 {
				tomb = 1
			}
		}
		return [5]int64{c.Timestamp, fades, tomb, local, -int64(c.TTL)}
	}
	x, y := rank(a), rank(b)
	if c := slices.Compare(x[:], y[:]); c != 0 {
		return c > 0
	}
	return bytes.Compare(a.Value, b.Value) > 0
}

// counts reports whether a fact was written in the time that m is asked about.
func (m *model) counts(f *fact) bool {
	return f.event > m.floor && f.event <= m.limit && (m.without == nil || !m.without[f.event])
}

// merged is what survives of a row's facts: the newest deletion of it (event of it and) of each column, the marker, the cells.
type merged struct {
	deleted fact
	columns []fact
	marker  fact
	cells   []fact
}

// merge looks at all facts of a row.
func (m *model) merge(r *modelRow) merged {
	out := merged{deleted: fact{deletion: row.Live}, marker: fact{marker: row.NoLiveness}}
	for i := range r.facts {
		f := &r.facts[i]
		if !m.counts(f) {
			continue
		}
		switch f.kind {
		case factRow:
			if f.deletion.Timestamp > out.deleted.deletion.Timestamp {
				out.deleted = *f
			}
		case factMarker:
			if f.marker.Supersedes(out.marker.marker) {
				out.marker = *f
			}
		case factComplex:
			n := slices.IndexFunc(out.columns, func(o fact) bool { return o.column == f.column })
			if n < 0 {
				out.columns = append(out.columns, *f)
			} else if f.deletion.Timestamp > out.columns[n].deletion.Timestamp {
				out.columns[n] = *f
			}
		case factCell:
			n := slices.IndexFunc(out.cells, func(o fact) bool {
				return o.cell.Column == f.cell.Column && bytes.Equal(o.cell.Path, f.cell.Path)
			})
			if n < 0 {
				out.cells = append(out.cells, *f)
			} else if beats(&f.cell, &out.cells[n].cell) {
				out.cells[n] = *f
			}
		}
	}
	return out
}

// foldAbove is the number of facts from which a row forgets what is void.
const foldAbove = 48

// fold keeps of a row's facts those that survive. What a deletion hides has a timestamp at or below it and so has all that it
// beat: nothing comes back when one of them is forgotten.
func (m *model) fold(r *modelRow, x *merged) {
	if !m.forgets || len(r.facts) < foldAbove {
		return
	}
	r.facts = r.facts[:0]
	if x.deleted.kind == factRow {
		r.facts = append(r.facts, x.deleted)
	}
	if x.marker.kind == factMarker {
		r.facts = append(r.facts, x.marker)
	}
	r.facts = append(append(r.facts, x.columns...), x.cells...)
}

// row returns what lives of a row; nil when nothing does.
func (m *model) row(p *modelPartition, r *modelRow, deleted int64, now int64) *liveRow {
	if len(r.facts) == 0 {
		return nil
	}
	x := m.merge(r)
	m.fold(r, &x)
	deleted = max(deleted, x.deleted.deletion.Timestamp)
	if r.clustering != nil {
		for i := range p.ranges {
			f := &p.ranges[i]
			if f.deletion.Timestamp > deleted && m.counts(f) && m.inside(f.slice, r.clustering) {
				deleted = f.deletion.Timestamp
			}
		}
	}
	out := &liveRow{clustering: r.clustering}
	marker := x.marker.marker
	out.marker = marker.Timestamp != row.NoTimestamp && marker.Timestamp > deleted && (marker.TTL == 0 || now < marker.Expiry)
	for i := range x.cells {
		c := &x.cells[i].cell
		column := m.t.ByID[c.Column]
		if column == nil || c.Timestamp <= column.DroppedAt || c.Timestamp <= deleted || c.Local != row.NoLocal && c.TTL == 0 ||
			c.TTL > 0 && now >= c.Local {
			continue
		}
		if slices.ContainsFunc(x.columns, func(f fact) bool { return f.column == c.Column && c.Timestamp <= f.deletion.Timestamp }) {
			continue
		}
		out.cells = append(out.cells, *c)
	}
	if !out.marker && len(out.cells) == 0 {
		return nil
	}
	slices.SortFunc(out.cells, func(a, b row.Cell) int {
		if a.Column != b.Column {
			return cmp.Compare(a.Column, b.Column)
		}
		if t := m.t.ByID[a.Column].Type; t.Kind == types.Map || t.Kind == types.Set {
			return t.Elems[0].Compare(a.Path, b.Path)
		}
		return bytes.Compare(a.Path, b.Path)
	})
	return out
}

// partition returns what lives of a partition, rows in stored order.
func (m *model) partition(key string, now int64) livePartition {
	out := livePartition{key: key}
	p := m.parts[key]
	if p == nil {
		return out
	}
	deleted := row.NoTimestamp
	for i := range p.deletions {
		if f := &p.deletions[i]; m.counts(f) {
			deleted = max(deleted, f.deletion.Timestamp)
		}
	}
	out.static = m.row(p, p.static, deleted, now)
	for _, r := range p.rows {
		if x := m.row(p, r, deleted, now); x != nil {
			out.rows = append(out.rows, *x)
		}
	}
	return out
}

// keys returns all partitions in token order.
func (m *model) keys() []*modelPartition {
	out := make([]*modelPartition, 0, len(m.parts))
	for _, p := range m.parts {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *modelPartition) int {
		if c := a.tok.Compare(b.tok); c != 0 {
			return c
		}
		return strings.Compare(a.key, b.key)
	})
	return out
}
