package sstable

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"path"
	"sort"

	"github.com/helenusdb/helenus/storage/vfs"
)

const (
	// maxChunk bounds the chunks of compressed tables. Cassandra has no bound but memory; its default is 16 KiB.
	maxChunk = 64 << 20
	// residentTable is how large a table of chunk offsets or checksums may be to be kept in memory; of a larger one the
	// entries are read when they are needed.
	residentTable = 4 << 20
	// plainChunk is the unit in which an uncompressed table without CRC.db is read.
	plainChunk = 64 << 10
)

// CompressionInfo is what CompressionInfo.db says but for the offsets of the chunks.
type CompressionInfo struct {
	Compressor    string
	Options       map[string]string
	ChunkLength   int
	MaxCompressed int   // a payload of at least this length is stored as it is
	Length        int64 // of the uncompressed data
	Chunks        int
}

// numbers is an array of big-endian numbers of one width in a file.
type numbers struct {
	f      vfs.File
	name   string
	off    int64
	width  int
	count  int
	memory []byte // nil when it is too large to be kept
}

// load keeps the array in memory if it is small.
func (n *numbers) load() error {
	size := n.count * n.width
	if size > residentTable {
		return nil
	}
	n.memory = make([]byte, size)
	return readFull(n.f, n.name, n.memory, n.off)
}

// at returns the i-th number.
func (n *numbers) at(i int) (uint64, error) {
	var buf [8]byte
	b := buf[:n.width]
	if n.memory != nil {
		b = n.memory[i*n.width : (i+1)*n.width]
	} else if err := readFull(n.f, n.name, b, n.off+int64(i*n.width)); err != nil {
		return 0, err
	}
	if n.width == 4 {
		return uint64(binary.BigEndian.Uint32(b)), nil
	}
	return binary.BigEndian.Uint64(b), nil
}

// dataFile is a Data.db: the uncompressed bytes by chunks, each checked against its checksum. It may be used by many
// goroutines.
type dataFile struct {
	f      vfs.File
	name   string
	size   int64 // of the file
	length int64 // of the uncompressed data
	chunk  int64
	info   *CompressionInfo // nil when it is not compressed
	codec  decompressor
	table  numbers  // offsets of the chunks, or checksums of an uncompressed file; none when CRC.db is missing
	extra  vfs.File // of the table, nil when it is in memory
	pages  *paged   // the uncompressed data
}

// openData opens Data.db with CompressionInfo.db or CRC.db, whichever is there.
func openData(fsys vfs.FS, dir string, d Descriptor) (*dataFile, error) {
	df := &dataFile{name: d.File(CompData)}
	var err error
	if df.f, err = fsys.Open(path.Join(dir, df.name)); err != nil {
		return nil, err
	}
	if df.size, err = df.f.Size(); err != nil {
		df.close()
		return nil, ioError(df.name, 0, err)
	}
	if err := df.openChunks(fsys, dir, d); err != nil {
		df.close()
		return nil, err
	}
	return df, nil
}

func (df *dataFile) close() {
	_ = df.f.Close()
	if df.extra != nil {
		_ = df.extra.Close()
	}
}

func (df *dataFile) openChunks(fsys vfs.FS, dir string, d Descriptor) error {
	name := d.File(CompCompression)
	f, err := fsys.Open(path.Join(dir, name))
	if err == nil {
		df.extra = f
		return df.readInfo(f, name, d.Version)
	}
	if !isMissing(err) {
		return err
	}
	df.length, df.chunk = df.size, plainChunk
	name = d.File(CompCRC)
	if f, err = fsys.Open(path.Join(dir, name)); isMissing(err) {
		return nil
	} else if err != nil {
		return err
	}
	df.extra = f
	return df.readCRC(f, name)
}

// load keeps the table in memory if it is small; its file is not needed then.
func (df *dataFile) load() error {
	if err := df.table.load(); err != nil {
		return err
	}
	if df.table.memory != nil {
		_ = df.extra.Close()
		df.extra = nil
	}
	return nil
}

// readCRC reads the head of CRC.db: the size of the chunks.
func (df *dataFile) readCRC(f vfs.File, name string) error {
	size, err := f.Size()
	if err != nil {
		return ioError(name, 0, err)
	}
	var head [4]byte
	if err := readFull(f, name, head[:], 0); err != nil {
		return err
	}
	chunk := int64(int32(binary.BigEndian.Uint32(head[:])))
	if chunk <= 0 || chunk > maxChunk {
		return corrupt(name, 0, "impossible chunk size %d", chunk)
	}
	df.chunk = chunk
	n := (size - 4) / 4
	// The output of a compaction ends with an empty chunk.
	if want := ceilDiv(df.length, chunk); (size-4)%4 != 0 || n != want && n != want+1 {
		return corrupt(name, size, "%d bytes do not fit %d bytes of data in chunks of %d", size, df.length, chunk)
	}
	df.table = numbers{f: f, name: name, off: 4, width: 4, count: int(n)}
	return df.load()
}

func ceilDiv(a, b int64) int64 {
	if a == 0 {
		return 0
	}
	return (a-1)/b + 1
}

// maxInfoHead bounds what stands before the offsets in CompressionInfo.db.
const maxInfoHead = 64 << 10

// readInfo reads CompressionInfo.db.
func (df *dataFile) readInfo(f vfs.File, name string, v Version) error {
	size, err := f.Size()
	if err != nil {
		return ioError(name, 0, err)
	}
	head := make([]byte, min(size, maxInfoHead))
	if err := readFull(f, name, head, 0); err != nil {
		return err
	}
	c := cursor{b: head, file: name}
	info := &CompressionInfo{Compressor: c.utf(), Options: map[string]string{}}
	for range c.count32(4) {
		k := c.utf()
		info.Options[k] = c.utf()
	}
	chunkAt := c.at()
	info.ChunkLength, info.MaxCompressed = int(c.i32()), math.MaxInt32
	if v.checksums() {
		info.MaxCompressed = int(c.i32())
	}
	info.Length = c.i64()
	info.Chunks = int(c.i32())
	if c.err != nil {
		return c.err
	}
	if df.codec = decompressorOf(info.Compressor); df.codec == nil {
		return corrupt(name, 0, "unknown compressor %q", info.Compressor)
	}
	if n := info.ChunkLength; n <= 0 || n > maxChunk || n&(n-1) != 0 {
		return corrupt(name, chunkAt, "impossible chunk length %d", n)
	}
	if info.MaxCompressed < 0 || info.Length < 0 {
		return corrupt(name, chunkAt, "negative length")
	}
	if info.Chunks < 0 || int64(info.Chunks) != (size-c.at())/8 || (size-c.at())%8 != 0 {
		return corrupt(name, c.at()-4, "%d chunks do not fit a file of %d bytes", info.Chunks, size)
	}
	if want := ceilDiv(info.Length, int64(info.ChunkLength)); int64(info.Chunks) != want && int64(info.Chunks) != want+1 {
		return corrupt(name, c.at()-4, "%d chunks of %d bytes for %d bytes of data", info.Chunks, info.ChunkLength, info.Length)
	}
	df.info, df.length, df.chunk = info, info.Length, int64(info.ChunkLength)
	df.table = numbers{f: f, name: name, off: c.at(), width: 8, count: info.Chunks}
	return df.load()
}

// chunkLength returns the number of bytes of the i-th chunk.
func (df *dataFile) chunkLength(i int) int64 { return min(df.chunk, df.length-int64(i)*df.chunk) }

// extent returns where the i-th chunk of a compressed file stands: its payload without the checksum.
func (df *dataFile) extent(i int) (off, n int64, err error) {
	start, err := df.table.at(i)
	if err != nil {
		return 0, 0, err
	}
	end := uint64(df.size)
	if i+1 < df.table.count {
		if end, err = df.table.at(i + 1); err != nil {
			return 0, 0, err
		}
	}
	if end > uint64(df.size) || start > end || end-start < 4 {
		return 0, 0, corrupt(df.table.name, df.table.off+int64(i)*8, "chunk %d cannot stand at %d to %d of a file of %d bytes",
			i, start, end, df.size)
	}
	return int64(start), int64(end - start - 4), nil
}

// appendChunk appends the i-th chunk to dst. What is on disk is read by raw; check says that the checksum is looked at.
func (df *dataFile) appendChunk(dst []byte, i int, raw *rawReader, check bool) ([]byte, error) {
	n, want := len(dst), int(df.chunkLength(i))
	if df.info == nil {
		at := int64(i) * df.chunk
		b, err := raw.bytes(at, want)
		if err != nil {
			return dst, err
		}
		if check && df.table.count > 0 {
			sum, err := df.table.at(i)
			if err != nil {
				return dst, err
			}
			if got := crc32.ChecksumIEEE(b); got != uint32(sum) {
				return dst, corrupt(df.name, at, "checksum %08x, %s says %08x", got, df.table.name, sum)
			}
		}
		return append(grow(dst, want)[:n], b...), nil
	}
	off, size, err := df.extent(i)
	if err != nil {
		return dst, err
	}
	stored := size >= int64(df.info.MaxCompressed)
	if stored && size != max(int64(want), int64(df.info.MaxCompressed)) || size > 2*df.chunk+1024 {
		return dst, corrupt(df.name, off, "a payload of %d bytes for %d bytes of data", size, want)
	}
	if !stored && int64(want) > (size+16)*df.codec.maxRatio() {
		return dst, corrupt(df.name, off, "a payload of %d bytes cannot hold %d bytes of data", size, want)
	}
	b, err := raw.bytes(off, int(size)+4)
	if err != nil {
		return dst, err
	}
	payload := b[:size]
	if check {
		sum := binary.BigEndian.Uint32(b[size:])
		if got := crc32.ChecksumIEEE(payload); got != sum {
			return dst, corrupt(df.name, off, "checksum %08x of the chunk, stored %08x", got, sum)
		}
	}
	dst = grow(dst, want)
	if stored {
		copy(dst[n:], payload)
	} else if err := df.codec.decompress(dst[n:], payload); err != nil {
		return dst[:n], corrupt(df.name, off, "%v", err)
	}
	return dst, nil
}

// grow returns b with n more bytes, whose content is not set. An empty one gets what it needs and no more.
func grow(b []byte, n int) []byte {
	if cap(b) == 0 {
		return make([]byte, n)
	}
	if cap(b)-len(b) < n {
		b = append(make([]byte, 0, max(len(b)+n, min(2*cap(b), len(b)+n+4096))), b...)
	}
	return b[:len(b)+n]
}

// search returns the smallest i below n for which f is true; the first error ends it.
func search(n int, f func(i int) (bool, error)) (int, error) {
	var failed error
	i := sort.Search(n, func(i int) bool {
		if failed != nil {
			return true
		}
		ok, err := f(i)
		failed = err
		return ok || err != nil
	})
	return i, failed
}
