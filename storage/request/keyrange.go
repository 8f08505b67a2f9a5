package request

import (
	"bytes"

	"github.com/helenusdb/helenus/cql/token"
)

// Before reports whether a partition stands before the range.
func (r *KeyRange) Before(tok token.Token, key []byte) bool {
	b := &r.Start
	if b.Open {
		return false
	}
	c := b.compare(tok, key)
	return c < 0 || c == 0 && !b.Inclusive
}

// Behind reports whether a partition stands behind the range.
func (r *KeyRange) Behind(tok token.Token, key []byte) bool {
	b := &r.End
	if b.Open {
		return false
	}
	c := b.compare(tok, key)
	return c > 0 || c == 0 && !b.Inclusive
}

// compare orders a partition and the bound; 0 is a partition that the bound names.
func (b *KeyBound) compare(tok token.Token, key []byte) int {
	if c := tok.Compare(b.Token); c != 0 || b.Key == nil {
		return c
	}
	return bytes.Compare(key, b.Key)
}
