package merge

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
)

// ErrOrder is wrapped by the error of a source that breaks the rules of row.Source.
var ErrOrder = errors.New("partitions, rows or markers are out of order")

// Check passes on what a source gives and fails, with ErrOrder or ErrOpen, where it is not as row.Source promises: partitions
// ascend strictly, so do rows and markers in each, and a marker closes what the one before opened. It costs a copy of every
// clustering; it stands in tests behind every stage, and where damaged files are read. Close closes the source.
func Check(l *row.Layout, src row.Source) row.Source { return &check{l: l, src: src} }

// check is the source behind Check.
type check struct {
	l     *row.Layout
	src   row.Source
	begun bool
	tok   token.Token
	key   []byte
	part  row.Partition
	rows  CheckedRows
	err   error
}

// Next implements row.Source.
func (c *check) Next() *row.Partition {
	if c.err != nil {
		return nil
	}
	p := c.src.Next()
	if p == nil {
		c.err = c.src.Err()
		return nil
	}
	if d := p.Token.Compare(c.tok); c.begun && (d < 0 || d == 0 && bytes.Compare(p.Key, c.key) <= 0) {
		c.err = fmt.Errorf("%w: partition %x follows %x", ErrOrder, p.Key, c.key)
		return nil
	}
	c.begun, c.tok, c.key = true, p.Token, append(c.key[:0], p.Key...)
	c.part = *p
	c.rows.Reset(c.l, p.Rows, false)
	c.part.Rows = &c.rows
	return &c.part
}

// Err implements row.Source. An error of a partition's rows is the source's too.
func (c *check) Err() error {
	if c.err == nil && c.rows.of != nil {
		return c.rows.Err()
	}
	return c.err
}

// Close implements row.Source.
func (c *check) Close() { c.src.Close() }

// CheckedRows is Check for the rows of one partition.
type CheckedRows struct {
	order unfilteredOrder
	of    row.Unfiltereds
	begun bool
	last  row.Unfiltered
	row   row.Row
	buf   []byte
	open  row.Deletion
	err   error
}

// Reset begins the check of the rows of a partition, which are read backwards when reversed is true.
func (c *CheckedRows) Reset(l *row.Layout, of row.Unfiltereds, reversed bool) {
	c.order, c.of, c.begun, c.open, c.err = unfilteredOrder{l, reversed}, of, false, row.Live, nil
}

// Next implements row.Unfiltereds.
func (c *CheckedRows) Next() *row.Unfiltered {
	if c.err != nil {
		return nil
	}
	u := c.of.Next()
	if u == nil {
		if c.err = c.of.Err(); c.err == nil && !c.open.IsLive() {
			c.err = ErrOpen
		}
		return nil
	}
	switch m := &u.Marker; {
	case c.begun && c.order.compare(&c.last, u) >= 0:
		c.err = fmt.Errorf("%w: %s follows %s", ErrOrder, place(u), place(&c.last))
	case u.Row == nil && m.Closed != c.open:
		c.err = fmt.Errorf("%w: %s closes %v where %v is open", ErrOrder, place(u), m.Closed, c.open)
	case u.Row == nil && m.Closed == m.Opened:
		c.err = fmt.Errorf("%w: %s changes nothing", ErrOrder, place(u))
	}
	if c.err != nil {
		return nil
	}
	c.keep(u)
	return u
}

// keep copies the place of u.
func (c *CheckedRows) keep(u *row.Unfiltered) {
	c.begun, c.last.Row = true, nil
	from, to := u.Marker.Values, c.last.Marker.Values[:0]
	if u.Row != nil {
		from, to, c.last.Row = u.Row.Clustering, c.row.Clustering[:0], &c.row
	} else {
		c.open, c.last.Marker.After = u.Marker.Opened, u.Marker.After
	}
	c.buf = c.buf[:0]
	for _, v := range from {
		c.buf = append(c.buf, v...)
	}
	at := 0
	for _, v := range from {
		w := c.buf[at : at+len(v) : at+len(v)]
		if v == nil {
			w = nil
		}
		to = append(to, w)
		at += len(v)
	}
	if u.Row != nil {
		c.row.Clustering = to
	} else {
		c.last.Marker.Values = to
	}
}

// Err implements row.Unfiltereds.
func (c *CheckedRows) Err() error { return c.err }

// place names a row or marker in an error.
func place(u *row.Unfiltered) string {
	switch {
	case u.Row != nil:
		return fmt.Sprintf("row %x", u.Row.Clustering)
	case u.Marker.After:
		return fmt.Sprintf("marker after %x", u.Marker.Values)
	}
	return fmt.Sprintf("marker before %x", u.Marker.Values)
}
