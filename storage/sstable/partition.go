package sstable

import "github.com/helenusdb/helenus/storage/row"

// partition is a partition being read, by one goroutine. It is what its row.Partition's Rows are. What it gives is valid until
// its next call; the key and the static row as long as the partition.
type partition struct {
	row.Partition
	// start is where the partition begins in the uncompressed data, rows where its first row or marker stands.
	start, rows int64
	d           *decoder
	w           *window
	err         error
	pull        func() *unfiltered
	// pos is where the next row stands; done is set at the end of the partition.
	pos  int64
	done bool
	// check is set when the order of rows is to be checked.
	check *orderCheck
}

// Next implements row.Unfiltereds.
func (p *partition) Next() *row.Unfiltered {
	if u := p.next(); u != nil {
		return &u.Unfiltered
	}
	if p.err != nil {
		p.err = p.d.v.r.note(p.err)
	}
	return nil
}

// next returns the next row or marker, nil at the end of the partition or of what was asked for.
func (p *partition) next() *unfiltered {
	if p.err != nil {
		return nil
	}
	return p.pull()
}

// Err implements row.Unfiltereds.
func (p *partition) Err() error { return p.err }

// rowHint is how many bytes a row is hoped to fit in.
const rowHint = 256

// openPartition reads the head of the partition at a position.
func openPartition(v *View, w *window, d *decoder, pos int64) (*partition, error) {
	p := &partition{}
	return p, p.open(v, w, d, pos)
}

// open reads the head of the partition at pos into p.
func (p *partition) open(v *View, w *window, d *decoder, pos int64) error {
	key := p.Key[:0]
	*p = partition{start: pos, d: d, w: w, check: p.check}
	p.Partition.Rows = p
	var err error
	p.rows, err = w.decode(pos, rowHint, func(c *cursor) {
		b := c.sbytes()
		p.Deletion = readDeletion(c, d.ver)
		p.Static = nil
		if len(v.static.list) > 0 && c.err == nil {
			p.Static = d.staticRow(c)
		}
		p.Key = append(key, b...)
	})
	if err != nil {
		p.err = err
		return err
	}
	if p.Static != nil {
		p.Static = p.Static.Clone()
	}
	p.Token = v.r.order.token(p.Key)
	p.pos = p.rows
	p.pull = p.forward
	return nil
}

// forward returns the next row or marker of the file. Rows of which the schema left nothing are passed over.
func (p *partition) forward() *unfiltered {
	for !p.done && p.err == nil {
		end := false
		next, err := p.w.decode(p.pos, rowHint, func(c *cursor) { end = p.d.unfiltered(c) })
		if err != nil {
			p.err = err
			return nil
		}
		p.pos = next
		if end {
			p.done = true
			break
		}
		u := &p.d.u
		if p.check != nil {
			if p.err = p.check.next(p, u); p.err != nil {
				return nil
			}
		}
		if u.Row == nil || !u.Row.IsEmpty() {
			return u
		}
	}
	return nil
}

// seek goes on at an offset in the partition.
func (p *partition) seek(offset int64) { p.pos, p.done = p.start+offset, false }

// fail ends the reading with an error at the present position.
func (p *partition) fail(reason string) {
	if p.err == nil {
		p.err = &CorruptError{File: p.w.name, Offset: p.pos, Data: true, Reason: reason}
	}
}
