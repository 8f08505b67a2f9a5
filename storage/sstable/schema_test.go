package sstable

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/parser"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/merge"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// schemas makes schemas of statements.
type schemas struct {
	snap *schema.Snapshot
	env  *schema.Env
}

func newSchemas(t testing.TB) *schemas {
	ids := byte(0)
	s := &schemas{snap: schema.NewSnapshot(), env: &schema.Env{DataCenters: map[string]int{"datacenter1": 1}, Now: 1,
		NewID: func() schema.UUID { ids++; return schema.UUID{ids} }}}
	for _, ks := range []string{"golden", "ks"} {
		err := s.run("CREATE KEYSPACE " + ks + " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *schemas) run(text string) error {
	p, err := parser.Parse(text)
	if err != nil {
		return err
	}
	plan, err := planner.Prepare(s.snap, "", p.Statement, p.Markers, planner.PrepareEnv{})
	if err != nil {
		return err
	}
	res, err := plan.Body.(*planner.SchemaPlan).Change(s.snap, s.env)
	if err != nil {
		return err
	}
	s.snap, err = schema.Apply(s.snap, res.Change)
	return err
}

// table runs statements and returns a table.
func (s *schemas) table(t testing.TB, name string, statements ...string) *schema.Table {
	t.Helper()
	for _, text := range statements {
		if err := s.run(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	for _, ks := range []string{"ks", "golden"} {
		if table := s.snap.Table(ks, name); table != nil {
			return table
		}
	}
	t.Fatalf("there is no table %s", name)
	return nil
}

// goldenCase is a folder of tables that Cassandra wrote, with what its SELECT * gave.
type goldenCase struct {
	Table   string `json:"table"`
	Columns []struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	} `json:"columns"`
	// Rows are, each by the columns, values as text and in hex, times of writing, and TTLs.
	Rows [][4][]any `json:"rows"`
}

// alterations finds the statements of a case that change the schema after the table was made.
var alterations = regexp.MustCompile(`(?m)^ALTER .*;$`)

// TestGoldenRows reads the tables of every case with its real schema, merges them, and compares what is live with the rows
// that Cassandra gave: dropped columns, columns added again, and altered user types among them.
func TestGoldenRows(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join(goldenRoot, "live-5.0.6", "*", "schema.cql"))
	if err != nil || len(cases) == 0 {
		t.Skip("the tables are not there")
	}
	read, skipped := 0, 0
	all := goldens(t)
	for _, file := range cases {
		dir := filepath.Dir(file)
		var c goldenCase
		b, err := os.ReadFile(filepath.Join(dir, "rows.json"))
		if err == nil {
			d := json.NewDecoder(bytes.NewReader(b))
			d.UseNumber()
			err = d.Decode(&c)
		}
		if err != nil || c.Table == "" {
			skipped++
			continue
		}
		table, err := c.schema(t, dir)
		if err != nil {
			t.Logf("%s: %v", dir, err)
			skipped++
			continue
		}
		for _, format := range []string{"nb", "oa", "da"} {
			var tables []golden
			for _, g := range all {
				if g.dir == filepath.Join(dir, format) {
					tables = append(tables, g)
				}
			}
			if len(tables) > 0 {
				read++
				c.compare(t, table, tables)
			}
		}
	}
	t.Log(read, "sets of tables are compared,", skipped, "cases are not")
	if read < 100 {
		t.Error("these are too few")
	}
}

// schema makes the table as it was when its rows were read.
func (c *goldenCase) schema(t *testing.T, dir string) (*schema.Table, error) {
	create, err := os.ReadFile(filepath.Join(dir, "schema.cql"))
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, "data.cql"))
	if err != nil {
		return nil, err
	}
	s := newSchemas(t)
	for _, text := range append(strings.Split(string(create), "\n"), alterations.FindAllString(string(data), -1)...) {
		if strings.HasPrefix(text, "CREATE INDEX") || strings.HasPrefix(text, "CREATE MATERIALIZED") || strings.TrimSpace(text) == "" {
			continue
		}
		if err := s.run(strings.TrimSuffix(text, ";")); err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
	}
	_, name, _ := strings.Cut(c.Table, ".")
	table := s.snap.Table("golden", strings.Trim(name, `"`))
	if table == nil {
		return nil, fmt.Errorf("there is no table %s", c.Table)
	}
	return table, nil
}

// expand writes out the runs of letters that the files shorten.
func expand(s string) string {
	return letters.ReplaceAllStringFunc(s, func(m string) string {
		parts := letters.FindStringSubmatch(m)
		n, err := strconv.Atoi(parts[1])
		if err != nil {
			return m
		}
		return strings.Repeat(parts[2], n)
	})
}

// compare reads the tables of one format.
func (c *goldenCase) compare(t *testing.T, table *schema.Table, tables []golden) {
	t.Helper()
	layout := row.NewLayout(table)
	var sources []row.Source
	for _, g := range tables {
		v, err := g.open(t).View(table)
		if err != nil {
			t.Errorf("%s: %v", g, err)
			return
		}
		if g.desc.ID == tables[0].desc.ID {
			bothWays(t, g, v)
		}
		sources = append(sources, merge.Check(layout, v.Scan(All())))
	}
	it := row.LiveFilter(merge.Rows(context.Background(), layout, merge.Sources(layout, sources)), dumpedAt)
	defer it.Close()
	n := 0
	next := func(static, r *row.Row) {
		if n < len(c.Rows) {
			c.compareRow(t, table, tables[0], n, it.Key(), static, r)
		}
		n++
	}
	for it.NextPartition() {
		static, any := it.Static(), false
		for r := it.NextRow(); r != nil; r = it.NextRow() {
			next(static, r)
			any = true
		}
		if !any {
			next(static, nil)
		}
	}
	if it.Err() != nil {
		t.Errorf("%s: %v", tables[0], it.Err())
	}
	if n != len(c.Rows) {
		t.Errorf("%s: %d rows, want %d", tables[0], n, len(c.Rows))
	}
}

func (c *goldenCase) compareRow(t *testing.T, table *schema.Table, g golden, n int, key []byte, static, r *row.Row) {
	t.Helper()
	for i, want := range c.Columns {
		col := table.ByName[want.Name]
		if col == nil {
			t.Fatalf("%s: column %s is not in the schema", g, want.Name)
		}
		var got []byte
		written := int64(math.MinInt64)
		switch {
		case col.Kind == schema.PartitionKey:
			got = request.KeyComponent(table, key, col.Position)
		case col.Kind == schema.Clustering && r != nil && len(r.Clustering) > 0:
			got = r.Clustering[col.Position]
		case col.Kind == schema.Static && static != nil:
			got, written = cellValue(col, static)
		case col.Kind == schema.Regular && r != nil:
			got, written = cellValue(col, r)
		}
		text, isText := at(c.Rows[n][0], i).(string)
		hexWant, isHex := at(c.Rows[n][1], i).(string)
		switch {
		case isHex:
			if got == nil || hex.EncodeToString(got) != expand(hexWant) {
				t.Errorf("%s: row %d, column %s is %x, want %s", g, n, col.Name, got, hexWant)
			}
		case isText:
			if want := expand(text); got == nil || string(col.Type.AppendCQL(nil, got)) != want {
				t.Errorf("%s: row %d, column %s is %x, want %.100s", g, n, col.Name, got, want)
			}
		case got != nil:
			t.Errorf("%s: row %d, column %s is %x, want null", g, n, col.Name, got)
		}
		if ts, ok := at(c.Rows[n][2], i).(json.Number); ok && !col.Type.IsMultiCell() && ts.String() != strconv.FormatInt(written, 10) {
			t.Errorf("%s: row %d, column %s was written at %d, want %s", g, n, col.Name, written, ts)
		}
	}
}

// at returns the i-th thing, nil for none: the longest files have values alone.
func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// cellValue returns the value of a column as a client gets it, and when it was written.
func cellValue(col *schema.Column, r *row.Row) ([]byte, int64) {
	cells := r.CellsOf(col.ID)
	if len(cells) == 0 {
		return nil, 0
	}
	switch {
	case col.Type.Kind == types.Counter:
		return binary.BigEndian.AppendUint64(nil, uint64(row.CounterTotal(cells[0].Value))), cells[0].Timestamp
	case !col.Type.IsMultiCell():
		return cells[0].Value, cells[0].Timestamp
	case col.Type.Kind == types.UDT:
		fields := make([][]byte, len(col.Type.Fields))
		for i := range cells {
			if n := int(binary.BigEndian.Uint16(cells[i].Path)); n < len(fields) {
				fields[n] = cells[i].Value
			}
		}
		return appendParts(nil, fields), 0
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(len(cells)))
	for i := range cells {
		parts := [][]byte{cells[i].Path, cells[i].Value}
		switch col.Type.Kind {
		case types.List:
			parts = parts[1:]
		case types.Set:
			parts = parts[:1]
		}
		out = appendParts(out, parts)
	}
	return out, 0
}

func appendParts(dst []byte, parts [][]byte) []byte {
	for _, p := range parts {
		if p == nil {
			dst = binary.BigEndian.AppendUint32(dst, math.MaxUint32)
			continue
		}
		dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(p))), p...)
	}
	return dst
}

// bothWays looks every key up forward and backwards, and compares with what a scan gave.
func bothWays(t *testing.T, g golden, v *View) {
	t.Helper()
	var f Finder
	all := scanAll(t, v)
	for i, st := range all {
		if len(all) > 100 && i%53 != 0 {
			continue
		}
		for _, reversed := range []bool{false, true} {
			p, err := f.lookup(v, st.key, nil, reversed)
			if err != nil || p == nil {
				t.Fatalf("%s: key %x: %v", g, st.key, err)
			}
			want := slices.Clone(st.content)
			if reversed {
				want = backwards(want)
			}
			if a, b := show(v, read(t, p), reversed), show(v, want, reversed); a != b {
				t.Fatalf("%s: key %x, reversed %v: got\n%s\nwant\n%s", g, st.key, reversed, a, b)
			}
		}
	}
}
