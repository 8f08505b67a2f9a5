package sstable

import (
	"hash/crc32"
	"math"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// maxStatistics bounds Statistics.db, which is read whole. What can grow in it are names of columns and types.
const maxStatistics = 16 << 20

// Statistics is what Statistics.db says. Source: org.apache.cassandra.io.sstable.metadata.MetadataSerializer.
type Statistics struct {
	// Partitioner is the class whose tokens order the table; LocalPartitioner for the table of an index.
	Partitioner  string
	FilterChance float64
	Cardinality  []byte // a HyperLogLog++ of the keys, not looked into
	Stats        Stats
	Header       Header
}

// LogPosition is a place in the commit log of the node that wrote the table.
type LogPosition struct {
	Segment int64
	Offset  int32
}

// Bucket counts the values up to Offset and above that of the bucket before.
type Bucket struct{ Offset, Count int64 }

// DropTime counts the tombstones of about one local deletion time.
type DropTime struct {
	Second float64 // since 1970
	Count  int64
}

// Stats is the component STATS. Source: org.apache.cassandra.io.sstable.metadata.StatsMetadata.
type Stats struct {
	PartitionSizes, PartitionCells []Bucket
	LogUpper, LogLower             LogPosition
	LogIntervals                   [][2]LogPosition
	MinTimestamp, MaxTimestamp     int64
	MinLocal, MaxLocal             int64 // row.NoLocal for none
	MinTTL, MaxTTL                 int32
	CompressionRatio               float64 // -1 when not compressed
	DropTimes                      []DropTime
	Level                          int32
	RepairedAt                     int64 // milliseconds since 1970; 0 when not repaired
	// MinClustering and MaxClustering are prefixes of the lowest and highest clustering or bound; in oa and da Covered holds
	// them with their kinds.
	MinClustering, MaxClustering [][]byte
	Covered                      *Covered
	LegacyCounters               bool
	Columns, Rows                int64
	PendingRepair                *schema.UUID
	Transient                    bool
	HostID                       *schema.UUID
	// The rest is of oa and da: PartitionDeletions is true before, FirstKey and LastKey nil, TokenCoverage NaN.
	PartitionDeletions bool
	FirstKey, LastKey  []byte
	TokenCoverage      float64
}

// Covered is the slice of clusterings that a table of version oa or da covers.
type Covered struct {
	Types      []string
	Start, End Bound
}

// The components of Statistics.db by their numbers.
const (
	statValidation = iota
	statCompaction
	statStats
	statHeader
	statComponents
)

// readStatistics reads and checks Statistics.db.
func readStatistics(fsys vfs.FS, dir string, d Descriptor) (*Statistics, error) {
	name := d.File(CompStatistics)
	b, err := readSmall(fsys, dir, name, maxStatistics)
	if err != nil {
		return nil, err
	}
	return parseStatistics(b, name, d.Version)
}

// parseStatistics reads the components by the table at the start, in whatever order they stand.
func parseStatistics(b []byte, name string, v Version) (*Statistics, error) {
	c := cursor{b: b, file: name}
	n := c.count32(8)
	if v.checksums() {
		c.checksum(b[:min(4, len(b))])
	}
	var offsets [statComponents]int
	var starts []int
	for range n {
		at := c.at()
		kind, off := c.i32(), int(c.i32())
		if c.err != nil {
			break
		}
		if kind < 0 || kind >= statComponents || offsets[kind] != 0 {
			return nil, corrupt(name, at, "component %d is not known, or there twice", kind)
		}
		if off <= 0 || off > len(b) {
			return nil, corrupt(name, at+4, "component %d cannot stand at %d of %d bytes", kind, off, len(b))
		}
		offsets[kind] = off
		starts = append(starts, off)
	}
	if v.checksums() && c.err == nil {
		c.checksum(b[:4], b[8:c.i])
	}
	if c.err != nil {
		return nil, c.err
	}
	s := &Statistics{FilterChance: math.NaN()}
	for kind, off := range offsets {
		if off == 0 {
			if kind == statCompaction {
				continue
			}
			return nil, corrupt(name, 0, "component %d is missing", kind)
		}
		end := len(b)
		for _, o := range starts {
			if o > off {
				end = min(end, o)
			}
		}
		if off < c.i {
			return nil, corrupt(name, int64(off), "component %d stands in the table of components", kind)
		}
		part := cursor{b: b[off:end], file: name, base: int64(off)}
		if v.checksums() {
			part.trailer()
		}
		s.parse(&part, kind, v)
		if part.err != nil {
			return nil, part.err
		}
	}
	return s, nil
}

// checksum takes a CRC32 and compares it with that of parts.
func (c *cursor) checksum(parts ...[]byte) {
	h := crc32.NewIEEE()
	for _, p := range parts {
		h.Write(p)
	}
	if stored := c.u32(); c.err == nil && stored != h.Sum32() {
		c.i -= 4
		c.fail("checksum %08x, stored %08x", h.Sum32(), stored)
	}
}

// trailer takes the CRC32 at the end of b off.
func (c *cursor) trailer() {
	n := len(c.b) - 4
	if n < 0 {
		c.fail("no room for a checksum")
		return
	}
	end := *c
	end.i = n
	if end.checksum(c.b[:n]); end.err != nil {
		c.err = end.err
	}
	c.b = c.b[:n]
}

func (s *Statistics) parse(c *cursor, kind int, v Version) {
	switch kind {
	case statValidation:
		s.Partitioner, s.FilterChance = c.utf(), c.f64()
	case statCompaction:
		if c.left() > 0 {
			s.Cardinality = c.take(c.count32(1))
		}
	case statStats:
		s.Stats.parse(c, v)
	case statHeader:
		s.Header.parse(c)
	}
}

func parseBuckets(c *cursor) []Bucket {
	n := c.count32(16)
	buckets := make([]Bucket, n)
	for i := range buckets {
		buckets[i] = Bucket{c.i64(), c.i64()}
	}
	return buckets
}

func parseLogPosition(c *cursor) LogPosition { return LogPosition{c.i64(), c.i32()} }

// statLocal reads a local deletion time of the statistics.
func statLocal(c *cursor, v Version) int64 { return localOf(c.u32(), v) }

// localOf turns a stored local deletion time into seconds. What is not below the last second that can be stored means none.
func localOf(u uint32, v Version) int64 {
	if u == math.MaxUint32 || u == math.MaxInt32 && !v.modern() {
		return row.NoLocal
	}
	return int64(u)
}

func (s *Stats) parse(c *cursor, v Version) {
	s.PartitionSizes, s.PartitionCells = parseBuckets(c), parseBuckets(c)
	s.LogUpper = parseLogPosition(c)
	s.MinTimestamp, s.MaxTimestamp = c.i64(), c.i64()
	s.MinLocal, s.MaxLocal = statLocal(c, v), statLocal(c, v)
	s.MinTTL, s.MaxTTL = c.i32(), c.i32()
	s.CompressionRatio = c.f64()
	s.parseDropTimes(c, v)
	s.Level, s.RepairedAt = c.i32(), c.i64()
	if v.modern() {
		s.Covered = parseCovered(c)
	} else {
		s.MinClustering, s.MaxClustering = parsePrefix(c), parsePrefix(c)
	}
	s.LegacyCounters = c.u8() != 0
	s.Columns, s.Rows = c.i64(), c.i64()
	if v.logLowerBound() {
		s.LogLower = parseLogPosition(c)
	}
	if v.logIntervals() {
		for range c.count32(24) {
			s.LogIntervals = append(s.LogIntervals, [2]LogPosition{parseLogPosition(c), parseLogPosition(c)})
		}
	}
	if v.checksums() {
		s.PendingRepair = parseUUID(c)
		s.Transient = c.u8() != 0
	}
	if v.hostID() {
		s.HostID = parseUUID(c)
	}
	s.PartitionDeletions, s.TokenCoverage = true, math.NaN()
	if v.modern() {
		s.PartitionDeletions = c.u8() != 0
		s.FirstKey, s.LastKey = c.vbytes(), c.vbytes()
		s.TokenCoverage = c.f64()
	}
}

func (s *Stats) parseDropTimes(c *cursor, v Version) {
	c.i32() // the most bins that the histogram may have
	size := 16
	if v.modern() {
		size = 12
	}
	n := c.count32(size)
	s.DropTimes = make([]DropTime, n)
	for i := range s.DropTimes {
		if v.modern() {
			s.DropTimes[i] = DropTime{float64(c.i64()), int64(c.i32())}
		} else {
			s.DropTimes[i] = DropTime{c.f64(), c.i64()}
		}
	}
}

// parsePrefix reads the values of a clustering prefix as short byte strings.
func parsePrefix(c *cursor) [][]byte {
	values := make([][]byte, c.count32(2))
	for i := range values {
		values[i] = c.sbytes()
	}
	return values
}

func parseUUID(c *cursor) *schema.UUID {
	if c.u8() == 0 || c.err != nil {
		return nil
	}
	b := c.take(16)
	if b == nil {
		return nil
	}
	id := schema.UUID(b)
	return &id
}

func parseCovered(c *cursor) *Covered {
	s := &Covered{}
	n := c.count(1)
	var values []valueType
	for range n {
		at := c.at()
		name := string(c.vbytes())
		s.Types = append(s.Types, name)
		if c.err != nil {
			return nil
		}
		t, err := parseColumnType(name)
		if err != nil {
			c.err = corrupt(c.file, at, "%v", err)
			return nil
		}
		values = append(values, valueTypeOf(t.typ))
	}
	s.Start, s.End = parseBound(c, nil, values), parseBound(c, nil, values)
	return s
}
