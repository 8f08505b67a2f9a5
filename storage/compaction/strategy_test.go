package compaction

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
)

const (
	mib = 1 << 20
	day = 86400
	now = 1_800_000_000 // seconds
)

// key is the key of a test whose token is n parts of a thousand of the ring.
func key(n float64) Key {
	return Key{Token: token.Token{Prefix: uint64(n / 1000 * math.MaxUint64)}, Bytes: []byte{1}}
}

// tb makes a table of a size in MiB that covers the ring between two parts of a thousand.
func tb(id int, sizeMiB float64, from, to float64, edit ...func(*Table)) *Table {
	t := &Table{
		ID: fmt.Sprintf("nb-%d-big", id), Size: int64(sizeMiB * mib), First: key(from), Last: key(to),
		CreationMs: int64(id), MinTimestamp: int64(id), MaxTimestamp: int64(id), MinLocal: row.NoLocal, MaxLocal: row.NoLocal,
		Keys: 1000, MeanCells: 1,
	}
	for _, f := range edit {
		f(t)
	}
	return t
}

func level(n int) func(*Table)   { return func(t *Table) { t.Level = n } }
func hot(h float64) func(*Table) { return func(t *Table) { t.Hotness = h } }
func suspect(t *Table)           { t.Suspect = true }
func repaired(t *Table)          { t.RepairedAt = 1 }
func times(low, high int64) func(*Table) {
	return func(t *Table) { t.MinTimestamp, t.MaxTimestamp = low, high }
}
func tombstones(n int64, at int64) func(*Table) {
	return func(t *Table) { t.DropTimes = []sstable.DropTime{{Second: float64(at), Count: n}} }
}
func expiredAt(at int64) func(*Table) { return func(t *Table) { t.MinLocal, t.MaxLocal = at, at } }

// with returns a table of the schema with compaction options given as "class k=v k=v".
func with(opts string) *schema.Table {
	f := strings.Fields(opts)
	m := map[string]string{"class": "org.apache.cassandra.db.compaction." + f[0] + "CompactionStrategy"}
	for _, kv := range f[1:] {
		k, v, _ := strings.Cut(kv, "=")
		m[k] = v
	}
	return &schema.Table{Name: "t", Options: schema.Options{Compaction: m}}
}

func view(tables ...*Table) *View {
	return &View{
		Now: now, GCBefore: now - 10*day, Tables: tables, All: tables, Running: map[string]bool{}, MemtableMin: math.MaxInt64,
		Rand: rand.New(rand.NewPCG(1, 1)),
	}
}

// ids prints the numbers of tables in order.
func ids(tables []*Table) string {
	sorted := slices.Clone(tables)
	slices.SortFunc(sorted, compareIDs)
	var out []string
	for _, t := range sorted {
		out = append(out, strings.TrimSuffix(strings.TrimPrefix(t.ID, "nb-"), "-big"))
	}
	return strings.Join(out, " ")
}

// told prints a task: its kind, inputs, level and, after a dash, what is dropped unread.
func told(t *Task) string {
	if t == nil {
		return "nothing"
	}
	s := fmt.Sprintf("%s [%s] L%d", t.Kind.Name(), ids(t.Inputs), t.Level)
	if len(t.Expired) > 0 {
		s += " -" + ids(t.Expired)
	}
	return s
}

// many returns n equal tables from id on.
func many(id, n int, sizeMiB float64, edit ...func(*Table)) []*Table {
	var out []*Table
	for i := range n {
		out = append(out, tb(id+i, sizeMiB, 0, 1000, edit...))
	}
	return out
}

func join(sets ...[]*Table) []*Table { return slices.Concat(sets...) }

// TestNext holds what each strategy picks, rule by rule of storage.md 6.
func TestNext(t *testing.T) {
	old := int64(now - 20*day)
	window := func(days int) func(*Table) { // written days ago
		return times((now-int64(days)*day)*1e6, (now-int64(days)*day)*1e6)
	}
	for _, c := range []struct {
		name, opts string
		tables     []*Table
		running    string
		want       string
	}{
		{"nothing", "SizeTiered", nil, "", "nothing"},
		{"three are too few", "SizeTiered", many(1, 3, 1), "", "nothing"},
		{"four small ones", "SizeTiered", many(1, 4, 1), "", "COMPACTION [1 2 3 4] L0"},
		{"small ones of any size", "SizeTiered", join(many(1, 2, 1), many(3, 2, 49)), "", "COMPACTION [1 2 3 4] L0"},
		{"not small ones", "SizeTiered", join(many(1, 2, 1), many(3, 2, 149)), "", "nothing"},
		{"min_sstable_size", "SizeTiered min_sstable_size=200000000", join(many(1, 2, 1), many(3, 2, 149)), "", "COMPACTION [1 2 3 4] L0"},
		{"within bounds of the average", "SizeTiered", join(many(1, 3, 100), many(4, 1, 149)), "", "COMPACTION [1 2 3 4] L0"},
		{"bucket_high", "SizeTiered bucket_high=1.2", join(many(1, 3, 100), many(4, 1, 149)), "", "nothing"},
		{"just too large", "SizeTiered", join(many(1, 3, 100), many(4, 1, 150)), "", "nothing"},
		{"smaller of two buckets", "SizeTiered", join(many(1, 4, 1000), many(5, 4, 100)), "", "COMPACTION [5 6 7 8] L0"},
		{"hotter of two buckets", "SizeTiered", join(many(1, 4, 1000, hot(1)), many(5, 4, 100)), "", "COMPACTION [1 2 3 4] L0"},
		{"at most max_threshold, the hottest", "SizeTiered max_threshold=4", join(many(1, 3, 100), many(4, 4, 100, hot(1))), "", "COMPACTION [4 5 6 7] L0"},
		{"running and suspect ones", "SizeTiered", join(many(1, 4, 1), many(5, 1, 1, suspect)), "2", "nothing"},
		{"min_threshold", "SizeTiered min_threshold=2", many(1, 2, 1), "", "COMPACTION [1 2] L0"},
		{"the largest for its tombstones", "SizeTiered", join(many(1, 1, 1, tombstones(900, old)), many(2, 1, 90, tombstones(900, old))), "",
			"nothing"},
		{"tombstones, unchecked", "SizeTiered unchecked_tombstone_compaction=true",
			join(many(1, 1, 1, tombstones(900, old)), many(2, 1, 90, tombstones(900, old))), "", "TOMBSTONE_COMPACTION [2] L0"},
		{"tombstones without overlap", "SizeTiered", []*Table{tb(1, 9, 0, 400, tombstones(900, old)), tb(2, 1, 500, 900)}, "", "TOMBSTONE_COMPACTION [1] L0"},
		{"tombstones that are too few", "SizeTiered", []*Table{tb(1, 9, 0, 400, tombstones(200, old))}, "", "nothing"},
		{"tombstones that are too young", "SizeTiered", []*Table{tb(1, 9, 0, 400, tombstones(900, now))}, "", "nothing"},
		{"tombstones in a table that is too young", "SizeTiered", []*Table{tb(1, 9, 0, 400, tombstones(900, old), func(t *Table) { t.CreationMs = now*1000 - 1000 })}, "", "nothing"},
		{"tombstones outside of others, enough", "SizeTiered", []*Table{tb(1, 9, 0, 400, tombstones(900, old)), tb(2, 1, 200, 900)}, "", "TOMBSTONE_COMPACTION [1] L0"},
		{"tombstones outside of others, too few", "SizeTiered", []*Table{tb(1, 9, 0, 400, tombstones(900, old)), tb(2, 1, 50, 900)}, "", "nothing"},
		{"tombstones of repaired data only", "SizeTiered only_purge_repaired_tombstones=true", []*Table{tb(1, 9, 0, 400, tombstones(900, old))}, "", "nothing"},
		{"expired among the inputs", "SizeTiered", join(many(1, 1, 1, expiredAt(old)), many(2, 3, 1)), "", "COMPACTION [1 2 3 4] L0 -1"},
		{"expired above what it hides", "SizeTiered", join(many(1, 3, 1), many(4, 1, 1, expiredAt(old))), "", "COMPACTION [1 2 3 4] L0"},

		{"one table in level 0", "Leveled", many(1, 1, 200), "", "nothing"},
		{"little of level 0 stays there", "Leveled", many(1, 2, 20), "", "COMPACTION [1 2] L0"},
		{"level 0 with what it overlaps", "Leveled", join(many(1, 2, 100), []*Table{tb(3, 160, 0, 100, level(1)), tb(4, 160, 200, 300, level(1))}), "",
			"COMPACTION [1 2 3 4] L1"},
		{"level 0 meets a busy level 1", "Leveled", join(many(1, 2, 100), []*Table{tb(3, 160, 0, 100, level(1))}), "3", "nothing"},
		{"level 0, part of level 1", "Leveled", []*Table{tb(1, 100, 0, 50), tb(2, 100, 20, 90), tb(3, 160, 80, 100, level(1)), tb(4, 160, 200, 300, level(1))}, "",
			"COMPACTION [1 2 3] L1"},
		{"level 0 beside a running one", "Leveled", []*Table{tb(1, 100, 0, 50), tb(2, 100, 20, 90), tb(3, 100, 200, 300), tb(4, 100, 250, 400)}, "1",
			"COMPACTION [3 4] L1"},
		{"a full level goes up", "Leveled", []*Table{tb(1, 1000, 0, 100, level(1)), tb(2, 1000, 200, 300, level(1)), tb(3, 100, 50, 60, level(2)), tb(4, 100, 90, 250, level(2))}, "",
			"COMPACTION [1 3 4] L2"},
		{"from where the last task ended", "Leveled", []*Table{tb(1, 1000, 0, 100, level(1)), tb(2, 1000, 200, 300, level(1)), tb(3, 100, 50, 60, level(2))}, "",
			"COMPACTION [2] L2"},
		{"the highest full level first", "Leveled", []*Table{tb(1, 2000, 0, 100, level(1)), tb(2, 20000, 200, 300, level(2)), tb(3, 100, 250, 260, level(3))}, "",
			"COMPACTION [2 3] L3"},
		{"fanout_size", "Leveled fanout_size=4", []*Table{tb(1, 700, 0, 100, level(1))}, "", "COMPACTION [1] L2"},
		{"sstable_size_in_mb", "Leveled sstable_size_in_mb=10", []*Table{tb(1, 101, 0, 100, level(1))}, "", "COMPACTION [1] L2"},
		{"not quite full", "Leveled sstable_size_in_mb=10", []*Table{tb(1, 100.09, 0, 100, level(1))}, "", "nothing"},
		{"a suspect one of the next level", "Leveled", []*Table{tb(1, 2000, 0, 100, level(1)), tb(3, 1, 50, 60, level(2), suspect)}, "", "nothing"},
		{"too much in level 0: by size first", "Leveled", join(many(1, 33, 1), []*Table{tb(90, 2000, 0, 100, level(1))}), "", "COMPACTION [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32] L0"},
		{"overlap within a level counts for level 0", "Leveled", []*Table{tb(1, 100, 0, 100, level(1)), tb(2, 100, 50, 150, level(1)), tb(3, 100, 0, 60)}, "", "COMPACTION [1 2 3] L1"},
		{"tombstones of the highest level", "Leveled unchecked_tombstone_compaction=true", []*Table{tb(1, 10, 0, 100, level(1), tombstones(900, old)), tb(2, 10, 0, 100, level(2), tombstones(300, old))}, "", "TOMBSTONE_COMPACTION [2] L2"},

		{"the current window, too few", "TimeWindow", many(1, 3, 1, window(0)), "", "nothing"},
		{"the current window", "TimeWindow", many(1, 4, 1, window(0)), "", "COMPACTION [1 2 3 4] L0"},
		{"an older window", "TimeWindow", join(many(1, 1, 1, window(0)), many(2, 2, 1, window(3))), "", "COMPACTION [2 3] L0"},
		{"the newer of older windows", "TimeWindow", join(many(1, 1, 1, window(0)), many(2, 2, 1, window(5)), many(4, 2, 1, window(3))), "", "COMPACTION [4 5] L0"},
		{"windows of an hour", "TimeWindow compaction_window_unit=HOURS compaction_window_size=6", join(many(1, 4, 1, times(0, 3600e6)), many(5, 2, 1, times(0, 7*3600e6))), "", "COMPACTION [1 2 3 4] L0"},
		{"milliseconds", "TimeWindow timestamp_resolution=MILLISECONDS", join(many(1, 2, 1, times(0, day*1000)), many(3, 1, 1, times(0, 2*day*1000))), "", "COMPACTION [1 2] L0"},
		{"the smallest of an older window", "TimeWindow max_threshold=4", join(many(1, 1, 1, window(0)), many(2, 3, 9, window(3)), many(5, 2, 1, window(3))), "", "COMPACTION [2 3 5 6] L0"},
		{"expired ones with the others", "TimeWindow", join(many(1, 4, 1, window(0)), many(5, 1, 1, window(30), expiredAt(old))), "", "COMPACTION [1 2 3 4 5] L0 -5"},
		{"expired ones alone", "TimeWindow", join(many(1, 2, 1, window(0)), many(5, 1, 1, window(30), expiredAt(old))), "", "COMPACTION [5] L0 -5"},
		{"no tombstone compactions", "TimeWindow", []*Table{tb(1, 9, 0, 400, tombstones(900, old))}, "", "nothing"},
		{"unless asked for, the smallest", "TimeWindow tombstone_threshold=0.3", []*Table{tb(1, 9, 0, 400, tombstones(900, old), window(0)), tb(2, 1, 500, 900, tombstones(900, old), window(1))}, "", "TOMBSTONE_COMPACTION [2] L0"},

		{"the incoming window, too few", "DateTiered", many(1, 3, 1, window(0)), "", "nothing"},
		{"the incoming window", "DateTiered", many(1, 4, 1, window(0)), "", "COMPACTION [1 2 3 4] L0"},
		{"an older date", "DateTiered", join(many(1, 1, 1, window(0)), many(2, 2, 1, window(3))), "", "COMPACTION [2 3] L0"},
		{"too old", "DateTiered max_sstable_age_days=2", join(many(1, 1, 1, window(0)), many(2, 2, 1, window(3))), "", "nothing"},

		{"three overlap", "Unified", many(1, 3, 100), "", "nothing"},
		{"four overlap", "Unified", many(1, 4, 1), "", "COMPACTION [1 2 3 4] L0"},
		{"two overlap, leveled", "Unified scaling_parameters=L4", many(1, 2, 1), "", "COMPACTION [1 2] L0"},
		{"four of two densities", "Unified", join(many(1, 2, 1), many(3, 2, 100)), "", "nothing"},
		{"disjoint groups", "Unified scaling_parameters=T2 base_shard_count=1", []*Table{tb(1, .1, 0, 100), tb(2, .1, 50, 150), tb(3, .1, 500, 600), tb(4, .1, 550, 650), tb(5, .1, 560, 660)}, "", "COMPACTION [3 4 5] L0"},
		{"transitive", "Unified scaling_parameters=T3", []*Table{tb(1, .1, 0, 100), tb(2, .1, 90, 200), tb(3, .1, 95, 190), tb(4, .1, 180, 300), tb(5, .1, 290, 400)}, "", "COMPACTION [1 2 3 4 5] L0"},
		{"overlap_inclusion_method", "Unified scaling_parameters=T3 overlap_inclusion_method=NONE", []*Table{tb(1, .1, 0, 100), tb(2, .1, 90, 200), tb(3, .1, 95, 190), tb(4, .1, 195, 300)}, "", "COMPACTION [1 2 3] L0"},
		{"late: the oldest of a level", "Unified", many(1, 55, .001), "", "COMPACTION [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16] L0"},
		{"late, leveled: the highest multiple", "Unified scaling_parameters=L4", many(1, 21, .001), "", "COMPACTION [1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16] L0"},
		{"max_sstables_to_compact", "Unified max_sstables_to_compact=5", many(1, 10, .001), "", "COMPACTION [1 2 3 4 5] L0"},
		{"unified, expired", "Unified", join(many(5, 1, 1, expiredAt(old)), many(6, 2, 1)), "", "COMPACTION [5] L0 -5"},
	} {
		t.Run(c.opts+" "+c.name, func(t *testing.T) {
			v := view(c.tables...)
			for id := range strings.FieldsSeq(c.running) {
				v.Running["nb-"+id+"-big"] = true
			}
			if got := told(NewStrategies(with(c.opts)).Next(v)); got != c.want {
				t.Errorf("picked %s, want %s", got, c.want)
			}
		})
	}
}

// TestBootstrapping holds that leveled compaction leaves levels alone while the node still receives its data.
func TestBootstrapping(t *testing.T) {
	v := view(append(many(1, 4, 100), tb(9, 2000, 0, 100, level(1)))...)
	v.Bootstrapping = true
	if got := told(NewStrategies(with("Leveled")).Next(v)); got != "COMPACTION [1 2 3 4] L0" {
		t.Error(got)
	}
}

func TestRepairStatesStayApart(t *testing.T) {
	v := view(join(many(1, 3, 1), many(4, 5, 1, repaired))...)
	if got := told(NewStrategies(with("SizeTiered")).Next(v)); got != "COMPACTION [4 5 6 7 8] L0" {
		t.Error(got)
	}
	var major []string
	for _, task := range NewStrategies(with("SizeTiered")).Major(v, false) {
		major = append(major, told(task))
	}
	if got := strings.Join(major, ", "); got != "MAJOR_COMPACTION [1 2 3] L0, MAJOR_COMPACTION [4 5 6 7 8] L0" {
		t.Error(got)
	}
	pending := tb(9, 1, 0, 1000, func(t *Table) { t.Pending[0] = 1 })
	v = view(join(many(1, 3, 1), []*Table{pending})...)
	if got := told(NewStrategies(with("SizeTiered")).Next(v)); got != "nothing" {
		t.Error(got)
	}
}

func TestMajor(t *testing.T) {
	s := New(with("SizeTiered"))
	task := s.Major(view(many(1, 4, 100)...), true)[0]
	if want := []int64{200 * mib, 100 * mib, 50 * mib}; !slices.Equal(task.Sizes, want) {
		t.Errorf("split output at %v, want %v", task.Sizes, want)
	}
	task = New(with("Leveled sstable_size_in_mb=10")).Major(view(many(1, 4, 100)...), false)[0]
	if task.Level != 1 || task.MaxSize != 10*mib || task.LevelBytes[0] != 100*mib || task.LevelBytes[1] != 1000*mib {
		t.Errorf("%+v", task)
	}
	tasks := New(with("Unified")).Major(view(tb(1, 300, 0, 100), tb(2, 300, 50, 240), tb(3, 1, 500, 600)), false)
	if len(tasks) != 2 || told(tasks[0]) != "MAJOR_COMPACTION [1 2] L0" || told(tasks[1]) != "MAJOR_COMPACTION [3] L0" {
		t.Errorf("%d tasks", len(tasks))
	}
}

// TestShards compares with the examples of UnifiedCompactionStrategy.md and ControllerTest: densities, counts.
func TestShards(t *testing.T) {
	const gib = 1 << 30
	for _, c := range []struct {
		opts    string
		density float64
		want    int
	}{
		{"base_shard_count=3 target_sstable_size=100MiB sstable_growth=0 min_sstable_size=0B", 0, 3},
		{"base_shard_count=3 target_sstable_size=100MiB sstable_growth=0 min_sstable_size=0B", 200 * mib, 3},
		{"base_shard_count=3 target_sstable_size=100MiB sstable_growth=0 min_sstable_size=0B", 400 * mib, 3},
		{"base_shard_count=3 target_sstable_size=100MiB sstable_growth=0 min_sstable_size=0B", 600 * mib, 6},
		{"base_shard_count=3 target_sstable_size=100MiB sstable_growth=0 min_sstable_size=0B", 5 * gib, 48},
		{"base_shard_count=3 min_sstable_size=10MiB target_sstable_size=100MiB sstable_growth=0", 5 * mib, 1},
		{"base_shard_count=3 min_sstable_size=10MiB target_sstable_size=100MiB sstable_growth=0", 29 * mib, 1},
		{"base_shard_count=4 min_sstable_size=10MiB target_sstable_size=100MiB sstable_growth=0", 39 * mib, 2},
		{"base_shard_count=4 min_sstable_size=10MiB target_sstable_size=100MiB sstable_growth=0", 40 * mib, 4},
		{"sstable_growth=1", 1e15, 4},
		{"base_shard_count=1 sstable_growth=0", 1024 * gib, 1024},
		{"base_shard_count=1 sstable_growth=0.5", 1024 * gib, 32},
		{"base_shard_count=4 sstable_growth=0.5", 1024 * gib, 64},
		{"", 50 * mib, 1},
		{"", 250 * mib, 2},
		{"", 10 * gib, 8},
	} {
		s := New(with("Unified " + c.opts)).(*unified)
		if got := s.shards(c.density); got != c.want {
			t.Errorf("%s: density %g MiB: %d shards, want %d", c.opts, c.density/mib, got, c.want)
		}
	}
	b := bounds(4)
	if len(b) != 3 || b[0].Int64() != math.MinInt64/2 || b[1].Int64() != 0 || b[2].Int64() != math.MaxInt64/2+1 {
		t.Errorf("bounds %v", b)
	}
}

func TestDroppedBefore(t *testing.T) {
	x := tb(1, 1, 0, 1, func(t *Table) { t.DropTimes = []sstable.DropTime{{Second: 10, Count: 4}, {Second: 20, Count: 8}} })
	for at, want := range map[int64]float64{9: 0, 10: 2, 15: 2 + (4+6)*.5/2, 20: 12, 99: 12} {
		if got := x.droppedBefore(at); got != want {
			t.Errorf("before %d: %g, want %g", at, got, want)
		}
	}
}

func TestFullyExpired(t *testing.T) {
	gc := int64(now - 10*day)
	gone := func(id int, low, high int64) *Table { return tb(id, 1, 0, 1000, expiredAt(gc-1), times(low, high)) }
	live := tb(9, 1, 0, 1000, times(100, 200))
	for _, c := range []struct {
		name                string
		candidates, overlap []*Table
		memtable            int64
		want                string
	}{
		{"alone", []*Table{gone(1, 5, 99)}, nil, math.MaxInt64, "1"},
		{"older than all else", []*Table{gone(1, 5, 99)}, []*Table{live}, math.MaxInt64, "1"},
		{"equal to the oldest", []*Table{gone(1, 5, 100)}, []*Table{live}, math.MaxInt64, ""},
		{"the other is expired too", []*Table{gone(1, 5, 100)}, []*Table{gone(2, 1, 9)}, math.MaxInt64, "1"},
		{"a memtable", []*Table{gone(1, 5, 99)}, nil, 99, ""},
		{"another input", []*Table{gone(1, 5, 100), live}, nil, math.MaxInt64, ""},
		{"at gcBefore", []*Table{tb(1, 1, 0, 1000, expiredAt(gc))}, nil, math.MaxInt64, ""},
	} {
		if got := ids(fullyExpired(c.candidates, c.overlap, gc, c.memtable)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRelevels(t *testing.T) {
	var tables []*Table
	for i := range 120 {
		tables = append(tables, tb(i+1, 1, float64(i%100)*10, float64(i%100)*10+5))
	}
	count := map[int]int{}
	levels := Relevels(tables)
	for _, t := range tables {
		count[levels[t.ID]]++
	}
	if count[2] != 100 || count[1] != 20 {
		t.Errorf("levels %v", count)
	}
}

// allStrategies are option sets for the tests over random tables.
var allStrategies = []string{
	"SizeTiered", "SizeTiered min_threshold=2 max_threshold=4", "Leveled sstable_size_in_mb=10", "Leveled sstable_size_in_mb=1 fanout_size=4",
	"Leveled sstable_size_in_mb=10 single_sstable_uplevel=true", "TimeWindow", "TimeWindow compaction_window_unit=MINUTES max_threshold=3",
	"DateTiered", "DateTiered base_time_seconds=1 max_window_size_seconds=100", "Unified", "Unified scaling_parameters=L10,T3,N",
	"Unified scaling_parameters=T2 overlap_inclusion_method=NONE max_sstables_to_compact=3 min_sstable_size=1MiB target_sstable_size=10MiB",
	"Unified scaling_parameters=L4 overlap_inclusion_method=SINGLE target_sstable_size=10MiB",
}

func randomTable(r *rand.Rand, id int) *Table {
	from := r.Float64() * 1000
	t := tb(id, math.Exp(r.Float64()*9-2), from, from+r.Float64()*(1000-from))
	t.MinTimestamp = now*1e6 - r.Int64N(40*day)*1e6
	t.MaxTimestamp = t.MinTimestamp + r.Int64N(day)*1e6
	t.Level = max(0, r.IntN(6)-2)
	t.Suspect = r.IntN(12) == 0
	if r.IntN(3) == 0 {
		t.RepairedAt = r.Int64N(3)
	}
	if r.IntN(4) == 0 {
		expiredAt(now - 20*day)(t)
		tombstones(900, now-20*day)(t)
	}
	t.Hotness = float64(r.IntN(3))
	return t
}

// TestPicksAreAllowed holds on random sets that no task takes what is running, suspect or of another repair state, that no
// table is twice in a task and no two tasks share one, and that picking ends when nothing is finished.
func TestPicksAreAllowed(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 5))
		opts := allStrategies[seed%uint64(len(allStrategies))]
		var tables []*Table
		for i := range r.IntN(80) {
			tables = append(tables, randomTable(r, i+1))
		}
		v := view(tables...)
		s := NewStrategies(with(opts))
		check := func(task *Task) {
			t.Helper()
			if len(task.Inputs) == 0 {
				t.Fatalf("seed %d, %s: an empty task", seed, opts)
			}
			for _, x := range task.Inputs {
				if v.Running[x.ID] || x.Suspect {
					t.Fatalf("seed %d, %s: %s takes %s", seed, opts, told(task), x.ID)
				}
				if stateOf(x) != stateOf(task.Inputs[0]) {
					t.Fatalf("seed %d, %s: %s mixes repair states", seed, opts, told(task))
				}
				v.Running[x.ID] = true
			}
			for _, x := range task.Expired {
				if !setOf(task.Inputs)[x.ID] {
					t.Fatalf("seed %d, %s: %s drops what is no input", seed, opts, told(task))
				}
			}
		}
		for n := 0; ; n++ {
			task := s.Next(v)
			if task == nil {
				break
			}
			if n > len(tables) {
				t.Fatalf("seed %d, %s: does not end", seed, opts)
			}
			check(task)
		}
		for _, task := range s.Major(v, r.IntN(2) == 0) {
			check(task)
		}
		for _, x := range tables {
			if !v.Running[x.ID] && !x.Suspect {
				t.Fatalf("seed %d, %s: a major compaction leaves %s", seed, opts, x.ID)
			}
		}
	}
}

// simulate finishes a task: outputs hold what the inputs held, spread evenly over their span, cut as the task says.
func simulate(r *rand.Rand, tables []*Table, task *Task, id *int) []*Table {
	rest := without(tables, task.Inputs)
	live := without(task.Inputs, task.Expired)
	if len(live) == 0 {
		return rest
	}
	size := float64(totalSize(live)) * (0.7 + 0.3*r.Float64()) / mib
	first, last := live[0].First, live[0].Last
	low, high := live[0].MinTimestamp, live[0].MaxTimestamp
	for _, t := range live {
		if t.First.Compare(first) < 0 {
			first = t.First
		}
		if t.Last.Compare(last) > 0 {
			last = t.Last
		}
		low, high = min(low, t.MinTimestamp), max(high, t.MaxTimestamp)
	}
	from, to := float64(first.Token.Prefix), float64(last.Token.Prefix)
	cuts := []float64{from}
	if task.MaxSize > 0 {
		n := math.Ceil(size * mib / float64(task.MaxSize))
		for i := 1.0; i < n; i++ {
			cuts = append(cuts, from+(to-from)*i/n)
		}
	}
	for _, b := range task.Bounds {
		if p := float64(b.Prefix); p > from && p < to {
			cuts = append(cuts, p)
		}
	}
	cuts = append(cuts, to)
	slices.Sort(cuts)
	level, written := task.Level, 0.0
	for i := range len(cuts) - 1 {
		*id++
		part := size * (cuts[i+1] - cuts[i]) / max(1, to-from)
		x := tb(*id, max(part, .001), 0, 0, times(low, high))
		x.First.Token.Prefix, x.Last.Token.Prefix = uint64(cuts[i])+1, uint64(cuts[i+1])
		if i == 0 {
			x.First = first
		}
		if i == len(cuts)-2 {
			x.Last = last
		}
		x.RepairedAt = live[0].RepairedAt
		if n := level - task.Level; n < len(task.LevelBytes) && written > float64(task.LevelBytes[n]) {
			level, written = level+1, 0
		}
		x.Level = level
		written += float64(x.Size)
		rest = append(rest, x)
	}
	return rest
}

// TestRunsEnd lets tables come in and tasks finish in random order: afterwards picking comes to an end, and what leveled
// compactions wrote never overlaps within a level.
func TestRunsEnd(t *testing.T) {
	for i, opts := range allStrategies {
		r := rand.New(rand.NewPCG(uint64(i), 6))
		s := NewStrategies(with(opts))
		v := view()
		id, tasks := 0, 0
		var running []*Task
		start := func() bool {
			v.All = v.Tables
			task := s.Next(v)
			if task == nil {
				return false
			}
			for _, x := range task.Inputs {
				v.Running[x.ID] = true
			}
			running = append(running, task)
			return true
		}
		finish := func() {
			n := r.IntN(len(running))
			task := running[n]
			running = slices.Delete(running, n, n+1)
			v.Tables = simulate(r, v.Tables, task, &id)
			for _, x := range task.Inputs {
				delete(v.Running, x.ID)
			}
			if tasks++; strings.HasPrefix(opts, "Leveled") {
				checkLevels(t, opts, v.Tables)
			}
		}
		for range 150 {
			id++
			from := r.Float64() * 500
			v.Tables = append(v.Tables, tb(id, 1+r.Float64()*3, from, from+400+r.Float64()*100, times(int64(id)*20e6, int64(id)*20e6)))
			for len(running) < 2 && start() {
			}
			if len(running) > 0 && r.IntN(2) == 0 {
				finish()
			}
		}
		for n := 0; ; n++ {
			if n > 3000 {
				t.Fatalf("%s: does not come to rest with %d tables", opts, len(v.Tables))
			}
			for len(running) < 2 && start() {
			}
			if len(running) == 0 {
				break
			}
			finish()
		}
		if tasks == 0 {
			t.Errorf("%s: nothing was compacted", opts)
		}
		if p := s.Pending(v); p > 3 {
			t.Errorf("%s: %d tasks pending at rest", opts, p)
		}
	}
}

// checkLevels holds that tables of one level above 0 do not overlap.
func checkLevels(t *testing.T, opts string, tables []*Table) {
	t.Helper()
	sorted := slices.Clone(tables)
	slices.SortFunc(sorted, func(a, b *Table) int { return cmp.Or(cmp.Compare(a.Level, b.Level), byFirst(a, b)) })
	for i, x := range sorted {
		if i > 0 && x.Level > 0 && sorted[i-1].Level == x.Level && sorted[i-1].overlaps(x) {
			t.Fatalf("%s: %s and %s overlap in level %d", opts, sorted[i-1].ID, x.ID, x.Level)
		}
	}
}

// TestStarvedLevel holds that a table of the highest level is taken along when that was not written for long.
func TestStarvedLevel(t *testing.T) {
	s := New(with("Leveled sstable_size_in_mb=1"))
	top := tb(900, 1, 40, 60, level(4))
	for i := range 40 {
		v := view(tb(1+i, 11, 0, 1000, level(1)), top)
		task := s.Next(v)
		if task == nil {
			t.Fatal("nothing to do")
		}
		if setOf(task.Inputs)[top.ID] {
			if i < starved || task.Level != 2 {
				t.Errorf("taken along at task %d: %s", i, told(task))
			}
			return
		}
	}
	t.Error("never taken along")
}

func BenchmarkNext(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var tables []*Table
	for i := range 1000 {
		t := randomTable(r, i+1)
		t.RepairedAt, t.Suspect = 0, false
		tables = append(tables, t)
	}
	for _, opts := range []string{"SizeTiered", "Leveled", "TimeWindow", "Unified"} {
		b.Run(opts, func(b *testing.B) {
			b.ReportAllocs()
			s := NewStrategies(with(opts))
			for b.Loop() {
				s.Next(view(tables...))
			}
		})
	}
}
