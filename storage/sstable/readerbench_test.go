package sstable

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// rowsOf is a list of rows and markers as a source.
type rowsOf struct {
	list []row.Unfiltered
	i    int
}

func (r *rowsOf) Next() *row.Unfiltered {
	if r.i == len(r.list) {
		return nil
	}
	r.i++
	return &r.list[r.i-1]
}

func (r *rowsOf) Err() error { return nil }

// column makes a column for a table in tests.
func testColumn(id schema.ColumnID, name string, kind schema.ColumnKind, pos int, t *types.Type) *schema.Column {
	return &schema.Column{Keyspace: "ks", Table: "t", Name: name, ID: id, Kind: kind, Position: pos, Type: t, DroppedAt: -1 << 63}
}

// pairTable has a blob key and a blob value, like a store of keys and values.
func pairTable() *schema.Table {
	t := &schema.Table{
		Keyspace: "ks", Name: "t", Options: schema.DefaultOptions(), NextColumn: 3,
		PartitionKey: []*schema.Column{testColumn(1, "k", schema.PartitionKey, 0, types.TBlob)},
		Regular:      []*schema.Column{testColumn(2, "v", schema.Regular, -1, types.TBlob)},
	}
	t.Finish()
	return t
}

// pairKey is the i-th key of 16 bytes.
func pairKey(i uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, i*0x9e3779b97f4a7c15)
	return binary.BigEndian.AppendUint64(b, i)
}

// writePairs writes n partitions of one row of 100 bytes, which compress to a half.
func writePairs(b testing.TB, dir string, t *schema.Table, n int) Descriptor {
	d := Descriptor{Version: "nb", ID: "1", Format: "big"}
	w, err := NewWriter(vfs.OS{}, dir, d, WriterOptions{Table: t, ExpectedKeys: int64(n)})
	if err != nil {
		b.Fatal(err)
	}
	keys := make([]benchKey, n)
	for i := range keys {
		key := pairKey(uint64(i))
		keys[i] = benchKey{key: key, token: w.order.token(key)}
	}
	sortKeys(keys)
	rnd := rand.New(rand.NewPCG(1, 2))
	value := make([]byte, 100)
	for i := range keys {
		for j := range value {
			if value[j] = 'a'; j%2 == 0 {
				value[j] = byte(rnd.Uint32())
			}
		}
		ts := int64(1_760_000_000_000_000 + i)
		r := row.Row{Liveness: row.Liveness{Timestamp: ts, Expiry: row.NoLocal}, Deletion: row.Live,
			Cells: []row.Cell{{Column: 2, Value: value, Timestamp: ts, Local: row.NoLocal}}}
		p := &row.Partition{Key: keys[i].key, Token: keys[i].token, Deletion: row.Live, Rows: &rowsOf{list: []row.Unfiltered{{Row: &r}}}}
		if err := w.Append(p); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Finish(); err != nil {
		b.Fatal(err)
	}
	return d
}

// cpu returns the processor time that this process has taken, and reports it as CPU-ns/op: what wall time is worth little for on
// a machine that others use.
func cpu(b *testing.B) (report func()) {
	at := func() int64 {
		var u unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	start := at()
	return func() { b.ReportMetric(float64(at()-start)/float64(b.N), "CPU-ns/op") }
}

// BenchmarkLookup looks up rows of 100 bytes in a table of half a million: all in the cache, absent, and without the keys in
// the cache.
func BenchmarkLookup(b *testing.B) {
	const n = 500_000
	dir, t := b.TempDir(), pairTable()
	d := writePairs(b, dir, t, n)
	c := cache.New(512 << 20)
	r, err := Open(vfs.OS{}, dir, d, OpenOptions{Cache: c})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	v, err := r.View(t)
	if err != nil {
		b.Fatal(err)
	}
	var f Finder
	find := func(key []byte) bool {
		p, err := f.Lookup(v, key, nil, false)
		if err != nil {
			b.Fatal(err)
		}
		if p == nil {
			return false
		}
		u := p.Rows.Next()
		return u != nil && len(u.Row.Cells) == 1 && len(u.Row.Cells[0].Value) == 100
	}
	for i := range uint64(n) {
		if !find(pairKey(i)) {
			b.Fatal("a key is not there")
		}
	}
	key := make([]byte, 16)
	set := func(i uint64) []byte {
		binary.BigEndian.PutUint64(key, i*0x9e3779b97f4a7c15)
		binary.BigEndian.PutUint64(key[8:], i)
		return key
	}
	x := uint64(1)
	next := func() uint64 {
		x = x*6364136223846793005 + 1442695040888963407
		return x >> 33
	}
	b.Run("cached", func(b *testing.B) {
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			if !find(set(next() % n)) {
				b.Fatal("a key is not there")
			}
		}
	})
	b.Run("cached without a Finder", func(b *testing.B) {
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			p, err := v.Lookup(set(next()%n), nil, false)
			if err != nil || p == nil || p.Rows.Next() == nil {
				b.Fatal("a key is not there")
			}
		}
	})
	b.Run("absent", func(b *testing.B) {
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			if find(set(n + next())) {
				b.Fatal("a key is there")
			}
		}
	})
	b.Run("by index", func(b *testing.B) {
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			k := r.hashed(set(next() % n))
			if _, ok, err := r.index.find(&f, &k); err != nil || !ok {
				b.Fatal("a key is not there")
			}
		}
	})
	b.Run("no cache", func(b *testing.B) {
		r, err := Open(vfs.OS{}, dir, d)
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		v, err := r.View(t)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			p, err := f.Lookup(v, set(next()%n), nil, false)
			if err != nil || p == nil || p.Rows.Next() == nil {
				b.Fatal("a key is not there")
			}
		}
	})
	for name, scan := range map[string]func(Range) row.Source{"scan": v.Scan, "stream": v.Stream} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			s := scan(All())
			defer cpu(b)()
			for b.Loop() {
				p := s.Next()
				if p == nil {
					if s.Err() != nil {
						b.Fatal(s.Err())
					}
					s.Close()
					s = scan(All())
					continue
				}
				if p.Rows.Next() == nil {
					b.Fatal("no row")
				}
			}
			s.Close()
		})
	}
}

// BenchmarkWide reads a partition of 100,000 rows of 200 bytes: all rows, one row, a page of 100, forward and backwards.
func BenchmarkWide(b *testing.B) {
	const n = 100_000
	t := &schema.Table{
		Keyspace: "ks", Name: "t", Options: schema.DefaultOptions(), NextColumn: 6,
		PartitionKey: []*schema.Column{testColumn(1, "k", schema.PartitionKey, 0, types.TText)},
		Clustering:   []*schema.Column{testColumn(2, "c", schema.Clustering, 0, types.TBigint)},
		Regular: []*schema.Column{
			testColumn(3, "a", schema.Regular, -1, types.TText), testColumn(4, "b", schema.Regular, -1, types.TBigint),
			testColumn(5, "d", schema.Regular, -1, types.TText),
		},
	}
	t.Finish()
	rnd := rand.New(rand.NewPCG(1, 2))
	text := func(n int) []byte {
		out := make([]byte, n)
		for i := range out {
			out[i] = "abcdefghijklmnop"[rnd.IntN(16)]
		}
		return out
	}
	var list []row.Unfiltered
	for i := range n {
		ts := int64(1_760_000_000_000_000 + i)
		cell := func(id schema.ColumnID, v []byte) row.Cell {
			return row.Cell{Column: id, Value: v, Timestamp: ts, Local: row.NoLocal}
		}
		list = append(list, row.Unfiltered{Row: &row.Row{
			Clustering: [][]byte{binary.BigEndian.AppendUint64(nil, uint64(i))},
			Liveness:   row.Liveness{Timestamp: ts, Expiry: row.NoLocal}, Deletion: row.Live,
			Cells: []row.Cell{cell(3, text(80)), cell(4, binary.BigEndian.AppendUint64(nil, uint64(i))), cell(5, text(90))},
		}})
	}
	dir, d := b.TempDir(), Descriptor{Version: "nb", ID: "1", Format: "big"}
	w, err := NewWriter(vfs.OS{}, dir, d, WriterOptions{Table: t})
	if err != nil {
		b.Fatal(err)
	}
	key := []byte("wide")
	err = w.Append(&row.Partition{Key: key, Token: w.order.token(key), Deletion: row.Live, Rows: &rowsOf{list: list}})
	if err == nil {
		err = w.Finish()
	}
	if err != nil {
		b.Fatal(err)
	}
	r, err := Open(vfs.OS{}, dir, d, OpenOptions{Cache: cache.New(256 << 20)})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	v, err := r.View(t)
	if err != nil {
		b.Fatal(err)
	}
	var f Finder
	bound := func(i int) row.Bound {
		return row.Bound{Values: [][]byte{binary.BigEndian.AppendUint64(nil, uint64(i))}, Inclusive: true}
	}
	for _, c := range []struct {
		name     string
		rows     int
		reversed bool
	}{{"all", n, false}, {"row", 1, false}, {"page", 100, false}, {"page backwards", 100, true}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			defer cpu(b)()
			rows := 0
			for b.Loop() {
				at := 0
				var ss []row.Slice
				if c.rows < n {
					at = rnd.IntN(n - c.rows)
					ss = []row.Slice{{Start: bound(at), End: bound(at + c.rows - 1)}}
				}
				p, err := f.Lookup(v, key, ss, c.reversed)
				if err != nil || p == nil {
					b.Fatal(err)
				}
				got := 0
				for u := p.Rows.Next(); u != nil; u = p.Rows.Next() {
					got++
				}
				if got != c.rows {
					b.Fatalf("%d rows", got)
				}
				rows += got
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
		})
	}
}
