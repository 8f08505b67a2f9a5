// Package gocqlv2 does the checks with gocql v2 (github.com/apache/cassandra-gocql-driver/v2).
//
// checks.go is made from that of gocqlv1 by go generate; what differs is here.
package gocqlv2

import (
	"fmt"

	"github.com/apache/cassandra-gocql-driver/v2"
	"github.com/apache/cassandra-gocql-driver/v2/lz4"
	"github.com/apache/cassandra-gocql-driver/v2/snappy"
)

//go:generate sh -c "./generate.sh > checks.go.new && mv checks.go.new checks.go"

// Name is the client in the table.
const Name = "gocql2"

// Versions are the protocol versions that the driver speaks.
var Versions = []int{0, 3, 4, 5}

func compressor(name string) (gocql.Compressor, error) {
	switch name {
	case "", "none":
		return nil, nil
	case "snappy":
		return snappy.SnappyCompressor{}, nil
	case "lz4":
		return lz4.LZ4Compressor{}, nil
	}
	return nil, fmt.Errorf("no compression %s", name)
}

// batch runs a batch of statements with their values.
func batch(s *gocql.Session, kind gocql.BatchType, statements []statement) error {
	b := s.Batch(kind)
	for _, st := range statements {
		b.Query(st.text, st.values...)
	}
	return b.Exec()
}

// vectors says whether the driver knows the vector type.
const vectors = true
