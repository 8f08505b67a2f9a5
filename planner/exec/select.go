package exec

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/planner"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// maxPageBytes ends a page before its rows are as many as asked for: an answer must fit a frame. Without paging it is no
// limit, as the client asked for all rows at once.
const maxPageBytes = 16 << 20

// maxPooled is the longest buffer that is kept for the next execution.
const maxPooled = 1 << 20

// selecting is one execution of a SELECT. It is pooled: what it holds of one execution is dropped when it ends.
type selecting struct {
	plan    *planner.SelectPlan
	table   *schema.Table
	env     *planner.Env
	opts    *Options
	sink    Sink
	columns []planner.Spec

	read    request.Read
	keys    [][]byte
	slices  []row.Slice
	filters []request.Filter

	// resumed is the page before; nil at the start.
	resumed *page
	// limit, partitionLimit and pageSize count rows, or groups of them; noLimit when there is none.
	limit, partitionLimit, pageSize int
	// emitted counts what went out in this page, inPartition what this partition still allows.
	emitted, inPartition int
	bytes                int

	in      planner.Input
	cells   [][]byte
	scratch []byte
	json    []byte
	group   group
	sorted  []sortRow
}

// noLimit stands for a limit that was not given.
const noLimit = math.MaxInt

var selectPool = sync.Pool{New: func() any { return new(selecting) }}

// Select runs a SELECT. Rows go to sink as they are read; Begin is called before the first of them, and also when there are
// none. The result's warnings hold when an error is returned as well.
// Source: org.apache.cassandra.cql3.statements.SelectStatement.execute.
func Select(ctx context.Context, x Reader, p *planner.Plan, env *planner.Env, opts *Options, sink Sink) (Result, error) {
	s := selectPool.Get().(*selecting)
	s.plan, s.table, s.env, s.opts, s.sink, s.columns = p.Body.(*planner.SelectPlan), p.Table, env, opts, sink, p.Result
	res, err := s.run(ctx, x)
	s.release()
	return res, err
}

// release drops what belongs to one execution and keeps the buffers.
func (s *selecting) release() {
	clear(s.keys)
	clear(s.slices)
	clear(s.filters)
	clear(s.cells)
	clear(s.in.Values)
	if cap(s.scratch) > maxPooled || cap(s.json) > maxPooled || cap(s.group.buf) > maxPooled {
		return // one huge row must not stay
	}
	*s = selecting{
		keys: s.keys[:0], slices: s.slices[:0], filters: s.filters[:0], cells: s.cells[:0], scratch: s.scratch[:0], json: s.json[:0],
		in: planner.Input{Values: s.in.Values[:0]}, group: s.group.emptied(),
	}
	selectPool.Put(s)
}

func (s *selecting) run(ctx context.Context, x Reader) (res Result, err error) {
	cl := s.opts.Consistency
	if cl == cql.Any {
		return res, cql.Invalidf("ANY ConsistencyLevel is only supported for writes")
	}
	if s.opts.PagingState != nil {
		if s.resumed, err = decodePage(s.opts.PagingState, s.plan.Hash, s.table); err != nil {
			return res, err
		}
	}
	if err := s.limits(); err != nil {
		return res, err
	}
	some, err := s.prepareRead()
	if err != nil {
		return res, err
	}
	res.Warnings = s.plan.Warnings()
	if s.plan.Sort != nil && s.opts.PageSize > 0 && (some || s.plan.Group != nil) {
		return res, cql.Invalidf("Cannot page queries with both ORDER BY and a IN restriction on the partition key; " +
			"you must either remove the ORDER BY or the IN and sort client side, or disable paging for this query")
	}
	if cl.IsSerial() && len(s.read.Keys) > 1 && s.plan.Group == nil && s.pageSize >= s.limit {
		return res, cql.Invalidf("SERIAL/LOCAL_SERIAL consistency may only be requested for one partition at a time")
	}
	if s.resumed != nil && some {
		if err := s.resumed.resume(&s.read, s.env.Partitioner); err != nil {
			return res, err
		}
		some = s.read.Keys == nil || len(s.read.Keys) > 0
	}
	if err := s.sink.Begin(s.columns); err != nil {
		return res, err
	}
	var it row.Iterator = nothing{}
	if some {
		if it, err = x.Read(ctx, &s.read, cl); err != nil {
			return res, err
		}
	}
	res.PagingState, err = s.rows(it)
	it.Close()
	return res, err
}

// limits evaluates LIMIT and PER PARTITION LIMIT and takes off what earlier pages have used.
func (s *selecting) limits() error {
	var err error
	if s.limit, err = evalLimit(s.plan.Limit, s.env); err != nil {
		return err
	}
	if s.partitionLimit, err = evalLimit(s.plan.PerPartitionLimit, s.env); err != nil {
		return err
	}
	if s.pageSize = noLimit; s.opts.PageSize > 0 {
		s.pageSize = s.opts.PageSize
	}
	if r := s.resumed; r != nil && r.remaining >= 0 {
		s.limit = min(s.limit, r.remaining)
	}
	return nil
}

// evalLimit returns the value of a limit, noLimit for none. Source: SelectStatement.getLimit.
func evalLimit(t planner.Term, env *planner.Env) (int, error) {
	if t == nil {
		return noLimit, nil
	}
	v, unset, err := t.Eval(env)
	switch {
	case err != nil:
		return 0, err
	case unset:
		return noLimit, nil
	case len(v) == 0:
		return 0, cql.Invalidf("Invalid null value of limit")
	case len(v) != 4:
		return 0, types.TInt.Validate(v)
	}
	n := int(types.Int32(v))
	if n <= 0 {
		return 0, cql.Invalidf("LIMIT must be strictly positive")
	}
	return n, nil
}

// prepareRead fills s.read; some is false when the restrictions leave nothing to read.
func (s *selecting) prepareRead() (some bool, err error) {
	p, w := s.plan, s.plan.Where
	rd := &s.read
	*rd = request.Read{Table: s.table, Columns: p.Columns, Reversed: p.Reversed, Now: s.env.Now, Distinct: p.Distinct}
	if w.KeyRange {
		if rd.Range, some, err = w.Range(s.env); err != nil {
			return false, err
		}
	} else {
		if s.keys, err = w.AppendKeys(s.keys[:0], s.env); err != nil {
			return false, err
		}
		rd.Keys, some = s.keys, len(s.keys) > 0
	}
	var all bool
	if s.slices, all, err = w.AppendSlices(s.slices[:0], s.env); err != nil {
		return false, err
	}
	if !all {
		rd.Slices = s.slices
		some = some && len(s.slices) > 0
	}
	if s.filters, err = w.AppendFilters(s.filters[:0], s.env); err != nil {
		return false, err
	}
	rd.Filter = s.filters
	if w.Index != nil {
		rd.Index = w.Index
		if rd.Term, err = w.IndexTerm(s.env); err != nil {
			return false, err
		}
	}
	s.hints(rd)
	return some, nil
}

// hints tells replicas when this reader will stop.
func (s *selecting) hints(rd *request.Read) {
	if s.plan.Group != nil || s.plan.Sort != nil {
		return
	}
	if n := min(s.limit, s.pageSize); n != noLimit {
		rd.RowLimit = n
	}
	if s.partitionLimit != noLimit {
		rd.PartitionLimit = s.partitionLimit
	}
}

// rows reads what there is, up to the end of the page, and returns the state of the next.
func (s *selecting) rows(it row.Iterator) ([]byte, error) {
	if s.limit == 0 {
		return nil, nil
	}
	grow(&s.in.Values, len(s.plan.Fetch))
	if s.plan.Group != nil {
		return s.groupedRows(it)
	}
	for it.NextPartition() {
		s.openPartition(it)
		any := false
		for s.inPartition > 0 {
			r := it.NextRow()
			if r == nil {
				break
			}
			any = true
			if err := s.fetch(it.Key(), it.Static(), r); err != nil {
				return nil, err
			}
			if err := s.emit(&s.in); err != nil {
				return nil, err
			}
			if s.inPartition != noLimit {
				s.inPartition--
			}
			if s.full() {
				return s.next(it.Key(), r), nil
			}
			if s.plan.Distinct {
				s.inPartition = 0
			}
		}
		if !any && s.staticRow(it) {
			if err := s.fetch(it.Key(), it.Static(), nil); err != nil {
				return nil, err
			}
			if err := s.emit(&s.in); err != nil {
				return nil, err
			}
			if s.full() {
				return s.next(it.Key(), nil), nil
			}
		}
	}
	if err := it.Err(); err != nil {
		return nil, err
	}
	return nil, s.emitSorted()
}

// openPartition counts anew what the partition allows, or takes up what an earlier page left of it.
func (s *selecting) openPartition(it row.Iterator) {
	s.inPartition = s.partitionLimit
	if r := s.resumed; r != nil && r.clustering != nil && r.inPartition >= 0 && string(r.key) == string(it.Key()) {
		s.inPartition = min(s.inPartition, r.inPartition)
	}
}

// staticRow reports whether a partition that gave no row gives one of its static columns: when the rows were not chosen, and
// none were given by an earlier page.
func (s *selecting) staticRow(it row.Iterator) bool {
	if !s.plan.StaticRow || it.Static() == nil {
		return false
	}
	r := s.resumed
	return r == nil || r.clustering == nil || string(r.key) != string(it.Key())
}

// full reports whether the page, or the statement, is at its end.
func (s *selecting) full() bool {
	if s.plan.Sort != nil {
		return false
	}
	return s.emitted >= s.pageSize || s.emitted >= s.limit || s.pageSize != noLimit && s.bytes >= maxPageBytes
}

// next returns the state of the page behind a row, nil when there is none. A row that is nil is the static one. Of a list of
// keys the last has no page behind it when nothing can be left of it; a range always has, since only a read could tell.
func (s *selecting) next(key []byte, r *row.Row) []byte {
	if s.limit != noLimit && s.emitted >= s.limit {
		return nil
	}
	done := r == nil || len(r.Clustering) == 0 || s.inPartition == 0 || s.plan.Distinct
	if done && s.read.Keys != nil && string(s.read.Keys[len(s.read.Keys)-1]) == string(key) {
		return nil
	}
	p := page{key: key, remaining: -1, inPartition: -1}
	if s.limit != noLimit {
		p.remaining = s.limit - s.emitted
	}
	if !done {
		p.clustering = r.Clustering
		if s.inPartition != noLimit {
			p.inPartition = s.inPartition
		}
	}
	return p.append(nil, s.plan.Hash)
}

// emit sends the row of in, or keeps it to be sorted.
func (s *selecting) emit(in *planner.Input) error {
	p := s.plan
	s.emitted++
	cells := s.cells[:0]
	if p.Items == nil {
		for _, i := range p.Direct {
			cells = append(cells, in.Values[i])
		}
	} else {
		for _, item := range p.Items {
			v, err := item.Eval(in, s.env)
			if err != nil {
				return err
			}
			cells = append(cells, v)
		}
	}
	s.cells = cells
	if p.Sort != nil {
		s.keep(cells)
		return nil
	}
	return s.send(cells)
}

// send gives a row to the sink.
func (s *selecting) send(cells [][]byte) error {
	cells = cells[:s.plan.Visible]
	if s.plan.JSON {
		s.json = s.appendJSON(s.json[:0], cells)
		cells = append(cells[:0], s.json)
	}
	for _, c := range cells {
		s.bytes += len(c) + 4
	}
	return s.sink.Row(cells)
}

// appendJSON appends a row as a JSON object. Source: org.apache.cassandra.cql3.selection.ResultSetBuilder, Selection.rowToJson.
func (s *selecting) appendJSON(dst []byte, cells [][]byte) []byte {
	dst = append(dst, '{')
	for i, c := range cells {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		column := &s.plan.Named[i]
		dst = types.AppendJSONName(dst, column.Name)
		dst = append(dst, ": "...)
		dst = column.Type.AppendJSON(dst, c)
	}
	return append(dst, '}')
}

// grow makes *list hold n nil values.
func grow(list *[][]byte, n int) {
	*list = slices.Grow((*list)[:0], n)[:n]
	clear(*list)
}

// nothing is an iterator of no partition.
type nothing struct{ row.Iterator }

func (nothing) NextPartition() bool { return false }
func (nothing) Err() error          { return nil }
func (nothing) Close()              {}
