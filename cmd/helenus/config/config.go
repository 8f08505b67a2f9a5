// Package config reads a cassandra.yaml, new names and old ones with their units, into the settings that Helenus honours, and
// says of every other name whether it is unknown, without effect here, or asks for something that is not built yet.
//
// Floor: below cmd/helenus. Source: org.apache.cassandra.config.Config, YamlConfigurationLoader; ecosystem.md 4.
package config

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Config is what a node is started with, defaults filled in.
type Config struct {
	ClusterName               string
	NumTokens                 int
	InitialToken              []string // empty: random tokens
	Partitioner               string
	ListenAddress             string // between nodes
	BroadcastAddress          string // "" means ListenAddress
	RPCAddress                string // for clients
	BroadcastRPCAddress       string // "" means RPCAddress
	NativePort, StoragePort   int
	DataDir, CommitlogDir     string // CommitlogDir "" means a folder in DataDir
	Snitch, DC, Rack          string
	Authenticator             string // short class name
	Authorizer                string
	CommitlogSync             string // periodic, batch or group
	CommitlogSyncPeriod       time.Duration
	CommitlogGroupWindow      time.Duration
	CommitlogSegmentBytes     int64
	CommitlogTotalBytes       int64 // 0 means as much as memtables, 1 to 8 GiB, or a quarter of the volume
	MaxMutationBytes          int64 // 0 means half a segment
	MemoryLimitBytes          int64 // of what is resident; 0 means a part of the machine's memory, or of the control group's
	MemtableHeapBytes         int64 // 0, and below: a part of the memory limit
	MemtableOffheapBytes      int64
	MemtableCleanupThreshold  float64 // 0 means 1/(MemtableFlushWriters+1)
	MemtableFlushWriters      int
	CompactionBytes           int64 // a second, 0 means without bound
	ConcurrentCompactors      int   // 0 means the number of processors, 2 to 8
	AutoCompaction            bool
	ColumnIndexBytes          int64 // 0 means 64 KiB
	FileCacheBytes            int64 // with KeyCacheBytes it bounds what is kept of tables on disk; both 0: a part of the limit
	KeyCacheBytes             int64
	ReadTimeout, RangeTimeout time.Duration
	WriteTimeout              time.Duration
	CounterTimeout            time.Duration
	CASTimeout                time.Duration
	TruncateTimeout           time.Duration
	RequestTimeout            time.Duration
	BatchWarnBytes            int64
	BatchFailBytes            int64
	UnloggedBatchPartitions   int
	MaxFrameBytes             int64
	RequestBytes              int64 // in flight; 0 means a part of the memory limit
	MaxConnections            int   // -1: no limit
	MaxConnectionsPerIP       int   // -1: no limit
	DefaultKeyspaceRF         int
	StorageCompatibilityMode  string // CASSANDRA_4, UPGRADING or NONE
	ExpirationOverflow        string // REJECT, CAP or CAP_NOWARN
	UseStatementsEnabled      bool
	PreparedStatementsBytes   int64
	AutoSnapshot              bool
	AutoSnapshotTTL           time.Duration // 0: never
	IncrementalBackups        bool
	// Given holds the honoured settings that were set, by their new names, as they were written.
	Given map[string]string
}

// Default returns the settings of a node that is given none: Cassandra's of its shipped file, on loopback.
func Default() *Config {
	return &Config{
		ClusterName: "Test Cluster", NumTokens: 16, Partitioner: "org.apache.cassandra.dht.Murmur3Partitioner",
		ListenAddress: "127.0.0.1", RPCAddress: "127.0.0.1", NativePort: 9042, StoragePort: 7000,
		DataDir: "helenus-data", Snitch: "SimpleSnitch", DC: "datacenter1", Rack: "rack1",
		Authenticator: "AllowAllAuthenticator", Authorizer: "AllowAllAuthorizer",
		CommitlogSync: "periodic", CommitlogSyncPeriod: 10 * time.Second, CommitlogGroupWindow: 10 * time.Millisecond,
		CommitlogSegmentBytes: 32 << 20, MemtableFlushWriters: 2, CompactionBytes: 64 << 20, AutoCompaction: true,
		ReadTimeout: 5 * time.Second, RangeTimeout: 10 * time.Second, WriteTimeout: 2 * time.Second, CounterTimeout: 5 * time.Second,
		CASTimeout: 1800 * time.Millisecond, TruncateTimeout: time.Minute, RequestTimeout: 10 * time.Second,
		BatchWarnBytes: 5 << 10, BatchFailBytes: 50 << 10, UnloggedBatchPartitions: 10,
		MaxFrameBytes: 16 << 20, MaxConnections: -1, MaxConnectionsPerIP: -1, DefaultKeyspaceRF: 1,
		StorageCompatibilityMode: "CASSANDRA_4", ExpirationOverflow: "REJECT", UseStatementsEnabled: true, PreparedStatementsBytes: 10 << 20,
		AutoSnapshot: true,
		Given:        map[string]string{},
	}
}

// maxFileBytes bounds a configuration file: a shipped cassandra.yaml is below 100 KiB.
const maxFileBytes = 1 << 20

//go:embed defaults.txt
var defaultsText string

// knownDefaults holds every name of Cassandra 5.0 with its default ("null" for none, "?" for a nested map).
var knownDefaults = readDefaults()

func readDefaults() map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(defaultsText) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		m[name] = value
	}
	return m
}

// Load reads the file at path over c. With strict, an unknown name is an error; else it is a warning like every name that
// asks for what Helenus does not do. Errors and warnings name file and line.
func (c *Config) Load(path string, strict bool) (warnings []string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFileBytes {
		return nil, fmt.Errorf("%s: a configuration file of %d bytes is larger than %d", path, info.Size(), maxFileBytes)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if warnings, err = c.parse(path, text, strict); err != nil {
		return nil, err
	}
	if snitchReadsFile(c.Snitch) {
		if err := c.loadRackDC(filepath.Join(filepath.Dir(path), "cassandra-rackdc.properties")); err != nil {
			return nil, err
		}
	}
	return warnings, c.check(path)
}

func (c *Config) parse(path string, text []byte, strict bool) (warnings []string, err error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: expected settings of the form name: value", path, top.Line)
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		at := fmt.Sprintf("%s:%d", path, key.Line)
		if value.Kind == yaml.AliasNode {
			return nil, fmt.Errorf("%s: %s: aliases are not allowed", at, key.Value)
		}
		s, old := find(key.Value)
		name := key.Value
		if s != nil {
			name = s.name
		}
		if first, ok := seen[name]; ok {
			return nil, fmt.Errorf("%s: %s is set twice; the first is in line %d", at, key.Value, first)
		}
		seen[name] = key.Line
		switch {
		case value.Tag == "!!null":
		case s != nil:
			if err := s.set(c, value, old); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", at, key.Value, err)
			}
			if value.Kind == yaml.ScalarNode {
				c.Given[s.name] = value.Value
			}
		case known(key.Value):
			if w := unsupported(key.Value, value); w != "" {
				warnings = append(warnings, at+": "+w)
			}
		default:
			text := fmt.Sprintf("%s: unknown setting %q", at, key.Value)
			if near := nearest(key.Value); near != "" {
				text += fmt.Sprintf("; did you mean %q?", near)
			}
			if strict {
				return nil, fmt.Errorf("%s", text)
			}
			warnings = append(warnings, text)
		}
	}
	return warnings, nil
}

// known reports whether Cassandra 5.0 has a setting of this name that Helenus does not honour.
func known(name string) bool {
	_, ok := knownDefaults[name]
	return ok
}

// withoutEffect holds settings that steer only how Cassandra gets its work done; whatever they say, clients see no difference.
var withoutEffect = wordSet(`concurrent_reads concurrent_writes concurrent_counter_writes concurrent_materialized_view_writes
	memtable_allocation_type memtable
	disk_optimization_strategy file_cache_enabled buffer_pool_use_heap_if_exhausted trickle_fsync trickle_fsync_interval
	index_summary_capacity index_summary_resize_interval key_cache_save_period key_cache_keys_to_save row_cache_size
	row_cache_save_period row_cache_keys_to_save counter_cache_size counter_cache_save_period counter_cache_keys_to_save
	cache_load_timeout column_index_cache_size concurrent_validations
	sstable_preemptive_open_interval uuid_sstable_identifiers_enabled sstable stream_entire_sstables stream_throughput_outbound
	inter_dc_stream_throughput_outbound native_transport_max_threads native_transport_allow_older_protocols internode_compression
	inter_dc_tcp_nodelay internode_max_message_size gc_log_threshold gc_warn_threshold commitlog_disk_access_mode disk_access_mode
	networking_cache_size repair_session_space dynamic_snitch_update_interval dynamic_snitch_reset_interval dynamic_snitch_badness_threshold
	allocate_tokens_for_local_replication_factor phi_convict_threshold hints_flush_period max_hints_file_size hinted_handoff_throttle
	max_hints_delivery_threads batchlog_replay_throttle hinted_handoff_enabled max_hint_window auto_hints_cleanup_enabled
	streaming_connections_per_host streaming_keep_alive_period request_timeout_on_timeout ideal_consistency_level transfer_hints_on_decommission`)

func wordSet(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// Partly returns a warning for each setting that is taken and means less here than it does in Cassandra, wherever it came from.
func (c *Config) Partly() (warnings []string) {
	if c.StorageCompatibilityMode != "CASSANDRA_4" {
		warnings = append(warnings, fmt.Sprintf("storage_compatibility_mode: %s is taken as CASSANDRA_4: tables are written in the format nb, so "+
			"that nothing can expire after 2038-01-19T03:14:06Z", c.StorageCompatibilityMode))
	}
	return warnings
}

// unsupported returns the warning for a setting of Cassandra's that Helenus does not honour, or "" when it asks for nothing
// that a client or an operator would miss: it has Cassandra's default, or no effect beyond Cassandra's own workings.
func unsupported(name string, value *yaml.Node) string {
	def := knownDefaults[name]
	if withoutEffect[name] || value.Kind == yaml.ScalarNode && (value.Value == def || def == "(empty)" && value.Value == "") {
		return ""
	}
	if on := enabled(value); value.Kind == yaml.MappingNode && !on {
		return ""
	}
	return fmt.Sprintf("%s is not supported yet and has no effect", name)
}

// enabled reports whether a nested block switches its feature on: it has no word to the contrary.
func enabled(n *yaml.Node) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i].Value, n.Content[i+1].Value
		if k == "enabled" || k == "internode_encryption" {
			return v != "false" && v != "none"
		}
	}
	return len(n.Content) > 0
}

// nearest returns the known name that is at most three edits from name, or "".
func nearest(name string) string {
	best, least := "", 3
	consider := func(n string) {
		if d := distance(name, n, least+1); d < least || d == least && (best == "" || n < best) {
			best, least = n, d
		}
	}
	for n := range knownDefaults {
		consider(n)
	}
	for i := range settings {
		consider(settings[i].name)
	}
	return best
}

// distance is the edit distance of a and b, or limit when it is not below.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost = min(prev, row[j], row[j+1]) + 1
			}
			prev, row[j+1] = row[j+1], cost
		}
	}
	return min(row[len(b)], limit)
}

// snitchReadsFile reports whether a snitch takes data center and rack from cassandra-rackdc.properties.
func snitchReadsFile(snitch string) bool {
	return snitch == "GossipingPropertyFileSnitch" || strings.HasPrefix(snitch, "Ec2") || strings.HasPrefix(snitch, "GoogleCloud") ||
		strings.HasPrefix(snitch, "Azure") || strings.HasPrefix(snitch, "Alibaba") || strings.HasPrefix(snitch, "Cloudstack")
}

// loadRackDC reads dc and rack of a properties file; a missing file leaves the names that the file ships with.
func (c *Config) loadRackDC(path string) error {
	c.DC, c.Rack = "dc1", "rack1"
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		switch value = strings.TrimSpace(value); strings.TrimSpace(key) {
		case "dc":
			c.DC = value
		case "rack":
			c.Rack = value
		case "dc_suffix":
			c.DC += value
		}
	}
	return nil
}

// check refuses what contradicts itself.
func (c *Config) check(path string) error {
	switch {
	case c.NumTokens < 1 || c.NumTokens > 1536:
		return fmt.Errorf("%s: num_tokens must be between 1 and 1536, not %d", path, c.NumTokens)
	case len(c.InitialToken) > 0 && c.Given["num_tokens"] != "" && len(c.InitialToken) != c.NumTokens:
		return fmt.Errorf("%s: initial_token has %d tokens, num_tokens is %d", path, len(c.InitialToken), c.NumTokens)
	case c.CommitlogSegmentBytes < 1<<20 || c.CommitlogSegmentBytes >= 2<<30:
		return fmt.Errorf("%s: commitlog_segment_size must be between 1MiB and 2048MiB", path)
	case c.MaxMutationBytes*2 > c.CommitlogSegmentBytes:
		return fmt.Errorf("%s: commitlog_segment_size must be at least twice the size of max_mutation_size", path)
	case c.MemtableFlushWriters < 1:
		return fmt.Errorf("%s: memtable_flush_writers must be at least 1, but was %d", path, c.MemtableFlushWriters)
	case c.MemtableCleanupThreshold != 0 && (c.MemtableCleanupThreshold < 0.01 || c.MemtableCleanupThreshold > 0.99):
		return fmt.Errorf("%s: memtable_cleanup_threshold must be >= 0.01 and <= 0.99, but was %v", path, c.MemtableCleanupThreshold)
	}
	return nil
}
