package row

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
)

func live(ts int64, value string) Cell {
	return Cell{Column: 9, Value: []byte(value), Timestamp: ts, Local: NoLocal}
}

func dead(ts, local int64) Cell { return Cell{Column: 9, Timestamp: ts, Local: local} }

func fading(ts int64, value string, ttl int32, expiry int64) Cell {
	return Cell{Column: 9, Value: []byte(value), Timestamp: ts, TTL: ttl, Local: expiry}
}

// TestReconcile is the table of storage.md 2, whose rows were tried on Cassandra 5.0.6; the first of each pair wins.
func TestReconcile(t *testing.T) {
	for _, v := range []struct {
		name          string
		winner, loser Cell
	}{
		{"greater timestamp", live(2, "a"), live(1, "b")},
		{"greater timestamp beats tombstone", live(2, "a"), dead(1, 5)},
		{"negative timestamps", live(-1, "a"), live(math.MinInt64+1, "b")},
		{"tombstone beats value", dead(1, 5), live(1, "b")},
		{"expiring beats value", fading(1, "a", 10, 100), live(1, "b")},
		{"tombstone beats expiring", dead(1, 5), fading(1, "b", 10, 100)},
		{"later expiry", fading(1, "a", 10, 101), fading(1, "b", 10, 100)},
		{"later deletion", dead(1, 6), dead(1, 5)},
		{"smaller ttl", fading(1, "a", 9, 100), fading(1, "b", 10, 100)},
		{"greater bytes", live(1, "\xff\xff\xff\xff"), live(1, "\x00\x00\x00\x01")},
		{"longer bytes", live(1, "ab"), live(1, "a")},
		{"anything beats empty", live(1, "a"), live(1, "")},
		{"greater bytes of expiring", fading(1, "b", 10, 100), fading(1, "a", 10, 100)},
	} {
		if Reconcile(&v.winner, &v.loser) != &v.winner || Reconcile(&v.loser, &v.winner) != &v.winner {
			t.Errorf("%s: the wrong cell survives", v.name)
		}
	}
}

// TestReconcileLaws holds that reconciliation is commutative, associative and idempotent and knows no clock.
func TestReconcileLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	any := func() Cell {
		switch ts := int64(r.IntN(2)); r.IntN(3) {
		case 0:
			return live(ts, "ab"[:r.IntN(3)])
		case 1:
			return dead(ts, int64(r.IntN(2)))
		default:
			return fading(ts, "ab"[:r.IntN(3)], int32(1+r.IntN(2)), int64(r.IntN(2)))
		}
	}
	same := func(a, b *Cell) bool {
		return a.Timestamp == b.Timestamp && a.Local == b.Local && a.TTL == b.TTL && bytes.Equal(a.Value, b.Value)
	}
	for range 20000 {
		a, b, c := any(), any(), any()
		if !same(Reconcile(&a, &b), Reconcile(&b, &a)) {
			t.Fatalf("%v and %v do not commute", a, b)
		}
		if !same(Reconcile(Reconcile(&a, &b), &c), Reconcile(&a, Reconcile(&b, &c))) {
			t.Fatalf("%v, %v and %v do not associate", a, b, c)
		}
	}
}

func TestLivenessSupersedes(t *testing.T) {
	mark := func(ts int64, ttl int32, expiry int64) Liveness { return Liveness{ts, ttl, expiry} }
	for _, v := range []struct {
		name          string
		winner, loser Liveness
	}{
		{"greater timestamp", mark(2, 0, NoLocal), mark(1, 5, 100)},
		{"born expired", mark(1, math.MaxInt32, 5), mark(1, 5, 100)},
		{"expiring", mark(1, 5, 100), mark(1, 0, NoLocal)},
		{"later expiry", mark(1, 5, 101), mark(1, 5, 100)},
		{"smaller ttl", mark(1, 4, 100), mark(1, 5, 100)},
		{"any beats none", mark(math.MinInt64+1, 0, NoLocal), NoLiveness},
	} {
		if !v.winner.Supersedes(v.loser) || v.loser.Supersedes(v.winner) {
			t.Errorf("%s: the wrong marker survives", v.name)
		}
	}
}

// TestCounterContext reads the context of one global, one local and one remote shard that Cassandra 5.0.6 wrote
// (storage.md 1.5), and merges contexts as its CounterContext does.
func TestCounterContext(t *testing.T) {
	id := func(b byte) []byte { return bytes.Repeat([]byte{b}, 16) }
	shard := func(b byte, clock, count int64) []byte {
		s := binary.BigEndian.AppendUint64(id(b), uint64(clock))
		return binary.BigEndian.AppendUint64(s, uint64(count))
	}
	context := func(header string, shards ...[]byte) []byte {
		h, _ := hex.DecodeString(header)
		return append(h, bytes.Join(shards, nil)...)
	}
	all := context("000280000001", shard(1, 5, 10), shard(2, 6, 20), shard(3, 7, 30))
	if got := CounterTotal(all); got != 60 {
		t.Errorf("total is %d", got)
	}
	if clock, count := CounterShard(all, schema.UUID(id(2))); clock != 6 || count != 20 {
		t.Errorf("shard 2 is %d, %d", clock, count)
	}
	if got := AppendCounter(nil, schema.UUID(id(1)), 5, -10); !bytes.Equal(got, context("00018000", shard(1, 5, -10))) {
		t.Errorf("one global shard is %x", got)
	}
	for _, v := range []struct {
		name       string
		a, b, want []byte
	}{
		{"different ids", context("00018000", shard(1, 5, 1)), context("00018000", shard(2, 5, 2)),
			context("000280008001", shard(1, 5, 1), shard(2, 5, 2))},
		{"higher clock", context("00018000", shard(1, 6, 1)), context("00018000", shard(1, 5, 2)), context("00018000", shard(1, 6, 1))},
		{"same clock, higher count", context("00018000", shard(1, 5, 1)), context("00018000", shard(1, 5, 2)),
			context("00018000", shard(1, 5, 2))},
		{"global beats local", context("00018000", shard(1, 1, 1)), context("00010000", shard(1, 9, 9)),
			context("00018000", shard(1, 1, 1))},
		{"global beats remote", context("00018000", shard(1, 1, 1)), context("0000", shard(1, 9, 9)),
			context("00018000", shard(1, 1, 1))},
		{"local beats remote", context("00010000", shard(1, 1, 1)), context("0000", shard(1, 9, 9)),
			context("00010000", shard(1, 1, 1))},
		{"locals add up", context("00010000", shard(1, 1, 1)), context("00010000", shard(1, 9, 9)),
			context("00010000", shard(1, 10, 10))},
		{"remotes by clock", context("0000", shard(1, 1, 7)), context("0000", shard(1, 2, 3)), context("0000", shard(1, 2, 3))},
		{"all kinds", all, context("00018001", shard(0, 1, 1), shard(2, 1, 1)),
			context("000280018002", shard(0, 1, 1), shard(1, 5, 10), shard(2, 1, 1), shard(3, 7, 30))},
		{"empty", nil, all, all},
		{"malformed", []byte{1, 2, 3}, all, all},
	} {
		for _, w := range [][2][]byte{{v.a, v.b}, {v.b, v.a}} {
			a, b := live(4, string(w[0])), live(7, string(w[1]))
			got := ReconcileCounter(&a, &b)
			if !bytes.Equal(got.Value, v.want) || got.Timestamp != 7 {
				t.Errorf("%s: merged to %x at %d, want %x", v.name, got.Value, got.Timestamp, v.want)
			}
		}
	}
	gone, value := dead(1, 5), live(9, string(all))
	if got := ReconcileCounter(&gone, &value); !got.IsTombstone() {
		t.Error("a newer value beats the tombstone of a counter")
	}
}

// testTable has clustering columns c int and d text descending, and columns of every structure.
func testTable() *schema.Table {
	col := func(id schema.ColumnID, kind schema.ColumnKind, pos int, t *types.Type, desc bool) *schema.Column {
		return &schema.Column{ID: id, Kind: kind, Position: pos, Type: t, Desc: desc, DroppedAt: math.MinInt64}
	}
	t := &schema.Table{ByID: map[schema.ColumnID]*schema.Column{}}
	t.Clustering = []*schema.Column{col(2, schema.Clustering, 0, types.TInt, false), col(3, schema.Clustering, 1, types.TText, true)}
	t.Regular = []*schema.Column{
		col(4, schema.Regular, -1, types.TInt, false), col(5, schema.Regular, -1, types.SetOf(types.TInt, false), false),
		col(6, schema.Regular, -1, types.MapOf(types.TText, types.TInt, false), false),
	}
	for _, c := range slices.Concat(t.Clustering, t.Regular) {
		t.ByID[c.ID] = c
	}
	return t
}

// randomRow returns a row of testTable, sorted.
func randomRow(r *rand.Rand) *Row {
	x := &Row{Liveness: NoLiveness, Deletion: Live, Clustering: [][]byte{num(r.IntN(4)), []byte("ab"[:r.IntN(3)])}}
	ts := func() int64 { return int64(r.IntN(9)) }
	if r.IntN(2) == 0 {
		x.Liveness = Liveness{Timestamp: ts(), Expiry: NoLocal}
		if r.IntN(2) == 0 {
			x.Liveness.TTL, x.Liveness.Expiry = int32(1+r.IntN(3)), int64(r.IntN(4))
		}
	}
	if r.IntN(4) == 0 {
		x.Deletion = Deletion{ts(), int64(r.IntN(4))}
	}
	for id := schema.ColumnID(4); id <= 6; id++ {
		if id > 4 && r.IntN(3) == 0 {
			x.Complex = append(x.Complex, ComplexDeletion{id, Deletion{ts(), int64(r.IntN(4))}})
		}
		for i := range 3 {
			if r.IntN(2) == 0 || id == 4 && i > 0 {
				continue
			}
			c := Cell{Column: id, Timestamp: ts(), Local: NoLocal, Value: num(r.IntN(3))}
			switch id {
			case 5:
				c.Path, c.Value = num(i-1), []byte{}
			case 6:
				c.Path = []byte("xyz"[:i])
			}
			switch r.IntN(4) {
			case 0:
				c.Local, c.Value = int64(r.IntN(4)), nil
			case 1:
				c.Local, c.TTL = int64(r.IntN(4)), int32(1+r.IntN(3))
			}
			x.Cells = append(x.Cells, c)
		}
	}
	return x
}

func num(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

func equalRows(a, b *Row) bool {
	if a.Liveness != b.Liveness || a.Deletion != b.Deletion || !slices.Equal(a.Complex, b.Complex) || len(a.Cells) != len(b.Cells) {
		return false
	}
	for i := range a.Cells {
		x, y := &a.Cells[i], &b.Cells[i]
		if x.Column != y.Column || x.Timestamp != y.Timestamp || x.TTL != y.TTL || x.Local != y.Local ||
			!bytes.Equal(x.Value, y.Value) || !bytes.Equal(x.Path, y.Path) || (x.Path == nil) != (y.Path == nil) ||
			(x.Value == nil) != (y.Value == nil) {
			return false
		}
	}
	return true
}

// TestBody holds that a body decodes to the row that was encoded, in a row that held another before.
func TestBody(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	var got Row
	for range 5000 {
		want := randomRow(r)
		b := AppendBody(nil, want)
		in := Reader{B: b}
		in.Body(&got)
		if in.Bad || len(in.B) > 0 || !equalRows(&got, want) {
			t.Fatalf("%+v became %+v", want, &got)
		}
		for n := range b {
			in := Reader{B: b[:n]}
			if in.Body(&got); !in.Bad {
				t.Fatalf("a body cut at %d of %d decodes", n, len(b))
			}
		}
	}
}

// TestMergeLaws holds that merging is commutative and associative in what it leaves of rows.
func TestMergeLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	l := NewLayout(testTable())
	merge := func(a, b *Row) *Row {
		out := new(Row)
		Merge(out, a, b, l)
		return out
	}
	for range 5000 {
		a, b, c := randomRow(r), randomRow(r), randomRow(r)
		if !equalRows(merge(a, b), merge(b, a)) {
			t.Fatalf("%+v and %+v do not commute", a, b)
		}
		if !equalRows(merge(merge(a, b), c), merge(a, merge(b, c))) {
			t.Fatalf("%+v, %+v and %+v do not associate", a, b, c)
		}
	}
}

// TestRanges compares range tombstones with a list of all that were added.
func TestRanges(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	table := testTable()
	bound := func() Bound {
		return Bound{Values: [][]byte{num(r.IntN(5) - 2), []byte("ab"[:r.IntN(3)])}[:r.IntN(3)], Inclusive: r.IntN(2) == 0}
	}
	for range 300 {
		var rs *Ranges
		var added []RangeTombstone
		for range r.IntN(12) {
			rt := RangeTombstone{Slice{bound(), bound()}, Deletion{int64(r.IntN(6)), int64(r.IntN(3))}}
			rs = rs.Add(table, rt)
			added = append(added, rt)
		}
		for c := -3; c <= 3; c++ {
			for _, d := range []string{"", "a", "ab", "b"} {
				row := [][]byte{num(c), []byte(d)}
				want := Live
				for _, rt := range added {
					if !rt.BeforeStart(table, row) && !rt.AfterEnd(table, row) && !rt.IsEmpty(table) {
						want = want.Max(rt.Deletion)
					}
				}
				if got := rs.Covering(row); got != want {
					t.Fatalf("%+v at %x: %v, want %v", added, row, got, want)
				}
			}
		}
		for i := 0; rs != nil && i < len(rs.list); i++ {
			if x := rs.list[i]; CompareCuts(table, x.start, x.end) >= 0 || x.IsLive() {
				t.Fatalf("range %d is empty: %+v", i, x)
			}
			if i > 0 && CompareCuts(table, rs.list[i-1].end, rs.list[i].start) > 0 {
				t.Fatalf("ranges %d and %d overlap", i-1, i)
			}
		}
	}
}

// list is an iterator over rows of partitions that are given.
type list struct {
	parts []listed
	i, r  int
}

type listed struct {
	static *Row
	rows   []*Row
	del    Deletion
}

func (l *list) NextPartition() bool         { l.i++; l.r = 0; return l.i <= len(l.parts) }
func (l *list) Key() []byte                 { return []byte{byte(l.i)} }
func (l *list) Token() token.Token          { return token.Token{} }
func (l *list) PartitionDeletion() Deletion { return l.parts[l.i-1].del }
func (l *list) Static() *Row                { return l.parts[l.i-1].static }
func (l *list) Err() error                  { return nil }
func (l *list) Close()                      {}
func (l *list) NextRow() *Row {
	if l.r == len(l.parts[l.i-1].rows) {
		return nil
	}
	l.r++
	return l.parts[l.i-1].rows[l.r-1]
}

// TestLiveFilter holds which partitions, rows and cells a client sees (cql.md 2.2).
func TestLiveFilter(t *testing.T) {
	none := Row{Liveness: NoLiveness, Deletion: Live}
	with := func(cells ...Cell) *Row {
		r := none
		r.Cells = cells
		return &r
	}
	marked := func(l Liveness, cells ...Cell) *Row {
		r := with(cells...)
		r.Liveness = l
		return r
	}
	l := &list{parts: []listed{
		{rows: []*Row{with(dead(1, 1))}, del: Live},                                                     // 1: nothing lives
		{static: with(dead(1, 1)), rows: []*Row{with(fading(1, "x", 5, 10))}, del: Live},                // 2: expired at 10
		{static: with(live(1, "s")), del: Live},                                                         // 3: a live static row alone
		{rows: []*Row{with(dead(1, 1)), with(live(1, "a")), with(dead(1, 1), live(2, "b"))}, del: Live}, // 4
		{rows: []*Row{marked(Liveness{1, 0, NoLocal}), marked(Liveness{1, 5, 10})}, del: Live},          // 5: one marker of two
		{rows: []*Row{with(live(5, "a"))}, del: Deletion{5, 1}},                                         // 6: deleted
		{rows: []*Row{marked(Liveness{5, 0, NoLocal}, live(6, "a"))}, del: Deletion{5, 1}},              // 7: a cell survives
		{rows: []*Row{marked(Liveness{1, 5, 10}, live(1, "v"))}, del: Live},                             // 8: a marker with TTL
	}}
	f := LiveFilter(l, 10)
	got := ""
	for f.NextPartition() {
		got += string('0' + rune(f.Key()[0]))
		if s := f.Static(); s != nil {
			got += "s" + string(s.Cells[0].Value)
		}
		for r := f.NextRow(); r != nil; r = f.NextRow() {
			got += "("
			if r.Liveness.IsLive(10) {
				got += "m"
			}
			for _, c := range r.Cells {
				got += string(c.Value)
			}
			got += ")"
		}
		got += " "
	}
	if want := "3ss 4(a)(b) 5(m) 7(a) 8(v) "; got != want {
		t.Errorf("a client sees %q, want %q", got, want)
	}
}

// FuzzBody decodes any bytes: rows or an error, never a panic, and what decodes encodes to something that decodes the same.
func FuzzBody(f *testing.F) {
	r := rand.New(rand.NewPCG(8, 1))
	for range 20 {
		f.Add(AppendBody(nil, randomRow(r)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var x, y Row
		in := Reader{B: b}
		if in.Body(&x); in.Bad {
			return
		}
		in = Reader{B: AppendBody(nil, &x)}
		if in.Body(&y); in.Bad || !equalRows(&x, &y) {
			t.Errorf("%x: %+v became %+v", b, x, y)
		}
	})
}

// FuzzSlice decodes slices and clusterings of any bytes.
func FuzzSlice(f *testing.F) {
	f.Add(AppendSlice(nil, Slice{Bound{[][]byte{num(1), nil, {}}, true}, Bound{nil, false}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := Reader{B: b}
		s := in.Slice(3)
		if in.Bad {
			return
		}
		again := Reader{B: AppendSlice(nil, s)}
		if u := again.Slice(3); again.Bad || len(u.Start.Values) != len(s.Start.Values) || u.End.Inclusive != s.End.Inclusive {
			t.Errorf("%x: %+v became %+v", b, s, u)
		}
		cmp := Reader{B: b}
		cmp.CompareEncoded(testTable(), s.Start.Values)
	})
}
