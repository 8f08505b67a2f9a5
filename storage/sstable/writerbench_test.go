package sstable

import (
	"encoding/binary"
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// benchTable has a text key, a bigint clustering, and text, int and double columns.
func benchTable() *schema.Table {
	col := func(id schema.ColumnID, name string, kind schema.ColumnKind, pos int, t *types.Type) *schema.Column {
		return &schema.Column{Keyspace: "ks", Table: "t", Name: name, ID: id, Kind: kind, Position: pos, Type: t, DroppedAt: -1 << 63}
	}
	t := &schema.Table{
		Keyspace: "ks", Name: "t", Options: schema.DefaultOptions(), NextColumn: 7,
		PartitionKey: []*schema.Column{col(1, "k", schema.PartitionKey, 0, types.TText)},
		Clustering:   []*schema.Column{col(2, "c", schema.Clustering, 0, types.TBigint)},
		Regular: []*schema.Column{
			col(3, "a", schema.Regular, -1, types.TText), col(4, "b", schema.Regular, -1, types.TInt),
			col(5, "d", schema.Regular, -1, types.TDouble), col(6, "e", schema.Regular, -1, types.TText),
		},
	}
	t.Finish()
	return t
}

// benchRows gives the same partition of n rows under changing keys.
type benchRows struct {
	rows []row.Row
	i    int
	u    row.Unfiltered
}

func (b *benchRows) Next() *row.Unfiltered {
	if b.i == len(b.rows) {
		return nil
	}
	b.u.Row = &b.rows[b.i]
	b.i++
	return &b.u
}

func (b *benchRows) Err() error { return nil }

// benchPartition makes rows of about 150 bytes, half of them letters that repeat.
func benchPartition(n int) *benchRows {
	rnd := rand.New(rand.NewSource(1))
	b := &benchRows{u: row.Unfiltered{Marker: row.Marker{}}}
	for i := range n {
		text := make([]byte, 48)
		for j := range text {
			text[j] = "abcdefghijklmnopqrstuvwxyz012345"[rnd.Intn(32)]
		}
		ts := int64(1_760_000_000_000_000 + i)
		b.rows = append(b.rows, row.Row{
			Clustering: [][]byte{binary.BigEndian.AppendUint64(nil, uint64(i))},
			Liveness:   row.Liveness{Timestamp: ts, Expiry: row.NoLocal},
			Deletion:   row.Live,
			Cells: []row.Cell{
				{Column: 3, Value: text, Timestamp: ts, Local: row.NoLocal},
				{Column: 4, Value: binary.BigEndian.AppendUint32(nil, uint32(i)), Timestamp: ts, Local: row.NoLocal},
				{Column: 5, Value: binary.BigEndian.AppendUint64(nil, rnd.Uint64()), Timestamp: ts, Local: row.NoLocal},
				{
					Column: 6, Value: fmt.Appendf(nil, "https://example.com/a/path/that/repeats/index.html?%d", i),
					Timestamp: ts, Local: row.NoLocal,
				},
			},
		})
	}
	return b
}

// BenchmarkWriter writes rows of about 150 bytes: narrow partitions of one row, wide ones of a thousand.
func BenchmarkWriter(b *testing.B) {
	for _, rows := range []int{1, 1000} {
		for _, how := range []map[string]string{{"class": "LZ4Compressor"}, {"enabled": "false"}, {"class": "ZstdCompressor"}} {
			b.Run(fmt.Sprintf("rows=%d/%s", rows, how["class"]), func(b *testing.B) {
				table := benchTable()
				table.Options.Compression = how
				p := benchPartition(1000)
				const partitions = 200_000
				keys := benchKeys(partitions / rows)
				w := (*Writer)(nil)
				b.ReportAllocs()
				report := cpu(b)
				written, size, k := 0, int64(0), 0
				fsys := discard{}
				dir := "/d"
				finish := func() {
					if w == nil {
						return
					}
					size += w.data.position()
					if err := w.Finish(); err != nil {
						b.Fatal(err)
					}
					w = nil
				}
				part := row.Partition{Deletion: row.Live}
				one := benchRows{}
				for b.Loop() {
					if w == nil {
						var err error
						w, err = NewWriter(fsys, dir, Descriptor{"nb", "1", "big"}, WriterOptions{
							Table: table, ExpectedKeys: int64(len(keys)),
							Encoding: EncodingStats{1_760_000_000_000_000, epochSeconds, 0},
						})
						if err != nil {
							b.Fatal(err)
						}
						k = 0
					}
					part.Key, part.Token = keys[k].key, keys[k].token
					if rows == 1 {
						one.rows, one.i = p.rows[written%1000:written%1000+1], 0
						part.Rows = &one
					} else {
						p.i = 0
						part.Rows = p
					}
					if err := w.Append(&part); err != nil {
						b.Fatal(err)
					}
					written += rows
					if k++; k == len(keys) {
						finish()
					}
				}
				finish()
				report()
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(written), "ns/row")
				b.ReportMetric(float64(size)/1e6/b.Elapsed().Seconds(), "MB/s")
				b.ReportMetric(float64(size)/float64(written), "bytes/row")
			})
		}
	}
}

type benchKey struct {
	key   []byte
	token token.Token
}

// benchKeys returns n keys in the order of their tokens.
func benchKeys(n int) []benchKey {
	keys := make([]benchKey, n)
	for i := range keys {
		keys[i].key = fmt.Appendf(nil, "key-%08d", i)
		keys[i].token = token.Murmur3{}.Token(keys[i].key)
	}
	sortKeys(keys)
	return keys
}

func sortKeys(keys []benchKey) {
	slices.SortFunc(keys, func(a, b benchKey) int { return a.token.Compare(b.token) })
}

// discard is a file system that keeps nothing: what a writer itself takes is measured.
type discard struct{ vfs.FS }

func (discard) Create(string) (vfs.File, error) { return discardFile{}, nil }
func (discard) SyncDir(string) error            { return nil }

type discardFile struct{ vfs.File }

func (discardFile) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (discardFile) Sync() error                            { return nil }
func (discardFile) Close() error                           { return nil }
