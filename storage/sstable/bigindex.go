package sstable

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/row"
)

// bigIndex is Index.db with Summary.db. Source: org.apache.cassandra.io.sstable.format.big.
type bigIndex struct {
	r       *Reader
	pages   *paged
	name    string
	size    int64
	summary *summary
	// prefixes are those of the tokens of the samples under Murmur3, which are the tokens; nil else.
	prefixes []uint64
}

// indexStep is how much of Index.db is read at once when all of it is.
const indexStep = 64 << 10

func openBig(r *Reader) (partitionIndex, error) {
	x := &bigIndex{r: r}
	var err error
	if x.summary, err = readSummary(r.fs, r.dir, r.desc); err != nil {
		return nil, err
	}
	if x.pages, err = r.openPages(CompIndex); err != nil {
		return nil, err
	}
	x.name, x.size = x.pages.name, x.pages.length
	if x.summary == nil {
		x.summary, err = x.sample()
	}
	if err == nil {
		err = x.sort()
	}
	if err != nil {
		x.close()
		return nil, err
	}
	return x, nil
}

func (x *bigIndex) close() { x.pages.close() }

func (x *bigIndex) ends() (first, last []byte) { return x.summary.first, x.summary.last }

// sort sees that the samples ascend in their tokens and positions.
func (x *bigIndex) sort() error {
	n := x.summary.len()
	if x.r.murmur {
		x.prefixes = make([]uint64, n)
	}
	last := int64(-1)
	for i := range n {
		key, pos := x.summary.entry(i)
		ordered := pos > last
		if x.r.murmur {
			x.prefixes[i] = x.r.order.token(key).Prefix
			ordered = ordered && (i == 0 || x.prefixes[i-1] <= x.prefixes[i])
		}
		if last = pos; !ordered || pos >= x.size {
			return corrupt(x.r.desc.File(CompSummary), 0, "entry %d for position %d of %d bytes of %s is out of order", i, pos, x.size,
				x.name)
		}
	}
	return nil
}

// indexEntry is an entry of Index.db.
type indexEntry struct {
	key      []byte
	position int64
	// at and size say where the index within the partition stands in Index.db; size is 0 when there is none.
	at, size int64
}

// read reads the entry at a position and returns that of the next one. The key is valid until the window moves.
func (x *bigIndex) read(w *window, pos int64) (e indexEntry, next int64, err error) {
	for n := 1; n > 0; n = w.again() {
		c := w.at(pos, n)
		e.key = c.sbytes()
		e.position, e.size = int64(c.uvint()), int64(c.uvint())
		e.at = c.at()
	}
	if next = e.at; w.c.err != nil {
		return e, 0, w.c.err
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
	w := &window{}
	w.stream(x.pages, indexStep)
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

// floor returns the last sample that does not stand behind the key, -1 when all do.
func (x *bigIndex) floor(k *sought) int {
	i, j := 0, x.summary.len()
	for i < j {
		m := int(uint(i+j) / 2)
		behind := false
		if x.prefixes != nil && x.prefixes[m] != k.tok.Prefix {
			behind = x.prefixes[m] > k.tok.Prefix
		} else {
			sample, _ := x.summary.entry(m)
			behind = x.r.order.compare(x.r.order.token(sample), sample, k.tok, k.key) > 0
		}
		if behind {
			j = m
		} else {
			i = m + 1
		}
	}
	return i - 1
}

// find implements partitionIndex. It compares the keys alone between two samples, whose order is seen to when the table is
// verified.
func (x *bigIndex) find(f *Finder, k *sought) (cache.Entry, bool, error) {
	i := x.floor(k)
	if i < 0 {
		return cache.Entry{}, false, nil
	}
	first, pos := x.summary.entry(i)
	end := x.size
	if i+1 < x.summary.len() {
		_, end = x.summary.entry(i + 1)
	}
	w := &f.iw
	w.open(x.pages, 1)
	for sample := true; pos < end; sample = false {
		if n := passEntry(w, pos, k.key); n > 0 && !sample {
			pos += n
			continue
		}
		e, next, err := x.read(w, pos)
		if err != nil {
			return cache.Entry{}, false, err
		}
		if sample && !bytes.Equal(e.key, first) {
			return cache.Entry{}, false, corrupt(x.name, pos, "%s has another key here", x.r.desc.File(CompSummary))
		}
		if bytes.Equal(e.key, k.key) {
			found := entryOf(e.position)
			if e.size > 0 {
				found.Index, found.Size = e.at, e.size
			}
			return found, true, nil
		}
		pos = next
	}
	if pos != end {
		return cache.Entry{}, false, corrupt(x.name, pos, "%s has an entry at %d", x.r.desc.File(CompSummary), end)
	}
	return cache.Entry{}, false, nil
}

// passEntry returns the length of the entry at a position if it can be passed over at a glance: it is of another key, has no
// index within the partition, and the window has all of it; 0 else.
func passEntry(w *window, pos int64, key []byte) int64 {
	i := pos - w.base
	if i < 0 || i+2 > int64(len(w.buf)) {
		return 0
	}
	b := w.buf[i:]
	n := 2 + int(binary.BigEndian.Uint16(b))
	if len(b) < n+10 || bytes.Equal(b[2:n], key) {
		return 0
	}
	if n += 1 + bits.LeadingZeros8(^b[n]); b[n] != 0 {
		return 0
	}
	return int64(n + 1)
}

// blocks implements partitionIndex.
func (x *bigIndex) blocks(f *Finder, v *View, e *cache.Entry) (blockIndex, error) {
	if e.Index == notIndexed {
		return nil, nil
	}
	if err := f.blocks.open(x, v, &f.iw, e); err != nil {
		return nil, err
	}
	return &f.blocks, nil
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

// open reads the head of the index within a partition. Then w is p's.
func (p *promoted) open(x *bigIndex, v *View, w *window, e *cache.Entry) error {
	*p = promoted{x: x, v: v, w: w, last: -1, block: p.block}
	w.open(x.pages, 1)
	for n := 1; n > 0; n = w.again() {
		c := w.at(e.Index, n)
		p.head = int64(c.uvint())
		p.del = readDeletion(c, x.r.desc.Version)
		p.n = int(min(c.uvint(), 1<<40))
		p.blocks = c.at()
	}
	if w.c.err != nil {
		return w.c.err
	}
	end := e.Index + e.Size
	p.offsets = end - 4*int64(p.n)
	// A block takes five bytes at least.
	if p.n <= 0 || int64(p.n)*9 > end-p.blocks || p.head <= 0 || p.head > x.r.data.length-e.Position {
		return corrupt(x.name, e.Index, "%d blocks in %d bytes", p.n, e.Size)
	}
	return nil
}

// widthBase is what the widths of blocks are stored relative to.
const widthBase = 64 << 10

// read decodes a block, valid until the next call.
func (p *promoted) read(i int) (*indexBlock, error) {
	if p.last == i {
		return &p.block, nil
	}
	var off uint32
	for n := 4; n > 0; n = p.w.again() {
		off = p.w.at(p.offsets+4*int64(i), n).u32()
	}
	if p.w.c.err != nil {
		return nil, p.w.c.err
	}
	at := p.blocks + int64(off)
	if at >= p.offsets {
		return nil, corrupt(p.x.name, p.offsets+4*int64(i), "block %d cannot stand at %d", i, off)
	}
	b, end := &p.block, int64(0)
	p.last = -1
	for n := 1; n > 0; n = p.w.again() {
		c := p.w.at(at, n)
		b.first, b.last = parseBound(c, b.first.Values[:0], p.v.values), parseBound(c, b.last.Values[:0], p.v.values)
		b.offset, b.width = int64(c.uvint()), c.svint()+widthBase
		switch open := c.u8(); open {
		case 0:
			b.open = row.Live
		case 1:
			b.open = readDeletion(c, p.x.r.desc.Version)
		default:
			c.fail("%d does not say whether a deletion is open", open)
		}
		end = c.at()
	}
	if p.w.c.err != nil {
		return nil, p.w.c.err
	}
	if end > p.offsets || b.offset < p.head || b.width <= 0 || b.offset > p.x.r.data.length || b.width > p.x.r.data.length-b.offset {
		return nil, corrupt(p.x.name, at, "block %d cannot stand at %d of its partition with %d bytes", i, b.offset, b.width)
	}
	if !p.w.lasts() {
		cloneValues(b.first.Values)
		cloneValues(b.last.Values)
	}
	p.last = i
	return b, nil
}

// cloneValues replaces the values by copies.
func cloneValues(values [][]byte) {
	for i, v := range values {
		if v != nil {
			values[i] = append([]byte{}, v...)
		}
	}
}

// at returns the i-th block.
func (p *promoted) at(i int) (block, error) {
	k := block{number: i, first: i == 0, last: i == p.n-1, open: row.Live}
	if i > 0 {
		b, err := p.read(i - 1)
		if err != nil {
			return k, err
		}
		k.open = b.open
	}
	b, err := p.read(i)
	if err != nil {
		return k, err
	}
	k.start, k.end = b.offset, b.offset+b.width
	return k, nil
}

func (p *promoted) floor(cut row.Cut) (block, error) {
	i, j := 0, p.n
	for i < j {
		m := int(uint(i+j) / 2)
		b, err := p.read(m)
		if err != nil {
			return block{}, err
		}
		if p.v.compare(b.first.Values, b.first.Kind.side(), cut.Values, side(cut)) > 0 {
			j = m
		} else {
			i = m + 1
		}
	}
	return p.at(max(i-1, 0))
}

func (p *promoted) before(b *block) (block, error) { return p.at(max(b.number-1, 0)) }
