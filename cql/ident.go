package cql

import "strings"

// reserved holds the words that cannot be a name without quotes, in lower case.
// Source: org.apache.cassandra.cql3.reserved_keywords.txt; cql.md 1.1.
var reserved = wordSet(`add allow alter and apply asc authorize batch begin by columnfamily create delete desc describe
	drop entries execute from full grant if in index infinity insert into is keyspace limit materialized modify nan
	norecursive not null of on or order primary rename revoke schema select set table to token truncate unlogged update use
	using view where with`)

// wordSet returns the words of a text separated by blanks as a set.
func wordSet(words string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// QuoteIdent returns name as DESCRIBE prints it: bare when it matches [a-z][a-z0-9_]* and is not reserved, else
// in double quotes. Source: org.apache.cassandra.cql3.ColumnIdentifier.maybeQuote.
func QuoteIdent(name string) string {
	bare := name != "" && name[0] >= 'a' && name[0] <= 'z' && !reserved[name]
	for i := 0; bare && i < len(name); i++ {
		c := name[i]
		bare = c == '_' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
	}
	if bare {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// IsReserved reports whether word, in any case, needs quotes to be a name.
func IsReserved(word string) bool { return reserved[strings.ToLower(word)] }
