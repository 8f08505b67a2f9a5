package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// read answers r, except for After, Columns and limits.
func (m *model) read(r *request.Read) []livePartition {
	var keys []string
	for _, k := range r.Keys {
		keys = append(keys, string(k))
	}
	if r.Keys == nil {
		for _, p := range m.keys() {
			in := func(b request.KeyBound, sign int) bool {
				if b.Open {
					return true
				}
				c := p.tok.Compare(b.Token) * sign
				if c == 0 && b.Key != nil {
					c = strings.Compare(p.key, string(b.Key)) * sign
				}
				return c > 0 || c == 0 && b.Inclusive
			}
			if in(r.Range.Start, 1) && in(r.Range.End, -1) {
				keys = append(keys, p.key)
			}
		}
	}
	terms := r.Filter
	if r.Index != nil {
		f := request.Filter{Column: m.t.ByName[r.Index.Column.Name], Op: request.OpEQ, Value: r.Term}
		switch r.Index.Target {
		case schema.TargetValues:
			f.Op = request.OpContains
		case schema.TargetKeys:
			f.Op = request.OpContainsKey
		case schema.TargetEntries:
			f.Op = request.OpMapEntry
			f.Key, f.Value, _ = request.SplitIndexTerm(r.Term)
		}
		terms = append([]request.Filter{f}, terms...)
	}
	var out []livePartition
	for _, k := range keys {
		p := m.partition(k, r.Now)
		rows := []liveRow{}
		ofRow, match := false, true
		for _, f := range terms {
			switch f.Column.Kind {
			case schema.PartitionKey:
				match = match && m.value(f, m.keyPart(k, f.Column.Position))
			case schema.Static:
				match = match && p.static != nil && m.cells(f, p.static)
			default:
				ofRow = true
			}
		}
		for _, x := range p.rows {
			ok := r.Slices == nil
			for _, s := range r.Slices {
				ok = ok || m.inside(s, x.clustering)
			}
			for _, f := range terms {
				switch f.Column.Kind {
				case schema.Clustering:
					ok = ok && m.value(f, x.clustering[f.Column.Position])
				case schema.Regular:
					ok = ok && m.cells(f, &x)
				}
			}
			if ok {
				rows = append(rows, x)
			}
		}
		if r.Reversed {
			slices.Reverse(rows)
		}
		p.rows = rows
		if match && (len(rows) > 0 || p.static != nil && !ofRow) {
			out = append(out, p)
		}
	}
	return out
}

// keyPart returns a component of a partition key.
func (m *model) keyPart(key string, i int) []byte {
	b := []byte(key)
	if len(m.t.PartitionKey) == 1 {
		return b
	}
	for ; i > 0; i-- {
		b = b[3+binary.BigEndian.Uint16(b):]
	}
	return b[2 : 2+binary.BigEndian.Uint16(b)]
}

func (m *model) cells(f request.Filter, r *liveRow) bool {
	for _, c := range r.cells {
		if c.Column != f.Column.ID {
			continue
		}
		t := f.Column.Type
		switch f.Op {
		case request.OpContains:
			if t.Kind == types.Set && bytes.Equal(c.Path, f.Value) || t.Kind != types.Set && bytes.Equal(c.Value, f.Value) {
				return true
			}
		case request.OpContainsKey:
			if bytes.Equal(c.Path, f.Value) {
				return true
			}
		case request.OpMapEntry:
			if bytes.Equal(c.Path, f.Key) && bytes.Equal(c.Value, f.Value) {
				return true
			}
		default:
			if m.value(f, c.Value) {
				return true
			}
		}
	}
	return false
}

func (m *model) value(f request.Filter, v []byte) bool {
	c := f.Column.Type.Compare(v, f.Value)
	switch f.Op {
	case request.OpEQ:
		return c == 0
	case request.OpLT:
		return c < 0
	case request.OpGE:
		return c >= 0
	case request.OpNEQ:
		return c != 0
	case request.OpIN:
		return slices.ContainsFunc(f.Values, func(w []byte) bool { return bytes.Equal(v, w) })
	}
	panic(f.Op)
}

// same reports whether two answers are equal.
func same(a, b []livePartition) bool {
	equalRow := func(x, y liveRow) bool {
		return x.marker == y.marker && slices.EqualFunc(x.clustering, y.clustering, bytes.Equal) &&
			slices.EqualFunc(x.cells, y.cells, func(c, d row.Cell) bool {
				return c.Column == d.Column && bytes.Equal(c.Path, d.Path) && bytes.Equal(c.Value, d.Value) && c.Timestamp == d.Timestamp &&
					c.TTL == d.TTL && c.Local == d.Local
			})
	}
	return slices.EqualFunc(a, b, func(p, q livePartition) bool {
		return p.key == q.key && (p.static == nil) == (q.static == nil) && (p.static == nil || equalRow(*p.static, *q.static)) &&
			slices.EqualFunc(p.rows, q.rows, equalRow)
	})
}

// show prints partitions.
func show(t *schema.Table, ps []livePartition) string {
	var b strings.Builder
	for _, p := range ps {
		fmt.Fprintf(&b, "%x", p.key)
		if p.static != nil {
			fmt.Fprintf(&b, " static%s", showRow(t, p.static))
		}
		b.WriteByte('\n')
		for i := range p.rows {
			fmt.Fprintf(&b, "  %x%s\n", p.rows[i].clustering, showRow(t, &p.rows[i]))
		}
	}
	return b.String()
}

func showRow(t *schema.Table, r *liveRow) string {
	s := ""
	if r.marker {
		s = " marker"
	}
	for _, c := range r.cells {
		name := fmt.Sprint(c.Column)
		if x := t.ByID[c.Column]; x != nil {
			name = x.Name
		}
		value := fmt.Sprintf("%x", c.Value)
		if len(value) > 20 {
			value = fmt.Sprintf("%s..(%d)", value[:12], len(c.Value))
		}
		s += fmt.Sprintf(" %s[%x]=%s@%d", name, c.Path, value, c.Timestamp)
		if c.TTL > 0 {
			s += fmt.Sprintf("/%d to %d", c.TTL, c.Local)
		}
	}
	return s
}

// drain reads an iterator of live data to its end; at most limit rows, counting a partition without rows as one, and the
// position behind them.
func drain(t testing.TB, it row.Iterator, limit int, now int64) (out []livePartition, at *request.Position) {
	t.Helper()
	return drainBetween(t, it, limit, now, nil)
}

// drainBetween calls between, when there is one, before each row.
func drainBetween(t testing.TB, it row.Iterator, limit int, now int64, between func()) (out []livePartition, at *request.Position) {
	t.Helper()
	live := func(r *row.Row) liveRow {
		c := r.Clone()
		return liveRow{c.Clustering, c.Cells, c.Liveness.IsLive(now)}
	}
	for limit > 0 && it.NextPartition() {
		p := livePartition{key: string(it.Key()), rows: []liveRow{}}
		if s := it.Static(); s != nil {
			x := live(s)
			x.clustering = nil
			p.static = &x
		}
		at = &request.Position{Key: []byte(p.key)}
		done := false
		for limit > 0 {
			if between != nil {
				between()
			}
			r := it.NextRow()
			if r == nil {
				done = true
				break
			}
			limit--
			p.rows = append(p.rows, live(r))
			at.Clustering = p.rows[len(p.rows)-1].clustering
		}
		if done {
			at.Clustering = nil
		}
		if len(p.rows) == 0 {
			limit--
		}
		out = append(out, p)
	}
	if err := it.Err(); err != nil {
		t.Fatal(err)
	}
	it.Close()
	return out, at
}

// readAllOf reads r whole.
func readAllOf(t testing.TB, e *Engine, r *request.Read, between func()) []livePartition {
	t.Helper()
	it, err := e.Read(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	out, _ := drainBetween(t, row.LiveFilter(it, r.Now), 1<<30, r.Now, between)
	return out
}

// paged reads r in pages of n rows and joins them; between is called between pages.
func paged(t testing.TB, e *Engine, r request.Read, n int, between func()) []livePartition {
	t.Helper()
	var all []livePartition
	for range 10000 {
		it, err := e.Read(context.Background(), &r)
		if err != nil {
			t.Fatal(err)
		}
		page, at := drain(t, row.LiveFilter(it, r.Now), n, r.Now)
		if len(page) == 0 {
			return all
		}
		if len(all) > 0 && page[0].key == all[len(all)-1].key {
			last := &all[len(all)-1]
			last.rows = append(last.rows, page[0].rows...)
			page = page[1:]
		}
		all = append(all, page...)
		r.After = at
		if between != nil {
			between()
		}
	}
	t.Fatal("paging does not end")
	return nil
}

// only leaves of an answer the cells of some columns, and of rows those that then still show something.
func only(ps []livePartition, columns []schema.ColumnID) []livePartition {
	keep := func(r liveRow) (liveRow, bool) {
		r.cells = slices.DeleteFunc(slices.Clone(r.cells), func(c row.Cell) bool { return !slices.Contains(columns, c.Column) })
		return r, r.marker || len(r.cells) > 0
	}
	var out []livePartition
	for _, p := range ps {
		q := livePartition{key: p.key, rows: []liveRow{}}
		if p.static != nil {
			if s, ok := keep(*p.static); ok {
				q.static = &s
			}
		}
		for _, r := range p.rows {
			if x, ok := keep(r); ok {
				q.rows = append(q.rows, x)
			}
		}
		if q.static != nil || len(q.rows) > 0 {
			out = append(out, q)
		}
	}
	return out
}
