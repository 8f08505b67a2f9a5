package sstable

import (
	"bytes"
	"math/rand"
	"testing"

	"github.com/pierrec/lz4/v4"
)

// checkLZ4 compresses and decompresses by another implementation, behind bytes that must stay.
func checkLZ4(t *testing.T, z *lz4Compressor, src []byte) (size int) {
	t.Helper()
	block := z.appendBlock([]byte("head"), src)
	if !bytes.HasPrefix(block, []byte("head")) {
		t.Fatal("what stood before is gone")
	}
	out := make([]byte, len(src)+1)
	n, err := lz4.UncompressBlock(block[4:], out)
	if err != nil || n != len(src) || !bytes.Equal(out[:n], src) {
		t.Fatalf("%d bytes: %d come back: %v\n%.100x", len(src), n, err, src)
	}
	return len(block) - 4
}

// TestLZ4 compresses chunks of all kinds and lengths.
func TestLZ4(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	z := &lz4Compressor{}
	fill := func(n, letters, repeat int) []byte {
		b := make([]byte, n)
		for i := range b {
			if i > repeat && r.Intn(8) > 0 {
				b[i] = b[i-repeat]
			} else {
				b[i] = byte(r.Intn(letters))
			}
		}
		return b
	}
	for n := range 300 {
		for _, letters := range []int{1, 2, 256} {
			checkLZ4(t, z, fill(n, letters, 1+n%7))
		}
	}
	for _, n := range []int{4096, 16383, 16384, 65535, 65536} {
		for _, letters := range []int{1, 4, 256} {
			checkLZ4(t, z, fill(n, letters, 70))
			if size := checkLZ4(t, z, fill(n, letters, n)); size > lz4Bound(n) {
				t.Errorf("%d bytes become %d", n, size)
			}
		}
	}
	if size := checkLZ4(t, z, make([]byte, 65536)); size > 300 {
		t.Errorf("64 KiB of zeros become %d bytes", size)
	}
	text := bytes.Repeat([]byte("the quick brown fox "), 800)
	if size := checkLZ4(t, z, text); size > len(text)/50 {
		t.Errorf("%d bytes of the same become %d", len(text), size)
	}
}

// FuzzLZ4 compresses and decompresses.
func FuzzLZ4(f *testing.F) {
	f.Add([]byte("abcdabcdabcdabcdabcdabcd"), 3)
	f.Add([]byte{}, 0)
	z := &lz4Compressor{}
	f.Fuzz(func(t *testing.T, b []byte, times int) {
		b = bytes.Repeat(b, 1+times&7)
		if len(b) <= maxLZ4Chunk {
			checkLZ4(t, z, b)
		}
	})
}
