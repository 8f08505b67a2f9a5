package types

import (
	"strconv"

	"github.com/helenusdb/helenus/cql"
)

func itoa(n int) string { return strconv.Itoa(n) }

// QuoteIdent returns name as DESCRIBE prints it; see cql.QuoteIdent.
func QuoteIdent(name string) string { return cql.QuoteIdent(name) }

// IsReserved reports whether word, in any case, needs quotes to be a name; see cql.IsReserved.
func IsReserved(word string) bool { return cql.IsReserved(word) }
