package sstable

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// vectors is the part of Cassandra's vectors that this package has to reproduce: values in ascending order with their
// byte-comparable forms, and the hashes and bits of one filter.
type vectors struct {
	Order map[string]struct {
		Class     string       `json:"class"`
		Ascending [][3]*string `json:"ascending"`
	} `json:"order"`
}

// TestComparable compares byte-comparable forms with Cassandra's.
func TestComparable(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(goldenRoot, "vectors.json"))
	if err != nil {
		t.Skip("the vectors are not there")
	}
	var vs vectors
	if err := json.Unmarshal(b, &vs); err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, o := range vs.Order {
		ct, err := parseColumnType(o.Class)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, v := range o.Ascending {
			value := unhex(t, *v[1])
			got := appendComponent(nil, ct.typ, append([]byte{}, value...), false)
			want := []byte{nextEmpty}
			if v[2] != nil {
				want = append([]byte{nextComponent}, unhex(t, *v[2])...)
			}
			if n++; !bytes.Equal(got, want) {
				t.Errorf("%s %s (%x) gives %x, want %x", name, *v[0], value, got, want)
			}
		}
	}
	if n < 300 {
		t.Errorf("%d values only", n)
	}
}
