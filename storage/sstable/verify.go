package sstable

import (
	"bytes"
	"hash/crc32"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/row"
)

// Verify reads the whole table and returns the first thing that is wrong: components that are missing, the digest and all
// checksums, the order of partitions, rows and markers, what the indexes, the summary and the filter say of each partition,
// and the statistics that follow from the data. The folder's components are listed anew.
func (r *Reader) Verify() error {
	if err := r.verifyComponents(); err != nil {
		return err
	}
	if err := r.verifyDigest(); err != nil {
		return err
	}
	c := &verifier{r: r, seen: newSeen()}
	if err := c.run(); err != nil {
		return err
	}
	return c.seen.compare(r)
}

// verifyComponents compares TOC.txt with the folder.
func (r *Reader) verifyComponents() error {
	toc := r.desc.File(CompTOC)
	components, err := ReadTOC(r.fs, r.dir, r.desc)
	if err != nil {
		return err
	}
	names, err := r.fs.List(r.dir)
	if err != nil {
		return err
	}
	for _, c := range components {
		if !slices.Contains(names, r.desc.File(c)) {
			return corrupt(toc, 0, "%q is listed and not there", c)
		}
	}
	for _, name := range names {
		if c, ok := strings.CutPrefix(name, r.desc.String()+"-"); ok && !slices.Contains(components, c) {
			return corrupt(toc, 0, "%q is there and not listed", c)
		}
	}
	need := []string{CompStatistics, CompIndex, CompSummary}
	if r.desc.BTI() {
		need = []string{CompStatistics, CompPartitions, CompRows}
	}
	for _, c := range need {
		if !slices.Contains(components, c) {
			return corrupt(toc, 0, "%s is missing", c)
		}
	}
	return nil
}

// digestStep is how much of Data.db is read at once for its digest.
const digestStep = 256 << 10

// verifyDigest compares the checksum of the whole Data.db with Digest.crc32, if there is one.
func (r *Reader) verifyDigest() error {
	name := r.desc.File(CompDigest)
	b, err := readSmall(r.fs, r.dir, name, maxTOC)
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	want, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	if err != nil {
		return corrupt(name, 0, "%q is not a checksum", b)
	}
	h := crc32.NewIEEE()
	buf := make([]byte, min(digestStep, r.data.size))
	for at := int64(0); at < r.data.size; {
		part := buf[:min(int64(len(buf)), r.data.size-at)]
		if err := readFull(r.data.f, r.data.name, part, at); err != nil {
			return err
		}
		h.Write(part)
		at += int64(len(part))
	}
	if h.Sum32() != uint32(want) {
		return corrupt(r.data.name, 0, "checksum %d of the file, %s says %d", h.Sum32(), name, want)
	}
	return nil
}

// indexed is what an index says of the next partition.
type indexed struct {
	position int64
	blocks   blockList // nil for a partition that is not indexed within
	key      []byte    // nil where the index does not hold it
	path     []byte    // of a trie
	hash     int       // low byte of the key's hash, -1 where the index does not hold it
	at       int64     // of the entry, for messages
	// head and deletion are repeated from the partition for one with blocks; head is 0 where it is not.
	head     int64
	deletion row.Deletion
}

// entries walks Index.db. The values are valid until the next one.
func (x *bigIndex) entries(v *View) iter.Seq2[indexed, error] {
	return func(yield func(indexed, error) bool) {
		w, blocks := &window{}, &window{}
		w.stream(x.pages, indexStep)
		for pos := int64(0); pos < x.size; {
			e, next, err := x.read(w, pos)
			in := indexed{position: e.position, key: e.key, hash: -1, at: pos}
			if err == nil && e.size > 0 {
				p := &promoted{}
				if err = p.open(x, v, blocks, &cache.Entry{Position: e.position, Index: e.at, Size: e.size}); err == nil {
					in.blocks, in.head, in.deletion = p, p.head, p.del
				}
			}
			if !yield(in, err) || err != nil {
				return
			}
			pos = next
		}
	}
}

// entries walks Partitions.db. The values are valid until the next one.
func (x *tries) entries(v *View) iter.Seq2[indexed, error] {
	return func(yield func(indexed, error) bool) {
		stopped := false
		t, keys := newTrie(&window{}, x.partitions, x.trieEnd), &window{}
		err := t.walk(x.root, func(l leaf) error {
			hash, hashed, value, err := x.target(l)
			if err != nil {
				return err
			}
			in := indexed{path: l.path, hash: -1, at: l.at}
			if hashed {
				in.hash = int(hash)
			}
			if value < 0 {
				in.position = ^value
			} else if in, err = x.indexedRows(v, keys, value, in); err != nil {
				return err
			}
			if !yield(in, nil) {
				stopped = true
				return errStopped
			}
			return nil
		})
		if err != nil && !stopped {
			yield(indexed{}, err)
		}
	}
}

// errStopped ends a walk that nobody wants any more.
var errStopped = corrupt("", 0, "stopped")

// indexedRows adds what Rows.db says.
func (x *tries) indexedRows(v *View, keys *window, value int64, in indexed) (indexed, error) {
	re, err := x.readRows(keys, value)
	if err != nil {
		return in, err
	}
	b := &rowTrie{rowsEntry: re, x: x, v: v, w: &window{}, at: value}
	in.position, in.key, in.deletion, in.blocks = re.position, re.key, re.deletion, &blockLeaves{trie: b}
	return in, nil
}

// verifier walks the data and the index side by side.
type verifier struct {
	r    *Reader
	seen *seen
	// summary is the next sample to be met.
	sample int
	n      int
}

func (c *verifier) run() error {
	r := c.r
	v := r.self
	var entries iter.Seq2[indexed, error]
	indexName := r.desc.File(CompIndex)
	switch x := r.index.(type) {
	case *bigIndex:
		entries = x.entries(v)
	case *tries:
		entries, indexName = x.entries(v), r.desc.File(CompPartitions)
	}
	next, stop := iter.Pull2(entries)
	defer stop()
	s := v.scan(All())
	s.p.check = &orderCheck{open: row.Live}
	var first, last []byte
	for p := s.next(); p != nil; p = s.next() {
		s.p.check.begin(p)
		if c.n == 0 {
			first = slices.Clone(p.Key)
		}
		last = append(last[:0], p.Key...)
		if !r.MayContain(p.Key) {
			return corrupt(r.desc.File(CompFilter), 0, "key %x is not in the filter", p.Key)
		}
		in, err, ok := next()
		if err != nil {
			return err
		}
		if !ok {
			return corrupt(indexName, 0, "there is no entry for key %x", p.Key)
		}
		if err := c.entry(p, &in, indexName); err != nil {
			return err
		}
		if err := c.partition(p, &in); err != nil {
			return err
		}
		c.n++
	}
	if s.err != nil {
		return s.err
	}
	if in, err, ok := next(); err != nil {
		return err
	} else if ok {
		return corrupt(indexName, in.at, "an entry for a partition that is not there")
	}
	return c.ends(first, last)
}

// entry compares what the index says with the partition.
func (c *verifier) entry(p *partition, in *indexed, name string) error {
	_, h2 := hashKey(p.Key)
	switch {
	case in.position != p.start:
		return corrupt(name, in.at, "position %d for the partition at %d", in.position, p.start)
	case in.key != nil && !bytes.Equal(in.key, p.Key):
		return corrupt(name, in.at, "key %x for the partition of key %x", in.key, p.Key)
	case in.hash >= 0 && byte(in.hash) != byte(h2):
		return corrupt(name, in.at, "another hash than that of key %x", p.Key)
	case c.r.desc.BTI() && !bytes.HasPrefix(appendKey(nil, &c.r.order, p.Key, p.Token), in.path):
		return corrupt(name, in.at, "another path than that of key %x", p.Key)
	case in.head != 0 && in.head != p.rows-p.start || in.blocks != nil && in.deletion != p.Deletion:
		return corrupt(name, in.at, "another head than that of the partition of key %x", p.Key)
	}
	x, ok := c.r.index.(*bigIndex)
	if !ok || c.sample >= x.summary.len() {
		return nil
	}
	key, at := x.summary.entry(c.sample)
	if full := x.summary.level == 128; full && c.n%x.summary.interval == 0 || at == in.at {
		if at != in.at || !bytes.Equal(key, p.Key) {
			return corrupt(c.r.desc.File(CompSummary), 0, "sample %d is not of key %x at %d", c.sample, p.Key, in.at)
		}
		if full && c.n%x.summary.interval != 0 {
			return corrupt(c.r.desc.File(CompSummary), 0, "sample %d is of entry %d", c.sample, c.n)
		}
		c.sample++
	}
	return nil
}

// ends compares what is told of the whole table.
func (c *verifier) ends(first, last []byte) error {
	st := &c.r.stats.Stats
	if st.FirstKey != nil && (!bytes.Equal(st.FirstKey, first) || !bytes.Equal(st.LastKey, last)) {
		return corrupt(c.r.desc.File(CompStatistics), 0, "keys %x to %x, the data has %x to %x", st.FirstKey, st.LastKey, first, last)
	}
	switch x := c.r.index.(type) {
	case *bigIndex:
		s, name := x.summary, c.r.desc.File(CompSummary)
		if c.sample != s.len() {
			return corrupt(name, 0, "sample %d is not of any key", c.sample)
		}
		if !bytes.Equal(s.first, first) || !bytes.Equal(s.last, last) {
			return corrupt(name, 0, "keys %x to %x, the data has %x to %x", s.first, s.last, first, last)
		}
		if want := ceilDiv(int64(c.n), int64(s.interval)); int64(s.fullSize) != want || s.level == 128 && s.len() != int(want) {
			return corrupt(name, 0, "%d samples of %d keys, one every %d", s.fullSize, c.n, s.interval)
		}
	case *tries:
		if x.count != int64(c.n) || !bytes.Equal(x.first, first) || !bytes.Equal(x.last, last) {
			return corrupt(x.partitions.name, x.trieEnd, "%d keys from %x to %x, the data has %d from %x to %x", x.count, x.first, x.last,
				c.n, first, last)
		}
	}
	return nil
}

// partition walks the rows of a partition and compares them with the index within.
func (c *verifier) partition(p *partition, in *indexed) error {
	c.seen.head(p)
	b := &blockVerifier{p: p, v: c.r.self, list: in.blocks, open: row.Live}
	for u := p.next(); u != nil; u = p.next() {
		c.seen.unfiltered(u)
		if b.list != nil {
			if err := b.next(u); err != nil {
				return err
			}
		}
	}
	if p.err != nil {
		return p.err
	}
	if err := p.check.end(p); err != nil {
		return err
	}
	if b.list != nil {
		return b.end()
	}
	return nil
}
