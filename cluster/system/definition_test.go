package system

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
)

func golden(t *testing.T, name string) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// compare reports the lines that only one of two sorted lists has.
func compare(t *testing.T, got, want []string) {
	t.Helper()
	for _, l := range want {
		if !slices.Contains(got, l) {
			t.Errorf("missing: %s", l)
		}
	}
	for _, l := range got {
		if !slices.Contains(want, l) {
			t.Errorf("not Cassandra's: %s", l)
		}
	}
}

// TestColumns compares all columns with system_schema.columns and system_virtual_schema.columns of Cassandra 5.0.6.
func TestColumns(t *testing.T) {
	var got []string
	n := schema.NewSnapshot(Keyspaces()...)
	real, _ := schema.SystemRows(n, "columns")
	virtual, _ := schema.VirtualRows(n, "columns")
	for _, r := range append(real, virtual...) {
		if string(r[2]) != string(r[4]) {
			t.Errorf("column_name_bytes of %s is %q", r[2], r[4])
		}
		got = append(got, fmt.Sprintf("%s | %s | %s | %s | %s | %d | %s", r[0], r[1], r[2], r[3], r[5], int8(r[6][3]), r[7]))
	}
	compare(t, got, golden(t, "columns.golden"))
}

// TestIDs compares the ids of the real tables; those of virtual ones stand in TestDescribe.
func TestIDs(t *testing.T) {
	var got []string
	for _, k := range Keyspaces() {
		for _, table := range k.Tables {
			if !k.Virtual {
				got = append(got, k.Name+"."+table.Name+" "+table.ID.String())
			}
		}
	}
	compare(t, got, golden(t, "ids.golden"))
}

// TestDescribe compares what DESCRIBE KEYSPACE prints, without and WITH INTERNALS: columns, options, comments and ids.
func TestDescribe(t *testing.T) {
	n := schema.NewSnapshot(Keyspaces()...)
	var got []string
	for _, k := range Keyspaces() {
		for _, internals := range []bool{false, true} {
			rows, err := schema.Describe(n, schema.DescribeDef{Kind: schema.DescribeKeyspace, Name: k.Name, Internals: internals})
			if err != nil {
				t.Fatal(err)
			}
			how := map[bool]string{false: "plain ", true: "internals "}[internals]
			for _, r := range rows {
				got = append(got, how+strings.Join([]string{r.Keyspace, r.Type, r.Name, strings.ReplaceAll(r.Create, "\n", `\n`)}, " | "))
			}
		}
	}
	want := golden(t, "describe.golden")
	if len(got) != len(want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("row %d\n got: %s\nwant: %s", i, got[i], want[i])
		}
	}
}

// TestStored holds which tables the engine keeps.
func TestStored(t *testing.T) {
	for _, k := range Keyspaces() {
		for _, table := range k.Tables {
			want := slices.Contains([]string{"system_auth", "system_distributed", "system_traces"}, k.Name)
			if Stored(table) != want {
				t.Errorf("%s.%s: stored %t", k.Name, table.Name, !want)
			}
		}
	}
}

func TestSettingsText(t *testing.T) {
	all := DefaultSettings()
	if len(all) != 603 {
		t.Errorf("%d settings", len(all))
	}
	if v := all["read_request_timeout"]; v == nil || *v != "5000ms" {
		t.Errorf("read_request_timeout = %v", v)
	}
	if all["broadcast_address"] != nil || *all["audit_logging_options.archive_command"] != "" {
		t.Error("null and empty are mixed up")
	}
}
