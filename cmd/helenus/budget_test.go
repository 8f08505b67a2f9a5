package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cmd/helenus/bench"
	"github.com/helenusdb/helenus/cmd/helenus/config"
	"github.com/helenusdb/helenus/cql"
)

// TestDivide holds what a budget is made of, what is set by its own name, and what cannot be.
func TestDivide(t *testing.T) {
	const mib, gib = int64(1 << 20), int64(1 << 30)
	for _, v := range []struct {
		name           string
		set            map[string]string
		machine, group int64
		limit          int64
		memtables      int64
		cache          int64
		requests       int64
		err            string
	}{
		{name: "half of the machine", machine: 16 * gib, limit: 8 * gib, memtables: 2 * gib, cache: 2 * gib, requests: 256 * mib},
		{name: "bounds", machine: 256 * gib, limit: 128 * gib, memtables: 4 * gib, cache: 8 * gib, requests: 256 * mib},
		{name: "a group", machine: 16 * gib, group: 2 * gib, limit: 1536 * mib, memtables: 384 * mib, cache: 384 * mib,
			requests: 192 * mib},
		{name: "a group as large as the machine", machine: gib, group: 2 * gib,
			limit: 512 * mib, memtables: 128 * mib, cache: 128 * mib,
			requests: 64 * mib},
		{name: "unknown", limit: 2 * gib, memtables: 512 * mib, cache: 512 * mib, requests: 256 * mib},
		{name: "small", set: map[string]string{"memory_limit": "128MiB"}, machine: 16 * gib, limit: 128 * mib, memtables: 32 * mib,
			cache: 16 * mib, requests: 16 * mib},
		{name: "by their names", machine: 16 * gib, limit: 8 * gib, memtables: 100 * mib, cache: 60 * mib, requests: 5 * mib,
			set: map[string]string{
				"memtable_heap_space": "64MiB", "memtable_offheap_space": "36MiB", "file_cache_size": "50MiB", "key_cache_size": "10MiB",
				"native_transport_max_request_data_in_flight": "5MiB",
			}},
		{name: "more by its name than there is", set: map[string]string{"memtable_heap_space": "3GiB"}, machine: 4 * gib,
			limit: 4608 * mib, memtables: 3 * gib, cache: 1152 * mib, requests: 256 * mib},
		{name: "no room", set: map[string]string{"memory_limit": "1GiB", "memtable_heap_space": "1GiB"}, err: "no room"},
		{name: "too little", set: map[string]string{"memory_limit": "10MiB"}, err: "at least 64MiB"},
	} {
		t.Run(v.name, func(t *testing.T) {
			cfg := config.Default()
			for name, value := range v.set {
				if known, err := cfg.Set(name, value); !known || err != nil {
					t.Fatal(name, known, err)
				}
			}
			b, err := divide(cfg, v.machine, v.group)
			if v.err != "" {
				if err == nil || !strings.Contains(err.Error(), v.err) {
					t.Errorf("%v, want %q", err, v.err)
				}
				return
			}
			if err != nil || b.limit != v.limit || b.memtables != v.memtables || b.cache != v.cache || b.requests != v.requests {
				t.Errorf("%+v %v", b, err)
			}
			if b.prepared <= 0 || b.prepared > b.limit/preparedPart || b.compactors < 1 || b.heap >= b.limit {
				t.Errorf("%+v", b)
			}
		})
	}
}

// TestCgroupLimit reads the files of both versions of control groups.
func TestCgroupLimit(t *testing.T) {
	for _, v := range []struct {
		name, groups string
		files        map[string]string
		want         int64
	}{
		{"version 2", "0::/a/b\n", map[string]string{"a/b/memory.max": "max\n", "a/memory.max": "1048576\n"}, 1 << 20},
		{"the least", "0::/a/b\n", map[string]string{"a/b/memory.max": "4096\n", "a/memory.max": "1048576\n"}, 4096},
		{"in a container", "0::/\n", map[string]string{"memory.max": "2048\n"}, 2048},
		{"version 1", "5:cpu,memory:/x\n2:cpu:/\n", map[string]string{"memory/x/memory.limit_in_bytes": "77\n",
			"memory.max": "5\n"}, 77},
		{"the group of the host", "4:memory:/docker/1\n", map[string]string{"memory/memory.limit_in_bytes": "88\n"}, 88},
		{"none", "4:memory:/x\n0::/\n", map[string]string{"memory/x/memory.limit_in_bytes": "9223372036854771712\n"}, 0},
		{"other controllers", "4:cpu:/x\n", map[string]string{"memory/x/memory.limit_in_bytes": "1\n"}, 0},
		{"nonsense", "memory\n", nil, 0},
	} {
		dir := t.TempDir()
		for name, text := range v.files {
			if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(dir, "cgroup")
		if err := os.WriteFile(file, []byte(v.groups), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := readCgroupLimit(file, dir); got != v.want {
			t.Errorf("%s: %d, want %d", v.name, got, v.want)
		}
	}
}

// TestSmallNode loads a node that may have 128 MiB, with values that fill its memtables again and again, and holds that it stays
// within them and a tenth more. HELENUS_SMALL says for how long, like 60s; without it that is a moment.
func TestSmallNode(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector takes more memory than the node")
	}
	long := 1500 * time.Millisecond
	if s := os.Getenv("HELENUS_SMALL"); s != "" {
		var err error
		if long, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	n := start(t, command(t, "start", "--port", "0", "--admin-port", "0", "--memory-limit", "128MiB"))
	var most int64
	for _, load := range []bench.Options{
		{Workload: "write", Rows: 50_000, ValueBytes: 4000},
		{Workload: "mixed", Rows: 50_000, ValueBytes: 100},
		{Workload: "read", Rows: 50_000},
	} {
		load.Addr, load.Duration, load.Workers, load.Consistency = n.addr, long, 64, cql.One
		done := make(chan error, 1)
		go func() {
			r, err := bench.Run(context.Background(), load)
			if err == nil && (r.Operations == 0 || r.Errors > 0) {
				err = fmt.Errorf("%d operations, %d errors: %s", r.Operations, r.Errors, r.FirstError)
			}
			done <- err
		}()
		var err error
		for running := true; running; {
			select {
			case err = <-done:
				running = false
			case <-time.After(5 * time.Millisecond):
			}
			now, err := resident(n.cmd.Process.Pid)
			if errors.Is(err, fs.ErrNotExist) {
				t.Skip("what is resident is not known here")
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, n.out.String())
			}
			most = max(most, now)
		}
		if err != nil {
			t.Errorf("%s: %v", load.Workload, err)
		}
		t.Logf("%s: up to %d MiB resident", load.Workload, most>>20)
	}
	if most > 141<<20 {
		t.Errorf("%d MiB were resident of 128", most>>20)
	}
	n.stop(t)
}

// resident returns the bytes of a process that are in memory.
func resident(pid int) (int64, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(text))
	if len(f) < 2 {
		return 0, fmt.Errorf("statm: %q", text)
	}
	pages, err := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
