package storage

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// The model is a list of facts: every deletion, marker and cell that was ever written. It answers a read by looking at all of
// them, by rules written down a second time.

// fact is one thing written to a partition.
type fact struct {
	key        string
	kind       string    // partition, range, row, marker, cell, complex
	slice      row.Slice // range
	clustering [][]byte  // row, marker, cell, complex; nil is static
	deletion   row.Deletion
	marker     row.Liveness
	cell       row.Cell
	column     schema.ColumnID // complex
}

// model is all facts of a table.
type model struct {
	t     *schema.Table
	facts []fact
}

// liveRow is a row as a client sees it, printed.
type liveRow struct {
	clustering [][]byte
	cells      []row.Cell
	marker     bool
}

// livePartition is a partition as a client sees it.
type livePartition struct {
	key    string
	static *liveRow
	rows   []liveRow
}

func (m *model) compareClustering(a, b [][]byte) int {
	for i := range min(len(a), len(b)) {
		c := m.t.Clustering[i].Type.Compare(a[i], b[i])
		if m.t.Clustering[i].Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// inside reports whether a row is in a slice.
func (m *model) inside(s row.Slice, clustering [][]byte) bool {
	if len(s.Start.Values) > 0 {
		if c := m.compareClustering(clustering, s.Start.Values); c < 0 || c == 0 && !s.Start.Inclusive {
			return false
		}
	}
	if len(s.End.Values) > 0 {
		if c := m.compareClustering(clustering, s.End.Values); c > 0 || c == 0 && !s.End.Inclusive {
			return false
		}
	}
	return true
}

// beats reports whether cell a survives cell b.
func beats(a, b row.Cell) bool {
	rank := func(c row.Cell) []int64 {
		var fades, tomb int64
		if c.Local != row.NoLocal {
			fades = 1
			if c.TTL == 0 {
				tomb = 1
			}
		}
		local := c.Local
		if fades == 0 {
			local = 0
		}
		return []int64{c.Timestamp, fades, tomb, local, -int64(c.TTL)}
	}
	if c := slices.Compare(rank(a), rank(b)); c != 0 {
		return c > 0
	}
	return bytes.Compare(a.Value, b.Value) > 0
}

// row returns what lives of a row; nil when nothing does.
func (m *model) row(key string, clustering [][]byte, now int64) *liveRow {
	deleted := row.NoTimestamp
	columns := map[schema.ColumnID]int64{}
	same := func(f *fact) bool {
		return (f.clustering == nil) == (clustering == nil) && m.compareClustering(f.clustering, clustering) == 0
	}
	for i := range m.facts {
		f := &m.facts[i]
		if f.key != key {
			continue
		}
		switch {
		case f.kind == "partition", f.kind == "range" && clustering != nil && m.inside(f.slice, clustering), f.kind == "row" && same(f):
			deleted = max(deleted, f.deletion.Timestamp)
		case f.kind == "complex" && same(f):
			if old, ok := columns[f.column]; !ok || f.deletion.Timestamp > old {
				columns[f.column] = f.deletion.Timestamp
			}
		}
	}
	out := &liveRow{clustering: clustering}
	marker := row.NoLiveness
	best := map[string]row.Cell{}
	for i := range m.facts {
		f := &m.facts[i]
		if f.key != key || f.clustering == nil != (clustering == nil) || f.kind != "marker" && f.kind != "cell" || !same(f) {
			continue
		}
		if f.kind == "marker" {
			if f.marker.Timestamp > deleted && f.marker.Supersedes(marker) {
				marker = f.marker
			}
			continue
		}
		c := f.cell
		column := m.t.ByID[c.Column]
		if column == nil || c.Timestamp <= column.DroppedAt || c.Timestamp <= deleted {
			continue
		}
		if d, ok := columns[c.Column]; ok && c.Timestamp <= d {
			continue
		}
		at := fmt.Sprintf("%d/%x", c.Column, c.Path)
		if old, ok := best[at]; !ok || beats(c, old) {
			best[at] = c
		}
	}
	out.marker = marker.Timestamp != row.NoTimestamp && (marker.TTL == 0 || now < marker.Expiry)
	for _, c := range best {
		if c.Local == row.NoLocal || c.TTL > 0 && now < c.Local {
			out.cells = append(out.cells, c)
		}
	}
	if !out.marker && len(out.cells) == 0 {
		return nil
	}
	slices.SortFunc(out.cells, func(a, b row.Cell) int {
		if a.Column != b.Column {
			return cmp.Compare(a.Column, b.Column)
		}
		if t := m.t.ByID[a.Column].Type; t.Kind == types.Map || t.Kind == types.Set {
			return t.Elems[0].Compare(a.Path, b.Path)
		}
		return bytes.Compare(a.Path, b.Path)
	})
	return out
}

// partition returns what lives of a partition, rows in stored order.
func (m *model) partition(key string, now int64) livePartition {
	p := livePartition{key: key, static: m.row(key, nil, now)}
	var seen [][][]byte
	for i := range m.facts {
		f := &m.facts[i]
		known := func(c [][]byte) bool { return m.compareClustering(c, f.clustering) == 0 }
		if f.key != key || f.clustering == nil || slices.ContainsFunc(seen, known) {
			continue
		}
		seen = append(seen, f.clustering)
		if r := m.row(key, f.clustering, now); r != nil {
			p.rows = append(p.rows, *r)
		}
	}
	slices.SortFunc(p.rows, func(a, b liveRow) int { return m.compareClustering(a.clustering, b.clustering) })
	return p
}

// keys returns the keys of all partitions in token order.
func (m *model) keys() []string {
	set := map[string]bool{}
	for i := range m.facts {
		set[m.facts[i].key] = true
	}
	var keys []string
	for k := range set {
		keys = append(keys, k)
	}
	p := token.Murmur3{}
	sort.Slice(keys, func(i, j int) bool { return p.Token([]byte(keys[i])).Less(p.Token([]byte(keys[j]))) })
	return keys
}

// read answers r, except for After.
func (m *model) read(r *request.Read) []livePartition {
	var keys []string
	for _, k := range r.Keys {
		keys = append(keys, string(k))
	}
	if r.Keys == nil {
		for _, k := range m.keys() {
			tok := token.Murmur3{}.Token([]byte(k))
			in := func(b request.KeyBound, sign int) bool {
				if b.Open {
					return true
				}
				c := tok.Compare(b.Token) * sign
				if c == 0 && b.Key != nil {
					c = strings.Compare(k, string(b.Key)) * sign
				}
				return c > 0 || c == 0 && b.Inclusive
			}
			if in(r.Range.Start, 1) && in(r.Range.End, -1) {
				keys = append(keys, k)
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
				match = match && m.value(f, keyPart(k, f.Column.Position))
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

// keyPart returns a component of the test table's partition key.
func keyPart(key string, i int) []byte {
	b := []byte(key)
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

// show prints partitions for comparison.
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
		s += fmt.Sprintf(" %s[%x]=%x@%d/%d", name, c.Path, c.Value, c.Timestamp, c.TTL)
	}
	return s
}

// drain reads an iterator of live data to its end; at most limit rows, counting a partition without rows as one, and the
// position behind them.
func drain(t testing.TB, it row.Iterator, limit int, now int64) (out []livePartition, at *request.Position) {
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

// paged reads r in pages of n rows and joins them.
func paged(t testing.TB, e *Engine, r request.Read, n int) []livePartition {
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
	}
	t.Fatal("paging does not end")
	return nil
}

// world is a table, the engine that holds it, and the model of it.
type world struct {
	t     testing.TB
	r     *rand.Rand
	fs    *vfs.Mem
	e     *Engine
	m     *model
	table *schema.Table
	now   int64
}

var mapOfInts = types.MapOf(types.TText, types.TInt, false)

// modelTable is a table with everything.
func modelTable() *schema.Table {
	t := newTable("all",
		col{"p", schema.PartitionKey, types.TInt, false}, col{"q", schema.PartitionKey, types.TText, false},
		col{"c", schema.Clustering, types.TInt, false}, col{"d", schema.Clustering, types.TText, true},
		col{"s", schema.Static, types.TInt, false}, col{"sm", schema.Static, mapOfInts, false},
		col{"v", schema.Regular, types.TInt, false}, col{"w", schema.Regular, types.TText, false},
		col{"st", schema.Regular, types.SetOf(types.TInt, false), false}, col{"m", schema.Regular, mapOfInts, false},
		col{"l", schema.Regular, types.ListOf(types.TInt, false), false})
	return withIndexes(t, indexOn(t, "v", schema.TargetSimple), indexOn(t, "st", schema.TargetValues),
		indexOn(t, "m", schema.TargetKeys), indexOn(t, "m", schema.TargetValues), indexOn(t, "m", schema.TargetEntries),
		indexOn(t, "l", schema.TargetValues),
		indexOn(t, "d", schema.TargetSimple), indexOn(t, "s", schema.TargetSimple), indexOn(t, "q", schema.TargetSimple))
}

func (w *world) key() []byte {
	b := []byte{0, 4}
	b = append(b, int32Value(w.r.IntN(3))...)
	return append(b, 0, 0, 1, byte('a'+w.r.IntN(2)), 0)
}

func (w *world) clustering() [][]byte {
	return [][]byte{int32Value(w.r.IntN(8) - 3), []byte("abc"[:w.r.IntN(4)])}
}

func (w *world) deletion() row.Deletion {
	return row.Deletion{Timestamp: int64(w.r.IntN(30)) - 5, Local: int64(w.r.IntN(5) + 1)}
}

func (w *world) bound() row.Bound {
	return row.Bound{Values: w.clustering()[:w.r.IntN(3)], Inclusive: w.r.IntN(2) == 0}
}

// oneSlice returns a slice whose bounds are in order; it may be empty.
func (w *world) oneSlice() row.Slice {
	s := row.Slice{Start: w.bound(), End: w.bound()}
	if w.r.IntN(4) == 0 {
		s.Start = row.Bound{Values: w.clustering(), Inclusive: true}
		s.End = s.Start
	}
	if len(s.Start.Values) > 0 && len(s.End.Values) > 0 && w.m.compareClustering(s.Start.Values, s.End.Values) > 0 {
		s.Start, s.End = s.End, s.Start
	}
	return s
}

// times returns the times of a cell or marker: timestamp, and sometimes a TTL with an expiry around now.
func (w *world) times() (ts int64, ttl int32, local int64) {
	ts, local = int64(w.r.IntN(30))-5, row.NoLocal
	if w.r.IntN(4) == 0 {
		ttl, local = int32(1+w.r.IntN(3)), w.now+int64(w.r.IntN(7))-3
	}
	return ts, ttl, local
}

// mutation makes a random change and notes its facts.
func (w *world) mutation() (request.Mutation, []fact) {
	key := w.key()
	var b request.Builder
	b.Reset(w.table, key, token.Murmur3{}.Token(key))
	var facts []fact
	note := func(f fact) {
		f.key = string(key)
		facts = append(facts, f)
	}
	for range 1 + w.r.IntN(3) {
		switch w.r.IntN(12) {
		case 0:
			d := w.deletion()
			b.DeletePartition(d)
			note(fact{kind: "partition", deletion: d})
		case 1:
			s, d := w.oneSlice(), w.deletion()
			b.DeleteRange(s, d)
			note(fact{kind: "range", slice: s, deletion: d})
		case 2:
			c, d := w.clustering(), w.deletion()
			b.Row(c)
			b.DeleteRow(d)
			note(fact{kind: "row", clustering: c, deletion: d})
		case 3, 4:
			b.Static()
			w.cells(&b, nil, w.table.Static, note)
		default:
			c := w.clustering()
			b.Row(c)
			if w.r.IntN(2) == 0 {
				ts, ttl, local := w.times()
				l := row.Liveness{Timestamp: ts, TTL: ttl, Expiry: local}
				b.Liveness(l)
				note(fact{kind: "marker", clustering: c, marker: l})
			}
			w.cells(&b, c, w.table.Regular, note)
		}
	}
	return b.Mutation(), facts
}

// cells writes some cells, in any order, to the open row.
func (w *world) cells(b *request.Builder, clustering [][]byte, columns []*schema.Column, note func(fact)) {
	for range w.r.IntN(5) {
		column := columns[w.r.IntN(len(columns))]
		if column.Type.IsMultiCell() && w.r.IntN(4) == 0 {
			d := w.deletion()
			b.DeleteComplex(column.ID, d)
			note(fact{kind: "complex", clustering: clustering, deletion: d, column: column.ID})
			continue
		}
		c := row.Cell{Column: column.ID}
		c.Timestamp, c.TTL, c.Local = w.times()
		if c.TTL == 0 && w.r.IntN(5) == 0 {
			c.Local = int64(w.r.IntN(5) + 1)
		}
		value := int32Value(w.r.IntN(4) - 1)
		switch column.Type.Kind {
		case types.Set:
			c.Path, value = int32Value(w.r.IntN(4)-1), []byte{}
		case types.Map:
			c.Path = []byte("xyz"[:w.r.IntN(4)])
		case types.List:
			// A version 1 UUID whose order is that of its time.
			c.Path = make([]byte, 16)
			binary.BigEndian.PutUint32(c.Path, uint32(w.r.IntN(6)))
			c.Path[6], c.Path[8] = 0x10, 0x80
		case types.Text:
			value = []byte("uvw"[:w.r.IntN(4)])
		}
		if !c.IsTombstone() {
			c.Value = value
		}
		b.Cell(c)
		note(fact{kind: "cell", clustering: clustering, cell: c})
	}
}

// read makes a random read.
func (w *world) read() request.Read {
	r := request.Read{Table: w.table, Now: w.now, Reversed: w.r.IntN(3) == 0}
	open := request.KeyBound{Open: true}
	r.Range = request.KeyRange{Start: open, End: open}
	switch w.r.IntN(4) {
	case 0:
		r.Keys = [][]byte{w.key()}
	case 1:
		for range 4 {
			if k := w.key(); !slices.ContainsFunc(r.Keys, func(o []byte) bool { return bytes.Equal(o, k) }) {
				r.Keys = append(r.Keys, k)
			}
		}
	case 2:
		bound := func() request.KeyBound {
			k := w.key()
			b := request.KeyBound{Token: token.Murmur3{}.Token(k), Inclusive: w.r.IntN(2) == 0, Open: w.r.IntN(3) == 0}
			if w.r.IntN(2) == 0 {
				b.Key = k
			}
			return b
		}
		r.Range = request.KeyRange{Start: bound(), End: bound()}
	}
	if w.r.IntN(2) == 0 {
		// Disjoint slices in order: cut some random ones to what is behind the last.
		r.Slices = []row.Slice{}
		for range w.r.IntN(4) {
			s := w.oneSlice()
			n := len(r.Slices)
			behind := n == 0 || row.CompareCuts(w.table, row.EndCut(r.Slices[n-1].End), row.StartCut(s.Start)) <= 0
			if behind && !s.IsEmpty(w.table) {
				r.Slices = append(r.Slices, s)
			}
		}
	}
	col := func(name string) *schema.Column { return w.table.ByName[name] }
	num := func() []byte { return int32Value(w.r.IntN(4) - 1) }
	if w.r.IntN(3) == 0 {
		r.Filter = append(r.Filter, []request.Filter{
			{Column: col("v"), Op: request.OpEQ, Value: num()},
			{Column: col("v"), Op: request.OpLT, Value: num()},
			{Column: col("w"), Op: request.OpGE, Value: []byte("u")},
			{Column: col("s"), Op: request.OpNEQ, Value: num()},
			{Column: col("c"), Op: request.OpIN, Values: [][]byte{num(), num()}},
			{Column: col("d"), Op: request.OpEQ, Value: []byte("ab")},
			{Column: col("q"), Op: request.OpEQ, Value: []byte("a")},
			{Column: col("p"), Op: request.OpGE, Value: num()},
			{Column: col("st"), Op: request.OpContains, Value: num()},
			{Column: col("m"), Op: request.OpContains, Value: num()},
			{Column: col("m"), Op: request.OpContainsKey, Value: []byte("x")},
			{Column: col("m"), Op: request.OpMapEntry, Key: []byte("x"), Value: num()},
			{Column: col("sm"), Op: request.OpContainsKey, Value: []byte("x")},
			{Column: col("l"), Op: request.OpContains, Value: num()},
		}[w.r.IntN(14)])
	}
	if len(w.table.Indexes) > 0 && w.r.IntN(3) == 0 {
		r.Index = w.table.Indexes[w.r.IntN(len(w.table.Indexes))]
		r.Reversed = false
		switch {
		case r.Index.Target == schema.TargetKeys:
			r.Term = []byte("xyz"[:w.r.IntN(4)])
		case r.Index.Target == schema.TargetEntries:
			r.Term = request.IndexTerm([]byte("xyz"[:w.r.IntN(4)]), num())
		case r.Index.Column.Name == "d":
			r.Term = []byte("abc"[:w.r.IntN(4)])
		case r.Index.Column.Name == "q":
			r.Term = []byte("ab"[:1])
		default:
			r.Term = num()
		}
	}
	return r
}

// check compares one random read with the model, whole and in pages.
func (w *world) check() {
	w.t.Helper()
	r := w.read()
	want := show(w.table, w.m.read(&r))
	it, err := w.e.Read(context.Background(), &r)
	if err != nil {
		w.t.Fatal(err)
	}
	got, _ := drain(w.t, row.LiveFilter(it, r.Now), 1<<30, r.Now)
	if s := show(w.table, got); s != want {
		w.t.Fatalf("read %+v\ngives\n%swant\n%s", r, s, want)
	}
	n := 1 + w.r.IntN(4)
	if s := show(w.table, paged(w.t, w.e, r, n)); s != want {
		w.t.Fatalf("read %+v\nin pages of %d gives\n%swant\n%s", r, n, s, want)
	}
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.e, err = Open("/data", Options{FS: w.fs, Sync: SyncBatch, SegmentSize: 8192}); err != nil {
		w.t.Fatal(err)
	}
	if _, err = w.e.Replay(snapshotOf(w.table)); err != nil {
		w.t.Fatal(err)
	}
}

// apply writes some mutations as one record and waits.
func (w *world) apply() {
	w.t.Helper()
	var ms []request.Mutation
	for range 1 + w.r.IntN(3) {
		m, facts := w.mutation()
		ms = append(ms, m)
		w.m.facts = append(w.m.facts, facts...)
	}
	c, err := w.e.Apply(ms)
	if err == nil {
		err = c.Wait()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// alter drops a column, adds it again, or changes the indexes.
func (w *world) alter() {
	u := *w.table
	switch w.r.IntN(3) {
	case 0:
		// The column w is dropped and added again at a time in the middle of all timestamps.
		u.ByID, u.ByName, u.Regular = map[schema.ColumnID]*schema.Column{}, map[string]*schema.Column{}, nil
		for id, c := range w.table.ByID {
			x := *c
			if c.Name == "w" {
				x.DroppedAt = int64(w.r.IntN(30)) - 5
			}
			u.ByID[id], u.ByName[c.Name] = &x, &x
		}
		for _, c := range w.table.Regular {
			u.Regular = append(u.Regular, u.ByName[c.Name])
		}
	case 1:
		u.Indexes = u.Indexes[:w.r.IntN(len(u.Indexes)+1)]
	case 2:
		u.Indexes = modelTable().Indexes
	}
	old := w.table
	w.table, w.m.t = &u, &u
	w.e.SetSchema(snapshotOf(w.table))
	for _, x := range w.table.Indexes {
		if old.Index(x.Name) == nil {
			if err := w.e.BuildIndex(context.Background(), w.table.ID, x.Name); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// TestModel runs random writes, reads, schema changes, truncations, restarts and crashes on an engine and on the model.
func TestModel(t *testing.T) {
	for range 12 {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("seed%d", seed), func(t *testing.T) { runModel(t, seed) })
		if t.Failed() {
			return
		}
	}
}

func runModel(t testing.TB, seed uint64) {
	table := modelTable()
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 0)), fs: vfs.NewMem(), m: &model{t: table}, table: table, now: 1000}
	w.open()
	for range 150 {
		w.apply()
		w.check()
		w.check()
		switch w.r.IntN(40) {
		case 0:
			w.now += int64(w.r.IntN(3))
		case 1:
			w.alter()
		case 2:
			if err := w.e.Truncate(w.table.ID); err != nil {
				t.Fatal(err)
			}
			w.m.facts = nil
		case 3:
			if err := w.e.Close(); err != nil {
				t.Fatal(err)
			}
			w.open()
		case 4:
			crashed := w.fs.CrashClone(w.r)
			if err := w.e.Close(); err != nil {
				t.Fatal(err)
			}
			w.fs = crashed
			w.open()
		}
	}
	if err := w.e.Close(); err != nil {
		t.Fatal(err)
	}
}
