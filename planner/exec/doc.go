// Package exec runs plans: it evaluates bound values, turns restrictions into reads and mutations, calls the Executor, and
// aggregates, orders, pages and projects what comes back.
//
// Floor: above planner, planner/function, cql/schema, cql/token, cql/types, storage/request, storage/row.
// Source: org.apache.cassandra.cql3.statements.SelectStatement, ModificationStatement; service.pager.
package exec
