package storage

import (
	"bytes"
	"context"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/index"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// entryPage is how many entries of an index are noted at once.
const entryPage = 128

// readIndex reads by a secondary index: what it finds, checked against the rows.
func (e *Engine) readIndex(ctx context.Context, r *request.Read, st *store) (row.Iterator, error) {
	v := st.view.Load()
	x := v.index(r.Index.Name)
	if x == nil || !x.Built() && !v.rebuilding {
		return nil, ErrIndexNotBuilt
	}
	term, ok := x.Filter(r.Term)
	terms := append([]request.Filter{term}, r.Filter...)
	var it row.Iterator
	if !ok || len(r.Keys) > 1 || !x.Built() {
		// Of several partitions each is read as it is; a term that cannot be one of the index matches nothing. An index that is
		// gathered again after a start was there before: until it is back all rows are looked at.
		it = e.readStore(ctx, r, st)
	} else {
		it = e.newIndexScan(ctx, r, st, x)
	}
	return newFiltered(row.LiveFilter(it, r.Now), r, terms), nil
}

// indexScan is the partitions and rows that an index's entries for a value point at, as they are stored.
type indexScan struct {
	ctx    context.Context
	engine *Engine
	read   *request.Read
	store  *store
	index  *index.Index
	span   request.KeyRange

	entries []index.Entry
	i       int
	last    index.Entry // where the next page begins
	from    bool        // last is to be given itself
	done    bool        // there is no next page

	// The current partition: of a row index, some of its rows at a time.
	tok  token.Token
	key  []byte
	part row.Iterator
	err  error // of an earlier one
	sub  request.Read
	keys [1][]byte
	// skip is the partition that an earlier page is done with.
	skip []byte
	// group is the entries that part is read for, of which those before checked are judged; stale are those found to point
	// at a row that does not hold the value.
	group   []index.Entry
	checked int
	stale   []index.Entry
}

func (e *Engine) newIndexScan(ctx context.Context, r *request.Read, st *store, x *index.Index) *indexScan {
	s := &indexScan{ctx: ctx, engine: e, read: r, store: st, index: x, span: r.Range, from: true}
	if r.Keys != nil {
		s.span = request.KeyRange{Start: request.KeyBound{Open: true}, End: request.KeyBound{Open: true}}
		s.done = len(r.Keys) == 0
		for _, k := range r.Keys {
			b := request.KeyBound{Token: e.opts.Partitioner.Token(k), Key: k, Inclusive: true}
			s.span = request.KeyRange{Start: b, End: b}
		}
	}
	if b := s.span.Start; !b.Open {
		s.last = index.Entry{Token: b.Token, Key: b.Key}
	}
	if a := r.After; a != nil {
		s.last = index.Entry{Token: e.opts.Partitioner.Token(a.Key), Key: a.Key}
		switch {
		case a.Clustering == nil:
			s.skip = a.Key
		case !x.OfPartition():
			s.last.Clustering = row.AppendValues(nil, a.Clustering)
			s.from = false
		}
	}
	return s
}

// peek returns the next entry, or nil.
func (s *indexScan) peek() *index.Entry {
	for s.i == len(s.entries) {
		if s.done {
			return nil
		}
		var err error
		s.entries, err = s.index.Page(s.entries[:0], s.read.Term, s.last, s.from, entryPage)
		if err != nil && s.err == nil {
			s.err = err
		}
		s.i, s.from = 0, false
		if s.done = len(s.entries) < entryPage; len(s.entries) > 0 {
			s.last = s.entries[len(s.entries)-1]
		}
	}
	return &s.entries[s.i]
}

// NextPartition implements row.Iterator.
func (s *indexScan) NextPartition() bool {
	s.clean()
	for e := s.peek(); e != nil; e = s.peek() {
		if s.Err() != nil {
			return false
		}
		switch {
		case bytes.Equal(e.Key, s.key) && s.part != nil, s.skip != nil && bytes.Equal(e.Key, s.skip), s.span.Before(e.Token, e.Key):
			s.i++
			continue
		case s.span.Behind(e.Token, e.Key):
			s.i, s.done = len(s.entries), true
			return false
		}
		s.tok, s.key = e.Token, e.Key
		if s.open() {
			return true
		}
	}
	return false
}

// open opens what the next entries, all of the current partition, point at, and reports whether the partition is there. It
// takes at least one entry.
func (s *indexScan) open() bool {
	t := s.read.Table
	s.keys[0] = s.key
	s.sub = request.Read{Table: t, Keys: s.keys[:], Now: s.read.Now, Reversed: s.read.Reversed}
	if s.index.OfPartition() {
		s.i++
		s.sub.Slices = s.read.Slices
		if a := s.read.After; a != nil && bytes.Equal(a.Key, s.key) {
			s.sub.After = a
		}
	} else {
		s.sub.Slices = make([]row.Slice, 0, 1)
		s.group, s.checked = s.group[:0], 0
		for ; s.i < len(s.entries) && bytes.Equal(s.entries[s.i].Key, s.key); s.i++ {
			r := row.Reader{B: s.entries[s.i].Clustering}
			values := r.Values(nil, len(t.Clustering))
			if s.wanted(values) {
				b := row.Bound{Values: values, Inclusive: true}
				s.sub.Slices = append(s.sub.Slices, row.Slice{Start: b, End: b})
				s.group = append(s.group, s.entries[s.i])
			}
		}
	}
	s.closePart()
	s.part = s.engine.readStore(s.ctx, &s.sub, s.store)
	if !s.part.NextPartition() {
		if s.err == nil {
			s.err = s.part.Err()
		}
		return false
	}
	if s.index.Definition.Column.Kind == schema.Static && !s.index.Holds(s.part.Static(), s.read.Term) {
		s.stale = append(s.stale, index.Entry{Token: s.tok, Key: s.key})
	}
	return true
}

// wanted reports whether a row is in the read's slices.
func (s *indexScan) wanted(clustering [][]byte) bool {
	t := s.read.Table
	for i := range s.read.Slices {
		if sl := &s.read.Slices[i]; !sl.BeforeStart(t, clustering) && !sl.AfterEnd(t, clustering) {
			return true
		}
	}
	return s.read.Slices == nil
}

// NextRow implements row.Iterator.
func (s *indexScan) NextRow() *row.Row {
	for {
		if r := s.part.NextRow(); r != nil {
			s.check(r)
			return r
		}
		s.check(nil)
		if e := s.peek(); e == nil || !bytes.Equal(e.Key, s.key) || s.index.OfPartition() || !s.open() {
			return nil
		}
	}
}

// check judges the entries of the group up to that of a row, nil for all of them: rows and entries come in the same order (but
// for a reversed read, which judges none), so an entry that is passed over points at no row.
func (s *indexScan) check(r *row.Row) {
	if s.read.Reversed {
		return
	}
	for ; s.checked < len(s.group); s.checked++ {
		e := s.group[s.checked]
		if r != nil {
			in := row.Reader{B: e.Clustering}
			if in.CompareEncoded(s.read.Table, r.Clustering) == 0 {
				if !s.index.Holds(r, s.read.Term) {
					s.stale = append(s.stale, e)
				}
				s.checked++
				return
			}
		}
		s.stale = append(s.stale, e)
	}
}

// closePart closes the current partition and keeps its error.
func (s *indexScan) closePart() {
	if s.part == nil {
		return
	}
	if s.err == nil {
		s.err = s.part.Err()
	}
	s.part.Close()
}

// clean removes the entries that were found stale, after another look that no write can come between: a write that brings the
// value back adds its entry after its row.
func (s *indexScan) clean() {
	if len(s.stale) == 0 {
		return
	}
	v := s.store.acquire()
	defer v.release()
	for _, e := range s.stale {
		in := row.Reader{B: e.Clustering}
		var clustering [][]byte
		if len(e.Clustering) > 0 {
			clustering = in.Values(nil, len(s.read.Table.Clustering))
		}
		s.cleanEntry(v, e, clustering)
	}
	s.stale = s.stale[:0]
}

// cleanEntry removes a stale entry unless its row holds the value now.
func (s *indexScan) cleanEntry(v *view, e index.Entry, clustering [][]byte) {
	// What is not in the memtable that takes writes does not change, unless that is frozen now.
	var old *row.Row
	if !v.onlyMemory() {
		r := request.Read{Table: s.read.Table, Keys: [][]byte{e.Key}, Now: s.read.Now, Slices: []row.Slice{}}
		if len(e.Clustering) > 0 {
			b := row.Bound{Values: clustering, Inclusive: true}
			r.Slices = []row.Slice{{Start: b, End: b}}
		}
		it := s.engine.readView(s.ctx, &r, s.store, v)
		defer it.Close()
		if it.NextPartition() {
			if old = it.Static(); len(e.Clustering) > 0 {
				old = it.NextRow()
			}
		}
		if it.Err() != nil || s.index.Holds(old, s.read.Term) {
			return
		}
	}
	s.engine.gate.RLock()
	defer s.engine.gate.RUnlock()
	if s.store.view.Load().mem != v.mem {
		return
	}
	v.mem.View(e.Token, e.Key, len(e.Clustering) == 0, clustering, func(r *row.Row) {
		if !s.index.Holds(r, s.read.Term) {
			s.index.Remove(s.read.Term, e)
		}
	})
}

// Key implements row.Iterator.
func (s *indexScan) Key() []byte { return s.key }

// Token implements row.Iterator.
func (s *indexScan) Token() token.Token { return s.tok }

// PartitionDeletion implements row.Iterator.
func (s *indexScan) PartitionDeletion() row.Deletion { return s.part.PartitionDeletion() }

// Static implements row.Iterator.
func (s *indexScan) Static() *row.Row { return s.part.Static() }

// Err implements row.Iterator.
func (s *indexScan) Err() error {
	if s.err != nil {
		return s.err
	}
	if s.part != nil && s.part.Err() != nil {
		return s.part.Err()
	}
	return s.ctx.Err()
}

// Close implements row.Iterator.
func (s *indexScan) Close() {
	s.clean()
	s.closePart()
	s.part = nil
	s.done, s.entries, s.i = true, nil, 0
}
