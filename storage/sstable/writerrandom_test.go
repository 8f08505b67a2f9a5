package sstable

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// randomTable makes a table of 0 to 3 clustering columns and up to 80 others.
func randomTable(r *rand.Rand) *schema.Table {
	t := &schema.Table{Keyspace: "ks", Name: "t", Options: schema.DefaultOptions()}
	id := schema.ColumnID(0)
	add := func(list *[]*schema.Column, kind schema.ColumnKind, typ *types.Type) {
		id++
		pos := -1
		if kind <= schema.Clustering {
			pos = len(*list)
		}
		// Names of both sides of the byte that counts as negative.
		name := fmt.Sprintf("%c%d", []rune("aZé")[r.Intn(3)], id)
		*list = append(*list, &schema.Column{
			Keyspace: "ks", Table: "t", Name: name, ID: id, Kind: kind, Position: pos, Type: typ,
			Desc: kind == schema.Clustering && r.Intn(3) == 0, DroppedAt: math.MinInt64,
		})
	}
	simple := func() *types.Type {
		return []*types.Type{types.TInt, types.TText, types.TBigint, types.TBoolean, types.TTinyint, types.TUUID}[r.Intn(6)]
	}
	any := func() *types.Type {
		switch r.Intn(5) {
		case 0:
			return &types.Type{Kind: types.Map, Elems: []*types.Type{types.TInt, types.TInt}}
		case 1:
			return &types.Type{Kind: types.Set, Elems: []*types.Type{types.TText}}
		}
		return simple()
	}
	add(&t.PartitionKey, schema.PartitionKey, types.TText)
	for range r.Intn(4) {
		add(&t.Clustering, schema.Clustering, simple())
	}
	if len(t.Clustering) > 0 {
		for range r.Intn(3) {
			add(&t.Static, schema.Static, any())
		}
	}
	n := r.Intn(6)
	if r.Intn(5) == 0 {
		n = 60 + r.Intn(20)
	}
	for range n {
		add(&t.Regular, schema.Regular, any())
	}
	t.NextColumn = id + 1
	t.Options.MinIndexInterval = int32(1 + r.Intn(5))
	t.Options.BloomFilterFPChance = []float64{0.01, 0.1, 1}[r.Intn(3)]
	t.Options.Compression = []map[string]string{
		{"enabled": "false"}, {"class": "LZ4Compressor", "chunk_length_in_kb": "1"}, {"class": "SnappyCompressor"},
		{"class": "LZ4Compressor", "chunk_length_in_kb": "4", "min_compress_ratio": "2"},
		{"class": "ZstdCompressor", "chunk_length_in_kb": "2"},
	}[r.Intn(5)]
	t.ByName, t.ByID = map[string]*schema.Column{}, map[schema.ColumnID]*schema.Column{}
	t.Finish()
	return t
}

// randomValue makes a value, now and then an empty one.
func randomValue(r *rand.Rand, t *types.Type, long int) []byte {
	n, ok := t.FixedLen()
	switch {
	case r.Intn(10) == 0 && t.AllowsEmpty():
		return []byte{}
	case t.Kind == types.Tinyint:
		n = 1
	case !ok:
		n = r.Intn(long)
	}
	b := make([]byte, n)
	r.Read(b)
	if t.Kind == types.Boolean {
		b[0] &= 1
	}
	if t.Kind == types.Text {
		for i := range b {
			b[i] = 'a' + b[i]%16
		}
	}
	return b
}

// randomCells fills in cells of the columns, with timestamps above what the deletions around them hide.
func randomCells(r *rand.Rand, out *row.Row, columns []*schema.Column, above int64) {
	columns = slices.SortedFunc(slices.Values(columns), func(a, b *schema.Column) int { return int(a.ID) - int(b.ID) })
	for _, c := range columns {
		if r.Intn(3) == 0 {
			continue
		}
		n, del := 1, int64(math.MinInt64)
		if c.Type.IsMultiCell() {
			if n = r.Intn(4); r.Intn(2) == 0 {
				del = above + 1 + int64(r.Intn(10))
				d := row.Deletion{Timestamp: del, Local: 1_700_000_000}
				out.Complex = append(out.Complex, row.ComplexDeletion{Column: c.ID, Deletion: d})
			}
		}
		for i := range n {
			cell := row.Cell{Column: c.ID, Timestamp: max(above, del) + 1 + int64(r.Intn(100)), Local: row.NoLocal}
			typ := c.Type
			if c.Type.IsMultiCell() {
				cell.Path = binary.BigEndian.AppendUint32(nil, uint32(i))
				typ = c.Type.Elems[len(c.Type.Elems)-1]
				if c.Type.Kind == types.Set {
					typ = types.TEmpty
				}
			}
			cell.Value = randomValue(r, typ, 300)
			switch r.Intn(6) {
			case 0:
				cell.Value, cell.Local = nil, 1_700_000_000+int64(r.Intn(1000))
			case 1:
				cell.TTL, cell.Local = 1+int32(r.Intn(1000)), 1_700_000_000+int64(r.Intn(1e8))
			case 2:
				cell.Timestamp = max(cell.Timestamp, out.Liveness.Timestamp)
			}
			out.Cells = append(out.Cells, cell)
		}
	}
}

// randomUnfiltered makes the rows and markers of a partition in order.
func randomUnfiltered(r *rand.Rand, t *schema.Table, above int64) []row.Unfiltered {
	var keys [][][]byte
	for range r.Intn(40) {
		var k [][]byte
		for _, c := range t.Clustering {
			k = append(k, randomValue(r, c.Type, 20))
		}
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [][]byte) int { return row.CompareClustering(t, a, b) })
	keys = slices.CompactFunc(keys, func(a, b [][]byte) bool { return row.CompareClustering(t, a, b) == 0 })
	var list []row.Unfiltered
	open := row.Live
	mark := func(values [][]byte, after bool, next row.Deletion) {
		if next != open {
			list = append(list, row.Unfiltered{Marker: row.Marker{Cut: row.Cut{Values: values, After: after}, Closed: open, Opened: next}})
			open = next
		}
	}
	for _, k := range keys {
		next := open
		if len(t.Clustering) > 0 && r.Intn(4) == 0 {
			next = row.Deletion{Timestamp: above + 1 + int64(r.Intn(50)), Local: 1_700_000_000 + int64(r.Intn(10))}
			if r.Intn(2) == 0 {
				next = row.Live
			}
		}
		after := r.Intn(2) == 0
		if !after {
			mark(k, false, next)
		}
		x := &row.Row{Clustering: k, Liveness: row.NoLiveness, Deletion: row.Live}
		active := max(above, open.Timestamp)
		if r.Intn(3) == 0 {
			x.Deletion = row.Deletion{Timestamp: active + 1 + int64(r.Intn(5)), Local: 1_700_000_000}
			active = x.Deletion.Timestamp
		}
		if r.Intn(3) > 0 {
			x.Liveness.Timestamp = active + 1 + int64(r.Intn(100))
			if r.Intn(3) == 0 {
				x.Liveness.TTL, x.Liveness.Expiry = 5, 1_800_000_000
			}
		}
		if randomCells(r, x, t.Regular, active); !x.IsEmpty() {
			list = append(list, row.Unfiltered{Row: x})
		}
		if after {
			mark(k, true, next)
		}
	}
	mark(nil, true, row.Live)
	return list
}

// sameRow compares what two rows say.
func sameRow(a, b *row.Row) bool {
	if a == nil || b == nil {
		return a == b
	}
	if !slices.EqualFunc(a.Clustering, b.Clustering, bytes.Equal) || a.Liveness != b.Liveness || a.Deletion != b.Deletion {
		return false
	}
	return slices.Equal(a.Complex, b.Complex) && slices.EqualFunc(a.Cells, b.Cells, func(x, y row.Cell) bool {
		return bytes.Equal(x.Path, y.Path) && bytes.Equal(x.Value, y.Value) && (x.Value == nil) == (y.Value == nil) &&
			x.Column == y.Column && x.Timestamp == y.Timestamp && x.TTL == y.TTL && x.Local == y.Local
	})
}

func sameMarker(a, b *row.Marker) bool {
	return a.After == b.After && a.Closed == b.Closed && a.Opened == b.Opened && slices.EqualFunc(a.Values, b.Values, bytes.Equal)
}

// writtenPartition is a partition as it was given to the writer.
type writtenPartition struct {
	p    row.Partition
	list []row.Unfiltered
}

// TestWriterRandom writes random partitions of random tables and reads them with the schema.
func TestWriterRandom(t *testing.T) {
	for seed := range int64(150) {
		r := rand.New(rand.NewSource(seed))
		table := randomTable(r)
		above := int64(1_700_000_000_000_000)
		if seed%5 == 0 {
			above = -1000 // of which differences to the minima wrap
		}
		var parts []writtenPartition
		for i := range 1 + r.Intn(30) {
			w := writtenPartition{p: row.Partition{Key: fmt.Appendf(nil, "key %d", i), Deletion: row.Live}}
			w.p.Token = token.Murmur3{}.Token(w.p.Key)
			floor := above
			if r.Intn(4) == 0 {
				floor = above + int64(r.Intn(9))
				w.p.Deletion = row.Deletion{Timestamp: floor, Local: 1_700_000_000}
			}
			if len(table.Static) > 0 && r.Intn(2) == 0 {
				w.p.Static = &row.Row{Liveness: row.NoLiveness, Deletion: row.Live}
				if randomCells(r, w.p.Static, table.Static, floor); w.p.Static.IsEmpty() {
					w.p.Static = nil
				}
			}
			if w.list = randomUnfiltered(r, table, floor); len(w.list) > 0 || w.p.Static != nil || !w.p.Deletion.IsLive() {
				parts = append(parts, w)
			}
		}
		slices.SortFunc(parts, func(a, b writtenPartition) int { return a.p.Token.Compare(b.p.Token) })
		if len(parts) == 0 {
			continue
		}
		fs := newMem(t)
		w, err := NewWriter(fs, "d", writerDesc, WriterOptions{
			Table: table, ColumnIndexSize: 200 << r.Intn(9), ExpectedKeys: int64(r.Intn(2) * len(parts)),
			Encoding: EncodingStats{1_700_000_000_000_000, 1_700_000_000, int32(r.Intn(3))},
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range parts {
			p := parts[i].p
			p.Rows = &listed{list: slices.Clone(parts[i].list)}
			if err := w.Append(&p); err != nil {
				t.Fatal(seed, err)
			}
		}
		if err := w.Finish(); err != nil {
			t.Fatal(seed, err)
		}
		checkRandom(t, seed, fs, table, parts)
	}
}

// checkRandom reads a table and compares it with what was written.
func checkRandom(t *testing.T, seed int64, fs vfs.FS, table *schema.Table, parts []writtenPartition) {
	rd, err := Open(fs, "d", writerDesc)
	if err != nil {
		t.Fatal(seed, err)
	}
	defer rd.Close()
	if err := rd.Verify(); err != nil {
		t.Fatal(seed, err)
	}
	v, err := rd.View(table)
	if err != nil {
		t.Fatal(seed, err)
	}
	s := v.Scan(All())
	defer s.Close()
	for i := range parts {
		want := &parts[i]
		p := s.Next()
		if p == nil {
			t.Fatal(seed, "a partition is missing:", s.Err())
		}
		comparePartition(t, seed, want, p)
		found, err := v.Lookup(want.p.Key, nil, false)
		if err != nil || found == nil {
			t.Fatalf("%d: lookup of %s: %v", seed, want.p.Key, err)
		}
		comparePartition(t, seed, want, found)
	}
	if s.Next() != nil {
		t.Fatal(seed, "a partition too many")
	}
}

func comparePartition(t *testing.T, seed int64, want *writtenPartition, p *row.Partition) {
	if !bytes.Equal(p.Key, want.p.Key) || p.Deletion != want.p.Deletion || !sameRow(p.Static, want.p.Static) {
		t.Fatalf("%d: partition %s %v %+v, not %s %v %+v", seed, p.Key, p.Deletion, p.Static,
			want.p.Key, want.p.Deletion, want.p.Static)
	}
	for i := range want.list {
		x := &want.list[i]
		u := p.Rows.Next()
		if u == nil {
			t.Fatalf("%d: %s ends at %d of %d: %v", seed, p.Key, i, len(want.list), p.Rows.Err())
		}
		if x.Row != nil && !sameRow(x.Row, u.Row) || x.Row == nil && (u.Row != nil || !sameMarker(&x.Marker, &u.Marker)) {
			t.Fatalf("%d: %s at %d: %+v %+v, not %+v %+v", seed, p.Key, i, u.Row, u.Marker, x.Row, x.Marker)
		}
	}
	if p.Rows.Next() != nil || p.Rows.Err() != nil {
		t.Fatalf("%d: %s does not end: %v", seed, p.Key, p.Rows.Err())
	}
}
