package exec

import (
	"encoding/binary"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// fetch fills s.in.Values from a row, or, when r is nil, from a partition that has static columns alone. Values share the
// bytes of the row, or are built in s.scratch, which grows only.
func (s *selecting) fetch(key []byte, static, r *row.Row) error {
	s.scratch = s.scratch[:0]
	for i := range s.plan.Fetch {
		f := &s.plan.Fetch[i]
		c := f.Column
		var v []byte
		switch c.Kind {
		case schema.PartitionKey:
			v = request.KeyComponent(s.table, key, c.Position)
		case schema.Clustering:
			if r != nil && c.Position < len(r.Clustering) {
				v = r.Clustering[c.Position]
			}
		default:
			of := r
			if c.Kind == schema.Static {
				of = static
			}
			if of == nil {
				break
			}
			var err error
			if v, err = s.column(f, of); err != nil {
				return err
			}
		}
		s.in.Values[i] = v
	}
	return nil
}

// column returns what f asks for of a column outside of the primary key.
func (s *selecting) column(f *planner.Fetch, of *row.Row) ([]byte, error) {
	c := f.Column
	if c.Type.IsMultiCell() {
		cells := of.CellsOf(c.ID)
		if f.What == planner.FetchValue {
			return s.multiCell(c.Type, cells), nil
		}
		return s.times(f, cells)
	}
	cell := of.Cell(c.ID)
	if cell == nil || !cell.IsLive(s.env.Now) {
		return nil, nil
	}
	if f.What == planner.FetchValue {
		if c.Type.Kind == types.Counter {
			return s.built(binary.BigEndian.AppendUint64(s.scratch, uint64(row.CounterTotal(cell.Value)))), nil
		}
		return cell.Value, nil
	}
	return s.frozenTimes(f, cell)
}

// built takes what was appended to s.scratch as a value of its own.
func (s *selecting) built(grown []byte) []byte {
	v := grown[len(s.scratch):len(grown):len(grown)]
	s.scratch = grown
	return v
}

// multiCell serializes a collection or a user type from its cells; one without cells is null.
// Source: CollectionType.serializeForNativeProtocol, UserType.serializeForNativeProtocol.
func (s *selecting) multiCell(t *types.Type, cells []row.Cell) []byte {
	now := s.env.Now
	n := 0
	for i := range cells {
		if cells[i].IsLive(now) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	if t.Kind == types.UDT {
		return s.built(appendFields(s.scratch, t, cells, now))
	}
	dst := types.AppendCount(s.scratch, n)
	for i := range cells {
		c := &cells[i]
		if !c.IsLive(now) {
			continue
		}
		switch t.Kind {
		case types.List:
			dst = types.AppendElement(dst, c.Value)
		case types.Set:
			dst = types.AppendElement(dst, c.Path)
		default:
			dst = types.AppendElement(types.AppendElement(dst, c.Path), c.Value)
		}
	}
	return s.built(dst)
}

// appendFields appends the fields of a user type, null where there is no cell.
func appendFields(dst []byte, t *types.Type, cells []row.Cell, now int64) []byte {
	for i := range t.Fields {
		var v []byte
		if c := fieldCell(cells, i); c != nil && c.IsLive(now) {
			v = c.Value
		}
		dst = types.AppendField(dst, v)
	}
	return dst
}

// fieldCell is the cell of field i, or nil.
func fieldCell(cells []row.Cell, i int) *row.Cell {
	for j := range cells {
		if p := cells[j].Path; len(p) == 2 && int(binary.BigEndian.Uint16(p)) == i {
			return &cells[j]
		}
	}
	return nil
}

// appendTime appends the writetime or the ttl of a cell; ok is false when it has none.
func (s *selecting) appendTime(dst []byte, what planner.What, c *row.Cell) (out []byte, ok bool) {
	if c == nil || !c.IsLive(s.env.Now) {
		return dst, false
	}
	if what == planner.FetchTTL {
		if c.TTL == 0 {
			return dst, false
		}
		return binary.BigEndian.AppendUint32(dst, uint32(c.Local-s.env.Now)), true
	}
	return binary.BigEndian.AppendUint64(dst, uint64(c.Timestamp)), true
}

// single is the time of one cell, nil when it has none.
func (s *selecting) single(what planner.What, c *row.Cell) []byte {
	dst, ok := s.appendTime(s.scratch, what, c)
	if !ok {
		return nil
	}
	return s.built(dst)
}

// times returns the times of a multi-cell column, or of a part of it. Source: Selectable.WritetimeOrTTL, ColumnTimestamps.
func (s *selecting) times(f *planner.Fetch, cells []row.Cell) ([]byte, error) {
	t := f.Column.Type
	switch f.Part {
	case planner.PartField:
		return s.single(f.What, fieldCell(cells, f.Field)), nil
	case planner.PartElement:
		key, err := planner.SelectionKey(f.Key, s.env, "element", f.Column.Name)
		if err != nil {
			return nil, err
		}
		for i := range cells {
			if t.Elems[0].Compare(cells[i].Path, key) == 0 {
				return s.single(f.What, &cells[i]), nil
			}
		}
		return nil, nil
	}
	in, err := s.sliced(f, t)
	if err != nil {
		return nil, err
	}
	if f.What == planner.FetchMaxWritetime {
		var latest *row.Cell
		for i := range cells {
			c := &cells[i]
			if in(c.Path) && c.IsLive(s.env.Now) && (latest == nil || c.Timestamp > latest.Timestamp) {
				latest = c
			}
		}
		return s.single(f.What, latest), nil
	}
	return s.timeList(f.What, t, cells, in), nil
}

// sliced returns which paths f takes.
func (s *selecting) sliced(f *planner.Fetch, t *types.Type) (func(path []byte) bool, error) {
	if f.Part != planner.PartSlice {
		return func([]byte) bool { return true }, nil
	}
	from, err := planner.SliceEnd(f.From, s.env, f.Column.Name)
	if err != nil {
		return nil, err
	}
	to, err := planner.SliceEnd(f.To, s.env, f.Column.Name)
	return func(path []byte) bool {
		return (from == nil || t.Elems[0].Compare(path, from) >= 0) && (to == nil || t.Elems[0].Compare(path, to) <= 0)
	}, err
}

// timeList is the list of the times of cells: of a user type one for each field, null where it is missing.
func (s *selecting) timeList(what planner.What, t *types.Type, cells []row.Cell, in func([]byte) bool) []byte {
	dst := types.AppendCount(s.scratch, 0)
	n, live := 0, 0
	add := func(c *row.Cell) {
		n++
		at := len(dst)
		dst = append(dst, 0xff, 0xff, 0xff, 0xff)
		out, ok := s.appendTime(dst, what, c)
		if dst = out; ok {
			binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
		}
		if c != nil && c.IsLive(s.env.Now) {
			live++
		}
	}
	if t.Kind == types.UDT {
		for i := range t.Fields {
			add(fieldCell(cells, i))
		}
	} else {
		for i := range cells {
			if cells[i].IsLive(s.env.Now) && in(cells[i].Path) {
				add(&cells[i])
			}
		}
	}
	if live == 0 {
		return nil
	}
	binary.BigEndian.PutUint32(dst[len(s.scratch):], uint32(n))
	return s.built(dst)
}

// frozenTimes are the times of a column of one cell; an element or a slice of a frozen collection that is not there has
// none.
func (s *selecting) frozenTimes(f *planner.Fetch, cell *row.Cell) ([]byte, error) {
	if f.Part != planner.PartElement {
		return s.single(f.What, cell), nil
	}
	key, err := planner.SelectionKey(f.Key, s.env, "element", f.Column.Name)
	if err != nil {
		return nil, err
	}
	t := f.Column.Type
	found := false
	n, rest, err := types.Elements(cell.Value)
	for ; n > 0 && err == nil && !found; n-- {
		var k []byte
		if k, rest, err = types.NextElement(rest); err == nil && t.Kind == types.Map {
			_, rest, err = types.NextElement(rest)
		}
		found = err == nil && t.Elems[0].Compare(k, key) == 0
	}
	if !found {
		return nil, nil
	}
	return s.single(f.What, cell), nil
}
