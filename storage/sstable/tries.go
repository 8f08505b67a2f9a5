package sstable

import (
	"bytes"

	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// tries is Partitions.db with Rows.db. Source: org.apache.cassandra.io.sstable.format.bti.
type tries struct {
	r                        *Reader
	partitions, rows         vfs.File
	partitionsName, rowsName string
	partitionsSize, rowsSize int64
	root, count              int64
	first, last              []byte
	trieEnd                  int64 // where the trie of Partitions.db ends: the keys follow
}

const trieFooter = 24

func openTries(r *Reader) (partitionIndex, error) {
	x := &tries{r: r}
	if err := x.open(); err != nil {
		x.close()
		return nil, err
	}
	return x, nil
}

func (x *tries) open() error {
	var err error
	if x.partitions, x.partitionsName, x.partitionsSize, err = x.r.openFile(CompPartitions); err != nil {
		return err
	}
	if x.rows, x.rowsName, x.rowsSize, err = x.r.openFile(CompRows); err != nil {
		return err
	}
	if x.partitionsSize < trieFooter {
		return corrupt(x.partitionsName, 0, "%d bytes are too few for a footer", x.partitionsSize)
	}
	w := newWindow(x.partitions, x.partitionsName, x.partitionsSize, pageSize)
	at := x.partitionsSize - trieFooter
	if _, err := w.decode(at, trieFooter, func(c *cursor) { x.trieEnd, x.count, x.root = c.i64(), c.i64(), c.i64() }); err != nil {
		return err
	}
	if x.trieEnd < 0 || x.trieEnd > at || x.root < 0 || x.root >= x.trieEnd || x.count <= 0 {
		return corrupt(x.partitionsName, at, "a trie up to %d with its root at %d and %d keys", x.trieEnd, x.root, x.count)
	}
	end, err := w.decode(x.trieEnd, entryHint, func(c *cursor) {
		x.first, x.last = bytes.Clone(c.sbytes()), bytes.Clone(c.sbytes())
	})
	if err == nil && end != at {
		err = corrupt(x.partitionsName, end, "the first and the last key do not end at the footer")
	}
	return err
}

func (x *tries) ends() (first, last []byte) { return x.first, x.last }

func (x *tries) close() {
	for _, f := range []vfs.File{x.partitions, x.rows} {
		if f != nil {
			f.Close()
		}
	}
}

// hashBits is set in the payload bits of a leaf that begins with a byte of the key's hash.
const hashBits = 8

// target reads the payload of a leaf of Partitions.db.
func (x *tries) target(l leaf) (hash byte, hashed bool, value int64, err error) {
	c := cursor{b: l.b, file: x.partitionsName, base: l.at}
	n := int(l.bits)
	if n >= hashBits {
		hash, hashed, n = c.u8(), true, n-hashBits+1
	}
	value = c.signed(n)
	return hash, hashed, value, c.err
}

// find implements partitionIndex.
func (x *tries) find(v *View, key []byte) (entry, bool, error) {
	l, ok, err := x.lookup(appendKey(nil, &x.r.order, key))
	if err != nil || !ok {
		return entry{}, false, err
	}
	hash, hashed, value, err := x.target(l)
	if err != nil {
		return entry{}, false, err
	}
	if _, h2 := hashKey(key); hashed && hash != byte(h2) {
		return entry{}, false, nil
	}
	e, stored, err := x.resolve(v, value)
	if err != nil || !bytes.Equal(stored, key) {
		return entry{}, false, err
	}
	return e, true, nil
}

// lookup returns the one leaf that may be of a key: one that the whole path leads to, or one without children before.
func (x *tries) lookup(path []byte) (leaf, bool, error) {
	t := newTrie(x.partitions, x.partitionsName, x.trieEnd)
	for pos, i := x.root, 0; ; i++ {
		n, err := t.node(pos)
		if err != nil {
			return leaf{}, false, err
		}
		if n.n == 0 || i == len(path) {
			return leaf{bits: n.payload, at: pos + int64(n.end), b: n.b[n.end:]}, n.payload != 0, nil
		}
		child, ok, err := t.next(&n, path[i])
		if err != nil || !ok {
			return leaf{}, false, err
		}
		pos = child
	}
}

// resolve follows a leaf's value to the partition and its key.
func (x *tries) resolve(v *View, value int64) (entry, []byte, error) {
	if value < 0 {
		pos := ^value
		if pos >= x.r.data.length {
			return entry{}, nil, corrupt(x.partitionsName, 0, "a leaf points to %d of %d bytes of data", pos, x.r.data.length)
		}
		var key []byte
		_, err := x.r.data.window().decode(pos, entryHint, func(c *cursor) { key = bytes.Clone(c.sbytes()) })
		return entry{position: pos}, key, err
	}
	if value >= x.rowsSize {
		return entry{}, nil, corrupt(x.partitionsName, 0, "a leaf points to %d of %d bytes of %s", value, x.rowsSize, x.rowsName)
	}
	var key []byte
	var position, root, count, base int64
	deletion := row.Live
	w := newWindow(x.rows, x.rowsName, x.rowsSize, pageSize)
	_, err := w.decode(value, entryHint, func(c *cursor) {
		key = bytes.Clone(c.sbytes())
		base = c.at()
		position, root, count = int64(c.uvint()), c.svint(), int64(c.uvint())
		deletion = readDeletion(c, x.r.desc.Version)
	})
	if err != nil {
		return entry{}, nil, err
	}
	root += base
	// A leaf of the trie takes two bytes at least.
	if position < 0 || position >= x.r.data.length || root < 0 || root >= value || count <= 0 || count > value/2 {
		return entry{}, nil, corrupt(x.rowsName, value, "a trie with its root at %d and %d blocks for the partition at %d", root, count,
			position)
	}
	blocks := &rowTrie{x: x, v: v, at: value, root: root, n: int(count), deletion: deletion}
	return entry{position: position, blocks: blocks}, key, nil
}

// rowTrie is the index within a partition. Its leaves are read when they are asked for the first time.
type rowTrie struct {
	x      *tries
	v      *View
	at     int64 // of the entry in Rows.db: the trie stands before it
	root   int64
	n      int
	leaves []rowBlock // n blocks and what stands behind the last
	// deletion is that of the partition.
	deletion row.Deletion
}

// rowBlock is a leaf: where a block begins, the least path of what it holds, and the deletion that is open there.
type rowBlock struct {
	path   []byte
	offset int64
	open   row.Deletion
}

// load reads the leaves.
func (b *rowTrie) load() error {
	if b.leaves != nil {
		return nil
	}
	t := newTrie(b.x.rows, b.x.rowsName, b.at)
	var leaves []rowBlock
	err := t.walk(b.root, func(l leaf) error {
		c := cursor{b: l.b, file: b.x.rowsName, base: l.at}
		rb := rowBlock{path: bytes.Clone(l.path), offset: c.signed(int(l.bits &^ hashBits)), open: row.Live}
		if l.bits&hashBits != 0 {
			rb.open = readDeletion(&c, b.x.r.desc.Version)
		}
		if c.err != nil {
			return c.err
		}
		if n := len(leaves); rb.offset <= 0 || n > 0 && rb.offset <= leaves[n-1].offset || n > b.n {
			return corrupt(b.x.rowsName, l.at, "block %d of %d cannot begin at %d of its partition", n, b.n, rb.offset)
		}
		leaves = append(leaves, rb)
		return nil
	})
	if err == nil && len(leaves) != b.n+1 {
		err = corrupt(b.x.rowsName, b.at, "%d leaves for %d blocks", len(leaves), b.n)
	}
	if err == nil {
		b.leaves = leaves
	}
	return err
}

func (b *rowTrie) count() int { return b.n }

func (b *rowTrie) span(i int) (start, end int64, open row.Deletion, err error) {
	if err := b.load(); err != nil {
		return 0, 0, row.Live, err
	}
	return b.leaves[i].offset, b.leaves[i+1].offset, b.leaves[i].open, nil
}

func (b *rowTrie) floor(cut row.Cut) (int, error) {
	if err := b.load(); err != nil {
		return 0, err
	}
	path := b.v.appendPath(nil, cut.Values, side(cut))
	i, _ := search(b.n, func(i int) (bool, error) { return bytes.Compare(b.leaves[i].path, path) > 0, nil })
	return max(i-1, 0), nil
}
