package sstable

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/row"
)

// appendUTF appends a string behind its length, as Java's writeUTF does for what both encodings share.
func appendUTF(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...)
}

// appendVBytes appends a string behind its variable length.
func appendVBytes(dst []byte, s string) []byte { return append(appendVint(dst, uint64(len(s))), s...) }

// storedLocal is a local deletion time as version nb has it: what lies behind its end is moved there.
func storedLocal(second int64) uint32 {
	if second == row.NoLocal {
		return math.MaxInt32
	}
	return uint32(max(min(second, math.MaxInt32-1), math.MinInt32))
}

// appendStatistics appends the content of a Statistics.db of version nb.
func appendStatistics(dst []byte, s *Statistics) []byte {
	parts := make([][]byte, statComponents)
	parts[statValidation] = appendUint64(appendUTF(nil, s.Partitioner), math.Float64bits(s.FilterChance))
	parts[statCompaction] = append(binary.BigEndian.AppendUint32(nil, uint32(len(s.Cardinality))), s.Cardinality...)
	parts[statStats] = s.Stats.appendTo(nil)
	parts[statHeader] = s.Header.appendTo(nil)
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, statComponents)
	sum := crc32.ChecksumIEEE(dst[start:])
	dst = binary.BigEndian.AppendUint32(dst, sum)
	table := len(dst)
	at := table - start + 8*statComponents + 4
	for kind, p := range parts {
		dst = binary.BigEndian.AppendUint32(dst, uint32(kind))
		dst = binary.BigEndian.AppendUint32(dst, uint32(at))
		at += len(p) + 4
	}
	dst = binary.BigEndian.AppendUint32(dst, crc32.Update(sum, crc32.IEEETable, dst[table:]))
	for _, p := range parts {
		dst = append(dst, p...)
		dst = binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(p))
	}
	return dst
}

func appendUint64(dst []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(dst, v) }

func appendBuckets(dst []byte, buckets []Bucket) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(buckets)))
	for _, b := range buckets {
		dst = appendUint64(appendUint64(dst, uint64(b.Offset)), uint64(b.Count))
	}
	return dst
}

func (p LogPosition) appendTo(dst []byte) []byte {
	return binary.BigEndian.AppendUint32(appendUint64(dst, uint64(p.Segment)), uint32(p.Offset))
}

// appendTo appends the component STATS.
func (s *Stats) appendTo(dst []byte) []byte {
	u32 := binary.BigEndian.AppendUint32
	dst = appendBuckets(appendBuckets(dst, s.PartitionSizes), s.PartitionCells)
	dst = s.LogUpper.appendTo(dst)
	dst = appendUint64(appendUint64(dst, uint64(s.MinTimestamp)), uint64(s.MaxTimestamp))
	dst = u32(u32(dst, storedLocal(s.MinLocal)), storedLocal(s.MaxLocal))
	dst = u32(u32(dst, uint32(s.MinTTL)), uint32(s.MaxTTL))
	dst = appendUint64(dst, math.Float64bits(s.CompressionRatio))
	dst = u32(u32(dst, uint32(len(s.DropTimes))), uint32(len(s.DropTimes)))
	for _, d := range s.DropTimes {
		dst = appendUint64(appendUint64(dst, math.Float64bits(d.Second)), uint64(d.Count))
	}
	dst = appendUint64(u32(dst, uint32(s.Level)), uint64(s.RepairedAt))
	dst = appendPrefix(appendPrefix(dst, s.MinClustering), s.MaxClustering)
	dst = appendBool(dst, s.LegacyCounters)
	dst = appendUint64(appendUint64(dst, uint64(s.Columns)), uint64(s.Rows))
	dst = s.LogLower.appendTo(dst)
	dst = u32(dst, uint32(len(s.LogIntervals)))
	for _, i := range s.LogIntervals {
		dst = i[1].appendTo(i[0].appendTo(dst))
	}
	dst = appendBool(appendID(dst, s.PendingRepair), s.Transient)
	return appendID(dst, s.HostID)
}

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendID(dst []byte, id *schema.UUID) []byte {
	if id == nil {
		return append(dst, 0)
	}
	return append(append(dst, 1), id[:]...)
}

// appendPrefix appends the values of a clustering prefix; null and empty are the same there.
func appendPrefix(dst []byte, values [][]byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(values)))
	for _, v := range values {
		dst = append(binary.BigEndian.AppendUint16(dst, uint16(len(v))), v...)
	}
	return dst
}

// appendTo appends the component HEADER.
func (h *Header) appendTo(dst []byte) []byte {
	dst = appendVint(dst, uint64(h.MinTimestamp-epochMicros))
	dst = appendVint(dst, uint64(int64(int32(storedLocal(h.MinLocal)-epochSeconds))))
	dst = appendVint(dst, uint64(h.MinTTL))
	dst = appendVBytes(dst, h.KeyType)
	dst = appendVint(dst, uint64(len(h.ClusteringTypes)))
	for _, t := range h.ClusteringTypes {
		dst = appendVBytes(dst, t)
	}
	for _, columns := range [][]HeaderColumn{h.Static, h.Regular} {
		dst = appendVint(dst, uint64(len(columns)))
		for i := range columns {
			dst = appendVBytes(appendVBytes(dst, columns[i].Name), columns[i].Type)
		}
	}
	return dst
}
