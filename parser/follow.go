package parser

import "strings"

// kindSet is a set of token kinds.
type kindSet [4]uint64

// has reports whether k is in the set.
func (s *kindSet) has(k Kind) bool { return s[k/64]&(1<<(k%64)) != 0 }

// kinds returns the set of the kinds whose spellings are in the text, divided by blanks; EOF is one of them.
func kinds(text string) *kindSet {
	set := new(kindSet)
	for word := range strings.FieldsSeq(text) {
		k := wordKind(word)
		for p, spelled := range spelling {
			if word == spelled {
				k = Kind(p)
			}
		}
		set[k/64] |= 1 << (k % 64)
	}
	return set
}

// The tokens that may stand behind a rule anywhere in the grammar.
var (
	behindSelector = kinds("EOF , ) ] } : + - * / % AS FROM ORDER PER LIMIT ALLOW")
	behindName     = kinds("EOF , ) ] } : + - * / % AS FROM ORDER PER LIMIT ALLOW ; . [")
	behindTerm     = kinds("EOF ; , ) ] } : + - * / % .. AS AND IF WHERE GROUP ORDER PER LIMIT ALLOW PRIMARY ASC DESC " +
		"INSERT UPDATE DELETE APPLY")
	behindTable = kinds("EOF ; ( JSON USING SET WHERE GROUP ORDER PER LIMIT ALLOW WITH AS ALTER ADD DROP RENAME TO FROM OF " +
		"NORECURSIVE PRIMARY")
	behindType = kinds("EOF ; , ) > STATIC MASKED PRIMARY LANGUAGE SFUNC FINALFUNC INITCOND")
)
