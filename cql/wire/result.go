package wire

import (
	"strconv"

	"github.com/helenusdb/helenus/cql"
)

// ResultKind is the kind of a RESULT.
type ResultKind int32

// The kinds of results.
const (
	KindVoid ResultKind = iota + 1
	KindRows
	KindSetKeyspace
	KindPrepared
	KindSchemaChange
)

// AppendVoid appends the body of a VOID result.
func AppendVoid(dst []byte) []byte { return AppendInt(dst, int32(KindVoid)) }

// AppendSetKeyspace appends the body of a SET_KEYSPACE result.
func AppendSetKeyspace(dst []byte, keyspace string) []byte {
	return AppendString(AppendInt(dst, int32(KindSetKeyspace)), keyspace)
}

// AppendSchemaChange appends the body of a SCHEMA_CHANGE result; e is a SchemaChange.
func AppendSchemaChange(dst []byte, v cql.Version, e *Event) []byte {
	return appendSchemaChange(AppendInt(dst, int32(KindSchemaChange)), v, e)
}

// Prepared is a PREPARED result.
type Prepared struct {
	ID []byte
	// ResultMetadataID is sent in v5; see MetadataID.
	ResultMetadataID [16]byte
	// Variables are the bind markers. PartitionKey holds the index of the marker of each partition key column, or
	// nothing when one has none (v4 and up).
	Variables    *Metadata
	PartitionKey []uint16
	// Result describes the rows; nil when the statement returns none or they are known only when it runs.
	Result *Metadata
}

// AppendPrepared appends the body of a PREPARED result.
func AppendPrepared(dst []byte, v cql.Version, p *Prepared) []byte {
	dst = AppendShortBytes(AppendInt(dst, int32(KindPrepared)), p.ID)
	if v >= cql.V5 {
		dst = AppendShortBytes(dst, p.ResultMetadataID[:])
	}
	var flags int32
	if p.Variables.global() {
		flags = rowsGlobalSpec
	}
	dst = AppendInt(AppendInt(dst, flags), int32(len(p.Variables.Columns)))
	if v >= cql.V4 {
		dst = AppendInt(dst, int32(len(p.PartitionKey)))
		for _, i := range p.PartitionKey {
			dst = AppendShort(dst, i)
		}
	}
	dst = append(dst, p.Variables.columns(v)...)
	if p.Result == nil {
		return AppendInt(AppendInt(dst, rowsNoMetadata), 0)
	}
	return AppendRowsMetadata(dst, v, p.Result, RowsOptions{})
}

// Result is a RESULT as a client reads it. Byte slices are views of the body.
type Result struct {
	Kind ResultKind
	// Keyspace is of SET_KEYSPACE, Change of SCHEMA_CHANGE, Prepared of PREPARED.
	Keyspace string
	Change   Event
	Prepared Prepared
	// Metadata, RowsOptions, Columns and RowCount are of ROWS; Metadata is nil when the columns were left out.
	Metadata *Metadata
	RowsOptions
	Columns, RowCount int

	cells Reader
	left  int
}

// DecodeResult reads the body of a RESULT, of which the rows stay in their encoded form until NextRow.
func DecodeResult(body []byte, v cql.Version) (Result, error) {
	r := NewReader(body)
	res := Result{Kind: ResultKind(r.Int())}
	switch res.Kind {
	case KindVoid:
	case KindRows:
		res.Metadata, res.RowsOptions, res.Columns = readMetadata(&r)
		res.RowCount = int(r.Int())
		if n := res.RowCount; n < 0 || n*max(res.Columns, 1)*4 > r.Len() && n*res.Columns > 0 {
			r.Fail(cql.Protocolf("Invalid row count %d", n))
		}
		res.left = res.RowCount
		res.cells = r
	case KindSetKeyspace:
		res.Keyspace = r.String()
	case KindPrepared:
		readPrepared(&r, v, &res.Prepared)
	case KindSchemaChange:
		res.Change.Type = SchemaChange
		readSchemaChange(&r, &res.Change)
	default:
		r.Fail(cql.Protocolf("Unknown result kind %s", strconv.Itoa(int(res.Kind))))
	}
	return res, r.Err()
}

func readPrepared(r *Reader, v cql.Version, p *Prepared) {
	p.ID = r.ShortBytes()
	if v >= cql.V5 {
		copy(p.ResultMetadataID[:], r.ShortBytes())
	}
	flags := r.Int()
	count := int(r.Int())
	if count < 0 {
		r.Fail(cql.Protocolf("Invalid marker count %d", count))
	}
	if v >= cql.V4 {
		n := int(r.Int())
		if n < 0 || n*2 > r.Len() {
			r.Fail(cql.Protocolf("Invalid partition key count %d", n))
			return
		}
		for range n {
			p.PartitionKey = append(p.PartitionKey, r.Short())
		}
	}
	p.Variables = readColumns(r, flags, max(count, 0))
	p.Result, _, _ = readMetadata(r)
}

// NextRow returns the cells of the next row in row's memory: views of the body, nil for null. ok is false after the
// last row, and when the body ends inside of a row, which Err tells.
func (r *Result) NextRow(row [][]byte) (cells [][]byte, ok bool) {
	if r.left == 0 {
		return row[:0], false
	}
	r.left--
	row = row[:0]
	for range r.Columns {
		row = append(row, r.cells.Bytes())
		if r.cells.err != nil {
			return row[:0], false
		}
	}
	return row, true
}

// Err returns the error that ended NextRow early.
func (r *Result) Err() error { return r.cells.Err() }

// DecodePrefix takes tracing id, warnings and custom payload off the body of a response.
func DecodePrefix(e *Envelope) (p Prefix, payload map[string][]byte, err error) {
	r := NewReader(e.Body)
	if e.Flags&FlagTracing != 0 {
		p.Tracing, p.TracingID = true, r.UUID()
	}
	if e.Flags&FlagWarning != 0 {
		p.Warnings = r.StringList()
	}
	if e.Flags&FlagCustomPayload != 0 {
		payload = r.BytesMap()
	}
	if err = r.Err(); err == nil {
		e.Body = r.Rest()
	}
	return p, payload, err
}
