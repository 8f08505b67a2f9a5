package wire

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql"
)

// TestBadBodies holds bodies that Cassandra refuses, with its text where it has one that is no Java exception.
func TestBadBodies(t *testing.T) {
	text := AppendLongString(nil, "SELECT")
	cat := func(parts ...[]byte) (b []byte) {
		for _, p := range parts {
			b = append(b, p...)
		}
		return b
	}
	one := AppendShort(nil, uint16(cql.One))
	const longText = "Not enough bytes to read an UTF8 serialized string preceded by its 4 bytes length"
	const shortText = "Not enough bytes to read an UTF8 serialized string preceded by its 2 bytes length"
	const bytesShort = "Not enough bytes to read a byte array preceded by its 4 bytes length"
	for _, c := range []struct {
		name string
		op   Opcode
		v    cql.Version
		body []byte
		want string
	}{
		{"no body", OpQuery, cql.V4, nil, longText},
		{"long string longer than the body", OpQuery, cql.V4, cat(AppendInt(nil, 100), []byte("abc")), longText},
		{"negative long string", OpQuery, cql.V4, cat(AppendInt(nil, -5), []byte("abc")), longText},
		{"text that is not UTF-8", OpQuery, cql.V4, AppendLongString(nil, "SELECT \xff\xfe"),
			"Cannot decode string as UTF8: 'fffe'; java.nio.charset.MalformedInputException: Input length = 1"},
		{"text that is not UTF-8, PREPARE", OpPrepare, cql.V4, AppendLongString(nil, "\xc3("),
			"Cannot decode string as UTF8: 'c328'; java.nio.charset.MalformedInputException: Input length = 1"},
		{"half a consistency", OpQuery, cql.V4, cat(text, []byte{0}), "Not enough bytes to read a short"},
		{"consistency 99", OpQuery, cql.V4, cat(text, []byte{0, 99, 0}), "Unknown code 99 for a consistency level"},
		{"serial consistency 99", OpQuery, cql.V4, cat(text, one, []byte{0x10, 0, 99}), "Unknown code 99 for a consistency level"},
		{"no flags in v5", OpQuery, cql.V5, cat(text, one, []byte{0}), "Not enough bytes to read an int"},
		{"page size of 2 bytes", OpQuery, cql.V4, cat(text, one, []byte{4, 0, 0}), "Not enough bytes to read an int"},
		{"page size 0", OpQuery, cql.V4, cat(text, one, []byte{4, 0, 0, 0, 0}), "The page size cannot be 0"},
		{"page size 0 in v5", OpExecute, cql.V5, cat(AppendShortBytes(nil, []byte{1}), AppendShortBytes(nil, nil), one, AppendInt(nil,
			4), AppendInt(nil, 0)), "The page size cannot be 0"},
		{"value of -3", OpQuery, cql.V4, cat(text, one, []byte{1, 0, 1}, AppendInt(nil, -3)), "Invalid ByteBuf length -3"},
		{"value longer than the body", OpQuery, cql.V4, cat(text, one, []byte{1, 0, 1}, AppendInt(nil, math.MaxInt32)), bytesShort},
		{"65535 values in 20 bytes", OpQuery, cql.V4, cat(text, one, []byte{1, 0xff, 0xff}, make([]byte, 20)), bytesShort},
		{"65535 named values in 20 bytes", OpQuery, cql.V4, cat(text, one, []byte{0x41, 0xff, 0xff}, make([]byte, 20)), shortText},
		{"name that is not UTF-8", OpQuery, cql.V4, cat(text, one, []byte{0x41, 0, 1, 0, 1, 0xff}, AppendInt(nil, -1)),
			"Cannot decode string as UTF8: 'ff'; java.nio.charset.MalformedInputException: Input length = 1"},
		{"paging state longer than the body", OpQuery, cql.V4, cat(text, one, []byte{8}, AppendInt(nil, 1<<20)), bytesShort},
		{"least timestamp", OpQuery, cql.V4, cat(text, one, []byte{0x20}, AppendLong(nil, math.MinInt64)),
			"Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807] (got -9223372036854775808)"},
		{"keyspace missing", OpQuery, cql.V4, cat(text, one, []byte{0x80}), shortText},
		{"PREPARE without flags in v5", OpPrepare, cql.V5, text, "Not enough bytes to read an int"},
		{"EXECUTE without id", OpExecute, cql.V4, nil, "Not enough bytes to read a byte array preceded by its 2 bytes length"},
		{"EXECUTE with a short id", OpExecute, cql.V4, []byte{0, 16, 1, 2},
			"Not enough bytes to read a byte array preceded by its 2 bytes length"},
		{"BATCH of type 9", OpBatch, cql.V4, cat([]byte{9, 0, 0}, one, []byte{0}), "Invalid BATCH message type 9"},
		{"BATCH of type 255", OpBatch, cql.V4, cat([]byte{255, 0, 0}, one, []byte{0}), "Invalid BATCH message type -1"},
		{"BATCH with a statement of kind 255", OpBatch, cql.V4, cat([]byte{0, 0, 1, 255}, make([]byte, 9)),
			"Invalid query kind in BATCH messages. Must be 0 or 1 but got -1"},
		{"BATCH with a statement of kind 7", OpBatch, cql.V4, cat([]byte{0, 0, 1, 7}, make([]byte, 9)),
			"Invalid query kind in BATCH messages. Must be 0 or 1 but got 7"},
		{"BATCH of 65535 statements in one byte", OpBatch, cql.V4, []byte{0, 0xff, 0xff, 0}, longText},
		{"BATCH with 65535 values", OpBatch, cql.V4, cat([]byte{0, 0, 1, 0}, text, []byte{0xff, 0xff}, one, []byte{0}), bytesShort},
		{"BATCH with the least timestamp", OpBatch, cql.V5, cat([]byte{0, 0, 0}, one, AppendInt(nil, 0x20), AppendLong(nil,
			math.MinInt64)), "Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807] (got -9223372036854775808)"},
		{"REGISTER of an unknown event", OpRegister, cql.V4, AppendStringList(nil, []string{"status_change", "foo"}),
			"Invalid value 'foo' for Type"},
		{"REGISTER of 65535 events", OpRegister, cql.V4, cat([]byte{0xff, 0xff}, AppendString(nil, "STATUS_CHANGE")), shortText},
		{"STARTUP of 65535 options in 10 bytes", OpStartup, cql.V4, cat([]byte{0xff, 0xff}, make([]byte, 10)), shortText},
		{"STARTUP of 33 options", OpStartup, cql.V4, AppendStartup(nil, options(33)), "Too many options in STARTUP message: 33"},
		{"STARTUP without version", OpStartup, cql.V4, AppendStartup(nil, map[string]string{"A": "b"}),
			"Missing value CQL_VERSION in STARTUP message"},
		{"STARTUP with version 3", OpStartup, cql.V4, startupBody("CQL_VERSION", "3"), "Invalid version value: 3"},
		{"STARTUP with version 2.0.0", OpStartup, cql.V4, startupBody("CQL_VERSION", "2.0.0"),
			"CQL version 2.0.0 is not supported by the binary protocol (supported version are >= 3.0.0)"},
		{"STARTUP with an unknown compression", OpStartup, cql.V4, startupBody("CQL_VERSION", "3.0.0", "compression", "zstd"),
			"Unknown compression algorithm: zstd"},
		{"STARTUP with an empty compression", OpStartup, cql.V4, startupBody("CQL_VERSION", "3.0.0", "COMPRESSION", ""),
			"Unknown compression algorithm: "},
		{"STARTUP with snappy in v5", OpStartup, cql.V5, startupBody("CQL_VERSION", "3.0.0", "COMPRESSION", "SNAPPY"),
			"Snappy compression is not supported in protocol V5"},
		{"token longer than the body", OpAuthResponse, cql.V4, AppendInt(nil, 10), bytesShort},
	} {
		err := decodeBody(c.op, c.body, c.v)
		e, ok := AsError(err0(err))
		if err == nil || !ok || e.Code != cql.CodeProtocol || e.Message != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func err0(err error) error {
	if err == nil {
		return cql.Invalidf("no error")
	}
	return err
}

func options(n int) map[string]string {
	m := map[string]string{"CQL_VERSION": "3.0.0"}
	for i := 1; i < n; i++ {
		m[strings.Repeat("x", i)] = "y"
	}
	return m
}

func startupBody(pairs ...string) []byte {
	m := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return AppendStartup(nil, m)
}

// decodeBody decodes a request's body.
func decodeBody(op Opcode, body []byte, v cql.Version) error {
	switch op {
	case OpStartup:
		_, err := DecodeStartup(body, v)
		return err
	case OpQuery:
		return new(Query).Decode(body, v)
	case OpPrepare:
		return new(Prepare).Decode(body, v)
	case OpExecute:
		return new(Execute).Decode(body, v)
	case OpBatch:
		return new(Batch).Decode(body, v)
	case OpRegister:
		_, err := DecodeRegister(body)
		return err
	case OpAuthResponse:
		_, err := DecodeAuthToken(body)
		return err
	}
	return nil
}

// TestGoodBodies is what looks odd and is accepted.
func TestGoodBodies(t *testing.T) {
	one := AppendShort(nil, uint16(cql.One))
	text := AppendLongString(nil, "x")
	for name, c := range map[string]struct {
		op   Opcode
		v    cql.Version
		body []byte
	}{
		"bytes left over":          {OpQuery, cql.V4, append(append(text[:5:5], one...), 0, 1, 2, 3)},
		"negative page size":       {OpQuery, cql.V4, append(append(text[:5:5], one...), 4, 0xff, 0xff, 0xff, 0xff)},
		"keyspace in v4":           {OpQuery, cql.V4, append(append(text[:5:5], one...), 0x80, 0, 1, 'k')},
		"value of -2 in v3":        {OpQuery, cql.V3, append(append(text[:5:5], one...), 1, 0, 1, 0xff, 0xff, 0xff, 0xfe)},
		"value of -9 in v3":        {OpQuery, cql.V3, append(append(text[:5:5], one...), 1, 0, 1, 0xff, 0xff, 0xff, 0xf7)},
		"QUORUM as serial level":   {OpQuery, cql.V4, append(append(text[:5:5], one...), 0x10, 0, 4)},
		"empty id":                 {OpExecute, cql.V4, append(append([]byte{0, 0}, one...), 0)},
		"BATCH without statements": {OpBatch, cql.V4, append(append([]byte{0, 0, 0}, one...), 0)},
		"BATCH with the flag for names": {OpBatch, cql.V4, append(append([]byte{0, 0, 1, 0, 0, 0, 0, 1, 'x', 0, 1, 0, 0, 0, 1, 9},
			one...), 0x40)},
		"REGISTER for nothing": {OpRegister, cql.V4, []byte{0, 0}},
		"STARTUP 3.99.0": {OpStartup, cql.V4, startupBody("cql_version", "3.99.0", "DRIVER_NAME", "d", "NO_COMPACT",
			"true", "compression", "LZ4")},
		"STARTUP 4.0.0":       {OpStartup, cql.V4, startupBody("CQL_VERSION", "4.0.0", "COMPRESSION", "Snappy")},
		"STARTUP 3.4":         {OpStartup, cql.V4, startupBody("CQL_VERSION", "3.4")},
		"STARTUP 3.4.5-beta1": {OpStartup, cql.V4, startupBody("CQL_VERSION", "3.4.5-beta1")},
		"null token":          {OpAuthResponse, cql.V4, AppendInt(nil, -1)},
	} {
		if err := decodeBody(c.op, c.body, c.v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var b Batch
	if err := b.Decode(append(append([]byte{0, 0, 1, 0, 0, 0, 0, 1, 'x', 0, 1, 0, 0, 0, 1, 9}, one...), 0x40),
		cql.V4); err != nil || b.Items[0].Values[0].Bytes[0] != 9 {
		t.Errorf("%+v %v", b, err)
	}
}

func TestStartupOptions(t *testing.T) {
	s, err := DecodeStartup(startupBody("cql_version", "3.0.0", "Compression", "LZ4", "throw_on_overload", "1", "CLIENT_ID", "x"),
		cql.V5)
	if err != nil || s.Compression != LZ4 || !s.ThrowOnOverload || s.Options["CLIENT_ID"] != "x" ||
		s.Options["CQL_VERSION"] != "3.0.0" {
		t.Errorf("%+v %v", s, err)
	}
}

// TestStringLimits: a [string] never wraps its length and is never cut inside of a character.
func TestStringLimits(t *testing.T) {
	for _, s := range []string{strings.Repeat("x", 70_000), strings.Repeat("é", 40_000), strings.Repeat("日", 30_000),
		strings.Repeat("x", 65_535)} {
		b := AppendString(nil, s)
		r := NewReader(b)
		got := r.String()
		if r.Err() != nil || r.Len() != 0 || !strings.HasPrefix(s, got) || len(got) < 65_532 {
			t.Errorf("%d bytes became %d, %v", len(s), len(got), r.Err())
		}
	}
	long := &Prefix{Warnings: []string{strings.Repeat("é", 70_000), "short"}}
	b := encode(Header{Version: cql.V4, Response: true, Opcode: OpResult}, NoCompression, long, AppendVoid(nil))
	e := decodeOne(t, b, true)
	if p, _, err := DecodePrefix(&e); err != nil || len(p.Warnings) != 2 || p.Warnings[1] != "short" || len(e.Body) != 4 {
		t.Errorf("%v", err)
	}
}

// TestReaderInet reads addresses of both sizes and refuses others.
func TestReaderInet(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"04 7f000001 00002352", "127.0.0.1:9042"}, {"10 00000000000000000000000000000001 00000001", "[::1]:1"},
		{"05 0102030405 00000001", ""},
		{"00 00000001", ""}, {"04 7f0000", ""}, {"04 7f000001 00010000", ""},
	} {
		b, _ := hex.DecodeString(strings.ReplaceAll(c.in, " ", ""))
		r := NewReader(b)
		got := r.Inet()
		if c.want == "" {
			if r.Err() == nil {
				t.Errorf("%s is %s", c.in, got)
			}
		} else if got.String() != c.want || r.Err() != nil {
			t.Errorf("%s is %s, %v", c.in, got, r.Err())
		}
	}
}

// manyValues is the body of an EXECUTE with n values.
func manyValues(v cql.Version, n int) []byte {
	x := Execute{ID: make([]byte, 16), QueryParams: QueryParams{Consistency: cql.One, Flags: FlagTimestamp | FlagSkipMetadata,
		PageSize: 5000}}
	if v >= cql.V5 {
		x.ResultMetadataID = make([]byte, 16)
	}
	for range n {
		x.Values = append(x.Values, Value{Bytes: make([]byte, 20)})
	}
	return x.Append(nil, v)
}

func TestNoAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations are counted without the race detector")
	}
	for _, v := range []cql.Version{cql.V4, cql.V5} {
		body := manyValues(v, 16)
		var x Execute
		if n := testing.AllocsPerRun(100, func() { _ = x.Decode(body, v) }); n != 0 {
			t.Errorf("EXECUTE in %s: %v allocations", v, n)
		}
		if len(x.Values) != 16 || &x.ID[0] != &body[2] {
			t.Error("the id is not a view of the body")
		}
		q := Query{Text: []byte("INSERT INTO t (k, v) VALUES (?, ?)"), QueryParams: QueryParams{Values: make([]Value, 2)}}
		body = q.Append(nil, v)
		if n := testing.AllocsPerRun(100, func() { _ = q.Decode(body, v) }); n != 0 {
			t.Errorf("QUERY in %s: %v allocations", v, n)
		}
		batch := Batch{Items: make([]BatchItem, 10)}
		for i := range batch.Items {
			batch.Items[i] = BatchItem{Prepared: true, ID: make([]byte, 16), Values: make([]Value, 3)}
		}
		body = batch.Append(nil, v)
		if n := testing.AllocsPerRun(100, func() { _ = batch.Decode(body, v) }); n != 0 {
			t.Errorf("BATCH in %s: %v allocations", v, n)
		}
	}
	for _, m := range allModes {
		var o Output
		o.Reset(m.v >= cql.V5, m.comp, 1<<20)
		body := manyValues(m.v, 3)
		h := Header{Version: m.v, Opcode: OpExecute}
		if n := testing.AllocsPerRun(100, func() {
			o.Clear(1 << 20)
			for range 5 {
				o.End(append(o.Begin(), body...), h, nil)
			}
			o.Bytes()
		}); n != 0 {
			t.Errorf("Output of %s: %v allocations", m, n)
		}
		d := requests(m.v, m.comp)
		in := o.Bytes()
		if n := testing.AllocsPerRun(100, func() {
			for rest := in; ; {
				_, n, err := d.Next(rest)
				if err != nil {
					break
				}
				rest = rest[n:]
			}
		}); n != 0 {
			t.Errorf("Decoder of %s: %v allocations", m, n)
		}
	}
}
