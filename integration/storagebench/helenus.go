package main

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// helenusEngine is a storage engine. It begins in periodic mode, whose writes are acknowledged at once, and is opened again in
// batch mode for the durable puts.
type helenusEngine struct {
	*storage.Engine
	dir       string
	sizes     sizes
	kv, wideT *schema.Table
}

// column of a table of the benchmark.
type column struct {
	name string
	kind schema.ColumnKind
	typ  *types.Type
}

// newTable returns a table; columns have the ids 1, 2, ...
func newTable(name string, columns ...column) *schema.Table {
	t := &schema.Table{
		Keyspace: "bench", Name: name, ByName: map[string]*schema.Column{}, ByID: map[schema.ColumnID]*schema.Column{},
		Dropped: map[string]schema.DroppedColumn{}, NextColumn: schema.ColumnID(len(columns) + 1), Options: schema.DefaultOptions(),
	}
	copy(t.ID[:], name)
	for i, c := range columns {
		x := &schema.Column{
			Keyspace: t.Keyspace, Table: name, Name: c.name, ID: schema.ColumnID(i + 1), Kind: c.kind, Position: -1, Type: c.typ,
			DroppedAt: math.MinInt64,
		}
		switch c.kind {
		case schema.PartitionKey:
			x.Position, t.PartitionKey = len(t.PartitionKey), append(t.PartitionKey, x)
		case schema.Clustering:
			x.Position, t.Clustering = len(t.Clustering), append(t.Clustering, x)
		default:
			t.Regular = append(t.Regular, x)
		}
		t.ByName[c.name], t.ByID[x.ID] = x, x
	}
	return t
}

func openHelenus(dir string, s sizes) (engine, error) {
	e := &helenusEngine{
		dir: dir, sizes: s,
		kv: newTable("kv", column{"k", schema.PartitionKey, types.TBlob}, column{"v", schema.Regular, types.TBlob}),
		wideT: newTable("wide", column{"p", schema.PartitionKey, types.TBlob}, column{"c", schema.Clustering, types.TBigint},
			column{"v", schema.Regular, types.TBlob}),
	}
	return e, e.start(storage.SyncPeriodic)
}

func (e *helenusEngine) start(mode storage.SyncMode) (err error) {
	e.Engine, err = storage.Open(e.dir, storage.Options{
		Sync: mode, MemtableSpace: int64(e.sizes.MemtableMiB) << 20, CacheSize: int64(e.sizes.CacheMiB) << 20,
		Compaction: storage.CompactionOptions{Throughput: -1},
	})
	if err != nil {
		return err
	}
	_, err = e.Replay(&schema.Snapshot{ByID: map[schema.UUID]*schema.Table{e.kv.ID: e.kv, e.wideT.ID: e.wideT}})
	return err
}

func (e *helenusEngine) durable() error {
	if err := e.Close(); err != nil {
		return err
	}
	return e.start(storage.SyncBatch)
}

type helenusSession struct {
	e          *helenusEngine
	b          request.Builder
	ms         [1]request.Mutation
	ck         [8]byte
	clustering [1][]byte
	keys       [1][]byte
	read       request.Read
	out        []byte
}

func (e *helenusEngine) session() session {
	s := &helenusSession{e: e}
	s.clustering[0] = s.ck[:]
	s.read = request.Read{Table: e.kv, Keys: s.keys[:], Now: time.Now().Unix()}
	return s
}

var widePartition = []byte("the wide one")

// value is the id of the last column.
func (s *helenusSession) write(id schema.ColumnID, value []byte) error {
	now := time.Now().UnixMicro()
	s.b.Liveness(row.Liveness{Timestamp: now, Expiry: row.NoLocal})
	s.b.Cell(row.Cell{Column: id, Value: value, Timestamp: now, Local: row.NoLocal})
	s.ms[0] = s.b.Mutation()
	c, err := s.e.Apply(s.ms[:])
	if err != nil {
		return err
	}
	return c.Wait()
}

func (s *helenusSession) put(key, value []byte, _ bool) error {
	s.b.Reset(s.e.kv, key, token.Murmur3{}.Token(key))
	s.b.Row(nil)
	return s.write(2, value)
}

func (s *helenusSession) putWide(clustering uint64, value []byte) error {
	binary.BigEndian.PutUint64(s.ck[:], clustering)
	s.b.Reset(s.e.wideT, widePartition, token.Murmur3{}.Token(widePartition))
	s.b.Row(s.clustering[:])
	return s.write(3, value)
}

func (s *helenusSession) get(key []byte) (bool, error) {
	s.keys[0] = key
	it, err := s.e.Read(context.Background(), &s.read)
	if err != nil {
		return false, err
	}
	live := row.LiveFilter(it, s.read.Now)
	found := false
	if live.NextPartition() {
		if r := live.NextRow(); r != nil {
			c := r.Cell(2)
			found = c != nil
			if found {
				s.out = append(s.out[:0], c.Value...)
			}
		}
	}
	err = live.Err()
	live.Close()
	return found, err
}

func (e *helenusEngine) iterate(r *request.Read, id schema.ColumnID) (n int, err error) {
	it, err := e.Read(context.Background(), r)
	if err != nil {
		return 0, err
	}
	live := row.LiveFilter(it, time.Now().Unix())
	defer live.Close()
	bytes := 0
	for live.NextPartition() {
		for x := live.NextRow(); x != nil; x = live.NextRow() {
			bytes += len(x.Cell(id).Value)
			n++
		}
	}
	if bytes == 0 {
		return 0, errors.Join(errors.New("no values"), live.Err())
	}
	return n, live.Err()
}

func (e *helenusEngine) scan() (int, error) {
	open := request.KeyBound{Open: true}
	return e.iterate(&request.Read{Table: e.kv, Range: request.KeyRange{Start: open, End: open}, Now: time.Now().Unix()}, 2)
}

func (e *helenusEngine) wide() (int, error) {
	return e.iterate(&request.Read{Table: e.wideT, Keys: [][]byte{widePartition}, Now: time.Now().Unix()}, 3)
}

func (e *helenusEngine) settle() error {
	if err := e.Flush(context.Background()); err != nil {
		return err
	}
	m := e.Compactions()
	for quiet := 0; quiet < 3; time.Sleep(20 * time.Millisecond) {
		if len(m.Running()) > 0 || m.Pending(e.kv.ID)+m.Pending(e.wideT.ID) > 0 {
			quiet = 0
		} else {
			quiet++
		}
	}
	return nil
}

func (e *helenusEngine) compact() error {
	ctx := context.Background()
	return errors.Join(e.Compactions().Major(ctx, e.kv.ID, false), e.Compactions().Major(ctx, e.wideT.ID, false), e.settle())
}

func (e *helenusEngine) close() error { return e.Close() }
