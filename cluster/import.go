package cluster

import (
	"context"
	"log/slog"

	"github.com/helenusdb/helenus/cluster/admin"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage"
)

// Import implements admin.Node: an error of one directory leaves the others alone.
func (n *Node) Import(ctx context.Context, i admin.Import, t *schema.Table) (admin.ImportResult, error) {
	var r admin.ImportResult
	if i.Refresh {
		var err error
		r.Imported, err = n.engine.Refresh(ctx, t.ID)
		return r, err
	}
	o := storage.ImportOptions{KeepLevel: i.KeepLevel, KeepRepaired: i.KeepRepaired, NoVerify: i.NoVerify && !i.Extended, Copy: i.Copy}
	for _, dir := range i.Directories {
		if info, err := n.opts.FS.Stat(dir); err != nil || !info.Dir {
			return r, admin.Refused("Directory %s does not exist", dir)
		}
	}
	for _, dir := range i.Directories {
		count, err := n.engine.ImportFolder(ctx, t.ID, dir, o)
		r.Imported += count
		log := n.opts.Log.With(slog.String("keyspace", t.Keyspace), slog.String("table", t.Name), slog.String("directory", dir))
		switch {
		case err != nil:
			log.Error("Import", slog.String("error", err.Error()))
			if r.Failed == nil {
				r.Failed = map[string]string{}
			}
			r.Failed[dir] = err.Error()
		case count == 0:
			log.Info("No new SSTables were found")
		default:
			log.Info("Imported", slog.Int("sstables", count))
		}
	}
	return r, nil
}
