package sstable

import (
	"encoding/binary"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/vfs"
)

// maxFilter bounds Filter.db, which is in memory while the table is open: 2 GiB is what Cassandra can write.
const maxFilter = 2<<30 + 16

// maxHashes bounds the number of probes; Cassandra's table of filters ends at 20.
const maxHashes = 64

// filter is a Bloom filter over the partition keys. Bit i is bit i&7 of byte i>>3.
// Source: org.apache.cassandra.utils.BloomFilter.
type filter struct {
	hashes int
	bits   []byte
}

// readFilter reads Filter.db; it returns nil when there is none.
func readFilter(fsys vfs.FS, dir string, d Descriptor) (*filter, error) {
	name := d.File(CompFilter)
	b, err := readSmall(fsys, dir, name, maxFilter)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseFilter(b, name, d.Version)
}

// parseFilter keeps b.
func parseFilter(b []byte, name string, v Version) (*filter, error) {
	c := cursor{b: b, file: name}
	k, words := c.i32(), c.i32()
	if c.err != nil {
		return nil, c.err
	}
	if k <= 0 || k > maxHashes {
		return nil, corrupt(name, 0, "%d hashes", k)
	}
	if words <= 0 || int64(words)*8 != int64(c.left()) {
		return nil, corrupt(name, 4, "%d words do not fit %d bytes", words, c.left())
	}
	f := &filter{hashes: int(k), bits: b[8:]}
	if v.oldFilter() {
		for i := 0; i < len(f.bits); i += 8 {
			w := f.bits[i : i+8]
			binary.LittleEndian.PutUint64(w, binary.BigEndian.Uint64(w))
		}
	}
	return f, nil
}

// mayContain reports whether the key whose hash is given may be in the table.
func (f *filter) mayContain(h1, h2 int64) bool {
	m := int64(len(f.bits)) * 8
	x := h2
	for range f.hashes {
		p := bitOf(x, m)
		if f.bits[p>>3]&(1<<(p&7)) == 0 {
			return false
		}
		x += h1
	}
	return true
}

// bitOf returns the bit, of m, that a sum of hashes stands for.
func bitOf(x, m int64) int64 {
	p := x % m
	return max(p, -p)
}

// hashKey returns both halves of the hash of a partition key.
func hashKey(key []byte) (h1, h2 int64) { return token.Hash128(key, 0) }
