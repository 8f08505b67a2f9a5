// Command clients drives seven real clients against a CQL server and prints a table of client by protocol version:
// passed, failed, absent.
//
//	clients [-addr host:port] [-only java,rust] [-quick] [-v]
//
// Without -addr it starts a Helenus. What a client needs (packages of pip, npm, Maven and cargo) goes into .cache at the
// root of the repository and stays there; a client whose toolchain is missing is absent, with the reason. With -quick
// nothing is installed (what was not before is absent) and each client runs once, as it connects by default.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/integration/clients/check"
	"github.com/helenusdb/helenus/integration/start"
)

func main() {
	addr := flag.String("addr", "", "host:port of the server; without it a Helenus is started")
	only := flag.String("only", "", "clients to run, with commas between; without it all")
	t := &table{}
	flag.BoolVar(&t.quick, "quick", false, "install nothing, run each client once")
	flag.BoolVar(&t.verbose, "v", false, "print every check")
	flag.Parse()
	ok, err := run(*addr, *only, t)
	if err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func run(addr, only string, t *table) (bool, error) {
	if addr == "" {
		node, err := start.Helenus()
		if err != nil {
			return false, err
		}
		defer node.Stop()
		addr = node.Address
	}
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return false, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return false, err
	}
	for _, c := range clients() {
		if only == "" || slices.Contains(strings.Split(only, ","), c.name) {
			t.client(c, host, port)
		}
	}
	t.print(os.Stdout)
	return t.failed == 0, nil
}

// table collects what the clients' runs brought.
type table struct {
	quick   bool
	verbose bool
	rows    []row
	notes   []string
	failed  int
}

// row is one client: per version what passed and failed, or why it is absent.
type row struct {
	client string
	absent string
	cells  map[int]cell
}

// cell adds up the runs of one version, one per compression.
type cell struct {
	runs, passed, failed, cannot int
}

func (t *table) client(c client, host string, port int) {
	r := row{client: c.name, cells: map[int]cell{}}
	if err := c.install(installer{there: t.quick}); err != nil {
		r.absent = err.Error()
		t.rows = append(t.rows, r)
		return
	}
	versions := c.versions
	if t.quick {
		versions = versions[:1]
	}
	for _, version := range versions {
		for _, compression := range c.compressions(version) {
			want := check.Want{Host: host, Port: port, Version: version, Compression: compression}
			results, err := c.run(want)
			t.add(&r, want, results, err)
		}
	}
	t.rows = append(t.rows, r)
}

func (t *table) add(r *row, want check.Want, results []check.Result, err error) {
	where := fmt.Sprintf("%s %s %s", r.client, versionName(want.Version), orDefault(want.Compression))
	results = complete(results, err)
	c := r.cells[want.Version]
	c.runs++
	for _, res := range results {
		switch res.State {
		case check.OK:
			c.passed++
		case check.Cannot:
			c.cannot++
			if c.runs == 1 && len(r.cells) == 0 {
				t.notes = append(t.notes, fmt.Sprintf("%s cannot %s: %s", r.client, res.Name, res.Reason))
			}
		default:
			c.failed++
			t.failed++
			t.notes = append(t.notes, fmt.Sprintf("%s FAILED %s: %s", where, res.Name, res.Reason))
		}
		if t.verbose {
			fmt.Printf("%s\t%s\t%s\t%s\n", where, res.Name, res.State, res.Reason)
		}
	}
	r.cells[want.Version] = c
	fmt.Fprintf(os.Stderr, "%s: %d of %d\n", where, countOK(results), len(check.Names))
}

// complete adds the checks that a run did not come to.
func complete(results []check.Result, err error) []check.Result {
	why := "the run ended before it"
	if err != nil {
		why += ": " + err.Error()
	}
	for _, name := range check.Names {
		if !slices.ContainsFunc(results, func(r check.Result) bool { return r.Name == name }) {
			results = append(results, check.Result{Name: name, State: check.Failed, Reason: why})
		}
	}
	return results
}

func countOK(results []check.Result) int {
	n := 0
	for _, r := range results {
		if r.State == check.OK {
			n++
		}
	}
	return n
}

func versionName(v int) string {
	if v == 0 {
		return "default"
	}
	return "v" + strconv.Itoa(v)
}

func orDefault(s string) string {
	if s == "" {
		return "default"
	}
	return s
}

// print writes the table: checks passed of those the client can do, over all compressions.
func (t *table) print(w *os.File) {
	fmt.Fprintf(w, "\n%-8s", "client")
	versions := []int{0, 3, 4, 5}
	for _, v := range versions {
		fmt.Fprintf(w, " %-18s", versionName(v))
	}
	fmt.Fprintln(w)
	for _, r := range t.rows {
		fmt.Fprintf(w, "%-8s", r.client)
		if r.absent != "" {
			fmt.Fprintf(w, " absent: %s\n", r.absent)
			continue
		}
		for _, v := range versions {
			fmt.Fprintf(w, " %-18s", r.cells[v])
		}
		fmt.Fprintln(w)
	}
	for _, n := range t.notes {
		fmt.Fprintln(w, n)
	}
}

// String is what stands in the table.
func (c cell) String() string {
	switch {
	case c.runs == 0:
		return "-"
	case c.failed == 0:
		return fmt.Sprintf("%d passed", c.passed)
	}
	return fmt.Sprintf("%d passed %d FAILED", c.passed, c.failed)
}
