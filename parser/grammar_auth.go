package parser

// The productions of roles, users, permissions and identities: they are only recognised.

type createRole struct {
	Name    roleName     `parser:"( 'IF' 'NOT' 'EXISTS' )? @@"`
	Options []roleOption `parser:"( 'WITH' @@ ( 'AND' @@ )* )?"`
}

type alterRole struct {
	Name    roleName     `parser:"( 'IF' 'EXISTS' )? @@"`
	Options []roleOption `parser:"( 'WITH' @@ ( 'AND' @@ )* )?"`
}

type roleOption struct {
	Password    *text      `parser:"  'PASSWORD' '=' @@"`
	Hashed      *text      `parser:"| 'HASHED' 'PASSWORD' '=' @@"`
	Options     *constants `parser:"| 'OPTIONS' '=' @@"`
	Superuser   *boolean   `parser:"| 'SUPERUSER' '=' @@"`
	Login       *boolean   `parser:"| 'LOGIN' '=' @@"`
	Datacenters []text     `parser:"| 'ACCESS' 'TO' ( 'ALL' 'DATACENTERS' | 'DATACENTERS' '{' @@ ( ',' @@ )* '}' )"`
	Cidrs       []text     `parser:"| 'ACCESS' 'FROM' ( 'ALL' 'CIDRS' | 'CIDRS' '{' @@ ( ',' @@ )* '}' )"`
}

type createUser struct {
	Name     userName `parser:"( 'IF' 'NOT' 'EXISTS' )? @@"`
	Password *text    `parser:"( 'WITH' 'HASHED'? 'PASSWORD' @@ )? ( 'SUPERUSER' | 'NOSUPERUSER' )?"`
}

type alterUser struct {
	Name     userName `parser:"( 'IF' 'EXISTS' )? @@"`
	Password *text    `parser:"( 'WITH' 'HASHED'? 'PASSWORD' @@ )? ( 'SUPERUSER' | 'NOSUPERUSER' )?"`
}

// grantStatement tries permissions first: all may be a role.
type grantStatement struct {
	Permissions *grantPermissions `parser:"  @@"`
	Role        *grantRole        `parser:"| @@"`
}

type grantPermissions struct {
	Permissions permissions `parser:"@@"`
	Resource    resource    `parser:"'ON' @@"`
	Role        roleName    `parser:"'TO' @@"`
}

type grantRole struct {
	Role roleName `parser:"@@"`
	To   roleName `parser:"'TO' @@"`
}

type revokeStatement struct {
	Permissions *revokePermissions `parser:"  @@"`
	Role        *revokeRole        `parser:"| @@"`
}

type revokePermissions struct {
	Permissions permissions `parser:"@@"`
	Resource    resource    `parser:"'ON' @@"`
	Role        roleName    `parser:"'FROM' @@"`
}

type revokeRole struct {
	Role roleName `parser:"@@"`
	From roleName `parser:"'FROM' @@"`
}

type permissions struct {
	All  bool         `parser:"  @'ALL' 'PERMISSIONS'?"`
	List []permission `parser:"| @@ 'PERMISSION'? ( ',' @@ 'PERMISSION'? )*"`
}

type permission struct {
	Name string `parser:"( @'CREATE' | @'ALTER' | @'DROP' | @'SELECT' | @'MODIFY' | @'AUTHORIZE' | @'DESCRIBE' | @'EXECUTE' | @'UNMASK' | @'SELECT_MASKED' )"`
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

type allFunctions struct {
	Functions bool          `parser:"@'FUNCTIONS'"`
	Keyspace  *keyspaceName `parser:"( 'IN' 'KEYSPACE' @@ )?"`
}

type functionResource struct {
	Name functionName `parser:"@@"`
	Args []typeName   `parser:"'(' ( @@ ( ',' @@ )* )? ')'"`
}

type listStatement struct {
	Users       bool             `parser:"  @'USERS'"`
	Roles       *listRoles       `parser:"| @@"`
	Permissions *listPermissions `parser:"| @@"`
}

type listRoles struct {
	Roles bool      `parser:"@'ROLES'"`
	Of    *roleName `parser:"( 'OF' @@ )? 'NORECURSIVE'?"`
}

type listPermissions struct {
	Permissions permissions `parser:"@@"`
	Resource    *resource   `parser:"( 'ON' @@ )?"`
	Of          *roleName   `parser:"( 'OF' @@ )? 'NORECURSIVE'?"`
}

type addIdentity struct {
	Identity identity `parser:"'IDENTITY' ( 'IF' 'NOT' 'EXISTS' )? @@"`
	Role     identity `parser:"'TO' 'ROLE' @@"`
}
