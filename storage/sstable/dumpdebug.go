package sstable

import (
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/row"
)

// debugPartition prints a partition as sstabledump -d does: a line for its deletion and each row and marker, in the form in
// which Cassandra prints these to itself. Source: org.apache.cassandra.tools.SSTableExport, db.rows.AbstractRow.toString.
//
// Deviation: a field of a user type in cells of its own is printed with its name and as its own type; the original takes its
// bytes for those of the whole type, and dies of some.
func (d *dumper) debugPartition(p *partition) {
	key := "[" + d.v.r.keyText(p.Key) + "]@"
	if !p.Deletion.IsLive() {
		d.add(key, strconv.FormatInt(p.rows, 10), " ", debugDeletion(p.Deletion), "\n")
	}
	if p.Static != nil {
		d.add(key, strconv.FormatInt(p.rows, 10), " ")
		d.debugRow(p.Static, "STATIC")
	}
	for u := p.next(); u != nil && d.err == nil; u = p.next() {
		d.add(key, strconv.FormatInt(u.position, 10), " ")
		if u.Row == nil {
			d.debugMarker(u)
		} else {
			values := make([]string, len(u.Row.Clustering))
			for i, v := range u.Row.Clustering {
				values[i] = string(d.v.table.Clustering[i].Type.AppendCQL(nil, v))
			}
			d.debugRow(u.Row, strings.Join(values, ", "))
		}
		d.flush(flushAt)
	}
}

func debugDeletion(del row.Deletion) string {
	return "deletedAt=" + strconv.FormatInt(del.Timestamp, 10) + ", localDeletion=" + strconv.FormatInt(del.Local, 10)
}

func (d *dumper) debugRow(r *row.Row, name string) {
	d.add("Row[info=[ts=", strconv.FormatInt(r.Liveness.Timestamp, 10))
	if r.Liveness.TTL > 0 {
		d.add(" ttl=", strconv.Itoa(int(r.Liveness.TTL)), ", let=", strconv.FormatInt(r.Liveness.Expiry, 10))
	}
	d.add("] ")
	if !r.Deletion.IsLive() {
		d.add("del=", debugDeletion(r.Deletion), " ")
	}
	d.add("]: ", name, " | ", strings.Join(d.debugCells(r), ", "), "\n")
}

// debugCells returns the cells of a row; before those of a column of many cells stands its deletion, or nothing.
func (d *dumper) debugCells(r *row.Row) []string {
	var out []string
	complexes := r.Complex
	for i := range r.Cells {
		c := &r.Cells[i]
		col := d.v.table.ByID[c.Column]
		for len(complexes) > 0 && complexes[0].Column < c.Column {
			out = append(out, d.debugComplex(&complexes[0]))
			complexes = complexes[1:]
		}
		if col.Type.IsMultiCell() && (i == 0 || r.Cells[i-1].Column != c.Column) {
			if len(complexes) > 0 && complexes[0].Column == c.Column {
				out = append(out, d.debugComplex(&complexes[0]))
				complexes = complexes[1:]
			} else {
				out = append(out, "")
			}
		}
		out = append(out, d.debugCell(c))
	}
	for i := range complexes {
		out = append(out, d.debugComplex(&complexes[i]))
	}
	return out
}

func (d *dumper) debugComplex(c *row.ComplexDeletion) string {
	return "del(" + d.v.table.ByID[c.Column].Name + ")=" + debugDeletion(c.Deletion)
}

func (d *dumper) debugCell(c *row.Cell) string {
	col := d.v.table.ByID[c.Column]
	name, t := col.Name, col.Type
	if t.IsMultiCell() {
		var path string
		switch {
		case t.Kind == types.UDT && len(c.Path) == 2 && int(types.Int16(c.Path)) < len(t.Fields) && types.Int16(c.Path) >= 0:
			i := types.Int16(c.Path)
			path, t = t.Fields[i], t.Elems[i]
		case t.Kind == types.UDT:
			path, t = plainText(types.TBlob, c.Path), types.TBlob
		case t.Kind == types.Set:
			path, t = plainText(pathType(t), c.Path), types.TEmpty
		default:
			path, t = plainText(pathType(t), c.Path), t.Elems[len(t.Elems)-1]
		}
		name += "[" + path + "]"
	}
	ts := " ts=" + strconv.FormatInt(c.Timestamp, 10)
	switch {
	case c.IsTombstone():
		return "[" + name + "=<tombstone>" + ts + " ldt=" + strconv.FormatInt(c.Local, 10) + "]"
	case t.Kind == types.Counter:
		return "[" + name + "=" + strconv.FormatInt(row.CounterTotal(c.Value), 10) + ts + "]"
	case c.TTL > 0:
		ts += " ttl=" + strconv.Itoa(int(c.TTL)) + " ldt=" + strconv.FormatInt(c.Local, 10)
	}
	return "[" + name + "=" + plainText(t, c.Value) + ts + "]"
}

// kindNames are the names of the kinds of bounds.
var kindNames = [boundKinds]string{
	KindExclEnd: "EXCL_END_BOUND", KindInclStart: "INCL_START_BOUND", KindExclEndInclStart: "EXCL_END_INCL_START_BOUNDARY",
	KindStatic: "STATIC_CLUSTERING", KindClustering: "CLUSTERING", KindInclEndExclStart: "INCL_END_EXCL_START_BOUNDARY",
	KindInclEnd: "INCL_END_BOUND", KindExclStart: "EXCL_START_BOUND",
}

func (d *dumper) debugMarker(u *unfiltered) {
	m := &u.Marker
	values := make([]string, len(m.Values))
	for i, v := range m.Values {
		values[i] = plainText(clusteringText(d.v.table.Clustering[i].Type), v)
	}
	d.add("Marker ", kindNames[u.kind], "(", strings.Join(values, ", "), ")@")
	at := func(del row.Deletion) string {
		return strconv.FormatInt(del.Timestamp, 10) + "/" + strconv.FormatInt(del.Local, 10)
	}
	switch {
	case u.kind.IsBoundary():
		d.add(at(m.Closed), "-", at(m.Opened))
	case u.kind.opens():
		d.add(at(m.Opened))
	default:
		d.add(at(m.Closed))
	}
	d.add("\n")
}
