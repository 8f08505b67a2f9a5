package admin

import (
	"context"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
)

// Node is what verbs need of a node. Its methods may be called by many goroutines. What a node does not do yet it answers with
// an error of Unsupported.
type Node interface {
	// Schema returns the current schema.
	Schema() *schema.Snapshot
	Info() (Info, error)
	// Status tells of the nodes of the cluster; ownership is that of a keyspace, "" for what can be said of all.
	Status(keyspace string) (Status, error)

	Flush(ctx context.Context, tables []*schema.Table) error
	Drain(ctx context.Context) error

	TableStats(t *schema.Table) (TableStats, error)
	TableHistograms(t *schema.Table) (TableHistograms, error)

	Compact(ctx context.Context, c Compact, tables []*schema.Table) error
	// Rewrite scrubs, upgrades or collects garbage of tables.
	Rewrite(ctx context.Context, r Rewrite, tables []*schema.Table) error
	VerifyTables(ctx context.Context, v Verify, tables []*schema.Table) error
	CompactionStats() (CompactionStats, error)
	CompactionHistory() ([]Compaction, error)
	// CompactionThroughput returns the limit in MiB a second; 0 for none.
	CompactionThroughput() (float64, error)
	SetCompactionThroughput(mib int) error
	SetAutoCompaction(on bool, tables []*schema.Table) error
	Compactor
	// InvalidateCache empties the key or the row cache.
	InvalidateCache(kind CacheKind) error

	// Snapshot makes a snapshot of tables under a tag; ttl is 0 for one that stays.
	Snapshot(ctx context.Context, tag string, skipFlush bool, ttl time.Duration, tables []*schema.Table) error
	// ListSnapshots tells of the snapshots, those of tables that were dropped too.
	ListSnapshots() ([]Snapshot, error)
	// ClearSnapshots removes the snapshots that f picks.
	ClearSnapshots(f func(*Snapshot) bool) error
	Import(ctx context.Context, i Import, t *schema.Table) (ImportResult, error)
}

// CacheKind is one of the caches.
type CacheKind string

// The caches that can be emptied.
const (
	KeyCache CacheKind = "key"
	RowCache CacheKind = "row"
)

// Info is what nodetool info tells.
type Info struct {
	ID               string   `json:"id"`
	GossipActive     bool     `json:"gossip_active"`
	NativeActive     bool     `json:"native_transport_active"`
	Load             int64    `json:"load"`              // bytes on disk
	UncompressedLoad int64    `json:"uncompressed_load"` // bytes
	Generation       int64    `json:"generation_no"`     // seconds since 1970 when it was started
	Uptime           int64    `json:"uptime"`            // seconds
	HeapUsed         int64    `json:"heap_memory_used"`  // bytes
	HeapMax          int64    `json:"heap_memory_max"`   // bytes
	OffHeap          int64    `json:"off_heap_memory_used"`
	DataCenter       string   `json:"data_center"`
	Rack             string   `json:"rack"`
	Exceptions       int64    `json:"exceptions"`
	KeyCache         Cache    `json:"key_cache"`
	RowCache         Cache    `json:"row_cache"`
	CounterCache     Cache    `json:"counter_cache"`
	ChunkCache       Cache    `json:"chunk_cache"` // pages of tables on disk
	PercentRepaired  float64  `json:"percent_repaired"`
	Tokens           []string `json:"tokens"`
}

// Cache is what is told of a cache; sizes are bytes.
type Cache struct {
	Entries    int64 `json:"entries"`
	Size       int64 `json:"size"`
	Capacity   int64 `json:"capacity"`
	Hits       int64 `json:"hits"`
	Requests   int64 `json:"requests"`
	SavePeriod int   `json:"save_period"` // seconds
}

// Status is what nodetool status tells.
type Status struct {
	Members []Member `json:"nodes"`
	// Effective says that the shares are those of a keyspace; Known that they mean something.
	Effective bool `json:"ownership_effective"`
	Known     bool `json:"ownership_known"`
}

// Member is a node of the cluster.
type Member struct {
	Address    string  `json:"address"`
	HostID     string  `json:"host_id"`
	DataCenter string  `json:"data_center"`
	Rack       string  `json:"rack"`
	Up         bool    `json:"up"`
	State      string  `json:"state"` // NORMAL, LEAVING, JOINING or MOVING
	Load       int64   `json:"load"`  // bytes
	Tokens     int     `json:"tokens"`
	Owns       float64 `json:"owns"` // 1 is all
}

// TableStats is what nodetool tablestats tells of one table; sizes are bytes, latencies milliseconds, -1 where there is none.
type TableStats struct {
	Keyspace string `json:"keyspace"`
	Table    string `json:"table"`
	// Index is true for the table of an index, whose name is then table.index.
	Index               bool    `json:"index,omitempty"`
	SSTables            int64   `json:"sstable_count"`
	OldSSTables         int64   `json:"old_sstable_count"`
	MaxSSTable          int64   `json:"max_sstable_size"`
	SSTablesPerLevel    []int64 `json:"sstables_in_each_level,omitempty"`
	SpaceLive           int64   `json:"space_used_live"`
	SpaceTotal          int64   `json:"space_used_total"`
	SpaceSnapshots      int64   `json:"space_used_by_snapshots_total"`
	OffHeap             int64   `json:"off_heap_memory_used_total"`
	CompressionRatio    float64 `json:"sstable_compression_ratio"` // -1 for none
	Partitions          int64   `json:"number_of_partitions_estimate"`
	MemtableCells       int64   `json:"memtable_cell_count"`
	MemtableSize        int64   `json:"memtable_data_size"`
	MemtableOffHeap     int64   `json:"memtable_off_heap_memory_used"`
	MemtableSwitches    int64   `json:"memtable_switch_count"`
	SpeculativeRetries  int64   `json:"speculative_retries"`
	Reads               int64   `json:"local_read_count"`
	ReadLatency         float64 `json:"local_read_latency_ms"`
	Writes              int64   `json:"local_write_count"`
	WriteLatency        float64 `json:"local_write_latency_ms"`
	PendingFlushes      int64   `json:"pending_flushes"`
	PercentRepaired     float64 `json:"percent_repaired"`
	BytesRepaired       int64   `json:"bytes_repaired"`
	BytesUnrepaired     int64   `json:"bytes_unrepaired"`
	BytesPendingRepair  int64   `json:"bytes_pending_repair"`
	FilterFalse         int64   `json:"bloom_filter_false_positives"`
	FilterFalseRatio    float64 `json:"bloom_filter_false_ratio"`
	FilterSpace         int64   `json:"bloom_filter_space_used"`
	FilterOffHeap       int64   `json:"bloom_filter_off_heap_memory_used"`
	SummaryOffHeap      int64   `json:"index_summary_off_heap_memory_used"`
	CompressionOffHeap  int64   `json:"compression_metadata_off_heap_memory_used"`
	PartitionMin        int64   `json:"compacted_partition_minimum_bytes"`
	PartitionMax        int64   `json:"compacted_partition_maximum_bytes"`
	PartitionMean       int64   `json:"compacted_partition_mean_bytes"`
	DroppableTombstones float64 `json:"droppable_tombstone_ratio"`
}

// Percentiles are the values at 50, 75, 95, 98 and 99 percent of a distribution, and the least and the greatest.
type Percentiles [7]float64

// TableHistograms is what nodetool tablehistograms tells; latencies are microseconds. What is nil is not known.
type TableHistograms struct {
	Keyspace      string       `json:"keyspace"`
	Table         string       `json:"table"`
	ReadLatency   *Percentiles `json:"read_latency"`
	WriteLatency  *Percentiles `json:"write_latency"`
	SSTables      *Percentiles `json:"sstables"`
	PartitionSize *Percentiles `json:"partition_size"`
	CellCount     *Percentiles `json:"cell_count"`
}

// Compact is a major or a user-defined compaction.
type Compact struct {
	SplitOutput bool     `json:"split_output,omitempty"`
	UserDefined bool     `json:"user_defined,omitempty"`
	Files       []string `json:"files,omitempty"`
	StartToken  string   `json:"start_token,omitempty"`
	EndToken    string   `json:"end_token,omitempty"`
	Partition   string   `json:"partition,omitempty"`
}

// Rewrite says how tables on disk are written anew.
type Rewrite struct {
	// Kind is scrub, upgradesstables or garbagecollect.
	Kind string `json:"kind"`
	Jobs int    `json:"jobs,omitempty"`
	// NoValidate, NoSnapshot and SkipCorrupted are of scrub.
	NoValidate    bool `json:"no_validate,omitempty"`
	NoSnapshot    bool `json:"no_snapshot,omitempty"`
	SkipCorrupted bool `json:"skip_corrupted,omitempty"`
	// All rewrites tables of the current version too, when upgrading; MaxTimestamp, unless 0, only those that are older.
	All          bool  `json:"all,omitempty"`
	MaxTimestamp int64 `json:"max_timestamp,omitempty"`
	// Cells removes what was overwritten too, when collecting garbage.
	Cells bool `json:"cells,omitempty"`
}

// Verify says what to check of tables on disk.
type Verify struct {
	Extended     bool `json:"extended,omitempty"`
	Quick        bool `json:"quick,omitempty"`
	CheckVersion bool `json:"check_version,omitempty"`
}

// CompactionStats is what nodetool compactionstats tells.
type CompactionStats struct {
	Compactors       int                `json:"concurrent_compactors"`
	Pending          map[string]int     `json:"pending_tasks"` // by keyspace.table
	Completed        int64              `json:"compactions_completed"`
	Compacted        int64              `json:"data_compacted"` // bytes
	Aborted          int64              `json:"compactions_aborted"`
	Reduced          int64              `json:"compactions_reduced"`
	Dropped          int64              `json:"sstables_dropped_from_compaction"`
	FifteenMinute    float64            `json:"fifteen_minute_rate"` // compactions a minute
	Mean             float64            `json:"mean_rate"`           // compactions an hour
	Throughput       float64            `json:"compaction_throughput_mib"`
	Active           []ActiveCompaction `json:"active_compactions"`
	RemainingSeconds int64              `json:"active_compaction_remaining_time"` // -1: not known
}

// ActiveCompaction is one that is running; Completed and Total are in Unit.
type ActiveCompaction struct {
	ID        string `json:"id"`
	Kind      string `json:"compaction_type"`
	Keyspace  string `json:"keyspace"`
	Table     string `json:"table"`
	Completed int64  `json:"completed"`
	Total     int64  `json:"total"`
	Unit      string `json:"unit"`
	// SSTables is how many tables on disk it reads, Directory where it writes.
	SSTables  int    `json:"sstables"`
	Directory string `json:"target_directory"`
}

// Compaction is one that was.
type Compaction struct {
	ID         string            `json:"id"`
	Keyspace   string            `json:"keyspace_name"`
	Table      string            `json:"columnfamily_name"`
	At         int64             `json:"compacted_at"` // milliseconds since 1970
	In         int64             `json:"bytes_in"`
	Out        int64             `json:"bytes_out"`
	Merged     map[int]int64     `json:"rows_merged"` // rows by the number of tables that they were in
	Properties map[string]string `json:"compaction_properties"`
}

// Snapshot is the snapshot of one table under one tag; sizes are bytes, times milliseconds since 1970.
type Snapshot struct {
	Tag      string `json:"snapshot"`
	Keyspace string `json:"keyspace"`
	Table    string `json:"table"`
	// True is what would be free if the snapshot was not there.
	True int64 `json:"true_size"`
	// Tables is that part of True that is tables, not what describes them.
	Tables  int64 `json:"true_tables_size"`
	Size    int64 `json:"size_on_disk"`
	Created int64 `json:"creation_time"`
	Expires int64 `json:"expiration_time"` // 0: never
}

// Import is the import of folders of tables into a table.
type Import struct {
	Directories []string `json:"directories"`
	// KeepLevel and KeepRepaired leave what the tables say of themselves.
	KeepLevel    bool `json:"keep_level,omitempty"`
	KeepRepaired bool `json:"keep_repaired,omitempty"`
	NoVerify     bool `json:"no_verify,omitempty"`
	NoTokens     bool `json:"no_tokens,omitempty"`
	Extended     bool `json:"extended_verify,omitempty"`
	Copy         bool `json:"copy_data,omitempty"`
	KeepCaches   bool `json:"no_invalidate_caches,omitempty"`
	// Refresh imports what was put into the table's own folder.
	Refresh bool `json:"refresh,omitempty"`
}

// ImportResult is what became of an import.
type ImportResult struct {
	Imported int `json:"imported"` // tables on disk
	// Failed are the directories that nothing was taken from, with the reason.
	Failed map[string]string `json:"failed,omitempty"`
}
