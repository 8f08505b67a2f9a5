package nodetool

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cluster/admin"
)

// node is an admin endpoint that answers what it is told to, and notes what it was asked.
type node struct {
	answers map[string]any
	asked   []string
	server  *httptest.Server
}

func newNode(t *testing.T, answers map[string]any) *node {
	n := &node{answers: answers}
	n.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		verb := strings.TrimPrefix(r.URL.Path, "/v1/")
		user, password, _ := r.BasicAuth()
		n.asked = append(n.asked, strings.TrimSpace(verb+" "+string(body)+" "+user+" "+password))
		answer, ok := n.answers[verb]
		if e, failed := answer.(*admin.Error); failed {
			w.WriteHeader(http.StatusInternalServerError)
			answer = e
		} else if !ok {
			answer = struct{}{}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(n.server.Close)
	return n
}

// run calls nodetool with a command line.
func (n *node) run(args ...string) (code int, out, errs string) {
	_, port, _ := strings.Cut(strings.TrimPrefix(n.server.URL, "http://"), ":")
	var o, e bytes.Buffer
	code = Run(context.Background(), append([]string{"-p", port}, args...), &o, &e)
	return code, o.String(), e.String()
}

func at(s string) int64 {
	t, err := time.Parse("2006-01-02T15:04:05.000Z", s)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

// TestShapes compares what is printed with what Cassandra's nodetool printed of the same facts.
func TestShapes(t *testing.T) {
	time.Local = time.UTC
	member := func(address, load string, bytes int64, id string) admin.Member {
		return admin.Member{Address: address, Load: bytes, HostID: id, DataCenter: "datacenter1", Rack: "rack1", Up: true, State: "NORMAL", Tokens: 16, Owns: 1}
	}
	ring := []admin.Member{
		member("127.0.16.3", "86.92 KiB", 89009, "9ec59527-f173-48e5-852b-0d09050b8cb3"),
		member("127.0.16.1", "126.89 KiB", 129932, "aa6be6f4-c038-439a-83c2-19cf11021831"),
		member("127.0.16.2", "81.75 KiB", 83712, "21efa5b8-e325-4e10-8eda-d8f03910b401"),
	}
	down := []admin.Member{ring[0], ring[1], ring[2]}
	for i, load := range []int64{101468, 142520, 101427} {
		down[i].Load, down[i].Up = load, i == 1
	}
	compacted := func(id, table, when string, in, out int64, rows map[int]int64) admin.Compaction {
		return admin.Compaction{ID: id, Keyspace: "system_schema", Table: table, At: at(when + "Z"), In: in, Out: out, Merged: rows,
			Properties: map[string]string{"compaction_type": "Compaction"}}
	}
	for _, v := range []struct {
		file, verb string
		args       []string
		answer     any
		cut        []string // lines of the file that this node does not print
	}{
		{"info.txt", "info", []string{"info"}, admin.Info{
			ID: "aa6be6f4-c038-439a-83c2-19cf11021831", GossipActive: true, NativeActive: true, Load: 129932, UncompressedLoad: 174920,
			Generation: 1795331651, Uptime: 258, HeapUsed: 453621842, HeapMax: 768 << 20, DataCenter: "datacenter1", Rack: "rack1",
			KeyCache:     admin.Cache{Entries: 71, Size: 5683, Capacity: 38 << 20, Hits: 83, Requests: 118, SavePeriod: 14400},
			CounterCache: admin.Cache{Entries: 48, Size: 5376, Capacity: 19 << 20, Requests: 48, SavePeriod: 7200}, PercentRepaired: 100,
			Tokens: make([]string, 16),
		}, []string{"Network Cache"}},
		{"status.txt", "status", []string{"status", "c_n3"}, admin.Status{Members: ring, Effective: true, Known: true}, nil},
		{"status-meaningless.txt", "status", []string{"status"}, admin.Status{Members: down}, nil},
		{"tablestats.txt", "tablestats", []string{"tablestats", "c_n3.kv"}, admin.AllTableStats{Tables: []admin.TableStats{{
			Keyspace: "c_n3", Table: "kv", CompressionRatio: -1, MemtableSwitches: 1, SpeculativeRetries: 3, Reads: 62, ReadLatency: 0.223,
			Writes: 144, WriteLatency: 0.052, PercentRepaired: 100,
		}}}, nil},
		{"tablehistograms.txt", "tablehistograms", []string{"tablehistograms", "ks.t"}, admin.AllHistograms{Tables: []admin.TableHistograms{{
			Keyspace: "ks", Table: "t", ReadLatency: &admin.Percentiles{}, WriteLatency: &admin.Percentiles{72, 86, 446, 1916, 3973, 51, 6866},
			SSTables: &admin.Percentiles{}, PartitionSize: &admin.Percentiles{35, 35, 35, 35, 35, 25, 35}, CellCount: &admin.Percentiles{1, 1, 1, 1, 1, 0, 1},
		}}}, nil},
		{"compactionstats.txt", "compactionstats", []string{"compactionstats"}, admin.CompactionStats{
			Compactors: 2, Completed: 19, Compacted: 236789, FifteenMinute: 9.27, Mean: 206.75, Throughput: 64,
		}, nil},
		{"compactionstats-active.txt", "compactionstats", []string{"compactionstats"}, admin.CompactionStats{
			Compactors: 2, Completed: 4, Compacted: 48192, FifteenMinute: 0.24, Mean: 124.22, Throughput: 1, Pending: map[string]int{"big.t": 1},
			RemainingSeconds: 65, Active: []admin.ActiveCompaction{{
				ID: "8878acf0-e8e9-11f1-8cdd-6ff92d4c5092", Kind: "Major compaction", Keyspace: "big", Table: "t", Completed: 5256231,
				Total: 74263168, Unit: "bytes",
			}},
		}, nil},
		{"compactionhistory.txt", "compactionhistory", []string{"compactionhistory"}, admin.CompactionHistory{Compactions: []admin.Compaction{
			compacted("85011000-e644-11f1-a9c3-d1850417f9bd", "keyspaces", "2026-11-22T07:15:39.302", 738, 387, map[int]int64{1: 9, 3: 1}),
			compacted("8bb055f0-e644-11f1-a9c3-d1850417f9bd", "column_masks", "2026-11-22T07:15:50.585", 3663, 3581, map[int]int64{1: 6, 2: 2}),
			compacted("8904bdf0-e644-11f1-a9c3-d1850417f9bd", "keyspaces", "2026-11-22T07:15:45.927", 756, 410, map[int]int64{1: 10, 3: 1}),
			compacted("86ee8820-e644-11f1-a9c3-d1850417f9bd", "columns", "2026-11-22T07:15:42.492", 8555, 8263, map[int]int64{1: 8, 2: 2}),
			compacted("86f1e380-e644-11f1-a9c3-d1850417f9bd", "tables", "2026-11-22T07:15:42.461", 5290, 4277, map[int]int64{1: 8, 2: 2}),
			compacted("857359d0-e644-11f1-a9c3-d1850417f9bd", "column_masks", "2026-11-22T07:15:39.770", 3594, 3529, map[int]int64{1: 6, 2: 1}),
		}}, nil},
		{"listsnapshots.txt", "listsnapshots", []string{"listsnapshots"}, admin.Snapshots{Snapshots: []admin.Snapshot{
			{Tag: "s1", Keyspace: "c_n3", Table: "cnt", True: 1085, Size: 6789, Created: at("2026-11-22T07:21:15.772Z")},
			{Tag: "s1", Keyspace: "c_n3", Table: "kv", True: 1116, Size: 1116, Created: at("2026-11-22T07:21:15.772Z")},
		}}, nil},
		{"listsnapshots-none.txt", "listsnapshots", []string{"listsnapshots"}, admin.Snapshots{}, nil},
	} {
		b, err := os.ReadFile(filepath.Join("testdata", v.file))
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		for line := range strings.Lines(string(b)) {
			keep := true
			for _, c := range v.cut {
				keep = keep && !strings.HasPrefix(line, c)
			}
			if keep {
				want += line
			}
		}
		// What a keyspace has in sum is of its coordinator in Cassandra.
		if v.verb == "tablestats" {
			want = strings.NewReplacer("2.5280967741935485", "0.223", "Write Count: 163", "Write Count: 144", "0.14473006134969324", "0.052",
				"(last five minutes): 1.0", "(last five minutes): NaN", "(last five minutes): 1", "(last five minutes): 0").Replace(want)
		}
		n := newNode(t, map[string]any{v.verb: v.answer})
		code, out, errs := n.run(v.args...)
		if code != 0 || errs != "" || out != want {
			t.Errorf("%v: exit %d, %q\n got %s\nwant %s", v.args, code, errs, out, want)
		}
	}
}

// TestAsked holds what command lines ask for.
func TestAsked(t *testing.T) {
	for _, v := range []struct{ args, want string }{
		{"flush", `flush {}`},
		{"flush ks a b", `flush {"keyspace":"ks","tables":["a","b"]}`},
		{"flush -- ks -a", `flush {"keyspace":"ks","tables":["-a"]}`},
		{"-u me -pw word flush", `flush {} me word`},
		{"--password=word flush", `flush {} nodetool word`},
		{"flush -pw word ks", `flush {"keyspace":"ks"} nodetool word`},
		{"compact -s ks t", `compact {"keyspace":"ks","tables":["t"],"split_output":true}`},
		{"compact --user-defined x-Data.db", `compact {"user_defined":true,"files":["x-Data.db"]}`},
		{"compact -st 1 -et 5 ks", `compact {"keyspace":"ks","start_token":"1","end_token":"5"}`},
		{"scrub -j 2 -ns ks", `scrub {"keyspace":"ks","kind":"","jobs":2,"no_snapshot":true}`},
		{"upgradesstables -a", `upgradesstables {"kind":"","all":true}`},
		{"garbagecollect -g CELL ks", `garbagecollect {"keyspace":"ks","kind":"","cells":true}`},
		{"verify -f -e ks", `verify {"keyspace":"ks","extended":true}`},
		{"setcompactionthroughput 16", `setcompactionthroughput {"mib":16}`},
		{"disableautocompaction ks t", `disableautocompaction {"keyspace":"ks","tables":["t"]}`},
		{"invalidaterowcache", `invalidaterowcache {}`},
		{"snapshot -t s -sf --ttl 2h a b", `snapshot {"tag":"s","keyspaces":["a","b"],"skip_flush":true,"ttl":7200}`},
		{"snapshot --tag s -kt a.b,c.d", `snapshot {"tag":"s","list":["a.b","c.d"]}`},
		{"clearsnapshot --all ks --older-than-timestamp 2022-12-03T10:15:30Z", `clearsnapshot {"all":true,"keyspaces":["ks"],"older_than":1670062530000}`},
		{"import -p -l -t ks t /a /b", `import {"keyspace":"ks","table":"t","directories":["/a","/b"],"keep_level":true,"no_tokens":true,"copy_data":true}`},
		{"refresh ks t", `import {"keyspace":"ks","table":"t","directories":null,"refresh":true}`},
	} {
		n := newNode(t, nil)
		code, out, errs := n.run(strings.Fields(v.args)...)
		if code != 0 || len(n.asked) != 1 || n.asked[0] != v.want {
			t.Errorf("%s: exit %d, asked %q, want %q; %s%s", v.args, code, n.asked, v.want, out, errs)
		}
	}
}

// TestRefusals holds texts and exit codes of calls that go wrong, as nodetool has them.
func TestRefusals(t *testing.T) {
	const see = "\nSee 'nodetool help' or 'nodetool help <command>'.\n"
	for _, v := range []struct {
		args      string
		code      int
		out, errs string
	}{
		{"frobnicate", 1, "nodetool: Found unexpected parameters: [frobnicate]" + see, ""},
		{"info extra", 1, "nodetool: Found unexpected parameters: [extra]" + see, ""},
		{"flush -z", 1, "nodetool: Found unexpected parameters: [-z]" + see, ""},
		{"info -F xml", 1, "nodetool: arguments for -F are json only." + see, ""},
		{"snapshot -t", 1, "nodetool: Required values for option 'tag' not provided" + see, ""},
		{"clearsnapshot", 1, "nodetool: Specify snapshot name or --all" + see, ""},
		{"clearsnapshot --all -t x", 1, "nodetool: Specify only one of snapshot name or --all" + see, ""},
		{"setcompactionthroughput abc", 1, `nodetool: compaction_throughput: can not convert "abc" to a Integer` + see, ""},
		{"setcompactionthroughput", 1, "nodetool: Required parameters are missing: compaction_throughput" + see, ""},
		{"import h6", 1, "nodetool: import requires keyspace, table name and directories" + see, ""},
		{"refresh h6", 1, "nodetool refresh is deprecated, use nodetool import instead\nnodetool: refresh requires ks and cf args" + see, ""},
		{"verify h6", 1, "verify is disabled unless a [-f|--force] override flag is provided. See CASSANDRA-9947 and CASSANDRA-17017 for details.\n", ""},
		{"garbagecollect -g FOO h6 t", 2, "", "error: No enum constant org.apache.cassandra.schema.CompactionParams.TombstoneOption.FOO\n"},
		{"flush nosuchks", 1, "nodetool: Keyspace [nosuchks] does not exist." + see, ""},
		{"compact h6 nosuch", 2, "", "error: Unknown keyspace/cf pair (h6.nosuch)\n"},
		{"status nosuchks", 1, "\nError: The keyspace nosuchks, does not exist\n", ""},
		{"snapshot --ttl soon", 1, "nodetool: Invalid duration: soon" + see, ""},
		{"drain", 2, "", "error: not built yet\n"},
	} {
		n := newNode(t, map[string]any{
			"flush":   &admin.Error{Kind: admin.KindArgument, Message: "Keyspace [nosuchks] does not exist."},
			"compact": &admin.Error{Kind: admin.KindFailed, Message: "Unknown keyspace/cf pair (h6.nosuch)"},
			"status":  &admin.Error{Kind: admin.KindArgument, Message: "The keyspace nosuchks, does not exist"},
			"drain":   &admin.Error{Kind: admin.KindUnsupported, Message: "not built yet"},
		})
		code, out, errs := n.run(strings.Fields(v.args)...)
		if code != v.code || out != v.out || errs != v.errs {
			t.Errorf("%s: exit %d, %q, %q; want %d, %q, %q", v.args, code, out, errs, v.code, v.out, v.errs)
		}
	}
	var out, errs bytes.Buffer
	if code := Run(context.Background(), []string{"-p", "1", "info"}, &out, &errs); code != 2 || !strings.HasPrefix(errs.String(), "error: Failed to connect to '127.0.0.1:1' - ") {
		t.Errorf("no node: exit %d, %s", code, errs.String())
	}
}

// TestPasswordFile takes the token from files of both forms.
func TestPasswordFile(t *testing.T) {
	for content, want := range map[string]string{"word\n": "version {} me word", "you no\nme word\n": "version {} me word", "you no\nthem no\n": ""} {
		file := filepath.Join(t.TempDir(), "pw")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		n := newNode(t, nil)
		code, _, errs := n.run("-u", "me", "-pwf", file, "version")
		if got := strings.Join(n.asked, "|"); got != want || (code == 0) != (want != "") {
			t.Errorf("%q: exit %d, asked %q, %s", content, code, got, errs)
		}
	}
}

// TestHelp names every verb, and every option of one.
func TestHelp(t *testing.T) {
	var out, errs bytes.Buffer
	if code := Run(context.Background(), nil, &out, &errs); code != 0 {
		t.Error(code)
	}
	for name, v := range verbs {
		if !strings.Contains(out.String(), "    "+name+" ") {
			t.Errorf("%s is not named", name)
		}
		var one bytes.Buffer
		if code := Run(context.Background(), []string{"help", name}, &one, &errs); code != 0 || !strings.Contains(one.String(), "nodetool "+name+" - "+v.summary) {
			t.Errorf("help %s: %d %s", name, code, one.String())
		}
		for _, o := range v.options {
			if !strings.Contains(one.String(), strings.Join(o.names, ", ")) {
				t.Errorf("help %s does not name %v", name, o.names)
			}
		}
	}
}

// TestJSON prints the answer of any verb as JSON.
func TestJSON(t *testing.T) {
	for name, v := range verbs {
		n := newNode(t, nil)
		args := []string{name, "-F", "json"}
		switch name {
		case "verify":
			args = append(args, "-f")
		case "clearsnapshot":
			args = append(args, "--all")
		case "setcompactionthroughput", "setconcurrentcompactors":
			args = append(args, "1")
		case "getcompactionthreshold":
			args = append(args, "ks", "t")
		case "forcecompact":
			args = append(args, "ks", "t", "1")
		case "refresh":
			args = append(args, "ks", "t")
		case "import":
			args = append(args, "ks", "t", "/d")
		}
		code, out, errs := n.run(args...)
		if code != 0 || !json.Valid([]byte(out)) {
			t.Errorf("%s (%s): exit %d, %q, %s", name, v.summary, code, out, errs)
		}
	}
}
