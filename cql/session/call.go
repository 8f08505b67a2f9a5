package session

import (
	"errors"
	"strconv"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/server"
	"github.com/helenusdb/helenus/cql/wire"
	"github.com/helenusdb/helenus/parser"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/planner/exec"
)

// call is one request on its way. It stays with the server's Request as its Scratch, and serves what that serves next; one
// goroutine at a time works on it.
type call struct {
	h *Handler
	c *conn
	r *server.Request

	query   wire.Query
	execute wire.Execute
	batch   wire.Batch
	env     planner.Env
	opts    exec.Options
	values  []planner.Value
	lits    []parser.Literal
	texts   []string // of lits; never the literals of a prepared statement, which are shared
	key     []byte   // keyspace, 0, shape
	recent  recent
	out     sink
	turn    *turn // of a read that is executed in turn with others, else nil
	trace   Trace
}

func newCall(h *Handler) *call {
	k := &call{h: h}
	k.env = h.node
	return k
}

func (k *call) begin(c *conn, r *server.Request) {
	k.c, k.r, k.trace, k.turn = c, r, nil, nil
	k.out.reset(k)
}

// finish answers with err, if there is one, and empties k.
func (k *call) finish(err error) {
	if err != nil {
		k.event("Request failed: " + err.Error())
		k.endTrace()
		k.r.Error(err)
	}
	k.endTrace()
	k.drop()
}

// drop lets go of what k held for its request: a call that waits for another must not keep the bytes of a connection.
func (k *call) drop() {
	k.c, k.r, k.trace, k.turn = nil, nil, nil, nil
	k.query.Text, k.execute.ID, k.execute.ResultMetadataID = nil, nil, nil
	for _, p := range []*wire.QueryParams{&k.query.QueryParams, &k.execute.QueryParams} {
		clear(p.Values)
		p.PagingState = nil
	}
	clear(k.values)
	clear(k.batch.Items)
	clear(k.texts)
	clear(k.lits)
	k.env.Values, k.env.Literals, k.opts.PagingState = nil, nil, nil
	k.out.st, k.out.have, k.out.rows = nil, nil, wire.RowsWriter{}
}

// endTrace writes the trace, if there is one: before the answer, so that the client finds it.
func (k *call) endTrace() {
	if k.trace != nil {
		k.trace.End()
		k.trace = nil
	}
}

// run executes st: at once, or in a goroutine of its own when it may wait.
func (k *call) run(st *statement, prepared bool, p *wire.QueryParams) {
	if k.h.mayWait(st) {
		k.r.Go(func() { k.finish(k.answerInTurn(st, prepared, p)) })
		return
	}
	k.out.inline = true
	err := k.answer(k.r.Context(), st, prepared, p)
	if errors.Is(err, errTooLong) {
		k.out.reset(k)
		k.r.Go(func() { k.finish(k.answerInTurn(st, prepared, p)) })
		return
	}
	k.finish(err)
}

// answerInTurn executes st apart from its connection's other requests. A read waits for its turn, and is refused when there is
// no memory for what may be a large answer: unlike the client of a small one, its client can do without it for a while.
func (k *call) answerInTurn(st *statement, prepared bool, p *wire.QueryParams) error {
	switch st.plan.Body.(type) {
	case *planner.SelectPlan, *planner.DescribePlan:
	default:
		return k.answer(k.r.Context(), st, prepared, p)
	}
	t, err := k.h.scans.enter(k.r.Context())
	defer t.leave()
	for err == nil && k.c.c.Clogged() { // others of its connection have had their turn meanwhile
		t.leave()
		k.c.c.AwaitReader()
		err = t.take()
	}
	if err == nil {
		err = k.c.c.Overload()
	}
	if err != nil {
		return err
	}
	k.turn = t
	return k.answer(t, st, prepared, p)
}

// literals keeps the text of a statement's literals for the execution.
func (k *call) literals(lits []parser.Literal) {
	k.texts = k.texts[:0]
	for _, l := range lits {
		k.texts = append(k.texts, l.Text)
	}
	k.env.Literals = k.texts
}

// bind brings the values of a request into the order of the markers. Source: QueryOptions.OptionsWithNames.
func (k *call) bind(st *statement, p *wire.QueryParams, wrongCount func(markers, values int) *cql.Error) error {
	markers := st.plan.Markers
	k.values = k.values[:0]
	if len(p.Names) > 0 {
		for _, m := range markers {
			for i, name := range p.Names {
				if name == m.Name {
					k.values = append(k.values, planner.Value{Bytes: p.Values[i].Bytes, Unset: p.Values[i].Unset})
					break
				}
			}
		}
	} else {
		k.values = appendValues(k.values, p.Values)
	}
	if len(k.values) != len(markers) {
		return wrongCount(len(markers), len(k.values))
	}
	k.env.Values = k.values
	return nil
}

func appendValues(dst []planner.Value, src []wire.Value) []planner.Value {
	for _, v := range src {
		dst = append(dst, planner.Value{Bytes: v.Bytes, Unset: v.Unset})
	}
	return dst
}

// errNodeLocal answers every statement at NODE_LOCAL. Source: QueryProcessor, ConsistencyLevel.NODE_LOCAL.
var errNodeLocal = cql.Invalidf("NODE_LOCAL consistency level is highly dangerous and should be used only for debugging purposes")

// options fills in what the parameters of a request say of its execution.
func (k *call) options(p *wire.QueryParams) error {
	if p.Consistency == cql.NodeLocal {
		return errNodeLocal
	}
	now := k.r.Arrived
	k.env.Now, k.env.NowMillis, k.env.Version = now.Unix(), now.UnixMilli(), k.r.Version
	if p.Has(wire.FlagNow) {
		k.env.Now = int64(p.NowInSeconds)
	}
	k.opts = exec.Options{
		Consistency: p.Consistency, Serial: p.SerialConsistency, PageSize: int(p.PageSize), PagingState: p.PagingState,
		Timestamp: p.Timestamp, HasTimestamp: p.Has(wire.FlagTimestamp), Now: now.UnixMicro(),
	}
	return nil
}

// keyspace returns the keyspace that a request's unqualified names are of.
func (k *call) keyspace(p *wire.QueryParams) (string, error) {
	if p.Keyspace == "" {
		return k.c.current(), nil
	}
	if k.h.o.Backend.Schema().Keyspaces[p.Keyspace] == nil {
		return "", cql.Invalidf("Keyspace '%s' does not exist", p.Keyspace)
	}
	return p.Keyspace, nil
}

// begun starts a trace when the client asked for one.
func (k *call) begun(request string, p *wire.QueryParams, parameters map[string]string) {
	if !k.r.Tracing() || k.h.o.Trace == nil {
		return
	}
	if p != nil {
		parameters["consistency_level"] = p.Consistency.String()
		parameters["serial_consistency_level"] = p.SerialConsistency.String()
		if p.PageSize > 0 {
			parameters["page_size"] = strconv.Itoa(int(p.PageSize))
		}
	}
	k.trace = k.h.o.Trace(TraceStart{Client: k.c.c.RemoteAddr().Addr().String(), Request: request, Parameters: parameters})
	k.r.SetTracingID(k.trace.ID())
}

// event adds a line to the trace, if there is one.
func (k *call) event(activity string) {
	if k.trace != nil {
		k.trace.Event(activity)
	}
}

// serveQuery serves QUERY. Every serve function ends with finish being called, by itself or later by another goroutine.
func (k *call) serveQuery() {
	p := &k.query.QueryParams
	if err := k.query.Decode(k.r.Body, k.r.Version); err != nil {
		k.finish(err)
		return
	}
	text := string(k.query.Text)
	if k.r.Tracing() {
		k.begun("Execute CQL3 query", p, map[string]string{"query": text})
		k.event("Parsing " + text)
	}
	st, err := k.plan(p, text)
	if err == nil {
		err = k.bind(st, p, func(int, int) *cql.Error { return cql.Invalidf("Invalid amount of bind variables") })
	}
	if err == nil {
		err = k.options(p)
	}
	if err != nil {
		k.finish(err)
		return
	}
	k.h.counters.regular.Add(1)
	k.run(st, false, p)
}

func (k *call) plan(p *wire.QueryParams, text string) (*statement, error) {
	ks, err := k.keyspace(p)
	if err != nil {
		return nil, err
	}
	k.event("Preparing statement")
	return k.h.statementOf(ks, text, k)
}

// serveExecute serves EXECUTE.
func (k *call) serveExecute() {
	p := &k.execute.QueryParams
	if err := k.execute.Decode(k.r.Body, k.r.Version); err != nil {
		k.finish(err)
		return
	}
	st, err := k.byID(k.execute.ID)
	if err == nil {
		err = k.bind(st, p, func(markers, values int) *cql.Error {
			return cql.Invalidf("there were %d markers(?) in CQL but %d bound variables", markers, values)
		})
	}
	if err == nil {
		err = k.options(p)
	}
	if err != nil {
		k.finish(err)
		return
	}
	if k.r.Tracing() {
		k.begun("Execute CQL3 prepared query", p, k.traceBound(st))
	}
	if st.keyspace != "" && st.plan.Table != nil {
		if used := k.c.current(); p.Keyspace == "" && used != st.keyspace {
			k.c.warnUse(k.r, used, st, false)
		}
	}
	k.h.counters.executed.Add(1)
	k.env.Literals = st.literals
	k.run(st, true, p)
}

// traceBound is the parameters that a trace shows of a prepared statement.
func (k *call) traceBound(st *statement) map[string]string {
	m := map[string]string{"query": st.text}
	for i, v := range k.values {
		text := "null"
		if v.Unset {
			text = "unset"
		} else if v.Bytes != nil {
			text = string(st.plan.Markers[i].Type.AppendCQL(nil, v.Bytes))
		}
		m["bound_var_"+strconv.Itoa(i)+"_"+st.plan.Markers[i].Name] = text
	}
	return m
}

// servePrepare serves PREPARE.
func (k *call) servePrepare() {
	var p wire.Prepare
	if err := p.Decode(k.r.Body, k.r.Version); err != nil {
		k.finish(err)
		return
	}
	text := string(p.Text)
	if k.r.Tracing() {
		k.begun("Preparing CQL3 query", nil, map[string]string{"query": text})
	}
	ks, err := k.keyspace(&wire.QueryParams{Keyspace: p.Keyspace})
	if err != nil {
		k.finish(err)
		return
	}
	st, err := k.h.prepare(k.h.o.Backend.Schema(), ks, text)
	if err != nil {
		k.finish(err)
		return
	}
	if st.keyspace != "" && st.plan.Table != nil && k.h.prepared.get(st.id) == nil {
		k.c.warnUse(k.r, ks, st, p.Keyspace != "")
	}
	k.h.prepared.put(st.id, st, st.weigh(len(text), len(st.literals)))
	answer := wire.Prepared{
		ID: st.id[:], ResultMetadataID: st.resultID, Variables: st.variables, PartitionKey: st.plan.PKIndexes, Result: st.result,
	}
	k.r.Reply(wire.OpResult, wire.AppendPrepared(k.r.Begin(), k.r.Version, &answer))
	k.finish(nil)
}

// warnUse warns of a prepared statement whose table is found by USE: once on a connection, and always when the request brings a
// keyspace of its own, which Cassandra serves as if on a connection of its own. Source: ClientState.cloneWithKeyspaceIfSet.
func (c *conn) warnUse(r *server.Request, used string, st *statement, own bool) {
	c.mu.Lock()
	warn := own || !c.warned
	c.warned = c.warned || !own
	c.mu.Unlock()
	if warn {
		r.AddWarning(useWarning(used, st))
	}
}
