package commitlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path"
	"sync"

	"github.com/helenusdb/helenus/storage/vfs"
)

// A journal is a file of records, each on disk before the next is written:
//
//	header  8 bytes: "HELENUSJ"
//	records uint32 length | uint32 crc32c of offset (uint64), length and body | body
//
// Integers are little-endian. A record that is torn at the end of the file was never acknowledged and is cut off; an
// invalid one with a valid one behind it is damage.
const (
	journalMagic  = "HELENUSJ"
	journalHeader = 8
	journalRecord = 8
	// MaxJournalRecord bounds a record's body, in bytes.
	MaxJournalRecord = 64 << 20
)

// Journal is a durable log of few, small records. Methods may be called by many goroutines.
type Journal struct {
	mu   sync.Mutex
	file vfs.File
	end  int64
	err  error // why nothing is accepted
}

// OpenJournal opens the journal at name, which it creates when it is missing, and returns the records it holds. The error
// wraps ErrCorrupt for damage.
func OpenJournal(fsys vfs.FS, name string) (*Journal, [][]byte, error) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = fsys.Create(name)
	}
	if err != nil {
		return nil, nil, err
	}
	j := &Journal{file: f}
	records, err := j.load(fsys, name)
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("open journal %s: %w", name, err)
	}
	return j, records, nil
}

func (j *Journal) load(fsys vfs.FS, name string) ([][]byte, error) {
	size, err := j.file.Size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	if n, err := j.file.ReadAt(b, 0); err != nil && err != io.EOF {
		return nil, err
	} else if b = b[:n]; n < journalHeader || string(b[:journalHeader]) != journalMagic {
		if n > journalHeader {
			return nil, fmt.Errorf("offset 0: %w", ErrCorrupt)
		}
		// The file was created and its header not yet synced: it is empty.
		return nil, j.create(fsys, name)
	}
	var records [][]byte
	pos := journalHeader
	for {
		body, ok := parseJournal(b, pos)
		if !ok {
			break
		}
		records = append(records, body)
		pos += journalRecord + len(body)
	}
	j.end = int64(pos)
	if pos == len(b) {
		return records, nil
	}
	for at := pos + 1; at < len(b); at++ {
		if _, ok := parseJournal(b, at); ok {
			return nil, fmt.Errorf("offset %d: %w", pos, ErrCorrupt)
		}
	}
	if err := j.file.Truncate(j.end); err != nil {
		return nil, err
	}
	return records, j.file.Sync()
}

func (j *Journal) create(fsys vfs.FS, name string) error {
	if err := j.file.Truncate(0); err != nil {
		return err
	}
	if _, err := j.file.WriteAt([]byte(journalMagic), 0); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.end = journalHeader
	return fsys.SyncDir(path.Dir(name))
}

// journalSum is the checksum of a record at pos.
func journalSum(pos int64, body []byte) uint32 {
	var b [12]byte
	binary.LittleEndian.PutUint64(b[:], uint64(pos))
	binary.LittleEndian.PutUint32(b[8:], uint32(len(body)))
	return crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, body)
}

// parseJournal returns the body of the record at pos; ok is false when there is no valid one.
func parseJournal(b []byte, pos int) (body []byte, ok bool) {
	if len(b)-pos < journalRecord {
		return nil, false
	}
	h := b[pos:]
	n := binary.LittleEndian.Uint32(h)
	if uint64(n) > uint64(len(h)-journalRecord) {
		return nil, false
	}
	body = h[journalRecord : journalRecord+int(n) : journalRecord+int(n)]
	return body, binary.LittleEndian.Uint32(h[4:]) == journalSum(int64(pos), body)
}

// newJournal ends the name of a journal that is being written to take another one's place.
const newJournal = ".new"

// ReplaceJournal writes a journal of the given records and puts it in the place of the one at name, in one step: after a crash
// the old one is there or the new one. An open journal of the name must not be used after it, whatever it returns; after an
// error it may be called again.
func ReplaceJournal(fsys vfs.FS, name string, records [][]byte) (*Journal, error) {
	f, err := fsys.Create(name + newJournal)
	if err != nil {
		return nil, err
	}
	b := []byte(journalMagic)
	for _, r := range records {
		if len(r) > MaxJournalRecord {
			err = errJournalRecord
		}
		b = appendJournalRecord(b, int64(len(b)), r)
	}
	if err == nil {
		_, err = f.WriteAt(b, 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = fsys.Rename(name+newJournal, name)
	}
	if err == nil {
		err = fsys.SyncDir(path.Dir(name))
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("replace journal %s: %w", name, err)
	}
	return &Journal{file: f, end: int64(len(b))}, nil
}

// errJournalRecord is about a record above MaxJournalRecord.
var errJournalRecord = errors.New("journal: record is too large")

func appendJournalRecord(dst []byte, pos int64, record []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(record)))
	dst = binary.LittleEndian.AppendUint32(dst, journalSum(pos, record))
	return append(dst, record...)
}

// Size returns the bytes of the journal.
func (j *Journal) Size() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.end
}

// Append adds a record and returns when it is on disk. After an error no further record is accepted.
func (j *Journal) Append(record []byte) error {
	if len(record) > MaxJournalRecord {
		return errJournalRecord
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return j.err
	}
	b := appendJournalRecord(make([]byte, 0, journalRecord+len(record)), j.end, record)
	_, err := j.file.WriteAt(b, j.end)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.err = fmt.Errorf("journal: %w", err)
		return j.err
	}
	j.end += int64(len(b))
	return nil
}

// Close closes the file. Later appends return ErrClosed.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = ErrClosed
	}
	return j.file.Close()
}
