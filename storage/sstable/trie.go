package sstable

import "bytes"

// pageSize is the unit that a node of a trie never crosses.
const pageSize = 4096

// trie walks the nodes of a trie on disk, for one goroutine. A child stands before its parent.
// Source: org.apache.cassandra.io.tries.TrieNode.
type trie struct {
	w    *window
	size int64 // no node stands at or behind it
	name string
}

// newTrie returns a trie in a file; the window is its until another one uses it.
func newTrie(w *window, p *paged, size int64) trie {
	w.open(p, 1)
	return trie{w: w, size: size, name: p.name}
}

// node is a node of a trie. Its bytes are valid until the next one is read.
type node struct {
	pos     int64
	kind    byte
	payload byte // the payload's bits; 0 for no payload
	b       []byte
	n       int // number of transitions, with gaps in a dense node
	keys    int // where transition bytes begin; for a dense node where its first byte stands
	links   int // where distances begin
	width   int // bits of a distance
	end     int // where the payload begins
}

// The kinds of nodes.
const (
	nodePayload      = 0
	nodeSingle4      = 1
	nodeSingle8      = 2
	nodeSingle12     = 3
	nodeSingle16     = 4
	nodeSparse8      = 5
	nodeSparse12     = 6
	nodeSparse16     = 7
	nodeSparse24     = 8
	nodeSparse40     = 9
	nodeDense12      = 10
	distanceIsInline = -1
)

var nodeWidths = [16]int{0, distanceIsInline, 8, distanceIsInline, 16, 8, 12, 16, 24, 40, 12, 16, 24, 32, 40, 64}

// node reads the node at a position.
func (t *trie) node(pos int64) (node, error) {
	if pos < 0 || pos >= t.size {
		return node{}, corrupt(t.name, pos, "a node cannot stand here in %d bytes", t.size)
	}
	b, err := t.w.bytes(pos, int(pageSize-pos%pageSize))
	if err != nil {
		return node{}, err
	}
	b = b[:min(len(b), int(pageSize-pos%pageSize), int(t.size-pos))]
	n := node{pos: pos, b: b, kind: b[0] >> 4, payload: b[0] & 15, n: 1, keys: 1}
	n.width = nodeWidths[n.kind]
	short := func() (node, error) {
		return node{}, corrupt(t.name, pos, "a node of kind %d crosses its page", n.kind)
	}
	switch {
	case n.kind == nodePayload:
		n.n, n.end = 0, 1
	case n.kind == nodeSingle4:
		n.payload, n.end = 0, 2
	case n.kind == nodeSingle12:
		n.payload, n.keys, n.end = 0, 2, 3
	case n.kind <= nodeSingle16:
		n.links, n.end = 2, 2+n.width/8
	case n.kind <= nodeSparse40:
		if len(b) < 2 {
			return short()
		}
		n.n, n.keys = int(b[1]), 2
		n.links = 2 + n.n
		n.end = n.links + (n.n*n.width+7)/8
	default:
		if len(b) < 3 {
			return short()
		}
		n.n, n.links = int(b[2])+1, 3
		n.end = 3 + (n.n*n.width+7)/8
	}
	if n.end > len(b) {
		return short()
	}
	return n, nil
}

// child returns the i-th transition; the position is -1 for a gap of a dense node.
func (n *node) child(i int) (key byte, pos int64) {
	if n.kind >= nodeDense12 {
		key = n.b[1] + byte(i)
	} else {
		key = n.b[n.keys+i]
	}
	d := int64(0)
	switch n.width {
	case distanceIsInline:
		d = int64(n.b[0] & 15)
		if n.kind == nodeSingle12 {
			d = d<<8 | int64(n.b[1])
		}
	case 12:
		b := n.b[n.links+i*3/2:]
		if i%2 == 0 {
			d = int64(b[0])<<4 | int64(b[1])>>4
		} else {
			d = int64(b[0]&15)<<8 | int64(b[1])
		}
	default:
		for _, x := range n.b[n.links+i*n.width/8 : n.links+(i+1)*n.width/8] {
			d = d<<8 | int64(x)
		}
	}
	if d <= 0 || d > n.pos {
		if d == 0 && n.kind >= nodeDense12 {
			return key, -1
		}
		return key, -2
	}
	return key, n.pos - d
}

// next returns the child for a byte; ok is false when there is none.
func (t *trie) next(n *node, key byte) (child int64, ok bool, err error) {
	if n.kind >= nodeDense12 {
		i := int(key) - int(n.b[1])
		if i < 0 || i >= n.n {
			return 0, false, nil
		}
		_, pos := n.child(i)
		return pos, pos >= 0, t.link(n, pos)
	}
	for i := range n.n {
		if k, pos := n.child(i); k == key {
			return pos, pos >= 0, t.link(n, pos)
		}
	}
	return 0, false, nil
}

// link refuses a distance that leads nowhere.
func (t *trie) link(n *node, pos int64) error {
	if pos == -2 {
		return corrupt(t.name, n.pos, "a child stands outside of the file")
	}
	return nil
}

// leaf is a payload with the bytes that lead to it.
type leaf struct {
	path []byte
	bits byte
	// at is the position of the payload in the file; b begins with it and ends with the page.
	at int64
	b  []byte
}

// walk calls fn for every payload below a node, in the order of their paths, that of a node before those of its children.
// The leaf is valid during the call.
func (t *trie) walk(root int64, fn func(l leaf) error) error {
	budget := t.size
	var path []byte
	var visit func(pos int64) error
	visit = func(pos int64) error {
		// A node has one parent, so that there are not more visits than bytes.
		if budget--; budget < 0 {
			return corrupt(t.name, pos, "a node is reached from two others")
		}
		n, err := t.node(pos)
		if err != nil {
			return err
		}
		if n.payload != 0 {
			if err := fn(leaf{path, n.payload, pos + int64(n.end), n.b[n.end:]}); err != nil {
				return err
			}
			// fn may have moved the window.
			if n, err = t.node(pos); err != nil {
				return err
			}
		}
		children := make([]struct {
			key byte
			pos int64
		}, 0, n.n)
		for i := range n.n {
			key, child := n.child(i)
			if err := t.link(&n, child); err != nil {
				return err
			}
			if child >= 0 {
				if c := len(children); c > 0 && children[c-1].key >= key {
					return corrupt(t.name, pos, "the transitions of a node do not ascend")
				}
				children = append(children, struct {
					key byte
					pos int64
				}{key, child})
			}
		}
		for _, c := range children {
			path = append(path, c.key)
			if err := visit(c.pos); err != nil {
				return err
			}
			path = path[:len(path)-1]
		}
		return nil
	}
	return visit(root)
}

// spot is a node, or all that is below it, on the way to a leaf.
type spot struct {
	pos int64
	// depth is how many bytes of the sought path lead to it; key follows them unless itself is set, which stands for the
	// payload of the node alone.
	depth  int
	key    byte
	itself bool
}

// below returns the last leaf whose path stands before one, or is it when or is set; ok is false when there is none. The leaf's
// path is appended to dst.
func (t *trie) below(root int64, path, dst []byte, or bool) (l leaf, ok bool, err error) {
	var best spot
	for pos, i := root, 0; ; i++ {
		n, err := t.node(pos)
		if err != nil {
			return leaf{}, false, err
		}
		if n.payload != 0 && (i < len(path) || or) {
			best, ok = spot{pos: pos, depth: i, itself: true}, true
		}
		if i == len(path) {
			break
		}
		next := int64(-1)
		for j := range n.n {
			key, child := n.child(j)
			if err := t.link(&n, child); err != nil {
				return leaf{}, false, err
			}
			if child < 0 || key > path[i] {
				continue
			}
			if key == path[i] {
				next = child
			} else {
				best, ok = spot{pos: child, depth: i, key: key}, true
			}
		}
		if next < 0 {
			break
		}
		pos = next
	}
	if !ok {
		return leaf{}, false, nil
	}
	l, err = t.edge(best, path, dst, true)
	return l, err == nil, err
}

// above returns the first leaf whose path stands behind one.
func (t *trie) above(root int64, path, dst []byte) (l leaf, ok bool, err error) {
	var best spot
	for pos, i := root, 0; ; i++ {
		n, err := t.node(pos)
		if err != nil {
			return leaf{}, false, err
		}
		next := int64(-1)
		for j := n.n - 1; j >= 0; j-- {
			key, child := n.child(j)
			if err := t.link(&n, child); err != nil {
				return leaf{}, false, err
			}
			switch {
			case child < 0 || i < len(path) && key < path[i]:
			case i < len(path) && key == path[i]:
				next = child
			default:
				best, ok = spot{pos: child, depth: i, key: key}, true
			}
		}
		if next < 0 {
			break
		}
		pos = next
	}
	if !ok {
		return leaf{}, false, nil
	}
	l, err = t.edge(best, path, dst, false)
	return l, err == nil, err
}

// edge returns the last or the first leaf at a spot.
func (t *trie) edge(s spot, path, dst []byte, last bool) (leaf, error) {
	dst = append(dst, path[:s.depth]...)
	if !s.itself {
		dst = append(dst, s.key)
	}
	for pos := s.pos; ; {
		n, err := t.node(pos)
		if err != nil {
			return leaf{}, err
		}
		if n.payload != 0 && (s.itself || !last || n.n == 0) {
			return leaf{path: dst, bits: n.payload, at: pos + int64(n.end), b: n.b[n.end:]}, nil
		}
		child := int64(-1)
		key := byte(0)
		for j := 0; j < n.n && child < 0; j++ {
			k := j
			if last {
				k = n.n - 1 - j
			}
			if key, child = n.child(k); child == -2 {
				return leaf{}, t.link(&n, child)
			}
		}
		if child < 0 {
			return leaf{}, corrupt(t.name, pos, "a node without payload and children")
		}
		dst = append(dst, key)
		pos = child
	}
}

// prefix returns the leaf whose path is the longest begin of one.
func (t *trie) prefix(root int64, path []byte) (l leaf, ok bool, err error) {
	for pos, i := root, 0; ; i++ {
		n, err := t.node(pos)
		if err != nil {
			return leaf{}, false, err
		}
		if n.payload != 0 {
			l, ok = leaf{path: path[:i], bits: n.payload, at: pos + int64(n.end), b: bytes.Clone(n.b[n.end:])}, true
		}
		if i == len(path) || n.n == 0 {
			return l, ok, nil
		}
		child, more, err := t.next(&n, path[i])
		if err != nil {
			return leaf{}, false, err
		}
		if !more {
			return l, ok, nil
		}
		pos = child
	}
}

// signed reads a big-endian two's complement number of 1 to 8 bytes.
func (c *cursor) signed(n int) int64 {
	b := c.take(n)
	if len(b) == 0 {
		return 0
	}
	v := int64(int8(b[0]))
	for _, x := range b[1:] {
		v = v<<8 | int64(x)
	}
	return v
}
