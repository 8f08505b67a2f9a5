// Command judge runs CQL scripts against a CQL server and compares the answers with what Cassandra said, or records
// what it says now.
//
//	judge [-addr host:port] [-record] [-n 20] [script.cql ...]
//
// Without -addr it starts a Helenus. Without scripts it takes all of oracle/scripts.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/helenusdb/helenus/integration/oracle"
	"github.com/helenusdb/helenus/integration/start"
)

func main() {
	addr := flag.String("addr", "", "host:port of the server; without it a Helenus is started")
	record := flag.Bool("record", false, "write the recordings instead of comparing with them")
	show := flag.Int("n", 1000, "differences to print at most")
	flag.Parse()
	if err := run(*addr, *record, *show, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

func run(addr string, record bool, show int, files []string) error {
	folder := filepath.Join(start.Root(), "integration", "oracle", "scripts")
	all := len(files) == 0
	if all {
		var err error
		if files, err = filepath.Glob(filepath.Join(folder, "*.cql")); err != nil {
			return err
		}
	}
	own := addr == ""
	if own {
		node, err := start.Helenus()
		if err != nil {
			return err
		}
		defer node.Stop()
		addr = node.Address
	}
	deviations, err := oracle.LoadDeviations(filepath.Join(start.Root(), "integration", "DEVIATIONS.md"))
	if err != nil {
		return err
	}
	j := judge{addr: addr, record: record, show: show, deviations: deviations}
	for _, f := range files {
		j.file(f)
	}
	return j.verdict(all && own && !record)
}

// judge adds up what the files brought.
type judge struct {
	addr       string
	record     bool
	show       int
	deviations []*oracle.Deviation

	statements, differences, explained, broken int
}

func (j *judge) file(path string) {
	script, err := oracle.LoadScript(path)
	if err != nil {
		j.fail(err)
		return
	}
	r := oracle.NewRunner(j.addr)
	defer r.Close()
	got, err := r.Run(script)
	j.statements += len(got)
	recording := strings.TrimSuffix(path, ".cql") + ".answers"
	if err != nil {
		j.fail(err)
		if j.record {
			return
		}
	}
	if j.record {
		fmt.Printf("%-24s %4d statements\n", script.Name, len(got))
		if err := os.WriteFile(recording, []byte(oracle.FormatAnswers(got)), 0o644); err != nil {
			j.fail(err)
		}
		return
	}
	want, err := oracle.LoadAnswers(recording)
	if err != nil {
		j.fail(err)
		return
	}
	diffs, err := oracle.Compare(script.Name, want, got, j.deviations)
	if err != nil {
		j.fail(err)
	}
	j.report(script.Name, len(script.Steps), len(got), diffs)
}

func (j *judge) report(name string, steps, got int, diffs []oracle.Difference) {
	bad := 0
	for _, d := range diffs {
		if d.Deviation != nil {
			j.explained++
			continue
		}
		bad++
		j.differences++
		if j.differences <= j.show {
			fmt.Println(d)
		}
	}
	fmt.Printf("%-24s %4d of %4d statements, %4d differ\n", name, got, steps, bad)
}

func (j *judge) fail(err error) {
	j.broken++
	fmt.Println("!", err)
}

// verdict sums up; whole is a run of all scripts against Helenus, which can say that a deviation is no longer one.
func (j *judge) verdict(whole bool) error {
	fmt.Printf("%d statements, %d differ, %d differ on purpose\n", j.statements, j.differences, j.explained)
	stale := 0
	for _, v := range j.deviations {
		if whole && !v.Used() && j.broken == 0 {
			stale++
			fmt.Printf("DEVIATIONS.md:%d: nothing differs like this any more: %s\n", v.Line, v.Statement)
		}
	}
	if j.differences+j.broken+stale > 0 {
		return fmt.Errorf("%d unexplained differences, %d scripts broken off, %d deviations without use",
			j.differences, j.broken, stale)
	}
	return nil
}
