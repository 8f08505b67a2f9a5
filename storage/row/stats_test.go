package row

import (
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
)

// TestStats holds which times count, and what a set of columns says of large ids.
func TestStats(t *testing.T) {
	s := NoStats
	s.AddDeletion(Live)
	s.AddRow(&Row{Liveness: NoLiveness, Deletion: Live})
	if s != NoStats {
		t.Errorf("nothing has stats %+v", s)
	}
	s.AddRow(&Row{Liveness: Liveness{Timestamp: -5, TTL: 60, Expiry: 200}, Deletion: Live, Cells: []Cell{
		{Column: 3, Timestamp: 7, Local: NoLocal}, {Column: 70, Timestamp: 8, TTL: 30, Local: 300}, {Column: 71, Timestamp: -9, Local: 150}}})
	if want := (Stats{MinTimestamp: -9, MinLocal: 150, MinTTL: 30, Columns: 1<<3 | 1<<63}); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
	s.AddDeletion(Deletion{Timestamp: -10, Local: 140})
	more := NoStats
	more.AddRow(&Row{Liveness: NoLiveness, Deletion: Deletion{Timestamp: 1, Local: 130},
		Complex: []ComplexDeletion{{4, Deletion{Timestamp: -11, Local: 135}}}})
	s.Add(&more)
	if want := (Stats{MinTimestamp: -11, MinLocal: 130, MinTTL: 30, Columns: 1<<3 | 1<<4 | 1<<63}); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
	var list []*schema.Column
	for _, id := range []schema.ColumnID{2, 3, 4, 5, 63, 70, 99} {
		list = append(list, &schema.Column{ID: id})
	}
	var got []schema.ColumnID
	for _, c := range s.Columns.Of(list) {
		got = append(got, c.ID)
	}
	if len(got) != 5 || got[0] != 3 || got[1] != 4 || got[2] != 63 || got[4] != 99 {
		t.Errorf("columns %v", got)
	}
}
