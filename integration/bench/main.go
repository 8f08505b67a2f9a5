// Command bench measures Helenus, the floor and, where Java and Maven are there, a real Cassandra in one run with the same load, and
// prints the figures as ratios: machines are too noisy for any other.
//
//	go run ./bench [-rounds 3] [-seconds 8] [-warmup 60] [-rows N] [-memtable MIB] [-json FILE] HELENUS
//
// Servers take turns within each round, so that all of them see the same weather; each figure is the median of the rounds.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var (
	rounds  = flag.Int("rounds", 3, "rounds of all servers")
	seconds = flag.Int("seconds", 8, "seconds of each measurement")
	warmup  = flag.Int("warmup", 60, "seconds that Cassandra's compiler is given first")
	report  = flag.String("json", "", "file for all figures")
	skip    = flag.Bool("no-cassandra", false, "leave Cassandra out")
	rows    = flag.Int("rows", 100_000, "rows that are read and written")
	// With little memory for memtables both flush and compact while they are measured, and what they hold is compared after it.
	memtable = flag.Int("memtable", 0, "MiB of memory for memtables of both; 0 leaves it to them")
)

// figures are what one measurement, or the median of several, says.
type figures struct {
	PerSecond float64 `json:"operations_per_second"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	P999      float64 `json:"p999_us"`
	CPU       float64 `json:"server_cpu_us_per_operation"`
	RSS       float64 `json:"rss_mib"`
}

// target is a server under load.
type target struct {
	name, addr string
	pid        int
	ready      time.Duration // from exec to the first accepted connection
	idleRSS    float64       // MiB, when it had just started
	stop       func()
	got        map[string][]figures
	// nodetool runs a verb on the server; data is the folder of its tables.
	nodetool func(args ...string) error
	data     string
	space    float64 // MiB of the tables of the load after a major compaction
}

func main() {
	log.SetFlags(0)
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0)); err != nil {
		log.Fatal("bench: ", err)
	}
}

var workloads = []string{"write", "read", "mixed"}

func run(bin string) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "helenus-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	floor, err := launch("floor", dir, bin, "bench", "floor")
	if err != nil {
		return err
	}
	defer floor.stop()
	config := filepath.Join(dir, "cassandra.yaml")
	if err := os.WriteFile(config, []byte(memtables()), 0o600); err != nil {
		return err
	}
	helenus, err := launch("helenus", dir, bin, "start", "--port", "0", "--data-dir", filepath.Join(dir, "data"), "--config", config,
		"--admin-port", adminPort)
	if err != nil {
		return err
	}
	defer helenus.stop()
	helenus.data = filepath.Join(dir, "data")
	helenus.nodetool = func(args ...string) error {
		return try(exec.Command(bin, append([]string{"nodetool", "-p", adminPort}, args...)...))
	}
	targets := []*target{floor, helenus}
	if cassandra, why := launchCassandra(); cassandra != nil {
		defer cassandra.stop()
		targets = append(targets, cassandra)
		for _, w := range []string{"write", "mixed"} {
			if _, err := cassandra.measure(bin, dir, w, *warmup/2); err != nil {
				return err
			}
		}
	} else {
		fmt.Printf("Cassandra is absent: %s\n", why)
	}
	for round := range *rounds {
		for _, w := range workloads {
			for _, t := range targets {
				f, err := t.measure(bin, dir, w, *seconds)
				if err != nil {
					return err
				}
				fmt.Fprintf(os.Stderr, "round %d %-5s %-9s %8.0f op/s  p99 %6.0f us  CPU %6.1f us/op  RSS %6.0f MiB\n",
					round+1, w, t.name, f.PerSecond, f.P99, f.CPU, f.RSS)
				t.got[w] = append(t.got[w], f)
			}
		}
	}
	if *memtable > 0 {
		for _, t := range targets[1:] {
			if err := t.compact(); err != nil {
				return err
			}
		}
	}
	print(targets)
	return write(targets)
}

// keyspace is where the load keeps its table.
const keyspace = "bench"

// adminPort is where Helenus listens for nodetool.
const adminPort = "17199"

// memtables returns the lines of cassandra.yaml that bound memtables.
func memtables() string {
	if *memtable == 0 {
		return ""
	}
	return fmt.Sprintf("memtable_heap_space: %dMiB\nmemtable_offheap_space: 1MiB\n", *memtable)
}

// try runs a command; its error has what the command said.
func try(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

// compact makes one table of the load's and measures it.
func (t *target) compact() error {
	for _, verb := range []string{"flush", "compact"} {
		if err := t.nodetool(verb, keyspace); err != nil {
			return err
		}
	}
	time.Sleep(2 * time.Second) // what was compacted is removed
	var bytes int64
	err := filepath.WalkDir(t.data, func(path string, d os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil // a table that was compacted is being removed
		}
		if err != nil || d.IsDir() || !strings.Contains(path, "/"+keyspace+"/") {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	t.space = float64(bytes) / (1 << 20)
	return err
}

// launch starts one of our own servers and waits until it takes clients.
func launch(name, dir, bin string, args ...string) (*target, error) {
	ready := filepath.Join(dir, name+".ready")
	cmd := exec.Command(bin, append(args, "--ready-file", ready)...)
	out, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for time.Since(began) < 10*time.Second {
		if b, err := os.ReadFile(ready); err == nil {
			t := &target{name: name, addr: strings.TrimSpace(string(b)), pid: cmd.Process.Pid, ready: time.Since(began), got: map[string][]figures{}}
			t.stop = func() {
				_ = cmd.Process.Signal(syscall.SIGTERM)
				_ = cmd.Wait()
			}
			time.Sleep(time.Second)
			t.idleRSS, err = rss(t.pid)
			return t, err
		}
		time.Sleep(time.Millisecond)
	}
	_ = cmd.Process.Kill()
	text, _ := os.ReadFile(out.Name())
	return nil, fmt.Errorf("%s is not ready:\n%s", name, text)
}

// launchCassandra starts the judge's Cassandra with a larger heap; it says why when it cannot.
func launchCassandra() (*target, string) {
	if *skip {
		return nil, "left out"
	}
	script, err := filepath.Abs(filepath.Join("oracle", "cassandra"))
	if err != nil {
		return nil, err.Error()
	}
	call := func(args ...string) (string, error) {
		cmd := exec.Command(script, args...)
		cmd.Env = append(os.Environ(), "JUDGE_HEAP=4096M", "JUDGE_HOST=127.0.8.2", "JUDGE_YAML="+memtables())
		out, err := cmd.Output()
		if ee, ok := errors.AsType[*exec.ExitError](err); ok {
			return "", fmt.Errorf("%s", strings.TrimSpace(string(ee.Stderr)))
		}
		return strings.TrimSpace(string(out)), err
	}
	began := time.Now()
	if _, err := call("clean"); err != nil {
		return nil, err.Error()
	}
	if _, err := call("start"); err != nil {
		return nil, err.Error()
	}
	ready := time.Since(began)
	stop := func() { _, _ = call("clean") }
	addr, err := call("address")
	if err == nil {
		var pid int
		var text string
		if text, err = call("pid"); err == nil {
			pid, err = strconv.Atoi(text)
		}
		if err == nil {
			t := &target{name: "cassandra", addr: addr, pid: pid, ready: ready, stop: stop, got: map[string][]figures{}}
			t.nodetool = func(args ...string) error {
				port, err := call("jmx")
				if err == nil {
					_, err = call(append([]string{"java", "org.apache.cassandra.tools.NodeTool", "-h", "127.0.0.1", "-p", port}, args...)...)
				}
				return err
			}
			if t.data, err = call("data"); err == nil {
				t.idleRSS, err = rss(pid)
			}
			if err == nil {
				return t, ""
			}
		}
	}
	stop()
	return nil, err.Error()
}

// measure loads a server with 64 workers on 4 connections and reads its processor time beside.
func (t *target) measure(bin, dir, workload string, seconds int) (f figures, err error) {
	out := filepath.Join(dir, "report.json")
	args := []string{"bench", workload, "--addr", t.addr, "--workers", "64", "--connections", "4", "--value", "100", "--rows", strconv.Itoa(*rows), "--quiet",
		"--duration", strconv.Itoa(seconds) + "s", "--json", out}
	if workload != "write" && t.got[workload] == nil && t.name != "floor" {
		args = append(args, "--fill")
	}
	before, err := cpu(t.pid)
	if err != nil {
		return f, err
	}
	if b, err := exec.Command(bin, args...).CombinedOutput(); err != nil {
		return f, fmt.Errorf("%s on %s: %w\n%s", workload, t.name, err, b)
	}
	after, err := cpu(t.pid)
	if err != nil {
		return f, err
	}
	b, err := os.ReadFile(out)
	if err != nil {
		return f, err
	}
	var r struct {
		Operations, Errors int64
		First              string  `json:"first_error"`
		PerSecond          float64 `json:"operations_per_second"`
		P50                float64 `json:"p50_us"`
		P99                float64 `json:"p99_us"`
		P999               float64 `json:"p999_us"`
		Filled             int64   `json:"filled"`
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return f, err
	}
	if r.Errors > 0 {
		return f, fmt.Errorf("%s on %s: %d errors: %s", workload, t.name, r.Errors, r.First)
	}
	f = figures{PerSecond: r.PerSecond, P50: r.P50, P99: r.P99, P999: r.P999, CPU: (after - before).Seconds() * 1e6 / float64(r.Operations+r.Filled)}
	f.RSS, err = rss(t.pid)
	return f, err
}

// cpu returns the processor time that a process has used. Source: proc(5).
func cpu(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+2:]))
	user, err := strconv.ParseInt(f[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(f[12], 10, 64)
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go supports
	return time.Duration(user+system) * tick, err
}

// rss returns the resident memory of a process in MiB.
func rss(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS of process %d", pid)
}

func (t *target) median(workload string) figures {
	at := func(f func(figures) float64) float64 {
		var v []float64
		for _, x := range t.got[workload] {
			v = append(v, f(x))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	return figures{
		at(func(f figures) float64 { return f.PerSecond }), at(func(f figures) float64 { return f.P50 }), at(func(f figures) float64 { return f.P99 }),
		at(func(f figures) float64 { return f.P999 }), at(func(f figures) float64 { return f.CPU }), at(func(f figures) float64 { return f.RSS }),
	}
}

func print(targets []*target) {
	fmt.Printf("\n64 workers on 4 connections, 100-byte values, consistency ONE, median of %d rounds of %d s\n\n", *rounds, *seconds)
	fmt.Println("workload  server        op/s   p50 us   p99 us  p99.9 us  CPU us/op  RSS MiB")
	for _, w := range workloads {
		for _, t := range targets {
			f := t.median(w)
			fmt.Printf("%-9s %-10s %7.0f  %7.0f  %7.0f  %8.0f  %9.1f  %7.0f\n", w, t.name, f.PerSecond, f.P50, f.P99, f.P999, f.CPU, f.RSS)
		}
	}
	fmt.Println("\nserver      ready ms  idle RSS MiB")
	for _, t := range targets {
		fmt.Printf("%-10s  %8d  %12.1f\n", t.name, t.ready.Milliseconds(), t.idleRSS)
	}
	if *memtable > 0 {
		fmt.Printf("\n%d MiB for memtables, %d rows; tables after a major compaction:\n", *memtable, *rows)
		for _, t := range targets[1:] {
			fmt.Printf("%-10s  %8.1f MiB\n", t.name, t.space)
		}
	}
	floor, helenus := targets[0], targets[1]
	for _, w := range workloads {
		h, f := helenus.median(w), floor.median(w)
		fmt.Printf("\n%-6s against the floor:    CPU %.1fx", w, h.CPU/f.CPU)
		if len(targets) > 2 {
			c := targets[2].median(w)
			fmt.Printf("\n%-6s against Cassandra:    op/s %.1fx, p99 %.2fx, CPU %.2fx", w, h.PerSecond/c.PerSecond, h.P99/c.P99, h.CPU/c.CPU)
		}
	}
	fmt.Println()
}

// write keeps the medians in the file that -json names.
func write(targets []*target) error {
	if *report == "" {
		return nil
	}
	type server struct {
		ReadyMs   int64              `json:"ready_ms"`
		IdleRSS   float64            `json:"idle_rss_mib"`
		Workloads map[string]figures `json:"workloads"`
	}
	all := map[string]server{}
	for _, t := range targets {
		s := server{t.ready.Milliseconds(), t.idleRSS, map[string]figures{}}
		for _, w := range workloads {
			s.Workloads[w] = t.median(w)
		}
		all[t.name] = s
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(*report, append(b, '\n'), 0o644)
}
