package sstable

import (
	"encoding/binary"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// bigIndex is Index.db with Summary.db. Source: org.apache.cassandra.io.sstable.format.big.
type bigIndex struct {
	r       *Reader
	f       vfs.File
	name    string
	size    int64
	summary *summary // nil for an empty table without Summary.db
}

// indexStep is how much of Index.db is read at once.
const indexStep = 8 << 10

func openBig(r *Reader) (partitionIndex, error) {
	x := &bigIndex{r: r}
	var err error
	if x.summary, err = readSummary(r.fs, r.dir, r.desc); err != nil {
		return nil, err
	}
	if x.f, x.name, x.size, err = r.openFile(CompIndex); err != nil {
		return nil, err
	}
	if x.summary == nil {
		if x.summary, err = x.sample(); err != nil {
			x.close()
			return nil, err
		}
	}
	return x, nil
}

func (x *bigIndex) close() { x.f.Close() }

// indexEntry is an entry of Index.db.
type indexEntry struct {
	key      []byte
	position int64
	// at and size say where the index within the partition stands in Index.db; size is 0 when there is none.
	at, size int64
}

// entryHint is how many bytes an entry of Index.db is hoped to fit in.
const entryHint = 64

// read reads the entry at a position and returns that of the next one. The key is valid until the window moves.
func (x *bigIndex) read(w *window, pos int64) (e indexEntry, next int64, err error) {
	next, err = w.decode(pos, entryHint, func(c *cursor) {
		e.key = c.sbytes()
		e.position, e.size = int64(c.uvint()), int64(c.uvint())
		e.at = c.at()
	})
	if err != nil {
		return e, 0, err
	}
	if e.position < 0 || e.position >= x.r.data.length {
		return e, 0, corrupt(x.name, pos, "position %d is outside of the data", e.position)
	}
	if e.size < 0 || e.size > x.size-next {
		return e, 0, corrupt(x.name, pos, "%d bytes of index within the partition where %d are left", e.size, x.size-next)
	}
	return e, next + e.size, nil
}

// defaultInterval is min_index_interval's default.
const defaultInterval = 128

// sample makes the summary that is missing.
func (x *bigIndex) sample() (*summary, error) {
	s := &summary{interval: defaultInterval, level: 128}
	w := newWindow(x.f, x.name, x.size, indexStep)
	var starts []uint32
	n := 0
	for pos := int64(0); pos < x.size; n++ {
		e, next, err := x.read(w, pos)
		if err != nil {
			return nil, err
		}
		if n%s.interval == 0 {
			if len(s.bytes) > maxSummary {
				return nil, corrupt(x.name, pos, "the keys are too long for a summary")
			}
			starts = append(starts, uint32(len(s.bytes)))
			s.bytes = binary.LittleEndian.AppendUint64(append(s.bytes, e.key...), uint64(pos))
		}
		if n == 0 {
			s.first = append([]byte{}, e.key...)
		}
		s.last = append(s.last[:0], e.key...)
		pos = next
	}
	s.fullSize = len(starts)
	for _, o := range starts {
		s.offsets = binary.LittleEndian.AppendUint32(s.offsets, o+uint32(4*len(starts)))
	}
	return s, nil
}

// floor returns the position in Index.db of the last sample that does not stand behind the key.
func (x *bigIndex) floor(tok token.Token, key []byte) (pos int64, ok bool, err error) {
	i, _ := search(x.summary.len(), func(i int) (bool, error) {
		k, _ := x.summary.entry(i)
		return x.r.order.compare(x.r.order.token(k), k, tok, key) > 0, nil
	})
	if i == 0 {
		return 0, false, nil
	}
	pos, err = x.sampled(i - 1)
	return pos, err == nil, err
}

// sampled returns the position in Index.db of the i-th sample.
func (x *bigIndex) sampled(i int) (int64, error) {
	_, pos := x.summary.entry(i)
	if pos < 0 || pos >= x.size {
		return 0, corrupt(x.r.desc.File(CompSummary), 0, "entry %d points to %d of %d bytes of %s", i, pos, x.size, x.name)
	}
	return pos, nil
}

func (x *bigIndex) ends() (first, last []byte) { return x.summary.first, x.summary.last }

// find implements partitionIndex.
func (x *bigIndex) find(v *View, key []byte) (entry, bool, error) {
	tok := x.r.order.token(key)
	pos, ok, err := x.floor(tok, key)
	if err != nil || !ok {
		return entry{}, false, err
	}
	w := newWindow(x.f, x.name, x.size, indexStep)
	for pos < x.size {
		e, next, err := x.read(w, pos)
		if err != nil {
			return entry{}, false, err
		}
		switch d := x.r.order.compare(x.r.order.token(e.key), e.key, tok, key); {
		case d > 0:
			return entry{}, false, nil
		case d == 0:
			found := entry{position: e.position}
			if e.size > 0 {
				if found.blocks, err = x.promoted(v, w, &e); err != nil {
					return entry{}, false, err
				}
			}
			return found, true, nil
		}
		pos = next
	}
	return entry{}, false, nil
}

// promoted is the index within a partition, read from Index.db block by block.
type promoted struct {
	x       *bigIndex
	v       *View
	w       *window
	head    int64 // length of the partition's key, deletion and static row
	del     row.Deletion
	n       int
	blocks  int64 // where the blocks stand in Index.db
	offsets int64 // where their offsets stand
	last    int   // the block that is decoded in block; -1 for none
	block   indexBlock
}

// indexBlock is one block of a partition.
type indexBlock struct {
	first, last   Bound
	offset, width int64
	open          row.Deletion // open at the end of the block
}

// promoted reads the head of the index within a partition.
func (x *bigIndex) promoted(v *View, w *window, e *indexEntry) (*promoted, error) {
	p := &promoted{x: x, v: v, w: w, last: -1}
	next, err := w.decode(e.at, entryHint, func(c *cursor) {
		p.head = int64(c.uvint())
		p.del = readDeletion(c, x.r.desc.Version)
		p.n = int(min(c.uvint(), 1<<40))
	})
	if err != nil {
		return nil, err
	}
	p.blocks = next
	p.offsets = e.at + e.size - 4*int64(p.n)
	// A block takes five bytes at least.
	if p.n <= 0 || int64(p.n)*9 > e.at+e.size-next || p.head <= 0 || p.head > x.r.data.length-e.position {
		return nil, corrupt(x.name, e.at, "%d blocks in %d bytes", p.n, e.size)
	}
	return p, nil
}

func (p *promoted) count() int { return p.n }

// widthBase is what the widths of blocks are stored relative to.
const widthBase = 64 << 10

// read decodes a block.
func (p *promoted) read(i int) (*indexBlock, error) {
	if p.last == i {
		return &p.block, nil
	}
	var off uint32
	if _, err := p.w.decode(p.offsets+4*int64(i), 4, func(c *cursor) { off = c.u32() }); err != nil {
		return nil, err
	}
	at := p.blocks + int64(off)
	if at >= p.offsets {
		return nil, corrupt(p.x.name, p.offsets+4*int64(i), "block %d cannot stand at %d", i, off)
	}
	b := indexBlock{open: row.Live}
	end, err := p.w.decode(at, entryHint, func(c *cursor) {
		b.first, b.last = parseBound(c, p.v.values), parseBound(c, p.v.values)
		b.offset, b.width = int64(c.uvint()), c.svint()+widthBase
		switch open := c.u8(); open {
		case 0:
			b.open = row.Live
		case 1:
			b.open = readDeletion(c, p.x.r.desc.Version)
		default:
			c.fail("%d does not say whether a deletion is open", open)
		}
	})
	if err != nil {
		return nil, err
	}
	if end > p.offsets || b.offset < p.head || b.width <= 0 || b.offset > p.x.r.data.length || b.width > p.x.r.data.length-b.offset {
		return nil, corrupt(p.x.name, at, "block %d cannot stand at %d of its partition with %d bytes", i, b.offset, b.width)
	}
	// The window moves, so that what was decoded is copied.
	cloneValues(b.first.Values)
	cloneValues(b.last.Values)
	p.block, p.last = b, i
	return &p.block, nil
}

// cloneValues replaces the values by copies.
func cloneValues(values [][]byte) {
	for i, v := range values {
		if v != nil {
			values[i] = append([]byte{}, v...)
		}
	}
}

func (p *promoted) span(i int) (start, end int64, open row.Deletion, err error) {
	open = row.Live
	if i > 0 {
		b, err := p.read(i - 1)
		if err != nil {
			return 0, 0, row.Live, err
		}
		open = b.open
	}
	b, err := p.read(i)
	if err != nil {
		return 0, 0, row.Live, err
	}
	return b.offset, b.offset + b.width, open, nil
}

func (p *promoted) floor(cut row.Cut) (int, error) {
	i, err := search(p.n, func(i int) (bool, error) {
		b, err := p.read(i)
		if err != nil {
			return false, err
		}
		return p.v.compare(b.first.Values, b.first.Kind.side(), cut.Values, side(cut)) > 0, nil
	})
	return max(i-1, 0), err
}
