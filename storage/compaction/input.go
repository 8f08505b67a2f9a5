package compaction

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/helenusdb/helenus/storage/merge"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
)

// input is a table being read by a task. It passes on the partitions of a scan and knows which one it gave last.
type input struct {
	table *Table
	scan  row.Source
	src   row.Source // the scan, checked
	ratio float64    // bytes on disk for each byte of data
	last  *row.Partition
}

// positioned is a scan that tells how many bytes of uncompressed data it has read.
type positioned interface{ Position() int64 }

// All inputs of a task together are read aheadBytes ahead, one of few not more than maxAhead and one of many not less than
// minAhead.
const (
	aheadBytes = 8 << 20
	maxAhead   = 256 << 10
	minAhead   = 16 << 10
)

// newInput opens the scan of a table, one of n.
func newInput(l *row.Layout, t Live, n int) *input {
	in := inputOf(t, t.View.StreamAhead(sstable.All(), int64(max(min(aheadBytes/n, maxAhead), minAhead))))
	in.src = merge.Check(l, in.scan)
	return in
}

// inputOf returns an input that reads a table by scan.
func inputOf(t Live, scan row.Source) *input {
	in := &input{table: t.Table, scan: scan, src: scan, ratio: 1}
	if n := t.Reader.DataLength(); n > 0 {
		in.ratio = float64(t.Size) / float64(n)
	}
	return in
}

// Next implements row.Source.
func (in *input) Next() *row.Partition {
	in.last = in.src.Next()
	return in.last
}

// Err implements row.Source. The error says which table it is of.
func (in *input) Err() error {
	if err := in.src.Err(); err != nil {
		return &inputError{in.table, err}
	}
	return nil
}

// Close implements row.Source.
func (in *input) Close() { in.src.Close() }

// read returns the bytes on disk that were read.
func (in *input) read() int64 {
	if p, ok := in.scan.(positioned); ok {
		return int64(float64(p.Position()) * in.ratio)
	}
	return 0
}

// inputError is the error of reading an input.
type inputError struct {
	table *Table
	err   error
}

func (e *inputError) Error() string { return fmt.Sprintf("read %s: %v", e.table.ID, e.err) }
func (e *inputError) Unwrap() error { return e.err }

// damaged returns which input an error says is damaged, nil when it says no such thing.
func damaged(err error) *Table {
	in, ok := errors.AsType[*inputError](err)
	if ok && (errors.Is(err, sstable.ErrCorrupt) || errors.Is(err, merge.ErrOrder) || errors.Is(err, merge.ErrOpen)) {
		return in.table
	}
	return nil
}

// tickRows is how many rows pass between two looks at the clock, the limit and the context: few, for rows may be large.
const tickRows = 16

// meter is the merged inputs of a task as a source. It holds reading to the limit, notes progress, and ends when the task is
// stopped. It stands in the stream of rows too, so that a large partition is not passed at once.
type meter struct {
	ctx    context.Context
	job    *Job
	limit  *Limiter
	inputs []*input
	src    row.Source
	// merged counts partitions by how many inputs had them.
	merged map[int]int64
	rows   int // since the last tick
	of     row.Unfiltereds
	part   row.Partition
	err    error
}

// tick brings progress up to date and waits until what was read may have been.
func (m *meter) tick() error {
	m.rows = 0
	read := int64(0)
	for _, in := range m.inputs {
		read += in.read()
	}
	n := read - m.job.completed.Load()
	if n <= 0 {
		return m.ctx.Err()
	}
	m.job.completed.Store(read)
	return m.limit.Wait(m.ctx, n)
}

// one counts a row or partition.
func (m *meter) one() bool {
	if m.rows++; m.rows >= tickRows && m.err == nil {
		m.err = m.tick()
	}
	return m.err == nil
}

// metered is meter as a source of partitions; meter itself is their rows.
type metered struct{ *meter }

// Next implements row.Source.
func (m metered) Next() *row.Partition {
	if !m.one() {
		return nil
	}
	p := m.src.Next()
	if p == nil {
		m.err = m.src.Err()
		return nil
	}
	m.merged[m.holders(p)]++
	m.part, m.of = *p, p.Rows
	m.part.Rows = m.meter
	return &m.part
}

// Err implements row.Source.
func (m metered) Err() error { return m.err }

// Close implements row.Source.
func (m metered) Close() { m.src.Close() }

// Next implements row.Unfiltereds.
func (m *meter) Next() *row.Unfiltered {
	if !m.one() {
		return nil
	}
	return m.of.Next()
}

// Err implements row.Unfiltereds.
func (m *meter) Err() error {
	if m.err != nil {
		return m.err
	}
	err := m.of.Err()
	if err == nil {
		return nil
	}
	// The merge passes on the error of whichever input has one.
	for _, in := range m.inputs {
		if in.last != nil && in.last.Rows.Err() != nil {
			return &inputError{in.table, err}
		}
	}
	return err
}

// holders returns how many inputs have a partition. It is to be asked before the merge goes on.
func (m *meter) holders(p *row.Partition) (n int) {
	for _, in := range m.inputs {
		if in.last != nil && in.last.Token == p.Token && bytes.Equal(in.last.Key, p.Key) {
			n++
		}
	}
	return n
}
