package wire

import (
	"bytes"
	"errors"
	"testing"

	"github.com/helenusdb/helenus/cql"
)

// seed adds the bodies of the samples of these opcodes, with their versions.
func seed(f *testing.F, response bool, ops ...Opcode) {
	for _, s := range samples(f) {
		h := DecodeHeader(s.bytes)
		for _, op := range ops {
			if s.response == response && h.Opcode == op && h.Version.Supported() {
				f.Add(s.bytes[HeaderSize:], byte(h.Version))
			}
		}
	}
}

// versionOf makes a version of a fuzzed byte.
func versionOf(b byte) cql.Version { return cql.V3 + cql.Version(b%3) }

// FuzzEnvelope gives a stream of bytes to decoders without segments, whole and in pieces: both must find the same.
func FuzzEnvelope(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.bytes, byte(7))
	}
	f.Fuzz(func(t *testing.T, in []byte, mode byte) {
		if len(in) > 1<<16 {
			return
		}
		d := Decoder{Limited: mode&1 != 0, Responses: mode&2 != 0, MaxFrame: 1 << 14}
		if mode&4 != 0 {
			d.version, d.compression = cql.V4, Compression(mode/8%3)
		}
		streams(t, d, in, int(mode)+1)
	})
}

// FuzzSegment gives a stream of bytes to decoders with segments. The checksums of the first segments are put right, so
// that something comes through.
func FuzzSegment(f *testing.F) {
	for _, s := range samples(f) {
		if DecodeHeader(s.bytes).Version == cql.V5 && !s.response {
			f.Add(AppendSegment(nil, s.bytes, true, false), byte(0))
			f.Add(AppendSegment(nil, s.bytes, true, true), byte(1))
			f.Add(run(s.bytes, 12), byte(0))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, mode byte) {
		if len(in) > 1<<16 {
			return
		}
		lz4 := mode&1 != 0
		in = bytes.Clone(in)
		for at := 0; at+headerSizeOf(lz4)+trailerSize <= len(in); {
			n := headerSizeOf(lz4)
			h, _ := decodeSegmentHeader(in[at:], lz4, "")
			var v uint64
			for i := range n - 3 {
				v |= uint64(in[at+i]) << (8 * i)
			}
			h.wire = int(v & MaxPayload)
			if end := at + n + h.wire; end+trailerSize > len(in) {
				break
			}
			c := crc24(v, n-3)
			in[at+n-3], in[at+n-2], in[at+n-1] = byte(c), byte(c>>8), byte(c>>16)
			putCRC32(in[at+n+h.wire:], in[at+n:at+n+h.wire])
			at += n + h.wire + trailerSize
		}
		d := Decoder{Limited: mode&2 != 0, MaxFrame: 1 << 14, framed: true, version: cql.V5}
		if lz4 {
			d.compression = LZ4
		}
		streams(t, d, in, int(mode)+1)
	})
}

// streams decodes in at once and in pieces of step bytes, and compares.
func streams(t *testing.T, d Decoder, in []byte, step int) {
	one, two := d, d
	a, faultsA := feed(&one, in, 1<<30)
	b, faultsB := feed(&two, in, step)
	if len(a) != len(b) || len(faultsA) != len(faultsB) {
		t.Fatalf("%d messages and %d faults at once, %d and %d in pieces of %d", len(a), len(faultsA), len(b), len(faultsB), step)
	}
	for i := range a {
		if a[i].Header != b[i].Header || !bytes.Equal(a[i].Body, b[i].Body) {
			t.Fatalf("message %d differs", i)
		}
	}
	if held := two.Held(); held > 255*(len(in)+64)+1<<17 {
		t.Fatalf("%d bytes are held for %d", held, len(in))
	}
}

// checkRefusal fails unless err is an answer of the protocol.
func checkRefusal(t *testing.T, err error) {
	var e *cql.Error
	if !errors.As(err, &e) || e.Code != cql.CodeProtocol || e.Message == "" {
		t.Fatalf("%v is no protocol error", err)
	}
}

// request is a message that can be decoded and encoded.
type request interface {
	Decode(body []byte, v cql.Version) error
	Append(dst []byte, v cql.Version) []byte
}

// fuzzRequest decodes bodies; what is accepted must encode to something that decodes to the same again.
func fuzzRequest(f *testing.F, op Opcode, fresh func() request) {
	seed(f, false, op)
	reused := fresh()
	f.Fuzz(func(t *testing.T, body []byte, version byte) {
		v := versionOf(version)
		if err := reused.Decode(body, v); err != nil {
			checkRefusal(t, err)
			return
		}
		first := reused.Append(nil, v)
		other := fresh()
		if err := other.Decode(first, v); err != nil {
			t.Fatalf("what was encoded is refused: %v\n%x\n%x", err, body, first)
		}
		if second := other.Append(nil, v); !bytes.Equal(first, second) {
			t.Fatalf("\n%x\n%x", first, second)
		}
	})
}

func FuzzQuery(f *testing.F)   { fuzzRequest(f, OpQuery, func() request { return new(Query) }) }
func FuzzPrepare(f *testing.F) { fuzzRequest(f, OpPrepare, func() request { return new(Prepare) }) }
func FuzzExecute(f *testing.F) { fuzzRequest(f, OpExecute, func() request { return new(Execute) }) }
func FuzzBatch(f *testing.F)   { fuzzRequest(f, OpBatch, func() request { return new(Batch) }) }

func FuzzStartup(f *testing.F) {
	seed(f, false, OpStartup)
	f.Add(startupBody("CQL_VERSION", "3.4.5-beta1", "COMPRESSION", "snappy", "THROW_ON_OVERLOAD", "1"), byte(1))
	f.Fuzz(func(t *testing.T, body []byte, version byte) {
		v := versionOf(version)
		s, err := DecodeStartup(body, v)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		if again, err := DecodeStartup(AppendStartup(nil, s.Options), v); err != nil || again.Compression != s.Compression {
			t.Fatalf("%+v %v", again, err)
		}
	})
}

func FuzzRegister(f *testing.F) {
	f.Add(AppendRegister(nil, TopologyChange|StatusChange|SchemaChange))
	f.Fuzz(func(t *testing.T, body []byte) {
		set, err := DecodeRegister(body)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		if again, err := DecodeRegister(AppendRegister(nil, set)); err != nil || again != set {
			t.Fatalf("%v %v", again, err)
		}
	})
}

// FuzzResponses gives bodies to all decoders of a client.
func FuzzResponses(f *testing.F) {
	for _, s := range samples(f) {
		if h := DecodeHeader(s.bytes); s.response && h.Version.Supported() {
			f.Add(s.bytes[HeaderSize:], byte(h.Version), byte(h.Opcode), byte(h.Flags))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, version, op, flags byte) {
		v := versionOf(version)
		e := Envelope{Header: Header{Version: v, Response: true, Opcode: Opcode(op), Flags: Flags(flags)}, Body: body}
		if _, _, err := DecodePrefix(&e); err != nil {
			checkRefusal(t, err)
			return
		}
		switch e.Opcode {
		case OpError:
			if err, bad := DecodeError(e.Body, v); bad == nil {
				if _, bad = DecodeError(AppendError(nil, v, err), v); bad != nil {
					t.Fatal(bad)
				}
			}
		case OpEvent:
			if ev, err := DecodeEvent(e.Body); err == nil {
				AppendEvent(nil, v, &ev)
			}
		case OpSupported:
			_, _ = DecodeSupported(e.Body)
		case OpAuthenticate:
			_, _ = DecodeAuthenticate(e.Body)
		case OpResult:
			res, err := DecodeResult(e.Body, v)
			if err != nil {
				return
			}
			if md := res.Metadata; md != nil {
				AppendRowsMetadata(nil, v, md, res.RowsOptions)
				MetadataID(md)
			}
			if res.Kind == KindPrepared {
				AppendPrepared(nil, v, &res.Prepared)
			}
			rows := 0
			for row, ok := res.NextRow(nil); ok && rows < 1000; row, ok = res.NextRow(row) {
				rows++
			}
		}
	})
}
