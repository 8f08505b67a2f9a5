package wire

import (
	"encoding/binary"
	"hash/crc32"
)

// crc24Table steps the CRC24 of segment headers by one byte. Source: org.apache.cassandra.net.Crc (init 0x875060,
// polynomial 0x1974F0B).
var crc24Table = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 16
		for range 8 {
			c <<= 1
			if c&0x1000000 != 0 {
				c ^= 0x1974F0B
			}
		}
		t[i] = c & 0xffffff
	}
	return t
}()

// crc24 returns the checksum of the n low bytes of v, least significant first.
func crc24(v uint64, n int) uint32 {
	c := uint32(0x875060)
	for range n {
		c = c<<8&0xffffff ^ crc24Table[byte(c>>16)^byte(v)]
		v >>= 8
	}
	return c
}

// crc32Start is the CRC32 of the bytes FA 2D 55 CA, with which every payload's checksum is primed.
var crc32Start = crc32.ChecksumIEEE([]byte{0xFA, 0x2D, 0x55, 0xCA})

// crc32Of returns the checksum of a segment's payload as it is sent.
func crc32Of(payload []byte) uint32 { return crc32.Update(crc32Start, crc32.IEEETable, payload) }

// appendCRC32 appends the checksum of payload, little-endian.
func appendCRC32(dst, payload []byte) []byte {
	return binary.LittleEndian.AppendUint32(dst, crc32Of(payload))
}

// putCRC32 writes the checksum of payload to the first 4 bytes of b.
func putCRC32(b, payload []byte) { binary.LittleEndian.PutUint32(b, crc32Of(payload)) }
