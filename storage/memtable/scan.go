package memtable

import (
	"bytes"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/request"
)

// Sizes of pages of partitions.
const (
	firstParts = 4
	maxParts   = 64
)

// partsPage is where a read of a range of partitions stands: a page of numbers of partitions of one shard.
type partsPage struct {
	from       request.KeyBound // where the next page begins
	shard      int
	generation uint32 // of the shard, for which the numbers hold
	numbers    []uint32
	i          int
	more       bool // the shard may have more behind the page
	ended      bool // the range ended in the page
}

// startRange goes to the start of the read's range, or to the position behind which it goes on.
func (it *Iterator) startRange() {
	pg := &it.parts
	pg.from, pg.more = it.read.Range.Start, true
	if a := it.read.After; a != nil {
		pg.from = request.KeyBound{Token: it.tokens.Token(a.Key), Key: a.Key, Inclusive: a.Clustering != nil}
	}
	if !pg.from.Open {
		pg.shard = int(pg.from.Token.Prefix >> it.table.shift)
	}
	if end := it.read.Range.End; !end.Open && !pg.from.Open && end.Token.Less(pg.from.Token) {
		pg.ended = true
	}
}

// nextInRange goes to the next partition of the read's range.
func (it *Iterator) nextInRange() bool {
	pg := &it.parts
	for {
		if pg.i < len(pg.numbers) {
			s := &it.table.shards[pg.shard]
			s.mu.RLock()
			if s.generation == pg.generation {
				p := s.part(pg.numbers[pg.i])
				pg.i++
				var resume [][]byte
				if !it.passed {
					_, key := readKey(s.arena.View(), p.key)
					resume = it.resumeIn(key)
				}
				it.loadLocked(s, p, resume)
				s.mu.RUnlock()
				return true
			}
			s.mu.RUnlock()
			// The numbers are of before a collection: the page is noted again behind the last partition given.
			pg.more, pg.ended = true, false
		}
		if !it.nextParts() {
			return false
		}
	}
}

// nextParts notes the next page of partitions and reports whether it holds any.
func (it *Iterator) nextParts() bool {
	pg := &it.parts
	if pg.i > 0 {
		pg.from = request.KeyBound{Token: it.tok, Key: it.key}
	}
	limit := min(max(firstParts, 4*len(pg.numbers)), maxParts)
	pg.numbers, pg.i = pg.numbers[:0], 0
	for !pg.ended {
		if !pg.more {
			pg.shard++
		}
		if pg.shard == len(it.table.shards) {
			return false
		}
		s := &it.table.shards[pg.shard]
		s.mu.RLock()
		pg.generation = s.generation
		it.partsLocked(s, limit)
		s.mu.RUnlock()
		if len(pg.numbers) > 0 {
			return true
		}
	}
	return false
}

// partsLocked notes partitions of a shard from where the next page begins, up to limit.
func (it *Iterator) partsLocked(s *shard, limit int) {
	pg := &it.parts
	pos := s.pool.First(&s.index)
	if from := pg.from; !from.Open {
		pos, _ = s.pool.Seek(&s.index, from.Token.Prefix, func(n uint32) int { return s.compareBound(n, from, false) })
	}
	pg.more = false
	end := it.read.Range.End
	for ; pos.Valid(); pos = s.pool.Next(pos) {
		e := s.pool.Entry(pos)
		if !end.Open && (e.Prefix > end.Token.Prefix || e.Prefix == end.Token.Prefix && s.compareBound(e.Ref, end, true) > 0) {
			pg.ended = true
			return
		}
		if len(pg.numbers) == limit {
			pg.more = true
			return
		}
		pg.numbers = append(pg.numbers, e.Ref)
	}
}

// compareBound orders a partition and the start or the end of a range, which stand before or behind what they include; their
// token prefixes are equal.
func (s *shard) compareBound(n uint32, b request.KeyBound, end bool) int {
	tok, key := readKey(s.arena.View(), s.part(n).key)
	c := tok.Compare(token.Token{Prefix: tok.Prefix, Rest: b.Token.Rest})
	if c == 0 && b.Key != nil {
		c = bytes.Compare(key, b.Key)
	}
	if c != 0 {
		return c
	}
	if b.Inclusive == end {
		return -1
	}
	return 1
}
