package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/helenusdb/helenus/cluster/admin"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage"
)

// SnapshotOptions say which snapshots and backups a node makes by itself.
type SnapshotOptions struct {
	// Auto makes a snapshot of a table that is truncated or dropped, which expires after AutoTTL; 0 is never: auto_snapshot,
	// auto_snapshot_ttl.
	Auto    bool
	AutoTTL time.Duration
	// Incremental keeps every flushed table on disk in the folder backups: incremental_backups.
	Incremental bool
}

// snapshotOptions are those of a snapshot that is made now.
func (n *Node) snapshotOptions(ttl time.Duration) storage.SnapshotOptions {
	o := storage.SnapshotOptions{Now: time.Now(), CQL: func(t *schema.Table) string {
		return schema.SnapshotCQL(n.Schema().Keyspaces[t.Keyspace], t)
	}}
	if ttl > 0 {
		o.Expires = o.Now.Add(ttl)
	}
	return o
}

// hooks are what the node does when the engine's files come and go.
func (n *Node) hooks() storage.Hooks {
	o := n.opts.Snapshots
	h := storage.Hooks{}
	if o.Incremental {
		h.Flushed = func(t *schema.Table, f *storage.File) {
			if b := t.Options.IncrementalBackups; b != nil && !*b {
				return
			}
			if err := n.engine.Backup(f); err != nil {
				n.opts.Log.Error("Incremental backup", slog.String("keyspace", t.Keyspace), slog.String("table", t.Name), slog.String("error", err.Error()))
			}
		}
	}
	if o.Auto {
		allowed := func(t *schema.Table) bool { return t.Options.AllowAutoSnapshot == nil || *t.Options.AllowAutoSnapshot }
		h.FlushBeforeDiscard = func(t *schema.Table, _ bool) bool { return allowed(t) }
		h.Discard = func(t *schema.Table, files []*storage.File, dropped bool) {
			// Deviation: of a table that holds nothing there is no snapshot.
			if !allowed(t) || len(files) == 0 {
				return
			}
			options := n.snapshotOptions(o.AutoTTL)
			tag := fmt.Sprintf("truncated-%d-%s", options.Now.UnixMilli(), t.Name)
			if dropped {
				tag = fmt.Sprintf("dropped-%d-%s", options.Now.UnixMilli(), t.Name)
			}
			if err := n.engine.SnapshotFiles(context.Background(), tag, options, t, files); err != nil {
				n.opts.Log.Error("Automatic snapshot", slog.String("keyspace", t.Keyspace), slog.String("table", t.Name), slog.String("tag", tag),
					slog.String("error", err.Error()))
			}
		}
	}
	return h
}

// Snapshot implements admin.Node.
func (n *Node) Snapshot(ctx context.Context, tag string, skipFlush bool, ttl time.Duration, tables []*schema.Table) error {
	o := n.snapshotOptions(ttl)
	o.SkipFlush = skipFlush
	err := n.engine.Snapshot(ctx, tag, o, ids(tables)...)
	if errors.Is(err, storage.ErrSnapshotExists) {
		return admin.Refused("%v", err)
	}
	return err
}

// ListSnapshots implements admin.Node.
func (n *Node) ListSnapshots() ([]admin.Snapshot, error) {
	all, err := n.engine.Snapshots()
	out := make([]admin.Snapshot, 0, len(all))
	for i := range all {
		out = append(out, told(&all[i]))
	}
	return out, err
}

// told returns what a client is told of a snapshot.
func told(s *storage.Snapshot) admin.Snapshot {
	out := admin.Snapshot{Tag: s.Tag, Keyspace: s.Keyspace, Table: s.Table, True: s.Freed, Tables: s.TablesFreed, Size: s.Size}
	if !s.Created.IsZero() {
		out.Created = s.Created.UnixMilli()
	}
	if !s.Expires.IsZero() {
		out.Expires = s.Expires.UnixMilli()
	}
	return out
}

// ClearSnapshots implements admin.Node.
func (n *Node) ClearSnapshots(f func(*admin.Snapshot) bool) error {
	return n.engine.ClearSnapshots(func(s *storage.Snapshot) bool {
		a := told(s)
		return f(&a)
	})
}

// expireEvery is how often snapshots are looked at whose time may be over. Source: cassandra.snapshot.expiration_period, 60 s.
const expireEvery = time.Minute

// expireSnapshots removes snapshots whose time is over, until stop is closed.
func (n *Node) expireSnapshots(stop <-chan struct{}) {
	ticker := time.NewTicker(expireEvery)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-ticker.C:
			err := n.engine.ClearSnapshots(func(s *storage.Snapshot) bool { return !s.Expires.IsZero() && now.After(s.Expires) })
			if err != nil {
				n.opts.Log.Error("Removal of expired snapshots", slog.String("error", err.Error()))
			}
		}
	}
}
