package main

import (
	"os"
	"path"
	"strconv"
	"strings"
)

// cgroupLimit returns the bytes of memory that the control group of the process may take, 0 when there is no bound or it is not
// known.
func cgroupLimit() int64 { return readCgroupLimit("/proc/self/cgroup", "/sys/fs/cgroup") }

// readCgroupLimit returns the least bound of the groups that a file like /proc/self/cgroup names and of those above them; mount
// is where the groups are. Of version 1 the hierarchy of the memory controller counts. In a container the group may be named as the
// host sees it, and is then the mount itself.
func readCgroupLimit(file, mount string) int64 {
	groups, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	least := int64(0)
	look := func(file string) {
		text, err := os.ReadFile(file)
		if err != nil {
			return
		}
		// "max", and what version 1 says for no bound, are none.
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && n > 0 && n < 1<<60 && (least == 0 || n < least) {
			least = n
		}
	}
	for line := range strings.Lines(string(groups)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, ok := strings.Cut(rest, ":")
		if !ok {
			continue
		}
		root, name := mount, "memory.max"
		if controllers != "" {
			if !strings.Contains(","+controllers+",", ",memory,") {
				continue
			}
			root, name = path.Join(mount, "memory"), "memory.limit_in_bytes"
		}
		for group = path.Join("/", group); ; group = path.Dir(group) {
			if look(path.Join(root, group, name)); group == "/" {
				break
			}
		}
	}
	return least
}
