package wire

import (
	"encoding/binary"
	"strconv"

	"github.com/helenusdb/helenus/cql"
)

// Opcode is the kind of a message.
type Opcode uint8

// The opcodes. Source: native_protocol_v5.spec 2.4.
const (
	OpError         Opcode = 0x00
	OpStartup       Opcode = 0x01
	OpReady         Opcode = 0x02
	OpAuthenticate  Opcode = 0x03
	OpCredentials   Opcode = 0x04 // version 1 alone; refused
	OpOptions       Opcode = 0x05
	OpSupported     Opcode = 0x06
	OpQuery         Opcode = 0x07
	OpResult        Opcode = 0x08
	OpPrepare       Opcode = 0x09
	OpExecute       Opcode = 0x0A
	OpRegister      Opcode = 0x0B
	OpEvent         Opcode = 0x0C
	OpBatch         Opcode = 0x0D
	OpAuthChallenge Opcode = 0x0E
	OpAuthResponse  Opcode = 0x0F
	OpAuthSuccess   Opcode = 0x10
)

var opcodeNames = [...]string{
	"ERROR", "STARTUP", "READY", "AUTHENTICATE", "CREDENTIALS", "OPTIONS", "SUPPORTED", "QUERY", "RESULT", "PREPARE", "EXECUTE",
	"REGISTER", "EVENT", "BATCH", "AUTH_CHALLENGE", "AUTH_RESPONSE", "AUTH_SUCCESS",
}

// Known reports whether the protocol defines o.
func (o Opcode) Known() bool { return int(o) < len(opcodeNames) }

// String returns Cassandra's name of o.
func (o Opcode) String() string {
	if o.Known() {
		return opcodeNames[o]
	}
	return "Opcode(" + strconv.Itoa(int(o)) + ")"
}

// IsRequest reports whether clients send o.
func (o Opcode) IsRequest() bool {
	switch o {
	case OpStartup, OpCredentials, OpOptions, OpQuery, OpPrepare, OpExecute, OpRegister, OpBatch, OpAuthResponse:
		return true
	}
	return false
}

// Traceable reports whether the tracing flag means something on a request of kind o.
func (o Opcode) Traceable() bool {
	return o == OpQuery || o == OpPrepare || o == OpExecute || o == OpBatch
}

// Flags are the flags of an envelope's header.
type Flags uint8

// The header flags. Source: native_protocol_v5.spec 2.2.
const (
	FlagCompressed    Flags = 0x01 // v3 and v4; without meaning in v5
	FlagTracing       Flags = 0x02
	FlagCustomPayload Flags = 0x04
	FlagWarning       Flags = 0x08
	FlagBeta          Flags = 0x10
)

// HeaderSize is the size of an envelope's header in bytes.
const HeaderSize = 9

// EventStream is the stream id of events.
const EventStream int16 = -1

// Header is an envelope's header: version and direction byte, flags byte, stream [short], opcode byte, length [int].
type Header struct {
	Version  cql.Version
	Response bool // the direction bit
	Flags    Flags
	Stream   int16
	Opcode   Opcode
	Length   int32 // of the body in bytes; as the peer sent it, so it may be negative
}

// DecodeHeader reads the first HeaderSize bytes of b, which must be there. It checks nothing.
func DecodeHeader(b []byte) Header {
	_ = b[HeaderSize-1]
	return Header{
		Version:  cql.Version(b[0] & 0x7f),
		Response: b[0]&0x80 != 0,
		Flags:    Flags(b[1]),
		Stream:   int16(binary.BigEndian.Uint16(b[2:])),
		Opcode:   Opcode(b[4]),
		Length:   int32(binary.BigEndian.Uint32(b[5:])),
	}
}

// AppendHeader appends h.
func AppendHeader(dst []byte, h Header) []byte {
	var b [HeaderSize]byte
	putHeader(b[:], h)
	return append(dst, b[:]...)
}

func putHeader(b []byte, h Header) {
	_ = b[HeaderSize-1]
	b[0] = byte(h.Version)
	if h.Response {
		b[0] |= 0x80
	}
	b[1] = byte(h.Flags)
	binary.BigEndian.PutUint16(b[2:], uint16(h.Stream))
	b[4] = byte(h.Opcode)
	binary.BigEndian.PutUint32(b[5:], uint32(h.Length))
}

// Envelope is one message as it came: a header and a body, decompressed, a request's custom payload taken off.
// Body is a view of the decoder's input, or of memory of the decoder when Copied is true (see Decoder.Abandon).
type Envelope struct {
	Header
	Body   []byte
	Copied bool
}

// supportedVersions is the list of versions as errors print it. Deviation: Cassandra 5.0.6 names 6/v6-beta as well.
const supportedVersions = "3/v3, 4/v4, 5/v5"

// VersionError returns the answer to a version that is not spoken. Java, Python and Node.js drivers match on its text.
func VersionError(v cql.Version) *cql.Error {
	return cql.Protocolf("Invalid or unsupported protocol version (%d); supported versions are (%s)", int(v), supportedVersions)
}

// AppendLegacyError appends err as an ERROR in the 8-byte header format of versions 1 and 2, with stream 0.
func AppendLegacyError(dst []byte, v cql.Version, err *cql.Error) []byte {
	dst = append(dst, 0x80|byte(v), 0, 0, byte(OpError))
	at := len(dst)
	dst = AppendInt(dst, 0)
	dst = AppendString(AppendInt(dst, int32(err.Code)), err.Message)
	setInt(dst, at, int32(len(dst)-at-4))
	return dst
}
