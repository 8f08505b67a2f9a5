package slab

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestArena holds that what was allocated stays, through growth and objects larger than a chunk.
func TestArena(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var a Arena
	type item struct {
		ref  Ref
		want []byte
	}
	var items []item
	for i := range 3000 {
		n := r.IntN(2000)
		if i%500 == 499 {
			n = chunkSize + r.IntN(chunkSize)
		}
		ref, b := a.Alloc(n)
		if ref == 0 || len(b) < n || slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
			t.Fatalf("allocation %d of %d bytes: ref %d, %d bytes", i, n, ref, len(b))
		}
		for j := range b {
			b[j] = byte(i)
		}
		items = append(items, item{ref, bytes.Repeat([]byte{byte(i)}, n)})
	}
	v := a.View()
	a.Alloc(chunkSize)
	for i, x := range items {
		if !bytes.HasPrefix(v.At(x.ref), x.want) {
			t.Fatalf("item %d changed", i)
		}
	}
}

// TestTree compares trees of one pool with sorted slices: inserts in random, ascending and descending order, equal
// prefixes, seeks, and walks both ways.
func TestTree(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var p Pool
	for round := range 40 {
		// Keys are a prefix of few values and a ref, by which ties are ordered.
		size := []int{0, 1, 2, 3, 62, 63, 64, 65, 200, 5000}[round%10]
		prefixes := uint64(1) << r.IntN(20)
		var tree Tree
		var want [][2]uint64
		for i := range size {
			k := [2]uint64{r.Uint64N(prefixes), uint64(r.IntN(size*2) + 1)}
			switch round % 3 {
			case 1:
				k = [2]uint64{uint64(i) / 7, uint64(i + 1)}
			case 2:
				k = [2]uint64{uint64(size-i) / 7, uint64(size - i)}
			}
			at, found := slices.BinarySearchFunc(want, k, func(a, b [2]uint64) int { return slices.Compare(a[:], b[:]) })
			e, got := p.Insert(&tree, k[0], func(ref uint32) int { return int(ref) - int(k[1]) })
			if got != found || e.Prefix != k[0] || found && e.Ref != uint32(k[1]) {
				t.Fatalf("round %d, insert %d of %v: found %v, want %v; entry %v", round, i, k, got, found, *e)
			}
			e.Ref = uint32(k[1])
			if !found {
				want = slices.Insert(want, at, k)
			}
		}
		if tree.Len() != len(want) {
			t.Fatalf("round %d: %d entries, want %d", round, tree.Len(), len(want))
		}
		i := 0
		for pos := p.First(&tree); pos.Valid(); pos = p.Next(pos) {
			if e := p.Entry(pos); i >= len(want) || e.Prefix != want[i][0] || e.Ref != uint32(want[i][1]) {
				t.Fatalf("round %d: entry %d is %v", round, i, *e)
			}
			i++
		}
		for pos := p.Last(&tree); pos.Valid(); pos = p.Prev(pos) {
			i--
			if e := p.Entry(pos); i < 0 || e.Prefix != want[i][0] || e.Ref != uint32(want[i][1]) {
				t.Fatalf("round %d: entry %d backwards is %v", round, i, *e)
			}
		}
		if i != 0 {
			t.Fatalf("round %d: walked back to %d", round, i)
		}
		for range 300 {
			k := [2]uint64{r.Uint64N(prefixes + 1), uint64(r.IntN(size*2 + 2))}
			at, found := slices.BinarySearchFunc(want, k, func(a, b [2]uint64) int { return slices.Compare(a[:], b[:]) })
			pos, got := p.Seek(&tree, k[0], func(ref uint32) int { return int(ref) - int(k[1]) })
			if got != found || pos.Valid() != (at < len(want)) || pos.Valid() && p.Entry(pos).Ref != uint32(want[at][1]) {
				t.Fatalf("round %d: seek %v: found %v, want %v at %d", round, k, got, found, at)
			}
			if prev := p.Prev(pos); prev.Valid() != (at > 0) || at > 0 && p.Entry(prev).Ref != uint32(want[at-1][1]) {
				t.Fatalf("round %d: before seek %v", round, k)
			}
		}
	}
}

func BenchmarkInsert(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var p Pool
	var tree Tree
	i := uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		e, _ := p.Insert(&tree, r.Uint64(), func(uint32) int { return 0 })
		e.Ref = i
		i++
	}
}

func BenchmarkSeek(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var p Pool
	var tree Tree
	var a Arena
	keys := make([]uint64, 1<<20)
	for i := range keys {
		keys[i] = r.Uint64()
		e, _ := p.Insert(&tree, keys[i], func(uint32) int { return 0 })
		ref, buf := a.Alloc(8)
		binary.LittleEndian.PutUint64(buf, keys[i])
		e.Ref = uint32(ref)
	}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		k := keys[n&(1<<20-1)]
		n += 7919
		if _, ok := p.Seek(&tree, k, func(ref uint32) int {
			return int(binary.LittleEndian.Uint64(a.At(Ref(ref))) - k)
		}); !ok {
			b.Fatal("lost")
		}
	}
}
