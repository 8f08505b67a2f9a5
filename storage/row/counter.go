package row

import (
	"bytes"
	"encoding/binary"

	"github.com/helenusdb/helenus/cql/schema"
)

// A counter context is the value of a counter cell: an int16 count of header entries, one int16 for each shard that is
// global (index + MinInt16) or local (index), then shards of 32 bytes sorted by their id: 16 bytes id, int64 clock, int64
// count, all big-endian. Shards without a header entry are remote. We write global shards alone; the others are read so
// that old tables can be imported. Source: org.apache.cassandra.db.context.CounterContext.
const (
	shardSize  = 32
	globalMark = -1 << 15
)

// shardKind orders the kinds of shards by what they win against.
type shardKind uint8

// A global shard beats a local one, which beats a remote one.
const (
	remoteShard shardKind = iota
	localShard
	globalShard
)

// counterContext is a parsed view of a context; it does not own its bytes. A malformed one has no shards.
type counterContext struct{ header, shards []byte }

func parseCounter(value []byte) counterContext {
	if len(value) < 2 {
		return counterContext{}
	}
	n := int(int16(binary.BigEndian.Uint16(value)))
	if n < 0 || len(value) < 2+2*n || (len(value)-2-2*n)%shardSize != 0 {
		return counterContext{}
	}
	return counterContext{header: value[2 : 2+2*n], shards: value[2+2*n:]}
}

func (c counterContext) len() int { return len(c.shards) / shardSize }

func (c counterContext) shard(i int) []byte { return c.shards[i*shardSize : (i+1)*shardSize] }

func (c counterContext) kind(i int) shardKind {
	for h := c.header; len(h) > 0; h = h[2:] {
		switch int(int16(binary.BigEndian.Uint16(h))) {
		case i:
			return localShard
		case i + globalMark:
			return globalShard
		}
	}
	return remoteShard
}

func shardClock(s []byte) int64 { return int64(binary.BigEndian.Uint64(s[16:])) }
func shardCount(s []byte) int64 { return int64(binary.BigEndian.Uint64(s[24:])) }

// CounterTotal returns the value that a counter's context shows: the sum of its shards, wrapping. A malformed one is 0.
func CounterTotal(value []byte) int64 {
	var total int64
	c := parseCounter(value)
	for i := range c.len() {
		total += shardCount(c.shard(i))
	}
	return total
}

// CounterShard returns the clock and count of a host's shard, zeros when there is none.
func CounterShard(value []byte, host schema.UUID) (clock, count int64) {
	c := parseCounter(value)
	for i := range c.len() {
		if s := c.shard(i); bytes.Equal(s[:16], host[:]) {
			return shardClock(s), shardCount(s)
		}
	}
	return 0, 0
}

// AppendCounter appends a context with one global shard.
func AppendCounter(dst []byte, host schema.UUID, clock, count int64) []byte {
	dst = append(dst, 0, 1, 0x80, 0)
	dst = append(dst, host[:]...)
	dst = binary.BigEndian.AppendUint64(dst, uint64(clock))
	return binary.BigEndian.AppendUint64(dst, uint64(count))
}

// ReconcileCounter merges two cells of one counter: a tombstone wins whatever the timestamps (the later of two), else the
// shards are merged and the greater timestamp stands. The result's value is a's or b's where one holds all, else new.
// Source: org.apache.cassandra.db.rows.Cells.resolveCounter; storage.md 2.
func ReconcileCounter(a, b *Cell) Cell {
	if at, bt := a.IsTombstone(), b.IsTombstone(); at && bt {
		return *Reconcile(a, b)
	} else if at {
		return *a
	} else if bt {
		return *b
	}
	out := *a
	out.Value = mergeCounters(a.Value, b.Value)
	out.Timestamp = max(a.Timestamp, b.Timestamp)
	return out
}

// mergeCounters merges the shards of two contexts. An empty or malformed one gives way to the other.
func mergeCounters(av, bv []byte) []byte {
	a, b := parseCounter(av), parseCounter(bv)
	if a.len() == 0 {
		return bv
	}
	if b.len() == 0 {
		return av
	}
	if a.len() == 1 && b.len() == 1 && a.kind(0) == globalShard && b.kind(0) == globalShard &&
		bytes.Equal(a.shard(0)[:16], b.shard(0)[:16]) {
		if newerShard(a.shard(0), b.shard(0)) {
			return av
		}
		return bv
	}
	var header, shards []byte
	take := func(s []byte, k shardKind) {
		i := len(shards) / shardSize
		switch k {
		case globalShard:
			i += globalMark
			fallthrough
		case localShard:
			header = binary.BigEndian.AppendUint16(header, uint16(i))
		}
		shards = append(shards, s...)
	}
	i, j := 0, 0
	for i < a.len() && j < b.len() {
		x, y := a.shard(i), b.shard(j)
		xk, yk := a.kind(i), b.kind(j)
		switch c := bytes.Compare(x[:16], y[:16]); {
		case c < 0:
			take(x, xk)
			i++
			continue
		case c > 0:
			take(y, yk)
			j++
			continue
		case xk != yk:
			if xk < yk {
				x, xk = y, yk
			}
			take(x, xk)
		case xk == localShard:
			take(x, xk)
			at := len(shards) - 16
			binary.BigEndian.PutUint64(shards[at:], uint64(shardClock(x)+shardClock(y)))
			binary.BigEndian.PutUint64(shards[at+8:], uint64(shardCount(x)+shardCount(y)))
		case newerShard(x, y):
			take(x, xk)
		default:
			take(y, yk)
		}
		i++
		j++
	}
	for ; i < a.len(); i++ {
		take(a.shard(i), a.kind(i))
	}
	for ; j < b.len(); j++ {
		take(b.shard(j), b.kind(j))
	}
	out := make([]byte, 0, 2+len(header)+len(shards))
	out = binary.BigEndian.AppendUint16(out, uint16(len(header)/2))
	out = append(out, header...)
	return append(out, shards...)
}

// newerShard reports whether x replaces y, two shards of one id and kind: the higher clock, then the higher count.
func newerShard(x, y []byte) bool {
	if cx, cy := shardClock(x), shardClock(y); cx != cy {
		return cx > cy
	}
	return shardCount(x) >= shardCount(y)
}
