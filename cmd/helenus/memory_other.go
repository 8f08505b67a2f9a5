//go:build !linux

package main

// physicalMemory returns the bytes of the machine's memory, 0 when that is not known.
func physicalMemory() int64 { return 0 }
