package compaction

import (
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql/schema"
)

// options are a table's compaction options with the defaults filled in.
// Source: the fromOptions and constructors of org.apache.cassandra.db.compaction.*Options and unified.Controller, 5.0.
type options struct {
	class   string
	enabled bool

	minThreshold, maxThreshold int

	tombstoneThreshold float64
	tombstoneInterval  int64 // seconds
	uncheckedTombstone bool
	// tombstonesAsked says that one of the options of tombstone compactions was given.
	tombstonesAsked bool
	onlyRepaired    bool
	provide         Provide

	bucketLow, bucketHigh float64
	minSize               int64 // bytes

	tableSize     int64 // bytes
	fanout        int
	singleUplevel bool

	windowSeconds  int64
	ticksPerSecond int64 // of timestamps
	expiredEvery   int64 // seconds
	baseSeconds    int64
	maxWindow      int64 // seconds
	maxAgeTicks    int64 // of timestamps, 0 for none
	scaling        []int
	targetSize     int64
	shardMinSize   int64
	baseShards     int64
	growth         float64
	maxInputs      int
	flushSize      int64
	overlapChoice  string
}

// AutoCompaction reports whether the table's options leave background compaction on.
func AutoCompaction(t *schema.Table) bool { return parseOptions(t.Options.Compaction).enabled }

// Thresholds returns min_threshold and max_threshold of a table.
func Thresholds(t *schema.Table) (low, high int) {
	o := parseOptions(t.Options.Compaction)
	return o.minThreshold, o.maxThreshold
}

func parseOptions(m map[string]string) *options {
	r := values(m)
	o := &options{
		class:   m["class"][strings.LastIndexByte(m["class"], '.')+1:],
		enabled: r.flag("enabled", true),

		minThreshold: int(r.number("min_threshold", 4)),
		maxThreshold: int(r.number("max_threshold", 32)),

		tombstoneThreshold: r.float("tombstone_threshold", 0.2),
		tombstoneInterval:  r.number("tombstone_compaction_interval", 86400),
		uncheckedTombstone: r.flag("unchecked_tombstone_compaction", false),
		onlyRepaired:       r.flag("only_purge_repaired_tombstones", false),

		bucketLow:  r.float("bucket_low", 0.5),
		bucketHigh: r.float("bucket_high", 1.5),
		minSize:    r.number("min_sstable_size", 50<<20),

		tableSize:     r.number("sstable_size_in_mb", 160) << 20,
		fanout:        int(r.number("fanout_size", 10)),
		singleUplevel: r.flag("single_sstable_uplevel", false),

		ticksPerSecond: ticks(m["timestamp_resolution"]),
		expiredEvery:   r.number("expired_sstable_check_frequency_seconds", 600),
		windowSeconds:  r.number("compaction_window_size", 1) * unitSeconds(m["compaction_window_unit"]),
		baseSeconds:    r.number("base_time_seconds", 60),
		maxWindow:      r.number("max_window_size_seconds", 86400),

		targetSize:    r.bytes("target_sstable_size", 1<<30),
		shardMinSize:  r.bytes("min_sstable_size", 100<<20),
		baseShards:    r.number("base_shard_count", 4),
		growth:        r.share("sstable_growth", 0.333),
		maxInputs:     int(r.number("max_sstables_to_compact", 0)),
		flushSize:     r.bytes("flush_size_override", 0),
		overlapChoice: strings.ToUpper(m["overlap_inclusion_method"]),
	}
	for _, k := range []string{"tombstone_threshold", "tombstone_compaction_interval", "unchecked_tombstone_compaction"} {
		if _, ok := m[k]; ok {
			o.tombstonesAsked = true
		}
	}
	switch strings.ToUpper(m["provide_overlapping_tombstones"]) {
	case "ROW":
		o.provide = ProvideRow
	case "CELL":
		o.provide = ProvideCell
	}
	if days := r.float("max_sstable_age_days", 365000); days > 0 {
		o.maxAgeTicks = int64(days * 86400 * float64(o.ticksPerSecond))
	}
	if o.maxInputs <= 0 {
		o.maxInputs = 1<<31 - 1
	}
	if o.ticksPerSecond == 0 {
		o.ticksPerSecond = 1
	}
	o.scaling = scaling(m["scaling_parameters"])
	return o
}

// scaling reads scaling_parameters: Tf is f-2, Lf is 2-f, N is 0. Source: UnifiedCompactionStrategy.parseScalingParameter.
func scaling(s string) []int {
	var out []int
	for p := range strings.SplitSeq(s, ",") {
		p = strings.TrimSpace(p)
		switch {
		case p == "":
		case p == "N":
			out = append(out, 0)
		case p[0] == 'T' || p[0] == 'L':
			f, err := strconv.Atoi(p[1:])
			if err != nil {
				continue
			}
			if p[0] == 'T' {
				out = append(out, f-2)
			} else {
				out = append(out, 2-f)
			}
		default:
			if w, err := strconv.Atoi(p); err == nil {
				out = append(out, w)
			}
		}
	}
	if len(out) == 0 {
		return []int{2}
	}
	return out
}

// unitSeconds returns the seconds of compaction_window_unit.
func unitSeconds(unit string) int64 {
	switch strings.ToUpper(unit) {
	case "MINUTES":
		return 60
	case "HOURS":
		return 3600
	}
	return 86400
}

// ticks returns how many units of timestamp_resolution make a second; 0 for those that are longer than one.
func ticks(unit string) int64 {
	switch strings.ToUpper(unit) {
	case "NANOSECONDS":
		return 1e9
	case "MILLISECONDS":
		return 1e3
	case "SECONDS":
		return 1
	case "MINUTES", "HOURS", "DAYS":
		return 0
	}
	return 1e6
}

// values reads options by name; what is missing or cannot be read is the default.
type values map[string]string

func (m values) number(name string, def int64) int64 {
	if n, err := strconv.ParseInt(m[name], 10, 64); err == nil {
		return n
	}
	return def
}

func (m values) float(name string, def float64) float64 {
	if f, err := strconv.ParseFloat(m[name], 64); err == nil {
		return f
	}
	return def
}

func (m values) flag(name string, def bool) bool {
	if v, ok := m[name]; ok {
		return strings.EqualFold(v, "true")
	}
	return def
}

// share reads a number between 0 and 1 that may be in percent.
func (m values) share(name string, def float64) float64 {
	v, percent := strings.CutSuffix(m[name], "%")
	f, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return def
	}
	if percent {
		f /= 100
	}
	return f
}

// bytes reads a size such as "100MiB" or "1.5 GB"; "auto", and sizes of the strategies that count in plain bytes, stand for
// the default.
func (m values) bytes(name string, def int64) int64 {
	v, ok := strings.CutSuffix(strings.ReplaceAll(m[name], " ", ""), "B")
	if !ok {
		return def
	}
	base := 1000.0
	if s, ok := strings.CutSuffix(v, "i"); ok {
		v, base = s, 1024
	}
	scale := 1.0
	if v != "" {
		if i := strings.IndexByte("KMGTPE", strings.ToUpper(v)[len(v)-1]); i >= 0 {
			for range i + 1 {
				scale *= base
			}
			v = v[:len(v)-1]
		}
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return def
	}
	return int64(f * scale)
}
