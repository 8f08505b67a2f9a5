package exec

import (
	"slices"
)

// sortRow is a row that waits to be sorted; it owns its cells.
type sortRow [][]byte

// keep copies a row.
func (s *selecting) keep(cells [][]byte) {
	size := 0
	for _, c := range cells {
		size += len(c)
	}
	buf := make([]byte, 0, size)
	r := make(sortRow, len(cells))
	for i, c := range cells {
		if c == nil {
			continue
		}
		at := len(buf)
		buf = append(buf, c...)
		r[i] = buf[at:len(buf):len(buf)]
	}
	s.sorted = append(s.sorted, r)
}

// emitSorted sends the rows that were kept, in order, up to the limit. Source: SelectStatement.orderResults.
func (s *selecting) emitSorted() error {
	if s.plan.Sort == nil {
		return nil
	}
	slices.SortStableFunc(s.sorted, s.compareRows)
	for i, r := range s.sorted {
		if i >= s.limit {
			break
		}
		if err := s.send(r); err != nil {
			return err
		}
	}
	return nil
}

// compareRows orders two rows by the plan's sort keys. Null stands first in stored order.
func (s *selecting) compareRows(a, b sortRow) int {
	for i := range s.plan.Sort {
		k := &s.plan.Sort[i]
		x, y := a[k.Cell], b[k.Cell]
		c := 0
		switch {
		case x == nil && y == nil:
		case x == nil:
			c = -1
		case y == nil:
			c = 1
		default:
			c = k.Column.Compare(x, y)
		}
		if c != 0 {
			if k.Reversed {
				return -c
			}
			return c
		}
	}
	return 0
}
