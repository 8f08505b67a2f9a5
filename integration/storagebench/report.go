package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// gate is a line of the table: a measure, and what Helenus's may be of Pebble's.
type gate struct {
	name, phase, unit string
	measure           func(figure) float64
	gate, goal        float64
	atLeast           bool // the ratio has to be at least the gate, not at most
}

var gates = []gate{
	{"put NoSync, with flush and compaction", "put", "us CPU/op", perOp, 1.5, 1.0, false},
	{"durable put, 64 writers", "durable 64", "acks/s", perSecond, 1.0, 2.0, true},
	{"durable put, 512 writers", "durable 512", "acks/s", perSecond, 1.0, 2.0, true},
	{"get, cached", "get again", "us CPU/op", perOp, 1.8, 1.2, false},
	{"get absent", "get absent", "us CPU/op", perOp, 1.0, 0.7, false},
	{"scan of a wide partition", "scan wide", "rows/s CPU", perCPUSecond, 0.6, 0.9, true},
	{"scan of the table", "scan", "rows/s CPU", perCPUSecond, 0.6, 0.9, true},
	{"put wide", "put wide", "us CPU/op", perOp, 0, 0, false},
	{"get, first", "get", "us CPU/op", perOp, 0, 0, false},
	{"get, after a major compaction", "get compacted", "us CPU/op", perOp, 0, 0, false},
	{"major compaction", "compact", "us CPU/row", perOp, 0, 0, false},
	{"bytes on disk after it", "compact", "MiB", func(f figure) float64 { return float64(f.Disk) / (1 << 20) }, 1.15, 1.05, false},
	{"resident after put", "put", "MiB", func(f figure) float64 { return float64(f.RSS) / (1 << 20) }, 0, 0, false},
}

func perOp(f figure) float64 {
	return float64(f.CPU) / float64(time.Microsecond) / float64(max(f.Ops, 1))
}

// perCPUSecond is what one processor does in a second of its time: on a machine that others use too it is steadier than the clock.
func perCPUSecond(f figure) float64 { return float64(f.Ops) / f.CPU.Seconds() }

func perSecond(f figure) float64 { return float64(f.Ops) / f.Wall.Seconds() }

func gcShare(f figure) float64 { return f.GC }

// median of a measure over the runs of an engine, and whether there is one.
func median(runs []map[string]figure, phase string, measure func(figure) float64) (float64, bool) {
	var xs []float64
	for _, r := range runs {
		if f, ok := r[phase]; ok {
			xs = append(xs, measure(f))
		}
	}
	if len(xs) == 0 {
		return 0, false
	}
	slices.SortFunc(xs, cmp.Compare[float64])
	return xs[len(xs)/2], true
}

func report(results map[string][]map[string]figure) {
	fmt.Printf("%-38s %-11s %12s %12s %7s %6s %6s\n", "", "", "Helenus", "Pebble", "ratio", "gate", "goal")
	for _, g := range gates {
		h, ok1 := median(results["helenus"], g.phase, g.measure)
		p, ok2 := median(results["pebble"], g.phase, g.measure)
		if !ok1 && !ok2 {
			continue
		}
		line := fmt.Sprintf("%-38s %-11s %12.2f %12.2f", g.name, g.unit, h, p)
		if ok1 && ok2 && p > 0 {
			r := h / p
			line += fmt.Sprintf(" %7.2f", r)
			if g.gate > 0 {
				line += fmt.Sprintf(" %6.2f %6.2f  %s", g.gate, g.goal, g.verdict(r))
			}
		}
		fmt.Println(line)
	}
	if share, ok := median(results["helenus"], "put", gcShare); ok {
		p, _ := median(results["pebble"], "put", gcShare)
		verdict := "meets the gate"
		switch {
		case share > 5:
			verdict = "MISSES THE GATE"
		case share <= 2:
			verdict = "meets the goal"
		}
		fmt.Printf("%-38s %-11s %12.2f %12.2f %7s %6.2f %6.2f  %s\n", "collector under write load", "% of CPU", share, p, "", 5.0, 2.0, verdict)
	}
}

func (g gate) verdict(r float64) string {
	better := func(limit float64) bool {
		if g.atLeast {
			return r >= limit
		}
		return r <= limit
	}
	switch {
	case better(g.goal):
		return "meets the goal"
	case better(g.gate):
		return "meets the gate"
	}
	return "MISSES THE GATE"
}
