// Package schema is the schema as immutable data: a Snapshot of keyspaces, tables, columns, user types and indexes,
// replaced whole by each change. Readers hold a pointer to one snapshot for the length of a statement.
//
// Floor: above cql and cql/types. Source: org.apache.cassandra.schema; cql.md 1.4, 1.8, 1.9.
package schema

import (
	"sort"

	"github.com/helenusdb/helenus/cql/types"
)

// UUID is a 16-byte identifier in wire form.
type UUID [16]byte

// ColumnID names a column of one table for good: it survives renames and restarts, and a column that is dropped and
// added again under its name keeps it, so that the drop time hides what was written before. Mutations and memtables
// know columns by it. Ids start at 1; 0 is no column.
type ColumnID uint32

// ColumnKind is where a column stands in its table, in the order of SELECT *.
type ColumnKind uint8

// The kinds. Source: org.apache.cassandra.schema.ColumnMetadata.Kind.
const (
	PartitionKey ColumnKind = iota
	Clustering
	Static
	Regular
)

var columnKindNames = [...]string{"partition_key", "clustering", "static", "regular"}

// String returns what system_schema.columns.kind shows.
func (k ColumnKind) String() string { return columnKindNames[k] }

// Column is one column of a table. It is immutable.
type Column struct {
	Keyspace, Table string
	Name            string
	ID              ColumnID
	Kind            ColumnKind
	// Position counts from 0 among partition key or clustering columns and is -1 for the others.
	Position int
	Type     *types.Type
	// Desc is true for a clustering column that is stored in descending order.
	Desc bool
	// DroppedAt hides cells with timestamps (microseconds) at or below it: the column was dropped then and added
	// again. It is math.MinInt64 for a column that never was.
	DroppedAt int64
}

// IsPrimaryKey reports whether c is a partition key or clustering column.
func (c *Column) IsPrimaryKey() bool { return c.Kind <= Clustering }

// Compare orders two values of a clustering column as they are stored: by type, reversed for Desc.
func (c *Column) Compare(a, b []byte) int {
	if c.Desc {
		return c.Type.Compare(b, a)
	}
	return c.Type.Compare(a, b)
}

// DroppedColumn remembers a column that was dropped. Source: org.apache.cassandra.schema.DroppedColumn.
type DroppedColumn struct {
	Column *Column
	// At is the drop time in microseconds: cells at or below it are gone for good.
	At int64
}

// IndexTarget is what of its column an index holds. Source: org.apache.cassandra.cql3.statements.schema.IndexTarget.
type IndexTarget uint8

// The targets. TargetSimple is a plain column, the others are of collections.
const (
	TargetSimple IndexTarget = iota
	TargetValues
	TargetKeys
	TargetEntries
	TargetFull
)

// Index is one secondary index. It is immutable.
type Index struct {
	Name string
	// Kind is what system_schema.indexes.kind shows: COMPOSITES, KEYS or CUSTOM.
	Kind string
	// Options holds "target" as Cassandra prints it and, for a custom index, "class_name" and what was given.
	Options map[string]string
	Column  *Column
	Target  IndexTarget
}

// Table is one table, virtual ones included. It is immutable; a change makes a new one.
type Table struct {
	Keyspace, Name string
	ID             UUID
	// PartitionKey and Clustering are in key order; Static and Regular in the order of SELECT * (spec cql.md 1.5).
	PartitionKey, Clustering, Static, Regular []*Column
	// ByName and ByID find the columns of all four kinds.
	ByName map[string]*Column
	ByID   map[ColumnID]*Column
	// Dropped holds the columns dropped and not added again, by name.
	Dropped map[string]DroppedColumn
	// Readded holds what was dropped and added again since, by name: its Column is the dropped one.
	Readded map[string]DroppedColumn
	// NextColumn is the id that the next new column gets.
	NextColumn ColumnID
	Options    Options
	Indexes    []*Index // sorted by name
	// Counter is true when the table was made with counters: every column outside the primary key is one, and stays true
	// when the last of them is dropped.
	Counter bool
	// Virtual is true for tables whose rows are made by the node when they are read.
	Virtual bool
}

// Options are a table's properties, with Cassandra's defaults filled in. Maps are never written after they are set.
// Source: org.apache.cassandra.schema.TableParams.
type Options struct {
	Comment               string
	BloomFilterFPChance   float64
	Caching               map[string]string
	CDC                   *bool // nil unless given
	Compaction            map[string]string
	Compression           map[string]string
	Memtable              string // "" unless given
	CRCCheckChance        float64
	DefaultTTL            int32 // seconds
	Extensions            map[string][]byte
	GCGraceSeconds        int32
	MaxIndexInterval      int32
	MinIndexInterval      int32
	MemtableFlushPeriodMs int32
	SpeculativeRetry      string
	AdditionalWritePolicy string
	ReadRepair            string // BLOCKING or NONE
	AllowAutoSnapshot     *bool  // nil unless given
	IncrementalBackups    *bool  // nil unless given
}

// AllColumns returns the columns in the order of SELECT *: partition key, clustering, static, regular. The caller owns
// the slice.
func (t *Table) AllColumns() []*Column {
	all := make([]*Column, 0, len(t.ByName))
	all = append(all, t.PartitionKey...)
	all = append(all, t.Clustering...)
	all = append(all, t.Static...)
	return append(all, t.Regular...)
}

// HasStatics reports whether t has static columns.
func (t *Table) HasStatics() bool { return len(t.Static) > 0 }

// Index returns the index of the given name, or nil.
func (t *Table) Index(name string) *Index {
	for _, x := range t.Indexes {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// UserType is a user-defined type: Type has kind UDT and is not frozen.
type UserType = types.Type

// Keyspace is one keyspace. It is immutable.
type Keyspace struct {
	Name          string
	DurableWrites bool
	// Replication is the map as system_schema shows it: "class" in full, then the strategy's options.
	Replication map[string]string
	Tables      map[string]*Table
	Types       map[string]*UserType
	// Virtual is true for keyspaces that only this node answers.
	Virtual bool
}

// Snapshot is the whole schema at one epoch. It is immutable.
type Snapshot struct {
	// Epoch counts the changes of the schema log; Version is derived from the content alone, so that two nodes
	// with the same schema show the same one.
	Epoch   uint64
	Version UUID
	// Keyspaces holds all of them, system and virtual ones too.
	Keyspaces map[string]*Keyspace
	// ByID finds tables by id.
	ByID map[UUID]*Table
}

// Table returns the table, or nil when the keyspace or the table does not exist.
func (s *Snapshot) Table(ks, name string) *Table {
	if k := s.Keyspaces[ks]; k != nil {
		return k.Tables[name]
	}
	return nil
}

// KeyspaceNames returns all names in order.
func (s *Snapshot) KeyspaceNames() []string { return sortedKeys(s.Keyspaces) }

// TableNames returns the names of k's tables in order.
func (k *Keyspace) TableNames() []string { return sortedKeys(k.Tables) }

// TypeNames returns the names of k's user types in order.
func (k *Keyspace) TypeNames() []string { return sortedKeys(k.Types) }

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
