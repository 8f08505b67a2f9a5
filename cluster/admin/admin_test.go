package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
)

// fakeNode notes what it is asked. What a test does not need it does not have: it would panic.
type fakeNode struct {
	Node
	schema *schema.Snapshot
	asked  []string
	block  chan struct{}
}

func newFake() *fakeNode {
	ks := &schema.Keyspace{Name: "ks", Tables: map[string]*schema.Table{}}
	for _, name := range []string{"b", "a", "seen"} {
		ks.Tables[name] = &schema.Table{Keyspace: "ks", Name: name, Virtual: name == "seen"}
	}
	other := &schema.Keyspace{Name: "other", Tables: map[string]*schema.Table{"c": {Keyspace: "other", Name: "c"}}}
	return &fakeNode{schema: &schema.Snapshot{Keyspaces: map[string]*schema.Keyspace{"ks": ks, "other": other}}}
}

func (f *fakeNode) Schema() *schema.Snapshot { return f.schema }

func (f *fakeNode) note(verb string, tables []*schema.Table) {
	names := []string{verb}
	for _, t := range tables {
		names = append(names, t.Keyspace+"."+t.Name)
	}
	f.asked = append(f.asked, strings.Join(names, " "))
}

func (f *fakeNode) Flush(ctx context.Context, tables []*schema.Table) error {
	f.note("flush", tables)
	if f.block != nil {
		<-f.block
	}
	return nil
}

func (f *fakeNode) Snapshot(_ context.Context, tag string, skip bool, ttl time.Duration, tables []*schema.Table) error {
	f.note(tag+" "+ttl.String(), tables)
	return nil
}

func (f *fakeNode) ClearSnapshots(pick func(*Snapshot) bool) error {
	for _, s := range []Snapshot{{Tag: "s", Keyspace: "ks", Created: 5}, {Tag: "t", Keyspace: "ks", Created: 9}, {Tag: "s", Keyspace: "other", Created: 7}} {
		if pick(&s) {
			f.asked = append(f.asked, s.Tag+"/"+s.Keyspace)
		}
	}
	return nil
}

func (f *fakeNode) Compact(context.Context, Compact, []*schema.Table) error {
	return Unsupported("not yet")
}

func (f *fakeNode) InvalidateCache(CacheKind) error { return errors.New("disk on fire") }

// send sends a request to a server that has no listener.
func send(s *Server, change func(r *http.Request), verb, body string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:7199/v1/"+verb, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = "127.0.0.1:5555"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

// TestVerbs calls verbs with arguments of all kinds.
func TestVerbs(t *testing.T) {
	f := newFake()
	s := New(f, Options{Log: slog.New(slog.DiscardHandler)})
	for _, v := range []struct {
		verb, body string
		status     int
		want       string // what is asked of the node, or the answer
	}{
		{"flush", ``, 200, "flush ks.a ks.b other.c"},
		{"flush", `{"keyspace":"ks"}`, 200, "flush ks.a ks.b"},
		{"flush", `{"keyspace":"ks","tables":["b","b","seen"]}`, 200, "flush ks.b"},
		{"flush", `{"keyspace":"kz"}`, 400, `{"kind":"argument","error":"Keyspace [kz] does not exist."}`},
		{"flush", `{"keyspace":"ks","tables":["z"]}`, 400, `{"kind":"refused","error":"Unknown keyspace/cf pair (ks.z)"}`},
		{"flush", `{"keyspaces":"ks"}`, 400, `{"kind":"argument","error":"arguments: json: unknown field \"keyspaces\""}`},
		{"flush", `{} {}`, 400, `{"kind":"argument","error":"arguments: more than one object"}`},
		{"flush", `[`, 400, `{"kind":"argument","error":"arguments: unexpected EOF"}`},
		{"compact", `{}`, 501, `{"kind":"unsupported","error":"not yet"}`},
		{"invalidatekeycache", `{}`, 500, `{"kind":"failed","error":"disk on fire"}`},
		{"nothing", `{}`, 404, `{"kind":"argument","error":"unknown verb \"nothing\""}`},
		{"snapshot", `{"tag":"s"}`, 200, "s 0s ks.a ks.b other.c"},
		{"snapshot", `{"tag":"s","keyspaces":["other","ks"],"ttl":60}`, 200, "s 1m0s other.c ks.a ks.b"},
		{"snapshot", `{"tag":"s","keyspaces":["ks"],"table":"a"}`, 200, "s 0s ks.a"},
		{"snapshot", `{"tag":"s","list":["other.c","ks.b"]}`, 200, "s 0s other.c ks.b"},
		{"snapshot", `{"tag":"s","list":["c"]}`, 400, `{"kind":"argument","error":"\"c\" is not a keyspace.table"}`},
		{"snapshot", `{"tag":"a/b"}`, 400, `{"kind":"refused","error":"Snapshot name cannot contain /"}`},
		{"snapshot", `{"tag":".."}`, 400, `{"kind":"refused","error":"Snapshot name \"..\" cannot be the name of a folder"}`},
		{"snapshot", `{"tag":"s","table":"a"}`, 400,
			`{"kind":"refused","error":"When specifying the table for a snapshot, you must specify one and only one keyspace"}`},
		{"snapshot", `{"tag":"s","keyspaces":["kz"]}`, 400, `{"kind":"argument","error":"Keyspace kz does not exist"}`},
		{"snapshot", `{}`, 400, `{"kind":"refused","error":"You must supply a snapshot name."}`},
		{"snapshot", `{"tag":"a\u0000b"}`, 400, `{"kind":"refused","error":"Snapshot name \"a\\x00b\" cannot be the name of a folder"}`},
		{"flush", `{"keyspace":` + strings.Repeat("[", 10001), 400, `{"kind":"argument","error":"arguments: invalid character '[' exceeded max depth"}`},
		{"clearsnapshot", `{}`, 400, `{"kind":"argument","error":"Specify snapshot name or --all"}`},
		{"clearsnapshot", `{"all":true}`, 200, "s/ks t/ks s/other"},
		{"clearsnapshot", `{"tag":"s"}`, 200, "s/ks s/other"},
		{"clearsnapshot", `{"all":true,"keyspaces":["ks"],"older_than":9}`, 200, "s/ks"},
		{"setcompactionthroughput", `{"mib":-1}`, 400, `{"kind":"argument","error":"a throughput of -1 MiB/s"}`},
		{"version", `{}`, 200, `{"release_version":"5.0.6"}`},
	} {
		f.asked = nil
		status, answer := send(s, nil, v.verb, v.body)
		got := answer
		if len(f.asked) > 0 {
			got = strings.Join(f.asked, " ")
		}
		if status != v.status || got != v.want {
			t.Errorf("%s %.300s: %d %.300s, want %d %s", v.verb, v.body, status, got, v.status, v.want)
		}
	}
}

// TestAdmit holds who may call.
func TestAdmit(t *testing.T) {
	open := New(newFake(), Options{Log: slog.New(slog.DiscardHandler)})
	closed := New(newFake(), Options{Token: "secret", Log: slog.New(slog.DiscardHandler)})
	for name, v := range map[string]struct {
		s      *Server
		change func(r *http.Request)
		status int
	}{
		"this machine":      {open, nil, 200},
		"localhost":         {open, func(r *http.Request) { r.Host = "localhost:7199" }, 200},
		"IPv6":              {open, func(r *http.Request) { r.Host, r.RemoteAddr = "[::1]:7199", "[::1]:5" }, 200},
		"another machine":   {open, func(r *http.Request) { r.RemoteAddr = "10.0.0.1:5555" }, 403},
		"a rebound name":    {open, func(r *http.Request) { r.Host = "evil.example" }, 403},
		"another address":   {open, func(r *http.Request) { r.Host = "10.0.0.1:7199" }, 403},
		"a web page":        {open, func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:7199") }, 403},
		"another site":      {open, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"a form":            {open, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415},
		"a GET":             {open, func(r *http.Request) { r.Method = http.MethodGet }, 405},
		"no token":          {closed, nil, 401},
		"a wrong token":     {closed, func(r *http.Request) { r.Header.Set("Authorization", "Bearer sekret") }, 401},
		"a bearer":          {closed, func(r *http.Request) { r.Header.Set("Authorization", "Bearer secret") }, 200},
		"a password":        {closed, func(r *http.Request) { r.SetBasicAuth("any", "secret") }, 200},
		"a token from afar": {closed, func(r *http.Request) { r.SetBasicAuth("x", "secret"); r.RemoteAddr, r.Host = "10.0.0.1:5", "db1" }, 200},
		"too much":          {open, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(strings.Repeat(" ", maxBody+1))) }, 413},
	} {
		if status, answer := send(v.s, v.change, "version", "{}"); status != v.status {
			t.Errorf("%s: %d %s, want %d", name, status, answer, v.status)
		}
	}
	o := Options{}
	if o.Check(netip.MustParseAddr("127.0.0.1")) != nil || o.Check(netip.MustParseAddr("0.0.0.0")) == nil || closed.opts.Check(netip.MustParseAddr("10.0.0.1")) != nil {
		t.Error("what may be listened on")
	}
}

// TestBound refuses what is more than the bound, and serves again after.
func TestBound(t *testing.T) {
	f := newFake()
	f.block = make(chan struct{})
	s := New(f, Options{Log: slog.New(slog.DiscardHandler)})
	for range maxRequests {
		s.requests <- struct{}{}
	}
	if status, _ := send(s, nil, "version", ""); status != 503 {
		t.Errorf("status %d when full", status)
	}
	for range maxRequests {
		<-s.requests
	}
	if status, _ := send(s, nil, "version", ""); status != 200 {
		t.Errorf("status %d when empty", status)
	}
}

// TestServe lists the verbs over a socket, and closes while a verb is in flight.
func TestServe(t *testing.T) {
	f := newFake()
	f.block = make(chan struct{})
	s := New(f, Options{Log: slog.New(slog.DiscardHandler)})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	resp, err := http.Get("http://" + l.Addr().String() + "/v1/")
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Verbs []string }
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil || !reflect.DeepEqual(list.Verbs, Verbs()) || !slices.Contains(list.Verbs, "flush") {
		t.Errorf("%v, %v", list, err)
	}
	resp.Body.Close()
	answered := make(chan int, 1)
	go func() {
		resp, err := http.Post("http://"+l.Addr().String()+"/v1/flush", "application/json", nil)
		if err != nil {
			answered <- 0
			return
		}
		resp.Body.Close()
		answered <- resp.StatusCode
	}()
	for len(s.requests) == 0 {
		time.Sleep(time.Millisecond)
	}
	time.AfterFunc(50*time.Millisecond, func() { close(f.block) })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	if status := <-answered; status != 200 {
		t.Errorf("the verb in flight was answered %d", status)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// FuzzArguments finds no panic in what callers send as arguments.
func FuzzArguments(f *testing.F) {
	for _, body := range []string{`{"keyspace":"ks","tables":["a"]}`, `{"tag":"s","list":["ks.a"]}`, `{"all":true,"older_than":9}`, `[`, `{"tag":"\u0000"}`} {
		f.Add("snapshot", body)
		f.Add("flush", body)
		f.Add("clearsnapshot", body)
	}
	s := New(newFake(), Options{Log: slog.New(slog.DiscardHandler)})
	f.Fuzz(func(t *testing.T, verb, body string) {
		switch verb {
		case "flush", "snapshot", "clearsnapshot", "compact", "version", "invalidatekeycache":
		default:
			return
		}
		if status, answer := send(s, nil, verb, body); !json.Valid([]byte(answer)) {
			t.Errorf("%d %q", status, answer)
		}
	})
}
