package compaction

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/sstable"
)

// TestVectors compares decisions with those of Cassandra 5.0.6's own classes for random input: levels and shards of
// unified.Controller, sets and groups of Overlaps, buckets of SizeTieredCompactionStrategy, windows of
// TimeWindowCompactionStrategy, sums of TombstoneHistogram.
func TestVectors(t *testing.T) {
	f, err := os.Open("testdata/decisions.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := map[string]int{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		w := strings.Fields(line)
		n[w[0]]++
		got, want := "", ""
		switch w[0] {
		case "unified":
			got, want = unifiedVector(w[1:])
		case "overlaps":
			got, want = overlapsVector(w[1:])
		case "buckets":
			got, want = bucketsVector(w[1:])
		case "window":
			o := parseOptions(map[string]string{"compaction_window_unit": w[1], "compaction_window_size": w[2]})
			got = fmt.Sprint((&timeWindow{o: o}).window(&Table{MaxTimestamp: integer(w[3]) * 1000}) * 1000)
			want = w[4]
		case "sum":
			var x Table
			for _, d := range w[3:] {
				at, count, _ := strings.Cut(d, ":")
				x.DropTimes = append(x.DropTimes, sstable.DropTime{Second: float64(integer(at)), Count: integer(count)})
			}
			sum, _ := strconv.ParseFloat(w[2], 64)
			got, want = fmt.Sprintf("%.6f", x.droppedBefore(integer(w[1]))), fmt.Sprintf("%.6f", sum)
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
	}
	for kind, least := range map[string]int{"unified": 300, "overlaps": 600, "buckets": 100, "window": 60, "sum": 60} {
		if n[kind] != least {
			t.Errorf("%d vectors of %s", n[kind], kind)
		}
	}
}

func integer(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// unifiedVector is: scaling parameters, least and target size, base shards, growth, flushed size, density; shards; the ends of
// five levels; their fanouts and thresholds.
func unifiedVector(w []string) (got, want string) {
	s := &unified{o: parseOptions(map[string]string{
		"class": "UnifiedCompactionStrategy", "scaling_parameters": w[0], "min_sstable_size": w[1] + "B", "target_sstable_size": w[2] + "B",
		"base_shard_count": w[3], "sstable_growth": w[4], "flush_size_override": w[5] + "B",
	})}
	out := []string{fmt.Sprint(s.shards(float64(integer(w[6]))))}
	end := s.ceiling(&View{})
	for i := range 5 {
		out = append(out, fmt.Sprint(int64(end)))
		end = math.Floor(end * float64(s.fanout(i+1)))
	}
	for i := range 5 {
		out = append(out, fmt.Sprintf("%d/%d", s.fanout(i), s.threshold(i)))
	}
	return strings.Join(out, " "), strings.Join(w[7:], " ")
}

// overlapsVector is: inclusion method, threshold, ranges; the sets; the groups of them.
func overlapsVector(w []string) (got, want string) {
	s := &unified{o: &options{overlapChoice: w[0]}}
	var tables []*Table
	i := 2
	for ; w[i][0] != '='; i++ {
		from, to, _ := strings.Cut(w[i], "-")
		tables = append(tables, &Table{ID: fmt.Sprintf("nb-%d-big", i-2),
			First: Key{Token: token.FromInt64(integer(from))}, Last: Key{Token: token.FromInt64(integer(to))}})
	}
	sets := overlapSets(tables)
	got = "="
	for _, set := range sets {
		got += ";" + strings.ReplaceAll(ids(set), " ", ",")
	}
	got += " ="
	for _, group := range s.groups(sets, int(integer(w[1]))) {
		all := slices.Concat(group...)
		slices.SortFunc(all, compareIDs)
		got += ";" + strings.ReplaceAll(ids(slices.Compact(all)), " ", ",")
	}
	return got, strings.Join(w[i:], " ")
}

// bucketsVector is: bucket_low, bucket_high, min_sstable_size, sizes; the buckets.
func bucketsVector(w []string) (got, want string) {
	o := parseOptions(map[string]string{"bucket_low": w[0], "bucket_high": w[1], "min_sstable_size": w[2]})
	var tables []*Table
	i := 3
	for ; w[i] != "="; i++ {
		tables = append(tables, &Table{ID: fmt.Sprintf("nb-%d-big", i-3), Size: integer(w[i])})
	}
	var out []string
	for _, b := range o.buckets(tables) {
		out = append(out, strings.ReplaceAll(ids(b.tables), " ", ","))
	}
	slices.Sort(out)
	return strings.Join(out, " "), strings.Join(w[i+1:], " ")
}
