package wire

import (
	"errors"
	"fmt"

	"github.com/helenusdb/helenus/cql"
)

// DefaultMaxFrame is the largest frame in bytes unless told otherwise (native_transport_max_frame_size).
const DefaultMaxFrame = 16 << 20

// What a connection may send before it is READY, and how much of an oversized frame is read and thrown away rather
// than answered by closing. Source: reliability.md 3.3, 4.7.
const (
	maxStartupBody      = 8 << 10
	maxAuthResponseBody = 4 << 10
	maxSkip             = 64 << 20
	maxEmptySegments    = 64
)

// ErrMore is returned by Decoder.Next when the input ends before the next envelope does.
var ErrMore = errors.New("more bytes are needed")

// Fault is input that is no envelope: what to answer, and whether the connection can go on.
type Fault struct {
	Err    *cql.Error
	Stream int16
	Close  bool
	// Version is the version of the faulty message when it is one that is spoken, else 0.
	Version cql.Version
	// Legacy is 1 or 2 when the answer has the 8-byte header of that version (AppendLegacyError), else 0.
	Legacy cql.Version
	// Usual says that good clients send it: drivers that know DSE try its versions, 65 and 66, first.
	Usual bool
}

// Error returns the text of the answer.
func (f *Fault) Error() string { return f.Err.Message }

// Decoder takes envelopes out of a stream of bytes that its caller reads and holds: a state machine without I/O. It
// checks versions, directions, opcodes, lengths and checksums, takes v5 segments apart, puts large messages together,
// and decompresses. Memory that it takes never exceeds twice the bytes received and, for compressed input, MaxFrame.
//
// After ErrMore the caller adds bytes and calls again; Need says how many bytes the input must hold at least.
type Decoder struct {
	// Responses is true on a client, which reads what a server sends.
	Responses bool
	// MaxFrame is the largest frame in bytes, 0 for DefaultMaxFrame: in v3 and v4 with the header, in v5 the body alone.
	MaxFrame int
	// Limited holds a connection that has not logged in to the small bodies of a handshake.
	Limited bool
	// Channel is the name of the connection in the text of checksum errors.
	Channel string
	// Reserve, unless nil, is asked before the decoder comes to hold n bytes of memory, n of more than ReserveFrom. It may
	// wait; false ends the connection. What Held says, and an envelope whose Copied is true, is to be counted.
	Reserve func(n int) bool

	version     cql.Version // 0 until STARTUP was accepted
	compression Compression
	framed      bool

	need    int    // bytes that the input must hold
	skip    int    // bytes of the stream still to be thrown away
	after   *Fault // what to report when skip is done
	seg     []byte // what is left of the current self-contained segment
	copied  bool   // seg lies in scratch
	scratch []byte // decompressed segment or body
	large   []byte // parts of a message that spans segments
	dropped int    // bytes of an oversized message still to come in segments
	empties int    // empty segments in a row
}

// SetVersion fixes the version that all further envelopes must carry.
func (d *Decoder) SetVersion(v cql.Version) { d.version = v }

// SetReady switches to what STARTUP agreed on: segments from v5 on, and the compression. It holds from the first byte
// after the STARTUP, or READY, that Next returned last.
func (d *Decoder) SetReady(v cql.Version, c Compression) {
	d.version, d.compression, d.framed = v, c, v >= cql.V5
}

// Need returns how many bytes the input must hold, at least, before Next can succeed.
func (d *Decoder) Need() int { return max(d.need, 1) }

// Held returns how many bytes of memory the decoder itself holds.
func (d *Decoder) Held() int { return cap(d.large) + cap(d.scratch) }

// InFrame reports whether a message has begun of which the rest is missing, other than in the caller's input.
func (d *Decoder) InFrame() bool { return len(d.large) > 0 || d.skip > 0 || d.dropped > 0 }

// Abandon gives the memory of an envelope whose Copied is true to the caller: the decoder will not use it again.
func (d *Decoder) Abandon() { d.scratch = nil }

// Trim gives up memory above keep bytes; call it between messages.
func (d *Decoder) Trim(keep int) {
	if len(d.seg) == 0 && cap(d.scratch) > keep {
		d.scratch = nil
	}
	if len(d.large) == 0 && cap(d.large) > keep {
		d.large = nil
	}
}

func (d *Decoder) maxFrame() int {
	if d.MaxFrame > 0 {
		return d.MaxFrame
	}
	return DefaultMaxFrame
}

// Next returns the next envelope of in and how many bytes of in were used up. The error is ErrMore or a *Fault; after
// a Fault that does not close, the faulty message has been stepped over. The envelope's body, and what Next will
// return next, may lie in the bytes that were used up: they must stay as they are until Next returns ErrMore.
func (d *Decoder) Next(in []byte) (e Envelope, n int, err error) {
	if d.skip > 0 {
		n = min(len(in), d.skip)
		if d.skip -= n; d.skip > 0 {
			d.need = 1
			return e, n, ErrMore
		}
		if f := d.after; f != nil {
			d.after = nil
			return e, n, f
		}
	}
	if !d.framed {
		var k int
		e, k, err = d.fromStream(in[n:])
		return e, n + k, err
	}
	for {
		if len(d.seg) > 0 {
			e, err = d.fromSegment()
			return e, n, err
		}
		k, done, err := d.segment(in[n:])
		n += k
		if err != nil {
			return e, n, err
		}
		if done {
			e, err = d.fromLarge()
			return e, n, err
		}
	}
}

// more notes how many bytes are needed and returns ErrMore.
func (d *Decoder) more(need int) error {
	d.need = need
	return ErrMore
}

// fatal is a fault without a stream after which the connection cannot go on.
func fatal(err *cql.Error) *Fault { return &Fault{Err: err, Close: true} }

// fromStream takes a bare envelope: v3, v4, and v5 before READY.
func (d *Decoder) fromStream(in []byte) (e Envelope, n int, err error) {
	if len(in) == 0 {
		return e, 0, d.more(1)
	}
	if f := d.checkVersion(in); f != nil {
		return e, 0, f
	}
	if len(in) < HeaderSize {
		return e, 0, d.more(HeaderSize)
	}
	h := DecodeHeader(in)
	f := d.checkLength(&h)
	switch {
	case f != nil && f.Close:
		return e, 0, f
	case f != nil: // too big, but small enough to be thrown away
		return d.skipBody(in, h, f)
	}
	if f = d.checkHeader(&h); f != nil {
		if f.Close {
			return e, 0, f
		}
		return d.skipBody(in, h, f)
	}
	end := HeaderSize + int(h.Length)
	if len(in) < end {
		return e, 0, d.more(end)
	}
	e = Envelope{Header: h, Body: in[HeaderSize:end:end]}
	return e, end, d.open(&e)
}

// skipBody reports f once the body of h has been thrown away.
func (d *Decoder) skipBody(in []byte, h Header, f *Fault) (Envelope, int, error) {
	end := HeaderSize + int(h.Length)
	if len(in) >= end {
		return Envelope{}, end, f
	}
	d.skip, d.after = end-len(in), f
	return Envelope{}, len(in), d.more(1)
}

// checkVersion looks at the first byte alone, as Cassandra does: an answer must not wait for a header that an old
// client, or one that is none, will never complete. The stream is echoed when it is already there.
func (d *Decoder) checkVersion(in []byte) *Fault {
	v := cql.Version(in[0] & 0x7f)
	if v.Supported() {
		return nil
	}
	f := fatal(VersionError(v))
	f.Usual = v == 65 || v == 66
	if (v == 1 || v == 2) && !d.framed { // who speaks in segments understands no other header any more
		f.Legacy = v
	} else if len(in) >= 4 {
		f.Stream = DecodeHeader(append(in[:4:4], make([]byte, HeaderSize-4)...)).Stream
	}
	return f
}

// fault is what is wrong with the message that h begins.
func (h *Header) fault(close bool, err *cql.Error) *Fault {
	return &Fault{Err: err, Stream: h.Stream, Version: h.Version, Close: close}
}

// checkLength refuses bodies that are negative or too large.
func (d *Decoder) checkLength(h *Header) *Fault {
	n, limit := int(h.Length), d.maxFrame()
	switch {
	case n < 0:
		return h.fault(true, cql.Protocolf("Invalid value for envelope header body length field: %d", n))
	case d.Limited:
		if limit = maxStartupBody; h.Opcode == OpAuthResponse {
			limit = maxAuthResponseBody
		}
		if n > limit {
			return h.fault(true, tooBig(n+HeaderSize, limit+HeaderSize))
		}
	case d.framed && n > limit:
		return h.fault(n > maxSkip, cql.Invalidf("CQL Message of size %d bytes exceeds allowed maximum of %d bytes", n, limit))
	case !d.framed && n+HeaderSize > limit:
		return h.fault(n > maxSkip, tooBig(n+HeaderSize, limit))
	}
	return nil
}

func tooBig(n, limit int) *cql.Error {
	return cql.Invalidf("Request is too big: length %d exceeds maximum allowed length %d.", n, limit)
}

// checkHeader refuses versions, directions and opcodes that do not belong here, with Cassandra's texts.
func (d *Decoder) checkHeader(h *Header) *Fault {
	switch {
	case d.version != 0 && h.Version != d.version:
		blank := " "
		if d.framed {
			blank = ""
		}
		return h.fault(false, cql.Protocolf("Invalid message version. Got %s but previous%smessages on this connection had version %s",
			h.Version, blank, d.version))
	case !h.Opcode.Known():
		return h.fault(false, cql.Protocolf("Unknown opcode %d", int(h.Opcode)))
	case h.Response != d.Responses:
		return h.fault(true, directionError(d.Responses, h.Opcode))
	case h.Opcode == OpCredentials:
		return h.fault(false, cql.Protocolf("Unsupported message"))
	case h.Opcode.IsRequest() == d.Responses:
		return h.fault(false, directionError(!d.Responses, h.Opcode))
	case h.Flags&FlagCustomPayload != 0 && h.Version < cql.V4:
		return h.fault(false, cql.Protocolf("Received frame with CUSTOM_PAYLOAD flag for native protocol version < 4"))
	}
	return nil
}

// directionError is Cassandra's text for a message on the wrong side; expectResponse is what the opcode or the
// receiver wanted.
func directionError(expectResponse bool, o Opcode) *cql.Error {
	want, got := "REQUEST", "RESPONSE"
	if expectResponse {
		want, got = got, want
	}
	return cql.Protocolf("Wrong protocol direction (expected %s, got %s) for opcode %d (%s)", want, got, int(o), o)
}

// open decompresses a body and takes a request's custom payload off it.
func (d *Decoder) open(e *Envelope) error {
	if e.Flags&FlagCompressed != 0 && e.Version < cql.V5 {
		switch {
		case d.compression != NoCompression:
			size, err := compressedBodySize(e.Body, d.compression, d.maxFrame())
			if err == nil && size > cap(d.scratch) {
				err = d.reserve(size + cap(d.large))
			}
			if err != nil {
				return e.fault(true, err)
			}
			out, err := decodeCompressedBody(d.scratch, e.Body, d.compression, size)
			if err != nil {
				return e.fault(true, err)
			}
			d.scratch, e.Body, e.Copied = out, out, true
		case e.Opcode != OpOptions: // an old gocql sets the flag on OPTIONS, which has no body
			return e.fault(true, cql.Protocolf("Compressed frame, but no compression was agreed on"))
		}
	}
	if e.Flags&FlagCustomPayload != 0 && !d.Responses {
		r := NewReader(e.Body)
		r.SkipBytesMap()
		if r.err != nil {
			return e.fault(false, r.err)
		}
		e.Body = r.Rest()
	}
	return nil
}

// segment takes one v5 segment. done means that a message which spans segments is complete in d.large.
func (d *Decoder) segment(in []byte) (n int, done bool, err error) {
	lz4 := d.compression == LZ4
	size := headerSizeOf(lz4)
	if len(in) < size {
		return 0, false, d.more(size)
	}
	h, bad := decodeSegmentHeader(in, lz4, d.Channel)
	if bad != nil {
		return 0, false, fatal(bad)
	}
	if d.Limited && max(h.wire, h.raw) > maxStartupBody+HeaderSize {
		return 0, false, fatal(tooBig(max(h.wire, h.raw), maxStartupBody+HeaderSize))
	}
	end := size + h.wire + trailerSize
	if len(in) < end {
		return 0, false, d.more(end)
	}
	if bad = checkPayload(in[size:end], h.wire, d.Channel); bad != nil {
		return 0, false, fatal(bad)
	}
	payload, copied := in[size:size+h.wire:size+h.wire], false
	if h.raw > 0 {
		if payload, bad = decodeLZ4Block(d.scratch, payload, h.raw); bad != nil {
			return 0, false, fatal(bad)
		}
		d.scratch, copied = payload, true
	}
	if len(payload) == 0 {
		if d.empties++; d.empties >= maxEmptySegments {
			return 0, false, fatal(cql.Protocolf("Too many empty segments"))
		}
		return end, false, nil
	}
	d.empties = 0
	if h.selfContained {
		d.seg, d.copied = payload, copied
		return end, false, nil
	}
	done, bad2 := d.gather(payload)
	if bad2 != nil {
		return end, false, bad2
	}
	return end, done, nil
}

// ReserveFrom is the memory in bytes below which Decoder.Reserve is not asked: one segment.
const ReserveFrom = MaxPayload + 1

// reserve asks whether the decoder may come to hold n bytes.
func (d *Decoder) reserve(n int) *cql.Error {
	if n <= ReserveFrom || d.Reserve == nil || d.Reserve(n) {
		return nil
	}
	return &cql.Error{Code: cql.CodeOverloaded, Message: "There is no memory for a large message"}
}

// gather adds a part of a large message. The message's header may itself be split.
func (d *Decoder) gather(part []byte) (done bool, err error) {
	if d.dropped > 0 {
		if len(part) > d.dropped {
			return false, fatal(cql.Protocolf("Segment is longer than the message that it ends"))
		}
		if d.dropped -= len(part); d.dropped == 0 {
			f := d.after
			d.after = nil
			return false, f
		}
		return false, nil
	}
	before := len(d.large)
	if n := before + len(part); n > cap(d.large) {
		size := max(n, 2*cap(d.large))
		if bad := d.reserve(size + cap(d.scratch)); bad != nil {
			return false, fatal(bad)
		}
		d.large = append(make([]byte, 0, size), d.large...)
	}
	d.large = append(d.large, part...)
	if len(d.large) < HeaderSize {
		return false, nil
	}
	h := DecodeHeader(d.large)
	total := HeaderSize + int(h.Length)
	if before < HeaderSize {
		f := d.checkVersion(d.large)
		if f == nil {
			f = d.checkLength(&h)
		}
		if f == nil {
			f = d.checkHeader(&h)
		}
		if f != nil {
			d.dropped, d.after = total-len(d.large), f
			d.large = nil
			if f.Close || d.dropped < 0 {
				f.Close = true
				return false, f
			}
			if d.dropped == 0 {
				d.after = nil
				return false, f
			}
			return false, nil
		}
	}
	if len(d.large) > total {
		return false, fatal(cql.Protocolf("Segment is longer than the message that it ends"))
	}
	return len(d.large) == total, nil
}

// fromLarge hands out the message that gather completed. Its memory is the caller's.
func (d *Decoder) fromLarge() (Envelope, error) {
	b := d.large
	d.large = nil
	e := Envelope{Header: DecodeHeader(b), Body: b[HeaderSize:], Copied: true}
	return e, d.open(&e)
}

// fromSegment takes the next envelope of a self-contained segment.
func (d *Decoder) fromSegment() (e Envelope, err error) {
	if f := d.checkVersion(d.seg); f != nil {
		return e, f
	}
	if len(d.seg) < HeaderSize {
		return e, fatal(cql.Protocolf("Segment ends inside of an envelope's header"))
	}
	h := DecodeHeader(d.seg)
	f := d.checkLength(&h)
	if f != nil {
		f.Close = true
		return e, f
	}
	end := HeaderSize + int(h.Length)
	if end > len(d.seg) {
		return e, fatal(cql.Protocolf("Envelope of %d bytes is longer than the rest of its self-contained segment, %d bytes", end,
			len(d.seg)))
	}
	e = Envelope{Header: h, Body: d.seg[HeaderSize:end:end], Copied: d.copied}
	d.seg = d.seg[end:]
	if f = d.checkHeader(&h); f != nil {
		return Envelope{}, f
	}
	return e, d.open(&e)
}

// String describes the decoder's state for tests and logs.
func (d *Decoder) String() string {
	return fmt.Sprintf("version %s, compression %q, framed %t, need %d, skip %d", d.version, d.compression, d.framed, d.need, d.skip)
}
