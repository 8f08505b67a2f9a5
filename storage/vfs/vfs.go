// Package vfs is the file system as storage sees it: the real one, one in memory whose power can be cut, and a wrapper
// that makes chosen operations fail. Its nouns are FS and File.
//
// Floor: ground.
package vfs

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"time"
)

// FS is a file system. Names are slash-separated paths. Errors are those of package os: a missing file satisfies
// errors.Is(err, fs.ErrNotExist). Methods may be called by many goroutines.
type FS interface {
	// Create makes an empty file for reading and writing, replacing one that is there.
	Create(name string) (File, error)
	// Open opens a file for reading and writing; it must exist.
	Open(name string) (File, error)
	// Remove deletes a file.
	Remove(name string) error
	// Rename moves a file, replacing one of the new name. Between two folders it is not atomic when the power fails: Link and
	// Remove, with a SyncDir between them, lose nothing.
	Rename(from, to string) error
	// Link gives a file a second name, which must be free. Content and Sync are shared by the names.
	Link(from, to string) error
	// MkdirAll makes a folder and those above it.
	MkdirAll(dir string) error
	// RemoveDir removes an empty folder.
	RemoveDir(dir string) error
	// List returns the names in a folder, sorted.
	List(dir string) ([]string, error)
	// Stat returns what is known about a file or folder.
	Stat(name string) (Info, error)
	// Space returns the bytes that are free for this process, and all bytes, of the volume that holds a folder.
	Space(dir string) (free, total int64, err error)
	// SyncDir makes creations, renames and removals in a folder durable.
	SyncDir(dir string) error
	// Lock takes a lock file, made when it is missing, for this process until it is closed; it fails when another has it.
	Lock(name string) (io.Closer, error)
}

// File is an open file. Reads and writes are at positions; a write behind the end fills the gap with zeros.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Size returns the length in bytes.
	Size() (int64, error)
	// Truncate sets the length.
	Truncate(size int64) error
	// Sync makes the content durable. After an error what was written since the last good one may be lost for good.
	Sync() error
}

// Info is what is known about a file or folder.
type Info struct {
	Dir     bool
	Size    int64 // bytes; 0 for a folder
	ModTime time.Time
}

// RemoveAll removes a folder with all that is in it; one that is not there is no error.
func RemoveAll(fsys FS, dir string) error {
	names, err := fsys.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, n := range names {
		name := path.Join(dir, n)
		info, err := fsys.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case info.Dir:
			err = RemoveAll(fsys, name)
		default:
			err = fsys.Remove(name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fsys.RemoveDir(dir)
}
