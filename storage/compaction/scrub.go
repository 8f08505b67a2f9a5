package compaction

import (
	"context"
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/merge"
	"github.com/helenusdb/helenus/storage/row"
)

// Scrub rewrites each table on disk without its damaged partitions, damaged tables too, and returns what was lost: nodetool
// scrub. Nothing is purged. A partition with damaged or disordered rows is dropped whole, and so is one that stands in the wrong
// place. jobs is how many tables at a time, 0 for as many as there are slots.
//
// Deviation: Cassandra keeps partitions that stand in the wrong place, in a table of their own.
func (m *Manager) Scrub(ctx context.Context, table schema.UUID, jobs int) ([]Damage, error) {
	var tasks []*Task
	err := m.operate(ctx, table, true, jobs, func(v *View, s *Strategies) []*Task {
		sorted := slices.Clone(v.Tables)
		slices.SortFunc(sorted, bySize)
		for _, t := range sorted {
			if task := s.Single(v, t.ID, Scrub); task != nil && !v.Running[t.ID] {
				task.NoPurge = true
				tasks = append(tasks, task)
			}
		}
		return tasks
	})
	var out []Damage
	for _, t := range tasks {
		if t.lost > 0 {
			out = append(out, Damage{ID: t.Inputs[0].ID, Lost: t.lost})
		}
	}
	return out, err
}

// probe reads a table and returns where its damaged partitions begin.
func (m *Manager) probe(ctx context.Context, l *row.Layout, t Live) (map[int64]bool, error) {
	src := t.View.Salvage(nil)
	defer src.Close()
	var order merge.CheckedRows
	disorder := map[int64]bool{}
	read := int64(0)
	ratio := inputOf(t, src).ratio
	for p := src.Next(); p != nil; p = src.Next() {
		at := src.Start()
		order.Reset(l, p.Rows, false)
		for order.Next() != nil {
		}
		if order.Err() != nil {
			disorder[at] = true
		}
		now := int64(float64(src.Position()) * ratio)
		if err := m.limit.Wait(ctx, now-read); err != nil {
			return nil, err
		}
		read = now
	}
	if err := src.Err(); err != nil {
		return nil, err
	}
	for at := range src.Damaged() {
		disorder[at] = true
	}
	return disorder, nil
}
