//go:build !linux

package vfs

import "os"

// syncData makes a file's content durable by what the system offers.
func syncData(f *os.File) error { return f.Sync() }
