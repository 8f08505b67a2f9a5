package sstable

import (
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
)

// partition is a partition being read, by one goroutine. It is what its row.Partition's Rows are. What it gives is valid until
// its next call; the key and the static row as long as the partition.
type partition struct {
	row.Partition
	// start is where the partition begins in the uncompressed data, rows where its first row or marker stands.
	start, rows int64
	d           *decoder
	w           *window
	err         error
	// slices gives what is inside of slices; nil for all of the partition in the order of the file.
	slices *slicer
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
	switch {
	case p.err != nil:
		return nil
	case p.slices == nil:
		return p.forward()
	case p.slices.reversed:
		return p.slices.backward()
	}
	return p.slices.forward()
}

// Err implements row.Unfiltereds.
func (p *partition) Err() error { return p.err }

// open reads the head of the partition at pos into p. tok is the token of the key, if it is known.
func (p *partition) open(v *View, w *window, d *decoder, pos int64, tok *token.Token) error {
	*p = partition{start: pos, d: d, w: w, check: p.check, Partition: row.Partition{Key: p.Key[:0]}}
	p.Partition.Rows = p
	for n := 1; n > 0; n = w.again() {
		c := w.at(pos, n)
		key := c.sbytes()
		p.Deletion = readDeletion(c, d.ver)
		if p.Static = nil; len(v.static.list) > 0 && c.err == nil {
			p.Static = d.staticRow(c)
		}
		if c.err == nil {
			p.Key, p.rows = append(p.Key[:0], key...), c.at()
		}
	}
	if p.err = w.c.err; p.err != nil {
		return p.err
	}
	if p.Static != nil && !w.lasts() {
		p.Static = p.Static.Clone()
	}
	if tok != nil {
		p.Token = *tok
	} else {
		p.Token = v.r.order.token(p.Key)
	}
	p.pos = p.rows
	return nil
}

// head decodes what stands at the present position: a marker, or the clustering of a row. It returns nil at the end of the
// partition. Then rest or skip goes on.
func (p *partition) head() *unfiltered {
	if p.done || p.err != nil {
		return nil
	}
	for n := 1; n > 0; n = p.w.again() {
		p.done = p.d.begin(p.w.at(p.pos, n))
	}
	if p.err = p.w.c.err; p.err != nil {
		return nil
	}
	if p.done {
		p.pos = p.w.c.at()
		return nil
	}
	return &p.d.u
}

// skip passes over what head has met.
func (p *partition) skip() { p.pos = p.d.end }

// rest decodes the rest of what head has met. It returns nil after an error, and when the schema left nothing of a row.
func (p *partition) rest() *unfiltered {
	u := &p.d.u
	if u.Row != nil {
		c := &p.w.c
		if n := int(p.d.end - p.pos); p.d.end > c.base+int64(len(c.b)) {
			if c = p.w.at(p.pos, n); c.err == nil {
				p.d.begin(c)
			}
		}
		// A row reads nothing behind its end.
		c.b = c.b[:max(min(int(p.d.end-c.base), len(c.b)), c.i)]
		if p.d.rest(c); c.err == errShort { //nolint:errorlint // it comes as it was made, and this is asked for every row
			c.err = c.tooShort()
		}
		if p.err = c.err; p.err != nil {
			return nil
		}
	}
	if p.check != nil {
		if p.err = p.check.next(p, u); p.err != nil {
			return nil
		}
	}
	p.skip()
	if u.Row != nil && u.Row.IsEmpty() {
		return nil
	}
	return u
}

// forward returns the next row or marker of the file. Rows of which the schema left nothing are passed over.
func (p *partition) forward() *unfiltered {
	for p.head() != nil {
		if u := p.rest(); u != nil {
			return u
		}
	}
	return nil
}

// pass goes to the end of the partition, decoding as little as possible.
func (p *partition) pass() {
	for p.head() != nil {
		p.skip()
	}
}

// seek goes on at an offset in the partition.
func (p *partition) seek(offset int64) { p.pos, p.done = p.start+offset, false }

// fail ends the reading with an error at the present position.
func (p *partition) fail(reason string) {
	if p.err == nil {
		p.err = &CorruptError{File: p.w.p.name, Offset: p.pos, Data: true, Reason: reason}
	}
}
