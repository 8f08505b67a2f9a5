package nodetool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/helenusdb/helenus/cluster/admin"
)

func version(ctx context.Context, c *call) error {
	r, done, err := ask[admin.Nothing, admin.Version](ctx, c, "version", admin.Nothing{})
	if err != nil || done {
		return err
	}
	c.printf("ReleaseVersion: %s\n", r.Release)
	return nil
}

func info(ctx context.Context, c *call) error {
	r, done, err := ask[admin.Nothing, admin.Info](ctx, c, "info", admin.Nothing{})
	if err != nil || done {
		return err
	}
	line := func(name, format string, args ...any) {
		c.printf("%-23s: "+format+"\n", append([]any{name}, args...)...)
	}
	const mib = 1 << 20
	line("ID", "%s", r.ID)
	line("Gossip active", "%t", r.GossipActive)
	line("Native Transport active", "%t", r.NativeActive)
	line("Load", "%s", size(r.Load))
	line("Uncompressed load", "%s", size(r.UncompressedLoad))
	line("Generation No", "%d", r.Generation)
	line("Uptime (seconds)", "%d", r.Uptime)
	line("Heap Memory (MB)", "%.2f / %.2f", float64(r.HeapUsed)/mib, float64(r.HeapMax)/mib)
	line("Off Heap Memory (MB)", "%.2f", float64(r.OffHeap)/mib)
	line("Data Center", "%s", r.DataCenter)
	line("Rack", "%s", r.Rack)
	line("Exceptions", "%d", r.Exceptions)
	for _, k := range []struct {
		name string
		admin.Cache
	}{{"Key Cache", r.KeyCache}, {"Row Cache", r.RowCache}, {"Counter Cache", r.CounterCache}} {
		rate := math.NaN()
		if k.Requests > 0 {
			rate = float64(k.Hits) / float64(k.Requests)
		}
		line(k.name, "entries %d, size %s, capacity %s, %d hits, %d requests, %s recent hit rate, %d save period in seconds",
			k.Entries, size(k.Size), size(k.Capacity), k.Hits, k.Requests, decimals(rate, 3), k.SavePeriod)
	}
	if k := r.ChunkCache; k.Capacity > 0 {
		rate := math.NaN()
		if k.Requests > 0 {
			rate = float64(k.Hits) / float64(k.Requests)
		}
		// How long a miss takes is not counted.
		line("Chunk Cache", "entries %d, size %s, capacity %s, %d misses, %d requests, %s recent hit rate, NaN microseconds miss latency",
			k.Entries, size(k.Size), size(k.Capacity), k.Requests-k.Hits, k.Requests, decimals(rate, 3))
	}
	line("Percent Repaired", "%s%%", double(r.PercentRepaired))
	switch {
	case c.has("-T"):
		for _, t := range r.Tokens {
			line("Token", "%s", t)
		}
	case len(r.Tokens) == 1:
		line("Token", "%s", r.Tokens[0])
	default:
		line("Token", "(invoke with -T/--tokens to see all %d tokens)", len(r.Tokens))
	}
	line("Bootstrap state", "COMPLETED")
	line("Bootstrap failed", "false")
	line("Decommissioning", "false")
	line("Decommission failed", "false")
	return nil
}

func status(ctx context.Context, c *call) error {
	a := admin.StatusArguments{}
	if len(c.params) > 0 {
		a.Keyspace = c.params[0]
	}
	r, done, err := ask[admin.StatusArguments, admin.Status](ctx, c, "status", a)
	if e, ok := errors.AsType[*admin.Error](err); ok && e.Kind == admin.KindArgument {
		c.printf("\nError: %v\n", err)
		return said(exitUsage)
	}
	if err != nil || done {
		return err
	}
	slices.SortStableFunc(r.Members, func(a, b admin.Member) int { return cmp.Compare(a.DataCenter, b.DataCenter) })
	for i := 0; i < len(r.Members); {
		dc := r.Members[i].DataCenter
		head := "Datacenter: " + dc
		c.printf("%s\n%s\nStatus=Up/Down\n|/ State=Normal/Leaving/Joining/Moving\n", head, strings.Repeat("=", len(head)))
		owns := "Owns"
		if r.Effective {
			owns = "Owns (effective)"
		}
		rows := [][]string{{"--", "Address", "Load", "Tokens", owns, "Host ID", "Rack"}}
		for ; i < len(r.Members) && r.Members[i].DataCenter == dc; i++ {
			m := r.Members[i]
			state, share := "D", "?"
			if m.Up {
				state = "U"
			}
			if r.Known {
				share = decimals(m.Owns*100, 1) + "%"
			}
			rows = append(rows, []string{state + m.State[:1], m.Address, size(m.Load), strconv.Itoa(m.Tokens), share, m.HostID, m.Rack})
		}
		wide(c, rows)
		c.printf("\n")
	}
	if !r.Known {
		c.printf("Note: Non-system keyspaces don't have the same replication settings, effective ownership information is meaningless\n")
	}
	return nil
}

// wide prints rows as columns with two blanks between them.
func wide(c *call, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, r := range rows {
		for i, cell := range r {
			r[i] = fmt.Sprintf("%-*s", widths[i], cell)
		}
		c.printf("%s\n", strings.Join(r, "  "))
	}
}

func compactionStats(ctx context.Context, c *call) error {
	r, done, err := ask[admin.Nothing, admin.CompactionStats](ctx, c, "compactionstats", admin.Nothing{})
	if err != nil || done {
		return err
	}
	bytes := func(n int64) string {
		if c.has("-H") {
			return size(n)
		}
		return strconv.FormatInt(n, 10)
	}
	var t columns
	pending := 0
	for _, n := range r.Pending {
		pending += n
	}
	t.add("concurrent compactors", strconv.Itoa(r.Compactors))
	t.add("pending tasks", strconv.Itoa(pending))
	for _, name := range slices.Sorted(maps.Keys(r.Pending)) {
		ks, table, _ := strings.Cut(name, ".")
		t.add(ks, table, strconv.Itoa(r.Pending[name]))
	}
	t.add("compactions completed", strconv.FormatInt(r.Completed, 10))
	t.add("data compacted", bytes(r.Compacted))
	t.add("compactions aborted", strconv.FormatInt(r.Aborted, 10))
	t.add("compactions reduced", strconv.FormatInt(r.Reduced, 10))
	t.add("sstables dropped from compaction", strconv.FormatInt(r.Dropped, 10))
	t.add("15 minute rate", fmt.Sprintf("%.2f/minute", r.FifteenMinute))
	t.add("mean rate", fmt.Sprintf("%.2f/hour", r.Mean))
	t.add("compaction throughput (MiB/s)", map[bool]string{true: double(r.Throughput), false: "throttling disabled (0)"}[r.Throughput > 0])
	if len(r.Active) > 0 {
		c.activeCompactions(&t, &r, bytes)
	}
	t.print(c)
	return nil
}

// activeCompactions adds the compactions that are running, as they are or in the columns of system_views.sstable_tasks.
func (c *call) activeCompactions(t *columns, r *admin.CompactionStats, bytes func(int64) string) {
	if c.has("-V") {
		t.add("keyspace", "table", "task id", "completion ratio", "kind", "progress", "sstables", "total", "unit", "target directory")
	} else {
		t.add("id", "compaction type", "keyspace", "table", "completed", "total", "unit", "progress")
	}
	for _, a := range r.Active {
		done, all, progress := strconv.FormatInt(a.Completed, 10), strconv.FormatInt(a.Total, 10), "n/a"
		if a.Unit == "bytes" {
			done, all = bytes(a.Completed), bytes(a.Total)
		}
		if a.Total > 0 {
			progress = fmt.Sprintf("%.2f%%", float64(a.Completed)/float64(a.Total)*100)
		}
		if c.has("-V") {
			t.add(a.Keyspace, a.Table, a.ID, progress, a.Kind, done, strconv.Itoa(a.SSTables), all, a.Unit, a.Directory)
		} else {
			t.add(a.ID, a.Kind, a.Keyspace, a.Table, done, all, a.Unit, progress)
		}
	}
	remaining := "n/a"
	if s := r.RemainingSeconds; s >= 0 {
		remaining = fmt.Sprintf("%dh%02dm%02ds", s/3600, s/60%60, s%60)
	}
	t.add("active compaction remaining time", remaining)
}

func compactionHistory(ctx context.Context, c *call) error {
	plain := *c
	plain.json = false
	r, _, err := ask[admin.Nothing, admin.CompactionHistory](ctx, &plain, "compactionhistory", admin.Nothing{})
	if err != nil {
		return err
	}
	list := r.Compactions
	slices.SortStableFunc(list, func(a, b admin.Compaction) int { return cmp.Compare(b.At, a.At) })
	at := func(ms int64) string { return time.UnixMilli(ms).Format("2006-01-02T15:04:05.000") }
	if c.json {
		rows := make([]map[string]any, 0, len(list))
		for _, h := range list {
			rows = append(rows, map[string]any{
				"id": h.ID, "keyspace_name": h.Keyspace, "columnfamily_name": h.Table, "compacted_at": at(h.At), "bytes_in": h.In, "bytes_out": h.Out,
				"rows_merged": merged(h.Merged), "compaction_properties": properties(h.Properties),
			})
		}
		return c.print(map[string]any{"CompactionHistory": rows})
	}
	if len(list) == 0 {
		c.printf("There is no compaction history\n")
		return nil
	}
	c.printf("Compaction History: \n")
	var t columns
	t.add("id", "keyspace_name", "columnfamily_name", "compacted_at", "bytes_in", "bytes_out", "rows_merged", "compaction_properties")
	for _, h := range list {
		t.add(h.ID, h.Keyspace, h.Table, at(h.At), strconv.FormatInt(h.In, 10), strconv.FormatInt(h.Out, 10), merged(h.Merged), properties(h.Properties))
	}
	t.print(c)
	return nil
}

func merged(m map[int]int64) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%d:%d", k, m[k]))
	}
	return "{" + strings.Join(out, ", ") + "}"
}

func properties(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+":"+m[k])
	}
	return "{" + strings.Join(out, ", ") + "}"
}

func tableHistograms(ctx context.Context, c *call) error {
	a := admin.HistogramsArguments{}
	switch len(c.params) {
	case 0:
	case 1:
		var ok bool
		if a.Keyspace, a.Table, ok = strings.Cut(c.params[0], "."); !ok {
			return wrongUse("tablehistograms requires <keyspace> <table> or <keyspace.table> format argument.")
		}
	case 2:
		a.Keyspace, a.Table = c.params[0], c.params[1]
	default:
		return wrongUse("tablehistograms requires <keyspace> <table> or <keyspace.table> format argument.")
	}
	r, done, err := ask[admin.HistogramsArguments, admin.AllHistograms](ctx, c, "tablehistograms", a)
	if err != nil || done {
		return err
	}
	for _, h := range r.Tables {
		if h.PartitionSize == nil {
			c.printf("No SSTables exists, unable to calculate 'Partition Size' and 'Cell Count' percentiles\n")
		}
		c.printf("%s/%s histograms\n", h.Keyspace, h.Table)
		c.printf("%-10s%18s%18s%18s%18s%18s\n", "Percentile", "Read Latency", "Write Latency", "SSTables", "Partition Size", "Cell Count")
		c.printf("%-10s%18s%18s%18s%18s%18s\n", "", "(micros)", "(micros)", "", "(bytes)", "")
		cell := func(p *admin.Percentiles, i, digits int) string {
			if p == nil {
				return "NaN"
			}
			return decimals(p[i], digits)
		}
		for i, name := range []string{"50%", "75%", "95%", "98%", "99%", "Min", "Max"} {
			c.printf("%-10s%18s%18s%18s%18s%18s\n", name, cell(h.ReadLatency, i, 2), cell(h.WriteLatency, i, 2), cell(h.SSTables, i, 2),
				cell(h.PartitionSize, i, 0), cell(h.CellCount, i, 0))
		}
		c.printf("\n")
	}
	return nil
}
