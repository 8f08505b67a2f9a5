package compaction

import (
	"math"

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
	// others are the tables that are no inputs and have keys between those of the inputs.
	others []other
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
}

// of returns the least timestamp (microseconds) that anything else may hold in a partition, and whether anything may.
func (b *purgeBounds) of(tok token.Token, key []byte) (least int64, any bool) {
	if !b.moment.Current() {
		b.refresh()
	}
	least = math.MaxInt64
	k := Key{tok, key}
	for i := range b.others {
		o := &b.others[i]
		if any && o.minTimestamp >= least || k.Compare(o.first) < 0 || k.Compare(o.last) > 0 {
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
