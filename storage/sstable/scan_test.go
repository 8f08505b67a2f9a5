package sstable

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/row"
)

// drain reads a source and returns its keys and the number of its rows and markers.
func drain(t testing.TB, s row.Source) (keys [][]byte, unfiltereds int) {
	t.Helper()
	defer s.Close()
	for p := s.Next(); p != nil; p = s.Next() {
		keys = append(keys, slices.Clone(p.Key))
		if len(keys)%3 == 0 {
			continue
		}
		for u := p.Rows.Next(); u != nil; u = p.Rows.Next() {
			unfiltereds++
		}
		if p.Rows.Err() != nil {
			t.Fatal(p.Rows.Err())
		}
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return keys, unfiltereds
}

// randomBound makes a bound at or beside a key.
func randomBound(r *rand.Rand, t *Reader, keys [][]byte) KeyBound {
	if r.IntN(6) == 0 {
		return KeyBound{Open: true}
	}
	key := slices.Clone(keys[r.IntN(len(keys))])
	change := r.IntN(4)
	if t.order.partitioner == nil {
		// A key of the table of an index has to be a value of the indexed column's type.
		change = -1
	}
	switch change {
	case 0:
		key = append(key, byte(r.IntN(256)))
	case 1:
		key = key[:len(key)-min(len(key), 1)]
	}
	b := KeyBound{Token: t.order.token(key), Key: key, Inclusive: r.IntN(2) == 0}
	if r.IntN(2) == 0 && t.order.partitioner != nil {
		b.Key = nil
		if m, ok := t.order.partitioner.(token.Murmur3); ok && r.IntN(2) == 0 {
			b.Token = m.Random(r)
		}
	}
	return b
}

// TestScanRange scans ranges of every table and compares with all partitions, filtered one by one.
func TestScanRange(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	scans := 0
	c := cache.New(4 << 20)
	for _, g := range goldens(t) {
		table := g.open(t, OpenOptions{Cache: c})
		v := table.Self()
		all, _ := drain(t, v.Scan(All()))
		if table.EstimatedKeys() != int64(len(all)) {
			t.Errorf("%s: %d keys, the statistics say %d", g, len(all), table.EstimatedKeys())
		}
		if len(all) == 0 {
			continue
		}
		_, first := table.First()
		_, last := table.Last()
		if !bytes.Equal(first, all[0]) || !bytes.Equal(last, all[len(all)-1]) {
			t.Errorf("%s: keys from %x to %x, want %x to %x", g, first, last, all[0], all[len(all)-1])
		}
		for range 20 {
			scans++
			rg := Range{Start: randomBound(r, table, all), End: randomBound(r, table, all)}
			var want [][]byte
			for _, key := range all {
				tok := table.order.token(key)
				if !table.before(tok, key, &rg) && !table.behind(tok, key, &rg) {
					want = append(want, key)
				}
			}
			s := v.Scan(rg)
			if scans%2 == 0 {
				s = v.Stream(rg)
			}
			got, _ := drain(t, s)
			if !slices.EqualFunc(got, want, bytes.Equal) {
				t.Fatalf("%s: range %+v gives %d keys, want %d", g, rg, len(got), len(want))
			}
			if len(want) > 0 && !table.InRange(rg) {
				t.Fatalf("%s: range %+v is said to be outside", g, rg)
			}
		}
	}
	t.Log(scans, "scans")
}

// TestCovers compares Covers with what is in the slices: it may say yes too often, never no.
func TestCovers(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	no := 0
	for _, g := range goldens(t) {
		v := g.open(t).Self()
		all := scanAll(t, v)
		if len(all) == 0 {
			continue
		}
		for range 50 {
			ss := randomSlices(r, v, all[r.IntN(len(all))].content)
			if len(ss) == 0 || v.Covers(ss) {
				continue
			}
			no++
			for _, st := range all {
				if got := naive(v, st.content, ss); len(got) > 0 {
					t.Fatalf("%s: slices %v have %d rows or markers of key %x", g, ss, len(got), st.key)
				}
			}
		}
	}
	t.Log(no, "times not covered")
}

// TestReferences holds that files stay open until the last user is done.
func TestReferences(t *testing.T) {
	g := goldens(t)[0]
	r := g.open(t)
	s := r.Self().Scan(All())
	r.Close()
	r.Close()
	if s.Next() == nil {
		t.Fatal("the scan gives nothing: ", s.Err())
	}
	if !r.Ref() {
		t.Fatal("a table in use gives no reference")
	}
	r.Unref()
	s.Close()
	s.Close()
	if r.Ref() {
		t.Fatal("a closed table gives a reference")
	}
	if s := r.Self().Scan(All()); s.Next() != nil || s.Err() == nil {
		t.Fatal("a closed table is read")
	}
}

// TestConcurrent reads one table from many goroutines, with a cache that is too small for it, while its opener closes it.
func TestConcurrent(t *testing.T) {
	for _, dir := range []string{"testdata/nb/wide", "testdata/da/wide", "testdata/nb/plain"} {
		g := named(t, dir)
		r := g.open(t, OpenOptions{Cache: cache.New(64 << 10)})
		all := scanAll(t, r.Self())
		var wg sync.WaitGroup
		for n := range 8 {
			if !r.Ref() {
				t.Fatal("no reference")
			}
			wg.Go(func() {
				defer r.Unref()
				var f Finder
				rnd := rand.New(rand.NewPCG(uint64(n), 1))
				for range 100 {
					st := &all[rnd.IntN(len(all))]
					reversed := rnd.IntN(2) == 0
					p, err := f.lookup(r.Self(), st.key, nil, reversed)
					if err != nil || p == nil {
						t.Error(err)
						return
					}
					got := 0
					for u := p.next(); u != nil; u = p.next() {
						got++
					}
					if p.err != nil || got != len(st.content) {
						t.Errorf("%d rows and markers, want %d: %v", got, len(st.content), p.err)
						return
					}
				}
			})
		}
		r.Close()
		wg.Wait()
		if r.Ref() {
			t.Error("a closed table gives a reference")
		}
	}
}
