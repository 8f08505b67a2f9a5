package compaction

import (
	"cmp"
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
)

// state is what keeps tables apart: data that was repaired is not merged with data that was not, nor with that of a session.
type state struct {
	repaired bool
	pending  schema.UUID
}

func stateOf(t *Table) state { return state{t.Repaired(), t.Pending} }

// Strategies is the strategy of one table of the schema, once for each repair state. It is used by one goroutine at a time.
// Source: org.apache.cassandra.db.compaction.CompactionStrategyManager.
type Strategies struct {
	table   *schema.Table
	byState map[state]Strategy
}

// NewStrategies returns the strategies of a table.
func NewStrategies(t *schema.Table) *Strategies {
	return &Strategies{table: t, byState: map[state]Strategy{}}
}

// group is the tables of one state with their strategy.
type group struct {
	strategy Strategy
	view     *View
}

// groups splits v by state. Which of several is first follows from the tables alone.
func (s *Strategies) groups(v *View) []group {
	tables := map[state][]*Table{}
	var states []state
	for _, t := range v.Tables {
		k := stateOf(t)
		if tables[k] == nil {
			states = append(states, k)
		}
		tables[k] = append(tables[k], t)
	}
	for k := range s.byState {
		if tables[k] == nil {
			delete(s.byState, k)
		}
	}
	slices.SortFunc(states, func(a, b state) int {
		return cmp.Or(compareBool(a.repaired, b.repaired), slices.Compare(a.pending[:], b.pending[:]))
	})
	var out []group
	for _, k := range states {
		if s.byState[k] == nil {
			s.byState[k] = New(s.table)
		}
		part := *v
		part.Tables = tables[k]
		out = append(out, group{s.byState[k], &part})
	}
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Next returns the next background task of the state that has the most to do, nil when none has.
func (s *Strategies) Next(v *View) *Task {
	groups := s.groups(v)
	pending := make(map[Strategy]int, len(groups))
	for _, g := range groups {
		pending[g.strategy] = g.strategy.Pending(g.view)
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(pending[b.strategy], pending[a.strategy]) })
	for _, g := range groups {
		if t := g.strategy.Next(g.view); t != nil {
			return t
		}
	}
	return nil
}

// Major returns the tasks of a major compaction of everything that is free.
func (s *Strategies) Major(v *View, split bool) []*Task {
	var out []*Task
	for _, g := range s.groups(v) {
		out = append(out, g.strategy.Major(g.view, split)...)
	}
	return out
}

// UserDefined returns tasks that merge those of the tables with the given ids that are free, one for each repair state.
func (s *Strategies) UserDefined(v *View, ids map[string]bool) []*Task {
	var out []*Task
	for _, g := range s.groups(v) {
		free := slices.DeleteFunc(g.view.free(), func(t *Table) bool { return !ids[t.ID] })
		if len(free) == 0 {
			continue
		}
		t := g.strategy.Rewrite(g.view, free)
		t.Reducible = false
		out = append(out, t)
	}
	return out
}

// Range returns tasks that merge the free tables with keys in the ranges, one for each repair state. As in Cassandra these
// tables are merged whole.
func (s *Strategies) Range(v *View, ranges []token.Range) []*Task {
	ids := map[string]bool{}
	for _, t := range v.Tables {
		for _, r := range ranges {
			if meetsRange(t, r) {
				ids[t.ID] = true
			}
		}
	}
	return s.UserDefined(v, ids)
}

// meetsRange reports whether t may have keys in r.
func meetsRange(t *Table, r token.Range) bool {
	if r.Contains(t.First.Token) || r.Contains(t.Last.Token) {
		return true
	}
	// A range between the first and the last key holds neither.
	return t.First.Token.Less(r.End) && r.End.Less(t.Last.Token)
}

// Single returns a task that rewrites one table of v by itself, in the shape that its strategy gives to outputs; nil when it
// is not there.
func (s *Strategies) Single(v *View, id string, kind Kind) *Task {
	for _, g := range s.groups(v) {
		for _, t := range g.view.Tables {
			if t.ID == id {
				task := g.strategy.Rewrite(g.view, []*Table{t})
				task.Kind, task.Reducible, task.Expired = kind, false, nil
				return task
			}
		}
	}
	return nil
}

// Pending estimates how many background tasks there are to do.
func (s *Strategies) Pending(v *View) (n int) {
	for _, g := range s.groups(v) {
		n += g.strategy.Pending(g.view)
	}
	return n
}
