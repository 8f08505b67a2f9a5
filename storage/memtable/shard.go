package memtable

import (
	"bytes"
	"encoding/binary"
	"strings"
	"sync"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/slab"
)

const (
	// maxChain is how many versions of a row are kept before they are merged.
	maxChain = 4
	// blockParts is how many partitions are allocated at once.
	blockParts = 64
)

// shard holds the partitions of a range of tokens.
//
// In the arena are: partitions' keys (keyRecord), deletions (timestamp and local time, 8 bytes each) and versions of rows
// (version). All but deletions never change once they are written.
type shard struct {
	mu sync.RWMutex
	memory
	// ranges are the range tombstones of the partitions that have some.
	ranges []*row.Ranges
	// generation counts collections, after which numbers of partitions and addresses are new.
	generation uint32
	stats      row.Stats // of all that was written
	operations int64     // changes that were written
	folder     folder    // of writers
	values     [][]byte
	buf        []byte
}

// memory is what a collection replaces.
type memory struct {
	arena slab.Arena
	pool  slab.Pool
	// index holds the numbers of partitions, by token and key.
	index slab.Tree
	parts [][]partition // blocks of blockParts
	count uint32        // of partitions
	// garbage is the bytes of versions that were merged into others.
	garbage int64
}

// partition is one partition. It holds no pointer.
type partition struct {
	key    slab.Ref
	static slab.Ref // newest version of the static row
	del    slab.Ref // deletion
	ranges uint32   // index in shard.ranges, plus one
	rows   slab.Tree
}

const partitionSize = 32

func (s *shard) bytes() int64 {
	return s.arena.Bytes() + s.pool.Bytes() + int64(len(s.parts))*blockParts*partitionSize
}

func (m *memory) part(n uint32) *partition { return &m.parts[n/blockParts][n%blockParts] }

// A keyRecord is: token prefix, 8 bytes; length of the key and of the token's rest, 4 each; key; rest.
const keyHeader = 16

func (s *shard) putKey(tok token.Token, key []byte) slab.Ref {
	ref, b := s.arena.Alloc(keyHeader + len(key) + len(tok.Rest))
	binary.LittleEndian.PutUint64(b, tok.Prefix)
	binary.LittleEndian.PutUint32(b[8:], uint32(len(key)))
	binary.LittleEndian.PutUint32(b[12:], uint32(len(tok.Rest)))
	copy(b[keyHeader:], key)
	copy(b[keyHeader+len(key):], tok.Rest)
	return ref
}

// readKey returns the key of a keyRecord, which shares its bytes, and the token.
func readKey(v slab.View, ref slab.Ref) (token.Token, []byte) {
	b := v.At(ref)
	tok := token.Token{Prefix: binary.LittleEndian.Uint64(b)}
	n, r := int(binary.LittleEndian.Uint32(b[8:])), int(binary.LittleEndian.Uint32(b[12:]))
	if r > 0 {
		tok.Rest = string(b[keyHeader+n : keyHeader+n+r])
	}
	return tok, b[keyHeader : keyHeader+n : keyHeader+n]
}

// compareKey orders a partition and a token and key; their token prefixes are equal.
func (s *shard) compareKey(n uint32, rest string, key []byte) int {
	b := s.arena.At(s.part(n).key)
	k, r := int(binary.LittleEndian.Uint32(b[8:])), int(binary.LittleEndian.Uint32(b[12:]))
	if r > 0 || rest != "" {
		if c := strings.Compare(string(b[keyHeader+k:keyHeader+k+r]), rest); c != 0 {
			return c
		}
	}
	return bytes.Compare(b[keyHeader:keyHeader+k], key)
}

// find returns a partition, or nil.
func (s *shard) find(tok token.Token, key []byte) *partition {
	pos, found := s.pool.Seek(&s.index, tok.Prefix, func(n uint32) int { return s.compareKey(n, tok.Rest, key) })
	if !found {
		return nil
	}
	return s.part(s.pool.Entry(pos).Ref)
}

// partition returns a partition, new when there is none.
func (s *shard) partition(tok token.Token, key []byte) *partition {
	e, found := s.pool.Insert(&s.index, tok.Prefix, func(n uint32) int { return s.compareKey(n, tok.Rest, key) })
	if found {
		return s.part(e.Ref)
	}
	e.Ref = s.count
	if s.count%blockParts == 0 {
		s.parts = append(s.parts, make([]partition, blockParts))
	}
	s.count++
	p := s.part(e.Ref)
	p.key = s.putKey(tok, key)
	return p
}

// row returns the newest version of a row, or 0, and the arena to read it from.
func (s *shard) row(l *row.Layout, tok token.Token, key []byte, static bool, clustering [][]byte) (slab.Ref, slab.View) {
	p := s.find(tok, key)
	if p == nil {
		return 0, slab.View{}
	}
	if static {
		return p.static, s.arena.View()
	}
	pos, found := s.pool.Seek(&p.rows, prefixOf(l, clustering), func(ref uint32) int { return s.compareRow(l, ref, clustering) })
	if !found {
		return 0, slab.View{}
	}
	return slab.Ref(s.pool.Entry(pos).Ref), s.arena.View()
}

func prefixOf(l *row.Layout, clustering [][]byte) uint64 {
	if len(clustering) == 0 {
		return 0
	}
	return clusteringPrefix(l.Table, clustering[0])
}

// compareRow orders a row and a clustering.
func (s *shard) compareRow(l *row.Layout, ref uint32, clustering [][]byte) int {
	r := row.Reader{B: versionData(s.arena.At(slab.Ref(ref)))}
	return r.CompareEncoded(l.Table, clustering)
}

// apply writes a mutation.
func (s *shard) apply(l *row.Layout, m *request.Mutation) error {
	p := s.partition(m.Token, m.Key)
	s.stats.Add(&m.Stats)
	c := m.Changes()
	for c.Next() {
		s.operations++
		switch {
		case c.Row:
			s.putRow(l, p, c.Encoded)
		case c.Static:
			p.static = s.putVersion(l, p.static, c.Encoded, true)
		case c.Range:
			s.putRange(l, p, row.RangeTombstone{Slice: c.Slice, Deletion: c.Deletion})
		default:
			s.putDeletion(p, c.Deletion)
		}
	}
	if s.garbage > collectMin && s.garbage > s.arena.Bytes()/2 {
		s.collect(l)
	}
	return c.Err()
}

// putRow writes an encoded row: clustering and body.
func (s *shard) putRow(l *row.Layout, p *partition, encoded []byte) {
	r := row.Reader{B: encoded}
	s.values = r.Values(s.values[:0], len(l.Table.Clustering))
	values := s.values
	e, found := s.pool.Insert(&p.rows, prefixOf(l, values), func(ref uint32) int { return s.compareRow(l, ref, values) })
	if !found {
		e.Ref = 0
	}
	e.Ref = uint32(s.putVersion(l, slab.Ref(e.Ref), encoded, false))
}

// putDeletion deletes the partition.
func (s *shard) putDeletion(p *partition, d row.Deletion) {
	if p.del != 0 {
		if !d.Supersedes(readDeletion(s.arena.View(), p.del)) {
			return
		}
	} else {
		p.del, _ = s.arena.Alloc(16)
	}
	b := s.arena.At(p.del)
	binary.LittleEndian.PutUint64(b, uint64(d.Timestamp))
	binary.LittleEndian.PutUint64(b[8:], uint64(d.Local))
}

func readDeletion(v slab.View, ref slab.Ref) row.Deletion {
	if ref == 0 {
		return row.Live
	}
	b := v.At(ref)
	return row.Deletion{Timestamp: int64(binary.LittleEndian.Uint64(b)), Local: int64(binary.LittleEndian.Uint64(b[8:]))}
}

// putRange deletes rows of the partition. The bounds are copied.
func (s *shard) putRange(l *row.Layout, p *partition, rt row.RangeTombstone) {
	rt.Start.Values, rt.End.Values = cloneValues(rt.Start.Values), cloneValues(rt.End.Values)
	if p.ranges == 0 {
		s.ranges = append(s.ranges, nil)
		p.ranges = uint32(len(s.ranges))
	}
	at := &s.ranges[p.ranges-1]
	*at = (*at).Add(l.Table, rt)
}

func cloneValues(values [][]byte) [][]byte {
	out := make([][]byte, len(values))
	for i, v := range values {
		out[i] = bytes.Clone(v)
	}
	return out
}
