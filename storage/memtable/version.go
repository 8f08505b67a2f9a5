package memtable

import (
	"encoding/binary"

	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/slab"
)

// A version of a row in the arena is: address of the version before, 4 bytes; size of the data, 4; number of versions from
// here on, 1; then the data: clustering (not of a static row) and body.
const versionHeader = 9

// putVersion writes a version of a row in front of the one at prev (0 is none) and returns its address. A chain that gets too
// long is merged.
func (s *shard) putVersion(l *row.Layout, prev slab.Ref, encoded []byte, static bool) slab.Ref {
	depth := byte(1)
	if prev != 0 {
		depth += versionDepth(s.arena.At(prev))
	}
	if depth <= maxChain {
		return s.writeVersion(prev, depth, encoded)
	}
	ref := s.writeVersion(prev, depth, encoded)
	merged := s.folder.fold(l, s.arena.View(), ref, static)
	s.buf = s.buf[:0]
	if !static {
		s.buf = row.AppendValues(s.buf, merged.Clustering)
	}
	s.buf = row.AppendBody(s.buf, merged)
	for at := ref; at != 0; {
		b := s.arena.At(at)
		s.garbage += int64(versionHeader + len(versionData(b)))
		at = versionPrev(b)
	}
	return s.writeVersion(0, 1, s.buf)
}

func (s *shard) writeVersion(prev slab.Ref, depth byte, encoded []byte) slab.Ref {
	ref, b := s.arena.Alloc(versionHeader + len(encoded))
	binary.LittleEndian.PutUint32(b, uint32(prev))
	binary.LittleEndian.PutUint32(b[4:], uint32(len(encoded)))
	b[8] = depth
	copy(b[versionHeader:], encoded)
	return ref
}

func versionPrev(b []byte) slab.Ref { return slab.Ref(binary.LittleEndian.Uint32(b)) }
func versionDepth(b []byte) byte    { return b[8] }

// versionData returns the clustering and body of a version.
func versionData(b []byte) []byte {
	n := versionHeader + int(binary.LittleEndian.Uint32(b[4:]))
	return b[versionHeader:n:n]
}

// folder merges the versions of a row. What fold returns is valid until the next fold; its values are the arena's.
type folder struct {
	row row.Row
	// more is two further rows, made when a row has several versions.
	more *[2]row.Row
}

// fold returns the row whose newest version is at ref. The clustering is the oldest version's: of values that are equal and
// differ in bytes the first written stays.
func (f *folder) fold(l *row.Layout, v slab.View, ref slab.Ref, static bool) *row.Row {
	out := &f.row
	b := v.At(ref)
	f.decode(l, b, static, out)
	if ref = versionPrev(b); ref == 0 {
		return out
	}
	if f.more == nil {
		f.more = new([2]row.Row)
	}
	next, spare := &f.more[0], &f.more[1]
	for ; ref != 0; ref = versionPrev(b) {
		b = v.At(ref)
		f.decode(l, b, static, next)
		row.Merge(spare, next, out, l)
		// The clustering of next is in the merged row, so that next must not be decoded into the same slice.
		next.Clustering, out.Clustering = out.Clustering, next.Clustering
		out, spare = spare, out
	}
	return out
}

func (f *folder) decode(l *row.Layout, b []byte, static bool, out *row.Row) {
	r := row.Reader{B: versionData(b)}
	if !static {
		out.Clustering = r.Values(out.Clustering[:0], len(l.Table.Clustering))
	}
	r.Body(out)
}
