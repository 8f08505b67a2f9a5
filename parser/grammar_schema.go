package parser

// The productions of CREATE, ALTER, DROP and DESCRIBE. Each begins behind that word.

// createStatement is what follows CREATE.
type createStatement struct {
	Keyspace  *createKeyspace  `parser:"  'KEYSPACE' @@"`
	Table     *createTable     `parser:"| 'COLUMNFAMILY' @@"`
	Index     *createIndex     `parser:"| @@"`
	Type      *createType      `parser:"| 'TYPE' @@"`
	View      *createView      `parser:"| 'MATERIALIZED' 'VIEW' @@"`
	Role      *createRole      `parser:"| 'ROLE' @@"`
	User      *createUser      `parser:"| 'USER' @@"`
	Trigger   *createTrigger   `parser:"| 'TRIGGER' @@"`
	Function  *createFunction  `parser:"| @@"`
	Aggregate *createAggregate `parser:"| @@"`
}

// createKeyspace is [IF NOT EXISTS] name WITH properties.
type createKeyspace struct {
	IfNotExists bool         `parser:"( 'IF' 'NOT' @'EXISTS' )?"`
	Name        keyspaceName `parser:"@@"`
	With        []property   `parser:"'WITH' @@ ( 'AND' @@ )*"`
}

// createTable is [IF NOT EXISTS] name (entries) [WITH properties]; entries behind the first may be empty.
type createTable struct {
	IfNotExists bool            `parser:"( 'IF' 'NOT' @'EXISTS' )?"`
	Table       tableName       `parser:"@@"`
	Entries     []tableEntry    `parser:"'(' @@ ( ',' @@? )* ')'"`
	With        []tableProperty `parser:"( 'WITH' @@ ( 'AND' @@ )* )?"`
}

// tableEntry is a column or a PRIMARY KEY clause.
type tableEntry struct {
	Key    *primaryKey `parser:"  'PRIMARY' 'KEY' @@"`
	Column *columnDef  `parser:"| @@"`
}

// primaryKey is (a, b) or ((a, b), c) behind PRIMARY KEY.
type primaryKey struct {
	Partition  []ident `parser:"'(' ( @@ | '(' @@ ( ',' @@ )* ')' )"`
	Clustering []ident `parser:"( ',' @@ )* ')'"`
}

// columnDef is a column of CREATE TABLE.
type columnDef struct {
	Column     addedColumn `parser:"@@"`
	PrimaryKey bool        `parser:"( 'PRIMARY' @'KEY' )?"`
}

// addedColumn is name type [STATIC] [mask].
type addedColumn struct {
	Name   ident    `parser:"@@"`
	Type   typeName `parser:"@@"`
	Static bool     `parser:"( @'STATIC' )?"`
	Mask   *mask    `parser:"@@?"`
}

// mask tries a function first: default may be one.
type mask struct {
	Func    *functionName `parser:"'MASKED' 'WITH' ( @@ '('"`
	Args    []term        `parser:"( @@ ( ',' @@ )* )? ')'"`
	Default bool          `parser:"| @'DEFAULT' )"`
}

// tableProperty is one entry of CREATE TABLE .. WITH.
type tableProperty struct {
	Compact  bool              `parser:"  @'COMPACT' 'STORAGE'"`
	Order    []clusteringOrder `parser:"| 'CLUSTERING' 'ORDER' 'BY' '(' @@ ( ',' @@ )* ')'"`
	Property *property         `parser:"| @@"`
}

// clusteringOrder is one entry of CLUSTERING ORDER BY; the direction is mandatory.
type clusteringOrder struct {
	Column ident `parser:"@@"`
	Desc   bool  `parser:"( 'ASC' | @'DESC' )"`
}

// createType is [IF NOT EXISTS] name (fields).
type createType struct {
	IfNotExists bool         `parser:"( 'IF' 'NOT' @'EXISTS' )?"`
	Name        userTypeName `parser:"@@"`
	Fields      []typeField  `parser:"'(' @@ ( ',' @@? )* ')'"`
}

// typeField is name type.
type typeField struct {
	Name ident    `parser:"@@"`
	Type typeName `parser:"@@"`
}

// createIndex is [CUSTOM] INDEX [IF NOT EXISTS] [name] ON table (targets) [USING class] [WITH properties].
type createIndex struct {
	Custom      bool          `parser:"( @'CUSTOM' )? 'INDEX'"`
	IfNotExists bool          `parser:"( 'IF' 'NOT' @'EXISTS' )?"`
	Name        *newIndexName `parser:"@@?"`
	Table       tableName     `parser:"'ON' @@"`
	Targets     []indexTarget `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
	Using       *text         `parser:"( 'USING' @@ )?"`
	With        []property    `parser:"( 'WITH' @@ ( 'AND' @@ )* )?"`
}

// indexTarget tries values(c) first: values may be a column.
type indexTarget struct {
	Kind  string  `parser:"( ( @'VALUES' | @'KEYS' | @'ENTRIES' | @'FULL' ) '('"`
	Inner *column `parser:"@@ ')'"`
	Plain *column `parser:"| @@ )"`
}

// createView is [IF NOT EXISTS] name AS SELECT .. PRIMARY KEY (..) [WITH properties].
type createView struct {
	Name  tableName      `parser:"( 'IF' 'NOT' 'EXISTS' )? @@"`
	Items selectItems    `parser:"'AS' 'SELECT' @@"`
	Table tableName      `parser:"'FROM' @@"`
	Where relations      `parser:"( 'WHERE' @@ )?"`
	Key   primaryKey     `parser:"'PRIMARY' 'KEY' @@"`
	With  []viewProperty `parser:"( 'WITH' @@ ( 'AND' @@ )* )?"`
}

// viewProperty takes COMPACT STORAGE to refuse it.
type viewProperty struct {
	Compact  *compactStorage   `parser:"  @@"`
	Order    []clusteringOrder `parser:"| 'CLUSTERING' 'ORDER' 'BY' '(' @@ ( ',' @@ )* ')'"`
	Property *property         `parser:"| @@"`
}

// createTrigger is [IF NOT EXISTS] name ON table USING class.
type createTrigger struct {
	Name  ident     `parser:"( 'IF' 'NOT' 'EXISTS' )? @@"`
	Table tableName `parser:"'ON' @@"`
	Class text      `parser:"'USING' @@"`
}

// createFunction is [OR REPLACE] FUNCTION .. AS body, whose clauses are all mandatory.
type createFunction struct {
	Name     functionName       `parser:"( 'OR' 'REPLACE' )? 'FUNCTION' ( 'IF' 'NOT' 'EXISTS' )? @@"`
	Args     []functionArgument `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
	Returns  typeName           `parser:"( 'RETURNS' 'NULL' | 'CALLED' ) 'ON' 'NULL' 'INPUT' 'RETURNS' @@"`
	Language languageName       `parser:"'LANGUAGE' @@"`
	Body     text               `parser:"'AS' @@"`
}

// functionArgument is name type.
type functionArgument struct {
	Name ident    `parser:"@@"`
	Type typeName `parser:"@@"`
}

// createAggregate is [OR REPLACE] AGGREGATE .. SFUNC f STYPE t [FINALFUNC g] [INITCOND v].
type createAggregate struct {
	Name    functionName      `parser:"( 'OR' 'REPLACE' )? 'AGGREGATE' ( 'IF' 'NOT' 'EXISTS' )? @@"`
	Args    []typeName        `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
	State   localFunctionName `parser:"'SFUNC' @@"`
	Type    typeName          `parser:"'STYPE' @@"`
	Final   localFunctionName `parser:"( 'FINALFUNC' @@ )?"`
	Initial *term             `parser:"( 'INITCOND' @@ )?"`
}

// alterStatement is what follows ALTER.
type alterStatement struct {
	Keyspace *alterKeyspace `parser:"  'KEYSPACE' @@"`
	Table    *alterTable    `parser:"| 'COLUMNFAMILY' @@"`
	Type     *alterUserType `parser:"| 'TYPE' @@"`
	View     *alterView     `parser:"| 'MATERIALIZED' 'VIEW' @@"`
	Role     *alterRole     `parser:"| 'ROLE' @@"`
	User     *alterUser     `parser:"| 'USER' @@"`
}

// alterKeyspace is [IF EXISTS] name WITH properties.
type alterKeyspace struct {
	IfExists bool         `parser:"( 'IF' @'EXISTS' )?"`
	Name     keyspaceName `parser:"@@"`
	With     []property   `parser:"'WITH' @@ ( 'AND' @@ )*"`
}

// alterTable is [IF EXISTS] name and one change.
type alterTable struct {
	IfExists bool         `parser:"( 'IF' @'EXISTS' )?"`
	Table    tableName    `parser:"@@"`
	Type     *alterType   `parser:"( 'ALTER' @@"`
	Mask     *alterMask   `parser:"| 'ALTER' @@"`
	Add      *alterAdd    `parser:"| 'ADD' @@"`
	Compact  bool         `parser:"| 'DROP' @'COMPACT' 'STORAGE'"`
	Drop     *alterDrop   `parser:"| 'DROP' @@"`
	Rename   *alterRename `parser:"| 'RENAME' @@"`
	With     []property   `parser:"| 'WITH' @@ ( 'AND' @@ )* )"`
}

// alterType is column TYPE type, which is refused later.
type alterType struct {
	Column column   `parser:"@@ 'TYPE'"`
	Type   typeName `parser:"@@"`
}

// alterMask is [IF EXISTS] column and a mask or DROP MASKED.
type alterMask struct {
	IfExists bool   `parser:"( 'IF' @'EXISTS' )?"`
	Column   column `parser:"@@"`
	Mask     *mask  `parser:"( @@"`
	Drop     bool   `parser:"| 'DROP' @'MASKED' )"`
}

// alterAdd is [IF NOT EXISTS] and one column, or several in parentheses.
type alterAdd struct {
	IfNotExists bool          `parser:"( 'IF' 'NOT' @'EXISTS' )?"`
	Columns     []addedColumn `parser:"( @@ | '(' @@ ( ',' @@ )* ')' )"`
}

// alterDrop is [IF EXISTS] and one column, or several in parentheses, [USING TIMESTAMP n].
type alterDrop struct {
	IfExists  bool     `parser:"( 'IF' @'EXISTS' )?"`
	Columns   []ident  `parser:"( @@ | '(' @@ ( ',' @@ )* ')' )"`
	Timestamp *integer `parser:"( 'USING' 'TIMESTAMP' @@ )?"`
}

// alterRename is [IF EXISTS] a TO b [AND c TO d].
type alterRename struct {
	IfExists bool         `parser:"( 'IF' @'EXISTS' )?"`
	Renames  []renamePair `parser:"@@ ( 'AND' @@ )*"`
}

// renamePair is a TO b.
type renamePair struct {
	From ident `parser:"@@"`
	To   ident `parser:"'TO' @@"`
}

// alterUserType is [IF EXISTS] name and one change.
type alterUserType struct {
	IfExists bool         `parser:"( 'IF' @'EXISTS' )?"`
	Name     userTypeName `parser:"@@"`
	Alter    *alterField  `parser:"( 'ALTER' @@"`
	Add      *addField    `parser:"| 'ADD' @@"`
	Rename   *alterRename `parser:"| 'RENAME' @@ )"`
}

// alterField is field TYPE type, which is refused later.
type alterField struct {
	Name ident    `parser:"@@ 'TYPE'"`
	Type typeName `parser:"@@"`
}

// addField is [IF NOT EXISTS] field type.
type addField struct {
	IfNotExists bool      `parser:"( 'IF' 'NOT' @'EXISTS' )?"`
	Field       typeField `parser:"@@"`
}

// alterView is [IF EXISTS] name WITH properties.
type alterView struct {
	Name tableName  `parser:"( 'IF' 'EXISTS' )? @@"`
	With []property `parser:"'WITH' @@ ( 'AND' @@ )*"`
}

// dropStatement is what follows DROP.
type dropStatement struct {
	Keyspace  *dropKeyspace   `parser:"  'KEYSPACE' @@"`
	Table     *dropTable      `parser:"| 'COLUMNFAMILY' @@"`
	Index     *dropIndex      `parser:"| 'INDEX' @@"`
	Type      *dropType       `parser:"| 'TYPE' @@"`
	View      *dropTable      `parser:"| 'MATERIALIZED' 'VIEW' @@"`
	Role      *roleName       `parser:"| 'ROLE' ( 'IF' 'EXISTS' )? @@"`
	User      *userName       `parser:"| 'USER' ( 'IF' 'EXISTS' )? @@"`
	Trigger   *dropTrigger    `parser:"| 'TRIGGER' @@"`
	Function  *droppedRoutine `parser:"| 'FUNCTION' @@"`
	Aggregate *droppedRoutine `parser:"| 'AGGREGATE' @@"`
	Identity  *identity       `parser:"| 'IDENTITY' ( 'IF' 'EXISTS' )? @@"`
}

// dropKeyspace is [IF EXISTS] name.
type dropKeyspace struct {
	IfExists bool         `parser:"( 'IF' @'EXISTS' )?"`
	Name     keyspaceName `parser:"@@"`
}

// dropTable is [IF EXISTS] name, of a table or a view.
type dropTable struct {
	IfExists bool      `parser:"( 'IF' @'EXISTS' )?"`
	Table    tableName `parser:"@@"`
}

// dropIndex is [IF EXISTS] name.
type dropIndex struct {
	IfExists bool      `parser:"( 'IF' @'EXISTS' )?"`
	Index    indexName `parser:"@@"`
}

// dropType is [IF EXISTS] name.
type dropType struct {
	IfExists bool         `parser:"( 'IF' @'EXISTS' )?"`
	Type     userTypeName `parser:"@@"`
}

// dropTrigger is [IF EXISTS] name ON table.
type dropTrigger struct {
	Name  ident     `parser:"( 'IF' 'EXISTS' )? @@"`
	Table tableName `parser:"'ON' @@"`
}

// droppedRoutine is [IF EXISTS] name [(types)], of a function or an aggregate.
type droppedRoutine struct {
	Name functionName `parser:"( 'IF' 'EXISTS' )? @@"`
	Args []typeName   `parser:"( '(' ( @@ ( ',' @@ )* )? ')' )?"`
}

// describeStatement is what follows DESCRIBE or DESC.
type describeStatement struct {
	What      describedThing `parser:"@@"`
	Internals bool           `parser:"( 'WITH' @'INTERNALS' )?"`
}

// describedThing tries the words before a bare name: most of them may be names too.
type describedThing struct {
	Cluster    bool               `parser:"  @'CLUSTER'"`
	Schema     *describedSchema   `parser:"| @@"`
	Keyspaces  bool               `parser:"| @'KEYSPACES'"`
	Keyspace   *describedKeyspace `parser:"| @@"`
	Tables     bool               `parser:"| @'TABLES'"`
	Table      *tableName         `parser:"| 'COLUMNFAMILY' @@"`
	Index      *tableName         `parser:"| 'INDEX' @@"`
	View       *tableName         `parser:"| 'MATERIALIZED' 'VIEW' @@"`
	Types      bool               `parser:"| @'TYPES'"`
	Type       *userTypeName      `parser:"| 'TYPE' @@"`
	Functions  bool               `parser:"| @'FUNCTIONS'"`
	Function   *functionName      `parser:"| 'FUNCTION' @@"`
	Aggregates bool               `parser:"| @'AGGREGATES'"`
	Aggregate  *functionName      `parser:"| 'AGGREGATE' @@"`
	Generic    *plainName         `parser:"| @@"`
}

// describedSchema is [FULL] SCHEMA.
type describedSchema struct {
	Full   bool `parser:"( @'FULL' )?"`
	Schema bool `parser:"@'SCHEMA'"`
}

// describedKeyspace is [ONLY] KEYSPACE [name].
type describedKeyspace struct {
	Only bool          `parser:"( @'ONLY' )? 'KEYSPACE'"`
	Name *keyspaceName `parser:"@@?"`
}
