package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path"
	"time"

	"github.com/helenusdb/helenus/cluster/admin"
	"github.com/helenusdb/helenus/cluster/system"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/compaction"
	"github.com/helenusdb/helenus/storage/sstable"
)

// compactions returns the manager of the engine's compactions.
func (n *Node) compactions() (*compaction.Manager, error) {
	m := n.engine.Compactions()
	if m == nil {
		return nil, admin.Unsupported("a node that keeps everything in memory has no tables on disk")
	}
	return m, nil
}

// Compact implements admin.Node.
func (n *Node) Compact(ctx context.Context, c admin.Compact, tables []*schema.Table) error {
	m, err := n.compactions()
	if err != nil {
		return err
	}
	if c.UserDefined {
		return n.compactFiles(ctx, m, c.Files)
	}
	for _, t := range tables {
		ranges, err := n.compactRanges(&c, t)
		switch {
		case err != nil:
			return err
		case ranges != nil:
			err = m.Range(ctx, t.ID, ranges)
		default:
			err = m.Major(ctx, t.ID, c.SplitOutput)
		}
		if err = unlessDropped(err); err != nil {
			return err
		}
	}
	return nil
}

// unlessDropped passes on an error unless it says that the table was dropped meanwhile.
func unlessDropped(err error) error {
	if errors.Is(err, compaction.ErrUnknownStore) {
		return nil
	}
	return err
}

// compactRanges returns the tokens that a compaction is for, nil for all.
func (n *Node) compactRanges(c *admin.Compact, t *schema.Table) ([]token.Range, error) {
	p := n.opts.Partitioner
	if c.Partition != "" {
		if len(t.PartitionKey) != 1 {
			return nil, admin.Unsupported("compaction of one partition of a table with a composite partition key")
		}
		key, err := t.PartitionKey[0].Type.FromString(c.Partition)
		if err != nil {
			return nil, admin.Argument("%v", err)
		}
		tok := p.Token(key)
		return []token.Range{{Start: token.Token{Prefix: tok.Prefix - 1, Rest: tok.Rest}, End: tok}}, nil
	}
	if c.StartToken == "" && c.EndToken == "" {
		return nil, nil
	}
	r := token.Range{Start: p.Min(), End: p.Max()}
	var err error
	if c.StartToken != "" {
		if r.Start, err = p.Parse(c.StartToken); err != nil {
			return nil, admin.Argument("%v", err)
		}
	}
	if c.EndToken != "" {
		if r.End, err = p.Parse(c.EndToken); err != nil {
			return nil, admin.Argument("%v", err)
		}
	}
	return []token.Range{r}, nil
}

// compactFiles compacts the tables on disk of which files are named, those of each table together. A name without a folder is
// looked for in all tables.
func (n *Node) compactFiles(ctx context.Context, m *compaction.Manager, files []string) error {
	chosen := map[schema.UUID][]string{}
	for _, name := range files {
		d, _, err := sstable.ParseFile(path.Base(name))
		if err != nil {
			return admin.Argument("%s: %v", name, err)
		}
		found := false
		for _, t := range n.engine.Tables() {
			live, err := n.engine.Live(t.ID)
			if err != nil {
				continue
			}
			for _, f := range live.Files {
				if f.Descriptor() == d && (path.Dir(name) == "." || path.Clean(f.Dir()) == path.Dir(name)) {
					chosen[t.ID] = append(chosen[t.ID], d.String())
					found = true
				}
			}
			live.Release()
		}
		if !found {
			return admin.Argument("%s is no live table on disk", name)
		}
	}
	for id, names := range chosen {
		if err := m.UserDefined(ctx, id, names); err != nil {
			return err
		}
	}
	return nil
}

// Rewrite implements admin.Node.
func (n *Node) Rewrite(ctx context.Context, r admin.Rewrite, tables []*schema.Table) error {
	m, err := n.compactions()
	if err != nil {
		return err
	}
	if r.MaxTimestamp != 0 {
		return admin.Unsupported("upgradesstables of tables up to a timestamp")
	}
	if r.Kind == "scrub" && !r.NoSnapshot {
		tag := fmt.Sprintf("pre-scrub-%d", time.Now().UnixMilli())
		if err := n.Snapshot(ctx, tag, false, 0, tables); err != nil {
			return err
		}
	}
	for _, t := range tables {
		switch r.Kind {
		case "upgradesstables":
			err = m.Upgrade(ctx, t.ID, r.All, r.Jobs)
		case "garbagecollect":
			by := compaction.ProvideRow
			if r.Cells {
				by = compaction.ProvideCell
			}
			err = m.GarbageCollect(ctx, t.ID, by, r.Jobs)
		case "scrub":
			var lost []compaction.Damage
			lost, err = m.Scrub(ctx, t.ID, r.Jobs)
			for _, d := range lost {
				n.opts.Log.Warn("A scrub has left out damaged partitions", slog.String("keyspace", t.Keyspace), slog.String("table", t.Name),
					slog.Any("id", d.ID), slog.Any("lost", d.Lost))
			}
		default:
			return admin.Unsupported("%s", r.Kind)
		}
		if err = unlessDropped(err); err != nil {
			return err
		}
	}
	return nil
}

// rateWindow is the time over which compactionstats tells how many compactions a minute there were.
const rateWindow = 15 * time.Minute

// CompactionStats implements admin.Node.
func (n *Node) CompactionStats() (admin.CompactionStats, error) {
	m, err := n.compactions()
	if err != nil {
		return admin.CompactionStats{}, err
	}
	st := m.Stats()
	out := admin.CompactionStats{
		Compactors: m.Concurrent(), Pending: map[string]int{}, Completed: st.Completed, Compacted: st.Bytes, Aborted: st.Aborted,
		Reduced: st.Reduced, Dropped: st.Dropped, Throughput: float64(m.Throughput()) / (1 << 20), RemainingSeconds: -1,
	}
	for _, t := range n.engine.Tables() {
		if p := m.Pending(t.ID); p > 0 {
			out.Pending[t.Keyspace+"."+t.Name] = p
		}
	}
	up := time.Since(n.started)
	out.Mean = float64(st.Completed) / max(up.Hours(), 1.0/3600)
	recent := 0
	for _, e := range m.History() {
		if time.Since(e.At) < rateWindow {
			recent++
		}
	}
	out.FifteenMinute = float64(recent) / min(rateWindow, max(up, time.Minute)).Minutes()
	var left int64
	for _, i := range m.Running() {
		out.Active = append(out.Active, admin.ActiveCompaction{
			ID: i.ID, Kind: i.Kind.String(), Keyspace: i.Keyspace, Table: i.Table, Completed: i.Completed, Total: i.Total, Unit: i.Unit,
			SSTables: len(i.Tables), Directory: i.Directory,
		})
		left += i.Total - i.Completed
	}
	if rate := m.Throughput(); rate > 0 {
		out.RemainingSeconds = int64(math.Ceil(float64(left) / float64(rate)))
	}
	return out, nil
}

// CompactionHistory implements admin.Node: the last compactions since the start.
func (n *Node) CompactionHistory() ([]admin.Compaction, error) {
	m, err := n.compactions()
	if err != nil {
		return nil, err
	}
	var out []admin.Compaction
	for _, e := range m.History() {
		out = append(out, admin.Compaction{
			ID: e.ID, Keyspace: e.Keyspace, Table: e.Table, At: e.At.UnixMilli(), In: e.BytesIn, Out: e.BytesOut, Merged: e.Merged,
			Properties: map[string]string{"compaction_type": e.Kind.String()},
		})
	}
	return out, nil
}

// CompactionThroughput implements admin.Node.
func (n *Node) CompactionThroughput() (float64, error) {
	m, err := n.compactions()
	if err != nil {
		return 0, err
	}
	return float64(m.Throughput()) / (1 << 20), nil
}

// SetCompactionThroughput implements admin.Node.
func (n *Node) SetCompactionThroughput(mib int) error {
	m, err := n.compactions()
	if err != nil {
		return err
	}
	m.SetThroughput(int64(mib) << 20)
	return nil
}

// SetAutoCompaction implements admin.Node.
func (n *Node) SetAutoCompaction(on bool, tables []*schema.Table) error {
	m, err := n.compactions()
	if err != nil {
		return err
	}
	for _, t := range tables {
		m.SetAuto(t.ID, on)
	}
	return nil
}

// StopCompactions implements admin.Node. A kind that this node never runs stops nothing.
func (n *Node) StopCompactions(kind, id string) error {
	m, err := n.compactions()
	if err != nil {
		return err
	}
	if id != "" {
		m.StopID(id)
		return nil
	}
	if k, ok := compaction.ParseKind(kind); ok {
		m.Stop(k)
	}
	return nil
}

// ConcurrentCompactors implements admin.Node.
func (n *Node) ConcurrentCompactors() (int, error) {
	m, err := n.compactions()
	if err != nil {
		return 0, err
	}
	return m.Concurrent(), nil
}

// SetConcurrentCompactors implements admin.Node.
func (n *Node) SetConcurrentCompactors(count int) error {
	m, err := n.compactions()
	if err != nil {
		return err
	}
	m.SetConcurrent(count)
	return nil
}

// AutoCompaction implements admin.Node.
func (n *Node) AutoCompaction(t *schema.Table) (bool, error) {
	m, err := n.compactions()
	if err != nil {
		return false, err
	}
	return m.Auto(t.ID), nil
}

// CompactionThresholds implements admin.Node.
func (n *Node) CompactionThresholds(t *schema.Table) (low, high int, err error) {
	low, high = compaction.Thresholds(t)
	return low, high, nil
}

// Cleanup implements admin.Node. A node alone owns all there is.
func (n *Node) Cleanup(context.Context, int, []*schema.Table) error {
	_, err := n.compactions()
	return err
}

// ForceCompact implements admin.Node.
func (n *Node) ForceCompact(ctx context.Context, t *schema.Table, keys []string) error {
	m, err := n.compactions()
	if err != nil {
		return err
	}
	if len(t.PartitionKey) != 1 {
		return admin.Unsupported("compaction of single partitions of a table with a composite partition key")
	}
	var list [][]byte
	for _, k := range keys {
		v, err := t.PartitionKey[0].Type.FromString(k)
		if err != nil {
			return admin.Argument("%v", err)
		}
		list = append(list, v)
	}
	return m.ForceKeys(ctx, t.ID, n.opts.Partitioner, list)
}

// Compactions implements system.Source.
func (s source) Compactions() (out []system.Compaction) {
	m := s.n.engine.Compactions()
	if m == nil {
		return nil
	}
	for _, e := range m.History() {
		c := system.Compaction{Keyspace: e.Keyspace, Table: e.Table, At: e.At.UnixMilli(), BytesIn: e.BytesIn, BytesOut: e.BytesOut,
			Merged: e.Merged, Kind: e.Kind.String()}
		if c.ID.Parse(e.ID) == nil {
			out = append(out, c)
		}
	}
	return out
}

// Tasks implements system.Source.
func (s source) Tasks() (out []system.Task) {
	m := s.n.engine.Compactions()
	if m == nil {
		return nil
	}
	for _, i := range m.Running() {
		t := system.Task{Keyspace: i.Keyspace, Table: i.Table, Kind: i.Kind.String(), Progress: i.Completed, Total: i.Total,
			Tables: int32(len(i.Tables)), Unit: i.Unit, Directory: i.Directory}
		if t.ID.Parse(i.ID) == nil {
			out = append(out, t)
		}
	}
	return out
}
