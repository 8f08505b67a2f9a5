package sstable

import (
	"bytes"
	"slices"

	"github.com/helenusdb/helenus/storage/row"
)

// blockList is the index within a partition, read block by block from the first.
type blockList interface {
	// count returns the number of blocks.
	count() (int, error)
	// at returns the i-th block.
	at(i int) (block, error)
}

func (p *promoted) count() (int, error) { return p.n, nil }

// blockLeaves is all leaves of a rowTrie.
type blockLeaves struct {
	trie *rowTrie
	list []rowBlock
}

func (b *blockLeaves) count() (int, error) {
	var err error
	if b.list == nil {
		b.list, err = b.trie.leaves()
	}
	return b.trie.n, err
}

func (b *blockLeaves) at(i int) (block, error) {
	if _, err := b.count(); err != nil {
		return block{}, err
	}
	return block{start: b.list[i].offset, end: b.list[i+1].offset, open: b.list[i].open, leaf: b.list[i].path}, nil
}

// blockVerifier compares the index within a partition with its rows and markers as they pass.
type blockVerifier struct {
	p     *partition
	v     *View
	list  blockList
	i     int // the block behind the present one
	until int64
	open  row.Deletion
	last  Bound // the row or marker before
}

func (b *blockVerifier) fail(reason string) error {
	name := b.v.r.desc.File(CompIndex)
	if b.v.r.desc.BTI() {
		name = b.v.r.desc.File(CompRows)
	}
	return corrupt(name, 0, "block %d of key %x: %s", b.i-1, b.p.Key, reason)
}

// boundOf returns the bound that a file's index has for a row or marker.
func boundOf(u *unfiltered) Bound {
	if u.Row != nil {
		return Bound{KindClustering, u.Row.Clustering}
	}
	return Bound{u.kind, u.Marker.Values}
}

func sameBound(a, b Bound) bool {
	return a.Kind == b.Kind && slices.EqualFunc(a.Values, b.Values, sameValue)
}

// sameValue tells null from empty.
func sameValue(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

// next takes a row or marker.
func (b *blockVerifier) next(u *unfiltered) error {
	offset, bound := u.position-b.p.start, boundOf(u)
	if b.i == 0 || offset >= b.until {
		if err := b.enter(offset, bound); err != nil {
			return err
		}
	}
	if u.Row == nil {
		b.open = u.Marker.Opened
	}
	b.last = Bound{bound.Kind, slices.Clone(bound.Values)}
	cloneValues(b.last.Values)
	return nil
}

// enter compares the end of the present block and the begin of the next one.
func (b *blockVerifier) enter(offset int64, bound Bound) error {
	if err := b.leave(); err != nil {
		return err
	}
	b.i++
	if n, err := b.list.count(); err != nil {
		return err
	} else if b.i > n {
		return b.fail("rows stand behind the last block")
	}
	k, err := b.list.at(b.i - 1)
	if err != nil {
		return err
	}
	if k.start != offset || k.open != b.open {
		return b.fail("it does not begin where it says, or another deletion is open there")
	}
	b.until = k.end
	switch x := b.list.(type) {
	case *promoted:
		info, err := x.read(b.i - 1)
		if err != nil {
			return err
		}
		if !sameBound(info.first, bound) {
			return b.fail("its first row is another one")
		}
	case *blockLeaves:
		path := k.leaf
		first := b.v.appendPath(nil, bound.Values, bound.Kind.side())
		if bytes.Compare(path, first) > 0 {
			return b.fail("its separator stands behind its first row")
		}
		if b.i > 1 && bytes.Compare(path, b.v.appendPath(nil, b.last.Values, b.last.Kind.side())) <= 0 {
			return b.fail("its separator stands before the row that ends the block before")
		}
	}
	return nil
}

// leave compares the end of the present block with what passed.
func (b *blockVerifier) leave() error {
	x, ok := b.list.(*promoted)
	if !ok || b.i == 0 {
		return nil
	}
	info, err := x.read(b.i - 1)
	if err != nil {
		return err
	}
	if !sameBound(info.last, b.last) || info.open != b.open {
		return b.fail("its last row is another one, or another deletion is open behind it")
	}
	return nil
}

// end is called at the end of the partition.
func (b *blockVerifier) end() error {
	if err := b.leave(); err != nil {
		return err
	}
	// The byte that ends the partition belongs to the last block of the big format unless that was full before it.
	end := b.p.pos - b.p.start
	n, err := b.list.count()
	if err != nil {
		return err
	}
	if b.i != n || b.until != end-1 && (b.until != end || b.v.r.desc.BTI()) {
		return b.fail("it is not the last block, or does not end with the partition")
	}
	return nil
}
