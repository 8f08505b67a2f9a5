package row

import "github.com/helenusdb/helenus/cql/token"

// Marker is a place in a partition where the deletion of ranges changes, in the order of reading. In one partition of one
// source markers ascend strictly, and what a marker opens the next one closes; the last one opens nothing.
type Marker struct {
	Cut
	// Closed is the deletion that ends here, Opened the one that begins; Live for none.
	Closed, Opened Deletion
}

// Unfiltered is what stands in a partition behind its head: a row, or a marker. Source: org.apache.cassandra.db.rows.Unfiltered.
type Unfiltered struct {
	// Row is nil for a marker. Its deletion is its own: that of the partition and of ranges is not repeated in it, and what
	// these hide may be there or not.
	Row    *Row
	Marker Marker
}

// Unfiltereds are the rows and markers of a partition, in clustering order or, when it is read backwards, in the reverse of it
// (then a marker's Closed is still what ends there in the order of reading).
type Unfiltereds interface {
	// Next returns the next row or marker, valid until the next call; nil at the end and after an error.
	Next() *Unfiltered
	// Err returns what ended the walk early.
	Err() error
}

// Partition is a partition as one source has it, or as a merge of several gives it. It is used by one goroutine, and what it
// holds is valid until its Source gives the next one or is closed.
type Partition struct {
	Key      []byte
	Token    token.Token
	Deletion Deletion
	// Static is nil when there is none or it is empty.
	Static *Row
	Rows   Unfiltereds
}

// Source gives partitions as they are stored, deletions of all kinds included, each once and in the order of token and key:
// a memtable, a table on disk, a merge of these. It is used by one goroutine:
//
//	for p := s.Next(); p != nil; p = s.Next() {
//		for u := p.Rows.Next(); u != nil; u = p.Rows.Next() { ... }
//		err := p.Rows.Err()
//	}
//	err := s.Err()
//	s.Close()
//
// Next may be called before the rows of the last partition are at their end.
type Source interface {
	Next() *Partition
	Err() error
	Close()
}
