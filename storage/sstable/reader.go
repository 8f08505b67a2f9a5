package sstable

import (
	"errors"
	"path"
	"sync/atomic"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/row"
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
	// refs counts the users, the opener among them; files are closed with the last one.
	refs    atomic.Int64
	closed  atomic.Bool
	suspect atomic.Bool
}

// partitionIndex finds partitions by their keys.
type partitionIndex interface {
	// find returns where a key stands; ok is false when it is not in the table.
	find(v *View, key []byte) (e entry, ok bool, err error)
	// seek returns the position in the data of the first partition that is not before the range; ok is false when all are.
	seek(v *View, rg *Range) (pos int64, ok bool, err error)
	// ends returns the first and the last key, nil for an empty table.
	ends() (first, last []byte)
	close()
}

// entry is what an index says of a partition.
type entry struct {
	position int64     // in the uncompressed data
	blocks   blockList // nil when the partition is not indexed within
}

// blockList is the index within a wide partition: blocks of consecutive rows and markers.
type blockList interface {
	count() int
	// span returns where a block begins and ends, counted from the start of the partition, and the deletion that is open
	// where it begins.
	span(i int) (start, end int64, open row.Deletion, err error)
	// floor returns the last block that begins at or before a place, or the first one.
	floor(cut row.Cut) (int, error)
}

// Open opens a table: all its components are opened, Statistics.db is read and checked. The caller closes the Reader.
func Open(fsys vfs.FS, dir string, desc Descriptor) (*Reader, error) {
	if len(desc.Version) != 2 {
		return nil, ErrVersion
	}
	if err := desc.check(); err != nil {
		return nil, err
	}
	r := &Reader{fs: fsys, dir: dir, desc: desc}
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
	if r.table, err = r.stats.Header.table(); err != nil {
		return corrupt(name, 0, "%v", err)
	}
	if r.data, err = openData(r.fs, r.dir, r.desc); err != nil {
		return err
	}
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
	return err
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

// openFile opens a component and returns its size.
func (r *Reader) openFile(component string) (f vfs.File, name string, size int64, err error) {
	name = r.desc.File(component)
	if f, err = r.fs.Open(path.Join(r.dir, name)); err != nil {
		return nil, name, 0, err
	}
	if size, err = f.Size(); err != nil {
		f.Close()
		return nil, name, 0, ioError(name, 0, err)
	}
	return f, name, size, nil
}

// MayContain asks the Bloom filter; it answers true when there is none.
func (r *Reader) MayContain(key []byte) bool {
	if r.filter == nil {
		return true
	}
	return r.filter.mayContain(hashKey(key))
}
