package sstable

import "testing"

// TestGoldenVerify finds nothing wrong with what Cassandra wrote.
func TestGoldenVerify(t *testing.T) {
	for _, g := range goldens(t) {
		if err := g.open(t).Verify(); err != nil {
			t.Errorf("%s: %v", g, err)
		}
	}
}
