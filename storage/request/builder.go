package request

import (
	"encoding/binary"
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage/row"
)

// Builder encodes the change of one partition. Reset begins one; Static or Row opens a row and the calls that follow
// describe it, until the next Static, Row, DeletePartition or DeleteRange; Mutation ends it. Cells may come in any order;
// of two for one place the one that reconciliation prefers is kept, increments of one counter add up. Everything given is
// copied. A Builder may be used again and be pooled; it is used by one goroutine.
type Builder struct {
	table   *schema.Table
	key     []byte
	tok     token.Token
	out     []byte // the changes so far
	scratch []byte // paths and values of the open row
	open    changeKind
	// start is where in out the open row's length stands, body where its body is to begin.
	start   int
	row     row.Row
	counter bool
	stats   row.Stats // of out
}

// Reset begins the change of the partition key of t, whose token is tok.
func (b *Builder) Reset(t *schema.Table, key []byte, tok token.Token) {
	b.table, b.tok = t, tok
	b.key = append(b.key[:0], key...)
	b.out, b.scratch = b.out[:0], b.scratch[:0]
	b.open, b.counter, b.stats = changeNone, false, row.NoStats
	b.clearRow()
}

func (b *Builder) clearRow() {
	b.row.Liveness, b.row.Deletion = row.NoLiveness, row.Live
	b.row.Cells, b.row.Complex = b.row.Cells[:0], b.row.Complex[:0]
}

// DeletePartition deletes everything in the partition, its static row too.
func (b *Builder) DeletePartition(d row.Deletion) {
	b.finish()
	b.out = append(b.out, byte(changePartition))
	b.out = row.AppendDeletion(b.out, d)
	b.stats.AddDeletion(d)
}

// DeleteRange deletes the rows of a slice.
func (b *Builder) DeleteRange(s row.Slice, d row.Deletion) {
	b.finish()
	b.out = append(b.out, byte(changeRange))
	b.out = row.AppendSlice(b.out, s)
	b.out = row.AppendDeletion(b.out, d)
	b.stats.AddDeletion(d)
}

// Static opens the static row.
func (b *Builder) Static() { b.begin(changeStatic) }

// Row opens the row of a clustering; in a table without clustering columns it is empty.
func (b *Builder) Row(clustering [][]byte) {
	b.begin(changeRow)
	b.out = row.AppendValues(b.out, clustering)
}

func (b *Builder) begin(k changeKind) {
	b.finish()
	b.out = append(b.out, byte(k), 0, 0, 0, 0)
	b.start, b.open = len(b.out), k
}

// Liveness sets the marker of the open row.
func (b *Builder) Liveness(l row.Liveness) {
	if l.Supersedes(b.row.Liveness) {
		b.row.Liveness = l
	}
}

// DeleteRow deletes the open row.
func (b *Builder) DeleteRow(d row.Deletion) { b.row.Deletion = b.row.Deletion.Max(d) }

// Cell adds a cell to the open row.
func (b *Builder) Cell(c row.Cell) {
	c.Path, c.Value = b.keep(c.Path), b.keep(c.Value)
	b.row.Cells = append(b.row.Cells, c)
}

// keep copies v to the scratch; nil stays nil and empty empty. When the scratch grows, what was kept before stays where it was.
func (b *Builder) keep(v []byte) []byte {
	if len(v) == 0 {
		return v
	}
	at := len(b.scratch)
	b.scratch = append(b.scratch, v...)
	return b.scratch[at:len(b.scratch):len(b.scratch)]
}

// DeleteComplex deletes the elements of a multi-cell column of the open row.
func (b *Builder) DeleteComplex(id schema.ColumnID, d row.Deletion) {
	b.row.Complex = append(b.row.Complex, row.ComplexDeletion{Column: id, Deletion: d})
}

// CounterDelta adds delta to a counter of the open row. The mutation becomes a counter mutation.
func (b *Builder) CounterDelta(id schema.ColumnID, delta int64) {
	b.counter = true
	at := len(b.scratch)
	b.scratch = binary.BigEndian.AppendUint64(b.scratch, uint64(delta))
	b.row.Cells = append(b.row.Cells, row.Cell{Column: id, Value: b.scratch[at:len(b.scratch):len(b.scratch)], Local: row.NoLocal})
}

// finish encodes the open row.
func (b *Builder) finish() {
	if b.open == changeNone {
		return
	}
	b.sortCells()
	b.sortComplex()
	b.out = row.AppendBody(b.out, &b.row)
	b.stats.AddRow(&b.row)
	binary.LittleEndian.PutUint32(b.out[b.start-4:], uint32(len(b.out)-b.start))
	b.open = changeNone
	b.scratch = b.scratch[:0]
	b.clearRow()
}

// sortCells sorts the open row's cells and merges those of one place. Cells that come in order by distinct columns, as
// those of most statements do, cost one comparison each.
func (b *Builder) sortCells() {
	cells := b.row.Cells
	sorted := true
	for i := 1; i < len(cells) && sorted; i++ {
		sorted = cells[i-1].Column < cells[i].Column
	}
	if sorted {
		return
	}
	slices.SortStableFunc(cells, func(x, y row.Cell) int { return compareCells(b.table, &x, &y) })
	n := 0
	for i := 1; i < len(cells); i++ {
		if compareCells(b.table, &cells[n], &cells[i]) != 0 {
			n++
			cells[n] = cells[i]
			continue
		}
		x, y := &cells[n], &cells[i]
		switch {
		case b.table.Counter && len(x.Value) == 8 && len(y.Value) == 8:
			sum := binary.BigEndian.Uint64(x.Value) + binary.BigEndian.Uint64(y.Value)
			binary.BigEndian.PutUint64(x.Value, sum)
		case b.table.Counter:
			*x = row.ReconcileCounter(x, y)
		default:
			*x = *row.Reconcile(x, y)
		}
	}
	b.row.Cells = cells[:n+1]
}

func (b *Builder) sortComplex() {
	list := b.row.Complex
	if len(list) < 2 {
		return
	}
	slices.SortStableFunc(list, func(x, y row.ComplexDeletion) int { return int(x.Column) - int(y.Column) })
	n := 0
	for _, d := range list[1:] {
		if list[n].Column == d.Column {
			list[n].Deletion = list[n].Max(d.Deletion)
			continue
		}
		n++
		list[n] = d
	}
	b.row.Complex = list[:n+1]
}

// Key returns the partition key that Reset was given. It is valid until the next Reset.
func (b *Builder) Key() []byte { return b.key }

// View ends the change and returns it without a copy: key and data are the builder's memory, valid until its next call.
func (b *Builder) View() Mutation {
	b.finish()
	return Mutation{Table: b.table, Key: b.key[:len(b.key):len(b.key)], Token: b.tok, Data: b.out[:len(b.out):len(b.out)],
		Counter: b.counter, Stats: b.stats}
}

// Mutation ends the change. The result shares nothing with the builder; key and data are one allocation.
func (b *Builder) Mutation() Mutation {
	b.finish()
	n := len(b.key)
	buf := make([]byte, n+len(b.out))
	copy(buf, b.key)
	copy(buf[n:], b.out)
	return Mutation{Table: b.table, Key: buf[:n:n], Token: b.tok, Data: buf[n:], Counter: b.counter, Stats: b.stats}
}

// compareCells orders two cells of a row of t.
func compareCells(t *schema.Table, a, b *row.Cell) int {
	if a.Column != b.Column {
		return int(a.Column) - int(b.Column)
	}
	if a.Path == nil && b.Path == nil {
		return 0
	}
	c := columnOf(t, a.Column)
	if c == nil {
		return row.ComparePaths(nil, a.Path, b.Path)
	}
	return row.ComparePaths(row.PathType(c.Type), a.Path, b.Path)
}

// columnOf finds a column of t, or one that it had.
func columnOf(t *schema.Table, id schema.ColumnID) *schema.Column {
	if c := t.ByID[id]; c != nil {
		return c
	}
	for _, d := range t.Dropped {
		if d.Column != nil && d.Column.ID == id {
			return d.Column
		}
	}
	return nil
}
