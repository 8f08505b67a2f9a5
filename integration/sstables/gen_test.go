package sstables

import "testing"

// TestNew makes schemas, each from its seed alone.
func TestNew(t *testing.T) {
	kinds := map[string]bool{}
	for seed := range int64(300) {
		a, b := New("ks", seed), New("ks", seed)
		if a.Create != b.Create || len(a.Writes) != len(b.Writes) || a.Writes[len(a.Writes)-1] != b.Writes[len(b.Writes)-1] {
			t.Fatal(seed, "is not the same twice")
		}
		for _, list := range [][]*field{a.partition, a.clustering, a.static, a.regular} {
			for _, f := range list {
				kinds[f.kind.name] = true
			}
		}
	}
	for _, name := range append(natives, "list", "set", "map", "tuple", "udt", "vector", "counter") {
		if !kinds[name] {
			t.Error("no column of", name)
		}
	}
}
