package exec

import (
	"bytes"
	"encoding/binary"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// errUnsetCondition refuses an unset right side.
var errUnsetCondition = cql.Invalidf("Invalid 'unset' value in condition")

// holds tests one condition on a row, which is nil when there is none.
// Source: org.apache.cassandra.cql3.conditions.ColumnCondition.Bound.appliesTo.
func (c *boundCondition) holds(found *row.Row) (bool, error) {
	current, err := c.current(found)
	if err != nil {
		return false, err
	}
	values, err := c.values()
	if err != nil {
		return false, err
	}
	op := c.Op
	if op == request.OpIN {
		op = request.OpEQ
	}
	for _, v := range values {
		ok, err := c.compare(op, current, v)
		if err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

// values evaluates the right side: one value, or those of IN. Values left unset in a list are dropped.
func (c *boundCondition) values() ([][]byte, error) {
	if c.Op != request.OpIN {
		v, unset, err := c.Value.Eval(c.env)
		switch {
		case err != nil:
			return nil, err
		case unset && (c.Op == request.OpContains || c.Op == request.OpContainsKey):
			return nil, nil
		case unset:
			return nil, errUnsetCondition
		}
		return [][]byte{v}, nil
	}
	var list [][]byte
	if c.Value == nil {
		for _, term := range c.Values {
			v, unset, err := term.Eval(c.env)
			if err != nil {
				return nil, err
			}
			if !unset {
				list = append(list, v)
			}
		}
		return list, nil
	}
	v, unset, err := c.Value.Eval(c.env)
	switch {
	case err != nil:
		return nil, err
	case unset:
		return nil, errUnsetCondition
	case v == nil:
		return nil, cql.Invalidf("Invalid null list in IN condition")
	}
	n, rest, err := types.Elements(v)
	for ; err == nil && n > 0; n-- {
		var e []byte
		if e, rest, err = types.NextElement(rest); err == nil {
			list = append(list, e)
		}
	}
	return list, err
}

// current is the value that the condition tests; nil is null. A collection or user type of several cells is serialized.
func (c *boundCondition) current(found *row.Row) ([]byte, error) {
	if c.Access == planner.ElementOf {
		return c.element(found)
	}
	if found == nil {
		return nil, nil
	}
	s := selecting{env: c.env}
	v, err := s.column(&planner.Fetch{Column: c.Column, What: planner.FetchValue}, found)
	if err != nil || c.Access == planner.WholeColumn || v == nil {
		return v, err
	}
	for i := 0; ; i++ {
		field, tail, more, err := types.NextField(v)
		if err != nil || !more || i == c.Field {
			return field, err
		}
		v = tail
	}
}

// element is the element of a list or map that the condition tests.
func (c *boundCondition) element(found *row.Row) ([]byte, error) {
	isMap := c.Column.Type.Kind == types.Map
	key, unset, err := c.Key.Eval(c.env)
	switch {
	case err != nil:
		return nil, err
	case unset:
		return nil, nil
	case key == nil && isMap:
		return nil, cql.Invalidf("Invalid null value for map element access")
	case len(key) == 0 && !isMap:
		return nil, cql.Invalidf("Invalid null value for list element access")
	}
	index := 0
	if !isMap {
		if index = int(int32(binary.BigEndian.Uint32(key))); index < 0 {
			return nil, cql.Invalidf("Invalid negative list index %d", index)
		}
	}
	if found == nil {
		return nil, nil
	}
	s := selecting{env: c.env}
	v, err := s.column(&planner.Fetch{Column: c.Column, What: planner.FetchValue}, found)
	if err != nil || v == nil {
		return nil, err
	}
	n, rest, err := types.Elements(v)
	for i := 0; err == nil && i < n; i++ {
		var k, e []byte
		if isMap {
			if k, rest, err = types.NextElement(rest); err != nil {
				break
			}
		}
		if e, rest, err = types.NextElement(rest); err != nil {
			break
		}
		if isMap && c.Column.Type.Elems[0].Compare(k, key) == 0 || !isMap && i == index {
			return e, nil
		}
	}
	return nil, err
}

// compare tests current op value.
func (c *boundCondition) compare(op request.Op, current, value []byte) (bool, error) {
	if value == nil {
		switch op {
		case request.OpEQ:
			return current == nil, nil
		case request.OpNEQ:
			return current != nil, nil
		}
		return false, cql.Invalidf(`Invalid comparison with null for operator "%s"`, c.OpName())
	}
	multi := c.Access == planner.WholeColumn && c.Type.IsMultiCell()
	if op == request.OpContains || op == request.OpContainsKey {
		return current != nil && contains(c.Type, op, current, value), nil
	}
	if multi && c.Type.IsCollection() {
		if n, _, err := types.Elements(value); err == nil && n == 0 {
			// A collection that is not frozen has no empty value: without elements it is null.
			switch op {
			case request.OpEQ:
				return current == nil, nil
			case request.OpNEQ:
				return current != nil, nil
			}
			return false, cql.Invalidf(`Invalid comparison with an empty %s for operator "%s"`, c.Type.Kind, c.OpName())
		}
	}
	if current == nil {
		return op == request.OpNEQ, nil
	}
	order := 0
	if multi && c.Type.IsCollection() {
		order = compareElements(c.Type, current, value)
	} else {
		order = c.Type.Compare(current, value)
	}
	switch op {
	case request.OpEQ:
		return order == 0, nil
	case request.OpNEQ:
		return order != 0, nil
	case request.OpLT:
		return order < 0, nil
	case request.OpLE:
		return order <= 0, nil
	case request.OpGT:
		return order > 0, nil
	case request.OpGE:
		return order >= 0, nil
	}
	return false, nil
}

// compareElements orders two collections element by element, of maps key then value; a prefix stands before what is
// longer.
func compareElements(t *types.Type, a, b []byte) int {
	width := len(t.Elems)
	n, ra, errA := types.Elements(a)
	m, rb, errB := types.Elements(b)
	if errA != nil || errB != nil {
		return bytes.Compare(a, b)
	}
	for i := range min(n, m) * width {
		var x, y []byte
		if x, ra, errA = types.NextElement(ra); errA != nil {
			break
		}
		if y, rb, errB = types.NextElement(rb); errB != nil {
			break
		}
		if c := t.Elems[i%width].Compare(x, y); c != 0 {
			return c
		}
	}
	return n - m
}

// contains looks for an element of a list or set, or for a value or a key of a map.
func contains(t *types.Type, op request.Op, v, wanted []byte) bool {
	width, at := len(t.Elems), len(t.Elems)-1
	if op == request.OpContainsKey {
		at = 0
	}
	n, rest, err := types.Elements(v)
	for i := 0; err == nil && i < n*width; i++ {
		var e []byte
		if e, rest, err = types.NextElement(rest); err != nil {
			return false
		}
		if i%width == at && t.Elems[at].Compare(e, wanted) == 0 {
			return true
		}
	}
	return false
}
