package compaction

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/memtable"
	"github.com/helenusdb/helenus/storage/merge"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// The columns of testTable.
const (
	colStatic schema.ColumnID = iota + 3
	colA
	colB
	colMap
)

// testTable is (p int, c int, s int static, a int, b text, m map<int, text>) with compaction options as of with.
func testTable(opts string) *schema.Table {
	t := &schema.Table{Keyspace: "ks", Name: "t", ByName: map[string]*schema.Column{}, ByID: map[schema.ColumnID]*schema.Column{},
		Options: schema.DefaultOptions()}
	add := func(name string, k schema.ColumnKind, typ *types.Type) *schema.Column {
		c := &schema.Column{Keyspace: "ks", Table: "t", Name: name, ID: schema.ColumnID(len(t.ByID) + 1), Kind: k, Type: typ,
			DroppedAt: math.MinInt64, Position: -1}
		t.ByName[name], t.ByID[c.ID] = c, c
		return c
	}
	t.PartitionKey = append(t.PartitionKey, add("p", schema.PartitionKey, types.TInt))
	t.Clustering = append(t.Clustering, add("c", schema.Clustering, types.TInt))
	t.PartitionKey[0].Position, t.Clustering[0].Position = 0, 0
	t.Static = append(t.Static, add("s", schema.Static, types.TInt))
	t.Regular = append(t.Regular, add("a", schema.Regular, types.TInt), add("b", schema.Regular, types.TText),
		add("m", schema.Regular, &types.Type{Kind: types.Map, Elems: []*types.Type{types.TInt, types.TText}}))
	t.Options.Compaction = with(opts).Options.Compaction
	t.ID[0] = 7
	return t
}

func intValue(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

// memStore is a store in memory: one memtable, and tables in a folder.
type memStore struct {
	t     testing.TB
	fs    vfs.FS
	dir   string
	table *schema.Table
	clock int64 // milliseconds, of creations

	mu      sync.Mutex
	tables  []Live
	mem     *memtable.Table
	gen     int
	gen2    int // numbers what expires
	changes int
	// exchange is called before each exchange and may refuse it.
	exchange func(removed []string, added []Output) error
}

func newStore(t testing.TB, fs vfs.FS, table *schema.Table) *memStore {
	s := &memStore{t: t, fs: fs, dir: "data", table: table, mem: memtable.New(table), clock: now * 1000}
	if _, ok := fs.(vfs.OS); ok {
		s.dir = t.TempDir()
	}
	if err := fs.MkdirAll(s.Dir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, l := range s.tables {
			l.Reader.Close()
		}
	})
	return s
}

func (s *memStore) Schema() *schema.Table { return s.table }
func (s *memStore) Dir() string           { return s.dir }
func (s *memStore) FlushBytes() int64     { return 0 }

func (s *memStore) Next() (sstable.Descriptor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gen++
	return sstable.Descriptor{Version: "nb", ID: fmt.Sprint(s.gen), Format: "big"}, nil
}

// open opens a table that was written, as one of a month ago when old is true.
func (s *memStore) open(o Output, old bool) (Live, error) {
	r, err := sstable.Open(s.fs, s.Dir(), o.Descriptor)
	if err != nil {
		return Live{}, err
	}
	x := Describe(r.Statistics())
	x.ID, x.Size, x.Level, x.RepairedAt = o.Descriptor.String(), r.DataSize(), o.Level, o.RepairedAt
	x.First.Token, x.First.Bytes = r.First()
	x.Last.Token, x.Last.Bytes = r.Last()
	s.clock++
	x.CreationMs = s.clock
	if old {
		x.CreationMs -= 30 * day * 1000
	}
	v, err := r.View(s.table)
	return Live{Table: &x, View: v, Reader: r, Err: err}, nil
}

func (s *memStore) Exchange(removed []string, added []Output) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exchange != nil {
		if err := s.exchange(removed, added); err != nil {
			return err
		}
	}
	for _, id := range removed {
		if !slices.ContainsFunc(s.tables, func(l Live) bool { return l.ID == id }) {
			return ErrGone
		}
	}
	next := slices.Clone(s.tables)
	for _, o := range added {
		l, err := s.open(o, false)
		if err != nil {
			return err
		}
		next = append(next, l)
	}
	s.tables = slices.DeleteFunc(next, func(l Live) bool {
		if !slices.Contains(removed, l.ID) {
			return false
		}
		l.Reader.Close()
		removeFiles(s.fs, s.Dir(), l.Reader.Descriptor())
		return true
	})
	s.changes++
	return nil
}

func (s *memStore) Relabel(changes []Output) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range changes {
		i := slices.IndexFunc(s.tables, func(l Live) bool { return l.ID == c.Descriptor.String() })
		if i < 0 {
			return ErrGone
		}
		x := *s.tables[i].Table
		x.Level = c.Level
		s.tables[i].Table = &x
	}
	s.changes++
	return nil
}

// memMoment is a moment of a memStore.
type memMoment struct {
	s       *memStore
	tables  []Live
	mem     *memtable.Table
	changes int
}

func (s *memStore) Acquire() Moment {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.tables {
		if !l.Reader.Ref() {
			s.t.Error("a live table is closed")
		}
	}
	return &memMoment{s, slices.Clone(s.tables), s.mem, s.changes}
}

func (m *memMoment) Tables() []Live { return m.tables }

func (m *memMoment) MemtableMin() int64 {
	if m.mem.Partitions() == 0 {
		return math.MaxInt64
	}
	return m.mem.MinTimestamp()
}

func (m *memMoment) MemtableBound(tok token.Token, key []byte) (int64, bool) {
	return m.mem.MinTimestamp(), m.mem.Contains(tok, key)
}

func (m *memMoment) Current() bool {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	return m.changes == m.s.changes
}

func (m *memMoment) Release() {
	for _, l := range m.tables {
		l.Reader.Unref()
	}
}

// flush writes the memtable to a table.
func (s *memStore) flush() {
	s.t.Helper()
	if s.mem.Partitions() == 0 {
		return
	}
	d, _ := s.Next()
	w, err := sstable.NewWriter(s.fs, s.Dir(), d, sstable.WriterOptions{Table: s.table})
	if err != nil {
		s.t.Fatal(err)
	}
	open := request.KeyBound{Open: true}
	src := s.mem.Source(request.KeyRange{Start: open, End: open})
	for p := src.Next(); p != nil; p = src.Next() {
		if err := w.Append(p); err != nil {
			s.t.Fatal(err)
		}
	}
	keys := w.Keys()
	if err := w.Finish(); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mem = memtable.New(s.table)
	s.changes++
	if keys == 0 {
		return
	}
	l, err := s.open(Output{Descriptor: d}, true)
	if err != nil {
		s.t.Fatal(err)
	}
	s.tables = append(s.tables, l)
}

// apply writes what change puts into the builder.
func (s *memStore) apply(key int, change func(b *request.Builder)) {
	var b request.Builder
	k := intValue(key)
	b.Reset(s.table, k, token.Murmur3{}.Token(k))
	change(&b)
	mut := b.Mutation()
	if err := s.mem.Apply(&mut); err != nil {
		s.t.Fatal(err)
	}
}

// insert writes a row with one cell.
func (s *memStore) insert(key, clustering int, ts int64) {
	s.apply(key, func(b *request.Builder) {
		b.Row([][]byte{intValue(clustering)})
		b.Liveness(row.Liveness{Timestamp: ts, Expiry: row.NoLocal})
		b.Cell(row.Cell{Column: colA, Value: intValue(int(ts)), Timestamp: ts, Local: row.NoLocal})
	})
}

// random writes a random change with few timestamps and deletion times of the last 40 days.
func (s *memStore) random(r *rand.Rand, keys int) {
	ts := func() int64 { return 1000 * (1 + r.Int64N(50)) }
	// What expires has a timestamp of its own: it becomes a tombstone, which on a tie would win from then on.
	expiring := func() int64 {
		s.gen2++
		return ts() + int64(1+s.gen2%999)
	}
	dead := func() row.Deletion { return row.Deletion{Timestamp: ts(), Local: now - r.Int64N(40*day)} }
	cell := func(id schema.ColumnID, path, value []byte) row.Cell {
		c := row.Cell{Column: id, Path: path, Value: value, Timestamp: ts(), Local: row.NoLocal}
		switch r.IntN(6) {
		case 0:
			c.Value, c.Local = nil, now-r.Int64N(40*day)
		case 1:
			c.TTL, c.Timestamp = int32(1+r.IntN(20*day)), expiring()
			c.Local = now - r.Int64N(40*day) + int64(c.TTL)
		}
		return c
	}
	text := func() []byte { return []byte(strings.Repeat("x", r.IntN(20))) }
	s.apply(r.IntN(keys), func(b *request.Builder) {
		for range 1 + r.IntN(4) {
			switch r.IntN(12) {
			case 0:
				b.DeletePartition(dead())
			case 1:
				from := r.IntN(10)
				b.DeleteRange(row.Slice{
					Start: row.Bound{Values: [][]byte{intValue(from)}, Inclusive: r.IntN(2) == 0},
					End:   row.Bound{Values: [][]byte{intValue(from + 1 + r.IntN(5))}, Inclusive: r.IntN(2) == 0},
				}, dead())
			case 2:
				b.Static()
				b.Cell(cell(colStatic, nil, intValue(r.IntN(9))))
			default:
				b.Row([][]byte{intValue(r.IntN(12))})
				switch r.IntN(6) {
				case 0:
					b.DeleteRow(dead())
				case 1:
					ttl := int32(1 + r.IntN(20*day))
					b.Liveness(row.Liveness{Timestamp: expiring(), TTL: ttl, Expiry: now - r.Int64N(40*day) + int64(ttl)})
				default:
					b.Liveness(row.Liveness{Timestamp: ts(), Expiry: row.NoLocal})
				}
				b.Cell(cell(colA, nil, intValue(r.IntN(9))))
				if r.IntN(2) == 0 {
					b.Cell(cell(colB, nil, text()))
				}
				if r.IntN(3) == 0 {
					b.DeleteComplex(colMap, dead())
				}
				for range r.IntN(3) {
					b.Cell(cell(colMap, intValue(r.IntN(4)), text()))
				}
			}
		}
	})
}

// source returns all that the store holds, merged.
func (s *memStore) source() (*row.Layout, row.Source) {
	l := row.NewLayout(s.table)
	open := request.KeyBound{Open: true}
	list := []row.Source{s.mem.Source(request.KeyRange{Start: open, End: open})}
	for _, t := range s.tables {
		list = append(list, t.View.Scan(sstable.All()))
	}
	return l, merge.Sources(l, list)
}

// live prints what a client sees, stored all that is stored, with what has expired as the tombstone that it becomes.
func (s *memStore) live() string {
	l, src := s.source()
	return printed(s.t, row.LiveFilter(merge.Rows(context.Background(), l, src), now), false)
}

func (s *memStore) stored() string {
	l, src := s.source()
	src = merge.Purge(src, merge.Purger{Now: now, GCBefore: math.MinInt64})
	return printed(s.t, merge.Rows(context.Background(), l, src), true)
}

// deletions prints the timestamp of every deletion that is stored, those of ranges too.
func (s *memStore) deletions() string {
	_, src := s.source()
	defer src.Close()
	var b strings.Builder
	note := func(d row.Deletion) {
		if !d.IsLive() {
			fmt.Fprintf(&b, " %d", d.Timestamp)
		}
	}
	for p := src.Next(); p != nil; p = src.Next() {
		note(p.Deletion)
		for u := p.Rows.Next(); u != nil; u = p.Rows.Next() {
			if u.Row == nil {
				note(u.Marker.Opened)
				continue
			}
			note(u.Row.Deletion)
			for _, c := range u.Row.Cells {
				if c.IsTombstone() {
					note(row.Deletion{Timestamp: c.Timestamp, Local: c.Local})
				}
			}
		}
	}
	if src.Err() != nil {
		s.t.Fatal(src.Err())
	}
	return b.String()
}

// printed prints and closes an iterator, with deletions or without.
func printed(t testing.TB, it row.Iterator, deletions bool) string {
	t.Helper()
	defer it.Close()
	var b, body strings.Builder
	put := func(what string, r *row.Row) {
		if r == nil {
			return
		}
		fmt.Fprintf(&body, " %s%x", what, r.Clustering)
		if r.Liveness != row.NoLiveness {
			fmt.Fprintf(&body, " live%v", r.Liveness)
		}
		if deletions && !r.Deletion.IsLive() {
			fmt.Fprintf(&body, " dead%v", r.Deletion)
		}
		for _, c := range r.Complex {
			if deletions {
				fmt.Fprintf(&body, " %d:dead%v", c.Column, c.Deletion)
			}
		}
		for _, c := range r.Cells {
			fmt.Fprintf(&body, " %d[%x]=%x@%d/%d/%d", c.Column, c.Path, c.Value, c.Timestamp, c.TTL, c.Local)
		}
		body.WriteByte('\n')
	}
	for it.NextPartition() {
		body.Reset()
		head := ""
		if d := it.PartitionDeletion(); deletions && !d.IsLive() {
			head = fmt.Sprintf(" dead%v", d)
		}
		put("static", it.Static())
		for r := it.NextRow(); r != nil; r = it.NextRow() {
			put("row", r)
		}
		if head != "" || body.Len() > 0 {
			fmt.Fprintf(&b, "%x%s\n%s", it.Key(), head, body.String())
		}
	}
	if it.Err() != nil {
		t.Fatal(it.Err())
	}
	return b.String()
}

// testClock is a clock that stands at now.
func testClock() time.Time { return time.Unix(now, 0) }

// newManager returns a manager that looks after s and is closed with the test.
func newManager(t testing.TB, s *memStore) *Manager {
	m := NewManager(Options{FS: s.fs, Now: testClock, Log: quiet})
	t.Cleanup(m.Close)
	m.Add(s)
	return m
}

// difference prints the first lines that only one of two texts has.
func difference(got, want string) string {
	var out []string
	only := func(sign, a, b string) {
		has := map[string]bool{}
		for line := range strings.SplitSeq(b, "\n") {
			has[line] = true
		}
		n := 0
		for line := range strings.SplitSeq(a, "\n") {
			if !has[line] && n < 5 {
				out = append(out, sign+line)
				n++
			}
		}
	}
	only("+", got, want)
	only("-", want, got)
	return strings.Join(out, "\n")
}
