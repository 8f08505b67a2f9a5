package wire

import (
	"math"

	"github.com/helenusdb/helenus/cql"
)

// QueryFlags are the flags of QUERY, EXECUTE and BATCH parameters: a byte in v3 and v4, an [int] in v5.
type QueryFlags uint32

// The parameter flags. Source: native_protocol_v5.spec 4.1.4.
const (
	FlagValues        QueryFlags = 0x01
	FlagSkipMetadata  QueryFlags = 0x02
	FlagPageSize      QueryFlags = 0x04
	FlagPagingState   QueryFlags = 0x08
	FlagSerial        QueryFlags = 0x10
	FlagTimestamp     QueryFlags = 0x20
	FlagNames         QueryFlags = 0x40
	FlagQueryKeyspace QueryFlags = 0x80
	FlagNow           QueryFlags = 0x100
)

// QueryParams is what follows the statement in QUERY and EXECUTE, and in part in BATCH. Byte slices are views of the
// body. The struct is made to be reused: decoding resets it and keeps the memory of its slices.
type QueryParams struct {
	Consistency cql.Consistency
	Flags       QueryFlags
	// Values are the bound values; Names is as long when they are named, else empty.
	Values []Value
	Names  []string
	// PageSize is 0 when none was given; a negative one means not paged.
	PageSize int32
	// PagingState is nil when none was given.
	PagingState []byte
	// SerialConsistency is SERIAL when none was given. It may be a level that is not serial. A client that gives one
	// sets FlagSerial.
	SerialConsistency cql.Consistency
	// Timestamp is in microseconds, given when Flags has FlagTimestamp.
	Timestamp int64
	// Keyspace is for this request alone; empty when none was given.
	Keyspace string
	// NowInSeconds is given when Flags has FlagNow.
	NowInSeconds int32
}

// Has reports whether f is set.
func (p *QueryParams) Has(f QueryFlags) bool { return p.Flags&f != 0 }

// reset empties p and keeps the memory of Values and Names.
func (p *QueryParams) reset() {
	*p = QueryParams{Values: p.Values[:0], Names: p.Names[:0], SerialConsistency: cql.Serial}
}

// decode reads the parameters. Source: QueryOptions.Codec.decode.
func (p *QueryParams) decode(r *Reader, v cql.Version) {
	p.Consistency = r.Consistency()
	p.readFlags(r, v)
	if p.Flags == 0 {
		return
	}
	if p.Has(FlagValues) {
		p.readValues(r, v)
	}
	if p.Has(FlagPageSize) {
		if p.PageSize = r.Int(); p.PageSize == 0 {
			r.Fail(cql.Protocolf("The page size cannot be 0"))
		}
	}
	if p.Has(FlagPagingState) {
		p.PagingState = r.Bytes()
	}
	p.readTail(r)
}

func (p *QueryParams) readFlags(r *Reader, v cql.Version) {
	if v >= cql.V5 {
		p.Flags = QueryFlags(r.Int())
	} else {
		p.Flags = QueryFlags(r.Byte())
	}
}

// readTail reads the parameters that BATCH has as well.
func (p *QueryParams) readTail(r *Reader) {
	if p.Has(FlagSerial) {
		p.SerialConsistency = r.Consistency()
	}
	if p.Has(FlagTimestamp) {
		if p.Timestamp = r.Long(); p.Timestamp == math.MinInt64 {
			r.Fail(cql.Protocolf("Out of bound timestamp, must be in [%d, %d] (got %d)", int64(math.MinInt64+1), int64(math.MaxInt64),
				p.Timestamp))
		}
	}
	if p.Has(FlagQueryKeyspace) {
		p.Keyspace = r.String()
	}
	if p.Has(FlagNow) {
		p.NowInSeconds = r.Int()
	}
}

// readValues reads the bound values, named or not.
func (p *QueryParams) readValues(r *Reader, v cql.Version) {
	named := p.Has(FlagNames)
	size, what := 4, bytesText
	if named {
		size, what = 6, shortStringText
	}
	for range r.count(size, what) {
		if named {
			p.Names = append(p.Names, r.String())
		}
		p.Values = append(p.Values, r.Value(v))
		if r.err != nil {
			return
		}
	}
}

// flags returns p.Flags with the bits of the fields that are set, for a client that fills in fields alone.
func (p *QueryParams) flags(v cql.Version) QueryFlags {
	f := p.Flags
	set := func(on bool, bit QueryFlags) {
		if on {
			f |= bit
		}
	}
	set(len(p.Values) > 0, FlagValues)
	set(len(p.Names) > 0, FlagNames)
	set(p.PageSize != 0, FlagPageSize)
	set(p.PagingState != nil, FlagPagingState)
	set(p.Timestamp != 0, FlagTimestamp)
	set(p.Keyspace != "", FlagQueryKeyspace)
	set(p.NowInSeconds != 0, FlagNow)
	if v < cql.V5 {
		f &= 0x7f
	}
	return f
}

// append appends the parameters in the form of v. Fields that are not zero set their flags by themselves; what v does
// not know is left out.
func (p *QueryParams) append(dst []byte, v cql.Version) []byte {
	f := p.flags(v)
	dst = appendFlags(AppendShort(dst, uint16(p.Consistency)), f, v)
	if f&FlagValues != 0 {
		dst = AppendShort(dst, uint16(len(p.Values)))
		for i, value := range p.Values {
			if f&FlagNames != 0 {
				dst = AppendString(dst, p.Names[i])
			}
			dst = AppendValue(dst, value)
		}
	}
	if f&FlagPageSize != 0 {
		dst = AppendInt(dst, p.PageSize)
	}
	if f&FlagPagingState != 0 {
		dst = AppendBytes(dst, p.PagingState)
	}
	return p.appendTail(dst, f)
}

func appendFlags(dst []byte, f QueryFlags, v cql.Version) []byte {
	if v >= cql.V5 {
		return AppendInt(dst, int32(f))
	}
	return append(dst, byte(f))
}

func (p *QueryParams) appendTail(dst []byte, f QueryFlags) []byte {
	if f&FlagSerial != 0 {
		dst = AppendShort(dst, uint16(p.SerialConsistency))
	}
	if f&FlagTimestamp != 0 {
		dst = AppendLong(dst, p.Timestamp)
	}
	if f&FlagQueryKeyspace != 0 {
		dst = AppendString(dst, p.Keyspace)
	}
	if f&FlagNow != 0 {
		dst = AppendInt(dst, p.NowInSeconds)
	}
	return dst
}

// Query is a QUERY message. Text is a view of the body, valid UTF-8.
type Query struct {
	Text []byte
	QueryParams
}

// Decode reads the body of a QUERY into q, which is reused.
func (q *Query) Decode(body []byte, v cql.Version) error {
	q.reset()
	r := NewReader(body)
	q.Text = r.LongString()
	q.decode(&r, v)
	return r.Err()
}

// Append appends q as the body of a QUERY.
func (q *Query) Append(dst []byte, v cql.Version) []byte {
	return q.append(AppendBytes(dst, orEmpty(q.Text)), v)
}

// Prepare is a PREPARE message. Text is a view of the body; Keyspace is empty when none was given (v5).
type Prepare struct {
	Text     []byte
	Keyspace string
}

// prepareKeyspace is the one flag of PREPARE in v5.
const prepareKeyspace = 0x01

// Decode reads the body of a PREPARE into p.
func (p *Prepare) Decode(body []byte, v cql.Version) error {
	r := NewReader(body)
	*p = Prepare{Text: r.LongString()}
	if v >= cql.V5 && r.Int()&prepareKeyspace != 0 {
		p.Keyspace = r.String()
	}
	return r.Err()
}

// Append appends p as the body of a PREPARE.
func (p *Prepare) Append(dst []byte, v cql.Version) []byte {
	dst = AppendBytes(dst, orEmpty(p.Text))
	switch {
	case v < cql.V5:
		return dst
	case p.Keyspace == "":
		return AppendInt(dst, 0)
	}
	return AppendString(AppendInt(dst, prepareKeyspace), p.Keyspace)
}

// Execute is an EXECUTE message. ID and ResultMetadataID (v5, else nil) are views of the body.
type Execute struct {
	ID               []byte
	ResultMetadataID []byte
	QueryParams
}

// Decode reads the body of an EXECUTE into e, which is reused. It allocates nothing once e has seen as many values.
func (e *Execute) Decode(body []byte, v cql.Version) error {
	e.reset()
	r := NewReader(body)
	e.ID, e.ResultMetadataID = r.ShortBytes(), nil
	if v >= cql.V5 {
		e.ResultMetadataID = r.ShortBytes()
	}
	e.decode(&r, v)
	return r.Err()
}

// Append appends e as the body of an EXECUTE.
func (e *Execute) Append(dst []byte, v cql.Version) []byte {
	dst = AppendShortBytes(dst, e.ID)
	if v >= cql.V5 {
		dst = AppendShortBytes(dst, e.ResultMetadataID)
	}
	return e.append(dst, v)
}

// orEmpty returns b, and an empty slice for nil: a text is never null.
func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
