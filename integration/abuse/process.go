package abuse

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// process is a running process, looked at from outside.
type process int

// status returns a figure of /proc/PID/status in its unit (kB for memory), 0 when there is none.
func (p process) status(name string) int {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", int(p)))
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n
		}
	}
	return 0
}

// rss returns the resident memory in MiB.
func (p process) rss() int { return p.status("VmRSS") >> 10 }

// fds returns the number of open files.
func (p process) fds() int {
	list, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", int(p)))
	return len(list)
}

// cpu returns the processor time used so far, to a hundredth of a second.
func (p process) cpu() time.Duration {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", int(p)))
	i := bytes.LastIndexByte(data, ')') // the name may hold blanks
	if i < 0 {
		return 0
	}
	f := strings.Fields(string(data[i+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// idle returns for how long the machine's processors, taken together, have had nothing to do.
func idle() time.Duration {
	data, _ := os.ReadFile("/proc/stat")
	f := strings.Fields(string(data))
	if len(f) < 6 {
		return 0
	}
	n, _ := strconv.Atoi(f[4])
	return time.Duration(n) * 10 * time.Millisecond
}
