package schema_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/helenusdb/helenus/cluster/system"
	"github.com/helenusdb/helenus/cql/schema"
)

// build runs statements that must succeed.
func build(t testing.TB, n *schema.Snapshot, statements ...string) (*schema.Snapshot, []schema.Change) {
	t.Helper()
	id := byte(0)
	env := &schema.Env{DataCenters: map[string]int{"datacenter1": 1}, NewID: func() (u schema.UUID) {
		id++
		u[0] = id
		return u
	}}
	var changes []schema.Change
	for _, text := range statements {
		env.Now += 1000
		r, err, ok := newScript(text).run(n, env, "")
		if err != nil || !ok {
			t.Fatalf("%s: %v", text, err)
		}
		if n, err = schema.Apply(n, r.Change); err != nil {
			t.Fatal(err)
		}
		changes = append(changes, r.Change)
	}
	return n, changes
}

var sample = []string{
	"create keyspace k with replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
	"create type k.u (a int, b text)",
	"create type k.w (u frozen<u>, l list<int>)",
	"create table k.t (k int, c timeuuid, s text static, m map<text, frozen<u>>, x u, y frozen<w>, v vector<float, 3>, " +
		"d duration, primary key ((k), c)) with clustering order by (c desc) and comment = 'x' and cdc = true " +
		"and default_time_to_live = 5",
	"create table k.n (k int primary key, n counter)",
	"create index on k.t (keys(m))",
	"alter table k.t drop v",
	"alter table k.t drop d",
	"alter table k.t add d duration",
}

// TestApplyShares holds that a change copies what it changes and nothing else.
func TestApplyShares(t *testing.T) {
	n, _ := build(t, schema.NewSnapshot(system.Keyspaces()...), sample...)
	env := &schema.Env{Now: 5e9}
	r, err, _ := newScript("alter type k.u add c int").run(n, env, "")
	if err != nil {
		t.Fatal(err)
	}
	next, err := schema.Apply(n, r.Change)
	if err != nil {
		t.Fatal(err)
	}
	if next.Keyspaces["system"] != n.Keyspaces["system"] || next.Table("k", "n") != n.Table("k", "n") {
		t.Error("what the type does not touch was copied")
	}
	before, after := n.Table("k", "t"), next.Table("k", "t")
	if before == after || next.ByID[after.ID] != after || after.ID != before.ID {
		t.Fatal("the table that uses the type was not replaced")
	}
	for name, fields := range map[string]int{"m": 3, "x": 3, "y": 3} {
		typ := after.ByName[name].Type
		switch name {
		case "m":
			typ = typ.Elems[1]
		case "y":
			typ = typ.Elems[0]
		}
		if len(typ.Fields) != fields || typ.Frozen != (name != "x") {
			t.Errorf("%s: %d fields, frozen %t", name, len(typ.Fields), typ.Frozen)
		}
	}
	if len(before.ByName["x"].Type.Fields) != 2 || len(next.Keyspaces["k"].Types["w"].Elems[0].Fields) != 3 {
		t.Error("the old snapshot changed, or the other type did not")
	}
	if x := after.Indexes[0]; x.Column != after.ByName["m"] {
		t.Error("the index points at the old column")
	}
}

// TestColumnIDs holds that a column that comes back has its old id and the time of its drop, and a renamed one its id.
func TestColumnIDs(t *testing.T) {
	n, _ := build(t, schema.NewSnapshot(system.Keyspaces()...), sample...)
	old := n.Table("k", "t")
	d := old.ByName["d"]
	if d.ID != 8 || d.DroppedAt != 8000 || old.NextColumn != 9 || old.Readded["d"].At != 8000 {
		t.Errorf("d has id %d, dropped at %d; next is %d", d.ID, d.DroppedAt, old.NextColumn)
	}
	if v := old.Dropped["v"]; v.Column == nil || v.Column.ID != 7 || v.At != 7000 || old.ByName["v"] != nil {
		t.Errorf("dropped v: %+v", v)
	}
	if c := old.ByName["m"]; c.DroppedAt != math.MinInt64 {
		t.Errorf("m was never dropped: %d", c.DroppedAt)
	}
	n, _ = build(t, n, "alter table k.t rename c to cc", "alter table k.t add e int")
	renamed := n.Table("k", "t")
	if renamed.ByName["cc"].ID != old.ByName["c"].ID || renamed.ByName["e"].ID != 9 || renamed.ByID[9] != renamed.ByName["e"] {
		t.Error("ids moved")
	}
}

// TestVersion holds that the version follows from the content alone and that virtual and local keyspaces do not count.
func TestVersion(t *testing.T) {
	a, _ := build(t, schema.NewSnapshot(system.Keyspaces()...), sample[:3]...)
	b, _ := build(t, schema.NewSnapshot(system.Keyspaces()...), sample[0], sample[1], "create type k.z (a int)", sample[2],
		"drop type k.z")
	if a.Version != b.Version || a.Epoch == b.Epoch {
		t.Errorf("versions %s and %s at epochs %d and %d", a.Version, b.Version, a.Epoch, b.Epoch)
	}
	if a.Version[6]>>4 != 3 || a.Version[8]>>6 != 2 {
		t.Errorf("%s is no name-based UUID", a.Version)
	}
	if schema.NewSnapshot(system.Keyspaces()[:2]...).Version != schema.NewSnapshot().Version {
		t.Error("local keyspaces count")
	}
}

func TestDecodeRefuses(t *testing.T) {
	_, changes := build(t, schema.NewSnapshot(system.Keyspaces()...), sample...)
	for _, c := range changes {
		b := schema.AppendChange(nil, c)
		for i := range b {
			if _, err := schema.DecodeChange(b[:i]); !errors.Is(err, schema.ErrBadChange) {
				t.Fatalf("%T cut at %d of %d: %v", c, i, len(b), err)
			}
		}
		if _, err := schema.DecodeChange(append(b, 0)); !errors.Is(err, schema.ErrBadChange) {
			t.Errorf("%T with a byte more: %v", c, err)
		}
	}
	if _, err := schema.Apply(schema.NewSnapshot(), &schema.RemoveTable{Keyspace: "k", Name: "t"}); err == nil {
		t.Error("a table of no keyspace was dropped")
	}
}

// TestHugeType holds that user types that double with each other are refused before they fill the memory.
func TestHugeType(t *testing.T) {
	n, _ := build(t, schema.NewSnapshot(), sample[0], "create type k.t0 (a int)")
	env := &schema.Env{}
	for i := 1; i < 40; i++ {
		prev, name := string(rune('a'+i/26))+string(rune('a'+i%26)), string(rune('a'+(i+1)/26))+string(rune('a'+(i+1)%26))
		if i == 1 {
			prev = "t0"
		}
		r, err, _ := newScript("create type k."+name+" (x frozen<"+prev+">, y frozen<"+prev+">)").run(n, env, "")
		if err != nil {
			if i < 10 {
				t.Fatal(err)
			}
			return
		}
		if n, err = schema.Apply(n, r.Change); err != nil {
			t.Fatal(err)
		}
	}
	t.Error("40 doublings were accepted")
}

func FuzzDecodeChange(f *testing.F) {
	_, changes := build(f, schema.NewSnapshot(system.Keyspaces()...), sample...)
	for _, c := range changes {
		f.Add(schema.AppendChange(nil, c))
	}
	f.Add(schema.AppendChange(nil, &schema.RemoveKeyspace{Name: "k"}))
	f.Add(schema.AppendChange(nil, &schema.RemoveType{Keyspace: "k", Name: "u"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := schema.DecodeChange(b)
		if err != nil {
			return
		}
		once := schema.AppendChange(nil, c)
		d, err := schema.DecodeChange(once)
		if err != nil {
			t.Fatalf("what was decoded does not decode again: %v", err)
		}
		if again := schema.AppendChange(nil, d); !bytes.Equal(once, again) {
			t.Fatalf("%x\n%x", once, again)
		}
		if n, err := schema.Apply(schema.NewSnapshot(&schema.Keyspace{Name: "k"}), c); err == nil {
			_, _ = schema.Describe(n, schema.DescribeDef{Kind: schema.DescribeSchema, Full: true, Internals: true})
			_, _ = schema.SystemRows(n, "columns")
			_, _ = schema.SystemRows(n, "tables")
		}
	})
}

func BenchmarkApply(b *testing.B) {
	n, changes := build(b, schema.NewSnapshot(system.Keyspaces()...), sample...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schema.Apply(n, changes[len(changes)-1]); err != nil {
			b.Fatal(err)
		}
	}
}
