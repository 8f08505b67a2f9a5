package compaction

import (
	"math"
	"slices"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/sstable"
)

// purgeBounds tells how old a deletion has to be to be dropped by a task: older than anything of its partition in tables that are
// no inputs and in memtables. It follows the store: a memtable that is flushed meanwhile is a table from then on. It is used
// by one goroutine. Source: org.apache.cassandra.db.compaction.CompactionController.getPurgeEvaluator.
type purgeBounds struct {
	store  Store
	moment Moment
	inputs map[string]bool
	// others are the tables that are no inputs and have keys between those of the inputs, by first key. Keys are asked for in
	// order: those up to next were reached, and those of active have not ended.
	others []other
	next   int
	active []*other
	// first and last are the ends of the inputs, oldest their least timestamp.
	first, last Key
	oldest      int64
}

// other is a table that takes no part.
type other struct {
	first, last  Key
	minTimestamp int64
	maxTimestamp int64
	reader       *sstable.Reader
	view         *sstable.View
}

// newPurgeBounds returns the bounds for inputs, which are not none. The caller closes them.
func newPurgeBounds(s Store, inputs []*Table) *purgeBounds {
	b := &purgeBounds{store: s, inputs: map[string]bool{}, first: inputs[0].First, last: inputs[0].Last, oldest: inputs[0].MinTimestamp}
	for _, t := range inputs {
		b.inputs[t.ID] = true
		b.oldest = min(b.oldest, t.MinTimestamp)
		if t.First.Compare(b.first) < 0 {
			b.first = t.First
		}
		if t.Last.Compare(b.last) > 0 {
			b.last = t.Last
		}
	}
	b.refresh()
	return b
}

// refresh takes the store's current moment.
func (b *purgeBounds) refresh() {
	b.close()
	b.moment = b.store.Acquire()
	b.others = b.others[:0]
	for _, t := range b.moment.Tables() {
		if !b.inputs[t.ID] && t.First.Compare(b.last) <= 0 && b.first.Compare(t.Last) <= 0 {
			b.others = append(b.others, other{t.First, t.Last, t.MinTimestamp, t.MaxTimestamp, t.Reader, t.View})
		}
	}
	slices.SortFunc(b.others, func(x, y other) int { return x.first.Compare(y.first) })
	b.next, b.active = 0, b.active[:0]
}

// at returns the other tables whose range has a key, which stands behind those that were asked for before. The store's moment is
// renewed first when it has passed.
func (b *purgeBounds) at(k Key) []*other {
	if !b.moment.Current() {
		b.refresh()
	}
	for ; b.next < len(b.others) && b.others[b.next].first.Compare(k) <= 0; b.next++ {
		b.active = append(b.active, &b.others[b.next])
	}
	b.active = slices.DeleteFunc(b.active, func(o *other) bool { return o.last.Compare(k) < 0 })
	return b.active
}

// of returns the least timestamp (microseconds) that anything else may hold in a partition, and whether anything may.
func (b *purgeBounds) of(tok token.Token, key []byte) (least int64, any bool) {
	least = math.MaxInt64
	for _, o := range b.at(Key{tok, key}) {
		if any && o.minTimestamp >= least {
			continue
		}
		if o.reader.MayContain(key) {
			least, any = min(least, o.minTimestamp), true
		}
	}
	if m, ok := b.moment.MemtableBound(tok, key); ok {
		least, any = min(least, m), true
	}
	return least, any
}

// close releases what the bounds hold.
func (b *purgeBounds) close() {
	if b.moment != nil {
		b.moment.Release()
		b.moment = nil
	}
}
