package sstable

import (
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
)

// Partition is a partition being read, by one goroutine. What it gives is valid until its next call; the key and the static
// row as long as the partition.
type Partition struct {
	Key      []byte
	Token    token.Token
	Deletion row.Deletion
	// Static is nil when there is none or it is empty.
	Static *row.Row
	// Start is where the partition begins in the uncompressed data, Rows where its first row or marker stands.
	Start, Rows int64
	d           *decoder
	w           *window
	err         error
	next        func() *Unfiltered
	// pos is where the next row stands; done is set at the end of the partition.
	pos  int64
	done bool
	// ordered holds a copy of the last place when the order of rows is to be checked.
	check *orderCheck
}

// Next returns the next row or marker, nil at the end of the partition or of what was asked for.
func (p *Partition) Next() *Unfiltered {
	if p.err != nil {
		return nil
	}
	return p.next()
}

// Err returns what ended the reading early.
func (p *Partition) Err() error { return p.err }

// rowHint is how many bytes a row is hoped to fit in.
const rowHint = 256

// openPartition reads the head of the partition at a position.
func openPartition(v *View, w *window, d *decoder, pos int64) (*Partition, error) {
	p := &Partition{}
	return p, p.open(v, w, d, pos)
}

// open reads the head of the partition at pos into p.
func (p *Partition) open(v *View, w *window, d *decoder, pos int64) error {
	key := p.Key[:0]
	*p = Partition{Start: pos, d: d, w: w, check: p.check}
	var err error
	p.Rows, err = w.decode(pos, rowHint, func(c *cursor) {
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
	p.pos = p.Rows
	p.next = p.forward
	return nil
}

// forward returns the next row or marker of the file. Rows of which the schema left nothing are passed over.
func (p *Partition) forward() *Unfiltered {
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
func (p *Partition) seek(offset int64) { p.pos, p.done = p.Start+offset, false }

// fail ends the reading with an error at the present position.
func (p *Partition) fail(reason string) {
	if p.err == nil {
		p.err = &CorruptError{File: p.w.name, Offset: p.pos, Data: true, Reason: reason}
	}
}

// Scan reads all partitions in the order of the table. It is used by one goroutine.
//
//	for p := s.Next(); p != nil; p = s.Next() {
//		for u := p.Next(); u != nil; u = p.Next() { ... }
//	}
//	err := s.Err()
type Scan struct {
	v   *View
	w   *window
	d   *decoder
	p   Partition
	pos int64
	end int64
	on  bool
	err error
}

// Scan returns a reader of all partitions.
func (v *View) Scan() *Scan {
	return &Scan{v: v, w: v.r.data.window(), d: newDecoder(v), end: v.r.data.length}
}

// Next returns the next partition, nil at the end. What was not read of the last one is passed over.
func (s *Scan) Next() *Partition {
	if s.on {
		for s.p.Next() != nil {
		}
		if s.err = s.p.err; s.err != nil {
			s.on = false
			return nil
		}
		s.pos = s.p.pos
	}
	if s.on = s.err == nil && s.pos < s.end; !s.on {
		return nil
	}
	if s.err = s.p.open(s.v, s.w, s.d, s.pos); s.err != nil {
		s.on = false
		return nil
	}
	return &s.p
}

// Err returns what ended the scan early.
func (s *Scan) Err() error { return s.err }
