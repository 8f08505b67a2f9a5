// Package sstables lets a real Cassandra judge the tables that Helenus writes, and Helenus those of Cassandra. Random schemas
// are filled by random statements on both; what each has written is then read by the other, by Cassandra's own tools, and
// served by it.
//
// Its nouns: a Schema is one table with its user types; a Judge is a running Cassandra with its tools.
package sstables
