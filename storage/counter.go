package storage

import (
	"encoding/binary"
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// ApplyCounter applies counter mutations as their leading replica: under the partitions' locks it reads the shards of host,
// advances them by the increments, and writes and logs what they have become, as one record. clockMicros is the time, in
// microseconds; the clock of a shard never falls behind it. Mutations of the batch that hold no increments are applied too.
//
// As in Cassandra an increment goes on from the count that the host last wrote, even when the row was deleted since.
//
// Source: org.apache.cassandra.db.CounterMutation; cql.md 2.7, 2.1 (10).
func (e *Engine) ApplyCounter(ms []request.Mutation, host schema.UUID, clockMicros int64) (Commit, error) {
	if !e.ready.Load() {
		return Commit{}, ErrNotReplayed
	}
	unlock := e.lockAll(ms)
	defer unlock()
	l := leader{host: host, clock: clockMicros}
	out := make([]request.Mutation, len(ms))
	for i := range ms {
		out[i] = ms[i]
		if !ms[i].Counter {
			continue
		}
		st := e.store(ms[i].Table.ID)
		if st == nil {
			return Commit{}, unknownTable(ms[i].Table)
		}
		var err error
		l.view = st.acquire()
		out[i], err = l.lead(&ms[i])
		l.view.release()
		if err != nil {
			return Commit{}, err
		}
	}
	return e.Apply(out)
}

// lockAll takes the locks of all partitions of a batch.
func (e *Engine) lockAll(ms []request.Mutation) (unlock func()) {
	stripes := make([]int, 0, 4)
	for i := range ms {
		stripes = append(stripes, e.stripe(ms[i].Table, ms[i].Key))
	}
	slices.Sort(stripes)
	stripes = slices.Compact(stripes)
	for _, s := range stripes {
		e.locks[s].Lock()
	}
	return func() {
		for _, s := range stripes {
			e.locks[s].Unlock()
		}
	}
}

// leader turns increments into shards.
type leader struct {
	view    *view
	host    schema.UUID
	clock   int64
	builder request.Builder
	// made holds the shards made for earlier rows of the batch, which are not in memory yet.
	made map[counterPlace]counterShard
	// there holds the shards of the row that is advanced, as memtables and tables on disk have them.
	there map[schema.ColumnID]counterShard
	row   row.Row
	buf   []byte
}

// counterPlace is a counter: table, key, encoded clustering ("" for a static one) and column.
type counterPlace struct {
	table           schema.UUID
	key, clustering string
	column          schema.ColumnID
}

// counterShard is a shard's state.
type counterShard struct{ clock, count int64 }

// lead returns m with its increments made shards.
func (l *leader) lead(m *request.Mutation) (request.Mutation, error) {
	b := &l.builder
	b.Reset(m.Table, m.Key, m.Token)
	c := m.Changes()
	var r row.Row
	for c.Next() {
		switch {
		case c.Range:
			b.DeleteRange(c.Slice, c.Deletion)
			continue
		case !c.Row && !c.Static:
			b.DeletePartition(c.Deletion)
			continue
		}
		in := row.Reader{B: c.Encoded}
		place := counterPlace{table: m.Table.ID, key: string(m.Key)}
		if c.Row {
			r.Clustering = in.Values(nil, len(m.Table.Clustering))
			place.clustering = string(c.Encoded[:len(c.Encoded)-len(in.B)])
			b.Row(r.Clustering)
		} else {
			b.Static()
		}
		in.Body(&r)
		if err := l.read(m, c.Static, r.Clustering); err != nil {
			return request.Mutation{}, err
		}
		if r.Liveness.Timestamp != row.NoTimestamp {
			b.Liveness(r.Liveness)
		}
		if !r.Deletion.IsLive() {
			b.DeleteRow(r.Deletion)
		}
		for i := range r.Cells {
			cell := r.Cells[i]
			if cell.IsTombstone() || len(cell.Value) != 8 {
				b.Cell(cell)
				continue
			}
			place.column = cell.Column
			s := l.advance(place, int64(binary.BigEndian.Uint64(cell.Value)))
			l.buf = row.AppendCounter(l.buf[:0], l.host, s.clock, s.count)
			b.Cell(row.Cell{Column: cell.Column, Value: l.buf, Timestamp: l.clock, Local: row.NoLocal})
		}
	}
	return b.Mutation(), c.Err()
}

// read fills there with the shards of a row of a mutation's partition, or of its static row. Deletions do not count.
func (l *leader) read(m *request.Mutation, static bool, clustering [][]byte) error {
	clear(l.there)
	for _, mem := range append(slices.Clip(l.view.frozen), l.view.mem) {
		if mem.Raw(m.Token, m.Key, static, clustering, &l.row) {
			l.note(&l.row)
		}
	}
	wanted := []row.Slice{}
	if !static {
		wanted = []row.Slice{row.All}
		if len(clustering) > 0 {
			b := row.Bound{Values: clustering, Inclusive: true}
			wanted[0] = row.Slice{Start: b, End: b}
		}
	}
	for i := range l.view.tables {
		t := &l.view.tables[i]
		if t.err != nil {
			return t.err
		}
		p, err := t.view.Lookup(m.Key, wanted, false)
		if err != nil {
			return err
		}
		if p == nil {
			continue
		}
		if static {
			l.note(p.Static)
			continue
		}
		for u := p.Rows.Next(); u != nil; u = p.Rows.Next() {
			l.note(u.Row)
		}
		if err := p.Rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

// note keeps the newest shards of the host that a row has; r is nil for none.
func (l *leader) note(r *row.Row) {
	if r == nil {
		return
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		clock, count := row.CounterShard(c.Value, l.host)
		if clock > l.there[c.Column].clock {
			if l.there == nil {
				l.there = map[schema.ColumnID]counterShard{}
			}
			l.there[c.Column] = counterShard{clock, count}
		}
	}
}

// advance returns the shard of a counter after an increment.
func (l *leader) advance(place counterPlace, delta int64) counterShard {
	s, ok := l.made[place]
	if !ok {
		s = l.there[place.column]
	}
	s = counterShard{max(l.clock, s.clock+1), s.count + delta}
	if l.made == nil {
		l.made = map[counterPlace]counterShard{}
	}
	l.made[place] = s
	return s
}
