package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/commitlog"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// manifest is what must be durable beside the log and the tables' files: which tables on disk are live, and up to which record
// of the log each table of the schema is flushed or truncated. It is a journal of edits, each of which holds or does not after
// a crash. Memory is ahead of the file when a write of it failed: then the file is written anew by the next edit, or by settle.
//
// Source: storage.md 3.2; it stands for org.apache.cassandra.db.lifecycle.LogTransaction and the commit log intervals.
type manifest struct {
	fs   vfs.FS
	name string
	// writing is held while the file is written, and taken before mu.
	writing sync.Mutex
	journal *commitlog.Journal // nil after a failure
	mu      sync.Mutex
	state   manifestState
	later   edit // holds in memory and goes to the file with the next edit
}

// manifestState is what a manifest says.
type manifestState struct {
	tables map[schema.UUID]*tableState
	// reached is a sequence that the log is known to hold, or to have held; released one up to which its records may be gone.
	reached, released uint64
}

// tableState is what the manifest says of a table of the schema.
type tableState struct {
	live map[sstable.Descriptor]liveTable
	// dead are tables on disk that were live and may have files still, begun those that were never.
	dead, begun map[sstable.Descriptor]bool
	// flushed and truncated are sequences of the log: records up to the greater one are not to be replayed.
	flushed, truncated uint64
	// generation is the greatest number that a table on disk was ever given.
	generation uint64
	// first is the first number given since the start, 0 for none. It is not stored.
	first uint64
	// built says of the table of an index that it holds all entries.
	built bool
}

// liveTable is what the manifest says of a live table on disk.
type liveTable struct {
	level      int32
	repairedAt int64 // milliseconds since 1970; 0 when not repaired
}

// The operations of an edit: a kind byte and its fields. Integers of fixed size are little-endian; a descriptor is its text
// with a uvarint length.
const (
	opTruncated  byte = iota + 1 // table, 16 bytes; sequence, 8
	opFlushed                    // table; sequence, 8
	opAdd                        // table; descriptor; level, 4 bytes; repairedAt, 8. Of a live table: the new ones.
	opRemove                     // table; descriptor: it is dead
	opForget                     // table; descriptor: its files are gone
	opGeneration                 // table; number, 8
	opDropped                    // table: all that is said of it is void
	opReached                    // sequence, 8
	opReleased                   // sequence, 8
	opBuilt                      // table of an index; 1 when it holds all entries, else 0
	opBegun                      // table; descriptor: it is being written
)

// edit is a change of the manifest that is made as one.
type edit []byte

func (e edit) truncated(table schema.UUID, seq uint64) edit {
	return binary.LittleEndian.AppendUint64(append(append(e, opTruncated), table[:]...), seq)
}

func (e edit) flushed(table schema.UUID, seq uint64) edit {
	return binary.LittleEndian.AppendUint64(append(append(e, opFlushed), table[:]...), seq)
}

func (e edit) add(table schema.UUID, d sstable.Descriptor, t liveTable) edit {
	e = appendText(append(append(e, opAdd), table[:]...), d.String())
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(e, uint32(t.level)), uint64(t.repairedAt))
}

func (e edit) remove(table schema.UUID, d sstable.Descriptor) edit {
	return appendText(append(append(e, opRemove), table[:]...), d.String())
}

func (e edit) begun(table schema.UUID, d sstable.Descriptor) edit {
	return appendText(append(append(e, opBegun), table[:]...), d.String())
}

func (e edit) forget(table schema.UUID, d sstable.Descriptor) edit {
	return appendText(append(append(e, opForget), table[:]...), d.String())
}

func (e edit) generation(table schema.UUID, n uint64) edit {
	return binary.LittleEndian.AppendUint64(append(append(e, opGeneration), table[:]...), n)
}

func (e edit) built(table schema.UUID, built bool) edit {
	e = append(append(e, opBuilt), table[:]...)
	if built {
		return append(e, 1)
	}
	return append(e, 0)
}

func (e edit) dropped(table schema.UUID) edit { return append(append(e, opDropped), table[:]...) }

func (e edit) reached(seq uint64) edit {
	return binary.LittleEndian.AppendUint64(append(e, opReached), seq)
}

func (e edit) released(seq uint64) edit {
	return binary.LittleEndian.AppendUint64(append(e, opReleased), seq)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// openManifest opens the manifest at name, new when there is none.
func openManifest(fs vfs.FS, name string) (*manifest, error) {
	j, records, err := commitlog.OpenJournal(fs, name)
	if err != nil {
		return nil, err
	}
	m := &manifest{fs: fs, name: name, journal: j, state: manifestState{tables: map[schema.UUID]*tableState{}}}
	for i, r := range records {
		if err := m.state.apply(r); err != nil {
			return nil, errors.Join(fmt.Errorf("manifest %s, edit %d: %w", name, i, err), j.Close())
		}
	}
	return m, nil
}

// table returns what is said of a table, new when it is not known.
func (s *manifestState) table(id schema.UUID) *tableState {
	t := s.tables[id]
	if t == nil {
		t = &tableState{
			live: map[sstable.Descriptor]liveTable{}, dead: map[sstable.Descriptor]bool{}, begun: map[sstable.Descriptor]bool{},
		}
		s.tables[id] = t
	}
	return t
}

// apply makes the changes of an edit. Its error wraps ErrCorrupt.
func (s *manifestState) apply(e edit) error {
	r := row.Reader{B: e}
	for len(r.B) > 0 {
		kind := r.Byte()
		if kind == opReached || kind == opReleased {
			seq := uint64(r.Int64())
			s.reached = max(s.reached, seq)
			if kind == opReleased {
				s.released = max(s.released, seq)
			}
			continue
		}
		if len(r.B) < 16 {
			return ErrCorrupt
		}
		id := schema.UUID(r.B[:16])
		r.B = r.B[16:]
		if kind == opDropped {
			delete(s.tables, id)
			continue
		}
		if err := s.table(id).apply(kind, &r); err != nil {
			return err
		}
		if t := s.table(id); kind == opTruncated || kind == opFlushed {
			s.reached = max(s.reached, t.flushed, t.truncated)
		}
	}
	if r.Bad {
		return ErrCorrupt
	}
	return nil
}

// apply makes the change of one operation, whose kind and table are read.
func (t *tableState) apply(kind byte, r *row.Reader) error {
	switch kind {
	case opTruncated:
		t.truncated = max(t.truncated, uint64(r.Int64()))
	case opFlushed:
		t.flushed = max(t.flushed, uint64(r.Int64()))
	case opGeneration:
		t.generation = max(t.generation, uint64(r.Int64()))
	case opBuilt:
		t.built = r.Byte() != 0
	case opAdd, opRemove, opForget, opBegun:
		d, _, err := sstable.ParseFile(string(r.Bytes()) + "-" + sstable.CompData)
		if err != nil {
			return fmt.Errorf("%w: %w", err, ErrCorrupt)
		}
		t.generation = max(t.generation, generationOf(d))
		if kind == opBegun {
			t.begun[d] = true
			break
		}
		delete(t.begun, d)
		if kind != opAdd {
			delete(t.live, d)
			if t.dead[d] = true; kind == opForget {
				delete(t.dead, d)
			}
			break
		}
		if len(r.B) < 12 {
			return ErrCorrupt
		}
		level := int32(binary.LittleEndian.Uint32(r.B))
		r.B = r.B[4:]
		delete(t.dead, d)
		t.live[d] = liveTable{level, r.Int64()}
	default:
		return fmt.Errorf("operation %d: %w", kind, ErrCorrupt)
	}
	if r.Bad {
		return ErrCorrupt
	}
	return nil
}

// generationOf returns the number of a table on disk, 0 when its name is a time UUID.
func generationOf(d sstable.Descriptor) uint64 {
	n, err := strconv.ParseUint(d.ID, 10, 63)
	if err != nil {
		return 0
	}
	return n
}

// encode returns the state as the edit of an empty manifest.
func (s *manifestState) encode() edit {
	var e edit
	if s.reached > 0 {
		e = e.reached(s.reached)
	}
	if s.released > 0 {
		e = e.released(s.released)
	}
	ids := slices.SortedFunc(maps.Keys(s.tables), func(a, b schema.UUID) int { return slices.Compare(a[:], b[:]) })
	for _, id := range ids {
		t := s.tables[id]
		if t.truncated > 0 {
			e = e.truncated(id, t.truncated)
		}
		if t.flushed > 0 {
			e = e.flushed(id, t.flushed)
		}
		if t.generation > 0 {
			e = e.generation(id, t.generation)
		}
		if t.built {
			e = e.built(id, true)
		}
		for d, l := range t.live {
			e = e.add(id, d, l)
		}
		for d := range t.dead {
			e = e.remove(id, d)
		}
		for d := range t.begun {
			e = e.begun(id, d)
		}
	}
	return e
}

// rewriteSize is the size of the file, in bytes, below which it is not written anew, rewriteFactor how much greater than what
// it has to hold it may get.
const (
	rewriteSize   = 64 << 10
	rewriteFactor = 4
)

// commit makes an edit and returns when it is durable. After an error it holds in memory, and is made durable by the next
// commit or settle that succeeds; until then a crash may find it made or not.
func (m *manifest) commit(e edit) error {
	m.writing.Lock()
	defer m.writing.Unlock()
	m.mu.Lock()
	err := m.state.apply(e)
	full := m.state.encode()
	e = append(m.later, e...)
	m.later = nil
	m.mu.Unlock()
	if err != nil {
		return err
	}
	if m.journal != nil && m.journal.Size() <= max(rewriteSize, rewriteFactor*int64(len(full))) {
		if err := m.journal.Append(e); err == nil {
			return nil
		}
	}
	return m.replace(full)
}

// settle makes durable what commits have failed to.
func (m *manifest) settle() error {
	m.writing.Lock()
	defer m.writing.Unlock()
	if m.journal != nil {
		return nil
	}
	m.mu.Lock()
	full := m.state.encode()
	m.mu.Unlock()
	return m.replace(full)
}

// replace writes the file anew.
func (m *manifest) replace(full edit) error {
	if m.journal != nil {
		m.journal.Close() // what it held is in full
		m.journal = nil
	}
	j, err := commitlog.ReplaceJournal(m.fs, m.name, [][]byte{full})
	if err != nil {
		return err
	}
	m.journal = j
	return nil
}

// view calls f with what the manifest says of a table; f must not keep it.
func (m *manifest) view(id schema.UUID, f func(*tableState)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(m.state.table(id))
}

// forget notes that the files of a dead table are gone. It need not be durable: the next start looks for them again.
func (m *manifest) forget(id schema.UUID, d sstable.Descriptor) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.state.table(id)
	delete(t.dead, d)
	delete(t.begun, d)
	m.later = m.later.forget(id, d)
}

// next returns a generation for a new table on disk, which no other was given or is.
func (m *manifest) next(id schema.UUID) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.state.table(id)
	t.generation++
	if t.first == 0 {
		t.first = t.generation
	}
	return t.generation
}

// atLeast keeps generations up to n from being given.
func (m *manifest) atLeast(id schema.UUID, n uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.state.table(id)
	t.generation = max(t.generation, n)
}

func (m *manifest) close() error {
	m.writing.Lock()
	defer m.writing.Unlock()
	if m.journal == nil {
		return nil
	}
	return m.journal.Close()
}
