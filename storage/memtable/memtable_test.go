package memtable

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// testTable has a partition key p, a clustering column c, a static s, and v and m, which is a map.
func testTable(counter bool) *schema.Table {
	t := &schema.Table{Name: "t", ByID: map[schema.ColumnID]*schema.Column{}, Counter: counter}
	add := func(kind schema.ColumnKind, typ *types.Type, list *[]*schema.Column) {
		c := &schema.Column{ID: schema.ColumnID(len(t.ByID) + 1), Kind: kind, Type: typ, Position: len(*list), DroppedAt: math.MinInt64}
		t.ByID[c.ID] = c
		*list = append(*list, c)
	}
	add(schema.PartitionKey, types.TInt, &t.PartitionKey)
	add(schema.Clustering, types.TInt, &t.Clustering)
	add(schema.Static, types.TInt, &t.Static)
	add(schema.Regular, types.TInt, &t.Regular)
	add(schema.Regular, types.MapOf(types.TInt, types.TInt, false), &t.Regular)
	return t
}

func num(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

// randomMutation changes one of few partitions.
func randomMutation(r *rand.Rand, t *schema.Table) request.Mutation {
	var b request.Builder
	key := num(r.IntN(20))
	b.Reset(t, key, token.Murmur3{}.Token(key))
	ts := r.Int64N(1000)
	d := row.Deletion{Timestamp: ts, Local: 5}
	c := row.Cell{Column: 4, Value: num(r.IntN(100)), Timestamp: ts, Local: row.NoLocal}
	switch r.IntN(20) {
	case 0:
		b.DeletePartition(row.Deletion{Timestamp: ts / 4, Local: 5})
	case 1:
		lo := r.IntN(50)
		b.DeleteRange(row.Slice{
			Start: row.Bound{Values: [][]byte{num(lo)}, Inclusive: true}, End: row.Bound{Values: [][]byte{num(lo + 5)}},
		}, d)
	case 2:
		b.Static()
		c.Column = 3
		b.Cell(c)
	case 3:
		b.Row([][]byte{num(r.IntN(50))})
		b.DeleteRow(d)
	default:
		b.Row([][]byte{num(r.IntN(50))})
		b.Cell(c)
		c.Column, c.Path = 5, num(r.IntN(3))
		b.Cell(c)
	}
	return b.Mutation()
}

func fullRead(t *schema.Table) *request.Read {
	open := request.KeyBound{Open: true}
	return &request.Read{Table: t, Range: request.KeyRange{Start: open, End: open}}
}

// dump prints what it still gives, calling between after each step.
func dump(it *Iterator, between func()) string {
	var b strings.Builder
	print := func(r *row.Row) {
		fmt.Fprintf(&b, "  %x %v %v %v", r.Clustering, r.Liveness, r.Deletion, r.Complex)
		for _, c := range r.Cells {
			fmt.Fprintf(&b, " %d[%x]=%x@%d", c.Column, c.Path, c.Value, c.Timestamp)
		}
		b.WriteByte('\n')
	}
	for it.NextPartition() {
		fmt.Fprintf(&b, "%x %v\n", it.Key(), it.PartitionDeletion())
		if s := it.Static(); s != nil {
			print(s)
		}
		for r := it.NextRow(); r != nil; r = it.NextRow() {
			print(r)
			between()
			it.Static()
		}
	}
	return b.String()
}

// TestCollect holds that collections change nothing that a reader sees: between writes, and while it reads.
func TestCollect(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for _, counter := range []bool{false, true} {
		table := testTable(counter)
		plain, collected := New(table), New(table)
		for range 20 {
			for range 300 {
				m := randomMutation(r, table)
				if err := plain.Apply(&m); err != nil {
					t.Fatal(err)
				}
				if err := collected.Apply(&m); err != nil {
					t.Fatal(err)
				}
				if r.IntN(50) == 0 {
					s := collected.shard(m.Token)
					s.collect(collected.Layout())
				}
			}
			want := dump(plain.Read(context.Background(), fullRead(table), token.Murmur3{}), func() {})
			got := dump(collected.Read(context.Background(), fullRead(table), token.Murmur3{}), func() {
				if r.IntN(20) == 0 {
					collected.shards[r.IntN(len(collected.shards))].collect(collected.Layout())
				}
			})
			if got != want {
				t.Fatalf("with collections:\n%swithout:\n%s", got, want)
			}
		}
	}
}

// TestCollectFrees holds that overwriting a row for long does not take memory for long.
func TestCollectFrees(t *testing.T) {
	table := testTable(false)
	m := New(table)
	var b request.Builder
	key := num(1)
	value := make([]byte, 1000)
	for i := range 50000 {
		b.Reset(table, key, token.Murmur3{}.Token(key))
		b.Row([][]byte{num(i % 7)})
		b.Cell(row.Cell{Column: 4, Value: value, Timestamp: int64(i), Local: row.NoLocal})
		mut := b.Mutation()
		if err := m.Apply(&mut); err != nil {
			t.Fatal(err)
		}
	}
	if n := m.Bytes(); n > 8<<20 {
		t.Errorf("seven rows of a thousand bytes, overwritten 50,000 times, take %d bytes", n)
	}
	if m.Partitions() != 1 {
		t.Errorf("%d partitions", m.Partitions())
	}
}

// TestPrefix holds that prefixes never contradict the order of values.
func TestPrefix(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, typ := range []*types.Type{
		types.TAscii, types.TText, types.TBlob, types.TInet, types.TDate, types.TTime, types.TTinyint, types.TSmallint, types.TInt,
		types.TBigint, types.TTimestamp, types.TBoolean, types.TFloat, types.TDouble, types.TTimeuuid, types.TUUID,
		types.TVarint, types.TDecimal,
	} {
		size, fixed := typ.FixedLen()
		switch typ.Kind {
		case types.Tinyint:
			size, fixed = 1, true
		case types.Smallint:
			size, fixed = 2, true
		case types.Date:
			size, fixed = 4, true
		case types.Time:
			size, fixed = 8, true
		}
		value := func() []byte {
			n := size
			if !fixed {
				n = r.IntN(12)
				if typ.Kind == types.Decimal && n > 0 {
					n += 4
				}
			} else if r.IntN(20) == 0 && typ.AllowsEmpty() {
				return []byte{}
			}
			v := make([]byte, n)
			for i := range v {
				// Few distinct bytes make ties.
				v[i] = []byte{0, 1, 0x10, 0x40, 0x7f, 0x80, 0xff, byte(r.Uint32())}[r.IntN(8)]
			}
			switch {
			case typ.Kind == types.Timeuuid:
				v[6] = 0x10 | v[6]&0xf
			case typ.Kind == types.Double && n == 8 && r.IntN(8) == 0:
				copy(v, []byte{0x7f, 0xf8, 0, 0, 0, 0, 0, 0})
			case typ.Kind == types.Float && n == 4 && r.IntN(8) == 0:
				copy(v, []byte{0x7f, 0xc0, 0, 0})
			}
			return v
		}
		for _, desc := range []bool{false, true} {
			table := &schema.Table{Clustering: []*schema.Column{{Type: typ, Desc: desc}}}
			for range 20000 {
				a, b := value(), value()
				pa, pb := clusteringPrefix(table, a), clusteringPrefix(table, b)
				c := table.Clustering[0].Compare(a, b)
				if pa < pb && c >= 0 || pa > pb && c <= 0 {
					t.Fatalf("%s desc %v: %x and %x compare as %d, their prefixes are %x and %x", typ, desc, a, b, c, pa, pb)
				}
			}
		}
	}
}

// TestOtherPartitioners scans tokens that have a rest.
func TestOtherPartitioners(t *testing.T) {
	table := testTable(false)
	for _, p := range []token.Partitioner{token.RandomPartitioner{}, token.ByteOrdered{}} {
		m := New(table)
		var b request.Builder
		keys := map[string]bool{}
		for i := range 200 {
			key := []byte(fmt.Sprintf("the same eight bytes %d", i))
			b.Reset(table, key, p.Token(key))
			b.Row([][]byte{num(1)})
			b.Liveness(row.Liveness{Timestamp: 1, Expiry: row.NoLocal})
			mut := b.Mutation()
			if err := m.Apply(&mut); err != nil {
				t.Fatal(err)
			}
			keys[string(key)] = true
		}
		it := m.Read(context.Background(), fullRead(table), p)
		var last token.Token
		for it.NextPartition() {
			if !last.Less(it.Token()) || it.Token() != p.Token(it.Key()) || !keys[string(it.Key())] {
				t.Fatalf("%s: partition %q at %v behind %v", p.Class(), it.Key(), it.Token(), last)
			}
			last = it.Token()
			delete(keys, string(it.Key()))
			point := m.Read(context.Background(), &request.Read{Table: table, Keys: [][]byte{it.Key()}}, p)
			if !point.NextPartition() || point.NextRow() == nil {
				t.Fatalf("%s: partition %q is not found by its key", p.Class(), it.Key())
			}
		}
		if len(keys) > 0 {
			t.Errorf("%s: %d partitions are lost", p.Class(), len(keys))
		}
	}
}

// TestContext holds that a cancelled read ends with the context's error.
func TestContext(t *testing.T) {
	table := testTable(false)
	m := New(table)
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		mut := randomMutation(r, table)
		if err := m.Apply(&mut); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	it := m.Read(ctx, fullRead(table), token.Murmur3{})
	if !it.NextPartition() {
		t.Fatal("empty")
	}
	cancel()
	for it.NextRow() != nil {
	}
	if it.NextPartition() || it.Err() != context.Canceled {
		t.Errorf("goes on, or ends with %v", it.Err())
	}
}

// TestRaw holds that what deletions hide is still there for the leader of a counter.
func TestRaw(t *testing.T) {
	table := testTable(true)
	m := New(table)
	var b request.Builder
	key := num(1)
	tok := token.Murmur3{}.Token(key)
	write := func(f func()) {
		b.Reset(table, key, tok)
		f()
		mut := b.Mutation()
		if err := m.Apply(&mut); err != nil {
			t.Fatal(err)
		}
	}
	write(func() {
		b.Row([][]byte{num(1)})
		b.Cell(row.Cell{Column: 4, Value: row.AppendCounter(nil, schema.UUID{1}, 7, 5), Timestamp: 1, Local: row.NoLocal})
	})
	for i := range 10 {
		write(func() {
			b.Row([][]byte{num(1)})
			b.DeleteRow(row.Deletion{Timestamp: int64(i + 1), Local: 1})
		})
	}
	write(func() { b.DeletePartition(row.Deletion{Timestamp: 50, Local: 1}) })
	var r row.Row
	if !m.Raw(tok, key, false, [][]byte{num(1)}, &r) || len(r.Cells) != 1 || row.CounterTotal(r.Cells[0].Value) != 5 {
		t.Errorf("the raw row is %+v", r)
	}
	if m.Raw(tok, key, false, [][]byte{num(2)}, &r) || m.Raw(tok, key, true, nil, &r) ||
		m.Raw(tok, num(2), false, [][]byte{num(1)}, &r) {
		t.Error("there is a raw row that was never written")
	}
	it := m.Read(context.Background(), &request.Read{Table: table, Keys: [][]byte{key}}, token.Murmur3{})
	if got := dump(it, func() {}); bytes.Contains([]byte(got), []byte("=")) {
		t.Errorf("a reader sees a deleted counter: %s", got)
	}
}
