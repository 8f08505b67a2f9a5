package wire

import (
	"testing"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

func BenchmarkDecodeExecute(b *testing.B) {
	for _, v := range []cql.Version{cql.V4, cql.V5} {
		b.Run(v.String()[2:], func(b *testing.B) {
			body := manyValues(v, 3)
			var x Execute
			b.ReportAllocs()
			for b.Loop() {
				if err := x.Decode(body, v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecodeEnvelope takes an EXECUTE of 3 values out of a stream, in each form.
func BenchmarkDecodeEnvelope(b *testing.B) {
	for _, m := range allModes {
		b.Run(m.String(), func(b *testing.B) {
			var o Output
			o.Reset(m.v >= cql.V5, m.comp, 0)
			o.End(append(o.Begin(), manyValues(m.v, 3)...), Header{Version: m.v, Opcode: OpExecute}, nil)
			in, d := o.Bytes(), requests(m.v, m.comp)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := d.Next(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// rows100 appends 100 rows of 5 columns.
func rows100(dst []byte, md *Metadata, cells [][]byte) []byte {
	w := BeginRows(dst, cql.V5, md, RowsOptions{})
	for range 100 {
		for _, c := range cells {
			w.Cell(c)
		}
		w.EndRow()
	}
	return w.Finish(nil)
}

func fiveColumns() (*Metadata, [][]byte) {
	var cols []ColumnSpec
	for _, t := range []*types.Type{types.TUUID, types.TInt, types.TText, types.TTimestamp, types.ListOf(types.TInt, false)} {
		cols = append(cols, ColumnSpec{Keyspace: "ks", Table: "t", Name: "column_" + t.Kind.String(), Type: t})
	}
	return NewMetadata(cols), [][]byte{make([]byte, 16), make([]byte, 4), make([]byte, 20), make([]byte, 8), nil}
}

func BenchmarkEncodeRows(b *testing.B) {
	md, cells := fiveColumns()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = rows100(buf[:0], md, cells)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkSegment(b *testing.B) {
	md, cells := fiveColumns()
	payload := rows100(nil, md, cells)
	for _, lz4 := range []bool{false, true} {
		name := map[bool]string{false: "plain", true: "lz4"}[lz4]
		b.Run("encode-"+name, func(b *testing.B) {
			var buf []byte
			b.ReportAllocs()
			for b.Loop() {
				buf = AppendSegment(buf[:0], payload, true, lz4)
			}
			b.SetBytes(int64(len(payload)))
		})
		b.Run("decode-"+name, func(b *testing.B) {
			env := append(head(cql.V5, OpQuery, 0, len(payload)), payload...)
			in := AppendSegment(nil, env, true, lz4)
			comp := NoCompression
			if lz4 {
				comp = LZ4
			}
			d := requests(cql.V5, comp)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := d.Next(in); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(payload)))
		})
	}
}
