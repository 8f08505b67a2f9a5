package sstable

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/row"
)

// named returns a table of testdata.
func named(t *testing.T, dir string) golden {
	t.Helper()
	for _, g := range goldens(t) {
		if g.dir == dir {
			return g
		}
	}
	t.Fatalf("there is no %s", dir)
	return golden{}
}

// TestSuspect damages one chunk: what is in it is refused with the file and the place, each time, by lookups, scans and streams;
// the table is suspect from then on; what is elsewhere is read.
func TestSuspect(t *testing.T) {
	for _, dir := range []string{"testdata/nb/mixed", "testdata/nb/plain", "testdata/da/mixed", "testdata/oa/plain"} {
		g := named(t, dir)
		files := g.load(t)
		all := scanAll(t, g.open(t).Self())
		name := g.desc.File(CompData)
		files[name] = slices.Clone(files[name])
		at := len(files[name]) / 2
		files[name][at] ^= 4
		for _, c := range []*cache.Cache{nil, cache.New(1 << 20)} {
			open := func() *Reader {
				r, err := Open(inMemory(t, files), "d", g.desc, OpenOptions{Cache: c})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(r.Close)
				return r
			}
			judge := func(r *Reader, err error) {
				t.Helper()
				var ce *CorruptError
				if !errors.As(err, &ce) || ce.File != name || ce.Offset < 0 || ce.Offset > int64(at) || !r.Suspect() {
					t.Errorf("%s: %v, suspect %v", g, err, r.Suspect())
				}
			}
			for _, scan := range []func(*View) row.Source{
				func(v *View) row.Source { return v.Scan(All()) }, func(v *View) row.Source { return v.Stream(All()) },
			} {
				r := open()
				s := scan(r.Self())
				var err error
				for p := s.Next(); p != nil && err == nil; p = s.Next() {
					for u := p.Rows.Next(); u != nil; u = p.Rows.Next() {
					}
					err = p.Rows.Err()
				}
				judge(r, errors.Join(err, s.Err()))
				s.Close()
			}
			r := open()
			refused := 0
			for range 2 {
				for _, st := range all {
					p, err := r.Self().Lookup(st.key, nil, false)
					n := 0
					if err == nil && p != nil {
						for u := p.Rows.Next(); u != nil; u = p.Rows.Next() {
							n++
						}
						err = p.Rows.Err()
					}
					if err != nil {
						judge(r, err)
						refused++
					} else if p == nil || n != len(st.content) {
						t.Fatalf("%s: key %x has lost rows without an error", g, st.key)
					}
				}
			}
			if refused == 0 || refused%2 != 0 {
				t.Errorf("%s: %d lookups are refused", g, refused)
			}
		}
	}
}

// TestCRCCheckChance reads a damaged table whose checksums a view does not look at: what it holds comes as it is, but not to a
// view that does, nor to a stream.
func TestCRCCheckChance(t *testing.T) {
	g := named(t, "testdata/nb/plain")
	files := g.load(t)
	table := *g.open(t).table
	table.Options = schema.DefaultOptions()
	name := g.desc.File(CompData)
	files[name] = slices.Clone(files[name])
	// A byte of a text in the last partition.
	at := bytes.LastIndexByte(files[name], 'e')
	files[name][at] ^= 1
	for _, chance := range []float64{0, 1} {
		table.Options.CRCCheckChance = chance
		r, err := Open(inMemory(t, files), "d", g.desc, OpenOptions{Cache: cache.New(1 << 20)})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		v, err := r.View(&table)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			s  row.Source
			ok bool
		}{{v.Scan(All()), chance == 0}, {v.Stream(All()), false}} {
			n := 0
			for p := c.s.Next(); p != nil; p = c.s.Next() {
				n++
			}
			if err := c.s.Err(); (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "checksum") {
				t.Errorf("with a chance of %v %d partitions are read, %v", chance, n, err)
			}
			c.s.Close()
		}
	}
}
