package storage

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
)

// col describes a column of newTable.
type col struct {
	name string
	kind schema.ColumnKind
	typ  *types.Type
	desc bool
}

// newTable returns a table of the given columns, whose ids are 1, 2, ... in their order.
func newTable(name string, cols ...col) *schema.Table {
	t := &schema.Table{
		Keyspace: "ks", Name: name, ByName: map[string]*schema.Column{}, ByID: map[schema.ColumnID]*schema.Column{},
		Dropped: map[string]schema.DroppedColumn{},
	}
	copy(t.ID[:], name)
	for i, c := range cols {
		x := &schema.Column{
			Keyspace: "ks", Table: name, Name: c.name, ID: schema.ColumnID(i + 1), Kind: c.kind, Position: -1, Type: c.typ, Desc: c.desc,
			DroppedAt: math.MinInt64,
		}
		switch c.kind {
		case schema.PartitionKey:
			x.Position = len(t.PartitionKey)
			t.PartitionKey = append(t.PartitionKey, x)
		case schema.Clustering:
			x.Position = len(t.Clustering)
			t.Clustering = append(t.Clustering, x)
		case schema.Static:
			t.Static = append(t.Static, x)
		default:
			t.Regular = append(t.Regular, x)
			t.Counter = c.typ.Kind == types.Counter
		}
		t.ByName[c.name], t.ByID[x.ID] = x, x
	}
	t.NextColumn = schema.ColumnID(len(cols) + 1)
	return t
}

// withIndexes returns t with indexes added.
func withIndexes(t *schema.Table, indexes ...*schema.Index) *schema.Table {
	u := *t
	u.Indexes = append(append([]*schema.Index{}, t.Indexes...), indexes...)
	return &u
}

func indexOn(t *schema.Table, column string, target schema.IndexTarget) *schema.Index {
	return &schema.Index{Name: column + string('0'+rune(target)), Kind: "COMPOSITES", Column: t.ByName[column], Target: target}
}

func snapshotOf(tables ...*schema.Table) *schema.Snapshot {
	s := &schema.Snapshot{ByID: map[schema.UUID]*schema.Table{}}
	for _, t := range tables {
		s.ByID[t.ID] = t
	}
	return s
}

func int32Value(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

func int64Value(v int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(v)) }

// waitFor waits until what happens in the background has happened.
func waitFor(t testing.TB, done func() bool) {
	t.Helper()
	for begun := time.Now(); !done(); time.Sleep(time.Millisecond) {
		if time.Since(begun) > 10*time.Second {
			t.Fatal("waited for too long")
		}
	}
}
