package sstable

import (
	"encoding/binary"
	"hash/crc32"
	"path"
	"strconv"

	"github.com/helenusdb/helenus/storage/vfs"
)

// writeStep is how many bytes are written to a file at once.
const writeStep = 1 << 20

// output is a file that is written from its start to its end.
type output struct {
	f    vfs.File
	name string
	off  int64 // written so far
	buf  []byte
	// sum is the CRC32 of what was written, when summed is set.
	sum    uint32
	summed bool
}

func (o *output) create(fs vfs.FS, dir, name string) (err error) {
	o.name = name
	o.f, err = fs.Create(path.Join(dir, name))
	return err
}

// size returns the bytes of the file with those not written yet.
func (o *output) size() int64 { return o.off + int64(len(o.buf)) }

// spill writes when enough has gathered.
func (o *output) spill() error {
	if len(o.buf) < writeStep {
		return nil
	}
	return o.flush()
}

func (o *output) flush() error {
	if len(o.buf) == 0 {
		return nil
	}
	if o.summed {
		o.sum = crc32.Update(o.sum, crc32.IEEETable, o.buf)
	}
	if _, err := o.f.WriteAt(o.buf, o.off); err != nil {
		return ioError(o.name, o.off, err)
	}
	o.off += int64(len(o.buf))
	o.buf = o.buf[:0]
	return nil
}

// finish writes what is left and makes the file durable.
func (o *output) finish() error {
	if err := o.flush(); err != nil {
		return err
	}
	if err := o.f.Sync(); err != nil {
		return ioError(o.name, o.off, err)
	}
	return o.close()
}

// close closes the file if it is open.
func (o *output) close() error {
	if o.f == nil {
		return nil
	}
	f := o.f
	o.f = nil
	return f.Close()
}

// dataWriter writes Data.db with CompressionInfo.db or CRC.db. The content is appended to buf, from where full chunks go to
// the file.
type dataWriter struct {
	out, side output
	how       *compression // nil for none
	codec     compressor
	chunk     int
	buf       []byte
	base      int64 // position of buf[0] in the content
	payloads  int64 // bytes of payloads written
	chunks    int64
	head      []byte // of CompressionInfo.db
}

func (d *dataWriter) open(fs vfs.FS, dir string, desc Descriptor, how *compression) error {
	d.how, d.chunk = how, plainChunk
	component := CompCRC
	if how != nil {
		component, d.chunk = CompCompression, how.chunk
		var err error
		if d.codec, err = how.compressor(); err != nil {
			return err
		}
	}
	d.out.summed = true
	if err := d.out.create(fs, dir, desc.File(CompData)); err != nil {
		return err
	}
	if err := d.side.create(fs, dir, desc.File(component)); err != nil {
		return err
	}
	if how == nil {
		d.side.buf = binary.BigEndian.AppendUint32(d.side.buf, uint32(d.chunk))
		return nil
	}
	d.head = how.appendHead(nil)
	// The lengths, which are not known yet, come to stand before the offsets.
	d.side.off = int64(len(d.head)) + 12
	return nil
}

// position returns where the next byte of the content comes to stand.
func (d *dataWriter) position() int64 { return d.base + int64(len(d.buf)) }

// keptBuffer is how large a buffer may be that is kept behind an uncommonly large row.
const keptBuffer = 4 << 20

// drain moves full chunks to the file. What is left moves to the front of buf.
func (d *dataWriter) drain() error {
	if len(d.buf) < d.chunk {
		return nil
	}
	i := 0
	for ; len(d.buf)-i >= d.chunk; i += d.chunk {
		if err := d.put(d.buf[i : i+d.chunk]); err != nil {
			return err
		}
	}
	d.base += int64(i)
	rest := d.buf[i:]
	if cap(d.buf) > keptBuffer {
		d.buf = make([]byte, 0, 2*d.chunk)
	}
	d.buf = append(d.buf[:0], rest...)
	return nil
}

// put appends a chunk to the file.
func (d *dataWriter) put(chunk []byte) error {
	d.chunks++
	if d.how == nil {
		d.out.buf = append(d.out.buf, chunk...)
		d.side.buf = binary.BigEndian.AppendUint32(d.side.buf, crc32.ChecksumIEEE(chunk))
	} else if err := d.compress(chunk); err != nil {
		return err
	}
	if err := d.side.spill(); err != nil {
		return err
	}
	return d.out.spill()
}

func (d *dataWriter) compress(chunk []byte) (err error) {
	d.side.buf = binary.BigEndian.AppendUint64(d.side.buf, uint64(d.out.size()))
	start := len(d.out.buf)
	if d.out.buf, err = d.codec.compress(d.out.buf, chunk); err != nil {
		return err
	}
	if len(d.out.buf)-start >= d.how.maxCompressed {
		d.out.buf = append(d.out.buf[:start], chunk...)
		// A short last chunk is filled up, so that its length still says that it is stored as it is.
		for len(d.out.buf)-start < d.how.maxCompressed {
			d.out.buf = append(d.out.buf, 0)
		}
	}
	payload := d.out.buf[start:]
	d.payloads += int64(len(payload))
	d.out.buf = binary.BigEndian.AppendUint32(d.out.buf, crc32.ChecksumIEEE(payload))
	return nil
}

// finish writes the rest and makes both files durable.
func (d *dataWriter) finish() error {
	if err := d.drain(); err != nil {
		return err
	}
	length := d.position()
	if len(d.buf) > 0 {
		if err := d.put(d.buf); err != nil {
			return err
		}
	}
	if d.how != nil {
		d.head = binary.BigEndian.AppendUint64(d.head, uint64(length))
		d.head = binary.BigEndian.AppendUint32(d.head, uint32(d.chunks))
		if _, err := d.side.f.WriteAt(d.head, 0); err != nil {
			return ioError(d.side.name, 0, err)
		}
	}
	if err := d.out.finish(); err != nil {
		return err
	}
	return d.side.finish()
}

// ratio returns the compression ratio that the statistics have: -1 for a file that is not compressed.
func (d *dataWriter) ratio() float64 {
	if d.how == nil {
		return -1
	}
	return float64(d.payloads) / float64(d.position())
}

// digest returns the content of Digest.crc32.
func (d *dataWriter) digest() []byte { return strconv.AppendUint(nil, uint64(d.out.sum), 10) }
