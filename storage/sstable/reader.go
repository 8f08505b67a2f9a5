package sstable

import (
	"errors"
	"path"
	"sync/atomic"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/cache"
	"github.com/helenusdb/helenus/storage/vfs"
)

// Reader is an open table. It may be used by many goroutines. In memory it holds the Bloom filter, the summary, and the
// offsets of the chunks while they are few.
type Reader struct {
	fs     vfs.FS
	dir    string
	desc   Descriptor
	stats  *Statistics
	data   *dataFile
	filter *filter
	order  partitioned
	table  *schema.Table // what the header says
	self   *View
	index  partitionIndex
	cache  *cache.Cache
	id     uint64 // of the table's keys in the cache
	murmur bool   // tokens are hashes of keys
	// first and last are the ends of the table, nil when it is empty.
	first, last           []byte
	firstToken, lastToken token.Token
	// refs counts the users, the opener among them; files are closed with the last one.
	refs    atomic.Int64
	closed  atomic.Bool
	suspect atomic.Bool
}

// partitionIndex finds partitions by their keys. Its entries say where a partition stands, and where the index within it is.
type partitionIndex interface {
	// find returns the entry of a key; ok is false when it is not in the table. That of a trie may be of another key.
	find(f *Finder, k *sought) (e cache.Entry, ok bool, err error)
	// blocks returns the index within the partition of an entry, nil when it has none. It is valid until f is used again.
	blocks(f *Finder, v *View, e *cache.Entry) (blockIndex, error)
	// seek returns the position in the data of the first partition that is not before the range; ok is false when all are.
	seek(rg *Range) (pos int64, ok bool, err error)
	// ends returns the first and the last key, nil for an empty table.
	ends() (first, last []byte)
	close()
}

// OpenOptions are how a table is opened.
type OpenOptions struct {
	// Cache keeps pages and keys for lookups and scans of ranges; nil reads from the file every time.
	Cache *cache.Cache
}

// Open opens a table: all its components are opened, Statistics.db is read and checked. The caller closes the Reader. Of the
// options only the first count.
func Open(fsys vfs.FS, dir string, desc Descriptor, options ...OpenOptions) (*Reader, error) {
	if len(desc.Version) != 2 {
		return nil, ErrVersion
	}
	if err := desc.check(); err != nil {
		return nil, err
	}
	r := &Reader{fs: fsys, dir: dir, desc: desc}
	if len(options) > 0 {
		r.cache = options[0].Cache
	}
	r.id = r.cache.NewFile()
	r.refs.Store(1)
	if err := r.open(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Reader) open() error {
	var err error
	if r.stats, err = readStatistics(r.fs, r.dir, r.desc); err != nil {
		return err
	}
	name := r.desc.File(CompStatistics)
	key, err := parseColumnType(r.stats.Header.KeyType)
	if err != nil {
		return corrupt(name, 0, "%v", err)
	}
	if r.order, err = partitionedBy(r.stats.Partitioner, key); err != nil {
		return corrupt(name, 0, "%v", err)
	}
	_, r.murmur = r.order.partitioner.(token.Murmur3)
	if r.table, err = r.stats.Header.table(); err != nil {
		return corrupt(name, 0, "%v", err)
	}
	if r.data, err = openData(r.fs, r.dir, r.desc); err != nil {
		return err
	}
	r.data.pages = &paged{f: r.data.f, name: r.data.name, length: r.data.length, step: r.data.chunk, data: r.data, cache: r.cache,
		id: r.cache.NewFile()}
	if r.filter, err = readFilter(r.fs, r.dir, r.desc); err != nil {
		return err
	}
	if r.self, err = r.View(nil); err != nil {
		return err
	}
	if r.desc.BTI() {
		r.index, err = openTries(r)
	} else {
		r.index, err = openBig(r)
	}
	if err != nil {
		return err
	}
	r.first, r.last = r.index.ends()
	r.firstToken, r.lastToken = r.order.token(r.first), r.order.token(r.last)
	return nil
}

// errClosed is what a scan of a closed table fails with.
var errClosed = errors.New("the sstable is closed")

// Close gives up the opener's reference, once. The files are closed when nobody has one any more.
func (r *Reader) Close() {
	if r.closed.CompareAndSwap(false, true) {
		r.Unref()
	}
}

// Ref takes a reference, which keeps the files open until Unref gives it back. It returns false when the last one is gone:
// the table cannot be read any more.
func (r *Reader) Ref() bool {
	for {
		n := r.refs.Load()
		if n <= 0 {
			return false
		}
		if r.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Unref gives a reference back.
func (r *Reader) Unref() {
	if r.refs.Add(-1) != 0 {
		return
	}
	if r.data != nil {
		r.data.close()
		if r.data.pages != nil {
			r.cache.Forget(r.data.pages.id)
		}
	}
	if r.index != nil {
		r.index.close()
	}
}

// Suspect reports whether reading the table has come upon something corrupt. Compaction leaves such a table alone, and nobody
// may take what it holds for complete.
func (r *Reader) Suspect() bool { return r.suspect.Load() }

// note marks the table as suspect when err says that it is corrupt, and returns err.
func (r *Reader) note(err error) error {
	if err != nil && errors.Is(err, ErrCorrupt) {
		r.suspect.Store(true)
	}
	return err
}

// Descriptor returns the name of the table's files.
func (r *Reader) Descriptor() Descriptor { return r.desc }

// Statistics returns what Statistics.db says. It is not to be changed.
func (r *Reader) Statistics() *Statistics { return r.stats }

// Compression returns how Data.db is compressed, nil when it is not.
func (r *Reader) Compression() *CompressionInfo { return r.data.info }

// DataLength returns the number of bytes of the uncompressed data.
func (r *Reader) DataLength() int64 { return r.data.length }

// Self returns the table read without a schema, by its own header.
func (r *Reader) Self() *View { return r.self }

// openPages opens a component as pages.
func (r *Reader) openPages(component string) (*paged, error) {
	name := r.desc.File(component)
	f, err := r.fs.Open(path.Join(r.dir, name))
	if err != nil {
		return nil, err
	}
	size, err := f.Size()
	if err != nil {
		_ = f.Close()
		return nil, ioError(name, 0, err)
	}
	return &paged{f: f, name: name, length: size, step: indexPage, cache: r.cache, id: r.cache.NewFile()}, nil
}

// close closes the file and lets go of its pages.
func (p *paged) close() {
	_ = p.f.Close()
	p.cache.Forget(p.id)
}

// MayContain asks the ends of the table and its Bloom filter whether it can hold a key.
func (r *Reader) MayContain(key []byte) bool {
	k := r.hashed(key)
	return !r.excludes(&k)
}
