package storage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// world is an engine, its tables, and the models of them. All that happens follows from r, except for what the engine does
// in the background.
type world struct {
	t  testing.TB
	r  *rand.Rand
	fs *vfs.Mem
	// wrap, when it is set, is put around fs for the engine.
	wrap func(*vfs.Mem) vfs.FS
	e    *Engine
	v    variant
	// tables are those that there are; dead those that were dropped.
	tables []*modelled
	// now is the time in seconds, and the middle of the timestamps that are written: the older a timestamp is the less it is
	// written, so that what compaction may purge is never needed again (variant.grace).
	now   int64
	clock *atomic.Int64 // now, for the engine
	event int
	// purged is that of the table that is written.
	purged int64
	// dropped is the newest timestamp that the column w of a table may have had when it was dropped.
	dropped map[schema.UUID]int64
	// cuts is where the power is cut; nil in a run without.
	cuts *cuts
	// synced is the last event that is known to be durable, powerCuts how many cuts were looked at, depth how many deep.
	synced, depth int
	powerCuts     *int
	snaps         []snapped
	ops           int // changes written, reads compared, and what happens to tables
	names         int // tables ever made
}

// modelled is a table with its model.
type modelled struct {
	table *schema.Table
	m     *model
	// purged is the newest timestamp of a tombstone that a compaction may have purged, or older than all that are written.
	purged int64
	// counts are the increments of a table of counters.
	counts []counted
}

// countAt names a counter row: key and clustering.
type countAt struct{ key, c int }

// counted is an increment of a counter, or its deletion, after which it is never incremented again: what Cassandra then shows
// depends on what was compacted.
type counted struct {
	event int
	at    countAt
	delta int64
	gone  bool
}

// totals returns the counters that there are, and those that were deleted.
func (x *modelled) totals() (counts map[countAt]int64, gone map[countAt]bool) {
	counts, gone = map[countAt]int64{}, map[countAt]bool{}
	for _, c := range x.counts {
		switch {
		case c.event <= x.m.floor || c.event > x.m.limit || x.m.without[c.event]:
		case c.gone:
			gone[c.at] = true
			delete(counts, c.at)
		default:
			counts[c.at] += c.delta
		}
	}
	return counts, gone
}

// variant is what is set differently from run to run; the answers must not differ.
type variant struct {
	name string
	// keys is the number of partitions, span that of the values of a clustering column, pad the length of some texts.
	keys, span, pad int
	// jitter is how far timestamps go to both sides of now; grace is gc_grace_seconds. What is purged at a time has a
	// timestamp of at most jitter behind it, so grace is above twice the jitter.
	jitter, grace int64
	// old says that timestamps may be far in the past, as nothing is compacted behind the world's back.
	old bool
	// periodic says that writes wait for no disk.
	periodic bool
	options  func(*Options)
	table    func(*schema.Options)
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
	return withIndexes(t, modelIndexes(t)...)
}

// modelIndexes are the indexes of a table with everything.
func modelIndexes(t *schema.Table) []*schema.Index {
	return []*schema.Index{
		indexOn(t, "v", schema.TargetSimple), indexOn(t, "st", schema.TargetValues), indexOn(t, "m", schema.TargetKeys),
		indexOn(t, "m", schema.TargetValues), indexOn(t, "m", schema.TargetEntries), indexOn(t, "l", schema.TargetValues),
		indexOn(t, "d", schema.TargetSimple), indexOn(t, "s", schema.TargetSimple), indexOn(t, "q", schema.TargetSimple),
	}
}

// newShape returns a table of one of the shapes that a world knows.
func newShape(n int) *schema.Table {
	p := col{"p", schema.PartitionKey, types.TInt, false}
	v, w := col{"v", schema.Regular, types.TInt, false}, col{"w", schema.Regular, types.TText, false}
	switch n {
	case 0:
		return modelTable()
	case 1: // one row a partition
		return newTable("flat", p, v, w, col{"m", schema.Regular, mapOfInts, false}, col{"u", schema.Regular, types.TUUID, false})
	case 2: // wide partitions, descending
		return newTable("wide", p, col{"c", schema.Clustering, types.TInt, true}, v, w, col{"s", schema.Static, types.TInt, false})
	case 3:
		return newTable("texts", p, col{"d", schema.Clustering, types.TText, false}, col{"c", schema.Clustering, types.TInt, true},
			col{"x", schema.Clustering, types.TBlob, false}, w, col{"l", schema.Regular, types.ListOf(types.TInt, false), false})
	case 4: // keys alone
		return newTable("keys", p, col{"c", schema.Clustering, types.TInt, false})
	}
	return newTable("counts", p, col{"c", schema.Clustering, types.TInt, false}, col{"n", schema.Regular, types.TCounter, false})
}

const shapes = 6

// addTable makes a table of a shape; its id is its own.
func (w *world) addTable(shape int) {
	t := newShape(shape)
	w.names++
	t.ID = schema.UUID{byte(w.names >> 8), byte(w.names), 6: 0x10, 8: 0x80, 9: byte(shape)}
	t.Name = fmt.Sprintf("%s%d", t.Name, w.names)
	t.Options = schema.DefaultOptions()
	t.Options.GCGraceSeconds = int32(w.v.grace)
	if w.v.table != nil {
		w.v.table(&t.Options)
	}
	x := &modelled{table: t, m: newModel(t), purged: w.now - w.v.grace - w.v.jitter}
	x.m.forgets = w.cuts == nil
	w.tables = append(w.tables, x)
}

// pick returns one of the tables.
func (w *world) pick() *modelled { return w.tables[w.r.IntN(len(w.tables))] }

// plain returns one of the tables that are not of counters.
func (w *world) plain() *modelled {
	for {
		if x := w.pick(); !x.table.Counter {
			return x
		}
	}
}

func (w *world) key(t *schema.Table) []byte {
	n := w.r.IntN(max(w.v.keys, 3))
	if len(t.PartitionKey) == 1 {
		return int32Value(n)
	}
	b := append([]byte{0, 4}, int32Value(n/2)...)
	return append(b, 0, 0, 1, byte('a'+n%2), 0)
}

func (w *world) clustering(t *schema.Table) [][]byte {
	out := make([][]byte, 0, len(t.Clustering))
	for _, c := range t.Clustering {
		switch c.Type.Kind {
		case types.Int:
			out = append(out, int32Value(w.r.IntN(max(w.v.span, 8))-3))
		case types.Blob:
			out = append(out, []byte{0, 0xff, 0}[:w.r.IntN(4)])
		default:
			out = append(out, []byte("abc"[:w.r.IntN(4)]))
		}
	}
	return out
}

// timestamp returns one around now, or now and then one that is as old as nothing that a compaction has purged.
func (w *world) timestamp() int64 {
	if from := w.purged + 1; w.v.old && from > 1 && from < w.now-w.v.jitter && w.r.IntN(6) == 0 {
		return from + w.r.Int64N(w.now-from)
	}
	if w.v.jitter == 0 {
		return w.now
	}
	return w.now + w.r.Int64N(2*w.v.jitter) - w.v.jitter
}

func (w *world) deletion() row.Deletion {
	return row.Deletion{Timestamp: w.timestamp(), Local: w.died()}
}

// died returns when something was deleted: now or, when what is deleted is not purged at once, a little before.
func (w *world) died() int64 {
	if w.v.grace == 0 {
		return w.now
	}
	return w.now - int64(w.r.IntN(3))
}

func (w *world) bound(t *schema.Table) row.Bound {
	return row.Bound{Values: w.clustering(t)[:w.r.IntN(len(t.Clustering)+1)], Inclusive: w.r.IntN(2) == 0}
}

// oneSlice returns a slice whose bounds are in order; it may be empty.
func (w *world) oneSlice(x *modelled) row.Slice {
	s := row.Slice{Start: w.bound(x.table), End: w.bound(x.table)}
	if w.r.IntN(4) == 0 {
		s.Start = row.Bound{Values: w.clustering(x.table), Inclusive: true}
		s.End = s.Start
	}
	if len(s.Start.Values) > 0 && len(s.End.Values) > 0 && x.m.compareClustering(s.Start.Values, s.End.Values) > 0 {
		s.Start, s.End = s.End, s.Start
	}
	return s
}

// times returns the times of a cell or marker: timestamp, and sometimes a TTL with an expiry around now. Those of one timestamp
// have the same TTL and expiry: a compaction turns what has expired into a tombstone, which wins a tie from then on.
func (w *world) times() (ts int64, ttl int32, local int64) {
	ts, local = w.timestamp(), row.NoLocal
	if w.r.IntN(4) == 0 {
		ttl = int32(1 + ts%6)
		local = ts + int64(ttl)
	}
	return ts, ttl, local
}

// mutation makes a random change and notes its facts.
func (w *world) mutation(x *modelled) (request.Mutation, []fact) {
	w.purged = x.purged
	key := w.key(x.table)
	var b request.Builder
	b.Reset(x.table, key, token.Murmur3{}.Token(key))
	var facts []fact
	note := func(f fact) {
		f.key, f.event = string(key), w.event
		facts = append(facts, f)
		w.ops++
	}
	for range 1 + w.r.IntN(3) {
		switch n := w.r.IntN(60); {
		case n < 2:
			d := w.deletion()
			b.DeletePartition(d)
			note(fact{kind: factPartition, deletion: d})
		case n < 7 && len(x.table.Clustering) > 0:
			s, d := w.oneSlice(x), w.deletion()
			b.DeleteRange(s, d)
			note(fact{kind: factRange, slice: s, deletion: d})
		case n < 12:
			c, d := w.clustering(x.table), w.deletion()
			b.Row(c)
			b.DeleteRow(d)
			note(fact{kind: factRow, clustering: c, deletion: d})
		case n < 20 && len(x.table.Static) > 0:
			b.Static()
			w.cells(&b, nil, x.table.Static, note)
		default:
			c := w.clustering(x.table)
			b.Row(c)
			if w.r.IntN(2) == 0 {
				ts, ttl, local := w.times()
				l := row.Liveness{Timestamp: ts, TTL: ttl, Expiry: local}
				b.Liveness(l)
				note(fact{kind: factMarker, clustering: c, marker: l})
			}
			w.cells(&b, c, x.table.Regular, note)
		}
	}
	return b.Mutation(), facts
}

// cells writes some cells, in any order, to the open row.
func (w *world) cells(b *request.Builder, clustering [][]byte, columns []*schema.Column, note func(fact)) {
	if len(columns) == 0 {
		return
	}
	for range w.r.IntN(5) {
		column := columns[w.r.IntN(len(columns))]
		if column.Type.IsMultiCell() && w.r.IntN(4) == 0 {
			d := w.deletion()
			b.DeleteComplex(column.ID, d)
			note(fact{kind: factComplex, clustering: clustering, deletion: d, column: column.ID})
			continue
		}
		c := row.Cell{Column: column.ID}
		c.Timestamp, c.TTL, c.Local = w.times()
		if c.TTL == 0 && w.r.IntN(5) == 0 {
			c.Local = w.died()
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
			if w.v.pad > 0 && w.r.IntN(2) == 0 {
				value = bytes.Repeat([]byte{'a' + byte(w.r.IntN(3))}, w.r.IntN(w.v.pad))
			}
		case types.UUID:
			value = bytes.Repeat([]byte{0x40}, 16)
			value[0], value[8] = byte(w.r.IntN(3)), 0x80
		}
		if !c.IsTombstone() {
			c.Value = value
		}
		b.Cell(c)
		note(fact{kind: factCell, clustering: clustering, cell: c})
	}
}

// read makes a random read of a table.
func (w *world) read(x *modelled) request.Read {
	r := request.Read{Table: x.table, Now: w.now, Reversed: w.r.IntN(3) == 0}
	open := request.KeyBound{Open: true}
	r.Range = request.KeyRange{Start: open, End: open}
	switch w.r.IntN(4) {
	case 0:
		r.Keys = [][]byte{w.key(x.table)}
	case 1:
		for range 4 {
			if k := w.key(x.table); !slices.ContainsFunc(r.Keys, func(o []byte) bool { return bytes.Equal(o, k) }) {
				r.Keys = append(r.Keys, k)
			}
		}
	case 2:
		bound := func() request.KeyBound {
			k := w.key(x.table)
			b := request.KeyBound{Token: token.Murmur3{}.Token(k), Inclusive: w.r.IntN(2) == 0, Open: w.r.IntN(3) == 0}
			if w.r.IntN(2) == 0 {
				b.Key = k
			}
			return b
		}
		r.Range = request.KeyRange{Start: bound(), End: bound()}
	}
	if w.r.IntN(2) == 0 {
		// Disjoint slices in order: of some random ones those that stand behind the last.
		r.Slices = []row.Slice{}
		for range w.r.IntN(4) {
			s := w.oneSlice(x)
			n := len(r.Slices)
			behind := n == 0 || row.CompareCuts(x.table, row.EndCut(r.Slices[n-1].End), row.StartCut(s.Start)) <= 0
			if behind && !s.IsEmpty(x.table) {
				r.Slices = append(r.Slices, s)
			}
		}
	}
	if w.r.IntN(3) == 0 {
		w.filter(&r)
	}
	if len(x.table.Indexes) > 0 && w.r.IntN(3) == 0 {
		w.index(&r)
	}
	return r
}

// filter gives r a term.
func (w *world) filter(r *request.Read) {
	col := func(name string) *schema.Column { return r.Table.ByName[name] }
	num := func() []byte { return int32Value(w.r.IntN(4) - 1) }
	terms := []request.Filter{
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
	}
	if f := terms[w.r.IntN(len(terms))]; f.Column != nil {
		r.Filter = append(r.Filter, f)
	}
}

// index makes r a look-up.
func (w *world) index(r *request.Read) {
	r.Index = r.Table.Indexes[w.r.IntN(len(r.Table.Indexes))]
	r.Reversed = false
	num := int32Value(w.r.IntN(4) - 1)
	switch {
	case r.Index.Target == schema.TargetKeys:
		r.Term = []byte("xyz"[:w.r.IntN(4)])
	case r.Index.Target == schema.TargetEntries:
		r.Term = request.IndexTerm([]byte("xyz"[:w.r.IntN(4)]), num)
	case r.Index.Column.Name == "d":
		r.Term = []byte("abc"[:w.r.IntN(4)])
	case r.Index.Column.Name == "q":
		r.Term = []byte("ab"[:1])
	default:
		r.Term = num
	}
}

// copyTable returns a copy of t whose columns may be changed.
func copyTable(t *schema.Table) *schema.Table {
	u := *t
	u.ByID, u.ByName, u.Dropped = map[schema.ColumnID]*schema.Column{}, map[string]*schema.Column{}, map[string]schema.DroppedColumn{}
	for id, c := range t.ByID {
		u.ByID[id], u.ByName[c.Name] = c, c
	}
	for n, d := range t.Dropped {
		u.Dropped[n] = d
	}
	u.Regular = slices.Clone(t.Regular)
	return &u
}

// dropOrAdd drops the column w of a table, or adds it again.
func (w *world) dropOrAdd(t *schema.Table) *schema.Table {
	u := copyTable(t)
	was, ok := u.Dropped["w"]
	if ok && was.At < w.dropped[t.ID] {
		return u // see below: it stays dropped
	}
	if ok {
		c := *was.Column
		c.DroppedAt = was.At
		u.ByID[c.ID], u.ByName["w"] = &c, &c
		u.Regular = append(u.Regular, &c)
		delete(u.Dropped, "w")
		if u.Readded == nil {
			u.Readded = map[string]schema.DroppedColumn{}
		}
		u.Readded = map[string]schema.DroppedColumn{"w": was}
		return u
	}
	c := u.ByName["w"]
	if c == nil {
		return u
	}
	// What was dropped stays dropped: the next time is never earlier. Cells that are newer than the time of the drop may go when
	// they are flushed or merged meanwhile, so that a column which has some is not added again.
	at := max(w.timestamp(), c.DroppedAt)
	if w.dropped == nil {
		w.dropped = map[schema.UUID]int64{}
	}
	w.dropped[t.ID] = w.now + w.v.jitter
	if w.r.IntN(4) > 0 {
		at = w.dropped[t.ID]
	}
	gone := *c
	gone.DroppedAt = math.MinInt64
	u.Dropped["w"] = schema.DroppedColumn{Column: &gone, At: at}
	u.Readded = nil
	delete(u.ByID, c.ID)
	delete(u.ByName, "w")
	u.Regular = slices.DeleteFunc(u.Regular, func(o *schema.Column) bool { return o.ID == c.ID })
	return u
}
