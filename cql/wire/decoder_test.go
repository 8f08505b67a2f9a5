package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql"
)

// feed gives in to d in pieces of step bytes, as a connection would that reads so much at once, and returns all
// messages, their bodies copied, and the fault that closes, if any. Faults that do not close are returned as well.
func feed(d *Decoder, in []byte, step int) (list []Envelope, faults []*Fault) {
	var buf []byte
	for {
		e, n, err := d.Next(buf)
		buf = buf[n:]
		fault := new(Fault)
		switch {
		case err == nil:
			e.Body = bytes.Clone(e.Body)
			list = append(list, e)
		case errors.Is(err, ErrMore):
			if len(in) == 0 {
				return list, faults
			}
			k := min(step, len(in))
			buf, in = append(bytes.Clone(buf), in[:k]...), in[k:]
		case errors.As(err, &fault):
			faults = append(faults, fault)
			if fault.Close {
				return list, faults
			}
		}
	}
}

// requests returns a decoder of a connection that is READY.
func requests(v cql.Version, c Compression) *Decoder {
	d := &Decoder{Channel: "f090bb91"}
	d.SetReady(v, c)
	return d
}

// TestSegmentSamples holds wire-samples 2.
func TestSegmentSamples(t *testing.T) {
	env := "05 00 0001 07 00000026 0000001c53454c454354206b65792046524f4d2073797374656d2e6c6f63616c000100000000"
	reply := "85 00 0001 08 0000002f 00000002 00000001 00000001 " +
		"0006 73797374656d 0005 6c6f63616c 0003 6b6579 000d 00000001 00000005 6c6f63616c"
	compressed := "f10285000001080000002f00000002000000010400f1060673797374656d00056c6f63616c00036b6579000d1a00800000056c6f63616c"
	for _, c := range []struct {
		segment, envelope string
		response          bool
		comp              Compression
	}{
		{"2f0002 acf306" + env + "e1f0de95", env, false, NoCompression},
		{"380002 43a153" + reply + "479d26d9", reply, true, NoCompression},
		{"2f00000004 4146d0" + env + "e1f0de95", env, false, LZ4},
		{"3700700004 54015e" + compressed + "956514cf", reply, true, LZ4},
	} {
		seg, want := unhex(t, c.segment), unhex(t, c.envelope)
		for step := 1; step <= len(seg); step++ {
			d := requests(cql.V5, c.comp)
			d.Responses = c.response
			list, faults := feed(d, seg, step)
			if len(list) != 1 || len(faults) != 0 {
				t.Fatalf("%d messages, %v", len(list), faults)
			}
			if got := append(AppendHeader(nil, list[0].Header), list[0].Body...); !bytes.Equal(got, want) {
				t.Fatalf("\n%x\n%x", got, want)
			}
		}
		if c.comp == NoCompression {
			if got := AppendSegment(nil, want, true, false); !bytes.Equal(got, seg) {
				t.Errorf("\ngot  %x\nwant %x", got, seg)
			}
		}
	}
}

// mode is one form of a connection.
type mode struct {
	v    cql.Version
	comp Compression
}

var allModes = []mode{
	{cql.V3, NoCompression}, {cql.V3, LZ4}, {cql.V3, Snappy}, {cql.V4, NoCompression}, {cql.V4, LZ4}, {cql.V4, Snappy},
	{cql.V5, NoCompression}, {cql.V5, LZ4},
}

func (m mode) String() string { return fmt.Sprintf("v%d-%s", m.v, m.comp) }

// text returns n bytes of a given kind: zeros, noise, or something between.
func text(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	switch r.IntN(3) {
	case 0:
		for i := range b {
			b[i] = byte(r.Uint32())
		}
	case 1:
		for i := range b {
			b[i] = byte(r.IntN(4)) * byte(i)
		}
	}
	return b
}

// TestRoundTrip writes messages of all sizes through one Output and reads them back, in reads of all sizes.
func TestRoundTrip(t *testing.T) {
	sizes := []int{0, 1, 8, 12, 13, 100, 1000, 30_000, 65_536, MaxPayload - HeaderSize - 1, MaxPayload - HeaderSize,
		MaxPayload - HeaderSize + 1,
		MaxPayload, 2*MaxPayload - HeaderSize, 2*MaxPayload + 5, 1 << 20}
	for _, m := range allModes {
		t.Run(m.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(m.v)))
			for round := range 40 {
				var o, other Output
				o.Reset(m.v >= cql.V5, m.comp, 0)
				var want [][]byte
				for i := range 1 + r.IntN(12) {
					body := text(r, sizes[r.IntN(len(sizes)-r.IntN(len(sizes)))])
					want = append(want, body)
					h := Header{Version: m.v, Stream: int16(i), Opcode: OpQuery}
					if r.IntN(3) > 0 {
						o.End(append(o.Begin(), body...), h, nil)
						continue
					}
					other.Reset(m.v >= cql.V5, m.comp, 0)
					_ = append(other.Begin(), "is started over"...)
					other.End(append(other.Begin(), body...), h, nil)
					if single := other.Single(); single != nil {
						o.Add(single)
					} else {
						o.AddRaw(other.Bytes())
					}
				}
				stream := bytes.Clone(o.Bytes())
				step := []int{len(stream), 1 << 16, 1000, 7}[round%4]
				if step == 7 && len(stream) > 4000 {
					step = 999
				}
				list, faults := feed(requests(m.v, m.comp), stream, step)
				if len(faults) > 0 || len(list) != len(want) {
					t.Fatalf("round %d: %d of %d messages, %v", round, len(list), len(want), faults)
				}
				for i, e := range list {
					if !bytes.Equal(e.Body, want[i]) || e.Stream != int16(i) {
						t.Fatalf("round %d: message %d differs (%d bytes)", round, i, len(want[i]))
					}
				}
			}
		})
	}
}

// TestOutputSegments looks at how envelopes are packed: whole ones share a segment, a large one has its own run.
func TestOutputSegments(t *testing.T) {
	for _, comp := range []Compression{NoCompression, LZ4} {
		var o Output
		o.Reset(true, comp, 0)
		r := rand.New(rand.NewPCG(3, 4))
		for _, n := range []int{10, 20, 130_000, 2000, 300_000, 10} {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			o.End(append(o.Begin(), b...), Header{Version: cql.V5, Opcode: OpQuery}, nil)
		}
		var got []string
		for in := o.Bytes(); len(in) > 0; {
			h, err := decodeSegmentHeader(in, comp == LZ4, "")
			if err != nil {
				t.Fatal(err)
			}
			size := h.raw
			if comp == NoCompression || size == 0 {
				size = h.wire
			}
			got = append(got, fmt.Sprintf("%d %t", size, h.selfContained))
			in = in[headerSizeOf(comp == LZ4)+h.wire+trailerSize:]
		}
		want := "130057 true, 2009 true, 131071 false, 131071 false, 37867 false, 19 true"
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %s", comp, strings.Join(got, ", "))
		}
	}
}

// TestLZ4AlwaysCompressed: in a v5 connection with lz4 a payload goes out as it is only where the block would not fit.
func TestLZ4AlwaysCompressed(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{1, 12, 13, 14, 15, 100, 269, 270, 271, 5000, 130_000, MaxPayload} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		h, err := decodeSegmentHeader(AppendSegment(nil, b, true, true), true, "")
		if err != nil || (h.raw == 0) != (n == MaxPayload) {
			t.Errorf("%d bytes: %+v %v", n, h, err)
		}
		out, err := decodeLZ4Block(nil, appendLZ4Block(nil, b), n)
		if err != nil || !bytes.Equal(out, b) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// head makes a request's header.
func head(v cql.Version, op Opcode, flags Flags, n int) []byte {
	return AppendHeader(nil, Header{Version: v, Opcode: op, Flags: flags, Stream: 7, Length: int32(n)})
}

// seg wraps bytes in a plain segment.
func seg(b []byte) []byte { return AppendSegment(nil, b, true, false) }

func TestFaults(t *testing.T) {
	good := append(head(cql.V4, OpOptions, 0, 0), head(cql.V4, OpReady, 0, 0)[:0]...)
	good5 := seg(head(cql.V5, OpOptions, 0, 0))
	versionText := func(v int) string {
		return fmt.Sprintf("Invalid or unsupported protocol version (%d); supported versions are (3/v3, 4/v4, 5/v5)", v)
	}
	lz4Body := func(n int32, rest ...byte) []byte { return append(AppendInt(nil, n), rest...) }
	long := func(n int) []byte { return make([]byte, n) }
	for _, c := range []struct {
		name  string
		d     *Decoder
		in    []byte
		close bool
		code  cql.ErrorCode
		text  string
	}{
		{"version 6", &Decoder{}, []byte{6, 0, 0, 7}, true, cql.CodeProtocol, versionText(6)},
		{"version 66, one byte", &Decoder{}, []byte{66}, true, cql.CodeProtocol, versionText(66)},
		{"version 127", &Decoder{}, []byte{127, 0, 0, 7, 5, 0, 0, 0, 0}, true, cql.CodeProtocol, versionText(127)},
		{"version 2", &Decoder{}, []byte{2}, true, cql.CodeProtocol, versionText(2)},
		{"HTTP", &Decoder{}, []byte("GET / HTTP/1.1\r\n"), true, cql.CodeProtocol, versionText('G')},
		{"TLS", &Decoder{}, []byte{0x16, 3, 1}, true, cql.CodeProtocol, versionText(0x16)},
		{"response bit", &Decoder{}, head(0x84, OpQuery, 0, 0), true, cql.CodeProtocol,
			"Wrong protocol direction (expected REQUEST, got RESPONSE) for opcode 7 (QUERY)"},
		{"response opcode", &Decoder{}, append(head(cql.V4, OpReady, 0, 3), 1, 2, 3), false, cql.CodeProtocol,
			"Wrong protocol direction (expected RESPONSE, got REQUEST) for opcode 2 (READY)"},
		{"opcode 4", &Decoder{}, head(cql.V4, OpCredentials, 0, 0), false, cql.CodeProtocol, "Unsupported message"},
		{"opcode 17", &Decoder{}, append(head(cql.V4, 17, 0, 2), 1, 2), false, cql.CodeProtocol, "Unknown opcode 17"},
		{"opcode 255", &Decoder{}, head(cql.V4, 255, 0, 0), false, cql.CodeProtocol, "Unknown opcode 255"},
		{"other version", requests(cql.V4, 0), append(head(cql.V3, OpQuery, 0, 1), 1), false, cql.CodeProtocol,
			"Invalid message version. Got 3/v3 but previous messages on this connection had version 4/v4"},
		{"other version in v5", requests(cql.V5, 0), seg(head(cql.V4, OpQuery, 0, 0)), false, cql.CodeProtocol,
			"Invalid message version. Got 4/v4 but previousmessages on this connection had version 5/v5"},
		{"negative length", requests(cql.V4, 0), head(cql.V4, OpQuery, 0, -1), true, cql.CodeProtocol,
			"Invalid value for envelope header body length field: -1"},
		{"negative length in v5", requests(cql.V5, 0), seg(head(cql.V5, OpQuery, 0, -1)), true, cql.CodeProtocol,
			"Invalid value for envelope header body length field: -1"},
		{"just too big", requests(cql.V4, 0), append(head(cql.V4, OpQuery, 0, 16<<20-8), long(16<<20-8)...), false, cql.CodeInvalid,
			"Request is too big: length 16777217 exceeds maximum allowed length 16777216."},
		{"far too big", requests(cql.V4, 0), head(cql.V4, OpQuery, 0, 64<<20+1), true, cql.CodeInvalid,
			"Request is too big: length 67108874 exceeds maximum allowed length 16777216."},
		{"too big in v5", requests(cql.V5, 0), run(append(head(cql.V5, OpQuery, 0, 16<<20+100), long(16<<20+100)...), MaxPayload),
			false, cql.CodeInvalid, "CQL Message of size 16777316 bytes exceeds allowed maximum of 16777216 bytes"},
		{"STARTUP too big", &Decoder{Limited: true}, head(cql.V4, OpStartup, 0, 8193), true, cql.CodeInvalid,
			"Request is too big: length 8202 exceeds maximum allowed length 8201."},
		{"AUTH_RESPONSE too big", &Decoder{Limited: true}, head(cql.V4, OpAuthResponse, 0, 10<<20), true, cql.CodeInvalid,
			"Request is too big: length 10485769 exceeds maximum allowed length 4105."},
		{"compressed without agreement", requests(cql.V4, 0), append(head(cql.V4, OpQuery, FlagCompressed, 5), long(5)...), true,
			cql.CodeProtocol, ""},
		{"STARTUP compressed", &Decoder{}, append(head(cql.V4, OpStartup, FlagCompressed, 5), long(5)...), true, cql.CodeProtocol, ""},
		{"lz4 of 2 GiB", requests(cql.V4, LZ4), append(head(cql.V4, OpQuery, FlagCompressed, 6), lz4Body(1<<31-1, 0x10, 1)...), true,
			cql.CodeProtocol, ""},
		{"lz4 negative", requests(cql.V4, LZ4), append(head(cql.V4, OpQuery, FlagCompressed, 6), lz4Body(-1, 0x10, 1)...), true,
			cql.CodeProtocol, ""},
		{"lz4 of 1 MiB in 6 bytes", requests(cql.V4, LZ4), append(head(cql.V4, OpQuery, FlagCompressed, 6), lz4Body(1<<20, 0x10,
			1)...), true, cql.CodeProtocol, ""},
		{"lz4 shorter than declared", requests(cql.V4, LZ4), append(head(cql.V4, OpQuery, FlagCompressed, 6), lz4Body(2, 0x10, 1)...),
			true, cql.CodeProtocol, ""},
		{"lz4 longer than declared", requests(cql.V4, LZ4), append(head(cql.V4, OpQuery, FlagCompressed, 7), lz4Body(1, 0x20, 1,
			2)...), true, cql.CodeProtocol, ""},
		{"lz4 declared empty", requests(cql.V4, LZ4), append(head(cql.V4, OpQuery, FlagCompressed, 7), lz4Body(0, 0x20, 1, 2)...),
			true, cql.CodeProtocol, ""},
		{"lz4 without a block", requests(cql.V4, LZ4), append(head(cql.V4, OpQuery, FlagCompressed, 4), lz4Body(0)...), true,
			cql.CodeProtocol, ""},
		{"snappy bomb", requests(cql.V4, Snappy), append(head(cql.V4, OpQuery, FlagCompressed, 5), 0xff, 0xff, 0xff, 0xff, 0x07),
			true, cql.CodeProtocol, ""},
		{"snappy of 15 MiB in 5 bytes", requests(cql.V4, Snappy), append(head(cql.V4, OpQuery, FlagCompressed, 5), 0x80, 0x80, 0xc0,
			0x07, 0), true, cql.CodeProtocol, ""},
		{"snappy garbage", requests(cql.V4, Snappy), append(head(cql.V4, OpQuery, FlagCompressed, 3), 5, 0xff, 0xff), true,
			cql.CodeProtocol, ""},
		{"payload in v3", requests(cql.V3, 0), head(cql.V3, OpQuery, FlagCustomPayload, 0), false, cql.CodeProtocol,
			"Received frame with CUSTOM_PAYLOAD flag for native protocol version < 4"},
		{"payload too short", requests(cql.V4, 0), append(head(cql.V4, OpQuery, FlagCustomPayload, 3), 0, 5, 0), false,
			cql.CodeProtocol, "Not enough bytes to read an UTF8 serialized string preceded by its 2 bytes length"},
		{"header CRC", requests(cql.V5, 0), flip(good5, 0), true, cql.CodeProtocol,
			"f090bb91 invalid, unrecoverable CRC mismatch detected in frame header. Read 12699812, Computed 11118780"},
		{"payload CRC", requests(cql.V5, 0), flip(good5, 8), true, cql.CodeProtocol, ""},
		{"bare envelope in v5", requests(cql.V5, 0), append(head(cql.V5, OpQuery, 0, 40), long(40)...), true, cql.CodeProtocol, ""},
		{"envelope longer than its segment", requests(cql.V5, 0), seg(head(cql.V5, OpQuery, 0, 1)), true, cql.CodeProtocol, ""},
		{"half a header in a segment", requests(cql.V5, 0), seg(head(cql.V5, OpQuery, 0, 1)[:5]), true, cql.CodeProtocol, ""},
		{"version 66 in a segment", requests(cql.V5, 0), seg([]byte{66, 0, 0, 7, 5, 0, 0, 0, 0}), true, cql.CodeProtocol,
			versionText(66)},
		{"run longer than its message", requests(cql.V5, 0), run(append(head(cql.V5, OpQuery, 0, 10), long(11)...), 15), true,
			cql.CodeProtocol, ""},
		{"64 empty segments", requests(cql.V5, 0), bytes.Repeat(seg(nil), 64), true, cql.CodeProtocol, "Too many empty segments"},
		{"segment of more than it declares", requests(cql.V5, LZ4), lz4Segment([]byte{0x30, 1, 2, 3}, 2), true, cql.CodeProtocol, ""},
		{"segment of less than it declares", requests(cql.V5, LZ4), lz4Segment([]byte{0x30, 1, 2, 3}, 4), true, cql.CodeProtocol, ""},
		{"segment of garbage", requests(cql.V5, LZ4), lz4Segment([]byte{0x0f, 0xff, 0xff}, 9), true, cql.CodeProtocol, ""},
		{"login in a large segment", &Decoder{Limited: true, framed: true, version: cql.V5}, seg(long(9000)), true, cql.CodeInvalid,
			""},
	} {
		t.Run(c.name, func(t *testing.T) {
			follow, message := []byte(nil), good
			if c.d.framed {
				message = good5
			}
			if c.d.version == cql.V3 {
				message = head(cql.V3, OpOptions, 0, 0)
			}
			if !c.close {
				follow = message
			}
			limited := c.d.Limited
			for _, step := range []int{1 << 30, 65_537, 1} {
				if step == 1 && len(c.in) > 1000 {
					continue
				}
				d := *c.d
				list, faults := feed(&d, append(bytes.Clone(c.in), follow...), step)
				if len(faults) != 1 {
					t.Fatalf("step %d: %d messages, faults %v", step, len(list), faults)
				}
				f := faults[0]
				if f.Close != c.close || f.Err.Code != c.code || c.text != "" && f.Err.Message != c.text {
					t.Errorf("close %t, code %04x, %q", f.Close, f.Err.Code, f.Err.Message)
				}
				if !c.close && (len(list) != 1 || list[0].Opcode != OpOptions) {
					t.Errorf("step %d: the connection does not go on: %v", step, list)
				}
				if d.Held() > 2*len(c.in)+1<<18 || limited && d.Held() > 32<<10 {
					t.Errorf("holds %d bytes", d.Held())
				}
			}
		})
	}
}

// run cuts an envelope into segments that are not self-contained.
func run(b []byte, part int) (dst []byte) {
	for len(b) > 0 {
		n := min(part, len(b))
		dst, b = AppendSegment(dst, b[:n], false, false), b[n:]
	}
	return dst
}

// lz4Segment is a segment with this payload that claims to be raw bytes long.
func lz4Segment(payload []byte, raw int) []byte {
	b := make([]byte, lz4HeaderSize)
	putSegmentHeader(b, segmentHeader{wire: len(payload), raw: raw, selfContained: true}, true)
	return appendCRC32(append(b, payload...), payload)
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

func TestVersionError(t *testing.T) {
	d := &Decoder{}
	_, _, err := d.Next([]byte{0x42, 0, 0, 3, 5, 0, 0, 0, 0})
	f := new(Fault)
	if !errors.As(err, &f) || f.Stream != 3 || f.Legacy != 0 {
		t.Errorf("%v on stream %d: the stream of a version that is not known is echoed", err, f.Stream)
	}
	_, _, err = d.Next([]byte{2, 0, 1})
	if !errors.As(err, &f) || f.Legacy != 2 {
		t.Fatalf("%v", err)
	}
	got := AppendLegacyError(nil, f.Legacy, f.Err)
	if !bytes.HasPrefix(got, unhex(t, "82 00 00 00")) || int(binary.BigEndian.Uint32(got[4:])) != len(got)-8 {
		t.Errorf("%x", got)
	}
}

// TestVersionInSegment: the answer to an old version in a segment has no old header, which the client could not read.
func TestVersionInSegment(t *testing.T) {
	for _, v := range []byte{1, 2, 42} {
		for _, in := range [][]byte{seg([]byte{v, 0, 0, 9, 5, 0, 0, 0, 0}), run([]byte{v, 0, 0, 9, 5, 0, 0, 0, 0}, 9)} {
			_, _, err := requests(cql.V5, 0).Next(in)
			if f := new(Fault); !errors.As(err, &f) || f.Legacy != 0 || f.Stream != 9 || !f.Close {
				t.Errorf("version %d: %+v", v, err)
			}
		}
	}
}

// TestReserve: memory above a segment's is asked for before it is taken, and not taken when it is refused.
func TestReserve(t *testing.T) {
	const size = 10 << 20
	body := appendCompressedBody(nil, make([]byte, size), LZ4)
	large := append(head(cql.V5, OpQuery, 0, size), make([]byte, size)...)
	for _, c := range []struct {
		name string
		d    *Decoder
		in   []byte
	}{
		{"compressed body", requests(cql.V4, LZ4), append(head(cql.V4, OpQuery, FlagCompressed, len(body)), body...)},
		{"message of many segments", requests(cql.V5, 0), run(large, MaxPayload)},
	} {
		asked := 0
		c.d.Reserve = func(n int) bool {
			if held := c.d.Held(); n <= ReserveFrom || held > max(asked, ReserveFrom) {
				t.Errorf("%s: asks for %d, holds %d and has asked for %d", c.name, n, held, asked)
			}
			asked = n
			return true
		}
		if e, _, err := c.d.Next(c.in); err != nil || len(e.Body) != size || asked < size || asked > 2*size {
			t.Errorf("%s: %d bytes, asked for %d, %v", c.name, len(e.Body), asked, err)
		}
		*c.d = Decoder{version: c.d.version, compression: c.d.compression, framed: c.d.framed}
		c.d.Reserve = func(n int) bool { return n < 1<<20 }
		_, _, err := c.d.Next(c.in)
		if f := new(Fault); !errors.As(err, &f) || !f.Close || f.Err.Code != cql.CodeOverloaded || c.d.Held() > 1<<20 {
			t.Errorf("%s: refused, holds %d, %v", c.name, c.d.Held(), err)
		}
	}
}

// TestTolerated is input that looks wrong and is not.
func TestTolerated(t *testing.T) {
	query := append(head(cql.V5, OpQuery, 0, 3), 1, 2, 3)
	for _, c := range []struct {
		name string
		d    *Decoder
		in   []byte
		want int
	}{
		{"compressed OPTIONS without agreement", &Decoder{}, head(cql.V4, OpOptions, FlagCompressed, 0), 1},
		{"flag 01 in v5", requests(cql.V5, 0), seg(head(cql.V5, OpOptions, FlagCompressed, 0)), 1},
		{"unknown flags", requests(cql.V4, 0), head(cql.V4, OpOptions, 0xe0|FlagBeta|FlagWarning, 0), 1},
		{"negative stream", requests(cql.V4, 0), AppendHeader(nil, Header{Version: cql.V4, Opcode: OpOptions, Stream: -5}), 1},
		{"header split over segments", requests(cql.V5, 0), run(query, 4), 1},
		{"63 empty segments", requests(cql.V5, 0), append(bytes.Repeat(seg(nil), 63), seg(query)...), 1},
		{"whole envelope, not self-contained", requests(cql.V5, 0), AppendSegment(nil, query, false, false), 1},
		{"self-contained segment inside of a run", requests(cql.V5, 0), bytes.Join([][]byte{run(query[:10], 10), seg(query),
			run(query[10:], 10)}, nil), 2},
		{"two envelopes in one segment", requests(cql.V5, 0), seg(append(bytes.Clone(query), query...)), 2},
		{"250:1", requests(cql.V4, LZ4), func() []byte {
			b := appendCompressedBody(nil, make([]byte, 1<<20), LZ4)
			return append(head(cql.V4, OpQuery, FlagCompressed, len(b)), b...)
		}(), 1},
		{"250:1 in v5", requests(cql.V5, LZ4), AppendSegment(nil, append(head(cql.V5, OpQuery, 0, 100_000), make([]byte, 100_000)...),
			true, true), 1},
		{"payload is taken off", requests(cql.V4, 0), append(head(cql.V4, OpQuery, FlagCustomPayload, 2+3+4+3), 0, 1, 0, 1, 'k', 0xff,
			0xff, 0xff, 0xff, 9, 9, 9), 1},
	} {
		list, faults := feed(c.d, c.in, 1<<30)
		if len(list) != c.want || len(faults) > 0 {
			t.Errorf("%s: %d messages, %v", c.name, len(list), faults)
		}
		if c.name == "payload is taken off" && !bytes.Equal(list[0].Body, []byte{9, 9, 9}) {
			t.Errorf("%s: %x", c.name, list[0].Body)
		}
	}
}

// TestAbandon: a body that was given away does not change when more is decoded.
func TestAbandon(t *testing.T) {
	var o Output
	o.Reset(false, LZ4, 0)
	for _, b := range []byte{1, 2} {
		o.End(append(o.Begin(), bytes.Repeat([]byte{b}, 100)...), Header{Version: cql.V4, Opcode: OpQuery}, nil)
	}
	d, in := requests(cql.V4, LZ4), o.Bytes()
	first, n, err := d.Next(in)
	if err != nil || !first.Copied {
		t.Fatal(err)
	}
	d.Abandon()
	if second, _, err := d.Next(in[n:]); err != nil || second.Body[0] != 2 || first.Body[0] != 1 {
		t.Errorf("%v %v", first.Body[0], err)
	}
}
