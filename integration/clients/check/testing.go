package check

import (
	"fmt"
	"net"
	"strconv"
	"testing"

	"github.com/helenusdb/helenus/integration/start"
)

// Test runs a client that is a Go package against a freshly started Helenus (or the server at HELENUS_ADDR): every
// version, with each compression that it has.
func Test(t *testing.T, versions []int, run func(Want) []Result) {
	node, err := start.Server()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Stop(); err != nil {
			t.Error(err)
		}
	})
	host, portText, err := net.SplitHostPort(node.Address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range versions {
		for _, compression := range Compressions(version) {
			t.Run(fmt.Sprintf("v%d %s", version, compression), func(t *testing.T) {
				for _, r := range run(Want{Host: host, Port: port, Version: version, Compression: compression}) {
					if r.State == Failed {
						t.Errorf("%s: %s", r.Name, r.Reason)
					}
				}
			})
		}
	}
}

// Compressions are those to try with a version, the default version with the client's default; v5 has no snappy.
func Compressions(version int) []string {
	switch version {
	case 0:
		return []string{""}
	case 5:
		return []string{"none", "lz4"}
	}
	return []string{"none", "lz4", "snappy"}
}
