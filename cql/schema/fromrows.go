package schema

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql/types"
)

// Record is a row of a table of system_schema: values by the names of their columns; what is null is not there.
type Record map[string][]byte

// Records are the rows of system_schema's tables, by the names of these.
type Records map[string][]Record

// RecordKeys are the columns of the keys of system_schema's tables, by the names of these.
func RecordKeys() map[string][]string {
	return map[string][]string{
		"keyspaces": {"keyspace_name"}, "tables": {"keyspace_name", "table_name"}, "columns": {"keyspace_name", "table_name", "column_name"},
		"dropped_columns": {"keyspace_name", "table_name", "column_name"}, "types": {"keyspace_name", "type_name"},
		"indexes": {"keyspace_name", "table_name", "index_name"}, "views": {"keyspace_name", "view_name"},
		"triggers": {"keyspace_name", "table_name", "trigger_name"}, "functions": {"keyspace_name", "function_name", "argument_types"},
		"aggregates": {"keyspace_name", "aggregate_name", "argument_types"}, "column_masks": {"keyspace_name", "table_name", "column_name"},
	}
}

// FromRecords turns the rows of a Cassandra's system_schema, keyspaces of the system left out, into the changes that make that
// schema: keyspaces, types, tables, each after what it needs. Tables keep their ids. What there is no way to have here is told
// in left, one line each. Source: org.apache.cassandra.schema.SchemaKeyspace.fetchNonSystemKeyspaces.
func FromRecords(r Records) (changes []Change, left []string, err error) {
	f := &fromRecords{r: r}
	for _, k := range r["keyspaces"] {
		if name := k.text("keyspace_name"); !IsSystem(name) {
			f.names = append(f.names, name)
		}
	}
	slices.Sort(f.names)
	for _, k := range r["keyspaces"] {
		if name := k.text("keyspace_name"); !IsSystem(name) {
			replication, err := k.mapped("replication")
			if err != nil {
				return nil, nil, fmt.Errorf("keyspace %s: %w", name, err)
			}
			f.changes = append(f.changes, &PutKeyspace{Name: name, DurableWrites: k.flag("durable_writes", true), Replication: replication})
		}
	}
	for _, what := range []string{"views", "functions", "aggregates", "triggers", "column_masks"} {
		for _, x := range r[what] {
			if !IsSystem(x.text("keyspace_name")) {
				keys := RecordKeys()[what]
				f.leave("%s: %s.%s", what, x.text("keyspace_name"), x.text(keys[1]))
			}
		}
	}
	if err := f.types(); err != nil {
		return nil, nil, err
	}
	for _, t := range r["tables"] {
		if name := t.text("keyspace_name"); !IsSystem(name) {
			if err := f.table(t); err != nil {
				return nil, nil, fmt.Errorf("table %s.%s: %w", name, t.text("table_name"), err)
			}
		}
	}
	slices.Sort(f.left)
	return f.changes, f.left, nil
}

func (r Record) text(name string) string { return string(r[name]) }

func (r Record) flag(name string, otherwise bool) bool {
	if v := r[name]; len(v) == 1 {
		return types.Bool(v)
	}
	return otherwise
}

func (r Record) int32(name string, otherwise int32) int32 {
	if v := r[name]; len(v) == 4 {
		return types.Int32(v)
	}
	return otherwise
}

func (r Record) double(name string, otherwise float64) float64 {
	if v := r[name]; len(v) == 8 {
		return types.Float64(v)
	}
	return otherwise
}

// list returns the elements of a list or set.
func (r Record) list(name string) ([]string, error) {
	if r[name] == nil {
		return nil, nil
	}
	n, rest, err := types.Elements(r[name])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var out []string
	for range n {
		var e []byte
		if e, rest, err = types.NextElement(rest); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, string(e))
	}
	return out, nil
}

// mapped returns a map; nil for null.
func (r Record) mapped(name string) (map[string]string, error) {
	if r[name] == nil {
		return nil, nil
	}
	n, rest, err := types.Elements(r[name])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	out := map[string]string{}
	for range n {
		var k, v []byte
		if k, rest, err = types.NextElement(rest); err == nil {
			v, rest, err = types.NextElement(rest)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[string(k)] = string(v)
	}
	return out, nil
}

// fromRecords builds the schema.
type fromRecords struct {
	r       Records
	names   []string // of the keyspaces
	udts    map[[2]string]*UserType
	changes []Change
	left    []string
}

func (f *fromRecords) leave(format string, args ...any) {
	f.left = append(f.left, fmt.Sprintf(format, args...))
}

// parse returns the type of a text in a keyspace.
func (f *fromRecords) parse(ks, text string) (*types.Type, error) {
	return types.Parse(text, func(k, name string) *types.Type {
		if k == "" {
			k = ks
		}
		if u := f.udts[[2]string{k, name}]; u != nil {
			return u
		}
		return nil
	})
}

// types makes the user types, each after those that it is made of.
func (f *fromRecords) types() error {
	f.udts = map[[2]string]*UserType{}
	var waiting []Record
	for _, u := range f.r["types"] {
		if !IsSystem(u.text("keyspace_name")) {
			waiting = append(waiting, u)
		}
	}
	for len(waiting) > 0 {
		var later []Record
		var last error
		for _, u := range waiting {
			t, err := f.userType(u)
			if err != nil {
				last = fmt.Errorf("type %s.%s: %w", u.text("keyspace_name"), u.text("type_name"), err)
				later = append(later, u)
				continue
			}
			f.udts[[2]string{t.Keyspace, t.Name}] = t
			f.changes = append(f.changes, &PutType{t})
		}
		if len(later) == len(waiting) {
			return last
		}
		waiting = later
	}
	return nil
}

func (f *fromRecords) userType(u Record) (*UserType, error) {
	t := &UserType{Kind: types.UDT, Keyspace: u.text("keyspace_name"), Name: u.text("type_name")}
	var err error
	if t.Fields, err = u.list("field_names"); err != nil {
		return nil, err
	}
	texts, err := u.list("field_types")
	if err != nil {
		return nil, err
	}
	if len(texts) != len(t.Fields) {
		return nil, fmt.Errorf("%d types for %d fields", len(texts), len(t.Fields))
	}
	for _, text := range texts {
		e, err := f.parse(t.Keyspace, text)
		if err != nil {
			return nil, err
		}
		t.Elems = append(t.Elems, e)
	}
	return t, nil
}

// table makes one table, or leaves it when it is of a kind that is not here.
func (f *fromRecords) table(r Record) error {
	t := &Table{Keyspace: r.text("keyspace_name"), Name: r.text("table_name"), NextColumn: 1}
	flags, err := r.list("flags")
	if err != nil {
		return err
	}
	if !slices.Contains(flags, "compound") || slices.Contains(flags, "dense") || slices.Contains(flags, "super") {
		f.leave("tables: %s.%s has COMPACT STORAGE", t.Keyspace, t.Name)
		return nil
	}
	t.Counter = slices.Contains(flags, "counter")
	if len(r["id"]) != len(t.ID) {
		return fmt.Errorf("an id of %d bytes", len(r["id"]))
	}
	copy(t.ID[:], r["id"])
	if t.Options, err = f.options(r); err != nil {
		return err
	}
	if err := f.columns(t); err != nil {
		return err
	}
	if err := f.dropped(t); err != nil {
		return err
	}
	t.Finish()
	if len(t.PartitionKey) == 0 {
		return fmt.Errorf("it has no partition key")
	}
	if err := f.indexes(t); err != nil {
		return err
	}
	t.Finish()
	f.changes = append(f.changes, &PutTable{t})
	return nil
}

// of returns the rows of a table of system_schema that are about t.
func (f *fromRecords) of(table string, t *Table) []Record {
	var out []Record
	for _, r := range f.r[table] {
		if r.text("keyspace_name") == t.Keyspace && r.text("table_name") == t.Name {
			out = append(out, r)
		}
	}
	return out
}

func (f *fromRecords) options(r Record) (Options, error) {
	o := DefaultOptions()
	var err error
	mapped := func(name string, dst *map[string]string) {
		m, e := r.mapped(name)
		if m != nil {
			*dst = m
		}
		if err == nil {
			err = e
		}
	}
	text := func(name string, dst *string) {
		if r[name] != nil {
			*dst = r.text(name)
		}
	}
	flag := func(name string) *bool {
		if r[name] == nil {
			return nil
		}
		b := r.flag(name, false)
		return &b
	}
	text("comment", &o.Comment)
	text("speculative_retry", &o.SpeculativeRetry)
	text("additional_write_policy", &o.AdditionalWritePolicy)
	text("read_repair", &o.ReadRepair)
	text("memtable", &o.Memtable)
	mapped("caching", &o.Caching)
	mapped("compaction", &o.Compaction)
	mapped("compression", &o.Compression)
	extensions := map[string]string{}
	mapped("extensions", &extensions)
	for k, v := range extensions {
		if o.Extensions == nil {
			o.Extensions = map[string][]byte{}
		}
		o.Extensions[k] = []byte(v)
	}
	o.BloomFilterFPChance = r.double("bloom_filter_fp_chance", o.BloomFilterFPChance)
	o.CRCCheckChance = r.double("crc_check_chance", o.CRCCheckChance)
	o.DefaultTTL = r.int32("default_time_to_live", o.DefaultTTL)
	o.GCGraceSeconds = r.int32("gc_grace_seconds", o.GCGraceSeconds)
	o.MaxIndexInterval = r.int32("max_index_interval", o.MaxIndexInterval)
	o.MinIndexInterval = r.int32("min_index_interval", o.MinIndexInterval)
	o.MemtableFlushPeriodMs = r.int32("memtable_flush_period_in_ms", o.MemtableFlushPeriodMs)
	o.CDC, o.AllowAutoSnapshot, o.IncrementalBackups = flag("cdc"), flag("allow_auto_snapshot"), flag("incremental_backups")
	if err == nil {
		err = o.validate()
	}
	return o, err
}

// columns adds the columns of t; their ids follow the keys, then the names.
func (f *fromRecords) columns(t *Table) error {
	rows := f.of("columns", t)
	slices.SortFunc(rows, func(a, b Record) int {
		rank := func(r Record) int { return slices.Index(columnKinds, r.text("kind")) }
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		if d := a.int32("position", -1) - b.int32("position", -1); d != 0 {
			return int(d)
		}
		return strings.Compare(a.text("column_name"), b.text("column_name"))
	})
	for _, r := range rows {
		name := r.text("column_name")
		typ, err := f.parse(t.Keyspace, r.text("type"))
		if err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
		c := &Column{Keyspace: t.Keyspace, Table: t.Name, Name: name, ID: t.NextColumn, Position: -1, Type: typ, DroppedAt: math.MinInt64}
		t.NextColumn++
		list := &t.Regular
		switch r.text("kind") {
		case "partition_key":
			c.Kind, c.Position, list = PartitionKey, len(t.PartitionKey), &t.PartitionKey
		case "clustering":
			c.Kind, c.Position, list = Clustering, len(t.Clustering), &t.Clustering
			c.Desc = strings.EqualFold(r.text("clustering_order"), "desc")
		case "static":
			c.Kind, list = Static, &t.Static
		case "regular":
			c.Kind = Regular
		default:
			return fmt.Errorf("column %s: kind %q", name, r.text("kind"))
		}
		*list = append(*list, c)
	}
	return nil
}

// columnKinds are the kinds of columns in the order of SELECT *.
var columnKinds = []string{"partition_key", "clustering", "static", "regular"}

// dropped adds the columns that were dropped, those that are there again among them.
func (f *fromRecords) dropped(t *Table) error {
	for _, r := range f.of("dropped_columns", t) {
		name := r.text("column_name")
		typ, err := f.parse(t.Keyspace, r.text("type"))
		if err != nil {
			return fmt.Errorf("dropped column %s: %w", name, err)
		}
		if len(r["dropped_time"]) != 8 {
			return fmt.Errorf("dropped column %s: no time", name)
		}
		at := types.Int64(r["dropped_time"]) * 1000
		c := &Column{Keyspace: t.Keyspace, Table: t.Name, Name: name, ID: t.NextColumn, Kind: Regular, Position: -1, Type: typ, DroppedAt: math.MinInt64}
		t.NextColumn++
		if r.text("kind") == "static" {
			c.Kind = Static
		}
		d := DroppedColumn{Column: c, At: at}
		again := false
		for _, list := range [][]*Column{t.Static, t.Regular} {
			for _, x := range list {
				if x.Name == name {
					x.DroppedAt, again = at, true
				}
			}
		}
		list := &t.Dropped
		if again {
			list = &t.Readded
		}
		if *list == nil {
			*list = map[string]DroppedColumn{}
		}
		(*list)[name] = d
	}
	return nil
}

func (f *fromRecords) indexes(t *Table) error {
	for _, r := range f.of("indexes", t) {
		x := &Index{Name: r.text("index_name"), Kind: r.text("kind")}
		var err error
		if x.Options, err = r.mapped("options"); err != nil {
			return err
		}
		target := x.Options["target"]
		column := target
		for i, name := range targetNames {
			if inner, ok := strings.CutPrefix(target, name+"("); ok && i != int(TargetSimple) && strings.HasSuffix(inner, ")") {
				x.Target, column = IndexTarget(i), strings.TrimSuffix(inner, ")")
			}
		}
		if inner, ok := strings.CutPrefix(column, `"`); ok {
			column = strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`)
		}
		x.Column = t.ByName[column]
		if x.Kind != "COMPOSITES" || x.Column == nil {
			f.leave("indexes: %s.%s of %s", t.Keyspace, x.Name, strings.Join(slices.Sorted(maps.Values(x.Options)), ", "))
			continue
		}
		t.Indexes = append(t.Indexes, x)
	}
	return nil
}
