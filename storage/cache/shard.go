package cache

import (
	"sync"
	"sync/atomic"
)

// shard is a part of the pages: an S3-FIFO. New pages stand in a small queue; those that were asked for again when they come to
// its end go to the main one, the others leave and are remembered for a while; who comes back then goes to the main queue at
// once. So one walk through a large file does not drive out what is read often.
type shard struct {
	mu    sync.RWMutex
	index map[pageKey]int32
	slots []slot
	free  int32 // the first of the free slots, linked by next
	small queue
	main  queue
	limit int64
	// ghosts remember who left the small queue: at the place of a page's hash, which departure it was. turn counts them.
	ghosts []ghost
	turn   uint32
	// The counters change under the read lock.
	hits, misses atomic.Int64
	evicted      int64
	_            [64]byte
}

// slot is a page in a queue, or free.
type slot struct {
	key        pageKey
	b          []byte
	prev, next int32
	hash       uint32
	uses       atomic.Uint32 // since it was put or came round in the main queue, at most maxUses
	inMain     bool
}

// queue is a list of slots, the oldest at the head, and their bytes.
type queue struct {
	head, tail int32
	bytes      int64
	pages      int64
}

// ghost is a page that left: its hash, and the number of the departure, 0 for none.
type ghost struct{ hash, turn uint32 }

const (
	none    = int32(-1)
	maxUses = 3
	// smallShare is which part of a shard, one in this many, the small queue may have.
	smallShare = 10
	// overhead is what a page takes beside its bytes: slot, index, ghost.
	overhead = 160
	// ghostPage is for how many bytes of pages there is one ghost.
	ghostPage = 8 << 10
)

func (s *shard) init(limit int64) {
	s.index, s.free, s.limit = map[pageKey]int32{}, none, limit
	s.small, s.main = queue{head: none, tail: none}, queue{head: none, tail: none}
}

// remember makes place for the ghosts.
func (s *shard) remember() {
	n := 64
	for int64(n)*ghostPage < s.limit {
		n *= 2
	}
	s.ghosts = make([]ghost, n)
}

func (s *shard) get(k pageKey) []byte {
	s.mu.RLock()
	i, ok := s.index[k]
	if !ok {
		s.mu.RUnlock()
		s.misses.Add(1)
		return nil
	}
	e := &s.slots[i]
	b := e.b
	if n := e.uses.Load(); n < maxUses {
		e.uses.Store(n + 1)
	}
	s.mu.RUnlock()
	s.hits.Add(1)
	return b
}

func (s *shard) put(k pageKey, hash uint32, b []byte) {
	size := int64(cap(b)) + overhead
	if size > s.limit/2 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.index[k]; ok {
		// Two readers have missed it at the same time.
		return
	}
	if s.ghosts == nil {
		s.remember()
	}
	for s.small.bytes+s.main.bytes+size > s.limit {
		s.evict()
	}
	i := s.take()
	e := &s.slots[i]
	e.key, e.b, e.hash = k, b, hash
	e.uses.Store(0)
	s.index[k] = i
	g := &s.ghosts[hash&uint32(len(s.ghosts)-1)]
	e.inMain = g.turn != 0 && g.hash == hash && s.turn-g.turn < uint32(len(s.ghosts))
	if e.inMain {
		*g = ghost{}
	}
	s.push(i)
}

// take returns a free slot.
func (s *shard) take() int32 {
	if i := s.free; i != none {
		s.free = s.slots[i].next
		return i
	}
	if len(s.slots) == cap(s.slots) {
		s.grow()
	}
	s.slots = s.slots[:len(s.slots)+1]
	return int32(len(s.slots) - 1)
}

// grow makes place for more slots. Their counters are copied while nobody else has the lock.
func (s *shard) grow() {
	more := make([]slot, len(s.slots), max(16, 2*cap(s.slots)))
	for i := range s.slots {
		from, to := &s.slots[i], &more[i]
		to.key, to.b, to.prev, to.next, to.hash, to.inMain = from.key, from.b, from.prev, from.next, from.hash, from.inMain
		to.uses.Store(from.uses.Load())
	}
	s.slots = more
}

func (s *shard) queue(e *slot) *queue {
	if e.inMain {
		return &s.main
	}
	return &s.small
}

// push puts a slot at the tail of its queue.
func (s *shard) push(i int32) {
	e := &s.slots[i]
	q := s.queue(e)
	e.prev, e.next = q.tail, none
	if q.tail == none {
		q.head = i
	} else {
		s.slots[q.tail].next = i
	}
	q.tail = i
	q.bytes += int64(cap(e.b)) + overhead
	q.pages++
}

// unlink takes a slot out of its queue.
func (s *shard) unlink(i int32) {
	e := &s.slots[i]
	q := s.queue(e)
	if e.prev == none {
		q.head = e.next
	} else {
		s.slots[e.prev].next = e.next
	}
	if e.next == none {
		q.tail = e.prev
	} else {
		s.slots[e.next].prev = e.prev
	}
	q.bytes -= int64(cap(e.b)) + overhead
	q.pages--
}

// drop frees a slot that is in no queue.
func (s *shard) drop(i int32) {
	e := &s.slots[i]
	delete(s.index, e.key)
	e.b, e.next = nil, s.free
	s.free = i
}

// evict lets one page go, or moves one on.
func (s *shard) evict() {
	if i := s.small.head; i != none && (s.small.bytes > s.limit/smallShare || s.main.head == none) {
		e := &s.slots[i]
		s.unlink(i)
		if e.uses.Load() > 1 {
			e.inMain = true
			e.uses.Store(0)
			s.push(i)
			return
		}
		if s.turn++; s.turn == 0 {
			s.turn = 1
		}
		s.ghosts[e.hash&uint32(len(s.ghosts)-1)] = ghost{e.hash, s.turn}
		s.drop(i)
		s.evicted++
		return
	}
	i := s.main.head
	e := &s.slots[i]
	s.unlink(i)
	if n := e.uses.Load(); n > 0 {
		e.uses.Store(n - 1)
		s.push(i)
		return
	}
	s.drop(i)
	s.evicted++
}

// forget lets go of the pages that which says.
func (s *shard) forget(which func(pageKey) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, i := range s.index {
		if which(k) {
			s.unlink(i)
			s.drop(i)
		}
	}
}

func (s *shard) stats(to *Stats) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	to.Pages += s.small.pages + s.main.pages
	to.PageBytes += s.small.bytes + s.main.bytes
	to.Evicted += s.evicted
	to.PageHits += s.hits.Load()
	to.PageMisses += s.misses.Load()
}
