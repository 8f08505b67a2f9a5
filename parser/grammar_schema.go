package parser

// The productions of CREATE, ALTER, DROP and DESCRIBE. Each begins behind that word.

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

type createKeyspace struct {
	IfNotExists bool         `parser:"( 'IF' 'NOT' @'EXISTS' )?"`
	Name        keyspaceName `parser:"@@"`
	With        []property   `parser:"'WITH' @@ ( 'AND' @@ )*"`
}

type createTable struct {
	IfNotExists bool            `parser:"( 'IF' 'NOT' @'EXISTS' )?"`
	Table       tableName       `parser:"@@"`
	Entries     []tableEntry    `parser:"'(' @@ ( ',' @@? )* ')'"`
	With        []tableProperty `parser:"( 'WITH' @@ ( 'AND' @@ )* )?"`
}

type tableEntry struct {
	Key    *primaryKey `parser:"  'PRIMARY' 'KEY' @@"`
	Column *columnDef  `parser:"| @@"`
}

type primaryKey struct {
	Partition  []ident `parser:"'(' ( @@ | '(' @@ ( ',' @@ )* ')' )"`
	Clustering []ident `parser:"( ',' @@ )* ')'"`
}

type columnDef struct {
	Column     addedColumn `parser:"@@"`
	PrimaryKey bool        `parser:"( 'PRIMARY' @'KEY' )?"`
}

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

type tableProperty struct {
	Compact  bool              `parser:"  @'COMPACT' 'STORAGE'"`
	Order    []clusteringOrder `parser:"| 'CLUSTERING' 'ORDER' 'BY' '(' @@ ( ',' @@ )* ')'"`
	Property *property         `parser:"| @@"`
}

type clusteringOrder struct {
	Column ident `parser:"@@"`
	Desc   bool  `parser:"( 'ASC' | @'DESC' )"`
}

type createType struct {
	IfNotExists bool         `parser:"( 'IF' 'NOT' @'EXISTS' )?"`
	Name        userTypeName `parser:"@@"`
	Fields      []typeField  `parser:"'(' @@ ( ',' @@? )* ')'"`
}

type typeField struct {
	Name ident    `parser:"@@"`
	Type typeName `parser:"@@"`
}

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

type createTrigger struct {
	Name  ident     `parser:"( 'IF' 'NOT' 'EXISTS' )? @@"`
	Table tableName `parser:"'ON' @@"`
	Class text      `parser:"'USING' @@"`
}

type createFunction struct {
	Name     functionName       `parser:"( 'OR' 'REPLACE' )? 'FUNCTION' ( 'IF' 'NOT' 'EXISTS' )? @@"`
	Args     []functionArgument `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
	Returns  typeName           `parser:"( 'RETURNS' 'NULL' | 'CALLED' ) 'ON' 'NULL' 'INPUT' 'RETURNS' @@"`
	Language languageName       `parser:"'LANGUAGE' @@"`
	Body     text               `parser:"'AS' @@"`
}

type functionArgument struct {
	Name ident    `parser:"@@"`
	Type typeName `parser:"@@"`
}

type createAggregate struct {
	Name    functionName      `parser:"( 'OR' 'REPLACE' )? 'AGGREGATE' ( 'IF' 'NOT' 'EXISTS' )? @@"`
	Args    []typeName        `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
	State   localFunctionName `parser:"'SFUNC' @@"`
	Type    typeName          `parser:"'STYPE' @@"`
	Final   localFunctionName `parser:"( 'FINALFUNC' @@ )?"`
	Initial *term             `parser:"( 'INITCOND' @@ )?"`
}

type alterStatement struct {
	Keyspace *alterKeyspace `parser:"  'KEYSPACE' @@"`
	Table    *alterTable    `parser:"| 'COLUMNFAMILY' @@"`
	Type     *alterUserType `parser:"| 'TYPE' @@"`
	View     *alterView     `parser:"| 'MATERIALIZED' 'VIEW' @@"`
	Role     *alterRole     `parser:"| 'ROLE' @@"`
	User     *alterUser     `parser:"| 'USER' @@"`
}

type alterKeyspace struct {
	IfExists bool         `parser:"( 'IF' @'EXISTS' )?"`
	Name     keyspaceName `parser:"@@"`
	With     []property   `parser:"'WITH' @@ ( 'AND' @@ )*"`
}

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

type alterType struct {
	Column column   `parser:"@@ 'TYPE'"`
	Type   typeName `parser:"@@"`
}

type alterMask struct {
	IfExists bool   `parser:"( 'IF' @'EXISTS' )?"`
	Column   column `parser:"@@"`
	Mask     *mask  `parser:"( @@"`
	Drop     bool   `parser:"| 'DROP' @'MASKED' )"`
}

type alterAdd struct {
	IfNotExists bool          `parser:"( 'IF' 'NOT' @'EXISTS' )?"`
	Columns     []addedColumn `parser:"( @@ | '(' @@ ( ',' @@ )* ')' )"`
}

type alterDrop struct {
	IfExists  bool     `parser:"( 'IF' @'EXISTS' )?"`
	Columns   []ident  `parser:"( @@ | '(' @@ ( ',' @@ )* ')' )"`
	Timestamp *integer `parser:"( 'USING' 'TIMESTAMP' @@ )?"`
}

type alterRename struct {
	IfExists bool         `parser:"( 'IF' @'EXISTS' )?"`
	Renames  []renamePair `parser:"@@ ( 'AND' @@ )*"`
}

type renamePair struct {
	From ident `parser:"@@"`
	To   ident `parser:"'TO' @@"`
}

type alterUserType struct {
	IfExists bool         `parser:"( 'IF' @'EXISTS' )?"`
	Name     userTypeName `parser:"@@"`
	Alter    *alterField  `parser:"( 'ALTER' @@"`
	Add      *addField    `parser:"| 'ADD' @@"`
	Rename   *alterRename `parser:"| 'RENAME' @@ )"`
}

type alterField struct {
	Name ident    `parser:"@@ 'TYPE'"`
	Type typeName `parser:"@@"`
}

type addField struct {
	IfNotExists bool      `parser:"( 'IF' 'NOT' @'EXISTS' )?"`
	Field       typeField `parser:"@@"`
}

type alterView struct {
	Name tableName  `parser:"( 'IF' 'EXISTS' )? @@"`
	With []property `parser:"'WITH' @@ ( 'AND' @@ )*"`
}

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

type dropKeyspace struct {
	IfExists bool         `parser:"( 'IF' @'EXISTS' )?"`
	Name     keyspaceName `parser:"@@"`
}

type dropTable struct {
	IfExists bool      `parser:"( 'IF' @'EXISTS' )?"`
	Table    tableName `parser:"@@"`
}

type dropIndex struct {
	IfExists bool      `parser:"( 'IF' @'EXISTS' )?"`
	Index    indexName `parser:"@@"`
}

type dropType struct {
	IfExists bool         `parser:"( 'IF' @'EXISTS' )?"`
	Type     userTypeName `parser:"@@"`
}

type dropTrigger struct {
	Name  ident     `parser:"( 'IF' 'EXISTS' )? @@"`
	Table tableName `parser:"'ON' @@"`
}

type droppedRoutine struct {
	Name functionName `parser:"( 'IF' 'EXISTS' )? @@"`
	Args []typeName   `parser:"( '(' ( @@ ( ',' @@ )* )? ')' )?"`
}

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

type describedSchema struct {
	Full   bool `parser:"( @'FULL' )?"`
	Schema bool `parser:"@'SCHEMA'"`
}

type describedKeyspace struct {
	Only bool          `parser:"( @'ONLY' )? 'KEYSPACE'"`
	Name *keyspaceName `parser:"@@?"`
}
