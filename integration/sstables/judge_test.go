package sstables

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/integration/oracle"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// batch is how many schemas share a keyspace, and a run of the tools.
const batch = 20

// number returns a setting from the environment.
func number(name string, preset int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return preset
}

// judge returns the Cassandra; the test is skipped when there is to be none.
func judge(t *testing.T) *Judge {
	script := os.Getenv("JUDGE_CASSANDRA")
	if script == "" {
		t.Skip("make sstables starts a Cassandra and sets JUDGE_CASSANDRA")
	}
	j, err := Start(script, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.Close)
	return j
}

// schemas makes the schemas of a batch.
func schemas(keyspace string, first, n int) []*Schema {
	list := make([]*Schema, n)
	for i := range list {
		list[i] = New(keyspace, int64(first+i))
	}
	return list
}

// must runs a statement that is to succeed.
func must(t *testing.T, r *oracle.Runner, statement string) {
	t.Helper()
	lines, err := r.Ask(statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	for _, l := range lines {
		if strings.HasPrefix(l, "error") {
			t.Fatalf("%s: %s", statement, l)
		}
	}
}

// define makes a keyspace with its tables.
func define(t *testing.T, r *oracle.Runner, keyspace string, list []*Schema) {
	must(t, r, "DROP KEYSPACE IF EXISTS "+keyspace)
	must(t, r, "CREATE KEYSPACE "+keyspace+" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	for _, s := range list {
		for _, text := range s.Types {
			must(t, r, text)
		}
		must(t, r, s.Create)
	}
}

// answers runs statements and returns what each was answered.
func answers(t *testing.T, r *oracle.Runner, statements []string) []string {
	t.Helper()
	out := make([]string, len(statements))
	for i, text := range statements {
		lines, err := r.Ask(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		out[i] = strings.Join(lines, "\n")
	}
	return out
}

// compare reports statements that were answered differently.
func compare(t *testing.T, what string, statements, want, got []string) {
	t.Helper()
	for i := range statements {
		if want[i] != got[i] {
			a, b := strings.Split(want[i], "\n"), strings.Split(got[i], "\n")
			k := 0
			for k < min(len(a), len(b)) && a[k] == b[k] {
				k++
			}
			a, b = append(a, "(end)"), append(b, "(end)")
			t.Errorf("%s: %s\nline %d of %d and %d\nwant %.1500s\ngot  %.1500s", what, statements[i], k+1, len(a)-1, len(b)-1, a[k], b[k])
			return
		}
	}
}

// tables opens and checks the tables in a folder.
func tables(t *testing.T, dir string) []*sstable.Reader {
	t.Helper()
	descs, err := sstable.List(vfs.OS{}, dir)
	if err != nil {
		t.Fatal(dir, err)
	}
	var list []*sstable.Reader
	for _, d := range descs {
		r, err := sstable.Open(vfs.OS{}, dir, d)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		t.Cleanup(r.Close)
		if err := r.Verify(); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		list = append(list, r)
	}
	return list
}

// dumps compares what sstabledump and Helenus print of a table.
func dumps(t *testing.T, j *Judge, dir string, r *sstable.Reader) string {
	t.Helper()
	var ours bytes.Buffer
	if err := r.Dump(&ours, sstable.DumpOptions{Now: time.Now().Unix()}); err != nil {
		t.Errorf("%s: %v", dir, err)
	}
	// sstabledump removes a Summary.db that has another interval than the default.
	copied := copyFiles(t, dir)
	metadata(t, j, copied, r)
	theirs, err := j.Tool("dump", copied+"/"+r.Descriptor().File(sstable.CompData))
	if err != nil {
		t.Errorf("%s: %v", dir, err)
	} else if theirs != ours.String() {
		k := 0
		for k < min(len(theirs), ours.Len()) && theirs[k] == ours.Bytes()[k] {
			k++
		}
		t.Errorf("%s: sstabledump differs at %d:\nCassandra %.300s\nHelenus   %.300s", dir, k,
			theirs[max(0, k-100):], ours.String()[max(0, k-100):])
	}
	return ours.String()
}

// passing are the lines of sstablemetadata that depend on the folder and on the time of day.
var passing = regexp.MustCompile("(?m)^(SSTable: |Estimated droppable tombstones: ).*\n")

// metadata compares what sstablemetadata and Helenus tell of a table.
func metadata(t *testing.T, j *Judge, dir string, r *sstable.Reader) {
	t.Helper()
	var b bytes.Buffer
	if err := r.Describe(&b, sstable.DescribeOptions{DropBefore: time.Now().Unix()}); err != nil {
		t.Errorf("%s: %v", dir, err)
	}
	theirs, err := j.Tool("metadata", dir+"/"+r.Descriptor().File(sstable.CompData))
	if err != nil {
		t.Errorf("%s: %v", dir, err)
		return
	}
	a, c := strings.Split(passing.ReplaceAllString(theirs, ""), "\n"), strings.Split(passing.ReplaceAllString(b.String(), ""), "\n")
	for i := range min(len(a), len(c)) {
		if a[i] != c[i] {
			t.Errorf("%s: sstablemetadata differs:\nCassandra %s\nHelenus   %s", dir, a[i], c[i])
			return
		}
	}
	if len(a) != len(c) {
		t.Errorf("%s: sstablemetadata has %d lines, Helenus %d", dir, len(a), len(c))
	}
}

// rewrite writes a table again, by another compressor.
func rewrite(t *testing.T, dir string, r *sstable.Reader, id string, interval int32, how map[string]string) *sstable.Reader {
	t.Helper()
	table := *r.Self().Table()
	st := r.Statistics()
	table.Options = schema.DefaultOptions()
	table.Options.BloomFilterFPChance, table.Options.Compression, table.Options.MinIndexInterval = st.FilterChance, how, interval
	d := sstable.Descriptor{Version: "nb", ID: id, Format: "big"}
	w, err := sstable.NewWriter(vfs.OS{}, dir, d, sstable.WriterOptions{
		Table: &table, Encoding: sstable.EncodingStats{
			MinTimestamp: st.Header.MinTimestamp, MinLocal: st.Header.MinLocal, MinTTL: int32(st.Header.MinTTL),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := r.Self().Scan(sstable.All())
	defer s.Close()
	for p := s.Next(); p != nil; p = s.Next() {
		if err := w.Append(p); err != nil {
			t.Fatal(err)
		}
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	mine, err := sstable.Open(vfs.OS{}, dir, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mine.Close)
	if err := mine.Verify(); err != nil {
		t.Errorf("%s: %v", dir, err)
	}
	return mine
}

// codecs are the compressions of tables that are written again.
var codecs = []map[string]string{
	{"class": "LZ4Compressor"}, {"enabled": "false"}, {"class": "SnappyCompressor", "chunk_length_in_kb": "4"},
	{"class": "ZstdCompressor"}, {"class": "DeflateCompressor", "chunk_length_in_kb": "8"}, {"class": "NoopCompressor"},
	{"class": "LZ4Compressor", "min_compress_ratio": "1.5"}, {"class": "LZ4Compressor", "lz4_compressor_type": "high"},
}

// serve puts tables into the folder of an emptied table of Cassandra, and compares the answers.
func serve(t *testing.T, j *Judge, s *Schema, dir string, want []string) {
	t.Helper()
	must(t, j.Runner, "TRUNCATE "+s.name())
	if _, err := j.Tool("import", s.Keyspace, s.Table, dir); err != nil {
		t.Errorf("%s: %v", s.Create, err)
		return
	}
	compare(t, "Cassandra with our table", s.Reads, want, answers(t, j.Runner, s.Reads))
}

// verify runs sstableverify, which reads the schema from the files of the running node: when these are compacted meanwhile it
// is tried again.
func verify(t *testing.T, j *Judge, list []*Schema) {
	t.Helper()
	for _, s := range list {
		for try := 1; ; try++ {
			if try == 1 && s == list[0] || try > 1 {
				j.CloseTools()
			}
			out, err := j.Tool("verify", s.Keyspace, s.Table)
			if err == nil {
				break
			}
			text := err.Error()
			if try < 4 && (strings.Contains(text, "Unknown keyspace/table") || strings.Contains(text, "system_schema")) {
				continue
			}
			t.Errorf("%s: %v\n%s", s.Create, err, out)
			break
		}
	}
	j.CloseTools()
}

// TestCassandraTables reads the tables that Cassandra has written of random schemas, writes them again, and gives them back.
func TestCassandraTables(t *testing.T) {
	j := judge(t)
	n, first := number("SSTABLES_SCHEMAS", 200), number("SSTABLES_FIRST", 0)
	for at := 0; at < n; at += batch {
		size := min(batch, n-at)
		t.Run(fmt.Sprint(first+at), func(t *testing.T) {
			keyspace := fmt.Sprintf("h1sst_c%d", first+at)
			list := schemas(keyspace, first+at, size)
			begun := time.Now()
			phase := func(name string) {
				t.Logf("%s: %.1f s", name, time.Since(begun).Seconds())
				begun = time.Now()
			}
			define(t, j.Runner, keyspace, list)
			phase("schemas")
			defer must(t, j.Runner, "DROP KEYSPACE "+keyspace)
			refused, files := 0, 0
			want := make([][]string, len(list))
			for i, s := range list {
				for k, a := range answers(t, j.Runner, s.Writes) {
					if strings.HasPrefix(a, "error") {
						if refused++; refused < 5 {
							t.Log(s.Writes[k], a)
						}
					}
				}
				want[i] = answers(t, j.Runner, s.Reads)
			}
			phase("statements")
			for _, ks := range []string{keyspace, "system_schema"} {
				if _, err := j.Tool("flush", ks); err != nil {
					t.Fatal(err)
				}
			}
			phase("flush")
			for i, s := range list {
				dir, err := j.Folder(s)
				if err != nil {
					t.Fatal(err)
				}
				again := t.TempDir()
				for k, r := range tables(t, dir) {
					files++
					dump := dumps(t, j, dir, r)
					mine := rewrite(t, again, r, fmt.Sprint(k+1), 128, codecs[(i+k)%len(codecs)])
					if ours := dumps(t, j, again, mine); ours != dump {
						t.Errorf("%s: the dump of what was written again is another", s.Create)
					}
				}
				serve(t, j, s, again, want[i])
			}
			phase("dumps and imports")
			verify(t, j, list)
			phase("sstableverify")
			t.Log(refused, "statements were refused,", files, "tables")
		})
	}
}
