package schema

// Env is what a schema statement depends on beside the schema: it makes the functions of this package pure.
type Env struct {
	// DataCenters counts the nodes of each known data center.
	DataCenters map[string]int
	// DefaultKeyspaceRF is the setting default_keyspace_rf; 0 means 1.
	DefaultKeyspaceRF int
	// Memtables are the names of the memtable configurations beside "default".
	Memtables []string
	// NewID makes the id of a new table: a time-based UUID, never one that was used before.
	NewID func() UUID
	// Now is the time in microseconds since 1970.
	Now int64
}

// TypeRef is a type as it was written. Name is a native name in lower case ("int", "varchar"), "list", "set", "map", "tuple",
// "vector", or a user type's name (IsUser); Class is the text of a quoted Java class and leaves Name empty.
type TypeRef struct {
	Keyspace string // of a user type, "" when it was not given
	Name     string
	IsUser   bool
	Frozen   bool
	Params   []*TypeRef
	Dim      int // of a vector
	Class    string
}

// Property is one entry of WITH: a word or constant (Value, as it was written but for quotes) or a map.
type Property struct {
	Name         string
	Value        string
	IsMap        bool
	Keys, Values []string // of a map, in the order written
}

// KeyspaceDef is CREATE or ALTER KEYSPACE. If is IF NOT EXISTS or IF EXISTS.
type KeyspaceDef struct {
	Name string
	If   bool
	With []Property
}

// ColumnDef is one column of CREATE TABLE or ALTER TABLE ADD. PrimaryKey is the inline PRIMARY KEY; Masked says that
// MASKED WITH was there.
type ColumnDef struct {
	Name                       string
	Type                       *TypeRef
	Static, PrimaryKey, Masked bool
}

// KeyDef is one PRIMARY KEY ((partition), clustering) clause.
type KeyDef struct{ Partition, Clustering []string }

// OrderDef is one entry of CLUSTERING ORDER BY.
type OrderDef struct {
	Column string
	Desc   bool
}

// TableDef is CREATE TABLE. Unqualified says that the statement left the keyspace out: some texts name the table as it was
// written.
type TableDef struct {
	Keyspace, Name string
	Unqualified    bool
	IfNotExists    bool
	Columns        []ColumnDef
	Keys           []KeyDef // every PRIMARY KEY clause that is not inline
	Order          []OrderDef
	CompactStorage bool
	ID             string // of WITH ID = uuid, else ""
	With           []Property
}

// AlterKind is what ALTER TABLE does.
type AlterKind uint8

// The forms of ALTER TABLE, in the order of ast.AlterTableKind.
const (
	AlterAdd AlterKind = iota
	AlterDrop
	AlterRename
	AlterColumnType
	AlterWith
	AlterMask
	AlterDropMask
	AlterDropCompact
)

// Rename is From TO To.
type Rename struct{ From, To string }

// TableAlter is ALTER TABLE. IfExists is of the table, ColumnIf of IF [NOT] EXISTS behind the verb.
type TableAlter struct {
	Keyspace, Name string
	IfExists       bool
	ColumnIf       bool
	Kind           AlterKind
	Add            []ColumnDef
	Drop           []string
	Timestamp      string // microseconds, of DROP ... USING TIMESTAMP; else ""
	Renames        []Rename
	Column         string // of AlterMask and AlterDropMask
	HasID          bool   // WITH ID was among the properties
	With           []Property
}

// TypeDef is CREATE TYPE. Types[i] is the type of Fields[i].
type TypeDef struct {
	Keyspace, Name string
	IfNotExists    bool
	Fields         []string
	Types          []*TypeRef
}

// AlterTypeKind is what ALTER TYPE does.
type AlterTypeKind uint8

// The forms of ALTER TYPE, in the order of ast.AlterTypeKind.
const (
	TypeAdd AlterTypeKind = iota
	TypeRename
	TypeAlter
)

// TypeAlterDef is ALTER TYPE. IfExists is of the type, FieldIf of IF [NOT] EXISTS behind the verb.
type TypeAlterDef struct {
	Keyspace, Name string
	IfExists       bool
	FieldIf        bool
	Kind           AlterTypeKind
	Field          string
	Type           *TypeRef
	Renames        []Rename
}

// TargetDef is one target of CREATE INDEX: Kind is "", "values", "keys", "entries" or "full".
type TargetDef struct{ Kind, Column string }

// IndexDef is CREATE INDEX on the table Keyspace.Table. Name may be empty.
type IndexDef struct {
	Keyspace, Table string
	Name            string
	IfNotExists     bool
	Custom          bool
	Targets         []TargetDef
	Using           string
	HasUsing        bool
	Options         map[string]string // of WITH OPTIONS
}

// DropDef is DROP KEYSPACE (Name empty), TABLE, TYPE or INDEX.
type DropDef struct {
	Keyspace, Name string
	IfExists       bool
}

// Event is a schema change as the protocol reports it. Change is "CREATED", "UPDATED" or "DROPPED"; Target is "KEYSPACE", "TABLE"
// or "TYPE"; Name is empty for a keyspace. Source: native_protocol_v5.spec 4.2.5.5.
type Event struct{ Change, Target, Keyspace, Name string }

// Result is what a schema statement comes to.
type Result struct {
	// NoOp is set when the statement changes nothing: the answer is VOID, Change is nil and Events is empty.
	NoOp bool
	// Change is what Apply and the schema log take.
	Change Change
	// Answer is the SCHEMA_CHANGE result of the statement.
	Answer Event
	// Events go to registered clients, before the answer, in this order.
	Events []Event
	// Warnings go to the client with the answer.
	Warnings []string
}
