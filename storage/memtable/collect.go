package memtable

import (
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/slab"
)

// collectMin is the least garbage, in bytes, that is worth a collection.
const collectMin = 1 << 20

// collect moves all that the shard holds to new memory and leaves the garbage behind; chains are merged. Readers that noted
// addresses go on with the old memory, which stays as long as they do.
func (s *shard) collect(l *row.Layout) {
	old := s.memory
	s.memory = memory{}
	s.generation++
	view := old.arena.View()
	for pos := old.pool.First(&old.index); pos.Valid(); pos = old.pool.Next(pos) {
		from := old.part(old.pool.Entry(pos).Ref)
		tok, key := readKey(view, from.key)
		to := s.partition(tok, key)
		to.ranges = from.ranges
		if from.static != 0 {
			to.static = s.moveVersion(l, view, from.static, true)
		}
		if from.del != 0 {
			s.putDeletion(to, readDeletion(view, from.del))
		}
		for rp := old.pool.First(&from.rows); rp.Valid(); rp = old.pool.Next(rp) {
			re := old.pool.Entry(rp)
			ref := s.moveVersion(l, view, slab.Ref(re.Ref), false)
			// Rows come in order and are distinct: each is behind all that are there.
			e, _ := s.pool.Insert(&to.rows, re.Prefix, func(uint32) int { return -1 })
			e.Ref = uint32(ref)
		}
	}
}

// moveVersion copies a row, merged, from old memory.
func (s *shard) moveVersion(l *row.Layout, view slab.View, ref slab.Ref, static bool) slab.Ref {
	b := view.At(ref)
	if versionPrev(b) == 0 {
		return s.writeVersion(0, 1, versionData(b))
	}
	merged := s.folder.fold(l, view, ref, static)
	s.buf = s.buf[:0]
	if !static {
		s.buf = row.AppendValues(s.buf, merged.Clustering)
	}
	s.buf = row.AppendBody(s.buf, merged)
	return s.writeVersion(0, 1, s.buf)
}
