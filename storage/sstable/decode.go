package sstable

import (
	"math"
	"slices"

	"github.com/helenusdb/helenus/storage/row"
)

// The flags of a row or marker, and those of the byte that follows when flagExtended is set.
// Source: org.apache.cassandra.db.rows.UnfilteredSerializer.
const (
	flagEnd       = 0x01
	flagMarker    = 0x02
	flagTimestamp = 0x04
	flagTTL       = 0x08
	flagDeletion  = 0x10
	flagAll       = 0x20
	flagComplex   = 0x40
	flagExtended  = 0x80

	flagStatic     = 0x01
	flagShadowable = 0x02
)

// The flags of a cell. Source: org.apache.cassandra.db.rows.Cell.
const (
	cellDeleted      = 0x01
	cellExpiring     = 0x02
	cellEmpty        = 0x04
	cellRowTimestamp = 0x08
	cellRowTTL       = 0x10
)

// unfiltered is what stands in a partition after its head, with what a file knows of it and its readers need not.
type unfiltered struct {
	row.Unfiltered
	// kind is what the file says of a marker; it is not set for one that stands for the end of a slice.
	kind BoundKind
	// position is that of the first byte in the uncompressed data; -1 for a marker that stands for the end of a slice.
	position int64
}

// rowSizes is what a row or marker says of its own size and that of what stands before it.
type rowSizes struct{ start, size, previous int64 }

// decoder decodes the content of partitions. What it returns is valid until the next call that returns the same.
type decoder struct {
	v    *View
	head *Header
	ver  Version
	// clustering, present, row and u are reused.
	clustering [][]byte
	present    []bool
	row        row.Row
	u          unfiltered
	sizes      rowSizes
	// flags and ext are those of the row that begin has met, end is where it ends, in the file.
	flags, ext byte
	end        int64
	// static is a row of its own: it lives as long as the partition.
	static row.Row
	// The first memory of what is reused.
	values [4][]byte
	cells  [8]row.Cell
}

// open prepares d for a table.
func (d *decoder) open(v *View) {
	d.v, d.head, d.ver = v, &v.r.stats.Header, v.r.desc.Version
	if d.clustering == nil {
		d.clustering, d.row.Cells = d.values[:0], d.cells[:0]
	}
}

func (d *decoder) timestamp(c *cursor) int64 { return int64(c.uvint()) + d.head.MinTimestamp }

func (d *decoder) local(c *cursor) int64 {
	return localOf(uint32(c.uvint())+uint32(d.head.MinLocal), d.ver)
}

func (d *decoder) ttl(c *cursor) int32 {
	ttl := int64(c.uvint()) + d.head.MinTTL
	if ttl < 0 || ttl > math.MaxInt32 {
		c.fail("impossible TTL %d", ttl)
		return 0
	}
	return int32(ttl)
}

func (d *decoder) deletion(c *cursor) row.Deletion {
	ts, local := d.timestamp(c), d.local(c)
	return deletionOf(ts, local)
}

// begin decodes a marker, or the clustering of a row, into d.u; done is true at the end of the partition. A row is decoded
// whole by rest, which needs the bytes up to d.end.
func (d *decoder) begin(c *cursor) (done bool) {
	start := c.i
	if d.u.Row == nil {
		d.u = unfiltered{}
	}
	d.u.position = c.at()
	flags := c.u8()
	if flags&flagEnd != 0 {
		return true
	}
	if flags&flagMarker != 0 {
		d.marker(c, start)
		return false
	}
	ext := byte(0)
	if flags&flagExtended != 0 {
		ext = c.u8()
	}
	if ext&flagStatic != 0 || ext&^(flagStatic|flagShadowable) != 0 {
		c.fail("%02x are not the extended flags of a row", ext)
		return false
	}
	d.clustering = readValues(c, d.clustering[:0], len(d.v.values), d.v.values)
	d.row.Clustering = nil
	if len(d.clustering) > 0 {
		d.row.Clustering = d.clustering
	}
	d.flags, d.ext = flags, ext
	d.u.Row = &d.row
	d.size(c, start)
	return false
}

// rest decodes what stands behind what begin has decoded of a row.
func (d *decoder) rest(c *cursor) {
	d.body(c, d.flags, &d.row, &d.v.regular)
	// A shadowable deletion, which only old materialized views have, gives way to newer liveness.
	if d.ext&flagShadowable != 0 && d.row.Liveness.Timestamp > d.row.Deletion.Timestamp {
		d.row.Deletion = row.Live
	}
}

// size reads the size of what follows and that of what stands before: it sets d.end.
func (d *decoder) size(c *cursor, start int) {
	size := c.uvint()
	if c.err != nil {
		return
	}
	if size > uint64(d.v.r.data.length-c.at()) {
		c.fail("%d bytes follow where %d are left", size, d.v.r.data.length-c.at())
		return
	}
	d.end = c.at() + int64(size)
	d.sizes = rowSizes{start: c.base + int64(start), size: d.end - c.base - int64(start)}
	d.sizes.previous = int64(c.uvint())
	if c.err == nil && c.at() > d.end {
		c.fail("%d bytes are less than the size of what stands before takes", size)
	}
}

// finish sees that the content ended where its size said.
func (d *decoder) finish(c *cursor) {
	if c.err == nil && c.at() != d.end {
		c.fail("the content ends here, its size says %d bytes further", d.end-c.at())
	}
}

func (d *decoder) marker(c *cursor, start int) {
	kind := BoundKind(c.u8())
	if kind >= boundKinds || kind == KindStatic || kind == KindClustering {
		c.fail("%d is not the kind of a marker", kind)
		return
	}
	d.clustering = readBoundValues(c, d.clustering[:0], d.v.values)
	d.size(c, start)
	m := row.Marker{Cut: row.Cut{Values: d.clustering, After: kind.side() > 0}, Closed: row.Live, Opened: row.Live}
	if kind.closes() {
		m.Closed = d.deletion(c)
	}
	if kind.opens() {
		m.Opened = d.deletion(c)
	}
	d.finish(c)
	d.u.Row, d.u.Marker, d.u.kind = nil, m, kind
}

// staticRow decodes the static row that follows a partition's deletion; it returns nil for an empty one.
func (d *decoder) staticRow(c *cursor) *row.Row {
	start := c.i
	flags := c.u8()
	ext := byte(0)
	if flags&flagExtended != 0 {
		ext = c.u8()
	}
	if c.err == nil && (flags&(flagEnd|flagMarker) != 0 || ext&^flagShadowable != flagStatic) {
		c.fail("%02x %02x are not the flags of a static row", flags, ext)
	}
	d.size(c, start)
	d.body(c, flags, &d.static, &d.v.static)
	if d.static.IsEmpty() {
		return nil
	}
	return &d.static
}

// body decodes what follows the clustering and the sizes of a row.
func (d *decoder) body(c *cursor, flags byte, r *row.Row, cs *columns) {
	r.Liveness, r.Deletion, r.Complex, r.Cells = row.NoLiveness, row.Live, r.Complex[:0], r.Cells[:0]
	if flags&flagTimestamp != 0 {
		r.Liveness.Timestamp = d.timestamp(c)
		if flags&flagTTL != 0 {
			r.Liveness.TTL = d.ttl(c)
			r.Liveness.Expiry = d.local(c)
		}
	}
	if flags&flagDeletion != 0 {
		r.Deletion = d.deletion(c)
	}
	present := d.subset(c, flags&flagAll != 0, len(cs.list))
	for i := range cs.list {
		if present != nil && !present[i] {
			continue
		}
		if c.err != nil {
			return
		}
		col := &cs.list[i]
		if !col.complex {
			d.cell(c, r, col)
			continue
		}
		if flags&flagComplex != 0 {
			if del := d.deletion(c); col.id != 0 && !del.IsLive() && del.Timestamp > col.droppedAt {
				r.Complex = append(r.Complex, row.ComplexDeletion{Column: col.id, Deletion: del})
			}
		}
		for range c.count(1) {
			if d.cell(c, r, col); c.err != nil {
				return
			}
		}
	}
	d.finish(c)
	if !cs.sorted {
		slices.SortStableFunc(r.Cells, func(a, b row.Cell) int { return int(a.Column) - int(b.Column) })
		slices.SortStableFunc(r.Complex, func(a, b row.ComplexDeletion) int { return int(a.Column) - int(b.Column) })
	}
}

// manyColumns is from how many columns on a subset is written as a list of numbers.
const manyColumns = 64

// subset reads which of n columns a row has; nil stands for all. Source: org.apache.cassandra.db.Columns.Serializer.
func (d *decoder) subset(c *cursor, all bool, n int) []bool {
	if all {
		return nil
	}
	v := c.uvint()
	if v == 0 {
		return nil
	}
	d.present = slices.Grow(d.present[:0], n)[:n]
	if n < manyColumns {
		if v>>n != 0 {
			c.fail("a subset %x of %d columns", v, n)
		}
		for i := range d.present {
			d.present[i] = v>>i&1 == 0
		}
		return d.present
	}
	if v > uint64(n) {
		c.fail("a subset without %d of %d columns", v, n)
		return d.present
	}
	listed, listPresent := int(v), n-int(v) < n/2
	if listPresent {
		listed = n - int(v)
	}
	for i := range d.present {
		d.present[i] = !listPresent
	}
	for range listed {
		i := c.uvint()
		if i >= uint64(n) {
			c.fail("column %d of %d", i, n)
			return d.present
		}
		d.present[i] = listPresent
	}
	return d.present
}

// cell decodes a cell and appends it to r unless its column was dropped.
func (d *decoder) cell(c *cursor, r *row.Row, col *column) {
	at := c.i
	flags := c.u8()
	n := len(r.Cells)
	if n == cap(r.Cells) {
		r.Cells = slices.Grow(r.Cells, 1)
	}
	r.Cells = r.Cells[:n+1]
	cell := &r.Cells[n]
	*cell = row.Cell{Column: col.id, Timestamp: r.Liveness.Timestamp, Local: row.NoLocal}
	switch {
	case flags&cellRowTimestamp == 0:
		cell.Timestamp = d.timestamp(c)
	case cell.Timestamp == row.NoTimestamp:
		c.i = at
		c.fail("a cell with the timestamp of a row that has none")
		return
	}
	if flags&(cellDeleted|cellExpiring) != 0 {
		if flags&cellRowTTL != 0 {
			cell.Local, cell.TTL = r.Liveness.Expiry, r.Liveness.TTL
		} else {
			cell.Local = d.local(c)
			if flags&cellExpiring != 0 {
				cell.TTL = d.ttl(c)
			}
		}
	}
	if col.complex {
		cell.Path = c.vbytes()
	}
	if flags&cellEmpty == 0 {
		cell.Value = col.value.read(c)
	} else if flags&cellDeleted == 0 {
		cell.Value = emptyValue
	}
	if flags&cellDeleted != 0 {
		cell.Value, cell.TTL = nil, 0
	}
	if flags&^(cellDeleted|cellExpiring|cellEmpty|cellRowTimestamp|cellRowTTL) != 0 ||
		flags&cellDeleted != 0 && (flags&cellExpiring != 0 || cell.Local == row.NoLocal) ||
		flags&cellExpiring != 0 && (cell.Local == row.NoLocal || cell.TTL == 0) {
		c.fail("%02x are not the flags of a cell", flags)
		return
	}
	if col.id == 0 || cell.Timestamp <= col.droppedAt {
		r.Cells = r.Cells[:n]
	}
}
