package sstable

import (
	"encoding/binary"
	"math"
	"strconv"
)

// The table of filters ends at filterBuckets bits for each key; a filter has excessBits more than its keys ask for.
// Source: org.apache.cassandra.utils.BloomCalculations, FilterFactory; storage.md 1.9.
const (
	filterBuckets = 20
	excessBits    = 20
)

// filterRate is how many keys in one that are not there a filter lets pass that has the given bits for each key and
// hashes, to three digits as the table of Cassandra has it.
func filterRate(buckets, hashes int) float64 {
	rate := math.Pow(1-math.Exp(-float64(hashes)/float64(buckets)), float64(hashes))
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(rate, 'e', 2, 64), 64)
	if err != nil {
		return rate
	}
	return rounded
}

// bestHashes returns the number of hashes that lets the fewest pass.
func bestHashes(buckets int) int {
	best := 1
	for k := 2; k <= buckets; k++ {
		if filterRate(buckets, k) < filterRate(buckets, best) {
			best = k
		}
	}
	return best
}

// filterShape returns the bits for each key and the number of hashes of a filter that lets at most chance pass: as few
// bits as do, then as few hashes as do. A chance that no filter has is taken for the smallest one that there is.
func filterShape(chance float64) (buckets, hashes int) {
	if chance >= filterRate(2, 1) {
		// Cassandra gives the two numbers in the wrong order here.
		return 1, 2
	}
	for buckets = 2; buckets < filterBuckets; buckets++ {
		if filterRate(buckets, bestHashes(buckets)) <= chance {
			break
		}
	}
	for hashes = bestHashes(buckets); hashes > 1 && filterRate(buckets, hashes-1) <= chance; {
		hashes--
	}
	return buckets, hashes
}

// filterBuilder makes a Bloom filter. Without an expected number of keys it keeps their hashes until the end.
type filterBuilder struct {
	off     bool // no filter is written
	buckets int
	filter  filter // bits is nil while the number of keys is not known
	hashes  [][2]int64
}

// newFilterBuilder returns a builder for a chance of false answers; at 1 there is no filter.
func newFilterBuilder(chance float64, expected int64) filterBuilder {
	b := filterBuilder{off: chance >= 1}
	if b.off {
		return b
	}
	b.buckets, b.filter.hashes = filterShape(chance)
	if expected > 0 {
		b.size(expected)
	}
	return b
}

// size makes room for n keys, within what a reader takes.
func (b *filterBuilder) size(n int64) {
	words := min((n*int64(b.buckets)+excessBits+63)/64, (maxFilter-16)/8)
	b.filter.bits = make([]byte, words*8)
}

// add adds the key whose hash is given.
func (b *filterBuilder) add(h1, h2 int64) {
	switch {
	case b.off:
	case b.filter.bits != nil:
		b.filter.add(h1, h2)
	default:
		b.hashes = append(b.hashes, [2]int64{h1, h2})
	}
}

// add sets the bits of a key.
func (f *filter) add(h1, h2 int64) {
	m := int64(len(f.bits)) * 8
	x := h2
	for range f.hashes {
		p := bitOf(x, m)
		f.bits[p>>3] |= 1 << (p & 7)
		x += h1
	}
}

// finish returns the content of Filter.db in two parts; ok is false when there is to be none.
func (b *filterBuilder) finish() (head, bits []byte, ok bool) {
	if b.off {
		return nil, nil, false
	}
	if b.filter.bits == nil {
		b.size(int64(len(b.hashes)))
		for _, h := range b.hashes {
			b.filter.add(h[0], h[1])
		}
		b.hashes = nil
	}
	head = binary.BigEndian.AppendUint32(nil, uint32(b.filter.hashes))
	return binary.BigEndian.AppendUint32(head, uint32(len(b.filter.bits)/8)), b.filter.bits, true
}
