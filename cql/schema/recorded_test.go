package schema_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cluster/system"
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
)

// different are statements that are answered otherwise than by Cassandra 5.0.6, on purpose.
var different = map[string]string{
	"create table scht.x (k int primary key, v int) with compact storage":                            "COMPACT STORAGE is refused",
	"create table scho.b7 (k int primary key, c int) with id='9c48af00-13f6-3059-bb0e-8fcabba6ee11'": "a user's mistake",
	"create index on schn.t1 (v) using 'sai'":                                                        "no storage-attached indexes",
	"drop index schn.t1_v_idx":                                                                       "no storage-attached indexes",
	"create custom index on schn.t1 (v) using 'org.apache.cassandra.index.sasi.SASIIndex'":           "SASI is off",
	"alter table schn.t1 add mm int masked with default":                                             "masking is off here too",
}

// dropKnown removes rows and events that only one of the two has, for the reasons given.
func dropKnown(lines []string) []string {
	return slices.DeleteFunc(lines, func(l string) bool {
		return l == "event UPDATED TABLE scht ux" || // Cassandra does not look for user types in vectors
			strings.HasPrefix(l, "row scht | table | x | /*") || // COMPACT STORAGE
			l == "event DROPPED TABLE scht x"
	})
}

// TestRecorded runs the statements of testdata/*.txt, each recorded with what Cassandra 5.0.6 answered: the kind of the answer,
// warnings, rows, errors, and the events in their order.
func TestRecorded(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	if len(files) == 0 {
		t.Fatal("no recordings")
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) { runRecorded(t, f) })
	}
}

var (
	idRE        = regexp.MustCompile(`WITH ID = [0-9a-f-]{36}`)
	timestampRE = regexp.MustCompile(`USING TIMESTAMP \d{16}`)
)

func runRecorded(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	n := schema.NewSnapshot(system.Keyspaces()...)
	id := uint32(0)
	env := &schema.Env{
		DataCenters: map[string]int{"datacenter1": 1}, Now: 1795600000000000,
		NewID: func() (u schema.UUID) {
			id++
			binary.BigEndian.PutUint32(u[:], id)
			return u
		},
	}
	current := ""
	checked := 0
	for block := range strings.SplitSeq(string(text), "\n\n") {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		statement, ok := strings.CutPrefix(lines[0], "> ")
		if !ok {
			continue
		}
		want := lines[1:]
		if len(want) > 0 && strings.HasPrefix(want[0], "error 2000 line ") {
			continue // the parser's
		}
		if _, ok := different[statement]; ok {
			continue
		}
		env.Now += 1000
		var got []string
		if s := newScript(statement); s.accept("use") {
			current = s.next()
			continue
		} else if def, ok := s.describe(current); ok {
			if def.Kind == schema.DescribeCluster {
				continue
			}
			got = describeLines(n, def)
		} else if s.accept("select") {
			if got = selectLines(n, s); got == nil {
				continue
			}
		} else {
			var r schema.Result
			r, err, ok = s.run(n, env, current)
			if !ok || s.more() {
				t.Fatalf("cannot read %s: left %v", statement, s.words[s.i:])
			}
			got = resultLines(r, err)
			if err == nil && !r.NoOp {
				n = applied(t, n, r.Change)
			}
		}
		checked++
		normalize := func(lines []string) string {
			lines = dropKnown(slices.Clone(lines))
			for i, l := range lines {
				l = idRE.ReplaceAllString(l, "WITH ID = <id>")
				lines[i] = timestampRE.ReplaceAllString(l, "USING TIMESTAMP <ts>")
			}
			first := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "event DROPPED TABLE") })
			if first >= 0 {
				last := first
				for last < len(lines) && strings.HasPrefix(lines[last], "event DROPPED TABLE") {
					last++
				}
				slices.Sort(lines[first:last]) // Cassandra's order is that of a hash map
			}
			return strings.Join(lines, "\n")
		}
		if g, w := normalize(got), normalize(want); g != w {
			t.Errorf("%s\n got: %s\nwant: %s", statement, g, w)
		}
	}
	t.Logf("%d statements", checked)
}

// applied applies c by way of its encoding.
func applied(t *testing.T, n *schema.Snapshot, c schema.Change) *schema.Snapshot {
	t.Helper()
	b := schema.AppendChange(nil, c)
	d, err := schema.DecodeChange(b)
	if err != nil {
		t.Fatalf("decode %T: %v", c, err)
	}
	if again := schema.AppendChange(nil, d); !bytes.Equal(b, again) {
		t.Fatalf("%T encodes differently after decoding", c)
	}
	next, err := schema.Apply(n, d)
	if err != nil {
		t.Fatal(err)
	}
	direct, err := schema.Apply(n, c)
	if err != nil || direct.Version != next.Version || next.Epoch != n.Epoch+1 {
		t.Fatalf("applied %T: version %s and %s, epoch %d after %d, %v", c, direct.Version, next.Version, next.Epoch, n.Epoch, err)
	}
	if next.Version == n.Version {
		t.Errorf("%T leaves the version as it was", c)
	}
	for _, name := range n.KeyspaceNames() {
		if next.Keyspaces[name] != n.Keyspaces[name] && name != keyspaceOf(c) {
			t.Errorf("%T copies keyspace %s", c, name)
		}
	}
	return next
}

func keyspaceOf(c schema.Change) string {
	switch c := c.(type) {
	case *schema.PutKeyspace:
		return c.Name
	case *schema.RemoveKeyspace:
		return c.Name
	case *schema.PutTable:
		return c.Table.Keyspace
	case *schema.RemoveTable:
		return c.Keyspace
	case *schema.PutType:
		return c.Type.Keyspace
	case *schema.RemoveType:
		return c.Keyspace
	}
	return ""
}

func errorLine(err error) string {
	var e *cql.Error
	if !errors.As(err, &e) {
		return "not for clients: " + err.Error()
	}
	return fmt.Sprintf("error %04X %s", uint32(e.Code), escape(e.Message))
}

func escape(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "\n", `\n`) }

func resultLines(r schema.Result, err error) []string {
	if err != nil {
		return []string{errorLine(err)}
	}
	line := func(e schema.Event) string {
		return strings.TrimSpace(e.Change + " " + e.Target + " " + e.Keyspace + " " + e.Name)
	}
	lines := []string{"void"}
	if !r.NoOp {
		lines[0] = "changed " + line(r.Answer)
	}
	for _, w := range r.Warnings {
		lines = append(lines, "warning "+w)
	}
	for _, e := range r.Events {
		lines = append(lines, "event "+line(e))
	}
	return lines
}

func describeLines(n *schema.Snapshot, def schema.DescribeDef) (lines []string) {
	rows, err := schema.Describe(n, def)
	if err != nil {
		return []string{errorLine(err)}
	}
	for _, r := range rows {
		l := "row " + r.Keyspace + " | " + r.Type + " | " + r.Name
		if !def.Kind.IsListing() {
			l += " | " + escape(r.Create)
		}
		lines = append(lines, l)
	}
	return lines
}

// selectLines answers SELECT columns FROM system_schema.table WHERE keyspace_name = 'x' [AND table_name = 'y'] as the recorder
// prints rows. Drop times are not compared: nil.
func selectLines(n *schema.Snapshot, s *script) (lines []string) {
	var columns []string
	for !s.accept("from") {
		columns = append(columns, s.next())
		s.accept(",")
	}
	ks, table := s.name()
	if table == "dropped_columns" {
		return nil
	}
	wanted := map[string]string{}
	for s.accept("where") || s.accept("and") {
		c := s.next()
		s.expect("=")
		wanted[c] = s.next()
	}
	of := n.Table(ks, table)
	rows, _ := schema.SystemRows(n, table)
	for _, values := range rows {
		byName := map[string]string{}
		for i, c := range of.AllColumns() {
			byName[c.Name] = show(c.Type, values[i])
		}
		match := true
		for c, v := range wanted {
			match = match && byName[c] == v
		}
		if !match {
			continue
		}
		var cells []string
		for _, c := range columns {
			if c == "*" {
				for _, c := range of.AllColumns() {
					cells = append(cells, byName[c.Name])
				}
			} else {
				cells = append(cells, byName[c])
			}
		}
		lines = append(lines, "row "+strings.Join(cells, " | "))
	}
	return lines
}

// show prints a value as Python does.
func show(t *types.Type, v []byte) string {
	if v == nil {
		return "None"
	}
	switch t.Kind {
	case types.Text:
		return string(v)
	case types.Boolean:
		return map[bool]string{true: "True", false: "False"}[types.Bool(v)]
	case types.Int:
		return fmt.Sprint(types.Int32(v))
	case types.Timestamp:
		return time.UnixMilli(types.Int64(v)).UTC().String()
	case types.Map, types.List:
		var items []string
		count, rest, _ := types.Elements(v)
		for range count {
			var e, w []byte
			e, rest, _ = types.NextElement(rest)
			item := "'" + string(e) + "'"
			if t.Kind == types.Map {
				w, rest, _ = types.NextElement(rest)
				item += ": '" + string(w) + "'"
			}
			items = append(items, item)
		}
		if t.Kind == types.Map {
			return "{" + strings.Join(items, ", ") + "}"
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return fmt.Sprintf("%x", v)
}
