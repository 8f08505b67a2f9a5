package cluster

import (
	"encoding/binary"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// Bounds of tracing: what a client can make the node keep.
const (
	// traceTTL is how long traces are kept, in seconds. Source: Config.trace_type_query_ttl.
	traceTTL = 86400
	// maxTraceEvents and maxTraceText bound one trace.
	maxTraceEvents = 100
	maxTraceText   = 16 << 10
)

// Trace records one request in system_traces. It is for one request, whose goroutines may all add to it.
type Trace struct {
	n          *Node
	id         schema.UUID
	started    time.Time
	client     string
	request    string
	parameters map[string]string

	mu     sync.Mutex
	events []traceEvent
}

type traceEvent struct {
	id       schema.UUID
	elapsed  time.Duration
	activity string
}

// NewTrace begins the trace of a request of a client's address. parameters are what system_traces.sessions shows.
func (n *Node) NewTrace(client, request string, parameters map[string]string) *Trace {
	return &Trace{n: n, id: n.TimeUUID(), started: time.Now(), client: client, request: request, parameters: parameters}
}

// ID returns the id that the client is told.
func (t *Trace) ID() [16]byte { return t.id }

// Event adds a line; beyond a hundred they are dropped.
func (t *Trace) Event(activity string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.events) < maxTraceEvents {
		t.events = append(t.events, traceEvent{t.n.TimeUUID(), time.Since(t.started), clip(activity)})
	}
}

func clip(s string) string {
	if len(s) > maxTraceText {
		return strings.ToValidUTF8(s[:maxTraceText], "")
	}
	return s
}

// End writes the trace. Clients take it for complete when duration is there, so all of it is written as one.
func (t *Trace) End() {
	duration := time.Since(t.started)
	snap := t.n.Schema()
	sessions, events := snap.Table("system_traces", "sessions"), snap.Table("system_traces", "events")
	if sessions == nil || events == nil {
		return
	}
	ms := []request.Mutation{t.session(sessions, duration)}
	if m, ok := t.eventRows(events); ok {
		ms = append(ms, m)
	}
	if err := t.n.coord.Write(t.n.state.Load().placements["system_traces"], ms, cql.Any, cql.WriteSimple); err != nil {
		t.n.opts.Log.Warn("A trace was lost", slog.String("error", err.Error()))
	}
}

func (t *Trace) session(table *schema.Table, duration time.Duration) request.Mutation {
	w := t.writer(table)
	w.b.Row(nil)
	w.liveness()
	local := t.n.self.Internode
	if a, err := netip.ParseAddr(t.client); err == nil {
		w.cell("client", a.AsSlice())
	}
	w.cell("command", []byte("QUERY"))
	w.cell("coordinator", local.Addr().AsSlice())
	w.cell("coordinator_port", int4(int32(local.Port())))
	w.cell("duration", int4(int32(duration.Microseconds())))
	w.cell("request", []byte(t.request))
	w.cell("started_at", binary.BigEndian.AppendUint64(nil, uint64(t.started.UnixMilli())))
	names := make([]string, 0, len(t.parameters))
	for k := range t.parameters {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		w.element("parameters", []byte(k), []byte(clip(t.parameters[k])))
	}
	return w.b.Mutation()
}

func (t *Trace) eventRows(table *schema.Table) (request.Mutation, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.events) == 0 {
		return request.Mutation{}, false
	}
	w := t.writer(table)
	local := t.n.self.Internode
	for _, e := range t.events {
		w.b.Row([][]byte{e.id[:]})
		w.liveness()
		w.cell("activity", []byte(e.activity))
		w.cell("source", local.Addr().AsSlice())
		w.cell("source_elapsed", int4(int32(e.elapsed.Microseconds())))
		w.cell("source_port", int4(int32(local.Port())))
		w.cell("thread", []byte("Native-Transport-Requests"))
	}
	return w.b.Mutation(), true
}

// traceWriter builds rows that expire.
type traceWriter struct {
	b          request.Builder
	table      *schema.Table
	ts, expiry int64
}

func (t *Trace) writer(table *schema.Table) *traceWriter {
	w := &traceWriter{table: table, ts: t.n.clock.next(), expiry: time.Now().Unix() + traceTTL}
	w.b.Reset(table, t.id[:], t.n.opts.Partitioner.Token(t.id[:]))
	return w
}

func (w *traceWriter) liveness() {
	w.b.Liveness(row.Liveness{Timestamp: w.ts, TTL: traceTTL, Expiry: w.expiry})
}

func (w *traceWriter) cell(column string, value []byte) { w.element(column, nil, value) }

func (w *traceWriter) element(column string, path, value []byte) {
	w.b.Cell(row.Cell{Column: w.table.ByName[column].ID, Path: path, Value: value, Timestamp: w.ts, TTL: traceTTL, Local: w.expiry})
}

func int4(v int32) []byte { return types.AppendInt32(nil, v) }
