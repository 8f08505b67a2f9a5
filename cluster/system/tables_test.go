package system

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// node is a Source with something in every table.
type node struct{ snapshot *schema.Snapshot }

func (n node) Schema() *schema.Snapshot { return n.snapshot }

func (node) Local() Local {
	return Local{
		Bootstrapped: "COMPLETED", Broadcast: netip.MustParseAddrPort("127.0.0.1:7000"),
		Listen: netip.MustParseAddrPort("127.0.0.1:7000"), RPC: netip.MustParseAddrPort("127.0.0.1:9042"),
		ClusterName: "Test", DataCenter: "dc1", Rack: "r1", GossipGeneration: 7,
		HostID: schema.UUID{1}, Partitioner: token.Murmur3{}.Class(), Tokens: []string{"5", "-3", "10"},
		TruncatedAt: map[schema.UUID][]byte{{2}: {1, 2}, {1}: {3}},
	}
}

func (node) Peers() []Peer {
	var peers []Peer
	for i := range 5 {
		peers = append(peers, Peer{Peer: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 2)}), 7000), DataCenter: "dc1"})
	}
	return peers
}

func (node) Settings() map[string]string {
	return map[string]string{"cluster_name": "Test", "own": "x"}
}
func (node) Clients() []Client {
	return []Client{
		{Address: netip.MustParseAddrPort("127.0.0.1:5"), Options: map[string]string{"CQL_VERSION": "3.4.7"}},
		{Address: netip.MustParseAddrPort("127.0.0.1:4")},
	}
}

// timeID is a time-based UUID.
var timeID = schema.UUID{6: 0x10, 8: 0x80}

func (node) Compactions() []Compaction {
	return []Compaction{{ID: timeID, Keyspace: "ks", Table: "t", At: 7, BytesIn: 2, BytesOut: 1, Merged: map[int]int64{1: 3, 2: 4}, Kind: "Compaction"}}
}
func (node) Tasks() []Task {
	return []Task{{ID: timeID, Keyspace: "ks", Table: "t", Kind: "Major compaction", Progress: 1, Total: 4, Tables: 2, Unit: "bytes", Directory: "/d"}}
}
func (node) ThreadPools() []ThreadPool { return []ThreadPool{{Name: "ReadStage", ActiveLimit: 32}} }
func (node) Caches() []Cache           { return []Cache{{Name: "keys"}} }
func (node) Metrics() Metrics          { return Metrics{PreparedCount: 3} }
func (node) Prepared() []Prepared      { return []Prepared{{ID: []byte{1}, Query: "SELECT"}} }

func newNode() (*Tables, *schema.Snapshot) {
	s := schema.NewSnapshot(Keyspaces()...)
	return New(node{s}, token.Murmur3{}), s
}

// read returns the keys and clusterings of an answer, one string a row.
func read(t *testing.T, tables *Tables, r *request.Read) (rows []string) {
	t.Helper()
	it, err := tables.Read(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for it.NextPartition() {
		if it.Token() != (token.Murmur3{}).Token(it.Key()) {
			t.Errorf("token of %q", it.Key())
		}
		for one := it.NextRow(); one != nil; one = it.NextRow() {
			rows = append(rows, fmt.Sprintf("%q %q", it.Key(), one.Clustering))
		}
	}
	return rows
}

// TestEveryTable reads all of every generated table: rows must have all columns and valid values, and cells must be sorted.
func TestEveryTable(t *testing.T) {
	tables, s := newNode()
	filled := 0
	for _, k := range s.Keyspaces {
		for _, table := range k.Tables {
			rows, err := tables.Rows(context.Background(), table)
			if Stored(table) {
				if err == nil {
					t.Errorf("%s.%s is stored, but was generated", k.Name, table.Name)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			filled += min(len(rows), 1)
			for _, r := range rows {
				for i, c := range table.AllColumns() {
					if err := c.Type.Validate(r[i]); r[i] != nil && err != nil {
						t.Errorf("%s.%s.%s: %v", k.Name, table.Name, c.Name, err)
					}
					if c.IsPrimaryKey() && r[i] == nil {
						t.Errorf("%s.%s.%s of the key is null", k.Name, table.Name, c.Name)
					}
				}
				cells := makeRow(table, r).Cells
				if !slices.IsSortedFunc(cells, func(a, b row.Cell) int {
					return int(a.Column) - int(b.Column)
				}) {
					t.Errorf("%s.%s: cells are not sorted", k.Name, table.Name)
				}
			}
			if got := read(t, tables, &request.Read{Table: table, Range: request.KeyRange{
				Start: request.KeyBound{Open: true}, End: request.KeyBound{Open: true},
			}}); len(got) != len(rows) {
				t.Errorf("%s.%s: %d of %d rows", k.Name, table.Name, len(got), len(rows))
			}
		}
	}
	if filled != 18 {
		t.Errorf("%d tables have rows", filled)
	}
}

// TestLocal holds what drivers cannot do without (protocol.md 1.7).
func TestLocal(t *testing.T) {
	tables, s := newNode()
	table := s.Table("system", "local")
	it, err := tables.Read(context.Background(), &request.Read{Table: table, Keys: [][]byte{[]byte("local")}})
	if err != nil {
		t.Fatal(err)
	}
	if !it.NextPartition() {
		t.Fatal("no row")
	}
	r := it.NextRow()
	value := func(name string) []byte { return r.Cell(table.ByName[name].ID).Value }
	for name, want := range map[string]string{
		"cluster_name": "Test", "data_center": "dc1", "rack": "r1", "release_version": "5.0.6", "cql_version": "3.4.7",
		"native_protocol_version": "5", "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner", "bootstrapped": "COMPLETED",
	} {
		if got := string(value(name)); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if v := value("schema_version"); !bytes.Equal(v, s.Version[:]) {
		t.Errorf("schema_version = %x", v)
	}
	if v := value("rpc_address"); !bytes.Equal(v, []byte{127, 0, 0, 1}) || types.Int32(value("rpc_port")) != 9042 {
		t.Errorf("rpc_address = %x", v)
	}
	var tokens []string
	for _, c := range r.CellsOf(table.ByName["tokens"].ID) {
		tokens = append(tokens, string(c.Path))
	}
	if !slices.Equal(tokens, []string{"-3", "10", "5"}) {
		t.Errorf("tokens %q", tokens)
	}
	if c := r.CellsOf(table.ByName["truncated_at"].ID); len(c) != 2 || c[0].Path[0] != 1 || c[0].Value[0] != 3 {
		t.Errorf("truncated_at %v", c)
	}
	if it.NextRow() != nil || it.NextPartition() {
		t.Error("more than one row")
	}
}

// TestSettings holds that a setting that was given replaces the default, and that virtual tables come in the order of keys.
func TestSettings(t *testing.T) {
	tables, s := newNode()
	open := request.KeyBound{Open: true}
	table := s.Table("system_views", "settings")
	rows := read(t, tables, &request.Read{Table: table, Range: request.KeyRange{Start: open, End: open}})
	if len(rows) != 604 || !slices.IsSorted(rows) {
		t.Errorf("%d settings", len(rows))
	}
}

// TestReadsAgainstNaive compares random reads of two tables with a plain walk over all rows.
func TestReadsAgainstNaive(t *testing.T) {
	tables, s := newNode()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		table := s.Table("system_schema", "columns")
		if rnd.IntN(2) == 0 {
			table = s.Table("system_virtual_schema", "columns")
		}
		rows, _ := tables.Rows(context.Background(), table)
		r := randomRead(rnd, table, rows)
		if got, want := read(t, tables, r), naive(r, rows); !slices.Equal(got, want) {
			t.Fatalf("%+v\n got: %d %q\nwant: %d %q", r, len(got), got, len(want), want)
		}
	}
}

func randomRead(rnd *rand.Rand, table *schema.Table, rows []Row) *request.Read {
	pick := func() Row { return rows[rnd.IntN(len(rows))] }
	r := &request.Read{Table: table, Reversed: rnd.IntN(3) == 0}
	r.Range = request.KeyRange{Start: request.KeyBound{Open: true}, End: request.KeyBound{Open: true}}
	switch rnd.IntN(3) {
	case 0:
		seen := map[string]bool{}
		for range rnd.IntN(5) {
			if k := pick()[0]; !seen[string(k)] {
				seen[string(k)] = true
				r.Keys = append(r.Keys, k)
			}
		}
		r.Keys = append(r.Keys, []byte("none"))
	case 1:
		k := pick()[0]
		r.Range.Start = request.KeyBound{Token: token.Murmur3{}.Token(k), Inclusive: rnd.IntN(2) == 0}
	}
	if rnd.IntN(2) == 0 {
		prefix := pick()[1 : 2+rnd.IntN(2)]
		one := row.Slice{Start: row.Bound{Inclusive: true}, End: row.Bound{Inclusive: true}}
		b := row.Bound{Values: prefix, Inclusive: rnd.IntN(2) == 0}
		switch rnd.IntN(3) {
		case 0:
			one.Start = b
		case 1:
			one.End = b
		default:
			one.Start, one.End = row.Bound{Values: prefix, Inclusive: true}, row.Bound{Values: prefix, Inclusive: true}
		}
		r.Slices = []row.Slice{one}
	}
	if rnd.IntN(3) == 0 {
		r.Filter = []request.Filter{{Column: table.ByName["kind"], Value: []byte("regular")}}
	}
	if rnd.IntN(2) == 0 {
		at := pick()
		r.After = &request.Position{Key: at[0], Clustering: at[1:3]}
		if r.Keys != nil {
			r.After.Key = r.Keys[rnd.IntN(len(r.Keys))]
		}
		if rnd.IntN(4) == 0 {
			r.After.Clustering = nil
		}
	}
	return r
}

// naive answers a read of a columns table without any of the iterator's code.
func naive(r *request.Read, rows []Row) (lines []string) {
	type item struct {
		row  Row
		rank int
	}
	var items []item
	for _, one := range rows {
		rank := 0
		if r.Keys != nil {
			if rank = slices.IndexFunc(r.Keys, func(k []byte) bool { return bytes.Equal(k, one[0]) }); rank < 0 {
				continue
			}
		} else if b := r.Range.Start; !b.Open {
			if c := (token.Murmur3{}).Token(one[0]).Compare(b.Token); c < 0 || c == 0 && !b.Inclusive {
				continue
			}
		}
		items = append(items, item{one, rank})
	}
	order := func(a, b item) int {
		switch {
		case r.Keys != nil:
			return a.rank - b.rank
		case r.Table.Virtual:
			return bytes.Compare(a.row[0], b.row[0])
		}
		if c := (token.Murmur3{}).Token(a.row[0]).Compare((token.Murmur3{}).Token(b.row[0])); c != 0 {
			return c
		}
		return bytes.Compare(a.row[0], b.row[0])
	}
	within := func(a, b Row) int {
		c := bytes.Compare(a[1], b[1])
		if c == 0 {
			c = bytes.Compare(a[2], b[2])
		}
		if r.Reversed {
			c = -c
		}
		return c
	}
	slices.SortFunc(items, func(a, b item) int {
		if c := order(a, b); c != 0 {
			return c
		}
		return within(a.row, b.row)
	})
	for _, it := range items {
		if r.After != nil {
			after := item{row: Row{r.After.Key}}
			if r.Keys != nil {
				after.rank = slices.IndexFunc(r.Keys, func(k []byte) bool { return bytes.Equal(k, r.After.Key) })
			}
			c := order(it, after)
			if c < 0 || c == 0 && (r.After.Clustering == nil || within(it.row, append(Row{nil}, r.After.Clustering...)) <= 0) {
				continue
			}
		}
		for _, s := range r.Slices {
			full := bytes.Join(it.row[1:3], []byte{0})
			cut := func(b row.Bound) int {
				p := bytes.Join(b.Values, []byte{0})
				if len(b.Values) == 0 || bytes.Equal(full, p) || bytes.HasPrefix(full, append(p, 0)) {
					return 0
				}
				return bytes.Compare(full, p)
			}
			if c := cut(s.Start); c < 0 || c == 0 && !s.Start.Inclusive {
				it.row = nil
			} else if c := cut(s.End); c > 0 || c == 0 && !s.End.Inclusive {
				it.row = nil
			}
		}
		if it.row == nil || r.Filter != nil && string(it.row[5]) != "regular" {
			continue
		}
		lines = append(lines, fmt.Sprintf("%q %q", it.row[0], it.row[1:3]))
	}
	return lines
}

func BenchmarkReadLocal(b *testing.B) {
	tables, s := newNode()
	r := &request.Read{Table: s.Table("system", "local"), Keys: [][]byte{[]byte("local")}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tables.Read(context.Background(), r); err != nil {
			b.Fatal(err)
		}
	}
}
