// Package gocqlv1 does the checks with gocql v1 (github.com/gocql/gocql).
//
// checks.go is the same for both majors of the driver; what differs is here.
package gocqlv1

import (
	"fmt"

	"github.com/gocql/gocql"
)

// Name is the client in the table.
const Name = "gocql1"

// Versions are the protocol versions that the driver speaks; its own v5 is a beta of before the segments.
var Versions = []int{0, 3, 4}

func compressor(name string) (gocql.Compressor, error) {
	switch name {
	case "", "none":
		return nil, nil
	case "snappy":
		return gocql.SnappyCompressor{}, nil
	case "lz4":
		return lz4Compressor{}, nil
	}
	return nil, fmt.Errorf("no compression %s", name)
}

// batch runs a batch of statements with their values.
func batch(s *gocql.Session, kind gocql.BatchType, statements []statement) error {
	b := s.NewBatch(kind)
	for _, st := range statements {
		b.Query(st.text, st.values...)
	}
	return s.ExecuteBatch(b)
}

// vectors says whether the driver knows the vector type.
const vectors = false
