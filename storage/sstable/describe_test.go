package sstable

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDescribe compares the description of tables with what Cassandra's sstablemetadata printed, line by line. The files
// begin with the second at which it began; what can be dropped depends on the time, so that line is compared with those of
// the following seconds.
func TestDescribe(t *testing.T) {
	compared := 0
	for _, g := range goldens(t) {
		stored, err := os.ReadFile(filepath.Join(g.dir, "meta-"+g.desc.ID+".txt"))
		if err != nil {
			continue
		}
		compared++
		var began int64
		head, want, _ := strings.Cut(string(stored), "\n")
		if _, err := fmt.Sscanf(head, "# %d", &began); err != nil {
			t.Fatal(err)
		}
		r := g.open(t)
		r.dir = ""
		var got string
		for now := began; now < began+30; now++ {
			var out bytes.Buffer
			if err := r.Describe(&out, DescribeOptions{DropBefore: now}); err != nil {
				t.Fatal(err)
			}
			if got = out.String(); got == want {
				break
			}
		}
		if got != want {
			t.Errorf("%s:%s", g, firstDifference([]byte(got), []byte(want)))
		}
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
	t.Log(compared, "tables")
}

// TestJavaDate has what java.text.SimpleDateFormat printed of the timestamps in the golden table timestamps.
func TestJavaDate(t *testing.T) {
	d := describer{o: DescribeOptions{Unit: time.Microsecond, Location: time.UTC}}
	for v, want := range map[int64]string{
		0:                    "-- (0)",
		1:                    "01/01/1970 00:00:00 (1)",
		9223372036854775807:  "01/10/294247 04:00:54 (9223372036854775807)",
		-9223372036854775807: "12/10/290303 19:59:05 (-9223372036854775807)",
	} {
		if got := d.timestamp(v); got != want {
			t.Errorf("%d: got %q, want %q", v, got, want)
		}
	}
}
