package commitlog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/helenusdb/helenus/storage/vfs"
)

// maxForeignHeader bounds the head of a segment of Cassandra's log.
const maxForeignHeader = 14 + 1<<16 + 12

// EmptyForeign reports whether a segment of Cassandra's commit log holds nothing: no sync section follows its head. It is of the
// versions that have parameters, those of Cassandra 3.0 and later. Source: org.apache.cassandra.db.commitlog.CommitLogDescriptor,
// CommitLogSegment.writeSyncMarker.
func EmptyForeign(fsys vfs.FS, name string) (bool, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil || size == 0 {
		return size == 0, err
	}
	b := make([]byte, min(size, maxForeignHeader))
	if n, err := f.ReadAt(b, 0); n < len(b) {
		return false, err
	}
	// version, 4 bytes; id, 8; length of the parameters, 2; the parameters; checksum, 4; where the section ends, 4; checksum.
	if len(b) < 14 {
		return false, nil
	}
	parameters := int(binary.BigEndian.Uint16(b[12:]))
	if len(b) < 14+parameters+4 {
		return false, nil
	}
	var head []byte
	head = append(head, b[:4]...)
	head = append(head, b[8:12]...)
	head = append(head, b[4:8]...)
	head = binary.BigEndian.AppendUint32(head, uint32(parameters))
	head = append(head, b[14:14+parameters]...)
	if crc32.ChecksumIEEE(head) != binary.BigEndian.Uint32(b[14+parameters:]) {
		return false, fmt.Errorf("%s is not a segment of a commit log that is known: its head has another checksum", name)
	}
	rest := b[14+parameters+4:]
	return len(rest) < 4 || binary.BigEndian.Uint32(rest) == 0, nil
}
