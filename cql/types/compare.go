package types

import "bytes"

// Compare is a placeholder until the type package lands.
func (t *Type) Compare(a, b []byte) int { return bytes.Compare(a, b) }
