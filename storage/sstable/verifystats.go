package sstable

import (
	"math"

	"github.com/helenusdb/helenus/storage/row"
)

// seen gathers what the statistics tell of the data. Source: org.apache.cassandra.io.sstable.metadata.MetadataCollector.
type seen struct {
	partitions, rows, columns, cells int64
	minTimestamp, maxTimestamp       int64
	minLocal, maxLocal               int64
	minTTL, maxTTL                   int32
	ttls, partitionDeletions         bool
	timestamps, locals               bool
}

func newSeen() *seen {
	return &seen{minTimestamp: math.MaxInt64, maxTimestamp: math.MinInt64, minLocal: math.MaxInt64, maxLocal: math.MinInt64}
}

func (s *seen) time(ts int64) {
	s.timestamps = true
	s.minTimestamp, s.maxTimestamp = min(s.minTimestamp, ts), max(s.maxTimestamp, ts)
}

func (s *seen) local(l int64) {
	s.locals = true
	s.minLocal, s.maxLocal = min(s.minLocal, l), max(s.maxLocal, l)
}

func (s *seen) ttl(t int32) {
	if !s.ttls {
		s.minTTL, s.maxTTL, s.ttls = t, t, true
	}
	s.minTTL, s.maxTTL = min(s.minTTL, t), max(s.maxTTL, t)
}

func (s *seen) deletion(d row.Deletion) {
	if d.IsLive() {
		return
	}
	s.time(d.Timestamp)
	s.local(d.Local)
}

// head takes a partition's deletion and static row.
func (s *seen) head(p *partition) {
	s.partitions++
	s.partitionDeletions = s.partitionDeletions || !p.Deletion.IsLive()
	s.deletion(p.Deletion)
	if p.Static != nil {
		s.row(p.Static)
	}
}

func (s *seen) unfiltered(u *unfiltered) {
	if u.Row != nil {
		s.row(u.Row)
		return
	}
	s.deletion(u.Marker.Closed)
	s.deletion(u.Marker.Opened)
}

func (s *seen) row(r *row.Row) {
	s.rows++
	if l := r.Liveness; l.Timestamp != row.NoTimestamp {
		s.time(l.Timestamp)
		s.local(l.Expiry)
		s.ttl(l.TTL)
	}
	s.deletion(r.Deletion)
	for i := range r.Complex {
		s.deletion(r.Complex[i].Deletion)
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		s.cells++
		if i == 0 || r.Cells[i-1].Column != c.Column {
			s.columns++
		}
		s.time(c.Timestamp)
		s.local(c.Local)
		s.ttl(c.TTL)
	}
}

// compare compares what passed with Statistics.db.
func (s *seen) compare(r *Reader) error {
	st := &r.stats.Stats
	fail := func(what string, told, found any) error {
		return corrupt(r.desc.File(CompStatistics), 0, "%s is %v, the data has %v", what, told, found)
	}
	partitions := int64(0)
	for _, b := range st.PartitionSizes {
		partitions += b.Count
	}
	if partitions != s.partitions {
		return fail("the number of partitions", partitions, s.partitions)
	}
	if st.Rows != s.rows {
		return fail("the number of rows", st.Rows, s.rows)
	}
	if st.Columns != s.columns {
		return fail("the number of columns", st.Columns, s.columns)
	}
	if s.partitionDeletions && !st.PartitionDeletions {
		return fail("whether partitions are deleted", false, true)
	}
	if s.timestamps && (st.MinTimestamp != s.minTimestamp || st.MaxTimestamp != s.maxTimestamp) {
		return fail("the range of timestamps", [2]int64{st.MinTimestamp, st.MaxTimestamp}, [2]int64{s.minTimestamp, s.maxTimestamp})
	}
	if s.locals && (st.MinLocal != s.minLocal || st.MaxLocal != s.maxLocal) {
		return fail("the range of deletion times", [2]int64{st.MinLocal, st.MaxLocal}, [2]int64{s.minLocal, s.maxLocal})
	}
	if s.ttls && (st.MinTTL != s.minTTL || st.MaxTTL != s.maxTTL) {
		return fail("the range of TTLs", [2]int32{st.MinTTL, st.MaxTTL}, [2]int32{s.minTTL, s.maxTTL})
	}
	return nil
}
