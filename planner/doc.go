// Package planner turns a parsed statement and a schema into a Plan: names become columns, WHERE becomes partition keys,
// slices and filters, bind markers get types. A Plan is immutable and shared; what one execution brings (bound values, the
// text of literals, the clock) is an Env.
//
// Its nouns: Plan, Term (a value that an execution computes without a row), Selector (one that it computes from a row) and
// Restrictions (a WHERE clause).
//
// Floor: above cql/schema, cql/token, cql/types, parser/ast, planner/function, storage/request.
// Source: org.apache.cassandra.cql3.statements, cql3.restrictions, cql3.selection.
package planner
