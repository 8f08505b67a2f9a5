// Package cql holds the words that every other package speaks: protocol versions, consistency levels, the
// errors that a client can be answered with, and the positions and limits that they share.
//
// It is the ground floor: it imports nothing of ours. Source: native_protocol_v3/4/5.spec;
// org.apache.cassandra.db.ConsistencyLevel; org.apache.cassandra.exceptions.
package cql
