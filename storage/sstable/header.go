package sstable

import (
	"bytes"
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
)

// The origins of the minima in a header: 2015-09-22 00:00 UTC. Source: org.apache.cassandra.db.rows.EncodingStats.
const (
	epochSeconds = 1442880000
	epochMicros  = epochSeconds * 1_000_000
)

// Header is the component HEADER of Statistics.db: how the rows of the table are encoded.
// Source: org.apache.cassandra.db.SerializationHeader.
type Header struct {
	// MinTimestamp, MinLocal and MinTTL are what stored differences are added to.
	MinTimestamp int64
	MinLocal     int64
	MinTTL       int64
	// KeyType and ClusteringTypes are Java class names.
	KeyType         string
	ClusteringTypes []string
	// Static and Regular are in the order of the file's columns, which is not always the order of the file's header.
	Static, Regular []HeaderColumn
}

// HeaderColumn is a column as a file knows it.
type HeaderColumn struct {
	Name string
	Type string // a Java class name
	typ  *types.Type
}

// columnType is a parsed Java class name.
type columnType struct {
	typ  *types.Type
	desc bool
	// ring is set for a clustering that is ordered by the token of its value: the base key in an index's table.
	ring token.Partitioner
	// parts are the components of a composite partition key, nil for one that is not.
	parts []*types.Type
}

const (
	marshal       = "org.apache.cassandra.db.marshal."
	maxColumnType = 1 << 20
)

// parseColumnType parses the class name of a key, a clustering or a column.
func parseColumnType(name string) (columnType, error) {
	inner, desc := unwrap(name, "ReversedType")
	t := columnType{desc: desc}
	if args, ok := unwrap(inner, "PartitionerDefinedOrder"); ok {
		class, _, _ := strings.Cut(args, ":")
		p, err := token.ByClass(class)
		t.ring, t.typ = p, &types.Type{Kind: types.Custom, Class: inner}
		return t, err
	}
	var err error
	if t.typ, err = types.ParseJavaName(inner); err != nil {
		return t, err
	}
	if args, ok := unwrap(inner, "CompositeType"); ok {
		for _, arg := range splitTypes(args) {
			p, err := types.ParseJavaName(arg)
			if err != nil {
				return t, err
			}
			t.parts = append(t.parts, p)
		}
	}
	return t, nil
}

// unwrap returns the arguments of a class, without the parentheses.
func unwrap(name, class string) (args string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(name, marshal), class+"(")
	if !ok || !strings.HasSuffix(rest, ")") {
		return name, false
	}
	return rest[:len(rest)-1], true
}

// splitTypes splits arguments at the commas outside of parentheses.
func splitTypes(args string) []string {
	var list []string
	depth, start := 0, 0
	for i := range len(args) {
		switch args[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				list = append(list, args[start:i])
				start = i + 1
			}
		}
	}
	return append(list, args[start:])
}

func (h *Header) parse(c *cursor) {
	h.MinTimestamp = int64(c.uvint()) + epochMicros
	h.MinLocal = int64(c.uvint()) + epochSeconds
	h.MinTTL = int64(c.uvint())
	h.KeyType = h.typeName(c)
	for range c.count(1) {
		h.ClusteringTypes = append(h.ClusteringTypes, h.typeName(c))
	}
	h.Static, h.Regular = h.columns(c), h.columns(c)
}

// typeName reads a class name and sees that it can be parsed.
func (h *Header) typeName(c *cursor) string {
	at, b := c.at(), c.vbytes()
	if len(b) > maxColumnType {
		c.fail("a type of %d bytes", len(b))
	}
	if c.err != nil {
		return ""
	}
	if _, err := parseColumnType(string(b)); err != nil {
		c.err = corrupt(c.file, at, "%v", err)
	}
	return string(b)
}

func (h *Header) columns(c *cursor) []HeaderColumn {
	var list []HeaderColumn
	for range c.count(2) {
		at := c.at()
		hc := HeaderColumn{Name: string(c.vbytes()), Type: h.typeName(c)}
		if c.err != nil {
			return nil
		}
		t, err := parseColumnType(hc.Type)
		if err != nil {
			c.err = corrupt(c.file, at, "%v", err)
			return nil
		}
		hc.typ = t.typ
		list = append(list, hc)
	}
	sort.SliceStable(list, func(i, j int) bool { return columnBefore(&list[i], &list[j]) })
	for i := 1; i < len(list); i++ {
		if list[i].Name == list[i-1].Name {
			c.fail("column %q is there twice", list[i].Name)
		}
	}
	return list
}

// columnBefore orders columns as rows hold them: simple ones first, then by name, where a first byte of 80 and above comes
// before those below. Source: org.apache.cassandra.schema.ColumnMetadata.comparisonOrder.
func columnBefore(a, b *HeaderColumn) bool {
	if x, y := a.typ.IsMultiCell(), b.typ.IsMultiCell(); x != y {
		return y
	}
	if a.Name != "" && b.Name != "" && a.Name[0] != b.Name[0] {
		return a.Name[0]^0x80 < b.Name[0]^0x80
	}
	return a.Name < b.Name
}

// table makes a schema.Table of the header alone: what a file says of itself without a schema. Key columns have made-up
// names that no column of a table can have; columns have ids in the order of the file.
func (h *Header) table() (*schema.Table, error) {
	t := &schema.Table{ByName: map[string]*schema.Column{}, ByID: map[schema.ColumnID]*schema.Column{}, NextColumn: 1}
	add := func(name string, kind schema.ColumnKind, pos int, typ *types.Type, desc bool) *schema.Column {
		col := &schema.Column{Name: name, ID: t.NextColumn, Kind: kind, Position: pos, Type: typ, Desc: desc, DroppedAt: math.MinInt64}
		t.NextColumn++
		t.ByName[name], t.ByID[col.ID] = col, col
		t.Counter = t.Counter || kind >= schema.Static && typ.Kind == types.Counter
		return col
	}
	key, err := parseColumnType(h.KeyType)
	if err != nil {
		return nil, err
	}
	parts := key.parts
	if parts == nil {
		parts = []*types.Type{key.typ}
	}
	for i, p := range parts {
		t.PartitionKey = append(t.PartitionKey, add("\x00key"+strconv.Itoa(i), schema.PartitionKey, i, p, false))
	}
	for i, name := range h.ClusteringTypes {
		ct, err := parseColumnType(name)
		if err != nil {
			return nil, err
		}
		t.Clustering = append(t.Clustering, add("\x00clustering"+strconv.Itoa(i), schema.Clustering, i, ct.typ, ct.desc))
	}
	for i := range h.Static {
		t.Static = append(t.Static, add(h.Static[i].Name, schema.Static, -1, h.Static[i].typ, false))
	}
	for i := range h.Regular {
		t.Regular = append(t.Regular, add(h.Regular[i].Name, schema.Regular, -1, h.Regular[i].typ, false))
	}
	return t, nil
}

// keyParts splits a partition key into its components; a key that is not whole is returned as one.
func keyParts(key []byte, n int) [][]byte {
	if n == 1 {
		return [][]byte{key}
	}
	parts := make([][]byte, 0, n)
	for rest := key; len(parts) < n; {
		if len(rest) < 3 {
			return [][]byte{key}
		}
		size := int(rest[0])<<8 | int(rest[1])
		if len(rest) < size+3 {
			return [][]byte{key}
		}
		parts = append(parts, rest[2:2+size])
		rest = rest[size+3:]
	}
	return parts
}

// partitioned compares keys in the order of the table.
type partitioned struct {
	partitioner token.Partitioner // nil for LocalPartitioner
	// local are the types that order the keys then: one, or those of a composite's components.
	local []*types.Type
}

// partitionedBy returns the order of a partitioner's class name. The table of an index on the entries of a map names the
// type of the column, although its keys are composites of a key and a value.
func partitionedBy(class string, key columnType) (partitioned, error) {
	if !strings.HasSuffix(class, ".LocalPartitioner") {
		p, err := token.ByClass(class)
		return partitioned{partitioner: p}, err
	}
	switch {
	case key.parts != nil:
		return partitioned{local: key.parts}, nil
	case key.typ.Kind == types.Map && !key.typ.Frozen:
		return partitioned{local: key.typ.Elems}, nil
	}
	return partitioned{local: []*types.Type{key.typ}}, nil
}

func (p *partitioned) token(key []byte) token.Token {
	if p.partitioner == nil {
		return token.Token{}
	}
	return p.partitioner.Token(key)
}

// compare orders two keys whose tokens are given.
func (p *partitioned) compare(aToken token.Token, a []byte, bToken token.Token, b []byte) int {
	if d := aToken.Compare(bToken); d != 0 {
		return d
	}
	if p.partitioner == nil {
		x, y := keyParts(a, len(p.local)), keyParts(b, len(p.local))
		for i := range min(len(x), len(y)) {
			if d := p.local[i].Compare(x[i], y[i]); d != 0 {
				return d
			}
		}
	}
	return bytes.Compare(a, b)
}
