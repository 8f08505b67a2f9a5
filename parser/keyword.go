package parser

// wordClass says where a keyword may stand for a name. Source: Parser.g, unreserved_keyword and its parts.
type wordClass uint8

const (
	// reservedWord is never a name.
	reservedWord wordClass = iota
	// basicWord may name anything, types and functions included.
	basicWord
	// nativeWord is a native type: it may name columns, tables and functions, not user types.
	nativeWord
	// columnWord may name columns and tables, not functions or user types; key may name types.
	columnWord
)

// keyword is a word of the grammar in upper case; K_ and the word is its name in error messages.
type keyword struct {
	word  string
	class wordClass
}

// The keywords that the hand-written parts of the grammar look for, by their place in keywords.
const (
	wordCount = firstKeyword + iota
	wordWritetime
	wordMaxWritetime
	wordTTL
	wordCast
	wordJSON
	wordDistinct
	wordKey
	wordToken
	wordNull
	wordMap
	wordList
	wordSet
	wordTuple
	wordVector
	wordFrozen
	wordAs
	wordIn
	wordContains
	wordLike
	wordIs
	wordNot
	wordAnd
	wordFrom
	wordWhere
)

// keywords are all words of the grammar; a keyword's Kind is firstKeyword plus its index. The first ones keep the order of
// the constants above. Source: Lexer.g of 5.0; cql.md 1.1.
var keywords = []keyword{
	{"COUNT", columnWord},
	{"WRITETIME", columnWord},
	{"MAXWRITETIME", columnWord},
	{"TTL", columnWord},
	{"CAST", columnWord},
	{"JSON", columnWord},
	{"DISTINCT", columnWord},
	{"KEY", columnWord},
	{"TOKEN", reservedWord},
	{"NULL", reservedWord},
	{"MAP", basicWord},
	{"LIST", basicWord},
	{"SET", reservedWord},
	{"TUPLE", basicWord},
	{"VECTOR", basicWord},
	{"FROZEN", basicWord},
	{"AS", basicWord},
	{"IN", reservedWord},
	{"CONTAINS", basicWord},
	{"LIKE", basicWord},
	{"IS", reservedWord},
	{"NOT", reservedWord},
	{"AND", reservedWord},
	{"FROM", reservedWord},
	{"WHERE", reservedWord},

	{"SELECT", reservedWord},
	{"ORDER", reservedWord},
	{"PER", basicWord},
	{"LIMIT", reservedWord},
	{"ALLOW", reservedWord},

	{"KEYS", basicWord},
	{"ENTRIES", reservedWord},
	{"FULL", reservedWord},
	{"INSERT", reservedWord},
	{"UPDATE", reservedWord},
	{"WITH", reservedWord},
	{"PARTITION", basicWord},
	{"USING", reservedWord},
	{"USE", reservedWord},
	{"BEGIN", reservedWord},
	{"UNLOGGED", reservedWord},
	{"BATCH", reservedWord},
	{"APPLY", reservedWord},
	{"TRUNCATE", reservedWord},
	{"DELETE", reservedWord},
	{"CREATE", reservedWord},
	{"SCHEMA", reservedWord},
	{"KEYSPACE", reservedWord},
	{"KEYSPACES", basicWord},
	{"COLUMNFAMILY", reservedWord},
	{"TABLES", basicWord},
	{"MATERIALIZED", reservedWord},
	{"VIEW", reservedWord},
	{"INDEX", reservedWord},
	{"CUSTOM", basicWord},
	{"ON", reservedWord},
	{"TO", reservedWord},
	{"DROP", reservedWord},
	{"PRIMARY", reservedWord},
	{"INTO", reservedWord},
	{"VALUES", basicWord},
	{"TIMESTAMP", nativeWord},
	{"ALTER", reservedWord},
	{"RENAME", reservedWord},
	{"ADD", reservedWord},
	{"TYPE", basicWord},
	{"TYPES", basicWord},
	{"COMPACT", basicWord},
	{"STORAGE", basicWord},
	{"BY", reservedWord},
	{"ASC", reservedWord},
	{"DESC", reservedWord},
	{"FILTERING", basicWord},
	{"IF", reservedWord},
	{"GROUP", basicWord},
	{"CLUSTER", basicWord},
	{"INTERNALS", basicWord},
	{"ONLY", basicWord},
	{"GRANT", reservedWord},
	{"ALL", basicWord},
	{"PERMISSION", basicWord},
	{"PERMISSIONS", basicWord},
	{"OF", reservedWord},
	{"REVOKE", reservedWord},
	{"MODIFY", reservedWord},
	{"AUTHORIZE", reservedWord},
	{"DESCRIBE", reservedWord},
	{"EXECUTE", reservedWord},
	{"NORECURSIVE", reservedWord},
	{"MBEAN", basicWord},
	{"MBEANS", basicWord},
	{"USER", basicWord},
	{"USERS", basicWord},
	{"ROLE", basicWord},
	{"ROLES", basicWord},
	{"SUPERUSER", basicWord},
	{"NOSUPERUSER", basicWord},
	{"PASSWORD", basicWord},
	{"HASHED", basicWord},
	{"LOGIN", basicWord},
	{"NOLOGIN", basicWord},
	{"OPTIONS", basicWord},
	{"ACCESS", basicWord},
	{"DATACENTERS", basicWord},
	{"CIDRS", basicWord},
	{"IDENTITY", basicWord},
	{"CLUSTERING", basicWord},
	{"ASCII", nativeWord},
	{"BIGINT", nativeWord},
	{"BLOB", nativeWord},
	{"BOOLEAN", nativeWord},
	{"COUNTER", nativeWord},
	{"DECIMAL", nativeWord},
	{"DOUBLE", nativeWord},
	{"DURATION", nativeWord},
	{"FLOAT", nativeWord},
	{"INET", nativeWord},
	{"INT", nativeWord},
	{"SMALLINT", nativeWord},
	{"TINYINT", nativeWord},
	{"TEXT", nativeWord},
	{"UUID", nativeWord},
	{"VARCHAR", nativeWord},
	{"VARINT", nativeWord},
	{"TIMEUUID", nativeWord},
	{"DATE", nativeWord},
	{"TIME", nativeWord},
	{"EXISTS", basicWord},
	{"TRIGGER", basicWord},
	{"STATIC", basicWord},
	{"FUNCTION", basicWord},
	{"FUNCTIONS", basicWord},
	{"AGGREGATE", basicWord},
	{"AGGREGATES", basicWord},
	{"SFUNC", basicWord},
	{"STYPE", basicWord},
	{"FINALFUNC", basicWord},
	{"INITCOND", basicWord},
	{"RETURNS", basicWord},
	{"CALLED", basicWord},
	{"INPUT", basicWord},
	{"LANGUAGE", basicWord},
	{"OR", reservedWord},
	{"REPLACE", basicWord},
	{"DEFAULT", basicWord},
	{"UNSET", basicWord},
	{"MASKED", basicWord},
	{"UNMASK", basicWord},
	{"SELECT_MASKED", basicWord},
	{"ANN", basicWord},
}

// class returns the word class of k; kinds that are no keywords are reserved.
func (k Kind) class() wordClass {
	if k < firstKeyword {
		return reservedWord
	}
	return keywords[k-firstKeyword].class
}

// wordSlots is the size of the keyword table, a power of two well above the number of words.
const wordSlots = 1024

// longestWord is the length of COLUMNFAMILIES.
const longestWord = 14

// wordTable is an open-addressed hash table of the keywords and of TRUE, FALSE, NAN and INFINITY, keyed by hashWord.
type wordTable [wordSlots]struct {
	word string
	kind Kind
}

// words finds keywords without allocating.
var words = buildWords()

// buildWords fills the table; it runs once, at start.
func buildWords() *wordTable {
	t := new(wordTable)
	add := func(word string, kind Kind) {
		i := hashWord(word)
		for t[i].word != "" {
			i = (i + 1) % wordSlots
		}
		t[i].word, t[i].kind = word, kind
	}
	for i, w := range keywords {
		add(w.word, firstKeyword+Kind(i))
	}
	// Two words have a twin that means the same.
	add("TABLE", t.kind("COLUMNFAMILY"))
	add("COLUMNFAMILIES", t.kind("TABLES"))
	add("TRUE", kindBoolean)
	add("FALSE", kindBoolean)
	add("NAN", kindFloat)
	add("INFINITY", kindFloat)
	return t
}

// hashWord hashes word without regard to ASCII case.
func hashWord(word string) uint32 {
	h := uint32(len(word))
	for i := 0; i < len(word); i++ {
		h = h*31 + uint32(word[i]|0x20)
	}
	h ^= h >> 15
	return h % wordSlots
}

// wordKind returns the kind of an unquoted word: a keyword's, kindBoolean, kindFloat or kindIdent.
func wordKind(word string) Kind { return words.kind(word) }

// kind is wordKind of a table that may still be in the making.
func (t *wordTable) kind(word string) Kind {
	if len(word) > longestWord {
		return kindIdent
	}
	for i := hashWord(word); t[i].word != ""; i = (i + 1) % wordSlots {
		if w := t[i].word; len(w) == len(word) && equalUpper(word, w) {
			return t[i].kind
		}
	}
	return kindIdent
}

// equalUpper reports whether word, of letters, digits and _, is upper but for its case. Both have one length.
func equalUpper(word, upper string) bool {
	for i := 0; i < len(word); i++ {
		c := word[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != upper[i] {
			return false
		}
	}
	return true
}
