package schema

// Change is one edit of the schema, fully resolved: whoever applies it to the same snapshot gets the same snapshot. It is one
// of *PutKeyspace, *RemoveKeyspace, *PutTable, *RemoveTable, *PutType, *RemoveType.
type Change interface{ change() }

// PutKeyspace makes a keyspace or changes its replication; tables and types stay.
type PutKeyspace struct {
	Name          string
	DurableWrites bool
	Replication   map[string]string
}

// RemoveKeyspace removes a keyspace with all that is in it.
type RemoveKeyspace struct{ Name string }

// PutTable makes a table or replaces the one of its name.
type PutTable struct{ Table *Table }

// RemoveTable removes a table with its indexes.
type RemoveTable struct{ Keyspace, Name string }

// PutType makes a user type or replaces the one of its name, in the tables and types that use it too.
type PutType struct{ Type *UserType }

// RemoveType removes a user type.
type RemoveType struct{ Keyspace, Name string }

func (*PutKeyspace) change()    {}
func (*RemoveKeyspace) change() {}
func (*PutTable) change()       {}
func (*RemoveTable) change()    {}
func (*PutType) change()        {}
func (*RemoveType) change()     {}
