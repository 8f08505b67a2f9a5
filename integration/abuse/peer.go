package abuse

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/golang/snappy"
	"github.com/pierrec/lz4/v4"
)

// patience is how long a peer waits for what should come at once.
const patience = 10 * time.Second

// form is how a connection speaks: a version, and "", "lz4" or "snappy".
type form struct {
	v    byte
	comp string
}

func (f form) String() string {
	if f.comp == "" {
		return fmt.Sprintf("v%d", f.v)
	}
	return fmt.Sprintf("v%d-%s", f.v, f.comp)
}

// forms are all that a server speaks.
var forms = []form{{3, ""}, {3, "lz4"}, {3, "snappy"}, {4, ""}, {4, "lz4"}, {4, "snappy"}, {5, ""}, {5, "lz4"}}

// peer is one connection. What it writes is not checked; what it reads is held to the protocol.
type peer struct {
	form
	net    *net.TCPConn
	in     *bufio.Reader
	framed bool   // segments, both ways
	rest   []byte // of envelopes that came in segments
}

// dial connects, from a given address of this machine unless it is "".
func dial(addr, from string) (*peer, error) {
	d := net.Dialer{Timeout: patience}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &peer{net: c.(*net.TCPConn), in: bufio.NewReaderSize(c, 4<<10)}, nil
}

// login connects and does the handshake.
func login(addr, from string, f form) (*peer, error) {
	p, err := dial(addr, from)
	if err != nil {
		return nil, err
	}
	if err := p.start(f); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// start does the handshake up to READY or AUTHENTICATE.
func (p *peer) start(f form) error {
	pairs := []string{"CQL_VERSION", "3.0.0"}
	if f.comp != "" {
		pairs = append(pairs, "COMPRESSION", f.comp)
	}
	if err := p.write(frame(f.v, 0, opStartup, startup(pairs...))); err != nil {
		return err
	}
	p.form = f
	e, err := p.read(patience)
	if err != nil {
		return err
	}
	if e.op != opReady && e.op != opAuthenticate {
		return fmt.Errorf("STARTUP was answered with %s", e)
	}
	p.framed = f.v >= 5
	return nil
}

func (p *peer) close() { _ = p.net.Close() }

// reset closes so that the other side gets a RST.
func (p *peer) reset() {
	_ = p.net.SetLinger(0)
	_ = p.net.Close()
}

// write writes bytes as they are.
func (p *peer) write(b []byte) error {
	_ = p.net.SetWriteDeadline(time.Now().Add(patience))
	_, err := p.net.Write(b)
	return err
}

// wrap returns envelopes in the form of the connection: in segments from v5 on.
func (p *peer) wrap(b []byte) []byte {
	if p.framed {
		return segments(b, p.comp == "lz4")
	}
	return b
}

// send writes a request.
func (p *peer) send(stream int16, op byte, body []byte) error {
	return p.write(p.wrap(frame(p.v, stream, op, body)))
}

// call sends a request and returns the answer on its stream.
func (p *peer) call(stream int16, op byte, body []byte) (envelope, error) {
	if err := p.send(stream, op, body); err != nil {
		return envelope{}, err
	}
	e, err := p.read(patience)
	if err == nil && e.stream != stream {
		err = fmt.Errorf("an answer on stream %d to a request on stream %d: %s", e.stream, stream, e)
	}
	return e, err
}

// errGone is what read returns when the server has closed, orderly or not, between two messages.
var errGone = errors.New("the server has closed the connection")

// maxAnswer bounds what is believed of an answer's length.
const maxAnswer = 256 << 20

// read returns the next message, or errGone, or what is wrong with what came.
func (p *peer) read(within time.Duration) (envelope, error) {
	_ = p.net.SetReadDeadline(time.Now().Add(within))
	var e envelope
	h, err := p.take(headerSize)
	if err != nil {
		return e, err
	}
	n := int(int32(binary.BigEndian.Uint32(h[5:])))
	e = envelope{first: h[0], flags: h[1], stream: int16(binary.BigEndian.Uint16(h[2:])), op: h[4]}
	if e.first&0x80 == 0 || e.first&0x7f < 3 || e.first&0x7f > 5 || e.op > opAuthSuccess || n < 0 || n > maxAnswer {
		return e, fmt.Errorf("the server sent %x, which is no header of an answer", h)
	}
	if e.body, err = p.take(n); err != nil {
		return e, err
	}
	if e.flags&flagCompressed != 0 {
		e.body, err = p.inflate(e.body)
	}
	return e, err
}

// take returns the next n bytes of envelopes.
func (p *peer) take(n int) ([]byte, error) {
	if !p.framed {
		b := make([]byte, n)
		_, err := io.ReadFull(p.in, b)
		return b, gone(err, n == headerSize)
	}
	for len(p.rest) < n {
		payload, err := p.segment()
		if err != nil {
			return nil, err
		}
		p.rest = append(p.rest, payload...)
	}
	b := p.rest[:n:n]
	p.rest = p.rest[n:]
	return b, nil
}

// gone maps the errors of a connection that ended to errGone, if it may end here.
func gone(err error, mayEnd bool) error {
	switch {
	case err == nil || errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case mayEnd && !errors.Is(err, io.ErrUnexpectedEOF):
		return errGone
	}
	return fmt.Errorf("the answer breaks off: %w", err)
}

// segment reads one v5 segment.
func (p *peer) segment() ([]byte, error) {
	lz4Used := p.comp == "lz4"
	n := 3
	if lz4Used {
		n = 5
	}
	h := make([]byte, n+3)
	if _, err := io.ReadFull(p.in, h); err != nil {
		return nil, gone(err, len(p.rest) == 0)
	}
	var b [8]byte
	copy(b[:], h[:n])
	v := binary.LittleEndian.Uint64(b[:])
	if c := crc24(h[:n]); c != uint32(h[n])|uint32(h[n+1])<<8|uint32(h[n+2])<<16 {
		return nil, fmt.Errorf("the server sent %x, which is no header of a segment", h)
	}
	payload := make([]byte, v&maxPayload+4)
	if _, err := io.ReadFull(p.in, payload); err != nil {
		return nil, gone(err, false)
	}
	sum := binary.LittleEndian.Uint32(payload[len(payload)-4:])
	payload = payload[:len(payload)-4]
	if crc32v5(payload) != sum {
		return nil, fmt.Errorf("the server sent a segment with a wrong checksum")
	}
	if raw := int(v >> 17 & maxPayload); lz4Used && raw > 0 {
		return unpack(payload, raw)
	}
	return payload, nil
}

// inflate decompresses the body of a v3 or v4 answer.
func (p *peer) inflate(b []byte) ([]byte, error) {
	if p.comp == "snappy" {
		return snappy.Decode(nil, b)
	}
	if len(b) < 4 {
		return nil, fmt.Errorf("a compressed body of %d bytes", len(b))
	}
	return unpack(b[4:], int(binary.BigEndian.Uint32(b)))
}

func unpack(b []byte, size int) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	out := make([]byte, size)
	n, err := lz4.UncompressBlock(b, out)
	if err != nil || n != size {
		return nil, fmt.Errorf("the server sent an LZ4 block of %d bytes for %d: %w", n, size, err)
	}
	return out, nil
}

// failure returns the code and the text of an ERROR; the code is -1 of another message.
func (e envelope) failure() (code int, message string) {
	b := e.body
	if e.flags&flagTracing != 0 && len(b) >= 16 {
		b = b[16:]
	}
	if e.op != opError || len(b) < 6 {
		return -1, ""
	}
	n := int(binary.BigEndian.Uint16(b[4:]))
	if len(b) < 6+n {
		return -1, ""
	}
	return int(binary.BigEndian.Uint32(b)), string(b[6 : 6+n])
}

// kind returns the kind of a RESULT, -1 of another message.
func (e envelope) kind() int {
	b := e.body
	if e.flags&flagTracing != 0 && len(b) >= 16 {
		b = b[16:]
	}
	if e.op != opResult || len(b) < 4 {
		return -1
	}
	return int(binary.BigEndian.Uint32(b))
}

// The kinds of a RESULT.
const (
	kindVoid     = 1
	kindRows     = 2
	kindPrepared = 4
)

// String describes e for a failed test.
func (e envelope) String() string {
	if code, message := e.failure(); code >= 0 {
		return fmt.Sprintf("ERROR 0x%04X %.300q on stream %d (v%d)", code, message, e.stream, e.first&0x7f)
	}
	return fmt.Sprintf("opcode 0x%02X on stream %d (v%d), %d bytes %.40x", e.op, e.stream, e.first&0x7f, len(e.body), e.body)
}

// preparedID returns the id and, in v5, the result metadata id of a PREPARED.
func (e envelope) preparedID() (id, resultID []byte) {
	if e.kind() != kindPrepared {
		return nil, nil
	}
	b := e.body[4:]
	n := int(binary.BigEndian.Uint16(b))
	id, b = b[2:2+n], b[2+n:]
	if e.first&0x7f >= 5 {
		n = int(binary.BigEndian.Uint16(b))
		resultID = b[2 : 2+n]
	}
	return id, resultID
}

// drain reads until the connection ends and returns how many whole messages came. Before STARTUP the input may have
// agreed on anything, so that answers are not looked at then.
func (p *peer) drain(within time.Duration) (n int, err error) {
	end := time.Now().Add(within)
	for p.v != 0 && !p.legacy(end) {
		_, err := p.read(time.Until(end))
		switch {
		case err == nil:
			n++
		case errors.Is(err, errGone), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
			return n, nil // the last two are of a server that was cut off by what we did
		case errors.Is(err, os.ErrDeadlineExceeded):
			return n, fmt.Errorf("the connection neither answers nor ends: %w", err)
		default:
			return n, err
		}
	}
	_ = p.net.SetReadDeadline(end)
	if _, err := io.Copy(io.Discard, p.in); errors.Is(err, os.ErrDeadlineExceeded) {
		return n, fmt.Errorf("the connection does not end: %w", err)
	}
	return n, nil
}

// legacy reports whether an answer in the header of versions 1 and 2 is next; nothing follows it.
func (p *peer) legacy(end time.Time) bool {
	if p.framed {
		return false
	}
	_ = p.net.SetReadDeadline(end)
	b, err := p.in.Peek(4)
	return err == nil && (b[0] == 0x81 || b[0] == 0x82) && b[3] == opError
}
