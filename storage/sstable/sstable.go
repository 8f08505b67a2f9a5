// Package sstable reads Cassandra's SSTables, versions ma to nb and oa of the big format and da of bti, and writes version
// nb, as a library without an engine. A Reader is an open table; a View reads it as a schema.Table sees it, or as its own
// header says; a Writer makes a table of partitions.
//
// Nothing is believed that a file says about lengths until it was compared with the file: an error is a *CorruptError with
// file and offset, never a panic, and no memory is taken for what is not there.
//
// Floor: above cql/schema, cql/token, cql/types, storage/row, storage/vfs. Source: org.apache.cassandra.io.sstable;
// storage.md 1.
package sstable

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/helenusdb/helenus/storage/vfs"
)

// ErrCorrupt is what every error about the content of a file wraps.
var ErrCorrupt = errors.New("corrupt sstable")

// ErrVersion is what the refusal of a table wraps whose version or format is not known.
var ErrVersion = errors.New("unsupported sstable version")

// CorruptError says where a file is not what it has to be.
type CorruptError struct {
	File string
	// Offset is in the file; in a compressed Data.db it is the position in the uncompressed data when Data is true.
	Offset int64
	Data   bool
	Reason string
}

// Error implements error.
func (e *CorruptError) Error() string {
	if e.Data {
		return fmt.Sprintf("corrupt sstable: %s at data position %d: %s", e.File, e.Offset, e.Reason)
	}
	return fmt.Sprintf("corrupt sstable: %s at offset %d: %s", e.File, e.Offset, e.Reason)
}

// Unwrap returns ErrCorrupt.
func (e *CorruptError) Unwrap() error { return ErrCorrupt }

// corrupt returns a *CorruptError.
func corrupt(file string, offset int64, format string, args ...any) error {
	return &CorruptError{File: file, Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

// ioError wraps an error of the file system with the place.
func ioError(file string, offset int64, err error) error {
	return fmt.Errorf("%s at offset %d: %w", file, offset, err)
}

// readSmall reads a whole component that has to be in memory: at most limit bytes. A missing file satisfies
// errors.Is(err, fs.ErrNotExist).
func readSmall(fsys vfs.FS, dir, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(path.Join(dir, name))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	size, err := f.Size()
	if err != nil {
		return nil, ioError(name, 0, err)
	}
	if size > limit {
		return nil, corrupt(name, 0, "%d bytes, more than the %d that this component may have", size, limit)
	}
	b := make([]byte, size)
	if err := readFull(f, name, b, 0); err != nil {
		return nil, err
	}
	return b, nil
}

// readFull fills p from a position; a file that ends before is corrupt.
func readFull(f vfs.File, name string, p []byte, off int64) error {
	if len(p) == 0 {
		return nil
	}
	n, err := f.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || isEOF(err) {
		return corrupt(name, off+int64(n), "the file ends here, %d more bytes are needed", len(p)-n)
	}
	return ioError(name, off, err)
}

// isMissing reports whether err says that a file does not exist.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
