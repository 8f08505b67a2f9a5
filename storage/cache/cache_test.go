package cache

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"
)

// page makes the only right content of a page.
func page(file uint64, n int64, size int) []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint64(b, file)
	binary.BigEndian.PutUint64(b[8:], uint64(n))
	return b
}

func isPage(b []byte, file uint64, n int64) bool {
	return binary.BigEndian.Uint64(b) == file && binary.BigEndian.Uint64(b[8:]) == uint64(n)
}

// check holds the books of a shard against its queues.
func (s *shard) check(t *testing.T) {
	t.Helper()
	seen := 0
	for _, main := range []bool{false, true} {
		q := &s.small
		if main {
			q = &s.main
		}
		bytes, last := int64(0), none
		for i := q.head; i != none; i = s.slots[i].next {
			e := &s.slots[i]
			if e.inMain != main || e.prev != last || s.index[e.key] != i || e.b == nil {
				t.Fatalf("slot %d of queue %v is out of order", i, main)
			}
			bytes += int64(cap(e.b)) + overhead
			last = i
			seen++
		}
		if last != q.tail || bytes != q.bytes {
			t.Fatalf("queue %v ends at %d with %d bytes, its books say %d with %d", main, last, bytes, q.tail, q.bytes)
		}
	}
	free := 0
	for i := s.free; i != none; i = s.slots[i].next {
		free++
	}
	if seen != len(s.index) || seen+free != len(s.slots) {
		t.Fatalf("%d pages in queues, %d free, %d in the index, %d slots", seen, free, len(s.index), len(s.slots))
	}
	if s.small.bytes+s.main.bytes > s.limit {
		t.Fatalf("%d bytes of %d", s.small.bytes+s.main.bytes, s.limit)
	}
}

// TestModel puts, gets and forgets pages at random: a page is right or not there, and the budget holds.
func TestModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	c := New(4 << 20)
	hits := 0
	for range 200_000 {
		file, n := uint64(r.IntN(8)), int64(r.IntN(200))
		switch b := c.Page(file, n); {
		case b != nil:
			hits++
			if !isPage(b, file, n) {
				t.Fatal("another page")
			}
		default:
			c.PutPage(file, n, page(file, n, 16+r.IntN(32<<10)))
		}
		if r.IntN(20_000) == 0 {
			c.Forget(file)
			for n := range int64(200) {
				if c.Page(file, n) != nil {
					t.Fatal("a forgotten page is there")
				}
			}
		}
	}
	for i := range c.shards {
		c.shards[i].check(t)
	}
	s := c.Stats()
	if hits == 0 || s.PageHits < int64(hits) || s.Evicted == 0 || s.PageBytes > s.Budget || s.PageBytes < s.Budget/2 {
		t.Errorf("%d hits, %+v", hits, s)
	}
	c.Clear()
	if s := c.Stats(); s.Pages != 0 || s.PageBytes != 0 {
		t.Errorf("after Clear %+v", s)
	}
}

// TestScanResistance reads a hot set often and a file of twice the budget through, once. Most of the hot set stays; of an LRU
// it would all be gone.
func TestScanResistance(t *testing.T) {
	c := New(8 << 20)
	const hot, size = 300, 16 << 10
	touch := func() (missing int) {
		for n := range int64(hot) {
			if c.Page(1, n) == nil {
				missing++
				c.PutPage(1, n, page(1, n, size))
			}
		}
		return missing
	}
	for range 5 {
		touch()
	}
	for n := range int64(1024) {
		c.PutPage(2, n, page(2, n, size))
	}
	if missing := touch(); missing > hot/10 {
		t.Errorf("%d of %d hot pages are gone", missing, hot)
	}
}

// TestSkew compares the hit rate of a skewed load with that of the same cache filled at random.
func TestSkew(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	z := rand.NewZipf(r, 1.2, 10, 20_000)
	c := New(16 << 20)
	for range 200_000 {
		n := int64(z.Uint64())
		if c.Page(1, n) == nil {
			c.PutPage(1, n, page(1, n, 16<<10))
		}
	}
	s := c.Stats()
	if rate := float64(s.PageHits) / float64(s.PageHits+s.PageMisses); rate < 0.7 {
		t.Errorf("%.2f of the pages were there", rate)
	}
}

// TestKeys puts more keys than fit and gets them: an entry is right or not there.
func TestKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	c := New(1 << 20)
	type key struct {
		file   uint64
		h1, h2 int64
	}
	var keys []key
	for range 5000 {
		keys = append(keys, key{uint64(1 + r.IntN(5)), int64(r.Uint64()), int64(r.Uint64())})
	}
	hits := 0
	for range 100_000 {
		i := int(r.Float64() * r.Float64() * float64(len(keys)))
		k := keys[i]
		e, ok := c.Key(k.file, k.h1, k.h2)
		if ok && e != (Entry{int64(i), int64(i) * 2, int64(i) * 3}) {
			t.Fatal("another key's entry")
		}
		if ok {
			hits++
			continue
		}
		c.PutKey(k.file, k.h1, k.h2, Entry{int64(i), int64(i) * 2, int64(i) * 3})
	}
	s := c.Stats()
	if int64(hits) != s.KeyHits || s.KeyMisses != 100_000-s.KeyHits || hits < 30_000 || s.Keys > s.KeyBytes/setSize*ways || s.KeyBytes > s.Budget/keyShare {
		t.Errorf("%d hits, %+v", hits, s)
	}
	if _, ok := c.Key(9, keys[0].h1, keys[0].h2); ok {
		t.Error("a key of another file is found")
	}
	c.ClearKeys()
	if s := c.Stats(); s.Keys != 0 {
		t.Errorf("after ClearKeys %+v", s)
	}
}

// TestNil holds that no cache is one that holds nothing.
func TestNil(t *testing.T) {
	c := New(0)
	c.PutPage(1, 1, []byte("x"))
	c.PutKey(1, 2, 3, Entry{})
	c.Forget(1)
	c.Clear()
	c.ClearKeys()
	if _, ok := c.Key(1, 2, 3); ok || c.Page(1, 1) != nil || c.NewFile() != 0 || c.Stats() != (Stats{}) {
		t.Error("it holds something")
	}
}

// TestConcurrent uses a cache from many goroutines; the race detector looks on when it is asked to.
func TestConcurrent(t *testing.T) {
	c := New(2 << 20)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 7))
			for i := range 20_000 {
				file, n := uint64(1+r.IntN(3)), int64(r.IntN(100))
				if b := c.Page(file, n); b == nil {
					c.PutPage(file, n, page(file, n, 64+r.IntN(8<<10)))
				} else if !isPage(b, file, n) {
					t.Error("another page")
					return
				}
				if e, ok := c.Key(file, n, n); ok && e.Position != n {
					t.Error("another entry")
					return
				}
				c.PutKey(file, n, n, Entry{Position: n})
				if i%5000 == 0 {
					c.Forget(file)
				}
			}
		})
	}
	wg.Wait()
	for i := range c.shards {
		c.shards[i].check(t)
	}
}

// TestAllocations holds that neither a hit nor a miss allocates.
func TestAllocations(t *testing.T) {
	c := New(4 << 20)
	b := bytes.Repeat([]byte{1}, 4096)
	c.PutPage(1, 1, b)
	c.PutKey(1, 2, 3, Entry{})
	if n := testing.AllocsPerRun(100, func() {
		c.Page(1, 1)
		c.Page(1, 2)
		c.Key(1, 2, 3)
		c.Key(1, 2, 4)
		c.PutKey(1, 2, 3, Entry{})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkPageHit(b *testing.B) {
	c := New(64 << 20)
	for n := range int64(1000) {
		c.PutPage(1, n, page(1, n, 16<<10))
	}
	b.ReportAllocs()
	n := int64(0)
	for b.Loop() {
		if n = (n + 7) % 1000; c.Page(1, n) == nil {
			b.Fatal("not there")
		}
	}
}

func BenchmarkKeyHit(b *testing.B) {
	c := New(64 << 20)
	for n := range int64(10000) {
		c.PutKey(1, n*n, n, Entry{})
	}
	b.ReportAllocs()
	n := int64(0)
	for b.Loop() {
		n = (n + 7) % 10000
		c.Key(1, n*n, n)
	}
}
