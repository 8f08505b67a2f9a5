// Package vfs is the file system as storage sees it: the real one, one in memory whose power can be cut, and a wrapper
// that makes chosen operations fail. Its nouns are FS and File.
//
// Floor: ground.
package vfs

import "io"

// FS is a file system. Names are slash-separated paths. Errors are those of package os: a missing file satisfies
// errors.Is(err, fs.ErrNotExist). Methods may be called by many goroutines.
type FS interface {
	// Create makes an empty file for reading and writing, replacing one that is there.
	Create(name string) (File, error)
	// Open opens a file for reading and writing; it must exist.
	Open(name string) (File, error)
	// Remove deletes a file.
	Remove(name string) error
	// Rename moves a file, replacing one of the new name.
	Rename(from, to string) error
	// MkdirAll makes a folder and those above it.
	MkdirAll(dir string) error
	// List returns the names in a folder, sorted.
	List(dir string) ([]string, error)
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
