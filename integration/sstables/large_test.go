package sstables

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/storage/sstable"
)

// TestLargeTable writes again a table of so many partitions that its HyperLogLog has registers, with one partition that is
// indexed within, and times of deletion that do not fit the histogram. What can be the same is the same bytes.
func TestLargeTable(t *testing.T) {
	j := judge(t)
	const keyspace = "h1sst_large"
	must(t, j.Runner, "DROP KEYSPACE IF EXISTS "+keyspace)
	must(t, j.Runner, "CREATE KEYSPACE "+keyspace+" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	defer must(t, j.Runner, "DROP KEYSPACE "+keyspace)
	s := &Schema{Keyspace: keyspace, Table: "t"}
	must(t, j.Runner, "CREATE TABLE "+s.name()+" (p int, c int, s int static, v text, PRIMARY KEY (p, c)) "+
		"WITH min_index_interval = 64")
	for at := 0; at < 10_000; at += 50 {
		var b strings.Builder
		b.WriteString("BEGIN UNLOGGED BATCH ")
		for i := at; i < at+50; i++ {
			fmt.Fprintf(&b, "INSERT INTO %s (p, c, v) VALUES (%d, %d, 'value %d') USING TTL %d; ", s.name(), i, i%7, i, 30_000_000+100*i)
		}
		must(t, j.Runner, b.String()+"APPLY BATCH")
	}
	for at := 0; at < 3000; at += 50 {
		var b strings.Builder
		b.WriteString("BEGIN UNLOGGED BATCH ")
		for i := at; i < at+50; i++ {
			fmt.Fprintf(&b, "INSERT INTO %s (p, c, v) VALUES (5, %d, '%064d'); ", s.name(), i, i)
		}
		fmt.Fprintf(&b, "DELETE FROM %s WHERE p = 5 AND c > %d AND c < %d; ", s.name(), 10000+at, 10030+at)
		must(t, j.Runner, b.String()+"APPLY BATCH")
	}
	if _, err := j.Tool("flush", keyspace); err != nil {
		t.Fatal(err)
	}
	dir, err := j.Folder(s)
	if err != nil {
		t.Fatal(err)
	}
	again := t.TempDir()
	list := tables(t, dir)
	if len(list) != 1 {
		t.Fatal(len(list), "tables")
	}
	r := list[0]
	mine := rewrite(t, again, r, "1", 64, map[string]string{"class": "LZ4Compressor"})
	read := func(dir string, r *sstable.Reader, component string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, r.Descriptor().File(component)))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []string{sstable.CompIndex, sstable.CompFilter, sstable.CompSummary} {
		if a, b := read(dir, r, c), read(again, mine, c); !bytes.Equal(a, b) {
			t.Errorf("%s of %d bytes differs from that of Cassandra with %d", c, len(b), len(a))
		}
	}
	a, b := r.Statistics(), mine.Statistics()
	if !bytes.Equal(a.Cardinality, b.Cardinality) {
		t.Errorf("cardinality\n%x\nof Cassandra\n%x", b.Cardinality[:100], a.Cardinality[:100])
	}
	points := func(list []sstable.DropTime) (count int64, mean float64) {
		for _, d := range list {
			count += d.Count
			mean += d.Second * float64(d.Count)
		}
		return count, mean / float64(count)
	}
	wantCount, wantMean := points(a.Stats.DropTimes)
	count, mean := points(b.Stats.DropTimes)
	if count != wantCount || math.Abs(mean-wantMean) > 3600 || len(b.Stats.DropTimes) != len(a.Stats.DropTimes) {
		t.Errorf("drop times: %d of mean %f in %d bins, of Cassandra %d, %f, %d", count, mean, len(b.Stats.DropTimes),
			wantCount, wantMean, len(a.Stats.DropTimes))
	}
	serve(t, j, s, again, nil)
}
