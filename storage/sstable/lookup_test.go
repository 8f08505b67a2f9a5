package sstable

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/row"
)

// stored is a partition as a scan gave it.
type stored struct {
	key     []byte
	del     row.Deletion
	static  *row.Row
	content []unfiltered
}

// keep copies what is only valid until the next call.
func keep(u *unfiltered) unfiltered {
	k := *u
	if k.Row != nil {
		k.Row = k.Row.Clone()
	} else {
		k.Marker.Values = slices.Clone(k.Marker.Values)
		cloneValues(k.Marker.Values)
	}
	return k
}

func scanAll(t testing.TB, v *View) []stored {
	t.Helper()
	var list []stored
	s := v.scan(All())
	for p := s.next(); p != nil; p = s.next() {
		st := stored{key: slices.Clone(p.Key), del: p.Deletion}
		if p.Static != nil {
			st.static = p.Static.Clone()
		}
		for u := p.next(); u != nil; u = p.next() {
			st.content = append(st.content, keep(u))
		}
		list = append(list, st)
	}
	if s.err != nil {
		t.Fatal(s.err)
	}
	return list
}

// show prints rows and ranges in reading order, the ranges joined where one goes on with the same deletion.
func show(v *View, content []unfiltered, reversed bool) string {
	var b strings.Builder
	var from row.Cut
	open := row.Live
	for i := range content {
		u := &content[i]
		if u.Row != nil {
			fmt.Fprintf(&b, "row %x %+v %+v %+v %d %d under %d\n", u.Row.Clustering, u.Row.Liveness, u.Row.Deletion, u.Row.Complex,
				len(u.Row.Cells), u.position, open.Timestamp)
			continue
		}
		m := &u.Marker
		if m.Closed != open {
			fmt.Fprintf(&b, "%+v is closed, %+v is open\n", m.Closed, open)
		}
		if !open.IsLive() {
			a, z := from, m.Cut
			if reversed {
				a, z = z, a
			}
			fmt.Fprintf(&b, "range %x %v to %x %v at %d\n", a.Values, a.After, z.Values, z.After, open.Timestamp)
		}
		from, open = m.Cut, m.Opened
	}
	return b.String()
}

// naive cuts content to slices, one unfiltered after the other.
func naive(v *View, content []unfiltered, ss []row.Slice) []unfiltered {
	var out []unfiltered
	for _, s := range ss {
		start, end := row.StartCut(s.Start), row.EndCut(s.End)
		if v.compare(start.Values, side(start), end.Values, side(end)) >= 0 {
			continue
		}
		open, begun := row.Live, false
		begin := func() {
			if !begun && !open.IsLive() {
				out = append(out, unfiltered{Unfiltered: row.Unfiltered{Marker: row.Marker{Cut: start, Closed: row.Live, Opened: open}}})
			}
			begun = true
		}
		for _, u := range content {
			values, at := u.Marker.Values, side(u.Marker.Cut)
			if u.Row != nil {
				values, at = u.Row.Clustering, 0
			}
			if v.compare(values, at, end.Values, side(end)) >= 0 {
				break
			}
			if v.compare(values, at, start.Values, side(start)) > 0 {
				begin()
				out = append(out, u)
			}
			if u.Row == nil {
				open = u.Marker.Opened
			}
		}
		begin()
		if !open.IsLive() {
			out = append(out, unfiltered{Unfiltered: row.Unfiltered{Marker: row.Marker{Cut: end, Closed: open, Opened: row.Live}}})
		}
	}
	return out
}

// backwards turns content round.
func backwards(content []unfiltered) []unfiltered {
	out := slices.Clone(content)
	slices.Reverse(out)
	for i := range out {
		m := &out[i].Marker
		m.Closed, m.Opened = m.Opened, m.Closed
	}
	return out
}

// randomSlices makes ascending slices with bounds at what is in the partition.
func randomSlices(r *rand.Rand, v *View, content []unfiltered) []row.Slice {
	var bounds []row.Bound
	for range 2 * (1 + r.IntN(3)) {
		b := row.Bound{Inclusive: r.IntN(2) == 0}
		if len(content) > 0 {
			u := &content[r.IntN(len(content))]
			b.Values = u.Marker.Values
			if u.Row != nil {
				b.Values = u.Row.Clustering
			}
			if n := len(b.Values); n > 0 && r.IntN(3) == 0 {
				b.Values = b.Values[:1+r.IntN(n)]
			}
		}
		bounds = append(bounds, b)
	}
	slices.SortStableFunc(bounds, func(a, b row.Bound) int { return v.compareValues(a.Values, b.Values) })
	var ss []row.Slice
	var last *row.Cut
	for i := 0; i+1 < len(bounds); i += 2 {
		s := row.Slice{Start: bounds[i], End: bounds[i+1]}
		if len(s.Start.Values) == 0 {
			s.Start.Inclusive = true
		}
		if i == 0 && r.IntN(4) == 0 {
			s.Start = row.All.Start
		}
		if i+2 == len(bounds) && r.IntN(4) == 0 {
			s.End = row.All.End
		}
		start, end := row.StartCut(s.Start), row.EndCut(s.End)
		if last != nil && v.compare(last.Values, side(*last), start.Values, side(start)) > 0 ||
			v.compare(start.Values, side(start), end.Values, side(end)) >= 0 {
			continue
		}
		last = &end
		ss = append(ss, s)
	}
	return ss
}

func read(t testing.TB, p *partition) []unfiltered {
	t.Helper()
	var out []unfiltered
	for u := p.next(); u != nil; u = p.next() {
		out = append(out, keep(u))
	}
	if p.err != nil {
		t.Fatal(p.err)
	}
	return out
}

// TestGoldenLookup looks keys and random slices up, forward and reversed, and compares with what a scan saw: with a cache that
// is too small for all, by one Finder, and without one.
func TestGoldenLookup(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	lookups := 0
	c := cache.New(1 << 20)
	var f Finder
	for n, g := range goldens(t) {
		options := OpenOptions{Cache: c}
		if n%5 == 0 {
			options.Cache = nil
		}
		v := g.open(t, options).Self()
		all := scanAll(t, v)
		for i, st := range all {
			if len(all) > 100 && i%37 != 0 {
				continue
			}
			tries := 2
			if len(st.content) > 20 {
				tries = 12
			}
			for try := range tries {
				ss := randomSlices(r, v, st.content)
				if try == 0 || len(ss) == 0 {
					ss = nil
				}
				for _, reversed := range []bool{false, true} {
					p, err := f.lookup(v, st.key, ss, reversed)
					if err != nil || p == nil {
						t.Fatalf("%s: key %x: %v", g, st.key, err)
					}
					lookups++
					want := st.content
					if ss != nil {
						want = naive(v, st.content, ss)
					}
					if reversed {
						want = backwards(want)
					}
					got := read(t, p)
					if a, b := show(v, got, reversed), show(v, want, reversed); a != b {
						t.Fatalf("%s: key %x, slices %v, reversed %v: got\n%s\nwant\n%s", g, st.key, ss, reversed, a, b)
					}
					if p.Deletion != st.del || (p.Static == nil) != (st.static == nil) {
						t.Fatalf("%s: key %x: another head", g, st.key)
					}
				}
			}
			absent := append(slices.Clone(st.key), byte(r.IntN(256)))
			if p, err := new(Finder).lookup(v, absent, nil, false); err != nil || p != nil {
				t.Fatalf("%s: absent key %x: %v %v", g, absent, p, err)
			}
		}
	}
	t.Logf("%d lookups, %+v", lookups, c.Stats())
}
