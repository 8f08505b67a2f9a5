package sstable

import (
	"errors"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// listed gives rows and markers from memory.
type listed struct {
	list []row.Unfiltered
	err  error
}

func (l *listed) Next() *row.Unfiltered {
	if len(l.list) == 0 {
		return nil
	}
	u := &l.list[0]
	l.list = l.list[1:]
	return u
}

func (l *listed) Err() error { return l.err }

// partitionOf makes a partition of benchTable.
func partitionOf(key string, list ...row.Unfiltered) *row.Partition {
	return &row.Partition{
		Key: []byte(key), Token: token.Murmur3{}.Token([]byte(key)), Deletion: row.Live, Rows: &listed{list: list},
	}
}

// rowOf makes a row of benchTable: a clustering and cells.
func rowOf(c byte, cells ...row.Cell) row.Unfiltered {
	return row.Unfiltered{Row: &row.Row{
		Clustering: [][]byte{{0, 0, 0, 0, 0, 0, 0, c}}, Liveness: row.NoLiveness, Deletion: row.Live, Cells: cells,
	}}
}

func markerOf(c byte, after bool, closed, opened row.Deletion) row.Unfiltered {
	return row.Unfiltered{Marker: row.Marker{
		Cut: row.Cut{Values: [][]byte{{0, 0, 0, 0, 0, 0, 0, c}}, After: after}, Closed: closed, Opened: opened,
	}}
}

func cellOf(id schema.ColumnID, value string, ts int64) row.Cell {
	return row.Cell{Column: id, Value: []byte(value), Timestamp: ts, Local: row.NoLocal}
}

var writerDesc = Descriptor{Version: "nb", ID: "7", Format: "big"}

// newMem returns a file system in memory with the folder "d".
func newMem(t testing.TB) *vfs.Mem {
	fs := vfs.NewMem()
	if err := fs.MkdirAll("d"); err != nil {
		t.Fatal(err)
	}
	return fs
}

// TestWriterRefuses tells what must not come into a table, after which Abort leaves nothing.
func TestWriterRefuses(t *testing.T) {
	dead := row.Deletion{Timestamp: 5, Local: 6}
	low, high := "a", "b"
	if (token.Murmur3{}).Token([]byte(low)).Compare(token.Murmur3{}.Token([]byte(high))) > 0 {
		low, high = high, low
	}
	text := rowOf(1, cellOf(3, "x", 1))
	other := row.Deletion{Timestamp: 4, Local: 6}
	cases := []struct {
		name, want string
		parts      []*row.Partition
	}{
		{"order", "does not stand behind", []*row.Partition{partitionOf(high, text), partitionOf(low, text)}},
		{"twice", "does not stand behind", []*row.Partition{partitionOf(low, text), partitionOf(low, text)}},
		{"open range", "open at its end", []*row.Partition{partitionOf(low, markerOf(1, false, row.Live, dead))}},
		{"other range", "not the open one", []*row.Partition{
			partitionOf(low, markerOf(1, false, row.Live, dead), markerOf(2, true, other, row.Live)),
		}},
		{"no range", "not the open one", []*row.Partition{partitionOf(low, markerOf(1, false, dead, row.Live))}},
		{"value length", "4", []*row.Partition{partitionOf(low, rowOf(1, cellOf(4, "xyz", 1)))}},
		{"two cells", "2 cells", []*row.Partition{partitionOf(low, rowOf(1, cellOf(3, "x", 1), cellOf(3, "y", 1)))}},
		{"clustering", "2 clustering values", []*row.Partition{partitionOf(low, row.Unfiltered{Row: &row.Row{
			Clustering: [][]byte{{1}, {2}}, Liveness: row.Liveness{Timestamp: 1, Expiry: row.NoLocal}, Deletion: row.Live,
		}})}},
		{"key", "65536 bytes", []*row.Partition{partitionOf(strings.Repeat("k", 1<<16), rowOf(1, cellOf(3, "x", 1)))}},
		{"rows", "sad", []*row.Partition{{Key: []byte(low), Deletion: row.Live, Rows: &listed{err: errors.New("sad")}}}},
	}
	for _, c := range cases {
		fs := newMem(t)
		w, err := NewWriter(fs, "d", writerDesc, WriterOptions{Table: benchTable()})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range c.parts {
			if err = w.Append(p); err != nil {
				break
			}
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if e := w.Finish(); !errors.Is(e, err) {
			t.Errorf("%s: Finish after an error: %v", c.name, e)
		}
		if err := w.Abort(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if names, _ := fs.List("d"); len(names) > 0 {
			t.Errorf("%s: left are %v", c.name, names)
		}
	}
}

// TestWriterNothing leaves out what says nothing: partitions, rows, markers, and cells of columns that were dropped.
func TestWriterNothing(t *testing.T) {
	table := benchTable()
	again := *table.Regular[0]
	again.DroppedAt = 100
	gone := table.Regular[3]
	table.Regular = []*schema.Column{&again, table.Regular[1], table.Regular[2]}
	table.ByName, table.ByID = map[string]*schema.Column{}, map[schema.ColumnID]*schema.Column{}
	table.Finish()
	fs := newMem(t)
	dead := row.Deletion{Timestamp: 5, Local: 6}
	write := func(parts ...*row.Partition) *Writer {
		w, err := NewWriter(fs, "d", writerDesc, WriterOptions{Table: table})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if err := w.Append(p); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Finish(); err != nil {
			t.Fatal(err)
		}
		return w
	}
	// Everything in these is gone.
	write(partitionOf("a"), partitionOf("a", rowOf(1)),
		partitionOf("a", rowOf(1, cellOf(gone.ID, "x", 200), cellOf(77, "x", 1)), rowOf(2, cellOf(again.ID, "x", 100))),
		partitionOf("a", markerOf(1, false, row.Live, row.Live)))
	if names, _ := fs.List("d"); len(names) > 0 {
		t.Fatal("left are", names)
	}
	w := write(partitionOf("a", rowOf(1, cellOf(gone.ID, "x", 200)), rowOf(2, cellOf(again.ID, "x", 100), cellOf(4, "four", 1)),
		rowOf(3, cellOf(again.ID, "x", 101)),
		markerOf(4, false, row.Live, dead), markerOf(5, true, dead, dead), markerOf(6, true, dead, row.Live)))
	if w.Keys() != 1 || w.Size() == 0 {
		t.Error(w.Keys(), "partitions of", w.Size(), "bytes")
	}
	r, err := Open(fs, "d", writerDesc)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Verify(); err != nil {
		t.Error(err)
	}
	s := r.Self().Scan(All())
	defer s.Close()
	got := ""
	for p := s.Next(); p != nil; p = s.Next() {
		for u := p.Rows.Next(); u != nil; u = p.Rows.Next() {
			if u.Row == nil {
				got += "m" + string('0'+u.Marker.Values[0][7]) + " "
				continue
			}
			got += "r" + string('0'+u.Row.Clustering[0][7])
			for _, c := range u.Row.Cells {
				got += "=" + string(c.Value)
			}
			got += " "
		}
	}
	if want := "r2=four r3=x m4 m6 "; got != want || s.Err() != nil {
		t.Errorf("%q, not %q: %v", got, want, s.Err())
	}
}

// TestWriterFaults fails each operation of the file system once: the writer tells of it, and Abort leaves nothing.
func TestWriterFaults(t *testing.T) {
	sad := errors.New("sad")
	for at := 1; ; at++ {
		mem := newMem(t)
		n := 0
		fs := &vfs.Faulty{FS: mem, Hook: func(op vfs.Op, _ string) error {
			if op == vfs.OpRemove || op == vfs.OpClose {
				return nil
			}
			if n++; n == at {
				return sad
			}
			return nil
		}}
		w, err := NewWriter(fs, "d", writerDesc, WriterOptions{Table: benchTable(), ExpectedKeys: 1})
		if err == nil {
			err = w.Append(partitionOf("a", rowOf(1, cellOf(3, strings.Repeat("x", 3<<19), 1))))
			if err == nil {
				err = w.Finish()
			}
			if err != nil {
				if e := w.Abort(); e != nil {
					t.Error(at, e)
				}
			}
		}
		if n < at {
			if err != nil {
				t.Error(err)
			}
			t.Log(n, "operations")
			return
		}
		if !errors.Is(err, sad) {
			t.Errorf("operation %d: %v", at, err)
		}
		if names, _ := mem.List("d"); len(names) > 0 {
			t.Errorf("operation %d: left are %v", at, names)
		}
	}
}

// TestFilterShape holds the shapes of Bloom filters that Cassandra's table gives. Source: storage.md 1.14.
func TestFilterShape(t *testing.T) {
	for _, c := range []struct {
		chance          float64
		buckets, hashes int
	}{
		{0.5, 1, 2}, {0.3, 3, 1}, {0.2, 4, 2}, {0.1, 5, 3}, {0.05, 7, 3}, {0.02, 9, 4}, {0.01, 10, 5}, {0.005, 12, 5}, {0.001, 15, 7},
		{0.0005, 16, 10}, {0.0001, 20, 10},
	} {
		if b, k := filterShape(c.chance); b != c.buckets || k != c.hashes {
			t.Errorf("%g: %d buckets, %d hashes", c.chance, b, k)
		}
	}
}

// TestAppendVint compares with the plain encoder.
func TestAppendVint(t *testing.T) {
	for shift := range 64 {
		for _, d := range []uint64{0, 1, ^uint64(0)} {
			v := uint64(1)<<shift + d
			a, b := appendVint([]byte{9}, v), appendUvint([]byte{9}, v)
			if string(a) != string(b) || vintLen(v) != len(a)-1 {
				t.Errorf("%x: %x, not %x", v, a, b)
			}
		}
	}
}

// TestWriterHidden leaves out what a deletion of the same table hides: Cassandra, which merges a single table with nothing,
// would show it.
func TestWriterHidden(t *testing.T) {
	dead := row.Deletion{Timestamp: 50, Local: 6}
	old, young := cellOf(3, "old", 50), cellOf(6, "young", 51)
	deleted := rowOf(3, old, young)
	deleted.Row.Deletion = row.Deletion{Timestamp: 50, Local: 7}
	covered := rowOf(5, young)
	covered.Row.Deletion = row.Deletion{Timestamp: 49, Local: 7}
	covered.Row.Liveness = row.Liveness{Timestamp: 50, Expiry: row.NoLocal}
	p := partitionOf("a", rowOf(1, old, young), markerOf(2, false, row.Live, dead), rowOf(2, old, young), rowOf(3, old),
		markerOf(3, true, dead, row.Live), rowOf(4, old), rowOf(6))
	q := partitionOf("b", deleted, covered)
	q.Deletion = row.Deletion{Timestamp: 49, Local: 7}
	parts := []*row.Partition{p, q}
	if p.Token.Compare(q.Token) > 0 {
		parts[0], parts[1] = q, p
	}
	fs := newMem(t)
	w, err := NewWriter(fs, "d", writerDesc, WriterOptions{Table: benchTable()})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if err := w.Append(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	r, err := Open(fs, "d", writerDesc)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := map[string]string{}
	s := r.Self().Scan(All())
	defer s.Close()
	for p := s.Next(); p != nil; p = s.Next() {
		for u := p.Rows.Next(); u != nil; u = p.Rows.Next() {
			if u.Row == nil {
				continue
			}
			text := string('0' + u.Row.Clustering[0][7])
			if u.Row.Liveness.Timestamp != row.NoTimestamp {
				text += "+"
			}
			if !u.Row.Deletion.IsLive() {
				text += "x"
			}
			for _, c := range u.Row.Cells {
				text += "=" + string(c.Value)
			}
			got[string(p.Key)] += text + " "
		}
	}
	if high := r.Statistics().Stats.MaxClustering; len(high) != 1 || high[0][7] != 5 {
		t.Errorf("the highest clustering is %x", high)
	}
	if want := "1=old=young 2=young 4=old "; got["a"] != want {
		t.Errorf("a: %q, not %q", got["a"], want)
	}
	if want := "3x=young 5+=young "; got["b"] != want {
		t.Errorf("b: %q, not %q", got["b"], want)
	}
}
