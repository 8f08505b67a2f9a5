package storage

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/index"
	"github.com/helenusdb/helenus/storage/memtable"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
)

// view is all that a store holds, at one moment. It is not changed, but replaced. A view with tables on disk counts its
// users; the memory of one without is the garbage collector's.
type view struct {
	// mem takes the writes.
	mem *memory
	// frozen are memtables that are being written to disk, oldest first.
	frozen []*memory
	// tables are those on disk, the greatest maximal timestamp first.
	tables  []table
	indexes []*index.Index
	layout  *row.Layout
	// rebuilding says that indexes which are not built were so before the start.
	rebuilding bool
	refs       atomic.Int64
}

// table is a table on disk as a view sees it: read with the columns of the view. err says why that cannot be.
type table struct {
	*File
	view *sstable.View
	err  error
}

// memory is a memtable and where it stands in the log.
type memory struct {
	*memtable.Table
	born time.Time
	// first is the sequence of the first record that the memtable holds something of; 0 when it is empty.
	first atomic.Uint64
	// upTo is the sequence up to which no record is for a later memtable. It is set when the memtable is frozen, like done,
	// which is closed when it is on disk or its data is void; attempt is closed by each attempt to write it that fails.
	upTo    uint64
	done    chan struct{}
	attempt atomic.Pointer[attempt]
	// ofIndexes are the memtables of indexes that were frozen with it: they come to disk with it.
	ofIndexes []indexMemory
	// files is what came of it, and of those of indexes, on disk, nil for nothing, once written is true and until the manifest
	// has taken it; under the store's publishing.
	files   []*File
	written bool
}

// indexMemory is a frozen memtable of the store of an index.
type indexMemory struct {
	store *store
	*memory
}

// size returns the bytes of a frozen memtable and of those of indexes that go with it.
func (m *memory) size() int64 {
	n := m.Bytes()
	for _, x := range m.ofIndexes {
		n += x.Bytes()
	}
	return n
}

// active returns the bytes of what takes writes, those of indexes too, and whether anything was written to it.
func (v *view) active() (bytes int64, dirty bool) {
	if dirty = !v.mem.clean(); dirty {
		bytes = v.mem.Bytes()
	}
	for _, s := range v.entryStores() {
		if m := s.view.Load().mem; !m.clean() {
			bytes, dirty = bytes+m.Bytes(), true
		}
	}
	return bytes, dirty
}

// attempt is how an attempt to write a memtable ended.
type attempt struct {
	failed chan struct{}
	err    error
}

func newMemory(t *schema.Table) *memory {
	return &memory{Table: memtable.New(t), born: time.Now()}
}

// wrote notes that a record holds something for the memtable. Sequence 0 is for a record without one.
func (m *memory) wrote(seq uint64) {
	for {
		first := m.first.Load()
		if first != 0 && first <= seq || m.first.CompareAndSwap(first, seq) {
			return
		}
	}
}

// clean reports whether nothing was written to the memtable.
func (m *memory) clean() bool { return m.first.Load() == 0 }

// index returns the index of a name, or nil.
func (v *view) index(name string) *index.Index {
	for _, x := range v.indexes {
		if x.Definition.Name == name {
			return x
		}
	}
	return nil
}

func (v *view) setBuilt() {
	for _, x := range v.indexes {
		x.SetBuilt()
	}
}

// files returns the tables on disk.
func (v *view) files() []*File {
	out := make([]*File, len(v.tables))
	for i := range v.tables {
		out[i] = v.tables[i].File
	}
	return out
}

// onlyMemory reports whether the view is but the memtable that takes the writes.
func (v *view) onlyMemory() bool { return len(v.tables) == 0 && len(v.frozen) == 0 }

// empty reports whether the view holds nothing.
func (v *view) empty() bool { return v.onlyMemory() && v.mem.Partitions() == 0 }

// copy returns a view like v that nobody uses yet; its tables are not referred to.
func (v *view) copy() *view {
	return &view{
		mem: v.mem, frozen: v.frozen, tables: v.tables, indexes: v.indexes, layout: v.layout, rebuilding: v.rebuilding,
	}
}

// without returns the frozen memtables but m.
func (v *view) without(m *memory) []*memory {
	return slices.DeleteFunc(slices.Clone(v.frozen), func(x *memory) bool { return x == m })
}

// release ends one use of the view.
func (v *view) release() {
	if len(v.tables) == 0 || v.refs.Add(-1) != 0 {
		return
	}
	for i := range v.tables {
		v.tables[i].unref()
	}
}

// acquire returns the store's view, which the caller releases.
func (st *store) acquire() *view {
	for {
		v := st.view.Load()
		if len(v.tables) == 0 {
			return v
		}
		for n := v.refs.Load(); n > 0; n = v.refs.Load() {
			if v.refs.CompareAndSwap(n, n+1) {
				return v
			}
		}
	}
}

// swap replaces the store's view by what change makes of a copy. Views follow each other under st.mu; the gate is the
// caller's business.
func (st *store) swap(change func(*view)) {
	st.mu.Lock()
	old := st.view.Load()
	next := old.copy()
	change(next)
	next.refs.Store(1)
	for i := range next.tables {
		next.tables[i].refs.Add(1)
	}
	st.view.Store(next)
	st.mu.Unlock()
	old.release()
}

// tableOf returns a table on disk as a view sees it whose definition is t.
func tableOf(f *File, t *schema.Table) table {
	v, err := f.reader.View(t)
	return table{f, v, err}
}

// withTables returns tables in the order that a view has them in.
func withTables(tables []table) []table {
	slices.SortStableFunc(tables, func(a, b table) int { return cmp.Compare(b.MaxTimestamp(), a.MaxTimestamp()) })
	return tables
}
