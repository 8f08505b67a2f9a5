package sstable

import (
	"bytes"

	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/row"
)

// tries is Partitions.db with Rows.db. Source: org.apache.cassandra.io.sstable.format.bti.
type tries struct {
	r                *Reader
	partitions, rows *paged
	root, count      int64
	first, last      []byte
	trieEnd          int64 // where the trie of Partitions.db ends: the keys follow
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
	if x.partitions, err = x.r.openPages(CompPartitions); err != nil {
		return err
	}
	if x.rows, err = x.r.openPages(CompRows); err != nil {
		return err
	}
	name, at := x.partitions.name, x.partitions.length-trieFooter
	if at < 0 {
		return corrupt(name, 0, "%d bytes are too few for a footer", x.partitions.length)
	}
	w := x.partitions.window()
	c := w.at(at, trieFooter)
	if x.trieEnd, x.count, x.root = c.i64(), c.i64(), c.i64(); c.err != nil {
		return c.err
	}
	if x.trieEnd < 0 || x.trieEnd > at || x.root < 0 || x.root >= x.trieEnd || x.count <= 0 {
		return corrupt(name, at, "a trie up to %d with its root at %d and %d keys", x.trieEnd, x.root, x.count)
	}
	for n := 1; n > 0; n = w.again() {
		c := w.at(x.trieEnd, n)
		x.first, x.last = bytes.Clone(c.sbytes()), bytes.Clone(c.sbytes())
	}
	if end := w.c.at(); w.c.err == nil && end != at {
		return corrupt(name, end, "the first and the last key do not end at the footer")
	}
	return w.c.err
}

func (x *tries) ends() (first, last []byte) { return x.first, x.last }

func (x *tries) close() {
	for _, p := range []*paged{x.partitions, x.rows} {
		if p != nil {
			p.close()
		}
	}
}

// hashBits is set in the payload bits of a leaf that begins with a byte of the key's hash.
const hashBits = 8

// target reads the payload of a leaf of Partitions.db.
func (x *tries) target(l leaf) (hash byte, hashed bool, value int64, err error) {
	c := cursor{b: l.b, file: x.partitions.name, base: l.at}
	n := int(l.bits)
	if n >= hashBits {
		hash, hashed, n = c.u8(), true, n-hashBits+1
	}
	value = c.signed(n)
	return hash, hashed, value, c.err
}

// find implements partitionIndex. An entry's Index is the place in Rows.db.
func (x *tries) find(f *Finder, k *sought) (cache.Entry, bool, error) {
	f.path = appendKey(f.path[:0], &x.r.order, k.key, k.tok)
	l, ok, err := x.lookup(&f.iw, f.path)
	if err != nil || !ok {
		return cache.Entry{}, false, err
	}
	hash, hashed, value, err := x.target(l)
	if err != nil || hashed && hash != byte(k.h2) {
		return cache.Entry{}, false, err
	}
	if value < 0 {
		e := entryOf(^value)
		if e.Position >= x.r.data.length {
			return e, false, corrupt(x.partitions.name, l.at, "a leaf points to %d of %d bytes of data", e.Position, x.r.data.length)
		}
		return e, true, nil
	}
	re, err := x.readRows(&f.iw, value)
	return cache.Entry{Position: re.position, Index: value}, err == nil, err
}

// lookup returns the one leaf that may be of a key: one that the whole path leads to, or one without children before.
func (x *tries) lookup(w *window, path []byte) (leaf, bool, error) {
	t := newTrie(w, x.partitions, x.trieEnd)
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

// blocks implements partitionIndex.
func (x *tries) blocks(f *Finder, v *View, e *cache.Entry) (blockIndex, error) {
	if e.Index == notIndexed {
		return nil, nil
	}
	re, err := x.readRows(&f.iw, e.Index)
	if err != nil {
		return nil, err
	}
	f.rows = rowTrie{x: x, v: v, w: &f.iw, at: e.Index, rowsEntry: re, path: f.path, found: f.rows.found[:0], next: f.rows.next[:0]}
	return &f.rows, nil
}

// resolve follows a leaf's value to the partition and its key.
func (x *tries) resolve(w *window, value int64) (rowsEntry, error) {
	if value >= 0 {
		return x.readRows(w, value)
	}
	re := rowsEntry{position: ^value}
	if re.position >= x.r.data.length {
		return re, corrupt(x.partitions.name, 0, "a leaf points to %d of %d bytes of data", re.position, x.r.data.length)
	}
	w.open(x.r.data.pages, 1)
	for n := 1; n > 0; n = w.again() {
		re.key = w.at(re.position, n).sbytes()
	}
	return re, w.c.err
}

// rowsEntry is an entry of Rows.db: the partition that it is of, and the trie of its blocks. Its key is valid until the window
// moves.
type rowsEntry struct {
	key            []byte
	position, root int64
	n              int // of blocks, 0 for a partition that has no entry
	deletion       row.Deletion
}

// readRows reads the entry of Rows.db at a position.
func (x *tries) readRows(w *window, at int64) (re rowsEntry, err error) {
	if at >= x.rows.length {
		return re, corrupt(x.partitions.name, 0, "a leaf points to %d of %d bytes of %s", at, x.rows.length, x.rows.name)
	}
	var count, base int64
	w.open(x.rows, 1)
	for n := 1; n > 0; n = w.again() {
		c := w.at(at, n)
		re.key = c.sbytes()
		base = c.at()
		re.position, re.root, count = int64(c.uvint()), c.svint(), int64(c.uvint())
		re.deletion = readDeletion(c, x.r.desc.Version)
	}
	if w.c.err != nil {
		return re, w.c.err
	}
	re.root += base
	// A leaf of the trie takes two bytes at least.
	if re.position < 0 || re.position >= x.r.data.length || re.root < 0 || re.root >= at || count <= 0 || count > at/2 {
		return re, corrupt(x.rows.name, at, "a trie with its root at %d and %d blocks for the partition at %d", re.root, count,
			re.position)
	}
	re.n = int(count)
	return re, nil
}

// rowTrie is the index within a partition. What is read of it is the way to the blocks that are asked for.
type rowTrie struct {
	rowsEntry
	x  *tries
	v  *View
	w  *window
	at int64 // of the entry in Rows.db: the trie stands before it
	// path, found and next are memory for the path of a place, of a block and of the one behind it.
	path, found, next []byte
}

// rowBlock is a leaf: where a block begins, the least path of what it holds, and the deletion that is open there.
type rowBlock struct {
	path   []byte
	offset int64
	open   row.Deletion
}

// leaf decodes a leaf.
func (b *rowTrie) leaf(l leaf) (rowBlock, error) {
	c := cursor{b: l.b, file: b.x.rows.name, base: l.at}
	rb := rowBlock{path: l.path, offset: c.signed(int(l.bits &^ hashBits)), open: row.Live}
	if l.bits&hashBits != 0 {
		rb.open = readDeletion(&c, b.x.r.desc.Version)
	}
	if c.err == nil && (rb.offset <= 0 || rb.offset > b.x.r.data.length-b.position) {
		c.fail("a block cannot begin at %d of its partition", rb.offset)
	}
	return rb, c.err
}

// block returns the block of a leaf, which ends where the next one begins; ok is false for the last leaf, which is where the
// partition ends.
func (b *rowTrie) block(t *trie, l leaf) (k block, ok bool, err error) {
	rb, err := b.leaf(l)
	if err != nil {
		return block{}, false, err
	}
	b.found = l.path
	k = block{start: rb.offset, open: rb.open, leaf: l.path, first: len(l.path) == 0}
	n, ok, err := t.above(b.root, l.path, b.next[:0])
	if err != nil || !ok {
		return k, false, err
	}
	b.next = n.path
	end, err := b.leaf(n)
	if err != nil {
		return k, false, err
	}
	if k.end = end.offset; k.end <= k.start {
		return k, false, corrupt(b.x.rows.name, n.at, "a block from %d to %d of its partition", k.start, k.end)
	}
	_, more, err := t.above(b.root, b.next, nil)
	k.last = !more
	return k, true, err
}

// lost is the error of a trie that lacks a leaf.
func (b *rowTrie) lost() error {
	return corrupt(b.x.rows.name, b.at, "no leaf where one of %d blocks has to be", b.n)
}

func (b *rowTrie) floor(cut row.Cut) (block, error) {
	b.path = b.v.appendPath(b.path[:0], cut.Values, side(cut))
	t := newTrie(b.w, b.x.rows, b.at)
	l, ok, err := t.below(b.root, b.path, b.found[:0], true)
	if err != nil {
		return block{}, err
	}
	if !ok {
		return block{}, b.lost()
	}
	k, ok, err := b.block(&t, l)
	if err != nil || ok {
		return k, err
	}
	// What stands behind the last leaf is in the block that it ends.
	return b.before(&k)
}

func (b *rowTrie) before(k *block) (block, error) {
	b.path = append(b.path[:0], k.leaf...)
	t := newTrie(b.w, b.x.rows, b.at)
	l, ok, err := t.below(b.root, b.path, b.found[:0], false)
	if err != nil {
		return block{}, err
	}
	if !ok {
		return block{}, b.lost()
	}
	p, ok, err := b.block(&t, l)
	if err == nil && !ok {
		err = b.lost()
	}
	return p, err
}

// leaves reads all leaves: those of the blocks and what stands behind the last.
func (b *rowTrie) leaves() ([]rowBlock, error) {
	t := newTrie(b.w, b.x.rows, b.at)
	var list []rowBlock
	err := t.walk(b.root, func(l leaf) error {
		rb, err := b.leaf(l)
		if err != nil {
			return err
		}
		if n := len(list); n > 0 && rb.offset <= list[n-1].offset || n > b.n {
			return corrupt(b.x.rows.name, l.at, "block %d of %d cannot begin at %d of its partition", n, b.n, rb.offset)
		}
		rb.path = bytes.Clone(rb.path)
		list = append(list, rb)
		return nil
	})
	if err == nil && len(list) != b.n+1 {
		err = corrupt(b.x.rows.name, b.at, "%d leaves for %d blocks", len(list), b.n)
	}
	return list, err
}
