package storage

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// FuzzApply applies whatever decodes as mutations, values of any bytes among them, and reads it back in several ways: no
// panic, no error, and both directions give as many rows.
func FuzzApply(f *testing.F) {
	table := modelTable()
	x := &modelled{table: table, m: newModel(table)}
	w := &world{t: f, r: rand.New(rand.NewPCG(1, 1)), v: variant{jitter: 15, grace: 60}, now: 1000}
	for range 30 {
		m, _ := w.mutation(x)
		n, _ := w.mutation(x)
		f.Add(request.EncodeMutations(nil, []request.Mutation{m, n}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ms, err := request.DecodeMutations(b, func(id schema.UUID) *schema.Table {
			if id == table.ID {
				return table
			}
			return nil
		})
		if err != nil {
			return
		}
		for i := range ms {
			if ms[i].Table == nil || ms[i].Counter {
				return
			}
		}
		e, _ := mustOpen(t, "", Options{}, table)
		for range 6 { // chains are merged
			mustApply(t, e, ms...)
		}
		open := request.KeyBound{Open: true}
		counts := map[bool]int{}
		for _, reversed := range []bool{false, true} {
			r := request.Read{Table: table, Reversed: reversed, Range: request.KeyRange{Start: open, End: open}}
			it, err := e.Read(context.Background(), &r)
			if err != nil {
				t.Fatal(err)
			}
			for it = row.LiveFilter(it, 5); it.NextPartition(); {
				for it.NextRow() != nil {
					counts[reversed]++
				}
			}
		}
		if counts[false] != counts[true] {
			t.Errorf("%d rows forward, %d backward", counts[false], counts[true])
		}
		for _, x := range table.Indexes {
			r := request.Read{Table: table, Index: x, Term: int32Value(1), Range: request.KeyRange{Start: open, End: open}}
			readAll(t, e, &r)
		}
	})
}
