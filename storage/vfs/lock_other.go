//go:build !unix

package vfs

import (
	"io"
	"os"
)

// Lock implements FS. The system has no lock that ends with its process, so that another one is not kept out.
func (OS) Lock(name string) (io.Closer, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
}
