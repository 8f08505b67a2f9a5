package slab

import "math/bits"

// Entry is an element of a tree: a prefix by which most comparisons are decided, and whatever it stands for.
type Entry struct {
	Prefix uint64
	// Ref is the user's; in an inner node it is that of the least entry below.
	Ref uint32
	// Mark is the user's too, 0 at first, and no part of the order. In an inner node it is the child's run, in a header the
	// next leaf's.
	Mark uint32
}

// Tree is a sorted set of entries: the state of a B+tree whose nodes are runs of entries in a Pool. The zero value is empty.
// A small one is a single run of 1, 2, 4 ... entries without a header; above fanout entries it has nodes.
type Tree struct {
	root   uint32
	count  uint32
	height uint8 // levels of nodes; 0: root is a plain run of capacity 1<<class
	class  uint8
}

// Len returns the number of entries.
func (t *Tree) Len() int { return int(t.count) }

// A node is a run of runSize entries. The first is its header: Prefix is the number of entries behind it, Ref the run of the
// leaf before, Mark that of the leaf behind. Run 0 is none.
const (
	classes   = 7
	runSize   = 1 << (classes - 1)
	fanout    = runSize - 1
	half      = (fanout + 1) / 2
	blockBits = 10
	blockSize = 1 << blockBits // entries
	maxHeight = 8
)

// Pool holds the runs of many trees.
type Pool struct {
	blocks [][]Entry
	used   int // of the last block
	free   [classes]uint32
	bytes  int64
}

const entrySize = 16

// Bytes returns the size of all blocks.
func (p *Pool) Bytes() int64 { return p.bytes }

// run returns the entries of a run of n.
func (p *Pool) run(at uint32, n int) []Entry {
	b := p.blocks[at>>blockBits]
	i := int(at & (blockSize - 1))
	return b[i : i+n : i+n]
}

// alloc returns a zeroed run of 1<<class entries.
func (p *Pool) alloc(class uint8) uint32 {
	if at := p.free[class]; at != 0 {
		r := p.run(at, 1<<class)
		p.free[class] = r[0].Mark
		clear(r)
		return at
	}
	n := 1 << class
	last := len(p.blocks) - 1
	if last < 0 || p.used+n > len(p.blocks[last]) {
		size, first := blockSize, 0
		if last < 0 {
			size, first = runSize, 1 // a small pool begins small; run 0 is none
			size = max(size, n+first)
		}
		p.blocks = append(p.blocks, make([]Entry, size))
		p.bytes += int64(size) * entrySize
		p.used = first
		last++
	}
	at := uint32(last<<blockBits | p.used)
	p.used += n
	return at
}

func (p *Pool) release(at uint32, class uint8) {
	p.run(at, 1)[0].Mark = p.free[class]
	p.free[class] = at
}

// node returns a node's header and entries.
func (p *Pool) node(at uint32) (header *Entry, entries []Entry) {
	r := p.run(at, runSize)
	return &r[0], r[1 : 1+r[0].Prefix]
}

// Compare orders the entry with a Ref and what is looked for; it is asked only when the prefixes are equal. It must not
// change the tree.
type Compare func(ref uint32) int

// search returns the first index whose entry is not below the sought one, and whether it is equal.
func search(entries []Entry, prefix uint64, cmp Compare) (int, bool) {
	lo, hi := 0, len(entries)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		e := &entries[mid]
		if e.Prefix < prefix {
			lo = mid + 1
		} else if e.Prefix > prefix {
			hi = mid
		} else if c := cmp(e.Ref); c < 0 {
			lo = mid + 1
		} else if c > 0 {
			hi = mid
		} else {
			return mid, true
		}
	}
	return lo, false
}

// Pos is a place in a tree: an entry, or the end when it is not valid. It holds until the tree changes.
type Pos struct {
	leaf uint32
	i, n uint32 // n entries in the leaf
	flat bool
}

// Valid reports whether p is at an entry.
func (p Pos) Valid() bool { return p.i < p.n }

// Seek returns the place of the first entry that is not below the sought one (prefix, then cmp), and whether it is equal. The
// place may be the end.
func (p *Pool) Seek(t *Tree, prefix uint64, cmp Compare) (Pos, bool) {
	if t.height == 0 {
		if t.count == 0 {
			return Pos{flat: true}, false
		}
		i, found := search(p.run(t.root, int(t.count)), prefix, cmp)
		return Pos{t.root, uint32(i), t.count, true}, found
	}
	at := t.root
	for range t.height - 1 {
		_, entries := p.node(at)
		i, found := search(entries, prefix, cmp)
		if !found && i > 0 {
			i--
		}
		at = entries[i].Mark
	}
	_, entries := p.node(at)
	i, found := search(entries, prefix, cmp)
	pos := Pos{at, uint32(i), uint32(len(entries)), false}
	if i == len(entries) {
		pos = p.nextLeaf(pos)
	}
	return pos, found
}

// First returns the place of the first entry.
func (p *Pool) First(t *Tree) Pos {
	if t.height == 0 {
		return Pos{t.root, 0, t.count, true}
	}
	at := t.root
	for range t.height - 1 {
		_, entries := p.node(at)
		at = entries[0].Mark
	}
	_, entries := p.node(at)
	return Pos{at, 0, uint32(len(entries)), false}
}

// Last returns the place of the last entry.
func (p *Pool) Last(t *Tree) Pos {
	if t.height == 0 {
		return Pos{t.root, max(t.count, 1) - 1, t.count, true}
	}
	at := t.root
	for range t.height - 1 {
		_, entries := p.node(at)
		at = entries[len(entries)-1].Mark
	}
	_, entries := p.node(at)
	return Pos{at, uint32(len(entries)) - 1, uint32(len(entries)), false}
}

// Entry returns the entry at a valid place.
func (p *Pool) Entry(pos Pos) *Entry {
	if pos.flat {
		return &p.run(pos.leaf, int(pos.n))[pos.i]
	}
	return &p.run(pos.leaf, runSize)[1+pos.i]
}

// Next returns the place behind pos.
func (p *Pool) Next(pos Pos) Pos {
	pos.i++
	if pos.i == pos.n && !pos.flat {
		return p.nextLeaf(pos)
	}
	return pos
}

func (p *Pool) nextLeaf(pos Pos) Pos {
	header, _ := p.node(pos.leaf)
	if header.Mark == 0 {
		pos.i = pos.n
		return pos
	}
	_, entries := p.node(header.Mark)
	return Pos{header.Mark, 0, uint32(len(entries)), false}
}

// Prev returns the place before pos; before the first entry it is not valid. pos may be the end.
func (p *Pool) Prev(pos Pos) Pos {
	if pos.i > 0 {
		pos.i--
		return pos
	}
	if !pos.flat && pos.leaf != 0 {
		if header, _ := p.node(pos.leaf); header.Ref != 0 {
			_, entries := p.node(header.Ref)
			return Pos{header.Ref, uint32(len(entries)) - 1, uint32(len(entries)), false}
		}
	}
	return Pos{flat: true}
}

// Insert returns the entry that equals the sought one (prefix, then cmp), or, with found false, a new one in its place, whose
// Ref the caller sets at once. The pointer holds until the pool changes.
func (p *Pool) Insert(t *Tree, prefix uint64, cmp Compare) (e *Entry, found bool) {
	if t.height == 0 {
		return p.insertFlat(t, prefix, cmp)
	}
	var path [maxHeight]step
	at := t.root
	level := 0
	for ; level < int(t.height)-1; level++ {
		_, entries := p.node(at)
		i, found := search(entries, prefix, cmp)
		if !found && i > 0 {
			i--
		}
		path[level] = step{at, i}
		at = entries[i].Mark
	}
	header, entries := p.node(at)
	i, found := search(entries, prefix, cmp)
	if found {
		return &entries[i], true
	}
	t.count++
	if len(entries) == fanout {
		// Split leaf and, upward, what is full; then the entry belongs into one of the two halves.
		keep := half
		if i == fanout && header.Mark == 0 {
			keep = fanout - 1 // entries that come in order fill their leaves
		}
		right := p.split(at, keep, true)
		_, entries = p.node(right)
		p.insertUp(t, path[:level], Entry{entries[0].Prefix, entries[0].Ref, right})
		header, entries = p.node(at)
		if i > len(entries) {
			i -= len(entries)
			at = right
			header, entries = p.node(at)
		}
	}
	run := p.run(at, runSize)
	copy(run[2+i:2+len(entries)], run[1+i:1+len(entries)])
	header.Prefix++
	run[1+i] = Entry{Prefix: prefix}
	return &run[1+i], false
}

// step is an inner node on the way down and the index of the child that was taken.
type step struct {
	node uint32
	i    int
}

// insertUp inserts the entry of a new right sibling into the inner nodes of path, splitting those that are full.
func (p *Pool) insertUp(t *Tree, path []step, e Entry) {
	for l := len(path) - 1; l >= 0; l-- {
		node, i := path[l].node, path[l].i+1
		header, entries := p.node(node)
		up := Entry{}
		if len(entries) == fanout {
			right := p.split(node, half, false)
			_, re := p.node(right)
			up = Entry{re[0].Prefix, re[0].Ref, right}
			header, entries = p.node(node)
			if i > len(entries) {
				i -= len(entries)
				header, entries = p.node(right)
				node = right
			}
		}
		run := p.run(node, runSize)
		copy(run[2+i:2+len(entries)], run[1+i:1+len(entries)])
		run[1+i] = e
		header.Prefix++
		if up.Mark == 0 {
			return
		}
		e = up
	}
	// The root was split: a new one above it.
	root := p.alloc(classes - 1)
	run := p.run(root, runSize)
	old := p.run(t.root, 2)[1]
	run[0].Prefix = 2
	run[1] = Entry{old.Prefix, old.Ref, t.root}
	run[2] = e
	t.root = root
	t.height++
}

// split moves all but the first keep entries of a full node to a new one behind it, which it returns.
func (p *Pool) split(at uint32, keep int, leaf bool) uint32 {
	right := p.alloc(classes - 1)
	l, r := p.run(at, runSize), p.run(right, runSize)
	r[0].Prefix = uint64(copy(r[1:], l[1+keep:]))
	l[0].Prefix = uint64(keep)
	if leaf {
		next := l[0].Mark
		r[0].Ref, r[0].Mark = at, next
		l[0].Mark = right
		if next != 0 {
			p.run(next, 1)[0].Ref = right
		}
	}
	return right
}

// insertFlat inserts into a tree that is one plain run.
func (p *Pool) insertFlat(t *Tree, prefix uint64, cmp Compare) (*Entry, bool) {
	n := int(t.count)
	if n == 0 {
		t.root, t.class = p.alloc(0), 0
		t.count = 1
		e := &p.run(t.root, 1)[0]
		*e = Entry{Prefix: prefix}
		return e, false
	}
	run := p.run(t.root, 1<<t.class)
	i, found := search(run[:n], prefix, cmp)
	if found {
		return &run[i], true
	}
	if n == fanout {
		// The run becomes the first leaf.
		leaf := p.alloc(classes - 1)
		node := p.run(leaf, runSize)
		node[0].Prefix = uint64(copy(node[1:], run[:n]))
		p.release(t.root, t.class)
		t.root, t.height = leaf, 1
		return p.Insert(t, prefix, cmp)
	}
	if n == len(run) {
		class := uint8(bits.Len(uint(n)))
		grown := p.alloc(class)
		to := p.run(grown, 1<<class)
		copy(to, run)
		p.release(t.root, t.class)
		t.root, t.class, run = grown, class, to
	}
	copy(run[i+1:n+1], run[i:n])
	run[i] = Entry{Prefix: prefix}
	t.count++
	return &run[i], false
}
