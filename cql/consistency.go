package cql

import "strconv"

// Consistency is a consistency level by its wire code. Source: org.apache.cassandra.db.ConsistencyLevel.
type Consistency uint16

// The consistency levels, numbered as on the wire.
const (
	Any Consistency = iota
	One
	Two
	Three
	Quorum
	All
	LocalQuorum
	EachQuorum
	Serial
	LocalSerial
	LocalOne
	NodeLocal
)

var consistencyNames = [...]string{
	"ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_QUORUM", "EACH_QUORUM", "SERIAL", "LOCAL_SERIAL", "LOCAL_ONE", "NODE_LOCAL",
}

// Valid reports whether c is a code that the protocol defines.
func (c Consistency) Valid() bool { return int(c) < len(consistencyNames) }

// String returns Cassandra's name of the level.
func (c Consistency) String() string {
	if c.Valid() {
		return consistencyNames[c]
	}
	return "Consistency(" + strconv.Itoa(int(c)) + ")"
}

// IsSerial reports whether c is SERIAL or LOCAL_SERIAL.
func (c Consistency) IsSerial() bool { return c == Serial || c == LocalSerial }

// IsLocal reports whether c counts replicas of the coordinator's data center alone.
func (c Consistency) IsLocal() bool { return c == LocalOne || c == LocalQuorum || c == LocalSerial }

// ParseConsistency returns the level of a name in any case; ok is false for an unknown one.
func ParseConsistency(name string) (c Consistency, ok bool) {
	for i, n := range consistencyNames {
		if equalFold(n, name) {
			return Consistency(i), true
		}
	}
	return 0, false
}

// equalFold compares ASCII names without regard to case.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if 'a' <= x && x <= 'z' {
			x -= 'a' - 'A'
		}
		if 'a' <= y && y <= 'z' {
			y -= 'a' - 'A'
		}
		if x != y {
			return false
		}
	}
	return true
}
