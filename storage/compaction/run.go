package compaction

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/merge"
	"github.com/helenusdb/helenus/storage/row"
)

// ErrSpace is wrapped when the disk has not the room for a task's outputs.
var ErrSpace = errors.New("not enough space on the disk for the compaction")

// run executes a task: it reads the inputs, merges and purges them, writes the outputs and has the store exchange them. After
// an error nothing has changed and nothing is left behind. An input that is damaged ends the task; the reader of the table
// knows from then on that it is suspect. Source: org.apache.cassandra.db.compaction.CompactionTask.runMayThrow.
func (m *Manager) run(ctx context.Context, job *Job, s Store, t *Task) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	moment := s.Acquire()
	defer moment.Release()
	live, err := find(moment, t.Inputs)
	if err != nil {
		return err
	}
	entry := Entry{ID: job.id, Kind: t.Kind, At: m.now(), Inputs: len(live), Merged: map[int]int64{}}
	expired := stillExpired(moment, t, m.gcBefore(s.Schema()))
	dropped := setOf(expired)
	read := slices.DeleteFunc(slices.Clone(live), func(l Live) bool { return dropped[l.ID] })
	if t.Relabel && len(read) == 1 && len(expired) == 0 {
		return s.Relabel([]Output{{read[0].Reader.Descriptor(), t.Level, read[0].RepairedAt}})
	}
	kept, err := m.fit(job, t, read)
	if err != nil {
		return err
	}
	if n := len(read) - len(kept); n > 0 {
		m.mu.Lock()
		m.stats.Reduced++
		m.stats.Dropped += int64(n)
		m.mu.Unlock()
		read = kept
	}
	removed := idsOf(read)
	for _, x := range expired {
		removed = append(removed, x.ID)
	}
	if len(removed) == 0 {
		return nil
	}
	var outputs []Output
	if len(read) > 0 {
		out, err := m.rewrite(ctx, job, s, t, read, entry.Merged)
		if err == nil {
			err = context.Cause(ctx)
		}
		if err == nil {
			outputs = out.outputs()
			err = s.Exchange(removed, outputs)
		}
		if err != nil {
			if out != nil {
				err = errors.Join(err, out.abort())
			}
			return err
		}
		entry.BytesOut = out.size()
	} else if err := s.Exchange(removed, nil); err != nil {
		return err
	}
	for _, l := range read {
		entry.BytesIn += l.Size
	}
	entry.Inputs, entry.Outputs, entry.Expired = len(removed), len(outputs), len(expired)
	m.finished(s, entry)
	return nil
}

// find returns the inputs among the live tables of a moment. All must be there and readable.
func find(moment Moment, inputs []*Table) ([]Live, error) {
	byID := map[string]Live{}
	for _, l := range moment.Tables() {
		byID[l.ID] = l
	}
	var out []Live
	for _, t := range inputs {
		l, ok := byID[t.ID]
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: %w", t.ID, ErrGone)
		case l.View == nil:
			return nil, fmt.Errorf("%s: %w", t.ID, l.Err)
		}
		out = append(out, l)
	}
	return out, nil
}

// stillExpired returns which of the tables that a task is to drop unread are still fully expired: what was written since the
// decision may be older than they are.
func stillExpired(moment Moment, t *Task, gcBefore int64) []*Table {
	if len(t.Expired) == 0 || t.NoPurge {
		return nil
	}
	var all []*Table
	for _, l := range moment.Tables() {
		all = append(all, l.Table)
	}
	return fullyExpired(t.Expired, without(overlapping(t.Expired, all), t.Expired), gcBefore, moment.MemtableMin())
}

// usable is the share of the free space that compactions may take: max_space_usable_for_compactions_in_percentage.
const usable = 0.95

// fit returns the inputs for whose outputs the disk has room beside those of running jobs, and notes how much that is. Inputs
// that are left out bound what may be purged like any other table (CASSANDRA-18507): the bounds are made for what fit returns.
func (m *Manager) fit(job *Job, t *Task, inputs []Live) ([]Live, error) {
	if len(inputs) == 0 {
		return nil, nil
	}
	dir := job.store.Dir()
	free, _, err := m.opts.FS.Space(dir)
	if err != nil {
		return nil, fmt.Errorf("space of %s: %w", dir, err)
	}
	inputs = slices.Clone(inputs)
	m.mu.Lock()
	defer m.mu.Unlock()
	room := int64(float64(free) * usable)
	for j := range m.jobs {
		room -= max(0, j.total.Load()-j.completed.Load())
	}
	for {
		need := int64(0)
		for _, l := range inputs {
			need += l.Size
		}
		if need <= room {
			job.total.Store(need)
			return inputs, nil
		}
		drop := -1
		for i, l := range inputs {
			// Of a task that writes to a level only tables of level 0 can stay behind without an overlap.
			if (t.Level == 0 || l.Level == 0) && (drop < 0 || l.Size > inputs[drop].Size) {
				drop = i
			}
		}
		if !t.Reducible || len(inputs) < 2 || drop < 0 {
			return nil, fmt.Errorf("%d bytes for %d tables, %d are free: %w", need, len(inputs), room, ErrSpace)
		}
		inputs = slices.Delete(inputs, drop, drop+1)
	}
}

// rewrite reads inputs and writes the outputs of a task, which it returns also after an error. merged counts partitions by how
// many inputs had them.
func (m *Manager) rewrite(ctx context.Context, job *Job, s Store, t *Task, inputs []Live, merged map[int]int64) (*output, error) {
	table := inputs[0].View.Table()
	layout := row.NewLayout(table)
	out := newOutput(m.opts.FS, s, t, inputs, m.opts.Writer)
	mt := &meter{ctx: ctx, job: job, limit: m.limit, merged: merged}
	var sources []row.Source
	for _, l := range inputs {
		in := newInput(layout, l, len(inputs))
		if t.Kind == Scrub {
			in.Close()
			skip, err := m.probe(ctx, layout, l)
			if err != nil {
				return out, err
			}
			in, t.lost = inputOf(l, l.View.Salvage(skip)), len(skip)
		}
		mt.inputs = append(mt.inputs, in)
		sources = append(sources, in)
	}
	mt.src = merge.Sources(layout, sources)
	defer mt.src.Close()
	tables := make([]*Table, len(inputs))
	for i, l := range inputs {
		tables[i] = l.Table
	}
	bounds := newPurgeBounds(s, tables)
	defer bounds.close()
	var src row.Source = metered{mt}
	if t.Provide != ProvideNone {
		// These are bounds of its own: what it reads of other tables must stay while the partition does.
		others := newPurgeBounds(s, tables)
		defer others.close()
		src = newGarbage(layout, src, others, t.Provide == ProvideCell)
	}
	if !t.NoPurge {
		src = merge.Purge(src, m.purger(t, table, tables, bounds))
	}
	for p := src.Next(); p != nil; p = src.Next() {
		if len(t.Ranges) > 0 && !inRanges(t.Ranges, p.Token) {
			continue
		}
		if err := out.append(p); err != nil {
			return out, err
		}
	}
	if err := src.Err(); err != nil {
		return out, err
	}
	if err := mt.tick(); err != nil {
		return out, err
	}
	return out, out.finish()
}

// purger returns what a task purges by.
func (m *Manager) purger(t *Task, table *schema.Table, inputs []*Table, b *purgeBounds) merge.Purger {
	p := merge.Purger{Now: m.now().Unix(), GCBefore: m.gcBefore(table), IgnoreGrace: t.IgnoreGrace, Overlap: b.of}
	if p.OnlyRepaired = t.AllRepaired; t.AllRepaired {
		p.OldestUnrepaired = math.MinInt64
		if allRepaired(inputs) {
			p.OldestUnrepaired = math.MaxInt64
		}
	}
	return p
}

func inRanges(ranges []token.Range, tok token.Token) bool {
	return slices.ContainsFunc(ranges, func(r token.Range) bool { return r.Contains(tok) })
}

func idsOf(tables []Live) []string {
	var out []string
	for _, t := range tables {
		out = append(out, t.ID)
	}
	return out
}
