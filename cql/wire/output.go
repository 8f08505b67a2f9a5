package wire

import (
	"slices"

	"github.com/helenusdb/helenus/cql"
)

// Output gathers envelopes into the bytes of one write: bare in v3 and v4 (each body compressed when so agreed),
// packed into segments in v5. It is not safe for concurrent use.
//
// A message is written by appending its body to what Begin returned and giving the result to End:
//
//	buf := out.Begin()
//	buf = wire.AppendVoid(buf)
//	out.End(buf, wire.Header{...}, nil)
//
// Calling Begin again without End starts over. The zero Output is ready for plain envelopes.
type Output struct {
	compression Compression
	framed      bool
	b           []byte // what is finished, and then the open segment (plain v5) or the open envelope
	raw         []byte // the open segment's payload when it will be compressed (v5 with lz4)
	seg         int    // where the open segment's payload begins in cur(); -1 when none is open
	scratch     []byte // one compressed body
}

// Prefix is what stands in a response before its message. Warnings are dropped in v3.
type Prefix struct {
	Tracing   bool
	TracingID [16]byte
	Warnings  []string
}

// Reset makes o empty for a connection that has, or has not yet, switched to segments and compression. Memory above
// keep bytes is given up.
func (o *Output) Reset(framed bool, c Compression, keep int) {
	o.framed, o.compression = framed, c
	o.Clear(keep)
}

// Clear drops what was gathered; memory above keep bytes is given up.
func (o *Output) Clear(keep int) {
	if o.b = o.b[:0]; cap(o.b) > keep {
		o.b = nil
	}
	if o.raw = o.raw[:0]; cap(o.raw) > keep {
		o.raw = nil
	}
	if cap(o.scratch) > keep {
		o.scratch = nil
	}
	o.seg = -1
}

// Len returns how many bytes are gathered, before the compression of an open segment.
func (o *Output) Len() int { return len(o.b) + len(o.raw) }

// cur returns the buffer in which the open segment or envelope lies.
func (o *Output) cur() *[]byte {
	if o.framed && o.compression == LZ4 {
		return &o.raw
	}
	return &o.b
}

// Begin returns the buffer to append a message's body to. Its length is not 0: positions in it count from its start.
func (o *Output) Begin() []byte {
	buf := *o.cur()
	if o.framed && o.seg < 0 {
		if o.compression == NoCompression {
			buf = append(buf, make([]byte, plainHeaderSize)...)
		}
		o.seg = len(buf)
		*o.cur() = buf
	}
	return append(buf, make([]byte, HeaderSize)...)
}

// End finishes the message whose body was appended to Begin's buffer. h is its header but for Length and the flags
// that follow from p and the compression; p may be nil.
func (o *Output) End(buf []byte, h Header, p *Prefix) {
	cur := o.cur()
	env := len(*cur)
	if p != nil {
		buf, h.Flags = insertPrefix(buf, env+HeaderSize, h, p)
	}
	if o.compression != NoCompression && !o.framed {
		o.scratch = appendCompressedBody(o.scratch[:0], buf[env+HeaderSize:], o.compression)
		buf = append(buf[:env+HeaderSize], o.scratch...)
		h.Flags |= FlagCompressed
	}
	h.Length = int32(len(buf) - env - HeaderSize)
	putHeader(buf[env:], h)
	*cur = buf
	if o.framed && len(buf)-o.seg > MaxPayload {
		o.split(env)
	}
}

// Add copies an envelope that is complete: of this connection's version, its body compressed if that is to be.
func (o *Output) Add(envelope []byte) {
	buf := o.Begin()
	buf = append(buf[:len(buf)-HeaderSize], envelope...)
	cur := o.cur()
	env := len(*cur)
	*cur = buf
	if o.framed && len(buf)-o.seg > MaxPayload {
		o.split(env)
	}
}

// Single returns the envelope that o holds when it is the only one and fits into a segment, in the form that Add
// takes, and nil otherwise. It is valid until the next call.
func (o *Output) Single() []byte {
	b := *o.cur()
	if o.framed {
		if o.seg < 0 || o.compression == LZ4 && len(o.b) > 0 || o.compression != LZ4 && o.seg != plainHeaderSize {
			return nil
		}
		b = b[o.seg:]
	}
	if len(b) < HeaderSize || len(b) != HeaderSize+int(DecodeHeader(b).Length) {
		return nil
	}
	return b
}

// AddRaw copies bytes that are sent as they are. In v5 they must be whole segments.
func (o *Output) AddRaw(b []byte) {
	o.seal()
	o.b = append(o.b, b...)
}

// Bytes closes the open segment and returns all that was gathered; it is valid until the next call.
func (o *Output) Bytes() []byte {
	o.seal()
	return o.b
}

// insertPrefix puts tracing id and warnings between header and message, which begins at buf[at].
func insertPrefix(buf []byte, at int, h Header, p *Prefix) ([]byte, Flags) {
	n := 0
	if p.Tracing {
		n = len(p.TracingID)
		h.Flags |= FlagTracing
	}
	warn := len(p.Warnings) > 0 && h.Version >= cql.V4
	if warn {
		h.Flags |= FlagWarning
		n += 2
		for _, w := range p.Warnings {
			n += 2 + len(clip(w))
		}
	}
	if n == 0 {
		return buf, h.Flags
	}
	buf = slices.Grow(buf, n)
	end := len(buf)
	buf = buf[:end+n]
	copy(buf[at+n:], buf[at:end])
	dst := buf[at:at]
	if p.Tracing {
		dst = append(dst, p.TracingID[:]...)
	}
	if warn {
		AppendStringList(dst, p.Warnings)
	}
	return buf, h.Flags
}

// seal closes the open segment, if there is one.
func (o *Output) seal() {
	if !o.framed || o.seg < 0 {
		return
	}
	if o.compression == LZ4 {
		if len(o.raw) > o.seg {
			o.b = AppendSegment(o.b, o.raw[o.seg:], true, true)
		}
		o.raw = o.raw[:0]
	} else if len(o.b) > o.seg {
		putSegmentHeader(o.b[o.seg-plainHeaderSize:], segmentHeader{wire: len(o.b) - o.seg, selfContained: true}, false)
		o.b = appendCRC32(o.b, o.b[o.seg:])
	} else {
		o.b = o.b[:o.seg-plainHeaderSize]
	}
	o.seg = -1
}

// split ends the open segment before the envelope at env, which does not fit into it any more, and gives that
// envelope a segment of its own, or several.
func (o *Output) split(env int) {
	if o.compression == LZ4 {
		if env > o.seg {
			o.b = AppendSegment(o.b, o.raw[o.seg:env], true, true)
		}
		rest := o.raw[env:]
		o.raw = o.raw[:0]
		whole := len(rest) <= MaxPayload
		for len(rest) > 0 {
			n := min(len(rest), MaxPayload)
			o.b = AppendSegment(o.b, rest[:n], whole, true)
			rest = rest[n:]
		}
		o.seg = -1
		return
	}
	const gap = trailerSize + plainHeaderSize
	if env > o.seg {
		n := len(o.b)
		o.b = append(o.b, make([]byte, gap)...)
		copy(o.b[env+gap:], o.b[env:n])
		putSegmentHeader(o.b[o.seg-plainHeaderSize:], segmentHeader{wire: env - o.seg, selfContained: true}, false)
		putCRC32(o.b[env:], o.b[o.seg:env])
		o.seg = env + gap
	}
	size := len(o.b) - o.seg
	if size <= MaxPayload {
		return
	}
	// The parts are moved to their places from the last to the first, as each goes up by a gap more than the one before.
	parts := (size + MaxPayload - 1) / MaxPayload
	o.b = slices.Grow(o.b, (parts-1)*gap+trailerSize)
	o.b = o.b[:len(o.b)+(parts-1)*gap+trailerSize]
	for i := parts - 1; i >= 0; i-- {
		from := o.seg + i*MaxPayload
		n := min(MaxPayload, o.seg+size-from)
		to := from + i*gap
		copy(o.b[to:to+n], o.b[from:from+n])
		putSegmentHeader(o.b[to-plainHeaderSize:], segmentHeader{wire: n}, false)
		putCRC32(o.b[to+n:], o.b[to:to+n])
	}
	o.seg = -1
}
