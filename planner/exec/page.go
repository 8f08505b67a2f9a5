package exec

import (
	"bytes"
	"encoding/binary"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
)

// A paging state is opaque to clients. Ours, version 1:
//
//	byte     version
//	8 bytes  digest of all that follows, seeded with the statement's hash, big-endian
//	uvint    rows (groups) that LIMIT still allows, plus one; 0 without a LIMIT
//	uvint    rows (groups) that PER PARTITION LIMIT still allows in this partition, plus one; 0 without one
//	uvint    length of the partition key, and the key
//	byte     1 when a clustering follows, 0 when all of the partition is done with
//	         for each clustering column: uvint length, value
//
// The digest makes a state of another statement, and one that was damaged, unknown; it is no secret: rows outside of the
// statement are kept out by the statement itself, whose restrictions hold on every page.
//
// Deviation: Cassandra accepts a state from any statement. Source: org.apache.cassandra.service.pager.PagingState.
const pageVersion = 1

// maxPagingState is the longest state that is looked at: a key and a clustering of 64 KiB each, and what is around them.
const maxPagingState = 1 << 18

// page is a decoded paging state.
type page struct {
	key        []byte
	clustering [][]byte // nil when all of the partition is done with
	// remaining and inPartition are -1 without a limit.
	remaining, inPartition int
}

// errPagingState answers a state that is not one of ours.
func errPagingState() error { return cql.Protocolf("Invalid value for the paging state") }

// append appends the encoded state.
func (p *page) append(dst []byte, hash uint64) []byte {
	start := len(dst)
	dst = append(dst, pageVersion, 0, 0, 0, 0, 0, 0, 0, 0)
	dst = types.AppendUnsignedVint(dst, uint64(p.remaining+1))
	dst = types.AppendUnsignedVint(dst, uint64(p.inPartition+1))
	dst = types.AppendUnsignedVint(dst, uint64(len(p.key)))
	dst = append(dst, p.key...)
	if p.clustering == nil {
		dst = append(dst, 0)
	} else {
		dst = append(dst, 1)
		for _, v := range p.clustering {
			dst = types.AppendUnsignedVint(dst, uint64(len(v)))
			dst = append(dst, v...)
		}
	}
	h, _ := token.Hash128(dst[start+9:], hash)
	binary.BigEndian.PutUint64(dst[start+1:], uint64(h))
	return dst
}

// decodePage reads a state; the result shares its bytes.
func decodePage(b []byte, hash uint64, t *schema.Table) (*page, error) {
	if len(b) < 9 || len(b) > maxPagingState || b[0] != pageVersion {
		return nil, errPagingState()
	}
	body := b[9:]
	if h, _ := token.Hash128(body, hash); uint64(h) != binary.BigEndian.Uint64(b[1:]) {
		return nil, errPagingState()
	}
	ok := true
	number := func(limit uint64) int {
		n, tail, good := types.UnsignedVint(body)
		if ok = ok && good && n <= limit; !ok {
			return 0
		}
		body = tail
		return int(n)
	}
	take := func() []byte {
		n := number(uint64(len(body)))
		if ok = ok && n <= len(body); !ok {
			return nil
		}
		v := body[:n:n]
		body = body[n:]
		return v
	}
	p := &page{remaining: number(1<<31) - 1, inPartition: number(1<<31) - 1}
	p.key = take()
	if !ok || len(body) == 0 || body[0] > 1 {
		return nil, errPagingState()
	}
	if more := body[0] == 1; more {
		body = body[1:]
		p.clustering = make([][]byte, 0, len(t.Clustering))
		for _, c := range t.Clustering {
			v := take()
			if !ok || c.Type.Validate(v) != nil {
				return nil, errPagingState()
			}
			p.clustering = append(p.clustering, v)
		}
	} else {
		body = body[1:]
	}
	if !ok || len(body) != 0 {
		return nil, errPagingState()
	}
	return p, nil
}

// resume narrows rd to what comes behind the page. It refuses a state whose partition is not one of the statement's.
func (p *page) resume(rd *request.Read, partitioner token.Partitioner) error {
	if rd.Keys == nil {
		t := partitioner.Token(p.key)
		if !rd.Range.Start.Open && t.Less(rd.Range.Start.Token) || !rd.Range.End.Open && rd.Range.End.Token.Less(t) {
			return errPagingState()
		}
	} else {
		i := 0
		for i < len(rd.Keys) && !bytes.Equal(rd.Keys[i], p.key) {
			i++
		}
		if i == len(rd.Keys) {
			return errPagingState()
		}
		if p.clustering == nil {
			i++
		}
		if rd.Keys = rd.Keys[i:]; p.clustering == nil {
			return nil
		}
	}
	rd.After = &request.Position{Key: p.key, Clustering: p.clustering}
	return nil
}
