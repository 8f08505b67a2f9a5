package sstable

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// write writes one partition, with blocks of about size bytes, and opens the table with a cache.
func write(t testing.TB, table *schema.Table, p *row.Partition, size int) *Reader {
	t.Helper()
	fsys, d := vfs.NewMem(), Descriptor{Version: "nb", ID: "1", Format: "big"}
	if err := fsys.MkdirAll("d"); err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(fsys, "d", d, WriterOptions{Table: table, ColumnIndexSize: size})
	if err != nil {
		t.Fatal(err)
	}
	p.Token = w.order.token(p.Key)
	if err := w.Append(p); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	r, err := Open(fsys, "d", d, OpenOptions{Cache: cache.New(1 << 20)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	if err := r.Verify(); err != nil {
		t.Fatal(err)
	}
	return r
}

func int32s(values ...int32) [][]byte {
	out := make([][]byte, len(values))
	for i, v := range values {
		out[i] = binary.BigEndian.AppendUint32(nil, uint32(v))
	}
	return out
}

// randomRows makes rows of (a, b) in [0, n) and ranges of deletions over them, which nest and overlap: where they do the newest
// one stands, as in a memtable. cells makes the cells of a row.
func randomRows(r *rand.Rand, table *schema.Table, n int32, ranges int, cells func(ts int64) []row.Cell) []row.Unfiltered {
	var deletions *row.Ranges
	var places []row.Cut
	for i := range ranges {
		a, z := r.Int32N(n), r.Int32N(n)
		if a > z {
			a, z = z, a
		}
		rt := row.RangeTombstone{Deletion: row.Deletion{Timestamp: int64(1000 + r.IntN(20)), Local: int64(1_700_000_000 + i)}}
		bound := func(v int32) row.Bound {
			b := row.Bound{Values: int32s(v), Inclusive: r.IntN(2) == 0}
			if r.IntN(2) == 0 {
				b.Values = int32s(v, r.Int32N(4))
			}
			return b
		}
		rt.Start, rt.End = bound(a), bound(z)
		switch r.IntN(12) {
		case 0:
			rt.Start = row.All.Start
		case 1:
			rt.End = row.All.End
		}
		deletions = deletions.Add(table, rt)
		places = append(places, row.StartCut(rt.Start), row.EndCut(rt.End))
	}
	slices.SortFunc(places, func(a, b row.Cut) int { return row.CompareCuts(table, a, b) })
	var list []row.Unfiltered
	open := row.Live
	// between is the deletion behind a cut: that over a row that would stand right behind it.
	between := func(c row.Cut, next *row.Cut) row.Deletion {
		for _, probe := range probes(c) {
			if c.CompareRow(table, probe) > 0 && (next == nil || next.CompareRow(table, probe) < 0) {
				return deletions.Covering(probe)
			}
		}
		return open
	}
	mark := func(i int) {
		c := places[i]
		if i > 0 && row.CompareCuts(table, places[i-1], c) == 0 {
			return
		}
		var next *row.Cut
		for j := i + 1; j < len(places) && next == nil; j++ {
			if row.CompareCuts(table, c, places[j]) < 0 {
				next = &places[j]
			}
		}
		if next == nil {
			if !open.IsLive() {
				list = append(list, row.Unfiltered{Marker: row.Marker{Cut: c, Closed: open, Opened: row.Live}})
				open = row.Live
			}
			return
		}
		if d := between(c, next); d != open {
			list = append(list, row.Unfiltered{Marker: row.Marker{Cut: c, Closed: open, Opened: d}})
			open = d
		}
	}
	i := 0
	for a := range n {
		for b := range int32(4) {
			clustering := int32s(a, b)
			for i < len(places) && places[i].CompareRow(table, clustering) > 0 {
				mark(i)
				i++
			}
			if r.IntN(3) == 0 {
				continue
			}
			ts := int64(2000 + r.IntN(100))
			x := &row.Row{Clustering: clustering, Liveness: row.NoLiveness, Deletion: row.Live, Cells: cells(ts)}
			if r.IntN(2) == 0 {
				x.Liveness = row.Liveness{Timestamp: ts, Expiry: row.NoLocal}
			}
			if len(x.Cells) > 0 || x.Liveness.Timestamp != row.NoTimestamp {
				list = append(list, row.Unfiltered{Row: x})
			}
		}
	}
	for ; i < len(places); i++ {
		mark(i)
	}
	return list
}

// probes are rows that stand close behind a cut.
func probes(c row.Cut) [][][]byte {
	var out [][][]byte
	a := int32(-1)
	if len(c.Values) > 0 {
		a = int32(binary.BigEndian.Uint32(c.Values[0]))
	}
	for da := range int32(3) {
		for b := int32(-1); b < 5; b++ {
			out = append(out, int32s(a+da, b))
		}
	}
	return out
}

// stripped is what a view without the cells that hidden says leaves of content.
func stripped(content []row.Unfiltered, hidden func(c *row.Cell) bool) []unfiltered {
	var out []unfiltered
	for i := range content {
		u := unfiltered{Unfiltered: content[i]}
		if u.Row != nil {
			u.Row = u.Row.Clone()
			u.Row.Cells = slices.DeleteFunc(u.Row.Cells, func(c row.Cell) bool { return hidden(&c) })
			if u.Row.IsEmpty() {
				continue
			}
		}
		out = append(out, u)
	}
	return out
}

// brief prints content without positions, which what was written does not know.
func brief(content []unfiltered) string {
	var b strings.Builder
	for i := range content {
		if u := &content[i]; u.Row != nil {
			fmt.Fprintf(&b, "row %x %+v %+v %v\n", u.Row.Clustering, u.Row.Liveness, u.Row.Deletion, u.Row.Cells)
		} else {
			fmt.Fprintf(&b, "marker %x %v %+v\n", u.Marker.Values, u.Marker.After, [2]row.Deletion{u.Marker.Closed, u.Marker.Opened})
		}
	}
	return b.String()
}

// TestWideSlices reads random slices of partitions of more than 20 blocks with deletions of ranges that nest and span them,
// forward and backwards, under a schema that has dropped columns: rows that held only these are gone, all else is there once
// (CASSANDRA-14513, -13340, -14838, -13337, -12582).
func TestWideSlices(t *testing.T) {
	s := newSchemas(t)
	full := s.table(t, "t", "CREATE TABLE ks.t (k int, a int, b int, v text, w text, x int, PRIMARY KEY (k, a, b))")
	altered := s.table(t, "t", "ALTER TABLE ks.t DROP w USING TIMESTAMP 2050", "ALTER TABLE ks.t ADD w text",
		"ALTER TABLE ks.t DROP x USING TIMESTAMP 2050", "ALTER TABLE ks.t ADD y int")
	idOf := func(name string) schema.ColumnID { return full.ByName[name].ID }
	newID := altered.ByName["w"].ID
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 9))
		content := randomRows(r, full, 300, []int{0, 3, 40}[seed%3], func(ts int64) (cells []row.Cell) {
			for _, name := range []string{"v", "w", "x"} {
				if r.IntN(3) > 0 {
					c := row.Cell{Column: idOf(name), Value: []byte(strings.Repeat(name, 1+r.IntN(30))), Timestamp: ts, Local: row.NoLocal}
					if name == "x" {
						c.Value = int32s(7)[0]
					}
					cells = append(cells, c)
				}
			}
			return cells
		})
		rd := write(t, full, &row.Partition{Key: int32s(1)[0], Deletion: row.Live, Rows: &rowsOf{list: content}}, 512)
		v, err := rd.View(altered)
		if err != nil {
			t.Fatal(err)
		}
		want := stripped(content, func(c *row.Cell) bool {
			return c.Column == idOf("x") || c.Column == idOf("w") && c.Timestamp <= 2050
		})
		for i := range want {
			if want[i].Row == nil {
				continue
			}
			for j := range want[i].Row.Cells {
				if c := &want[i].Row.Cells[j]; c.Column == idOf("w") {
					c.Column = newID
				}
			}
		}
		if n := rd.blocksOf(t, int32s(1)[0]); n < 20 {
			t.Fatalf("%d blocks only", n)
		}
		var f Finder
		for try := range 40 {
			ss := randomSlices(r, v, want)
			cut := want
			if try == 0 {
				ss = nil
			} else {
				cut = naive(v, want, ss)
			}
			for _, reversed := range []bool{false, true} {
				p, err := f.lookup(v, int32s(1)[0], ss, reversed)
				if err != nil || p == nil {
					t.Fatal(err)
				}
				expect := cut
				if reversed {
					expect = backwards(cut)
				}
				if a, b := brief(joined(v, read(t, p), reversed)), brief(joined(v, expect, reversed)); a != b {
					t.Fatalf("seed %d, slices %v, reversed %v: %s", seed, ss, reversed, firstDifference([]byte(a), []byte(b)))
				}
			}
		}
	}
}

// joined leaves out markers that close a deletion and open the same one at the same place, and joins the two of a slice's end
// and the next one's begin there.
func joined(v *View, content []unfiltered, reversed bool) []unfiltered {
	var out []unfiltered
	for _, u := range content {
		if n := len(out); u.Row == nil && n > 0 && out[n-1].Row == nil {
			last := &out[n-1].Marker
			if v.compare(last.Values, side(last.Cut), u.Marker.Values, side(u.Marker.Cut)) == 0 {
				if last.Opened = u.Marker.Opened; last.Opened == last.Closed {
					out = out[:n-1]
				}
				continue
			}
		}
		out = append(out, u)
	}
	return out
}

// blocksOf returns the number of blocks of a partition.
func (r *Reader) blocksOf(t testing.TB, key []byte) int {
	t.Helper()
	var f Finder
	k := r.hashed(key)
	e, ok, err := r.index.find(&f, &k)
	if err != nil || !ok {
		t.Fatal(err)
	}
	b, err := r.index.blocks(&f, r.self, &e)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := b.(*promoted)
	if !ok {
		return 1
	}
	return p.n
}

// TestViewRefuses holds that a table is not read with a schema that cannot be its own.
func TestViewRefuses(t *testing.T) {
	s := newSchemas(t)
	table := s.table(t, "t", "CREATE TABLE ks.t (k int, c int, v text, w int, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)")
	content := []row.Unfiltered{{Row: &row.Row{Clustering: int32s(1), Liveness: row.Liveness{Timestamp: 5, Expiry: row.NoLocal}, Deletion: row.Live}}}
	r := write(t, table, &row.Partition{Key: int32s(1)[0], Deletion: row.Live, Rows: &rowsOf{list: content}}, 0)
	for _, text := range []string{
		"CREATE TABLE ks.t0 (k int, c int, w int, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)",
		"CREATE TABLE ks.t1 (k int, c int, v text, w int static, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)",
		"CREATE TABLE ks.t2 (k int, c int, v text, w int, PRIMARY KEY (k, c))",
		"CREATE TABLE ks.t3 (k int, c text, v text, w int, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)",
		"CREATE TABLE ks.t4 (k int, c int, d int, v text, w int, PRIMARY KEY (k, c, d)) WITH CLUSTERING ORDER BY (c DESC)",
		"CREATE TABLE ks.t6 (k int, c int, v text, w text, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)",
		"CREATE TABLE ks.t5 (k int, c int, v text, w list<int>, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)",
	} {
		if _, err := r.View(s.table(t, text[len("CREATE TABLE ks."):][:2], text)); err == nil {
			t.Errorf("it is read as %s", text)
		}
	}
	dropped := s.table(t, "t", "ALTER TABLE ks.t DROP v", "ALTER TABLE ks.t DROP w", "ALTER TABLE ks.t ADD w int")
	if _, err := r.View(dropped); err != nil {
		t.Errorf("after columns were dropped: %v", err)
	}
}
