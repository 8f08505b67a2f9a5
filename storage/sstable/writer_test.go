package sstable

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/vfs"
)

// optionsOf returns the options with which Cassandra wrote a table, as far as its files tell.
func optionsOf(t *testing.T, g golden, r *Reader) WriterOptions {
	table := *r.Self().Table()
	st := r.Statistics()
	table.Options = schema.DefaultOptions()
	table.Options.BloomFilterFPChance = st.FilterChance
	if x, ok := r.index.(*bigIndex); ok && x.summary != nil {
		table.Options.MinIndexInterval = int32(x.summary.interval)
	}
	o := WriterOptions{
		Table: &table, Partitioner: st.Partitioner, Level: st.Stats.Level, RepairedAt: st.Stats.RepairedAt,
		HostID: st.Stats.HostID, Compression: NoCompression, ColumnIndexSize: 1024,
		Encoding: EncodingStats{st.Header.MinTimestamp, st.Header.MinLocal, int32(st.Header.MinTTL)},
	}
	if strings.Contains(g.dir, "legacy") {
		o.ColumnIndexSize = 4096
	}
	return o
}

// copyTable writes what a table holds.
func copyTable(t *testing.T, r *Reader, dir string, d Descriptor, o WriterOptions) {
	t.Helper()
	w, err := NewWriter(vfs.OS{}, dir, d, o)
	if err != nil {
		t.Fatal(err)
	}
	s := r.Self().Scan(All())
	defer s.Close()
	for p := s.Next(); p != nil; p = s.Next() {
		if err := w.Append(p); err != nil {
			t.Fatal(err)
		}
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
}

func (g golden) read(t *testing.T, component string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(g.dir, g.desc.File(component)))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return b
}

// content returns the uncompressed bytes of Data.db.
func content(t *testing.T, r *Reader) []byte {
	t.Helper()
	w := &window{}
	w.stream(r.data.pages, 0)
	b, err := w.bytes(0, int(r.data.length))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestWriterGolden writes again what is in each table of version nb: content, indexes, summary, filter and statistics are
// the same bytes.
func TestWriterGolden(t *testing.T) {
	n := 0
	for _, g := range goldens(t) {
		if g.desc.Version != "nb" {
			continue
		}
		n++
		t.Run(g.String(), func(t *testing.T) {
			r := g.open(t)
			dir := t.TempDir()
			copyTable(t, r, dir, g.desc, optionsOf(t, g, r))
			mine := golden{dir, g.desc}
			m := mine.open(t)
			if err := m.Verify(); err != nil {
				t.Error(err)
			}
			if a, b := content(t, r), content(t, m); !bytes.Equal(a, b) {
				i := 0
				for i < min(len(a), len(b)) && a[i] == b[i] {
					i++
				}
				t.Errorf("content of %d bytes, not %d, differs at %d:\n%x\n%x", len(b), len(a), i,
					b[max(0, i-40):min(len(b), i+40)], a[max(0, i-40):min(len(a), i+40)])
			}
			for _, c := range []string{CompIndex, CompSummary, CompFilter} {
				if a, b := g.read(t, c), mine.read(t, c); !bytes.Equal(a, b) {
					t.Errorf("%s differs:\n%x\n%x", c, b[:min(len(b), 200)], a[:min(len(a), 200)])
				}
			}
			a, b := *r.Statistics(), *m.Statistics()
			if !bytes.Equal(a.Cardinality, b.Cardinality) {
				t.Errorf("cardinality differs:\n%x\n%x", b.Cardinality, a.Cardinality)
			}
			if x, y := a.Header.appendTo(nil), b.Header.appendTo(nil); !bytes.Equal(x, y) {
				t.Errorf("header differs:\n%q\n%q", y, x)
			}
			b.Stats.CompressionRatio, b.Stats.LogLower, b.Stats.LogUpper, b.Stats.LogIntervals =
				a.Stats.CompressionRatio, a.Stats.LogLower, a.Stats.LogUpper, a.Stats.LogIntervals
			if n := len(a.Stats.PartitionSizes); n < len(b.Stats.PartitionSizes) {
				b.Stats.PartitionSizes = b.Stats.PartitionSizes[:n] // 4.x has fewer
			}
			if x, y := a.Stats.appendTo(nil), b.Stats.appendTo(nil); !bytes.Equal(x, y) {
				t.Errorf("statistics differ:\n%+v\n%+v", b.Stats, a.Stats)
			}
		})
	}
	t.Log(n, "tables")
}

// TestWriterCompression writes tables by each compressor and reads them.
func TestWriterCompression(t *testing.T) {
	for _, name := range []string{"wide", "many_partitions", "collections"} {
		g := golden{goldenRoot + "/live-5.0.6/" + name + "/nb", Descriptor{}}
		descs, err := List(vfs.OS{}, g.dir)
		if err != nil || len(descs) == 0 {
			t.Skip(g.dir, "is not there")
		}
		g.desc = descs[0]
		r := g.open(t)
		want := content(t, r)
		for _, options := range []map[string]string{
			{"class": "org.apache.cassandra.io.compress.LZ4Compressor", "chunk_length_in_kb": "16"},
			{"class": "LZ4Compressor", "chunk_length_in_kb": "4", "min_compress_ratio": "1.9"},
			{"class": "LZ4Compressor", "chunk_length_in_kb": "64", "lz4_compressor_type": "high", "lz4_high_compressor_level": "12"},
			{"class": "SnappyCompressor", "chunk_length_in_kb": "1"},
			{"class": "SnappyCompressor", "min_compress_ratio": "4"},
			{"class": "DeflateCompressor"},
			{"class": "ZstdCompressor"},
			{"class": "ZstdCompressor", "compression_level": "-5", "chunk_length_in_kb": "128"},
			{"class": "NoopCompressor"},
			{"enabled": "false"},
		} {
			o := optionsOf(t, g, r)
			o.Compression, o.Table.Options.Compression = TableCompression, options
			dir := t.TempDir()
			copyTable(t, r, dir, g.desc, o)
			m := golden{dir, g.desc}.open(t)
			if err := m.Verify(); err != nil {
				t.Errorf("%s %v: %v", name, options, err)
			}
			if !bytes.Equal(content(t, m), want) {
				t.Errorf("%s %v: the content is another", name, options)
			}
			if m.Compression() == nil != (options["enabled"] != "") {
				t.Errorf("%s %v: compression %v", name, options, m.Compression())
			}
		}
	}
}
