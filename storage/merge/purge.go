package merge

import (
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
)

// Purger decides which tombstones, and which expired cells and markers, nobody needs any more. The zero value purges nothing;
// it only turns cells that expired into tombstones. Source: org.apache.cassandra.db.partitions.PurgeFunction; storage.md 2.
type Purger struct {
	// Now is the time, in seconds, at which expiry is judged.
	Now int64
	// GCBefore is the time, in seconds, before which a deletion must have been made, or a cell have expired, to be purged: now
	// minus the table's gc_grace_seconds.
	GCBefore int64
	// IgnoreGrace says of which partitions all tombstones are old enough; nil for none.
	IgnoreGrace func(key []byte) bool
	// OnlyRepaired is the option only_purge_repaired_tombstones: then what was deleted at OldestUnrepaired or later stays. In
	// a compaction that is MaxInt64 when all inputs are repaired, else MinInt64.
	OnlyRepaired     bool
	OldestUnrepaired int64 // seconds
	// Overlap returns the least timestamp that other sources may hold in a partition, and whether any may hold it: what they
	// hold, the tombstone may hide. It is asked at most once for each partition, and only when something in it is old enough.
	// Nil says that there are no others, as in a read that has merged them all.
	Overlap func(tok token.Token, key []byte) (least int64, any bool)
}

// Purge gives what a source has without what p purges, and without what deletions hide, which would come back if they were
// purged alone; hidden cells of counters are dropped too. Cells that have expired become tombstones of the time they were
// written at and are judged again, so that data that lives for gc_grace_seconds or longer is gone when it expires. Rows and
// partitions of which nothing is left are not given. Each end of a range deletion is judged by the deletion on that side. Rows
// may come in either direction. Close closes the source.
func Purge(src row.Source, p Purger) row.Source {
	return &purge{src: src, rows: purgedRows{p: p}}
}

// purge is the source behind Purge.
type purge struct {
	src  row.Source
	part row.Partition
	rows purgedRows
	err  error
}

// Next implements row.Source.
func (s *purge) Next() *row.Partition {
	for s.err == nil {
		p := s.src.Next()
		if p == nil {
			s.err = s.src.Err()
			return nil
		}
		r := &s.rows
		r.begin(p)
		s.part = row.Partition{Key: p.Key, Token: p.Token, Deletion: p.Deletion, Rows: r}
		if r.purges(p.Deletion) {
			s.part.Deletion = row.Live
		}
		if p.Static != nil {
			s.part.Static = r.row(&r.static, p.Static, p.Deletion)
		}
		if !s.part.Deletion.IsLive() || s.part.Static != nil {
			return &s.part
		}
		if r.ahead = r.next(); r.ahead != nil {
			return &s.part
		}
		s.err = p.Rows.Err()
	}
	return nil
}

// Err implements row.Source.
func (s *purge) Err() error { return s.err }

// Close implements row.Source.
func (s *purge) Close() { s.src.Close() }

// purgedRows purges one partition.
type purgedRows struct {
	p    Purger
	part *row.Partition
	// below is what a purged timestamp must be below, when bounded is true; asked says that they are known.
	below          int64
	bounded, asked bool
	ignoreGrace    bool
	// open is what the source has open, kept what of it was given.
	open, kept  row.Deletion
	ahead       *row.Unfiltered
	buf, static row.Row
	out         row.Unfiltered
}

// begin goes to the next partition.
func (r *purgedRows) begin(p *row.Partition) {
	r.part, r.asked, r.ahead = p, false, nil
	r.open, r.kept = row.Live, row.Live
	r.ignoreGrace = r.p.IgnoreGrace != nil && r.p.IgnoreGrace(p.Key)
}

// old reports whether something deleted or expired at a time, in seconds, with a timestamp, is to be purged.
func (r *purgedRows) old(timestamp, local int64) bool {
	if local >= r.p.GCBefore && !r.ignoreGrace || r.p.OnlyRepaired && local >= r.p.OldestUnrepaired {
		return false
	}
	if !r.asked {
		r.asked = true
		if r.below, r.bounded = 0, false; r.p.Overlap != nil {
			r.below, r.bounded = r.p.Overlap(r.part.Token, r.part.Key)
		}
	}
	return !r.bounded || timestamp < r.below
}

// purges reports whether a deletion is to be purged.
func (r *purgedRows) purges(d row.Deletion) bool { return !d.IsLive() && r.old(d.Timestamp, d.Local) }

// Next implements row.Unfiltereds.
func (r *purgedRows) Next() *row.Unfiltered {
	if u := r.ahead; u != nil {
		r.ahead = nil
		return u
	}
	return r.next()
}

// next returns the next row or marker of which something is left.
func (r *purgedRows) next() *row.Unfiltered {
	for u := r.part.Rows.Next(); u != nil; u = r.part.Rows.Next() {
		if u.Row != nil {
			if x := r.row(&r.buf, u.Row, r.part.Deletion.Max(r.open)); x == u.Row {
				return u
			} else if x != nil {
				r.out = row.Unfiltered{Row: x}
				return &r.out
			}
			continue
		}
		r.open = u.Marker.Opened
		kept := r.open
		if !kept.Supersedes(r.part.Deletion) || r.purges(kept) {
			kept = row.Live
		}
		if kept != r.kept {
			r.out = row.Unfiltered{Marker: row.Marker{Cut: u.Marker.Cut, Closed: r.kept, Opened: kept}}
			r.kept = kept
			return &r.out
		}
	}
	return nil
}

// Err implements row.Unfiltereds.
func (r *purgedRows) Err() error { return r.part.Rows.Err() }

// row returns what is left of a row under a deletion: x itself, or a copy in buf, or nil.
func (r *purgedRows) row(buf, x *row.Row, active row.Deletion) *row.Row {
	hidden := !active.IsLive() || !x.Deletion.IsLive() || len(x.Complex) > 0
	if !hidden && !r.fades(x) {
		if x.IsEmpty() {
			return nil
		}
		return x
	}
	copyRow(buf, x)
	x = buf
	if hidden {
		shadow(x, active)
	}
	if l := &x.Liveness; l.TTL > 0 && !l.IsLive(r.p.Now) && r.old(l.Timestamp, l.Expiry) {
		*l = row.NoLiveness
	}
	if r.purges(x.Deletion) {
		x.Deletion = row.Live
	}
	n := 0
	for _, c := range x.Complex {
		if !r.purges(c.Deletion) {
			x.Complex[n] = c
			n++
		}
	}
	x.Complex = x.Complex[:n]
	n = 0
	for i := range x.Cells {
		if c := &x.Cells[i]; r.cell(c) {
			x.Cells[n] = *c
			n++
		}
	}
	if x.Cells = x.Cells[:n]; x.IsEmpty() {
		return nil
	}
	return x
}

// fades reports whether anything in a row is deleted or expired.
func (r *purgedRows) fades(x *row.Row) bool {
	if x.Liveness.TTL > 0 && !x.Liveness.IsLive(r.p.Now) {
		return true
	}
	for i := range x.Cells {
		if !x.Cells[i].IsLive(r.p.Now) {
			return true
		}
	}
	return false
}

// cell reports whether a cell stays; one that has expired becomes a tombstone.
func (r *purgedRows) cell(c *row.Cell) bool {
	if c.IsLive(r.p.Now) {
		return true
	}
	if r.old(c.Timestamp, c.Local) {
		return false
	}
	if c.TTL > 0 {
		c.Local, c.TTL, c.Value = c.Local-int64(c.TTL), 0, nil
		return !r.old(c.Timestamp, c.Local)
	}
	return true
}
