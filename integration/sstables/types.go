package sstables

import (
	"encoding/hex"
	"fmt"
	"math/rand"
	"strings"
)

// kind is the type of a column or of an element.
type kind struct {
	name   string // "int", "list", "tuple", "udt", "vector", ...
	elems  []*kind
	fields []string // of a user type
	udt    string
	dim    int
	frozen bool
}

var natives = []string{
	"ascii", "bigint", "blob", "boolean", "date", "decimal", "double", "duration", "float", "inet", "int", "smallint", "text",
	"time", "timestamp", "timeuuid", "tinyint", "uuid", "varint",
}

// String is the type in CQL.
func (k *kind) String() string {
	s := k.name
	switch k.name {
	case "list", "set", "map", "tuple":
		parts := make([]string, len(k.elems))
		for i, e := range k.elems {
			parts[i] = e.String()
		}
		s += "<" + strings.Join(parts, ", ") + ">"
	case "vector":
		s = fmt.Sprintf("vector<%s, %d>", k.elems[0], k.dim)
	case "udt":
		s = k.udt
	}
	if k.frozen && k.name != "tuple" && k.name != "vector" {
		return "frozen<" + s + ">"
	}
	return s
}

// multiCell says that the elements are cells of their own.
func (k *kind) multiCell() bool {
	return !k.frozen && (k.name == "list" || k.name == "set" || k.name == "map" || k.name == "udt")
}

// native returns a type without elements; ordered leaves out duration, which has no order.
func native(r *rand.Rand, ordered bool) *kind {
	for {
		if n := natives[r.Intn(len(natives))]; n != "duration" || !ordered {
			return &kind{name: n}
		}
	}
}

// element returns a type to stand in another one: frozen where it has to be.
func (s *Schema) element(r *rand.Rand, depth int, ordered bool) *kind {
	if depth <= 0 || r.Intn(3) > 0 {
		return native(r, ordered)
	}
	k := s.compound(r, depth-1, ordered)
	k.frozen = true
	return k
}

// compound returns a collection, tuple, vector or user type.
func (s *Schema) compound(r *rand.Rand, depth int, ordered bool) *kind {
	switch n := r.Intn(12); {
	case n < 3:
		return &kind{name: "list", elems: []*kind{s.element(r, depth, ordered)}}
	case n < 5:
		return &kind{name: "set", elems: []*kind{s.element(r, depth, true)}}
	case n < 8:
		return &kind{name: "map", elems: []*kind{s.element(r, depth, true), s.element(r, depth, ordered)}}
	case n < 9:
		k := &kind{name: "tuple", frozen: true}
		for range 1 + r.Intn(3) {
			k.elems = append(k.elems, s.element(r, depth, ordered))
		}
		return k
	case n < 10:
		return &kind{name: "vector", frozen: true, dim: 1 + r.Intn(4), elems: []*kind{s.element(r, depth, ordered)}}
	}
	return s.userType(r, depth, ordered)
}

// userType makes a user type.
func (s *Schema) userType(r *rand.Rand, depth int, ordered bool) *kind {
	k := &kind{name: "udt"}
	for i := range 1 + r.Intn(4) {
		e := s.element(r, depth, ordered)
		k.elems = append(k.elems, e)
		k.fields = append(k.fields, fmt.Sprintf("f%d", i))
	}
	k.udt = fmt.Sprintf("%s_u%d", s.Table, len(s.Types))
	fields := make([]string, len(k.elems))
	for i, e := range k.elems {
		fields[i] = k.fields[i] + " " + e.String()
	}
	s.Types = append(s.Types, fmt.Sprintf("CREATE TYPE %s.%s (%s)", s.Keyspace, k.udt, strings.Join(fields, ", ")))
	return k
}

const letters = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJ0123456789"

func word(r *rand.Rand, most int) string {
	b := make([]byte, r.Intn(most+1))
	for i := range b {
		b[i] = letters[r.Intn(len(letters))]
	}
	return string(b)
}

// literal returns a value in CQL. long is how long texts and blobs may be.
func (k *kind) literal(r *rand.Rand, long int) string {
	switch k.name {
	case "ascii":
		return "'" + word(r, long) + "'"
	case "text":
		if r.Intn(4) == 0 {
			return "'" + word(r, long) + "ünï ''🜚" + "'"
		}
		return "'" + word(r, long) + "'"
	case "blob":
		b := make([]byte, r.Intn(long+1))
		r.Read(b)
		return "0x" + hex.EncodeToString(b)
	case "bigint":
		return fmt.Sprint(int64(r.Uint64()) >> r.Intn(64))
	case "int":
		return fmt.Sprint(int32(r.Uint32()) >> r.Intn(32))
	case "smallint":
		return fmt.Sprint(int16(r.Uint32()))
	case "tinyint":
		return fmt.Sprint(int8(r.Uint32()))
	case "varint":
		return fmt.Sprintf("%d%0*d", int64(r.Uint64())>>r.Intn(64), 1+r.Intn(20), r.Intn(1000000))
	case "decimal":
		return fmt.Sprintf("%d.%0*d", int32(r.Uint32())>>r.Intn(32), 1+r.Intn(9), r.Intn(1000))
	case "double", "float":
		return []string{"0", "-0.0", "1.5", "-2.25e10", "NaN", "Infinity", "-Infinity", "3.4e-38", "17"}[r.Intn(9)]
	case "boolean":
		return []string{"true", "false"}[r.Intn(2)]
	case "date":
		return fmt.Sprintf("'%04d-%02d-%02d'", 1900+r.Intn(200), 1+r.Intn(12), 1+r.Intn(28))
	case "time":
		return fmt.Sprintf("'%02d:%02d:%02d.%09d'", r.Intn(24), r.Intn(60), r.Intn(60), r.Intn(1e9))
	case "timestamp":
		return fmt.Sprint(int64(r.Uint64()) >> (20 + r.Intn(40)))
	case "duration":
		return fmt.Sprintf("%dmo%dd%dns", r.Intn(30), r.Intn(40), r.Intn(1e9))
	case "inet":
		if r.Intn(2) == 0 {
			return fmt.Sprintf("'10.%d.%d.%d'", r.Intn(256), r.Intn(256), r.Intn(256))
		}
		return fmt.Sprintf("'2001:db8::%x:%x'", r.Intn(65536), r.Intn(65536))
	case "uuid":
		return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", r.Uint32(), r.Intn(65536), r.Intn(4096), r.Intn(4096), r.Int63n(1<<48))
	case "timeuuid":
		return fmt.Sprintf("%08x-%04x-1%03x-a%03x-%012x", r.Uint32(), r.Intn(65536), r.Intn(4096), r.Intn(4096), r.Int63n(1<<48))
	}
	return k.compoundLiteral(r, long)
}

func (k *kind) compoundLiteral(r *rand.Rand, long int) string {
	list := func(n int, e *kind) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = e.literal(r, long)
		}
		return strings.Join(parts, ", ")
	}
	switch k.name {
	case "list":
		return "[" + list(r.Intn(4), k.elems[0]) + "]"
	case "vector":
		return "[" + list(k.dim, k.elems[0]) + "]"
	case "set", "map":
		// Which of two equal keys of a literal wins depends on where it stands: none is there twice.
		var parts []string
		seen := map[string]bool{}
		for range r.Intn(4) {
			key := k.elems[0].literal(r, long)
			if seen[key] {
				continue
			}
			seen[key] = true
			if k.name == "map" {
				key += ": " + k.elems[1].literal(r, long)
			}
			parts = append(parts, key)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case "tuple":
		parts := make([]string, len(k.elems))
		for i, e := range k.elems {
			parts[i] = e.literal(r, long)
		}
		return "(" + strings.Join(parts, ", ") + ")"
	}
	var parts []string
	for i, e := range k.elems {
		if r.Intn(4) > 0 {
			parts = append(parts, k.fields[i]+": "+e.literal(r, long))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, k.fields[0]+": "+k.elems[0].literal(r, long))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
