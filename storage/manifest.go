package storage

import (
	"encoding/binary"
	"fmt"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/commitlog"
	"github.com/helenusdb/helenus/storage/vfs"
)

// manifest is what must be durable beside the log: a journal of edits. An edit is a kind byte and its fields, integers
// little-endian.
type manifest struct {
	journal *commitlog.Journal
	// truncated holds, for each table that was, the sequence of the last record that the truncation covers; last is the
	// greatest of them. They are written before Replay is over and by Truncate, one at a time.
	truncated map[schema.UUID]uint64
	last      uint64
}

// editTruncate: table, 16 bytes; sequence, 8.
const editTruncate = 1

func openManifest(fs vfs.FS, name string) (*manifest, error) {
	j, records, err := commitlog.OpenJournal(fs, name)
	if err != nil {
		return nil, err
	}
	m := &manifest{journal: j, truncated: map[schema.UUID]uint64{}}
	for i, r := range records {
		if len(r) != 25 || r[0] != editTruncate {
			j.Close()
			return nil, fmt.Errorf("manifest %s, edit %d: %w", name, i, ErrCorrupt)
		}
		m.mark(schema.UUID(r[1:17]), binary.LittleEndian.Uint64(r[17:]))
	}
	return m, nil
}

func (m *manifest) mark(table schema.UUID, seq uint64) {
	m.truncated[table] = max(m.truncated[table], seq)
	m.last = max(m.last, seq)
}

// truncate makes durable that all records of a table up to seq are void.
func (m *manifest) truncate(table schema.UUID, seq uint64) error {
	edit := append([]byte{editTruncate}, table[:]...)
	edit = binary.LittleEndian.AppendUint64(edit, seq)
	if err := m.journal.Append(edit); err != nil {
		return err
	}
	m.mark(table, seq)
	return nil
}

func (m *manifest) close() error { return m.journal.Close() }
