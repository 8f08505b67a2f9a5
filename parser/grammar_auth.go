package parser

// The productions of roles, users, permissions and identities: they are only recognised.

// createRole is what follows CREATE ROLE.
type createRole struct {
	Name    roleName     `parser:"( 'IF' 'NOT' 'EXISTS' )? @@"`
	Options []roleOption `parser:"( 'WITH' @@ ( 'AND' @@ )* )?"`
}

// alterRole is what follows ALTER ROLE.
type alterRole struct {
	Name    roleName     `parser:"( 'IF' 'EXISTS' )? @@"`
	Options []roleOption `parser:"( 'WITH' @@ ( 'AND' @@ )* )?"`
}

// roleOption is one option of a role; ACCESS clauses may repeat.
type roleOption struct {
	Password    *text      `parser:"  'PASSWORD' '=' @@"`
	Hashed      *text      `parser:"| 'HASHED' 'PASSWORD' '=' @@"`
	Options     *constants `parser:"| 'OPTIONS' '=' @@"`
	Superuser   *boolean   `parser:"| 'SUPERUSER' '=' @@"`
	Login       *boolean   `parser:"| 'LOGIN' '=' @@"`
	Datacenters []text     `parser:"| 'ACCESS' 'TO' ( 'ALL' 'DATACENTERS' | 'DATACENTERS' '{' @@ ( ',' @@ )* '}' )"`
	Cidrs       []text     `parser:"| 'ACCESS' 'FROM' ( 'ALL' 'CIDRS' | 'CIDRS' '{' @@ ( ',' @@ )* '}' )"`
}

// createUser is what follows CREATE USER; its PASSWORD has no =.
type createUser struct {
	Name     userName `parser:"( 'IF' 'NOT' 'EXISTS' )? @@"`
	Password *text    `parser:"( 'WITH' 'HASHED'? 'PASSWORD' @@ )? ( 'SUPERUSER' | 'NOSUPERUSER' )?"`
}

// alterUser is what follows ALTER USER.
type alterUser struct {
	Name     userName `parser:"( 'IF' 'EXISTS' )? @@"`
	Password *text    `parser:"( 'WITH' 'HASHED'? 'PASSWORD' @@ )? ( 'SUPERUSER' | 'NOSUPERUSER' )?"`
}

// grantStatement tries permissions first: all may be a role.
type grantStatement struct {
	Permissions *grantPermissions `parser:"  @@"`
	Role        *grantRole        `parser:"| @@"`
}

// grantPermissions is permissions ON resource TO role.
type grantPermissions struct {
	Permissions permissions `parser:"@@"`
	Resource    resource    `parser:"'ON' @@"`
	Role        roleName    `parser:"'TO' @@"`
}

// grantRole is role TO role.
type grantRole struct {
	Role roleName `parser:"@@"`
	To   roleName `parser:"'TO' @@"`
}

// revokeStatement tries permissions first: all may be a role.
type revokeStatement struct {
	Permissions *revokePermissions `parser:"  @@"`
	Role        *revokeRole        `parser:"| @@"`
}

// revokePermissions is permissions ON resource FROM role.
type revokePermissions struct {
	Permissions permissions `parser:"@@"`
	Resource    resource    `parser:"'ON' @@"`
	Role        roleName    `parser:"'FROM' @@"`
}

// revokeRole is role FROM role.
type revokeRole struct {
	Role roleName `parser:"@@"`
	From roleName `parser:"'FROM' @@"`
}

// permissions is ALL [PERMISSIONS] or a list.
type permissions struct {
	All  bool         `parser:"  @'ALL' 'PERMISSIONS'?"`
	List []permission `parser:"| @@ 'PERMISSION'? ( ',' @@ 'PERMISSION'? )*"`
}

// permission is one of the words of org.apache.cassandra.auth.Permission.
type permission struct {
	Name   string `parser:"( @'CREATE' | @'ALTER' | @'DROP' | @'SELECT' | @'MODIFY' | @'AUTHORIZE' | @'DESCRIBE'"`
	Others string `parser:"| @'EXECUTE' | @'UNMASK' | @'SELECT_MASKED' )"`
}

// resource tries a table last: its name may be one of the words.
type resource struct {
	AllKeyspaces bool              `parser:"  'ALL' @'KEYSPACES'"`
	Keyspace     *keyspaceName     `parser:"| 'KEYSPACE' @@"`
	AllTables    *keyspaceName     `parser:"| 'ALL' 'TABLES' 'IN' 'KEYSPACE' @@"`
	AllRoles     bool              `parser:"| 'ALL' @'ROLES'"`
	Role         *roleName         `parser:"| 'ROLE' @@"`
	AllFunctions *allFunctions     `parser:"| 'ALL' @@"`
	Function     *functionResource `parser:"| 'FUNCTION' @@"`
	AllMBeans    bool              `parser:"| 'ALL' @'MBEANS'"`
	MBean        *text             `parser:"| ( 'MBEAN' | 'MBEANS' ) @@"`
	Table        *tableName        `parser:"| 'COLUMNFAMILY'? @@"`
}

// allFunctions is FUNCTIONS [IN KEYSPACE k] behind ALL.
type allFunctions struct {
	Functions bool          `parser:"@'FUNCTIONS'"`
	Keyspace  *keyspaceName `parser:"( 'IN' 'KEYSPACE' @@ )?"`
}

// functionResource is a function with the types of its arguments, which are mandatory here.
type functionResource struct {
	Name functionName `parser:"@@"`
	Args []typeName   `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
}

// listStatement is what follows LIST.
type listStatement struct {
	Users       bool             `parser:"  @'USERS'"`
	Roles       *listRoles       `parser:"| @@"`
	Permissions *listPermissions `parser:"| @@"`
}

// listRoles is ROLES [OF role] [NORECURSIVE].
type listRoles struct {
	Roles bool      `parser:"@'ROLES'"`
	Of    *roleName `parser:"( 'OF' @@ )? 'NORECURSIVE'?"`
}

// listPermissions is permissions [ON resource] [OF role] [NORECURSIVE].
type listPermissions struct {
	Permissions permissions `parser:"@@"`
	Resource    *resource   `parser:"( 'ON' @@ )?"`
	Of          *roleName   `parser:"( 'OF' @@ )? 'NORECURSIVE'?"`
}

// addIdentity is what follows ADD.
type addIdentity struct {
	Identity identity `parser:"'IDENTITY' ( 'IF' 'NOT' 'EXISTS' )? @@"`
	Role     identity `parser:"'TO' 'ROLE' @@"`
}
