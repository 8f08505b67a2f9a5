// Package wire is the native protocol as bytes: envelopes, v5 segments, compression, and every message in both
// directions for versions 3, 4 and 5. It does no I/O and keeps no clock.
//
// Its nouns: Decoder takes envelopes out of a stream of bytes, Output gathers envelopes into what one write
// sends, Reader takes a message body apart, and Append* functions put one together. What a decoder returns are
// views of the bytes that it was given; they are copied by whoever keeps them.
//
// Floor: cql and cql/types. Source: native_protocol_v3/4/5.spec, org.apache.cassandra.transport, and what
// Cassandra 5.0.6 was seen to send.
package wire
