// Command suites runs the drivers' own integration tests against a CQL server and lists what fails, with its reason, of
// what passes on Cassandra.
//
//	suites [-addr host] [-only gocql1,gocql2,node] [-record]
//
// The server's keyspaces are dropped. Without -addr it starts a Helenus at 127.0.7.1:9042; the suites know no other port.
// What passes on Cassandra is kept in baseline/; -record writes it anew from a run against one (in data center dc1, with
// user functions and views allowed).
//
// The sources come from the Go module cache and, for Node.js, from NODE_DRIVER_SOURCE or a clone of the driver's
// repository, since its npm package has no tests.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/helenusdb/helenus/integration/start"
)

// listenAddress is where the Helenus of this run listens, at the port and in the data center that the suites expect.
const listenAddress = "127.0.7.1"

// nobody is an address where nothing listens.
const nobody = "127.0.7.99"

func main() {
	addr := flag.String("addr", "", "host of the server, which listens at 9042; without it a Helenus is started")
	only := flag.String("only", "", "suites to run, with commas between; without it all")
	record := flag.Bool("record", false, "write what passes as the baseline")
	flag.Parse()
	ok, err := run(*addr, *only, *record)
	if err != nil {
		fmt.Fprintln(os.Stderr, "suites:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// suite is one driver's tests.
type suite struct {
	name string
	need int                                        // tests of the baseline that must pass
	run  func(host string) (map[string]test, error) // an error says why the suite is absent
}

// test is the outcome of one.
type test struct {
	state  string // PASS, FAIL or SKIP
	reason string
}

func suites() []suite {
	return []suite{
		{"gocql1", 75, gocqlSuite{module: "github.com/gocql/gocql", version: "v1.7.0", proto: 4}.run},
		{"gocql2", 100, gocqlSuite{module: "github.com/apache/cassandra-gocql-driver/v2", version: "v2.1.2", proto: 5}.run},
		{"node", 320, node},
	}
}

func run(addr, only string, record bool) (bool, error) {
	if addr == "" {
		n, err := start.Helenus("--listen-address", listenAddress, "--port", "9042", "--dc", "dc1", "--rack", "r1")
		if err != nil {
			return false, err
		}
		defer n.Stop()
		addr = listenAddress
	}
	good := true
	for _, s := range suites() {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.name) {
			continue
		}
		got, err := s.run(addr)
		if err != nil {
			fmt.Printf("%s: absent: %v\n", s.name, err)
			continue
		}
		if record {
			// What passes where nobody listens says nothing of a server.
			alone, err := s.run(nobody)
			if err != nil {
				return false, err
			}
			for name, t := range alone {
				if t.state == "PASS" {
					delete(got, name)
				}
			}
		}
		ok, err := judge(s, got, record)
		if err != nil {
			return false, err
		}
		good = good && ok
	}
	return good, nil
}

// judge compares a run with the baseline, or makes it the baseline.
func judge(s suite, got map[string]test, record bool) (bool, error) {
	path := filepath.Join(start.Root(), "integration", "suites", "baseline", s.name+".txt")
	names := make([]string, 0, len(got))
	for name := range got {
		names = append(names, name)
	}
	sort.Strings(names)
	if record {
		var b strings.Builder
		for _, name := range names {
			if got[name].state == "PASS" {
				fmt.Fprintln(&b, name)
			} else {
				fmt.Printf("%s: %s %s: %s\n", s.name, got[name].state, name, got[name].reason)
			}
		}
		fmt.Printf("%s: %d of %d pass\n", s.name, strings.Count(b.String(), "\n"), len(names))
		return true, os.WriteFile(path, []byte(b.String()), 0o644)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	baseline := strings.Split(strings.TrimSpace(string(data)), "\n")
	passed := 0
	for _, name := range baseline {
		t, ran := got[name]
		switch {
		case t.state == "PASS":
			passed++
		case !ran:
			fmt.Printf("%s: FAIL %s: did not run\n", s.name, name)
		default:
			fmt.Printf("%s: %s %s: %s\n", s.name, t.state, name, t.reason)
		}
	}
	more := 0
	for _, name := range names {
		if got[name].state == "PASS" && !slices.Contains(baseline, name) {
			more++
		}
	}
	fmt.Printf("%s: %d of the %d that pass on Cassandra pass, %d wanted; %d others pass\n",
		s.name, passed, len(baseline), s.need, more)
	return passed >= s.need, nil
}
