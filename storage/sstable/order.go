package sstable

import "github.com/helenusdb/helenus/storage/row"

// orderCheck sees that the rows and markers of a partition ascend, that range deletions end before others begin, and that
// the sizes that rows tell of those before them are right.
type orderCheck struct {
	begun  bool
	values [][]byte
	side   int
	open   row.Deletion
	// last is where the row before begins; the head of the partition counts as one.
	last int64
}

// begin starts a partition.
func (o *orderCheck) begin(p *partition) {
	*o = orderCheck{values: o.values[:0], open: row.Live, last: p.start}
}

func (o *orderCheck) next(p *partition, u *unfiltered) error {
	fail := func(reason string) error {
		return &CorruptError{File: p.w.p.name, Offset: u.position, Data: true, Reason: reason}
	}
	values, at := u.Marker.Values, 0
	if u.Row != nil {
		values = u.Row.Clustering
	} else {
		at = side(u.Marker.Cut)
	}
	if o.begun && p.d.v.compare(o.values, o.side, values, at) >= 0 {
		return fail("a row or marker does not stand behind the one before it")
	}
	if u.Row == nil {
		if o.open.IsLive() == u.kind.closes() || u.kind.closes() && o.open != u.Marker.Closed {
			return fail("a marker closes a range that is not the open one")
		}
		o.open = u.Marker.Opened
	}
	if got := u.position - o.last; p.d.sizes.previous != got {
		return fail("the size of what stands before is not what the row says")
	}
	o.begun, o.side, o.last = true, at, u.position
	o.values = o.values[:0]
	for _, v := range values {
		if v != nil {
			v = append([]byte{}, v...)
		}
		o.values = append(o.values, v)
	}
	return nil
}

// end sees that no range is open at the end of a partition.
func (o *orderCheck) end(p *partition) error {
	if o.open.IsLive() {
		return nil
	}
	return &CorruptError{File: p.w.p.name, Offset: p.pos, Data: true, Reason: "a range deletion is open at the end of its partition"}
}
