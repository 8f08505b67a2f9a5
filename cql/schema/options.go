package schema

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// tableOptions are the properties of CREATE and ALTER TABLE.
const tableOptions = " additional_write_policy allow_auto_snapshot bloom_filter_fp_chance caching cdc comment compaction " +
	"compression crc_check_chance default_time_to_live extensions gc_grace_seconds id incremental_backups max_index_interval " +
	"memtable memtable_flush_period_in_ms min_index_interval read_repair speculative_retry "

const (
	maxTTL = 20 * 365 * 24 * 60 * 60 // seconds
	// minBloomFilterFPChance is the lowest chance that the filters can reach.
	// Source: BloomCalculations.minSupportedBloomFilterFpChance.
	minBloomFilterFPChance = 6.71e-5
)

// DefaultOptions returns the options of a table that was made without any. The caller owns the result.
// Source: org.apache.cassandra.schema.TableParams.
func DefaultOptions() Options {
	return Options{
		BloomFilterFPChance: 0.01,
		Caching:             map[string]string{"keys": "ALL", "rows_per_partition": "NONE"},
		Compaction: map[string]string{
			"class": compactionPackage + "SizeTieredCompactionStrategy", "max_threshold": "32", "min_threshold": "4",
		},
		Compression:           map[string]string{"chunk_length_in_kb": "16", "class": compressPackage + "LZ4Compressor"},
		CRCCheckChance:        1,
		GCGraceSeconds:        10 * 24 * 60 * 60,
		MaxIndexInterval:      2048,
		MinIndexInterval:      128,
		SpeculativeRetry:      "99p",
		AdditionalWritePolicy: "99p",
		ReadRepair:            "BLOCKING",
	}
}

// setOptions reads p over o, which has the defaults or the table's old options; created says that it is the former.
// Source: org.apache.cassandra.cql3.statements.schema.TableAttributes.build.
func setOptions(env *Env, p properties, o *Options, created bool) error {
	var err error
	check := func(e error) {
		if err == nil {
			err = e
		}
	}
	text := func(name string, dst *string, parse func(string) (string, error)) {
		v, ok, e := p.text(name)
		if ok && e == nil {
			var s string
			if s, e = parse(v); e == nil {
				*dst = s
			}
		}
		check(e)
	}
	mapped := func(name string, dst *map[string]string, parse func(map[string]string) (map[string]string, error)) {
		m, e := p.mapOf(name)
		if m != nil && e == nil {
			var s map[string]string
			if s, e = parse(m); e == nil {
				*dst = s
			}
		}
		check(e)
	}
	flag := func(name string, dst **bool) {
		b, e := p.bool(name)
		if b != nil {
			*dst = b
		}
		check(e)
	}
	asGiven := func(s string) (string, error) { return s, nil }

	flag("allow_auto_snapshot", &o.AllowAutoSnapshot)
	check(p.double("bloom_filter_fp_chance", &o.BloomFilterFPChance))
	mapped("caching", &o.Caching, parseCaching)
	text("comment", &o.Comment, asGiven)
	mapped("compaction", &o.Compaction, parseCompaction)
	if created && !p.has("bloom_filter_fp_chance") && o.Compaction["class"] == compactionPackage+"LeveledCompactionStrategy" {
		o.BloomFilterFPChance = 0.1
	}
	mapped("compression", &o.Compression, parseCompression)
	text("memtable", &o.Memtable, func(s string) (string, error) { return parseMemtable(env, s) })
	check(p.int("default_time_to_live", &o.DefaultTTL))
	check(p.int("gc_grace_seconds", &o.GCGraceSeconds))
	flag("incremental_backups", &o.IncrementalBackups)
	check(p.int("max_index_interval", &o.MaxIndexInterval))
	check(p.int("memtable_flush_period_in_ms", &o.MemtableFlushPeriodMs))
	check(p.int("min_index_interval", &o.MinIndexInterval))
	text("speculative_retry", &o.SpeculativeRetry, parseRetry)
	text("additional_write_policy", &o.AdditionalWritePolicy, parseRetry)
	check(p.double("crc_check_chance", &o.CRCCheckChance))
	flag("cdc", &o.CDC)
	text("read_repair", &o.ReadRepair, parseReadRepair)
	return err
}

// validate checks the values that setOptions has only read. Source: org.apache.cassandra.schema.TableParams.validate.
func (o *Options) validate() error {
	if err := checkCompaction(o.Compaction); err != nil {
		return err
	}
	switch {
	case o.BloomFilterFPChance <= minBloomFilterFPChance || o.BloomFilterFPChance > 1:
		return cql.Configf("bloom_filter_fp_chance must be larger than 6.71E-5 and less than or equal to 1.0 (got %s)",
			formatDouble(o.BloomFilterFPChance))
	case o.CRCCheckChance < 0 || o.CRCCheckChance > 1:
		return cql.Configf("crc_check_chance must be larger than or equal to 0 and smaller than or equal to 1.0 (got %s)",
			formatDouble(o.CRCCheckChance))
	case o.DefaultTTL < 0:
		return atLeast("default_time_to_live", "0", o.DefaultTTL)
	case o.DefaultTTL > maxTTL:
		return cql.Configf("default_time_to_live must be less than or equal to %d (got %d)", maxTTL, o.DefaultTTL)
	case o.GCGraceSeconds < 0:
		return atLeast("gc_grace_seconds", "0", o.GCGraceSeconds)
	case o.MinIndexInterval < 1:
		return atLeast("min_index_interval", "1", o.MinIndexInterval)
	case o.MaxIndexInterval < o.MinIndexInterval:
		return atLeast("max_index_interval", "min_index_interval ("+strconv.Itoa(int(o.MinIndexInterval))+")", o.MaxIndexInterval)
	case o.MemtableFlushPeriodMs < 0:
		return atLeast("memtable_flush_period_in_ms", "0", o.MemtableFlushPeriodMs)
	}
	return nil
}

func atLeast(name, bound string, got int32) error {
	return cql.Configf("%s must be greater than or equal to %s (got %d)", name, bound, got)
}

// equal reports whether o and p are the same options; a flag that was not given equals its default.
func (o *Options) equal(p *Options) bool {
	a, b := *o, *p
	same := maps.Equal(a.Caching, b.Caching) && maps.Equal(a.Compaction, b.Compaction) && maps.Equal(a.Compression, b.Compression) &&
		maps.EqualFunc(a.Extensions, b.Extensions, bytes.Equal) &&
		isTrue(a.CDC) == isTrue(b.CDC) && isFalse(a.AllowAutoSnapshot) == isFalse(b.AllowAutoSnapshot) &&
		isFalse(a.IncrementalBackups) == isFalse(b.IncrementalBackups)
	return same && a.Comment == b.Comment && a.BloomFilterFPChance == b.BloomFilterFPChance && a.Memtable == b.Memtable &&
		a.CRCCheckChance == b.CRCCheckChance && a.DefaultTTL == b.DefaultTTL && a.GCGraceSeconds == b.GCGraceSeconds &&
		a.MaxIndexInterval == b.MaxIndexInterval && a.MinIndexInterval == b.MinIndexInterval &&
		a.MemtableFlushPeriodMs == b.MemtableFlushPeriodMs && a.SpeculativeRetry == b.SpeculativeRetry &&
		a.AdditionalWritePolicy == b.AdditionalWritePolicy && a.ReadRepair == b.ReadRepair
}

func isTrue(b *bool) bool  { return b != nil && *b }
func isFalse(b *bool) bool { return b != nil && !*b }

// parseMemtable checks the name of a memtable configuration; the default one is stored as "".
func parseMemtable(env *Env, name string) (string, error) {
	if name == "default" {
		return "", nil
	}
	if !slices.Contains(env.Memtables, name) {
		return "", cql.Configf(`Memtable configuration "%s" not found.`, name)
	}
	return name, nil
}

func parseReadRepair(v string) (string, error) {
	switch upper := strings.ToUpper(v); upper {
	case "NONE", "BLOCKING":
		return upper, nil
	default:
		return "", cql.Serverf("java.lang.IllegalArgumentException: No enum constant "+
			"org.apache.cassandra.service.reads.repair.ReadRepairStrategy.%s", upper)
	}
}

// parseCaching normalises caching. Source: org.apache.cassandra.schema.CachingParams.fromMap.
func parseCaching(m map[string]string) (map[string]string, error) {
	var unknown []string
	for _, k := range sortedKeys(m) {
		if k != "keys" && k != "rows_per_partition" {
			unknown = append(unknown, k)
		}
	}
	if len(unknown) > 0 {
		return nil, cql.Configf("Invalid caching sub-options %s: only 'keys' and 'rows_per_partition' are allowed", list(unknown))
	}
	r := map[string]string{"keys": "NONE", "rows_per_partition": "NONE"}
	if v, ok := m["keys"]; ok {
		upper := strings.ToUpper(v)
		if upper != "ALL" && upper != "NONE" {
			return nil, cql.Configf("Invalid value '%s' for caching sub-option 'keys': only 'ALL' and 'NONE' are allowed", v)
		}
		r["keys"] = upper
	}
	if v, ok := m["rows_per_partition"]; ok {
		upper := strings.ToUpper(v)
		if upper != "ALL" && upper != "NONE" {
			n, ok := javaInt(v)
			if !ok || strings.ContainsAny(v, "+-") {
				return nil, cql.Configf("Invalid value '%s' for caching sub-option 'rows_per_partition': "+
					"only 'ALL', 'NONE', and integer values are allowed", v)
			}
			upper = strconv.Itoa(int(n))
		}
		r["rows_per_partition"] = upper
	}
	return r, nil
}
