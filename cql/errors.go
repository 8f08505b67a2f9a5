package cql

import (
	"encoding/hex"
	"fmt"
	"net/netip"
)

// ErrorCode is the code of an ERROR message. Source: native_protocol_v5.spec 9.
type ErrorCode uint32

// The codes of the protocol. No other code is ever sent: drivers take an unknown one for a broken frame.
const (
	CodeServer          ErrorCode = 0x0000
	CodeProtocol        ErrorCode = 0x000A
	CodeCredentials     ErrorCode = 0x0100
	CodeUnavailable     ErrorCode = 0x1000
	CodeOverloaded      ErrorCode = 0x1001
	CodeBootstrapping   ErrorCode = 0x1002
	CodeTruncate        ErrorCode = 0x1003
	CodeWriteTimeout    ErrorCode = 0x1100
	CodeReadTimeout     ErrorCode = 0x1200
	CodeReadFailure     ErrorCode = 0x1300
	CodeFunctionFailure ErrorCode = 0x1400
	CodeWriteFailure    ErrorCode = 0x1500
	CodeCDCWrite        ErrorCode = 0x1600
	CodeCASUnknown      ErrorCode = 0x1700
	CodeSyntax          ErrorCode = 0x2000
	CodeUnauthorized    ErrorCode = 0x2100
	CodeInvalid         ErrorCode = 0x2200
	CodeConfig          ErrorCode = 0x2300
	CodeAlreadyExists   ErrorCode = 0x2400
	CodeUnprepared      ErrorCode = 0x2500
)

// Error is an answer to the client: a code, Cassandra's text, and the fields that the code carries beside them.
// It is written where the fact is known and encoded in one place (wire.AppendError).
type Error struct {
	Code    ErrorCode
	Message string
	// Detail holds the code's further fields, or nil where it has none. Its type follows Code:
	// Unavailable, WriteTimeout, ReadTimeout, ReadFailure, WriteFailure, FunctionFailure, CASUnknown,
	// AlreadyExists, Unprepared.
	Detail Detail
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Detail is the set of structs that Error.Detail may hold.
type Detail interface{ errorDetail() }

// WriteType says what kind of write failed. Source: org.apache.cassandra.db.WriteType.
type WriteType string

// The write types; drivers' retry policies branch on them.
const (
	WriteSimple        WriteType = "SIMPLE"
	WriteBatch         WriteType = "BATCH"
	WriteUnloggedBatch WriteType = "UNLOGGED_BATCH"
	WriteCounter       WriteType = "COUNTER"
	WriteBatchLog      WriteType = "BATCH_LOG"
	WriteCAS           WriteType = "CAS"
	WriteView          WriteType = "VIEW"
	WriteCDC           WriteType = "CDC"
)

// FailureReason says why a replica failed. Source: org.apache.cassandra.exceptions.RequestFailureReason.
type FailureReason uint16

// The reasons of the protocol.
const (
	ReasonUnknown            FailureReason = 0
	ReasonTooManyTombstones  FailureReason = 1
	ReasonTimeout            FailureReason = 2
	ReasonIncompatibleSchema FailureReason = 3
	ReasonReadSize           FailureReason = 4
	ReasonNodeDown           FailureReason = 5
	ReasonIndexNotAvailable  FailureReason = 6
	ReasonTooManyIndexes     FailureReason = 7
)

var reasonNames = [...]string{
	"UNKNOWN", "READ_TOO_MANY_TOMBSTONES", "TIMEOUT", "INCOMPATIBLE_SCHEMA", "READ_SIZE", "NODE_DOWN", "INDEX_NOT_AVAILABLE", "READ_TOO_MANY_INDEXES",
}

// String returns Cassandra's name of the reason.
func (r FailureReason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return "UNKNOWN"
}

// Failure is one replica's failure.
type Failure struct {
	Endpoint netip.AddrPort
	Reason   FailureReason
}

// Unavailable says that fewer replicas are alive than the level needs.
type Unavailable struct {
	Consistency     Consistency
	Required, Alive int
}

// WriteTimeout says that the level was not met in time. Contentions is sent in v5 for WriteCAS alone.
type WriteTimeout struct {
	Consistency                     Consistency
	Received, BlockFor, Contentions int
	Type                            WriteType
}

// ReadTimeout says that the level was not met in time.
type ReadTimeout struct {
	Consistency        Consistency
	Received, BlockFor int
	DataPresent        bool
}

// ReadFailure says that replicas answered with errors.
type ReadFailure struct {
	Consistency        Consistency
	Received, BlockFor int
	Failures           []Failure
	DataPresent        bool
}

// WriteFailure says that replicas failed a write.
type WriteFailure struct {
	Consistency        Consistency
	Received, BlockFor int
	Failures           []Failure
	Type               WriteType
}

// FunctionFailure says that a function or an arithmetic operator failed.
type FunctionFailure struct {
	Keyspace, Function string
	ArgTypes           []string
}

// CASUnknown says that a proposal was accepted by a minority.
type CASUnknown struct {
	Consistency        Consistency
	Received, BlockFor int
}

// AlreadyExists names what exists; Table is empty for a keyspace.
type AlreadyExists struct{ Keyspace, Table string }

// Unprepared names a statement that is not there; ID is the id that the client executed, byte for byte.
type Unprepared struct{ ID []byte }

func (*Unavailable) errorDetail()     {}
func (*WriteTimeout) errorDetail()    {}
func (*ReadTimeout) errorDetail()     {}
func (*ReadFailure) errorDetail()     {}
func (*WriteFailure) errorDetail()    {}
func (*FunctionFailure) errorDetail() {}
func (*CASUnknown) errorDetail()      {}
func (*AlreadyExists) errorDetail()   {}
func (*Unprepared) errorDetail()      {}

// Invalidf returns an InvalidRequestException (0x2200).
func Invalidf(format string, args ...any) *Error { return errorf(CodeInvalid, format, args) }

// Syntaxf returns a SyntaxException (0x2000).
func Syntaxf(format string, args ...any) *Error { return errorf(CodeSyntax, format, args) }

// Configf returns a ConfigurationException (0x2300).
func Configf(format string, args ...any) *Error { return errorf(CodeConfig, format, args) }

// Protocolf returns a ProtocolException (0x000A).
func Protocolf(format string, args ...any) *Error { return errorf(CodeProtocol, format, args) }

// Unauthorizedf returns an UnauthorizedException (0x2100).
func Unauthorizedf(format string, args ...any) *Error { return errorf(CodeUnauthorized, format, args) }

// Serverf returns a ServerError (0x0000): a fault of ours, never for a user's mistake.
func Serverf(format string, args ...any) *Error { return errorf(CodeServer, format, args) }

func errorf(code ErrorCode, format string, args []any) *Error {
	if len(args) == 0 {
		return &Error{Code: code, Message: format}
	}
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// UnavailableError returns 0x1000 with Cassandra's text. dc is empty unless the level counts one data center.
func UnavailableError(c Consistency, dc string, required, alive int) *Error {
	msg := "Cannot achieve consistency level " + c.String()
	if dc != "" {
		msg += " in DC " + dc
	}
	return &Error{CodeUnavailable, msg, &Unavailable{c, required, alive}}
}

// KeyspaceExists returns 0x2400 for a keyspace.
func KeyspaceExists(ks string) *Error {
	return &Error{CodeAlreadyExists, fmt.Sprintf("Cannot add existing keyspace %q", ks), &AlreadyExists{ks, ""}}
}

// TableExists returns 0x2400 for a table.
func TableExists(ks, table string) *Error {
	return &Error{
		CodeAlreadyExists, fmt.Sprintf("Cannot add already existing table %q to keyspace %q", table, ks),
		&AlreadyExists{ks, table},
	}
}

// UnpreparedError returns 0x2500; id is copied.
func UnpreparedError(id []byte) *Error {
	return &Error{
		CodeUnprepared, "Prepared query with ID " + hex.EncodeToString(id) + " not found (either the query was not prepared on this host " +
			"(maybe the host has been restarted?) or you have prepared too many queries and it has been evicted from the internal cache)",
		&Unprepared{append([]byte(nil), id...)},
	}
}

// FunctionError returns 0x1400 for the function ks.name of the given argument types, already printed as CQL.
func FunctionError(ks, name string, argTypes []string, message string) *Error {
	return &Error{CodeFunctionFailure, message, &FunctionFailure{ks, name, argTypes}}
}
