package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// setting is a name that Helenus honours.
type setting struct {
	name string
	// old is the name before 4.1, whose plain number counts in unit ("ms", "KiB", "MiB").
	old, unit string
	set       func(c *Config, v *yaml.Node, old bool) error
}

// settings lists what is honoured. Source: ecosystem.md 4.1.
var settings = []setting{
	text("cluster_name", func(c *Config) *string { return &c.ClusterName }),
	number("num_tokens", func(c *Config) *int { return &c.NumTokens }),
	{name: "initial_token", set: func(c *Config, v *yaml.Node, _ bool) error {
		for t := range strings.SplitSeq(v.Value, ",") {
			c.InitialToken = append(c.InitialToken, strings.TrimSpace(t))
		}
		if c.Given["num_tokens"] == "" {
			c.NumTokens = len(c.InitialToken)
		}
		return nil
	}},
	choice("partitioner", func(c *Config) *string { return &c.Partitioner }, "org.apache.cassandra.dht.",
		"Murmur3Partitioner", "RandomPartitioner", "ByteOrderedPartitioner"),
	text("listen_address", func(c *Config) *string { return &c.ListenAddress }),
	text("broadcast_address", func(c *Config) *string { return &c.BroadcastAddress }),
	text("rpc_address", func(c *Config) *string { return &c.RPCAddress }),
	text("broadcast_rpc_address", func(c *Config) *string { return &c.BroadcastRPCAddress }),
	number("native_transport_port", func(c *Config) *int { return &c.NativePort }),
	number("storage_port", func(c *Config) *int { return &c.StoragePort }),
	{name: "data_file_directories", set: func(c *Config, v *yaml.Node, _ bool) error {
		if v.Kind == yaml.SequenceNode && len(v.Content) == 1 {
			c.DataDir = v.Content[0].Value
			return nil
		}
		return fmt.Errorf("expected a list of one folder")
	}},
	text("commitlog_directory", func(c *Config) *string { return &c.CommitlogDir }),
	{name: "hints_directory", set: accept}, {name: "saved_caches_directory", set: accept}, {name: "cdc_raw_directory", set: accept},
	{name: "endpoint_snitch", set: func(c *Config, v *yaml.Node, _ bool) error {
		c.Snitch = short(v.Value)
		if !strings.HasSuffix(c.Snitch, "Snitch") {
			return fmt.Errorf("unable to find snitch class %q", v.Value)
		}
		return nil
	}},
	class("authenticator", func(c *Config) *string { return &c.Authenticator }, "AllowAllAuthenticator", "PasswordAuthenticator"),
	class("authorizer", func(c *Config) *string { return &c.Authorizer }, "AllowAllAuthorizer", "CassandraAuthorizer"),
	class("role_manager", nil, "CassandraRoleManager"),
	class("network_authorizer", nil, "AllowAllNetworkAuthorizer"),
	class("cidr_authorizer", nil, "AllowAllCIDRAuthorizer"),
	class("internode_authenticator", nil, "AllowAllInternodeAuthenticator"),
	{name: "seed_provider", set: accept},
	choice("commitlog_sync", func(c *Config) *string { return &c.CommitlogSync }, "", "periodic", "batch", "group"),
	duration("commitlog_sync_period", "commitlog_sync_period_in_ms", func(c *Config) *time.Duration { return &c.CommitlogSyncPeriod }),
	duration("commitlog_sync_group_window", "commitlog_sync_group_window_in_ms", func(c *Config) *time.Duration { return &c.CommitlogGroupWindow }),
	size("commitlog_segment_size", "commitlog_segment_size_in_mb", "MiB", func(c *Config) *int64 { return &c.CommitlogSegmentBytes }),
	size("commitlog_total_space", "commitlog_total_space_in_mb", "MiB", func(c *Config) *int64 { return &c.CommitlogTotalBytes }),
	// Not Cassandra's: there the heap is a matter of the Java machine, and each of what is beside it has a setting.
	size("memory_limit", "", "MiB", func(c *Config) *int64 { return &c.MemoryLimitBytes }),
	size("file_cache_size", "file_cache_size_in_mb", "MiB", func(c *Config) *int64 { return &c.FileCacheBytes }),
	size("key_cache_size", "key_cache_size_in_mb", "MiB", func(c *Config) *int64 { return &c.KeyCacheBytes }),
	size("memtable_heap_space", "memtable_heap_space_in_mb", "MiB", func(c *Config) *int64 { return &c.MemtableHeapBytes }),
	size("memtable_offheap_space", "memtable_offheap_space_in_mb", "MiB", func(c *Config) *int64 { return &c.MemtableOffheapBytes }),
	{name: "memtable_cleanup_threshold", set: func(c *Config, v *yaml.Node, _ bool) (err error) {
		c.MemtableCleanupThreshold, err = strconv.ParseFloat(v.Value, 64)
		return err
	}},
	rate("compaction_throughput", "compaction_throughput_mb_per_sec", "MiB/s", func(c *Config) *int64 { return &c.CompactionBytes }),
	{name: "concurrent_compactors", set: func(c *Config, v *yaml.Node, old bool) error {
		err := number("", func(c *Config) *int { return &c.ConcurrentCompactors }).set(c, v, old)
		if err == nil && c.ConcurrentCompactors <= 0 {
			return fmt.Errorf("concurrent_compactors should be strictly greater than 0, but was %d", c.ConcurrentCompactors)
		}
		return err
	}},
	truth("autocompaction_on_startup_enabled", func(c *Config) *bool { return &c.AutoCompaction }),
	number("memtable_flush_writers", func(c *Config) *int { return &c.MemtableFlushWriters }),
	size("column_index_size", "column_index_size_in_kb", "KiB", func(c *Config) *int64 { return &c.ColumnIndexBytes }),
	size("max_mutation_size", "max_mutation_size_in_kb", "KiB", func(c *Config) *int64 { return &c.MaxMutationBytes }),
	duration("read_request_timeout", "read_request_timeout_in_ms", func(c *Config) *time.Duration { return &c.ReadTimeout }),
	duration("range_request_timeout", "range_request_timeout_in_ms", func(c *Config) *time.Duration { return &c.RangeTimeout }),
	duration("write_request_timeout", "write_request_timeout_in_ms", func(c *Config) *time.Duration { return &c.WriteTimeout }),
	duration("counter_write_request_timeout", "counter_write_request_timeout_in_ms", func(c *Config) *time.Duration { return &c.CounterTimeout }),
	duration("cas_contention_timeout", "cas_contention_timeout_in_ms", func(c *Config) *time.Duration { return &c.CASTimeout }),
	duration("truncate_request_timeout", "truncate_request_timeout_in_ms", func(c *Config) *time.Duration { return &c.TruncateTimeout }),
	duration("request_timeout", "request_timeout_in_ms", func(c *Config) *time.Duration { return &c.RequestTimeout }),
	size("batch_size_warn_threshold", "batch_size_warn_threshold_in_kb", "KiB", func(c *Config) *int64 { return &c.BatchWarnBytes }),
	size("batch_size_fail_threshold", "batch_size_fail_threshold_in_kb", "KiB", func(c *Config) *int64 { return &c.BatchFailBytes }),
	number("unlogged_batch_across_partitions_warn_threshold", func(c *Config) *int { return &c.UnloggedBatchPartitions }),
	size("native_transport_max_frame_size", "native_transport_max_frame_size_in_mb", "MiB", func(c *Config) *int64 { return &c.MaxFrameBytes }),
	size("native_transport_max_request_data_in_flight", "native_transport_max_concurrent_requests_in_bytes", "B",
		func(c *Config) *int64 { return &c.RequestBytes }),
	number("native_transport_max_concurrent_connections", func(c *Config) *int { return &c.MaxConnections }),
	number("native_transport_max_concurrent_connections_per_ip", func(c *Config) *int { return &c.MaxConnectionsPerIP }),
	number("default_keyspace_rf", func(c *Config) *int { return &c.DefaultKeyspaceRF }),
	choice("storage_compatibility_mode", func(c *Config) *string { return &c.StorageCompatibilityMode }, "", "CASSANDRA_4", "UPGRADING", "NONE"),
	// In Cassandra it is a property of the Java machine, cassandra.expiration_date_overflow_policy, in any case.
	{name: "expiration_date_overflow_policy", set: func(c *Config, v *yaml.Node, old bool) error {
		v = &yaml.Node{Kind: v.Kind, Value: strings.ToUpper(v.Value)}
		return choice("", func(c *Config) *string { return &c.ExpirationOverflow }, "", "REJECT", "CAP", "CAP_NOWARN").set(c, v, old)
	}},
	truth("use_statements_enabled", func(c *Config) *bool { return &c.UseStatementsEnabled }),
	truth("auto_snapshot", func(c *Config) *bool { return &c.AutoSnapshot }),
	duration("auto_snapshot_ttl", "", func(c *Config) *time.Duration { return &c.AutoSnapshotTTL }),
	truth("incremental_backups", func(c *Config) *bool { return &c.IncrementalBackups }),
	size("prepared_statements_cache_size", "prepared_statements_cache_size_mb", "MiB", func(c *Config) *int64 { return &c.PreparedStatementsBytes }),
}

// find returns the setting of a name and whether it was the old one.
func find(name string) (s *setting, old bool) {
	for i := range settings {
		if settings[i].name == name {
			return &settings[i], false
		}
		if settings[i].old == name && name != "" {
			return &settings[i], true
		}
	}
	return nil, false
}

// Set sets one honoured setting from text, as an environment variable or a flag gives it; ok is false for another name.
func (c *Config) Set(name, value string) (ok bool, err error) {
	s, old := find(name)
	if s == nil {
		return false, nil
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: value}
	if name == "data_file_directories" {
		n = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{n}}
	}
	if err := s.set(c, n, old); err != nil {
		return true, fmt.Errorf("%s: %w", name, err)
	}
	c.Given[s.name] = value
	return true, nil
}

// accept takes a setting whose part of the server is not there: a folder for files that are not written yet, or seeds, of
// which one node needs none.
func accept(*Config, *yaml.Node, bool) error { return nil }

func scalar(v *yaml.Node) (string, error) {
	if v.Kind != yaml.ScalarNode {
		return "", fmt.Errorf("expected a value, not a list or map")
	}
	return v.Value, nil
}

func truth(name string, at func(*Config) *bool) setting {
	return setting{name: name, set: func(c *Config, v *yaml.Node, _ bool) (err error) {
		*at(c), err = strconv.ParseBool(v.Value)
		return err
	}}
}

func text(name string, at func(*Config) *string) setting {
	return setting{name: name, set: func(c *Config, v *yaml.Node, _ bool) error {
		s, err := scalar(v)
		if err == nil && s != "" {
			*at(c) = s
		}
		return err
	}}
}

func number(name string, at func(*Config) *int) setting {
	return setting{name: name, set: func(c *Config, v *yaml.Node, _ bool) error {
		n, err := strconv.Atoi(v.Value)
		if err != nil {
			return fmt.Errorf("expected a whole number, not %q", v.Value)
		}
		*at(c) = n
		return nil
	}}
}

// choice takes one of words, bare or behind prefix, and keeps it with prefix.
func choice(name string, at func(*Config) *string, prefix string, words ...string) setting {
	return setting{name: name, set: func(c *Config, v *yaml.Node, _ bool) error {
		w := strings.TrimPrefix(v.Value, prefix)
		if !slices.Contains(words, w) {
			return fmt.Errorf("expected one of %s, not %q", strings.Join(words, ", "), v.Value)
		}
		*at(c) = prefix + w
		return nil
	}}
}

// class takes the name of one of Cassandra's classes, plain or as {class_name: ..., parameters: ...}. Another one than those
// supported is refused: it would be a hole to run without an authenticator that was asked for.
func class(name string, at func(*Config) *string, supported ...string) setting {
	return setting{name: name, set: func(c *Config, v *yaml.Node, _ bool) error {
		s := v.Value
		for i := 0; i+1 < len(v.Content); i += 2 {
			if v.Content[i].Value == "class_name" {
				s = v.Content[i+1].Value
			}
		}
		s = short(s)
		if !slices.Contains(supported, s) {
			return fmt.Errorf("%q is not supported; supported: %s", s, strings.Join(supported, ", "))
		}
		if at != nil {
			*at(c) = s
		}
		return nil
	}}
}

// short returns the last part of a class name.
func short(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }

func duration(name, old string, at func(*Config) *time.Duration) setting {
	return setting{name: name, old: old, unit: "ms", set: func(c *Config, v *yaml.Node, isOld bool) error {
		text := v.Value
		if isOld {
			text = strings.TrimSuffix(text, ".0") + "ms"
		}
		d, err := parseDuration(text)
		if err == nil {
			*at(c) = d
		}
		return err
	}}
}

func size(name, old, unit string, at func(*Config) *int64) setting {
	return setting{name: name, old: old, unit: unit, set: func(c *Config, v *yaml.Node, isOld bool) error {
		text := v.Value
		if isOld {
			text += unit
		}
		n, err := parseSize(text)
		if err == nil {
			*at(c) = n
		}
		return err
	}}
}

// rate takes a number of bytes a second. Source: org.apache.cassandra.config.DataRateSpec.
func rate(name, old, unit string, at func(*Config) *int64) setting {
	return setting{name: name, old: old, unit: unit, set: func(c *Config, v *yaml.Node, isOld bool) error {
		text := v.Value
		if isOld {
			text += unit
		}
		n, err := parseUnit(text, rateUnits, "a rate such as 64MiB/s")
		if err == nil {
			*at(c) = n
		}
		return err
	}}
}

// units of DurationSpec, DataStorageSpec and DataRateSpec; case matters and there are no fractions.
var (
	timeUnits = []unit{
		{"ns", 1}, {"us", int64(time.Microsecond)}, {"µs", int64(time.Microsecond)}, {"ms", int64(time.Millisecond)},
		{"s", int64(time.Second)}, {"m", int64(time.Minute)}, {"h", int64(time.Hour)}, {"d", 24 * int64(time.Hour)},
	}
	sizeUnits = []unit{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}}
	rateUnits = []unit{{"B/s", 1}, {"KiB/s", 1 << 10}, {"MiB/s", 1 << 20}}
)

type unit struct {
	name   string
	factor int64
}

func parseDuration(s string) (time.Duration, error) {
	n, err := parseUnit(s, timeUnits, "a duration such as 10s or 500ms")
	return time.Duration(n), err
}

func parseSize(s string) (int64, error) { return parseUnit(s, sizeUnits, "a size such as 32MiB") }

func parseUnit(s string, units []unit, want string) (int64, error) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	for _, u := range units {
		if i > 0 && s[i:] == u.name {
			n, err := strconv.ParseInt(s[:i], 10, 64)
			if err != nil || n > (1<<63-1)/u.factor {
				return 0, fmt.Errorf("%q is out of range", s)
			}
			return n * u.factor, nil
		}
	}
	return 0, fmt.Errorf("expected %s, not %q", want, s)
}
