package system

import (
	_ "embed"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
)

// definitions holds all tables as text, one a line; a line that begins with blanks goes on with the last one. A line
//
//	keyspace NAME STRATEGY OPTION=VALUE...
//
// begins a keyspace; the strategy is "virtual" for one that only this node answers, and the options are those of all its
// tables. The others are
//
//	TABLE ((PARTITION KEY), CLUSTERING) OTHERS -- COMMENT -- OPTION=VALUE...
//
// where columns are a name and a type. Options: gc, ttl, flush (milliseconds), class and sub-options of compaction, id.
//
//go:embed definitions.txt
var definitions string

// Keyspaces returns the system keyspaces for schema.NewSnapshot. The tables are shared and immutable; keyspaces and maps are
// made anew.
func Keyspaces() []*schema.Keyspace {
	var all []*schema.Keyspace
	for _, k := range parsed() {
		c := *k
		c.Replication, c.Tables, c.Types = maps.Clone(k.Replication), maps.Clone(k.Tables), map[string]*schema.UserType{}
		all = append(all, &c)
	}
	return all
}

// parsed reads the definitions once. They are part of the program: an error in them is a bug, which the tests find.
var parsed = sync.OnceValue(func() []*schema.Keyspace {
	all, err := parseDefinitions(definitions)
	if err != nil {
		panic("system tables: " + err.Error())
	}
	return all
})

func parseDefinitions(text string) (all []*schema.Keyspace, err error) {
	text = strings.ReplaceAll(text, "\n  ", " ")
	var common []string
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if rest, ok := strings.CutPrefix(line, "keyspace "); ok {
			words := strings.Fields(rest)
			all = append(all, newKeyspace(words[0], words[1], words[2:]))
			common = words[2:]
			continue
		}
		k := all[len(all)-1]
		t, err := parseTable(k, line, common)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		k.Tables[t.Name] = t
	}
	return all, nil
}

func newKeyspace(name, strategy string, options []string) *schema.Keyspace {
	k := &schema.Keyspace{Name: name, DurableWrites: true, Tables: map[string]*schema.Table{}}
	if strategy == "virtual" {
		k.Virtual = true
		return k
	}
	k.Replication = map[string]string{"class": "org.apache.cassandra.locator." + strategy}
	for _, o := range options {
		if rf, ok := strings.CutPrefix(o, "rf="); ok {
			k.Replication["replication_factor"] = rf
		}
	}
	return k
}

func parseTable(k *schema.Keyspace, line string, common []string) (*schema.Table, error) {
	parts := strings.Split(line+" ", " -- ")
	name, rest, _ := strings.Cut(parts[0], " ((")
	key, rest, ok := strings.Cut(rest, ")")
	clustering, others, ok2 := cutKey(rest)
	if len(parts) < 2 || !ok || !ok2 {
		return nil, fmt.Errorf("no key or no comment")
	}
	t := &schema.Table{
		Keyspace: k.Name, Name: name, ID: schema.TableID(k.Name, name), Virtual: k.Virtual, NextColumn: 1,
		Options: schema.DefaultOptions(),
	}
	t.Options.Comment = strings.TrimSpace(parts[1])
	for i, list := range []string{key, clustering, others} {
		kind := [...]schema.ColumnKind{schema.PartitionKey, schema.Clustering, schema.Regular}[i]
		if err := addColumns(t, kind, list); err != nil {
			return nil, err
		}
	}
	options := common
	if len(parts) > 2 {
		options = append(slices.Clip(options), strings.Fields(parts[2])...)
	}
	for _, o := range options {
		if err := setOption(t, o); err != nil {
			return nil, err
		}
	}
	switch k.Name + "." + name {
	case "system.paxos":
		t.Indexes = []*schema.Index{uncommitted(t)}
	case "system.local":
		dropThrift(t)
	}
	t.Finish()
	return t, nil
}

// cutKey splits ", c int) a text" and ") a text" into the clustering columns and the others.
func cutKey(s string) (clustering, others string, ok bool) {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '<':
			depth++
		case '>':
			depth--
		case ')':
			if depth == 0 {
				return strings.TrimPrefix(s[:i], ", "), strings.TrimSpace(s[i+1:]), true
			}
		}
	}
	return "", "", false
}

// addColumns adds the columns of a list such as "a int, b map<int, text>".
func addColumns(t *schema.Table, kind schema.ColumnKind, list string) error {
	lists := map[schema.ColumnKind]*[]*schema.Column{
		schema.PartitionKey: &t.PartitionKey, schema.Clustering: &t.Clustering, schema.Regular: &t.Regular,
	}
	for list != "" {
		end, depth := len(list), 0
		for i := range len(list) {
			switch list[i] {
			case '<':
				depth++
			case '>':
				depth--
			case ',':
				if depth == 0 && end == len(list) {
					end = i
				}
			}
		}
		name, typ, _ := strings.Cut(list[:end], " ")
		list = strings.TrimPrefix(list[min(end+1, len(list)):], " ")
		of, err := types.Parse(typ, func(string, string) *types.Type { return nil })
		if err != nil {
			return err
		}
		c := &schema.Column{
			Keyspace: t.Keyspace, Table: t.Name, Name: name, ID: t.NextColumn, Kind: kind, Position: -1, Type: of,
			DroppedAt: math.MinInt64,
		}
		t.NextColumn++
		if kind != schema.Regular {
			c.Position = len(*lists[kind])
		}
		*lists[kind] = append(*lists[kind], c)
	}
	return nil
}

func setOption(t *schema.Table, option string) error {
	name, v, _ := strings.Cut(option, "=")
	n, err := strconv.ParseInt(v, 10, 32)
	switch name {
	case "gc":
		t.Options.GCGraceSeconds = int32(n)
		return err
	case "ttl":
		t.Options.DefaultTTL = int32(n)
		return err
	case "flush":
		t.Options.MemtableFlushPeriodMs = int32(n)
		return err
	case "rf":
		return nil
	case "id":
		return t.ID.Parse(v)
	case "class":
		v = "org.apache.cassandra.db.compaction." + v
	}
	t.Options.Compaction[name] = v
	return nil
}

// uncommitted is the index that Cassandra shows on its table of Paxos state. It stands in listings alone: nothing looks rows
// up by it.
func uncommitted(t *schema.Table) *schema.Index {
	return &schema.Index{
		Name: "PaxosUncommittedIndex", Kind: "CUSTOM", Column: t.PartitionKey[0], Target: schema.TargetFull,
		Options: map[string]string{
			"class_name": "org.apache.cassandra.service.paxos.uncommitted.PaxosUncommittedIndex", "target": "",
		},
	}
}

// dropThrift makes thrift_version a dropped column of system.local, which DESCRIBE TABLE WITH INTERNALS shows.
// Source: SystemKeyspace.Local, recordDeprecatedSystemColumn.
func dropThrift(t *schema.Table) {
	c := &schema.Column{
		Keyspace: t.Keyspace, Table: t.Name, Name: "thrift_version", ID: t.NextColumn, Kind: schema.Regular, Position: -1,
		Type: types.TText, DroppedAt: math.MinInt64,
	}
	t.NextColumn++
	t.Dropped = map[string]schema.DroppedColumn{c.Name: {Column: c, At: math.MaxInt64}}
}

// Stored reports whether the engine keeps the rows of a table: true for all but the generated and virtual ones.
func Stored(t *schema.Table) bool {
	return !t.Virtual && t.Keyspace != "system" && t.Keyspace != "system_schema"
}
