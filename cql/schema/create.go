package schema

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql/types"
)

// quote prints s as a CQL string.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// mapLiteral prints m as CQL: {'a': 'b', 'c': 'd'}.
func mapLiteral(m map[string]string) string {
	entries := make([]string, 0, len(m))
	for _, k := range sortedKeys(m) {
		entries = append(entries, quote(k)+": "+quote(m[k]))
	}
	return "{" + join(entries) + "}"
}

// names prints identifiers, quoted where needed.
func names(columns []*Column) string {
	s := make([]string, len(columns))
	for i, c := range columns {
		s[i] = types.QuoteIdent(c.Name)
	}
	return join(s)
}

// fullName prints keyspace.name.
func fullName(ks, name string) string { return types.QuoteIdent(ks) + "." + types.QuoteIdent(name) }

// virtual wraps the statement of a virtual keyspace or table.
func virtual(what, name, statement string) string {
	return "/*\nWarning: " + what + " " + name + " is a virtual " + strings.ToLower(what) +
		" and cannot be recreated with CQL.\nStructure, for reference:\nVIRTUAL " + statement + "\n*/"
}

// createKeyspace prints CREATE KEYSPACE. Source: org.apache.cassandra.schema.KeyspaceMetadata.toCqlString.
func createKeyspace(k *Keyspace) string {
	name := types.QuoteIdent(k.Name)
	if k.Virtual {
		return virtual("Keyspace", name, "KEYSPACE "+name+";")
	}
	class := k.Replication["class"]
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE KEYSPACE %s WITH replication = {'class': '%s'", name, class[strings.LastIndexByte(class, '.')+1:])
	for _, o := range sortedKeys(k.Replication) {
		if o != "class" {
			b.WriteString(", " + quote(o) + ": " + quote(k.Replication[o]))
		}
	}
	fmt.Fprintf(&b, "}  AND durable_writes = %t;", k.DurableWrites)
	return b.String()
}

// createType prints CREATE TYPE. Source: org.apache.cassandra.db.marshal.UserType.toCqlString.
func createType(t *UserType) string {
	fields := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		fields[i] = "    " + types.QuoteIdent(f) + " " + t.Elems[i].String()
	}
	return "CREATE TYPE " + fullName(t.Keyspace, t.Name) + " (\n" + strings.Join(fields, ",\n") + "\n);"
}

// createIndex prints CREATE INDEX. Source: org.apache.cassandra.schema.IndexMetadata.toCqlString.
func createIndex(t *Table, x *Index) string {
	on := types.QuoteIdent(x.Name) + " ON " + fullName(t.Keyspace, t.Name) + " (" + x.Options["target"] + ")"
	if x.Kind != "CUSTOM" {
		return "CREATE INDEX " + on + ";"
	}
	s := "CREATE CUSTOM INDEX " + on + " USING " + quote(x.Options["class_name"])
	rest := make(map[string]string)
	for k, v := range x.Options {
		if k != "target" && k != "class_name" {
			rest[k] = v
		}
	}
	if len(rest) > 0 {
		s += " WITH OPTIONS = " + mapLiteral(rest)
	}
	return s + ";"
}

// createTable prints CREATE TABLE and, with internals, the id and what makes dropped columns dropped again.
// Source: org.apache.cassandra.schema.TableMetadata.appendCqlTo.
func createTable(t *Table, internals bool) string {
	name := fullName(t.Keyspace, t.Name)
	var b strings.Builder
	b.WriteString("TABLE " + name + " (\n")
	inline := len(t.PartitionKey) == 1 && len(t.Clustering) == 0
	var lines []string
	for _, c := range t.columnsToPrint(internals) {
		line := "    " + types.QuoteIdent(c.Name) + " " + c.Type.String()
		if c.Kind == Static {
			line += " static"
		}
		if c.Kind == PartitionKey && inline {
			line += " PRIMARY KEY"
		}
		lines = append(lines, line)
	}
	if !inline {
		key := names(t.PartitionKey)
		if len(t.PartitionKey) > 1 {
			key = "(" + key + ")"
		}
		if len(t.Clustering) > 0 {
			key += ", " + names(t.Clustering)
		}
		lines = append(lines, "    PRIMARY KEY ("+key+")")
	}
	b.WriteString(strings.Join(lines, ",\n") + "\n) WITH " + strings.Join(t.propertiesToPrint(internals), "\n    AND ") + ";")
	if t.Virtual {
		return virtual("Table", name, b.String())
	}
	if internals {
		for _, d := range t.allDropped() {
			column := types.QuoteIdent(d.Column.Name)
			fmt.Fprintf(&b, "\nALTER TABLE %s DROP %s USING TIMESTAMP %d;", name, column, d.At)
			if c := t.ByName[d.Column.Name]; c != nil {
				fmt.Fprintf(&b, "\nALTER TABLE %s ADD %s %s", name, column, c.Type)
				if c.Kind == Static {
					b.WriteString(" static")
				}
				b.WriteByte(';')
			}
		}
	}
	return "CREATE " + b.String()
}

// columnsToPrint returns the columns in the order of CREATE TABLE: those of the key, then the static and the regular ones, of
// each first those of one cell. With internals what was ever dropped stands at the end as it was.
func (t *Table) columnsToPrint(internals bool) []*Column {
	all := append(slices.Clone(t.PartitionKey), t.Clustering...)
	for _, part := range [][]*Column{t.Static, t.Regular} {
		for _, multi := range []bool{false, true} {
			for _, c := range part {
				if _, again := t.Readded[c.Name]; c.Type.IsMultiCell() == multi && !(internals && again) {
					all = append(all, c)
				}
			}
		}
	}
	if internals {
		for _, d := range t.allDropped() {
			all = append(all, d.Column)
		}
	}
	return all
}

// allDropped returns the columns that were ever dropped in the order of Cassandra's hash map of their names; those that share
// a bucket by the time of their drop.
func (t *Table) allDropped() []DroppedColumn {
	all := make([]DroppedColumn, 0, len(t.Dropped)+len(t.Readded))
	for _, m := range []map[string]DroppedColumn{t.Dropped, t.Readded} {
		for _, n := range sortedKeys(m) {
			all = append(all, m[n])
		}
	}
	buckets := 1
	for buckets*3 < len(all)*4+3 {
		buckets *= 2
	}
	bucket := func(d DroppedColumn) int {
		h := int32(1)
		for i := len(d.Column.Name) - 1; i >= 0; i-- {
			h = 31*h + int32(int8(d.Column.Name[i]))
		}
		return int(uint32(h)^uint32(h)>>16) & (buckets - 1)
	}
	slices.SortStableFunc(all, func(a, b DroppedColumn) int {
		return cmp.Or(cmp.Compare(bucket(a), bucket(b)), cmp.Compare(a.At, b.At))
	})
	return all
}

// propertiesToPrint returns what stands behind WITH, in Cassandra's order.
func (t *Table) propertiesToPrint(internals bool) []string {
	var p []string
	if internals {
		p = append(p, "ID = "+t.ID.String())
	}
	if len(t.Clustering) > 0 {
		order := make([]string, len(t.Clustering))
		for i, c := range t.Clustering {
			order[i] = types.QuoteIdent(c.Name) + " ASC"
			if c.Desc {
				order[i] = types.QuoteIdent(c.Name) + " DESC"
			}
		}
		p = append(p, "CLUSTERING ORDER BY ("+join(order)+")")
	}
	o := &t.Options
	comment := "comment = " + quote(o.Comment)
	if t.Virtual {
		return append(p, comment)
	}
	memtable := o.Memtable
	if memtable == "" {
		memtable = "default"
	}
	extensions := make([]string, 0, len(o.Extensions))
	for _, k := range sortedKeys(o.Extensions) {
		extensions = append(extensions, quote(k)+": 0x"+hex.EncodeToString(o.Extensions[k]))
	}
	return append(p,
		"additional_write_policy = "+quote(o.AdditionalWritePolicy),
		fmt.Sprintf("allow_auto_snapshot = %t", !isFalse(o.AllowAutoSnapshot)),
		"bloom_filter_fp_chance = "+formatDouble(o.BloomFilterFPChance),
		"caching = "+mapLiteral(o.Caching),
		fmt.Sprintf("cdc = %t", isTrue(o.CDC)),
		comment,
		"compaction = "+mapLiteral(o.Compaction),
		"compression = "+mapLiteral(o.Compression),
		"memtable = "+quote(memtable),
		"crc_check_chance = "+formatDouble(o.CRCCheckChance),
		fmt.Sprintf("default_time_to_live = %d", o.DefaultTTL),
		"extensions = {"+join(extensions)+"}",
		fmt.Sprintf("gc_grace_seconds = %d", o.GCGraceSeconds),
		fmt.Sprintf("incremental_backups = %t", !isFalse(o.IncrementalBackups)),
		fmt.Sprintf("max_index_interval = %d", o.MaxIndexInterval),
		fmt.Sprintf("memtable_flush_period_in_ms = %d", o.MemtableFlushPeriodMs),
		fmt.Sprintf("min_index_interval = %d", o.MinIndexInterval),
		"read_repair = "+quote(o.ReadRepair),
		"speculative_retry = "+quote(o.SpeculativeRetry),
	)
}
