package schema

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

const compactionPackage = "org.apache.cassandra.db.compaction."

// The sub-options of compaction that strategies know: of all, and of each class beside them.
const (
	commonCompaction = " class enabled tombstone_threshold tombstone_compaction_interval unchecked_tombstone_compaction " +
		"only_purge_repaired_tombstones log_all provide_overlapping_tombstones "
	sizeTiered = " min_threshold max_threshold min_sstable_size bucket_low bucket_high "
	leveled    = " sstable_size_in_mb fanout_size single_sstable_uplevel "
	timeWindow = " compaction_window_unit compaction_window_size timestamp_resolution expired_sstable_check_frequency_seconds " +
		"unsafe_aggressive_sstable_expiration "
	unified = " scaling_parameters target_sstable_size min_sstable_size base_shard_count sstable_growth max_sstables_to_compact " +
		"overlap_inclusion_method flush_size_override expired_sstable_check_frequency_seconds " +
		"unsafe_aggressive_sstable_expiration parallelize_output_shards "
)

var compactions = map[string]string{
	compactionPackage + "SizeTieredCompactionStrategy": commonCompaction + sizeTiered,
	compactionPackage + "LeveledCompactionStrategy":    commonCompaction + sizeTiered + leveled,
	compactionPackage + "TimeWindowCompactionStrategy": commonCompaction + sizeTiered + timeWindow,
	compactionPackage + "UnifiedCompactionStrategy":    commonCompaction + unified,
}

// parseCompaction normalises compaction: the class in full and the thresholds filled in.
// Source: org.apache.cassandra.schema.CompactionParams.fromMap.
func parseCompaction(given map[string]string) (map[string]string, error) {
	class, ok := given["class"]
	if !ok {
		return nil, cql.Configf("Missing sub-option 'class' for the 'compaction' option")
	}
	if !strings.Contains(class, ".") {
		class = compactionPackage + class
	}
	if compactions[class] == "" {
		if strings.HasPrefix(class, "java.lang.") {
			return nil, cql.Configf("Compaction strategy class %s is not derived from AbstractReplicationStrategy", class)
		}
		return nil, cql.Configf("Unable to find compaction strategy class '%s'", class)
	}
	m := maps.Clone(given)
	m["class"] = class
	if v, ok := m["provide_overlapping_tombstones"]; ok {
		if upper := strings.ToUpper(v); !listed(" NONE ROW CELL ", upper) {
			return nil, cql.Configf("Invalid value %s for 'provide_overlapping_tombstones' compaction sub-option - "+
				"must be one of the following [NONE, ROW, CELL].", upper)
		}
	}
	if !strings.HasSuffix(class, "UnifiedCompactionStrategy") {
		for k, v := range map[string]string{"max_threshold": "32", "min_threshold": "4"} {
			if _, ok := m[k]; !ok {
				m[k] = v
			}
		}
	}
	return m, nil
}

// checkCompaction checks the sub-options in the order in which Cassandra does. Source: CompactionParams.validate and the
// validateOptions of the strategies.
func checkCompaction(m map[string]string) error {
	c := &suboptions{m: m}
	c.double("tombstone_threshold", "x is not a parsable int (base10) for tombstone_threshold", func(f float64, _ string) string {
		return refuseIf(f < 0, "tombstone_threshold must be greater than 0, but was %f", f)
	})
	c.int("tombstone_compaction_interval", func(n int64) string {
		return refuseIf(n < 0, "tombstone_compaction_interval must be greater than 0, but was %d", n)
	})
	c.bool("unchecked_tombstone_compaction", "'unchecked_tombstone_compaction' should be either 'true' or 'false', not '%s'")
	c.bool("log_all", "'log_all' should either be 'true' or 'false', not %s")
	c.bool("enabled", "enabled should either be 'true' or 'false', not %s")
	name := strings.TrimPrefix(m["class"], compactionPackage)
	switch name {
	case "LeveledCompactionStrategy":
		c.leveled()
		c.sizeTiered()
	case "TimeWindowCompactionStrategy":
		c.timeWindow()
		c.sizeTiered()
	case "UnifiedCompactionStrategy":
		c.unified()
	default:
		c.sizeTiered()
	}
	if c.err != nil {
		return c.err
	}
	var unknown []string
	for _, k := range sortedKeys(m) {
		if !listed(compactions[m["class"]], k) {
			unknown = append(unknown, k)
		}
	}
	if len(unknown) > 0 {
		return cql.Configf("Properties specified %s are not understood by %s", list(unknown), name)
	}
	return checkThresholds(m)
}

func checkThresholds(m map[string]string) error {
	limits := [2]int32{4, 32}
	for i, k := range []string{"min_threshold", "max_threshold"} {
		v, ok := m[k]
		if !ok {
			continue
		}
		n, ok := javaInt(v)
		if !ok || n < 0 {
			return cql.Configf("Invalid value %s for '%s' compaction sub-option - must be an integer", v, k)
		}
		limits[i] = n
	}
	switch {
	case limits[0] <= 0 || limits[1] <= 0:
		return cql.Configf("Disabling compaction by setting compaction thresholds to 0 has been removed, " +
			"set the compaction option 'enabled' to false instead.")
	case limits[0] <= 1:
		return cql.Configf("Min compaction threshold cannot be less than 2 (got %d)", limits[0])
	case limits[0] > limits[1]:
		return cql.Configf("Min compaction threshold (got %d) cannot be greater than max compaction threshold (got %d)",
			limits[0], limits[1])
	}
	return nil
}

// suboptions checks one value after the other and keeps the first error.
type suboptions struct {
	m   map[string]string
	err error
}

// refuseIf returns the text when bad is true, else "".
func refuseIf(bad bool, format string, args ...any) string {
	if !bad {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

func (c *suboptions) fail(text string) {
	if c.err == nil && text != "" {
		c.err = cql.Configf("%s", text)
	}
}

func (c *suboptions) int(name string, check func(int64) string) {
	v, ok := c.m[name]
	if !ok {
		return
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		c.fail(v + " is not a parsable int (base10) for " + name)
		return
	}
	c.fail(check(n))
}

// double reads a number; unparsable is the text for what is none, in which x stands for the value.
func (c *suboptions) double(name, unparsable string, check func(float64, string) string) {
	v, ok := c.m[name]
	if !ok {
		return
	}
	f, ok := javaDouble(v)
	if !ok {
		c.fail(strings.Replace(unparsable, "x", v, 1))
		return
	}
	c.fail(check(f, v))
}

func (c *suboptions) bool(name, format string) {
	if v, ok := c.m[name]; ok && !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") {
		c.fail(fmt.Sprintf(format, v))
	}
}

func (c *suboptions) oneOf(name, values string) {
	if v, ok := c.m[name]; ok && !listed(values, v) {
		c.fail(v + " is not valid for " + name)
	}
}

// sizeTiered: SizeTieredCompactionStrategyOptions.validateOptions.
func (c *suboptions) sizeTiered() {
	bounds := [2]float64{0.5, 1.5}
	for i, name := range []string{"bucket_low", "bucket_high"} {
		c.double(name, "x is not a parsable float for "+name, func(f float64, _ string) string {
			bounds[i] = f
			return ""
		})
	}
	c.fail(refuseIf(bounds[1] <= bounds[0], "bucket_high value (%s) is less than or equal to the bucket_low value (%s)",
		formatDouble(bounds[1]), formatDouble(bounds[0])))
	c.int("min_sstable_size", func(n int64) string { return refuseIf(n < 0, "min_sstable_size must be non negative: %d", n) })
}

// leveled: LeveledCompactionStrategy.validateOptions; its text for a bad fanout_size names the size instead.
func (c *suboptions) leveled() {
	size := "1"
	c.int("sstable_size_in_mb", func(n int64) string {
		size = strconv.FormatInt(n, 10)
		return refuseIf(n < 1, "sstable_size_in_mb must be larger than 0, but was %d", n)
	})
	if v, ok := c.m["fanout_size"]; ok {
		if _, ok := javaInt(v); !ok {
			c.fail(size + " is not a parsable int (base10) for fanout_size")
		}
	}
	c.int("fanout_size", func(n int64) string { return refuseIf(n < 1, "fanout_size must be larger than 0, but was %d", n) })
}

// timeWindow: TimeWindowCompactionStrategyOptions.validateOptions.
func (c *suboptions) timeWindow() {
	c.oneOf("timestamp_resolution", " DAYS HOURS MINUTES SECONDS MILLISECONDS MICROSECONDS NANOSECONDS ")
	c.oneOf("compaction_window_unit", " MINUTES HOURS DAYS ")
	c.int("compaction_window_size", func(n int64) string {
		return refuseIf(n < 1, "%d must be greater than 1 for compaction_window_size", n)
	})
	c.int("expired_sstable_check_frequency_seconds", func(n int64) string {
		return refuseIf(n < 0, "expired_sstable_check_frequency_seconds must not be negative, but was %d", n)
	})
	c.bool("unsafe_aggressive_sstable_expiration", "unsafe_aggressive_sstable_expiration is not 'true' or 'false' (%s)")
}

var scalingParameter = regexp.MustCompile(`^(N|L[0-9]+|T[0-9]+|[+-]?[0-9]+)$`)

// unified: org.apache.cassandra.db.compaction.unified.Controller.validateOptions.
func (c *suboptions) unified() {
	if v, ok := c.m["scaling_parameters"]; ok {
		for p := range strings.SplitSeq(v, ",") {
			p = strings.TrimSpace(p)
			if !scalingParameter.MatchString(p) {
				c.fail("Scaling parameter " + p + " must match N|L[0-9]+|T[0-9]+|[+-]?[0-9]+")
			} else if p[0] == 'L' || p[0] == 'T' {
				n, ok := javaInt(p[1:])
				c.fail(refuseIf(!ok || n < 2, "Fan factor cannot be lower than 2 in %s", p))
			}
		}
	}
	c.int("base_shard_count", func(n int64) string {
		return refuseIf(n <= 0, "Invalid configuration, base_shard_count should be positive: %d", n)
	})
	target := float64(1 << 30)
	if v, ok := c.m["target_sstable_size"]; ok {
		n, why := humanBytes(v)
		c.fail(refuseIf(why != "", "target_sstable_size %s is not a valid size in bytes: %s", v, why))
		c.fail(refuseIf(n < 1<<20, "target_sstable_size %s is not acceptable, size must be at least 1.000MiB", v))
		target = n
	}
	if v, ok := c.m["flush_size_override"]; ok {
		n, why := humanBytes(v)
		c.fail(refuseIf(why != "", "flush_size_override %s is not a valid size in bytes: %s", v, why))
		c.fail(refuseIf(n < 1<<20, "flush_size_override %s is not acceptable, size must be at least 1.000MiB", v))
	}
	c.int("max_sstables_to_compact", func(int64) string { return "" })
	c.int("expired_sstable_check_frequency_seconds", func(n int64) string {
		return refuseIf(n <= 0, "Invalid configuration, expired_sstable_check_frequency_seconds should be positive: %d", n)
	})
	c.bool("unsafe_aggressive_sstable_expiration", "unsafe_aggressive_sstable_expiration should either be 'true' or 'false', not %s")
	if v, ok := c.m["overlap_inclusion_method"]; ok && !listed(" NONE SINGLE TRANSITIVE ", strings.ToUpper(v)) {
		c.fail("Invalid overlap inclusion method " + v + ". The valid options are [NONE, SINGLE, TRANSITIVE].")
	}
	if v, ok := c.m["min_sstable_size"]; ok && !strings.EqualFold(v, "auto") {
		n, why := humanBytes(v)
		c.fail(refuseIf(why != "", "%s is not a valid size in bytes for min_sstable_size", v))
		c.fail(refuseIf(n >= target*0.7,
			"Invalid configuration, min_sstable_size (%s) should be less than 70%% of the targetSSTableSize (%s)",
			prettyBytes(n), prettyBytes(target)))
	}
	if v, ok := c.m["sstable_growth"]; ok {
		number, percent := strings.CutSuffix(v, "%")
		f, ok := javaDouble(number)
		if percent {
			f /= 100
		}
		c.fail(refuseIf(!ok, `sstable_growth is not a valid number between 0 and 1: For input string: "%s"`, v))
		c.fail(refuseIf(f < 0 || f > 1, "sstable_growth %s must be between 0 and 1", v))
	}
}

// humanBytes reads sizes such as "100 MiB"; why says what is wrong. Source: FBUtilities.parseHumanReadable.
func humanBytes(s string) (n float64, why string) {
	number, ok := strings.CutSuffix(s, "B")
	if !ok {
		return 0, s + " does not end in unit B"
	}
	number, binary := strings.CutSuffix(number, "i")
	scale := 1.0
	if number != "" {
		if i := strings.IndexByte("kMGTPE", number[len(number)-1]); i >= 0 || binary && strings.HasSuffix(number, "K") {
			base := 1000.0
			if binary {
				base = 1024
			}
			for range max(i, 0) + 1 {
				scale *= base
			}
			number = number[:len(number)-1]
		}
	}
	f, ok := javaDouble(number)
	if !ok {
		return 0, s + " is not a valid number"
	}
	return f * scale, ""
}

// prettyBytes prints a size as FBUtilities.prettyPrintMemory does.
func prettyBytes(n float64) string {
	for i, unit := range []string{"EiB", "PiB", "TiB", "GiB", "MiB", "KiB"} {
		if scale := float64(uint64(1) << (60 - 10*i)); n >= scale {
			return fmt.Sprintf("%.3f%s", n/scale, unit)
		}
	}
	return fmt.Sprintf("%.0fB", n)
}
