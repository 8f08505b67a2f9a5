#!/bin/sh
# Makes checks.go from that of gocqlv1: the drivers' names are the same but for their import path.
cd "$(dirname "$0")" || exit 1
{
  echo "// Code generated from ../gocqlv1/checks.go by go generate. DO NOT EDIT."
  echo
  sed -e 's,^package gocqlv1,package gocqlv2,' \
    -e 's,github.com/gocql/gocql,github.com/apache/cassandra-gocql-driver/v2,' ../gocqlv1/checks.go
} | gofmt
