package oracle

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// answerTimeout is how long one answer may take. TRUNCATE and the first statements of a cold JVM need seconds.
const answerTimeout = 60 * time.Second

// opcodes that this client sends or understands.
const (
	opError    = 0x00
	opStartup  = 0x01
	opReady    = 0x02
	opQuery    = 0x07
	opResult   = 0x08
	opPrepare  = 0x09
	opExecute  = 0x0A
	opRegister = 0x0B
	opEvent    = 0x0C
	opBatch    = 0x0D
)

// conn is one connection with one request in flight at a time. It is not safe for concurrent use.
type conn struct {
	version byte
	nc      net.Conn
	r       io.Reader
	framed  bool
	stream  int16
}

// dial opens a connection of one protocol version, without compression.
func dial(address string, version byte) (*conn, error) {
	nc, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	c := &conn{version: version, nc: nc, r: bufio.NewReader(nc)}
	body := binary.BigEndian.AppendUint16(nil, 1)
	body = appendString(appendString(body, "CQL_VERSION"), "3.0.0")
	f, err := c.ask(opStartup, body)
	if err != nil {
		nc.Close()
		return nil, err
	}
	if f.opcode != opReady {
		nc.Close()
		return nil, fmt.Errorf("STARTUP of version %d is answered by opcode %d: %q", version, f.opcode, f.body)
	}
	if version >= 5 {
		c.framed, c.r = true, &segmentReader{r: c.r}
	}
	return c, nil
}

func (c *conn) close() { c.nc.Close() }

// ask sends one request and waits for its answer.
func (c *conn) ask(opcode byte, body []byte) (frame, error) {
	c.stream = (c.stream + 1) & 0x7FFF
	data := appendFrame(nil, frame{version: c.version, stream: c.stream, opcode: opcode, body: body})
	if c.framed {
		data = appendSegments(nil, data)
	}
	if err := c.nc.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return frame{}, err
	}
	if _, err := c.nc.Write(data); err != nil {
		return frame{}, err
	}
	f, err := readFrame(c.r)
	if err != nil {
		return frame{}, err
	}
	if f.stream != c.stream || f.version != c.version|0x80 {
		return frame{}, fmt.Errorf("answer of stream %d version %02x to stream %d version %d", f.stream, f.version, c.stream, c.version)
	}
	return f, nil
}

// event waits for one pushed event, at most for the time given; ok is false when none came.
func (c *conn) event(wait time.Duration) (f frame, ok bool, err error) {
	if err := c.nc.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return frame{}, false, err
	}
	f, err = readFrame(c.r)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return frame{}, false, nil
	}
	return f, err == nil, err
}

// request is what QUERY, EXECUTE and BATCH have in common.
type request struct {
	level     uint16
	serial    uint16
	page      int
	state     []byte
	timestamp *int64
	now       *int32
	keyspace  string
	skipMeta  bool
	values    [][]byte
	unset     []bool
	names     []string // nil: by position
}

// flags of QUERY parameters. Source: native_protocol_v5.spec 4.1.4.
const (
	flagValues    = 0x01
	flagSkipMeta  = 0x02
	flagPageSize  = 0x04
	flagState     = 0x08
	flagSerial    = 0x10
	flagTimestamp = 0x20
	flagNames     = 0x40
	flagKeyspace  = 0x80
	flagNow       = 0x100
)

func (q *request) flags() uint32 {
	var f uint32
	set := func(on bool, bit uint32) {
		if on {
			f |= bit
		}
	}
	set(len(q.values) > 0, flagValues)
	set(q.names != nil, flagNames)
	set(q.skipMeta, flagSkipMeta)
	set(q.page != 0, flagPageSize)
	set(q.state != nil, flagState)
	set(q.serial != 0, flagSerial)
	set(q.timestamp != nil, flagTimestamp)
	set(q.keyspace != "", flagKeyspace)
	set(q.now != nil, flagNow)
	return f
}

func appendFlags(dst []byte, version byte, f uint32) []byte {
	if version >= 5 {
		return binary.BigEndian.AppendUint32(dst, f)
	}
	return append(dst, byte(f))
}

// appendParameters appends <query_parameters>.
func (q *request) appendParameters(dst []byte, version byte) []byte {
	f := q.flags()
	dst = binary.BigEndian.AppendUint16(dst, q.level)
	dst = appendFlags(dst, version, f)
	if f&flagValues != 0 {
		dst = q.appendValues(dst)
	}
	if f&flagPageSize != 0 {
		dst = binary.BigEndian.AppendUint32(dst, uint32(q.page))
	}
	if f&flagState != 0 {
		dst = appendBytes(dst, q.state)
	}
	return q.appendTail(dst, f)
}

func (q *request) appendValues(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(q.values)))
	for i, v := range q.values {
		if q.names != nil {
			dst = appendString(dst, q.names[i])
		}
		if q.unset[i] {
			dst = binary.BigEndian.AppendUint32(dst, 0xFFFFFFFE)
		} else {
			dst = appendBytes(dst, v)
		}
	}
	return dst
}

// appendTail appends what QUERY and BATCH have alike behind the paging fields.
func (q *request) appendTail(dst []byte, f uint32) []byte {
	if f&flagSerial != 0 {
		dst = binary.BigEndian.AppendUint16(dst, q.serial)
	}
	if f&flagTimestamp != 0 {
		dst = binary.BigEndian.AppendUint64(dst, uint64(*q.timestamp))
	}
	if f&flagKeyspace != 0 {
		dst = appendString(dst, q.keyspace)
	}
	if f&flagNow != 0 {
		dst = binary.BigEndian.AppendUint32(dst, uint32(*q.now))
	}
	return dst
}
