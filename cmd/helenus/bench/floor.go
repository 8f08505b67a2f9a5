package bench

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
)

// ServeFloor answers the load of this package with the least any server could do: it stores nothing, answers every EXECUTE with
// the same bytes (VOID for a write, one row for a read) and writes once for all requests of a read. Its speed is the limit that
// client, loopback and Go's network stack set. It returns when the listener is closed.
func ServeFloor(l net.Listener, valueBytes int) error {
	row := floorRow(valueBytes)
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go serveFloor(c, row)
	}
}

// floorRow is a RESULT of one row without metadata: pk, ck and v.
func floorRow(valueBytes int) []byte {
	b := wire.AppendInt(nil, 2) // rows
	b = wire.AppendInt(b, 4)    // no metadata
	b = wire.AppendInt(b, 3)
	b = wire.AppendInt(b, 1)
	b = wire.AppendBytes(b, make([]byte, 8))
	b = wire.AppendBytes(b, make([]byte, 8))
	return wire.AppendBytes(b, make([]byte, valueBytes))
}

func serveFloor(c net.Conn, row []byte) {
	defer c.Close()
	r, w := bufio.NewReaderSize(c, 64<<10), bufio.NewWriterSize(c, 64<<10)
	void := wire.AppendInt(nil, 1)
	var h [headerBytes]byte
	var body []byte
	for {
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint32(h[5:]))
		if h[0] != byte(cql.V4) || n > maxReply {
			return
		}
		if cap(body) < n {
			body = make([]byte, n)
		}
		body = body[:n]
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		op, answer := wire.OpResult, void
		switch wire.Opcode(h[4]) {
		case wire.OpExecute:
			if body[2] == 'r' { // the id says what it was prepared for
				answer = row
			}
		case wire.OpStartup:
			op, answer = wire.OpReady, nil
		case wire.OpPrepare:
			answer = floorPrepared(body)
		}
		h[0] |= 0x80
		h[4] = byte(op)
		binary.BigEndian.PutUint32(h[5:], uint32(len(answer)))
		_, _ = w.Write(h[:])
		_, _ = w.Write(answer)
		if r.Buffered() < headerBytes && w.Flush() != nil {
			return
		}
	}
}

// floorPrepared answers PREPARE with an id that starts with r for a SELECT and with w for anything else.
func floorPrepared(body []byte) []byte {
	id := []byte("w-floor")
	if bytes.HasPrefix(body[4:], []byte("SELECT")) {
		id[0] = 'r'
	}
	b := wire.AppendInt(nil, 4) // prepared
	b = wire.AppendShortBytes(b, id)
	b = wire.AppendInt(b, 0)
	b = wire.AppendInt(b, 0)
	b = wire.AppendInt(b, 0)
	b = wire.AppendInt(b, 4)
	return wire.AppendInt(b, 0)
}
