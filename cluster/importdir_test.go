package cluster

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/vfs"
)

// goldenSchema holds the files of system_schema's tables that Cassandra wrote, one folder a table, beside the repository.
const goldenSchema = "../../shared/golden-sstables/live-5.0.6/system_schema"

// TestForeignSchema reads a Cassandra's schema from its files and compares the statements that make it with those that it
// printed itself.
func TestForeignSchema(t *testing.T) {
	if _, err := os.Stat(goldenSchema); err != nil {
		t.Skipf("%s is not there", goldenSchema)
	}
	printed, err := os.ReadFile(filepath.Join(goldenSchema, "describe.cql"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for s := range strings.SplitSeq(string(printed), ";") {
		if at := strings.LastIndex(s, "CREATE "); at >= 0 { // behind a remark on what is compact
			want[strings.TrimSpace(s[at:])] = true
		}
	}
	for _, format := range []string{"nb", "da"} {
		records := schema.Records{}
		for table, keys := range schema.RecordKeys() {
			dir := filepath.Join(goldenSchema, format, table)
			if _, err := os.Stat(dir); err != nil {
				continue
			}
			var err error
			if records[table], err = readRecords(context.Background(), vfs.OS{}, []string{dir}, keys, 1795500000); err != nil {
				t.Fatalf("%s: %v", dir, err)
			}
		}
		changes, left, err := schema.FromRecords(records)
		if err != nil {
			t.Fatal(err)
		}
		s := schema.NewSnapshot()
		for _, c := range changes {
			if s, err = schema.Apply(s, c); err != nil {
				t.Fatalf("%T: %v", c, err)
			}
		}
		descs, err := schema.Describe(s, schema.DescribeDef{Kind: schema.DescribeKeyspace, Keyspace: "golden"})
		if err != nil {
			t.Fatal(err)
		}
		equal := 0
		for _, d := range descs {
			for statement := range strings.SplitSeq(d.Create, ";") {
				statement = strings.TrimSpace(statement)
				switch {
				case statement == "" || strings.HasPrefix(statement, "CREATE KEYSPACE"):
				case format == "da" && strings.Contains(statement, "golden.ttl_2046 "): // only this node had it
				case !want[statement]:
					t.Errorf("%s: not printed by Cassandra:\n%s", format, statement)
				default:
					equal++
				}
			}
		}
		t.Logf("%s: %d statements are equal; left out: %s", format, equal, strings.Join(left, "; "))
		if equal < 30 {
			t.Errorf("%d statements", equal)
		}
	}
}
