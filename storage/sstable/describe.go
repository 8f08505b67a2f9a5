package sstable

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/row"
)

// DescribeOptions choose what Describe prints.
type DescribeOptions struct {
	// DropBefore decides which tombstones can be dropped, in seconds since 1970: those older than it.
	DropBefore int64
	// Unit is what timestamps of cells count; 0 stands for microseconds.
	Unit time.Duration
	// Location is where the times are told; nil stands for UTC.
	Location *time.Location
}

// Describe writes what is known of the table without reading its data, in the form of Cassandra's sstablemetadata, line by
// line. Source: org.apache.cassandra.tools.SSTableMetadataViewer.
//
// Deviation: the estimated number of keys of tables with more than some six thousand is not corrected by measured biases.
func (r *Reader) Describe(w io.Writer, o DescribeOptions) error {
	if o.Unit == 0 {
		o.Unit = time.Microsecond
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	out := bufio.NewWriter(w)
	d := describer{r: r, s: &r.stats.Stats, o: o, w: out}
	d.head()
	d.histograms()
	d.tail()
	return out.Flush()
}

// describer prints one table; errors of the writer stay in it.
type describer struct {
	r *Reader
	s *Stats
	o DescribeOptions
	w *bufio.Writer
}

func (d *describer) line(name, format string, args ...any) {
	fmt.Fprintf(d.w, name+": "+format+"\n", args...)
}

func (d *describer) head() {
	s, line := d.s, d.line
	line("SSTable", "%s", path.Join(d.r.dir, d.r.desc.String()))
	line("Partitioner", "%s", d.r.stats.Partitioner)
	line("Bloom Filter FP chance", "%s", doubleText(d.r.stats.FilterChance))
	line("Minimum timestamp", "%s", d.timestamp(s.MinTimestamp))
	line("Maximum timestamp", "%s", d.timestamp(s.MaxTimestamp))
	// The difference wraps as in the original.
	span := int64(time.Duration(s.MaxTimestamp-s.MinTimestamp) / (time.Second / d.o.Unit))
	line("Duration", "Days: %d Hours: %d Minutes: %d Seconds: %d", span/86400, span/3600%24, span/60%60, span%60)
	line("SSTable min local deletion time", "%s", d.seconds(s.MinLocal))
	line("SSTable max local deletion time", "%s", d.seconds(s.MaxLocal))
	compressor := "-"
	if info := d.r.Compression(); info != nil {
		compressor = "org.apache.cassandra.io.compress." + info.Compressor
	}
	line("Compressor", "%s", compressor)
	if d.r.Compression() != nil {
		line("Compression ratio", "%s", doubleText(s.CompressionRatio))
	}
	line("TTL min", "%s", ttlText(int64(s.MinTTL)))
	line("TTL max", "%s", ttlText(int64(s.MaxTTL)))
	if first, last := d.r.index.ends(); first != nil {
		line("First token", "%s", d.key(first))
		line("Last token", "%s", d.key(last))
	}
	line("Covered clusterings", "%s", d.covered())
	line("Estimated droppable tombstones", "%s", doubleText(d.droppable()))
	line("SSTable Level", "%d", s.Level)
	line("Repaired at", "%s", repairedText(s.RepairedAt, d.o.Location))
	host := "--"
	if s.HostID != nil {
		host = string(types.AppendUUIDText(nil, s.HostID[:]))
	}
	line("Originating host id", "%s", host)
	pending := "--"
	if s.PendingRepair != nil {
		pending = string(types.AppendUUIDText(nil, s.PendingRepair[:]))
	}
	line("Pending repair", "%s", pending)
	intervals := make([]string, len(s.LogIntervals))
	for i, v := range s.LogIntervals {
		intervals[i] = positionText(v[0]) + "=" + positionText(v[1])
	}
	line("Replay positions covered", "{%s}", strings.Join(intervals, ", "))
	line("totalColumnsSet", "%d", s.Columns)
	line("totalRows", "%d", s.Rows)
}

func (d *describer) histograms() {
	drops := make([]Bucket, len(d.s.DropTimes))
	for i, t := range d.s.DropTimes {
		drops[i] = Bucket{Offset: int64(t.Second), Count: t.Count}
		if !d.r.desc.Version.modern() {
			drops[i].Offset = min(drops[i].Offset, math.MaxInt32-1)
		}
	}
	d.line("Estimated tombstone drop times", "")
	printHistogram(d.w, drops, "Drop Time", func(n int64) string {
		if n == 0 {
			return "0 "
		}
		return fmt.Sprintf("%d (%s)", n, d.date(n))
	})
	d.line("Partition Size", "")
	printHistogram(d.w, filled(d.s.PartitionSizes), "Size (bytes)", func(n int64) string {
		return fmt.Sprintf("%d (%s)", n, sizeText(n))
	})
	d.line("Column Count", "")
	printHistogram(d.w, filled(d.s.PartitionCells), "Columns", func(n int64) string { return strconv.FormatInt(n, 10) })
}

func (d *describer) tail() {
	h, line := &d.r.stats.Header, d.line
	line("Local token space coverage", "%s", doubleText(d.s.TokenCoverage))
	line("Estimated cardinality", "%d", estimateKeys(d.r.stats.Cardinality))
	line("EncodingStats minTTL", "%s", ttlText(h.MinTTL))
	line("EncodingStats minLocalDeletionTime", "%s", d.seconds(h.MinLocal))
	line("EncodingStats minTimestamp", "%s", d.timestamp(h.MinTimestamp))
	line("KeyType", "%s", h.KeyType)
	clustering := make([]string, len(h.ClusteringTypes))
	for i, name := range h.ClusteringTypes {
		clustering[i] = name
		// The original does not print the type of the base table's key.
		if args, ok := unwrap(name, "PartitionerDefinedOrder"); ok {
			class, _, _ := strings.Cut(args, ":")
			clustering[i] = marshal + "PartitionerDefinedOrder(" + class + ")"
		}
	}
	line("ClusteringTypes", "[%s]", strings.Join(clustering, ", "))
	line("StaticColumns", "%s", columnsText(h.Static))
	line("RegularColumns", "%s", columnsText(h.Regular))
	line("IsTransient", "%t", d.s.Transient)
}

// date prints seconds since 1970.
func (d *describer) date(seconds int64) string {
	return javaDate(time.Unix(seconds, 0).In(d.o.Location))
}

// javaDate prints a time as Java's calendar has it: that of Julius Caesar before 15 October 1582, years before Christ as
// positive numbers.
func javaDate(t time.Time) string {
	const julianBefore = -12219292800 // 1582-10-15
	year, month, day := t.Date()
	if t.Unix() < julianBefore {
		// Days since 1 March of a year that begins a cycle of four years, far enough back that all are positive.
		const cycles = 80000
		_, offset := t.Zone()
		days := floorDiv(t.Unix()+int64(offset), 86400) + 719470 + cycles*1461
		y := (4*days + 3) / 1461
		rest := days - y*1461/4
		m := (5*rest + 2) / 153
		day = int(rest - (153*m+2)/5 + 1)
		month = time.Month((m+2)%12 + 1)
		year = int(y - 4*cycles)
		if month <= 2 {
			year++
		}
	}
	if year <= 0 {
		year = 1 - year
	}
	return fmt.Sprintf("%02d/%02d/%04d %s", month, day, year, t.Format("15:04:05"))
}

func floorDiv(a, b int64) int64 {
	if a%b < 0 {
		return a/b - 1
	}
	return a / b
}

// timestamp prints a cell's timestamp.
func (d *describer) timestamp(v int64) string {
	if v == 0 {
		return "-- (0)"
	}
	ms := v
	switch per := int64(time.Millisecond / d.o.Unit); {
	case per > 1:
		ms = v / per
	case d.o.Unit > time.Millisecond:
		ms = v * int64(d.o.Unit/time.Millisecond)
	}
	return fmt.Sprintf("%s (%d)", javaDate(time.UnixMilli(ms).In(d.o.Location)), v)
}

// seconds prints a local deletion time.
func (d *describer) seconds(v int64) string {
	switch v {
	case row.NoLocal:
		return fmt.Sprintf("no tombstones (%d)", v)
	case 0:
		return "-- (0)"
	}
	return fmt.Sprintf("%s (%d)", d.date(v), v)
}

// key prints a partition key's token and the key.
func (d *describer) key(key []byte) string {
	text := d.r.keyText(key)
	if d.r.order.partitioner == nil {
		return text + " (" + text + ")"
	}
	p := d.r.order.partitioner
	return p.Format(p.Token(key)) + " (" + text + ")"
}

// keyText prints a partition key, the components of a composite one joined by colons.
func (r *Reader) keyText(key []byte) string {
	pk := r.table.PartitionKey
	parts := keyParts(key, len(pk))
	out := make([]string, len(parts))
	for i, part := range parts {
		out[i] = plainText(pk[i].Type, part)
		if len(pk) > 1 {
			out[i] = strings.ReplaceAll(out[i], ":", `\:`)
		}
	}
	return strings.Join(out, ":")
}

// plainText prints a value as the original does outside of JSON: collections in hexadecimal.
func plainText(t *types.Type, v []byte) string {
	switch t.Kind {
	case types.List, types.Set, types.Map:
		return hex.EncodeToString(v)
	}
	return string(t.AppendText(nil, v))
}

// covered prints the slice of clusterings that the table covers.
func (d *describer) covered() string {
	c := d.s.Covered
	if c == nil {
		if len(d.s.MinClustering) == 0 && len(d.s.MaxClustering) == 0 || !d.r.desc.Version.AccurateBounds() {
			return "ALL"
		}
		c = &Covered{Start: Bound{Kind: KindInclStart, Values: d.s.MinClustering}, End: Bound{Kind: KindInclEnd, Values: d.s.MaxClustering}}
	}
	values := func(b Bound) string {
		out := make([]string, len(b.Values))
		for i, v := range b.Values {
			if i < len(d.r.table.Clustering) {
				out[i] = plainText(d.r.table.Clustering[i].Type, v)
			}
		}
		return strings.Join(out, ":")
	}
	open, end := "(", ")"
	if c.Start.Kind == KindInclStart {
		open = "["
	}
	if c.End.Kind == KindInclEnd {
		end = "]"
	}
	return open + values(c.Start) + ", " + values(c.End) + end
}

// droppable returns the estimated share of tombstones that can be dropped among all cells.
func (d *describer) droppable() float64 {
	cells := d.s.Cells()
	if cells.Count() == 0 {
		return 0
	}
	return d.s.Droppable(d.o.DropBefore) / (math.Ceil(cells.Mean()) * float64(cells.Count()))
}

// Droppable estimates how many tombstones have a local deletion time up to now, in seconds since 1970.
// Source: org.apache.cassandra.utils.streamhist.TombstoneHistogram.sum.
func (s *Stats) Droppable(now int64) float64 {
	var sum float64
	for i, t := range s.DropTimes {
		if t.Second > float64(now) {
			if i == 0 {
				return 0
			}
			p := s.DropTimes[i-1]
			weight := (float64(now) - p.Second) / (t.Second - p.Second)
			at := float64(p.Count) + float64(t.Count-p.Count)*weight
			return sum - float64(p.Count)/2 + (float64(p.Count)+at)*weight/2
		}
		sum += float64(t.Count)
	}
	return sum
}

func ttlText(seconds int64) string {
	switch {
	case seconds == 0:
		return "0"
	case seconds == math.MaxInt32:
		return fmt.Sprintf("%d (never)", seconds)
	}
	var parts []string
	for _, u := range []struct {
		name string
		n    int64
	}{{"days", seconds / 86400}, {"hours", seconds / 3600 % 24}, {"minutes", seconds / 60 % 60}, {"seconds", seconds % 60}} {
		switch {
		case u.n == 1:
			parts = append(parts, "1 "+strings.TrimSuffix(u.name, "s"))
		case u.n > 0 || u.name == "seconds" && len(parts) == 0:
			parts = append(parts, fmt.Sprintf("%d %s", u.n, u.name))
		}
	}
	return fmt.Sprintf("%d (%s)", seconds, strings.Join(parts, " "))
}

func repairedText(ms int64, loc *time.Location) string {
	if ms == 0 {
		return "0"
	}
	return fmt.Sprintf("%s (%d)", javaDate(time.UnixMilli(ms).In(loc)), ms)
}

func positionText(p LogPosition) string {
	return fmt.Sprintf("CommitLogPosition(segmentId=%d, position=%d)", p.Segment, p.Offset)
}

// columnsText prints columns in the order of a Java hash map of their names, which is the original's.
func columnsText(columns []HeaderColumn) string {
	out := make([]string, len(columns))
	for i, c := range javaHashOrder(columns) {
		out[i] = c.Name + ":" + c.Type
	}
	return strings.Join(out, ", ")
}

// doubleText prints a number as Java's Double.toString does.
func doubleText(f float64) string {
	return string(types.TDouble.AppendText(nil, types.AppendFloat64(nil, f)))
}
