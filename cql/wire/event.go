package wire

import (
	"net/netip"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// EventType is a kind of events that a client can register for; a set of them is the sum of their bits.
type EventType uint8

// The kinds of events. Cassandra knows TRACE_COMPLETE as well, which it never sends.
const (
	TopologyChange EventType = 1 << iota
	StatusChange
	SchemaChange
	TraceComplete
)

var eventNames = map[EventType]string{
	TopologyChange: "TOPOLOGY_CHANGE", StatusChange: "STATUS_CHANGE", SchemaChange: "SCHEMA_CHANGE", TraceComplete: "TRACE_COMPLETE",
}

// String returns the protocol's name of one kind.
func (t EventType) String() string { return eventNames[t] }

// The words of Event.Change and Event.Target.
const (
	NewNode     = "NEW_NODE"
	RemovedNode = "REMOVED_NODE"
	MovedNode   = "MOVED_NODE"
	NodeUp      = "UP"
	NodeDown    = "DOWN"

	Created = "CREATED"
	Updated = "UPDATED"
	Dropped = "DROPPED"

	TargetKeyspace  = "KEYSPACE"
	TargetTable     = "TABLE"
	TargetType      = "TYPE"
	TargetFunction  = "FUNCTION"
	TargetAggregate = "AGGREGATE"
)

// Event is an EVENT message, or (a SchemaChange) the result of DDL.
type Event struct {
	Type   EventType
	Change string
	// Address is the node's native address and port, of TopologyChange and StatusChange.
	Address netip.AddrPort
	// Target, Keyspace, Name and ArgTypes (of a FUNCTION or AGGREGATE, in CQL) are of SchemaChange. Name is empty
	// for a KEYSPACE.
	Target, Keyspace, Name string
	ArgTypes               []string
}

// AppendEvent appends e as the body of an EVENT.
func AppendEvent(dst []byte, v cql.Version, e *Event) []byte {
	dst = AppendString(dst, e.Type.String())
	if e.Type == SchemaChange {
		return appendSchemaChange(dst, v, e)
	}
	return AppendInet(AppendString(dst, e.Change), e.Address)
}

// appendSchemaChange appends what is common to the event and the result. A v3 client, which knows no functions, is
// told that the keyspace was updated, with an empty name behind it. Source: Event.SchemaChange.serializeEvent.
func appendSchemaChange(dst []byte, v cql.Version, e *Event) []byte {
	function := e.Target == TargetFunction || e.Target == TargetAggregate
	if function && v < cql.V4 {
		return AppendString(AppendString(AppendString(AppendString(dst, Updated), TargetKeyspace), e.Keyspace), "")
	}
	dst = AppendString(AppendString(AppendString(dst, e.Change), e.Target), e.Keyspace)
	if e.Target != TargetKeyspace {
		dst = AppendString(dst, e.Name)
	}
	if function {
		dst = AppendStringList(dst, e.ArgTypes)
	}
	return dst
}

// DecodeEvent reads the body of an EVENT.
func DecodeEvent(body []byte) (Event, error) {
	r := NewReader(body)
	e := Event{Type: readEventType(&r)}
	if e.Type == SchemaChange {
		readSchemaChange(&r, &e)
	} else {
		e.Change = r.String()
		e.Address = r.Inet()
	}
	return e, r.Err()
}

func readSchemaChange(r *Reader, e *Event) {
	e.Change, e.Target, e.Keyspace = r.String(), r.String(), r.String()
	if e.Target != TargetKeyspace {
		e.Name = r.String()
	}
	if e.Target == TargetFunction || e.Target == TargetAggregate {
		e.ArgTypes = r.StringList()
	}
}

func readEventType(r *Reader) EventType {
	name := r.StringBytes()
	for t, n := range eventNames {
		if strings.EqualFold(n, string(name)) {
			return t
		}
	}
	r.Fail(cql.Protocolf("Invalid value '%s' for Type", name))
	return 0
}

// DecodeRegister reads the body of a REGISTER: the kinds of events, as one set.
func DecodeRegister(body []byte) (EventType, error) {
	r := NewReader(body)
	var set EventType
	for range r.count(2, shortStringText) {
		set |= readEventType(&r)
		if r.err != nil {
			return 0, r.Err()
		}
	}
	return set, r.Err()
}

// AppendRegister appends the body of a REGISTER for the kinds in set.
func AppendRegister(dst []byte, set EventType) []byte {
	var names []string
	for t := TopologyChange; t <= TraceComplete; t <<= 1 {
		if set&t != 0 {
			names = append(names, t.String())
		}
	}
	return AppendStringList(dst, names)
}
