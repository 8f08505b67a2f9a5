// Package system is the tables that the server itself defines: their definitions, what the node shows in them, and how a read
// of such rows is answered.
//
// Three kinds: generated tables (system, system_schema) and virtual ones (system_views, system_virtual_schema) have rows that
// are made when they are read; stored ones (system_traces, system_auth, system_distributed) are kept by the engine like any
// other table.
//
// Floor: above cql, cql/schema, cql/types, cql/token, storage/row, storage/request.
// Source: org.apache.cassandra.db.SystemKeyspace, schema.SchemaKeyspace, tracing.TraceKeyspace, auth.AuthKeyspace,
// schema.SystemDistributedKeyspace, db.virtual.
package system
