package storage

import (
	"bytes"
	"context"
	"fmt"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/merge"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
)

// readMerged reads a view of several memtables or with tables on disk, which the caller holds.
func (e *Engine) readMerged(ctx context.Context, r *request.Read, st *store, v *view) row.Iterator {
	switch {
	case r.Keys != nil:
		return merge.Rows(ctx, v.layout, e.lookups(r, st, v))
	case r.Reversed:
		return merge.Rows(ctx, v.layout, &lookedUp{heads: e.ranges(r, v), by: e.lookups(r, st, v)})
	}
	it := merge.Rows(ctx, v.layout, e.ranges(r, v))
	if r.Slices != nil {
		it = &sliced{Iterator: it, read: r}
	}
	if a := r.After; a != nil && a.Clustering != nil {
		// The rest of the partition in which the read goes on is looked up, so that what was read of it is passed over.
		rest := *r
		rest.Keys = [][]byte{a.Key}
		return &following{Iterator: merge.Rows(ctx, v.layout, e.lookups(&rest, st, v)), next: it}
	}
	return it
}

// following is an iterator and, behind it, another one.
type following struct {
	row.Iterator
	next row.Iterator
}

// NextPartition implements row.Iterator.
func (f *following) NextPartition() bool {
	if f.Iterator.NextPartition() {
		return true
	}
	if f.next == nil || f.Iterator.Err() != nil {
		return false
	}
	f.Iterator.Close()
	f.Iterator, f.next = f.next, nil
	return f.Iterator.NextPartition()
}

// Close implements row.Iterator.
func (f *following) Close() {
	f.Iterator.Close()
	if f.next != nil {
		f.next.Close()
	}
}

// sliced leaves out the rows that are outside of a read's slices.
type sliced struct {
	row.Iterator
	read *request.Read
}

// NextRow implements row.Iterator.
func (s *sliced) NextRow() *row.Row {
	for r := s.Iterator.NextRow(); r != nil; r = s.Iterator.NextRow() {
		for i := range s.read.Slices {
			if sl := &s.read.Slices[i]; !sl.BeforeStart(s.read.Table, r.Clustering) && !sl.AfterEnd(s.read.Table, r.Clustering) {
				return r
			}
		}
	}
	return nil
}

// ranges returns the partitions of a read's range behind the one where it goes on.
func (e *Engine) ranges(r *request.Read, v *view) row.Source {
	rg := r.Range
	if a := r.After; a != nil {
		rg.Start = request.KeyBound{Token: e.opts.Partitioner.Token(a.Key), Key: a.Key, Inclusive: r.Reversed && a.Clustering != nil}
	}
	return v.source(rg, r.Slices)
}

// source returns the partitions of a range; the view is held until it is closed. Tables on disk that have nothing in slices, nil
// for everything, are passed over.
func (v *view) source(rg request.KeyRange, slices []row.Slice) row.Source {
	list := make([]row.Source, 0, 1+len(v.frozen)+len(v.tables))
	if !v.mem.clean() {
		list = append(list, v.mem.Source(rg))
	}
	for _, m := range v.frozen {
		list = append(list, m.Source(rg))
	}
	on := sstable.Range{Start: sstable.KeyBound(rg.Start), End: sstable.KeyBound(rg.End)}
	for i := range v.tables {
		switch t := &v.tables[i]; {
		case t.err != nil:
			list = append(list, failed{t.err})
		case t.reader.InRange(on) && (t.view.Covers(slices) || t.reader.HasStatics() || t.reader.HasPartitionDeletions()):
			list = append(list, t.view.Scan(on))
		}
	}
	return merge.Sources(v.layout, list)
}

// failed is a source that cannot be read.
type failed struct{ err error }

// Next implements row.Source.
func (failed) Next() *row.Partition { return nil }

// Err implements row.Source.
func (f failed) Err() error { return f.err }

// Close implements row.Source.
func (failed) Close() {}

// lookups gives the partitions of a read's keys, in the order of the keys.
type lookups struct {
	engine *Engine
	read   *request.Read
	store  *store
	view   *view
	next   int
	passed bool
	*finders
	asked int64 // tables on disk that have the partition
	err   error
}

// finders are what lookups need and do not keep. They are pooled by the engine.
type finders struct {
	parts []*row.Partition
	find  []*sstable.Finder // of each table of the view
}

// lookups returns a source over the keys of r, behind the position where it goes on.
func (e *Engine) lookups(r *request.Read, st *store, v *view) *lookups {
	return &lookups{engine: e, read: r, store: st, view: v, passed: r.After == nil, finders: e.finders.Get().(*finders)}
}

// Next implements row.Source.
func (s *lookups) Next() *row.Partition {
	for s.finders != nil && s.err == nil && s.next < len(s.read.Keys) {
		key := s.read.Keys[s.next]
		s.next++
		slices := s.read.Slices
		if !s.passed {
			after := s.read.After
			if !bytes.Equal(key, after.Key) {
				continue
			}
			s.passed = true
			if after.Clustering == nil {
				continue
			}
			slices = s.behind(after.Clustering)
		}
		if p := s.lookup(s.engine.opts.Partitioner.Token(key), key, slices); p != nil {
			return p
		}
	}
	return nil
}

// behind returns the read's slices as far as they stand behind a row in the order of the read.
func (s *lookups) behind(clustering [][]byte) []row.Slice {
	if len(clustering) == 0 {
		return []row.Slice{} // the only row there can be
	}
	t := s.read.Table
	list := s.read.Slices
	if list == nil {
		list = []row.Slice{row.All}
	}
	out := make([]row.Slice, 0, len(list))
	at := row.Bound{Values: clustering}
	for _, sl := range list {
		if s.read.Reversed {
			if row.CompareCuts(t, row.StartCut(sl.Start), row.EndCut(at)) >= 0 {
				continue
			}
			if row.CompareCuts(t, row.EndCut(sl.End), row.EndCut(at)) > 0 {
				sl.End = at
			}
		} else {
			if row.CompareCuts(t, row.EndCut(sl.End), row.StartCut(at)) <= 0 {
				continue
			}
			if row.CompareCuts(t, row.StartCut(sl.Start), row.StartCut(at)) < 0 {
				sl.Start = at
			}
		}
		out = append(out, sl)
	}
	return out
}

// lookup returns what the view has of a partition in slices, nil when that is nothing.
func (s *lookups) lookup(tok token.Token, key []byte, slices []row.Slice) *row.Partition {
	s.asked = 0
	p := s.merged(tok, key, slices)
	m := &s.store.metrics
	m.partitionReads.Add(1)
	m.tablesRead.Add(s.asked)
	m.tablesPerRead.Add(s.asked)
	return p
}

// merged is lookup without its figures.
func (s *lookups) merged(tok token.Token, key []byte, slices []row.Slice) *row.Partition {
	v := s.view
	if len(v.tables) > 0 && (len(slices) > 0 || slices == nil && len(v.layout.Table.Clustering) == 0) {
		if n := merge.NewNames(v.layout, slices, s.read.Columns, s.read.Now); n != nil {
			return s.lookupNames(n, tok, key)
		}
	}
	s.parts = s.parts[:0]
	deleted := row.NoTimestamp // the greatest deletion of the partition
	for i := range 1 + len(v.frozen) {
		if m := v.memory(i); !m.clean() {
			deleted = s.add(m.Lookup(tok, key, slices, s.read.Reversed), deleted)
		}
	}
	for i := range v.tables {
		t := &v.tables[i]
		// Those behind are older still: the deletion hides all that they have.
		if t.MaxTimestamp() < deleted {
			break
		}
		rows := slices
		if t.err == nil && !t.view.Covers(slices) {
			if !t.reader.HasStatics() && !t.reader.HasPartitionDeletions() {
				continue
			}
			rows = []row.Slice{}
		}
		p := s.lookupTable(i, key, rows, s.read.Reversed)
		if s.err != nil {
			return nil
		}
		deleted = s.add(p, deleted)
	}
	return merge.Partitions(v.layout, s.parts, s.read.Reversed)
}

// lookupNames looks single rows up, in no older table than is needed.
func (s *lookups) lookupNames(n *merge.Names, tok token.Token, key []byte) *row.Partition {
	v := s.view
	for i := range 1 + len(v.frozen) {
		if m := v.memory(i); !m.clean() && s.err == nil {
			s.err = n.Add(m.Lookup(tok, key, n.Slices(), false))
		}
	}
	for i := range v.tables {
		if s.err != nil {
			return nil
		}
		if !n.Reduce(v.tables[i].MaxTimestamp()) {
			break
		}
		if p := s.lookupTable(i, key, n.Slices(), false); s.err == nil {
			s.err = s.wrap(n.Add(p))
		}
	}
	if s.err != nil {
		return nil
	}
	return n.Partition(s.read.Reversed)
}

// lookupTable returns what the i-th table has of a partition in slices. Its error is the source's.
func (s *lookups) lookupTable(i int, key []byte, slices []row.Slice, reversed bool) *row.Partition {
	t := &s.view.tables[i]
	if t.err != nil {
		s.err = s.wrap(t.err)
		return nil
	}
	for len(s.find) <= i {
		s.find = append(s.find, new(sstable.Finder))
	}
	p, err := s.find[i].Lookup(t.view, key, slices, reversed)
	if err != nil {
		s.err = s.wrap(err)
		return nil
	}
	switch {
	case p != nil:
		s.asked++
		t.filterTrue.Add(1)
	case t.reader.MayContain(key):
		t.filterFalse.Add(1)
	}
	return p
}

// wrap names the table in an error.
func (s *lookups) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s.%s: %w", s.view.layout.Table.Keyspace, s.view.layout.Table.Name, err)
}

// memory returns the i-th memtable of the view, newest first.
func (v *view) memory(i int) *memory {
	if i == 0 {
		return v.mem
	}
	return v.frozen[len(v.frozen)-i]
}

// add adds what a source has of the partition.
func (s *lookups) add(p *row.Partition, deleted int64) int64 {
	if p == nil {
		return deleted
	}
	s.parts = append(s.parts, p)
	return max(deleted, p.Deletion.Timestamp)
}

// Err implements row.Source.
func (s *lookups) Err() error { return s.err }

// Close implements row.Source.
func (s *lookups) Close() {
	if f := s.finders; f != nil {
		s.finders = nil
		clear(f.parts)
		f.parts = f.parts[:0]
		s.engine.finders.Put(f)
	}
}

// lookedUp looks up each partition that heads has: it reads them backwards.
type lookedUp struct {
	heads row.Source
	by    *lookups
}

// Next implements row.Source.
func (l *lookedUp) Next() *row.Partition {
	for h := l.heads.Next(); h != nil; h = l.heads.Next() {
		slices := l.by.read.Slices
		if a := l.by.read.After; a != nil && a.Clustering != nil && bytes.Equal(a.Key, h.Key) {
			slices = l.by.behind(a.Clustering)
		}
		if p := l.by.lookup(h.Token, h.Key, slices); p != nil || l.by.err != nil {
			return p
		}
	}
	return nil
}

// Err implements row.Source.
func (l *lookedUp) Err() error {
	if l.by.err != nil {
		return l.by.err
	}
	return l.heads.Err()
}

// Close implements row.Source.
func (l *lookedUp) Close() {
	l.heads.Close()
	l.by.Close()
}
