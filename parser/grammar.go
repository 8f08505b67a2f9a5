package parser

import (
	"sync"

	"github.com/alecthomas/participle/v2"
)

// The grammar, one struct per production; what ordered choice cannot tell apart is in the types that implement
// participle.Parseable. Two habits keep participle's backtracking sound: the lookahead is unlimited, and an alternative that
// begins with a capture is a struct of its own, because participle applies the captures of an alternative when a struct
// inside it fails.
//
// root is optional inside so that participle always answers with the deepest error it has met. Source: Parser.g of 5.0.6.
type root struct {
	Statement *statement `parser:"( @@ ';'* )?"`
}

// statement is any statement; alternatives are tried in the order of how often applications send them.
type statement struct {
	Select   *selectStatement   `parser:"  @@"`
	Insert   *insertStatement   `parser:"| @@"`
	Update   *updateStatement   `parser:"| @@"`
	Delete   *deleteStatement   `parser:"| @@"`
	Batch    *batchStatement    `parser:"| @@"`
	Use      *keyspaceName      `parser:"| 'USE' @@"`
	Truncate *tableName         `parser:"| 'TRUNCATE' 'COLUMNFAMILY'? @@"`
	Create   *createStatement   `parser:"| 'CREATE' @@"`
	Alter    *alterStatement    `parser:"| 'ALTER' @@"`
	Drop     *dropStatement     `parser:"| 'DROP' @@"`
	Describe *describeStatement `parser:"| ( 'DESCRIBE' | 'DESC' ) @@"`
	Grant    *grantStatement    `parser:"| 'GRANT' @@"`
	Revoke   *revokeStatement   `parser:"| 'REVOKE' @@"`
	List     *listStatement     `parser:"| 'LIST' @@"`
	Identity *addIdentity       `parser:"| 'ADD' @@"`
}

// grammar is built at its first use: it takes some milliseconds.
var grammar = sync.OnceValue(func() *participle.Parser[root] {
	return participle.MustBuild[root](participle.Lexer(definition{}), participle.UseLookahead(maxTokens+1))
})

// selectStatement is SELECT clause FROM table and the optional clauses, in their fixed order.
type selectStatement struct {
	Clause       selectClause `parser:"'SELECT' @@"`
	Table        tableName    `parser:"'FROM' @@"`
	Where        relations    `parser:"( 'WHERE' @@ )?"`
	GroupBy      []selector   `parser:"( 'GROUP' 'BY' @@ ( ',' @@ )* )?"`
	OrderBy      []orderItem  `parser:"( 'ORDER' 'BY' @@ ( ',' @@ )* )?"`
	PerPartition *intValue    `parser:"( 'PER' 'PARTITION' 'LIMIT' @@ )?"`
	Limit        *intValue    `parser:"( 'LIMIT' @@ )?"`
	Filtering    bool         `parser:"( 'ALLOW' @'FILTERING' )?"`
}

// orderItem is one entry of ORDER BY: column [ANN OF term] [ASC | DESC].
type orderItem struct {
	Column column `parser:"@@"`
	ANN    *term  `parser:"( 'ANN' 'OF' @@ )?"`
	Desc   bool   `parser:"( 'ASC' | @'DESC' )?"`
}

// insertStatement is INSERT INTO table, then JSON or columns and values; IF NOT EXISTS stands before USING.
type insertStatement struct {
	Table       tableName     `parser:"'INSERT' 'INTO' @@"`
	JSON        *insertJSON   `parser:"( @@"`
	Values      *insertValues `parser:"| @@ )"`
	IfNotExists bool          `parser:"( 'IF' 'NOT' @'EXISTS' )?"`
	Using       *usingClause  `parser:"@@?"`
}

// insertJSON is JSON document [DEFAULT NULL | DEFAULT UNSET].
type insertJSON struct {
	Document jsonText `parser:"'JSON' @@"`
	Unset    bool     `parser:"( 'DEFAULT' ( 'NULL' | @'UNSET' ) )?"`
}

// insertValues is (columns) VALUES (terms); whether they are as many is checked later.
type insertValues struct {
	Columns columnList `parser:"@@"`
	Values  termList   `parser:"'VALUES' @@"`
}

// usingClause is USING of INSERT, UPDATE and BATCH.
type usingClause struct {
	Parts []usingPart `parser:"'USING' @@ ( 'AND' @@ )*"`
}

// usingPart is TIMESTAMP n or TTL n.
type usingPart struct {
	Timestamp *intValue `parser:"  'TIMESTAMP' @@"`
	TTL       *intValue `parser:"| 'TTL' @@"`
}

// updateStatement is UPDATE table [USING ..] SET .. WHERE .. [IF ..].
type updateStatement struct {
	Table tableName    `parser:"'UPDATE' @@"`
	Using *usingClause `parser:"@@?"`
	Set   assignments  `parser:"'SET' @@"`
	Where relations    `parser:"'WHERE' @@"`
	If    *ifClause    `parser:"@@?"`
}

// ifClause tries conditions first: exists may be a column.
type ifClause struct {
	Conditions []condition `parser:"'IF' ( @@ ( 'AND' @@ )*"`
	Exists     bool        `parser:"| @'EXISTS' )"`
}

// deleteStatement is DELETE [columns] FROM table [USING TIMESTAMP n] WHERE .. [IF ..].
type deleteStatement struct {
	Columns   []deletion `parser:"'DELETE' ( @@ ( ',' @@ )* )?"`
	Table     tableName  `parser:"'FROM' @@"`
	Timestamp *intValue  `parser:"( 'USING' 'TIMESTAMP' @@ )?"`
	Where     relations  `parser:"'WHERE' @@"`
	If        *ifClause  `parser:"@@?"`
}

// batchStatement is BEGIN [UNLOGGED | COUNTER] BATCH [USING ..] statements APPLY BATCH; one semicolon may follow each.
type batchStatement struct {
	Kind       string       `parser:"'BEGIN' ( @'UNLOGGED' | @'COUNTER' )? 'BATCH'"`
	Using      *usingClause `parser:"@@?"`
	Statements []batchEntry `parser:"( @@ ';'? )* 'APPLY' 'BATCH'"`
}

// batchEntry is a statement that may stand in a batch.
type batchEntry struct {
	Insert *insertStatement `parser:"  @@"`
	Update *updateStatement `parser:"| @@"`
	Delete *deleteStatement `parser:"| @@"`
}
