package sstable

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestUvint reads and writes numbers as Cassandra's VIntCoding does.
func TestUvint(t *testing.T) {
	for _, c := range []struct {
		v uint64
		b string
	}{
		{0, "00"}, {127, "7f"}, {128, "8080"}, {16383, "bfff"}, {16384, "c04000"}, {2097151, "dfffff"}, {1 << 32, "f100000000"},
		{1<<56 - 1, "feffffffffffffff"}, {1 << 56, "ff0100000000000000"}, {1<<64 - 1, "ffffffffffffffffff"},
	} {
		if got := appendUvint(nil, c.v); !bytes.Equal(got, unhex(t, c.b)) {
			t.Errorf("%d is written as %x, want %s", c.v, got, c.b)
		}
		cur := cursor{b: unhex(t, c.b)}
		if got := cur.uvint(); got != c.v || cur.err != nil || cur.left() != 0 {
			t.Errorf("%s is read as %d with %v", c.b, got, cur.err)
		}
		cur = cursor{b: unhex(t, c.b)[:len(c.b)/2-1]}
		if cur.uvint(); cur.err == nil || cur.need == 0 {
			t.Errorf("%s without its last byte is read without an error", c.b)
		}
	}
}

// TestParseFile splits names as Cassandra makes them and refuses others.
func TestParseFile(t *testing.T) {
	for name, want := range map[string]string{
		"nb-1-big-Data.db": "nb-1-big Data.db",
		"oa-3h5q_0iff_1unp62qdw954v80wix-big-CompressionInfo.db": "oa-3h5q_0iff_1unp62qdw954v80wix-big CompressionInfo.db",
		"da-11-bti-Partitions.db":                                "da-11-bti Partitions.db",
		"nb-1-bti-Data.db":                                       "",
		"nc-1-big-Data.db":                                       "",
		"nb-1-big":                                               "",
		"nb--big-Data.db":                                        "",
		"nb_txn_flush_1.log":                                     "",
	} {
		d, component, err := ParseFile(name)
		if got := d.String() + " " + component; (err == nil) != (want != "") || err == nil && (got != want || d.File(component) != name) {
			t.Errorf("%s gives %q, %v", name, got, err)
		}
	}
}
