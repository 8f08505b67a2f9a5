package storage

import (
	"errors"
	"fmt"
	"time"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/storage/commitlog"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// scratch is what a write needs and does not keep. It is pooled by the engine.
type scratch struct {
	record []byte
	row    row.Row
}

// keepRecord is the largest record buffer that goes back to the pool.
const keepRecord = 1 << 20

// Apply writes mutations, of any tables, as one atomic record. They are in memory when it returns; Commit says when they are
// durable. Nothing is applied when it returns an error. Counter mutations are for ApplyCounter.
//
// Deviation: tables of keyspaces without durable writes are logged too.
func (e *Engine) Apply(ms []request.Mutation) (Commit, error) {
	if !e.ready.Load() {
		return Commit{}, ErrNotReplayed
	}
	if p := e.pressure.Load(); p != nil {
		if err := e.yield(p, ms); err != nil {
			return Commit{}, err
		}
	}
	e.gate.RLock()
	defer e.gate.RUnlock()
	stores := *e.stores.Load()
	var sampled *store
	var begun time.Time
	for i := range ms {
		if ms[i].Counter {
			return Commit{}, errors.New("a counter mutation must be led")
		}
		st := stores[ms[i].Table.ID]
		if st == nil {
			return Commit{}, unknownTable(ms[i].Table)
		}
		if i == 0 && st.metrics.writes.Load()%sampleWrites == 0 {
			sampled, begun = st, time.Now()
		}
	}
	sc := e.pool.Get().(*scratch)
	seq, commit, err := e.append(ms, sc)
	if err == nil {
		for i := range ms {
			if err = stores[ms[i].Table.ID].apply(&ms[i], seq, sc); err != nil {
				break
			}
		}
	}
	if cap(sc.record) <= keepRecord {
		e.pool.Put(sc)
	}
	if sampled != nil {
		sampled.metrics.writeTime.Add(int64(time.Since(begun)))
	}
	return commit, err
}

func unknownTable(t *schema.Table) error {
	return fmt.Errorf("%s.%s: %w", t.Keyspace, t.Name, ErrUnknownTable)
}

// append gives mutations their place in the log.
func (e *Engine) append(ms []request.Mutation, sc *scratch) (uint64, Commit, error) {
	total := 0
	for i := range ms {
		size := request.EncodedSize(ms[i : i+1])
		if size > e.opts.MaxMutation {
			return 0, Commit{}, e.tooLarge(ms[i:i+1], size)
		}
		total += size
	}
	if e.log == nil {
		return 0, Commit{}, nil
	}
	sc.record = request.EncodeMutations(sc.record[:0], ms)
	seq, commit, err := e.log.Append(sc.record)
	if errors.Is(err, commitlog.ErrTooLarge) {
		err = e.tooLarge(ms, total)
	}
	return seq, commit, err
}

// maxTopKeys bounds the keys in the message of an oversized mutation, in bytes.
const maxTopKeys = 1024

// tooLarge is the answer to a mutation above max_mutation_size, and to a batch that does not fit into a segment of the log.
// Source: org.apache.cassandra.exceptions.MutationExceededMaxSizeException.
func (e *Engine) tooLarge(ms []request.Mutation, size int) error {
	var keys []byte
	for i := range ms {
		m := &ms[i]
		if i > 0 {
			keys = append(keys, ", "...)
		}
		keys = append(keys, m.Table.Name+"."...)
		for j, c := range m.Table.PartitionKey {
			if j > 0 {
				keys = append(keys, ':')
			}
			keys = c.Type.AppendText(keys, request.KeyComponent(m.Table, m.Key, j))
		}
		if len(keys) > maxTopKeys {
			keys = append(keys[:maxTopKeys], "..."...)
			break
		}
	}
	return cql.Invalidf("Encountered an oversized mutation (%d/%d) for keyspace: %s. Top keys are: %s", size, e.opts.MaxMutation,
		ms[0].Table.Keyspace, keys)
}

// apply writes a mutation of the record seq to memory and to the indexes.
func (st *store) apply(m *request.Mutation, seq uint64, sc *scratch) error {
	d := st.view.Load()
	d.mem.wrote(seq)
	if err := d.mem.Apply(m); err != nil {
		return err
	}
	st.metrics.writes.Add(1)
	if len(d.indexes) == 0 {
		return nil
	}
	// Behind the rows, so that who removes an entry whose row does not match cannot meet one whose row is yet to come.
	for _, x := range d.indexes {
		x.AddPartition(m.Token, m.Key)
	}
	c := m.Changes()
	for c.Next() {
		if !c.Row && !c.Static {
			continue
		}
		r := row.Reader{B: c.Encoded}
		var clustering []byte
		if c.Row {
			sc.row.Clustering = r.Values(sc.row.Clustering[:0], len(m.Table.Clustering))
			clustering = c.Encoded[:len(c.Encoded)-len(r.B)]
		}
		r.Body(&sc.row)
		for _, x := range d.indexes {
			x.AddRow(m.Token, m.Key, c.Static, clustering, &sc.row)
		}
	}
	return c.Err()
}
