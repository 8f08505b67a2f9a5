// Command storagebench compares Helenus's storage engine, used as a library, with Pebble on the same work, in one run, and
// prints the ratios of CPU per operation, acknowledgements and rows a second, collector's share and memory beside their
// gates. Each run of an engine is a process of its own; runs alternate, so that a machine that slows down slows both, and
// medians are compared. Ratios are what counts: the same program on another machine gives other figures.
//
// Source of the table: storage.md 7.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"time"
)

// sizes is how much work a run does.
type sizes struct {
	Rows, Gets, Wide int
	Durable          time.Duration // of each durable measurement
	MemtableMiB      int
	CacheMiB         int
}

func main() {
	rows := flag.Int("rows", 5_000_000, "rows of 16 bytes of key and 100 of value")
	runs := flag.Int("runs", 3, "runs of each engine")
	quick := flag.Bool("quick", false, "a look in about 20 s: 300,000 rows, one run of each")
	dir := flag.String("dir", "", "folder for the data; a new one in the system's by default")
	profile := flag.String("profile", "", "folder for CPU profiles of each phase, made by pprof")
	worker := flag.String("worker", "", "used by the program itself: run one engine and print its figures")
	only := flag.String("only", "", "run one engine alone: helenus or pebble")
	phases := flag.String("phases", "", "run only the phases that contain this")
	memtable := flag.Int("memtable", 256, "MiB of memtables")
	cache := flag.Int("cache", 2048, "MiB of block cache")
	flag.Parse()
	s := sizes{Rows: *rows, Gets: *rows / 2, Wide: *rows / 5, Durable: 4 * time.Second, MemtableMiB: *memtable, CacheMiB: *cache}
	if *quick {
		*runs = 1
		s = sizes{Rows: 300_000, Gets: 300_000, Wide: 100_000, Durable: time.Second, MemtableMiB: 16, CacheMiB: *cache}
	}
	if *worker != "" {
		figures, err := work(*worker, *dir, *profile, *phases, s)
		if err != nil {
			fatal(err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(figures); err != nil {
			fatal(err)
		}
		return
	}
	engines := []string{"pebble", "helenus"}
	if *only != "" {
		engines = []string{*only}
	}
	results := map[string][]map[string]figure{}
	for i := range *runs {
		for _, e := range engines {
			fmt.Fprintf(os.Stderr, "run %d of %d: %s\n", i+1, *runs, e)
			f, err := child(e, *dir)
			if err != nil {
				fatal(fmt.Errorf("%s: %w", e, err))
			}
			results[e] = append(results[e], f)
		}
	}
	fmt.Printf("%d rows, %d gets, %d rows of one partition; memtables %d MiB, cache %d MiB; GOMAXPROCS %d; median of %d\n\n",
		s.Rows, s.Gets, s.Wide, s.MemtableMiB, s.CacheMiB, runtime.GOMAXPROCS(0), *runs)
	report(results)
}

// child runs one engine in a process of its own, in a folder that is removed.
func child(engine, dir string) (map[string]figure, error) {
	tmp, err := os.MkdirTemp(dir, "storagebench-"+engine+"-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := append(append([]string{}, os.Args[1:]...), "-worker", engine, "-dir", tmp)
	cmd := exec.Command(self, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var f map[string]figure
	return f, json.Unmarshal(out, &f)
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "storagebench:", err)
	os.Exit(1)
}

// profiled runs f with a CPU profile written to folder/name, when there is a folder.
func profiled(folder, name string, f func() error) error {
	if folder == "" {
		return f()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	out, err := os.Create(folder + "/" + name + ".pprof")
	if err != nil {
		return err
	}
	defer out.Close()
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return f()
}
