package main

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage"
	"github.com/helenusdb/helenus/storage/vfs"
)

// goldenLive holds what a Cassandra wrote, one folder a table and format, with the rows that its driver read, beside the
// repository.
const goldenLive = "../../../shared/golden-sstables/live-5.0.6"

// goldenRows is rows.json: of each row the values as text, then in hexadecimal.
type goldenRows struct {
	Table   string
	Columns []struct{ Name string }
	Rows    [][][]any
}

// hex returns the values of a row in hexadecimal, "null" for null and "*" for one that is told as text alone.
func (g *goldenRows) hex(row int) []string {
	out := make([]string, len(g.Columns))
	for i := range out {
		s, ok := g.Rows[row][1][i].(string)
		switch {
		case ok:
			out[i] = s
		case g.Rows[row][0][i] != nil:
			out[i] = "*"
		default:
			out[i] = "null"
		}
	}
	return out
}

// dataDirectory puts golden tables of a format together as the data directory that they came from.
func dataDirectory(t *testing.T, format string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	place := func(from, to string) {
		if err := os.MkdirAll(to, 0o700); err != nil {
			t.Fatal(err)
		}
		names, err := os.ReadDir(from)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			if !n.Type().IsRegular() { // indexes have folders of their own
				continue
			}
			b, err := os.ReadFile(filepath.Join(from, n.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(to, n.Name()), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	system := filepath.Join(goldenLive, "system_schema", format)
	tables, err := os.ReadDir(system)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		place(filepath.Join(system, table.Name()), filepath.Join(dir, "system_schema", table.Name()+"-"+strings.Repeat("0", 32)))
	}
	err = storage.ReadFolders(context.Background(), vfs.OS{}, []string{filepath.Join(system, "tables")}, []string{"keyspace_name", "table_name"}, 0,
		func(values map[string][]byte) error {
			name := string(values["table_name"])
			folder := map[string]string{"MixedCase": "quoted", "table": "reserved"}[name]
			if folder == "" {
				folder = name
			}
			from := filepath.Join(goldenLive, folder, format)
			if _, err := os.Stat(from); err == nil && string(values["keyspace_name"]) == "golden" {
				place(from, filepath.Join(dir, "golden", fmt.Sprintf("%s-%x", name, values["id"])))
			}
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestImportGolden imports a Cassandra's data directory, starts a node on it, and compares every row of every table with what
// Cassandra's driver read.
func TestImportGolden(t *testing.T) {
	if _, err := os.Stat(goldenLive); err != nil {
		t.Skipf("%s is not there", goldenLive)
	}
	for _, format := range []string{"nb", "da"} {
		dir := dataDirectory(t, format)
		data := filepath.Join(t.TempDir(), "helenus")
		if code, out, errs := call(t, "import", "--data-dir", data, dir); code != 1 || !strings.Contains(errs, "golden.compact_dense has COMPACT STORAGE") {
			t.Errorf("without leave: exit %d, %s%s", code, out, errs)
		}
		code, out, errs := call(t, "import", "--data-dir", data, "--skip-unsupported", "--copy", dir)
		if code != 0 {
			t.Fatalf("exit %d, %s%s", code, out, errs)
		}
		if code, out, errs := call(t, "import", "--data-dir", data, "--skip-unsupported", dir); code != 1 || !strings.Contains(errs, "is that of golden.") {
			t.Errorf("a second time: exit %d, %s%s", code, out, errs)
		}
		n := start(t, command(t, "start", "--port", "0", "--admin-port", "0", "--data-dir", data))
		r := dialRaw(t, n.addr)
		tables, rows := 0, 0
		cases, err := filepath.Glob(filepath.Join(goldenLive, "*", "rows.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range cases {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var g goldenRows
			if json.Unmarshal(b, &g) != nil || g.Table == "" {
				continue
			}
			if !strings.Contains(out, g.Table+": ") {
				t.Logf("%s: not imported", g.Table)
				continue
			}
			tables++
			rows += compareRows(t, r, format, &g)
		}
		t.Logf("%s: %d tables, %d rows", format, tables, rows)
		if tables < 50 {
			t.Errorf("%s: %d tables", format, tables)
		}
		n.stop(t)
	}
}

// compareRows reads a table and returns how many rows there were.
func compareRows(t *testing.T, r *rawClient, format string, g *goldenRows) int {
	t.Helper()
	columns := make([]string, len(g.Columns))
	for i, c := range g.Columns {
		columns[i] = types.QuoteIdent(c.Name)
	}
	_, name, _ := strings.Cut(g.Table, ".")
	got := r.rows("SELECT " + strings.Join(columns, ", ") + " FROM golden." + types.QuoteIdent(name))
	if len(got) != len(g.Rows) {
		t.Errorf("%s %s: %d rows, want %d", format, g.Table, len(got), len(g.Rows))
		return len(got)
	}
	for i := range got {
		want := g.hex(i)
		for j, v := range strings.Split(got[i], " ") {
			if j >= len(want) || v != want[j] && (want[j] != "*" || v == "null") {
				t.Errorf("%s %s, row %d:\n got %.400s\nwant %.400s", format, g.Table, i, got[i], want)
				return len(got)
			}
		}
	}
	return len(got)
}

// rows returns the rows of a SELECT, the values in hexadecimal with blanks between them.
func (r *rawClient) rows(text string) []string {
	r.tb.Helper()
	if _, err := r.c.Write(frame(7, append(long(text), 0, 1, 2))); err != nil {
		r.tb.Fatal(err)
	}
	var head [9]byte
	if _, err := io.ReadFull(r.c, head[:]); err != nil {
		r.tb.Fatal(err)
	}
	b := make([]byte, binary.BigEndian.Uint32(head[5:]))
	if _, err := io.ReadFull(r.c, b); err != nil {
		r.tb.Fatal(err)
	}
	if head[4] != 8 {
		r.tb.Errorf("%s: %q", text, b)
		return nil
	}
	if head[1]&8 != 0 { // warnings
		list := binary.BigEndian.Uint16(b)
		for b = b[2:]; list > 0; list-- {
			b = b[2+binary.BigEndian.Uint16(b):]
		}
	}
	next := func() int32 {
		n := int32(binary.BigEndian.Uint32(b))
		b = b[4:]
		return n
	}
	kind, flags, columns := next(), next(), next()
	if kind != 2 || flags&4 == 0 || flags&2 != 0 {
		r.tb.Fatalf("%s: kind %d, flags %d", text, kind, flags)
	}
	var out []string
	for range next() {
		values := make([]string, columns)
		for i := range values {
			n := next()
			if n < 0 {
				values[i] = "null"
				continue
			}
			values[i], b = hex.EncodeToString(b[:n]), b[n:]
		}
		out = append(out, strings.Join(values, " "))
	}
	return out
}
