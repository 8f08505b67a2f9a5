// Package merge makes one of several sources of partitions: it merges what memtables and tables on disk have of the same
// partitions, purges what nobody needs any more, and gives readers rows.
//
// Sources and Partitions merge; Purge drops tombstones that are old enough; Names reads single rows from the newest sources
// alone; Rows is what a reader sees. All of them are lazy: they hold one item of each source.
//
// Floor: above storage/row. Source: org.apache.cassandra.db.rows.UnfilteredRowIterators and Row.Merger,
// db.partitions.PurgeFunction, db.SinglePartitionReadCommand; storage.md 2 and 5.1.
package merge

import (
	"bytes"

	"github.com/helenusdb/helenus/storage/row"
)

// Sources merges sources of one table's partitions into one, which closes them all. Partitions that several have are merged
// as by Partitions; the others pass as they are. A single source is returned as it is.
func Sources(l *row.Layout, list []row.Source) row.Source {
	if len(list) == 1 {
		return list[0]
	}
	return &sources{l: l, list: list}
}

// sources is the source behind Sources.
type sources struct {
	l     *row.Layout
	list  []row.Source
	queue queue[*row.Partition, keyOrder]
	begun bool
	spent []int // sources whose partition was given: the next call moves them on
	parts []*row.Partition
	rows  merger
	part  row.Partition
	err   error
}

// keyOrder orders partitions by token and key.
type keyOrder struct{}

func (keyOrder) compare(a, b *row.Partition) int {
	if c := a.Token.Compare(b.Token); c != 0 {
		return c
	}
	return bytes.Compare(a.Key, b.Key)
}

// Next implements row.Source.
func (s *sources) Next() *row.Partition {
	if !s.begun {
		s.begun = true
		for i := range s.list {
			s.advance(i)
		}
	}
	for _, i := range s.spent {
		s.advance(i)
	}
	s.spent = s.spent[:0]
	front := s.queue.front()
	if len(front) == 0 || s.err != nil {
		return nil
	}
	s.parts = s.parts[:0]
	for _, h := range front {
		s.spent = append(s.spent, h.from)
		s.parts = append(s.parts, h.item)
	}
	s.queue.drop(len(front))
	if len(s.parts) == 1 {
		return s.parts[0]
	}
	s.rows.merge(&s.part, s.l, s.parts, false)
	return &s.part
}

// advance takes the next partition of source i.
func (s *sources) advance(i int) {
	p := s.list[i].Next()
	if p != nil {
		s.queue.push(p, i)
	} else if err := s.list[i].Err(); err != nil && s.err == nil {
		s.err = err
	}
}

// Err implements row.Source.
func (s *sources) Err() error { return s.err }

// Close implements row.Source.
func (s *sources) Close() {
	for _, x := range s.list {
		x.Close()
	}
}
