package sstable

import (
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/row"
)

// DumpOptions choose what Dump prints.
type DumpOptions struct {
	// KeysOnly prints the partition keys alone, all of them.
	KeysOnly bool
	// Keys, unless empty, are the only keys that are printed, Except those that are not; the components of a composite one
	// are joined by colons.
	Keys, Except []string
	// Raw prints times as numbers.
	Raw bool
	// Lines prints each partition on a line of its own.
	Lines bool
	// Debug prints each row and marker on a line, in Cassandra's internal form.
	Debug bool
	// Now decides what has expired, in seconds since 1970.
	Now int64
}

// Dump writes the table as JSON in the form of Cassandra's sstabledump, byte for byte. What was written before an error
// stays. Where sstabledump itself fails, on empty booleans, short tuples and tables of indexes, Dump does not.
// Source: org.apache.cassandra.tools.JsonTransformer.
func (r *Reader) Dump(w io.Writer, o DumpOptions) error {
	d := &dumper{w: w, v: r.self, o: o, kind: "REGULAR"}
	if r.order.partitioner == nil {
		d.kind = "INDEX"
	}
	if o.KeysOnly {
		d.o.Keys, d.o.Except, d.o.Lines, d.o.Debug = nil, nil, false, false
	}
	if d.o.Debug {
		d.o.Lines = false
	}
	return d.dump()
}

// dumper appends JSON to b and writes it from time to time. The first error of the writer stays.
type dumper struct {
	w    io.Writer
	v    *View
	o    DumpOptions
	b    []byte
	kind string
	// quoted says, while lines are printed, that what was added ends within a string.
	quoted bool
	err    error
}

// flushAt is how much a dumper keeps before it writes.
const flushAt = 64 << 10

func (d *dumper) flush(limit int) {
	if len(d.b) < limit || d.err != nil {
		return
	}
	_, d.err = d.w.Write(d.b)
	d.b = d.b[:0]
}

func (d *dumper) add(parts ...string) {
	for _, p := range parts {
		if !d.o.Lines {
			d.b = append(d.b, p...)
			continue
		}
		for i := range len(p) {
			if p[i] == '"' {
				d.quoted = !d.quoted
			}
			if d.quoted || p[i] != ' ' && p[i] != '\n' {
				d.b = append(d.b, p[i])
			}
		}
	}
}

func (d *dumper) text(s string) { d.b = types.AppendJSONString(d.b, s) }

func (d *dumper) dump() error {
	s := d.v.scan(All())
	if !d.o.Lines && !d.o.Debug {
		d.add("[")
	}
	n := 0
	for p := s.next(); p != nil && d.err == nil; p = s.next() {
		if !d.wanted(p.Key) {
			continue
		}
		switch {
		case d.o.Debug:
			d.debugPartition(p)
			continue
		case n > 0 && d.o.Lines:
			d.b = append(d.b, '\n')
		case n > 0:
			d.add(",")
		}
		n++
		if d.o.KeysOnly {
			d.add(" ")
			d.key(p.Key)
		} else {
			d.add("\n  ")
			d.partition(p)
		}
		d.flush(flushAt)
	}
	switch {
	case s.err != nil || d.o.Lines || d.o.Debug:
	case n == 0:
		d.add(" ]")
	default:
		d.add("\n]")
	}
	d.flush(0)
	if s.err != nil {
		return s.err
	}
	return d.err
}

// wanted reports whether a partition is to be printed.
func (d *dumper) wanted(key []byte) bool {
	if len(d.o.Keys) == 0 && len(d.o.Except) == 0 {
		return true
	}
	text := d.v.r.keyText(key)
	return (len(d.o.Keys) == 0 || slices.Contains(d.o.Keys, text)) && !slices.Contains(d.o.Except, text)
}

func (d *dumper) key(key []byte) {
	pk := d.v.table.PartitionKey
	d.add("[ ")
	for i, part := range keyParts(key, len(pk)) {
		if i > 0 {
			d.add(", ")
		}
		d.text(string(pk[i].Type.AppendText(nil, part)))
	}
	d.add(" ]")
}

func (d *dumper) partition(p *partition) {
	d.add(`{`, "\n    ", `"table kind" : "`, d.kind, `",`, "\n    ", `"partition" : {`, "\n      ", `"key" : `)
	d.key(p.Key)
	d.add(",\n      ", `"position" : `, strconv.FormatInt(p.rows, 10))
	if !p.Deletion.IsLive() {
		d.add(",\n      ")
		d.deletion(p.Deletion)
	}
	d.add("\n    },\n    ", `"rows" : [`)
	n := 0
	if p.Static != nil {
		d.row(p.Static, p.rows, true)
		n++
	}
	for u := p.next(); u != nil && d.err == nil; u = p.next() {
		if n > 0 {
			d.add(",")
		}
		n++
		if u.Row != nil {
			d.row(u.Row, u.position, false)
		} else {
			d.marker(u)
		}
		d.flush(flushAt)
	}
	d.closeList(n, 4)
	d.add("\n  }")
}

// closeList ends a list of n things that began on a line with the given indent.
func (d *dumper) closeList(n, indent int) {
	if n == 0 {
		d.add(" ]")
		return
	}
	d.add("\n", strings.Repeat(" ", indent), "]")
}

// deletion prints a deletion on one line.
func (d *dumper) deletion(del row.Deletion) {
	d.add(`"deletion_info" : { "marked_deleted" : "`, d.micros(del.Timestamp), `", "local_delete_time" : "`, d.seconds(del.Local), `" }`)
}

func (d *dumper) row(r *row.Row, position int64, static bool) {
	kind := "row"
	if static {
		kind = "static_block"
	}
	d.add("\n      {\n        ", `"type" : "`, kind, `",`, "\n        ", `"position" : `, strconv.FormatInt(position, 10))
	if !static {
		d.clustering(r.Clustering, "        ")
	}
	if l := r.Liveness; l.Timestamp != row.NoTimestamp {
		d.add(",\n        ", `"liveness_info" : { "tstamp" : "`, d.micros(l.Timestamp), `"`)
		if l.TTL > 0 {
			d.expiry(l.TTL, l.Expiry, l.Expiry < d.o.Now)
		}
		d.add(" }")
	}
	if !r.Deletion.IsLive() {
		d.add(",\n        ")
		d.deletion(r.Deletion)
	}
	d.add(",\n        ", `"cells" : [`)
	n := 0
	complexes := r.Complex
	for i := 0; i < len(r.Cells) || len(complexes) > 0; n++ {
		if n > 0 {
			d.add(",")
		}
		d.add("\n          ")
		if len(complexes) > 0 && (i == len(r.Cells) || complexes[0].Column <= r.Cells[i].Column) {
			d.add(`{ "name" : `)
			d.text(types.QuoteIdent(d.v.table.ByID[complexes[0].Column].Name))
			d.add(", ")
			d.deletion(complexes[0].Deletion)
			d.add(" }")
			complexes = complexes[1:]
			continue
		}
		d.cell(&r.Cells[i], r.Liveness)
		i++
	}
	d.closeList(n, 8)
	d.add("\n      }")
}

// expiry prints what is known of the end of a row's or cell's life.
func (d *dumper) expiry(ttl int32, at int64, expired bool) {
	d.add(`, "ttl" : `, strconv.Itoa(int(ttl)), `, "expires_at" : "`, d.seconds(at), `", "expired" : `, strconv.FormatBool(expired))
}

func (d *dumper) cell(c *row.Cell, l row.Liveness) {
	col := d.v.table.ByID[c.Column]
	d.add(`{ "name" : `)
	d.text(types.QuoteIdent(col.Name))
	t := col.Type
	if t.IsMultiCell() {
		d.add(`, "path" : [ `)
		t = d.path(t, c.Path)
		d.add(" ]")
	}
	separator := ", "
	if c.IsTombstone() {
		// The printer of the original forgets that it is on one line when it has printed a deletion.
		d.add(`, "deletion_info" : { "local_delete_time" : "`, d.seconds(c.Local), `" }`)
		separator = ",\n            "
	} else {
		d.add(`, "value" : `)
		d.value(t, c.Value)
	}
	if l.Timestamp == row.NoTimestamp || c.Timestamp != l.Timestamp {
		d.add(separator, `"tstamp" : "`, d.micros(c.Timestamp), `"`)
	}
	if c.TTL > 0 && (l.Timestamp == row.NoTimestamp || c.TTL != l.TTL) {
		d.expiry(c.TTL, c.Local, !c.IsLive(d.o.Now))
	}
	if c.IsTombstone() {
		d.add("\n          }")
	} else {
		d.add(" }")
	}
}

// path prints the path of a cell and returns the type of its value.
func (d *dumper) path(t *types.Type, path []byte) *types.Type {
	switch t.Kind {
	case types.UDT:
		if len(path) == 2 {
			if i := int(types.Int16(path)); i >= 0 && i < len(t.Fields) {
				d.text(t.Fields[i])
				return t.Elems[i]
			}
		}
		d.text(string(types.TBlob.AppendText(nil, path)))
		return types.TBlob
	case types.Set:
		d.text(string(pathType(t).AppendText(nil, path)))
		return types.TEmpty
	}
	d.text(string(pathType(t).AppendText(nil, path)))
	return t.Elems[len(t.Elems)-1]
}

// counterHead is how much of a counter's shards sstabledump takes for a number.
const counterHead = 8

func (d *dumper) value(t *types.Type, v []byte) {
	if t.Kind == types.Counter && len(v) > counterHead {
		v = v[:counterHead]
	}
	d.b = t.AppendJSON(d.b, v)
}

// clustering prints values, and stars for those that a bound does not have.
func (d *dumper) clustering(values [][]byte, indent string) {
	if len(values) == 0 {
		return
	}
	d.add(",\n", indent, `"clustering" : [ `)
	for i, col := range d.v.table.Clustering {
		if i > 0 {
			d.add(", ")
		}
		switch {
		case i >= len(values):
			d.add(`"*"`)
		default:
			d.value(clusteringText(col.Type), values[i])
		}
	}
	d.add(" ]")
}

// clusteringText returns the type that a clustering is printed by: that of the base table's key for the key in an index.
func clusteringText(t *types.Type) *types.Type {
	if args, ok := unwrap(t.Class, "PartitionerDefinedOrder"); t.Kind == types.Custom && ok {
		if _, name, ok := strings.Cut(args, ":"); ok {
			if base, err := types.ParseJavaName(name); err == nil {
				return base
			}
		}
	}
	return t
}

func (d *dumper) marker(u *unfiltered) {
	m := &u.Marker
	name := "bound"
	if u.kind.IsBoundary() {
		name = "boundary"
	}
	d.add("\n      {\n        ", `"type" : "range_tombstone_`, name, `"`)
	if u.kind.opens() {
		d.bound("start", u.kind == KindInclStart || u.kind == KindExclEndInclStart, m.Values, m.Opened)
	}
	if u.kind.closes() {
		d.bound("end", u.kind == KindInclEnd || u.kind == KindInclEndExclStart, m.Values, m.Closed)
	}
	d.add("\n      }")
}

func (d *dumper) bound(name string, inclusive bool, values [][]byte, del row.Deletion) {
	kind := "exclusive"
	if inclusive {
		kind = "inclusive"
	}
	d.add(",\n        ", `"`, name, `" : {`, "\n          ", `"type" : "`, kind, `"`)
	d.clustering(values, "          ")
	d.add(",\n          ")
	d.deletion(del)
	d.add("\n        }")
}

// micros prints microseconds since 1970.
func (d *dumper) micros(us int64) string {
	if d.o.Raw {
		return strconv.FormatInt(us, 10)
	}
	return microText(us)
}

// seconds prints seconds since 1970.
func (d *dumper) seconds(s int64) string {
	if d.o.Raw {
		return strconv.FormatInt(s, 10)
	}
	return instantText(s, 0)
}

// microText prints microseconds since 1970 as java.time.Instant does, with Cassandra's rounding of negative ones: seconds
// toward zero, nanoseconds of what an int64 can hold.
func microText(us int64) string {
	nanos := int64(0)
	switch {
	case us > math.MaxInt64/1000:
		nanos = math.MaxInt64
	case us < math.MinInt64/1000:
		nanos = math.MinInt64
	default:
		nanos = us * 1000
	}
	nanos %= 1e9
	if nanos < 0 {
		nanos += 1e9
	}
	return instantText(us/1e6, nanos)
}

// instantText prints a time in UTC with no, three, six or nine digits of a second, a sign before years of more than four.
func instantText(seconds, nanos int64) string {
	t := time.Unix(seconds, nanos).UTC()
	b := make([]byte, 0, 40)
	year := t.Year()
	switch {
	case year > 9999:
		b = append(b, '+')
	case year < 0:
		b, year = append(b, '-'), -year
	}
	b = append(b, strings.Repeat("0", max(0, 4-len(strconv.Itoa(year))))...)
	b = strconv.AppendInt(b, int64(year), 10)
	b = t.AppendFormat(b, "-01-02T15:04:05")
	switch {
	case nanos == 0:
	case nanos%1e6 == 0:
		b = t.AppendFormat(b, ".000")
	case nanos%1e3 == 0:
		b = t.AppendFormat(b, ".000000")
	default:
		b = t.AppendFormat(b, ".000000000")
	}
	return string(append(b, 'Z'))
}
