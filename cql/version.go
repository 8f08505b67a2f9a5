package cql

import "strconv"

// Version is a native protocol version as it stands in the first byte of an envelope, without the direction bit.
type Version uint8

// The versions that the server speaks.
const (
	V3 Version = 3
	V4 Version = 4
	V5 Version = 5
)

// Supported reports whether the server speaks v.
func (v Version) Supported() bool { return v >= V3 && v <= V5 }

// String returns the form that Cassandra prints: "4/v4".
func (v Version) String() string {
	n := strconv.Itoa(int(v))
	return n + "/v" + n
}

// What the server reports of itself to clients (spec: protocol.md 1.9, cql.md 3.1).
const (
	// ReleaseVersion is what system.local.release_version shows; drivers choose schema parsers by it.
	ReleaseVersion = "5.0.6"
	// LanguageVersion is the CQL version of system.local.cql_version and SUPPORTED.
	LanguageVersion = "3.4.7"
)
