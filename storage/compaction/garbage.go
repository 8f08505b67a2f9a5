package compaction

import (
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/merge"
	"github.com/helenusdb/helenus/storage/row"
)

// garbage gives what a source has without what tables that take no part hide: their deletions, and with cells also the cells
// that replace others. What the others have as it is stays: two tables that are rewritten at the same time must not both leave
// it to the other. Source: org.apache.cassandra.db.compaction.CompactionIterator.GarbageSkipper.
type garbage struct {
	src    row.Source
	layout *row.Layout
	bounds *purgeBounds
	cells  bool
	rows   garbageRows
	part   row.Partition
	err    error
}

// newGarbage returns the source behind provide_overlapping_tombstones.
func newGarbage(l *row.Layout, src row.Source, b *purgeBounds, cells bool) row.Source {
	return &garbage{src: src, layout: l, bounds: b, cells: cells}
}

// Next implements row.Source.
func (g *garbage) Next() *row.Partition {
	if g.err != nil {
		return nil
	}
	p := g.src.Next()
	if p == nil {
		g.err = g.src.Err()
		return nil
	}
	shadow, err := g.shadow(p)
	if err != nil {
		g.err = err
		return nil
	}
	if shadow == nil {
		return p
	}
	g.part = *p
	if shadow.Deletion.Supersedes(p.Deletion) {
		g.part.Deletion = row.Live
	}
	g.rows = garbageRows{
		cells: g.cells, layout: g.layout, of: p.Rows, by: shadow.Rows, over: shadow.Deletion,
		open: row.Live, byOpen: row.Live, kept: row.Live,
	}
	if p.Static != nil {
		g.part.Static = g.rows.row(p.Static, shadow.Static, shadow.Deletion)
	}
	g.part.Rows = &g.rows
	return &g.part
}

// shadow returns what other tables have of a partition that may hide something of it, merged; nil for nothing.
func (g *garbage) shadow(p *row.Partition) (*row.Partition, error) {
	var parts []*row.Partition
	for _, o := range g.bounds.at(Key{p.Token, p.Key}) {
		if o.maxTimestamp < g.bounds.oldest || o.view == nil || !g.cells && !o.reader.HasTombstones() || !o.reader.MayContain(p.Key) {
			continue
		}
		part, err := o.view.Lookup(p.Key, nil, false)
		if err != nil {
			return nil, err
		}
		if part != nil {
			parts = append(parts, part)
		}
	}
	return merge.Partitions(g.layout, parts, false), nil
}

// Err implements row.Source.
func (g *garbage) Err() error { return g.err }

// Close implements row.Source.
func (g *garbage) Close() { g.src.Close() }

// garbageRows walks the rows and markers of a partition beside those that hide them.
type garbageRows struct {
	cells  bool
	layout *row.Layout
	of, by row.Unfiltereds
	// over is the deletion of the partition that hides.
	over row.Deletion
	// open and byOpen are the range deletions that are open in both, kept what of open was given.
	open, byOpen, kept row.Deletion
	next, nextBy       *row.Unfiltered
	begun              bool
	buf                row.Row
	out                row.Unfiltered
}

// Next implements row.Unfiltereds.
func (g *garbageRows) Next() *row.Unfiltered {
	if !g.begun {
		g.begun = true
		g.next, g.nextBy = g.of.Next(), g.by.Next()
	}
	for {
		if g.next == nil && g.of.Err() != nil || g.nextBy == nil && g.by.Err() != nil {
			return nil
		}
		order := -1
		switch {
		case g.next == nil && g.kept.IsLive():
			return nil
		case g.next == nil:
			order = 1
		case g.nextBy != nil:
			order = g.compare(g.next, g.nextBy)
		}
		if out := g.step(order); out != nil {
			return out
		}
	}
}

// step takes what stands in front, of both when order is 0, and returns what is to be given for it, nil for nothing.
func (g *garbageRows) step(order int) *row.Unfiltered {
	var of, by *row.Unfiltered
	if order <= 0 {
		of = g.next
	}
	if order >= 0 {
		by = g.nextBy
	}
	var out *row.Unfiltered
	switch {
	case of != nil && of.Row != nil:
		var hiding *row.Row
		if by != nil {
			hiding = by.Row
		}
		if r := g.row(of.Row, hiding, g.over.Max(g.byOpen)); r != nil {
			g.out = row.Unfiltered{Row: r}
			out = &g.out
		}
	case of != nil || by != nil && by.Row == nil:
		var at row.Cut
		if by != nil {
			at, g.byOpen = by.Marker.Cut, by.Marker.Opened
		}
		if of != nil {
			at, g.open = of.Marker.Cut, of.Marker.Opened
		}
		keep := g.open
		if g.over.Max(g.byOpen).Supersedes(keep) {
			keep = row.Live
		}
		if keep != g.kept {
			g.out = row.Unfiltered{Marker: row.Marker{Cut: at, Closed: g.kept, Opened: keep}}
			g.kept = keep
			out = &g.out
		}
	}
	if out != nil {
		g.hold(out)
	}
	if of != nil {
		g.next = g.of.Next()
	}
	if by != nil {
		g.nextBy = g.by.Next()
	}
	return out
}

// hold copies what out shares with its source, which is about to move on.
func (g *garbageRows) hold(out *row.Unfiltered) {
	if out.Row != nil {
		out.Row = out.Row.Clone()
		return
	}
	values := make([][]byte, len(out.Marker.Values))
	for i, v := range out.Marker.Values {
		if v != nil {
			values[i] = append(make([]byte, 0, len(v)), v...)
		}
	}
	out.Marker.Values = values
}

// compare orders two rows or markers of a partition.
func (g *garbageRows) compare(a, b *row.Unfiltered) int {
	t := g.layout.Table
	switch {
	case a.Row != nil && b.Row != nil:
		return row.CompareClustering(t, a.Row.Clustering, b.Row.Clustering)
	case a.Row != nil:
		return b.Marker.CompareRow(t, a.Row.Clustering)
	case b.Row != nil:
		return -a.Marker.CompareRow(t, b.Row.Clustering)
	}
	return row.CompareCuts(t, a.Marker.Cut, b.Marker.Cut)
}

// row returns what is left of a row that another of the same place, nil for none, and an enclosing deletion hide; nil for
// nothing.
func (g *garbageRows) row(x, by *row.Row, over row.Deletion) *row.Row {
	if over.IsLive() && by == nil {
		return x
	}
	if by != nil {
		over = over.Max(by.Deletion)
	}
	g.buf = row.Row{Clustering: x.Clustering, Liveness: x.Liveness, Deletion: x.Deletion}
	out := &g.buf
	if over.Supersedes(out.Deletion) {
		out.Deletion = row.Live
	}
	if over.Deletes(out.Liveness.Timestamp) || g.cells && by != nil && by.Liveness.Supersedes(out.Liveness) {
		out.Liveness = row.NoLiveness
	}
	for _, c := range x.Complex {
		if !complexOf(by, c.Column, over).Supersedes(c.Deletion) {
			out.Complex = append(out.Complex, c)
		}
	}
	for i := range x.Cells {
		c := &x.Cells[i]
		if complexOf(by, c.Column, over).Deletes(c.Timestamp) || g.cells && !g.layout.Counter && replaced(by, c) {
			continue
		}
		out.Cells = append(out.Cells, *c)
	}
	if out.IsEmpty() {
		return nil
	}
	return out
}

// complexOf returns the deletion over cells of a column: over, or that of the column in by.
func complexOf(by *row.Row, column schema.ColumnID, over row.Deletion) row.Deletion {
	if by != nil {
		for _, c := range by.Complex {
			if c.Column == column {
				return over.Max(c.Deletion)
			}
		}
	}
	return over
}

// replaced reports whether by has a cell of the same column and path that survives c and is not the same.
func replaced(by *row.Row, c *row.Cell) bool {
	if by == nil {
		return false
	}
	cells := by.CellsOf(c.Column)
	for i := range cells {
		if string(cells[i].Path) == string(c.Path) {
			return row.Reconcile(&cells[i], c) == &cells[i] && row.Reconcile(c, &cells[i]) == &cells[i]
		}
	}
	return false
}

// Err implements row.Unfiltereds.
func (g *garbageRows) Err() error {
	if err := g.of.Err(); err != nil {
		return err
	}
	return g.by.Err()
}
