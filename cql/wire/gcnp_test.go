package wire

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"

	gclz4 "github.com/datastax/go-cassandra-native-protocol/compression/lz4"
	gcsnappy "github.com/datastax/go-cassandra-native-protocol/compression/snappy"
	"github.com/datastax/go-cassandra-native-protocol/frame"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/datastax/go-cassandra-native-protocol/segment"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// second takes an envelope of ours apart with go-cassandra-native-protocol and puts it together again: the bytes must
// not change. It returns the message as that library understands it.
func second(t *testing.T, b []byte) message.Message {
	t.Helper()
	codec := frame.NewCodec()
	f, err := codec.DecodeFrame(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("the other decoder: %v\n%x", err, b)
	}
	var out bytes.Buffer
	if err := codec.EncodeFrame(f, &out); err != nil {
		t.Fatalf("the other encoder: %v", err)
	}
	if !bytes.Equal(out.Bytes(), b) {
		t.Fatalf("\nours   %x\nothers %x\n%v", b, out.Bytes(), f.Body.Message)
	}
	return f.Body.Message
}

// params returns random parameters that v can carry and both libraries write the same way.
func params(r *rand.Rand, v cql.Version) QueryParams {
	p := QueryParams{Consistency: cql.Consistency(r.IntN(11)), SerialConsistency: cql.Serial}
	some := func(f QueryFlags) bool {
		if r.IntN(2) == 0 {
			return false
		}
		p.Flags |= f
		return true
	}
	if some(FlagValues) {
		p.Values = randomValues(r, v, r.IntN(20))
		if len(p.Values) == 1 && some(FlagNames) {
			p.Names = []string{"näme"}
		}
	}
	some(FlagSkipMetadata)
	if some(FlagPageSize) {
		p.PageSize = 1 + r.Int32N(1000)
	}
	if some(FlagPagingState) {
		p.PagingState = text(r, 1+r.IntN(40))
	}
	if some(FlagSerial) {
		p.SerialConsistency = cql.LocalSerial
	}
	if some(FlagTimestamp) {
		p.Timestamp = r.Int64() - r.Int64()
	}
	if v >= cql.V5 && some(FlagQueryKeyspace) {
		p.Keyspace = "ks"
	}
	if v >= cql.V5 && some(FlagNow) {
		p.NowInSeconds = r.Int32()
	}
	return p
}

func randomValues(r *rand.Rand, v cql.Version, n int) []Value {
	list := []Value{}
	for range n {
		switch k := r.IntN(5); {
		case k == 0:
			list = append(list, Value{})
		case k == 1 && v >= cql.V4:
			list = append(list, Value{Unset: true})
		default:
			list = append(list, Value{Bytes: text(r, r.IntN(100))})
		}
	}
	return list
}

// TestRequestsAgree: what is encoded here, the other library reads as the same and writes as the same bytes, and what
// is decoded here is what was encoded.
func TestRequestsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		for _, v := range []cql.Version{cql.V3, cql.V4, cql.V5} {
			h := Header{Version: v, Stream: int16(r.IntN(1 << 15))}
			id := text(r, 16)

			q := Query{Text: []byte("SELECT é"), QueryParams: params(r, v)}
			h.Opcode = OpQuery
			b := encode(h, NoCompression, nil, q.Append(nil, v))
			theirs := second(t, b).(*message.Query)
			sameParams(t, &q.QueryParams, theirs.Options)
			var q2 Query
			same(t, &q, &q2, q2.Decode(b[HeaderSize:], v))

			x := Execute{ID: id, QueryParams: params(r, v)}
			if v >= cql.V5 {
				x.ResultMetadataID = text(r, 16)
			}
			h.Opcode = OpExecute
			b = encode(h, NoCompression, nil, x.Append(nil, v))
			sameParams(t, &x.QueryParams, second(t, b).(*message.Execute).Options)
			var x2 Execute
			same(t, &x, &x2, x2.Decode(b[HeaderSize:], v))

			batch := Batch{Type: BatchType(r.IntN(3)), QueryParams: params(r, v), Items: []BatchItem{}}
			batch.Flags &= FlagSerial | FlagTimestamp | FlagQueryKeyspace | FlagNow
			batch.Values, batch.Names, batch.PagingState, batch.PageSize = nil, nil, nil, 0
			for range 1 + r.IntN(10) {
				it := BatchItem{Values: randomValues(r, v, r.IntN(6))}
				if it.Prepared = r.IntN(2) == 0; it.Prepared {
					it.ID = id
				} else {
					it.Text = []byte("INSERT")
				}
				batch.Items = append(batch.Items, it)
			}
			h.Opcode = OpBatch
			b = encode(h, NoCompression, nil, batch.Append(nil, v))
			second(t, b)
			var b2 Batch
			err := b2.Decode(b[HeaderSize:], v)
			b2.values = nil
			same(t, &batch, &b2, err)

			p := Prepare{Text: []byte("SELECT")}
			if v >= cql.V5 && r.IntN(2) == 0 {
				p.Keyspace = "ks"
			}
			h.Opcode = OpPrepare
			b = encode(h, NoCompression, nil, p.Append(nil, v))
			second(t, b)
			var p2 Prepare
			same(t, &p, &p2, p2.Decode(b[HeaderSize:], v))

			h.Opcode = OpRegister
			set := EventType(1 + r.IntN(7))
			b = encode(h, NoCompression, nil, AppendRegister(nil, set))
			second(t, b)
			if got, err := DecodeRegister(b[HeaderSize:]); got != set || err != nil {
				t.Fatal(got, err)
			}
		}
	}
}

// same compares what was encoded with what was decoded. Empty slices and nil are the same in both.
func same(t *testing.T, want, got any, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	w, g := reflect.ValueOf(want).Elem(), reflect.ValueOf(got).Elem()
	emptied(w)
	emptied(g)
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("\nwant %+v\ngot  %+v", want, got)
	}
}

// emptied sets the empty slices of a message, but for single values, to nil.
func emptied(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				emptied(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			emptied(v.Index(i))
		}
		if v.Len() == 0 && v.CanSet() {
			v.SetZero()
		}
	}
}

// sameParams compares parameters with the other library's.
func sameParams(t *testing.T, p *QueryParams, o *message.QueryOptions) {
	t.Helper()
	bad := uint16(p.Consistency) != uint16(o.Consistency) || p.Has(FlagSkipMetadata) != o.SkipMetadata || p.PageSize != o.PageSize ||
		!bytes.Equal(p.PagingState, o.PagingState) || p.Keyspace != o.Keyspace || p.Has(FlagTimestamp) != (o.DefaultTimestamp != nil) ||
		p.Has(FlagNow) != (o.NowInSeconds != nil)
	bad = bad || o.DefaultTimestamp != nil && *o.DefaultTimestamp != p.Timestamp || o.NowInSeconds != nil &&
		*o.NowInSeconds != p.NowInSeconds
	theirs := o.PositionalValues
	for _, v := range o.NamedValues {
		theirs = append(theirs, v)
	}
	if bad || len(theirs) != len(p.Values) {
		t.Fatalf("\nours   %+v\nothers %v", p, o)
	}
	for i, v := range p.Values {
		kind := primitive.ValueTypeRegular
		if v.Unset {
			kind = primitive.ValueTypeUnset
		} else if v.Bytes == nil {
			kind = primitive.ValueTypeNull
		}
		if theirs[i].Type != kind || !bytes.Equal(theirs[i].Contents, v.Bytes) {
			t.Fatalf("value %d: %+v and %v", i, v, theirs[i])
		}
	}
}

// randomType returns a type that v has an option for.
func randomType(r *rand.Rand, depth int) *types.Type {
	if depth > 2 || r.IntN(2) == 0 {
		list := []*types.Type{types.TInt, types.TText, types.TAscii, types.TBigint, types.TBlob, types.TBoolean, types.TCounter,
			types.TDecimal,
			types.TDouble, types.TFloat, types.TTimestamp, types.TUUID, types.TVarint, types.TTimeuuid, types.TInet, types.TDate,
			types.TTime,
			types.TSmallint, types.TTinyint, types.TDuration, types.VectorOf(types.TFloat, 3)}
		return list[r.IntN(len(list))]
	}
	switch r.IntN(5) {
	case 0:
		return types.ListOf(randomType(r, depth+1), false)
	case 1:
		return types.SetOf(randomType(r, depth+1), false)
	case 2:
		return types.MapOf(randomType(r, depth+1), randomType(r, depth+1), false)
	case 3:
		return types.TupleOf(randomType(r, depth+1), randomType(r, depth+1))
	}
	return &types.Type{
		Kind: types.UDT, Keyspace: "ks", Name: "t", Fields: []string{"a", "ü"}, Elems: []*types.Type{randomType(r, depth+1),
			randomType(r, depth+1)},
	}
}

func randomMetadata(r *rand.Rand, n int) *Metadata {
	var cols []ColumnSpec
	mixed := r.IntN(3) == 0
	for i := range n {
		c := ColumnSpec{Keyspace: "ks", Table: "t", Name: string(rune('a' + i)), Type: randomType(r, 0)}
		if mixed && i > 0 {
			c.Table = "u"
		}
		cols = append(cols, c)
	}
	return NewMetadata(cols)
}

func TestResponsesAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 300 {
		for _, v := range []cql.Version{cql.V3, cql.V4, cql.V5} {
			h := Header{Version: v, Stream: int16(r.IntN(1 << 15)), Response: true, Opcode: OpResult}
			md := randomMetadata(r, 1+r.IntN(8))
			o := RowsOptions{SkipMetadata: r.IntN(3) == 0}
			if v >= cql.V5 && r.IntN(3) == 0 && !o.SkipMetadata {
				o.NewMetadataID = text(r, 16)
			}
			var state []byte
			if r.IntN(2) == 0 {
				state = text(r, 1+r.IntN(30))
			}
			dst := append([]byte(nil), text(r, r.IntN(9))...)
			lead := len(dst)
			w := BeginRows(dst, v, md, o)
			var cells [][]byte
			rows := r.IntN(5)
			for range rows {
				for range md.Columns {
					var cell []byte
					if r.IntN(4) > 0 {
						cell = text(r, r.IntN(40))
					}
					cells = append(cells, cell)
					if cell != nil && r.IntN(2) == 0 {
						at := w.BeginCell()
						w.Buf = append(w.Buf, cell...)
						w.EndCell(at)
					} else {
						w.Cell(cell)
					}
				}
				w.EndRow()
			}
			if w.Count() != rows || w.Size() != len(w.Buf)-lead {
				t.Fatal(w.Count(), w.Size())
			}
			body := w.Finish(state)[lead:]
			if !(o.SkipMetadata && md.global()) { // the other library leaves flag 1 out beside flag 4
				theirs := second(t, encode(h, NoCompression, nil, body)).(*message.RowsResult)
				if len(theirs.Data) != rows || !bytes.Equal(theirs.Metadata.PagingState, state) ||
					int(theirs.Metadata.ColumnCount) != len(md.Columns) {
					t.Fatalf("%v", theirs)
				}
			}
			res, err := DecodeResult(body, v)
			if err != nil || res.RowCount != rows || res.Columns != len(md.Columns) || !bytes.Equal(res.PagingState, state) ||
				(res.PagingState == nil) != (state == nil) ||
				(res.Metadata == nil) != o.SkipMetadata || !bytes.Equal(res.NewMetadataID, o.NewMetadataID) {
				t.Fatalf("%+v, %v", res, err)
			}
			for row, ok := res.NextRow(nil); ok; row, ok = res.NextRow(row) {
				for _, cell := range row {
					if !bytes.Equal(cell, cells[0]) || (cell == nil) != (cells[0] == nil) {
						t.Fatalf("%x, want %x", cell, cells[0])
					}
					cells = cells[1:]
				}
			}
			if len(cells) > 0 || res.Err() != nil {
				t.Fatalf("%d cells missing, %v", len(cells), res.Err())
			}

			p := Prepared{ID: text(r, 16), ResultMetadataID: MetadataID(md), Variables: randomMetadata(r, r.IntN(5)), Result: md}
			if v >= cql.V4 && len(p.Variables.Columns) > 1 {
				p.PartitionKey = []uint16{1, 0}
			}
			if r.IntN(3) == 0 {
				p.Result = nil
			}
			body = AppendPrepared(nil, v, &p)
			second(t, encode(h, NoCompression, nil, body))
			res, err = DecodeResult(body, v)
			if err != nil || !bytes.Equal(res.Prepared.ID, p.ID) || len(res.Prepared.Variables.Columns) != len(p.Variables.Columns) ||
				!reflect.DeepEqual(res.Prepared.PartitionKey, p.PartitionKey) || (res.Prepared.Result == nil) != (p.Result == nil) {
				t.Fatalf("%+v, %v", res.Prepared, err)
			}
		}
	}
}

// allErrors holds an error of every code.
func allErrors() []*cql.Error {
	failures := []cql.Failure{{Endpoint: netip.MustParseAddrPort("127.0.0.1:0"), Reason: cql.ReasonTimeout}}
	return []*cql.Error{
		cql.Serverf("s"), cql.Protocolf("p"), {Code: cql.CodeCredentials, Message: "c"},
		cql.UnavailableError(cql.Quorum, "dc1", 2, 1), {Code: cql.CodeOverloaded, Message: "o"},
		{Code: cql.CodeBootstrapping, Message: "b"}, {Code: cql.CodeTruncate, Message: "t"},
		{Code: cql.CodeWriteTimeout, Message: "wt", Detail: &cql.WriteTimeout{Consistency: cql.All, Received: 1, BlockFor: 3,
			Contentions: 5, Type: cql.WriteCAS}},
		{Code: cql.CodeWriteTimeout, Message: "wt", Detail: &cql.WriteTimeout{Consistency: cql.One, Received: 0, BlockFor: 1,
			Type: cql.WriteUnloggedBatch}},
		{Code: cql.CodeReadTimeout, Message: "rt", Detail: &cql.ReadTimeout{Consistency: cql.Two, Received: 1, BlockFor: 2,
			DataPresent: true}},
		{Code: cql.CodeReadFailure, Message: "rf", Detail: &cql.ReadFailure{Consistency: cql.Two, Received: 1, BlockFor: 2,
			Failures: failures, DataPresent: true}},
		cql.FunctionError("ks", "f", []string{"int", "text"}, "f failed"),
		{Code: cql.CodeWriteFailure, Message: "wf", Detail: &cql.WriteFailure{Consistency: cql.Two, Received: 1, BlockFor: 2,
			Failures: failures, Type: cql.WriteSimple}},
		{Code: cql.CodeCDCWrite, Message: "cdc"},
		{Code: cql.CodeCASUnknown, Message: "cas", Detail: &cql.CASUnknown{Consistency: cql.Serial, Received: 1, BlockFor: 2}},
		cql.Syntaxf("s"), cql.Unauthorizedf("u"), cql.Invalidf("i"), cql.Configf("c"), cql.KeyspaceExists("ks"), cql.TableExists("ks",
			"t"),
		cql.UnpreparedError([]byte{1, 2, 3}),
	}
}

func TestErrorsAgree(t *testing.T) {
	for _, v := range []cql.Version{cql.V3, cql.V4, cql.V5} {
		for _, e := range allErrors() {
			body := AppendError(nil, v, e)
			if e.Code != cql.CodeCDCWrite && (e.Code != cql.CodeCASUnknown || v < cql.V5) ||
				v < cql.V4 { // which the other library does not know
				second(t, encode(Header{Version: v, Response: true, Opcode: OpError}, NoCompression, nil, body))
			}
			got, err := DecodeError(body, v)
			if err != nil {
				t.Fatalf("%04x in %s: %v", e.Code, v, err)
			}
			if v == cql.V5 && !reflect.DeepEqual(got, e) {
				t.Errorf("%04x came back as %+v", e.Code, got)
			}
		}
	}
}

// TestErrorMapping: what a version does not know is told as the nearest that it has. Source: protocol.md 3.6.
func TestErrorMapping(t *testing.T) {
	want := map[cql.ErrorCode][3]cql.ErrorCode{
		cql.CodeReadFailure:     {cql.CodeReadTimeout, cql.CodeReadFailure, cql.CodeReadFailure},
		cql.CodeWriteFailure:    {cql.CodeWriteTimeout, cql.CodeWriteFailure, cql.CodeWriteFailure},
		cql.CodeFunctionFailure: {cql.CodeInvalid, cql.CodeFunctionFailure, cql.CodeFunctionFailure},
		cql.CodeCDCWrite:        {cql.CodeInvalid, cql.CodeCDCWrite, cql.CodeCDCWrite},
		cql.CodeCASUnknown:      {cql.CodeWriteTimeout, cql.CodeWriteTimeout, cql.CodeCASUnknown},
	}
	for _, e := range allErrors() {
		for i, v := range []cql.Version{cql.V3, cql.V4, cql.V5} {
			code := e.Code
			if w, ok := want[code]; ok {
				code = w[i]
			}
			got, err := DecodeError(AppendError(nil, v, e), v)
			if err != nil || got.Code != code {
				t.Errorf("%04x in %s is %04x, want %04x; %v", e.Code, v, got.Code, code, err)
			}
			if d, ok := got.Detail.(*cql.WriteTimeout); ok && e.Code == cql.CodeCASUnknown && d.Type != cql.WriteCAS {
				t.Errorf("CAS unknown is told as a timeout of %s", d.Type)
			}
		}
	}
	// A code without the fields that it must carry would be misread.
	got, err := DecodeError(AppendError(nil, cql.V5, &cql.Error{Code: cql.CodeUnavailable, Message: "m"}), cql.V5)
	if err != nil || got.Code != cql.CodeServer || got.Message != "m" {
		t.Errorf("%v %v", got, err)
	}
}

func TestEventsAgree(t *testing.T) {
	addr := netip.MustParseAddrPort("127.0.15.2:9042")
	for _, e := range []Event{
		{Type: TopologyChange, Change: NewNode, Address: addr}, {Type: TopologyChange, Change: RemovedNode,
			Address: netip.MustParseAddrPort("[::1]:1")},
		{Type: TopologyChange, Change: MovedNode, Address: addr}, {Type: StatusChange, Change: NodeUp, Address: addr},
		{Type: StatusChange, Change: NodeDown, Address: addr},
		{Type: SchemaChange, Change: Created, Target: TargetKeyspace, Keyspace: "ks"},
		{Type: SchemaChange, Change: Updated, Target: TargetTable, Keyspace: "ks", Name: "t"},
		{Type: SchemaChange, Change: Dropped, Target: TargetType, Keyspace: "ks", Name: "t"},
		{Type: SchemaChange, Change: Created, Target: TargetFunction, Keyspace: "ks", Name: "f", ArgTypes: []string{"int",
			"list<text>"}},
		{Type: SchemaChange, Change: Created, Target: TargetAggregate, Keyspace: "ks", Name: "f", ArgTypes: []string{"int"}},
	} {
		for _, v := range []cql.Version{cql.V3, cql.V4, cql.V5} {
			body := AppendEvent(nil, v, &e)
			if v < cql.V4 && len(e.ArgTypes) > 0 {
				continue // see TestSamples
			}
			second(t, encode(Header{Version: v, Response: true, Opcode: OpEvent, Stream: EventStream}, NoCompression, nil, body))
			if got, err := DecodeEvent(body); err != nil || !reflect.DeepEqual(got, e) {
				t.Errorf("%+v came back as %+v, %v", e, got, err)
			}
			if e.Type == SchemaChange {
				second(t, encode(Header{Version: v, Response: true, Opcode: OpResult}, NoCompression, nil, AppendSchemaChange(nil, v, &e)))
			}
		}
	}
}

func TestHandshakeAgrees(t *testing.T) {
	for op, body := range map[Opcode][]byte{
		OpSupported: AppendSupported(nil), OpAuthenticate: AppendAuthenticate(nil, "org.apache.cassandra.auth.PasswordAuthenticator"),
		OpReady: nil, OpAuthSuccess: AppendAuthToken(nil, nil), OpAuthChallenge: AppendAuthToken(nil, []byte{1, 2}),
	} {
		if op == OpSupported { // a map, which the other library writes in any order
			if m, err := frame.NewCodec().DecodeFrame(bytes.NewReader(encode(Header{Version: cql.V4, Response: true, Opcode: op}, 0, nil,
				body))); err != nil ||
				len(m.Body.Message.(*message.Supported).Options["COMPRESSION"]) != 2 {
				t.Error(m, err)
			}
			continue
		}
		second(t, encode(Header{Version: cql.V4, Response: true, Opcode: op}, NoCompression, nil, body))
	}
	second(t, encode(Header{Version: cql.V4, Opcode: OpAuthResponse}, NoCompression, nil, AppendAuthToken(nil,
		[]byte("\x00a\x00b"))))
	second(t, encode(Header{Version: cql.V4, Opcode: OpStartup}, NoCompression, nil, AppendStartup(nil,
		map[string]string{"CQL_VERSION": "3.0.0"})))
	second(t, encode(Header{Version: cql.V4, Opcode: OpOptions}, NoCompression, nil, nil))
}

// TestCompressionAgrees: each library reads the other's compressed frames and segments.
func TestCompressionAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	codecs := map[Compression]frame.RawCodec{
		LZ4: frame.NewRawCodecWithCompression(gclz4.Compressor{}), Snappy: frame.NewRawCodecWithCompression(gcsnappy.Compressor{}),
	}
	segments := map[Compression]segment.Codec{
		NoCompression: segment.NewCodec(), LZ4: segment.NewCodecWithCompression(gclz4.Compressor{}),
	}
	for range 200 {
		body := text(r, r.IntN(5000))
		for comp, codec := range codecs {
			ours := encode(Header{Version: cql.V4, Opcode: OpQuery}, comp, nil, body)
			f, err := codec.DecodeRawFrame(bytes.NewReader(ours))
			if err != nil {
				t.Fatal(err)
			}
			var plain []byte
			if comp == LZ4 {
				plain, err = gclz4.Compressor{}.DecompressFrame(f.Body)
			} else {
				plain, err = gcsnappy.Compressor{}.DecompressFrame(f.Body)
			}
			if err != nil || !bytes.Equal(plain, body) {
				t.Fatalf("%s: %v", comp, err)
			}
			if comp == LZ4 {
				f.Body, err = gclz4.Compressor{}.CompressFrame(body)
			} else {
				f.Body, err = gcsnappy.Compressor{}.CompressFrame(body)
			}
			if err != nil {
				t.Fatal(err)
			}
			size, bad := compressedBodySize(f.Body, comp, DefaultMaxFrame)
			if bad != nil {
				t.Fatal(bad)
			}
			got, bad := decodeCompressedBody(nil, f.Body, comp, size)
			if bad != nil || !bytes.Equal(got, body) {
				t.Fatalf("%s: %v", comp, bad)
			}
		}
		env := append(head(cql.V5, OpQuery, 0, len(body)), body...)
		for comp, codec := range segments {
			s, err := codec.DecodeSegment(bytes.NewReader(AppendSegment(nil, env, true, comp == LZ4)))
			if err != nil || !bytes.Equal(s.Payload.UncompressedData, env) || !s.Header.IsSelfContained {
				t.Fatalf("%s: %v", comp, err)
			}
			var out bytes.Buffer
			if err := codec.EncodeSegment(&segment.Segment{
				Header: &segment.Header{IsSelfContained: true}, Payload: &segment.Payload{UncompressedData: env},
			}, &out); err != nil {
				t.Fatal(err)
			}
			list, faults := feed(requests(cql.V5, comp), out.Bytes(), 1<<20)
			if len(faults) > 0 || len(list) != 1 || !bytes.Equal(list[0].Body, body) {
				t.Fatalf("%s: %d messages, %v", comp, len(list), faults)
			}
		}
	}
}

// TestPrefixAgrees: tracing id and warnings stand before the message.
func TestPrefixAgrees(t *testing.T) {
	p := &Prefix{Tracing: true, TracingID: [16]byte{1, 2, 3}, Warnings: []string{"one", "zwö"}}
	for _, v := range []cql.Version{cql.V3, cql.V4, cql.V5} {
		b := encode(Header{Version: v, Response: true, Opcode: OpResult}, NoCompression, p, AppendVoid(nil))
		second(t, b)
		e := decodeOne(t, b, true)
		got, _, err := DecodePrefix(&e)
		want := *p
		if v < cql.V4 {
			want.Warnings = nil
		}
		if err != nil || !reflect.DeepEqual(got, want) || !bytes.Equal(e.Body, AppendVoid(nil)) {
			t.Errorf("%s: %+v %v", v, got, err)
		}
	}
}
