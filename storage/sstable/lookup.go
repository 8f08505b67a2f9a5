package sstable

import (
	"bytes"
	"math"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/row"
)

// Finder looks keys up, one after the other, in one goroutine; it keeps its memory for the next one. The zero value is ready.
// It holds on to the last table that it was used for, but to no reference.
type Finder struct {
	p      partition
	w      window
	d      decoder
	s      slicer
	whole  wholePartition
	blocks promoted
	rows   rowTrie
	// iw is a view of the index.
	iw   window
	path []byte
	key  [64]byte
	cuts [2]cuts
	// k and e are of the present lookup.
	k sought
	e cache.Entry
}

// everyRow is the slices of a whole partition.
var everyRow = []row.Slice{row.All}

// Lookup opens the partition of a key; it returns nil when the table does not have it. Rows and markers come from the slices
// alone, which ascend and do not overlap; nil stands for the whole partition, and a list of no slices selects none of its rows.
// Where a range deletion reaches into a slice, a marker opens it where the slice begins, and one closes it where the slice
// ends. When reversed is true all comes backwards, and a marker's Closed is still what ends there in the order of reading.
//
// The partition is used by one goroutine and needs no closing; the caller holds a reference to the Reader as long as it reads.
// What it gives is valid until the next call, its key, static row and deletion as long as it is used.
func (v *View) Lookup(key []byte, slices []row.Slice, reversed bool) (*row.Partition, error) {
	if !v.r.MayContain(key) {
		return nil, nil
	}
	return new(Finder).Lookup(v, key, slices, reversed)
}

// Lookup is View.Lookup. The partition, and all that it gave, is valid until the next call.
func (f *Finder) Lookup(v *View, key []byte, slices []row.Slice, reversed bool) (*row.Partition, error) {
	p, err := f.lookup(v, key, slices, reversed)
	if err != nil || p == nil {
		return nil, v.r.note(err)
	}
	return &p.Partition, nil
}

// sought is a key that is looked for.
type sought struct {
	key    []byte
	h1, h2 int64
	tok    token.Token
}

// hashed returns a key with its hash and token.
func (r *Reader) hashed(key []byte) sought {
	k := sought{key: key}
	k.h1, k.h2 = hashKey(key)
	if r.murmur && len(key) > 0 {
		if k.tok = token.FromInt64(k.h1); k.h1 == math.MinInt64 {
			k.tok = token.Murmur3{}.Max()
		}
	} else {
		k.tok = r.order.token(key)
	}
	return k
}

// excludes reports that the key is not in the table: it stands outside of its keys, or the filter says so.
func (r *Reader) excludes(k *sought) bool {
	if r.first == nil || r.order.compare(k.tok, k.key, r.firstToken, r.first) < 0 ||
		r.order.compare(k.tok, k.key, r.lastToken, r.last) > 0 {
		return true
	}
	return r.filter != nil && !r.filter.mayContain(k.h1, k.h2)
}

// lookup is Lookup without its error being noted.
func (f *Finder) lookup(v *View, key []byte, slices []row.Slice, reversed bool) (*partition, error) {
	r := v.r
	f.k = r.hashed(key)
	k := &f.k
	if r.excludes(k) {
		return nil, nil
	}
	f.d.open(v)
	f.w.open(r.data.pages, v.chance)
	if f.p.Key == nil {
		f.p.Key, f.s.slices = f.key[:0], f.cuts[:0]
	}
	e, known := r.cache.Key(r.id, k.h1, k.h2)
	if known {
		// What is in the cache is of a key with the same hash.
		known = f.p.open(v, &f.w, &f.d, e.Position, &k.tok) == nil && bytes.Equal(f.p.Key, key)
	}
	if !known {
		var ok bool
		var err error
		if e, ok, err = r.index.find(f, k); err != nil || !ok {
			return nil, err
		}
		if err := f.p.open(v, &f.w, &f.d, e.Position, &k.tok); err != nil {
			return nil, err
		}
		if !bytes.Equal(f.p.Key, key) {
			if r.desc.BTI() {
				// Its index holds the begins of keys alone.
				return nil, nil
			}
			f.p.pos = f.p.start
			f.p.fail("the index points here for another key")
			return nil, f.p.err
		}
		r.cache.PutKey(r.id, k.h1, k.h2, e)
	}
	if slices == nil && !reversed {
		return &f.p, nil
	}
	if slices == nil {
		slices = everyRow
	}
	var blocks blockIndex
	if len(slices) > 0 {
		f.e = e
		var err error
		if blocks, err = r.index.blocks(f, v, &f.e); err != nil {
			return nil, err
		}
	}
	if blocks == nil {
		f.whole.p = &f.p
		blocks = &f.whole
	}
	f.s.start(v, &f.p, blocks, slices, reversed)
	f.p.slices = &f.s
	return &f.p, nil
}

// notIndexed says, in an Entry's Index, that a partition has no index within.
const notIndexed = -1

// entryOf returns an entry of a partition without an index within.
func entryOf(position int64) cache.Entry { return cache.Entry{Position: position, Index: notIndexed} }
