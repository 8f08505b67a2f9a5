package row

// LiveFilter returns what of it a client may see at now (seconds): deletions, what they hide, and expired data are gone;
// rows are those with a live marker or any live cell; a partition is given when it has a live row or a live cell in its
// static row. Rows are not copied where all of their cells live. Close closes it.
//
// The first row of a partition without live statics is looked for when the partition is, so that an empty one is never given.
func LiveFilter(it Iterator, now int64) Iterator { return &liveFilter{Iterator: it, now: now} }

// liveFilter is the iterator behind LiveFilter.
type liveFilter struct {
	Iterator
	now     int64
	static  *Row
	first   *Row // the first live row, found by NextPartition
	ahead   bool // first is to be given next
	deleted Deletion
	row     Row // rows with some dead cells, rebuilt
	statics Row
}

func (f *liveFilter) NextPartition() bool {
	for f.Iterator.NextPartition() {
		f.deleted = f.PartitionDeletion()
		f.static, f.ahead = nil, false
		if s := f.Iterator.Static(); s != nil {
			f.static = f.live(s, &f.statics)
		}
		if f.static != nil {
			return true
		}
		f.first = f.next()
		if f.ahead = f.first != nil; f.ahead {
			return true
		}
	}
	return false
}

// Static is the static row with its live cells, or nil.
func (f *liveFilter) Static() *Row { return f.static }

func (f *liveFilter) NextRow() *Row {
	if f.ahead {
		f.ahead = false
		return f.first
	}
	return f.next()
}

func (f *liveFilter) next() *Row {
	for r := f.Iterator.NextRow(); r != nil; r = f.Iterator.NextRow() {
		if r = f.live(r, &f.row); r != nil {
			return r
		}
	}
	return nil
}

// live returns r, or buf filled with what of it lives, or nil.
func (f *liveFilter) live(r, buf *Row) *Row {
	active := r.Deletion.Max(f.deleted)
	marker := r.Liveness.IsLive(f.now) && (active.IsLive() || !active.Deletes(r.Liveness.Timestamp))
	dead := 0
	for ; dead < len(r.Cells) && f.isLive(r, &r.Cells[dead], active); dead++ {
	}
	if dead == len(r.Cells) {
		if marker || dead > 0 && r.Liveness.Timestamp == NoTimestamp {
			return r
		}
		if dead == 0 {
			return nil
		}
	}
	buf.Clustering, buf.Liveness, buf.Deletion, buf.Complex = r.Clustering, NoLiveness, Live, nil
	if marker {
		buf.Liveness = r.Liveness
	}
	buf.Cells = append(buf.Cells[:0], r.Cells[:dead]...)
	for i := dead + 1; i < len(r.Cells); i++ {
		if c := &r.Cells[i]; f.isLive(r, c, active) {
			buf.Cells = append(buf.Cells, *c)
		}
	}
	if !marker && len(buf.Cells) == 0 {
		return nil
	}
	return buf
}

func (f *liveFilter) isLive(r *Row, c *Cell, active Deletion) bool {
	if !c.IsLive(f.now) || !active.IsLive() && active.Deletes(c.Timestamp) {
		return false
	}
	for i := range r.Complex {
		if d := &r.Complex[i]; d.Column == c.Column {
			return !d.Deletes(c.Timestamp)
		}
	}
	return true
}
