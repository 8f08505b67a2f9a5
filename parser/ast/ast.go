// Package ast is CQL statements as data, and printing them back. The parser makes it, the planner reads it; nothing here
// knows of schemas. Names are already folded to lower case unless they were quoted.
//
// Floor: above cql. Source: org.apache.cassandra.cql3.statements.*.Raw; Parser.g.
package ast

// Statement is one parsed statement. String (in print.go) prints it back as CQL that parses to the same tree.
type Statement interface {
	statement()
	String() string
}

// Name is a possibly qualified name of a table, type, index or function. Keyspace is "" when it was not given.
type Name struct{ Keyspace, Name string }

// Expr is a term or a selector: a literal, a marker, a column, a call, an operation or a constructor.
type Expr interface{ expr() }

// LiteralKind is the class of a constant, by Cassandra's word for it in error texts.
// Source: org.apache.cassandra.cql3.Constants.Type.
type LiteralKind uint8

// The classes of constants. Infinity and NaN are Float literals.
const (
	StringLiteral LiteralKind = iota
	IntegerLiteral
	UUIDLiteral
	FloatLiteral
	BooleanLiteral
	HexLiteral
	DurationLiteral
	NullLiteral
)

// Literal is a constant. Text is its value without quotes and escapes (a hex literal without its 0x); Slot is its number
// among the literals that the lexer lifted out of the statement, so that a plan made for the statement's shape can take
// the text of another statement of the same shape. A null has Slot -1: it is part of the shape.
type Literal struct {
	Kind LiteralKind
	Text string
	Slot int
}

// Marker is a bind marker: Index counts from 0 in the order of the text, Name is "" for a plain ?.
type Marker struct {
	Index int
	Name  string
}

// Column names a column.
type Column struct{ Name string }

// Call is a function call. Star is count(*): then Args is empty. The planner resolves Name; writetime, maxwritetime, ttl and
// token are calls too.
type Call struct {
	Func Name
	Args []Expr
	Star bool
}

// TypeHint is (type)x.
type TypeHint struct {
	Type *TypeName
	Of   Expr
}

// Cast is CAST(x AS type).
type Cast struct {
	Of   Expr
	Type *TypeName
}

// Binary is an arithmetic operation: Op is one of + - * / %.
type Binary struct {
	Op   byte
	L, R Expr
}

// Negate is -x of something that is not a literal.
type Negate struct{ Of Expr }

// List is [a, b]: a list or a vector, as the receiver decides.
type List struct{ Items []Expr }

// Set is {a, b}; with no items it is the empty set or map.
type Set struct{ Items []Expr }

// Map is {k: v}.
type Map struct{ Keys, Values []Expr }

// Tuple is (a, b). With one item it may also be a parenthesised expression; the planner decides by the receiver.
type Tuple struct{ Items []Expr }

// UDT is {field: v}.
type UDT struct {
	Fields []string
	Values []Expr
}

// Field is u.f.
type Field struct {
	Of   Expr
	Name string
}

// Element is m[k] or s[e].
type Element struct{ Of, Key Expr }

// Slice is m[from..to]; an open end is nil.
type Slice struct{ Of, From, To Expr }

func (*Literal) expr()  {}
func (*Marker) expr()   {}
func (*Column) expr()   {}
func (*Call) expr()     {}
func (*TypeHint) expr() {}
func (*Cast) expr()     {}
func (*Binary) expr()   {}
func (*Negate) expr()   {}
func (*List) expr()     {}
func (*Set) expr()      {}
func (*Map) expr()      {}
func (*Tuple) expr()    {}
func (*UDT) expr()      {}
func (*Field) expr()    {}
func (*Element) expr()  {}
func (*Slice) expr()    {}

// TypeName is a type as it was written. Name is a native name in lower case, "list", "set", "map", "tuple", "vector", or a
// user type's name (IsUser); Class is the text of a quoted Java class and leaves Name empty.
type TypeName struct {
	Keyspace string
	Name     string
	IsUser   bool
	Frozen   bool
	Params   []*TypeName
	Dim      int // of a vector; -1 when a literal was out of range
	Class    string
}

// Operator of a relation or a condition.
type Operator uint8

// The operators. Source: org.apache.cassandra.cql3.Operator.
const (
	EQ Operator = iota
	LT
	LE
	GT
	GE
	NEQ
	IN
	Contains
	ContainsKey
	Like
	IsNotNull
)

// Relation is one term of a WHERE clause.
type Relation struct {
	// Columns has one name; several with Token or Multi.
	Columns []string
	// Token is token(a, b) op x; Multi is (a, b) op x.
	Token, Multi bool
	// Key is k of m[k] = v, else nil.
	Key Expr
	// Index and Text are of expr(index, 'text').
	Index *Name
	Op    Operator
	// Value is the right side; for IN it is the marker of IN ? and nil with a list.
	Value Expr
	// Values is the list of IN (...); it may be empty. It is nil for IN ?.
	Values []Expr
}

// Condition is one term of an IF clause: column, column[Key] or column.Field.
type Condition struct {
	Column string
	Key    Expr
	Field  string
	Op     Operator
	Value  Expr
	Values []Expr
}

// AssignOp is the form of an assignment.
type AssignOp uint8

// The forms of SET. AssignAdd is c = c + v and c += v, AssignSub c = c - v and c -= v, AssignPrepend c = v + c.
const (
	AssignSet AssignOp = iota
	AssignAdd
	AssignSub
	AssignPrepend
)

// Assignment is one term of SET: of a column, an element (Key) or a field of it.
type Assignment struct {
	Column string
	Key    Expr
	Field  string
	Op     AssignOp
	Value  Expr
}

// Using is the USING clause; absent parts are nil.
type Using struct{ Timestamp, TTL Expr }

// Insert is INSERT ... VALUES, or INSERT ... JSON when JSON is set.
type Insert struct {
	Table       Name
	Columns     []string
	Values      []Expr
	JSON        Expr // literal string or marker
	JSONUnset   bool // DEFAULT UNSET
	IfNotExists bool
	Using       Using
}

// Update is UPDATE.
type Update struct {
	Table    Name
	Using    Using
	Set      []Assignment
	Where    []Relation
	IfExists bool
	If       []Condition
}

// Delete is DELETE; Columns is empty for whole rows, else what is deleted (Op and Value of the assignments unused).
type Delete struct {
	Table    Name
	Columns  []Assignment
	Using    Using
	Where    []Relation
	IfExists bool
	If       []Condition
}

// BatchKind is the kind of a batch, numbered as in the protocol.
type BatchKind uint8

// The kinds of batches.
const (
	LoggedBatch BatchKind = iota
	UnloggedBatch
	CounterBatch
)

// Batch is BEGIN BATCH ... APPLY BATCH. Its statements are *Insert, *Update and *Delete.
type Batch struct {
	Kind       BatchKind
	Using      Using
	Statements []Statement
}

// SelectItem is one entry of a selection.
type SelectItem struct {
	Expr  Expr
	Alias string
}

// Order is one entry of ORDER BY. ANN is the vector of ANN OF, else nil.
type Order struct {
	Column string
	Desc   bool
	ANN    Expr
}

// Select is SELECT. Items is empty for *.
type Select struct {
	JSON, Distinct    bool
	Items             []SelectItem
	Table             Name
	Where             []Relation
	GroupBy           []Expr // columns, or calls on the last element
	OrderBy           []Order
	PerPartitionLimit Expr
	Limit             Expr
	AllowFiltering    bool
}

// Property is one entry of WITH: a plain value (Text) or a map. Values keep the text that was written, without quotes.
type Property struct {
	Name string
	// Value is a *Literal, or a *Column for a bare word; nil when the property is a map.
	Value Expr
	// IsMap is set for name = {...}; Keys and Values are its entries in order.
	IsMap        bool
	Keys, Values []string
}

// CreateKeyspace is CREATE KEYSPACE.
type CreateKeyspace struct {
	Name        string
	IfNotExists bool
	With        []Property
}

// AlterKeyspace is ALTER KEYSPACE.
type AlterKeyspace struct {
	Name     string
	IfExists bool
	With     []Property
}

// DropKeyspace is DROP KEYSPACE.
type DropKeyspace struct {
	Name     string
	IfExists bool
}

// Mask is MASKED WITH; Default is MASKED WITH DEFAULT.
type Mask struct {
	Default bool
	Func    Name
	Args    []Expr
}

// ColumnDef is one column of CREATE TABLE or ALTER TABLE ADD. PrimaryKey is the inline PRIMARY KEY.
type ColumnDef struct {
	Name               string
	Type               *TypeName
	Static, PrimaryKey bool
	Mask               *Mask
}

// ClusteringOrder is one entry of CLUSTERING ORDER BY.
type ClusteringOrder struct {
	Column string
	Desc   bool
}

// CreateTable is CREATE TABLE. Keys lists every PRIMARY KEY (...) clause: more than one is refused later.
type CreateTable struct {
	Table          Name
	IfNotExists    bool
	Columns        []ColumnDef
	Keys           []PrimaryKey
	Order          []ClusteringOrder
	CompactStorage bool
	ID             string // WITH ID = uuid, else ""
	With           []Property
}

// PrimaryKey is PRIMARY KEY ((a, b), c).
type PrimaryKey struct{ Partition, Clustering []string }

// AlterTableKind is what ALTER TABLE does.
type AlterTableKind uint8

// The forms of ALTER TABLE.
const (
	AlterAdd AlterTableKind = iota
	AlterDrop
	AlterRename
	AlterType
	AlterWith
	AlterMask     // ALTER c MASKED WITH
	AlterDropMask // ALTER c DROP MASKED
	AlterDropCompact
)

// Rename is a TO b.
type Rename struct{ From, To string }

// AlterTable is ALTER TABLE. IfExists is of the table, ColumnIf of IF [NOT] EXISTS behind ADD, DROP, RENAME or ALTER.
type AlterTable struct {
	Table     Name
	IfExists  bool
	ColumnIf  bool
	Kind      AlterTableKind
	Add       []ColumnDef
	Drop      []string
	Timestamp string // DROP ... USING TIMESTAMP n, else ""
	Renames   []Rename
	Column    string // of AlterType, AlterMask and AlterDropMask
	Type      *TypeName
	Mask      *Mask
	With      []Property
}

// DropTable is DROP TABLE.
type DropTable struct {
	Table    Name
	IfExists bool
}

// Truncate is TRUNCATE.
type Truncate struct{ Table Name }

// CreateType is CREATE TYPE.
type CreateType struct {
	Type        Name
	IfNotExists bool
	Fields      []string
	Types       []*TypeName
}

// AlterTypeKind is what ALTER TYPE does.
type AlterTypeKind uint8

// The forms of ALTER TYPE.
const (
	TypeAdd AlterTypeKind = iota
	TypeRename
	TypeAlter
)

// AlterUserType is ALTER TYPE.
type AlterUserType struct {
	Type     Name
	IfExists bool
	FieldIf  bool // ADD IF NOT EXISTS, RENAME IF EXISTS
	Kind     AlterTypeKind
	Field    string
	NewType  *TypeName
	Renames  []Rename
}

// DropType is DROP TYPE.
type DropType struct {
	Type     Name
	IfExists bool
}

// IndexTarget is the target of CREATE INDEX: Kind is "", "values", "keys", "entries" or "full".
type IndexTarget struct{ Kind, Column string }

// CreateIndex is CREATE INDEX. Name may be empty; its Keyspace cannot be given.
type CreateIndex struct {
	Name        string
	IfNotExists bool
	Custom      bool
	Table       Name
	Targets     []IndexTarget
	Using       string
	HasUsing    bool
	Options     map[string]string
	With        []Property
}

// DropIndex is DROP INDEX.
type DropIndex struct {
	Index    Name
	IfExists bool
}

// Use is USE.
type Use struct{ Keyspace string }

// DescribeKind is what DESCRIBE shows.
type DescribeKind uint8

// The forms of DESCRIBE. DescribeGeneric is DESCRIBE name.
const (
	DescribeKeyspaces DescribeKind = iota
	DescribeTables
	DescribeTypes
	DescribeFunctions
	DescribeAggregates
	DescribeSchema
	DescribeCluster
	DescribeKeyspace
	DescribeTable
	DescribeIndex
	DescribeView
	DescribeType
	DescribeFunction
	DescribeAggregate
	DescribeGeneric
)

// Describe is DESCRIBE. Full is FULL SCHEMA, Only is ONLY KEYSPACE, Internals WITH INTERNALS.
type Describe struct {
	Kind                  DescribeKind
	Full, Only, Internals bool
	Target                Name
}

// Other is a statement of Cassandra's that parses but that no part of the server carries out yet: roles, permissions,
// users, identities, views, functions, aggregates, triggers. What names it as the refusal does: "CREATE ROLE",
// "CREATE MATERIALIZED VIEW". Text is the statement as it was written.
type Other struct {
	What string
	Text string
}

func (*Insert) statement()         {}
func (*Update) statement()         {}
func (*Delete) statement()         {}
func (*Batch) statement()          {}
func (*Select) statement()         {}
func (*CreateKeyspace) statement() {}
func (*AlterKeyspace) statement()  {}
func (*DropKeyspace) statement()   {}
func (*CreateTable) statement()    {}
func (*AlterTable) statement()     {}
func (*DropTable) statement()      {}
func (*Truncate) statement()       {}
func (*CreateType) statement()     {}
func (*AlterUserType) statement()  {}
func (*DropType) statement()       {}
func (*CreateIndex) statement()    {}
func (*DropIndex) statement()      {}
func (*Use) statement()            {}
func (*Describe) statement()       {}
func (*Other) statement()          {}
