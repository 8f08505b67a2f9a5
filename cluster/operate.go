package cluster

import (
	"context"
	"fmt"
	"math"
	"path"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/helenusdb/helenus/cluster/admin"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage"
	"github.com/helenusdb/helenus/storage/sstable"
)

// The node is what the verbs of its admin endpoint are for.
var _ admin.Node = (*Node)(nil)

// currentVersion is the version of the tables that the engine writes.
const currentVersion sstable.Version = "nb"

// ids returns the ids of tables.
func ids(tables []*schema.Table) []schema.UUID {
	out := make([]schema.UUID, len(tables))
	for i, t := range tables {
		out[i] = t.ID
	}
	return out
}

// Flush implements admin.Node.
func (n *Node) Flush(ctx context.Context, tables []*schema.Table) error {
	if len(tables) == 0 {
		return nil
	}
	return n.engine.Flush(ctx, ids(tables)...)
}

// OnDrain says what Drain does first: it stops the server that takes writes.
func (n *Node) OnDrain(f func(context.Context) error) { n.drain.Store(&f) }

// Drain implements admin.Node: clients are sent away, and nothing is left in the log.
func (n *Node) Drain(ctx context.Context) error {
	if f := n.drain.Load(); f != nil {
		if err := (*f)(ctx); err != nil {
			return err
		}
	}
	return n.engine.Drain(ctx)
}

// Info implements admin.Node.
func (n *Node) Info() (admin.Info, error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		limit = int64(m.Sys)
	}
	i := admin.Info{
		ID: uuidText(n.self.ID), NativeActive: n.facts.Load().Clients != nil, Generation: n.started.Unix(),
		Uptime: int64(time.Since(n.started).Seconds()), HeapUsed: int64(m.HeapAlloc), HeapMax: limit, DataCenter: n.self.DC, Rack: n.self.Rack,
	}
	for _, t := range n.self.Tokens {
		i.Tokens = append(i.Tokens, n.opts.Partitioner.Format(t))
	}
	var repaired, all int64
	for _, t := range n.engine.Tables() {
		err := n.eachLive(t, func(f *storage.File) {
			length := f.Reader().DataLength()
			i.Load += f.Size()
			i.UncompressedLoad += length
			all += length
			if f.RepairedAt() != 0 {
				repaired += length
			}
		})
		if err != nil {
			return i, err
		}
	}
	i.PercentRepaired = percent(repaired, all)
	c := n.engine.Stats().Cache
	i.KeyCache = admin.Cache{
		Entries: c.Keys, Size: c.KeyBytes, Capacity: c.Budget / cacheKeyShare, Hits: c.KeyHits, Requests: c.KeyHits + c.KeyMisses,
	}
	i.ChunkCache = admin.Cache{
		Entries: c.Pages, Size: c.PageBytes, Capacity: c.Budget - c.Budget/cacheKeyShare, Hits: c.PageHits, Requests: c.PageHits + c.PageMisses,
	}
	return i, nil
}

// cacheKeyShare is which part of the cache of tables on disk, one in this many, is for keys.
const cacheKeyShare = 8

func uuidText(id schema.UUID) string { return string(types.AppendUUIDText(nil, id[:])) }

// percent returns a part in percent, 100 of nothing, with one digit behind the point.
func percent(part, all int64) float64 {
	if all == 0 {
		return 100
	}
	return math.Round(float64(part)/float64(all)*1000) / 10
}

// eachLive calls f with the live tables on disk of a table; one that was dropped meanwhile has none.
func (n *Node) eachLive(t *schema.Table, f func(*storage.File)) error {
	live, err := n.engine.Live(t.ID)
	if err != nil {
		return fmt.Errorf("%s.%s: %w", t.Keyspace, t.Name, err)
	}
	defer live.Release()
	for _, file := range live.Files {
		f(file)
	}
	return nil
}

// Status implements admin.Node.
func (n *Node) Status(keyspace string) (admin.Status, error) {
	i, err := n.Info()
	if err != nil {
		return admin.Status{}, err
	}
	same := keyspace != "" || n.sameReplication()
	return admin.Status{Effective: same, Known: same, Members: []admin.Member{{
		Address: n.opts.Internode.Addr().String(), HostID: i.ID, DataCenter: n.self.DC, Rack: n.self.Rack, Up: true, State: "NORMAL",
		Load: i.Load, Tokens: len(n.self.Tokens), Owns: 1,
	}}}, nil
}

// sameReplication reports whether all keyspaces of users are replicated alike.
func (n *Node) sameReplication() bool {
	first := ""
	for name, ks := range n.Schema().Keyspaces {
		switch name {
		case "system_auth", "system_distributed", "system_traces":
			continue
		}
		if ks.Virtual || ks.Replication["class"] == "org.apache.cassandra.locator.LocalStrategy" {
			continue
		}
		text := fmt.Sprint(ks.Replication)
		if first == "" {
			first = text
		}
		if text != first {
			return false
		}
	}
	return true
}

// TableStats implements admin.Node.
func (n *Node) TableStats(t *schema.Table) (admin.TableStats, error) {
	e, err := n.engine.TableStats(t.ID)
	if err != nil {
		return admin.TableStats{}, fmt.Errorf("%s.%s: %w", t.Keyspace, t.Name, err)
	}
	s := admin.TableStats{
		Keyspace: t.Keyspace, Table: t.Name, SSTables: e.LiveSSTableCount, SpaceLive: e.LiveDiskSpaceUsed, SpaceTotal: e.TotalDiskSpaceUsed,
		Partitions: e.EstimatedPartitionCount, MemtableSize: e.MemtableLiveDataSize, MemtableSwitches: e.MemtableSwitchCount,
		Reads: e.ReadCount, ReadLatency: -1, Writes: e.WriteCount, WriteLatency: -1, PendingFlushes: e.PendingFlushes,
		FilterFalse: e.BloomFilterFalsePositives, CompressionRatio: -1,
	}
	l, err := n.engine.Latencies(t.ID)
	if err != nil {
		return s, err
	}
	if l.Read.Count > 0 {
		s.ReadLatency = l.Read.Mean / 1e6
	}
	if l.Write.Count > 0 {
		s.WriteLatency = l.Write.Mean / 1e6
	}
	if asked := e.BloomFilterFalsePositives + e.BloomFilterTrue; asked > 0 {
		s.FilterFalseRatio = float64(e.BloomFilterFalsePositives) / float64(asked)
	}
	x := tableSums{now: time.Now().Unix() - int64(t.Options.GCGraceSeconds)}
	if err := n.eachLive(t, func(f *storage.File) { x.add(&s, f, n.fileSize(f, sstable.CompFilter)) }); err != nil {
		return s, err
	}
	x.finish(&s)
	snapshots, err := n.engine.Snapshots()
	for i := range snapshots {
		if snapshots[i].Keyspace == t.Keyspace && snapshots[i].Table == t.Name {
			s.SpaceSnapshots += snapshots[i].TablesFreed
		}
	}
	return s, err
}

// fileSize returns the size of a component on disk, 0 when it is not there.
func (n *Node) fileSize(f *storage.File, component string) int64 {
	info, err := n.opts.FS.Stat(path.Join(f.Dir(), f.Descriptor().File(component)))
	if err != nil {
		return 0
	}
	return info.Size
}

// tableSums adds up what the tables on disk of a table say.
type tableSums struct {
	now              int64 // what was deleted before can be dropped
	compressed       bool
	stored, length   int64 // of what is compressed, in bytes
	partitions       float64
	partitionBytes   float64
	cells, droppable float64
	levels           map[int]int64
	highest          int
}

func (x *tableSums) add(s *admin.TableStats, f *storage.File, filter int64) {
	st := &f.Reader().Statistics().Stats
	length := f.Reader().DataLength()
	s.MaxSSTable = max(s.MaxSSTable, f.Size())
	if f.Descriptor().Version != currentVersion {
		s.OldSSTables++
	}
	if f.RepairedAt() != 0 {
		s.BytesRepaired += length
	} else {
		s.BytesUnrepaired += length
	}
	if f.Reader().Compression() != nil {
		x.compressed = true
		x.stored += f.Reader().DataSize()
		x.length += length
	}
	sizes := st.Partitions()
	if low := sizes.Min(); s.PartitionMin == 0 || low < s.PartitionMin {
		s.PartitionMin = low
	}
	s.PartitionMax = max(s.PartitionMax, sizes.Max())
	x.partitions += float64(sizes.Count())
	x.partitionBytes += math.Ceil(sizes.Mean()) * float64(sizes.Count())
	cells := st.Cells()
	x.cells += math.Ceil(cells.Mean()) * float64(cells.Count())
	x.droppable += st.Droppable(x.now)
	s.FilterSpace += filter
	s.FilterOffHeap += filter
	if x.levels == nil {
		x.levels = map[int]int64{}
	}
	x.levels[f.Level()]++
	x.highest = max(x.highest, f.Level())
}

func (x *tableSums) finish(s *admin.TableStats) {
	s.OffHeap = s.FilterOffHeap
	s.PercentRepaired = percent(s.BytesRepaired, s.BytesRepaired+s.BytesUnrepaired)
	if x.compressed && x.length > 0 {
		s.CompressionRatio = float64(x.stored) / float64(x.length)
	}
	if x.partitions > 0 {
		s.PartitionMean = int64(x.partitionBytes / x.partitions)
	}
	if x.cells > 0 {
		s.DroppableTombstones = x.droppable / x.cells
	}
	if x.highest > 0 {
		for l := range x.highest + 1 {
			s.SSTablesPerLevel = append(s.SSTablesPerLevel, x.levels[l])
		}
	}
}

// TableHistograms implements admin.Node.
func (n *Node) TableHistograms(t *schema.Table) (admin.TableHistograms, error) {
	h := admin.TableHistograms{Keyspace: t.Keyspace, Table: t.Name}
	sizes, cells := sstable.NewSpread(), sstable.NewSpread()
	err := n.eachLive(t, func(f *storage.File) {
		sizes.Merge(f.Reader().Statistics().Stats.Partitions())
		cells.Merge(f.Reader().Statistics().Stats.Cells())
	})
	if sizes.Count() > 0 {
		h.PartitionSize, h.CellCount = percentiles(sizes), percentiles(cells)
	}
	if err != nil {
		return h, err
	}
	l, err := n.engine.Latencies(t.ID)
	h.ReadLatency, h.WriteLatency, h.SSTables = distributed(l.Read, 1e3), distributed(l.Write, 1e3), distributed(l.SSTablesPerRead, 1)
	return h, err
}

// distributed returns what was counted in units of one unit each, nil when that was nothing.
func distributed(d storage.Distribution, unit float64) *admin.Percentiles {
	if d.Count == 0 {
		return nil
	}
	var p admin.Percentiles
	for i, v := range [...]int64{d.P50, d.P75, d.P95, d.P98, d.P99, d.Min, d.Max} {
		p[i] = float64(v) / unit
	}
	return &p
}

func percentiles(s *sstable.Spread) *admin.Percentiles {
	var p admin.Percentiles
	for i, share := range []float64{0.5, 0.75, 0.95, 0.98, 0.99} {
		p[i] = float64(s.Percentile(share))
	}
	p[5], p[6] = float64(s.Min()), float64(s.Max())
	return &p
}

// VerifyTables implements admin.Node: all of every file is read, but for a quick one, which finds the tables open.
func (n *Node) VerifyTables(ctx context.Context, v admin.Verify, tables []*schema.Table) error {
	for _, t := range tables {
		live, err := n.engine.Live(t.ID)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", t.Keyspace, t.Name, err)
		}
		err = verifyFiles(ctx, v, live.Files)
		live.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func verifyFiles(ctx context.Context, v admin.Verify, files []*storage.File) error {
	for _, f := range files {
		name := path.Join(f.Dir(), f.Descriptor().String())
		if err := ctx.Err(); err != nil {
			return err
		}
		if v.CheckVersion && f.Descriptor().Version != currentVersion {
			return admin.Failed("%s is not the latest version, run upgradesstables", name)
		}
		if v.Quick {
			continue
		}
		if err := f.Reader().Verify(); err != nil {
			//lint:ignore ST1005 the text is Cassandra's
			return fmt.Errorf("Invalid SSTable %s, please force repair: %w", name, err)
		}
	}
	return nil
}

// InvalidateCache implements admin.Node. No rows are kept, so there are none to let go of.
func (n *Node) InvalidateCache(kind admin.CacheKind) error {
	if kind == admin.KeyCache {
		n.engine.ClearKeys()
	}
	return nil
}
