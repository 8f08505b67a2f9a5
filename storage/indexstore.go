package storage

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/index"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// indexEntries keeps the entries of an index in a store of its own: a partition for each value, and in it a row for each entry.
// The store is flushed together with that of the table, in one edit of the manifest, so that the log brings back the entries of
// whatever rows it brings back. A row's timestamp is a tick: of an addition and a removal the later one holds.
//
// Source: org.apache.cassandra.index.internal.CassandraIndex; storage.md 1.17. The layout is our own: Cassandra builds its index
// tables anew when it imports a table.
type indexEntries struct {
	engine   *Engine
	base     *schema.Table
	def      *schema.Index
	store    *store
	builders sync.Pool // of *request.Builder
}

// Columns of an index's table: the value; the token, in two parts, and the key of the partition; then, for an index of rows, the
// clustering of the row.
const (
	columnValue schema.ColumnID = iota + 1
	columnToken
	columnTokenRest
	columnKey
	columnClustering
	// entryColumns is the number of clustering columns before those of the row.
	entryColumns = int(columnClustering - columnToken)
)

// The first byte of a partition key of an index's table says what follows: the value, or the hash of one that is too long for a
// key. Who follows an entry looks at the row anyway.
const (
	keyOfValue   = 1
	keyOfHash    = 2
	maxKeptValue = 16 << 10
)

// newIndexEntries returns the empty entries of an index of a table whose files are in dir.
func (e *Engine) newIndexEntries(t *schema.Table, def *schema.Index, dir string) *indexEntries {
	x := &indexEntries{engine: e, base: t, def: def}
	x.builders.New = func() any { return new(request.Builder) }
	x.store = newStoreAt(indexTable(t, def), path.Join(dir, "."+def.Name))
	x.store.ofIndex = true
	return x
}

// indexTable returns the definition of the table of an index.
func indexTable(t *schema.Table, def *schema.Index) *schema.Table {
	out := &schema.Table{
		Keyspace: t.Keyspace, Name: t.Name + "." + def.Name, ID: indexID(t, def), ByName: map[string]*schema.Column{},
		ByID: map[schema.ColumnID]*schema.Column{}, Dropped: map[string]schema.DroppedColumn{}, Options: schema.DefaultOptions(),
	}
	out.Options.GCGraceSeconds, out.Options.Compression = 0, maps.Clone(t.Options.Compression)
	add := func(name string, kind schema.ColumnKind, typ *types.Type, desc bool) {
		c := &schema.Column{
			Keyspace: out.Keyspace, Table: out.Name, Name: name, ID: schema.ColumnID(len(out.ByID) + 1), Kind: kind, Type: typ, Desc: desc,
			DroppedAt: math.MinInt64,
		}
		if kind == schema.PartitionKey {
			out.PartitionKey = append(out.PartitionKey, c)
		} else {
			c.Position = len(out.Clustering)
			out.Clustering = append(out.Clustering, c)
		}
		out.ByName[name], out.ByID[c.ID] = c, c
	}
	add("value", schema.PartitionKey, types.TBlob, false)
	for _, n := range [...]string{"token", "token_rest", "key"} {
		add(n, schema.Clustering, types.TBlob, false)
	}
	if !ofPartition(def) {
		for _, c := range t.Clustering {
			add("c_"+c.Name, schema.Clustering, c.Type, c.Desc)
		}
	}
	out.NextColumn = schema.ColumnID(len(out.ByID) + 1)
	return out
}

func ofPartition(def *schema.Index) bool {
	return def.Column.Kind == schema.PartitionKey || def.Column.Kind == schema.Static
}

// indexID returns the id of the table of an index: another one when the index is of something else.
func indexID(t *schema.Table, def *schema.Index) schema.UUID {
	b := append([]byte("index"), t.ID[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(def.Column.ID))
	b = append(b, byte(def.Target), byte(def.Column.Kind))
	sum := sha256.Sum256(append(b, def.Name...))
	return schema.UUID(sum[:16])
}

// partitionKey returns the key of a value's partition.
func (x *indexEntries) partitionKey(value []byte) []byte {
	if len(value) <= maxKeptValue {
		return append([]byte{keyOfValue}, value...)
	}
	sum := sha256.Sum256(value)
	return append([]byte{keyOfHash}, sum[:]...)
}

// clustering returns the clustering of an entry.
func (x *indexEntries) clustering(e *index.Entry) [][]byte {
	out := make([][]byte, entryColumns, entryColumns+len(x.base.Clustering))
	out[0], out[1], out[2] = binary.BigEndian.AppendUint64(nil, e.Token.Prefix), []byte(e.Token.Rest), append([]byte{}, e.Key...)
	if !ofPartition(x.def) && len(e.Clustering) > 0 {
		r := row.Reader{B: e.Clustering}
		out = append(out, r.Values(nil, len(x.base.Clustering))...)
	}
	return out
}

// entry returns the entry of a row, with bytes of its own.
func (x *indexEntries) entry(clustering [][]byte) index.Entry {
	e := index.Entry{
		Token: token.Token{Prefix: binary.BigEndian.Uint64(clustering[0]), Rest: string(clustering[1])},
		Key:   append([]byte{}, clustering[2]...),
	}
	if !ofPartition(x.def) {
		e.Clustering = row.AppendValues(nil, clustering[entryColumns:])
	}
	return e
}

// write writes one row to the memtable. The caller holds the gate.
func (x *indexEntries) write(value []byte, e *index.Entry, put func(*request.Builder, int64)) {
	key := x.partitionKey(value)
	b := x.builders.Get().(*request.Builder)
	defer x.builders.Put(b)
	b.Reset(x.store.table.Load(), key, x.engine.opts.Partitioner.Token(key))
	b.Row(x.clustering(e))
	put(b, x.engine.tick.Add(1))
	m := b.Mutation()
	mem := x.store.view.Load().mem
	mem.wrote(1)
	x.engine.report(mem.Apply(&m), "write of an index")
}

// Add implements index.Entries. The caller holds the gate.
func (x *indexEntries) Add(value []byte, e index.Entry) {
	x.write(value, &e, func(b *request.Builder, tick int64) { b.Liveness(row.Liveness{Timestamp: tick, Expiry: row.NoLocal}) })
}

// Remove implements index.Entries. The caller holds the gate.
func (x *indexEntries) Remove(value []byte, e index.Entry) {
	x.write(value, &e, func(b *request.Builder, tick int64) {
		b.DeleteRow(row.Deletion{Timestamp: tick, Local: time.Now().Unix()})
	})
}

// Bytes implements index.Entries.
func (x *indexEntries) Bytes() int64 {
	v := x.store.view.Load()
	n := v.mem.Bytes()
	for _, m := range v.frozen {
		n += m.Bytes()
	}
	return n
}

// Page implements index.Entries.
func (x *indexEntries) Page(dst []index.Entry, value []byte, from index.Entry, inclusive bool, limit int) ([]index.Entry, error) {
	t := x.store.table.Load()
	start := row.Bound{Values: x.clustering(&from), Inclusive: inclusive}
	r := request.Read{
		Table: t, Keys: [][]byte{x.partitionKey(value)},
		Slices: []row.Slice{{Start: start, End: row.Bound{Inclusive: true}}},
	}
	it := x.engine.readStore(context.Background(), &r, x.store)
	defer it.Close()
	for limit > 0 && it.NextPartition() {
		for u := it.NextRow(); u != nil && limit > 0; u = it.NextRow() {
			if u.Liveness.Timestamp == row.NoTimestamp {
				continue // removed
			}
			dst = append(dst, x.entry(u.Clustering))
			limit--
		}
	}
	return dst, it.Err()
}

// newIndexes returns the indexes of t, whose files are in dir, those of old that are still the same among them.
func (e *Engine) newIndexes(t *schema.Table, dir string, old []*index.Index) []*index.Index {
	var out []*index.Index
	for _, def := range t.Indexes {
		var x *index.Index
		for _, o := range old {
			if d := o.Definition; d.Name == def.Name && d.Target == def.Target && d.Column.ID == def.Column.ID && d.Kind == def.Kind {
				x = o
			}
		}
		switch {
		case x != nil:
		case e.dir == "":
			x = index.New(t, def)
		default:
			x = index.Over(t, def, e.newIndexEntries(t, def, dir))
		}
		out = append(out, x)
	}
	return out
}

// unbuilt returns the same indexes, not built.
func unbuilt(list []*index.Index, t *schema.Table) []*index.Index {
	out := make([]*index.Index, len(list))
	for i, x := range list {
		out[i] = index.Over(t, x.Definition, x.Entries())
	}
	return out
}

// entryStores returns the stores of the view's indexes.
func (v *view) entryStores() []*store {
	var out []*store
	for _, x := range v.indexes {
		if s := storeOf(x); s != nil {
			out = append(out, s)
		}
	}
	return out
}

// storeOf returns the store of an index, nil for one in memory.
func storeOf(x *index.Index) *store {
	if entries, ok := x.Entries().(*indexEntries); ok {
		return entries.store
	}
	return nil
}

// addIndexed calls add, which adds to indexes, between writes: memtables of indexes are frozen only when nobody writes to them.
func (e *Engine) addIndexed(add func()) {
	e.gate.RLock()
	defer e.gate.RUnlock()
	add()
}

// keepBuilt makes durable that indexes of a store are built: their entries are on disk first.
func (e *Engine) keepBuilt(ctx context.Context, st *store, list []*index.Index) error {
	if e.log == nil || len(list) == 0 {
		return nil
	}
	if err := e.flushStores(ctx, []*store{st}); err != nil {
		return err
	}
	return e.noteBuilt(list, true)
}

// noteBuilt writes down whether indexes are built.
func (e *Engine) noteBuilt(list []*index.Index, built bool) error {
	var ed edit
	for _, x := range list {
		if s := storeOf(x); s != nil {
			ed = ed.built(s.id, built)
		}
	}
	if len(ed) == 0 {
		return nil
	}
	return e.manifest.commit(ed)
}

// dropIndexes frees the stores of indexes that are gone.
func (e *Engine) dropIndexes(old, next []*index.Index) {
	kept := map[*store]bool{}
	for _, x := range next {
		kept[storeOf(x)] = true
	}
	for _, x := range old {
		s := storeOf(x)
		if s == nil || kept[s] {
			continue
		}
		e.compactions.Remove(s.id)
		s.publishing.Lock()
		s.gone.Store(true)
		e.gate.Lock()
		was := s.clear(newViewOf(s.table.Load()))
		e.gate.Unlock()
		e.report(e.manifest.commit(e.void(edit(nil), s.id).built(s.id, false)), "drop of an index")
		was.finish(e)
		s.publishing.Unlock()
	}
	e.kick()
}

// emptyIndexes returns new indexes in the place of others whose entries are, or are to be, emptied; they are built.
func emptyIndexes(list []*index.Index, t *schema.Table) []*index.Index {
	out := make([]*index.Index, len(list))
	for i, x := range list {
		if storeOf(x) == nil {
			out[i] = index.New(t, x.Definition)
		} else {
			out[i] = index.Over(t, x.Definition, x.Entries())
		}
		out[i].SetBuilt()
	}
	return out
}

// changeIndexes follows a change of a store's indexes, which were old: those that are gone are freed, new ones of an empty table
// are built, and all new ones come under compaction's care.
func (e *Engine) changeIndexes(old []*index.Index, st *store) {
	v := st.view.Load()
	empty := v.empty()
	if empty {
		v.setBuilt()
	}
	if !e.ready.Load() || e.dir == "" {
		return
	}
	e.dropIndexes(old, v.indexes)
	var added []*index.Index
	for _, x := range v.indexes {
		if !slices.Contains(old, x) {
			added = append(added, x)
			e.compactions.Add(compactionStore{e, storeOf(x)})
		}
	}
	if empty {
		e.report(e.noteBuilt(added, true), "manifest")
	}
}

// adoptIndexes puts the indexes of new stores under compaction's care and notes that they are built: they were empty when writes
// began to reach them.
func (e *Engine) adoptIndexes(stores []*store) {
	if !e.ready.Load() || e.dir == "" {
		return
	}
	for _, st := range stores {
		v := st.view.Load()
		for _, s := range v.entryStores() {
			e.compactions.Add(compactionStore{e, s})
		}
		e.report(e.noteBuilt(v.indexes, true), "manifest")
	}
}
