package wire

import (
	"crypto/md5"
	"sync/atomic"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// ColumnSpec is one column of a result, or one bind marker. Keyspace and Table are used when the Metadata has none
// that hold for all columns.
type ColumnSpec struct {
	Keyspace, Table, Name string
	Type                  *types.Type
	// Reversed is true for a clustering column in descending order. It does not show, except in the metadata id.
	Reversed bool
}

// Metadata describes the columns of rows or the markers of a prepared statement. It is immutable once used and may be
// shared between goroutines and connections; it keeps its encoded form for each version. Made by NewMetadata.
type Metadata struct {
	// Keyspace and Table are those of all columns; both empty when the columns name their own.
	Keyspace, Table string
	Columns         []ColumnSpec

	encoded [cql.V5 + 1]atomic.Pointer[[]byte] // table and columns, by version
	id      atomic.Pointer[[16]byte]
}

// NewMetadata returns the description of columns, which it keeps. When all are of one table, that is sent once.
func NewMetadata(columns []ColumnSpec) *Metadata {
	md := &Metadata{Columns: columns}
	if len(columns) == 0 {
		return md
	}
	md.Keyspace, md.Table = columns[0].Keyspace, columns[0].Table
	for _, c := range columns[1:] {
		if c.Keyspace != md.Keyspace || c.Table != md.Table {
			md.Keyspace, md.Table = "", ""
			break
		}
	}
	return md
}

// global reports whether one keyspace and table stand for all columns.
func (md *Metadata) global() bool {
	return len(md.Columns) > 0 && (md.Keyspace != "" || md.Table != "")
}

// The flags of rows metadata. Source: native_protocol_v5.spec 4.2.5.2.
const (
	rowsGlobalSpec      = 0x01
	rowsHasMorePages    = 0x02
	rowsNoMetadata      = 0x04
	rowsMetadataChanged = 0x08
)

// RowsOptions says what stands in front of rows beside the columns.
type RowsOptions struct {
	// SkipMetadata leaves the columns out. NewMetadataID wins over it.
	SkipMetadata bool
	// PagingState is where the next page begins; nil when there is none.
	PagingState []byte
	// NewMetadataID tells a v5 client that its columns are stale; nil when they are not.
	NewMetadataID []byte
}

// AppendRowsMetadata appends the metadata of a ROWS result.
func AppendRowsMetadata(dst []byte, v cql.Version, md *Metadata, o RowsOptions) []byte {
	var flags int32
	if md.global() {
		flags |= rowsGlobalSpec
	}
	if o.PagingState != nil {
		flags |= rowsHasMorePages
	}
	changed := o.NewMetadataID != nil && v >= cql.V5
	switch {
	case changed:
		flags |= rowsMetadataChanged
	case o.SkipMetadata:
		flags |= rowsNoMetadata
	}
	dst = AppendInt(AppendInt(dst, flags), int32(len(md.Columns)))
	if o.PagingState != nil {
		dst = AppendBytes(dst, o.PagingState)
	}
	if changed {
		dst = AppendShortBytes(dst, o.NewMetadataID)
	}
	if flags&rowsNoMetadata != 0 {
		return dst
	}
	return append(dst, md.columns(v)...)
}

// columns returns the table, where it is common, and the columns in the form of v.
func (md *Metadata) columns(v cql.Version) []byte {
	if b := md.encoded[v].Load(); b != nil {
		return *b
	}
	var b []byte
	global := md.global()
	if global {
		b = AppendString(AppendString(b, md.Keyspace), md.Table)
	}
	for _, c := range md.Columns {
		if !global {
			b = AppendString(AppendString(b, c.Keyspace), c.Table)
		}
		b = appendType(AppendString(b, c.Name), v, c.Type)
	}
	md.encoded[v].Store(&b)
	return b
}

// MetadataID returns the id of rows with these columns: MD5 over name, 00, Java class, 00, 00 of each. nil, for a
// statement that returns no rows, has the MD5 of nothing. Source: ResultSet.ResultMetadata.computeResultMetadataId.
func MetadataID(md *Metadata) [16]byte {
	if md == nil {
		return md5.Sum(nil)
	}
	if id := md.id.Load(); id != nil {
		return *id
	}
	var b []byte
	for _, c := range md.Columns {
		class := c.Type.JavaName()
		if c.Reversed {
			class = "org.apache.cassandra.db.marshal.ReversedType(" + class + ")"
		}
		b = append(append(append(append(b, c.Name...), 0), class...), 0, 0)
	}
	id := md5.Sum(b)
	md.id.Store(&id)
	return id
}

// readMetadata reads the metadata of rows. md is nil when the columns were left out; count is their number either way.
func readMetadata(r *Reader) (md *Metadata, o RowsOptions, count int) {
	flags := r.Int()
	count = int(r.Int())
	if count < 0 {
		r.Fail(cql.Protocolf("Invalid column count %d", count))
	}
	if flags&rowsHasMorePages != 0 {
		o.PagingState = r.Bytes()
	}
	if flags&rowsMetadataChanged != 0 {
		o.NewMetadataID = r.ShortBytes()
	}
	if flags&rowsNoMetadata != 0 {
		o.SkipMetadata = true
		return nil, o, count
	}
	return readColumns(r, flags, count), o, count
}

// readColumns reads count columns, each of which takes 4 bytes at least.
func readColumns(r *Reader, flags int32, count int) *Metadata {
	md := &Metadata{}
	if flags&rowsGlobalSpec != 0 {
		md.Keyspace, md.Table = r.String(), r.String()
	}
	if count*4 > r.Len() {
		r.Fail(cql.Protocolf("Not enough bytes to read %d columns", count))
		return md
	}
	for range count {
		c := ColumnSpec{Keyspace: md.Keyspace, Table: md.Table}
		if flags&rowsGlobalSpec == 0 {
			c.Keyspace, c.Table = r.String(), r.String()
		}
		c.Name = r.String()
		c.Type = readType(r, 0)
		if r.err != nil {
			return md
		}
		md.Columns = append(md.Columns, c)
	}
	return md
}
