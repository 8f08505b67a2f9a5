package sstable

import (
	"math/rand/v2"
	"sync"

	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/vfs"
)

// paged is a file as pages that the cache can hold: chunks of a Data.db, equal pieces of another file. It may be used by many
// goroutines.
type paged struct {
	f      vfs.File
	name   string
	length int64
	step   int64
	data   *dataFile    // nil for a file that is read as it is
	cache  *cache.Cache // nil when pages are not kept
	id     uint64
}

// indexPage is the size of the pages of index files.
const indexPage = 4 << 10

// rawBuffers holds buffers for what is read and decompressed at once.
var rawBuffers = sync.Pool{New: func() any { return new(rawReader) }}

// page returns the i-th page, which nobody changes. chance is the probability with which the checksum of one that is not in
// the cache is looked at.
func (p *paged) page(i int64, chance float64) ([]byte, error) {
	if b := p.cache.Page(p.id, i); b != nil {
		return b, nil
	}
	var b []byte
	if p.data == nil {
		b = make([]byte, min(p.step, p.length-i*p.step))
		if err := readFull(p.f, p.name, b, i*p.step); err != nil {
			return nil, err
		}
	} else {
		raw := rawBuffers.Get().(*rawReader)
		raw.reset(p.data, 0)
		var err error
		b, err = p.data.appendChunk(nil, int(i), raw, chance >= 1 || rand.Float64() < chance)
		raw.f = nil
		rawBuffers.Put(raw)
		if err != nil {
			return nil, err
		}
	}
	p.cache.PutPage(p.id, i, b)
	return b, nil
}

// rawReader reads a Data.db as it is on disk, ahead by as much as it is told. What bytes returned is valid until the next call.
type rawReader struct {
	f     vfs.File
	name  string
	size  int64
	ahead int64
	buf   []byte
	base  int64
}

func (r *rawReader) reset(df *dataFile, ahead int64) {
	r.f, r.name, r.size, r.ahead, r.buf = df.f, df.name, df.size, ahead, r.buf[:0]
}

// bytes returns n bytes at a position.
func (r *rawReader) bytes(off int64, n int) ([]byte, error) {
	if i := off - r.base; len(r.buf) == 0 || i < 0 || i+int64(n) > int64(len(r.buf)) {
		want := max(int64(n), min(r.ahead, r.size-off))
		r.buf, r.base = grow(r.buf[:0], int(want)), off
		if err := readFull(r.f, r.name, r.buf, off); err != nil {
			r.buf = r.buf[:0]
			return nil, err
		}
	}
	return r.buf[off-r.base:][:n], nil
}

// window is a view of a file that moves, for one goroutine. Over pages of the cache it copies only what crosses from one to the
// next; else it reads ahead into memory of its own.
type window struct {
	p      *paged
	moving bool    // pages do not come from the cache, nor go there
	chance float64 // see page
	ahead  int64   // how far a moving one reads ahead
	buf    []byte
	base   int64 // position of buf[0]
	mine   bool  // buf is memory of the window, which changes when it moves
	own    []byte
	raw    rawReader
	c      cursor // the one that at returns
	start  int    // where in its bytes it began
}

// scanAhead is how far whole tables are read ahead.
const scanAhead = 256 << 10

// open makes w a view of a file that uses the cache if there is one.
func (w *window) open(p *paged, chance float64) {
	w.p, w.moving, w.chance, w.ahead = p, p.cache == nil, chance, 0
	w.buf, w.base, w.mine, w.raw.f = nil, 0, false, nil
}

// stream makes w a view of a file that does without the cache and reads ahead.
func (w *window) stream(p *paged, ahead int64) {
	w.open(p, 1)
	w.moving, w.ahead = true, ahead
}

func (p *paged) window() *window {
	w := &window{}
	w.open(p, 1)
	return w
}

// lasts reports whether what is returned stays as it is when the window moves.
func (w *window) lasts() bool { return !w.mine }

// bytes returns what stands at pos: at least n bytes, or all up to the end of the file. What it returned before is valid no
// more, unless lasts said so.
func (w *window) bytes(pos int64, n int) ([]byte, error) {
	if i := pos - w.base; i >= 0 && i < int64(len(w.buf)) {
		if b := w.buf[i:]; len(b) >= n || pos+int64(len(b)) == w.p.length {
			return b, nil
		}
	}
	if pos < 0 || pos > w.p.length {
		return nil, &CorruptError{File: w.p.name, Offset: pos, Data: w.p.data != nil, Reason: "position outside of the file"}
	}
	if pos == w.p.length {
		return nil, nil
	}
	end := w.p.length
	if int64(n) < w.p.length-pos {
		end = pos + int64(max(n, 1))
	}
	if w.moving {
		return w.move(pos, end)
	}
	i := pos / w.p.step
	b, err := w.p.page(i, w.chance)
	if err != nil {
		return nil, err
	}
	w.buf, w.base, w.mine = b, i*w.p.step, false
	if w.base+int64(len(b)) >= end {
		return b[pos-w.base:], nil
	}
	w.own = append(w.own[:0], b[pos-w.base:]...)
	for i++; pos+int64(len(w.own)) < end; i++ {
		if b, err = w.p.page(i, w.chance); err != nil {
			w.buf = nil
			return nil, err
		}
		// No more than is needed, so that what follows is read from its page.
		w.own = append(w.own, b[:min(int64(len(b)), end-pos-int64(len(w.own)))]...)
	}
	w.buf, w.base, w.mine = w.own, pos, true
	return w.own, nil
}

// move returns what stands from pos to end at least.
func (w *window) move(pos, end int64) ([]byte, error) {
	w.mine = true
	if have := w.base + int64(len(w.buf)); pos < w.base || pos >= have {
		w.buf, w.base = w.own[:0], pos
		if w.p.data != nil {
			w.base = pos / w.p.step * w.p.step
		}
	} else if pos > w.base {
		w.buf = w.buf[:copy(w.buf, w.buf[pos-w.base:])]
		w.base = pos
	}
	for w.base+int64(len(w.buf)) < end {
		if err := w.more(end); err != nil {
			w.buf, w.own = nil, w.buf
			return nil, err
		}
	}
	w.own = w.buf
	return w.buf[pos-w.base:], nil
}

// more appends the next piece of the file.
func (w *window) more(end int64) error {
	at := w.base + int64(len(w.buf))
	if df := w.p.data; df != nil {
		if w.raw.f == nil {
			w.raw.reset(df, w.ahead)
		}
		var err error
		w.buf, err = df.appendChunk(w.buf, int(at/w.p.step), &w.raw, w.chance >= 1 || rand.Float64() < w.chance)
		return err
	}
	n := len(w.buf)
	w.buf = grow(w.buf, int(min(max(w.p.step, w.ahead, end-at), w.p.length-at)))
	if err := readFull(w.p.f, w.p.name, w.buf[n:], at); err != nil {
		w.buf = w.buf[:n]
		return err
	}
	return nil
}

// at returns a cursor at pos that has at least n bytes, or all up to the end of the file. Content is decoded in a loop, with
// more bytes as long as they were too few:
//
//	for n := 1; n > 0; n = w.again() {
//		c := w.at(pos, n)
//		...
//	}
//	if w.c.err != nil { ... }
func (w *window) at(pos int64, n int) *cursor {
	c := &w.c
	i := pos - w.base
	if have := int64(len(w.buf)) - i; i < 0 || have <= 0 || have < int64(n) && pos+have < w.p.length {
		_, err := w.bytes(pos, n)
		if err != nil || pos == w.p.length {
			w.c = cursor{file: w.p.name, base: pos, data: w.p.data != nil, err: err, quiet: true}
			w.start = 0
			return c
		}
		i = pos - w.base
	}
	if c.base != w.base || c.file != w.p.name || !c.quiet {
		c.file, c.base, c.data, c.quiet = w.p.name, w.base, w.p.data != nil, true
	}
	c.b, c.i, c.err, w.start = w.buf, int(i), nil, int(i)
	return c
}

// again returns how many bytes are needed, 0 when what was decoded is what it is. An error of the cursor is then final.
func (w *window) again() int {
	c := &w.c
	if c.err != errShort { //nolint:errorlint // it comes as it was made, and this is asked at every turn
		return 0
	}
	have := len(c.b) - w.start
	need := c.need - w.start
	if int64(need) > w.p.length-c.base-int64(w.start) || need <= have {
		c.err = c.tooShort()
		return 0
	}
	return max(need, min(2*have, have+1<<20))
}
