package sstable

import (
	"encoding/binary"
	"math"
)

// The precisions of the HyperLogLog++ in Statistics.db, dense and sparse.
const (
	keysPrecision = 13
	keysSparse    = 25
)

// estimateKeys returns how many different keys a HyperLogLog++ of Statistics.db has seen, 0 when it cannot be read.
// Source: com.clearspring.analytics.stream.cardinality.HyperLogLogPlus; storage.md 1.8.
//
// Deviation: the measured biases of the dense form are not known here, its estimate is used as it is.
func estimateKeys(b []byte) int64 {
	if len(b) > 4 && int32(binary.BigEndian.Uint32(b)) < 0 { // minus the version
		b = b[4:]
	}
	take := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			b = nil
			return 0
		}
		b = b[n:]
		return v
	}
	p, sp, sparse := take(), take(), take()
	if p != keysPrecision || sp != keysSparse || sparse > 1 {
		return 0
	}
	n := take()
	if sparse == 1 {
		m := float64(uint64(1) << keysSparse)
		return int64(math.Round(m * math.Log(m/(m-float64(n)))))
	}
	return estimateDense(b)
}

// linearUpTo is the estimate up to which empty registers tell more than full ones.
const linearUpTo = 6500

// estimateDense reads registers of five bits, six to a word.
func estimateDense(b []byte) int64 {
	const m = 1 << keysPrecision
	sum, zeros := 0.0, 0
	for i := range m {
		at := i / 6 * 4
		if at+4 > len(b) {
			return 0
		}
		v := binary.BigEndian.Uint32(b[at:]) >> (5 * (i % 6)) & 31
		if v == 0 {
			zeros++
		}
		sum += math.Ldexp(1, -int(v))
	}
	if zeros > 0 {
		if h := m * math.Log(float64(m)/float64(zeros)); h <= linearUpTo {
			return int64(math.Round(h))
		}
	}
	alpha := 0.7213 / (1 + 1.079/m)
	return int64(math.Round(alpha * m * m / sum))
}
