package abuse

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

const unsupported = "Invalid or unsupported protocol version"

// TestFrames is items 1 to 20 and 35 of the catalogue.
func TestFrames(t *testing.T) {
	options := func(first byte, stream int16) func(*peer) []byte {
		return func(*peer) []byte { return envelope{first: first, stream: stream, op: opOptions}.bytes() }
	}
	items := []item{
		{3, "direction bit", nil, options(0x84, 3), want{0x0A, "Wrong protocol direction", 3, closes}},
		{3, "direction bit", plain,
			func(p *peer) []byte { return p.wrap(envelope{first: p.v | 0x80, stream: 3, op: opOptions}.bytes()) },
			want{0x0A, "Wrong protocol direction", 3, closes}},
		{4, "beta version", nil, options(6, 4), want{0x0A, unsupported + " (6)", 4, closes}},
		{4, "beta version, flag", nil,
			func(*peer) []byte { return envelope{first: 6, flags: flagBeta, stream: 4, op: opOptions}.bytes() },
			want{0x0A, unsupported + " (6)", 4, closes}},
		{5, "another version", []form{{v: 3}, {v: 4}}, func(p *peer) []byte { return frame(7-p.v, 5, opQuery, query(4, goodQuery)) },
			want{0x0A, "Invalid message version. Got ", 5, keeps}},
		{5, "another version", []form{{v: 5}}, func(p *peer) []byte { return p.wrap(frame(4, 5, opQuery, query(4, goodQuery))) },
			want{0x0A, "Invalid message version. Got 4/v4 but previousmessages on this connection had version 5/v5", 5, keeps}},
		{7, "16 MiB", []form{{v: 3}, {v: 4}}, func(p *peer) []byte { return frame(p.v, 7, opQuery, make([]byte, 16<<20-headerSize+1)) },
			want{0x2200, "Request is too big: length 16777217 exceeds maximum allowed length 16777216.", 7, keeps}},
		{7, "16 MiB", []form{{v: 5}}, func(p *peer) []byte { return p.wrap(frame(p.v, 7, opQuery, make([]byte, 16<<20+1))) },
			want{0x2200, "CQL Message of size 16777217 bytes exceeds allowed maximum of 16777216 bytes", 7, keeps}},
		{7, "64 MiB", []form{{v: 3}, {v: 4}},
			func(p *peer) []byte { return envelope{first: p.v, stream: 7, op: opQuery}.header(64<<20 + 1) },
			want{0x2200, "Request is too big", 7, closes}},
		{8, "negative length", plain, func(p *peer) []byte { return p.wrap(envelope{first: p.v, stream: 8, op: opQuery}.header(-1)) },
			want{0x0A, "Invalid value for envelope header body length field: -1", 8, closes}},
		{8, "most negative length", plain,
			func(p *peer) []byte { return p.wrap(envelope{first: p.v, stream: 8, op: opQuery}.header(-1 << 31)) },
			want{0x0A, "Invalid value for envelope header body length field", 8, closes}},
		{8, "negative length", nil, func(p *peer) []byte { return envelope{first: 4, stream: 8, op: opOptions}.header(-1) },
			want{0x0A, "Invalid value for envelope header body length field: -1", 8, closes}},
		{10, "unknown flags", plain, func(p *peer) []byte {
			return p.wrap(envelope{first: p.v, flags: 0xe0, stream: 10, op: opQuery, body: query(p.v, goodQuery)}.bytes())
		}, want{fine, "", 10, keeps}},
		{10, "unknown flags", nil, func(p *peer) []byte { return envelope{first: 4, flags: 0xe0, stream: 10, op: opOptions}.bytes() },
			want{fine, "", 10, keeps}},
		{11, "compressed, not agreed", []form{{v: 3}, {v: 4}}, compressed(11, query(4, goodQuery)),
			want{0x0A, "Compressed frame, but no compression was agreed on", 11, closes}},
		{11, "compressed, in v5 without meaning", []form{{v: 5}}, compressed(11, query(5, goodQuery)), want{fine, "", 11, keeps}},
		{12, "STARTUP compressed", nil, func(*peer) []byte {
			body := snappyLiteral(startup("CQL_VERSION", "3.0.0", "COMPRESSION", "snappy"))
			return envelope{first: 4, flags: flagCompressed, stream: 12, op: opStartup, body: body}.bytes()
		}, want{0x0A, "", 12, closes}},
		{13, "LZ4 of 2 GiB", lz4Forms, compressed(13, append(long(nil, 1<<31-1), lz4Run(' ', 300_000)...)),
			want{0x0A, "Invalid LZ4 length", 13, closes}},
		{13, "LZ4 of -1", lz4Forms, compressed(13, append(long(nil, -1), lz4Run(' ', 1000)...)),
			want{0x0A, "Invalid LZ4 length", 13, closes}},
		{13, "LZ4 without a length", lz4Forms, compressed(13, []byte{0, 0, 1}), want{0x0A, "Invalid LZ4 body", 13, closes}},
		{14, "LZ4 declares less", lz4Forms, compressed(14, append(long(nil, 500), lz4Run(' ', 1000)...)),
			want{0x0A, "Invalid LZ4", 14, closes}},
		{14, "LZ4 declares more", lz4Forms, compressed(14, append(long(nil, 1001), lz4Run(' ', 1000)...)),
			want{0x0A, "Invalid LZ4", 14, closes}},
		{14, "LZ4 match before the start", lz4Forms, compressed(14, append(long(nil, 64), 0x1f, ' ', 9, 0, 40, 0)),
			want{0x0A, "Invalid LZ4", 14, closes}},
		{15, "Snappy of 4 GiB", snappyForms, compressed(15, []byte{0xff, 0xff, 0xff, 0xff, 0x0f}),
			want{0x0A, "Invalid Snappy", 15, closes}},
		{15, "Snappy of 16 MiB", snappyForms, compressed(15, binary.AppendUvarint(nil, 16<<20)),
			want{0x0A, "Invalid Snappy", 15, closes}},
		{15, "Snappy declares more", snappyForms, compressed(15, append([]byte{200, 1}, snappyLiteral(make([]byte, 100))[1:]...)),
			want{0x0A, "Invalid Snappy", 15, closes}},
		{17, "segment header", []form{{v: 5}, {5, "lz4"}}, broken(1),
			want{0x0A, "invalid, unrecoverable CRC mismatch detected in frame header", 0, closes}},
		{18, "segment payload", []form{{v: 5}, {5, "lz4"}}, broken(12),
			want{0x0A, "invalid, unrecoverable CRC mismatch detected in frame body", 0, closes}},
		{18, "no segment at all", []form{{v: 5}}, func(p *peer) []byte { return frame(5, 1, opQuery, query(5, goodQuery)) },
			want{0x0A, "CRC mismatch detected in frame header", 0, closes}},
		{19, "segment declares more", []form{{5, "lz4"}}, func(*peer) []byte {
			return segment{payload: lz4Literal(frame(5, 1, opOptions, nil)), self: true, lz4: true, raw: 20}.bytes()
		}, want{0x0A, "Invalid LZ4", 0, closes}},
		{19, "segment declares less", []form{{5, "lz4"}}, func(*peer) []byte {
			return segment{payload: lz4Run(' ', 5000), self: true, lz4: true, raw: 4000}.bytes()
		}, want{0x0A, "Invalid LZ4", 0, closes}},
		{19, "segment of a lie", []form{{5, "lz4"}}, func(*peer) []byte {
			return segment{payload: []byte{0}, self: true, lz4: true, raw: maxPayload}.bytes()
		}, want{0x0A, "Invalid LZ4", 0, closes}},
		{19, "raw segment is legal", []form{{5, "lz4"}}, func(*peer) []byte {
			return segment{payload: frame(5, 19, opOptions, nil), self: true, lz4: true}.bytes()
		}, want{fine, "", 19, keeps}},
		{20, "header in pieces", []form{{v: 5}, {5, "lz4"}}, func(p *peer) []byte {
			return slices.Concat(parts(frame(5, 20, opQuery, query(5, goodQuery)), 2, p.comp == "lz4")...)
		}, want{fine, "", 20, keeps}},
		{20, "a few empty segments", []form{{v: 5}, {5, "lz4"}}, func(p *peer) []byte {
			return append(bytes.Repeat(segment{self: true, lz4: p.comp == "lz4"}.bytes(), 60), p.wrap(frame(5, 20, opOptions, nil))...)
		}, want{fine, "", 20, keeps}},
		{20, "empty segments for ever", []form{{v: 5}, {5, "lz4"}}, func(p *peer) []byte {
			return bytes.Repeat(segment{self: true, lz4: p.comp == "lz4"}.bytes(), 100)
		}, want{0x0A, "Too many empty segments", 0, closes}},
		{20, "envelope longer than its segment", []form{{v: 5}}, func(*peer) []byte {
			return segment{payload: frame(5, 20, opQuery, query(5, goodQuery))[:30], self: true}.bytes()
		}, want{0x0A, "longer than the rest of its self-contained segment", 0, closes}},
		{20, "segment longer than its message", []form{{v: 5}}, func(*peer) []byte {
			return segment{payload: append(frame(5, 20, opQuery, query(5, goodQuery)), 1, 2, 3)}.bytes()
		}, want{0x0A, "Segment is longer than the message that it ends", 0, closes}},
		{35, "TLS", nil, raw(0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3), want{0x0A, unsupported + " (22)", 0x0100, closes}},
		{35, "HTTP", nil, raw([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")...), want{0x0A, unsupported + " (71)", 0x5420, closes}},
	}
	for _, v := range []byte{0, 6, 7, 42, 64, 65, 66, 127} {
		items = append(items, item{1, "version", nil, options(v, 1), want{0x0A, unsupported + " (", 1, closes}},
			item{1, "version, one byte", nil, raw(v), want{0x0A, "; supported versions are (3/v3, 4/v4, 5/v5", 0, closes}})
	}
	for _, op := range []byte{0x04, 0x11, 0x7f, 0x80, 0xff, opError, opReady, opAuthenticate, opSupported, opResult, 0x0c, 0x0e,
		opAuthSuccess} {
		text := "Wrong protocol direction"
		if op > 0x10 {
			text = "Unknown opcode"
		} else if op == 4 {
			text = "Unsupported message"
		}
		items = append(items, item{6, "opcode", append(plain, form{}), func(p *peer) []byte {
			return p.wrap(frame(max(p.v, 3), 6, op, []byte("12345")))
		}, want{0x0A, text, 6, keeps}})
	}
	run(t, items)
}

var (
	lz4Forms    = []form{{3, "lz4"}, {4, "lz4"}}
	snappyForms = []form{{3, "snappy"}, {4, "snappy"}}
)

// compressed sends a QUERY with the flag of a compressed body.
func compressed(stream int16, body []byte) func(*peer) []byte {
	return func(p *peer) []byte {
		return p.wrap(envelope{first: p.v, flags: flagCompressed, stream: stream, op: opQuery, body: body}.bytes())
	}
}

// broken sends a good segment with one bit flipped in byte i.
func broken(i int) func(*peer) []byte {
	return func(p *peer) []byte {
		b := p.wrap(frame(5, 1, opQuery, query(5, goodQuery)))
		b[i] ^= 4
		return b
	}
}

// TestLegacyVersions is item 2: an answer to the first byte, in the header of the old versions, and the end.
func TestLegacyVersions(t *testing.T) {
	addr := server(t)
	for _, v := range []byte{1, 2} {
		for _, b := range [][]byte{{v}, {v, 0, 0, opOptions, 0, 0, 0, 0},
			append([]byte{v, 0, 0, opStartup, 0, 0, 0, 22}, startup("CQL_VERSION", "3.0.0")...)} {
			p := open(t, addr, form{})
			write(t, p, b)
			head, err := p.take(8)
			if err != nil {
				t.Fatal(err)
			}
			body, err := p.take(int(binary.BigEndian.Uint32(head[4:])))
			if err != nil {
				t.Fatal(err)
			}
			if want := []byte{0x80 | v, 0, 0, opError}; !bytes.Equal(head[:4], want) {
				t.Errorf("v%d: header %x, want %x", v, head[:4], want)
			}
			if code, message := (envelope{op: opError, body: body}).failure(); code != 0x0A || !strings.Contains(message, unsupported) {
				t.Errorf("v%d: 0x%04X %s", v, code, message)
			}
			closed(t, p, patience)
			well(t, addr)
		}
	}
}

// TestGoodCompression is item 16: a body that shrinks 250 times is as good as any other.
func TestGoodCompression(t *testing.T) {
	addr := server(t)
	if err := schema(); err != nil {
		t.Fatal(err)
	}
	const n = 1 << 20
	for _, f := range forms {
		p := open(t, addr, f)
		body := query(f.v, "INSERT INTO abuse.t (k, b) VALUES (16, ?)", make([]byte, n))
		head := body[:len(body)-n]
		switch f.comp {
		case "lz4":
			if f.v >= 5 {
				break
			}
			// The body is one block: the head as literals, and a match for all zeros but the first and the last.
			packed := append(lz4Length([]byte{0xff}, len(head)+1-15), append(slices.Clone(head), 0, 1, 0)...)
			packed = append(lz4Length(packed, n-1-8-19), 8<<4, 0, 0, 0, 0, 0, 0, 0, 0)
			body = append(long(nil, len(body)), packed...)
		case "snappy":
			packed := append(binary.AppendUvarint(nil, uint64(len(body))), snappyLiteral(append(slices.Clone(head), 0))[1:]...)
			for left := n - 1; left > 0; left -= 64 {
				packed = append(packed, byte(min(left, 64)-1)<<2|2, 1, 0)
			}
			body = packed
		}
		e := envelope{first: f.v, stream: 16, op: opQuery, body: body}
		if f.comp != "" && f.v < 5 {
			e.flags = flagCompressed
		}
		if f.v >= 5 && f.comp == "lz4" {
			b := e.bytes()
			write(t, p, segment{payload: lz4Literal(b[:len(b)-n]), lz4: true, raw: len(b) - n}.bytes())
			const k = 1 << 16
			write(t, p, bytes.Repeat(segment{payload: lz4Run(0, k), lz4: true, raw: k}.bytes(), n/k))
		} else {
			write(t, p, p.wrap(e.bytes()))
		}
		if e := read(t, p); e.kind() != kindVoid {
			t.Fatalf("%s: %s", f, e)
		}
		if e := call(t, p, 17, opQuery, query(f.v, "SELECT b FROM abuse.t WHERE k = 16")); !bytes.HasSuffix(e.body,
			append(long(nil, n), make([]byte, n)...)) {
			t.Errorf("%s: the value is not that which was written: %s", f, e)
		}
	}
	well(t, addr)
}
