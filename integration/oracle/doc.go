// Package oracle lets a real Cassandra judge Helenus. It runs CQL scripts against any CQL server over a raw client of
// its own, writes down everything a client could notice of each answer (result kind, column names and types as sent,
// rows, page boundaries, warnings, error code, fields and text, schema change and the event pushed for it) as lines of
// text, and compares such recordings.
//
// Its nouns: a Script is a file of statements with directives; an Answer is what one statement got, as lines; a Recording
// is the answers of one script, kept beside it (x.cql, x.answers); a Deviation is a difference on purpose, a row of
// DEVIATIONS.md.
//
// It shares no code with the server, so that a misreading of the protocol cannot hide by being made twice.
package oracle
