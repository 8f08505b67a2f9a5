package sstable

import (
	"errors"
	"io"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/row"
)

// fuzzed is a table of testdata of which one component is made up.
type fuzzed struct {
	desc  Descriptor
	files map[string][]byte
	// keys are some of the table's, to be looked up.
	keys [][]byte
}

// fuzzTable loads a table of testdata. plain replaces Data.db by the uncompressed data and leaves out all that checks it.
func fuzzTable(f *testing.F, version, name string, plain bool) *fuzzed {
	for _, g := range goldens(f) {
		if g.dir != filepath.Join("testdata", version, name) {
			continue
		}
		t := &fuzzed{desc: g.desc, files: g.load(f)}
		r := g.open(f)
		for _, st := range scanAll(f, r.Self()) {
			if t.keys = append(t.keys, st.key); len(t.keys) == 4 {
				break
			}
		}
		if plain {
			b, err := r.data.pages.window().bytes(0, int(r.data.length))
			if err != nil {
				f.Fatal(err)
			}
			t.files[g.desc.File(CompData)] = slices.Clone(b)
			for _, c := range []string{CompCompression, CompCRC, CompDigest} {
				delete(t.files, g.desc.File(c))
			}
		}
		return t
	}
	f.Fatalf("there is no table %s of version %s", name, version)
	return nil
}

// maxRead is how many rows and markers are read of a made-up table, whose index can lead to the same ones for ever.
const maxRead = 100_000

// read opens the table with a component replaced, and reads, dumps, verifies and looks up. What goes wrong has to be an error
// that says so, and no more memory is taken than a small table of these pieces needs.
func (x *fuzzed) read(t *testing.T, component string, b []byte) {
	files := maps.Clone(x.files)
	files[x.desc.File(component)] = b
	fsys := inMemory(t, files)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := Open(fsys, "d", x.desc, OpenOptions{Cache: newFuzzCache()})
	if judge(t, err); err == nil {
		x.use(t, r)
		r.Close()
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > maxDamaged {
		t.Fatalf("%d bytes allocated", used)
	}
}

// judge fails for an error that does not say that something is corrupt, or missing.
func judge(t *testing.T, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, ErrCorrupt) && !isMissing(err) && !strings.Contains(err.Error(), "neither has nor had") {
		t.Fatalf("%v does not say that it is corrupt", err)
	}
}

// drainSome reads what a partition has, up to maxRead.
func drainSome(p row.Unfiltereds, left *int) error {
	for u := p.Next(); u != nil && *left > 0; u = p.Next() {
		*left--
	}
	return p.Err()
}

func (x *fuzzed) use(t *testing.T, r *Reader) {
	judge(t, r.Verify())
	left := maxRead
	for _, s := range []row.Source{r.Self().Scan(All()), r.Self().Stream(All())} {
		for p := s.Next(); p != nil && left > 0; p = s.Next() {
			judge(t, drainSome(p.Rows, &left))
		}
		judge(t, s.Err())
		s.Close()
	}
	judge(t, r.Dump(io.Discard, DumpOptions{}))
	var f Finder
	v := r.Self()
	for _, key := range x.keys {
		for _, reversed := range []bool{false, true} {
			for _, ss := range [][]row.Slice{nil, x.middle(v)} {
				p, err := f.Lookup(v, key, ss, reversed)
				if judge(t, err); p != nil {
					judge(t, drainSome(p.Rows, &left))
				}
			}
		}
		tok := r.order.token(key)
		s := v.Scan(Range{Start: KeyBound{Token: tok, Key: key}, End: KeyBound{Open: true}})
		s.Next()
		judge(t, s.Err())
		s.Close()
	}
}

// middle is a slice within, where the statistics say that rows are.
func (x *fuzzed) middle(v *View) []row.Slice {
	low, high, ok := v.covered()
	if !ok {
		return nil
	}
	return []row.Slice{{Start: row.Bound{Values: low.Values}, End: row.Bound{Values: high.Values}}}
}

// newFuzzCache returns a cache that is small enough to be made anew each time.
func newFuzzCache() *cache.Cache { return cache.New(256 << 10) }

// fuzzComponent fuzzes a component of tables of testdata.
func fuzzComponent(f *testing.F, component string, plain bool, tables ...string) {
	var list []*fuzzed
	for _, name := range tables {
		version, name, _ := strings.Cut(name, "/")
		x := fuzzTable(f, version, name, plain)
		list = append(list, x)
		f.Add(uint8(len(list)-1), x.files[x.desc.File(component)])
	}
	f.Fuzz(func(t *testing.T, n uint8, b []byte) { list[int(n)%len(list)].read(t, component, b) })
}

// FuzzStatistics reads whatever bytes as Statistics.db: by itself, and as that of a table.
func FuzzStatistics(f *testing.F) {
	fuzzComponent(f, CompStatistics, false, "nb/mixed", "nb/wide", "oa/mixed", "da/wide", "nb/counts", "nb/many")
}

// FuzzStatisticsBare reads it without checksums, which keep most changes from being decoded at all.
func FuzzStatisticsBare(f *testing.F) {
	for _, name := range []string{"mixed", "wide", "many"} {
		x := fuzzTable(f, "nb", name, false)
		b := x.files[x.desc.File(CompStatistics)]
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range slices.Concat(bigVersions, btiVersions) {
			st := &Statistics{}
			for kind := range statComponents {
				c := cursor{b: b, file: CompStatistics}
				st.parse(&c, kind, v)
				judge(t, c.err)
			}
			if table, err := st.Header.table(); err == nil && table == nil {
				t.Fatal("no table and no error")
			}
		}
	})
}

// FuzzCompressionInfo reads whatever bytes as CompressionInfo.db.
func FuzzCompressionInfo(f *testing.F) {
	fuzzComponent(f, CompCompression, false, "nb/mixed", "nb/wide", "nb/counts", "nb/many", "da/mixed")
}

// FuzzSummary reads whatever bytes as Summary.db.
func FuzzSummary(f *testing.F) {
	fuzzComponent(f, CompSummary, false, "nb/plain", "nb/wide", "oa/mixed")
}

// FuzzIndex reads whatever bytes as Index.db.
func FuzzIndex(f *testing.F) {
	fuzzComponent(f, CompIndex, false, "nb/wide", "nb/plain", "oa/wide", "nb/mixed")
}

// FuzzFilter reads whatever bytes as Filter.db.
func FuzzFilter(f *testing.F) { fuzzComponent(f, CompFilter, false, "nb/plain", "da/mixed") }

// FuzzData reads whatever bytes as the uncompressed data.
func FuzzData(f *testing.F) {
	fuzzComponent(f, CompData, true, "nb/mixed", "nb/wide", "oa/mixed", "da/wide", "nb/counts", "nb/many")
}

// FuzzChunks reads whatever bytes as a compressed Data.db.
func FuzzChunks(f *testing.F) {
	fuzzComponent(f, CompData, false, "nb/mixed", "nb/wide", "nb/counts", "nb/many")
}

// FuzzPartitions reads whatever bytes as Partitions.db, FuzzRows as Rows.db.
func FuzzPartitions(f *testing.F) {
	fuzzComponent(f, CompPartitions, false, "da/plain", "da/wide", "da/mixed")
}

// FuzzRows reads whatever bytes as Rows.db.
func FuzzRows(f *testing.F) { fuzzComponent(f, CompRows, false, "da/wide", "da/mixed") }

// FuzzTOC reads whatever bytes as TOC.txt, Digest.crc32 and CRC.db.
func FuzzTOC(f *testing.F) {
	x := fuzzTable(f, "nb", "plain", false)
	for i, component := range []string{CompTOC, CompDigest, CompCRC} {
		f.Add(uint8(i), x.files[x.desc.File(component)])
	}
	f.Fuzz(func(t *testing.T, n uint8, b []byte) {
		x.read(t, []string{CompTOC, CompDigest, CompCRC}[n%3], b)
	})
}

// FuzzParseFile splits whatever name; what is accepted is printed back.
func FuzzParseFile(f *testing.F) {
	for _, s := range []string{"nb-1-big-Data.db", "oa-3h5q_0iff_1unp62qdw954v80wix-big-CompressionInfo.db", "da-11-bti-Rows.db", "nb--big-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, component, err := ParseFile(s); err == nil && d.File(component) != s {
			t.Fatalf("%q is read as %s of %s", s, component, d)
		}
	})
}
