package row

// Merge merges two versions of one row into dst: the best marker and deletion, the deletions of columns, and of each cell
// the one that survives. What an older deletion hides is dropped, except cells of counters, whose shards a later increment
// needs (a reader hides them by Shadow). dst's slices are used again; dst is neither a nor b, but shares their bytes. The
// clustering is a's.
//
// Source: org.apache.cassandra.db.rows.Row.Merger; storage.md 2.
func Merge(dst, a, b *Row, l *Layout) {
	dst.Clustering = a.Clustering
	dst.Liveness = a.Liveness
	if b.Liveness.Supersedes(a.Liveness) {
		dst.Liveness = b.Liveness
	}
	dst.Deletion = a.Deletion.Max(b.Deletion)
	if dst.Deletion.Deletes(dst.Liveness.Timestamp) {
		dst.Liveness = NoLiveness
	}
	dst.Complex = mergeComplex(dst.Complex[:0], a.Complex, b.Complex, dst.Deletion)
	cells := dst.Cells[:0]
	i, j := 0, 0
	for i < len(a.Cells) || j < len(b.Cells) {
		c := 0
		switch {
		case j == len(b.Cells):
			c = -1
		case i == len(a.Cells):
			c = 1
		default:
			c = l.compareCells(&a.Cells[i], &b.Cells[j])
		}
		switch {
		case c < 0:
			cells = append(cells, a.Cells[i])
			i++
		case c > 0:
			cells = append(cells, b.Cells[j])
			j++
		case l.Counter:
			cells = append(cells, ReconcileCounter(&a.Cells[i], &b.Cells[j]))
			i++
			j++
		default:
			cells = append(cells, *Reconcile(&a.Cells[i], &b.Cells[j]))
			i++
			j++
		}
	}
	dst.Cells = cells
	if !l.Counter {
		dst.dropHidden(dst.Deletion)
	}
}

// mergeComplex merges two sorted lists of column deletions, keeping those that active does not make idle.
func mergeComplex(dst, a, b []ComplexDeletion, active Deletion) []ComplexDeletion {
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		var d ComplexDeletion
		switch {
		case j == len(b) || i < len(a) && a[i].Column < b[j].Column:
			d = a[i]
			i++
		case i == len(a) || b[j].Column < a[i].Column:
			d = b[j]
			j++
		default:
			d = ComplexDeletion{a[i].Column, a[i].Max(b[j].Deletion)}
			i++
			j++
		}
		if d.Supersedes(active) {
			dst = append(dst, d)
		}
	}
	return dst
}

// Shadow applies a deletion that encloses the row (of its partition or of a range): it becomes the row's deletion when it
// supersedes it, and what the row's deletions hide is dropped, in place.
func (r *Row) Shadow(d Deletion) {
	active := r.Deletion.Max(d)
	r.Deletion = active
	if active.Deletes(r.Liveness.Timestamp) {
		r.Liveness = NoLiveness
	}
	if len(r.Complex) > 0 && !active.IsLive() {
		kept := r.Complex[:0]
		for _, c := range r.Complex {
			if c.Supersedes(active) {
				kept = append(kept, c)
			}
		}
		r.Complex = kept
	}
	r.dropHidden(active)
}

// dropHidden drops the cells at or below active, and those at or below the deletion of their column.
func (r *Row) dropHidden(active Deletion) {
	if active.IsLive() && len(r.Complex) == 0 {
		return
	}
	n, k := 0, 0
	for i := range r.Cells {
		c := &r.Cells[i]
		for k < len(r.Complex) && r.Complex[k].Column < c.Column {
			k++
		}
		if active.Deletes(c.Timestamp) || k < len(r.Complex) && r.Complex[k].Column == c.Column && r.Complex[k].Deletes(c.Timestamp) {
			continue
		}
		if n != i {
			r.Cells[n] = *c
		}
		n++
	}
	r.Cells = r.Cells[:n]
}

// IsEmpty reports whether r says nothing: no marker, no deletion, no cell.
func (r *Row) IsEmpty() bool {
	return r.Liveness.Timestamp == NoTimestamp && r.Deletion.IsLive() && len(r.Complex) == 0 && len(r.Cells) == 0
}

// IsLive reports whether a client sees the row at now (seconds): its marker is live or any cell is. It does not look at
// deletions: hidden cells are gone already (Shadow).
func (r *Row) IsLive(now int64) bool {
	if r.Liveness.IsLive(now) {
		return true
	}
	for i := range r.Cells {
		if r.Cells[i].IsLive(now) {
			return true
		}
	}
	return false
}

// Clone returns a deep copy of r that shares no bytes with it.
func (r *Row) Clone() *Row {
	n := 0
	for _, v := range r.Clustering {
		n += len(v)
	}
	for i := range r.Cells {
		n += len(r.Cells[i].Path) + len(r.Cells[i].Value)
	}
	buf := make([]byte, 0, n)
	clone := func(v []byte) []byte {
		if v == nil {
			return nil
		}
		at := len(buf)
		buf = append(buf, v...)
		return buf[at:len(buf):len(buf)]
	}
	out := *r
	if r.Clustering != nil {
		out.Clustering = make([][]byte, len(r.Clustering))
		for i, v := range r.Clustering {
			out.Clustering[i] = clone(v)
		}
	}
	out.Complex = append([]ComplexDeletion(nil), r.Complex...)
	out.Cells = append([]Cell(nil), r.Cells...)
	for i := range out.Cells {
		c := &out.Cells[i]
		c.Path, c.Value = clone(c.Path), clone(c.Value)
	}
	return &out
}
