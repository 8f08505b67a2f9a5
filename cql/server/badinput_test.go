package server

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
)

// This file holds what a client can get wrong, item by item of the bad-input catalogue (reliability.md 4), as far as
// frames, handshake and message bodies go. Codes and texts are Cassandra's; whether the connection goes on is ours.

// head makes a header.
func head(v byte, op wire.Opcode, flags wire.Flags, stream int16, n int) []byte {
	b := wire.AppendHeader(nil, wire.Header{Flags: flags, Stream: stream, Opcode: op, Length: int32(n)})
	b[0] = v
	return b
}

// bodied makes an envelope.
func bodied(v cql.Version, op wire.Opcode, flags wire.Flags, stream int16, body []byte) []byte {
	return append(head(byte(v), op, flags, stream, len(body)), body...)
}

func versionText(v int) string {
	return fmt.Sprintf("Invalid or unsupported protocol version (%d); supported versions are (3/v3, 4/v4, 5/v5)", v)
}

// Items 1, 4, 35: unknown versions, and what is no CQL at all, are answered from the first byte.
func TestUnknownVersion(t *testing.T) {
	_, addr := start(t, Options{})
	for _, c := range []struct {
		name string
		in   []byte
		want int16 // stream
	}{
		{"6", head(6, wire.OpOptions, 0, 3, 0), 3}, {"6 beta", head(6, wire.OpOptions, wire.FlagBeta, 3, 0), 3},
		{"42", head(42, wire.OpOptions, 0, 9, 0), 9}, {"66 STARTUP", bodied(66, wire.OpStartup, 0, 0, make([]byte, 200)), 0},
		{"127", head(127, wire.OpOptions, 0, 300, 0), 300}, {"one byte", []byte{66}, 0}, {"HTTP",
			[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0x5420},
		{"TLS", []byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}, 0x0102},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := dial(t, addr, cql.V5)
			cl.raw(c.in)
			cl.wantError(c.want, cql.CodeProtocol, versionText(int(c.in[0])))
			cl.wantClosed()
		})
	}
}

// Item 2: versions 1 and 2 are answered in their own header, from the first byte.
func TestOldVersion(t *testing.T) {
	_, addr := start(t, Options{})
	for _, in := range [][]byte{{1}, {2}, {2, 0, 1, 5, 0, 0, 0, 0}, {1, 0, 1, 1, 0, 0, 0, 0}} {
		c := dial(t, addr, cql.V5)
		c.raw(in)
		_ = c.net.SetReadDeadline(time.Now().Add(5 * time.Second))
		got, err := io.ReadAll(c.net)
		if err != nil {
			t.Fatal(err)
		}
		want := append([]byte{0x80 | in[0], 0, 0, 0}, wire.AppendInt(nil, int32(len(got)-8))...)
		if !bytes.HasPrefix(got, want) || !strings.HasSuffix(string(got), versionText(int(in[0]))) {
			t.Errorf("%x", got)
		}
	}
}

// TestVersionsOfOptions: before STARTUP each supported version is answered in itself, whatever came before.
func TestVersionsOfOptions(t *testing.T) {
	_, addr := start(t, Options{})
	c := dial(t, addr, cql.V5)
	for _, v := range []cql.Version{3, 5, 4} {
		c.raw(head(byte(v), wire.OpOptions, 0, 1, 0))
		if e := c.read(); e.Opcode != wire.OpSupported || e.Version != v {
			t.Errorf("%s %s", e.Opcode, e.Version)
		}
	}
	c.v = cql.V3
	c.startup(wire.NoCompression, nil)
	if e := c.read(); e.Opcode != wire.OpReady || e.Version != cql.V3 {
		t.Error(e)
	}
	c.wantAlive()
}

// Items 3, 5, 6, 8, 10, 11, 12, 32: one bad envelope on a connection that is READY.
func TestBadEnvelope(t *testing.T) {
	_, addr := start(t, Options{})
	for _, v := range versions {
		other := byte(3)
		otherText := "3/v3"
		if v == cql.V3 {
			other, otherText = 4, "4/v4"
		}
		previous := "previous messages"
		if v == cql.V5 {
			previous = "previousmessages"
		}
		for _, c := range []struct {
			name  string
			in    []byte
			close bool
			text  string
		}{
			{"direction", head(0x80|byte(v), wire.OpQuery, 0, 5, 0), true,
				"Wrong protocol direction (expected REQUEST, got RESPONSE) for opcode 7 (QUERY)"},
			{"version", append(head(other, wire.OpQuery, 0, 5, 4), 1, 2, 3, 4), false,
				fmt.Sprintf("Invalid message version. Got %s but %s on this connection had version %s", otherText, previous, v)},
			{"opcode 4", append(head(byte(v), 4, 0, 5, 4), 1, 2, 3, 4), false, "Unsupported message"},
			{"opcode 17", append(head(byte(v), 0x11, 0, 5, 4), 1, 2, 3, 4), false, "Unknown opcode 17"},
			{"opcode 255", append(head(byte(v), 0xff, 0, 5, 4), 1, 2, 3, 4), false, "Unknown opcode 255"},
			{"response opcode", append(head(byte(v), wire.OpResult, 0, 5, 4), 1, 2, 3, 4), false,
				"Wrong protocol direction (expected RESPONSE, got REQUEST) for opcode 8 (RESULT)"},
			{"negative length", head(byte(v), wire.OpQuery, 0, 5, -1), true, "Invalid value for envelope header body length field: -1"},
			{"second STARTUP", bodied(v, wire.OpStartup, 0, 5, wire.AppendStartup(nil, map[string]string{"CQL_VERSION": "3.0.0"})),
				false, "Unexpected message STARTUP, the connection is already initialized"},
		} {
			t.Run(fmt.Sprintf("v%d %s", v, c.name), func(t *testing.T) {
				cl := connect(t, addr, v, wire.NoCompression)
				in := c.in
				if v == cql.V5 {
					in = wire.AppendSegment(nil, in, true, false)
				}
				cl.raw(in)
				cl.wantError(5, cql.CodeProtocol, c.text)
				if c.close {
					cl.wantClosed()
					return
				}
				cl.wantAlive()
				cl.raw(in)
				cl.wantError(5, cql.CodeProtocol, c.text)
				cl.wantAlive()
				cl.raw(append(bytes.Clone(in), in...))
				cl.wantError(5, cql.CodeProtocol, c.text)
				cl.wantError(5, cql.CodeProtocol, c.text)
				cl.wantClosed() // two in a row
			})
		}
		t.Run(fmt.Sprintf("v%d tolerated", v), func(t *testing.T) {
			cl := connect(t, addr, v, wire.NoCompression)
			body := queryBody(v, "x")
			for _, flags := range []wire.Flags{0xe0, wire.FlagBeta, wire.FlagWarning} {
				cl.add(1, wire.OpQuery, flags, body)
				cl.flush()
				if e := cl.read(); e.Opcode != wire.OpResult {
					t.Errorf("flags %02x: %s", flags, e.Opcode)
				}
			}
			for _, stream := range []int16{-1, -5, math.MinInt16, math.MaxInt16} { // item 32: Cassandra accepts them
				cl.query(stream, "x")
				if e := cl.read(); e.Opcode != wire.OpResult || e.Stream != stream {
					t.Errorf("stream %d: %s on %d", stream, e.Opcode, e.Stream)
				}
			}
			cl.add(1, wire.OpOptions, wire.FlagCompressed, nil)
			cl.flush()
			if e := cl.read(); e.Opcode != wire.OpSupported {
				t.Errorf("OPTIONS with the flag for compression: %s", e.Opcode)
			}
			if v == cql.V5 { // where the flag means nothing
				cl.add(1, wire.OpQuery, wire.FlagCompressed, body)
				cl.flush()
				if e := cl.read(); e.Opcode != wire.OpResult {
					t.Error(e.Opcode)
				}
				return
			}
			cl.raw(bodied(v, wire.OpQuery, wire.FlagCompressed, 5, body))
			cl.wantError(5, cql.CodeProtocol, "")
			cl.wantClosed()
		})
	}
	cl := dial(t, addr, cql.V4)
	cl.raw(bodied(cql.V4, wire.OpStartup, wire.FlagCompressed, 5, []byte{0, 0, 0, 0, 0}))
	cl.wantError(5, cql.CodeProtocol, "")
	cl.wantClosed()
}

// Item 7: a message that is too big is refused once it has gone by, or ends the connection when that would take long.
func TestTooBig(t *testing.T) {
	_, addr := start(t, Options{})
	for _, v := range versions {
		c := connect(t, addr, v, wire.NoCompression)
		const n = 16<<20 + 100
		text := "Request is too big: length 16777325 exceeds maximum allowed length 16777216."
		if v == cql.V5 {
			text = "CQL Message of size 16777316 bytes exceeds allowed maximum of 16777216 bytes"
		}
		c.send(5, wire.OpQuery, make([]byte, n))
		c.wantError(5, cql.CodeInvalid, text)
		c.wantAlive()
		if v == cql.V5 {
			c.raw(wire.AppendSegment(nil, append(head(5, wire.OpQuery, 0, 5, 64<<20+1), make([]byte, 1000)...), false, false))
		} else {
			c.raw(head(byte(v), wire.OpQuery, 0, 5, 64<<20+1))
		}
		c.wantError(5, cql.CodeInvalid, "")
		c.wantClosed()
		c = connect(t, addr, v, wire.NoCompression)
		c.query(1, strings.Repeat("x", 16<<20-9-4-7))
		if e := c.read(); e.Opcode != wire.OpResult {
			t.Errorf("16 MiB: %s %.100q", e.Opcode, e.Body)
		}
	}
}

// Items 9 and 21: a message that was begun and does not come on holds what was received, and not for long.
func TestSlowFrame(t *testing.T) {
	s, addr := start(t, Options{Limits: Limits{FrameTimeout: 200 * time.Millisecond}})
	for _, v := range []cql.Version{cql.V4, cql.V5} {
		c := connect(t, addr, v, wire.NoCompression)
		if v == cql.V5 {
			c.raw(wire.AppendSegment(nil, head(5, wire.OpQuery, 0, 1, 16<<20), false, false))
		} else {
			c.raw(head(4, wire.OpQuery, 0, 1, 16<<20-9))
		}
		if n := s.Stats().Bytes; n > 1<<16 {
			t.Errorf("%d bytes are counted for a header", n)
		}
		begun := time.Now()
		for range 100 {
			if v == cql.V4 {
				if _, err := c.net.Write([]byte{0}); err != nil {
					break
				}
			}
			time.Sleep(20 * time.Millisecond)
		}
		c.wantClosed()
		if d := time.Since(begun); d > 5*time.Second {
			t.Errorf("the connection lived %v", d)
		}
	}
	c := connect(t, addr, cql.V4, wire.NoCompression) // one that comes steadily may take its time
	body := queryBody(cql.V4, strings.Repeat("x", 1<<20))
	c.raw(head(4, wire.OpQuery, 0, 1, len(body)))
	for part := range chunks(body, 64<<10) {
		c.raw(part)
		time.Sleep(40 * time.Millisecond)
	}
	if e := c.read(); e.Opcode != wire.OpResult {
		t.Errorf("%s %q", e.Opcode, e.Body)
	}
}

func chunks(b []byte, n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			k := min(n, len(b))
			if !yield(b[:k]) {
				return
			}
			b = b[k:]
		}
	}
}

// Items 13 to 16 and 19: compressed data that lies.
func TestBadCompression(t *testing.T) {
	_, addr := start(t, Options{})
	lz4 := func(n uint32, block ...byte) []byte { return append(binary.BigEndian.AppendUint32(nil, n), block...) }
	for _, c := range []struct {
		name string
		comp wire.Compression
		body []byte
	}{
		{"lz4 of 2 GiB", wire.LZ4, lz4(1<<31-1, 0x10, 1)}, {"lz4 negative", wire.LZ4, lz4(1<<31, 0x10, 1)},
		{"lz4 longer", wire.LZ4, lz4(3, 0x10, 1)}, {"lz4 shorter", wire.LZ4, lz4(1, 0x20, 1, 2)},
		{"lz4 cut", wire.LZ4, lz4(0)}, {"snappy bomb", wire.Snappy, []byte{0xff, 0xff, 0xff, 0xff, 0x07}}, {"snappy empty",
			wire.Snappy, nil},
	} {
		for _, v := range []cql.Version{cql.V3, cql.V4} {
			cl := connect(t, addr, v, c.comp)
			cl.raw(bodied(v, wire.OpQuery, wire.FlagCompressed, 5, c.body))
			cl.wantError(5, cql.CodeProtocol, "")
			cl.wantClosed()
		}
	}
	for _, comp := range []wire.Compression{wire.LZ4, wire.Snappy} {
		cl := connect(t, addr, cql.V4, comp)
		cl.query(1, strings.Repeat("\x00", 1<<20)) // item 16
		if e := cl.read(); len(e.Body) != 1<<20+4 {
			t.Errorf("%s: %d bytes", comp, len(e.Body))
		}
		cl.raw(bodied(cql.V4, wire.OpQuery, 0, 1, queryBody(cql.V4, "plain"))) // which is allowed
		if e := cl.read(); string(e.Body[4:]) != "plain" {
			t.Errorf("%s: %q", comp, e.Body)
		}
	}
}

// Items 17, 18, 20: segments that are broken or empty.
func TestBadSegments(t *testing.T) {
	_, addr := start(t, Options{})
	seg := wire.AppendSegment(nil, bodied(cql.V5, wire.OpQuery, 0, 5, queryBody(cql.V5, "x")), true, false)
	for at, where := range map[int]string{0: "header", 4: "header", 12: "body", len(seg) - 1: "body"} {
		c := connect(t, addr, cql.V5, wire.NoCompression)
		bad := bytes.Clone(seg)
		bad[at] ^= 0x10
		c.raw(bad)
		e := c.read()
		err, _ := wire.DecodeError(e.Body, e.Version)
		if e.Stream != 0 || err == nil || err.Code != cql.CodeProtocol || !strings.Contains(err.Message,
			" invalid, unrecoverable CRC mismatch detected in frame "+where+". Read ") {
			t.Errorf("byte %d: %v", at, err)
		}
		c.wantClosed()
	}
	c := connect(t, addr, cql.V5, wire.NoCompression)
	c.raw(bytes.Repeat(wire.AppendSegment(nil, nil, true, false), 63))
	c.wantAlive()
	c.raw(bytes.Repeat(wire.AppendSegment(nil, nil, true, false), 64))
	c.wantError(0, cql.CodeProtocol, "Too many empty segments")
	c.wantClosed()
	c = connect(t, addr, cql.V5, wire.NoCompression)
	c.raw(bodied(cql.V5, wire.OpQuery, 0, 5, queryBody(cql.V5, "not in a segment")))
	c.wantError(0, cql.CodeProtocol, "")
	c.wantClosed()
}

// Items 22 to 26: the handshake.
func TestBadHandshake(t *testing.T) {
	_, addr := start(t, Options{})
	good := map[string]string{"CQL_VERSION": "3.0.0"}
	for _, v := range versions {
		for _, op := range []wire.Opcode{wire.OpQuery, wire.OpPrepare, wire.OpExecute, wire.OpBatch, wire.OpRegister,
			wire.OpAuthResponse} {
			c := dial(t, addr, v)
			c.send(5, op, []byte{0, 0, 0, 0})
			c.wantError(5, cql.CodeProtocol, fmt.Sprintf("Unexpected message %s, expecting STARTUP or OPTIONS", op))
			c.send(5, wire.OpStartup, wire.AppendStartup(nil, good))
			if e := c.read(); e.Opcode != wire.OpReady || e.Version != v {
				t.Errorf("%s: %s %s", op, e.Opcode, e.Version)
			}
		}
		for _, bad := range []struct {
			options map[string]string
			text    string
		}{
			{map[string]string{"A": "b"}, "Missing value CQL_VERSION in STARTUP message"},
			{map[string]string{"CQL_VERSION": "2.0.0"},
				"CQL version 2.0.0 is not supported by the binary protocol (supported version are >= 3.0.0)"},
			{map[string]string{"CQL_VERSION": "3"}, "Invalid version value: 3"},
			{map[string]string{"CQL_VERSION": "3.0.0", "COMPRESSION": "zstd"}, "Unknown compression algorithm: zstd"},
		} {
			c := dial(t, addr, v)
			c.send(5, wire.OpStartup, wire.AppendStartup(nil, bad.options))
			c.wantError(5, cql.CodeProtocol, bad.text)
			c.startup(wire.NoCompression, map[string]string{"DRIVER_NAME": "x", "driver_version": "1", "NO_COMPACT": "true"})
			if e := c.read(); e.Opcode != wire.OpReady {
				t.Errorf("%v: %s", bad.options, e.Opcode)
			}
			c.switchOver(wire.NoCompression)
			c.wantAlive()
		}
		c := dial(t, addr, v)
		c.send(5, wire.OpStartup, append([]byte{0xff, 0xff}, make([]byte, 10)...))
		c.wantError(5, cql.CodeProtocol, "Not enough bytes to read an UTF8 serialized string preceded by its 2 bytes length")
		c.wantClosed()
		c = dial(t, addr, v)
		c.raw(head(byte(v), wire.OpStartup, 0, 5, 1<<20))
		c.wantError(5, cql.CodeInvalid, "")
		c.wantClosed()
	}
	c := dial(t, addr, cql.V5)
	c.send(5, wire.OpStartup, wire.AppendStartup(nil, map[string]string{"CQL_VERSION": "3.0.0", "COMPRESSION": "snappy"}))
	c.wantError(5, cql.CodeProtocol, "Snappy compression is not supported in protocol V5")
}

// Item 27: OPTIONS without end before STARTUP.
func TestOptionsFlood(t *testing.T) {
	_, addr := start(t, Options{})
	c := dial(t, addr, cql.V4)
	for range 2 * maxEarlyMessages {
		c.add(1, wire.OpOptions, 0, nil)
	}
	c.flush()
	for range maxEarlyMessages {
		if e := c.read(); e.Opcode != wire.OpSupported {
			t.Fatal(e.Opcode)
		}
	}
	c.wantError(1, cql.CodeProtocol, "Too many messages before STARTUP")
	c.wantClosed()
}

// loginer lets "a" in with password "b".
type loginer struct{}

func (loginer) Class() string { return "org.apache.cassandra.auth.PasswordAuthenticator" }

func (loginer) Login(token []byte) (string, error) {
	if string(token) == "\x00a\x00b" || string(token) == "other\x00a\x00b" {
		return "a", nil
	}
	return "", &cql.Error{Code: cql.CodeCredentials, Message: "Provided username and/or password are incorrect"}
}

// Items 28 to 31: logging in.
func TestLogin(t *testing.T) {
	s, addr := start(t, Options{Auth: loginer{}})
	begin := func(v cql.Version) *client {
		c := dial(t, addr, v)
		c.startup(wire.NoCompression, nil)
		e := c.read()
		class, err := wire.DecodeAuthenticate(e.Body)
		if e.Opcode != wire.OpAuthenticate || err != nil || class != (loginer{}).Class() {
			t.Fatalf("%s %q", e.Opcode, e.Body)
		}
		c.switchOver(wire.NoCompression)
		return c
	}
	token := func(s string) []byte { return wire.AppendAuthToken(nil, []byte(s)) }
	for _, v := range versions {
		for _, op := range []wire.Opcode{wire.OpQuery, wire.OpOptions, wire.OpRegister, wire.OpStartup} {
			c := begin(v)
			c.send(5, op, []byte{0, 0, 0, 0})
			c.wantError(5, cql.CodeProtocol, fmt.Sprintf("Unexpected message %s, expecting SASL_RESPONSE", op))
			c.send(6, wire.OpAuthResponse, token("\x00a\x00wrong"))
			c.wantError(6, cql.CodeCredentials, "")
			c.send(6, wire.OpAuthResponse, token("other\x00a\x00b"))
			if e := c.read(); e.Opcode != wire.OpAuthSuccess || !bytes.Equal(e.Body, []byte{0xff, 0xff, 0xff, 0xff}) {
				t.Fatalf("%s %x", e.Opcode, e.Body)
			}
			c.wantAlive()
			if list := s.Clients(); list[len(list)-1].User != "a" || list[len(list)-1].Stage != "READY" {
				t.Errorf("%+v", list[len(list)-1])
			}
			c.send(7, wire.OpAuthResponse, token("\x00a\x00b"))
			c.wantError(7, cql.CodeProtocol, "Unexpected message AUTH_RESPONSE, the connection is already authenticated")
			c.wantAlive()
		}
		c := begin(v)
		for _, body := range [][]byte{wire.AppendAuthToken(nil, nil), token(""), token("\x00\x00\x00\x00\x00")} {
			c.send(5, wire.OpAuthResponse, body)
			c.wantError(5, cql.CodeCredentials, "")
		}
		c.wantClosed() // after the third
		c = begin(v)
		c.send(5, wire.OpAuthResponse, nil)
		c.wantError(5, cql.CodeProtocol, "")
		c = begin(v)
		c.send(5, wire.OpAuthResponse, token(strings.Repeat("x", 10_000)))
		e := c.read()
		if err, _ := wire.DecodeError(e.Body, e.Version); err == nil || err.Code != cql.CodeInvalid {
			t.Errorf("%s %v", e.Opcode, err)
		}
		c.wantClosed()
	}
	_, addr = start(t, Options{}) // without authentication the answer is AUTH_SUCCESS
	c := connect(t, addr, cql.V4, wire.NoCompression)
	c.send(5, wire.OpAuthResponse, token("\x00a\x00b"))
	if e := c.read(); e.Opcode != wire.OpAuthSuccess {
		t.Error(e.Opcode)
	}
}

// Item 33: a stream id twice in flight; both are answered.
func TestStreamTwice(t *testing.T) {
	h := &echo{release: make(chan struct{})}
	_, addr := start(t, Options{Handler: h})
	c := connect(t, addr, cql.V4, wire.NoCompression)
	c.query(5, "wait")
	c.query(5, "wait")
	c.query(5, "now")
	if e := c.read(); e.Stream != 5 || string(e.Body[4:]) != "now" {
		t.Fatalf("%q", e.Body)
	}
	close(h.release)
	for range 2 {
		if e := c.read(); e.Stream != 5 || string(e.Body[4:]) != "wait" {
			t.Fatalf("%q", e.Body)
		}
	}
}

// Item 34: a client that sends and never reads is stopped by the write that it does not take, and then closed.
func TestNeverReads(t *testing.T) {
	s, addr := start(t, Options{Limits: Limits{WriteTimeout: 300 * time.Millisecond}})
	for _, v := range []cql.Version{cql.V4, cql.V5} {
		c := connect(t, addr, v, wire.NoCompression)
		_ = c.net.(*net.TCPConn).SetReadBuffer(4 << 10)
		c.add(1, wire.OpQuery, 0, queryBody(v, strings.Repeat("x", 10_000)))
		frame := bytes.Clone(c.out.Bytes())
		_ = c.net.SetWriteDeadline(time.Now().Add(20 * time.Second))
		var err error
		sent := 0
		for err == nil && sent < 1<<30 {
			_, err = c.net.Write(frame)
			sent += len(frame)
		}
		if ne := net.Error(nil); err == nil || errors.As(err, &ne) && ne.Timeout() {
			t.Fatalf("%d MiB were taken, then %v", sent>>20, err)
		}
		if s.Stats().Bytes > 32<<20 {
			t.Errorf("%d bytes in flight", s.Stats().Bytes)
		}
	}
	eventually(t, func() bool { return s.Stats().Connections == 0 })
}

// eventually waits for ok.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it does not come true")
}

// Item 37: a reset at each byte of an exchange leaves nothing behind.
func TestReset(t *testing.T) {
	h := &echo{release: make(chan struct{})}
	close(h.release)
	s, addr := start(t, Options{Handler: h})
	for _, v := range []cql.Version{cql.V4, cql.V5} {
		var o wire.Output
		o.Reset(v >= cql.V5, wire.NoCompression, 0)
		for _, q := range []string{"void", "wait", "go"} {
			o.End(append(o.Begin(), queryBody(v, q)...), wire.Header{Version: v, Opcode: wire.OpQuery}, nil)
		}
		rest := o.Bytes()
		startup := bodied(v, wire.OpStartup, 0, 1, wire.AppendStartup(nil, map[string]string{"CQL_VERSION": "3.0.0"}))
		all := append(bytes.Clone(startup), rest...)
		for at := range len(all) + 1 {
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = nc.Write(all[:at])
			if at%2 == 0 {
				_ = nc.(*net.TCPConn).SetLinger(0)
			}
			_ = nc.Close()
		}
	}
	eventually(t, func() bool { st := s.Stats(); return st.Connections == 0 && st.Handshakes == 0 && st.Bytes == 0 })
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.addresses) != 0 || len(s.places) != 0 || s.handshaking.Len() != 0 {
		t.Errorf("%d addresses, %d places", len(s.addresses), len(s.places))
	}
}

// Items 38 to 52 are bodies that wire refuses (wire's TestBadBodies); the connection goes on after each, however many.
func TestBadBodiesKeep(t *testing.T) {
	_, addr := start(t, Options{})
	for _, v := range versions {
		c := connect(t, addr, v, wire.NoCompression)
		for range 5 {
			c.send(5, wire.OpQuery, []byte{0, 0, 0, 9})
			c.wantError(5, cql.CodeProtocol, "Not enough bytes to read an UTF8 serialized string preceded by its 4 bytes length")
		}
		c.wantAlive()
	}
}

// Item 55: REGISTER, wrong and often.
func TestRegister(t *testing.T) {
	s, addr := start(t, Options{})
	for _, v := range versions {
		c := connect(t, addr, v, wire.NoCompression)
		for range 3 {
			c.send(5, wire.OpRegister, wire.AppendStringList(nil, []string{"FOO"}))
			c.wantError(5, cql.CodeProtocol, "Invalid value 'FOO' for Type")
		}
		for i := range 10_000 {
			c.add(int16(i), wire.OpRegister, 0, wire.AppendStringList(nil, []string{"schema_change"}))
			if i%500 == 499 {
				c.flush()
				for range 500 {
					if e := c.read(); e.Opcode != wire.OpReady {
						t.Fatal(e.Opcode)
					}
				}
			}
		}
		c.send(5, wire.OpRegister, wire.AppendStringList(nil, nil))
		c.read()
		s.Broadcast(&wire.Event{Type: wire.StatusChange, Change: wire.NodeUp})
		s.Broadcast(&wire.Event{Type: wire.SchemaChange, Change: wire.Created, Target: wire.TargetKeyspace, Keyspace: "k"})
		if e := c.read(); e.Opcode != wire.OpEvent || e.Stream != -1 || e.Version != v || !strings.Contains(string(e.Body), "CREATED") {
			t.Errorf("%s on %d: %q", e.Opcode, e.Stream, e.Body)
		}
		c.wantAlive() // one event, not many
		_ = c.net.Close()
		eventually(t, func() bool { return s.Stats().Connections == 0 })
	}
}

// Item 57: custom payloads of any size are stepped over.
func TestCustomPayload(t *testing.T) {
	_, addr := start(t, Options{})
	for _, v := range []cql.Version{cql.V4, cql.V5} {
		c := connect(t, addr, v, wire.NoCompression)
		for _, n := range []int{0, 1, 3, 65_535} {
			payload := wire.AppendShort(nil, uint16(n))
			for i := range n {
				payload = wire.AppendString(payload, fmt.Sprint(i))
				if i%2 == 0 {
					payload = wire.AppendBytes(payload, nil)
				} else {
					payload = wire.AppendBytes(payload, []byte("value"))
				}
			}
			c.add(5, wire.OpQuery, wire.FlagCustomPayload, append(payload, queryBody(v, "x")...))
			c.flush()
			if e := c.read(); e.Opcode != wire.OpResult || string(e.Body[4:]) != "x" || e.Flags != 0 {
				t.Errorf("%d entries: %s %q", n, e.Opcode, e.Body)
			}
		}
		c.add(5, wire.OpQuery, wire.FlagCustomPayload, append([]byte{0xff, 0xff}, queryBody(v, "x")...))
		c.flush()
		c.wantError(5, cql.CodeProtocol, "")
		c.wantAlive()
	}
	c := connect(t, addr, cql.V3, wire.NoCompression)
	c.add(5, wire.OpQuery, wire.FlagCustomPayload, queryBody(cql.V3, "x"))
	c.flush()
	c.wantError(5, cql.CodeProtocol, "Received frame with CUSTOM_PAYLOAD flag for native protocol version < 4")
	c.wantAlive()
}

// TestGarbage sends damaged exchanges; a good client beside them goes on.
func TestGarbage(t *testing.T) {
	s, addr := start(t, Options{})
	good := connect(t, addr, cql.V5, wire.LZ4)
	x := uint64(88172645463325252)
	next := func(n int) int {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		return int(x % uint64(n))
	}
	for round := range 600 {
		m := modes()[round%len(modes())]
		var o wire.Output
		o.Reset(m.v >= cql.V5, m.comp, 0)
		for i := range 1 + next(4) {
			o.End(append(o.Begin(), queryBody(m.v, "go")...), wire.Header{Version: m.v, Opcode: wire.OpQuery, Stream: int16(i)}, nil)
		}
		options := map[string]string{"CQL_VERSION": "3.0.0"}
		if m.comp != wire.NoCompression {
			options["COMPRESSION"] = m.comp.String()
		}
		all := append(bodied(m.v, wire.OpStartup, 0, 1, wire.AppendStartup(nil, options)), o.Bytes()...)
		for range next(4) {
			all[next(len(all))] ^= 1 << next(8)
		}
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = nc.Write(all[:1+next(len(all))])
		_ = nc.(*net.TCPConn).CloseWrite()
		_ = nc.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadAll(nc); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("round %d: no end", round)
		}
		_ = nc.Close()
		if round%100 == 0 {
			good.wantAlive()
		}
	}
	good.wantAlive()
	eventually(t, func() bool { st := s.Stats(); return st.Connections == 1 && st.Bytes == 0 })
}
