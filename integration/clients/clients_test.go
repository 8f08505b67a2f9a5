package main

import (
	"net"
	"strconv"
	"testing"

	"github.com/helenusdb/helenus/integration/clients/check"
	"github.com/helenusdb/helenus/integration/start"
)

// TestGoClients runs the checks of the two clients that need nothing but Go, and says which others were not run.
func TestGoClients(t *testing.T) {
	node, err := start.Helenus()
	if err != nil {
		t.Fatal(err)
	}
	defer node.Stop()
	host, portText, err := net.SplitHostPort(node.Address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range clients() {
		if i >= 2 {
			t.Logf("%s was not run: it is installed and run by make clients", c.name)
			continue
		}
		for _, version := range c.versions {
			for _, compression := range c.compressions(version) {
				results, err := c.run(check.Want{Host: host, Port: port, Version: version, Compression: compression})
				for _, r := range complete(results, err) {
					if r.State != check.OK && r.State != check.Cannot {
						t.Errorf("%s %s %s: %s: %s", c.name, versionName(version), orDefault(compression), r.Name, r.Reason)
					}
				}
			}
		}
	}
}
