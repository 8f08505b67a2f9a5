// Package parser turns the text of one CQL statement into a tree of package ast.
//
// It has three nouns. Lex cuts the text into Tokens; it is written by hand, costs no allocation and behaves like Cassandra's
// generated lexer down to its failures. Shape is the text without its literals: the key of a cache of plans, so that the
// grammar runs once for each shape. Parse runs the grammar, which is written as participle structs on our tokens, with the
// parts that ordered choice cannot express as participle.Parseable, and builds the tree.
//
// Errors are *cql.Error with Cassandra's line, column and wording; positions are exact, snippets nearly.
//
// Floor: above cql and parser/ast. Source: org.apache.cassandra.cql3 Lexer.g and Parser.g of 5.0.
package parser
