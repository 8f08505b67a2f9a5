package sstable

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/vfs"
)

// EncodingStats are what the times in a file are stored relative to: the smaller of what is there, so that differences are
// small. They need not be true minima. Source: org.apache.cassandra.db.rows.EncodingStats.
type EncodingStats struct {
	MinTimestamp int64 // microseconds
	MinLocal     int64 // seconds
	MinTTL       int32 // seconds
}

// DefaultEncodingStats are those of data without timestamps, deletions and TTLs.
var DefaultEncodingStats = EncodingStats{MinTimestamp: epochMicros, MinLocal: epochSeconds}

// defaultColumnIndexSize is the setting column_index_size.
const defaultColumnIndexSize = 64 << 10

// WriterOptions say what a table is written for and how. Of Table.Options those of compression, of the Bloom filter and of
// the summary count.
type WriterOptions struct {
	Table *schema.Table
	// Static and Regular are the columns that the file lists, all of the table's when both are nil. Cells of a column that the
	// table does not have any more are left out; one that only the file does not list is an error.
	Static, Regular []*schema.Column
	// Partitioner is a class name, Murmur3Partitioner when it is empty; LocalPartitioner for the table of an index, whose
	// partitions are ordered by the type of the key.
	Partitioner string
	// ExpectedKeys sizes the Bloom filter; 0 when it is not known: then 16 bytes are kept for each partition until Finish.
	ExpectedKeys int64
	// ColumnIndexSize is from how many bytes on a block of rows in a partition has an entry in the index; 0 for 64 KiB.
	ColumnIndexSize int
	Compression     CompressionChoice
	Level           int32
	RepairedAt      int64 // milliseconds since 1970; 0 when not repaired
	// Encoding is what times are stored relative to; the zero value stands for DefaultEncodingStats.
	Encoding EncodingStats
	HostID   *schema.UUID // of the node, nil for none
}

// Writer writes a table of version nb. It is used by one goroutine. After an error only Abort is of use.
// Source: org.apache.cassandra.io.sstable.format.big.BigTableWriter; storage.md 1.
type Writer struct {
	fs    vfs.FS
	dir   string
	desc  Descriptor
	opts  WriterOptions
	stats Statistics
	order partitioned
	rows  clusteringOrder
	made  []string // files that were created
	err   error

	data   dataWriter
	index  indexWriter
	filter filterBuilder
	seen   collector
	enc    encoder
	blocks blockBuilder
	// last is the partition before.
	lastToken token.Token
	lastKey   []byte
	// lowest and highest are the ends of all clusterings and bounds; at is scratch.
	lowest, highest edge
	at              edge
	// prefix and cursor are scratch.
	prefix []byte
	cursor cursor
}

// edge is a place in partitions that was copied.
type edge struct {
	set    bool
	values [][]byte
	side   int
}

func (e *edge) put(values [][]byte, side int) {
	e.set, e.side = true, side
	e.values = append(e.values[:0], values...)
	cloneValues(e.values)
}

// clusteringOrder orders clusterings and bounds.
type clusteringOrder struct {
	table *schema.Table
	ring  []token.Partitioner // nil but for a clustering that is ordered by its token
}

// compare orders two places: clusterings (side 0), and bounds before or after what starts with their values (-1 and 1).
func (o *clusteringOrder) compare(a [][]byte, aSide int, b [][]byte, bSide int) int {
	for i := range min(len(a), len(b)) {
		d := 0
		if p := o.ring[i]; p == nil || a[i] == nil || b[i] == nil {
			d = o.table.Clustering[i].Compare(a[i], b[i])
		} else if d = p.Token(a[i]).Compare(p.Token(b[i])); d == 0 {
			d = slices.Compare(a[i], b[i])
		}
		if d != 0 {
			return d
		}
	}
	switch {
	case len(a) == len(b):
		return aSide - bSide
	case len(a) < len(b):
		return aSide
	}
	return -bSide
}

// NewWriter creates the files of a table that is to be written; the folder must be there. The caller calls Finish or Abort.
func NewWriter(fs vfs.FS, dir string, d Descriptor, o WriterOptions) (*Writer, error) {
	if d.Version != "nb" || d.Format != "big" {
		return nil, fmt.Errorf("%s: %w: only nb of format big is written", d, ErrVersion)
	}
	w := &Writer{fs: fs, dir: dir, desc: d, opts: o, seen: newCollector()}
	how, err := compressionOf(&o.Table.Options, o.Compression)
	if err != nil {
		return nil, err
	}
	if err := w.describe(); err != nil {
		return nil, err
	}
	w.filter = newFilterBuilder(w.stats.FilterChance, o.ExpectedKeys)
	w.index.interval = int64(max(o.Table.Options.MinIndexInterval, 1))
	w.blocks.size = int64(o.ColumnIndexSize)
	if o.ColumnIndexSize <= 0 {
		w.blocks.size = defaultColumnIndexSize
	}
	side := CompCRC
	if how != nil {
		side = CompCompression
	}
	w.made = []string{CompData, CompIndex, side}
	if err := w.data.open(fs, dir, d, how); err != nil {
		return nil, w.give(err)
	}
	if err := w.index.out.create(fs, dir, d.File(CompIndex)); err != nil {
		return nil, w.give(err)
	}
	return w, nil
}

// give removes what was made and returns err.
func (w *Writer) give(err error) error {
	if e := w.Abort(); e != nil {
		return fmt.Errorf("%w; and %w", err, e)
	}
	return err
}

// describe fills in what the statistics say of the table, and what rows are encoded by.
func (w *Writer) describe() error {
	t, o := w.opts.Table, &w.opts
	if o.Partitioner == "" {
		o.Partitioner = token.Murmur3{}.Class()
	}
	if o.Encoding == (EncodingStats{}) {
		o.Encoding = DefaultEncodingStats
	}
	if o.Static == nil && o.Regular == nil {
		o.Static, o.Regular = t.Static, t.Regular
	}
	h := &w.stats.Header
	h.MinTimestamp, h.MinLocal, h.MinTTL = o.Encoding.MinTimestamp, o.Encoding.MinLocal, int64(o.Encoding.MinTTL)
	h.KeyType = keyType(t)
	key, err := parseColumnType(h.KeyType)
	if err != nil {
		return err
	}
	if w.order, err = partitionedBy(o.Partitioner, key); err != nil {
		return err
	}
	w.stats.Partitioner, w.stats.FilterChance = o.Partitioner, t.Options.BloomFilterFPChance
	w.rows = clusteringOrder{table: t, ring: make([]token.Partitioner, len(t.Clustering))}
	w.enc = encoder{
		minTimestamp: h.MinTimestamp, minLocal: uint32(h.MinLocal), minTTL: h.MinTTL, stats: &w.seen,
		values: make([]valueType, len(t.Clustering)),
	}
	for i, c := range t.Clustering {
		name := c.Type.JavaName()
		ct, err := parseColumnType(name)
		if err != nil {
			return err
		}
		w.rows.ring[i], w.enc.values[i] = ct.ring, valueTypeOf(c.Type)
		if c.Desc {
			name = marshal + "ReversedType(" + name + ")"
		}
		h.ClusteringTypes = append(h.ClusteringTypes, name)
	}
	var static, regular []*schema.Column
	h.Static, static = headerColumns(o.Static)
	h.Regular, regular = headerColumns(o.Regular)
	w.enc.static, w.enc.regular = newFileColumns(t, h.Static, static), newFileColumns(t, h.Regular, regular)
	return nil
}

// keyType returns the class of the partition key.
func keyType(t *schema.Table) string {
	if len(t.PartitionKey) == 1 {
		return t.PartitionKey[0].Type.JavaName()
	}
	names := make([]string, len(t.PartitionKey))
	for i, c := range t.PartitionKey {
		names[i] = c.Type.JavaName()
	}
	return marshal + "CompositeType(" + strings.Join(names, ",") + ")"
}

// headerColumns returns columns in the order of the file.
func headerColumns(given []*schema.Column) ([]HeaderColumn, []*schema.Column) {
	columns := slices.Clone(given)
	slices.SortFunc(columns, func(a, b *schema.Column) int {
		x, y := HeaderColumn{Name: a.Name, typ: a.Type}, HeaderColumn{Name: b.Name, typ: b.Type}
		switch {
		case columnBefore(&x, &y):
			return -1
		case columnBefore(&y, &x):
			return 1
		}
		return 0
	})
	list := make([]HeaderColumn, len(columns))
	for i, c := range columns {
		list[i] = HeaderColumn{Name: c.Name, Type: c.Type.JavaName(), typ: c.Type}
	}
	return list, columns
}

// Append writes a partition, which has to stand behind the one before, and reads p.Rows to their end. A partition in which
// there is nothing is passed over; what its deletions hide is left out.
func (w *Writer) Append(p *row.Partition) error {
	if w.err == nil {
		w.err = w.append(p)
	}
	return w.err
}

// refuse returns an error about a partition.
func (w *Writer) refuse(p *row.Partition, format string, args ...any) error {
	return fmt.Errorf("%s: partition %x: %s", w.desc, p.Key, fmt.Sprintf(format, args...))
}

func (w *Writer) append(p *row.Partition) error {
	if len(p.Key) > math.MaxUint16 {
		return w.refuse(p, "a key of %d bytes", len(p.Key))
	}
	if w.index.keys > 0 && w.order.compare(w.lastToken, w.lastKey, p.Token, p.Key) >= 0 {
		return w.refuse(p, "it does not stand behind %x", w.lastKey)
	}
	if err := w.data.drain(); err != nil {
		return err
	}
	start := w.data.position()
	buf := append(append(w.data.buf, byte(len(p.Key)>>8), byte(len(p.Key))), p.Key...)
	buf = appendDeletion(buf, p.Deletion)
	if !p.Deletion.IsLive() {
		w.seen.deletion(p.Deletion)
	}
	rows := w.seen.rows
	if len(w.enc.static.list) > 0 {
		static := p.Static
		if static == nil {
			static = &emptyRow
		}
		var err error
		if buf, _, err = w.enc.row(buf, w.enc.visible(static, p.Deletion), true, 0); err != nil {
			return w.refuse(p, "static row: %v", err)
		}
	}
	w.data.buf = buf
	head := w.data.position() - start
	w.blocks.reset(head)
	some, err := w.appendRows(p, start)
	if err != nil {
		return err
	}
	if !some {
		if p.Deletion.IsLive() && w.seen.rows == rows {
			w.data.buf = w.data.buf[:start-w.data.base]
			return nil
		}
		w.data.buf = append(w.data.buf, flagEnd)
	}
	return w.end(p, start)
}

// emptyRow is a static row without content.
var emptyRow = row.Row{Liveness: row.NoLiveness, Deletion: row.Live}

// appendRows writes the rows and markers of a partition and what ends them; some is false when there are none, and nothing is
// written.
func (w *Writer) appendRows(p *row.Partition, start int64) (some bool, err error) {
	open := row.Live
	// last is the clustering, as it was encoded, of the last row or marker that was written, and lastKind what that was.
	previous, last, lastKind := start, []byte(nil), KindClustering
	for u := p.Rows.Next(); u != nil; u = p.Rows.Next() {
		if some && len(w.data.buf) >= w.data.chunk {
			w.prefix = append(w.prefix[:0], last...)
			last = w.prefix
			if err := w.data.drain(); err != nil {
				return some, err
			}
		}
		at := w.data.position()
		buf, length, prefix, kind := w.data.buf, len(w.data.buf), [2]int{}, KindClustering
		if u.Row != nil {
			buf, prefix, err = w.enc.row(buf, w.enc.visible(u.Row, p.Deletion.Max(open)), false, at-previous)
		} else {
			m := &u.Marker
			if m.Closed != open && !(m.Closed.IsLive() && open.IsLive()) {
				return some, w.refuse(p, "a marker closes a range deletion that is not the open one")
			}
			open = m.Opened
			var ok bool
			if kind, ok = markerKind(m); !ok {
				continue
			}
			buf, prefix, err = w.enc.marker(buf, m, kind, at-previous)
		}
		if err != nil {
			return some, w.refuse(p, "%v", err)
		}
		w.data.buf = buf
		if len(buf) == length {
			continue
		}
		last, lastKind = buf[prefix[0]:prefix[1]], kind
		w.blocks.add(kind, last, at-start, w.data.position()-start, open)
		if previous = at; !some {
			some = true
			w.lower(u, kind)
		}
	}
	switch {
	case p.Rows.Err() != nil:
		return some, p.Rows.Err()
	case !open.IsLive():
		return some, w.refuse(p, "a range deletion is open at its end")
	case !some:
		return false, nil
	}
	w.data.buf = append(w.data.buf, flagEnd)
	w.blocks.finish(lastKind, last, w.data.position()-start)
	return true, w.raise(lastKind, last)
}

// lower takes the first row or marker of a partition.
func (w *Writer) lower(u *row.Unfiltered, kind BoundKind) {
	values := u.Marker.Values
	if u.Row != nil {
		values = u.Row.Clustering
	}
	if !w.lowest.set || w.rows.compare(values, kind.side(), w.lowest.values, w.lowest.side) < 0 {
		w.lowest.put(values, kind.side())
	}
}

// raise takes the last row or marker of a partition as it was encoded.
func (w *Writer) raise(kind BoundKind, prefix []byte) error {
	w.cursor = cursor{b: prefix}
	c := &w.cursor
	if kind == KindClustering {
		w.at.values = readValues(c, w.at.values[:0], len(w.enc.values), w.enc.values)
	} else {
		w.at.values = readBoundValues(c, w.at.values[:0], w.enc.values)
	}
	if c.err != nil {
		return c.err
	}
	if !w.highest.set || w.rows.compare(w.at.values, kind.side(), w.highest.values, w.highest.side) > 0 {
		w.highest.put(w.at.values, kind.side())
	}
	return nil
}

// end ends a partition that has content.
func (w *Writer) end(p *row.Partition, start int64) error {
	w.seen.partition(p.Key, w.data.position()-start)
	w.filter.add(hashKey(p.Key))
	w.lastToken, w.lastKey = p.Token, append(w.lastKey[:0], p.Key...)
	return w.index.add(p.Key, start, &w.blocks, p.Deletion)
}

// Size returns how many bytes of the data and the index there are so far, on disk or on the way there.
func (w *Writer) Size() int64 { return w.data.out.size() + int64(len(w.data.buf)) + w.index.out.size() }

// Keys returns the number of partitions written so far.
func (w *Writer) Keys() int64 { return w.index.keys }

// Finish writes what is left and makes all files durable, TOC.txt last. A table without a partition leaves no files.
func (w *Writer) Finish() error {
	if w.err != nil {
		return w.err
	}
	if w.index.keys == 0 {
		return w.Abort()
	}
	w.err = w.finish()
	return w.err
}

func (w *Writer) finish() error {
	if err := w.data.finish(); err != nil {
		return err
	}
	if err := w.index.out.finish(); err != nil {
		return err
	}
	w.summarize()
	if head, bits, ok := w.filter.finish(); ok {
		if err := w.component(CompFilter, head, bits); err != nil {
			return err
		}
	}
	for _, c := range []struct {
		component string
		content   []byte
	}{
		{CompSummary, w.index.summary()},
		{CompStatistics, appendStatistics(nil, &w.stats)},
		{CompDigest, w.data.digest()},
	} {
		if err := w.component(c.component, c.content); err != nil {
			return err
		}
	}
	toc := append(slices.Clone(w.made), CompTOC)
	slices.Sort(toc)
	if err := w.component(CompTOC, []byte(strings.Join(toc, "\n")+"\n")); err != nil {
		return err
	}
	return w.fs.SyncDir(w.dir)
}

// summarize completes the statistics.
func (w *Writer) summarize() {
	s := &w.stats.Stats
	w.seen.fill(s)
	w.stats.Cardinality = w.seen.keys.appendTo(nil)
	none := LogPosition{Segment: -1}
	s.LogLower, s.LogUpper = none, none
	s.CompressionRatio = w.data.ratio()
	s.Level, s.RepairedAt, s.HostID = w.opts.Level, w.opts.RepairedAt, w.opts.HostID
	s.MinClustering, s.MaxClustering = w.lowest.values, w.highest.values
}

// component writes a whole file.
func (w *Writer) component(name string, parts ...[]byte) error {
	w.made = append(w.made, name)
	out := output{}
	if err := out.create(w.fs, w.dir, w.desc.File(name)); err != nil {
		return err
	}
	defer out.close()
	for _, p := range parts {
		out.buf = p
		if err := out.flush(); err != nil {
			return err
		}
	}
	return out.finish()
}

// Abort removes the files. It may be called after Finish has failed, and does nothing when it was called before.
func (w *Writer) Abort() error {
	if w.err == nil {
		w.err = fmt.Errorf("%s: the writer has ended", w.desc)
	}
	first := error(nil)
	for _, o := range []*output{&w.data.out, &w.data.side, &w.index.out} {
		if err := o.close(); first == nil {
			first = err
		}
	}
	for _, name := range w.made {
		if err := w.fs.Remove(path.Join(w.dir, w.desc.File(name))); err != nil && !isMissing(err) && first == nil {
			first = err
		}
	}
	w.made = nil
	return first
}
