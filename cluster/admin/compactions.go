package admin

import (
	"context"

	"github.com/helenusdb/helenus/cql/schema"
)

// Compactor is what verbs about compactions need of a node beside Compact and Rewrite.
type Compactor interface {
	// StopCompactions stops the running ones of a kind, under the name of Cassandra's OperationType, or the one with an id.
	StopCompactions(kind, id string) error
	// ConcurrentCompactors is how many run at once at most.
	ConcurrentCompactors() (int, error)
	SetConcurrentCompactors(n int) error
	// AutoCompaction reports whether a table is compacted in the background.
	AutoCompaction(t *schema.Table) (bool, error)
	// CompactionThresholds returns min_threshold and max_threshold of a table.
	CompactionThresholds(t *schema.Table) (low, high int, err error)
	// Cleanup drops what the node does not own.
	Cleanup(ctx context.Context, jobs int, tables []*schema.Table) error
	// ForceCompact compacts what holds partition keys, given as text, without regard to gc_grace_seconds.
	ForceCompact(ctx context.Context, t *schema.Table, keys []string) error
}

// StopArguments are those of stop.
type StopArguments struct {
	Kind string `json:"compaction_type,omitempty"`
	ID   string `json:"id,omitempty"`
}

func stopCompactions(_ context.Context, n Node, a StopArguments) (any, error) {
	return nil, n.StopCompactions(a.Kind, a.ID)
}

// Compactors is how many compactions run at once at most.
type Compactors struct {
	Count int `json:"concurrent_compactors"`
}

func getCompactors(_ context.Context, n Node, _ Nothing) (any, error) {
	count, err := n.ConcurrentCompactors()
	return Compactors{count}, err
}

func setCompactors(_ context.Context, n Node, a Compactors) (any, error) {
	if a.Count <= 0 {
		return nil, Argument("concurrent_compactors should be great than 0.")
	}
	return nil, n.SetConcurrentCompactors(a.Count)
}

// AutoCompaction says of a table whether it is compacted in the background.
type AutoCompaction struct {
	Keyspace string `json:"keyspace"`
	Table    string `json:"table"`
	Running  bool   `json:"running"`
}

// AutoCompactions is the answer to statusautocompaction.
type AutoCompactions struct {
	Tables []AutoCompaction `json:"tables"`
}

func autoCompactions(_ context.Context, n Node, a Names) (any, error) {
	tables, err := a.find(n.Schema(), Argument)
	if err != nil {
		return nil, err
	}
	out := AutoCompactions{Tables: []AutoCompaction{}}
	for _, t := range tables {
		on, err := n.AutoCompaction(t)
		if err != nil {
			return nil, err
		}
		out.Tables = append(out.Tables, AutoCompaction{t.Keyspace, t.Name, on})
	}
	return out, nil
}

// Thresholds is the answer to getcompactionthreshold.
type Thresholds struct {
	Low  int `json:"min_threshold"`
	High int `json:"max_threshold"`
}

// TableArguments name one table.
type TableArguments struct {
	Keyspace string `json:"keyspace"`
	Table    string `json:"table"`
}

// one returns the table.
func (a *TableArguments) one(s *schema.Snapshot) (*schema.Table, error) {
	tables, err := (&Names{Keyspace: a.Keyspace, Tables: []string{a.Table}}).find(s, Failed)
	if err != nil {
		return nil, err
	}
	return tables[0], nil
}

func compactionThresholds(_ context.Context, n Node, a TableArguments) (any, error) {
	t, err := a.one(n.Schema())
	if err != nil {
		return nil, err
	}
	low, high, err := n.CompactionThresholds(t)
	return Thresholds{low, high}, err
}

// CleanupArguments are those of cleanup.
type CleanupArguments struct {
	Names
	Jobs int `json:"jobs,omitempty"`
}

func cleanup(ctx context.Context, n Node, a CleanupArguments) (any, error) {
	tables, err := a.find(n.Schema(), Failed)
	if err != nil {
		return nil, err
	}
	return nil, n.Cleanup(ctx, a.Jobs, tables)
}

// ForceCompactArguments are those of forcecompact.
type ForceCompactArguments struct {
	TableArguments
	Keys []string `json:"keys"`
}

func forceCompact(ctx context.Context, n Node, a ForceCompactArguments) (any, error) {
	t, err := a.one(n.Schema())
	if err != nil {
		return nil, err
	}
	return nil, n.ForceCompact(ctx, t, a.Keys)
}
