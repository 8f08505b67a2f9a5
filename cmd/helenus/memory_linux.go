package main

import "golang.org/x/sys/unix"

// physicalMemory returns the bytes of the machine's memory, 0 when that is not known.
func physicalMemory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return int64(uint64(info.Totalram) * uint64(info.Unit)) //nolint:unconvert // 32 bits on other processors
}
