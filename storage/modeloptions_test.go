package storage

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/helenusdb/helenus/cql/schema"
)

// randomOptions returns v with options of the engine and of tables drawn from r: how data is cut into segments, memtables,
// files, blocks and chunks, what is kept in memory, and when what is merged. Its name says them.
func randomOptions(v variant, r *rand.Rand) variant {
	var said []string
	pick := func(name string, values ...any) any {
		x := values[r.IntN(len(values))]
		said = append(said, fmt.Sprintf("%s=%v", name, x))
		return x
	}
	segment := pick("segment", 4096, 8192, 64<<10, 1<<20).(int)
	cache := pick("cache", -1, 2048, 64<<10, 0).(int)
	index := pick("index", 1, 100, 4096, 0).(int)
	memory := pick("memtables", 1<<20, 8<<20, 0).(int)
	logs := pick("logs", 16<<10, 256<<10, 0).(int)
	writers := pick("writers", 1, 2, 3).(int)
	background := pick("background", false, true, true).(bool)
	v.old = v.old && !background
	v.options = func(o *Options) {
		o.SegmentSize, o.CacheSize, o.ColumnIndexSize = segment, int64(cache), index
		o.MemtableSpace, o.LogSpace, o.FlushWriters = int64(memory), int64(logs), writers
		o.Compaction.Paused = !background
	}
	compressor := pick("compressor", "", "LZ4Compressor", "SnappyCompressor", "DeflateCompressor", "ZstdCompressor").(string)
	chunk := pick("chunk", "1", "4", "16").(string)
	strategy := pick("strategy", "SizeTiered", "Leveled", "TimeWindow", "Unified", "DateTiered").(string)
	bloom := pick("bloom", 0.01, 0.5, 1.0).(float64)
	sampling := pick("sampling", 1, 2, 128).(int)
	rows := pick("rows", "NONE", "ALL", "3").(string)
	keys := pick("keys", "ALL", "NONE").(string)
	v.table = func(o *schema.Options) {
		o.Compression = map[string]string{"enabled": "false"}
		if compressor != "" {
			o.Compression = map[string]string{"class": "org.apache.cassandra.io.compress." + compressor, "chunk_length_in_kb": chunk}
		}
		o.BloomFilterFPChance = bloom
		o.MinIndexInterval = int32(sampling)
		o.Caching = map[string]string{"keys": keys, "rows_per_partition": rows}
		o.Compaction = map[string]string{"class": "org.apache.cassandra.db.compaction." + strategy + "CompactionStrategy"}
		switch strategy {
		case "SizeTiered":
			o.Compaction["min_threshold"] = "2"
		case "Leveled":
			o.Compaction["sstable_size_in_mb"] = "1"
		case "TimeWindow":
			o.Compaction["compaction_window_unit"], o.Compaction["compaction_window_size"] = "MINUTES", "1"
		case "Unified":
			o.Compaction["scaling_parameters"] = []string{"T2", "T4", "L2", "N"}[sampling%4]
		}
	}
	v.name += ": " + strings.Join(said, " ")
	return v
}
