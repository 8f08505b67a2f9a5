package sstable

import (
	"bytes"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/row"
)

// BoundKind says what a clustering prefix in a file is; the numbers are on disk.
// Source: org.apache.cassandra.db.ClusteringPrefix.Kind.
type BoundKind uint8

// The kinds. KindStatic is of no prefix that stands in a file.
const (
	KindExclEnd BoundKind = iota
	KindInclStart
	KindExclEndInclStart
	KindStatic
	KindClustering
	KindInclEndExclStart
	KindInclEnd
	KindExclStart
	boundKinds
)

// IsBoundary reports whether one range ends and another one begins.
func (k BoundKind) IsBoundary() bool { return k == KindExclEndInclStart || k == KindInclEndExclStart }

// closes and opens report whether a range ends or begins.
func (k BoundKind) closes() bool { return k == KindExclEnd || k == KindInclEnd || k.IsBoundary() }
func (k BoundKind) opens() bool  { return k == KindExclStart || k == KindInclStart || k.IsBoundary() }

// side is where the prefix stands among rows that start with its values: before them, at a row, or after them.
func (k BoundKind) side() int {
	switch {
	case k < KindStatic:
		return -1
	case k <= KindClustering:
		return 0
	}
	return 1
}

// Bound is a clustering, or one end of a range, as a file has it.
type Bound struct {
	Kind   BoundKind
	Values [][]byte
}

// Cut returns the place of a bound that is not a row.
func (b Bound) Cut() row.Cut { return row.Cut{Values: b.Values, After: b.Kind.side() > 0} }

// valueType is how values of a type are written: fixed is their length, -1 when they carry it.
type valueType struct{ fixed int }

func valueTypeOf(t *types.Type) valueType {
	if n, ok := t.FixedLen(); ok {
		return valueType{n}
	}
	if t.Kind == types.Custom && t.Class == marshal+"LexicalUUIDType" {
		return valueType{16}
	}
	return valueType{-1}
}

func (v valueType) read(c *cursor) []byte {
	if v.fixed >= 0 {
		return c.take(v.fixed)
	}
	return c.vbytes()
}

// groupSize is the number of clustering values that share a header.
const groupSize = 32

var emptyValue = []byte{}

// readValues reads the first n values of a clustering, appended to dst: nil for null, and empty ones.
func readValues(c *cursor, dst [][]byte, n int, vt []valueType) [][]byte {
	for i := 0; i < n; {
		header := c.uvint()
		for end := min(n, i+groupSize); i < end; i++ {
			switch bits := header >> (2 * (i % groupSize)) & 3; {
			case bits&2 != 0:
				dst = append(dst, nil)
			case bits&1 != 0:
				dst = append(dst, emptyValue)
			default:
				dst = append(dst, vt[i].read(c))
			}
		}
		if c.err != nil {
			return dst
		}
	}
	return dst
}

// readBoundValues reads the number of values and the values of a bound.
func readBoundValues(c *cursor, dst [][]byte, vt []valueType) [][]byte {
	n := c.u16()
	if n > len(vt) {
		c.fail("a bound of %d values in a table of %d clustering columns", n, len(vt))
		return dst
	}
	return readValues(c, dst, n, vt)
}

// parseBound reads a bound with its kind; its values are appended to dst.
func parseBound(c *cursor, dst [][]byte, vt []valueType) Bound {
	kind := BoundKind(c.u8())
	if kind >= boundKinds || kind == KindStatic {
		c.fail("%d is not the kind of a bound", kind)
		return Bound{}
	}
	if kind == KindClustering {
		return Bound{kind, readValues(c, dst, len(vt), vt)}
	}
	return Bound{kind, readBoundValues(c, dst, vt)}
}

// readDeletion reads a deletion as it stands before a partition's rows and in indexes.
// Source: org.apache.cassandra.db.DeletionTime.
func readDeletion(c *cursor, v Version) row.Deletion {
	if !v.modern() {
		local, ts := c.u32(), c.i64()
		return deletionOf(ts, localOf(local, v))
	}
	first := c.u8()
	if first&0x80 != 0 {
		if first != 0x80 {
			c.fail("%02x are not the flags of a deletion", first)
		}
		return row.Live
	}
	c.i -= min(c.i, 1)
	ts, local := c.i64(), c.u32()
	return deletionOf(ts, localOf(local, v))
}

// deletionOf returns Live for a deletion without a timestamp, whatever its local time is.
func deletionOf(ts, local int64) row.Deletion {
	if ts == row.NoTimestamp {
		return row.Live
	}
	return row.Deletion{Timestamp: ts, Local: local}
}

// clusteringOrder orders clusterings and bounds of a table.
type clusteringOrder struct {
	table *schema.Table
	// ring tells which clustering values are ordered by their token; nil when none is.
	ring []token.Partitioner
}

// setRing says that value i is ordered by its token; p is nil for one that is not.
func (o *clusteringOrder) setRing(i int, p token.Partitioner) {
	if p == nil {
		return
	}
	if o.ring == nil {
		o.ring = make([]token.Partitioner, len(o.table.Clustering))
	}
	o.ring[i] = p
}

// compareValues orders two clusterings or prefixes; a prefix of the other one is equal to it.
func (o *clusteringOrder) compareValues(a, b [][]byte) int {
	if o.ring == nil {
		return row.CompareClustering(o.table, a, b)
	}
	for i := range min(len(a), len(b), len(o.ring)) {
		d := 0
		if p := o.ring[i]; p == nil || a[i] == nil || b[i] == nil {
			d = o.table.Clustering[i].Compare(a[i], b[i])
		} else if d = p.Token(a[i]).Compare(p.Token(b[i])); d == 0 {
			d = bytes.Compare(a[i], b[i])
		}
		if d != 0 {
			return d
		}
	}
	return 0
}

// compare orders two places: clusterings (side 0), and bounds before or after what starts with their values (-1 and 1).
func (o *clusteringOrder) compare(a [][]byte, aSide int, b [][]byte, bSide int) int {
	if d := o.compareValues(a, b); d != 0 {
		return d
	}
	switch {
	case len(a) == len(b):
		return aSide - bSide
	case len(a) < len(b):
		return aSide
	}
	return -bSide
}
