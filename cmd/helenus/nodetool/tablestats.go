package nodetool

import (
	"context"
	"math"
	"strconv"

	"github.com/helenusdb/helenus/cluster/admin"
)

// tableStats prints the figures of tables, by keyspace. Source: org.apache.cassandra.tools.nodetool.stats.TableStatsPrinter.
func tableStats(ctx context.Context, c *call) error {
	plain := *c
	plain.json = false
	a := admin.StatsArguments{Names: c.params, Ignore: c.has("-i")}
	r, _, err := ask[admin.StatsArguments, admin.AllTableStats](ctx, &plain, "tablestats", a)
	if err != nil {
		return err
	}
	if c.json {
		return c.print(statsJSON(r.Tables))
	}
	n := 0
	for i := range r.Tables {
		if !r.Tables[i].Index {
			n++
		}
	}
	c.printf("Total number of tables: %d\n----------------\n", n)
	for _, ks := range byKeyspace(r.Tables) {
		c.printf("Keyspace: %s\n", ks.name)
		c.printf("\tRead Count: %d\n\tRead Latency: %s ms\n", ks.reads, double(ks.readLatency()))
		c.printf("\tWrite Count: %d\n\tWrite Latency: %s ms\n", ks.writes, double(ks.writeLatency()))
		c.printf("\tPending Flushes: %d\n", ks.pending)
		for i := range ks.tables {
			c.tableStats(&ks.tables[i])
		}
		c.printf("----------------\n")
	}
	return nil
}

// keyspaceStats are the tables of a keyspace and their sums.
type keyspaceStats struct {
	name                   string
	tables                 []admin.TableStats
	reads, writes, pending int64
	readMs, writeMs        float64
}

func (k *keyspaceStats) readLatency() float64  { return k.readMs / float64(k.reads) }
func (k *keyspaceStats) writeLatency() float64 { return k.writeMs / float64(k.writes) }

// byKeyspace groups tables, which come sorted by keyspace.
func byKeyspace(tables []admin.TableStats) []keyspaceStats {
	var out []keyspaceStats
	for _, t := range tables {
		if len(out) == 0 || out[len(out)-1].name != t.Keyspace {
			out = append(out, keyspaceStats{name: t.Keyspace})
		}
		k := &out[len(out)-1]
		k.tables = append(k.tables, t)
		k.pending += t.PendingFlushes
		if t.Reads > 0 {
			k.reads += t.Reads
			k.readMs += latency(t.ReadLatency) * float64(t.Reads)
		}
		if t.Writes > 0 {
			k.writes += t.Writes
			k.writeMs += latency(t.WriteLatency) * float64(t.Writes)
		}
	}
	return out
}

// latency returns a latency in milliseconds, NaN when nothing was measured.
func latency(ms float64) float64 {
	if ms < 0 {
		return math.NaN()
	}
	return ms
}

// ratio returns reads for each write.
func ratio(t *admin.TableStats) float64 {
	if t.Writes == 0 {
		return 0
	}
	return float64(t.Reads) / float64(t.Writes)
}

func (c *call) tableStats(t *admin.TableStats) {
	bytes := func(n int64) string {
		if c.has("-H") {
			return size(n)
		}
		return strconv.FormatInt(n, 10)
	}
	line := func(name, format string, args ...any) { c.printf("\t\t"+name+": "+format+"\n", args...) }
	kind := "Table"
	if t.Index {
		kind = "Table (index)"
	}
	line(kind, "%s", t.Table)
	line("SSTable count", "%d", t.SSTables)
	line("Old SSTable count", "%d", t.OldSSTables)
	line("Max SSTable size", "%s", memory(t.MaxSSTable))
	if len(t.SSTablesPerLevel) > 0 {
		c.printf("\t\tSSTables in each level: [")
		limit := int64(4)
		for i, n := range t.SSTablesPerLevel {
			if i > 0 {
				c.printf(", ")
			}
			c.printf("%d", n)
			if n > limit {
				c.printf("/%d", limit)
			}
			limit = int64(math.Pow10(i + 1))
		}
		c.printf("]\n")
	}
	line("Space used (live)", "%s", bytes(t.SpaceLive))
	line("Space used (total)", "%s", bytes(t.SpaceTotal))
	line("Space used by snapshots (total)", "%s", bytes(t.SpaceSnapshots))
	line("Off heap memory used (total)", "%s", bytes(t.OffHeap))
	line("SSTable Compression Ratio", "%.5f", t.CompressionRatio)
	line("Number of partitions (estimate)", "%d", t.Partitions)
	line("Memtable cell count", "%d", t.MemtableCells)
	line("Memtable data size", "%s", bytes(t.MemtableSize))
	line("Memtable off heap memory used", "%s", bytes(t.MemtableOffHeap))
	line("Memtable switch count", "%d", t.MemtableSwitches)
	line("Speculative retries", "%d", t.SpeculativeRetries)
	line("Local read count", "%d", t.Reads)
	line("Local read latency", "%s ms", decimals(latency(t.ReadLatency), 3))
	line("Local write count", "%d", t.Writes)
	line("Local write latency", "%s ms", decimals(latency(t.WriteLatency), 3))
	line("Local read/write ratio", "%.5f", ratio(t))
	line("Pending flushes", "%d", t.PendingFlushes)
	line("Percent repaired", "%s", double(math.Round(t.PercentRepaired*100)/100))
	line("Bytes repaired", "%s", memory(t.BytesRepaired))
	line("Bytes unrepaired", "%s", memory(t.BytesUnrepaired))
	line("Bytes pending repair", "%s", memory(t.BytesPendingRepair))
	line("Bloom filter false positives", "%d", t.FilterFalse)
	line("Bloom filter false ratio", "%.5f", t.FilterFalseRatio)
	line("Bloom filter space used", "%s", bytes(t.FilterSpace))
	line("Bloom filter off heap memory used", "%s", bytes(t.FilterOffHeap))
	line("Index summary off heap memory used", "%s", bytes(t.SummaryOffHeap))
	line("Compression metadata off heap memory used", "%s", bytes(t.CompressionOffHeap))
	line("Compacted partition minimum bytes", "%d", t.PartitionMin)
	line("Compacted partition maximum bytes", "%d", t.PartitionMax)
	line("Compacted partition mean bytes", "%d", t.PartitionMean)
	// Slices are not counted by their cells here.
	line("Average live cells per slice (last five minutes)", "NaN")
	line("Maximum live cells per slice (last five minutes)", "0")
	line("Average tombstones per slice (last five minutes)", "NaN")
	line("Maximum tombstones per slice (last five minutes)", "0")
	line("Droppable tombstone ratio", "%.5f", t.DroppableTombstones)
	c.printf("\n")
}

// statsJSON is the form of nodetool's JSON: keyspaces beside the number of tables, sizes as text, NaN as text, and null for a
// keyspace's latency that is not known.
func statsJSON(tables []admin.TableStats) map[string]any {
	out := map[string]any{}
	n := 0
	for _, ks := range byKeyspace(tables) {
		list := map[string]any{}
		for i := range ks.tables {
			list[ks.tables[i].Table] = tableJSON(&ks.tables[i])
			if !ks.tables[i].Index {
				n++
			}
		}
		known := func(f float64) any {
			if math.IsNaN(f) {
				return nil
			}
			return f
		}
		out[ks.name] = map[string]any{
			"tables": list, "read_count": ks.reads, "read_latency_ms": known(ks.readLatency()), "read_latency": known(ks.readLatency()),
			"write_count": ks.writes, "write_latency_ms": known(ks.writeLatency()), "pending_flushes": ks.pending,
		}
	}
	out["total_number_of_tables"] = n
	return out
}

func tableJSON(t *admin.TableStats) map[string]any {
	text := func(n int64) string { return strconv.FormatInt(n, 10) }
	levels := t.SSTablesPerLevel
	if levels == nil {
		levels = []int64{}
	}
	return map[string]any{
		"sstable_count": t.SSTables, "old_sstable_count": t.OldSSTables, "max_sstable_size": t.MaxSSTable,
		"sstables_in_each_level": levels,
		"space_used_live":        text(t.SpaceLive), "space_used_total": text(t.SpaceTotal), "space_used_by_snapshots_total": text(t.SpaceSnapshots),
		"off_heap_memory_used_total": text(t.OffHeap), "sstable_compression_ratio": t.CompressionRatio,
		"number_of_partitions_estimate": t.Partitions, "memtable_cell_count": t.MemtableCells, "memtable_data_size": text(t.MemtableSize),
		"memtable_off_heap_memory_used": text(t.MemtableOffHeap), "memtable_switch_count": t.MemtableSwitches,
		"speculative_retries": t.SpeculativeRetries, "local_read_count": t.Reads, "local_read_latency_ms": decimals(latency(t.ReadLatency), 3),
		"local_write_count": t.Writes, "local_write_latency_ms": decimals(latency(t.WriteLatency), 3), "local_read_write_ratio": decimals(ratio(t), 5),
		"pending_flushes": t.PendingFlushes, "percent_repaired": math.Round(t.PercentRepaired*100) / 100,
		"bytes_repaired": t.BytesRepaired, "bytes_unrepaired": t.BytesUnrepaired, "bytes_pending_repair": t.BytesPendingRepair,
		"bloom_filter_false_positives": t.FilterFalse, "bloom_filter_false_ratio": decimals(t.FilterFalseRatio, 5),
		"bloom_filter_space_used": text(t.FilterSpace), "bloom_filter_off_heap_memory_used": text(t.FilterOffHeap),
		"index_summary_off_heap_memory_used":        text(t.SummaryOffHeap),
		"compression_metadata_off_heap_memory_used": text(t.CompressionOffHeap),
		"compacted_partition_minimum_bytes":         t.PartitionMin, "compacted_partition_maximum_bytes": t.PartitionMax,
		"compacted_partition_mean_bytes":                 t.PartitionMean,
		"average_live_cells_per_slice_last_five_minutes": "NaN", "maximum_live_cells_per_slice_last_five_minutes": 0,
		"average_tombstones_per_slice_last_five_minutes": "NaN", "maximum_tombstones_per_slice_last_five_minutes": 0,
		"droppable_tombstone_ratio": decimals(t.DroppableTombstones, 5),
	}
}
